/* What `info` shows: a row for each migration of the history and each file, with its state in Flyway's words. */
#include <stdlib.h>
#include <string.h>

#include "source/migrate/run.h"

static const char *state_of_row(const struct migrate_run *run, const struct history_row *row)
{
    const struct migration *local = migrate_run_local(run, row);

    if (row->deleted)
        return "Deleted";
    if (strcmp(row->type, "BASELINE") == 0)
        return "Baseline";
    if (strcmp(row->type, "SQL") != 0)
        return "Success";
    if (migrate_run_is_future(run, row))
        return row->success ? "Future" : "Failed (Future)";
    if (!migrate_run_has_file(run, row))
        return row->success ? "Missing" : "Failed (Missing)";
    if (!row->success)
        return "Failed";
    if (!row->version) {
        bool pending = false;
        if (!local)
            return "Superseded";
        return migrate_run_is_pending(run, local, &pending, NULL) || !pending ? "Success" : "Outdated";
    }
    for (const struct history_row *earlier = run->history.rows; earlier < row; earlier++)
        if (earlier->version && !earlier->deleted && strcmp(earlier->type, "DELETE") != 0 &&
            migration_version_cmp(earlier->version, row->version) > 0)
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

static void report_applied(const struct migrate_run *run, struct migrate_report *report)
{
    for (size_t i = 0; i < run->history.count; i++) {
        const struct history_row *row = &run->history.rows[i];
        if (row->version && strcmp(row->type, "DELETE") == 0)
            continue; /* told by the state of the row it takes back */
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

static void report_file(const struct migration *m, const char *state, struct migrate_report *report)
{
    *add_row(report) = (struct migrate_row){
        .category = m->version ? "Versioned" : "Repeatable",
        .version = mem_strdup(m->version ? m->version : ""),
        .description = mem_strdup(m->description),
        .type = "SQL",
        .installed_on = mem_strdup(""),
        .installed_by = mem_strdup(""),
        .script = mem_strdup(m->script),
        .state = state,
    };
}

static void report_below_baseline(const struct migrate_run *run, struct migrate_report *report)
{
    const char *baseline = history_baseline(&run->history);

    for (size_t i = 0; i < run->local.count; i++) {
        const struct migration *m = &run->local.items[i];
        if (migrate_run_is_below_baseline(run, m))
            report_file(m, migration_version_cmp(m->version, baseline) ? "Below Baseline" : "Ignored (Baseline)",
                        report);
    }
}

static enum rc report_local(const struct migrate_run *run, struct migrate_report *report, struct err *err)
{
    for (size_t i = 0; i < run->local.count; i++) {
        const struct migration *m = &run->local.items[i];
        bool pending = false;
        enum rc rc = migrate_run_is_pending(run, m, &pending, err);
        if (rc)
            return rc;
        if (migrate_run_is_below_baseline(run, m) || (!pending && migrate_run_applied(run, m)))
            continue;
        report_file(m, pending ? "Pending" : "Ignored", report);
    }
    return RC_OK;
}

enum rc migrate_info(const struct station *station, const struct migrate_options *options, struct migrate_report *out,
                     struct err *err)
{
    CLEANUP(migrate_run_close) struct migrate_run run = { .station = station, .options = options };
    enum rc rc = migrate_run_open(&run, err);

    *out = (struct migrate_report){ 0 };
    if (rc)
        return rc;
    const char *current = history_current(&run.history);
    out->current = mem_strdup(current ? current : "");
    report_below_baseline(&run, out);
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
