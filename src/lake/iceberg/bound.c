/*
 * Bounds of long values: a lower one is cut, an upper one is cut and its last character raised, so that it
 * still lies above every value (Iceberg spec, "Manifests": lower_bounds, upper_bounds).
 *
 * Subtle: characters are code points of UTF-8, never bytes, and none becomes a surrogate.
 */
#include <string.h>

#include "lake/iceberg/iceberg.h"
#include "lake/iceberg/type.h"

/* Bytes of the UTF-8 character that begins at p. */
static size_t utf8_len(char c)
{
    uint8_t lead = (uint8_t)c;

    return lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
}

static uint32_t utf8_decode(const char *p, size_t n)
{
    static const uint8_t masks[] = { 0, 0x7f, 0x1f, 0x0f, 0x07 };
    uint32_t v = (uint8_t)p[0] & masks[n];

    for (size_t i = 1; i < n; i++)
        v = v << 6 | ((uint8_t)p[i] & 0x3f);
    return v;
}

static void utf8_encode(uint32_t v, struct buf *out)
{
    if (v < 0x80) {
        buf_putc(out, (char)v);
        return;
    }
    int more = v < 0x800 ? 1 : v < 0x10000 ? 2 : 3;
    static const uint8_t leads[] = { 0, 0xc0, 0xe0, 0xf0 };
    buf_putc(out, (char)(leads[more] | v >> (6 * more)));
    for (int i = more - 1; i >= 0; i--)
        buf_putc(out, (char)(0x80 | ((v >> (6 * i)) & 0x3f)));
}

/* The least text of that many characters or fewer that is above every text beginning with s. */
static bool round_up_text(struct str s, struct buf *out)
{
    while (s.len) {
        size_t at = s.len - 1;
        while (at > 0 && ((uint8_t)s.p[at] & 0xc0) == 0x80)
            at--;
        uint32_t v = utf8_decode(s.p + at, s.len - at);
        if (v < 0x10ffff) {
            v = v == 0xd7ff ? 0xe000 : v + 1;
            buf_append(out, s.p, at);
            utf8_encode(v, out);
            return true;
        }
        s.len = at;
    }
    return false;
}

static bool round_up_bytes(struct str s, struct buf *out)
{
    while (s.len && (uint8_t)s.p[s.len - 1] == 0xff)
        s.len--;
    if (!s.len)
        return false;
    buf_append(out, s.p, s.len - 1);
    buf_putc(out, (char)((uint8_t)s.p[s.len - 1] + 1));
    return true;
}

bool iceberg_bound_cut(const char *type_text, bool upper, struct str bytes, struct buf *out)
{
    struct iceberg_type type;
    size_t cut = 0;

    if (!iceberg_type_parse(type_text, &type))
        return false;
    if (type.kind == ICEBERG_FLOAT || type.kind == ICEBERG_DOUBLE) {
        if (!iceberg_zero_bound(upper, bytes, out))
            buf_put_str(out, bytes);
        return true;
    }
    if (type.kind == ICEBERG_STRING)
        for (int units = 0; cut < bytes.len && units < ICEBERG_BOUND_UNITS; units++)
            cut += MIN(utf8_len(bytes.p[cut]), bytes.len - cut);
    else
        cut = type.kind == ICEBERG_BINARY ? MIN(bytes.len, (size_t)ICEBERG_BOUND_UNITS) : bytes.len;
    if (cut == bytes.len || !upper) {
        buf_append(out, bytes.p, cut);
        return true;
    }
    return type.kind == ICEBERG_STRING ? round_up_text(str_n(bytes.p, cut), out)
                                       : round_up_bytes(str_n(bytes.p, cut), out);
}
