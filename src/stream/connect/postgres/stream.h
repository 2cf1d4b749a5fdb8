/*
 * A running stream, shared by the loop (streaming.c) and what messages become (change.c).  Private to
 * stream/connect/postgres; the task's thread only.
 */
#ifndef STREAM_CONNECT_POSTGRES_STREAM_H
#define STREAM_CONNECT_POSTGRES_STREAM_H

#include "stream/connect/postgres/task.h"

struct stream_relation;

struct stream {
    struct postgres_task *task;
    struct pgoutput_decoder decoder;
    struct stream_relation **relations; /* sorted by id */
    size_t relation_count;
    struct stream_relation *last;
    struct resume resume;
    bool in_transaction, skip_transaction, partly_sent;
    bool muted;        /* the change at hand was sent before the start */
    int64_t commit_us; /* of the transaction at hand */
    uint32_t xid;
    uint64_t passed;    /* everything before it was sent, or concerns nobody */
    uint64_t committed; /* position of the last committed offset */
    uint64_t committed_number, confirmed;
    int64_t status_at_ms, heartbeat_at_ms;
    bool status_now;
};

/* One WAL message becomes the records it stands for, sent in its order.  RC_FATAL when it cannot be understood. */
MUST_CHECK enum rc stream_take_change(struct stream *s, const struct walsender_message *frame, struct err *err);
void stream_relations_free(struct stream *s);

#endif
