/* Listing and opening lake tables by name; the SQL prompt over them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lake/build/build.h"
#include "lake/build/view.h"

/* ------------------------------------------------------------- tables */

static char *dotted(const char *path)
{
    char *name = mem_strdup(path);

    for (char *p = name; *p; p++)
        if (*p == '/')
            *p = '.';
    return name;
}

static char *location_of(const struct lake *lake, const char *path)
{
    size_t n = strlen(lake->warehouse);

    return mem_printf("%s%s%s", lake->warehouse, n && lake->warehouse[n - 1] == '/' ? "" : "/", path);
}

static int64_t summary_number(const struct iceberg_table *table, const char *name)
{
    const char *text = table->current ? json_string_value(json_object_get(table->current->summary, name)) : NULL;
    int64_t v = -1;

    return text && str_to_i64(str_of(text), 0, INT64_MAX, &v) ? v : -1;
}

static void fill_row(struct lake *lake, struct build_table_row *row)
{
    struct iceberg_table *table = NULL;
    struct err why = { 0 };
    struct iceberg_files files = { 0 };

    if (iceberg_open(&lake->io[0], row->location, &table, &why)) {
        row->problem = mem_strdup(why.text);
        return;
    }
    row->rows = summary_number(table, "total-records");
    row->data_files = summary_number(table, "total-data-files");
    int64_t bytes = summary_number(table, "total-files-size");
    row->bytes = (uint64_t)MAX(bytes, (int64_t)0);
    if (table->current && (row->rows < 0 || row->data_files < 0 || bytes < 0)) { /* a writer that tells no totals */
        if (iceberg_list_files(&lake->io[0], table, table->current, &files, &why))
            row->problem = mem_strdup(why.text);
        row->rows = files.records;
        row->data_files = (int64_t)(files.count - files.delete_files);
        row->bytes = files.bytes;
        iceberg_files_free(&files);
    }
    row->rows = MAX(row->rows, (int64_t)0);
    row->data_files = MAX(row->data_files, (int64_t)0);
    row->snapshots = (int64_t)table->snapshot_count;
    row->version = table->version;
    row->updated_ms = json_integer_value(json_object_get(table->metadata, "last-updated-ms"));
    iceberg_close(table);
}

enum rc build_list_tables(const struct station *station, struct build_table_row **rows, size_t *count, struct err *err)
{
    struct lake lake;
    char **names = NULL;
    size_t n = 0;

    *rows = NULL;
    *count = 0;
    enum rc rc = lake_open(station, &lake, err);
    if (rc)
        return rc;
    rc = iceberg_list_tables(&lake.io[0], lake.warehouse, &names, &n, err);
    if (!rc) {
        *rows = NEW_ARRAY(struct build_table_row, n + 1);
        for (size_t i = 0; i < n; i++) {
            struct build_table_row *row = &(*rows)[(*count)++];
            row->name = dotted(names[i]);
            row->location = location_of(&lake, names[i]);
            fill_row(&lake, row);
        }
    }
    iceberg_names_free(names, n);
    lake_close(&lake);
    return rc;
}

void build_table_rows_free(struct build_table_row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        free(rows[i].name);
        free(rows[i].location);
        free(rows[i].problem);
    }
    free(rows);
}

/* "stage/storefront/orders" is meant by "stage.storefront.orders", "storefront.orders" and "orders". */
static bool is_meant(const char *path, const char *name)
{
    CLEANUP_FREE char *full = dotted(path);
    size_t n = strlen(full), m = strlen(name);

    return strcmp(full, name) == 0 || (m < n && full[n - m - 1] == '.' && strcmp(full + n - m, name) == 0);
}

static enum rc find_location(struct lake *lake, const char *name, char **location, struct err *err)
{
    char **names = NULL;
    size_t n = 0, found = 0;

    if (strstr(name, "://")) {
        *location = mem_strdup(name);
        return RC_OK;
    }
    enum rc rc = iceberg_list_tables(&lake->io[0], lake->warehouse, &names, &n, err);
    for (size_t i = 0; i < n && !rc; i++) {
        if (!is_meant(names[i], name))
            continue;
        free(*location);
        *location = location_of(lake, names[i]);
        found++;
    }
    iceberg_names_free(names, n);
    if (!rc && !found)
        rc = err_set(err, RC_NOT_FOUND, "there is no table '%s' in '%s'", name, lake->warehouse);
    if (!rc && found > 1)
        rc = err_set(err, RC_BAD_INPUT, "'%s' is the name of %zu tables; write it in full", name, found);
    return rc;
}

enum rc build_open_table(const struct station *station, const char *name, struct iceberg_table **table,
                         struct iceberg_files *files, struct err *err)
{
    struct lake lake;
    CLEANUP_FREE char *location = NULL;
    enum rc rc = lake_open(station, &lake, err);

    if (rc)
        return rc;
    rc = find_location(&lake, name, &location, err);
    if (!rc)
        rc = iceberg_open(&lake.io[0], location, table, err);
    if (!rc && files) {
        rc = iceberg_list_files(&lake.io[0], *table, (*table)->current, files, err);
        if (rc)
            iceberg_close(*table);
    }
    lake_close(&lake);
    return rc;
}

/* ------------------------------------------------------------- views */

static bool mentions(const char *text, const char *name)
{
    size_t n = strlen(name);

    for (const char *p = text; (p = strcasestr(p, name)) != NULL; p++) {
        const char *word = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_";
        bool before = p > text && strchr(word, p[-1]), after = p[n] && strchr(word, p[n]);
        if (!before && !after)
            return true;
    }
    return false;
}

static const char *last_part(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

/* stage/storefront/orders -> "stage"."storefront"."orders"; DuckDB has three levels, deeper ones join with dots. */
static enum rc make_full_name(struct duck_session *session, const char *path, struct map *catalogs, struct buf *out,
                              struct err *err)
{
    struct str rest = str_of(path), catalog = STR("lake"), schema;
    const char *name = last_part(path);
    CLEANUP(buf_free) struct buf sql = { 0 };
    CLEANUP(buf_free) struct buf middle = { 0 };

    rest.len = (size_t)(name - path) - (name > path);
    if (rest.len && memchr(rest.p, '/', rest.len))
        str_cut(&rest, '/', &catalog);
    schema = rest.len ? rest : STR("main");
    for (size_t i = 0; i < schema.len; i++)
        buf_putc(&middle, (char)(schema.p[i] == '/' ? '.' : schema.p[i]));
    if (!map_put(catalogs, catalog, session)) {
        buf_puts(&sql, "ATTACH ':memory:' AS ");
        duck_put_name(&sql, catalog);
        enum rc rc = duck_run(session, buf_cstr(&sql), err);
        if (rc)
            return rc;
        buf_clear(&sql);
    }
    buf_puts(&sql, "CREATE SCHEMA IF NOT EXISTS ");
    duck_put_name(&sql, catalog);
    buf_putc(&sql, '.');
    duck_put_name(&sql, buf_str(&middle));
    duck_put_name(out, catalog);
    buf_putc(out, '.');
    duck_put_name(out, buf_str(&middle));
    buf_putc(out, '.');
    duck_put_name(out, str_of(name));
    return duck_run(session, buf_cstr(&sql), err);
}

static enum rc make_view(struct lake *lake, struct duck_session *session, const char *path, bool by_last_name,
                         struct map *catalogs, struct err *err)
{
    CLEANUP_FREE char *location = location_of(lake, path);
    CLEANUP(buf_free) struct buf select = { 0 };
    CLEANUP(buf_free) struct buf full = { 0 };
    CLEANUP(buf_free) struct buf sql = { 0 };
    struct iceberg_table *table = NULL;
    enum rc rc = iceberg_open(&lake->io[0], location, &table, err);

    if (!rc)
        rc = view_select(lake, table, &select, err);
    iceberg_close(table);
    if (!rc)
        rc = make_full_name(session, path, catalogs, &full, err);
    buf_printf(&sql, "CREATE VIEW %s AS %s", buf_cstr(&full), buf_cstr(&select));
    if (!rc)
        rc = duck_run(session, buf_cstr(&sql), err);
    if (rc || !by_last_name)
        return rc;
    buf_clear(&sql);
    buf_puts(&sql, "CREATE VIEW ");
    duck_put_name(&sql, str_of(last_part(path)));
    buf_printf(&sql, " AS %s", buf_cstr(&select));
    return duck_run(session, buf_cstr(&sql), err);
}

static bool unique_last_name(char *const *names, size_t n, size_t i)
{
    for (size_t k = 0; k < n; k++)
        if (k != i && strcasecmp(last_part(names[k]), last_part(names[i])) == 0)
            return false;
    return true;
}

static enum rc make_views(struct lake *lake, struct duck_session *session, const char *text, struct err *err)
{
    struct map catalogs = { 0 };
    char **names = NULL;
    size_t n = 0;
    enum rc rc = iceberg_list_tables(&lake->io[0], lake->warehouse, &names, &n, err);

    if (rc == RC_NOT_FOUND) /* no bucket yet: SQL without tables still works */
        rc = RC_OK;
    for (size_t i = 0; i < n && !rc; i++)
        if (mentions(text, last_part(names[i])))
            rc = make_view(lake, session, names[i], unique_last_name(names, n, i), &catalogs, err);
    map_free(&catalogs, NULL);
    iceberg_names_free(names, n);
    return rc;
}

/* ------------------------------------------------------------- queries */

/* Where the last statement begins: after the last ';' that is neither in quotes nor in a comment nor at the end. */
static size_t last_statement(struct str s)
{
    size_t begin = 0, next = 0;
    bool something = false;

    for (size_t i = 0; i < s.len; i++) {
        char c = s.p[i];
        if (c == '\'' || c == '"') {
            const char *end = i + 1 < s.len ? memchr(s.p + i + 1, c, s.len - i - 1) : NULL;
            i = end ? (size_t)(end - s.p) : s.len;
            something = true;
        } else if (c == '-' && i + 1 < s.len && s.p[i + 1] == '-') {
            const char *end = memchr(s.p + i, '\n', s.len - i);
            i = end ? (size_t)(end - s.p) : s.len;
        } else if (c == ';') {
            next = i + 1;
            something = false;
        } else if (c != ' ' && c != '\n' && c != '\t' && c != '\r') {
            if (!something && next)
                begin = next;
            something = true;
        }
    }
    return begin;
}

static struct str without_semicolons(struct str s)
{
    s = str_trim(s);
    while (s.len && s.p[s.len - 1] == ';')
        s = str_trim(str_n(s.p, s.len - 1));
    return s;
}

static enum rc give_columns(struct duck_session *session, const char *select, const struct build_sql_sink *sink,
                            idx_t *count, struct err *err)
{
    CLEANUP_FREE char *sql = mem_printf("DESCRIBE %s", select);
    duckdb_result result;
    enum rc rc = RC_OK;

    if (duck.query(session->connection, sql, &result)) {
        rc = duck_refusal(duck.result_error(&result), err);
        duck.destroy_result(&result);
        return rc;
    }
    char **texts = NULL;
    size_t n = 0;
    for (duckdb_data_chunk chunk; (chunk = duck.fetch_chunk(result)) != NULL; duck.destroy_data_chunk(&chunk)) {
        const duckdb_string_t *names = duck.vector_get_data(duck.data_chunk_get_vector(chunk, 0));
        const duckdb_string_t *types = duck.vector_get_data(duck.data_chunk_get_vector(chunk, 1));
        for (idx_t i = 0; i < duck.data_chunk_get_size(chunk); i++, n++) {
            texts = mem_grow(texts, 2 * (n + 1), sizeof *texts);
            texts[2 * n] = str_dup(duck_text(&names[i]));
            texts[2 * n + 1] = str_dup(duck_text(&types[i]));
        }
    }
    duck.destroy_result(&result);
    CLEANUP_FREE const char **names = NEW_ARRAY(const char *, n + 1);
    CLEANUP_FREE const char **types = NEW_ARRAY(const char *, n + 1);
    for (size_t i = 0; i < n; i++) {
        names[i] = texts[2 * i];
        types[i] = texts[2 * i + 1];
    }
    if (sink->columns)
        rc = sink->columns(sink->user, names, types, n);
    for (size_t i = 0; i < 2 * n; i++)
        free(texts[i]);
    free(texts);
    *count = n;
    return rc;
}

static enum rc give_rows(duckdb_result result, idx_t columns, const struct build_sql_sink *sink, struct err *err)
{
    CLEANUP_FREE const char **values = NEW_ARRAY(const char *, columns + 1);
    CLEANUP_FREE struct buf *texts = NEW_ARRAY(struct buf, columns + 1);
    enum rc rc = RC_OK;

    for (duckdb_data_chunk chunk; !rc && (chunk = duck.fetch_chunk(result)) != NULL; duck.destroy_data_chunk(&chunk)) {
        idx_t rows = duck.data_chunk_get_size(chunk);
        for (idx_t row = 0; row < rows && !rc; row++) {
            for (idx_t i = 0; i < columns; i++) {
                duckdb_vector v = duck.data_chunk_get_vector(chunk, i);
                buf_clear(&texts[i]);
                bool null = duck_is_null(duck.vector_get_validity(v), row);
                if (!null)
                    buf_put_str(&texts[i], duck_text(&((duckdb_string_t *)duck.vector_get_data(v))[row]));
                values[i] = null ? NULL : buf_cstr(&texts[i]);
            }
            rc = sink->row ? sink->row(sink->user, values, columns) : RC_OK;
        }
    }
    const char *why = duck.result_error(&result);
    if (!rc && why && *why)
        rc = duck_refusal(why, err);
    for (idx_t i = 0; i < columns; i++)
        buf_free(&texts[i]);
    return rc;
}

/* Runs a SELECT whose columns are all text, row by row as they come. */
static enum rc stream(struct duck_session *session, const char *select, idx_t columns,
                      const struct build_sql_sink *sink, struct err *err)
{
    CLEANUP_FREE char *sql = mem_printf("SELECT CAST(COLUMNS(*) AS VARCHAR) FROM (%s\n)", select);
    duckdb_prepared_statement statement = NULL;
    duckdb_pending_result pending = NULL;
    duckdb_result result = { 0 };
    enum rc rc = RC_OK;

    if (duck.prepare(session->connection, sql, &statement)) {
        rc = duck_refusal(duck.prepare_error(statement), err);
    } else if (duck.pending_prepared_streaming(statement, &pending)) {
        rc = duck_refusal(duck.pending_error(pending), err);
    } else if (duck.execute_pending(pending, &result)) {
        const char *why = duck.result_error(&result);
        rc = duck_refusal(why ? why : duck.pending_error(pending), err);
        duck.destroy_result(&result);
    } else {
        rc = give_rows(result, columns, sink, err);
        duck.destroy_result(&result);
    }
    duck.destroy_pending(&pending);
    duck.destroy_prepare(&statement);
    return rc;
}

/* A statement that is no SELECT is run for its effect. */
static bool is_query(struct duck_session *session, const char *text)
{
    CLEANUP_FREE char *sql = mem_printf("DESCRIBE SELECT * FROM (%s\n)", text);
    duckdb_result result;
    bool ok = !duck.query(session->connection, sql, &result);

    duck.destroy_result(&result);
    return ok;
}

enum rc build_sql(const struct station *station, const char *text, const struct build_sql_sink *sink, struct err *err)
{
    struct lake lake;
    struct duck_session session = { 0 };
    struct str all = without_semicolons(str_of(text));
    size_t begin = last_statement(all);
    CLEANUP_FREE char *before = mem_strndup(all.p ? all.p : "", begin);
    CLEANUP_FREE char *last = str_dup(without_semicolons(str_skip(all, begin)));
    CLEANUP_FREE char *select = mem_printf("SELECT * FROM (%s\n)", last);
    idx_t columns = 0;

    if (!*last)
        return err_set(err, RC_BAD_INPUT, "there is no SQL to run");
    enum rc rc = lake_open(station, &lake, err);
    if (rc)
        return rc;
    rc = view_session(&lake, &session, err);
    if (!rc)
        rc = make_views(&lake, &session, text, err);
    if (!rc && *before)
        rc = duck_run(&session, before, err);
    if (!rc && is_query(&session, last)) {
        rc = give_columns(&session, select, sink, &columns, err);
        if (!rc)
            rc = stream(&session, last, columns, sink, err);
    } else if (!rc) {
        rc = duck_run(&session, last, err); /* its error speaks of the user's own text */
    }
    duck_close(&session);
    lake_close(&lake);
    return rc;
}
