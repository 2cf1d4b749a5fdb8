/*
 * One value on its way from PostgreSQL's text to bytes: a value_type is made once per column (types.c),
 * its `convert` turns a text into a struct value, and the two writers (write.c) put that as Avro or as JSON.
 * Private to this folder.
 */
#ifndef STREAM_CONNECT_POSTGRES_VALUE_H
#define STREAM_CONNECT_POSTGRES_VALUE_H

#include "base/base.h"
#include "stream/connect/data/schema.h"
#include "stream/connect/postgres/options.h"
#include "stream/connect/postgres/table.h"

enum { ARRAY_ITEMS_MAX = 1 << 26, HSTORE_PAIRS_MAX = 1 << 22, NUMERIC_DIGITS_MAX = 200000 };

enum value_form {
    FORM_INT,      /* integer */
    FORM_BOOL,     /* integer */
    FORM_FLOAT,    /* real */
    FORM_DOUBLE,   /* real */
    FORM_BYTES,    /* bytes */
    FORM_STRING,   /* bytes */
    FORM_DECIMAL,  /* bytes: two's complement; text: the number */
    FORM_VARIABLE, /* integer: scale; bytes: two's complement */
    FORM_POINT,    /* real, real2; bytes: WKB */
    FORM_ARRAY,    /* bytes: the array's text */
    FORM_VECTOR,   /* bytes: numbers with blanks between (int2vector) */
    FORM_CODES,    /* bytes, each one an integer item of the array: the placeholder in arrays of numbers */
    FORM_ONE,      /* bytes: the only item of the array, taken as it is */
    FORM_MAP,      /* bytes: hstore's text */
};

struct value {
    enum value_form form;
    int64_t integer;
    double real, real2;
    struct str bytes, text;
    uint8_t room[48]; /* for small bytes */
};

struct hstore_pair {
    struct str key, value; /* value.p NULL: null */
    uint32_t hash;
};

/* Memory that converting reuses from value to value. */
struct value_work {
    struct buf scratch; /* what `convert` makes; its views die with the next convert */
    struct buf item;    /* the array's element being converted, unescaped */
    struct buf hstore;  /* unescaped keys and values */
    struct hstore_pair *pairs;
    size_t pair_count, pair_cap;
};
void value_work_free(struct value_work *work);

struct value_type;
/* NULL when it went well, else why not: "not a number".  `out` may hold views into text and work. */
typedef const char *value_convert(const struct value_type *type, struct str text, struct value_work *work,
                                  struct value *out);

/* What stands for an unchanged toasted value. */
enum placeholder {
    PLACEHOLDER_NONE, /* null; an error where null is not allowed */
    PLACEHOLDER_TEXT,
    PLACEHOLDER_BYTES,
    PLACEHOLDER_PAIR,  /* hstore */
    PLACEHOLDER_CODES, /* arrays of numbers: its bytes' codes */
    PLACEHOLDER_ITEM,  /* arrays of texts and of bytes: one item */
    PLACEHOLDER_UUID,  /* arrays of uuid: Java's nameUUIDFromBytes */
};

/* What stands for a value of a NOT NULL column that is not there (a key-only old row). */
enum absent { ABSENT_ZERO, ABSENT_EPOCH_TEXT, ABSENT_TIME_TEXT, ABSENT_DURATION_TEXT, ABSENT_EMPTY_JSON };

struct value_type {
    enum value_form form;
    value_convert *convert;
    enum placeholder placeholder;
    enum absent absent;
    enum binary_mode binary;
    int scale, precision; /* of a decimal; digits of a timestamptz's second; of a bit string: its length */
    bool in_array;
    bool item_optional;
    struct value_type *item;       /* of arrays */
    struct connect_schema *schema; /* not optional, no default; a new one for each field is made by types.c */
};

/*
 * The type of a column: NULL when Debezium leaves such columns out.  The schema in it is the column's own to
 * change (optional, default).  Free with value_type_free.
 */
struct value_type *value_type_of(const struct event_options *options, const struct pg_type *type, int32_t typmod);
void value_type_free(struct value_type *type);
/* Domains resolved: the base type, and the typmod that counts. */
const struct pg_type *value_base_type(const struct pg_type *type, int32_t *typmod);

/* Sets the schema's default from the column's default expression, where Debezium understands it; defaults.c */
void value_set_default(const struct event_options *options, const struct value_type *type, const struct pg_type *base,
                       const char *expression, struct connect_schema *schema, struct value_work *work);

/* --------------------------------------------------------------- converters */

value_convert convert_bool, convert_int2, convert_int4, convert_int8, convert_oid, convert_float4, convert_float8,
    convert_text, convert_bytea, convert_decimal, convert_variable, convert_decimal_text, convert_decimal_double,
    convert_money, convert_money_text, convert_money_double, convert_date, convert_time_ms, convert_time_us,
    convert_timetz, convert_timestamp_ms, convert_timestamp_us, convert_timestamptz, convert_interval_us,
    convert_interval_text, convert_bit_bool, convert_bits, convert_point, convert_array, convert_vector,
    convert_hstore_json, convert_hstore_map, convert_unknown, convert_geometric, convert_never;

/* Digits as big-endian two's complement of least length, the number times 10^scale; NULL or why not. */
const char *decimal_unscaled(struct str text, int scale, struct value_work *work, struct value *out);
bool parse_double(struct str text, double *out);

/* Walks an array's text.  Begin with array_open; item views live until the next call. */
struct array_cursor {
    struct str rest;
    bool first, done;
};
const char *array_open(struct str text, struct array_cursor *cursor);
/* False at the end or at a fault (*why set).  *nested: the item is itself an array, as text. */
bool array_next(struct array_cursor *cursor, struct buf *room, struct str *item, bool *is_null, bool *nested,
                const char **why);
/* Number of items, after checking the whole text; why set on a fault. */
size_t array_count(struct str text, struct value_work *work, const char **why);
/* Parses into work->pairs, in the order in which Java's HashMap gives them; NULL or why not. */
const char *hstore_parse(struct str text, struct value_work *work);

/* ------------------------------------------------------------------ writing */

/* Both append; NULL or why not (an item of an array that cannot be converted). */
const char *write_avro(const struct value_type *type, const struct value *value, struct value_work *work,
                       struct buf *out);
const char *write_json(const struct value_type *type, const struct value *value, bool decimal_numeric,
                       struct value_work *work, struct buf *out);
/* What stands where nothing came: the form's zero. */
void value_absent(const struct value_type *type, struct value *out);
void value_default(const struct value_type *type, const struct connect_schema *schema, struct value *out);
/* False: nothing can stand for it. */
bool value_placeholder(const struct event_options *options, const struct value_type *type, struct value_work *work,
                       struct value *out);

static inline void put_varint(struct buf *out, int64_t v)
{
    uint64_t z = (uint64_t)v << 1 ^ (uint64_t)(v >> 63);
    uint8_t bytes[10];
    size_t n = 0;

    for (; z >= 0x80; z >>= 7)
        bytes[n++] = (uint8_t)(z | 0x80);
    bytes[n++] = (uint8_t)z;
    if (!out->failed && out->cap - out->len > sizeof bytes + 1) {
        __builtin_memcpy(out->data + out->len, bytes, sizeof bytes);
        out->len += n;
    } else {
        buf_append(out, bytes, n);
    }
}

static inline void put_bytes(struct buf *out, const void *p, size_t n)
{
    if (n == 0)
        return;
    if (!out->failed && out->cap - out->len > n) {
        __builtin_memcpy(out->data + out->len, p, n);
        out->len += n;
    } else {
        buf_append(out, p, n);
    }
}

static inline void put_str(struct buf *out, struct str s)
{
    put_varint(out, (int64_t)s.len);
    if (s.len)
        put_bytes(out, s.p, s.len);
}

#endif
