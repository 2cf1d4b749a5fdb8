/* haus build, table list|describe, sql: the lake's tables. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "face/cli/command.h"
#include "lake/build/build.h"

/* ----------------------------------------------------------------- build */

static const char *config_file, *only_table;

static void tell_progress(void *user, const struct build_progress *progress)
{
    (void)user;
    if (!output_color)
        return;
    fprintf(stderr, "\r\033[K  %s: %s", progress->table, progress->step);
    if (progress->total)
        fprintf(stderr, " %lld/%lld", (long long)progress->done, (long long)progress->total);
    if (strcmp(progress->step, "done") == 0)
        fputs("\r\033[K", stderr);
}

static void print_report(const struct build_report *report)
{
    static const struct listing_column columns[] = { { "table", false },      { "new_files", true },
                                                     { "events", true },      { "rows", true },
                                                     { "rows_total", true },  { "data_files", true },
                                                     { "snapshot_id", true }, { "seconds", true } };
    struct listing listing = { columns, ARRAY_LEN(columns), NULL, 0 };

    for (size_t i = 0; i < report->count; i++) {
        const struct build_table_report *t = &report->tables[i];
        CLEANUP_FREE char *files = mem_printf("%lld", (long long)t->new_files);
        CLEANUP_FREE char *events = mem_printf("%lld", (long long)t->events);
        CLEANUP_FREE char *rows = mem_printf("%lld", (long long)t->rows);
        CLEANUP_FREE char *total = mem_printf("%lld", (long long)t->rows_total);
        CLEANUP_FREE char *data = mem_printf("%lld", (long long)t->data_files);
        CLEANUP_FREE char *snapshot = t->snapshot_id ? mem_printf("%lld", (long long)t->snapshot_id) : NULL;
        CLEANUP_FREE char *seconds = mem_printf("%.2f", t->seconds);
        listing_add(&listing, t->name, files, events, rows, total, data, snapshot, seconds);
    }
    listing_print(&listing);
}

static enum exit_code build(struct house *house, int argc, char **argv)
{
    struct build_report report = { 0 };
    struct station station = { 0 };
    struct err err = { 0 };

    if (argc && strcmp(argv[0], "stage") != 0)
        return fail(EXIT_USAGE, "there is no layer '%s' to build; 'stage' is", argv[0]);
    enum exit_code code = command_needs(house, "store");
    if (code)
        return code;
    command_station(house, "store", &station);
    enum rc rc = build_stage(
        &station, &(struct build_options){ .config = config_file, .table = only_table, .progress = tell_progress },
        &report, &err);
    house_station_free(&station);
    print_report(&report);
    build_report_free(&report);
    return rc ? fail_err(&err) : EXIT_DONE;
}

const struct command command_build = {
    .name = "build",
    .summary = "bring what is new in the raw files into the stage tables",
    .usage = "[stage] [--config FILE]",
    .details = "A second run with nothing new adds nothing.",
    .args_max = 1,
    .options = { { "--config", 0, OPTION_TEXT, &config_file, "FILE", "instead of models/stage/stage_tables.yaml" },
                 { "--table", 0, OPTION_TEXT, &only_table, "NAME", "only this one" } },
    .lists = true,
    .run = build,
};

/* ----------------------------------------------------------------- table */

static enum exit_code table_list(struct house *house, int argc, char **argv)
{
    static const struct listing_column columns[] = { { "table", false },    { "rows", true },  { "data_files", true },
                                                     { "snapshots", true }, { "bytes", true }, { "updated", false },
                                                     { "problem", false } };
    struct listing listing = { columns, ARRAY_LEN(columns), NULL, 0 };
    enum exit_code code = command_needs(house, "store");
    struct build_table_row *rows = NULL;
    struct station station = { 0 };
    struct err err = { 0 };
    size_t count = 0;

    (void)argc, (void)argv;
    if (code)
        return code;
    command_station(house, "store", &station);
    enum rc rc = build_list_tables(&station, &rows, &count, &err);
    house_station_free(&station);
    if (rc)
        return fail_err(&err);
    for (size_t i = 0; i < count; i++) {
        CLEANUP_FREE char *n = mem_printf("%lld", (long long)rows[i].rows);
        CLEANUP_FREE char *files = mem_printf("%lld", (long long)rows[i].data_files);
        CLEANUP_FREE char *snapshots = mem_printf("%lld", (long long)rows[i].snapshots);
        CLEANUP_FREE char *bytes = mem_printf("%llu", (unsigned long long)rows[i].bytes);
        char when[CLOCK_TEXT_MAX];
        clock_format_iso(rows[i].updated_ms, when);
        listing_add(&listing, rows[i].name, n, files, snapshots, bytes, when, rows[i].problem ? rows[i].problem : "");
    }
    build_table_rows_free(rows, count);
    listing_print(&listing);
    return EXIT_DONE;
}

const struct command command_table_list = {
    .name = "table list",
    .summary = "Iceberg tables in the lakehouse",
    .lists = true,
    .run = table_list,
};

static json_t *describe_json(const struct iceberg_table *table, const struct iceberg_files *files)
{
    json_t *columns = json_array(), *snapshots = json_array();

    for (size_t i = 0; i < table->column_count; i++)
        json_array_append_new(columns,
                              json_pack("{s:i,s:s,s:s,s:b}", "id", table->columns[i].id, "name", table->columns[i].name,
                                        "type", table->columns[i].type, "required", table->columns[i].required));
    for (size_t i = 0; i < table->snapshot_count; i++)
        json_array_append_new(snapshots,
                              json_pack("{s:I,s:I,s:s,s:O?}", "snapshot_id", (json_int_t)table->snapshots[i].id,
                                        "timestamp_ms", (json_int_t)table->snapshots[i].timestamp_ms, "operation",
                                        table->snapshots[i].operation, "summary", table->snapshots[i].summary));
    return json_pack("{s:s,s:i,s:I,s:o,s:o,s:I,s:I}", "location", table->location, "format_version",
                     table->format_version, "version", (json_int_t)table->version, "columns", columns, "snapshots",
                     snapshots, "data_files", (json_int_t)files->count, "records", (json_int_t)files->records);
}

static void describe(const struct iceberg_table *table, const struct iceberg_files *files)
{
    printf("location   %s\nversion    v%lld, format %d\nrecords    %lld in %zu files, %.1f MB\npartition  ",
           table->location, (long long)table->version, table->format_version, (long long)files->records, files->count,
           (double)files->bytes / 1e6);
    for (size_t i = 0; i < table->partition_count; i++)
        printf("%s%s(%s)", i ? ", " : "", table->partition[i].transform, table->partition[i].name);
    puts(table->partition_count ? "\n\ncolumns" : "none\n\ncolumns");
    for (size_t i = 0; i < table->column_count; i++)
        printf("  %3d  %-28s %s%s\n", table->columns[i].id, table->columns[i].name, table->columns[i].type,
               table->columns[i].required ? "  required" : "");
    puts("\nsnapshots");
    for (size_t i = 0; i < table->snapshot_count; i++) {
        char when[CLOCK_TEXT_MAX];
        clock_format_iso(table->snapshots[i].timestamp_ms, when);
        printf("  %s  %-20lld %s\n", when, (long long)table->snapshots[i].id, table->snapshots[i].operation);
    }
}

static enum exit_code table_describe(struct house *house, int argc, char **argv)
{
    enum exit_code code = command_needs(house, "store");
    struct iceberg_table *table = NULL;
    struct iceberg_files files = { 0 };
    struct station station = { 0 };
    struct err err = { 0 };

    (void)argc;
    if (code)
        return code;
    command_station(house, "store", &station);
    enum rc rc = build_open_table(&station, argv[0], &table, &files, &err);
    house_station_free(&station);
    if (rc)
        return fail_err(&err);
    if (output_json) {
        json_t *root = describe_json(table, &files);
        json_dumpf(root, stdout, JSON_INDENT(2));
        putchar('\n');
        json_decref(root);
    } else {
        describe(table, &files);
    }
    iceberg_files_free(&files);
    iceberg_close(table);
    return EXIT_DONE;
}

const struct command command_table_describe = {
    .name = "table describe",
    .summary = "a table's columns, partitions and snapshots",
    .usage = "<table>",
    .args_min = 1,
    .args_max = 1,
    .lists = true,
    .run = table_describe,
};

/* ------------------------------------------------------------------- sql */

struct sql_output {
    struct listing listing;
    struct listing_column *columns;
};

static const char *const number_types[] = { "TINYINT",  "SMALLINT", "INTEGER", "BIGINT",   "HUGEINT",
                                            "FLOAT",    "DOUBLE",   "DECIMAL", "UTINYINT", "USMALLINT",
                                            "UINTEGER", "UBIGINT",  "BOOLEAN" };

static enum rc take_columns(void *user, const char *const *names, const char *const *types, size_t count)
{
    struct sql_output *out = user;

    out->columns = NEW_ARRAY(struct listing_column, count);
    for (size_t i = 0; i < count; i++) {
        out->columns[i].name = mem_strdup(names[i]);
        for (size_t k = 0; k < ARRAY_LEN(number_types); k++)
            out->columns[i].is_number |= str_starts(str_of(types[i]), number_types[k]);
    }
    out->listing = (struct listing){ out->columns, count, NULL, 0 };
    return RC_OK;
}

static enum rc take_row(void *user, const char *const *values, size_t count)
{
    struct listing *listing = &((struct sql_output *)user)->listing;

    listing->cells = mem_grow(listing->cells, listing->cell_count + count, sizeof *listing->cells);
    for (size_t i = 0; i < count; i++)
        listing->cells[listing->cell_count++] = mem_strdup(values[i]);
    return RC_OK;
}

static enum exit_code sql(struct house *house, int argc, char **argv)
{
    struct sql_output out = { 0 };
    struct build_sql_sink sink = { &out, take_columns, take_row };
    enum exit_code code = command_needs(house, "store");
    struct station station = { 0 };
    struct err err = { 0 };

    (void)argc;
    if (code)
        return code;
    command_station(house, "store", &station);
    enum rc rc = build_sql(&station, argv[0], &sink, &err);
    house_station_free(&station);
    if (!rc)
        listing_print(&out.listing);
    for (size_t i = 0; i < out.listing.column_count; i++)
        free((char *)(uintptr_t)out.columns[i].name);
    free(out.columns);
    return rc ? fail_err(&err) : EXIT_DONE;
}

const struct command command_sql = {
    .name = "sql",
    .summary = "ask the lakehouse's tables with DuckDB",
    .usage = "\"select ... from orders\"",
    .args_min = 1,
    .args_max = 1,
    .lists = true,
    .run = sql,
};
