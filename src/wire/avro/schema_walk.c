/* Small questions about graphs: names of types, fields, symbols, props, and what a logicalType means. */
#include "wire/avro/avro.h"
#include "wire/avro/document.h"

static const char *const type_names[] = {
    [AVRO_NULL] = "null",     [AVRO_BOOLEAN] = "boolean", [AVRO_INT] = "int",     [AVRO_LONG] = "long",
    [AVRO_FLOAT] = "float",   [AVRO_DOUBLE] = "double",   [AVRO_BYTES] = "bytes", [AVRO_STRING] = "string",
    [AVRO_RECORD] = "record", [AVRO_ENUM] = "enum",       [AVRO_ARRAY] = "array", [AVRO_MAP] = "map",
    [AVRO_UNION] = "union",   [AVRO_FIXED] = "fixed",
};

const char *avro_type_name(enum avro_type type)
{
    return type_names[type];
}

struct str avro_json_text(const json_t *value)
{
    return json_is_string(value) ? str_n(json_string_value(value), json_string_length(value)) : (struct str){ 0 };
}

bool avro_is_primitive(struct str name, enum avro_type *out)
{
    for (enum avro_type type = AVRO_NULL; type <= AVRO_STRING; type++) {
        if (str_is(name, type_names[type])) {
            *out = type;
            return true;
        }
    }
    return false;
}

const json_t *avro_schema_prop(const struct avro_schema *schema, const char *name)
{
    for (size_t i = 0; i < schema->prop_count; i++)
        if (str_is(schema->props[i].name, name))
            return schema->props[i].value;
    return NULL;
}

const json_t *avro_field_prop(const struct avro_field *field, const char *name)
{
    for (size_t i = 0; i < field->prop_count; i++)
        if (str_is(field->props[i].name, name))
            return field->props[i].value;
    return NULL;
}

const struct avro_schema *avro_root(const struct avro_document *document)
{
    return document->root;
}

size_t avro_node_count(const struct avro_document *document)
{
    return (size_t)document->node_count;
}

const struct avro_field *avro_field_find(const struct avro_schema *record, struct str name)
{
    for (size_t i = 0; i < record->field_count; i++)
        if (str_eq(record->fields[i].name, name))
            return &record->fields[i];
    return NULL;
}

int avro_enum_index(const struct avro_schema *schema, struct str symbol)
{
    for (size_t i = 0; i < schema->symbol_count; i++)
        if (str_eq(schema->symbols[i], symbol))
            return (int)i;
    return -1;
}

const struct avro_schema *avro_nullable(const struct avro_schema *schema, int *null_branch)
{
    if (schema->type != AVRO_UNION || schema->branch_count != 2)
        return NULL;
    for (int i = 0; i < 2; i++) {
        if (schema->branches[i]->type != AVRO_NULL)
            continue;
        *null_branch = i;
        return schema->branches[1 - i];
    }
    return NULL;
}

/* ---------------------------------------------------------------- logical types */

static bool prop_int(const struct avro_schema *node, const char *name, int64_t *out)
{
    const json_t *value = avro_schema_prop(node, name);
    if (!json_is_integer(value))
        return false;
    *out = json_integer_value(value);
    return true;
}

/* Digits that a fixed of n bytes always holds: floor(log10(2^(8n-1) - 1)). */
static int64_t fixed_digits(int64_t n)
{
    return n <= 0 ? 0 : (int64_t)((double)(8 * n - 1) * 0.30102999566398119521);
}

static void parse_decimal(struct avro_schema *node)
{
    int64_t precision = 0, scale = 0;

    if (node->type != AVRO_BYTES && node->type != AVRO_FIXED)
        return;
    if (!prop_int(node, "precision", &precision) || precision <= 0 || precision > INT32_MAX)
        return;
    if (avro_schema_prop(node, "scale") && !prop_int(node, "scale", &scale))
        return;
    if (scale < 0 || scale > precision || (node->type == AVRO_FIXED && precision > fixed_digits(node->size)))
        return;
    node->logical = AVRO_DECIMAL;
    node->precision = (int)precision;
    node->scale = (int)scale;
}

void avro_logical_parse(struct avro_schema *node)
{
    static const struct {
        const char *name;
        enum avro_type type;
        enum avro_logical logical;
    } rows[] = {
        { "uuid", AVRO_STRING, AVRO_UUID },
        { "uuid", AVRO_FIXED, AVRO_UUID },
        { "date", AVRO_INT, AVRO_DATE },
        { "time-millis", AVRO_INT, AVRO_TIME_MILLIS },
        { "time-micros", AVRO_LONG, AVRO_TIME_MICROS },
        { "timestamp-millis", AVRO_LONG, AVRO_TIMESTAMP_MILLIS },
        { "timestamp-micros", AVRO_LONG, AVRO_TIMESTAMP_MICROS },
        { "local-timestamp-millis", AVRO_LONG, AVRO_LOCAL_TIMESTAMP_MILLIS },
        { "local-timestamp-micros", AVRO_LONG, AVRO_LOCAL_TIMESTAMP_MICROS },
        { "duration", AVRO_FIXED, AVRO_DURATION },
    };
    struct str name = avro_json_text(avro_schema_prop(node, "logicalType"));

    if (!name.p)
        return;
    if (str_is(name, "decimal")) {
        parse_decimal(node);
        return;
    }
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (rows[i].type == node->type && str_is(name, rows[i].name))
            node->logical = rows[i].logical;
    if ((node->logical == AVRO_UUID && node->type == AVRO_FIXED && node->size != 16) ||
        (node->logical == AVRO_DURATION && node->size != 12))
        node->logical = AVRO_PLAIN;
}
