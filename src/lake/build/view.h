/* Lake tables as DuckDB views over local copies of their data files.  Private to lake/build. */
#ifndef LAKE_BUILD_VIEW_H
#define LAKE_BUILD_VIEW_H

#include "lake/build/duck.h"
#include "lake/build/lake.h"

enum { VIEW_CACHE_DEFAULT_MB = 4096 };

/* A session for reading, rows in their order. */
MUST_CHECK enum rc view_session(struct lake *lake, struct duck_session *out, struct err *err);
/* Appends a SELECT of the table's rows as of its current snapshot: data files are copied to the cache, position
 * deletes applied.  RC_BAD_INPUT: equality deletes, deletion vectors, or files that are not Parquet; names the file. */
MUST_CHECK enum rc view_select(struct lake *lake, const struct iceberg_table *table, struct buf *out, struct err *err);

#endif
