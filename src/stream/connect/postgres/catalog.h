/*
 * What the server's catalogue says about types and tables: today's state, read when a relation is
 * first met or has changed.  Types are kept in one registry for the life of a task.
 */
#ifndef STREAM_CONNECT_POSTGRES_CATALOG_H
#define STREAM_CONNECT_POSTGRES_CATALOG_H

#include "stream/connect/postgres/session.h"
#include "stream/connect/postgres/table.h"
#include "wire/pg/pg.h"

enum { CATALOG_TABLES_MAX = 1000000, CATALOG_VISIBLE_MS = 1000, CATALOG_VISIBLE_STEP_MS = 2 };

struct catalog {
    struct task_context *ctx;
    PGconn *conn; /* borrowed */
    struct pg_types types;
};

struct catalog_name {
    uint32_t oid;
    char *schema, *table;
    char kind; /* r, p */
};
struct catalog_names {
    struct catalog_name *rows;
    size_t count;
};

/* Reads all types that columns usually have. */
MUST_CHECK enum rc catalog_open(struct catalog *catalog, struct task_context *ctx, PGconn *conn, struct err *err);
void catalog_free(struct catalog *catalog);
/* Ordinary and partitioned tables that the settings capture, sorted as "schema.table"; the order in
 * which the include list names them comes first. */
MUST_CHECK enum rc catalog_captured(struct catalog *catalog, const struct postgres_settings *settings,
                                    struct catalog_names *out, struct err *err);
/*
 * Waits until a transaction that the stream shows as committed is so for the catalogue too: the server
 * sends it a moment before others can see it.  Gives up after CATALOG_VISIBLE_MS, as a commit may wait for
 * a standby.
 */
MUST_CHECK enum rc catalog_wait_visible(struct catalog *catalog, uint32_t xid, struct err *err);
void catalog_names_free(struct catalog_names *names);
/* A table as it is now: for the snapshot.  RC_NOT_FOUND: it is gone. */
MUST_CHECK enum rc catalog_table(struct catalog *catalog, uint32_t oid, struct pg_table *out, struct err *err);
/*
 * A table as a relation message describes it: names, types and their order from the message, what it
 * does not say (optionality, defaults, key) from the catalogue by column name.  A table that is gone has
 * optional columns, and as key the columns of its replica identity.
 */
MUST_CHECK enum rc catalog_relation(struct catalog *catalog, const struct pg_relation *relation, struct pg_table *out,
                                    struct err *err);

#endif
