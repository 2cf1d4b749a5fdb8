/* Percent-encoding and query strings; see uri.h. */
#include "net/uri.h"

#include <ctype.h>
#include <string.h>

static bool is_unreserved(char c)
{
    return isalnum((unsigned char)c) || c == '-' || c == '.' || c == '_' || c == '~';
}

void uri_encode(struct buf *out, struct str s, bool keep_slash)
{
    for (size_t i = 0; i < s.len; i++) {
        if (is_unreserved(s.p[i]) || (keep_slash && s.p[i] == '/'))
            buf_putc(out, s.p[i]);
        else
            buf_printf(out, "%%%02X", (unsigned char)s.p[i]);
    }
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)tolower((unsigned char)c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

void uri_decode(struct buf *out, struct str s, bool plus_is_blank)
{
    for (size_t i = 0; i < s.len; i++) {
        bool escape = s.p[i] == '%' && i + 2 < s.len && hex_value(s.p[i + 1]) >= 0 && hex_value(s.p[i + 2]) >= 0;
        if (escape) {
            buf_putc(out, (char)(hex_value(s.p[i + 1]) << 4 | hex_value(s.p[i + 2])));
            i += 2;
        } else {
            buf_putc(out, plus_is_blank && s.p[i] == '+' ? ' ' : s.p[i]);
        }
    }
}

bool uri_query_next(struct str *query, struct str *name, struct str *value)
{
    struct str part = { 0 };

    do {
        if (!str_cut(query, '&', &part))
            return false;
    } while (part.len == 0);
    bool has_value = memchr(part.p, '=', part.len) != NULL;
    str_cut(&part, '=', name);
    *value = has_value ? (part.p ? part : str_of("")) : (struct str){ 0 };
    return true;
}
