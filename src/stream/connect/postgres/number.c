/* Numbers, truth values and bit strings from PostgreSQL's text; cdc reference §4.1. */
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "stream/connect/postgres/value.h"

enum { FLOAT_TEXT_MAX = 64, SMALL_DIGITS = 18, LIMB = 1000000000 };

static bool parse_i64(struct str s, int64_t *out)
{
    size_t i = s.len > 0 && s.p[0] == '-';
    uint64_t v = 0;

    if (i == s.len || s.len > 20)
        return false;
    for (; i < s.len; i++) {
        unsigned digit = (unsigned)(s.p[i] - '0');
        if (digit > 9 || __builtin_mul_overflow(v, 10, &v) || __builtin_add_overflow(v, digit, &v))
            return false;
    }
    bool negative = s.p[0] == '-';
    if (v > (uint64_t)INT64_MAX + negative)
        return false;
    *out = negative ? (int64_t)(0 - v) : (int64_t)v;
    return true;
}

static const char *convert_int(struct str text, int64_t min, int64_t max, struct value *out)
{
    out->form = FORM_INT;
    if (!parse_i64(text, &out->integer))
        return "not an integer";
    return out->integer < min || out->integer > max ? "out of range" : NULL;
}

const char *convert_int2(const struct value_type *type, struct str text, struct value_work *work, struct value *out)
{
    (void)type, (void)work;
    return convert_int(text, INT16_MIN, INT16_MAX, out);
}

const char *convert_int4(const struct value_type *type, struct str text, struct value_work *work, struct value *out)
{
    (void)type, (void)work;
    return convert_int(text, INT32_MIN, INT32_MAX, out);
}

const char *convert_int8(const struct value_type *type, struct str text, struct value_work *work, struct value *out)
{
    (void)type, (void)work;
    return convert_int(text, INT64_MIN, INT64_MAX, out);
}

const char *convert_oid(const struct value_type *type, struct str text, struct value_work *work, struct value *out)
{
    (void)type, (void)work;
    return convert_int(text, 0, UINT32_MAX, out);
}

const char *convert_bool(const struct value_type *type, struct str text, struct value_work *work, struct value *out)
{
    (void)type, (void)work;
    out->form = FORM_BOOL;
    out->integer = text.len > 0 && text.p[0] == 't';
    return text.len > 0 && (text.p[0] == 't' || text.p[0] == 'f') ? NULL : "not a truth value";
}

/* strtod wants a terminated text; PostgreSQL's spellings NaN, Infinity, 1e+20 are all known to it. */
bool parse_double(struct str text, double *out)
{
    char copy[FLOAT_TEXT_MAX];
    char *end;

    if (text.len == 0 || text.len >= sizeof copy || text.p[0] == ' ')
        return false;
    memcpy(copy, text.p, text.len);
    copy[text.len] = '\0';
    *out = strtod(copy, &end);
    return *end == '\0';
}

const char *convert_float8(const struct value_type *type, struct str text, struct value_work *work, struct value *out)
{
    (void)type, (void)work;
    out->form = FORM_DOUBLE;
    return parse_double(text, &out->real) ? NULL : "not a number";
}

const char *convert_float4(const struct value_type *type, struct str text, struct value_work *work, struct value *out)
{
    char copy[FLOAT_TEXT_MAX];
    char *end;

    (void)type, (void)work;
    out->form = FORM_FLOAT;
    if (text.len == 0 || text.len >= sizeof copy || text.p[0] == ' ')
        return "not a number";
    memcpy(copy, text.p, text.len);
    copy[text.len] = '\0';
    out->real = (double)strtof(copy, &end); /* not through double: that would round twice */
    return *end == '\0' ? NULL : "not a number";
}

/* ----------------------------------------------------------------- decimals */

/* A decimal number's parts: "-012.340" is negative, digits "012" and "340". */
struct decimal {
    bool negative;
    struct str whole, fraction;
};

static const char *decimal_split(struct str text, struct decimal *out)
{
    *out = (struct decimal){ .negative = text.len > 0 && text.p[0] == '-' };
    text = str_skip(text, out->negative);
    size_t dot = text.len;
    for (size_t i = 0; i < text.len; i++) {
        if (text.p[i] == '.' && dot == text.len)
            dot = i;
        else if (text.p[i] < '0' || text.p[i] > '9')
            return text.p[0] == 'N' || text.p[0] == 'I' ? "NaN and infinity have no place in a decimal"
                                                        : "not a number";
    }
    out->whole = str_n(text.p, dot);
    out->fraction = dot < text.len ? str_skip(text, dot + 1) : str_n("", 0);
    if (out->whole.len + out->fraction.len == 0)
        return "not a number";
    return out->whole.len + out->fraction.len > NUMERIC_DIGITS_MAX ? "too many digits" : NULL;
}

/* Big-endian two's complement of least length. */
static void put_small(int64_t v, struct value *out)
{
    uint8_t *p = out->room;
    size_t n = 8, skip = 0;

    for (int i = 0; i < 8; i++)
        p[i] = (uint8_t)((uint64_t)v >> (56 - 8 * i));
    while (skip < n - 1 && ((p[skip] == 0 && p[skip + 1] < 0x80) || (p[skip] == 0xff && p[skip + 1] >= 0x80)))
        skip++;
    out->bytes = str_n((const char *)p + skip, n - skip);
}

/* Any number of digits: base 10^9 limbs are divided down to bytes.  digits are count digits, then zeros more. */
static void put_large(bool negative, struct str whole, struct str fraction, size_t zeros, struct value_work *work,
                      struct value *out)
{
    size_t count = whole.len + fraction.len + zeros;
    size_t limb_count = count / 9 + 1, byte_max = count / 2 + 16;

    buf_clear(&work->scratch);
    uint8_t *room = buf_reserve(&work->scratch, byte_max + limb_count * sizeof(uint32_t) + 16);
    if (!room) {
        out->bytes = (struct str){ 0 };
        return;
    }
    uint32_t *limbs = (uint32_t *)(void *)(room + (byte_max + 15) / 16 * 16);
    memset(limbs, 0, limb_count * sizeof *limbs);
    for (size_t i = 0; i < count; i++) { /* limbs[0] is the most significant */
        unsigned digit = i < whole.len                  ? (unsigned)(whole.p[i] - '0')
                         : i < whole.len + fraction.len ? (unsigned)(fraction.p[i - whole.len] - '0')
                                                        : 0;
        size_t place = count - 1 - i;
        uint32_t *limb = &limbs[limb_count - 1 - place / 9];
        *limb = *limb * 10 + digit;
    }
    size_t from = 0, at = byte_max;
    while (from < limb_count && limbs[from] == 0)
        from++;
    while (from < limb_count) { /* one byte at a time would do; three at a time does it in a third of the passes */
        uint64_t carry = 0;
        for (size_t i = from; i < limb_count; i++) {
            uint64_t v = carry * LIMB + limbs[i];
            limbs[i] = (uint32_t)(v >> 24);
            carry = v & 0xffffff;
        }
        for (int i = 0; i < 3; i++, carry >>= 8)
            room[--at] = (uint8_t)carry;
        while (from < limb_count && limbs[from] == 0)
            from++;
    }
    while (at < byte_max && room[at] == 0)
        at++;
    if (at == byte_max || room[at] >= 0x80)
        room[--at] = 0;
    if (negative) {
        unsigned carry = 1;
        for (size_t i = byte_max; i-- > at;) {
            unsigned v = (uint8_t)~room[i] + carry;
            room[i] = (uint8_t)v;
            carry = v >> 8;
        }
        while (at + 1 < byte_max && room[at] == 0xff && room[at + 1] >= 0x80)
            at++;
        while (at + 1 < byte_max && room[at] == 0 && room[at + 1] < 0x80)
            at++;
    }
    out->bytes = str_n((const char *)room + at, byte_max - at);
}

static int64_t small_number(struct str whole, struct str fraction, size_t zeros)
{
    int64_t v = 0;

    for (size_t i = 0; i < whole.len; i++)
        v = v * 10 + (whole.p[i] - '0');
    for (size_t i = 0; i < fraction.len; i++)
        v = v * 10 + (fraction.p[i] - '0');
    while (zeros-- > 0)
        v *= 10;
    return v;
}

static const char *put_decimal(const struct decimal *d, int scale, struct value_work *work, struct value *out)
{
    struct str fraction = d->fraction;

    if (scale < 0)
        return "the scale is negative";
    while (fraction.len > (size_t)scale && fraction.p[fraction.len - 1] == '0')
        fraction.len--;
    if (fraction.len > (size_t)scale)
        return "more fraction digits than the column's scale";
    size_t zeros = (size_t)scale - fraction.len;
    if (d->whole.len + fraction.len + zeros <= SMALL_DIGITS) {
        int64_t v = small_number(d->whole, fraction, zeros);
        put_small(d->negative ? -v : v, out);
        return NULL;
    }
    put_large(d->negative, d->whole, fraction, zeros, work, out);
    return out->bytes.p ? NULL : "too large";
}

const char *decimal_unscaled(struct str text, int scale, struct value_work *work, struct value *out)
{
    struct decimal d;
    const char *why = decimal_split(text, &d);

    return why ? why : put_decimal(&d, scale, work, out);
}

const char *convert_decimal(const struct value_type *type, struct str text, struct value_work *work, struct value *out)
{
    out->form = FORM_DECIMAL;
    out->text = text;
    return decimal_unscaled(text, type->scale, work, out);
}

/* numeric without a precision: trailing zeros of the fraction go, the scale is what is left. */
const char *convert_variable(const struct value_type *type, struct str text, struct value_work *work, struct value *out)
{
    struct decimal d;
    const char *why = decimal_split(text, &d);

    (void)type;
    if (why)
        return why;
    while (d.fraction.len && d.fraction.p[d.fraction.len - 1] == '0')
        d.fraction.len--;
    out->form = FORM_VARIABLE;
    out->integer = (int64_t)d.fraction.len;
    return put_decimal(&d, (int)d.fraction.len, work, out);
}

const char *convert_decimal_text(const struct value_type *type, struct str text, struct value_work *work,
                                 struct value *out)
{
    (void)type, (void)work;
    out->form = FORM_STRING;
    out->bytes = text;
    if (str_is(text, "NaN"))
        out->bytes = STR("NAN");
    else if (str_is(text, "Infinity"))
        out->bytes = STR("POSITIVE_INFINITY");
    else if (str_is(text, "-Infinity"))
        out->bytes = STR("NEGATIVE_INFINITY");
    return NULL;
}

const char *convert_decimal_double(const struct value_type *type, struct str text, struct value_work *work,
                                   struct value *out)
{
    (void)type;
    out->form = FORM_DOUBLE;
    if (text.len < FLOAT_TEXT_MAX)
        return parse_double(text, &out->real) ? NULL : "not a number";
    buf_clear(&work->scratch);
    buf_put_str(&work->scratch, text);
    char *end;
    out->real = strtod(buf_cstr(&work->scratch), &end);
    return *end == '\0' && !buf_failed(&work->scratch) ? NULL : "not a number";
}

/* -------------------------------------------------------------------- money */

/* "-$1,234.56", "($1,234.56)": digits, the last point and the sign count, as under lc_monetary C and en_US. */
static const char *money_text(struct str text, struct value_work *work, struct str *out)
{
    bool negative = false;

    buf_clear(&work->scratch);
    for (size_t i = 0; i < text.len; i++) {
        char c = text.p[i];
        if (c == '-' || c == '(')
            negative = true;
        else if ((c >= '0' && c <= '9') || c == '.')
            buf_putc(&work->scratch, c);
    }
    if (negative) {
        buf_putc(&work->scratch, ' ');
        memmove(work->scratch.data + 1, work->scratch.data, work->scratch.len - 1);
        work->scratch.data[0] = '-';
    }
    *out = buf_str(&work->scratch);
    return out->len == 0 || out->len > SMALL_DIGITS + 8 ? "not an amount of money" : NULL;
}

const char *convert_money(const struct value_type *type, struct str text, struct value_work *work, struct value *out)
{
    char copy[SMALL_DIGITS + 16];
    struct str number;
    const char *why = money_text(text, work, &number);

    if (why)
        return why;
    memcpy(copy, number.p, number.len); /* scratch is needed for the digits */
    out->form = FORM_DECIMAL;
    why = decimal_unscaled(str_n(copy, number.len), type->scale, work, out);
    if (!why) { /* the text form, for JSON's NUMERIC, behind the bytes */
        size_t n = MIN(number.len, sizeof out->room - 10);
        memcpy(out->room + 10, copy, n);
        out->text = str_n((const char *)out->room + 10, n);
    }
    return why;
}

const char *convert_money_text(const struct value_type *type, struct str text, struct value_work *work,
                               struct value *out)
{
    (void)type;
    out->form = FORM_STRING;
    return money_text(text, work, &out->bytes);
}

const char *convert_money_double(const struct value_type *type, struct str text, struct value_work *work,
                                 struct value *out)
{
    struct str number;
    const char *why = money_text(text, work, &number);

    (void)type;
    out->form = FORM_DOUBLE;
    return why ? why : parse_double(number, &out->real) ? NULL : "not an amount of money";
}

/* --------------------------------------------------------------------- bits */

const char *convert_bit_bool(const struct value_type *type, struct str text, struct value_work *work, struct value *out)
{
    (void)type, (void)work;
    out->form = FORM_BOOL;
    out->integer = text.len > 0 && text.p[0] == '1';
    return text.len == 1 && (text.p[0] == '0' || text.p[0] == '1') ? NULL : "not one bit";
}

/* Java's BitSet: the last digit is bit 0 of byte 0; bytes above the highest set bit are not there. */
const char *convert_bits(const struct value_type *type, struct str text, struct value_work *work, struct value *out)
{
    size_t size = (text.len + 7) / 8;

    (void)type;
    buf_clear(&work->scratch);
    uint8_t *p = buf_reserve(&work->scratch, size + 1);
    if (!p)
        return "too large";
    memset(p, 0, size + 1);
    for (size_t i = 0; i < text.len; i++) {
        char c = text.p[text.len - 1 - i];
        if (c != '0' && c != '1')
            return "not a bit string";
        p[i / 8] |= (uint8_t)((c - '0') << i % 8);
    }
    while (size > 0 && p[size - 1] == 0)
        size--;
    out->form = FORM_BYTES;
    out->bytes = str_n((const char *)p, size);
    return NULL;
}
