/*
 * JSON values to bytes: the specification's JSON encoding, made a little wider (a union's value may
 * come without its tag), and the defaults of fields, whose unions are always of their first branch.
 */
#include <stdio.h>

#include "wire/avro/avro.h"
#include "wire/avro/document.h"

enum { VALUES_MAX = 1 << 24 }; /* defaults inside defaults may unfold without end */

struct json_encoder {
    struct buf *out;
    struct buf path;
    bool defaults; /* unions are of their first branch */
    int depth;
    int values;
    struct err *err;
};

static enum rc encode(struct json_encoder *encoder, const struct avro_schema *schema, const json_t *value);

static enum rc mismatch(struct json_encoder *encoder, const struct avro_schema *schema)
{
    return err_set(encoder->err, RC_BAD_INPUT, "at %s: expected %s", encoder->path.len ? buf_cstr(&encoder->path) : "/",
                   avro_type_name(schema->type));
}

static enum rc encode_at(struct json_encoder *encoder, struct str name, const struct avro_schema *schema,
                         const json_t *value)
{
    size_t mark = encoder->path.len;
    enum rc rc;

    buf_putc(&encoder->path, '/');
    buf_put_str(&encoder->path, name);
    if ((rc = encode(encoder, schema, value)))
        return rc;
    encoder->path.len = mark;
    encoder->path.data[mark] = '\0';
    return RC_OK;
}

/* ISO-8859-1 text in UTF-8 to bytes; false when a character is beyond U+00FF. */
static bool latin1_bytes(struct str text, struct buf *out)
{
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.p[i];
        if (c >= 0x80) {
            if ((c & 0xfe) != 0xc2 || i + 1 >= text.len)
                return false;
            c = (unsigned char)(c << 6 | ((unsigned char)text.p[++i] & 0x3f));
        }
        buf_putc(out, (char)c);
    }
    return true;
}

static enum rc encode_bytes(struct json_encoder *encoder, const struct avro_schema *schema, const json_t *value)
{
    CLEANUP(buf_free) struct buf bytes = { 0 };

    if (!json_is_string(value) || !latin1_bytes(avro_json_text(value), &bytes))
        return mismatch(encoder, schema);
    if (schema->type == AVRO_BYTES)
        avro_write_bytes(encoder->out, buf_str(&bytes));
    else if (bytes.len == (size_t)schema->size)
        avro_write_fixed(encoder->out, buf_str(&bytes));
    else
        return mismatch(encoder, schema);
    return RC_OK;
}

static enum rc encode_number(struct json_encoder *encoder, const struct avro_schema *schema, const json_t *value)
{
    double number = json_number_value(value);

    if (!json_is_number(value) && !avro_double_word(avro_json_text(value), &number))
        return mismatch(encoder, schema);
    if (schema->type == AVRO_FLOAT)
        avro_write_float(encoder->out, (float)number);
    else
        avro_write_double(encoder->out, number);
    return RC_OK;
}

static enum rc encode_integer(struct json_encoder *encoder, const struct avro_schema *schema, const json_t *value)
{
    json_int_t v = json_integer_value(value);

    if (!json_is_integer(value) || (schema->type == AVRO_INT && (v < INT32_MIN || v > INT32_MAX)))
        return mismatch(encoder, schema);
    avro_write_long(encoder->out, v);
    return RC_OK;
}

static enum rc encode_array(struct json_encoder *encoder, const struct avro_schema *schema, const json_t *value)
{
    size_t n = json_array_size(value);
    char index[24];

    if (!json_is_array(value))
        return mismatch(encoder, schema);
    if (n)
        avro_write_long(encoder->out, (int64_t)n);
    for (size_t i = 0; i < n; i++) {
        snprintf(index, sizeof index, "%zu", i);
        if (encode_at(encoder, str_of(index), schema->items, json_array_get(value, i)))
            return RC_BAD_INPUT;
    }
    avro_write_long(encoder->out, 0);
    return RC_OK;
}

static enum rc encode_map(struct json_encoder *encoder, const struct avro_schema *schema, const json_t *value)
{
    const char *key;
    json_t *item;

    if (!json_is_object(value))
        return mismatch(encoder, schema);
    if (json_object_size(value))
        avro_write_long(encoder->out, (int64_t)json_object_size(value));
    json_object_foreach((json_t *)(uintptr_t)value, key, item) {
        avro_write_bytes(encoder->out, str_of(key));
        if (encode_at(encoder, str_of(key), schema->items, item))
            return RC_BAD_INPUT;
    }
    avro_write_long(encoder->out, 0);
    return RC_OK;
}

static enum rc encode_field(struct json_encoder *encoder, const struct avro_field *field, const json_t *value)
{
    CLEANUP_FREE char *key = str_dup(field->name);
    const json_t *given = json_object_get(value, key);
    bool saved = encoder->defaults;
    enum rc rc;

    if (!given && !field->fallback)
        return err_set(encoder->err, RC_BAD_INPUT, "at %s: field '%s' is missing",
                       encoder->path.len ? buf_cstr(&encoder->path) : "/", key);
    encoder->defaults |= !given;
    rc = encode_at(encoder, field->name, field->type, given ? given : field->fallback);
    encoder->defaults = saved;
    return rc;
}

static enum rc encode_record(struct json_encoder *encoder, const struct avro_schema *schema, const json_t *value)
{
    enum rc rc = json_is_object(value) ? RC_OK : mismatch(encoder, schema);

    for (size_t i = 0; i < schema->field_count && !rc; i++)
        rc = encode_field(encoder, &schema->fields[i], value);
    return rc;
}

static bool is_tag(const struct avro_schema *branch, const char *key)
{
    return str_is(branch->full_name.p ? branch->full_name : str_of(avro_type_name(branch->type)), key);
}

static enum rc encode_branch(struct json_encoder *encoder, const struct avro_schema *schema, size_t number,
                             const json_t *value)
{
    avro_write_long(encoder->out, (int64_t)number);
    return encode(encoder, schema->branches[number], value);
}

/* Tries each branch; what a branch that does not fit wrote is taken back. */
static enum rc encode_untagged(struct json_encoder *encoder, const struct avro_schema *schema, const json_t *value)
{
    size_t mark = encoder->out->len, path = encoder->path.len;

    for (size_t i = 0; i < schema->branch_count; i++) {
        if (!encode_branch(encoder, schema, i, value))
            return RC_OK;
        encoder->out->len = mark;
        encoder->path.len = path;
        if (encoder->path.data)
            encoder->path.data[path] = '\0';
    }
    return mismatch(encoder, schema);
}

static enum rc encode_union(struct json_encoder *encoder, const struct avro_schema *schema, const json_t *value)
{
    const char *key =
        json_object_size(value) == 1 ? json_object_iter_key(json_object_iter((json_t *)(uintptr_t)value)) : NULL;
    if (encoder->defaults)
        return schema->branch_count ? encode_branch(encoder, schema, 0, value) : mismatch(encoder, schema);
    for (size_t i = 0; key && i < schema->branch_count; i++)
        if (is_tag(schema->branches[i], key))
            return encode_branch(encoder, schema, i, json_object_get(value, key));
    return encode_untagged(encoder, schema, value);
}

static enum rc encode_type(struct json_encoder *encoder, const struct avro_schema *schema, const json_t *value)
{
    int symbol;

    switch (schema->type) {
    case AVRO_NULL:
        return json_is_null(value) ? RC_OK : mismatch(encoder, schema);
    case AVRO_BOOLEAN:
        if (!json_is_boolean(value))
            return mismatch(encoder, schema);
        avro_write_bool(encoder->out, json_is_true(value));
        return RC_OK;
    case AVRO_INT:
    case AVRO_LONG:
        return encode_integer(encoder, schema, value);
    case AVRO_FLOAT:
    case AVRO_DOUBLE:
        return encode_number(encoder, schema, value);
    case AVRO_STRING:
        if (!json_is_string(value))
            return mismatch(encoder, schema);
        avro_write_bytes(encoder->out, avro_json_text(value));
        return RC_OK;
    case AVRO_BYTES:
    case AVRO_FIXED:
        return encode_bytes(encoder, schema, value);
    case AVRO_ENUM:
        symbol = json_is_string(value) ? avro_enum_index(schema, avro_json_text(value)) : -1;
        if (symbol < 0)
            return mismatch(encoder, schema);
        avro_write_long(encoder->out, symbol);
        return RC_OK;
    case AVRO_ARRAY:
        return encode_array(encoder, schema, value);
    case AVRO_MAP:
        return encode_map(encoder, schema, value);
    case AVRO_UNION:
        return encode_union(encoder, schema, value);
    case AVRO_RECORD:
        return encode_record(encoder, schema, value);
    }
    return RC_FATAL;
}

static enum rc encode(struct json_encoder *encoder, const struct avro_schema *schema, const json_t *value)
{
    enum rc rc;

    if (encoder->depth >= AVRO_VALUE_DEPTH_MAX || ++encoder->values > VALUES_MAX)
        return err_set(encoder->err, RC_BAD_INPUT, "at %s: values nest too deep or are too many",
                       encoder->path.len ? buf_cstr(&encoder->path) : "/");
    encoder->depth++;
    rc = encode_type(encoder, schema, value);
    encoder->depth--;
    return rc;
}

static enum rc encode_all(const struct avro_schema *schema, const json_t *value, bool defaults, struct buf *out,
                          struct err *err)
{
    struct json_encoder encoder = { .out = out, .defaults = defaults, .err = err };
    enum rc rc = encode(&encoder, schema, value);

    buf_free(&encoder.path);
    if (!rc && buf_failed(out))
        return err_set(err, RC_FULL, "cannot encode the value: its buffer is full");
    return rc;
}

enum rc avro_from_json(const struct avro_schema *schema, const json_t *value, struct buf *out, struct err *err)
{
    return encode_all(schema, value, false, out, err);
}

enum rc avro_write_default(const struct avro_schema *schema, const json_t *value, struct buf *out, struct err *err)
{
    return encode_all(schema, value, true, out, err);
}
