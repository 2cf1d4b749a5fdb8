/* Compressing by the libraries themselves; see compress.h. */
#include "compress.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <lz4frame.h>
#include <snappy-c.h>
#include <zlib.h>
#include <zstd.h>

#include <cmocka.h>

enum { XERIAL_BLOCK = 7, ROOM = 4096 }; /* so that records lie across blocks */

static void gzip(struct str in, struct buf *out)
{
    z_stream z = { .next_in = (Bytef *)(uintptr_t)in.p, .avail_in = (uInt)in.len };

    assert_int_equal(deflateInit2(&z, 6, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY), Z_OK);
    z.avail_out = (uInt)deflateBound(&z, in.len);
    z.next_out = buf_reserve(out, z.avail_out);
    size_t room = z.avail_out;
    assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
    buf_commit(out, room - z.avail_out);
    deflateEnd(&z);
}

static void snappy(struct str in, struct buf *out)
{
    size_t n = snappy_max_compressed_length(in.len);

    assert_int_equal(snappy_compress(in.p, in.len, buf_reserve(out, n), &n), SNAPPY_OK);
    buf_commit(out, n);
}

static void xerial(struct str in, struct buf *out)
{
    static const char head[16] = { (char)0x82, 'S', 'N', 'A', 'P', 'P', 'Y', 0, 0, 0, 0, 1, 0, 0, 0, 1 };

    buf_append(out, head, sizeof head);
    for (; in.len > 0; in = str_skip(in, MIN(in.len, (size_t)XERIAL_BLOCK))) {
        CLEANUP(buf_free) struct buf block = { 0 };
        snappy(str_n(in.p, MIN(in.len, (size_t)XERIAL_BLOCK)), &block);
        buf_put_be32(out, (uint32_t)block.len);
        buf_put_str(out, buf_str(&block));
    }
}

static void lz4(struct str in, struct buf *out)
{
    LZ4F_preferences_t preferences = { .frameInfo.blockMode = LZ4F_blockIndependent };
    size_t room = LZ4F_compressFrameBound(in.len, &preferences);
    size_t n = LZ4F_compressFrame(buf_reserve(out, room), room, in.p, in.len, &preferences);

    assert_false(LZ4F_isError(n));
    buf_commit(out, n);
}

static void zstd(struct str in, struct buf *out)
{
    size_t room = ZSTD_compressBound(in.len), n = ZSTD_compress(buf_reserve(out, room), room, in.p, in.len, 3);

    assert_false(ZSTD_isError(n));
    buf_commit(out, n);
}

static const struct {
    enum kafka_codec codec;
    void (*compress)(struct str in, struct buf *out);
} framings[] = {
    [FRAMING_GZIP] = { KAFKA_CODEC_GZIP, gzip },       [FRAMING_SNAPPY] = { KAFKA_CODEC_SNAPPY, snappy },
    [FRAMING_XERIAL] = { KAFKA_CODEC_SNAPPY, xerial }, [FRAMING_LZ4] = { KAFKA_CODEC_LZ4, lz4 },
    [FRAMING_ZSTD] = { KAFKA_CODEC_ZSTD, zstd },
};

void compress_bytes(enum framing framing, struct str in, struct buf *out)
{
    framings[framing].compress(in, out);
}

enum kafka_codec framing_codec(enum framing framing)
{
    return framings[framing].codec;
}

static void put_be32(char *p, uint32_t v)
{
    for (int i = 0; i < 4; i++)
        p[i] = (char)(v >> (24 - 8 * i));
}

void replace_records(struct buf *bytes, enum kafka_codec codec, struct str records, int32_t count)
{
    CLEANUP(buf_free) struct buf copy = { .max = records.len + ROOM };

    buf_put_str(&copy, records);
    bytes->len = KAFKA_BATCH_HEADER;
    buf_put_str(bytes, buf_str(&copy));
    bytes->data[22] = (char)codec;
    put_be32(bytes->data + 8, (uint32_t)(bytes->len - KAFKA_BATCH_OVERHEAD));
    put_be32(bytes->data + 23, (uint32_t)(count - 1));
    put_be32(bytes->data + 57, (uint32_t)count);
}

void compress_records(struct buf *bytes, enum framing framing)
{
    CLEANUP(buf_free) struct buf out = { 0 };
    struct kafka_batch batch;

    kafka_batch_parse_header(bytes->data, &batch);
    compress_bytes(framing, str_skip(buf_str(bytes), KAFKA_BATCH_HEADER), &out);
    replace_records(bytes, framing_codec(framing), buf_str(&out), batch.count);
}

void write_some(struct buf *out)
{
    struct kafka_batch_writer writer;
    const struct kafka_header headers[] = { { STR("name"), STR("value") }, { STR("null"), { 0 } } };

    kafka_batch_begin(&writer, out);
    kafka_batch_add(&writer, 1000, STR("key"), STR("value"), headers, 2);
    kafka_batch_add(&writer, 900, (struct str){ 0 }, (struct str){ 0 }, NULL, 0);
    kafka_batch_add(&writer, 1500, STR(""), STR("last"), NULL, 0);
    kafka_batch_end(&writer);
}
