/* A Connect schema as JsonConverter writes it beside a payload, and back. */
#include <jansson.h>
#include <math.h>
#include <string.h>

#include "stream/connect/data/schema.h"
#include "stream/connect/data/text.h"

enum { JSON_SCHEMA_DEPTH_MAX = 64 };

static const char *const type_names[] = {
    [CONNECT_INT8] = "int8",       [CONNECT_INT16] = "int16",   [CONNECT_INT32] = "int32",
    [CONNECT_INT64] = "int64",     [CONNECT_FLOAT32] = "float", [CONNECT_FLOAT64] = "double",
    [CONNECT_BOOLEAN] = "boolean", [CONNECT_STRING] = "string", [CONNECT_BYTES] = "bytes",
    [CONNECT_ARRAY] = "array",     [CONNECT_MAP] = "map",       [CONNECT_STRUCT] = "struct",
};

static void put_text_member(struct buf *out, const char *name, const char *value)
{
    if (!value)
        return;
    buf_puts(out, name);
    text_json_string(out, str_of(value));
}

static void put_schema(struct buf *out, const struct connect_schema *schema, const char *field);

static void put_inner(struct buf *out, const struct connect_schema *schema)
{
    if (schema->type == CONNECT_STRUCT) {
        buf_puts(out, ",\"fields\":[");
        for (size_t i = 0; i < schema->field_count; i++) {
            if (i)
                buf_putc(out, ',');
            put_schema(out, schema->fields[i].schema, schema->fields[i].name);
        }
        buf_putc(out, ']');
    } else if (schema->type == CONNECT_ARRAY) {
        buf_puts(out, ",\"items\":");
        put_schema(out, schema->item, NULL);
    } else if (schema->type == CONNECT_MAP) {
        buf_puts(out, ",\"keys\":");
        put_schema(out, schema->key, NULL);
        buf_puts(out, ",\"values\":");
        put_schema(out, schema->item, NULL);
    }
}

static void put_schema(struct buf *out, const struct connect_schema *schema, const char *field)
{
    buf_puts(out, "{\"type\":\"");
    buf_puts(out, type_names[schema->type]);
    buf_putc(out, '"');
    put_inner(out, schema);
    buf_puts(out, schema->optional ? ",\"optional\":true" : ",\"optional\":false");
    put_text_member(out, ",\"name\":", schema->name);
    if (schema->version) {
        buf_puts(out, ",\"version\":");
        text_int(out, schema->version);
    }
    put_text_member(out, ",\"doc\":", schema->doc);
    for (size_t i = 0; i < schema->parameter_count; i++) {
        buf_puts(out, i ? "," : ",\"parameters\":{");
        text_json_string(out, str_of(schema->parameters[i].name));
        buf_putc(out, ':');
        text_json_string(out, str_of(schema->parameters[i].value));
    }
    if (schema->parameter_count)
        buf_putc(out, '}');
    if (schema->fallback.present) {
        buf_puts(out, ",\"default\":");
        text_json_default(out, schema, text_json_base64);
    }
    put_text_member(out, ",\"field\":", field);
    buf_putc(out, '}');
}

void connect_schema_to_json(const struct connect_schema *schema, struct buf *out)
{
    put_schema(out, schema, NULL);
}

/* ------------------------------------------------------------------ read */

static enum rc read_schema(const json_t *json, int depth, struct connect_schema **out, struct err *err);

static enum rc read_default(const json_t *json, struct connect_schema *schema, struct err *err)
{
    CLEANUP(buf_free) struct buf bytes = { 0 };
    const char *text = json_string_value(json);

    if (!json || json_is_null(json))
        return RC_OK;
    if (schema->type == CONNECT_STRING && text) {
        connect_schema_default_bytes(schema, text, json_string_length(json));
    } else if (schema->type == CONNECT_BYTES && text && decode_base64(str_of(text), &bytes)) {
        connect_schema_default_bytes(schema, buf_cstr(&bytes), bytes.len);
    } else if (schema->type == CONNECT_BOOLEAN && json_is_boolean(json)) {
        connect_schema_default_int(schema, json_is_true(json));
    } else if (schema->type <= CONNECT_INT64 && json_is_integer(json)) {
        connect_schema_default_int(schema, json_integer_value(json));
    } else if (schema->type == CONNECT_FLOAT32 || schema->type == CONNECT_FLOAT64) {
        double v = json_number_value(json);
        if (text)
            v = strcmp(text, "NaN") == 0 ? (double)NAN : *text == '-' ? (double)-INFINITY : (double)INFINITY;
        connect_schema_default_real(schema, v);
    } else if (schema->type < CONNECT_ARRAY) {
        return err_set(err, RC_BAD_INPUT, "cannot read a schema: the default does not fit its type '%s'",
                       type_names[schema->type]);
    } /* defaults of arrays, maps and structs are not kept */
    return RC_OK;
}

static enum rc read_fields(const json_t *json, int depth, struct connect_schema *schema, struct err *err)
{
    size_t i;
    const json_t *item;

    json_array_foreach(json_object_get(json, "fields"), i, item) {
        const char *name = json_string_value(json_object_get(item, "field"));
        struct connect_schema *field = NULL;
        enum rc rc = read_schema(item, depth, &field, err);
        if (rc)
            return rc;
        if (!name) {
            connect_schema_free(field);
            return err_set(err, RC_BAD_INPUT, "cannot read a schema: field %zu has no name", i);
        }
        connect_schema_add(schema, name, field);
    }
    return RC_OK;
}

static enum rc read_members(const json_t *json, int depth, struct connect_schema *schema, struct err *err)
{
    const char *name, *text = json_string_value(json_object_get(json, "name"));
    json_t *value;
    enum rc rc = RC_OK;

    schema->name = mem_strdup(text);
    schema->version = (int)json_integer_value(json_object_get(json, "version"));
    schema->doc = mem_strdup(json_string_value(json_object_get(json, "doc")));
    schema->optional = json_is_true(json_object_get(json, "optional"));
    json_object_foreach(json_object_get(json, "parameters"), name, value) {
        if (json_is_string(value))
            connect_schema_parameter(schema, name, json_string_value(value));
    }
    if (schema->type == CONNECT_STRUCT)
        rc = read_fields(json, depth, schema, err);
    if (!rc && schema->type == CONNECT_ARRAY)
        rc = read_schema(json_object_get(json, "items"), depth, &schema->item, err);
    if (!rc && schema->type == CONNECT_MAP)
        rc = read_schema(json_object_get(json, "keys"), depth, &schema->key, err);
    if (!rc && schema->type == CONNECT_MAP)
        rc = read_schema(json_object_get(json, "values"), depth, &schema->item, err);
    return rc ? rc : read_default(json_object_get(json, "default"), schema, err);
}

static enum rc read_schema(const json_t *json, int depth, struct connect_schema **out, struct err *err)
{
    const char *type = json_string_value(json_object_get(json, "type"));

    if (depth >= JSON_SCHEMA_DEPTH_MAX)
        return err_set(err, RC_FULL, "cannot read a schema: deeper than %d", JSON_SCHEMA_DEPTH_MAX);
    for (size_t i = 0; type && i < ARRAY_LEN(type_names); i++)
        if (strcmp(type, type_names[i]) == 0) {
            CLEANUP(connect_schema_free_at) struct connect_schema *schema = connect_schema_new((enum connect_type)i);
            enum rc rc = read_members(json, depth + 1, schema, err);
            if (!rc)
                *out = TAKE_PTR(schema);
            return rc;
        }
    return err_set(err, RC_BAD_INPUT, "cannot read a schema: '%s' is not a type", type ? type : "");
}

enum rc connect_schema_of_json(struct str text, struct connect_schema **out, struct err *err)
{
    json_error_t json_err;
    json_t *json = json_loadb(text.p ? text.p : "", text.len, 0, &json_err);

    if (!json)
        return err_set(err, RC_BAD_INPUT, "cannot read a schema: %s", json_err.text);
    enum rc rc = read_schema(json, 0, out, err);
    json_decref(json);
    return rc;
}
