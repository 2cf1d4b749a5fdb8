/* Parquet files that DuckDB wrote: what Iceberg wants to know of them.  Private to lake/build. */
#ifndef LAKE_BUILD_OUTPUT_H
#define LAKE_BUILD_OUTPUT_H

#include "lake/build/duck.h"
#include "lake/iceberg/iceberg.h"

enum { OUTPUT_FILES_MAX = 100000, OUTPUT_ARENA_MAX = 1 << 30 };

struct output_file {
    char *local, *key; /* of the object; in the arena */
    struct iceberg_new_file file;
};
struct output {
    struct arena arena;
    struct output_file *files;
    size_t count;
    int64_t rows;
    uint64_t bytes;
};
/* Runs COPY ... (RETURN_STATS) and takes its result.  RC_BAD_INPUT with DuckDB's words when it failed. */
MUST_CHECK enum rc output_write(struct duck_session *session, const char *copy, const struct iceberg_table *table,
                                int64_t snapshot_id, struct output *out, struct err *err);
void output_free(struct output *output);

#endif
