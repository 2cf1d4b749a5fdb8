/*
 * Connect's three internal topics, so that a real Kafka Connect could take over from them:
 *
 *     config   1 partition   connector-<n>, task-<n>-<i>, commit-<n>, target-state-<n> -> JSON
 *     offsets  25            ["<connector>",{<source partition>}] -> {<source offset>}
 *     status   5             status-connector-<n>, status-task-<n>-<i>, status-topic-<t>:connector-<n> -> JSON
 *
 * All are compacted; keys and values are schemaless JSON; no value: deleted.  They are read back once,
 * at start; from then on memory is ahead of them, because we are the only writer.
 */
#ifndef STREAM_CONNECT_BACKING_H
#define STREAM_CONNECT_BACKING_H

#include <jansson.h>

#include "base/base.h"

enum backing_topic { STATE_CONFIG, STATE_OFFSETS, STATE_STATUS, STATE_TOPICS };
enum { STATE_WRITE_TIMEOUT_MS = 30000, STATE_READ_TIMEOUT_MS = 60000 };

struct backing_options {
    const char *bootstrap;
    struct {
        const char *name;
        int partitions, replicas;
    } topics[STATE_TOPICS];
};

struct backing;
/* Makes the topics that are not there.  RC_RETRY: the brokers are away. */
MUST_CHECK enum rc backing_open(const struct backing_options *options, struct backing **out, struct err *err);
void backing_close(struct backing *backing);
char *backing_cluster_id(struct backing *backing); /* owned by the caller; NULL when nobody tells */
/* Every record from the beginning to the present end, partition by partition in order. */
MUST_CHECK enum rc backing_read(struct backing *backing, enum backing_topic topic,
                                void (*each)(void *user, struct str key, struct str value), void *user,
                                struct err *err);
/* Returns when the record is durable.  value.p NULL: a tombstone. */
MUST_CHECK enum rc backing_write(struct backing *backing, enum backing_topic topic, struct str key, struct str value,
                                 struct err *err);
/* Returns at once; a failure is logged.  For statuses. */
void backing_write_later(struct backing *backing, enum backing_topic topic, struct str key, struct str value);
void backing_flush(struct backing *backing, int timeout_ms);

/* Source offsets, in memory and in the topic.  Thread-safe. */
MUST_CHECK enum rc backing_load_offsets(struct backing *backing, struct err *err);
/* A record of the topic, whoever wrote it; offsets is a map of texts to texts. */
void backing_take_offset(void *offsets, struct str key, struct str value);
/* `partition` is JSON of any spacing.  RC_NOT_FOUND: none. */
MUST_CHECK enum rc backing_offset_get(struct backing *backing, const char *connector, struct str partition,
                                      struct buf *out, struct err *err);
/* offset.p NULL removes. */
MUST_CHECK enum rc backing_offset_put(struct backing *backing, const char *connector, struct str partition,
                                      struct str offset, struct err *err);
/* [{"partition":{…},"offset":{…}}], owned by the caller. */
json_t *backing_offsets_of(struct backing *backing, const char *connector);

#endif
