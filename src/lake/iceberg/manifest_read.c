/*
 * Reads manifest lists and manifests of any writer.  Fields are told apart by their field-id, as names differ
 * between writers (added_files_count was added_data_files_count); a file without ids goes by names.
 */
#include <stdlib.h>
#include <string.h>

#include "lake/iceberg/manifest.h"
#include "wire/avro/avro.h"

enum { ARENA_MAX = 512 << 20, RANGES_MAX = ICEBERG_PARTITION_FIELDS_MAX };

static int field_id(const struct avro_field *field)
{
    static const struct {
        const char *name;
        int id;
    } names[] = {
        { "manifest_path", 500 },      { "manifest_length", 501 },
        { "partition_spec_id", 502 },  { "content", 134 },
        { "sequence_number", 3 },      { "status", 0 },
        { "snapshot_id", 1 },          { "data_file", 2 },
        { "file_path", 100 },          { "file_format", 101 },
        { "partition", 102 },          { "record_count", 103 },
        { "file_size_in_bytes", 104 },
    };
    const json_t *id = avro_field_prop(field, "field-id");

    if (json_is_integer(id))
        return (int)json_integer_value(id);
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (str_is(field->name, names[i].name))
            return names[i].id;
    return -1;
}

/* Steps into a union; false when the value is null. */
static bool present(struct avro_reader *r, const struct avro_schema **type)
{
    if ((*type)->type == AVRO_UNION)
        *type = (*type)->branches[avro_read_union(r, *type)];
    return (*type)->type != AVRO_NULL;
}

static int64_t read_integer(struct avro_reader *r, const struct avro_schema *type, int64_t fallback)
{
    if (!present(r, &type))
        return fallback;
    if (type->type == AVRO_INT || type->type == AVRO_LONG)
        return avro_read_long(r);
    avro_reader_fail(r, "a number has another type");
    return fallback;
}

static struct str read_text(struct avro_reader *r, const struct avro_schema *type)
{
    if (!present(r, &type))
        return (struct str){ 0 };
    if (type->type == AVRO_STRING || type->type == AVRO_BYTES)
        return avro_read_bytes(r);
    if (type->type == AVRO_FIXED)
        return avro_read_fixed(r, (size_t)type->size);
    avro_reader_fail(r, "a text has another type");
    return (struct str){ 0 };
}

static bool read_flag(struct avro_reader *r, const struct avro_schema *type, int *out)
{
    *out = -1;
    if (!present(r, &type))
        return false;
    if (type->type != AVRO_BOOLEAN) {
        avro_reader_fail(r, "a boolean has another type");
        return false;
    }
    *out = avro_read_bool(r);
    return true;
}

static struct str keep(struct avro_reader *r, struct arena *arena, struct str s)
{
    if (!s.p)
        return s;
    char *copy = arena_strdup(arena, s);
    if (!copy)
        avro_reader_fail(r, "it holds more than fits in memory");
    return copy ? str_n(copy, s.len) : (struct str){ 0 };
}

/* ------------------------------------------------------------- manifest list */

static void read_range(struct avro_reader *r, const struct avro_schema *record, struct arena *arena,
                       struct manifest_range *out)
{
    int null = 0;

    *out = (struct manifest_range){ .contains_nan = -1 };
    for (size_t i = 0; record->type == AVRO_RECORD && i < record->field_count && !avro_reader_failed(r); i++) {
        const struct avro_field *f = &record->fields[i];
        int id = field_id(f);
        if (id == 509 && read_flag(r, f->type, &null))
            out->contains_null = null;
        else if (id == 518)
            read_flag(r, f->type, &out->contains_nan);
        else if (id == 510)
            out->lower = keep(r, arena, read_text(r, f->type));
        else if (id == 511)
            out->upper = keep(r, arena, read_text(r, f->type));
        else if (id != 509)
            avro_skip(r, f->type);
    }
}

static void read_ranges(struct avro_reader *r, const struct avro_schema *type, struct arena *arena,
                        struct manifest *row)
{
    if (!present(r, &type))
        return;
    if (type->type != AVRO_ARRAY || type->items->type != AVRO_RECORD) {
        avro_reader_fail(r, "partitions is not a list of records");
        return;
    }
    row->has_ranges = true;
    row->ranges = arena_array(arena, RANGES_MAX, sizeof *row->ranges);
    for (uint64_t n; row->ranges && (n = avro_read_block(r, type)) != 0;)
        while (n-- && !avro_reader_failed(r)) {
            if (row->range_count == RANGES_MAX) {
                avro_reader_fail(r, "too many partition fields");
                return;
            }
            read_range(r, type->items, arena, &row->ranges[row->range_count++]);
        }
    if (!row->ranges)
        avro_reader_fail(r, "it holds more than fits in memory");
}

static void read_list_row(struct avro_reader *r, const struct avro_schema *record, struct arena *arena,
                          struct manifest *row)
{
    *row = (struct manifest){ .files = { -1, -1, -1 }, .rows = { -1, -1, -1 } };
    for (size_t i = 0; i < record->field_count && !avro_reader_failed(r); i++) {
        const struct avro_field *f = &record->fields[i];
        int id = field_id(f);
        struct {
            int id;
            int64_t *at;
        } numbers[] = {
            { 501, &row->length },
            { 515, &row->sequence_number },
            { 516, &row->min_sequence_number },
            { 503, &row->added_snapshot_id },
            { 504, &row->files[0] },
            { 505, &row->files[1] },
            { 506, &row->files[2] },
            { 512, &row->rows[0] },
            { 513, &row->rows[1] },
            { 514, &row->rows[2] },
        };
        size_t n = 0;
        while (n < ARRAY_LEN(numbers) && numbers[n].id != id)
            n++;
        if (n < ARRAY_LEN(numbers))
            *numbers[n].at = read_integer(r, f->type, *numbers[n].at);
        else if (id == 500)
            row->path = keep(r, arena, read_text(r, f->type)).p;
        else if (id == 502)
            row->spec_id = (int)read_integer(r, f->type, 0);
        else if (id == 517)
            row->content = (int)read_integer(r, f->type, 0);
        else if (id == 507)
            read_ranges(r, f->type, arena, row);
        else if (id == 519)
            row->key_metadata = keep(r, arena, read_text(r, f->type));
        else
            avro_skip(r, f->type);
    }
    if (!row->path)
        avro_reader_fail(r, "a row has no manifest path");
}

/* *file is the caller's to close, after an error too. */
static enum rc open_records(struct str bytes, const char *name, const char *what, struct avro_file_reader **file,
                            const struct avro_schema **root, struct err *err)
{
    enum rc rc = avro_file_open(bytes, name, file, err);

    if (rc)
        return rc;
    *root = avro_root(avro_file_schema(*file));
    return (*root)->type == AVRO_RECORD ? RC_OK : err_set(err, RC_BAD_INPUT, "%s holds no records", what);
}

enum rc manifest_list_read(struct str bytes, const char *name, struct manifest_list *out, struct err *err)
{
    CLEANUP_FREE char *what = mem_printf("manifest list '%s'", name);
    struct avro_file_reader *file = NULL;
    struct avro_block block;
    const struct avro_schema *root = NULL;
    enum rc rc = open_records(bytes, name, what, &file, &root, err);

    *out = (struct manifest_list){ .arena.max = ARENA_MAX };
    while (!rc && !(rc = avro_file_next(file, &block, err))) {
        struct avro_reader r = avro_reader_of(block.bytes);
        for (uint64_t i = 0; i < block.objects && !rc; i++) {
            if (out->count == MANIFESTS_MAX) {
                rc = err_set(err, RC_FULL, "%s has more than %d rows", what, MANIFESTS_MAX);
                break;
            }
            if ((out->count & (out->count - 1)) == 0)
                out->rows = mem_grow(out->rows, MAX(out->count * 2, (size_t)16), sizeof *out->rows);
            read_list_row(&r, root, &out->arena, &out->rows[out->count++]);
            rc = avro_reader_check(&r, what, err);
        }
    }
    avro_file_reader_free(file);
    if (rc == RC_AGAIN)
        return RC_OK;
    manifest_list_free(out);
    return rc;
}

void manifest_list_free(struct manifest_list *list)
{
    arena_free(&list->arena);
    free(list->rows);
    *list = (struct manifest_list){ 0 };
}

/* ------------------------------------------------------------- manifest */

struct entry {
    int status;
    int64_t snapshot_id, sequence_number;
    struct iceberg_file file;
    struct str path, format;
    struct buf partition, path_text, format_text;
};

/* "event_date=2025-01-31/region=eu": for people, so not escaped. */
static void read_partition(struct avro_reader *r, const struct avro_schema *record, struct buf *out)
{
    if (record->type != AVRO_RECORD) {
        avro_reader_fail(r, "partition is not a record");
        return;
    }
    for (size_t i = 0; i < record->field_count && !avro_reader_failed(r); i++) {
        const struct avro_schema *type = record->fields[i].type;
        buf_printf(out, "%s%.*s=", out->len ? "/" : "", STR_ARG(record->fields[i].name));
        if (!present(r, &type)) {
            buf_puts(out, "null");
        } else if (type->logical == AVRO_DATE) {
            struct clock_date date = clock_date_of_days(avro_read_long(r));
            buf_printf(out, "%04lld-%02d-%02d", (long long)date.year, date.month, date.day);
        } else if (type->type == AVRO_STRING) {
            buf_put_str(out, avro_read_bytes(r));
        } else {
            avro_to_json(r, type, AVRO_JSON_PLAIN, out);
        }
    }
}

static void read_data_file(struct avro_reader *r, const struct avro_schema *record, struct entry *e)
{
    if (!present(r, &record) || record->type != AVRO_RECORD) {
        avro_reader_fail(r, "data_file is not a record");
        return;
    }
    for (size_t i = 0; i < record->field_count && !avro_reader_failed(r); i++) {
        const struct avro_field *f = &record->fields[i];
        switch (field_id(f)) {
        case 134: {
            int64_t content = read_integer(r, f->type, 0);
            if (content < ICEBERG_DATA || content > ICEBERG_EQUALITY_DELETES)
                avro_reader_fail(r, "a file has unknown content");
            else
                e->file.content = (enum iceberg_content)content;
            break;
        }
        case 100:
            e->path = read_text(r, f->type);
            break;
        case 101:
            e->format = read_text(r, f->type);
            break;
        case 102:
            read_partition(r, f->type, &e->partition);
            break;
        case 103:
            e->file.records = read_integer(r, f->type, 0);
            break;
        case 104:
            e->file.size = (uint64_t)read_integer(r, f->type, 0);
            break;
        default:
            avro_skip(r, f->type);
        }
    }
    if (!e->path.p || e->file.records < 0 || (int64_t)e->file.size < 0)
        avro_reader_fail(r, "a file has no path, or a negative size");
}

static void read_entry(struct avro_reader *r, const struct avro_schema *record, const struct manifest *row,
                       struct entry *e)
{
    e->status = 0;
    e->snapshot_id = row->added_snapshot_id;
    e->sequence_number = row->sequence_number;
    e->file = (struct iceberg_file){ .spec_id = row->spec_id };
    e->path = e->format = (struct str){ 0 };
    buf_clear(&e->partition);
    for (size_t i = 0; i < record->field_count && !avro_reader_failed(r); i++) {
        const struct avro_field *f = &record->fields[i];
        switch (field_id(f)) {
        case 0:
            e->status = (int)read_integer(r, f->type, 0);
            break;
        case 1:
            e->snapshot_id = read_integer(r, f->type, e->snapshot_id);
            break;
        case 3:
            e->sequence_number = read_integer(r, f->type, e->sequence_number);
            break;
        case 2:
            read_data_file(r, f->type, e);
            break;
        default:
            avro_skip(r, f->type);
        }
    }
}

static enum rc hand_over(struct entry *e, manifest_entry_fn *each, void *user, struct err *err)
{
    buf_clear(&e->path_text);
    buf_clear(&e->format_text);
    buf_put_str(&e->path_text, e->path);
    buf_put_str(&e->format_text, e->format);
    for (size_t i = 0; i < e->format_text.len; i++)
        if (e->format_text.data[i] >= 'a' && e->format_text.data[i] <= 'z')
            e->format_text.data[i] = (char)(e->format_text.data[i] - 32);
    buf_puts(&e->partition, "");
    e->file.path = (char *)buf_cstr(&e->path_text);
    e->file.format = (char *)buf_cstr(&e->format_text);
    e->file.partition = (char *)buf_cstr(&e->partition);
    e->file.snapshot_id = e->snapshot_id;
    e->file.sequence_number = e->sequence_number;
    return each(user, &e->file, err);
}

enum rc manifest_read(struct str bytes, const struct manifest *row, manifest_entry_fn *each, void *user,
                      struct err *err)
{
    CLEANUP_FREE char *what = mem_printf("manifest '%s'", row->path);
    struct avro_file_reader *file = NULL;
    struct entry e = { 0 };
    struct avro_block block;
    enum { DELETED = 2 };
    const struct avro_schema *root = NULL;
    enum rc rc = open_records(bytes, row->path, what, &file, &root, err);

    while (!rc && !(rc = avro_file_next(file, &block, err))) {
        struct avro_reader r = avro_reader_of(block.bytes);
        for (uint64_t i = 0; i < block.objects && !rc; i++) {
            read_entry(&r, root, row, &e);
            rc = avro_reader_check(&r, what, err);
            if (!rc && !e.path.p)
                rc = err_set(err, RC_BAD_INPUT, "%s has an entry without a file", what);
            if (!rc && e.status != DELETED)
                rc = hand_over(&e, each, user, err);
        }
    }
    avro_file_reader_free(file);
    buf_free(&e.partition);
    buf_free(&e.path_text);
    buf_free(&e.format_text);
    return rc == RC_AGAIN ? RC_OK : rc;
}

/* ------------------------------------------------------------- all files of a snapshot */

static enum rc add_file(void *user, const struct iceberg_file *file, struct err *err)
{
    struct iceberg_files *out = user;

    if (out->count == MANIFEST_ENTRIES_MAX)
        return err_set(err, RC_FULL, "a snapshot has more than %d files", MANIFEST_ENTRIES_MAX);
    if ((out->count & (out->count - 1)) == 0)
        out->files = mem_grow(out->files, MAX(out->count * 2, (size_t)16), sizeof *out->files);
    struct iceberg_file *copy = &out->files[out->count++];
    *copy = *file;
    copy->path = mem_strdup(file->path);
    copy->format = mem_strdup(file->format);
    copy->partition = mem_strdup(file->partition);
    if (file->content == ICEBERG_DATA) {
        out->records += file->records;
        out->bytes += file->size;
    } else {
        out->delete_files++;
    }
    return RC_OK;
}

static enum rc get_uri(const struct iceberg_io *io, const char *uri, struct buf *out, struct err *err)
{
    CLEANUP_FREE char *bucket = NULL;
    CLEANUP_FREE char *key = NULL;
    enum rc rc = iceberg_split_location(uri, &bucket, &key, err);

    return rc ? rc : io->get(io->user, bucket, key, out, err);
}

enum rc iceberg_list_files(const struct iceberg_io *io, const struct iceberg_table *table,
                           const struct iceberg_snapshot *snapshot, struct iceberg_files *out, struct err *err)
{
    CLEANUP(buf_free) struct buf text = { .max = ICEBERG_METADATA_MAX };
    CLEANUP(manifest_list_free) struct manifest_list list = { 0 };

    (void)table;
    *out = (struct iceberg_files){ 0 };
    if (!snapshot)
        return RC_OK;
    enum rc rc = get_uri(io, snapshot->manifest_list, &text, err);
    if (!rc)
        rc = manifest_list_read(buf_str(&text), snapshot->manifest_list, &list, err);
    for (size_t i = 0; i < list.count && !rc; i++) {
        buf_clear(&text);
        if (list.rows[i].files[0] == 0 && list.rows[i].files[1] == 0)
            continue;
        rc = get_uri(io, list.rows[i].path, &text, err);
        if (!rc)
            rc = manifest_read(buf_str(&text), &list.rows[i], add_file, out, err);
    }
    if (rc)
        iceberg_files_free(out);
    return rc;
}

void iceberg_files_free(struct iceberg_files *files)
{
    for (size_t i = 0; i < files->count; i++) {
        free(files->files[i].path);
        free(files->files[i].format);
        free(files->files[i].partition);
    }
    free(files->files);
    *files = (struct iceberg_files){ 0 };
}
