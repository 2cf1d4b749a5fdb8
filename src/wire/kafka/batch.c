/* Record batches: check, place, walk, write; see batch.h. */
#include "wire/kafka/batch.h"

#include <endian.h>
#include <string.h>

enum { CRC_FROM = 21, LEADER_EPOCH_AT = 12, CRC_AT = 17 };

static uint16_t be16(const char *p)
{
    uint16_t v;
    memcpy(&v, p, sizeof v);
    return be16toh(v);
}

static uint32_t be32(const char *p)
{
    uint32_t v;
    memcpy(&v, p, sizeof v);
    return be32toh(v);
}

static uint64_t be64(const char *p)
{
    uint64_t v;
    memcpy(&v, p, sizeof v);
    return be64toh(v);
}

static void put32(char *p, uint32_t v)
{
    v = htobe32(v);
    memcpy(p, &v, sizeof v);
}

static void put64(char *p, uint64_t v)
{
    v = htobe64(v);
    memcpy(p, &v, sizeof v);
}

void kafka_batch_parse_header(const void *bytes, struct kafka_batch *out)
{
    const char *p = bytes;

    *out = (struct kafka_batch){
        .base_offset = (int64_t)be64(p),
        .length = (int32_t)be32(p + 8),
        .leader_epoch = (int32_t)be32(p + 12),
        .magic = (int8_t)p[16],
        .crc = be32(p + 17),
        .attributes = (int16_t)be16(p + 21),
        .last_offset_delta = (int32_t)be32(p + 23),
        .base_timestamp = (int64_t)be64(p + 27),
        .max_timestamp = (int64_t)be64(p + 35),
        .producer_id = (int64_t)be64(p + 43),
        .producer_epoch = (int16_t)be16(p + 51),
        .base_sequence = (int32_t)be32(p + 53),
        .count = (int32_t)be32(p + 57),
    };
}

size_t kafka_batch_size(const struct kafka_batch *batch)
{
    return (size_t)(uint32_t)batch->length + KAFKA_BATCH_OVERHEAD;
}

int64_t kafka_batch_last_offset(const struct kafka_batch *batch)
{
    return batch->base_offset + batch->last_offset_delta;
}

static enum kafka_error refuse(const char **why, enum kafka_error error, const char *text)
{
    *why = text;
    return error;
}

enum kafka_error kafka_batch_check(struct str bytes, struct kafka_batch *out, const char **why)
{
    /* the magic byte lies at the same place in all formats, so that an old one is told from garbage */
    if (bytes.len > 16 && bytes.p[16] >= 0 && bytes.p[16] < 2)
        return refuse(why, KAFKA_INVALID_RECORD, "message formats 0 and 1 are not supported");
    if (bytes.len < KAFKA_BATCH_HEADER)
        return refuse(why, KAFKA_CORRUPT_MESSAGE, "the record batch is shorter than its header");
    kafka_batch_parse_header(bytes.p, out);
    if (out->magic != 2)
        return refuse(why, KAFKA_CORRUPT_MESSAGE, "the record batch has an unknown magic number");
    if (out->length < KAFKA_BATCH_HEADER - KAFKA_BATCH_OVERHEAD || kafka_batch_size(out) > bytes.len)
        return refuse(why, KAFKA_CORRUPT_MESSAGE, "the record batch says it is longer than it is");
    if (crc32c(0, bytes.p + CRC_FROM, kafka_batch_size(out) - CRC_FROM) != out->crc)
        return refuse(why, KAFKA_CORRUPT_MESSAGE, "the record batch does not match its checksum");
    if (out->last_offset_delta < 0 || out->count < 0 || out->base_offset > INT64_MAX - out->last_offset_delta)
        return refuse(why, KAFKA_INVALID_RECORD, "the record batch has a negative count");
    if ((out->attributes & KAFKA_BATCH_CODEC) > KAFKA_CODEC_ZSTD)
        return refuse(why, KAFKA_UNSUPPORTED_COMPRESSION_TYPE, "the record batch has an unknown codec");
    return KAFKA_NONE;
}

void kafka_batch_set_place(void *batch, int64_t base_offset, int32_t leader_epoch)
{
    put64(batch, (uint64_t)base_offset);
    put32((char *)batch + LEADER_EPOCH_AT, (uint32_t)leader_epoch);
}

static void set_time(char *p, size_t size, char kind, int64_t ms)
{
    p[22] = (char)((p[22] & ~KAFKA_BATCH_APPEND_TIME) | kind);
    put64(p + 35, (uint64_t)ms);
    put32(p + CRC_AT, crc32c(0, p + CRC_FROM, size - CRC_FROM));
}

void kafka_batch_set_append_time(void *batch, size_t size, int64_t ms)
{
    set_time(batch, size, KAFKA_BATCH_APPEND_TIME, ms);
}

void kafka_batch_set_max_time(void *batch, size_t size, int64_t ms)
{
    set_time(batch, size, 0, ms);
}

/* ------------------------------------------------------------------------------------- writing */

void kafka_batch_begin(struct kafka_batch_writer *writer, struct buf *out)
{
    *writer = (struct kafka_batch_writer){
        .out = out, .start = out->len, .producer_id = -1, .producer_epoch = -1, .base_sequence = -1, .max_timestamp = -1
    };
    void *header = buf_reserve(out, KAFKA_BATCH_HEADER);
    if (!header)
        return;
    memset(header, 0, KAFKA_BATCH_HEADER);
    buf_commit(out, KAFKA_BATCH_HEADER);
}

static size_t varlong_size(int64_t value)
{
    uint64_t v = (uint64_t)value << 1 ^ (uint64_t)(value >> 63);
    size_t n = 1;

    for (; v >= 0x80; v >>= 7)
        n++;
    return n;
}

static size_t nullable_size(struct str s)
{
    return s.p ? varlong_size((int64_t)s.len) + s.len : 1;
}

static void put_nullable(struct buf *out, struct str s)
{
    kafka_write_varlong(out, s.p ? (int64_t)s.len : -1);
    if (s.p)
        buf_append(out, s.p, s.len);
}

void kafka_batch_add(struct kafka_batch_writer *writer, int64_t timestamp, struct str key, struct str value,
                     const struct kafka_header *headers, int32_t header_count)
{
    if (writer->count == 0)
        writer->base_timestamp = timestamp;
    writer->max_timestamp = MAX(writer->max_timestamp, timestamp);
    int64_t delta = timestamp - writer->base_timestamp;
    size_t size = 1 + varlong_size(delta) + varlong_size(writer->count) + nullable_size(key) + nullable_size(value) +
                  varlong_size(header_count);
    for (int32_t i = 0; i < header_count; i++)
        size += nullable_size(headers[i].name) + nullable_size(headers[i].value);

    kafka_write_varlong(writer->out, (int64_t)size);
    buf_putc(writer->out, 0);
    kafka_write_varlong(writer->out, delta);
    kafka_write_varlong(writer->out, writer->count++);
    put_nullable(writer->out, key);
    put_nullable(writer->out, value);
    kafka_write_varlong(writer->out, header_count);
    for (int32_t i = 0; i < header_count; i++) {
        put_nullable(writer->out, headers[i].name);
        put_nullable(writer->out, headers[i].value);
    }
}

void kafka_batch_end(struct kafka_batch_writer *writer)
{
    if (writer->out->failed)
        return;
    char *p = writer->out->data + writer->start;
    size_t size = writer->out->len - writer->start;

    put32(p + 8, (uint32_t)(size - KAFKA_BATCH_OVERHEAD));
    p[16] = 2;
    p[21] = (char)(writer->attributes >> 8);
    p[22] = (char)writer->attributes;
    put32(p + 23, (uint32_t)(writer->count - 1));
    put64(p + 27, (uint64_t)writer->base_timestamp);
    put64(p + 35, (uint64_t)writer->max_timestamp);
    put64(p + 43, (uint64_t)writer->producer_id);
    p[51] = (char)(writer->producer_epoch >> 8);
    p[52] = (char)writer->producer_epoch;
    put32(p + 53, (uint32_t)writer->base_sequence);
    put32(p + 57, (uint32_t)writer->count);
    put32(p + CRC_AT, crc32c(0, p + CRC_FROM, size - CRC_FROM));
}
