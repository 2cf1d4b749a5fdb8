/*
 * What every function of this folder needs of its surroundings: where the lake is, how to reach it, where
 * scratch files go, how many may work at a time.  Private to lake/build.
 */
#ifndef LAKE_BUILD_LAKE_H
#define LAKE_BUILD_LAKE_H

#include <pthread.h>

#include "lake/iceberg/iceberg.h"
#include "net/net.h"

enum { LAKE_WORKERS = 4 };

struct lake {
    const struct station *station;
    char *warehouse; /* "s3a://lakehouse/" */
    char *cache;     /* $HAUS_HOME/cache/lake */
    char *scratch;   /* of this call, below cache; removed by lake_close */
    const char *duckdb_library;
    int64_t memory_bytes; /* of DuckDB */
    int threads;
    struct s3_client *clients[LAKE_WORKERS];
    struct iceberg_io io[LAKE_WORKERS]; /* one a worker; [0] is the caller's */
};
MUST_CHECK enum rc lake_open(const struct station *station, struct lake *out, struct err *err);
void lake_close(struct lake *lake);
/* Location of a table: warehouse + namespace with slashes + name. */
char *lake_location(const struct lake *lake, const char *namespace, const char *name);

/*
 * Runs job(user, io, i) for i in [0, count) on LAKE_WORKERS threads, each with its own client.  After the first
 * failure no further job starts; its error is returned.
 */
MUST_CHECK enum rc lake_parallel(struct lake *lake, size_t count,
                                 enum rc (*job)(void *user, const struct iceberg_io *io, size_t i, struct err *err),
                                 void *user, struct err *err);

#endif
