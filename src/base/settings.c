/* Named settings, .env files and ${} expansion; see settings.h. */
#include "base/settings.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

enum { DEFAULTS_DEPTH_MAX = 16 }; /* of ${A:-${B:-...}} */

static void setting_free(void *at)
{
    struct setting *setting = at;

    if (!setting)
        return;
    free(setting->value);
    free(setting->origin);
    free(setting);
}

void settings_free(struct settings *settings)
{
    map_free(&settings->rows, setting_free);
}

void settings_set(struct settings *settings, struct str name, struct str value, const char *origin)
{
    struct setting *setting = NEW(struct setting);

    *setting = (struct setting){ str_dup(value), mem_strdup(origin) };
    setting_free(map_put(&settings->rows, name, setting));
}

const struct setting *settings_find(const struct settings *settings, const char *name)
{
    return map_get(&settings->rows, str_of(name));
}

const char *settings_get(const struct settings *settings, const char *name, const char *fallback)
{
    const struct setting *setting = settings_find(settings, name);

    return setting ? setting->value : fallback;
}

enum rc settings_int(const struct settings *settings, const char *name, int64_t fallback, int64_t min, int64_t max,
                     int64_t *out, struct err *err)
{
    const struct setting *setting = settings_find(settings, name);

    *out = fallback;
    if (!setting || !setting->value[0])
        return RC_OK;
    if (str_to_i64(str_of(setting->value), min, max, out))
        return RC_OK;
    return err_set(err, RC_BAD_INPUT, "cannot use '%s' for '%s' (%s): it must be a whole number from %lld to %lld",
                   setting->value, name, setting->origin, (long long)min, (long long)max);
}

enum rc settings_bool(const struct settings *settings, const char *name, bool fallback, bool *out, struct err *err)
{
    const struct setting *setting = settings_find(settings, name);

    *out = fallback;
    if (!setting || !setting->value[0] || str_to_bool(str_of(setting->value), out))
        return RC_OK;
    return err_set(err, RC_BAD_INPUT, "cannot use '%s' for '%s' (%s): it must be true or false", setting->value, name,
                   setting->origin);
}

/* ------------------------------------------------------------------ ${} */

static bool is_name(struct str s)
{
    if (!s.len || isdigit((unsigned char)s.p[0]))
        return false;
    for (size_t i = 0; i < s.len; i++)
        if (!isalnum((unsigned char)s.p[i]) && s.p[i] != '_')
            return false;
    return true;
}

static enum rc expand(const struct settings *settings, struct str text, struct buf *out, int depth, struct err *err);

/* What Compose allows after a name; the colon forms take an empty value for an absent one. */
enum expand_operator { EXPAND_PLAIN, EXPAND_DEFAULT = '-', EXPAND_REQUIRE = '?', EXPAND_REPLACE = '+' };

struct expansion {
    struct str name, word;
    enum expand_operator op;
    bool empty_is_absent;
};

/* inner is what stands between ${ and } */
static enum rc expansion_read(struct str inner, struct expansion *out, struct err *err)
{
    size_t end = 0;

    while (end < inner.len && (isalnum((unsigned char)inner.p[end]) || inner.p[end] == '_'))
        end++;
    struct str rest = str_skip(inner, end);
    *out = (struct expansion){ .name = str_n(inner.p, end), .empty_is_absent = rest.len > 1 && rest.p[0] == ':' };
    if (out->empty_is_absent)
        rest = str_skip(rest, 1);
    if (rest.len) {
        out->op = (enum expand_operator)rest.p[0];
        out->word = str_skip(rest, 1);
    }
    bool known = !rest.len || rest.p[0] == '-' || rest.p[0] == '?' || rest.p[0] == '+';
    if (!is_name(out->name) || !known)
        return err_set(err, RC_BAD_INPUT, "'${%.*s}' is not a variable; write ${NAME} or ${NAME:-default}",
                       STR_ARG(inner));
    return RC_OK;
}

/* What stands after the operator may hold variables itself. */
static enum rc expand_word(const struct settings *settings, struct str word, struct buf *out, int depth,
                           struct err *err)
{
    if (depth == DEFAULTS_DEPTH_MAX)
        return err_set(err, RC_BAD_INPUT, "'${' stands in more than %d defaults, one in the other", DEFAULTS_DEPTH_MAX);
    return expand(settings, word, out, depth + 1, err);
}

static enum rc expand_one(const struct settings *settings, struct str inner, struct buf *out, int depth,
                          struct err *err)
{
    struct expansion e = { 0 };
    enum rc rc = expansion_read(inner, &e, err);

    if (rc)
        return rc;
    const struct setting *setting = map_get(&settings->rows, e.name);
    bool there = setting && (setting->value[0] || !e.empty_is_absent);
    if (e.op == EXPAND_REPLACE)
        return there ? expand_word(settings, e.word, out, depth, err) : RC_OK;
    if (there) {
        buf_puts(out, setting->value);
        return RC_OK;
    }
    if (e.op == EXPAND_DEFAULT)
        return expand_word(settings, e.word, out, depth, err);
    if (e.op == EXPAND_REQUIRE && e.word.len)
        return err_set(err, RC_BAD_INPUT, "'${%.*s}' is not defined: %.*s", STR_ARG(e.name), STR_ARG(e.word));
    return err_set(err, RC_BAD_INPUT, "'${%.*s}' is not defined; set it in the environment or in a .env file",
                   STR_ARG(e.name));
}

/* the matching brace of the ${ whose inner part begins at p, braces in a default counted */
static const char *closing_brace(const char *p, const char *end)
{
    int depth = 1;

    for (; p < end; p++) {
        if (*p == '$' && p + 1 < end && p[1] == '{')
            depth++;
        else if (*p == '}' && --depth == 0)
            return p;
    }
    return NULL;
}

static enum rc expand(const struct settings *settings, struct str text, struct buf *out, int depth, struct err *err)
{
    const char *end = text.p + text.len;

    for (const char *p = text.p; p < end; p++) {
        if (*p != '$' || p + 1 == end || (p[1] != '{' && p[1] != '$')) {
            buf_putc(out, *p);
            continue;
        }
        if (p[1] == '$') {
            buf_putc(out, '$');
            p++;
            continue;
        }
        const char *close = closing_brace(p + 2, end);
        if (!close)
            return err_set(err, RC_BAD_INPUT, "'${' has no closing '}'");
        enum rc rc = expand_one(settings, str_n(p + 2, (size_t)(close - p - 2)), out, depth, err);
        if (rc)
            return rc;
        p = close;
    }
    return RC_OK;
}

enum rc settings_expand(const struct settings *settings, struct str text, struct buf *out, struct err *err)
{
    return expand(settings, text, out, 0, err);
}

/* ----------------------------------------------------------------- .env */

static enum rc read_double_quoted(const struct settings *settings, struct str s, struct buf *out, struct err *err)
{
    CLEANUP(buf_free) struct buf raw = { 0 };

    for (size_t i = 1; i < s.len; i++) {
        char c = s.p[i];
        if (c == '"')
            return settings_expand(settings, buf_str(&raw), out, err);
        if (c == '\\' && i + 1 < s.len) {
            c = s.p[++i];
            if (c == '$')
                buf_putc(&raw, '$'); /* doubled, so that expansion gives one back */
            c = c == 'n' ? '\n' : c == 't' ? '\t' : c;
        }
        buf_putc(&raw, c);
    }
    return err_set(err, RC_BAD_INPUT, "the value's double quote is not closed");
}

static enum rc read_value(const struct settings *settings, struct str s, struct buf *out, struct err *err)
{
    if (s.len && s.p[0] == '\'') {
        const char *close = memchr(s.p + 1, '\'', s.len - 1);
        if (!close)
            return err_set(err, RC_BAD_INPUT, "the value's single quote is not closed");
        buf_append(out, s.p + 1, (size_t)(close - s.p - 1));
        return RC_OK;
    }
    if (s.len && s.p[0] == '"')
        return read_double_quoted(settings, s, out, err);
    for (size_t i = 0; i < s.len; i++)
        if (s.p[i] == '#' && (i == 0 || s.p[i - 1] == ' ' || s.p[i - 1] == '\t')) {
            s.len = i;
            break;
        }
    return settings_expand(settings, str_trim(s), out, err);
}

static enum rc read_line(struct settings *settings, struct str line, const char *origin, struct err *err)
{
    CLEANUP(buf_free) struct buf value = { 0 };
    struct str name = { 0 };

    line = str_trim(line);
    if (!line.len || line.p[0] == '#')
        return RC_OK;
    if (str_starts(line, "export "))
        line = str_trim(str_skip(line, strlen("export ")));
    if (!memchr(line.p, '=', line.len))
        return err_set(err, RC_BAD_INPUT, "'%.*s' is not NAME=value", STR_ARG(line));
    str_cut(&line, '=', &name);
    name = str_trim(name);
    if (!is_name(name))
        return err_set(err, RC_BAD_INPUT, "'%.*s' is not a variable name", STR_ARG(name));
    enum rc rc = read_value(settings, str_trim(line), &value, err);
    if (!rc)
        settings_set(settings, name, buf_str(&value), origin);
    return rc;
}

enum rc settings_parse_env(struct settings *settings, const char *file_name, struct str text, struct err *err)
{
    struct str line = { 0 };

    if (str_starts(text, "\xEF\xBB\xBF")) /* a byte order mark, as editors on Windows leave it */
        text = str_skip(text, 3);
    for (int number = 1; str_cut(&text, '\n', &line); number++) {
        CLEANUP_FREE char *origin = mem_printf("%s:%d", file_name, number);
        if (read_line(settings, line, origin, err))
            return err_wrap(err, "cannot read '%s'", origin);
    }
    return RC_OK;
}
