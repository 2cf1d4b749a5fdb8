/* A struct value as Avro binary and as JSON; and the values that stand in for absent ones. */
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

#include "stream/connect/data/text.h"
#include "stream/connect/postgres/value.h"
#include "wire/avro/avro.h"

enum { WKB_LEN = 21 };

static void wkb_of(const struct value *value, uint8_t out[static WKB_LEN])
{
    static const uint8_t head[5] = { 1, 1, 0, 0, 0 };

    memcpy(out, head, sizeof head);
    memcpy(out + 5, &value->real, 8); /* little-endian, as all we run on */
    memcpy(out + 13, &value->real2, 8);
}

/* ------------------------------------------------------- items of an array */

/* One walk over the items for both forms. */
struct items {
    const struct value_type *type;
    struct value_work *work;
    struct buf *out;
    bool json, decimal_numeric;
    size_t count;
};

static const char *put_item(struct items *items, const struct value *value)
{
    if (items->json) {
        if (items->count++)
            buf_putc(items->out, ',');
        return write_json(items->type->item, value, items->decimal_numeric, items->work, items->out);
    }
    if (items->type->item_optional)
        put_varint(items->out, 1);
    return write_avro(items->type->item, value, items->work, items->out);
}

static const char *put_null_item(struct items *items)
{
    if (!items->type->item_optional)
        return "null among items that cannot be null";
    if (!items->json) {
        put_varint(items->out, 0);
        return NULL;
    }
    if (items->count++)
        buf_putc(items->out, ',');
    buf_puts(items->out, "null");
    return NULL;
}

static const char *put_array(struct items *items, const struct value *value)
{
    const struct value_type *item_type = items->type->item;
    struct array_cursor cursor;
    struct str text;
    bool is_null, nested;
    const char *why = array_open(value->bytes, &cursor);

    while (!why && array_next(&cursor, &items->work->item, &text, &is_null, &nested, &why)) {
        struct value item;
        if (is_null)
            why = put_null_item(items);
        else if (nested && item_type->convert != convert_text)
            why = "arrays of more than one dimension have no form in events";
        else if (!(why = item_type->convert(item_type, text, items->work, &item)))
            why = put_item(items, &item);
        if (why)
            break;
    }
    return why;
}

static const char *put_vector(struct items *items, const struct value *value)
{
    const struct value_type *item_type = items->type->item;
    struct str rest = value->bytes, text;
    const char *why = NULL;

    while (!why && value->bytes.len && str_cut(&rest, ' ', &text)) {
        struct value item;
        if (!(why = item_type->convert(item_type, text, items->work, &item)))
            why = put_item(items, &item);
    }
    return why;
}

static const char *put_items(struct items *items, const struct value *value)
{
    const char *why = NULL;

    switch (value->form) {
    case FORM_ARRAY:
        return put_array(items, value);
    case FORM_VECTOR:
        return put_vector(items, value);
    case FORM_ONE:
        return put_item(items, &(struct value){ .form = items->type->item->form, .bytes = value->bytes });
    default: /* FORM_CODES: Java's bytes are signed */
        for (size_t i = 0; i < value->bytes.len && !why; i++)
            why = put_item(items, &(struct value){ .form = FORM_INT, .integer = (signed char)value->bytes.p[i] });
        return why;
    }
}

static int64_t item_count(const struct value *value)
{
    return value->form == FORM_ONE ? 1 : value->form == FORM_CODES ? (int64_t)value->bytes.len : value->integer;
}

/* --------------------------------------------------------------------- Avro */

static void avro_map(const struct value_work *work, struct buf *out)
{
    if (work->pair_count)
        put_varint(out, (int64_t)work->pair_count);
    for (size_t i = 0; i < work->pair_count; i++) {
        put_str(out, work->pairs[i].key);
        put_varint(out, work->pairs[i].value.p != NULL);
        if (work->pairs[i].value.p)
            put_str(out, work->pairs[i].value);
    }
    put_varint(out, 0);
}

static void avro_point(const struct value *value, struct buf *out)
{
    uint8_t wkb[WKB_LEN];

    wkb_of(value, wkb);
    put_bytes(out, &value->real, 8);
    put_bytes(out, &value->real2, 8);
    put_varint(out, 1);
    put_str(out, str_n((const char *)wkb, sizeof wkb));
    put_varint(out, 0); /* srid: null */
}

static const char *avro_array(const struct value_type *type, const struct value *value, struct value_work *work,
                              struct buf *out)
{
    struct items items = { .type = type, .work = work, .out = out };
    int64_t count = item_count(value);

    if (count)
        put_varint(out, count);
    const char *why = count ? put_items(&items, value) : NULL;
    put_varint(out, 0);
    return why;
}

const char *write_avro(const struct value_type *type, const struct value *value, struct value_work *work,
                       struct buf *out)
{
    switch (value->form) {
    case FORM_INT:
        put_varint(out, value->integer);
        return NULL;
    case FORM_BOOL:
        put_bytes(out, value->integer ? "\1" : "\0", 1);
        return NULL;
    case FORM_FLOAT: {
        float narrow = (float)value->real;
        put_bytes(out, &narrow, sizeof narrow);
        return NULL;
    }
    case FORM_DOUBLE:
        put_bytes(out, &value->real, sizeof value->real);
        return NULL;
    case FORM_BYTES:
    case FORM_STRING:
    case FORM_DECIMAL:
        put_str(out, value->bytes);
        return NULL;
    case FORM_VARIABLE:
        put_varint(out, value->integer);
        put_str(out, value->bytes);
        return NULL;
    case FORM_POINT:
        avro_point(value, out);
        return NULL;
    case FORM_MAP:
        avro_map(work, out);
        return NULL;
    default:
        return avro_array(type, value, work, out);
    }
}

/* --------------------------------------------------------------------- JSON */

static void put_json_map(const struct value_work *work, struct buf *out)
{
    buf_putc(out, '{');
    for (size_t i = 0; i < work->pair_count; i++) {
        if (i)
            buf_putc(out, ',');
        text_json_string(out, work->pairs[i].key);
        buf_putc(out, ':');
        if (work->pairs[i].value.p)
            text_json_string(out, work->pairs[i].value);
        else
            buf_puts(out, "null");
    }
    buf_putc(out, '}');
}

static void put_json_point(const struct value *value, struct buf *out)
{
    uint8_t wkb[WKB_LEN];

    wkb_of(value, wkb);
    buf_puts(out, "{\"x\":");
    text_json_double(out, value->real);
    buf_puts(out, ",\"y\":");
    text_json_double(out, value->real2);
    buf_puts(out, ",\"wkb\":");
    text_json_base64(out, wkb, sizeof wkb);
    buf_puts(out, ",\"srid\":null}");
}

static const char *put_json_array(const struct value_type *type, const struct value *value, bool decimal_numeric,
                                  struct value_work *work, struct buf *out)
{
    struct items items = { .type = type, .work = work, .out = out, .json = true, .decimal_numeric = decimal_numeric };

    buf_putc(out, '[');
    const char *why = put_items(&items, value);
    buf_putc(out, ']');
    return why;
}

const char *write_json(const struct value_type *type, const struct value *value, bool decimal_numeric,
                       struct value_work *work, struct buf *out)
{
    switch (value->form) {
    case FORM_INT:
        text_int(out, value->integer);
        return NULL;
    case FORM_BOOL:
        buf_puts(out, value->integer ? "true" : "false");
        return NULL;
    case FORM_FLOAT:
        text_json_float(out, (float)value->real);
        return NULL;
    case FORM_DOUBLE:
        text_json_double(out, value->real);
        return NULL;
    case FORM_STRING:
        text_json_string(out, value->bytes);
        return NULL;
    case FORM_DECIMAL:
        if (decimal_numeric && value->text.p) {
            buf_put_str(out, value->text);
            return NULL;
        }
        if (decimal_numeric && avro_decimal_text(value->bytes, type->scale, out))
            return NULL;
        text_json_base64(out, value->bytes.p, value->bytes.len);
        return NULL;
    case FORM_BYTES:
        text_json_base64(out, value->bytes.p, value->bytes.len);
        return NULL;
    case FORM_VARIABLE:
        buf_puts(out, "{\"scale\":");
        text_int(out, value->integer);
        buf_puts(out, ",\"value\":");
        text_json_base64(out, value->bytes.p, value->bytes.len);
        buf_putc(out, '}');
        return NULL;
    case FORM_POINT:
        put_json_point(value, out);
        return NULL;
    case FORM_MAP:
        put_json_map(work, out);
        return NULL;
    default:
        return put_json_array(type, value, decimal_numeric, work, out);
    }
}

/* ----------------------------------------------------------------- stand-ins */

void value_absent(const struct value_type *type, struct value *out)
{
    static const char *const texts[] = {
        [ABSENT_ZERO] = "",
        [ABSENT_EPOCH_TEXT] = "1970-01-01T00:00:00Z",
        [ABSENT_TIME_TEXT] = "00:00:00Z",
        [ABSENT_DURATION_TEXT] = "P0Y0M0DT0H0M0S",
        [ABSENT_EMPTY_JSON] = "{}",
    };

    *out = (struct value){ .form = type->form, .bytes = str_of(texts[type->absent]) };
    if (type->form == FORM_DECIMAL || type->form == FORM_VARIABLE) {
        out->bytes = str_n("\0", 1);
    } else if (type->form == FORM_ARRAY || type->form == FORM_VECTOR) {
        out->form = FORM_ARRAY;
        out->bytes = STR("{}");
    }
}

void value_default(const struct value_type *type, const struct connect_schema *schema, struct value *out)
{
    const struct connect_default *d = &schema->fallback;

    *out = (struct value){
        .form = type->form, .integer = d->integer, .real = d->real, .bytes = str_n(d->bytes, d->bytes_len)
    };
}

/* Java's UUID.nameUUIDFromBytes: MD5 with the version 3 bits. */
static void name_uuid(struct str name, char out[static UUID_TEXT_LEN + 1])
{
    uint8_t digest[EVP_MAX_MD_SIZE] = { 0 };

    EVP_Digest(name.p, name.len, digest, NULL, EVP_md5(), NULL);
    digest[6] = (uint8_t)((digest[6] & 0x0f) | 0x30);
    digest[8] = (uint8_t)((digest[8] & 0x3f) | 0x80);
    uuid_format(digest, out);
}

/* An hstore's text of one pair. */
static bool pair_placeholder(const struct value_type *type, struct str text, struct value_work *work, struct value *out)
{
    CLEANUP(buf_free) struct buf pair = { 0 };

    for (int part = 0; part < 2; part++) {
        buf_puts(&pair, part ? "=>\"" : "\"");
        for (size_t i = 0; i < text.len; i++) {
            if (text.p[i] == '"' || text.p[i] == '\\')
                buf_putc(&pair, '\\');
            buf_putc(&pair, text.p[i]);
        }
        buf_putc(&pair, '"');
    }
    const char *why = type->convert(type, buf_str(&pair), work, out);
    if (out->form == FORM_MAP)
        out->bytes = (struct str){ 0 }; /* the pairs are in work */
    return !why;
}

bool value_placeholder(const struct event_options *options, const struct value_type *type, struct value_work *work,
                       struct value *out)
{
    struct str bytes = buf_str(&options->placeholder);
    struct str text = str_n(options->placeholder_text, options->placeholder_text_len);

    *out = (struct value){ .form = type->form };
    switch (type->placeholder) {
    case PLACEHOLDER_NONE:
        return false;
    case PLACEHOLDER_PAIR:
        return pair_placeholder(type, text, work, out);
    case PLACEHOLDER_UUID:
        name_uuid(bytes, (char *)out->room);
        out->form = FORM_ONE;
        out->bytes = str_n((char *)out->room, UUID_TEXT_LEN);
        return true;
    case PLACEHOLDER_TEXT:
        out->bytes = text;
        return true;
    case PLACEHOLDER_BYTES:
        out->bytes = type->form == FORM_BYTES ? bytes : text;
        return true;
    case PLACEHOLDER_CODES:
        out->form = FORM_CODES;
        out->bytes = bytes;
        return true;
    default:
        out->form = FORM_ONE;
        out->bytes = type->item->form == FORM_STRING ? text : bytes;
        return true;
    }
}
