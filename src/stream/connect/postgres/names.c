/* Names of topics, schemas and fields: Debezium's TopicNaming and SchemaNameAdjuster; cdc reference §1.1. */
#include <stdio.h>
#include <string.h>

#include "stream/connect/postgres/options.h"

enum { TOPIC_NAME_MAX = 249 };

static bool is_letter(uint32_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_digit(uint32_t c)
{
    return c >= '0' && c <= '9';
}

/* Next code point; what is not UTF-8 counts byte by byte. */
static uint32_t next_point(struct str s, size_t *at)
{
    const unsigned char *p = (const unsigned char *)s.p + *at;
    size_t left = s.len - *at;
    int n = *p < 0x80 ? 1 : *p >= 0xf0 ? 4 : *p >= 0xe0 ? 3 : *p >= 0xc0 ? 2 : 1;
    uint32_t c = n == 1 ? *p : *p & (0x7fu >> n);

    if ((size_t)n > left) {
        *at += 1;
        return *p;
    }
    for (int i = 1; i < n; i++)
        c = c << 6 | (p[i] & 0x3f);
    *at += (size_t)n;
    return c;
}

/* One replacement per UTF-16 unit, as Java counts. */
static void put_unicode(struct buf *out, uint32_t c)
{
    uint32_t units[2] = { c, 0 };

    if (c >= 0x10000) {
        units[0] = 0xd800 + ((c - 0x10000) >> 10);
        units[1] = 0xdc00 + ((c - 0x10000) & 0x3ff);
    }
    for (size_t i = 0; i < 2 && (i == 0 || units[i]); i++) {
        char hex[16];
        snprintf(hex, sizeof hex, "%x", units[i]);
        buf_puts(out, strlen(hex) <= 2 ? "_u00" : "_u");
        buf_puts(out, hex);
    }
}

static void adjust(enum name_mode mode, bool dots, struct str name, struct buf *out)
{
    size_t at = 0;

    if (mode == NAME_NONE) {
        buf_put_str(out, name);
        return;
    }
    while (at < name.len) {
        bool first = at == 0;
        uint32_t c = next_point(name, &at);
        bool legal =
            is_letter(c) || (c == '_' && mode == NAME_AVRO) || (!first && is_digit(c)) || (c == '.' && dots && !first);
        if (legal) {
            buf_putc(out, (char)c);
        } else if (mode == NAME_AVRO_UNICODE) {
            put_unicode(out, c);
        } else {
            buf_puts(out, c >= 0x10000 ? "__" : "_");
            if (first && is_digit(c))
                buf_putc(out, (char)c);
        }
    }
}

void name_adjust_schema(enum name_mode mode, struct str name, struct buf *out)
{
    adjust(mode, true, name, out);
}

void name_adjust_field(enum name_mode mode, struct str name, struct buf *out)
{
    adjust(mode, false, name, out);
}

void name_sanitize_topic(struct str name, struct buf *out)
{
    size_t start = out->len;

    for (size_t at = 0; at < name.len;) {
        uint32_t c = next_point(name, &at);
        if (is_letter(c) || is_digit(c) || c == '.' || c == '_' || c == '-')
            buf_putc(out, (char)c);
        else
            buf_puts(out, c >= 0x10000 ? "__" : "_");
    }
    if (!buf_failed(out) && out->len - start > TOPIC_NAME_MAX)
        out->len = start + TOPIC_NAME_MAX;
}
