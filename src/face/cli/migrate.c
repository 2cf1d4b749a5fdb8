/* haus migrate, migrate info, migrate validate. */
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "face/cli/command.h"
#include "source/migrate/migrate.h"

static void say(void *user, const char *line)
{
    (void)user;
    talk("%s", line);
}

static const struct migrate_options options = { .say = say };

static enum exit_code migrate(struct house *house, int argc, char **argv)
{
    struct station station = { 0 };
    struct err err = { 0 };
    int applied = 0;
    enum exit_code code = command_needs(house, "postgres");

    (void)argc, (void)argv;
    if (code)
        return code;
    command_station(house, "postgres", &station);
    enum rc rc = migrate_apply(&station, &options, &applied, &err);
    house_station_free(&station);
    return rc ? fail_err(&err) : EXIT_DONE;
}

const struct command command_migrate = {
    .name = "migrate",
    .summary = "apply pending migrations, in Flyway's way",
    .run = migrate,
};

static void print_json(const struct house *house, const struct migrate_report *report)
{
    json_t *rows = json_array();

    for (size_t i = 0; i < report->count; i++) {
        const struct migrate_row *row = &report->rows[i];
        json_array_append_new(rows, json_pack("{s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:i}", "category", row->category,
                                              "version", row->version, "description", row->description, "type",
                                              row->type, "installedOnUTC", row->installed_on, "state", row->state,
                                              "undoable", "No", "filepath", row->script, "installedBy",
                                              row->installed_by, "executionTime", row->execution_ms));
    }
    json_t *root =
        json_pack("{s:s,s:s,s:o,s:b,s:s,s:[],s:s}", "schemaVersion", report->current, "schemaName", "public",
                  "migrations", rows, "allSchemasEmpty", report->current[0] == '\0', "database",
                  settings_get(&house->settings, "POSTGRES_DB", "storefront"), "warnings", "operation", "info");
    json_dumpf(root, stdout, JSON_INDENT(2));
    putchar('\n');
    json_decref(root);
}

enum { BOX_COLUMNS = 7 };

static void cells_of(const struct migrate_row *row, const char **cells)
{
    const char *values[BOX_COLUMNS] = { row->category, row->version, row->description, row->type, row->installed_on,
                                        row->state,    "No" };

    memcpy(cells, values, sizeof values);
}

static void print_rule(const size_t *widths)
{
    for (size_t k = 0; k < BOX_COLUMNS; k++) {
        putchar('+');
        for (size_t n = 0; n < widths[k] + 2; n++)
            putchar('-');
    }
    puts("+");
}

static void print_cells(const char *const *cells, const size_t *widths)
{
    for (size_t k = 0; k < BOX_COLUMNS; k++)
        printf("| %-*s ", (int)widths[k], cells[k]);
    puts("|");
}

/* the box that flyway info draws */
static void print_box(const struct migrate_report *report)
{
    static const char *const titles[BOX_COLUMNS] = { "Category",     "Version", "Description", "Type",
                                                     "Installed On", "State",   "Undoable" };
    const char *cells[BOX_COLUMNS];
    size_t widths[BOX_COLUMNS];

    for (size_t k = 0; k < BOX_COLUMNS; k++)
        widths[k] = strlen(titles[k]);
    for (size_t i = 0; i < report->count; i++) {
        cells_of(&report->rows[i], cells);
        for (size_t k = 0; k < BOX_COLUMNS; k++)
            widths[k] = MAX(widths[k], strlen(cells[k]));
    }
    print_rule(widths);
    print_cells(titles, widths);
    print_rule(widths);
    for (size_t i = 0; i < report->count; i++) {
        cells_of(&report->rows[i], cells);
        print_cells(cells, widths);
    }
    if (!report->count)
        puts("| No migrations found");
    print_rule(widths);
}

static enum exit_code info(struct house *house, int argc, char **argv)
{
    struct station station = { 0 };
    struct migrate_report report = { 0 };
    struct err err = { 0 };
    enum exit_code code = command_needs(house, "postgres");

    (void)argc, (void)argv;
    if (code)
        return code;
    command_station(house, "postgres", &station);
    enum rc rc = migrate_info(&station, &options, &report, &err);
    house_station_free(&station);
    if (rc)
        return fail_err(&err);
    if (output_json)
        print_json(house, &report);
    else {
        printf("Schema version: %s\n\n", report.current[0] ? report.current : "<< Empty Schema >>");
        print_box(&report);
    }
    migrate_report_free(&report);
    return EXIT_DONE;
}

const struct command command_migrate_info = {
    .name = "migrate info",
    .summary = "migrations and their state",
    .lists = true,
    .run = info,
};

static enum exit_code validate(struct house *house, int argc, char **argv)
{
    struct station station = { 0 };
    struct err err = { 0 };
    int count = 0;
    enum exit_code code = command_needs(house, "postgres");

    (void)argc, (void)argv;
    if (code)
        return code;
    int64_t began = clock_mono_ms();
    command_station(house, "postgres", &station);
    enum rc rc = migrate_validate(&station, &options, &count, &err);
    house_station_free(&station);
    if (rc)
        return fail_err(&err);
    int ms = (int)(clock_mono_ms() - began);
    talk("Successfully validated %d migration%s (execution time 00:%02d.%03ds)", count, count == 1 ? "" : "s",
         ms / 1000, ms % 1000);
    return EXIT_DONE;
}

const struct command command_migrate_validate = {
    .name = "migrate validate",
    .summary = "compare applied migrations with the files",
    .run = validate,
};
