/*
 * Applies, describes and validates migrations.  What a person greps for is said in Flyway's words.
 *
 * Subtle: a versioned migration's checksum is over its raw text, a repeatable one's over the text
 * after placeholders (its raw checksum counts as equal too), as Flyway has it.
 */
#include "source/migrate/migrate.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "source/migrate/history.h"
#include "source/migrate/script.h"

struct run {
    const struct station *station;
    const struct migrate_options *options;
    PGconn *conn, *lock_conn;
    char *folder;
    struct migrations local;
    struct history history;
};

static void run_close(struct run *run)
{
    pg_close(&run->conn);
    pg_close(&run->lock_conn);
    free(run->folder);
    migrations_free(&run->local);
    history_free(&run->history);
}

PRINTF_LIKE(2, 3) static void say(const struct run *run, const char *format, ...)
{
    CLEANUP(buf_free) struct buf line = { 0 };
    va_list args;

    if (!run->options->say)
        return;
    va_start(args, format);
    buf_vprintf(&line, format, args);
    va_end(args);
    run->options->say(run->options->user, buf_cstr(&line));
}

static enum rc run_open(struct run *run, struct err *err)
{
    const struct migrate_options *options = run->options;

    run->folder = options->folder ? mem_strdup(options->folder) : mem_printf("%s/migrations", run->station->playground);
    enum rc rc = migrations_read(run->folder, &run->local, err);
    if (!rc)
        rc = pg_open(run->station, NULL, &run->conn, err);
    if (!rc)
        rc = history_read(run->conn, &run->history, err);
    for (size_t i = 0; !rc && i < run->local.misnamed_count; i++)
        say(run, "WARNING: %s", run->local.misnamed[i]);
    return rc;
}

/* --------------------------------------------------------- placeholders */

struct placeholders {
    const struct run *run;
    const struct migration *migration;
    char value[256];
};

static const char *built_in(struct placeholders *p, const char *key)
{
    if (strcmp(key, "flyway:defaultschema") == 0)
        return "public";
    if (strcmp(key, "flyway:user") == 0)
        return PQuser(p->run->conn);
    if (strcmp(key, "flyway:database") == 0)
        return PQdb(p->run->conn);
    if (strcmp(key, "flyway:table") == 0)
        return "flyway_schema_history";
    if (strcmp(key, "flyway:filename") == 0)
        return p->migration->script;
    if (strcmp(key, "flyway:workingdirectory") == 0)
        return getcwd(p->value, sizeof p->value);
    if (strcmp(key, "flyway:timestamp") == 0) {
        time_t now = time(NULL);
        struct tm tm;
        strftime(p->value, sizeof p->value, "%Y-%m-%d %H:%M:%S", localtime_r(&now, &tm));
        return p->value;
    }
    return NULL;
}

/* ${debezium_user}: FLYWAY_PLACEHOLDERS_DEBEZIUM_USER, else the compose stack's own DEBEZIUM_USER */
static const char *find_placeholder(void *user, const char *key)
{
    struct placeholders *p = user;
    const char *value = built_in(p, key);

    if (value)
        return value;
    CLEANUP_FREE char *name = mem_printf("FLYWAY_PLACEHOLDERS_%s", key);
    for (char *c = name; *c; c++)
        *c = (char)toupper((unsigned char)*c);
    value = settings_get(p->run->station->settings, name, NULL);
    return value ? value : settings_get(p->run->station->settings, name + strlen("FLYWAY_PLACEHOLDERS_"), NULL);
}

static enum rc replace(const struct run *run, const struct migration *migration, struct buf *out, struct err *err)
{
    struct placeholders p = { .run = run, .migration = migration };
    struct str text = buf_str(&migration->text);

    if (str_starts(text, "\xef\xbb\xbf"))
        text = str_skip(text, 3);
    return script_replace_placeholders(text, find_placeholder, &p, out, err);
}

/* ----------------------------------------------------- what is pending? */

static const struct history_row *applied_row(const struct run *run, const struct migration *migration)
{
    const struct history_row *found = NULL;

    for (size_t i = 0; i < run->history.count; i++) {
        const struct history_row *row = &run->history.rows[i];
        if (strcmp(row->type, "SCHEMA") == 0 || strcmp(row->type, "BASELINE") == 0 ||
            !row->version != !migration->version)
            continue;
        if (migration->version ? migration_version_cmp(row->version, migration->version) == 0
                               : strcmp(row->description, migration->description) == 0)
            found = row;
    }
    return found;
}

static const struct migration *local_of(const struct run *run, const struct history_row *row)
{
    for (size_t i = 0; i < run->local.count; i++)
        if (applied_row(run, &run->local.items[i]) == row)
            return &run->local.items[i];
    return NULL;
}

static enum rc repeatable_checksum(const struct run *run, const struct migration *migration, int32_t *out,
                                   struct err *err)
{
    CLEANUP(buf_free) struct buf text = { 0 };
    enum rc rc = replace(run, migration, &text, err);

    if (!rc)
        *out = migration_checksum(buf_str(&text));
    return rc;
}

static enum rc is_pending(const struct run *run, const struct migration *migration, bool *out, struct err *err)
{
    const struct history_row *row = applied_row(run, migration);
    const char *current = history_current(&run->history);
    int32_t checksum = 0;

    if (migration->version) {
        /* below the current version and never applied: ignored, as outOfOrder is false */
        *out = !row && (!current || migration_version_cmp(migration->version, current) > 0);
        return RC_OK;
    }
    enum rc rc = repeatable_checksum(run, migration, &checksum, err);
    *out = !row || !row->success || (row->checksum != checksum && row->checksum != migration->checksum);
    return rc;
}

/* ----------------------------------------------------------- validation */

static void complain_mismatch(struct buf *out, const char *what, const struct history_row *row, const char *applied,
                              const char *local)
{
    buf_printf(out,
               "\nMigration %s mismatch for migration %s%s\n-> Applied to database : %s\n-> Resolved locally    : %s\n"
               "Either revert the changes to the migration, or run repair to update the schema history.",
               what, row->version ? "version " : "", row->version ? row->version : row->script, applied, local);
}

static void validate_row(const struct run *run, const struct history_row *row, struct buf *out)
{
    const struct migration *local = local_of(run, row);
    char applied[16], here[16];

    if (strcmp(row->type, "SQL") != 0)
        return;
    if (!row->success) {
        buf_printf(out,
                   "\nDetected failed migration to %s%s (%s).\nPlease remove any half-completed changes then run "
                   "repair to fix the schema history.",
                   row->version ? "version " : "", row->version ? row->version : "repeatable migration",
                   row->description);
        return;
    }
    if (!row->version)
        return;
    if (!local) {
        const struct migration *last = NULL;
        for (size_t i = 0; i < run->local.count; i++)
            last = run->local.items[i].version ? &run->local.items[i] : last;
        if (last && migration_version_cmp(row->version, last->version) > 0)
            return; /* *:future is ignored by default */
        buf_printf(
            out,
            "\nDetected applied migration not resolved locally: %s.\nIf you removed this migration intentionally, "
            "run repair to mark the migration as deleted.",
            row->version);
        return;
    }
    if (row->has_checksum && row->checksum != local->checksum) {
        snprintf(applied, sizeof applied, "%d", row->checksum);
        snprintf(here, sizeof here, "%d", local->checksum);
        complain_mismatch(out, "checksum", row, applied, here);
    }
    if (strcmp(row->description, local->description) != 0)
        complain_mismatch(out, "description", row, row->description, local->description);
}

static void validate_pending(const struct run *run, struct buf *out)
{
    const char *current = history_current(&run->history);

    for (size_t i = 0; i < run->local.count; i++) {
        const struct migration *m = &run->local.items[i];
        if (!m->version || applied_row(run, m))
            continue;
        if (current && migration_version_cmp(m->version, current) < 0)
            buf_printf(out,
                       "\nDetected resolved migration not applied to database: %s.\nTo ignore this migration, set "
                       "-ignoreMigrationPatterns='*:ignored'. To allow executing this migration, set -outOfOrder=true.",
                       m->version);
        else
            buf_printf(
                out,
                "\nDetected resolved migration not applied to database: %s.\nTo fix this error, either run migrate, "
                "or set -ignoreMigrationPatterns='*:pending'.",
                m->version);
    }
}

static enum rc validate(const struct run *run, bool pending_too, struct err *err)
{
    CLEANUP(buf_free) struct buf words = { 0 };

    for (size_t i = 0; i < run->history.count; i++)
        validate_row(run, &run->history.rows[i], &words);
    if (pending_too)
        validate_pending(run, &words);
    if (!words.len)
        return RC_OK;
    return err_set(err, RC_BAD_INPUT, "Validate failed: Migrations have failed validation%s", buf_cstr(&words));
}

enum rc migrate_validate(const struct station *station, const struct migrate_options *options, int *count,
                         struct err *err)
{
    CLEANUP(run_close) struct run run = { .station = station, .options = options };
    enum rc rc = run_open(&run, err);

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

static enum rc apply_in_transaction(struct run *run, const struct migration *migration, struct str text,
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
    if (rc) {
        (void)!pg_do(run->conn, "ROLLBACK", NULL);
        return rc;
    }
    return pg_do(run->conn, "COMMIT", err);
}

static enum rc apply_outside(struct run *run, const struct migration *migration, struct str text, int32_t checksum,
                             struct err *err)
{
    int64_t began = clock_mono_ms();
    enum rc rc = execute(run->conn, migration, text, false, err);
    enum rc kept = history_add(run->conn, &run->history, migration, checksum, (int)(clock_mono_ms() - began), !rc,
                               rc ? NULL : err);

    return rc ? rc : kept;
}

static enum rc apply_one(struct run *run, const struct migration *migration, struct err *err)
{
    CLEANUP(buf_free) struct buf text = { 0 };
    bool transactional = true;
    enum rc rc = replace(run, migration, &text, err);

    if (!rc)
        rc = check_mixture(migration, buf_str(&text), &transactional, err);
    if (rc)
        return rc;
    if (migration->version)
        say(run, "Migrating schema \"public\" to version \"%s - %s\"%s", migration->version, migration->description,
            transactional ? "" : " [non-transactional]");
    else
        say(run, "Migrating schema \"public\" with repeatable migration \"%s\"%s", migration->description,
            transactional ? "" : " [non-transactional]");
    int32_t checksum = migration->version ? migration->checksum : migration_checksum(buf_str(&text));
    rc = (transactional ? apply_in_transaction : apply_outside)(run, migration, buf_str(&text), checksum, err);
    if (rc)
        return rc;
    history_free(&run->history);
    return history_read(run->conn, &run->history, err);
}

static enum rc make_history(struct run *run, struct err *err)
{
    bool has_objects = false;
    enum rc rc = history_schema_has_objects(run->conn, &has_objects, err);

    if (!rc && has_objects)
        return err_set(err, RC_BAD_INPUT,
                       "Found non-empty schema(s) \"public\" but no schema history table. Use baseline() or set "
                       "baselineOnMigrate to true to initialize the schema history table.");
    say(run, "Creating Schema History table " HISTORY_TABLE " ...");
    if (!rc)
        rc = history_create(run->conn, err);
    if (!rc)
        rc = history_read(run->conn, &run->history, err);
    return rc;
}

/* takes the lock, then reads the history again: another may have migrated while we waited */
static enum rc begin_apply(struct run *run, struct err *err)
{
    enum rc rc = run_open(run, err);

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
    CLEANUP(run_close) struct run run = { .station = station, .options = options };
    int64_t began = clock_mono_ms();
    enum rc rc = begin_apply(&run, err);
    const char *current = history_current(&run.history);

    *applied = 0;
    if (!rc)
        say(&run, "Current version of schema \"public\": %s", current ? current : "<< Empty Schema >>");
    for (size_t i = 0; !rc && i < run.local.count; i++) {
        bool pending = false;
        rc = is_pending(&run, &run.local.items[i], &pending, err);
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
        say(&run,
            "Successfully applied %d migration%s to schema \"public\", now at version v%s (execution time "
            "%02d:%02d.%03ds)",
            *applied, *applied == 1 ? "" : "s", current ? current : "", (int)(ms / 60000), (int)(ms / 1000 % 60),
            (int)(ms % 1000));
    else
        say(&run, "Schema \"public\" is up to date. No migration necessary.");
    return RC_OK;
}

/* ------------------------------------------------------------------ info */

static const char *state_of_row(const struct run *run, const struct history_row *row)
{
    const struct migration *local = local_of(run, row);

    if (strcmp(row->type, "BASELINE") == 0)
        return "Baseline";
    if (strcmp(row->type, "SQL") != 0)
        return "Success";
    if (!row->version) {
        bool pending = false;
        if (!local) /* an older run of a repeatable, or one whose file is gone */
            return row->success ? "Superseded" : "Failed";
        return is_pending(run, local, &pending, NULL) || !pending ? "Success" : "Outdated";
    }
    if (!local)
        return row->success ? "Missing" : "Failed (Missing)";
    if (!row->success)
        return "Failed";
    for (const struct history_row *earlier = run->history.rows; earlier < row; earlier++)
        if (earlier->version && migration_version_cmp(earlier->version, row->version) > 0)
            return "Out of Order";
    return "Success";
}

static struct migrate_row *add_row(struct migrate_report *report)
{
    report->rows = mem_grow(report->rows, report->count + 1, sizeof *report->rows);
    return &report->rows[report->count++];
}

static const char *static_type(const char *type)
{
    static const char *const types[] = { "SQL", "BASELINE", "SCHEMA", "DELETE", "JDBC", "SCRIPT" };

    for (size_t i = 0; i < ARRAY_LEN(types); i++)
        if (strcmp(types[i], type) == 0)
            return types[i];
    return "CUSTOM";
}

static void report_applied(const struct run *run, struct migrate_report *report)
{
    for (size_t i = 0; i < run->history.count; i++) {
        const struct history_row *row = &run->history.rows[i];
        *add_row(report) = (struct migrate_row){
            .category = strcmp(row->type, "SQL") != 0 ? ""
                        : row->version                ? "Versioned"
                                                      : "Repeatable",
            .version = mem_strdup(row->version ? row->version : ""),
            .description = mem_strdup(row->description),
            .type = static_type(row->type),
            .installed_on = mem_strdup(row->installed_on),
            .installed_by = mem_strdup(row->installed_by),
            .script = mem_strdup(row->script),
            .state = state_of_row(run, row),
            .execution_ms = row->execution_ms,
        };
    }
}

static enum rc report_local(const struct run *run, struct migrate_report *report, struct err *err)
{
    for (size_t i = 0; i < run->local.count; i++) {
        const struct migration *m = &run->local.items[i];
        bool pending = false;
        enum rc rc = is_pending(run, m, &pending, err);
        if (rc)
            return rc;
        if (!pending && applied_row(run, m))
            continue;
        *add_row(report) = (struct migrate_row){
            .category = m->version ? "Versioned" : "Repeatable",
            .version = mem_strdup(m->version ? m->version : ""),
            .description = mem_strdup(m->description),
            .type = "SQL",
            .installed_on = mem_strdup(""),
            .installed_by = mem_strdup(""),
            .script = mem_strdup(m->script),
            .state = pending ? "Pending" : "Ignored",
        };
    }
    return RC_OK;
}

enum rc migrate_info(const struct station *station, const struct migrate_options *options, struct migrate_report *out,
                     struct err *err)
{
    CLEANUP(run_close) struct run run = { .station = station, .options = options };
    enum rc rc = run_open(&run, err);

    *out = (struct migrate_report){ 0 };
    if (rc)
        return rc;
    const char *current = history_current(&run.history);
    out->current = mem_strdup(current ? current : "");
    report_applied(&run, out);
    rc = report_local(&run, out, err);
    if (rc)
        migrate_report_free(out);
    return rc;
}

void migrate_report_free(struct migrate_report *report)
{
    for (size_t i = 0; i < report->count; i++) {
        free(report->rows[i].version);
        free(report->rows[i].description);
        free(report->rows[i].installed_on);
        free(report->rows[i].installed_by);
        free(report->rows[i].script);
    }
    free(report->rows);
    free(report->current);
    *report = (struct migrate_report){ 0 };
}
