/*
 * Column defaults as schema defaults, as far as Debezium 2.5.4 understands them; cdc reference §1.6 and §0.
 *
 *   a function call        the type's zero: now(), nextval('s'), (now() + '1 day'::interval)
 *   a literal              what stands between the first two quotes: 'it''s'::text gives "it"
 *   anything else          the expression itself, if it reads as a value: 9.99, true, CURRENT_USER
 */
#include <math.h>
#include <string.h>

#include "stream/connect/postgres/value.h"

#define INFINITE_DEFAULT INT64_C(-9223372036853775810) /* what Debezium makes of DEFAULT 'infinity' */

/* Types whose defaults Debezium reads, and the text that stands for a function's result. */
static const struct {
    const char *name, *zero;
} known[] = {
    { "bool", "f" },
    { "int2", "0" },
    { "int4", "0" },
    { "int8", "0" },
    { "float4", "0" },
    { "float8", "0" },
    { "numeric", "0" },
    { "text", "" },
    { "varchar", "" },
    { "bpchar", "" },
    { "json", "{}" },
    { "jsonb", "{}" },
    { "xml", "" },
    { "bit", "0" },
    { "varbit", "0" },
    { "date", "1970-01-01" },
    { "time", "00:00:00" },
    { "interval", "00:00:00" },
    { "timestamp", "1970-01-01 00:00:00" },
    { "timestamptz", "1970-01-01 00:00:00+00" },
    { "uuid", "00000000-0000-0000-0000-000000000000" },
};

static bool is_identifier(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '.';
}

/* ^[(]?[A-Za-z0-9_.]+\((?:.+)?\) */
static bool is_call(struct str text)
{
    size_t i = text.len && text.p[0] == '(', from = i;

    while (i < text.len && is_identifier(text.p[i]))
        i++;
    if (i == from || i >= text.len || text.p[i] != '(')
        return false;
    for (i++; i < text.len && text.p[i] != '\n'; i++)
        if (text.p[i] == ')')
            return true;
    return false;
}

/* The text between the first two quotes that have no line break between them. */
static bool literal(struct str text, struct str *out)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.p[i] != '\'')
            continue;
        for (size_t k = i + 1; k < text.len && text.p[k] != '\n' && text.p[k] != '\r'; k++)
            if (text.p[k] == '\'') {
                *out = str_n(text.p + i + 1, k - i - 1);
                return true;
            }
    }
    return false;
}

static bool is_temporal(const char *name)
{
    return strcmp(name, "date") == 0 || strcmp(name, "time") == 0 || strcmp(name, "timestamp") == 0 ||
           strcmp(name, "timestamptz") == 0;
}

/* The text to convert, or false: there is no default. */
static bool default_text(const char *type_name, const char *zero, struct str expression, struct str *out)
{
    if (str_starts(expression, "NULL::") || str_is(expression, "NULL"))
        return false;
    if (zero && is_call(expression)) {
        *out = str_of(zero);
        return true;
    }
    if (literal(expression, out))
        return true;
    if (memchr(expression.p, '\'', expression.len))
        return false; /* a literal with a line break */
    *out = expression;
    if (zero && is_temporal(type_name)) /* CURRENT_DATE, LOCALTIMESTAMP */
        *out = str_of(zero);
    return true;
}

static void set(const struct value *value, struct connect_schema *schema)
{
    switch (value->form) {
    case FORM_INT:
    case FORM_BOOL:
        connect_schema_default_int(schema, value->integer);
        break;
    case FORM_FLOAT:
    case FORM_DOUBLE:
        connect_schema_default_real(schema, value->real);
        break;
    case FORM_BYTES:
    case FORM_STRING:
    case FORM_DECIMAL:
        connect_schema_default_bytes(schema, value->bytes.p, value->bytes.len);
        break;
    default:
        break; /* structs and arrays have none */
    }
}

static void set_bool(struct str text, struct connect_schema *schema)
{
    connect_schema_default_int(schema, str_is_nocase(text, "true"));
}

void value_set_default(const struct event_options *options, const struct value_type *type, const struct pg_type *base,
                       const char *expression, struct connect_schema *schema, struct value_work *work)
{
    struct value_type reader = *type;
    const char *zero = NULL;
    struct str text;
    struct value value;

    (void)options;
    for (size_t i = 0; i < ARRAY_LEN(known) && !zero; i++)
        if (strcmp(base->name, known[i].name) == 0 && strcmp(base->schema, "pg_catalog") == 0)
            zero = known[i].zero;
    bool is_enum = base->kind == 'e' && strcmp(base->schema, "public") == 0;
    if (!(zero || is_enum) || !default_text(base->name, zero, str_trim(str_of(expression)), &text))
        return;
    if (zero && strcmp(base->name, "bool") == 0) {
        set_bool(text, schema);
        return;
    }
    if (reader.convert == convert_timestamptz) {
        reader.scale = 6; /* the column's precision is not applied */
        if (str_is(text, "infinity") || str_is(text, "-infinity"))
            return;
    }
    if (reader.convert == convert_timestamp_us && str_is(text, "infinity")) {
        connect_schema_default_int(schema, INFINITE_DEFAULT);
        return;
    }
    if (!reader.convert(&reader, text, work, &value))
        set(&value, schema);
}
