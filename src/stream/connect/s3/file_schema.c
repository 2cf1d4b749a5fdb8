/* Connect's schema properties added to an Avro schema, see file_schema.h. */
#include "stream/connect/s3/file_schema.h"

#include <stdlib.h>
#include <string.h>

#define PREFIX "io.confluent.connect.avro."

struct maker {
    const struct file_schema_options *options;
    struct map defined; /* full names */
};

static json_t *text_of(struct str s)
{
    return json_stringn_nocheck(s.p ? s.p : "", s.len);
}

static json_t *prop_copy(const struct avro_schema *schema, const char *name)
{
    return json_deep_copy(avro_schema_prop(schema, name)); /* NULL gives NULL */
}

static void set(json_t *object, const char *name, json_t *value)
{
    if (value)
        json_object_set_new_nocheck(object, name, value);
}

static void set_param(json_t *params, const char *prefix, struct str name, struct str value)
{
    CLEANUP_FREE char *key = mem_printf("%s%.*s", prefix, STR_ARG(name));

    if (value.p && !json_object_get(params, key))
        json_object_set_new_nocheck(params, key, text_of(value));
}

/* ------------------------------------------------------------ connect.parameters */

static void record_params(const struct avro_schema *schema, json_t *params)
{
    set_param(params, PREFIX "record.doc", STR(""), schema->doc);
    for (size_t i = 0; i < schema->field_count; i++)
        set_param(params, PREFIX "field.doc.", schema->fields[i].name, schema->fields[i].doc);
}

static void enum_params(const struct avro_schema *schema, json_t *params)
{
    set_param(params, PREFIX "enum.doc.", schema->name, schema->doc);
    set_param(params, PREFIX "Enum", STR(""), schema->full_name);
    for (size_t i = 0; i < schema->symbol_count; i++)
        set_param(params, PREFIX "Enum.", schema->symbols[i], schema->symbols[i]);
}

static void fixed_params(const struct avro_schema *schema, json_t *params)
{
    CLEANUP_FREE char *size = mem_printf("%lld", (long long)schema->size);

    set_param(params, "connect.fixed.size", STR(""), str_of(size));
}

enum { PRECISION_UNSAID = 64 };

static void decimal_params(const struct avro_schema *schema, json_t *params)
{
    CLEANUP_FREE char *scale = mem_printf("%d", schema->scale), *precision = mem_printf("%d", schema->precision);

    set_param(params, "scale", STR(""), str_of(scale));
    if (schema->precision != PRECISION_UNSAID)
        set_param(params, "connect.decimal.precision", STR(""), str_of(precision));
}

static json_t *params_of(const struct avro_schema *schema)
{
    json_t *params = prop_copy(schema, "connect.parameters");

    if (!json_is_object(params)) {
        json_decref(params);
        params = json_object();
    }
    if (schema->type == AVRO_RECORD)
        record_params(schema, params);
    else if (schema->type == AVRO_ENUM)
        enum_params(schema, params);
    else if (schema->type == AVRO_FIXED)
        fixed_params(schema, params);
    else if (schema->logical == AVRO_DECIMAL)
        decimal_params(schema, params);
    if (json_object_size(params))
        return params;
    json_decref(params);
    return NULL;
}

/* ------------------------------------------------------------ names and logical types */

/* Avro's logical types that Connect knows; the others are lost on the way. */
static const struct {
    enum avro_logical logical;
    const char *connect_name, *avro_name;
} logicals[] = {
    { AVRO_DATE, "org.apache.kafka.connect.data.Date", "date" },
    { AVRO_TIME_MILLIS, "org.apache.kafka.connect.data.Time", "time-millis" },
    { AVRO_TIMESTAMP_MILLIS, "org.apache.kafka.connect.data.Timestamp", "timestamp-millis" },
    { AVRO_DECIMAL, "org.apache.kafka.connect.data.Decimal", "decimal" },
};

static int logical_row(const struct avro_schema *schema)
{
    for (size_t i = 0; i < ARRAY_LEN(logicals); i++)
        if (logicals[i].logical == schema->logical && schema->type != AVRO_FIXED)
            return (int)i;
    return -1;
}

static bool is_named(const struct avro_schema *schema)
{
    return schema->type == AVRO_RECORD || schema->type == AVRO_ENUM || schema->type == AVRO_FIXED;
}

/* Names that AvroData gave to what had none. */
static bool is_made_up(const struct avro_schema *schema)
{
    return str_is(schema->full_name, PREFIX "ConnectDefault") || str_is(schema->full_name, PREFIX "MapEntry");
}

static json_t *connect_name(const struct avro_schema *schema)
{
    json_t *own = prop_copy(schema, "connect.name");
    int row = logical_row(schema);

    if (own)
        return own;
    if (is_named(schema))
        return is_made_up(schema) ? NULL : text_of(schema->full_name);
    return row >= 0 ? json_string(logicals[row].connect_name) : NULL;
}

static json_t *connect_version(const struct maker *maker, const struct avro_schema *schema, bool top)
{
    json_t *own = prop_copy(schema, "connect.version");

    if (own)
        return own;
    if (logical_row(schema) >= 0)
        return json_integer(1);
    return top && schema->type == AVRO_RECORD && maker->options->version > 0 ? json_integer(maker->options->version)
                                                                             : NULL;
}

/* In AvroData's order. */
static void put_props(const struct maker *maker, const struct avro_schema *schema, bool top, json_t *out)
{
    int row = logical_row(schema);

    if (row >= 0 && schema->logical == AVRO_DECIMAL) {
        set(out, "scale", json_integer(schema->scale));
        set(out, "precision", json_integer(schema->precision));
    }
    if (!maker->options->no_meta_data) {
        set(out, "connect.doc", prop_copy(schema, "connect.doc"));
        set(out, "connect.version", connect_version(maker, schema, top));
        set(out, "connect.parameters", params_of(schema));
        set(out, "connect.default", prop_copy(schema, "connect.default"));
        set(out, "connect.name", connect_name(schema));
        set(out, "connect.type", prop_copy(schema, "connect.type"));
    }
    if (row >= 0)
        set(out, "logicalType", json_string(logicals[row].avro_name));
}

/* ------------------------------------------------------------ the tree */

static json_t *make_node(struct maker *maker, const struct avro_schema *schema, bool top);

static bool begins_with_null(const struct avro_schema *schema)
{
    return schema->type == AVRO_UNION && schema->branch_count && schema->branches[0]->type == AVRO_NULL;
}

static json_t *make_fields(struct maker *maker, const struct avro_schema *schema)
{
    json_t *fields = json_array();

    for (size_t i = 0; i < schema->field_count; i++) {
        const struct avro_field *field = &schema->fields[i];
        json_t *out = json_object();
        set(out, "name", text_of(field->name));
        set(out, "type", make_node(maker, field->type, false));
        if (field->doc.p)
            set(out, "doc", text_of(field->doc));
        if (field->fallback)
            set(out, "default", json_deep_copy(field->fallback));
        else if (begins_with_null(field->type))
            set(out, "default", json_null());
        json_array_append_new(fields, out);
    }
    return fields;
}

static json_t *make_symbols(const struct avro_schema *schema)
{
    json_t *symbols = json_array();

    for (size_t i = 0; i < schema->symbol_count; i++)
        json_array_append_new(symbols, text_of(schema->symbols[i]));
    return symbols;
}

static json_t *make_named(struct maker *maker, const struct avro_schema *schema, bool top)
{
    if (map_get(&maker->defined, schema->full_name))
        return text_of(schema->full_name);
    map_put(&maker->defined, schema->full_name, maker);
    json_t *out = json_object();
    set(out, "type", json_string(avro_type_name(schema->type)));
    set(out, "name", text_of(schema->name));
    set(out, "namespace", text_of(schema->space));
    if (schema->doc.p)
        set(out, "doc", text_of(schema->doc));
    if (schema->type == AVRO_RECORD)
        set(out, "fields", make_fields(maker, schema));
    else if (schema->type == AVRO_ENUM)
        set(out, "symbols", make_symbols(schema));
    else
        set(out, "size", json_integer(schema->size));
    put_props(maker, schema, top, out);
    return out;
}

static json_t *make_union(struct maker *maker, const struct avro_schema *schema)
{
    json_t *out = json_array();

    for (size_t i = 0; i < schema->branch_count; i++)
        json_array_append_new(out, make_node(maker, schema->branches[i], false));
    return out;
}

static json_t *make_node(struct maker *maker, const struct avro_schema *schema, bool top)
{
    if (is_named(schema))
        return make_named(maker, schema, top);
    if (schema->type == AVRO_UNION)
        return make_union(maker, schema);
    json_t *out = json_object();
    set(out, "type", json_string(avro_type_name(schema->type)));
    if (schema->type == AVRO_ARRAY)
        set(out, "items", make_node(maker, schema->items, false));
    if (schema->type == AVRO_MAP)
        set(out, "values", make_node(maker, schema->items, false));
    put_props(maker, schema, top, out);
    return out;
}

enum rc file_schema_make(struct str schema, const struct file_schema_options *options, struct buf *out, struct err *err)
{
    struct avro_document *document = NULL, *made = NULL;
    enum rc rc = avro_schema_parse(schema, &document, err);

    if (rc)
        return rc;
    struct maker maker = { .options = options };
    json_t *tree = make_node(&maker, avro_root(document), true);
    char *text = json_dumps(tree, JSON_COMPACT | JSON_ENCODE_ANY);
    map_free(&maker.defined, NULL);
    json_decref(tree);
    avro_document_free(document);
    rc = avro_schema_parse(str_of(text), &made, err); /* to print it as Avro-Java does */
    free(text);
    if (rc)
        return rc;
    avro_schema_print(made, out);
    avro_document_free(made);
    return RC_OK;
}
