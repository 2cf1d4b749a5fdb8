/*
 * One attempt at building one stage table, shared by its story (stage.c) and its writing (write.c).  Private to
 * lake/build; one thread, but for the progress that raw_fetch's threads tell.
 */
#ifndef LAKE_BUILD_ATTEMPT_H
#define LAKE_BUILD_ATTEMPT_H

#include "lake/build/build.h"
#include "lake/build/duck.h"
#include "lake/build/journal.h"
#include "lake/build/lake.h"
#include "lake/build/output.h"
#include "lake/build/raw.h"
#include "lake/build/stage.h"

struct stage_run {
    struct lake lake;
    const struct build_options *options;
    struct duck_session duck; /* opened when first needed */
    char *owner;
    int functions; /* registered so far: their names are never used twice */
};

/* One attempt at one table. */
struct attempt {
    struct stage_run *run;
    const struct stage_table *want;
    struct build_table_report *report;
    struct iceberg_table *table;
    int64_t planned_version;
    int planned_schema;
    struct offsets consumed, after;
    struct raw_files raw;
    struct raw_group *groups;
    size_t group_count;
    struct output output;
    struct journal journal;
    char **keys;
};

/* To whoever watches the build; nobody may. */
void attempt_tell(const struct attempt *a, const char *step, int64_t done, int64_t total);
/* The new events of all groups become Parquet files in the scratch folder, listed in a->output.  RC_BAD_INPUT names the
 * raw file, offset and column that does not fit. */
MUST_CHECK enum rc attempt_write_rows(struct attempt *a, struct err *err);

#endif
