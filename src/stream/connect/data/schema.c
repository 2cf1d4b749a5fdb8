/* The tree of a Connect schema: making, sharing, freeing, comparing.  Rendering is in schema_avro.c, schema_json.c. */
#include "stream/connect/data/schema.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct connect_schema *connect_schema_new(enum connect_type type)
{
    struct connect_schema *schema = NEW(struct connect_schema);

    schema->users = 1;
    schema->type = type;
    return schema;
}

struct connect_schema *connect_schema_named(enum connect_type type, const char *name, int version)
{
    struct connect_schema *schema = connect_schema_new(type);

    schema->name = mem_strdup(name);
    schema->version = version;
    return schema;
}

struct connect_schema *connect_schema_array(struct connect_schema *item)
{
    struct connect_schema *schema = connect_schema_new(CONNECT_ARRAY);

    schema->item = item;
    return schema;
}

struct connect_schema *connect_schema_map(struct connect_schema *key, struct connect_schema *value)
{
    struct connect_schema *schema = connect_schema_new(CONNECT_MAP);

    schema->key = key;
    schema->item = value;
    return schema;
}

struct connect_schema *connect_schema_ref(struct connect_schema *schema)
{
    schema->users++;
    return schema;
}

void connect_schema_free(struct connect_schema *schema)
{
    if (!schema || --schema->users > 0)
        return;
    for (size_t i = 0; i < schema->parameter_count; i++) {
        free(schema->parameters[i].name);
        free(schema->parameters[i].value);
    }
    for (size_t i = 0; i < schema->field_count; i++) {
        free(schema->fields[i].name);
        connect_schema_free(schema->fields[i].schema);
    }
    connect_schema_free(schema->key);
    connect_schema_free(schema->item);
    free(schema->parameters);
    free(schema->fields);
    free(schema->fallback.bytes);
    free(schema->name);
    free(schema->doc);
    free(schema);
}

void connect_schema_free_at(struct connect_schema **at)
{
    connect_schema_free(*at);
}

struct connect_schema *connect_schema_optional(struct connect_schema *schema)
{
    schema->optional = true;
    return schema;
}

struct connect_schema *connect_schema_doc(struct connect_schema *schema, const char *doc)
{
    free(schema->doc);
    schema->doc = mem_strdup(doc);
    return schema;
}

struct connect_schema *connect_schema_parameter(struct connect_schema *schema, const char *name, const char *value)
{
    schema->parameters = mem_grow(schema->parameters, schema->parameter_count + 1, sizeof *schema->parameters);
    schema->parameters[schema->parameter_count++] =
        (struct connect_parameter){ .name = mem_strdup(name), .value = mem_strdup(value) };
    return schema;
}

struct connect_schema *connect_schema_default_int(struct connect_schema *schema, int64_t value)
{
    schema->fallback.present = true;
    schema->fallback.integer = value;
    return schema;
}

struct connect_schema *connect_schema_default_real(struct connect_schema *schema, double value)
{
    schema->fallback.present = true;
    schema->fallback.real = value;
    return schema;
}

struct connect_schema *connect_schema_default_bytes(struct connect_schema *schema, const void *p, size_t n)
{
    free(schema->fallback.bytes);
    schema->fallback.present = true;
    schema->fallback.bytes = mem_strndup(n ? p : "", n);
    schema->fallback.bytes_len = n;
    return schema;
}

void connect_schema_add(struct connect_schema *schema, const char *field, struct connect_schema *type)
{
    schema->fields = mem_grow(schema->fields, schema->field_count + 1, sizeof *schema->fields);
    schema->fields[schema->field_count++] = (struct connect_field){ .name = mem_strdup(field), .schema = type };
}

const char *connect_schema_parameter_value(const struct connect_schema *schema, const char *name)
{
    for (size_t i = 0; i < schema->parameter_count; i++)
        if (strcmp(schema->parameters[i].name, name) == 0)
            return schema->parameters[i].value;
    return NULL;
}

static bool text_equal(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

static bool default_equal(const struct connect_default *a, const struct connect_default *b)
{
    bool real_equal = (isnan(a->real) && isnan(b->real)) || memcmp(&a->real, &b->real, sizeof a->real) == 0;

    return a->present == b->present && a->integer == b->integer && real_equal && a->bytes_len == b->bytes_len &&
           (a->bytes_len == 0 || memcmp(a->bytes, b->bytes, a->bytes_len) == 0);
}

bool connect_schema_equal(const struct connect_schema *a, const struct connect_schema *b)
{
    if (a == b)
        return true;
    if (!a || !b || a->type != b->type || a->optional != b->optional || a->version != b->version ||
        !text_equal(a->name, b->name) || !text_equal(a->doc, b->doc) || a->parameter_count != b->parameter_count ||
        a->field_count != b->field_count || !default_equal(&a->fallback, &b->fallback))
        return false;
    for (size_t i = 0; i < a->parameter_count; i++)
        if (!text_equal(a->parameters[i].name, b->parameters[i].name) ||
            !text_equal(a->parameters[i].value, b->parameters[i].value))
            return false;
    for (size_t i = 0; i < a->field_count; i++)
        if (!text_equal(a->fields[i].name, b->fields[i].name) ||
            !connect_schema_equal(a->fields[i].schema, b->fields[i].schema))
            return false;
    return connect_schema_equal(a->key, b->key) && connect_schema_equal(a->item, b->item);
}
