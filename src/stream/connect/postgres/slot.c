/* The replication slot; see slot.h. */
#include "stream/connect/postgres/slot.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { SLOT_WAIT_STEP_MS = 100, SLOT_WAIT_MS = 5000 };

enum rc slot_check_server(struct task_context *ctx, PGconn *conn, struct err *err)
{
    CLEANUP(session_clear) PGresult *level = NULL;
    enum rc rc = session_query(ctx, conn, "SHOW wal_level", 0, NULL, &level, err);

    if (rc)
        return rc;
    if (strcmp(PQgetvalue(level, 0, 0), "logical") != 0)
        return err_set(err, RC_BAD_INPUT,
                       "the server's wal_level is '%s', not 'logical'; set wal_level = logical in postgresql.conf and "
                       "restart the server",
                       PQgetvalue(level, 0, 0));
    return RC_OK;
}

enum rc slot_look(struct task_context *ctx, PGconn *conn, const struct postgres_settings *settings,
                  struct slot_state *out, struct err *err)
{
    const char *params[] = { settings->slot };
    CLEANUP(session_clear) PGresult *r = NULL;
    enum rc rc = session_query(ctx, conn,
                               "SELECT slot_type, plugin, database, active, active_pid, confirmed_flush_lsn, wal_status"
                               " FROM pg_catalog.pg_replication_slots WHERE slot_name = $1",
                               1, params, &r, err);

    *out = (struct slot_state){ 0 };
    if (rc)
        return err_wrap(err, "cannot look for slot '%s'", settings->slot);
    if (PQntuples(r) == 0)
        return RC_OK;
    out->exists = true;
    if (strcmp(PQgetvalue(r, 0, 0), "logical") != 0 || strcmp(PQgetvalue(r, 0, 1), "pgoutput") != 0 ||
        strcmp(PQgetvalue(r, 0, 2), settings->dbname) != 0)
        return err_set(err, RC_BAD_INPUT,
                       "slot '%s' belongs to something else (%s, plugin '%s', database '%s'); use another 'slot.name'",
                       settings->slot, PQgetvalue(r, 0, 0), PQgetvalue(r, 0, 1), PQgetvalue(r, 0, 2));
    if (strcmp(PQgetvalue(r, 0, 6), "lost") == 0)
        return err_set(err, RC_BAD_INPUT,
                       "slot '%s' is lost: the server removed log that was still needed (max_slot_wal_keep_size); drop "
                       "it with SELECT pg_drop_replication_slot('%s') and start once with snapshot.mode=always",
                       settings->slot, settings->slot);
    out->active = *PQgetvalue(r, 0, 3) == 't';
    out->active_pid = (int)strtol(PQgetvalue(r, 0, 4), NULL, 10);
    out->has_confirmed = lsn_parse(str_of(PQgetvalue(r, 0, 5)), &out->confirmed_lsn);
    return RC_OK;
}

enum rc slot_wait_free(struct task_context *ctx, PGconn *conn, const struct postgres_settings *settings,
                       struct slot_state *state, struct err *err)
{
    for (int waited = 0; state->exists && state->active; waited += SLOT_WAIT_STEP_MS) {
        if (waited >= SLOT_WAIT_MS)
            return err_set(
                err, RC_RETRY,
                "slot '%s' is in use by server process %d; stop the other reader, or use another 'slot.name'",
                settings->slot, state->active_pid);
        enum rc rc = session_wait(ctx, conn, SLOT_WAIT_STEP_MS, NULL, err);
        if (!rc)
            rc = slot_look(ctx, conn, settings, state, err);
        if (rc)
            return rc;
    }
    return RC_OK;
}

enum rc slot_create(struct task_context *ctx, PGconn *replication, const struct postgres_settings *settings,
                    bool temporary, struct slot_snapshot *out, struct err *err)
{
    CLEANUP(session_clear) PGresult *r = NULL;
    CLEANUP(buf_free) struct buf sql = { 0 };
    CLEANUP_FREE char *name = temporary ? mem_printf("haus_snapshot_%d_%08x", (int)getpid(), (unsigned)random_u64())
                                        : mem_strdup(settings->slot);

    buf_puts(&sql, "CREATE_REPLICATION_SLOT ");
    session_put_identifier(&sql, name);
    buf_puts(&sql, temporary ? " TEMPORARY LOGICAL pgoutput EXPORT_SNAPSHOT" : " LOGICAL pgoutput EXPORT_SNAPSHOT");
    enum rc rc = session_query(ctx, replication, buf_cstr(&sql), 0, NULL, &r, err);
    if (!rc && FAULT_POINT("postgres.slot"))
        rc = err_set_errno(err, errno, "the answer is lost");
    if (rc)
        return err_wrap(err, "cannot create slot '%s'", name);
    if (PQntuples(r) != 1 || PQnfields(r) < 3 || !lsn_parse(str_of(PQgetvalue(r, 0, 1)), &out->lsn))
        return err_set(err, RC_FATAL, "cannot create slot '%s': the server gave an answer that is not understood",
                       name);
    snprintf(out->name, sizeof out->name, "%s", PQgetvalue(r, 0, 2));
    log_info("slot created", "slot=%s lsn=%s snapshot=%s", name, PQgetvalue(r, 0, 1), out->name);
    return RC_OK;
}

/* The server lets go of a slot a moment after its stream was closed; *active stays false when there is no such slot. */
static enum rc ask_active(struct task_context *ctx, PGconn *conn, const char *slot, bool *active, struct err *err)
{
    const char *params[] = { slot };
    CLEANUP(session_clear) PGresult *r = NULL;
    enum rc rc = session_query(ctx, conn, "SELECT active FROM pg_catalog.pg_replication_slots WHERE slot_name = $1", 1,
                               params, &r, err);

    *active = !rc && PQntuples(r) && PQgetvalue(r, 0, 0)[0] == 't';
    return rc;
}

enum rc slot_drop(struct task_context *ctx, PGconn *conn, const struct postgres_settings *settings, struct err *err)
{
    enum { TRIES = 100, PAUSE_MS = 50 };
    const char *params[] = { settings->slot };
    CLEANUP(session_clear) PGresult *r = NULL;
    bool active = true;
    enum rc rc = RC_OK;

    for (int i = 0; !rc && active && i < TRIES; i++) {
        rc = ask_active(ctx, conn, settings->slot, &active, err);
        if (!rc && active)
            nanosleep(&(struct timespec){ .tv_nsec = PAUSE_MS * 1000000L }, NULL);
    }
    if (rc)
        return rc;
    return session_query(ctx, conn, "SELECT pg_catalog.pg_drop_replication_slot($1)", 1, params, &r, err);
}
