/*
 * The four codecs of record batches.  Each inflates piece by piece into a buffer with a maximum, so
 * that a small batch cannot ask for gigabytes.
 *
 * What follows the end of the compressed data is refused, although Apache Kafka takes it behind gzip and lz4: there are
 * consumers that cannot read such batches.
 */
#include "wire/kafka/inflate.h"

#include <lz4frame.h>
#include <snappy-c.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>
#include <zstd_errors.h>

enum {
    STEP = 64 << 10,
    GZIP_ONLY = 15 + 16,             /* window bits of zlib: the largest window, gzip's header */
    SNAPPY_RATIO_MAX = 22,           /* the best it can: 64 bytes from a copy of three */
    ZSTD_WINDOW_LOG_MAX = 27,        /* 128 MiB: what level 22 makes, and what other consumers take */
    ZSTD_CONTEXT_KEPT_MAX = 4 << 20, /* level 3, the usual one, has a window of 2 MiB */
};

static enum rc too_large(const struct buf *out, struct err *err)
{
    return err_set(err, RC_FULL, "cannot inflate a record batch: it is larger than the limit of %zu bytes", out->max);
}

static enum rc damaged(const char *codec, struct err *err)
{
    return err_set(err, RC_BAD_INPUT, "cannot inflate a record batch: its %s data is damaged", codec);
}

static enum rc no_memory(struct err *err)
{
    return err_set(err, RC_RETRY, "cannot inflate a record batch: no memory");
}

/* room for the next piece: STEP bytes, or what is left below the maximum */
static void *next_room(struct buf *out, size_t *room)
{
    *room = out->len < out->max ? MIN((size_t)STEP, out->max - out->len) : 0;
    return *room ? buf_reserve(out, *room) : NULL;
}

/* ----------------------------------------------------------------------------------------- gzip */

static enum rc begin_gzip(struct kafka_inflater *inflater, struct err *err)
{
    if (inflater->gzip)
        return inflateReset(inflater->gzip) == Z_OK ? RC_OK : no_memory(err);
    inflater->gzip = NEW(z_stream);
    if (inflateInit2(inflater->gzip, GZIP_ONLY) == Z_OK)
        return RC_OK;
    mem_free_ptr(&inflater->gzip);
    return no_memory(err);
}

static enum rc next_gzip(struct kafka_inflater *inflater, struct buf *out, struct err *err)
{
    z_stream *z = inflater->gzip;
    size_t room = 0;
    void *at = next_room(out, &room);

    if (!at)
        return too_large(out, err);
    z->next_in = (Bytef *)(uintptr_t)inflater->in.p;
    z->avail_in = (uInt)inflater->in.len;
    z->next_out = at;
    z->avail_out = (uInt)room;
    int rc = inflate(z, Z_NO_FLUSH);
    buf_commit(out, room - z->avail_out);
    inflater->in = str_skip(inflater->in, inflater->in.len - z->avail_in);
    if (rc == Z_STREAM_END && inflater->in.len > 0) /* gzip members may follow one another */
        return inflateReset(z) == Z_OK ? RC_OK : no_memory(err);
    inflater->is_at_end = rc == Z_STREAM_END;
    if (rc == Z_MEM_ERROR)
        return no_memory(err);
    return inflater->is_at_end || (rc == Z_OK && (z->avail_in > 0 || z->avail_out == 0)) ? RC_OK : damaged("gzip", err);
}

/* --------------------------------------------------------------------------------------- snappy */

static enum rc snappy_block(struct str in, struct buf *out, struct err *err)
{
    size_t size = 0;

    if (snappy_uncompressed_length(in.p, in.len, &size) != SNAPPY_OK || size / SNAPPY_RATIO_MAX > in.len)
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
static enum rc begin_snappy(struct kafka_inflater *inflater, struct err *err)
{
    static const char magic[8] = { (char)0x82, 'S', 'N', 'A', 'P', 'P', 'Y', 0 };

    (void)err;
    inflater->is_framed = inflater->in.len >= 16 && memcmp(inflater->in.p, magic, sizeof magic) == 0;
    if (inflater->is_framed)
        inflater->in = str_skip(inflater->in, 16);
    inflater->is_at_end = inflater->is_framed && inflater->in.len == 0;
    return RC_OK;
}

static enum rc next_snappy(struct kafka_inflater *inflater, struct buf *out, struct err *err)
{
    struct kafka_reader reader = { .at = inflater->in.p, .end = inflater->in.p + inflater->in.len };
    size_t n = inflater->is_framed ? (uint32_t)kafka_read_int(&reader, 4) : inflater->in.len;
    const char *block = kafka_take(&reader, n);

    if (!block)
        return damaged("snappy", err);
    inflater->in = str_n(reader.at, (size_t)(reader.end - reader.at));
    inflater->is_at_end = inflater->in.len == 0;
    return snappy_block(str_n(block, n), out, err);
}

/* ------------------------------------------------------------------------------------------ lz4 */

static enum rc begin_lz4(struct kafka_inflater *inflater, struct err *err)
{
    if (inflater->lz4)
        LZ4F_resetDecompressionContext(inflater->lz4);
    else if (LZ4F_isError(LZ4F_createDecompressionContext(&inflater->lz4, LZ4F_VERSION)))
        return no_memory(err);
    return RC_OK;
}

static enum rc next_lz4(struct kafka_inflater *inflater, struct buf *out, struct err *err)
{
    size_t room = 0, used = inflater->in.len;
    void *at = next_room(out, &room);

    if (!at)
        return too_large(out, err);
    size_t hint = LZ4F_decompress(inflater->lz4, at, &room, inflater->in.p, &used, NULL);
    if (LZ4F_isError(hint) || (hint && !used && !room))
        return damaged("lz4", err);
    buf_commit(out, room);
    inflater->in = str_skip(inflater->in, used);
    inflater->is_at_end = !hint;
    return inflater->is_at_end && inflater->in.len > 0 ? damaged("lz4", err) : RC_OK;
}

/* ----------------------------------------------------------------------------------------- zstd */

static enum rc begin_zstd(struct kafka_inflater *inflater, struct err *err)
{
    if (inflater->zstd) {
        ZSTD_DCtx_reset(inflater->zstd, ZSTD_reset_session_only);
        return RC_OK;
    }
    inflater->zstd = ZSTD_createDCtx();
    if (!inflater->zstd)
        return no_memory(err);
    ZSTD_DCtx_setParameter(inflater->zstd, ZSTD_d_windowLogMax, ZSTD_WINDOW_LOG_MAX);
    return RC_OK;
}

static enum rc next_zstd(struct kafka_inflater *inflater, struct buf *out, struct err *err)
{
    ZSTD_inBuffer from = { .src = inflater->in.p, .size = inflater->in.len };
    ZSTD_outBuffer to = { .dst = next_room(out, &to.size) };

    if (!to.dst)
        return too_large(out, err);
    size_t hint = ZSTD_decompressStream(inflater->zstd, &to, &from);
    if (ZSTD_getErrorCode(hint) == ZSTD_error_memory_allocation)
        return no_memory(err);
    if (ZSTD_isError(hint) || (hint && from.pos == 0 && to.pos == 0))
        return damaged("zstd", err);
    buf_commit(out, to.pos);
    inflater->in = str_skip(inflater->in, from.pos);
    inflater->is_at_end = !hint && inflater->in.len == 0; /* frames may follow one another */
    return RC_OK;
}

/* ----------------------------------------------------------------------------------- all of them */

static const struct {
    enum rc (*begin)(struct kafka_inflater *inflater, struct err *err);
    enum rc (*next)(struct kafka_inflater *inflater, struct buf *out, struct err *err);
} codecs[] = {
    [KAFKA_CODEC_GZIP] = { begin_gzip, next_gzip },
    [KAFKA_CODEC_SNAPPY] = { begin_snappy, next_snappy },
    [KAFKA_CODEC_LZ4] = { begin_lz4, next_lz4 },
    [KAFKA_CODEC_ZSTD] = { begin_zstd, next_zstd },
};

enum rc kafka_inflater_begin(struct kafka_inflater *inflater, enum kafka_codec codec, struct str in, struct err *err)
{
    inflater->codec = KAFKA_CODEC_NONE;
    inflater->in = in;
    inflater->is_at_end = inflater->is_framed = false;
    if (codec >= ARRAY_LEN(codecs) || !codecs[codec].begin)
        return err_set(err, RC_BAD_INPUT, "cannot inflate a record batch: codec %d is unknown", codec);
    inflater->codec = codec;
    return codecs[codec].begin(inflater, err);
}

enum rc kafka_inflater_next(struct kafka_inflater *inflater, struct buf *out, struct err *err)
{
    return inflater->is_at_end ? RC_AGAIN : codecs[inflater->codec].next(inflater, out, err);
}

static void free_zstd(struct kafka_inflater *inflater)
{
    ZSTD_freeDCtx(inflater->zstd);
    inflater->zstd = NULL;
}

void kafka_inflater_trim(struct kafka_inflater *inflater)
{
    if (inflater->zstd && ZSTD_sizeof_DCtx(inflater->zstd) > ZSTD_CONTEXT_KEPT_MAX)
        free_zstd(inflater);
}

void kafka_inflater_free(struct kafka_inflater *inflater)
{
    if (inflater->gzip)
        inflateEnd(inflater->gzip);
    free(inflater->gzip);
    LZ4F_freeDecompressionContext(inflater->lz4);
    free_zstd(inflater);
    *inflater = (struct kafka_inflater){ 0 };
}

enum rc kafka_inflate(enum kafka_codec codec, struct str in, struct buf *out, struct err *err)
{
    CLEANUP(kafka_inflater_free) struct kafka_inflater inflater = { 0 };
    enum rc rc = kafka_inflater_begin(&inflater, codec, in, err);

    while (!rc)
        rc = kafka_inflater_next(&inflater, out, err);
    return rc == RC_AGAIN ? RC_OK : rc;
}
