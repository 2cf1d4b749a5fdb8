/*
 * Table metadata: JSON in, views on it out; new tables; added columns.  The JSON object stays the truth,
 * so that what other writers put there survives our commits; the arrays of struct iceberg_table are only
 * read off it.  Nothing here does I/O.
 */
#include "lake/iceberg/table.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lake/iceberg/type.h"

enum { FIRST_PARTITION_ID = 1000, FORMAT_VERSION = 2 };

static enum rc broken(struct err *err, const char *what)
{
    return err_set(err, RC_BAD_INPUT, "table metadata is broken: %s", what);
}

static int64_t integer_or(const json_t *object, const char *name, int64_t fallback)
{
    const json_t *v = json_object_get(object, name);

    return json_is_integer(v) ? json_integer_value(v) : fallback;
}

static const char *text_or(const json_t *object, const char *name, const char *fallback)
{
    const char *text = json_string_value(json_object_get(object, name));

    return text ? text : fallback;
}

const json_t *table_member_by_id(const json_t *list, const char *id_name, int64_t id)
{
    size_t i;
    json_t *member;

    json_array_foreach((json_t *)list, i, member)
        if (integer_or(member, id_name, -1) == id)
            return member;
    return NULL;
}

/* Names of types may hold blanks: "decimal(9, 2)" is decimal(9,2). */
static char *type_text(const json_t *type)
{
    struct iceberg_type parsed;
    const char *name = json_string_value(type);

    if (!name)
        return json_dumps(type, JSON_COMPACT);
    if (iceberg_type_parse(name, &parsed) && parsed.kind == ICEBERG_DECIMAL)
        return mem_printf("decimal(%d,%d)", parsed.precision, parsed.scale);
    return mem_strdup(name);
}

static enum rc read_columns(struct iceberg_table *table, struct err *err)
{
    const json_t *schemas = json_object_get(table->metadata, "schemas"), *schema;
    size_t i;
    json_t *field;

    table->schema_id = (int)integer_or(table->metadata, "current-schema-id", 0);
    schema = schemas ? table_member_by_id(schemas, "schema-id", table->schema_id)
                     : json_object_get(table->metadata, "schema");
    const json_t *fields = json_object_get(schema, "fields");
    if (!json_is_array(fields) || json_array_size(fields) > ICEBERG_COLUMNS_MAX)
        return broken(err, "no current schema, or too many columns");
    table->columns = NEW_ARRAY(struct iceberg_column, json_array_size(fields) + 1);
    json_array_foreach((json_t *)fields, i, field) {
        const char *name = text_or(field, "name", NULL), *doc = text_or(field, "doc", NULL);
        const json_t *type = json_object_get(field, "type");
        int64_t id = integer_or(field, "id", -1);
        if (!name || !type || id < 0 || id > INT32_MAX)
            return broken(err, "a column without id, name or type");
        table->columns[table->column_count++] =
            (struct iceberg_column){ .id = (int)id,
                                     .name = mem_strdup(name),
                                     .type = type_text(type),
                                     .required = json_is_true(json_object_get(field, "required")),
                                     .doc = mem_strdup(doc) };
    }
    return RC_OK;
}

/* The partition fields of one spec.  Owned by the caller; sources that were dropped have result type "unknown". */
enum rc table_spec_read(const struct iceberg_table *table, int spec_id, struct iceberg_partition_field **out,
                        size_t *count, struct err *err)
{
    const json_t *specs = json_object_get(table->metadata, "partition-specs");
    const json_t *fields = specs ? json_object_get(table_member_by_id(specs, "spec-id", spec_id), "fields")
                                 : json_object_get(table->metadata, "partition-spec");
    size_t i;
    json_t *field;

    *out = NULL;
    *count = 0;
    if (!json_is_array(fields) || json_array_size(fields) > ICEBERG_PARTITION_FIELDS_MAX)
        return broken(err, "a partition spec is missing, or has too many fields");
    *out = NEW_ARRAY(struct iceberg_partition_field, json_array_size(fields) + 1);
    json_array_foreach((json_t *)fields, i, field) {
        const char *name = text_or(field, "name", NULL), *transform = text_or(field, "transform", NULL);
        int64_t source = integer_or(field, "source-id", -1);
        if (!name || !transform || source < 0 || source > INT32_MAX)
            return broken(err, "a partition field without name, transform or source");
        const struct iceberg_column *column = iceberg_column_by_id(table, (int)source);
        const char *type = column ? iceberg_transform_type(transform, column->type) : NULL;
        (*out)[(*count)++] =
            (struct iceberg_partition_field){ .id = (int)integer_or(field, "field-id", FIRST_PARTITION_ID + (int64_t)i),
                                              .source_id = (int)source,
                                              .name = mem_strdup(name),
                                              .transform = mem_strdup(transform),
                                              .result_type = mem_strdup(type ? type : "unknown") };
    }
    return RC_OK;
}

void table_spec_free(struct iceberg_partition_field *fields, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        free(fields[i].name);
        free(fields[i].transform);
        free(fields[i].result_type);
    }
    free(fields);
}

static enum rc read_snapshots(struct iceberg_table *table, struct err *err)
{
    const json_t *list = json_object_get(table->metadata, "snapshots");
    int64_t current = integer_or(table->metadata, "current-snapshot-id", -1); /* -1, null, absent: none */
    size_t i;
    json_t *s;

    table->snapshots = NEW_ARRAY(struct iceberg_snapshot, json_array_size(list) + 1);
    json_array_foreach((json_t *)list, i, s) {
        const json_t *summary = json_object_get(s, "summary");
        table->snapshots[table->snapshot_count++] =
            (struct iceberg_snapshot){ .id = integer_or(s, "snapshot-id", -1),
                                       .parent_id = integer_or(s, "parent-snapshot-id", -1),
                                       .sequence_number = integer_or(s, "sequence-number", 0),
                                       .timestamp_ms = integer_or(s, "timestamp-ms", 0),
                                       .operation = text_or(summary, "operation", ""),
                                       .manifest_list = text_or(s, "manifest-list", ""),
                                       .summary = summary };
    }
    if (current == -1)
        return RC_OK;
    table->current = iceberg_snapshot_by_id(table, current);
    return table->current ? RC_OK : broken(err, "the current snapshot is not in the list");
}

static void forget_views(struct iceberg_table *table)
{
    for (size_t i = 0; i < table->column_count; i++) {
        free(table->columns[i].name);
        free(table->columns[i].type);
        free(table->columns[i].doc);
    }
    free(table->columns);
    table_spec_free(table->partition, table->partition_count);
    free(table->snapshots);
    free(table->uuid);
    table->uuid = NULL;
    table->columns = NULL;
    table->partition = NULL;
    table->snapshots = NULL;
    table->current = NULL;
    table->column_count = table->partition_count = table->snapshot_count = 0;
}

enum rc table_refresh(struct iceberg_table *table, struct err *err)
{
    const char *uuid = text_or(table->metadata, "table-uuid", "");

    forget_views(table);
    table->uuid = mem_strdup(uuid);
    table->format_version = (int)integer_or(table->metadata, "format-version", 0);
    if (table->format_version < 1 || table->format_version > 3)
        return err_set(err, RC_BAD_INPUT, "table metadata has format version %d; versions 1 to 3 are readable",
                       table->format_version);
    table->spec_id = (int)integer_or(table->metadata, "default-spec-id", 0);
    table->last_sequence_number = integer_or(table->metadata, "last-sequence-number", 0);
    enum rc rc = read_columns(table, err);
    if (!rc)
        rc = table_spec_read(table, table->spec_id, &table->partition, &table->partition_count, err);
    return rc ? rc : read_snapshots(table, err);
}

enum rc iceberg_parse(struct str json, const char *location, struct iceberg_table **out, struct err *err)
{
    json_error_t why;
    struct iceberg_table *table = NEW(struct iceberg_table);
    enum rc rc = RC_OK;

    table->metadata = json_loadb(json.p ? json.p : "", json.len, 0, &why);
    if (!json_is_object(table->metadata))
        rc = err_set(err, RC_BAD_INPUT, "table metadata is not a JSON object: line %d: %s", why.line, why.text);
    const char *own = text_or(table->metadata, "location", NULL);
    if (!rc && !own)
        rc = broken(err, "it has no location");
    if (!rc) {
        rc = iceberg_split_location(location ? location : own, &table->bucket, &table->key, err);
        table->location = mem_strdup(own);
        for (size_t n = strlen(own); n > 0 && own[n - 1] == '/'; n--)
            table->location[n - 1] = '\0';
    }
    if (!rc)
        rc = table_refresh(table, err);
    if (rc) {
        iceberg_close(table);
        return rc;
    }
    *out = table;
    return RC_OK;
}

void iceberg_close(struct iceberg_table *table)
{
    if (!table)
        return;
    forget_views(table);
    json_decref(table->metadata);
    free(table->location);
    free(table->bucket);
    free(table->key);
    free(table);
}

const char *iceberg_property(const struct iceberg_table *table, const char *name)
{
    return text_or(json_object_get(table->metadata, "properties"), name, NULL);
}

const struct iceberg_snapshot *iceberg_snapshot_by_id(const struct iceberg_table *table, int64_t id)
{
    for (size_t i = table->snapshot_count; i-- > 0;)
        if (table->snapshots[i].id == id)
            return &table->snapshots[i];
    return NULL;
}

const struct iceberg_column *iceberg_column_by_id(const struct iceberg_table *table, int id)
{
    for (size_t i = 0; i < table->column_count; i++)
        if (table->columns[i].id == id)
            return &table->columns[i];
    return NULL;
}

const struct iceberg_column *iceberg_column_by_name(const struct iceberg_table *table, const char *name)
{
    for (size_t i = 0; i < table->column_count; i++)
        if (strcmp(table->columns[i].name, name) == 0)
            return &table->columns[i];
    return NULL;
}

const char *iceberg_summary_walk(const struct iceberg_table *table, const struct iceberg_snapshot *from,
                                 const char *name, bool *broken_chain)
{
    *broken_chain = false;
    for (size_t steps = 0; from && steps <= table->snapshot_count; steps++) {
        const char *value = text_or(from->summary, name, NULL);
        if (value)
            return value;
        if (from->parent_id == -1)
            return NULL;
        from = iceberg_snapshot_by_id(table, from->parent_id);
    }
    *broken_chain = true;
    return NULL;
}

/* ------------------------------------------------------------- new tables */

static json_t *field_json(int id, const struct iceberg_new_column *column)
{
    return json_pack("{s:i, s:s, s:b, s:s}", "id", id, "name", column->name, "required", column->required, "type",
                     column->type);
}

static enum rc new_schema(const struct iceberg_new_table *want, json_t *metadata, struct err *err)
{
    json_t *fields = json_array();
    struct iceberg_type type;

    json_object_set_new(metadata, "current-schema-id", json_integer(0));
    json_object_set_new(metadata, "schemas",
                        json_pack("[{s:s, s:i, s:o}]", "type", "struct", "schema-id", 0, "fields", fields));
    for (size_t i = 0; i < want->column_count; i++) {
        if (!iceberg_type_parse(want->columns[i].type, &type))
            return err_set(err, RC_BAD_INPUT, "column '%s' has type '%s', which is not an Iceberg type",
                           want->columns[i].name, want->columns[i].type);
        json_array_append_new(fields, field_json((int)i + 1, &want->columns[i]));
    }
    return RC_OK;
}

/* Java's names: event_date, ts_day, id_bucket_16. */
static char *partition_name(const struct iceberg_new_field *field)
{
    int width = 0;

    if (strcmp(field->transform, "identity") == 0)
        return mem_strdup(field->column);
    if (sscanf(field->transform, "bucket[%d]", &width) == 1)
        return mem_printf("%s_bucket_%d", field->column, width);
    if (sscanf(field->transform, "truncate[%d]", &width) == 1)
        return mem_printf("%s_trunc_%d", field->column, width);
    return mem_printf("%s_%s", field->column, field->transform);
}

static enum rc new_spec(const struct iceberg_new_table *want, json_t *metadata, struct err *err)
{
    json_t *fields = json_array();
    size_t source;

    json_object_set_new(metadata, "default-spec-id", json_integer(0));
    json_object_set_new(metadata, "partition-specs", json_pack("[{s:i, s:o}]", "spec-id", 0, "fields", fields));
    for (size_t i = 0; i < want->partition_count; i++) {
        const struct iceberg_new_field *field = &want->partition[i];
        for (source = 0; source < want->column_count; source++)
            if (strcmp(want->columns[source].name, field->column) == 0)
                break;
        if (source == want->column_count)
            return err_set(err, RC_BAD_INPUT, "cannot partition by '%s': there is no such column", field->column);
        if (!iceberg_transform_type(field->transform, want->columns[source].type))
            return err_set(err, RC_BAD_INPUT, "cannot partition by '%s': there is no transform '%s'", field->column,
                           field->transform);
        CLEANUP_FREE char *name = partition_name(field);
        json_array_append_new(fields, json_pack("{s:s, s:s, s:i, s:i}", "name", name, "transform", field->transform,
                                                "source-id", (int)source + 1, "field-id", FIRST_PARTITION_ID + (int)i));
    }
    json_object_set_new(metadata, "last-partition-id",
                        json_integer(FIRST_PARTITION_ID - 1 + (int64_t)want->partition_count));
    return RC_OK;
}

enum rc iceberg_new(const struct iceberg_new_table *want, struct iceberg_table **out, struct err *err)
{
    struct iceberg_table *table = NEW(struct iceberg_table);
    json_t *m = table->metadata = json_object();
    uint8_t id[16];
    char uuid[UUID_TEXT_LEN + 1];
    enum rc rc = iceberg_split_location(want->location, &table->bucket, &table->key, err);

    uuid_random(id);
    uuid_format(id, uuid);
    table->location = mem_strdup(want->location);
    for (size_t n = strlen(table->location); n > 0 && table->location[n - 1] == '/'; n--)
        table->location[n - 1] = '\0';
    json_object_set_new(m, "format-version", json_integer(FORMAT_VERSION));
    json_object_set_new(m, "table-uuid", json_string(uuid));
    json_object_set_new(m, "location", json_string(table->location));
    json_object_set_new(m, "last-sequence-number", json_integer(0));
    json_object_set_new(m, "last-updated-ms", json_integer(clock_wall_ms()));
    json_object_set_new(m, "last-column-id", json_integer((json_int_t)want->column_count));
    if (!rc)
        rc = new_schema(want, m, err);
    if (!rc)
        rc = new_spec(want, m, err);
    json_object_set_new(m, "default-sort-order-id", json_integer(0));
    json_object_set_new(m, "sort-orders", json_pack("[{s:i, s:[]}]", "order-id", 0, "fields"));
    json_t *properties = json_object();
    json_object_set_new(m, "properties", properties);
    for (size_t i = 0; i < want->property_count; i++)
        json_object_set_new(properties, want->properties[i].name, json_string(want->properties[i].value));
    json_object_set_new(m, "current-snapshot-id", json_integer(-1));
    json_object_set_new(m, "refs", json_object());
    static const char *const lists[] = { "snapshots", "statistics", "partition-statistics", "snapshot-log",
                                         "metadata-log" };
    for (size_t i = 0; i < ARRAY_LEN(lists); i++)
        json_object_set_new(m, lists[i], json_array());
    if (!rc)
        rc = table_refresh(table, err);
    if (rc) {
        iceberg_close(table);
        return rc;
    }
    *out = table;
    return RC_OK;
}

/* ------------------------------------------------------------- evolution */

static int64_t next_schema_id(const json_t *schemas)
{
    int64_t next = 0;
    size_t i;
    json_t *schema;

    json_array_foreach((json_t *)schemas, i, schema)
        next = MAX(next, integer_or(schema, "schema-id", 0) + 1);
    return next;
}

enum rc iceberg_add_columns(struct iceberg_table *table, const struct iceberg_new_column *columns, size_t count,
                            struct err *err)
{
    json_t *schemas = json_object_get(table->metadata, "schemas");
    const json_t *current = table_member_by_id(schemas, "schema-id", table->schema_id);
    int64_t last = integer_or(table->metadata, "last-column-id", 0), id = next_schema_id(schemas);
    struct iceberg_type type;

    if (!count)
        return RC_OK;
    if (!current || table->column_count + count > ICEBERG_COLUMNS_MAX)
        return err_set(err, RC_FULL, "cannot add %zu columns to '%s': it has %zu, the limit is %d", count,
                       table->location, table->column_count, ICEBERG_COLUMNS_MAX);
    json_t *schema = json_deep_copy(current);
    json_object_set_new(schema, "schema-id", json_integer(id));
    for (size_t i = 0; i < count; i++) {
        if (!iceberg_type_parse(columns[i].type, &type)) {
            json_decref(schema);
            return err_set(err, RC_BAD_INPUT, "column '%s' has type '%s', which is not an Iceberg type",
                           columns[i].name, columns[i].type);
        }
        struct iceberg_new_column optional = { columns[i].name, columns[i].type, false };
        json_array_append_new(json_object_get(schema, "fields"), field_json((int)++last, &optional));
    }
    json_array_append_new(schemas, schema);
    json_object_set_new(table->metadata, "current-schema-id", json_integer(id));
    json_object_set_new(table->metadata, "last-column-id", json_integer(last));
    return table_refresh(table, err);
}
