/* What the stage build shares with sql and verify.  Private to lake/build. */
#ifndef LAKE_BUILD_STAGE_H
#define LAKE_BUILD_STAGE_H

#include "lake/build/lake.h"
#include "lake/build/offsets.h"
#include "lake/build/stage_yaml.h"

/* Snapshot summary and table property that hold the offsets consumed. */
#define STAGE_OFFSETS_KEY "haus.offsets"

/* *path is owned by the caller, also after an error. */
MUST_CHECK enum rc stage_config_load(const struct station *station, const char *file, char **path,
                                     struct stage_config *out, struct err *err);
/* Which offsets are in the table. */
MUST_CHECK enum rc stage_consumed(const struct iceberg_io *io, const struct iceberg_table *table, struct offsets *out,
                                  struct err *err);

#endif
