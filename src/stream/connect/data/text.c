/* JSON text as Jackson prints it; see text.h. */
#include "stream/connect/data/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "stream/connect/data/schema.h"
#include "wire/avro/avro.h"

void text_json_string(struct buf *out, struct str s)
{
    avro_json_print_str(s, out);
}

void text_json_latin1(struct buf *out, const void *p, size_t n)
{
    CLEANUP(buf_free) struct buf text = { 0 };
    const unsigned char *bytes = p;

    for (size_t i = 0; i < n; i++) {
        if (bytes[i] >= 0x80)
            buf_putc(&text, (char)(0xc0 | bytes[i] >> 6));
        buf_putc(&text, (char)(bytes[i] < 0x80 ? bytes[i] : 0x80 | (bytes[i] & 0x3f)));
    }
    avro_json_print_str(buf_str(&text), out);
}

void text_json_double(struct buf *out, double v)
{
    avro_json_print_double(v, false, out);
}

void text_json_float(struct buf *out, float v)
{
    avro_json_print_double((double)v, true, out);
}

void text_int(struct buf *out, int64_t v)
{
    char digits[24];
    size_t at = sizeof digits;
    uint64_t u = v < 0 ? -(uint64_t)v : (uint64_t)v;

    do
        digits[--at] = (char)('0' + u % 10);
    while (u /= 10);
    if (v < 0)
        digits[--at] = '-';
    buf_append(out, digits + at, sizeof digits - at);
}

void text_json_base64(struct buf *out, const void *p, size_t n)
{
    buf_putc(out, '"');
    if (n)
        encode_base64(out, p, n);
    buf_putc(out, '"');
}

void text_json_default(struct buf *out, const struct connect_schema *schema,
                       void (*put_bytes)(struct buf *out, const void *p, size_t n))
{
    const struct connect_default *d = &schema->fallback;

    switch (schema->type) {
    case CONNECT_BOOLEAN:
        buf_puts(out, d->integer ? "true" : "false");
        break;
    case CONNECT_FLOAT32:
        text_json_float(out, (float)d->real);
        break;
    case CONNECT_FLOAT64:
        text_json_double(out, d->real);
        break;
    case CONNECT_STRING:
        text_json_string(out, str_n(d->bytes, d->bytes_len));
        break;
    case CONNECT_BYTES:
        put_bytes(out, d->bytes, d->bytes_len);
        break;
    default:
        text_int(out, d->integer);
    }
}
