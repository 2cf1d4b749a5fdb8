/*
 * A value's bytes as JSON text, for people (`haus topic tail`) and for tests.  The tagged style is the
 * specification's JSON encoding; the plain one leaves union tags out and shows decimals as numbers in quotes.
 */
#include <stdio.h>

#include "wire/avro/avro.h"
#include "wire/avro/document.h"

enum { DECIMAL_BYTES_MAX = 64, DECIMAL_DIGITS_MAX = 160 };

struct json_writer {
    struct avro_reader *reader;
    struct buf *out;
    enum avro_json_style style;
    int depth;
};

static void put_value(struct json_writer *writer, const struct avro_schema *schema);

/* Divides a big-endian magnitude by ten in place; gives the remainder. */
static unsigned divide_by_ten(uint8_t *bytes, size_t n)
{
    unsigned rest = 0;
    for (size_t i = 0; i < n; i++) {
        unsigned v = rest << 8 | bytes[i];
        bytes[i] = (uint8_t)(v / 10);
        rest = v % 10;
    }
    return rest;
}

static bool is_zero(const uint8_t *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (bytes[i])
            return false;
    return true;
}

static void negate(uint8_t *bytes, size_t n)
{
    unsigned carry = 1;
    for (size_t i = n; i-- > 0;) {
        unsigned v = (uint8_t)~bytes[i] + carry;
        bytes[i] = (uint8_t)v;
        carry = v >> 8;
    }
}

bool avro_decimal_text(struct str unscaled, int scale, struct buf *out)
{
    uint8_t bytes[DECIMAL_BYTES_MAX];
    char digits[DECIMAL_DIGITS_MAX];
    size_t n = 0;
    bool negative;

    if (unscaled.len > sizeof bytes || scale < 0 || scale > DECIMAL_DIGITS_MAX - 2)
        return false;
    if (unscaled.len)
        memcpy(bytes, unscaled.p, unscaled.len);
    negative = unscaled.len && bytes[0] & 0x80;
    if (negative)
        negate(bytes, unscaled.len);
    while (n < sizeof digits && (!is_zero(bytes, unscaled.len) || n <= (size_t)scale))
        digits[n++] = (char)('0' + divide_by_ten(bytes, unscaled.len));
    if (negative)
        buf_putc(out, '-');
    while (n-- > 0) {
        buf_putc(out, digits[n]);
        if (n == (size_t)scale && n)
            buf_putc(out, '.');
    }
    return true;
}

/* Bytes as ISO-8859-1 text in UTF-8. */
static void put_latin1(struct str bytes, struct buf *out)
{
    CLEANUP(buf_free) struct buf text = { .max = 2 * bytes.len + 1 };

    for (size_t i = 0; i < bytes.len; i++) {
        unsigned char c = (unsigned char)bytes.p[i];
        if (c >= 0x80)
            buf_putc(&text, (char)(0xc0 | c >> 6));
        buf_putc(&text, c >= 0x80 ? (char)(0x80 | (c & 0x3f)) : (char)c);
    }
    avro_json_print_str(buf_str(&text), out);
}

static void put_bytes(struct json_writer *writer, const struct avro_schema *schema, struct str bytes)
{
    if (writer->style == AVRO_JSON_TAGGED) {
        put_latin1(bytes, writer->out);
        return;
    }
    buf_putc(writer->out, '"');
    if (schema->logical != AVRO_DECIMAL || !avro_decimal_text(bytes, schema->scale, writer->out))
        encode_base64(writer->out, bytes.p, bytes.len);
    buf_putc(writer->out, '"');
}

static void put_string(struct json_writer *writer, struct str text)
{
    if (!str_is_utf8(text))
        avro_reader_fail(writer->reader, "a string is not UTF-8");
    else
        avro_json_print_str(text, writer->out);
}

static void put_items(struct json_writer *writer, const struct avro_schema *schema)
{
    bool map = schema->type == AVRO_MAP;
    const char *comma = "";

    buf_putc(writer->out, map ? '{' : '[');
    for (uint64_t n; (n = avro_read_block(writer->reader, schema));) {
        while (n-- && !avro_reader_failed(writer->reader) && !buf_failed(writer->out)) {
            buf_puts(writer->out, comma);
            comma = ",";
            if (map) {
                put_string(writer, avro_read_bytes(writer->reader));
                buf_putc(writer->out, ':');
            }
            put_value(writer, schema->items);
        }
    }
    buf_putc(writer->out, map ? '}' : ']');
}

static void put_record(struct json_writer *writer, const struct avro_schema *schema)
{
    buf_putc(writer->out, '{');
    for (size_t i = 0; i < schema->field_count && !avro_reader_failed(writer->reader); i++) {
        if (i)
            buf_putc(writer->out, ',');
        avro_json_print_str(schema->fields[i].name, writer->out);
        buf_putc(writer->out, ':');
        put_value(writer, schema->fields[i].type);
    }
    buf_putc(writer->out, '}');
}

static void put_union(struct json_writer *writer, const struct avro_schema *schema)
{
    size_t number = avro_read_union(writer->reader, schema);
    const struct avro_schema *branch;
    bool tagged;

    if (avro_reader_failed(writer->reader))
        return;
    branch = schema->branches[number];
    tagged = writer->style == AVRO_JSON_TAGGED && branch->type != AVRO_NULL;
    if (tagged) {
        buf_putc(writer->out, '{');
        avro_json_print_str(branch->full_name.p ? branch->full_name : str_of(avro_type_name(branch->type)),
                            writer->out);
        buf_putc(writer->out, ':');
    }
    put_value(writer, branch);
    if (tagged)
        buf_putc(writer->out, '}');
}

static void put_nested(struct json_writer *writer, const struct avro_schema *schema)
{
    if (++writer->depth > AVRO_VALUE_DEPTH_MAX)
        avro_reader_fail(writer->reader, "values nest too deep");
    else if (schema->type == AVRO_RECORD)
        put_record(writer, schema);
    else if (schema->type == AVRO_UNION)
        put_union(writer, schema);
    else
        put_items(writer, schema);
    writer->depth--;
}

static void put_value(struct json_writer *writer, const struct avro_schema *schema)
{
    switch (schema->type) {
    case AVRO_NULL:
        buf_puts(writer->out, "null");
        return;
    case AVRO_BOOLEAN:
        buf_puts(writer->out, avro_read_bool(writer->reader) ? "true" : "false");
        return;
    case AVRO_INT:
        buf_printf(writer->out, "%d", avro_read_int(writer->reader));
        return;
    case AVRO_LONG:
        buf_printf(writer->out, "%lld", (long long)avro_read_long(writer->reader));
        return;
    case AVRO_FLOAT:
        avro_json_print_double((double)avro_read_float(writer->reader), true, writer->out);
        return;
    case AVRO_DOUBLE:
        avro_json_print_double(avro_read_double(writer->reader), false, writer->out);
        return;
    case AVRO_STRING:
        put_string(writer, avro_read_bytes(writer->reader));
        return;
    case AVRO_BYTES:
        put_bytes(writer, schema, avro_read_bytes(writer->reader));
        return;
    case AVRO_FIXED:
        put_bytes(writer, schema, avro_read_fixed(writer->reader, (size_t)schema->size));
        return;
    case AVRO_ENUM: {
        size_t number = avro_read_enum(writer->reader, schema);
        if (!avro_reader_failed(writer->reader))
            avro_json_print_str(schema->symbols[number], writer->out);
        return;
    }
    case AVRO_RECORD:
    case AVRO_UNION:
    case AVRO_ARRAY:
    case AVRO_MAP:
        put_nested(writer, schema);
        return;
    }
}

void avro_to_json(struct avro_reader *reader, const struct avro_schema *schema, enum avro_json_style style,
                  struct buf *out)
{
    struct json_writer writer = { .reader = reader, .out = out, .style = style };
    put_value(&writer, schema);
}
