/*
 * What a source has sent and librdkafka does not have yet, and the memory of what it has.  Records are given to it in
 * batches, at most OUTBOX_BATCHES_OUT_MAX of them unacknowledged at a time: while these are under way the next batch
 * fills, so a lone change leaves at once and a rush leaves in large pieces, without any linger.
 *
 * Why not by librdkafka's own queue: while it holds records that it may not send yet, or less than a millisecond of
 * linger is left, its thread polls without pause (2.0), which costs more than all of its work.
 *
 * Not locked: the owner does; what outbox_give() hands on is only read then, so it may run unlocked in one thread.
 */
#ifndef STREAM_CONNECT_OUTBOX_H
#define STREAM_CONNECT_OUTBOX_H

#include <librdkafka/rdkafka.h>

#include "stream/connect/plugin.h"

enum {
    OUTBOX_BATCHES_OUT_MAX = 2,
    OUTBOX_BATCH_BYTES_MAX = 192 << 20, /* one record: the owner's limit of bytes in flight binds before */
};

struct outbox_batch;

struct outbox_record {
    struct outbox_batch *batch;
    rd_kafka_topic_t *topic;
    uint64_t number;
    size_t at; /* in the batch's bytes: the key, then the value */
    size_t key_len, value_len;
    bool has_key, has_value;
    int32_t partition;           /* -1: by key */
    int64_t timestamp_ms;        /* -1: now */
    rd_kafka_headers_t *headers; /* NULL: none, or librdkafka has them */
};

struct outbox_batch {
    struct buf bytes;
    struct outbox_record *records;
    size_t count, cap;
    size_t given; /* to librdkafka */
    size_t left;  /* not yet told of */
    struct outbox_batch *next;
};

struct outbox {
    struct outbox_batch *filling; /* NULL: nothing waits */
    struct outbox_batch *out;     /* given, the oldest first; of the last one perhaps a part only */
    size_t out_count;
};

/* Copies the record.  False: it does not fit. */
bool outbox_add(struct outbox *outbox, rd_kafka_topic_t *topic, const struct source_record *record, uint64_t number);
/* The batch that is to be given now, or given on with; NULL: none.  It is out then. */
struct outbox_batch *outbox_next(struct outbox *outbox);
/* Gives all of it; RC_AGAIN: librdkafka is full, go on after a delivery.  `failed`: the record that it refuses. */
enum rc outbox_give(rd_kafka_t *producer, struct outbox_batch *batch, struct outbox_record **failed,
                    rd_kafka_resp_err_t *why);
/* The record is delivered, or failed: its batch goes when all its records are. */
void outbox_done(struct outbox *outbox, struct outbox_record *record);
/* After the producer is destroyed: it reads this memory. */
void outbox_free(struct outbox *outbox);

#endif
