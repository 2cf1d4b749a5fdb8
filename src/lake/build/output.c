/* Statistics of written files, from DuckDB's text to Iceberg's bytes; names of data files. */
#include "lake/build/output.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Column of the result by name; -1: this DuckDB has none. */
static int find_column(duckdb_result *result, const char *name)
{
    for (idx_t i = 0; i < duck.column_count(result); i++)
        if (strcmp(duck.column_name(result, i), name) == 0)
            return (int)i;
    return -1;
}

static struct str keep(struct arena *arena, const struct buf *bytes)
{
    char *copy = arena_strdup(arena, buf_str(bytes));

    return copy ? str_n(copy, bytes->len) : (struct str){ 0 };
}

/* A row of a MAP(VARCHAR, ...) vector. */
struct entries {
    const duckdb_string_t *keys;
    duckdb_vector values;
    idx_t first, count;
};

static struct entries map_entries(duckdb_vector map, idx_t row)
{
    const duckdb_list_entry *list = duck.vector_get_data(map);
    duckdb_vector pairs = duck.list_vector_get_child(map);

    return (struct entries){ .keys = duck.vector_get_data(duck.struct_vector_get_child(pairs, 0)),
                             .values = duck.struct_vector_get_child(pairs, 1),
                             .first = list[row].offset,
                             .count = list[row].length };
}

static struct str entry_text(const struct entries *e, const char *key)
{
    const duckdb_string_t *values = duck.vector_get_data(e->values);

    for (idx_t i = e->first; i < e->first + e->count; i++)
        if (str_is(duck_text(&e->keys[i]), key) && !duck_is_null(duck.vector_get_validity(e->values), i))
            return duck_text(&values[i]);
    return (struct str){ 0 };
}

/* '"a ""b"""' -> a "b" */
static char *unquote(struct str s)
{
    CLEANUP(buf_free) struct buf out = { 0 };

    if (s.len < 2 || s.p[0] != '"')
        return str_dup(s);
    for (size_t i = 1; i + 1 < s.len; i++) {
        buf_putc(&out, s.p[i]);
        i += s.p[i] == '"';
    }
    buf_puts(&out, "");
    return mem_strdup(buf_cstr(&out));
}

static struct str bound(struct arena *arena, const char *type, bool upper, struct str text)
{
    CLEANUP(buf_free) struct buf raw = { 0 };
    CLEANUP(buf_free) struct buf cut = { 0 };

    if (!text.p || !iceberg_value_bytes(type, text, &raw) || !iceberg_bound_cut(type, upper, buf_str(&raw), &cut))
        return (struct str){ 0 };
    return keep(arena, &cut);
}

static int64_t number_or(struct str text, int64_t fallback)
{
    int64_t v = fallback;

    return text.p && str_to_i64(text, 0, INT64_MAX, &v) ? v : fallback;
}

static void read_metrics(const struct iceberg_table *table, duckdb_vector map, idx_t row, struct arena *arena,
                         struct iceberg_new_file *file)
{
    struct entries columns = map_entries(map, row);
    struct iceberg_metric *metrics = arena_array(arena, columns.count + 1, sizeof *metrics);

    file->metrics = metrics;
    for (idx_t i = columns.first; metrics && i < columns.first + columns.count; i++) {
        CLEANUP_FREE char *name = unquote(duck_text(&columns.keys[i]));
        const struct iceberg_column *column = iceberg_column_by_name(table, name);
        struct entries stats = map_entries(columns.values, i);
        if (!column)
            continue;
        metrics[file->metric_count++] = (struct iceberg_metric){
            .column_id = column->id,
            .size = number_or(entry_text(&stats, "column_size_bytes"), -1),
            .values = file->records,
            .nulls = number_or(entry_text(&stats, "null_count"), -1),
            .lower = bound(arena, column->type, false, entry_text(&stats, "min")),
            .upper = bound(arena, column->type, true, entry_text(&stats, "max")),
        };
    }
}

/* As Java's URLEncoder does for partition folders. */
static void put_escaped(struct buf *out, struct str s)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-*_";

    for (size_t i = 0; i < s.len; i++)
        if (s.p[i] && strchr(plain, s.p[i]))
            buf_putc(out, s.p[i]);
        else if (s.p[i] == ' ')
            buf_putc(out, '+');
        else
            buf_printf(out, "%%%02X", (unsigned)(uint8_t)s.p[i]);
}

/* __p0 = 'v2025-01-31': the value of the first partition field; 'n': null. */
static enum rc read_partition(const struct iceberg_table *table, duckdb_vector map, idx_t row, struct arena *arena,
                              struct buf *folder, struct iceberg_new_file *file, struct err *err)
{
    struct entries keys = map_entries(map, row);
    struct str *values = arena_array(arena, table->partition_count + 1, sizeof *values);

    file->partition = values;
    for (size_t i = 0; values && i < table->partition_count; i++) {
        const struct iceberg_partition_field *field = &table->partition[i];
        CLEANUP(buf_free) struct buf bytes = { 0 };
        char name[32];
        snprintf(name, sizeof name, "__p%zu", i);
        struct str text = entry_text(&keys, name);
        put_escaped(folder, str_of(field->name));
        buf_putc(folder, '=');
        if (text.len && text.p[0] == 'v') {
            text = str_skip(text, 1);
            if (!iceberg_value_bytes(field->result_type, text, &bytes))
                return err_set(err, RC_BAD_INPUT, "partition value '%.*s' of '%s' is no %s", STR_ARG(text), field->name,
                               field->result_type);
            buf_puts(&bytes, "");
            values[i] = keep(arena, &bytes);
            put_escaped(folder, text);
        } else {
            buf_puts(folder, "null");
        }
        buf_putc(folder, '/');
    }
    return RC_OK;
}

struct columns {
    int filename, count, size, statistics, keys;
};

static enum rc read_row(const struct iceberg_table *table, duckdb_data_chunk chunk, const struct columns *at, idx_t row,
                        int64_t snapshot_id, struct output *out, struct err *err)
{
    duckdb_vector v = duck.data_chunk_get_vector(chunk, (idx_t)at->filename);
    CLEANUP(buf_free) struct buf folder = { 0 };
    struct arena *arena = &out->arena;
    struct output_file *f = &out->files[out->count];

    *f = (struct output_file){ .local =
                                   arena_strdup(arena, duck_text(&((duckdb_string_t *)duck.vector_get_data(v))[row])) };
    v = duck.data_chunk_get_vector(chunk, (idx_t)at->count);
    f->file.records = (int64_t)((uint64_t *)duck.vector_get_data(v))[row];
    v = duck.data_chunk_get_vector(chunk, (idx_t)at->size);
    f->file.size = ((uint64_t *)duck.vector_get_data(v))[row];
    read_metrics(table, duck.data_chunk_get_vector(chunk, (idx_t)at->statistics), row, arena, &f->file);
    enum rc rc =
        read_partition(table, duck.data_chunk_get_vector(chunk, (idx_t)at->keys), row, arena, &folder, &f->file, err);
    if (rc)
        return rc;
    f->key = arena_printf(arena, "%s/data/%s%05zu-%lld-haus.parquet", table->key, buf_cstr(&folder), out->count,
                          (long long)snapshot_id);
    f->file.path = arena_printf(arena, "%s/data/%s%05zu-%lld-haus.parquet", table->location, buf_cstr(&folder),
                                out->count, (long long)snapshot_id);
    if (!f->local || !f->key || !f->file.path || !f->file.partition || !f->file.metrics)
        return err_set(err, RC_FULL, "the statistics of the written files need more than %d MiB",
                       OUTPUT_ARENA_MAX >> 20);
    out->rows += f->file.records;
    out->bytes += f->file.size;
    out->count += f->file.records > 0; /* DuckDB leaves an empty file when there were no rows */
    return RC_OK;
}

enum rc output_write(struct duck_session *session, const char *copy, const struct iceberg_table *table,
                     int64_t snapshot_id, struct output *out, struct err *err)
{
    duckdb_result result;
    enum rc rc = RC_OK;

    *out = (struct output){ .arena.max = OUTPUT_ARENA_MAX };
    if (duck.query(session->connection, copy, &result)) {
        rc = err_set(err, RC_BAD_INPUT, "%s", duck.result_error(&result));
        duck.destroy_result(&result);
        return rc;
    }
    struct columns at = { find_column(&result, "filename"), find_column(&result, "count"),
                          find_column(&result, "file_size_bytes"), find_column(&result, "column_statistics"),
                          find_column(&result, "partition_keys") };
    if (at.filename < 0 || at.count < 0 || at.size < 0 || at.statistics < 0 || at.keys < 0)
        rc = err_set(err, RC_FATAL, "this DuckDB tells no statistics of written files; version 1.4 or later is needed");
    for (duckdb_data_chunk chunk; !rc && (chunk = duck.fetch_chunk(result)) != NULL;) {
        idx_t rows = duck.data_chunk_get_size(chunk);
        if (out->count + rows > OUTPUT_FILES_MAX)
            rc =
                err_set(err, RC_FULL, "more than %d files would be written; choose fewer partitions", OUTPUT_FILES_MAX);
        else
            out->files = mem_grow(out->files, out->count + rows + 1, sizeof *out->files);
        for (idx_t row = 0; row < rows && !rc; row++)
            rc = read_row(table, chunk, &at, row, snapshot_id, out, err);
        duck.destroy_data_chunk(&chunk);
    }
    duck.destroy_result(&result);
    if (rc)
        output_free(out);
    return rc;
}

void output_free(struct output *output)
{
    arena_free(&output->arena);
    free(output->files);
    *output = (struct output){ 0 };
}
