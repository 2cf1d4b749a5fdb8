/*
 * Config providers: ${env:NAME} and ${file:/path/x.properties:key} in a connector's values, replaced
 * as a task starts.  What the REST API shows and the topics hold is the text as given; what cannot
 * be resolved stays as it is, as in Connect.
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "disk/disk.h"
#include "stream/connect/worker.h"

enum { PROPERTIES_BYTES_MAX = 1 << 20 };

static void put_utf8(struct buf *out, unsigned c)
{
    if (c < 0x80) {
        buf_putc(out, (char)c);
    } else if (c < 0x800) {
        buf_putc(out, (char)(0xc0 | c >> 6));
        buf_putc(out, (char)(0x80 | (c & 63)));
    } else {
        buf_putc(out, (char)(0xe0 | c >> 12));
        buf_putc(out, (char)(0x80 | (c >> 6 & 63)));
        buf_putc(out, (char)(0x80 | (c & 63)));
    }
}

/* One character, or one escape with what follows the backslash. */
static void take_char(struct str *text, struct buf *out)
{
    static const char from[] = "ntrf", to[] = "\n\t\r\f";
    char c = text->p[0];

    *text = str_skip(*text, 1);
    if (c != '\\' || !text->len) {
        buf_putc(out, c);
        return;
    }
    c = text->p[0];
    *text = str_skip(*text, 1);
    const char *at = strchr(from, c);
    if (c == 'u' && text->len >= 4) {
        char hex[5] = { text->p[0], text->p[1], text->p[2], text->p[3], 0 };
        put_utf8(out, (unsigned)strtoul(hex, NULL, 16));
        *text = str_skip(*text, 4);
    } else if (c == '\n') { /* the line goes on, its leading blanks do not count */
        while (text->len && (text->p[0] == ' ' || text->p[0] == '\t'))
            *text = str_skip(*text, 1);
    } else {
        buf_putc(out, at && c ? to[at - from] : c);
    }
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\f';
}

static void skip_blanks(struct str *text)
{
    while (text->len && is_blank(text->p[0]))
        *text = str_skip(*text, 1);
}

/* Java's .properties: the value of `key`, true when there is one.  The last one counts. */
static bool property_find(struct str text, struct str key, struct buf *value)
{
    bool found = false;

    while (text.len) {
        CLEANUP(buf_free) struct buf name = { 0 };
        CLEANUP(buf_free) struct buf rest = { 0 };
        skip_blanks(&text);
        bool comment = text.len && (text.p[0] == '#' || text.p[0] == '!');
        while (!comment && text.len && !strchr("=:\n\r", text.p[0]) && !is_blank(text.p[0]))
            take_char(&text, &name);
        skip_blanks(&text);
        if (!comment && text.len && (text.p[0] == '=' || text.p[0] == ':')) {
            text = str_skip(text, 1);
            skip_blanks(&text);
        }
        while (text.len && text.p[0] != '\n' && text.p[0] != '\r') {
            if (comment)
                text = str_skip(text, 1);
            else
                take_char(&text, &rest);
        }
        while (text.len && (text.p[0] == '\n' || text.p[0] == '\r'))
            text = str_skip(text, 1);
        if (comment || !name.len || !str_eq(buf_str(&name), key))
            continue;
        buf_clear(value);
        buf_put_str(value, buf_str(&rest));
        found = true;
    }
    return found;
}

static bool from_file(struct str path, struct str key, struct buf *out)
{
    CLEANUP(buf_free) struct buf text = { .max = PROPERTIES_BYTES_MAX };
    CLEANUP(buf_free) struct buf value = { 0 };
    CLEANUP_FREE char *name = str_dup(path);
    struct err err = { 0 };

    if (disk_read_file(name, &text, &err)) {
        log_warn("config provider", "path=%s cause=%s", name, err.text);
        return false;
    }
    if (!property_find(buf_str(&text), key, &value))
        return false;
    buf_put_str(out, buf_str(&value));
    return true;
}

static bool from_env(const struct worker *worker, struct str key, struct buf *out)
{
    CLEANUP_FREE char *name = str_dup(key);
    const char *value = settings_get(worker->station->settings, name, NULL);

    if (value)
        buf_puts(out, value);
    return value != NULL;
}

/* inside: what stands between ${ and } */
static bool resolve_one(const struct worker *worker, struct str inside, struct buf *out)
{
    struct str rest = inside, provider = { 0 };
    size_t colon = 0;

    if (!memchr(inside.p, ':', inside.len) || !str_cut(&rest, ':', &provider))
        return false;
    if (str_is(provider, "env"))
        return from_env(worker, rest.len && rest.p[0] == ':' ? str_skip(rest, 1) : rest, out);
    for (size_t i = 0; i < rest.len; i++)
        if (rest.p[i] == ':')
            colon = i;
    return str_is(provider, "file") && colon && from_file(str_n(rest.p, colon), str_skip(rest, colon + 1), out);
}

static void resolve_text(const struct worker *worker, struct str text, struct buf *out)
{
    while (text.len) {
        const char *end = text.len > 2 && text.p[0] == '$' && text.p[1] == '{' ? memchr(text.p, '}', text.len) : NULL;
        if (end && resolve_one(worker, str_n(text.p + 2, (size_t)(end - text.p) - 2), out)) {
            text = str_skip(text, (size_t)(end - text.p) + 1);
            continue;
        }
        buf_putc(out, text.p[0]);
        text = str_skip(text, 1);
    }
}

void provider_resolve(const struct worker *worker, const struct connector_config *from, struct connector_config *to)
{
    to->class = from->class;
    for (struct map_entry *e = NULL; (e = map_next(&from->rows, e));) {
        CLEANUP(buf_free) struct buf value = { 0 };
        resolve_text(worker, str_of(e->value), &value);
        config_set(to, e->key, buf_cstr(&value));
    }
}
