/*
 * The folder's migrations beside those of the history table: which row belongs to which file, and what is pending.
 *
 * Subtle: a repeatable migration is compared after its placeholders were replaced, so it is pending again when only a
 * placeholder's value changed.
 */
#include "source/migrate/run.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "source/migrate/script.h"

void migrate_run_close(struct migrate_run *run)
{
    pg_close(&run->conn);
    pg_close(&run->lock_conn);
    free(run->folder);
    migrations_free(&run->local);
    history_free(&run->history);
}

void migrate_run_say(const struct migrate_run *run, const char *format, ...)
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

enum rc migrate_run_open(struct migrate_run *run, struct err *err)
{
    const struct migrate_options *options = run->options;

    run->folder = options->folder ? mem_strdup(options->folder) : mem_printf("%s/migrations", run->station->playground);
    enum rc rc = migrations_read(run->folder, &run->local, err);
    if (!rc)
        rc = pg_open(run->station, NULL, &run->conn, err);
    if (!rc)
        rc = history_read(run->conn, &run->history, err);
    for (size_t i = 0; !rc && i < run->local.misnamed_count; i++)
        migrate_run_say(run, "WARNING: %s", run->local.misnamed[i]);
    return rc;
}

/* --------------------------------------------------------- placeholders */

struct placeholders {
    const struct migrate_run *run;
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

enum rc migrate_run_text(const struct migrate_run *run, const struct migration *migration, struct buf *out,
                         struct err *err)
{
    struct placeholders p = { .run = run, .migration = migration };
    struct str text = buf_str(&migration->text);

    if (str_starts(text, "\xef\xbb\xbf"))
        text = str_skip(text, 3);
    return script_replace_placeholders(text, find_placeholder, &p, out, err);
}

/* ----------------------------------------------------- what is pending? */

const struct history_row *migrate_run_applied(const struct migrate_run *run, const struct migration *migration)
{
    const struct history_row *found = NULL;

    for (size_t i = 0; i < run->history.count; i++) {
        const struct history_row *row = &run->history.rows[i];
        if (history_is_mark(row) || row->deleted || !row->version != !migration->version)
            continue;
        if (migration->version ? migration_version_cmp(row->version, migration->version) == 0
                               : strcmp(row->description, migration->description) == 0)
            found = row;
    }
    return found;
}

const struct migration *migrate_run_local(const struct migrate_run *run, const struct history_row *row)
{
    for (size_t i = 0; i < run->local.count; i++)
        if (migrate_run_applied(run, &run->local.items[i]) == row)
            return &run->local.items[i];
    return NULL;
}

enum rc migrate_run_checksum(const struct migrate_run *run, const struct migration *migration, int32_t *out,
                             struct err *err)
{
    CLEANUP(buf_free) struct buf text = { 0 };
    enum rc rc = migrate_run_text(run, migration, &text, err);

    if (!rc)
        *out = migration_checksum(buf_str(&text));
    return rc;
}

enum rc migrate_run_is_pending(const struct migrate_run *run, const struct migration *migration, bool *out,
                               struct err *err)
{
    const struct history_row *row = migrate_run_applied(run, migration);
    const char *current = history_current(&run->history);
    int32_t checksum = 0;

    if (migration->version) {
        /* below the current version and never applied: ignored, as outOfOrder is false */
        *out = !row && (!current || migration_version_cmp(migration->version, current) > 0);
        return RC_OK;
    }
    enum rc rc = migrate_run_checksum(run, migration, &checksum, err);
    *out = !row || !row->success || (row->checksum != checksum && row->checksum != migration->checksum);
    return rc;
}

bool migrate_run_is_below_baseline(const struct migrate_run *run, const struct migration *migration)
{
    const char *baseline = history_baseline(&run->history);

    return baseline && migration->version && !migrate_run_applied(run, migration) &&
           migration_version_cmp(migration->version, baseline) <= 0;
}

bool migrate_run_has_file(const struct migrate_run *run, const struct history_row *row)
{
    for (size_t i = 0; !row->version && i < run->local.count; i++)
        if (!run->local.items[i].version && strcmp(run->local.items[i].description, row->description) == 0)
            return true;
    return migrate_run_local(run, row) != NULL;
}

bool migrate_run_is_future(const struct migrate_run *run, const struct history_row *row)
{
    for (size_t i = 0; row->version && i < run->local.count; i++)
        if (run->local.items[i].version && migration_version_cmp(row->version, run->local.items[i].version) <= 0)
            return false;
    return row->version != NULL;
}
