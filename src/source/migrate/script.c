/*
 * The text of a migration.  The splitter knows only what is needed to find a statement's end:
 * '...' and "..." with doubled quotes, E'...' with backslashes, $tag$...$tag$, comments (block
 * comments nest).
 */
#include "source/migrate/script.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum { PLACEHOLDER_KEY_MAX = 200 };

enum rc script_replace_placeholders(struct str text, script_placeholder_fn *lookup, void *user, struct buf *out,
                                    struct err *err)
{
    out->max = MAX(out->max, (size_t)BUF_DEFAULT_MAX);
    for (;;) {
        const char *open = text.len ? memmem(text.p, text.len, "${", 2) : NULL;
        const char *close = open ? memchr(open, '}', (size_t)(text.p + text.len - open)) : NULL;
        if (!close || close - open - 2 > PLACEHOLDER_KEY_MAX) {
            buf_put_str(out, text);
            break;
        }
        CLEANUP_FREE char *key = mem_strndup(open + 2, (size_t)(close - open - 2));
        CLEANUP_FREE char *lower = mem_strdup(key);
        for (char *c = lower; *c; c++)
            *c = (char)tolower((unsigned char)*c);
        const char *value = lookup(user, lower);
        if (!value)
            return err_set(err, RC_BAD_INPUT, "No value provided for placeholder: ${%s}.  Check your configuration!",
                           key);
        buf_append(out, text.p, (size_t)(open - text.p));
        buf_puts(out, value);
        text = str_skip(text, (size_t)(close + 1 - text.p));
    }
    return buf_failed(out) ? err_set(err, RC_FULL, "the migration is too large after placeholder replacement") : RC_OK;
}

/* ------------------------------------------------- where a statement ends */

static size_t quoted_length(struct str s, bool backslashes)
{
    for (size_t i = 1; i < s.len; i++) {
        if (backslashes && s.p[i] == '\\')
            i++;
        else if (s.p[i] == s.p[0] && i + 1 < s.len && s.p[i + 1] == s.p[0])
            i++;
        else if (s.p[i] == s.p[0])
            return i + 1;
    }
    return s.len;
}

static size_t block_comment_length(struct str s)
{
    int depth = 0;

    for (size_t i = 0; i + 1 < s.len; i++) {
        if (s.p[i] == '/' && s.p[i + 1] == '*') {
            depth++;
            i++;
        } else if (s.p[i] == '*' && s.p[i + 1] == '/') {
            i++;
            if (--depth == 0)
                return i + 1;
        }
    }
    return s.len;
}

static size_t line_comment_length(struct str s)
{
    const char *end = memchr(s.p, '\n', s.len);

    return end ? (size_t)(end - s.p) : s.len;
}

/* 0 when the dollar opens no tag */
static size_t dollar_quoted_length(struct str s)
{
    size_t n = 1;

    if (n < s.len && isdigit((unsigned char)s.p[n]))
        return 0;
    while (n < s.len && (isalnum((unsigned char)s.p[n]) || s.p[n] == '_' || (unsigned char)s.p[n] >= 0x80))
        n++;
    if (n == s.len || s.p[n] != '$')
        return 0;
    n++;
    const char *close = memmem(s.p + n, s.len - n, s.p, n);
    return close ? (size_t)(close - s.p) + n : s.len;
}

static bool is_word(char c)
{
    return isalnum((unsigned char)c) || c == '_' || (unsigned char)c >= 0x80;
}

/* Length of the piece at i that must be taken whole: a quote, a comment, or one character. */
static size_t piece_length(struct str text, size_t i)
{
    struct str s = str_skip(text, i);
    char before = i ? text.p[i - 1] : ' ';
    bool escapes = (before == 'E' || before == 'e') && (i < 2 || !is_word(text.p[i - 2]));
    size_t n = 0;

    if (s.p[0] == '\'')
        return quoted_length(s, escapes);
    if (s.p[0] == '"')
        return quoted_length(s, false);
    if (str_starts(s, "--"))
        return line_comment_length(s);
    if (str_starts(s, "/*"))
        return block_comment_length(s);
    if (s.p[0] == '$' && !is_word(before))
        n = dollar_quoted_length(s);
    return n ? n : 1;
}

static int count_lines(struct str s)
{
    int n = 0;

    for (size_t i = 0; i < s.len; i++)
        n += s.p[i] == '\n';
    return n;
}

/* blanks and comments before the first word */
static size_t leading_length(struct str s)
{
    size_t i = 0;

    while (i < s.len) {
        struct str at = str_skip(s, i);
        if (isspace((unsigned char)at.p[0]))
            i++;
        else if (str_starts(at, "--"))
            i += line_comment_length(at);
        else if (str_starts(at, "/*"))
            i += block_comment_length(at);
        else
            break;
    }
    return i;
}

bool script_next(struct str *rest, int *line, struct script_statement *out)
{
    for (;;) {
        size_t lead = leading_length(*rest);
        *line += count_lines(str_n(rest->p, lead));
        *rest = str_skip(*rest, lead);
        if (!rest->len)
            return false;
        size_t i = 0;
        while (i < rest->len && rest->p[i] != ';')
            i += piece_length(*rest, i);
        *out = (struct script_statement){ str_trim(str_n(rest->p, i)), *line };
        *line += count_lines(str_n(rest->p, i));
        *rest = str_skip(*rest, i + 1);
        if (out->text.len)
            return true;
    }
}

/* ---------------------------------------------- outside of a transaction */

static bool next_word(struct str *s, struct str *word)
{
    *s = str_skip(*s, leading_length(*s));
    size_t n = 0;
    while (n < s->len && is_word(s->p[n]))
        n++;
    *word = str_n(s->p, n);
    *s = str_skip(*s, n);
    return n > 0;
}

/* Words a statement begins with; NULL ends a row. */
static const char *const non_transactional[][5] = {
    { "CREATE", "DATABASE", NULL },
    { "DROP", "DATABASE", NULL },
    { "CREATE", "TABLESPACE", NULL },
    { "DROP", "TABLESPACE", NULL },
    { "CREATE", "SUBSCRIPTION", NULL },
    { "DROP", "SUBSCRIPTION", NULL },
    { "ALTER", "SYSTEM", NULL },
    { "CREATE", "INDEX", "CONCURRENTLY", NULL },
    { "CREATE", "UNIQUE", "INDEX", "CONCURRENTLY", NULL },
    { "DROP", "INDEX", "CONCURRENTLY", NULL },
    { "REINDEX", "SCHEMA", NULL },
    { "REINDEX", "DATABASE", NULL },
    { "REINDEX", "SYSTEM", NULL },
    { "REINDEX", "VERBOSE", NULL },
    { "VACUUM", NULL },
    { "DISCARD", "ALL", NULL },
};

bool script_is_non_transactional(struct str statement)
{
    struct str words[5] = { 0 };
    size_t count = 0;

    while (count < ARRAY_LEN(words) && next_word(&statement, &words[count]))
        count++;
    for (size_t i = 0; i < ARRAY_LEN(non_transactional); i++) {
        size_t k = 0;
        while (non_transactional[i][k] && k < count && str_is_nocase(words[k], non_transactional[i][k]))
            k++;
        if (!non_transactional[i][k])
            return true;
    }
    return false;
}
