/*
 * The four codecs of record batches.  Each inflates piece by piece into a buffer with a maximum, so
 * that a small batch cannot ask for gigabytes.
 */
#include "wire/kafka/inflate.h"

#include <lz4frame.h>
#include <snappy-c.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

enum { STEP = 64 << 10 };

static enum rc too_large(const struct buf *out, struct err *err)
{
    return err_set(err, RC_FULL, "cannot inflate a record batch: it is larger than the limit of %zu bytes", out->max);
}

static enum rc damaged(const char *codec, struct err *err)
{
    return err_set(err, RC_BAD_INPUT, "cannot inflate a record batch: its %s data is damaged", codec);
}

/* room for the next piece: STEP bytes, or what is left below the maximum */
static void *next_room(struct buf *out, size_t *room)
{
    *room = out->len < out->max ? MIN((size_t)STEP, out->max - out->len) : 0;
    return *room ? buf_reserve(out, *room) : NULL;
}

static enum rc inflate_gzip(struct str in, struct buf *out, struct err *err)
{
    z_stream z = { .next_in = (Bytef *)(uintptr_t)in.p, .avail_in = (uInt)in.len };
    int rc = inflateInit2(&z, 15 + 16);

    while (rc == Z_OK) {
        size_t room = 0;
        void *at = next_room(out, &room);
        if (!at)
            break;
        z.next_out = at;
        z.avail_out = (uInt)room;
        rc = inflate(&z, Z_NO_FLUSH);
        buf_commit(out, room - z.avail_out);
        if (rc == Z_OK && z.avail_in == 0 && z.avail_out > 0)
            rc = Z_BUF_ERROR;
        if (rc == Z_STREAM_END && z.avail_in > 0) /* gzip members may follow one another */
            rc = inflateReset(&z);
    }
    inflateEnd(&z);
    return rc == Z_STREAM_END ? RC_OK : rc == Z_OK ? too_large(out, err) : damaged("gzip", err);
}

static enum rc snappy_block(struct str in, struct buf *out, struct err *err)
{
    size_t size = 0;

    if (snappy_uncompressed_length(in.p, in.len, &size) != SNAPPY_OK)
        return damaged("snappy", err);
    if (size > out->max - MIN(out->len, out->max))
        return too_large(out, err);
    char *at = buf_reserve(out, size);
    if (!at)
        return too_large(out, err);
    if (snappy_uncompress(in.p, in.len, at, &size) != SNAPPY_OK)
        return damaged("snappy", err);
    buf_commit(out, size);
    return RC_OK;
}

/* xerial: 16 bytes of magic and versions, then blocks { u32 big-endian length, block } */
static enum rc inflate_snappy(struct str in, struct buf *out, struct err *err)
{
    static const char magic[8] = { (char)0x82, 'S', 'N', 'A', 'P', 'P', 'Y', 0 };

    if (in.len < 16 || memcmp(in.p, magic, sizeof magic) != 0)
        return snappy_block(in, out, err);
    struct kafka_reader reader = { .at = in.p + 16, .end = in.p + in.len };
    while (reader.at < reader.end) {
        uint32_t n = (uint32_t)kafka_read_int(&reader, 4);
        const char *block = kafka_take(&reader, n);
        if (!block)
            return damaged("snappy", err);
        enum rc rc = snappy_block(str_n(block, n), out, err);
        if (rc)
            return rc;
    }
    return RC_OK;
}

static void free_lz4(LZ4F_dctx **context)
{
    LZ4F_freeDecompressionContext(*context);
}

static enum rc inflate_lz4(struct str in, struct buf *out, struct err *err)
{
    CLEANUP(free_lz4) LZ4F_dctx *context = NULL;
    size_t hint = 1;

    if (LZ4F_isError(LZ4F_createDecompressionContext(&context, LZ4F_VERSION)))
        return err_set(err, RC_RETRY, "cannot inflate a record batch: no memory");
    while (hint) {
        size_t room = 0;
        void *at = next_room(out, &room);
        if (!at)
            return too_large(out, err);
        size_t used = in.len;
        hint = LZ4F_decompress(context, at, &room, in.p, &used, NULL);
        if (LZ4F_isError(hint) || (hint && !used && !room))
            return damaged("lz4", err);
        buf_commit(out, room);
        in = str_skip(in, used);
    }
    return RC_OK;
}

static void free_zstd(ZSTD_DCtx **context)
{
    ZSTD_freeDCtx(*context);
}

static enum rc inflate_zstd(struct str in, struct buf *out, struct err *err)
{
    CLEANUP(free_zstd) ZSTD_DCtx *context = ZSTD_createDCtx();
    ZSTD_inBuffer from = { .src = in.p, .size = in.len };
    size_t hint = 1;

    while (hint || from.pos < from.size) {
        size_t room = 0;
        ZSTD_outBuffer to = { .dst = next_room(out, &room), .size = room };
        to.size = room;
        size_t before = from.pos;
        if (!to.dst)
            return too_large(out, err);
        hint = ZSTD_decompressStream(context, &to, &from);
        if (ZSTD_isError(hint) || (hint && from.pos == before && to.pos == 0))
            return damaged("zstd", err);
        buf_commit(out, to.pos);
    }
    return RC_OK;
}

enum rc kafka_inflate(enum kafka_codec codec, struct str in, struct buf *out, struct err *err)
{
    static enum rc (*const codecs[])(struct str, struct buf *, struct err *) = {
        [KAFKA_CODEC_GZIP] = inflate_gzip,
        [KAFKA_CODEC_SNAPPY] = inflate_snappy,
        [KAFKA_CODEC_LZ4] = inflate_lz4,
        [KAFKA_CODEC_ZSTD] = inflate_zstd,
    };

    if (codec >= ARRAY_LEN(codecs) || !codecs[codec])
        return err_set(err, RC_BAD_INPUT, "cannot inflate a record batch: codec %d is unknown", codec);
    return codecs[codec](in, out, err);
}
