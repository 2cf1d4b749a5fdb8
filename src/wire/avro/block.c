/* The codecs of container blocks, each by its own library. */
#include "wire/avro/block.h"

#include <snappy-c.h>
#include <zlib.h>
#include <zstd.h>

enum { RAW_DEFLATE_BITS = -15, DEFLATE_MEMORY = 8, UNPACK_CHUNK = 64 << 10, SNAPPY_CRC_LEN = 4 };

static enum rc too_long(struct err *err)
{
    return err_set(err, RC_FULL, "it unpacks to more than %d bytes", AVRO_BLOCK_BYTES_MAX);
}

static enum rc no_room(struct err *err)
{
    return err_set(err, RC_FULL, "cannot pack an avro block: no memory");
}

/* ---------------------------------------------------------------- deflate */

static enum rc deflate_pack(int level, struct str bytes, struct buf *out, struct err *err)
{
    z_stream stream = { 0 };
    unsigned char *room;
    uLong bound;
    int rc;

    if (deflateInit2(&stream, level ? level : Z_DEFAULT_COMPRESSION, Z_DEFLATED, RAW_DEFLATE_BITS, DEFLATE_MEMORY,
                     Z_DEFAULT_STRATEGY) != Z_OK)
        return no_room(err);
    bound = deflateBound(&stream, bytes.len);
    if (!(room = buf_reserve(out, bound))) {
        deflateEnd(&stream);
        return no_room(err);
    }
    stream.next_in = (unsigned char *)(uintptr_t)bytes.p;
    stream.avail_in = (uInt)bytes.len;
    stream.next_out = room;
    stream.avail_out = (uInt)bound;
    rc = deflate(&stream, Z_FINISH);
    buf_commit(out, stream.total_out);
    deflateEnd(&stream);
    return rc == Z_STREAM_END ? RC_OK : no_room(err);
}

static enum rc inflate_all(z_stream *stream, struct buf *out, struct err *err)
{
    int rc;

    do {
        unsigned char *room = buf_reserve(out, UNPACK_CHUNK);
        if (!room)
            return too_long(err);
        stream->next_out = room;
        stream->avail_out = UNPACK_CHUNK;
        rc = inflate(stream, Z_NO_FLUSH);
        buf_commit(out, UNPACK_CHUNK - stream->avail_out);
        if (rc != Z_OK && rc != Z_STREAM_END)
            return err_set(err, RC_BAD_INPUT, "deflate: %s", stream->msg ? stream->msg : "the data ends too early");
    } while (rc != Z_STREAM_END);
    return RC_OK;
}

static enum rc deflate_unpack(struct str packed, struct buf *out, struct err *err)
{
    z_stream stream = { .next_in = (unsigned char *)(uintptr_t)packed.p, .avail_in = (uInt)packed.len };
    enum rc rc;

    if (inflateInit2(&stream, RAW_DEFLATE_BITS) != Z_OK)
        return no_room(err);
    rc = inflate_all(&stream, out, err);
    inflateEnd(&stream);
    return rc;
}

/* ---------------------------------------------------------------- snappy */

static enum rc snappy_pack(int level UNUSED, struct str bytes, struct buf *out, struct err *err)
{
    size_t len = snappy_max_compressed_length(bytes.len);
    char *room = buf_reserve(out, len);

    if (!room || snappy_compress(bytes.p, bytes.len, room, &len) != SNAPPY_OK)
        return no_room(err);
    buf_commit(out, len);
    buf_put_be32(out, (uint32_t)crc32(0, (const unsigned char *)bytes.p, (uInt)bytes.len));
    return RC_OK;
}

static uint32_t be32(const char *p)
{
    const unsigned char *b = (const unsigned char *)p;
    return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

static enum rc snappy_unpack(struct str packed, struct buf *out, struct err *err)
{
    size_t len = 0, body = packed.len - SNAPPY_CRC_LEN;
    char *room;

    if (packed.len < SNAPPY_CRC_LEN || snappy_uncompressed_length(packed.p, body, &len) != SNAPPY_OK)
        return err_set(err, RC_BAD_INPUT, "snappy: no valid length");
    if (len > AVRO_BLOCK_BYTES_MAX || !(room = buf_reserve(out, len + 1)))
        return too_long(err);
    if (snappy_uncompress(packed.p, body, room, &len) != SNAPPY_OK)
        return err_set(err, RC_BAD_INPUT, "snappy: broken data");
    buf_commit(out, len);
    if ((uint32_t)crc32(0, (const unsigned char *)room, (uInt)len) != be32(packed.p + body))
        return err_set(err, RC_BAD_INPUT, "snappy: wrong checksum");
    return RC_OK;
}

/* ---------------------------------------------------------------- zstandard */

static enum rc zstd_pack(int level, struct str bytes, struct buf *out, struct err *err)
{
    size_t bound = ZSTD_compressBound(bytes.len), n;
    char *room = buf_reserve(out, bound);

    if (!room)
        return no_room(err);
    n = ZSTD_compress(room, bound, bytes.p, bytes.len, level ? level : ZSTD_CLEVEL_DEFAULT);
    if (ZSTD_isError(n))
        return err_set(err, RC_FULL, "zstandard: %s", ZSTD_getErrorName(n));
    buf_commit(out, n);
    return RC_OK;
}

static void free_stream(ZSTD_DStream **stream)
{
    ZSTD_freeDStream(*stream);
}

/* Streamed, because a frame need not tell its length (Java's does not). */
static enum rc zstd_unpack(struct str packed, struct buf *out, struct err *err)
{
    CLEANUP(free_stream) ZSTD_DStream *stream = ZSTD_createDStream();
    ZSTD_inBuffer in = { packed.p, packed.len, 0 };
    size_t left = 1;

    if (!stream)
        return no_room(err);
    while (left) {
        ZSTD_outBuffer piece = { buf_reserve(out, UNPACK_CHUNK), UNPACK_CHUNK, 0 };
        size_t before = in.pos;
        if (!piece.dst)
            return too_long(err);
        left = ZSTD_decompressStream(stream, &piece, &in);
        if (ZSTD_isError(left))
            return err_set(err, RC_BAD_INPUT, "zstandard: %s", ZSTD_getErrorName(left));
        buf_commit(out, piece.pos);
        if (left && !piece.pos && in.pos == before)
            return err_set(err, RC_BAD_INPUT, "zstandard: the data ends too early");
    }
    return RC_OK;
}

/* ---------------------------------------------------------------- by codec */

static const struct {
    enum rc (*pack)(int level, struct str bytes, struct buf *out, struct err *err);
    enum rc (*unpack)(struct str packed, struct buf *out, struct err *err);
} codecs[] = {
    [AVRO_CODEC_DEFLATE] = { deflate_pack, deflate_unpack },
    [AVRO_CODEC_SNAPPY] = { snappy_pack, snappy_unpack },
    [AVRO_CODEC_ZSTANDARD] = { zstd_pack, zstd_unpack },
};

enum rc avro_block_pack(enum avro_file_codec codec, int level, struct str bytes, struct buf *out, struct err *err)
{
    return codecs[codec].pack(level, bytes, out, err);
}

enum rc avro_block_unpack(enum avro_file_codec codec, struct str packed, struct buf *out, struct err *err)
{
    return codecs[codec].unpack(packed, out, err);
}
