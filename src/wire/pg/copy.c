/* COPY's text rows; see copy.h. */
#include "wire/pg/copy.h"

#include <string.h>

static unsigned digit_of(char c)
{
    return c >= '0' && c <= '9'   ? (unsigned)(c - '0')
           : c >= 'a' && c <= 'f' ? (unsigned)(c - 'a') + 10
           : c >= 'A' && c <= 'F' ? (unsigned)(c - 'A') + 10
                                  : 16;
}

/* Reads up to `max` digits of a base at *at; how many there were. */
static int digits(const char **at, const char *end, unsigned base, int max, unsigned *out)
{
    int n = 0;

    *out = 0;
    for (; n < max && *at < end && digit_of(**at) < base; n++, (*at)++)
        *out = *out * base + digit_of(**at);
    return n;
}

/* What stands after a backslash; *at is behind it then. */
static char unescape(const char **at, const char *end)
{
    static const char from[] = "bfnrtv", to[] = "\b\f\n\r\t\v";
    unsigned code = 0;
    char c = **at;
    const char *found = c ? strchr(from, c) : NULL;

    if (digits(at, end, 8, 3, &code))
        return (char)(uint8_t)code;
    (*at)++;
    if (found)
        return to[found - from];
    if (c == 'x' && digits(at, end, 16, 2, &code))
        return (char)(uint8_t)code;
    return c;
}

/* One field: from *at up to its tab or the end; *at stands on the tab or the end then. */
static void field_read(char **at, char *end, struct pg_value *out)
{
    char *start = *at, *to = NULL;
    const char *from = NULL;

    while (*at < end && **at != '\t' && **at != '\\')
        (*at)++;
    to = *at;
    if (*at < end && **at == '\\') {
        if (to == start && end - to >= 2 && to[1] == 'N' && (end - to == 2 || to[2] == '\t')) {
            *at += 2;
            *out = (struct pg_value){ .kind = PG_VALUE_NULL };
            return;
        }
        for (from = to; from < end && *from != '\t';) {
            if (*from != '\\' || from + 1 == end) {
                *to++ = *from++;
                continue;
            }
            from++;
            *to++ = unescape(&from, end);
        }
        *at = start + (from - start);
    }
    *out = (struct pg_value){ .kind = PG_VALUE_TEXT, .bytes = str_n(start, (size_t)(to - start)) };
}

enum rc pg_copy_split(char *bytes, size_t len, struct pg_value *values, size_t count, struct err *err)
{
    char *at = bytes, *end = bytes + len;
    size_t n = 0;

    if (len && end[-1] == '\n')
        end--;
    if (count == 0 && at == end)
        return RC_OK;
    for (;; at++) {
        if (n == count)
            return err_set(err, RC_BAD_INPUT, "cannot read a row of COPY: it has more than %zu fields", count);
        field_read(&at, end, &values[n++]);
        if (at == end)
            break;
    }
    if (n < count)
        return err_set(err, RC_BAD_INPUT, "cannot read a row of COPY: it has %zu fields, not %zu", n, count);
    return RC_OK;
}
