/* A libpq connection to the house's database, with errors in our words. */
#ifndef NET_PG_H
#define NET_PG_H

#include <libpq-fe.h>

#include "net/station.h"

/* As POSTGRES_USER to POSTGRES_DB on service `postgres`; database NULL: POSTGRES_DB.  Notices are dropped. */
MUST_CHECK enum rc pg_open(const struct station *station, const char *database, PGconn **out, struct err *err);
void pg_close(PGconn **conn);     /* for CLEANUP; NULL is fine */
void pg_clear(PGresult **result); /* for CLEANUP; NULL is fine */
/* Runs one command, dropping its rows.  RC_RETRY when the connection broke, else RC_FATAL with the server's words. */
MUST_CHECK enum rc pg_do(PGconn *conn, const char *sql, struct err *err);
/* Runs one query with text parameters (params may be NULL); *out is the caller's. */
MUST_CHECK enum rc pg_query(PGconn *conn, const char *sql, const char *const *params, int count, PGresult **out,
                            struct err *err);
/* The last error of the connection, one line, without its "ERROR:  " and trailing newline. */
enum rc pg_error(PGconn *conn, const PGresult *result, struct err *err);

#endif
