/*
 * Data files never change once they are written, so a copy is good for ever: cache/lake/files/<hash>.parquet.
 * When the cache is larger than its limit it is emptied before the next copies.
 *
 * Columns are read by field id, so that a table whose columns were renamed or added by another engine reads right.
 */
#include "lake/build/view.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "disk/disk.h"

enum { CACHE_MAX_MB = 1 << 24 };

struct copies {
    struct lake *lake;
    const struct iceberg_files *files;
    char **paths; /* one a file */
};

static enum rc copy_one(void *user, const struct iceberg_io *io, size_t i, struct err *err)
{
    struct copies *c = user;
    const struct iceberg_file *file = &c->files->files[i];
    CLEANUP_FREE char *bucket = NULL;
    CLEANUP_FREE char *key = NULL;
    CLEANUP_FREE char *part = NULL;
    CLEANUP(disk_close) int fd = -1;

    c->paths[i] = mem_printf("%s/files/%016llx-%llu.parquet", c->lake->cache,
                             (unsigned long long)str_hash(str_of(file->path)), (unsigned long long)file->size);
    if (disk_exists(c->paths[i]))
        return RC_OK;
    enum rc rc = iceberg_split_location(file->path, &bucket, &key, err);
    part = mem_printf("%s/part-%zu", c->lake->scratch, i);
    if (!rc)
        rc = disk_open(part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644, &fd, err);
    if (!rc)
        rc = io->get_file(io->user, bucket, key, fd, err);
    return rc ? rc : disk_rename(part, c->paths[i], err);
}

static enum rc copy_files(struct lake *lake, const struct iceberg_files *files, char **paths, struct err *err)
{
    CLEANUP_FREE char *dir = mem_printf("%s/files", lake->cache);
    struct copies copies = { lake, files, paths };
    int64_t limit = VIEW_CACHE_DEFAULT_MB;
    enum rc rc =
        settings_int(lake->station->settings, "HAUS_CACHE_MB", VIEW_CACHE_DEFAULT_MB, 1, CACHE_MAX_MB, &limit, err);

    if (!rc && disk_tree_size(dir) > (uint64_t)limit << 20)
        rc = disk_remove_tree(dir, err);
    if (!rc)
        rc = disk_make_dirs(dir, 0755, err);
    return rc ? rc : lake_parallel(lake, files->count, copy_one, &copies, err);
}

enum rc view_session(struct lake *lake, struct duck_session *out, struct err *err)
{
    CLEANUP_FREE char *spill = mem_printf("%s/spill", lake->scratch);
    struct duck_options options = {
        .library = lake->duckdb_library, .scratch = spill, .memory_bytes = lake->memory_bytes, .threads = lake->threads
    };
    enum rc rc = duck_open(&options, out, err);

    return rc ? rc : duck_run(out, "SET preserve_insertion_order = true", err);
}

/* DuckDB's name of an Iceberg type; NULL: nested or unknown. */
static const char *duck_type_of(const char *type)
{
    static const char *const rows[][2] = {
        { "boolean", "BOOLEAN" }, { "int", "INTEGER" },         { "long", "BIGINT" },
        { "float", "FLOAT" },     { "double", "DOUBLE" },       { "date", "DATE" },
        { "time", "TIME" },       { "timestamp", "TIMESTAMP" }, { "timestamptz", "TIMESTAMP WITH TIME ZONE" },
        { "string", "VARCHAR" },  { "uuid", "UUID" },           { "binary", "BLOB" },
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (strcmp(rows[i][0], type) == 0)
            return rows[i][1];
    if (strncmp(type, "decimal(", 8) == 0)
        return type;
    return strncmp(type, "fixed[", 6) == 0 ? "BLOB" : NULL;
}

static bool all_flat(const struct iceberg_table *table)
{
    for (size_t i = 0; i < table->column_count; i++)
        if (!duck_type_of(table->columns[i].type))
            return false;
    return true;
}

static void put_schema(const struct iceberg_table *table, struct buf *out)
{
    buf_puts(out, ", schema = MAP {");
    for (size_t i = 0; i < table->column_count; i++) {
        buf_printf(out, "%s%d: {name: ", i ? ", " : "", table->columns[i].id);
        duck_put_text(out, str_of(table->columns[i].name));
        buf_printf(out, ", type: '%s', default_value: NULL}", duck_type_of(table->columns[i].type));
    }
    buf_putc(out, '}');
}

static void put_empty(const struct iceberg_table *table, struct buf *out)
{
    buf_puts(out, "SELECT ");
    for (size_t i = 0; i < table->column_count; i++) {
        const char *type = duck_type_of(table->columns[i].type);
        buf_printf(out, "%sCAST(NULL AS %s) AS ", i ? ", " : "", type ? type : "VARCHAR");
        duck_put_name(out, str_of(table->columns[i].name));
    }
    buf_puts(out, " WHERE false");
}

static void put_paths(const struct iceberg_files *files, char *const *paths, enum iceberg_content content,
                      struct buf *out)
{
    bool first = true;

    buf_puts(out, "read_parquet([");
    for (size_t i = 0; i < files->count; i++) {
        if (files->files[i].content != content)
            continue;
        buf_puts(out, first ? "" : ", ");
        duck_put_text(out, str_of(paths[i]));
        first = false;
    }
    buf_putc(out, ']');
}

/* Deletes name a file by its URI; a row here knows its local copy. */
static void put_deletes(const struct iceberg_files *files, char *const *paths, struct buf *out)
{
    bool first = true;

    buf_puts(out, " d WHERE NOT EXISTS (SELECT 1 FROM ");
    put_paths(files, paths, ICEBERG_POSITION_DELETES, out);
    buf_puts(out, ") p JOIN (VALUES ");
    for (size_t i = 0; i < files->count; i++) {
        if (files->files[i].content != ICEBERG_DATA)
            continue;
        buf_puts(out, first ? "(" : ", (");
        duck_put_text(out, str_of(files->files[i].path));
        buf_puts(out, ", ");
        duck_put_text(out, str_of(paths[i]));
        buf_putc(out, ')');
        first = false;
    }
    buf_puts(out, ") m(uri, path) ON m.uri = p.file_path WHERE m.path = d.filename AND p.pos = d.file_row_number)");
}

static enum rc check_files(const struct iceberg_table *table, const struct iceberg_files *files, struct err *err)
{
    for (size_t i = 0; i < files->count; i++) {
        const struct iceberg_file *f = &files->files[i];
        if (f->content == ICEBERG_EQUALITY_DELETES)
            return err_set(err, RC_BAD_INPUT,
                           "cannot read '%s': file '%s' holds equality deletes; let the engine that wrote them compact "
                           "the table (rewrite_data_files)",
                           table->location, f->path);
        if (strcmp(f->format, "PUFFIN") == 0)
            return err_set(err, RC_BAD_INPUT,
                           "cannot read '%s': file '%s' holds deletion vectors of format version 3; apply them in the "
                           "engine that wrote them (rewrite_data_files with 'delete-file-threshold' 1 and "
                           "'remove-dangling-deletes' true)",
                           table->location, f->path);
        if (strcmp(f->format, "PARQUET") != 0)
            return err_set(err, RC_BAD_INPUT,
                           "cannot read '%s': file '%s' has format %s, only Parquet is read; write it anew "
                           "(rewrite_data_files, with write.format.default and write.delete.format.default unset)",
                           table->location, f->path, f->format);
    }
    return RC_OK;
}

enum rc view_select(struct lake *lake, const struct iceberg_table *table, struct buf *out, struct err *err)
{
    CLEANUP(iceberg_files_free) struct iceberg_files files = { 0 };
    enum rc rc = iceberg_list_files(&lake->io[0], table, table->current, &files, err);
    CLEANUP_FREE char **paths = NEW_ARRAY(char *, files.count + 1);

    if (!rc)
        rc = check_files(table, &files, err);
    if (!rc)
        rc = copy_files(lake, &files, paths, err);
    if (!rc && files.count == files.delete_files) {
        put_empty(table, out);
    } else if (!rc) {
        buf_puts(out, files.delete_files ? "SELECT * EXCLUDE (filename, file_row_number) FROM " : "SELECT * FROM ");
        put_paths(&files, paths, ICEBERG_DATA, out);
        if (all_flat(table))
            put_schema(table, out);
        else
            buf_puts(out, ", union_by_name = true");
        buf_puts(out, ", hive_partitioning = false");
        buf_puts(out, files.delete_files ? ", filename = true, file_row_number = true)" : ")");
        if (files.delete_files)
            put_deletes(&files, paths, out);
    }
    for (size_t i = 0; i < files.count; i++)
        free(paths[i]);
    return rc;
}
