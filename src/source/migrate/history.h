/* Flyway's history table and its lock. Private to this folder. */
#ifndef SOURCE_MIGRATE_HISTORY_H
#define SOURCE_MIGRATE_HISTORY_H

#include "net/net.h"
#include "source/migrate/migration.h"

#define HISTORY_TABLE "\"public\".\"flyway_schema_history\""

struct history_row {
    int rank;
    char *version; /* NULL: repeatable or marker */
    char *description, *type, *script;
    bool has_checksum;
    int32_t checksum;
    char *installed_by, *installed_on;
    int execution_ms;
    bool success;
    bool deleted; /* a later row of type DELETE takes it back: its file was gone when somebody ran repair */
};

struct history {
    bool exists;
    struct history_row *rows; /* by rank */
    size_t count;
};

/* The lock a real Flyway takes, on a connection of its own; held until that is closed. */
MUST_CHECK enum rc history_lock(PGconn *lock_conn, struct err *err);
MUST_CHECK enum rc history_read(PGconn *conn, struct history *out, struct err *err);
MUST_CHECK enum rc history_create(PGconn *conn, struct err *err);
/* True when schema public holds anything. */
MUST_CHECK enum rc history_schema_has_objects(PGconn *conn, bool *out, struct err *err);
MUST_CHECK enum rc history_add(PGconn *conn, const struct history *history, const struct migration *migration,
                               int32_t checksum, int execution_ms, bool success, struct err *err);
/* Highest version applied with success; NULL when none. */
const char *history_current(const struct history *history);
/* The version at which the history begins, by Flyway's baseline; NULL: at the first. */
const char *history_baseline(const struct history *history);
/* Not of a script: Flyway's marks of a schema made, a baseline, a deletion. */
bool history_is_mark(const struct history_row *row);
void history_free(struct history *history);

#endif
