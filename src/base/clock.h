/*
 * Time.  Wall time in milliseconds or microseconds since 1970 (UTC) for what is stored and shown;
 * monotonic time for durations and deadlines.
 */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include "base/attr.h"

/* Wall: since 1970-01-01 UTC, may jump. Mono: since some moment of the past, never back; for waiting and measuring. */
int64_t clock_wall_ms(void);
int64_t clock_wall_us(void);
int64_t clock_mono_ns(void);
int64_t clock_mono_ms(void);

enum { CLOCK_TEXT_MAX = 40 };
/* "2026-01-31T23:59:59.123Z" */
void clock_format_iso(int64_t wall_ms, char out[static CLOCK_TEXT_MAX]);

struct clock_date {
    int64_t year; /* astronomical: 0 is 1 BC */
    int month, day;
};
/* Proleptic Gregorian calendar; days since 1970-01-01. */
struct clock_date clock_date_of_days(int64_t days);
int64_t clock_days_of_date(int64_t year, int month, int day);

#endif
