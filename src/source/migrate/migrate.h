/*
 * Versioned migrations in Flyway's way: the same file names, history table, checksums, messages and
 * lock, so that a real Flyway can take turns with it.
 */
#ifndef SOURCE_MIGRATE_MIGRATE_H
#define SOURCE_MIGRATE_MIGRATE_H

#include "base/base.h"
#include "net/net.h"

struct migrate_options {
    const char *folder; /* NULL: <playground>/migrations */
    /* one line of progress, in Flyway's words; may be NULL */
    void (*say)(void *user, const char *line);
    void *user;
};

struct migrate_row {
    const char *category; /* "Versioned", "Repeatable", "" for markers */
    char *version;        /* "" for repeatables */
    char *description;
    const char *type;   /* "SQL", "BASELINE", ... */
    char *installed_on; /* "" while pending */
    char *installed_by;
    char *script;
    const char *state; /* "Pending", "Success", ... as flyway info */
    int execution_ms;
};

struct migrate_report {
    struct migrate_row *rows;
    size_t count;
    char *current; /* version the schema is at, "" when empty */
};

/* Applies what is pending, one transaction each; *applied counts them.  A changed applied migration is refused. */
MUST_CHECK enum rc migrate_apply(const struct station *station, const struct migrate_options *options, int *applied,
                                 struct err *err);
MUST_CHECK enum rc migrate_info(const struct station *station, const struct migrate_options *options,
                                struct migrate_report *out, struct err *err);
/* RC_BAD_INPUT with Flyway's words when applied and local migrations differ; *count: how many were looked at. */
MUST_CHECK enum rc migrate_validate(const struct station *station, const struct migrate_options *options, int *count,
                                    struct err *err);
void migrate_report_free(struct migrate_report *report);

#endif
