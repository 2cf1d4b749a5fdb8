/*
 * What the parts of a running connector share: one task, one thread.  connector.c makes it, snapshot.c,
 * streaming.c and change.c use it.
 */
#ifndef STREAM_CONNECT_POSTGRES_TASK_H
#define STREAM_CONNECT_POSTGRES_TASK_H

#include "stream/connect/postgres/catalog.h"
#include "stream/connect/postgres/event.h"
#include "stream/connect/postgres/offset.h"
#include "stream/connect/postgres/replay.h"
#include "stream/connect/postgres/slot.h"
#include "stream/connect/postgres/transaction.h"

struct postgres_task {
    struct task_context *ctx;
    struct postgres_settings settings;
    PGconn *sql;    /* catalogue, snapshot */
    PGconn *stream; /* replication */
    struct catalog catalog;
    struct event_options *event_options;
    struct converter *key_converter, *value_converter;
    struct event_meta *meta;
    struct buf partition; /* {"server":"storefront"} */
    bool has_offset;      /* an offset was stored before */
    struct position position;
    struct transaction_state transaction;
    struct replay replay;
    uint64_t sent; /* number of the last record given to the runtime */
    /* reused from record to record */
    struct buf key, value, offset, header;
};

/* A record on its way: topic, headers; key and value are those in the task's buffers. */
struct outgoing {
    struct str topic;
    int32_t partition; /* -1: by key */
    bool has_key, has_value;
    const struct record_header *headers;
    size_t header_count;
    bool with_offset; /* false: not the last record of its change; the position stays where it was */
};
MUST_CHECK enum rc task_send(struct postgres_task *task, const struct outgoing *record, struct err *err);
/* Moves the stored position without a record. */
MUST_CHECK enum rc task_send_position(struct postgres_task *task, struct err *err);

/* Reads the captured tables as of `snapshot` (its lsn; name "" when there is none to share). */
MUST_CHECK enum rc snapshot_run(struct postgres_task *task, const struct slot_snapshot *snapshot, struct err *err);
/* Streams from `start` on until told to stop (RC_OK) or something fails.  confirmed: where the slot was before. */
MUST_CHECK enum rc streaming_run(struct postgres_task *task, uint64_t start, uint64_t confirmed, struct err *err);

#endif
