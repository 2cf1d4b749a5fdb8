/*
 * A Connect schema as the Avro schema text that AvroConverter registers.  Imitates two programs at once:
 * AvroData.fromConnectSchema (which properties, in which order) and Avro 1.11's Schema.toString (compact,
 * a name's second mention is the name alone, a namespace is written where it differs from the one around).
 */
#include <stdlib.h>
#include <string.h>

#include "stream/connect/data/schema.h"
#include "stream/connect/data/text.h"

#define CONNECT_DATE      "org.apache.kafka.connect.data.Date"
#define CONNECT_TIME      "org.apache.kafka.connect.data.Time"
#define CONNECT_TIMESTAMP "org.apache.kafka.connect.data.Timestamp"
#define CONNECT_DECIMAL   "org.apache.kafka.connect.data.Decimal"
#define DEFAULT_RECORD    "io.confluent.connect.avro.ConnectDefault"

enum { DEFAULT_PRECISION = 64 };

struct avro_printer {
    const struct connect_avro_options *options;
    struct buf *out;
    struct err *err;
    struct map records; /* full name -> first schema of that name */
    struct str space;   /* the namespace around; absent: none yet */
    unsigned unnamed;   /* ConnectDefault, ConnectDefault2, … */
};

static enum rc print_schema(struct avro_printer *p, const struct connect_schema *schema);

static const char *avro_base(enum connect_type type)
{
    static const char *const names[] = {
        [CONNECT_INT8] = "int",        [CONNECT_INT16] = "int",     [CONNECT_INT32] = "int",
        [CONNECT_INT64] = "long",      [CONNECT_FLOAT32] = "float", [CONNECT_FLOAT64] = "double",
        [CONNECT_BOOLEAN] = "boolean", [CONNECT_STRING] = "string", [CONNECT_BYTES] = "bytes",
    };
    return names[type];
}

/* Java's rule: letters (any script's), digits, underscore; no digit first. */
static bool is_avro_name(struct str name)
{
    for (size_t i = 0; i < name.len; i++) {
        unsigned char c = (unsigned char)name.p[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c >= 0x80;
        if (!letter && !(i > 0 && c >= '0' && c <= '9'))
            return false;
    }
    return name.len > 0;
}

/* scrub.invalid.names: URL encoding, then everything else becomes '_', and 'x' before a digit. */
static void scrub(struct buf *out, struct str name)
{
    static const char hex[] = "0123456789ABCDEF";

    if (name.len && name.p[0] >= '0' && name.p[0] <= '9')
        buf_putc(out, 'x');
    for (size_t i = 0; i < name.len; i++) {
        unsigned char c = (unsigned char)name.p[i];
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
        if (plain)
            buf_putc(out, (char)c);
        else if (strchr(".-* ", c) && c)
            buf_putc(out, '_');
        else
            buf_append(out, (char[]){ '_', hex[c >> 4], hex[c & 15] }, 3);
    }
}

static enum rc put_name(struct avro_printer *p, struct str name)
{
    if (is_avro_name(name)) {
        text_json_string(p->out, name);
        return RC_OK;
    }
    if (!p->options->scrub_invalid_names)
        return err_set(p->err, RC_BAD_INPUT,
                       "'%.*s' is not a name in Avro; set schema.name.adjustment.mode and "
                       "field.name.adjustment.mode to avro",
                       STR_ARG(name));
    buf_putc(p->out, '"');
    scrub(p->out, name);
    buf_putc(p->out, '"');
    return RC_OK;
}

static const char *logical_type(const struct connect_schema *schema)
{
    static const struct {
        const char *connect, *avro;
    } rows[] = {
        { CONNECT_DATE, "date" },
        { CONNECT_TIME, "time-millis" },
        { CONNECT_TIMESTAMP, "timestamp-millis" },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (schema->name && strcmp(schema->name, rows[i].connect) == 0)
            return rows[i].avro;
    return NULL;
}

static bool is_decimal(const struct connect_schema *schema)
{
    return schema->type == CONNECT_BYTES && schema->name && strcmp(schema->name, CONNECT_DECIMAL) == 0;
}

static int parameter_int(const struct connect_schema *schema, const char *name, int fallback)
{
    const char *text = connect_schema_parameter_value(schema, name);
    int64_t v = 0;

    return text && str_to_i64(str_of(text), INT32_MIN, INT32_MAX, &v) ? (int)v : fallback;
}

/* Each property begins with a comma, for there is always a "type" before. */
static void put_connect_props(struct avro_printer *p, const struct connect_schema *schema)
{
    struct buf *out = p->out;

    if (schema->doc) {
        buf_puts(out, ",\"connect.doc\":");
        text_json_string(out, str_of(schema->doc));
    }
    if (schema->version) {
        buf_puts(out, ",\"connect.version\":");
        text_int(out, schema->version);
    }
    for (size_t i = 0; i < schema->parameter_count; i++) {
        buf_puts(out, i ? "," : ",\"connect.parameters\":{");
        text_json_string(out, str_of(schema->parameters[i].name));
        buf_putc(out, ':');
        text_json_string(out, str_of(schema->parameters[i].value));
    }
    if (schema->parameter_count)
        buf_putc(out, '}');
    if (schema->fallback.present) {
        buf_puts(out, ",\"connect.default\":");
        text_json_default(out, schema, text_json_latin1);
    }
    if (schema->name) {
        buf_puts(out, ",\"connect.name\":");
        text_json_string(out, str_of(schema->name));
    }
}

static void put_props(struct avro_printer *p, const struct connect_schema *schema)
{
    if (is_decimal(schema)) {
        buf_puts(p->out, ",\"scale\":");
        text_int(p->out, parameter_int(schema, "scale", 0));
        buf_puts(p->out, ",\"precision\":");
        text_int(p->out, parameter_int(schema, "connect.decimal.precision", DEFAULT_PRECISION));
    }
    if (!p->options->no_meta_data) {
        put_connect_props(p, schema);
        if (schema->type == CONNECT_INT8 || schema->type == CONNECT_INT16)
            buf_puts(p->out,
                     schema->type == CONNECT_INT8 ? ",\"connect.type\":\"int8\"" : ",\"connect.type\":\"int16\"");
    }
    const char *logical = is_decimal(schema) ? "decimal" : logical_type(schema);
    if (logical) {
        buf_puts(p->out, ",\"logicalType\":\"");
        buf_puts(p->out, logical);
        buf_putc(p->out, '"');
    }
}

static enum rc print_scalar(struct avro_printer *p, const struct connect_schema *schema)
{
    size_t start = p->out->len;

    buf_puts(p->out, "{\"type\":\"");
    buf_puts(p->out, avro_base(schema->type));
    buf_putc(p->out, '"');
    size_t bare = p->out->len;
    put_props(p, schema);
    if (p->out->len > bare) {
        buf_putc(p->out, '}');
        return RC_OK;
    }
    p->out->len = start; /* nothing but a type: the name alone */
    buf_putc(p->out, '"');
    buf_puts(p->out, avro_base(schema->type));
    buf_putc(p->out, '"');
    return RC_OK;
}

static enum rc print_optional(struct avro_printer *p, const struct connect_schema *schema)
{
    if (!schema->optional)
        return print_schema(p, schema);
    buf_puts(p->out, schema->fallback.present ? "[" : "[\"null\",");
    enum rc rc = print_schema(p, schema);
    buf_puts(p->out, schema->fallback.present ? ",\"null\"]" : "]");
    return rc;
}

static enum rc print_field(struct avro_printer *p, const struct connect_field *field)
{
    buf_puts(p->out, "{\"name\":");
    enum rc rc = put_name(p, str_of(field->name));
    if (rc)
        return rc;
    buf_puts(p->out, ",\"type\":");
    if ((rc = print_optional(p, field->schema)))
        return rc;
    if (field->schema->fallback.present) {
        buf_puts(p->out, ",\"default\":");
        text_json_default(p->out, field->schema, text_json_latin1);
    } else if (field->schema->optional) {
        buf_puts(p->out, ",\"default\":null");
    }
    buf_putc(p->out, '}');
    return RC_OK;
}

static void split_name(struct str full, struct str *space, struct str *name)
{
    size_t dot = full.len;

    while (dot > 0 && full.p[dot - 1] != '.')
        dot--;
    *space = str_n(full.p, dot ? dot - 1 : 0);
    *name = str_skip(full, dot);
}

static enum rc print_reference(struct avro_printer *p, struct str full)
{
    struct str space, name;

    split_name(full, &space, &name);
    text_json_string(p->out, str_eq(space, p->space) ? name : full);
    return RC_OK;
}

static enum rc print_struct(struct avro_printer *p, const struct connect_schema *schema)
{
    CLEANUP_FREE char *made = schema->name       ? mem_strdup(schema->name)
                              : p->unnamed++ > 0 ? mem_printf(DEFAULT_RECORD "%u", p->unnamed)
                                                 : mem_strdup(DEFAULT_RECORD);
    struct str full = str_of(made), space, name, around = p->space;
    const struct connect_schema *known = map_get(&p->records, full);

    if (known && (known == schema || (connect_schema_equal(known, schema))))
        return print_reference(p, full);
    if (known && known->field_count != schema->field_count)
        return err_set(p->err, RC_BAD_INPUT, "'%s' names two different records", made);
    if (known) /* the same but for optional or a default: AvroData writes its name all the same */
        return print_reference(p, full);
    map_put(&p->records, full, (void *)(uintptr_t)schema);
    split_name(full, &space, &name);
    buf_puts(p->out, "{\"type\":\"record\",\"name\":");
    enum rc rc = put_name(p, name);
    if (rc)
        return rc;
    if (space.len ? !str_eq(space, around) : around.len > 0) {
        buf_puts(p->out, ",\"namespace\":");
        text_json_string(p->out, space);
    }
    p->space = space;
    buf_puts(p->out, ",\"fields\":[");
    for (size_t i = 0; i < schema->field_count && !rc; i++) {
        if (i)
            buf_putc(p->out, ',');
        rc = print_field(p, &schema->fields[i]);
    }
    p->space = around;
    buf_putc(p->out, ']');
    put_props(p, schema);
    buf_putc(p->out, '}');
    return rc;
}

/* A map whose keys are not plain strings is an array of MapEntry in AvroData. */
static enum rc print_entries(struct avro_printer *p, const struct connect_schema *schema)
{
    struct connect_schema *entry = connect_schema_named(CONNECT_STRUCT, "io.confluent.connect.avro.MapEntry", 0);

    connect_schema_add(entry, "key", connect_schema_ref(schema->key));
    connect_schema_add(entry, "value", connect_schema_ref(schema->item));
    buf_puts(p->out, "{\"type\":\"array\",\"items\":");
    enum rc rc = print_struct(p, entry);
    map_remove(&p->records, str_of("io.confluent.connect.avro.MapEntry"));
    connect_schema_free(entry);
    put_props(p, schema);
    buf_putc(p->out, '}');
    return rc;
}

static enum rc print_schema(struct avro_printer *p, const struct connect_schema *schema)
{
    enum rc rc;

    switch (schema->type) {
    case CONNECT_STRUCT:
        return print_struct(p, schema);
    case CONNECT_ARRAY:
        buf_puts(p->out, "{\"type\":\"array\",\"items\":");
        break;
    case CONNECT_MAP:
        if (schema->key->type != CONNECT_STRING || schema->key->optional)
            return print_entries(p, schema);
        buf_puts(p->out, "{\"type\":\"map\",\"values\":");
        break;
    default:
        return print_scalar(p, schema);
    }
    rc = print_optional(p, schema->item);
    put_props(p, schema);
    buf_putc(p->out, '}');
    return rc;
}

enum rc connect_schema_to_avro(const struct connect_schema *schema, const struct connect_avro_options *options,
                               struct buf *out, struct err *err)
{
    static const struct connect_avro_options defaults;
    struct avro_printer printer = { .options = options ? options : &defaults, .out = out, .err = err };
    enum rc rc = print_optional(&printer, schema);

    map_free(&printer.records, NULL);
    if (!rc && buf_failed(out))
        rc = err_set(err, RC_FULL, "cannot write a schema of more than %zu bytes",
                     out->max ? out->max : BUF_DEFAULT_MAX);
    return rc;
}
