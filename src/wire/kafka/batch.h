/*
 * The record batch, magic 2 (KIP-98), big-endian, header of 61 bytes:
 *
 *      0 i64 base offset          17 u32 CRC-32C of bytes 21..end   43 i64 producer id
 *      8 i32 length after here    21 i16 attributes                 51 i16 producer epoch
 *     12 i32 leader epoch         23 i32 last offset delta          53 i32 base sequence
 *     16 i8  magic                27 i64 base timestamp             57 i32 number of records
 *                                 35 i64 max timestamp              61     records
 *
 * Attributes: bits 0-2 codec (0 none, 1 gzip, 2 snappy, 3 lz4, 4 zstd), 3 timestamps are of the
 * append, 4 transactional, 5 control, 6 delete horizon.  Base offset and leader epoch lie outside the CRC:
 * a broker gives a batch its place in the log by writing 12 + 4 bytes.
 *
 * A record: varint length, i8 attributes, varlong timestamp delta, varint offset delta, varint key
 * length (-1 null), key, varint value length, value, varint headers { varint length, name, varint
 * length, value }; all varints zig-zag.
 */
#ifndef WIRE_KAFKA_BATCH_H
#define WIRE_KAFKA_BATCH_H

#include "wire/kafka/error.h"
#include "wire/kafka/message.h"

enum {
    KAFKA_BATCH_HEADER = 61,
    KAFKA_BATCH_OVERHEAD = 12, /* bytes that the length field does not count */
    KAFKA_BATCH_CODEC = 7,     /* masks in attributes */
    KAFKA_BATCH_APPEND_TIME = 8,
    KAFKA_BATCH_TRANSACTIONAL = 16,
    KAFKA_BATCH_CONTROL = 32,
    KAFKA_BATCH_DELETE_HORIZON = 64,
};
enum kafka_codec { KAFKA_CODEC_NONE, KAFKA_CODEC_GZIP, KAFKA_CODEC_SNAPPY, KAFKA_CODEC_LZ4, KAFKA_CODEC_ZSTD };

struct kafka_batch {
    int64_t base_offset;
    int32_t length; /* as on the wire; size in the log is length + KAFKA_BATCH_OVERHEAD */
    int32_t leader_epoch;
    int8_t magic;
    uint32_t crc;
    int16_t attributes;
    int32_t last_offset_delta;
    int64_t base_timestamp, max_timestamp; /* ms */
    int64_t producer_id;                   /* -1: none */
    int16_t producer_epoch;
    int32_t base_sequence;
    int32_t count;
};

/* p has at least KAFKA_BATCH_HEADER bytes; nothing is checked. */
void kafka_batch_parse_header(const void *p, struct kafka_batch *out);
size_t kafka_batch_size(const struct kafka_batch *batch); /* bytes in the log */
int64_t kafka_batch_last_offset(const struct kafka_batch *batch);
/* Checks one batch at the start of bytes: length, magic, CRC, counts.  KAFKA_NONE and *out, or the protocol's error
 * code and in *why a phrase (a literal). */
enum kafka_error kafka_batch_check(struct str bytes, struct kafka_batch *out, const char **why);
/* Give a batch its place; the CRC does not change. */
void kafka_batch_set_place(void *batch, int64_t base_offset, int32_t leader_epoch);
/* Makes all timestamps of a batch the time of appending; the CRC is computed anew. */
void kafka_batch_set_append_time(void *batch, size_t size, int64_t ms);
/* Makes this the largest of the timestamps that its records bring; the CRC is computed anew. */
void kafka_batch_set_max_time(void *batch, size_t size, int64_t ms);

struct kafka_header {
    struct str name, value;
};
struct kafka_record {
    int64_t offset, timestamp;
    struct str key, value; /* p == NULL: null */
    KAFKA_LIST(struct kafka_header) headers;
};

/* Walks the records of one checked batch.  Compressed batches are inflated into an own buffer of at most
 * max_inflated bytes. */
struct kafka_record_reader {
    struct kafka_batch batch;
    struct kafka_reader reader;
    struct buf inflated;
    int32_t left;
};
MUST_CHECK enum rc kafka_records_open(struct str batch, size_t max_inflated, struct arena *arena,
                                      struct kafka_record_reader *out, struct err *err);
/* RC_AGAIN after the last one.  Views live until kafka_records_close; headers come from the arena. */
MUST_CHECK enum rc kafka_records_next(struct kafka_record_reader *reader, struct kafka_record *out, struct err *err);
void kafka_records_close(struct kafka_record_reader *reader);

/* Writes an uncompressed batch with base offset 0: begin, add each record (offset and headers of `record` are used,
 * offsets ascending from 0), end. */
struct kafka_batch_writer {
    struct buf *out;
    size_t start;
    int64_t base_timestamp, max_timestamp;
    int32_t count;
    int16_t attributes;
    int64_t producer_id;
    int16_t producer_epoch;
    int32_t base_sequence;
};
void kafka_batch_begin(struct kafka_batch_writer *writer, struct buf *out); /* no producer id, no attributes */
void kafka_batch_add(struct kafka_batch_writer *writer, int64_t timestamp, struct str key, struct str value,
                     const struct kafka_header *headers, int32_t header_count);
void kafka_batch_end(struct kafka_batch_writer *writer);

#endif
