/* Structured log lines; see log.h. */
#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"

enum { LINE_MAX_BYTES = 16 << 10 };
static const char separators[2] = { '\x1e', '\x1f' };

static struct {
    const char *station;
    enum log_level level;
    bool json;
} setup = { .station = "haus", .level = LOG_INFO };

static const char *const level_names[] = { "debug", "info", "warn", "error" };

void log_setup(const char *station, enum log_level level, bool json)
{
    setup.station = station;
    setup.level = level;
    setup.json = json;
}

bool log_level_of(const char *name, enum log_level *out)
{
    for (size_t i = 0; i < ARRAY_LEN(level_names); i++)
        if (strcmp(name, level_names[i]) == 0) {
            *out = (enum log_level)i;
            return true;
        }
    return false;
}

static void put_quoted(struct buf *line, struct str s)
{
    bool is_text = str_is_utf8(s); /* JSON must be: bytes that are not are shown as the sign for that */

    buf_putc(line, '"');
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if (c == '"' || c == '\\')
            buf_printf(line, "\\%c", c);
        else if (c == '\n')
            buf_puts(line, "\\n");
        else if (c < 0x20)
            buf_printf(line, "\\u%04x", c);
        else if (c >= 0x80 && !is_text)
            buf_puts(line, "\\ufffd");
        else
            buf_putc(line, (char)c);
    }
    buf_putc(line, '"');
}

static bool needs_quotes(struct str s)
{
    if (s.len == 0)
        return true;
    for (size_t i = 0; i < s.len; i++)
        if ((unsigned char)s.p[i] <= ' ' || s.p[i] == '"' || s.p[i] == '=')
            return true;
    return false;
}

static void put_pair(struct buf *line, struct str pair)
{
    struct str key = { 0 };

    str_cut(&pair, '=', &key);
    if (setup.json) {
        buf_putc(line, ',');
        put_quoted(line, key);
        buf_putc(line, ':');
        put_quoted(line, pair);
        return;
    }
    buf_putc(line, ' ');
    buf_put_str(line, key);
    buf_putc(line, '=');
    if (needs_quotes(pair))
        put_quoted(line, pair);
    else
        buf_put_str(line, pair);
}

/* The pairs with one separator for each blank of the format; cut at the limit. */
static void format_pairs(char *out, char separator, const char *pairs, va_list args)
{
    CLEANUP_FREE char *format = mem_strdup(pairs);
    va_list again;

    for (char *c = format; *c; c++)
        if (*c == ' ')
            *c = separator;
    va_copy(again, args);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    vsnprintf(out, LINE_MAX_BYTES, format, again);
#pragma GCC diagnostic pop
    va_end(again);
}

/*
 * The blanks of the format, not those of the values, separate pairs.  They are where two printings with different
 * separators differ, whatever bytes the values have.
 */
static void put_pairs(struct buf *line, const char *pairs, va_list args)
{
    CLEANUP_FREE char *one = mem_alloc(LINE_MAX_BYTES);
    CLEANUP_FREE char *other = mem_alloc(LINE_MAX_BYTES);
    size_t begin = 0, i = 0;

    format_pairs(one, separators[0], pairs, args);
    format_pairs(other, separators[1], pairs, args);
    for (; one[i]; i++) {
        if (one[i] == other[i])
            continue;
        put_pair(line, str_n(one + begin, i - begin));
        begin = i + 1;
    }
    put_pair(line, str_n(one + begin, i - begin));
}

void log_line(enum log_level level, const char *words, const char *pairs, ...)
{
    if (level < setup.level)
        return;
    char when[CLOCK_TEXT_MAX];
    CLEANUP(buf_free) struct buf line = { .max = 8 * LINE_MAX_BYTES }; /* a byte may become six */

    clock_format_iso(clock_wall_ms(), when);
    if (setup.json) {
        buf_printf(&line, "{\"time\":\"%s\",\"level\":\"%s\",\"station\":\"%s\",\"event\":", when, level_names[level],
                   setup.station);
        put_quoted(&line, str_of(words));
    } else {
        buf_printf(&line, "%s %-5s %-9s %s", when, level_names[level], setup.station, words);
    }
    if (pairs) {
        va_list args;
        va_start(args, pairs);
        put_pairs(&line, pairs, args);
        va_end(args);
    }
    buf_puts(&line, setup.json ? "}\n" : "\n");
    ssize_t n = write(STDERR_FILENO, buf_cstr(&line), line.len);
    (void)n; /* nowhere left to tell it */
}

bool log_allow(struct log_rate *rate, unsigned per_minute, unsigned *suppressed)
{
    int64_t now = clock_mono_ms();

    *suppressed = 0;
    if (rate->count == 0 || now - rate->window_start_ms >= 60000) {
        rate->window_start_ms = now;
        rate->count = 0;
    }
    if (rate->count >= per_minute) {
        rate->suppressed++;
        return false;
    }
    rate->count++;
    *suppressed = rate->suppressed;
    rate->suppressed = 0;
    return true;
}
