/*
 * Writes manifest lists and manifests as Apache Iceberg's Java library does for format version 2: the same
 * record names (BigQuery and old Java look for r2, r102, r508), field ids, metadata keys, deflate.
 *
 *     manifest list   records manifest_file; metadata snapshot-id, parent-snapshot-id, sequence-number,
 *                     format-version, iceberg.schema
 *     manifest        records manifest_entry; metadata schema, schema-id, partition-spec, partition-spec-id,
 *                     format-version, content, iceberg.schema
 *
 * Entries are ADDED with null sequence numbers: they inherit those of the commit, so a manifest can be
 * written before it is known which version will win.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lake/iceberg/manifest.h"
#include "lake/iceberg/table.h"
#include "lake/iceberg/type.h"
#include "wire/avro/avro.h"

enum { DEFLATE_LEVEL = 6, STATUS_ADDED = 1 };

/* ------------------------------------------------------------- schemas */

#define OPTIONAL(id, name, type)                                                                                       \
    "{\"name\":\"" name "\",\"type\":[\"null\"," type "],\"default\":null,\"field-id\":" #id "}"
#define REQUIRED(id, name, type) "{\"name\":\"" name "\",\"type\":" type ",\"field-id\":" #id "}"
#define INT_MAP(id, name, key, value, type)                                                                            \
    OPTIONAL(id, name,                                                                                                 \
             "{\"type\":\"array\",\"items\":{\"type\":\"record\",\"name\":\"k" #key "_v" #value "\",\"fields\":["      \
             "{\"name\":\"key\",\"type\":\"int\",\"field-id\":" #key "},"                                              \
             "{\"name\":\"value\",\"type\":" type ",\"field-id\":" #value "}]},\"logicalType\":\"map\"}")
#define LIST(id, name, element, type)                                                                                  \
    OPTIONAL(id, name, "{\"type\":\"array\",\"items\":" type ",\"element-id\":" #element "}")

/* clang-format off */
static const char list_avro[] =
    "{\"type\":\"record\",\"name\":\"manifest_file\",\"fields\":["
    REQUIRED(500, "manifest_path", "\"string\"") ","
    REQUIRED(501, "manifest_length", "\"long\"") ","
    REQUIRED(502, "partition_spec_id", "\"int\"") ","
    REQUIRED(517, "content", "\"int\"") ","
    REQUIRED(515, "sequence_number", "\"long\"") ","
    REQUIRED(516, "min_sequence_number", "\"long\"") ","
    REQUIRED(503, "added_snapshot_id", "\"long\"") ","
    REQUIRED(504, "added_files_count", "\"int\"") ","
    REQUIRED(505, "existing_files_count", "\"int\"") ","
    REQUIRED(506, "deleted_files_count", "\"int\"") ","
    REQUIRED(512, "added_rows_count", "\"long\"") ","
    REQUIRED(513, "existing_rows_count", "\"long\"") ","
    REQUIRED(514, "deleted_rows_count", "\"long\"") ","
    LIST(507, "partitions", 508,
         "{\"type\":\"record\",\"name\":\"r508\",\"fields\":["
         REQUIRED(509, "contains_null", "\"boolean\"") ","
         OPTIONAL(518, "contains_nan", "\"boolean\"") ","
         OPTIONAL(510, "lower_bound", "\"bytes\"") ","
         OPTIONAL(511, "upper_bound", "\"bytes\"") "]}") ","
    OPTIONAL(519, "key_metadata", "\"bytes\"") "]}";

static const char entry_avro_head[] =
    "{\"type\":\"record\",\"name\":\"manifest_entry\",\"fields\":["
    REQUIRED(0, "status", "\"int\"") ","
    OPTIONAL(1, "snapshot_id", "\"long\"") ","
    OPTIONAL(3, "sequence_number", "\"long\"") ","
    OPTIONAL(4, "file_sequence_number", "\"long\"") ","
    "{\"name\":\"data_file\",\"type\":{\"type\":\"record\",\"name\":\"r2\",\"fields\":["
    REQUIRED(134, "content", "\"int\"") ","
    REQUIRED(100, "file_path", "\"string\"") ","
    REQUIRED(101, "file_format", "\"string\"") ","
    "{\"name\":\"partition\",\"type\":{\"type\":\"record\",\"name\":\"r102\",\"fields\":[";
static const char entry_avro_tail[] =
    "]},\"field-id\":102},"
    REQUIRED(103, "record_count", "\"long\"") ","
    REQUIRED(104, "file_size_in_bytes", "\"long\"") ","
    INT_MAP(108, "column_sizes", 117, 118, "\"long\"") ","
    INT_MAP(109, "value_counts", 119, 120, "\"long\"") ","
    INT_MAP(110, "null_value_counts", 121, 122, "\"long\"") ","
    INT_MAP(137, "nan_value_counts", 138, 139, "\"long\"") ","
    INT_MAP(125, "lower_bounds", 126, 127, "\"bytes\"") ","
    INT_MAP(128, "upper_bounds", 129, 130, "\"bytes\"") ","
    OPTIONAL(131, "key_metadata", "\"bytes\"") ","
    LIST(132, "split_offsets", 133, "\"long\"") ","
    LIST(135, "equality_ids", 136, "\"int\"") ","
    OPTIONAL(140, "sort_order_id", "\"int\"") ","
    OPTIONAL(143, "referenced_data_file", "\"string\"")
    "]},\"field-id\":2}]}";

/* The same as Iceberg schemas, for the metadata key iceberg.schema. */
#define ICE(id, name, required, type) \
    "{\"id\":" #id ",\"name\":\"" name "\",\"required\":" #required ",\"type\":" type "}"
#define ICE_MAP(id, name, key, value, type)                                                       \
    ICE(id, name, false,                                                                          \
        "{\"type\":\"map\",\"key-id\":" #key ",\"key\":\"int\",\"value-id\":" #value ",\"value\":" type \
        ",\"value-required\":true}")
#define ICE_LIST(id, name, element, type)                                                   \
    ICE(id, name, false, "{\"type\":\"list\",\"element-id\":" #element ",\"element\":" type \
                         ",\"element-required\":true}")

static const char list_iceberg[] =
    "{\"type\":\"struct\",\"schema-id\":0,\"fields\":["
    ICE(500, "manifest_path", true, "\"string\"") ","
    ICE(501, "manifest_length", true, "\"long\"") ","
    ICE(502, "partition_spec_id", true, "\"int\"") ","
    ICE(517, "content", true, "\"int\"") ","
    ICE(515, "sequence_number", true, "\"long\"") ","
    ICE(516, "min_sequence_number", true, "\"long\"") ","
    ICE(503, "added_snapshot_id", true, "\"long\"") ","
    ICE(504, "added_files_count", true, "\"int\"") ","
    ICE(505, "existing_files_count", true, "\"int\"") ","
    ICE(506, "deleted_files_count", true, "\"int\"") ","
    ICE(512, "added_rows_count", true, "\"long\"") ","
    ICE(513, "existing_rows_count", true, "\"long\"") ","
    ICE(514, "deleted_rows_count", true, "\"long\"") ","
    ICE_LIST(507, "partitions", 508,
             "{\"type\":\"struct\",\"fields\":["
             ICE(509, "contains_null", true, "\"boolean\"") ","
             ICE(518, "contains_nan", false, "\"boolean\"") ","
             ICE(510, "lower_bound", false, "\"binary\"") ","
             ICE(511, "upper_bound", false, "\"binary\"") "]}") ","
    ICE(519, "key_metadata", false, "\"binary\"") "]}";

static const char entry_iceberg_head[] =
    "{\"type\":\"struct\",\"schema-id\":0,\"fields\":["
    ICE(0, "status", true, "\"int\"") ","
    ICE(1, "snapshot_id", false, "\"long\"") ","
    ICE(3, "sequence_number", false, "\"long\"") ","
    ICE(4, "file_sequence_number", false, "\"long\"") ","
    "{\"id\":2,\"name\":\"data_file\",\"required\":true,\"type\":{\"type\":\"struct\",\"fields\":["
    ICE(134, "content", true, "\"int\"") ","
    ICE(100, "file_path", true, "\"string\"") ","
    ICE(101, "file_format", true, "\"string\"") ","
    "{\"id\":102,\"name\":\"partition\",\"required\":true,\"type\":{\"type\":\"struct\",\"fields\":[";
static const char entry_iceberg_tail[] =
    "]}},"
    ICE(103, "record_count", true, "\"long\"") ","
    ICE(104, "file_size_in_bytes", true, "\"long\"") ","
    ICE_MAP(108, "column_sizes", 117, 118, "\"long\"") ","
    ICE_MAP(109, "value_counts", 119, 120, "\"long\"") ","
    ICE_MAP(110, "null_value_counts", 121, 122, "\"long\"") ","
    ICE_MAP(137, "nan_value_counts", 138, 139, "\"long\"") ","
    ICE_MAP(125, "lower_bounds", 126, 127, "\"binary\"") ","
    ICE_MAP(128, "upper_bounds", 129, 130, "\"binary\"") ","
    ICE(131, "key_metadata", false, "\"binary\"") ","
    ICE_LIST(132, "split_offsets", 133, "\"long\"") ","
    ICE_LIST(135, "equality_ids", 136, "\"int\"") ","
    ICE(140, "sort_order_id", false, "\"int\"") ","
    ICE(143, "referenced_data_file", false, "\"string\"")
    "]}}]}";

/* clang-format on */

/* An Avro name of a partition field: other characters become _x<HEX>, a leading digit gets '_' before it. */
static void put_avro_name(struct buf *out, const char *name)
{
    for (const char *p = name; *p; p++) {
        char c = *p;
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_', digit = c >= '0' && c <= '9';
        if (letter || (digit && p > name))
            buf_putc(out, c);
        else if (digit)
            buf_printf(out, "_%c", c);
        else
            buf_printf(out, "_x%X", (unsigned)(uint8_t)c);
    }
}

static enum rc partition_schemas(const struct iceberg_table *table, struct buf *avro, struct buf *iceberg,
                                 struct err *err)
{
    struct iceberg_type type;

    for (size_t i = 0; i < table->partition_count; i++) {
        const struct iceberg_partition_field *f = &table->partition[i];
        if (!iceberg_type_parse(f->result_type, &type))
            return err_set(err, RC_BAD_INPUT, "cannot write into '%s': partition field '%s' (%s) has no known type",
                           table->location, f->name, f->transform);
        CLEANUP(buf_free) struct buf name = { 0 };
        put_avro_name(&name, f->name);
        buf_printf(avro, "%s{\"name\":\"%s\",\"type\":[\"null\",", i ? "," : "", buf_cstr(&name));
        iceberg_type_avro(&type, f->id, avro);
        buf_printf(avro, "],\"default\":null,\"field-id\":%d", f->id);
        if (!str_is(buf_str(&name), f->name)) {
            buf_puts(avro, ",\"iceberg-field-name\":");
            avro_json_print_str(str_of(f->name), avro);
        }
        buf_putc(avro, '}');
        buf_printf(iceberg, "%s{\"id\":%d,\"name\":", i ? "," : "", f->id);
        avro_json_print_str(str_of(f->name), iceberg);
        buf_printf(iceberg, ",\"required\":false,\"type\":\"%s\"}", f->result_type);
    }
    return RC_OK;
}

/* ------------------------------------------------------------- manifest list */

static void write_optional_bytes(struct buf *out, struct str s)
{
    avro_write_long(out, s.p ? 1 : 0);
    if (s.p)
        avro_write_bytes(out, s);
}

static void write_ranges(struct buf *out, const struct manifest *row)
{
    avro_write_long(out, row->has_ranges ? 1 : 0);
    if (!row->has_ranges)
        return;
    if (row->range_count)
        avro_write_long(out, (int64_t)row->range_count);
    for (size_t i = 0; i < row->range_count; i++) {
        const struct manifest_range *range = &row->ranges[i];
        avro_write_bool(out, range->contains_null);
        avro_write_long(out, range->contains_nan >= 0 ? 1 : 0);
        if (range->contains_nan >= 0)
            avro_write_bool(out, range->contains_nan > 0);
        write_optional_bytes(out, range->lower);
        write_optional_bytes(out, range->upper);
    }
    avro_write_long(out, 0);
}

static void write_list_row(struct buf *out, const struct manifest *row)
{
    avro_write_bytes(out, str_of(row->path));
    avro_write_long(out, row->length);
    avro_write_long(out, row->spec_id);
    avro_write_long(out, row->content);
    avro_write_long(out, row->sequence_number);
    avro_write_long(out, row->min_sequence_number);
    avro_write_long(out, row->added_snapshot_id);
    for (int i = 0; i < 3; i++)
        avro_write_long(out, MAX(row->files[i], (int64_t)0));
    for (int i = 0; i < 3; i++)
        avro_write_long(out, MAX(row->rows[i], (int64_t)0));
    write_ranges(out, row);
    write_optional_bytes(out, row->key_metadata);
}

enum rc manifest_list_write(const struct manifest_list_head *head, const struct manifest *rows, size_t count,
                            struct buf *out, struct err *err)
{
    CLEANUP_FREE char *id = mem_printf("%lld", (long long)head->snapshot_id);
    CLEANUP_FREE char *parent =
        head->parent_id == -1 ? mem_strdup("null") : mem_printf("%lld", (long long)head->parent_id);
    CLEANUP_FREE char *sequence = mem_printf("%lld", (long long)head->sequence_number);
    const struct avro_metadata metadata[] = {
        { STR("format-version"), STR("2") },
        { STR("snapshot-id"), str_of(id) },
        { STR("parent-snapshot-id"), str_of(parent) },
        { STR("sequence-number"), str_of(sequence) },
        { STR("iceberg.schema"), str_of(list_iceberg) },
    };
    struct avro_file_options options = { .schema = str_of(list_avro),
                                         .codec = AVRO_CODEC_DEFLATE,
                                         .level = DEFLATE_LEVEL,
                                         .metadata = metadata,
                                         .metadata_count = ARRAY_LEN(metadata) };
    CLEANUP(avro_file_writer_free) struct avro_file_writer writer = { 0 };
    CLEANUP(buf_free) struct buf row = { 0 };

    random_bytes(options.sync, sizeof options.sync);
    enum rc rc = avro_file_begin(&writer, &options, out, err);
    for (size_t i = 0; i < count && !rc; i++) {
        buf_clear(&row);
        write_list_row(&row, &rows[i]);
        rc = buf_failed(&row) ? err_set(err, RC_FULL, "a row of the manifest list is too large")
                              : avro_file_add(&writer, buf_str(&row), err);
    }
    return rc ? rc : avro_file_flush(&writer, err);
}

/* ------------------------------------------------------------- manifest */

static void write_number_map(struct buf *out, const struct iceberg_new_file *file, size_t offset)
{
    size_t n = 0;

    for (size_t i = 0; i < file->metric_count; i++)
        n += *(const int64_t *)(const void *)((const char *)&file->metrics[i] + offset) >= 0;
    avro_write_long(out, n ? 1 : 0);
    if (!n)
        return;
    avro_write_long(out, (int64_t)n);
    for (size_t i = 0; i < file->metric_count; i++) {
        int64_t v = *(const int64_t *)(const void *)((const char *)&file->metrics[i] + offset);
        if (v < 0)
            continue;
        avro_write_long(out, file->metrics[i].column_id);
        avro_write_long(out, v);
    }
    avro_write_long(out, 0);
}

static void write_bounds_map(struct buf *out, const struct iceberg_new_file *file, bool upper)
{
    size_t n = 0;

    for (size_t i = 0; i < file->metric_count; i++)
        n += (upper ? file->metrics[i].upper : file->metrics[i].lower).p != NULL;
    avro_write_long(out, n ? 1 : 0);
    if (!n)
        return;
    avro_write_long(out, (int64_t)n);
    for (size_t i = 0; i < file->metric_count; i++) {
        struct str bound = upper ? file->metrics[i].upper : file->metrics[i].lower;
        if (!bound.p)
            continue;
        avro_write_long(out, file->metrics[i].column_id);
        avro_write_bytes(out, bound);
    }
    avro_write_long(out, 0);
}

static bool write_partition(struct buf *out, const struct iceberg_table *table, const struct iceberg_new_file *file)
{
    struct iceberg_type type;

    for (size_t i = 0; i < table->partition_count; i++) {
        avro_write_long(out, file->partition[i].p ? 1 : 0);
        if (file->partition[i].p && (!iceberg_type_parse(table->partition[i].result_type, &type) ||
                                     !iceberg_type_write_avro(&type, file->partition[i], out)))
            return false;
    }
    return true;
}

static enum rc write_entry(struct buf *out, const struct iceberg_table *table, int64_t snapshot_id,
                           const struct iceberg_new_file *file, struct err *err)
{
    enum { NULLS_AT_END = 5 }; /* key_metadata, split_offsets, equality_ids, sort_order_id, referenced_data_file */

    avro_write_long(out, STATUS_ADDED);
    avro_write_long(out, 1);
    avro_write_long(out, snapshot_id);
    avro_write_long(out, 0); /* sequence_number: inherited */
    avro_write_long(out, 0); /* file_sequence_number: inherited */
    avro_write_long(out, ICEBERG_DATA);
    avro_write_bytes(out, str_of(file->path));
    avro_write_bytes(out, STR("PARQUET"));
    if (!write_partition(out, table, file))
        return err_set(err, RC_FATAL, "a partition value of '%s' does not fit its type", file->path);
    avro_write_long(out, file->records);
    avro_write_long(out, (int64_t)file->size);
    write_number_map(out, file, offsetof(struct iceberg_metric, size));
    write_number_map(out, file, offsetof(struct iceberg_metric, values));
    write_number_map(out, file, offsetof(struct iceberg_metric, nulls));
    avro_write_long(out, 0); /* nan_value_counts: not known */
    write_bounds_map(out, file, false);
    write_bounds_map(out, file, true);
    for (int i = 0; i < NULLS_AT_END; i++)
        avro_write_long(out, 0);
    return buf_failed(out) ? err_set(err, RC_FULL, "the manifest entry of '%s' is too large", file->path) : RC_OK;
}

/* Partition ranges over all files: not cut, so that lower <= all <= upper holds exactly. */
static void fill_ranges(const struct iceberg_table *table, const struct iceberg_append *append, struct manifest *row,
                        struct arena *arena)
{
    row->has_ranges = true;
    row->range_count = table->partition_count;
    row->ranges = arena_array(arena, MAX(table->partition_count, (size_t)1), sizeof *row->ranges);
    for (size_t k = 0; row->ranges && k < table->partition_count; k++) {
        struct manifest_range *range = &row->ranges[k];
        struct iceberg_type type;
        if (!iceberg_type_parse(table->partition[k].result_type, &type))
            continue;
        range->contains_nan = type.kind == ICEBERG_FLOAT || type.kind == ICEBERG_DOUBLE ? -1 : 0;
        for (size_t i = 0; i < append->file_count; i++) {
            struct str v = append->files[i].partition[k];
            if (!v.p) {
                range->contains_null = true;
                continue;
            }
            if (!range->lower.p || iceberg_value_compare(&type, v, range->lower) < 0)
                range->lower = v;
            if (!range->upper.p || iceberg_value_compare(&type, v, range->upper) > 0)
                range->upper = v;
        }
    }
}

static enum rc write_entries(const struct iceberg_table *table, const struct iceberg_append *append,
                             struct avro_file_writer *writer, struct manifest *row, struct err *err)
{
    CLEANUP(buf_free) struct buf entry = { 0 };
    enum rc rc = RC_OK;

    for (size_t i = 0; i < append->file_count && !rc; i++) {
        buf_clear(&entry);
        rc = write_entry(&entry, table, append->snapshot_id, &append->files[i], err);
        if (!rc)
            rc = avro_file_add(writer, buf_str(&entry), err);
        row->files[0]++;
        row->rows[0] += append->files[i].records;
    }
    return rc ? rc : avro_file_flush(writer, err);
}

enum rc manifest_write(const struct iceberg_table *table, const struct iceberg_append *append, struct buf *out,
                       struct manifest *row, struct arena *arena, struct err *err)
{
    CLEANUP(buf_free) struct buf avro = { 0 };
    CLEANUP(buf_free) struct buf iceberg = { 0 };
    const json_t *m = table->metadata;
    const json_t *spec = table_member_by_id(json_object_get(m, "partition-specs"), "spec-id", table->spec_id);
    const json_t *schema = table_member_by_id(json_object_get(m, "schemas"), "schema-id", table->schema_id);
    CLEANUP_FREE char *schema_text = json_dumps(schema, JSON_COMPACT);
    CLEANUP_FREE char *spec_text = json_dumps(json_object_get(spec, "fields"), JSON_COMPACT);
    CLEANUP_FREE char *schema_id = mem_printf("%d", table->schema_id);
    CLEANUP_FREE char *spec_id = mem_printf("%d", table->spec_id);
    CLEANUP(avro_file_writer_free) struct avro_file_writer writer = { 0 };

    *row = (struct manifest){ .spec_id = table->spec_id, .added_snapshot_id = append->snapshot_id };
    buf_puts(&avro, entry_avro_head);
    buf_puts(&iceberg, entry_iceberg_head);
    enum rc rc = partition_schemas(table, &avro, &iceberg, err);
    buf_puts(&avro, entry_avro_tail);
    buf_puts(&iceberg, entry_iceberg_tail);
    if (!rc && (!schema_text || !spec_text))
        rc = err_set(err, RC_BAD_INPUT, "cannot write into '%s': its schema or partition spec is missing",
                     table->location);
    const struct avro_metadata metadata[] = {
        { STR("schema"), str_of(schema_text) },       { STR("schema-id"), str_of(schema_id) },
        { STR("partition-spec"), str_of(spec_text) }, { STR("partition-spec-id"), str_of(spec_id) },
        { STR("format-version"), STR("2") },          { STR("content"), STR("data") },
        { STR("iceberg.schema"), buf_str(&iceberg) },
    };
    struct avro_file_options options = { .schema = buf_str(&avro),
                                         .codec = AVRO_CODEC_DEFLATE,
                                         .level = DEFLATE_LEVEL,
                                         .metadata = metadata,
                                         .metadata_count = ARRAY_LEN(metadata) };
    random_bytes(options.sync, sizeof options.sync);
    if (!rc)
        rc = avro_file_begin(&writer, &options, out, err);
    if (!rc)
        rc = write_entries(table, append, &writer, row, err);
    if (!rc)
        fill_ranges(table, append, row, arena);
    row->length = (int64_t)out->len;
    return rc;
}
