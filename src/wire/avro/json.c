/*
 * JSON as Jackson prints it: compact, members in the order they have, no escaping of '/' or of
 * characters beyond ASCII, control characters as \b \t \n \f \r or \u001F, doubles as Java's
 * Double.toString (shortest digits; "1.0E10" outside [0.001, 10^7)).
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "wire/avro/avro.h"
#include "wire/avro/document.h"

static void put_escaped(unsigned char c, struct buf *out)
{
    static const char *const short_forms[32] = {
        ['\b'] = "\\b", ['\t'] = "\\t", ['\n'] = "\\n", ['\f'] = "\\f", ['\r'] = "\\r"
    };
    if (c == '"' || c == '\\') {
        buf_putc(out, '\\');
        buf_putc(out, (char)c);
    } else if (short_forms[c]) {
        buf_puts(out, short_forms[c]);
    } else {
        buf_printf(out, "\\u%04X", c);
    }
}

void avro_json_print_str(struct str s, struct buf *out)
{
    size_t from = 0;

    buf_putc(out, '"');
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if (c >= 0x20 && c != '"' && c != '\\')
            continue;
        buf_append(out, s.p + from, i - from);
        put_escaped(c, out);
        from = i + 1;
    }
    if (s.len > from)
        buf_append(out, s.p + from, s.len - from);
    buf_putc(out, '"');
}

/* The shortest digits that read back as the same number, as "d.ddde[+-]xx"; never fewer than two, as Java has it: the
 * least double is 4.9E-324, not 5.0E-324. */
static void shortest(double v, bool single, char text[static 40])
{
    for (int precision = 1; precision <= 17; precision++) {
        snprintf(text, 40, "%.*e", precision, v);
        if (single ? strtof(text, NULL) == (float)v : strtod(text, NULL) == v)
            return;
    }
}

/* Digits without the point, and the power of ten of the first. */
static int take_digits(const char *text, char digits[static 24])
{
    const char *e = strchr(text, 'e');
    size_t n = 0;

    for (const char *p = text; p < e; p++)
        if (*p >= '0' && *p <= '9' && n < 23)
            digits[n++] = *p;
    while (n > 1 && digits[n - 1] == '0')
        n--;
    digits[n] = '\0';
    return atoi(e + 1);
}

void avro_json_print_double(double v, bool single, struct buf *out)
{
    char text[40], digits[24];
    int exponent, n;

    if (isnan(v) || isinf(v)) {
        buf_puts(out, isnan(v) ? "\"NaN\"" : v < 0 ? "\"-Infinity\"" : "\"Infinity\"");
        return;
    }
    if (signbit(v))
        buf_putc(out, '-');
    v = fabs(v);
    if (v == 0) {
        buf_puts(out, "0.0");
        return;
    }
    shortest(v, single, text);
    exponent = take_digits(text, digits);
    n = (int)strlen(digits);
    if (exponent < -3 || exponent >= 7)
        buf_printf(out, "%c.%sE%d", digits[0], n > 1 ? digits + 1 : "0", exponent);
    else if (exponent < 0)
        buf_printf(out, "0.%.*s%s", -exponent - 1, "000", digits);
    else if (n <= exponent + 1)
        buf_printf(out, "%s%.*s.0", digits, exponent + 1 - n, "0000000");
    else
        buf_printf(out, "%.*s.%s", exponent + 1, digits, digits + exponent + 1);
}

static int by_key(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void print_value(const json_t *value, bool sorted, struct buf *out);

static void print_object_sorted(const json_t *value, struct buf *out)
{
    size_t n = json_object_size(value), i = 0;
    CLEANUP_FREE const char **keys = mem_grow_zeroed(n, sizeof *keys);
    const char *key;
    json_t *item UNUSED;

    json_object_foreach((json_t *)(uintptr_t)value, key, item)
        keys[i++] = key;
    qsort(keys, n, sizeof *keys, by_key);
    for (i = 0; i < n; i++) {
        if (i)
            buf_putc(out, ',');
        avro_json_print_str(str_of(keys[i]), out);
        buf_putc(out, ':');
        print_value(json_object_get(value, keys[i]), true, out);
    }
}

static void print_object(const json_t *value, struct buf *out)
{
    const char *key, *comma = "";
    json_t *item;

    json_object_foreach((json_t *)(uintptr_t)value, key, item) {
        buf_puts(out, comma);
        avro_json_print_str(str_of(key), out);
        buf_putc(out, ':');
        print_value(item, false, out);
        comma = ",";
    }
}

static void print_array(const json_t *value, bool sorted, struct buf *out)
{
    for (size_t i = 0; i < json_array_size(value); i++) {
        if (i)
            buf_putc(out, ',');
        print_value(json_array_get(value, i), sorted, out);
    }
}

static void print_value(const json_t *value, bool sorted, struct buf *out)
{
    switch (json_typeof(value)) {
    case JSON_OBJECT:
        buf_putc(out, '{');
        if (sorted)
            print_object_sorted(value, out);
        else
            print_object(value, out);
        buf_putc(out, '}');
        return;
    case JSON_ARRAY:
        buf_putc(out, '[');
        print_array(value, sorted, out);
        buf_putc(out, ']');
        return;
    case JSON_STRING:
        avro_json_print_str(avro_json_text(value), out);
        return;
    case JSON_INTEGER:
        buf_printf(out, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
        return;
    case JSON_REAL:
        avro_json_print_double(json_real_value(value), false, out);
        return;
    case JSON_TRUE:
        buf_puts(out, "true");
        return;
    case JSON_FALSE:
        buf_puts(out, "false");
        return;
    case JSON_NULL:
        buf_puts(out, "null");
        return;
    }
}

void avro_json_print(const json_t *value, struct buf *out)
{
    print_value(value, false, out);
}

void avro_json_print_sorted(const json_t *value, struct buf *out)
{
    print_value(value, true, out);
}
