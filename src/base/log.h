/*
 * Structured log lines on stderr, one per event:
 *
 *     2026-01-31T12:00:00.123Z info  log       opened topic topic=orders partitions=3
 *
 * Words first, then key=value pairs.  Pairs come as one printf format whose pairs are separated by
 * single blanks; a value with blanks in it is quoted on output, so any text may be given to %s.
 *
 *     log_info("opened topic", "topic=%s partitions=%d", name, n);
 *     log_info("ready", NULL);
 *
 * HAUS_LOG_FORMAT=json prints each line as one JSON object.  Safe from any thread: a line is one write.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include "base/err.h"

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };

/* station: shown in each line; kept by reference.  json: the other format. */
void log_setup(const char *station, enum log_level level, bool json);
bool log_level_of(const char *name, enum log_level *out);
void log_line(enum log_level level, const char *words, const char *pairs, ...) PRINTF_LIKE(3, 4);

#define log_debug(words, ...) log_line(LOG_DEBUG, words, __VA_ARGS__)
#define log_info(words, ...)  log_line(LOG_INFO, words, __VA_ARGS__)
#define log_warn(words, ...)  log_line(LOG_WARN, words, __VA_ARGS__)
#define log_error(words, ...) log_line(LOG_ERROR, words, __VA_ARGS__)

/* True at most `per_minute` times a minute for this site; the first true after a silence tells how
 * many were left out in *suppressed.  static struct log_rate rate; if (log_allow(&rate, 10, &n)) ... */
struct log_rate {
    int64_t window_start_ms;
    unsigned count, suppressed;
};
bool log_allow(struct log_rate *rate, unsigned per_minute, unsigned *suppressed);

#endif
