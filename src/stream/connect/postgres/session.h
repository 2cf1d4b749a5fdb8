/*
 * Connections to PostgreSQL: opened with the session settings that events need, waiting in a way
 * that a stop of the task interrupts, failures in words with what the caller should do (RC_RETRY when
 * the server is away or going away, RC_BAD_INPUT when it refuses).
 */
#ifndef STREAM_CONNECT_POSTGRES_SESSION_H
#define STREAM_CONNECT_POSTGRES_SESSION_H

#include <libpq-fe.h>

#include "stream/connect/postgres/settings.h"

enum session_kind { SESSION_SQL, SESSION_REPLICATION };

/* ctx NULL: nobody can interrupt (validation).  RC_AGAIN everywhere: told to stop. */
MUST_CHECK enum rc session_open(const struct postgres_settings *settings, enum session_kind kind, PGconn **out,
                                struct err *err);
void session_close(PGconn **at); /* for CLEANUP */
void session_clear(PGresult **at);
/* One statement, its result of at least one row or none; text parameters. */
MUST_CHECK enum rc session_query(struct task_context *ctx, PGconn *conn, const char *sql, int param_count,
                                 const char *const *params, PGresult **out, struct err *err);
MUST_CHECK enum rc session_exec(struct task_context *ctx, PGconn *conn, const char *sql, struct err *err);
/* A failed result (or, NULL, the connection's failure) in words. */
enum rc session_error(PGconn *conn, const PGresult *result, struct err *err);
/* Waits until there is something to read, `timeout_ms` passed or the task woke up; RC_AGAIN when it is to stop.
 * *readable tells whether the socket is; may be NULL. */
MUST_CHECK enum rc session_wait(struct task_context *ctx, PGconn *conn, int timeout_ms, bool *readable,
                                struct err *err);
void session_put_identifier(struct buf *out, const char *name); /* in double quotes */
void session_put_literal(struct buf *out, const char *text);    /* in single quotes */

#endif
