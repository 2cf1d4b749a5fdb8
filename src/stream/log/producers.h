/*
 * What a partition knows of its idempotent producers (KIP-98): epoch and the last batches of each, to tell a
 * retry from a gap.  Private to this folder; loop thread only.
 */
#ifndef STREAM_LOG_PRODUCERS_H
#define STREAM_LOG_PRODUCERS_H

#include "wire/kafka/kafka.h"

enum { PRODUCER_BATCHES = 5, PRODUCERS_MAX = 100000 };

struct producer_batch {
    int32_t first_sequence, last_sequence;
    int64_t last_offset, timestamp;
    int32_t offset_delta;
};
struct producer {
    int64_t id;
    int16_t epoch;
    uint8_t count; /* batches, oldest first */
    struct producer_batch batches[PRODUCER_BATCHES];
};
struct producers {
    struct map by_id; /* the id's 8 bytes -> struct producer */
};

/* May this batch be appended?  KAFKA_NONE; or an error; or KAFKA_NONE with *duplicate_of set to the base offset of
 * the same batch appended earlier (else -1). */
enum kafka_error producers_check(const struct producers *producers, const struct kafka_batch *batch,
                                 int64_t *duplicate_of);
/* The batch was appended at its base offset. */
void producers_note(struct producers *producers, const struct kafka_batch *batch);
void producers_expire(struct producers *producers, int64_t before_ms);
void producers_clear(struct producers *producers);
/* Kafka's .snapshot format: i16 1, u32 CRC-32C of the rest, i32 count, entries { i64 id, i16 epoch, i32 last sequence,
 * i64 last offset, i32 offset delta, i64 timestamp, i32 coordinator epoch, i64 first offset of a transaction }.
 * Kafka writes an entry for the last batch of each producer and reads the last entry of each; we write one for each
 * batch that we know, oldest first: a producer sends five at once, and may send all of them again after our restart. */
void producers_save(const struct producers *producers, struct buf *out);
bool producers_restore(struct producers *producers, struct str snapshot);

#endif
