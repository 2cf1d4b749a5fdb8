/*
 * PostgreSQL's types as Debezium 2.5.4 maps them: which schema, which converter, what stands for a value that
 * is not there; cdc reference §4.  Types are found by name, for those of extensions have no fixed oid.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "stream/connect/postgres/value.h"

#define NAME_DECIMAL "org.apache.kafka.connect.data.Decimal"

enum { TYPMOD_HEADER = 4, TIME_DIGITS = 6, MILLISECOND_DIGITS = 3, VARBIT_UNLIMITED = INT32_MAX };

/* Why arrays of a type are or are not known. */
enum array_use { ARRAY_NO, ARRAY_YES };

struct type_row {
    const char *name;
    value_convert *convert;
    enum value_form form;
    enum connect_type connect;
    const char *schema; /* semantic name, version 1 */
    enum placeholder placeholder, array_placeholder;
    enum array_use arrays;
    enum absent absent;
    bool extension; /* in any schema, not only pg_catalog */
};

#define TEXT_ROW(type_name, semantic, in_arrays, array_ph)                                                             \
    {                                                                                                                  \
        .name = type_name, .convert = convert_text, .form = FORM_STRING, .connect = CONNECT_STRING,                    \
        .schema = semantic, .placeholder = PLACEHOLDER_TEXT, .array_placeholder = array_ph, .arrays = in_arrays        \
    }
#define PLAIN_ROW(type_name, function, type_form, type)                                                                \
    {                                                                                                                  \
        .name = type_name, .convert = function, .form = type_form, .connect = type, .arrays = ARRAY_YES                \
    }
#define EXTENSION_ROW(type_name, function, semantic, ph, in_arrays)                                                    \
    {                                                                                                                  \
        .name = type_name, .convert = function, .form = FORM_STRING, .connect = CONNECT_STRING, .schema = semantic,    \
        .placeholder = ph, .arrays = in_arrays, .extension = true                                                      \
    }

static const struct type_row rows[] = {
    PLAIN_ROW("bool", convert_bool, FORM_BOOL, CONNECT_BOOLEAN),
    PLAIN_ROW("int2", convert_int2, FORM_INT, CONNECT_INT16),
    { .name = "int4",
      .convert = convert_int4,
      .form = FORM_INT,
      .connect = CONNECT_INT32,
      .arrays = ARRAY_YES,
      .array_placeholder = PLACEHOLDER_CODES },
    { .name = "int8",
      .convert = convert_int8,
      .form = FORM_INT,
      .connect = CONNECT_INT64,
      .arrays = ARRAY_YES,
      .array_placeholder = PLACEHOLDER_CODES },
    PLAIN_ROW("oid", convert_oid, FORM_INT, CONNECT_INT64),
    PLAIN_ROW("float4", convert_float4, FORM_FLOAT, CONNECT_FLOAT32),
    PLAIN_ROW("float8", convert_float8, FORM_DOUBLE, CONNECT_FLOAT64),
    TEXT_ROW("text", NULL, ARRAY_YES, PLACEHOLDER_ITEM),
    TEXT_ROW("varchar", NULL, ARRAY_YES, PLACEHOLDER_ITEM),
    TEXT_ROW("bpchar", NULL, ARRAY_YES, PLACEHOLDER_NONE),
    TEXT_ROW("char", NULL, ARRAY_YES, PLACEHOLDER_NONE),
    TEXT_ROW("name", NULL, ARRAY_NO, PLACEHOLDER_NONE),
    TEXT_ROW("uuid", "io.debezium.data.Uuid", ARRAY_YES, PLACEHOLDER_UUID),
    TEXT_ROW("json", "io.debezium.data.Json", ARRAY_YES, PLACEHOLDER_ITEM),
    TEXT_ROW("jsonb", "io.debezium.data.Json", ARRAY_YES, PLACEHOLDER_ITEM),
    TEXT_ROW("xml", "io.debezium.data.Xml", ARRAY_NO, PLACEHOLDER_NONE),
    TEXT_ROW("inet", NULL, ARRAY_YES, PLACEHOLDER_NONE),
    TEXT_ROW("cidr", NULL, ARRAY_YES, PLACEHOLDER_NONE),
    TEXT_ROW("macaddr", NULL, ARRAY_YES, PLACEHOLDER_NONE),
    TEXT_ROW("macaddr8", NULL, ARRAY_YES, PLACEHOLDER_NONE),
    TEXT_ROW("int4range", NULL, ARRAY_YES, PLACEHOLDER_NONE),
    TEXT_ROW("int8range", NULL, ARRAY_YES, PLACEHOLDER_NONE),
    TEXT_ROW("numrange", NULL, ARRAY_YES, PLACEHOLDER_NONE),
    TEXT_ROW("tsrange", NULL, ARRAY_YES, PLACEHOLDER_NONE),
    TEXT_ROW("tstzrange", NULL, ARRAY_YES, PLACEHOLDER_NONE),
    TEXT_ROW("daterange", NULL, ARRAY_YES, PLACEHOLDER_NONE),
    { .name = "timetz",
      .convert = convert_timetz,
      .form = FORM_STRING,
      .connect = CONNECT_STRING,
      .schema = "io.debezium.time.ZonedTime",
      .arrays = ARRAY_YES,
      .absent = ABSENT_TIME_TEXT },
    { .name = "point", .convert = convert_point, .form = FORM_POINT, .connect = CONNECT_STRUCT, .arrays = ARRAY_NO },
    EXTENSION_ROW("citext", convert_text, NULL, PLACEHOLDER_TEXT, ARRAY_YES),
    EXTENSION_ROW("ltree", convert_text, "io.debezium.data.Ltree", PLACEHOLDER_TEXT, ARRAY_YES),
    EXTENSION_ROW("isbn", convert_text, NULL, PLACEHOLDER_TEXT, ARRAY_NO),
};

const struct pg_type *value_base_type(const struct pg_type *type, int32_t *typmod)
{
    while (type && type->kind == 'd') {
        if (*typmod == PG_NO_TYPMOD)
            *typmod = type->base_typmod;
        type = type->base;
    }
    return type;
}

void value_type_free(struct value_type *type)
{
    if (!type)
        return;
    value_type_free(type->item);
    connect_schema_free(type->schema);
    free(type);
}

static struct value_type *make(value_convert *convert, enum value_form form, enum connect_type connect,
                               const char *schema)
{
    struct value_type *type = NEW(struct value_type);

    type->convert = convert;
    type->form = form;
    type->schema = connect_schema_named(connect, schema, schema ? 1 : 0);
    return type;
}

static void set_number(struct connect_schema *schema, const char *name, int value)
{
    char text[16];

    snprintf(text, sizeof text, "%d", value);
    connect_schema_parameter(schema, name, text);
}

/* ----------------------------------------------- types that depend on options */

static struct value_type *make_numeric(const struct event_options *options, int32_t typmod)
{
    if (options->decimal == DECIMAL_STRING)
        return make(convert_decimal_text, FORM_STRING, CONNECT_STRING, NULL);
    if (options->decimal == DECIMAL_DOUBLE)
        return make(convert_decimal_double, FORM_DOUBLE, CONNECT_FLOAT64, NULL);
    if (typmod == PG_NO_TYPMOD) {
        struct value_type *type =
            make(convert_variable, FORM_VARIABLE, CONNECT_STRUCT, "io.debezium.data.VariableScaleDecimal");
        connect_schema_doc(type->schema, "Variable scaled decimal");
        connect_schema_add(type->schema, "scale", connect_schema_new(CONNECT_INT32));
        connect_schema_add(type->schema, "value", connect_schema_new(CONNECT_BYTES));
        return type;
    }
    struct value_type *type = make(convert_decimal, FORM_DECIMAL, CONNECT_BYTES, NAME_DECIMAL);
    type->precision = (typmod - TYPMOD_HEADER) >> 16 & 0xffff;
    type->scale = (typmod - TYPMOD_HEADER) & 0x7ff; /* a negative scale comes out as 2046, as in Debezium */
    set_number(type->schema, "scale", type->scale);
    set_number(type->schema, "connect.decimal.precision", type->precision);
    return type;
}

static struct value_type *make_money(const struct event_options *options, int32_t typmod)
{
    (void)typmod;
    if (options->decimal == DECIMAL_STRING)
        return make(convert_money_text, FORM_STRING, CONNECT_STRING, NULL);
    if (options->decimal == DECIMAL_DOUBLE)
        return make(convert_money_double, FORM_DOUBLE, CONNECT_FLOAT64, NULL);
    struct value_type *type = make(convert_money, FORM_DECIMAL, CONNECT_BYTES, NAME_DECIMAL);
    type->scale = options->money_digits;
    set_number(type->schema, "scale", type->scale);
    return type;
}

static struct value_type *make_binary(const struct event_options *options, value_convert *convert)
{
    bool bytes = options->binary == BINARY_BYTES;
    struct value_type *type =
        make(convert, bytes ? FORM_BYTES : FORM_STRING, bytes ? CONNECT_BYTES : CONNECT_STRING, NULL);

    type->binary = options->binary;
    type->placeholder = PLACEHOLDER_BYTES;
    return type;
}

static struct value_type *make_bytea(const struct event_options *options, int32_t typmod)
{
    (void)typmod;
    return make_binary(options, convert_bytea);
}

static struct value_type *make_date(const struct event_options *options, int32_t typmod)
{
    (void)typmod;
    return make(convert_date, FORM_INT, CONNECT_INT32,
                options->time == TIME_CONNECT ? "org.apache.kafka.connect.data.Date" : "io.debezium.time.Date");
}

static struct value_type *make_time(const struct event_options *options, int32_t typmod)
{
    if (options->time == TIME_CONNECT)
        return make(convert_time_ms, FORM_INT, CONNECT_INT32, "org.apache.kafka.connect.data.Time");
    if (options->time == TIME_ADAPTIVE && typmod != PG_NO_TYPMOD && typmod <= MILLISECOND_DIGITS)
        return make(convert_time_ms, FORM_INT, CONNECT_INT32, "io.debezium.time.Time");
    return make(convert_time_us, FORM_INT, CONNECT_INT64, "io.debezium.time.MicroTime");
}

static struct value_type *make_timestamp(const struct event_options *options, int32_t typmod)
{
    if (options->time == TIME_CONNECT)
        return make(convert_timestamp_ms, FORM_INT, CONNECT_INT64, "org.apache.kafka.connect.data.Timestamp");
    if (typmod != PG_NO_TYPMOD && typmod <= MILLISECOND_DIGITS)
        return make(convert_timestamp_ms, FORM_INT, CONNECT_INT64, "io.debezium.time.Timestamp");
    return make(convert_timestamp_us, FORM_INT, CONNECT_INT64, "io.debezium.time.MicroTimestamp");
}

static struct value_type *make_timestamptz(const struct event_options *options, int32_t typmod)
{
    struct value_type *type = make(convert_timestamptz, FORM_STRING, CONNECT_STRING, "io.debezium.time.ZonedTimestamp");

    (void)options;
    type->scale = typmod >= 0 && typmod <= TIME_DIGITS ? typmod : TIME_DIGITS;
    type->absent = ABSENT_EPOCH_TEXT;
    return type;
}

static struct value_type *make_interval(const struct event_options *options, int32_t typmod)
{
    (void)typmod;
    if (options->interval == INTERVAL_NUMERIC)
        return make(convert_interval_us, FORM_INT, CONNECT_INT64, "io.debezium.time.MicroDuration");
    struct value_type *type = make(convert_interval_text, FORM_STRING, CONNECT_STRING, "io.debezium.time.Interval");
    type->absent = ABSENT_DURATION_TEXT;
    return type;
}

static struct value_type *make_bits(int length)
{
    struct value_type *type = make(convert_bits, FORM_BYTES, CONNECT_BYTES, "io.debezium.data.Bits");

    set_number(type->schema, "length", length);
    return type;
}

static struct value_type *make_bit(const struct event_options *options, int32_t typmod)
{
    (void)options;
    if (typmod == PG_NO_TYPMOD || typmod == 1)
        return make(convert_bit_bool, FORM_BOOL, CONNECT_BOOLEAN, NULL);
    return make_bits(typmod);
}

static struct value_type *make_varbit(const struct event_options *options, int32_t typmod)
{
    (void)options;
    return make_bits(typmod == PG_NO_TYPMOD ? VARBIT_UNLIMITED : typmod);
}

static struct value_type *make_hstore(const struct event_options *options, int32_t typmod)
{
    struct value_type *type;

    (void)typmod;
    if (options->hstore == HSTORE_JSON) {
        type = make(convert_hstore_json, FORM_STRING, CONNECT_STRING, "io.debezium.data.Json");
        type->absent = ABSENT_EMPTY_JSON;
    } else {
        type = NEW(struct value_type);
        type->convert = convert_hstore_map;
        type->form = FORM_MAP;
        type->schema = connect_schema_map(connect_schema_new(CONNECT_STRING),
                                          connect_schema_optional(connect_schema_new(CONNECT_STRING)));
    }
    type->placeholder = PLACEHOLDER_PAIR;
    return type;
}

static const struct {
    const char *name;
    struct value_type *(*make)(const struct event_options *options, int32_t typmod);
    enum array_use arrays;
    enum placeholder array_placeholder;
} makers[] = {
    { "numeric", make_numeric, ARRAY_YES, PLACEHOLDER_NONE },
    { "money", make_money, ARRAY_NO, PLACEHOLDER_NONE },
    { "bytea", make_bytea, ARRAY_YES, PLACEHOLDER_ITEM },
    { "date", make_date, ARRAY_YES, PLACEHOLDER_CODES },
    { "time", make_time, ARRAY_YES, PLACEHOLDER_NONE },
    { "timestamp", make_timestamp, ARRAY_YES, PLACEHOLDER_NONE },
    { "timestamptz", make_timestamptz, ARRAY_YES, PLACEHOLDER_NONE },
    { "interval", make_interval, ARRAY_NO, PLACEHOLDER_NONE },
    { "bit", make_bit, ARRAY_NO, PLACEHOLDER_NONE },
    { "varbit", make_varbit, ARRAY_NO, PLACEHOLDER_NONE },
    { "hstore", make_hstore, ARRAY_YES, PLACEHOLDER_NONE },
};

/* ---------------------------------------------------------------- resolution */

/* A scalar, with what arrays of it need; NULL: unknown. */
static struct value_type *make_scalar(const struct event_options *options, const struct pg_type *type, int32_t typmod,
                                      enum array_use *arrays, enum placeholder *array_placeholder)
{
    bool builtin = type->schema && strcmp(type->schema, "pg_catalog") == 0;

    for (size_t i = 0; i < ARRAY_LEN(makers); i++)
        if (strcmp(type->name, makers[i].name) == 0 && (builtin || makers[i].make == make_hstore)) {
            *arrays = makers[i].arrays;
            *array_placeholder = makers[i].array_placeholder;
            return makers[i].make(options, typmod);
        }
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct type_row *row = &rows[i];
        if (strcmp(type->name, row->name) != 0 || !(builtin || row->extension))
            continue;
        struct value_type *made = make(row->convert, row->form, row->connect, row->schema);
        made->placeholder = row->placeholder;
        made->absent = row->absent;
        *arrays = row->arrays;
        *array_placeholder = row->array_placeholder;
        return made;
    }
    return NULL;
}

static void finish_point(struct value_type *type)
{
    type->schema->name = mem_strdup("io.debezium.data.geometry.Point");
    type->schema->version = 1;
    connect_schema_doc(type->schema, "Geometry (POINT)");
    connect_schema_add(type->schema, "x", connect_schema_new(CONNECT_FLOAT64));
    connect_schema_add(type->schema, "y", connect_schema_new(CONNECT_FLOAT64));
    connect_schema_add(type->schema, "wkb", connect_schema_optional(connect_schema_new(CONNECT_BYTES)));
    connect_schema_add(type->schema, "srid", connect_schema_optional(connect_schema_new(CONNECT_INT32)));
}

static struct value_type *make_enum(const struct pg_type *type)
{
    struct value_type *made = make(convert_text, FORM_STRING, CONNECT_STRING, "io.debezium.data.Enum");
    CLEANUP(buf_free) struct buf allowed = { 0 };

    for (size_t i = 0; i < type->label_count; i++) {
        if (i)
            buf_putc(&allowed, ',');
        buf_puts(&allowed, type->labels[i]);
    }
    connect_schema_parameter(made->schema, "allowed", buf_cstr(&allowed));
    return made;
}

static struct value_type *make_unknown(const struct event_options *options, const struct pg_type *type)
{
    static const char *const geometric[] = { "box", "circle", "line", "lseg", "path", "polygon" };

    if (!options->include_unknown)
        return NULL;
    for (size_t i = 0; i < ARRAY_LEN(geometric); i++)
        if (strcmp(type->name, geometric[i]) == 0)
            return make_binary(options, convert_geometric);
    return make_binary(options, convert_unknown);
}

static struct value_type *make_list(struct value_type *item, bool item_optional, value_convert *convert,
                                    enum value_form form)
{
    struct value_type *list = NEW(struct value_type);

    item->in_array = true;
    if (item_optional)
        connect_schema_optional(item->schema);
    list->convert = convert;
    list->form = form;
    list->item = item;
    list->item_optional = item_optional;
    list->schema = connect_schema_array(connect_schema_ref(item->schema));
    return list;
}

/* bit(3)[] has the schema of one bit string in Debezium, and no value ever fits it. */
static struct value_type *make_bit_array(int32_t typmod)
{
    struct value_type *type = make_bits(typmod == PG_NO_TYPMOD ? 1 : typmod);

    type->convert = convert_never;
    return type;
}

static struct value_type *make_array(const struct event_options *options, const struct pg_type *type, int32_t typmod)
{
    const struct pg_type *element = type->element;
    enum array_use arrays = ARRAY_NO;
    enum placeholder placeholder = PLACEHOLDER_NONE;
    struct event_options json_hstore = *options;

    json_hstore.hstore = HSTORE_JSON;
    if (strcmp(element->name, "bit") == 0 && strcmp(element->schema, "pg_catalog") == 0)
        return make_bit_array(typmod);
    if (element->kind == 'e')
        return make_list(make_enum(element), false, convert_array, FORM_ARRAY);
    struct value_type *item = make_scalar(&json_hstore, element, typmod, &arrays, &placeholder);
    if (item && arrays == ARRAY_NO) {
        value_type_free(item);
        return NULL;
    }
    if (!item && options->include_unknown)
        return make_list(make_binary(options, convert_unknown), false, convert_array, FORM_ARRAY);
    if (!item)
        return NULL;
    if (type->name[0] != '_') /* int2vector, oidvector: blanks between, no nulls */
        return make_list(item, false, convert_vector, FORM_VECTOR);
    struct value_type *list = make_list(item, true, convert_array, FORM_ARRAY);
    list->placeholder = placeholder;
    return list;
}

struct value_type *value_type_of(const struct event_options *options, const struct pg_type *type, int32_t typmod)
{
    enum array_use arrays;
    enum placeholder placeholder;
    const struct pg_type *base = value_base_type(type, &typmod);

    if (!base || !base->name)
        return NULL;
    if (base->category == 'A' && base->element)
        return make_array(options, base, typmod);
    if (base->kind == 'e')
        return make_enum(base);
    struct value_type *made = make_scalar(options, base, typmod, &arrays, &placeholder);
    if (!made)
        return make_unknown(options, base);
    if (made->form == FORM_POINT)
        finish_point(made);
    return made;
}
