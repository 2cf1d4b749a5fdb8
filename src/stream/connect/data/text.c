/* JSON text as Jackson prints it; see text.h. */
#include "stream/connect/data/text.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "stream/connect/data/schema.h"

static void put_escaped(struct buf *out, unsigned char c)
{
    static const char hex[] = "0123456789ABCDEF";
    static const char shorts[] = "\b\t\n\f\r\"\\", names[] = "btnfr\"\\";
    const char *at = c ? strchr(shorts, c) : NULL;

    if (at) {
        char two[2] = { '\\', names[at - shorts] };
        buf_append(out, two, sizeof two);
        return;
    }
    char six[6] = { '\\', 'u', '0', '0', hex[c >> 4], hex[c & 15] };
    buf_append(out, six, sizeof six);
}

void text_json_string(struct buf *out, struct str s)
{
    size_t from = 0;

    buf_putc(out, '"');
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if (c >= 0x20 && c != '"' && c != '\\')
            continue;
        buf_append(out, s.p + from, i - from);
        put_escaped(out, c);
        from = i + 1;
    }
    if (s.len > from)
        buf_append(out, s.p + from, s.len - from);
    buf_putc(out, '"');
}

void text_json_latin1(struct buf *out, const void *p, size_t n)
{
    const unsigned char *bytes = p;

    buf_putc(out, '"');
    for (size_t i = 0; i < n; i++) {
        unsigned char c = bytes[i];
        if (c < 0x20 || c == '"' || c == '\\') {
            put_escaped(out, c);
        } else if (c < 0x80) {
            buf_putc(out, (char)c);
        } else {
            char two[2] = { (char)(0xc0 | c >> 6), (char)(0x80 | (c & 0x3f)) };
            buf_append(out, two, sizeof two);
        }
    }
    buf_putc(out, '"');
}

/* Java writes d.ddd within [1e-3, 1e7) and d.dddE±n outside.  `digits` are those of %e: "1.25e-07". */
static void put_java(struct buf *out, char *digits)
{
    char *e = strchr(digits, 'e');
    char all[40];
    size_t count = 0;

    if (!e)
        return;
    int exponent = atoi(e + 1);
    const char *from = digits;
    if (*from == '-') {
        buf_putc(out, '-');
        from++;
    }
    for (; from < e && count < sizeof all; from++)
        if (*from != '.')
            all[count++] = *from;
    while (count > 1 && all[count - 1] == '0')
        count--;
    if (exponent < -3 || exponent >= 7) {
        buf_putc(out, all[0]);
        buf_putc(out, '.');
        if (count > 1)
            buf_append(out, all + 1, count - 1);
        else
            buf_putc(out, '0');
        buf_putc(out, 'E');
        text_int(out, exponent);
        return;
    }
    if (exponent < 0) {
        buf_puts(out, "0.");
        for (int i = -1; i > exponent; i--)
            buf_putc(out, '0');
        buf_append(out, all, count);
        return;
    }
    for (size_t i = 0; i <= (size_t)exponent || i < count || i == (size_t)exponent + 1; i++) {
        if (i == (size_t)exponent + 1)
            buf_putc(out, '.');
        buf_putc(out, i < count ? all[i] : '0');
    }
}

static bool put_special(struct buf *out, double v)
{
    if (isnan(v))
        buf_puts(out, "\"NaN\"");
    else if (isinf(v))
        buf_puts(out, v > 0 ? "\"Infinity\"" : "\"-Infinity\"");
    else if (v == 0)
        buf_puts(out, signbit(v) ? "-0.0" : "0.0");
    else
        return false;
    return true;
}

/* Java gives at least two digits: the least double is 4.9E-324, not 5.0E-324. */
void text_json_double(struct buf *out, double v)
{
    char digits[40];

    if (put_special(out, v))
        return;
    for (int n = 1; n < DBL_DECIMAL_DIG; n++) {
        snprintf(digits, sizeof digits, "%.*e", n, v);
        if (strtod(digits, NULL) == v)
            break;
    }
    put_java(out, digits);
}

void text_json_float(struct buf *out, float v)
{
    char digits[40];

    if (put_special(out, (double)v))
        return;
    for (int n = 1; n < FLT_DECIMAL_DIG; n++) {
        snprintf(digits, sizeof digits, "%.*e", n, (double)v);
        if (strtof(digits, NULL) == v)
            break;
    }
    put_java(out, digits);
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
