/*
 * Values of primitive types in single-value serialization (Iceberg spec, appendix D), which
 * manifests use for bounds and we use for partition values:
 *
 *     boolean              1 byte, 0 or 1
 *     int, date            4 bytes little-endian; date is days since 1970
 *     long, time, timestamp[tz]   8 bytes little-endian; microseconds since midnight or 1970
 *     float, double        4, 8 bytes little-endian
 *     string               UTF-8
 *     uuid                 16 bytes, big-endian
 *     fixed, binary        as they are
 *     decimal              unscaled two's complement, big-endian, as few bytes as hold it
 *
 * Text is what DuckDB prints for a value.
 */
#include "lake/iceberg/type.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lake/iceberg/iceberg.h"
#include "wire/avro/avro.h"

enum { DECIMAL_BYTES = 16, MICROS_PER_SECOND = 1000000 };

/* ------------------------------------------------------------- little-endian numbers */

static void put_le(struct buf *out, uint64_t v, size_t n)
{
    for (size_t i = 0; i < n; i++)
        buf_putc(out, (char)(uint8_t)(v >> (8 * i)));
}

static uint64_t get_le(struct str s)
{
    uint64_t v = 0;

    for (size_t i = s.len; i-- > 0;)
        v = v << 8 | (uint8_t)s.p[i];
    return v;
}

/* Sign-extended. */
static int64_t get_le_signed(struct str s)
{
    return s.len == 4 ? (int64_t)(int32_t)(uint32_t)get_le(s) : (int64_t)get_le(s);
}

static double get_le_double(struct str s)
{
    uint64_t bits = get_le(s);
    uint32_t low = (uint32_t)bits;
    float f = 0;
    double d = 0;

    if (s.len == 4) {
        memcpy(&f, &low, sizeof f);
        return (double)f;
    }
    memcpy(&d, &bits, sizeof d);
    return d;
}

/* ------------------------------------------------------------- text -> bytes */

static bool digits(struct str *s, size_t n, int *out)
{
    int v = 0;

    if (s->len < n)
        return false;
    for (size_t i = 0; i < n; i++) {
        if (s->p[i] < '0' || s->p[i] > '9')
            return false;
        v = v * 10 + (s->p[i] - '0');
    }
    *s = str_skip(*s, n);
    *out = v;
    return true;
}

static bool literal(struct str *s, char c)
{
    if (!s->len || s->p[0] != c)
        return false;
    *s = str_skip(*s, 1);
    return true;
}

/* Four-digit years only: others have no place in a lake that every engine reads. */
static bool parse_date(struct str *s, int64_t *days)
{
    int year = 0, month = 0, day = 0;

    if (!digits(s, 4, &year) || !literal(s, '-') || !digits(s, 2, &month) || !literal(s, '-') || !digits(s, 2, &day))
        return false;
    if (month < 1 || month > 12 || day < 1 || day > 31)
        return false;
    *days = clock_days_of_date(year, month, day);
    return true;
}

static bool parse_time(struct str *s, int64_t *micros)
{
    int hour = 0, minute = 0, second = 0;
    int64_t fraction = 0, unit = MICROS_PER_SECOND;

    if (!digits(s, 2, &hour) || !literal(s, ':') || !digits(s, 2, &minute) || !literal(s, ':') ||
        !digits(s, 2, &second) || hour > 24 || minute > 59 || second > 60)
        return false;
    if (literal(s, '.'))
        for (int digit = 0; unit > 1 && digits(s, 1, &digit);) {
            unit /= 10;
            fraction += digit * unit;
        }
    *micros = ((int64_t)hour * 3600 + minute * 60 + second) * MICROS_PER_SECOND + fraction;
    return true;
}

static bool parse_timestamp(struct str s, bool zone, int64_t *micros)
{
    int64_t days = 0, time = 0;

    if (!parse_date(&s, &days) || (!literal(&s, ' ') && !literal(&s, 'T')) || !parse_time(&s, &time))
        return false;
    if (zone && (str_is(s, "+00") || str_is(s, "+00:00") || str_is(s, "Z")))
        s.len = 0;
    *micros = days * 86400 * MICROS_PER_SECOND + time;
    return s.len == 0;
}

/* "-12.5" with scale 2 -> -1250, as 16 bytes of two's complement, big-endian. */
static bool parse_decimal(struct str s, const struct iceberg_type *type, __int128 *out)
{
    bool negative = literal(&s, '-');
    __int128 v = 0;
    int fraction = -1, count = 0;

    if (!negative)
        (void)literal(&s, '+');
    for (; s.len; s = str_skip(s, 1)) {
        char c = s.p[0];
        if (c == '.' && fraction < 0) {
            fraction = 0;
            continue;
        }
        if (c < '0' || c > '9')
            return false;
        if (fraction >= type->scale) {
            if (c != '0')
                return false;
            continue;
        }
        v = v * 10 + (c - '0');
        count += v != 0;
        fraction += fraction >= 0;
        if (count > ICEBERG_DECIMAL_PRECISION_MAX)
            return false;
    }
    for (fraction = MAX(fraction, 0); fraction < type->scale; fraction++, count += v != 0)
        v *= count < ICEBERG_DECIMAL_PRECISION_MAX ? 10 : 1;
    *out = negative ? -v : v;
    return count <= type->precision;
}

static void put_decimal(struct buf *out, __int128 v, int min_bytes)
{
    uint8_t bytes[DECIMAL_BYTES];
    int n = 1;

    for (int i = 0; i < DECIMAL_BYTES; i++)
        bytes[i] = (uint8_t)((unsigned __int128)v >> (8 * (DECIMAL_BYTES - 1 - i)));
    while (n < DECIMAL_BYTES && (v < -((__int128)1 << (8 * n - 1)) || v >= (__int128)1 << (8 * n - 1)))
        n++;
    n = MAX(n, min_bytes);
    buf_append(out, bytes + DECIMAL_BYTES - n, (size_t)n);
}

static __int128 get_decimal(struct str s)
{
    unsigned __int128 v = s.len && (s.p[0] & 0x80) ? ~(unsigned __int128)0 : 0;

    for (size_t i = 0; i < s.len; i++)
        v = v << 8 | (uint8_t)s.p[i];
    return (__int128)v;
}

static bool put_uuid(struct str text, struct buf *out)
{
    CLEANUP(buf_free) struct buf plain = { 0 };
    size_t before = out->len;

    for (size_t i = 0; i < text.len; i++)
        if (text.p[i] != '-')
            buf_putc(&plain, text.p[i]);
    return decode_hex(buf_str(&plain), out) && out->len - before == 16;
}

static bool put_real(const struct iceberg_type *type, struct str text, struct buf *out)
{
    double d = 0;

    if (str_is(text, "inf") || str_is(text, "-inf"))
        d = text.p[0] == '-' ? -INFINITY : INFINITY;
    else if (!str_to_double(text, &d) || isnan(d))
        return false;
    if (type->kind == ICEBERG_FLOAT) {
        float f = (float)d;
        uint32_t bits;
        memcpy(&bits, &f, sizeof bits);
        put_le(out, bits, 4);
        return true;
    }
    uint64_t bits;
    memcpy(&bits, &d, sizeof bits);
    put_le(out, bits, 8);
    return true;
}

static bool put_integer(const struct iceberg_type *type, struct str text, struct buf *out)
{
    int64_t v = 0;
    bool ok = false;

    switch (type->kind) {
    case ICEBERG_INT:
        ok = str_to_i64(text, INT32_MIN, INT32_MAX, &v);
        break;
    case ICEBERG_DATE:
        ok = parse_date(&text, &v) && !text.len;
        break;
    case ICEBERG_LONG:
        ok = str_to_i64(text, INT64_MIN, INT64_MAX, &v);
        break;
    case ICEBERG_TIME:
        ok = parse_time(&text, &v) && !text.len;
        break;
    default:
        ok = parse_timestamp(text, type->kind == ICEBERG_TIMESTAMPTZ, &v);
    }
    if (ok)
        put_le(out, (uint64_t)v, type->kind == ICEBERG_INT || type->kind == ICEBERG_DATE ? 4 : 8);
    return ok;
}

bool iceberg_value_bytes(const char *type_text, struct str text, struct buf *out)
{
    struct iceberg_type type;
    __int128 decimal = 0;

    if (!iceberg_type_parse(type_text, &type))
        return false;
    switch (type.kind) {
    case ICEBERG_BOOLEAN:
        buf_putc(out, str_is(text, "true") ? 1 : 0);
        return str_is(text, "true") || str_is(text, "false");
    case ICEBERG_FLOAT:
    case ICEBERG_DOUBLE:
        return put_real(&type, text, out);
    case ICEBERG_STRING:
        buf_put_str(out, text);
        return str_is_utf8(text);
    case ICEBERG_UUID:
        return put_uuid(text, out);
    case ICEBERG_FIXED:
    case ICEBERG_BINARY:
        return decode_hex(text, out);
    case ICEBERG_DECIMAL:
        if (!parse_decimal(text, &type, &decimal))
            return false;
        put_decimal(out, decimal, 1);
        return true;
    default:
        return put_integer(&type, text, out);
    }
}

/* ------------------------------------------------------------- bytes -> text */

static bool right_length(const struct iceberg_type *type, size_t n)
{
    switch (type->kind) {
    case ICEBERG_BOOLEAN:
        return n == 1;
    case ICEBERG_INT:
    case ICEBERG_DATE:
    case ICEBERG_FLOAT:
        return n == 4;
    case ICEBERG_LONG: /* 4: written when the column was an int */
    case ICEBERG_DOUBLE:
        return n == 4 || n == 8;
    case ICEBERG_TIME:
    case ICEBERG_TIMESTAMP:
    case ICEBERG_TIMESTAMPTZ:
        return n == 8;
    case ICEBERG_UUID:
        return n == 16;
    case ICEBERG_DECIMAL:
        return n >= 1 && n <= DECIMAL_BYTES;
    case ICEBERG_FIXED:
        return n == (size_t)type->length;
    default:
        return true;
    }
}

static void text_of_time(int64_t micros, struct buf *out)
{
    int64_t second = micros / MICROS_PER_SECOND, fraction = micros % MICROS_PER_SECOND;

    buf_printf(out, "%02d:%02d:%02d", (int)(second / 3600), (int)(second / 60 % 60), (int)(second % 60));
    if (fraction)
        buf_printf(out, ".%06d", (int)fraction);
}

static void text_of_days(int64_t days, struct buf *out)
{
    struct clock_date date = clock_date_of_days(days);

    buf_printf(out, "%04lld-%02d-%02d", (long long)date.year, date.month, date.day);
}

static void text_of_integer(const struct iceberg_type *type, int64_t v, struct buf *out)
{
    const int64_t day = (int64_t)86400 * MICROS_PER_SECOND;

    switch (type->kind) {
    case ICEBERG_DATE:
        text_of_days(v, out);
        return;
    case ICEBERG_TIME:
        text_of_time(v, out);
        return;
    case ICEBERG_TIMESTAMP:
    case ICEBERG_TIMESTAMPTZ: {
        int64_t days = v / day - (v % day < 0);
        text_of_days(days, out);
        buf_putc(out, ' ');
        text_of_time(v - days * day, out);
        buf_puts(out, type->kind == ICEBERG_TIMESTAMPTZ ? "+00" : "");
        return;
    }
    default:
        buf_printf(out, "%lld", (long long)v);
    }
}

bool iceberg_value_text(const char *type_text, struct str bytes, struct buf *out)
{
    struct iceberg_type type;

    if (!iceberg_type_parse(type_text, &type) || !right_length(&type, bytes.len))
        return false;
    switch (type.kind) {
    case ICEBERG_BOOLEAN:
        buf_puts(out, bytes.p[0] ? "true" : "false");
        return true;
    case ICEBERG_FLOAT:
    case ICEBERG_DOUBLE:
        buf_printf(out, type.kind == ICEBERG_FLOAT ? "%.9g" : "%.17g", get_le_double(bytes));
        return true;
    case ICEBERG_STRING:
        buf_put_str(out, bytes);
        return true;
    case ICEBERG_UUID: {
        char text[UUID_TEXT_LEN + 1];
        uuid_format((const uint8_t *)bytes.p, text);
        buf_puts(out, text);
        return true;
    }
    case ICEBERG_FIXED:
    case ICEBERG_BINARY:
        encode_hex(out, bytes.p, bytes.len);
        return true;
    case ICEBERG_DECIMAL:
        return avro_decimal_text(bytes, type.scale, out);
    default:
        text_of_integer(&type, get_le_signed(bytes), out);
        return true;
    }
}

bool iceberg_type_write_avro(const struct iceberg_type *type, struct str value, struct buf *out)
{
    if (!right_length(type, value.len))
        return false;
    switch (type->kind) {
    case ICEBERG_BOOLEAN:
    case ICEBERG_FLOAT:
    case ICEBERG_UUID:
    case ICEBERG_FIXED:
        buf_put_str(out, value);
        return true;
    case ICEBERG_DOUBLE:
        if (value.len == 4)
            avro_write_double(out, get_le_double(value));
        else
            buf_put_str(out, value);
        return true;
    case ICEBERG_STRING:
    case ICEBERG_BINARY:
        avro_write_bytes(out, value);
        return true;
    case ICEBERG_DECIMAL: {
        size_t before = out->len;
        put_decimal(out, get_decimal(value), iceberg_decimal_bytes(type->precision));
        return out->len - before == (size_t)iceberg_decimal_bytes(type->precision);
    }
    default:
        avro_write_long(out, get_le_signed(value));
        return true;
    }
}

int iceberg_value_compare(const struct iceberg_type *type, struct str a, struct str b)
{
    switch (type->kind) {
    case ICEBERG_FLOAT:
    case ICEBERG_DOUBLE: {
        double x = get_le_double(a), y = get_le_double(b);
        return x < y ? -1 : x > y ? 1 : !!signbit(y) - !!signbit(x);
    }
    case ICEBERG_DECIMAL: {
        __int128 x = get_decimal(a), y = get_decimal(b);
        return (x > y) - (x < y);
    }
    case ICEBERG_BOOLEAN:
    case ICEBERG_STRING:
    case ICEBERG_UUID:
    case ICEBERG_FIXED:
    case ICEBERG_BINARY:
        return str_cmp(a, b);
    default: {
        int64_t x = get_le_signed(a), y = get_le_signed(b);
        return (x > y) - (x < y);
    }
    }
}

bool iceberg_zero_bound(bool upper, struct str bytes, struct buf *out)
{
    if (get_le_double(bytes) != 0)
        return false;
    put_le(out, upper ? 0 : (uint64_t)1 << (8 * bytes.len - 1), bytes.len);
    return true;
}
