/*
 * Flyway's history table and lock.  The lock's key is the bytes "Flyway" as a number plus Java's
 * hashCode of the quoted table name, so that we and a real Flyway keep each other out.
 *
 * Subtle: it is the session's lock, not a transaction's.  A transaction that is left open keeps its snapshot, and
 * CREATE INDEX CONCURRENTLY would wait for it for ever.
 */
#include "source/migrate/history.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { LOCK_TRIES = 50, LOCK_PAUSE_SECONDS = 1, HISTORY_ROWS_MAX = 100000 };
#define LOCK_BASE 77431708279161

static int32_t java_hash(const char *text)
{
    uint32_t h = 0;

    for (; *text; text++)
        h = 31 * h + (unsigned char)*text;
    return (int32_t)h;
}

enum rc history_lock(PGconn *lock_conn, struct err *err)
{
    CLEANUP_FREE char *sql =
        mem_printf("SELECT pg_try_advisory_lock(%lld)", (long long)(LOCK_BASE + java_hash(HISTORY_TABLE)));
    enum rc rc = RC_OK;

    for (int i = 0; !rc && i < LOCK_TRIES; i++) {
        CLEANUP(pg_clear) PGresult *result = NULL;
        rc = pg_query(lock_conn, sql, NULL, 0, &result, err);
        if (!rc && PQgetvalue(result, 0, 0)[0] == 't')
            return RC_OK;
        nanosleep(&(struct timespec){ .tv_sec = LOCK_PAUSE_SECONDS }, NULL);
    }
    return rc ? rc
              : err_set(err, RC_RETRY,
                        "Number of retries exceeded while attempting to acquire PostgreSQL advisory lock: another "
                        "migration is running");
}

static const char create_sql[] =
    "CREATE TABLE " HISTORY_TABLE " ("
    " \"installed_rank\" INT NOT NULL,"
    " \"version\" VARCHAR(50),"
    " \"description\" VARCHAR(200) NOT NULL,"
    " \"type\" VARCHAR(20) NOT NULL,"
    " \"script\" VARCHAR(1000) NOT NULL,"
    " \"checksum\" INTEGER,"
    " \"installed_by\" VARCHAR(100) NOT NULL,"
    " \"installed_on\" TIMESTAMP NOT NULL DEFAULT now(),"
    " \"execution_time\" INTEGER NOT NULL,"
    " \"success\" BOOLEAN NOT NULL);"
    "ALTER TABLE " HISTORY_TABLE " ADD CONSTRAINT \"flyway_schema_history_pk\" PRIMARY KEY (\"installed_rank\");"
    "CREATE INDEX \"flyway_schema_history_s_idx\" ON " HISTORY_TABLE " (\"success\")";

enum rc history_create(PGconn *conn, struct err *err)
{
    enum rc rc = pg_do(conn, create_sql, err);

    return rc ? err_wrap(err, "cannot create the schema history table") : RC_OK;
}

enum rc history_schema_has_objects(PGconn *conn, bool *out, struct err *err)
{
    CLEANUP(pg_clear) PGresult *result = NULL;
    enum rc rc = pg_query(conn,
                          "SELECT EXISTS (SELECT 1 FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
                          " WHERE n.nspname = 'public' AND c.relkind IN ('r','p','v','m','S','f'))"
                          " OR EXISTS (SELECT 1 FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace"
                          " WHERE n.nspname = 'public')",
                          NULL, 0, &result, err);

    if (!rc)
        *out = PQgetvalue(result, 0, 0)[0] == 't';
    return rc;
}

static char *text_at(const PGresult *result, int row, int column)
{
    return PQgetisnull(result, row, column) ? NULL : mem_strdup(PQgetvalue(result, row, column));
}

static struct history_row row_at(const PGresult *result, int i)
{
    return (struct history_row){
        .rank = atoi(PQgetvalue(result, i, 0)),
        .version = text_at(result, i, 1),
        .description = text_at(result, i, 2),
        .type = text_at(result, i, 3),
        .script = text_at(result, i, 4),
        .has_checksum = !PQgetisnull(result, i, 5),
        .checksum = atoi(PQgetvalue(result, i, 5)),
        .installed_by = text_at(result, i, 6),
        .installed_on = text_at(result, i, 7),
        .execution_ms = atoi(PQgetvalue(result, i, 8)),
        .success = PQgetvalue(result, i, 9)[0] == 't',
    };
}

bool history_is_mark(const struct history_row *row)
{
    static const char *const marks[] = { "SCHEMA", "BASELINE", "DELETE" };

    for (size_t i = 0; i < ARRAY_LEN(marks); i++)
        if (strcmp(row->type, marks[i]) == 0)
            return true;
    return false;
}

static bool same_migration(const struct history_row *a, const struct history_row *b)
{
    if (!a->version || !b->version)
        return !a->version && !b->version && strcmp(a->description, b->description) == 0;
    return migration_version_cmp(a->version, b->version) == 0;
}

/* A row DELETE takes back the latest of its migration. */
static void mark_deleted(struct history *history)
{
    for (size_t i = 0; i < history->count; i++) {
        const struct history_row *mark = &history->rows[i];
        if (strcmp(mark->type, "DELETE") != 0 || !mark->success)
            continue;
        for (size_t k = i; k-- > 0;)
            if (!history_is_mark(&history->rows[k]) && same_migration(&history->rows[k], mark)) {
                history->rows[k].deleted = true;
                break;
            }
    }
}

enum rc history_read(PGconn *conn, struct history *out, struct err *err)
{
    CLEANUP(pg_clear) PGresult *there = NULL, *result = NULL;
    enum rc rc = pg_query(conn, "SELECT to_regclass('" HISTORY_TABLE "') IS NOT NULL", NULL, 0, &there, err);

    *out = (struct history){ 0 };
    if (rc || PQgetvalue(there, 0, 0)[0] != 't')
        return rc;
    rc = pg_query(conn,
                  "SELECT installed_rank, version, description, type, script, checksum, installed_by,"
                  " to_char(installed_on, 'YYYY-MM-DD HH24:MI:SS'), execution_time, success FROM " HISTORY_TABLE
                  " ORDER BY installed_rank",
                  NULL, 0, &result, err);
    if (rc)
        return err_wrap(err, "cannot read the schema history table");
    if (PQntuples(result) > HISTORY_ROWS_MAX)
        return err_set(err, RC_FULL, "the schema history table has more than %d rows", HISTORY_ROWS_MAX);
    out->exists = true;
    out->count = (size_t)PQntuples(result);
    out->rows = NEW_ARRAY(struct history_row, out->count);
    for (size_t i = 0; i < out->count; i++)
        out->rows[i] = row_at(result, (int)i);
    mark_deleted(out);
    return RC_OK;
}

enum rc history_add(PGconn *conn, const struct history *history, const struct migration *migration, int32_t checksum,
                    int execution_ms, bool success, struct err *err)
{
    int rank = history->count ? history->rows[history->count - 1].rank + 1 : 1;
    char rank_text[16], checksum_text[16], time_text[16];
    CLEANUP(pg_clear) PGresult *result = NULL;

    snprintf(rank_text, sizeof rank_text, "%d", rank);
    snprintf(checksum_text, sizeof checksum_text, "%d", checksum);
    snprintf(time_text, sizeof time_text, "%d", execution_ms);
    const char *params[] = { rank_text,     migration->version, migration->description, migration->script,
                             checksum_text, time_text,          success ? "t" : "f" };
    enum rc rc = pg_query(conn,
                          "INSERT INTO " HISTORY_TABLE
                          " (installed_rank, version, description, type, script, checksum, installed_by,"
                          " execution_time, success) VALUES ($1, $2, $3, 'SQL', $4, $5, current_user, $6, $7)",
                          params, ARRAY_LEN(params), &result, err);

    return rc ? err_wrap(err, "cannot write the schema history table") : RC_OK;
}

const char *history_current(const struct history *history)
{
    const char *current = NULL;

    for (size_t i = 0; i < history->count; i++) {
        const struct history_row *row = &history->rows[i];
        if (row->deleted || strcmp(row->type, "DELETE") == 0)
            continue;
        if (row->version && row->success && (!current || migration_version_cmp(row->version, current) > 0))
            current = row->version;
    }
    return current;
}

const char *history_baseline(const struct history *history)
{
    const char *baseline = NULL;

    for (size_t i = 0; i < history->count; i++) {
        const struct history_row *row = &history->rows[i];
        if (strcmp(row->type, "BASELINE") == 0 && row->version &&
            (!baseline || migration_version_cmp(row->version, baseline) > 0))
            baseline = row->version;
    }
    return baseline;
}

void history_free(struct history *history)
{
    for (size_t i = 0; i < history->count; i++) {
        struct history_row *row = &history->rows[i];
        free(row->version);
        free(row->description);
        free(row->type);
        free(row->script);
        free(row->installed_by);
        free(row->installed_on);
    }
    free(history->rows);
    *history = (struct history){ 0 };
}
