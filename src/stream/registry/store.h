/*
 * Where the records of _schemas are kept.  One implementation is the topic (log_store.c), another lives
 * in the unit tests.
 */
#ifndef STREAM_REGISTRY_STORE_H
#define STREAM_REGISTRY_STORE_H

#include "base/base.h"
#include "stream/registry/record.h"

enum { STORE_CLUSTER_ID_MAX = 64 };

struct schema_store {
    /* Waits until all that is in the log now was applied.  One caller at a time, with append. */
    enum rc (*catch_up)(struct schema_store *store, struct err *err);
    /* RC_OK: the records are durable and applied.  RC_RETRY: the log is away or slow; what was written
     * may yet appear. */
    enum rc (*append)(struct schema_store *store, const struct record_batch *batch, struct err *err);
    bool (*is_up)(struct schema_store *store); /* the last exchange with the log went well */
    const char *(*cluster_id)(struct schema_store *store);
};

struct log_store_options {
    const char *brokers; /* "127.0.0.1:9092" */
    const char *topic;   /* "_schemas" */
    /* One record as it comes back, in the order of the log; value.p NULL for a tombstone.  Called from the
     * store's own thread.  `anew`: the topic was made again, what was applied before no longer counts. */
    void (*apply)(void *user, bool anew, struct str key, struct str value);
    void (*caught_up)(void *user);
    void *user;
};
/*
 * Returns at once; a thread of its own waits for the log, makes the topic if it is absent, reads it to its
 * end, calls caught_up once, and follows it to the end of the process.  The texts must live as long.
 */
MUST_CHECK enum rc log_store_open(const struct log_store_options *options, struct schema_store **out, struct err *err);

#endif
