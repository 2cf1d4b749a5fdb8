/*
 * Data files that are about to be uploaded are written down first, so that none stays behind when the build
 * dies before its commit:
 *
 *     <table>/metadata/haus-pending-<snapshot id>.json
 *     {"snapshot-id": n, "owner": "home@host", "started-ms": n, "publishing": n, "files": ["key", ...],
 *      "new-table": {...}}
 *
 * publishing is the version whose commit may be under way; new-table is the metadata of a table that has no version
 * yet.  Cleaning takes that version itself before it deletes anything, so a commit still in flight loses.
 *
 * Private to lake/build.
 */
#ifndef LAKE_BUILD_JOURNAL_H
#define LAKE_BUILD_JOURNAL_H

#include "lake/build/lake.h"

struct journal {
    int64_t snapshot_id;
    int64_t publishing; /* 0: not yet */
    int64_t attempts;
    const char *owner;
    char **keys;
    size_t key_count;
    const json_t *new_table; /* NULL: the table exists */
};
MUST_CHECK enum rc journal_write(const struct iceberg_io *io, const struct iceberg_table *table,
                                 const struct journal *journal, struct err *err);
MUST_CHECK enum rc journal_remove(const struct iceberg_io *io, const struct iceberg_table *table, int64_t snapshot_id,
                                  struct err *err);
/* Settles every journal of `owner` at a table's location, and those of others that are older than a day. */
MUST_CHECK enum rc journal_clean(const struct iceberg_io *io, const char *location, const char *owner, struct err *err);

/*
 * A small process that waits for the end of this one, and when that came without janitor_dismiss(), cleans up the
 * journals of these locations.
 */
struct janitor {
    int pipe; /* -1: none */
};
void janitor_start(struct janitor *janitor, const struct lake *lake, char *const *locations, size_t count,
                   const char *owner);
void janitor_dismiss(struct janitor *janitor);

#endif
