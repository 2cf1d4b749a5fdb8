/*
 * One look at the migrations: those of the folder beside those of the history table.  Private to source/migrate; one
 * thread at a time.
 */
#ifndef SOURCE_MIGRATE_RUN_H
#define SOURCE_MIGRATE_RUN_H

#include "source/migrate/history.h"
#include "source/migrate/migrate.h"
#include "source/migrate/migration.h"

struct migrate_run {
    const struct station *station;
    const struct migrate_options *options;
    PGconn *conn, *lock_conn;
    char *folder;
    struct migrations local;
    struct history history;
};

/* Reads folder and history; station and options are set already.  Close it also after an error. */
MUST_CHECK enum rc migrate_run_open(struct migrate_run *run, struct err *err);
void migrate_run_close(struct migrate_run *run); /* for CLEANUP */
/* A line to whoever asked for the run, without its newline. */
void migrate_run_say(const struct migrate_run *run, const char *format, ...) PRINTF_LIKE(2, 3);
/* The migration's text after placeholders.  RC_BAD_INPUT names one that has no value. */
MUST_CHECK enum rc migrate_run_text(const struct migrate_run *run, const struct migration *migration, struct buf *out,
                                    struct err *err);
/* Flyway's checksum of that text. */
MUST_CHECK enum rc migrate_run_checksum(const struct migrate_run *run, const struct migration *migration, int32_t *out,
                                        struct err *err);
/* The last row of the history that is this migration's; NULL: never applied.  It belongs to the run. */
const struct history_row *migrate_run_applied(const struct migrate_run *run, const struct migration *migration);
/* The file behind a row of the history; NULL: it is gone, or a later row is its. */
const struct migration *migrate_run_local(const struct migrate_run *run, const struct history_row *row);
/* RC_BAD_INPUT when a repeatable migration's placeholders cannot be replaced. */
enum rc migrate_run_is_pending(const struct migrate_run *run, const struct migration *migration, bool *out,
                               struct err *err);
/* True when the migration's effects were there when the history began: it is never applied, and nothing is wrong. */
bool migrate_run_is_below_baseline(const struct migrate_run *run, const struct migration *migration);
/* True when files of ours explain the row: for older runs of a repeatable too, unlike migrate_run_local. */
bool migrate_run_has_file(const struct migrate_run *run, const struct history_row *row);
/* True when the row's version is above all of ours: a newer set of files was there (*:future is ignored). */
bool migrate_run_is_future(const struct migrate_run *run, const struct history_row *row);

#endif
