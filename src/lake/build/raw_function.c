/*
 * Raw files as a DuckDB table function.  Workers take files one by one; a worker fills its chunk across the ends
 * of files, so that many small files cost no more than few large ones.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "disk/disk.h"
#include "lake/build/raw_decode.h"

enum { SCRATCH_TEXT_MAX = 16 << 20 };

/* ------------------------------------------------------------- groups */

static struct raw_group *group_of(struct raw_group **groups, size_t *count, const struct map *by_schema,
                                  const char *schema)
{
    uintptr_t at = (uintptr_t)map_get(by_schema, str_of(schema));

    if (at)
        return &(*groups)[at - 1];
    *groups = mem_grow(*groups, *count + 1, sizeof **groups);
    struct raw_group *group = &(*groups)[(*count)++];
    memset(group, 0, sizeof *group);
    map_put((struct map *)by_schema, str_of(schema), (void *)(uintptr_t)*count);
    return group;
}

enum rc raw_group_files(const struct stage_table *table, struct raw_files *files, struct raw_group **groups,
                        size_t *count, struct err *err)
{
    struct map by_schema = { 0 };
    enum rc rc = RC_OK;

    *groups = NULL;
    *count = 0;
    for (size_t i = 0; i < files->count && !rc; i++) {
        struct raw_file *f = &files->files[i];
        if (!f->keep.count)
            continue;
        struct raw_group *group = group_of(groups, count, &by_schema, f->schema);
        if (*count > RAW_SCHEMAS_MAX)
            rc = err_set(err, RC_FULL, "the raw files have more than %d different schemas", RAW_SCHEMAS_MAX);
        if ((group->member_count & (group->member_count - 1)) == 0)
            group->members = mem_grow(group->members, MAX(group->member_count * 2, (size_t)8), sizeof(size_t));
        group->members[group->member_count++] = i;
    }
    map_free(&by_schema, NULL);
    for (size_t i = 0; i < *count && !rc; i++) {
        struct raw_group *group = &(*groups)[i];
        const struct raw_file *first = &files->files[group->members[0]];
        group->table = table;
        group->files = files;
        pthread_mutex_init(&group->lock, NULL);
        rc = avro_schema_parse(str_of(first->schema), &group->schema, err);
        if (rc)
            err_wrap(err, "raw file '%s'", first->key);
        else
            rc = raw_compile(group, err);
    }
    if (rc) {
        raw_groups_free(*groups, *count);
        *groups = NULL;
        *count = 0;
    }
    return rc;
}

void raw_groups_free(struct raw_group *groups, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (groups[i].plan)
            arena_free(&groups[i].plan->arena);
        free(groups[i].plan);
        free(groups[i].columns);
        free(groups[i].members);
        avro_document_free(groups[i].schema);
    }
    free(groups);
}

/* ------------------------------------------------------------- the function */

struct worker { /* one a DuckDB thread */
    struct raw_cursor cursor;
    size_t columns;
    const struct raw_file *file; /* NULL: take the next */
    struct str bytes;
    struct avro_file_reader *reader;
    struct avro_block block;
    uint64_t left;  /* objects of the block not yet decoded */
    int64_t offset; /* of the next event */
    int64_t events, rows;
};

static void close_file(struct worker *w)
{
    avro_file_reader_free(w->reader);
    if (w->bytes.len)
        munmap((void *)w->bytes.p, w->bytes.len);
    w->reader = NULL;
    w->bytes = (struct str){ 0 };
    w->file = NULL;
}

static void free_worker(void *p)
{
    struct worker *w = p;

    close_file(w);
    buf_free(&w->cursor.scratch);
    free(w->cursor.vectors);
    free(w->cursor.data);
    free(w->cursor.valid);
    free(w);
}

static enum rc fail(struct raw_group *group, const struct err *err)
{
    pthread_mutex_lock(&group->lock);
    if (!group->failure.rc)
        group->failure = *err;
    pthread_mutex_unlock(&group->lock);
    return err->rc;
}

static enum rc open_next(struct raw_group *group, struct worker *w, struct err *err)
{
    size_t i = atomic_fetch_add(&group->next, 1);
    CLEANUP(disk_close) int fd = -1;
    struct stat st = { 0 };

    if (i >= group->member_count)
        return RC_AGAIN;
    const struct raw_file *f = &group->files->files[group->members[i]];
    enum rc rc = disk_open(f->path, O_RDONLY | O_CLOEXEC, 0, &fd, err);
    if (rc)
        return rc;
    if (fstat(fd, &st) < 0)
        return err_set_errno(err, errno, "cannot look at '%s'", f->path);
    void *p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (p == MAP_FAILED)
        return err_set_errno(err, errno, "cannot map '%s'", f->path);
    w->bytes = str_n(p, (size_t)st.st_size);
    w->file = f;
    w->offset = f->first;
    w->left = 0;
    return avro_file_open(w->bytes, f->key, &w->reader, err);
}

/* RC_OK: there is an event to decode.  RC_AGAIN: no file is left. */
static enum rc next_event(struct raw_group *group, struct worker *w, struct err *err)
{
    while (!w->left) {
        enum rc rc = w->file ? avro_file_next(w->reader, &w->block, err) : RC_AGAIN;
        if (!rc) {
            w->left = w->block.objects;
            w->cursor.reader = avro_reader_of(w->block.bytes);
            continue;
        }
        if (rc != RC_AGAIN)
            return rc;
        close_file(w);
        rc = open_next(group, w, err);
        if (rc)
            return rc;
    }
    return RC_OK;
}

static const char *column_name(const struct raw_group *group, int column)
{
    return (size_t)column < group->table->column_count ? group->table->columns[column].name : "op, ts_ms or source.lsn";
}

static void put_place(struct raw_group *group, struct worker *w)
{
    const struct raw_file *f = w->file;
    struct raw_cursor *c = &w->cursor;
    size_t extra = group->table->column_count;

    for (size_t i = extra + RAW_EXTRA_TOPIC; i < extra + RAW_EXTRA_COUNT; i++)
        c->valid[i][c->row / 64] |= (uint64_t)1 << (c->row % 64);
    duck.vector_assign_string_element_len(c->vectors[extra + RAW_EXTRA_TOPIC], c->row, f->topic, strlen(f->topic));
    ((int32_t *)c->data[extra + RAW_EXTRA_PARTITION])[c->row] = f->partition;
    ((int64_t *)c->data[extra + RAW_EXTRA_OFFSET])[c->row] = w->offset;
    ((int64_t *)c->data[extra + RAW_EXTRA_FILE])[c->row] = f - group->files->files;
}

static bool op_kept(const struct raw_group *group, const struct raw_cursor *c)
{
    size_t column = group->table->column_count + RAW_EXTRA_OP;

    if (!group->table->op_count)
        return true;
    if (!(c->valid[column][c->row / 64] >> (c->row % 64) & 1))
        return false;
    struct str op = duck_text(&((duckdb_string_t *)c->data[column])[c->row]);
    for (size_t i = 0; i < group->table->op_count; i++)
        if (str_is(op, group->table->ops[i]))
            return true;
    return false;
}

/* One event into the next row; rows whose op is filtered leave it free. */
static enum rc take_event(struct raw_group *group, struct worker *w, struct err *err)
{
    struct raw_cursor *c = &w->cursor;
    int64_t offset = w->offset;

    if (!offset_ranges_has(&w->file->keep, offset)) {
        avro_skip(&c->reader, group->plan->root->whole);
    } else {
        for (size_t i = 0; i < w->columns; i++)
            c->valid[i][c->row / 64] &= ~((uint64_t)1 << (c->row % 64));
        if (!raw_decode(group->plan->root, c) && c->problem)
            return err_set(err, RC_BAD_INPUT, "raw file '%s' offset %lld, column '%s': %s", w->file->key,
                           (long long)offset, column_name(group, c->problem_column), c->problem);
        w->events++;
        if (op_kept(group, c)) {
            put_place(group, w);
            c->row++;
            w->rows++;
        }
    }
    w->left--;
    w->offset++;
    if (avro_reader_failed(&c->reader)) {
        CLEANUP_FREE char *what = mem_printf("raw file '%s' offset %lld", w->file->key, (long long)offset);
        return avro_reader_check(&c->reader, what, err);
    }
    if (!w->left && avro_reader_left(&c->reader))
        return err_set(err, RC_BAD_INPUT, "raw file '%s' offset %lld: %zu bytes too many in its block", w->file->key,
                       (long long)offset, avro_reader_left(&c->reader));
    return RC_OK;
}

static void start_chunk(struct worker *w, duckdb_data_chunk chunk)
{
    struct raw_cursor *c = &w->cursor;

    c->row = 0;
    for (size_t i = 0; i < w->columns; i++) {
        c->vectors[i] = duck.data_chunk_get_vector(chunk, i);
        duck.vector_ensure_validity_writable(c->vectors[i]);
        c->data[i] = duck.vector_get_data(c->vectors[i]);
        c->valid[i] = duck.vector_get_validity(c->vectors[i]);
    }
}

static void fill(duckdb_function_info info, duckdb_data_chunk chunk)
{
    struct raw_group *group = duck.function_get_extra_info(info);
    struct worker *w = duck.function_get_local_init_data(info);
    const idx_t room = duck.vector_size();
    struct err err = { 0 };
    enum rc rc = RC_OK;

    start_chunk(w, chunk);
    w->events = w->rows = 0;
    while (w->cursor.row < room && !rc) {
        rc = next_event(group, w, &err);
        if (!rc)
            rc = take_event(group, w, &err);
    }
    if (!group->diagnose) {
        atomic_fetch_add(&group->events, w->events);
        atomic_fetch_add(&group->rows, w->rows);
    }
    if (rc && rc != RC_AGAIN) {
        fail(group, &err);
        duck.function_set_error(info, err.text);
        return;
    }
    duck.data_chunk_set_size(chunk, w->cursor.row);
}

static void bind(duckdb_bind_info info)
{
    const struct raw_group *group = duck.bind_get_extra_info(info);
    size_t declared = group->table->column_count;
    char name[32];

    for (size_t i = 0; i < declared + RAW_EXTRA_COUNT; i++) {
        const struct raw_column *c = &group->columns[i];
        duckdb_logical_type type = c->type == DUCKDB_TYPE_DECIMAL
                                       ? duck.create_decimal_type((uint8_t)c->precision, (uint8_t)c->scale)
                                       : duck.create_logical_type(c->type);
        snprintf(name, sizeof name, i < declared ? "c%zu" : "x%zu", i < declared ? i : i - declared);
        duck.bind_add_result_column(info, name, type);
        duck.destroy_logical_type(&type);
    }
}

static void init(duckdb_init_info info)
{
    struct raw_group *group = duck.init_get_extra_info(info);

    atomic_store(&group->next, 0);
    duck.init_set_max_threads(info, MAX(group->member_count, (size_t)1));
}

static void init_worker(duckdb_init_info info)
{
    struct raw_group *group = duck.init_get_extra_info(info);
    struct worker *w = NEW(struct worker);

    w->columns = group->table->column_count + RAW_EXTRA_COUNT;
    w->cursor.group = group;
    w->cursor.scratch.max = SCRATCH_TEXT_MAX;
    w->cursor.vectors = NEW_ARRAY(duckdb_vector, w->columns);
    w->cursor.data = NEW_ARRAY(void *, w->columns);
    w->cursor.valid = NEW_ARRAY(uint64_t *, w->columns);
    duck.init_set_init_data(info, w, free_worker);
}

enum rc raw_register(struct duck_session *session, const char *name, struct raw_group *group, struct err *err)
{
    duckdb_table_function f = duck.create_table_function();

    duck.table_function_set_name(f, name);
    duck.table_function_set_extra_info(f, group, NULL);
    duck.table_function_set_bind(f, bind);
    duck.table_function_set_init(f, init);
    duck.table_function_set_local_init(f, init_worker);
    duck.table_function_set_function(f, fill);
    bool ok = duck.register_table_function(session->connection, f) == DuckDBSuccess;
    duck.destroy_table_function(&f);
    return ok ? RC_OK : err_set(err, RC_FATAL, "DuckDB refuses the table function '%s'", name);
}
