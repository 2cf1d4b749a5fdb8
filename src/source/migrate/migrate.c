/*
 * Applies and validates migrations; info.c describes them.  What a person greps for is said in Flyway's words.
 *
 * Subtle: a versioned migration's checksum is over its raw text, a repeatable one's over the text
 * after placeholders (its raw checksum counts as equal too), as Flyway has it.
 */
#include "source/migrate/migrate.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "source/migrate/run.h"
#include "source/migrate/script.h"

/* ----------------------------------------------------------- validation */

static void complain_mismatch(struct buf *out, const char *what, const struct history_row *row, const char *applied,
                              const char *local)
{
    buf_printf(out,
               "\nMigration %s mismatch for migration %s%s\n-> Applied to database : %s\n-> Resolved locally    : %s\n"
               "Either revert the changes to the migration, or run repair to update the schema history.",
               what, row->version ? "version " : "", row->version ? row->version : row->script, applied, local);
}

static void validate_row(const struct migrate_run *run, const struct history_row *row, struct buf *out)
{
    const struct migration *local = migrate_run_local(run, row);
    char applied[16], here[16];

    if (strcmp(row->type, "SQL") != 0 || row->deleted || migrate_run_is_future(run, row))
        return;
    if (!migrate_run_has_file(run, row)) {
        buf_printf(
            out,
            "\nDetected applied migration not resolved locally: %s.\nIf you removed this migration intentionally, "
            "run repair to mark the migration as deleted.",
            row->version ? row->version : row->description);
        return;
    }
    if (!row->success) {
        buf_printf(out,
                   "\nDetected failed %s%s%s%s%s.\nPlease remove any half-completed changes then run "
                   "repair to fix the schema history.",
                   row->version ? "migration to version " : "repeatable migration: ",
                   row->version ? row->version : row->description, row->version ? " (" : "",
                   row->version ? row->description : "", row->version ? ")" : "");
        return;
    }
    if (!row->version)
        return;
    if (row->has_checksum && row->checksum != local->checksum) {
        snprintf(applied, sizeof applied, "%d", row->checksum);
        snprintf(here, sizeof here, "%d", local->checksum);
        complain_mismatch(out, "checksum", row, applied, here);
    }
    if (strcmp(row->description, local->description) != 0)
        complain_mismatch(out, "description", row, row->description, local->description);
}

/* What was not applied: below the current version it never will be, which is always an error. */
static void validate_local(const struct migrate_run *run, const struct migration *m, bool pending_too, struct buf *out)
{
    const struct history_row *row = migrate_run_applied(run, m);
    const char *current = history_current(&run->history);
    const char *name = m->version ? m->version : m->description;
    bool pending = false;

    if (migrate_run_is_below_baseline(run, m) || migrate_run_is_pending(run, m, &pending, NULL))
        return; /* was there before us; or a placeholder without value: said when it is applied */
    if (!row && m->version && current && !pending)
        buf_printf(out,
                   "\nDetected resolved migration not applied to database: %s.\nTo ignore this migration, set "
                   "-ignoreMigrationPatterns='*:ignored'. To allow executing this migration, set -outOfOrder=true.",
                   name);
    else if (!row && pending_too)
        buf_printf(out,
                   "\nDetected resolved migration not applied to database: %s.\nTo fix this error, either run migrate, "
                   "or set -ignoreMigrationPatterns='*:pending'.",
                   name);
    else if (row && row->success && pending && pending_too)
        buf_printf(out,
                   "\nDetected outdated resolved repeatable migration that should be re-applied to database: %s.\nRun "
                   "migrate to execute this migration.",
                   name);
}

static enum rc validate(const struct migrate_run *run, bool pending_too, struct err *err)
{
    CLEANUP(buf_free) struct buf words = { 0 };

    for (size_t i = 0; i < run->history.count; i++)
        validate_row(run, &run->history.rows[i], &words);
    for (size_t i = 0; i < run->local.count; i++)
        validate_local(run, &run->local.items[i], pending_too, &words);
    if (!words.len)
        return RC_OK;
    return err_set(err, RC_BAD_INPUT, "Validate failed: Migrations have failed validation%s", buf_cstr(&words));
}

enum rc migrate_validate(const struct station *station, const struct migrate_options *options, int *count,
                         struct err *err)
{
    CLEANUP(migrate_run_close) struct migrate_run run = { .station = station, .options = options };
    enum rc rc = migrate_run_open(&run, err);

    if (!rc)
        rc = validate(&run, true, err);
    *count = (int)run.local.count;
    return rc;
}

/* -------------------------------------------------------------- applying */

static enum rc fail(const struct migration *migration, bool rolled_back, const PGresult *result, PGconn *conn,
                    const struct script_statement *statement, struct err *err)
{
    struct err cause = { 0 };
    const char *position = PQresultErrorField(result, PG_DIAG_STATEMENT_POSITION);
    const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    int line = statement->line;

    pg_error(conn, result, &cause);
    for (int i = 0; position && i < atoi(position) - 1 && (size_t)i < statement->text.len; i++)
        line += statement->text.p[i] == '\n';
    return err_set(
        err, RC_BAD_INPUT,
        "Migration of schema \"public\" %s\"%s%s%s\" failed! %s\nSQL State  : %s\nMessage    : %s\nLocation   : %s\n"
        "Line       : %d\nStatement  : %.*s",
        migration->version ? "to version " : "with repeatable migration ", migration->version ? migration->version : "",
        migration->version ? " - " : "", migration->description,
        rolled_back ? "Changes successfully rolled back." : "Please restore backups and roll back database and code!",
        state ? state : "", cause.text, migration->script, line, (int)MIN(statement->text.len, (size_t)600),
        statement->text.p);
}

static enum rc execute(PGconn *conn, const struct migration *migration, struct str text, bool transactional,
                       struct err *err)
{
    struct script_statement statement = { 0 };

    for (int line = 1; script_next(&text, &line, &statement);) {
        CLEANUP_FREE char *sql = str_dup(statement.text);
        CLEANUP(pg_clear) PGresult *result = PQexec(conn, sql);
        ExecStatusType status = PQresultStatus(result);
        if (status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK || status == PGRES_EMPTY_QUERY)
            continue;
        if (status == PGRES_COPY_IN || status == PGRES_COPY_OUT || status == PGRES_COPY_BOTH) {
            PQputCopyEnd(conn, "COPY with data in a migration is not supported");
            return err_set(err, RC_BAD_INPUT, "%s:%d: COPY FROM STDIN is not supported in a migration; use INSERT",
                           migration->script, statement.line);
        }
        return fail(migration, transactional, result, conn, &statement, err);
    }
    return RC_OK;
}

static enum rc check_mixture(const struct migration *migration, struct str text, bool *transactional, struct err *err)
{
    struct script_statement statement = { 0 };
    int inside = 0, outside = 0;

    for (int line = 1; script_next(&text, &line, &statement);)
        *(script_is_non_transactional(statement.text) ? &outside : &inside) += 1;
    *transactional = outside == 0;
    if (!inside || !outside)
        return RC_OK;
    return err_set(
        err, RC_BAD_INPUT,
        "Detected both transactional and non-transactional statements within the same migration (even though "
        "mixed is false): %s; put the latter into a migration of their own",
        migration->script);
}

static enum rc apply_in_transaction(struct migrate_run *run, const struct migration *migration, struct str text,
                                    int32_t checksum, struct err *err)
{
    int64_t began = clock_mono_ms();
    enum rc rc = pg_do(run->conn, "BEGIN", err);

    if (!rc)
        rc = execute(run->conn, migration, text, true, err);
    if (!rc)
        rc = pg_do(run->conn, "SET SESSION AUTHORIZATION DEFAULT; RESET search_path", err);
    if (!rc)
        rc = history_add(run->conn, &run->history, migration, checksum, (int)(clock_mono_ms() - began), true, err);
    if (!rc && FAULT_POINT("migrate.commit"))
        rc = err_set_errno(err, errno, "cannot commit migration '%s'", migration->script);
    if (rc) {
        (void)!pg_do(run->conn, "ROLLBACK", NULL);
        return rc;
    }
    return pg_do(run->conn, "COMMIT", err);
}

static enum rc apply_outside(struct migrate_run *run, const struct migration *migration, struct str text,
                             int32_t checksum, struct err *err)
{
    int64_t began = clock_mono_ms();
    enum rc rc = execute(run->conn, migration, text, false, err);
    enum rc kept = history_add(run->conn, &run->history, migration, checksum, (int)(clock_mono_ms() - began), !rc,
                               rc ? NULL : err);

    return rc ? rc : kept;
}

static enum rc apply_one(struct migrate_run *run, const struct migration *migration, struct err *err)
{
    CLEANUP(buf_free) struct buf text = { 0 };
    bool transactional = true;
    enum rc rc = migrate_run_text(run, migration, &text, err);

    if (!rc)
        rc = check_mixture(migration, buf_str(&text), &transactional, err);
    if (rc)
        return rc;
    if (migration->version)
        migrate_run_say(run, "Migrating schema \"public\" to version \"%s - %s\"%s", migration->version,
                        migration->description, transactional ? "" : " [non-transactional]");
    else
        migrate_run_say(run, "Migrating schema \"public\" with repeatable migration \"%s\"%s", migration->description,
                        transactional ? "" : " [non-transactional]");
    int32_t checksum = migration->version ? migration->checksum : migration_checksum(buf_str(&text));
    rc = (transactional ? apply_in_transaction : apply_outside)(run, migration, buf_str(&text), checksum, err);
    if (rc)
        return rc;
    history_free(&run->history);
    return history_read(run->conn, &run->history, err);
}

static enum rc make_history(struct migrate_run *run, struct err *err)
{
    bool has_objects = false;
    enum rc rc = history_schema_has_objects(run->conn, &has_objects, err);

    if (!rc && has_objects)
        return err_set(err, RC_BAD_INPUT,
                       "Found non-empty schema(s) \"public\" but no schema history table. Use baseline() or set "
                       "baselineOnMigrate to true to initialize the schema history table.");
    migrate_run_say(run, "Creating Schema History table " HISTORY_TABLE " ...");
    if (!rc)
        rc = history_create(run->conn, err);
    if (!rc)
        rc = history_read(run->conn, &run->history, err);
    return rc;
}

/* takes the lock, then reads the history again: another may have migrated while we waited */
static enum rc begin_apply(struct migrate_run *run, struct err *err)
{
    enum rc rc = migrate_run_open(run, err);

    if (!rc)
        rc = pg_open(run->station, NULL, &run->lock_conn, err);
    if (!rc)
        rc = history_lock(run->lock_conn, err);
    history_free(&run->history);
    if (!rc)
        rc = history_read(run->conn, &run->history, err);
    if (!rc && !run->history.exists)
        rc = make_history(run, err);
    if (!rc)
        rc = validate(run, false, err);
    return rc;
}

enum rc migrate_apply(const struct station *station, const struct migrate_options *options, int *applied,
                      struct err *err)
{
    CLEANUP(migrate_run_close) struct migrate_run run = { .station = station, .options = options };
    int64_t began = clock_mono_ms();
    enum rc rc = begin_apply(&run, err);
    const char *current = history_current(&run.history);

    *applied = 0;
    if (!rc)
        migrate_run_say(&run, "Current version of schema \"public\": %s", current ? current : "<< Empty Schema >>");
    for (size_t i = 0; !rc && i < run.local.count; i++) {
        bool pending = false;
        rc = migrate_run_is_pending(&run, &run.local.items[i], &pending, err);
        if (rc || !pending)
            continue;
        rc = apply_one(&run, &run.local.items[i], err);
        *applied += !rc;
    }
    if (rc)
        return rc;
    int64_t ms = clock_mono_ms() - began;
    current = history_current(&run.history);
    if (*applied)
        migrate_run_say(&run,
                        "Successfully applied %d migration%s to schema \"public\", now at version v%s (execution time "
                        "%02d:%02d.%03ds)",
                        *applied, *applied == 1 ? "" : "s", current ? current : "", (int)(ms / 60000),
                        (int)(ms / 1000 % 60), (int)(ms % 1000));
    else
        migrate_run_say(&run, "Schema \"public\" is up to date. No migration necessary.");
    return RC_OK;
}
