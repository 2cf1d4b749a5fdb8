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
#ifndef STREAM_CONNECT_STATE_H
#define STREAM_CONNECT_STATE_H

#include <jansson.h>

#include "base/base.h"

enum state_topic { STATE_CONFIG, STATE_OFFSETS, STATE_STATUS, STATE_TOPICS };
enum { STATE_WRITE_TIMEOUT_MS = 30000, STATE_READ_TIMEOUT_MS = 60000 };

struct state_options {
    const char *bootstrap;
    struct {
        const char *name;
        int partitions, replicas;
    } topics[STATE_TOPICS];
};

struct state;
/* Makes the topics that are not there.  RC_RETRY: the brokers are away. */
MUST_CHECK enum rc state_open(const struct state_options *options, struct state **out, struct err *err);
void state_close(struct state *state);
char *state_cluster_id(struct state *state); /* owned by the caller; NULL when nobody tells */
/* Every record from the beginning to the present end, partition by partition in order. */
MUST_CHECK enum rc state_read(struct state *state, enum state_topic topic,
                              void (*each)(void *user, struct str key, struct str value), void *user, struct err *err);
/* Returns when the record is durable.  value.p NULL: a tombstone. */
MUST_CHECK enum rc state_write(struct state *state, enum state_topic topic, struct str key, struct str value,
                               struct err *err);
/* Returns at once; a failure is logged.  For statuses. */
void state_write_later(struct state *state, enum state_topic topic, struct str key, struct str value);
void state_flush(struct state *state, int timeout_ms);

/* Source offsets, in memory and in the topic.  Thread-safe. */
MUST_CHECK enum rc state_load_offsets(struct state *state, struct err *err);
/* `partition` is JSON of any spacing.  RC_NOT_FOUND: none. */
MUST_CHECK enum rc state_offset_get(struct state *state, const char *connector, struct str partition, struct buf *out,
                                    struct err *err);
/* offset.p NULL removes. */
MUST_CHECK enum rc state_offset_put(struct state *state, const char *connector, struct str partition, struct str offset,
                                    struct err *err);
/* [{"partition":{…},"offset":{…}}], owned by the caller. */
json_t *state_offsets_of(struct state *state, const char *connector);

#endif
