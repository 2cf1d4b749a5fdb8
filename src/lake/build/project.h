/* The SQL that turns decoded events into rows of a stage table.  Private to lake/build. */
#ifndef LAKE_BUILD_PROJECT_H
#define LAKE_BUILD_PROJECT_H

#include "lake/build/raw.h"

/* Columns that every stage table has after the declared ones. */
enum {
    PROJECT_EVENT_DATE,
    PROJECT_EVENT_DATE_SOURCE,
    PROJECT_OP,
    PROJECT_TS_MS,
    PROJECT_LSN,
    PROJECT_TOPIC,
    PROJECT_PARTITION,
    PROJECT_OFFSET,
    PROJECT_EXTRA_COUNT
};
extern const struct iceberg_new_column project_extra_columns[PROJECT_EXTRA_COUNT];

/*
 * One declared column: `value` is the SQL of its value, `check` what must hold for a value that is not null (empty:
 * nothing). With `soft`, value is null where the cast is impossible.  RC_BAD_INPUT: that source can never become that
 * type.
 */
MUST_CHECK enum rc project_column(const struct raw_column *from, const struct stage_column *to, const char *name,
                                  bool soft, struct buf *value, struct buf *check, struct err *err);
/* SELECT of all columns and of partition values as __p0, ... ("v" and the text, or "n"), from a group's function. */
MUST_CHECK enum rc project_select(const struct raw_group *group, const char *function,
                                  const struct iceberg_table *table, struct buf *out, struct err *err);
/* SQL of a partition value as text, from a column's SQL; RC_BAD_INPUT: a transform that is not supported. */
MUST_CHECK enum rc project_partition(const struct iceberg_table *table, const struct iceberg_partition_field *field,
                                     struct buf *out, struct err *err);
/* Query for the first row whose value in column i does not fit: file number, offset, value as text. */
MUST_CHECK enum rc project_diagnosis(const struct raw_group *group, const char *function, size_t column,
                                     struct buf *out, struct err *err);

#endif
