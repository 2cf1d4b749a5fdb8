/*
 * Dates, times and intervals from PostgreSQL's text (DateStyle ISO, IntervalStyle postgres); cdc reference
 * §4.1.  The calendar is the proleptic Gregorian one throughout, as PostgreSQL's own.
 */
#include <string.h>

#include "stream/connect/postgres/value.h"

enum { DAY_MS = 86400000, US_DIGITS = 6 };
#define DAY_US          INT64_C(86400000000)
#define MONTH_US        INT64_C(2629800000000) /* a twelfth of 365.25 days */
#define INFINITY_US     INT64_C(9223372036825200000)
#define NEG_INFINITY_US INT64_C(-9223372036832400000)

/* What Debezium makes of infinite dates: in columns by java.time's cut, in arrays by java.sql's. */
enum {
    DATE_INFINITY = -2147472692,
    DATE_NEG_INFINITY = -2147472691,
    DATE_INFINITY_IN_ARRAY = -622191234,
    DATE_NEG_INFINITY_IN_ARRAY = -625821272,
};

struct scan {
    const char *p, *end;
};

static bool scan_number(struct scan *s, int64_t *out)
{
    const char *from = s->p;
    int64_t v = 0;

    while (s->p < s->end && *s->p >= '0' && *s->p <= '9' && s->p - from < 18)
        v = v * 10 + (*s->p++ - '0');
    *out = v;
    return s->p > from;
}

static bool scan_char(struct scan *s, char c)
{
    if (s->p >= s->end || *s->p != c)
        return false;
    s->p++;
    return true;
}

static bool scan_two(struct scan *s, int *out)
{
    if (s->end - s->p < 2)
        return false;
    unsigned a = (unsigned)(s->p[0] - '0'), b = (unsigned)(s->p[1] - '0');
    *out = (int)(a * 10 + b);
    s->p += 2;
    return a < 10 && b < 10;
}

/* year-month-day; BC is at the very end of the text, so it is looked up there. */
static bool scan_date(struct scan *s, int64_t *days)
{
    int64_t year;
    int month, day;

    if (s->end - s->p >= 3 && memcmp(s->end - 3, " BC", 3) == 0) {
        s->end -= 3;
        if (!scan_number(s, &year))
            return false;
        year = 1 - year;
    } else if (!scan_number(s, &year)) {
        return false;
    }
    if (!scan_char(s, '-') || !scan_two(s, &month) || !scan_char(s, '-') || !scan_two(s, &day) || month < 1 ||
        month > 12 || day < 1 || day > 31 || year > 10000000 || year < -10000000)
        return false;
    *days = clock_days_of_date(year, month, day);
    return true;
}

/* hh:mm:ss[.ffffff] in microseconds; hours may be more than two digits in an interval. */
static bool scan_time(struct scan *s, int64_t *us)
{
    int64_t hours;
    int minutes, seconds;

    if (!scan_number(s, &hours) || !scan_char(s, ':') || !scan_two(s, &minutes) || !scan_char(s, ':') ||
        !scan_two(s, &seconds) || hours > INT64_C(2562047788) || minutes > 59 || seconds > 60)
        return false;
    *us = ((hours * 60 + minutes) * 60 + seconds) * 1000000;
    if (!scan_char(s, '.'))
        return true;
    int64_t unit = 100000;
    const char *from = s->p;
    for (; s->p < s->end && *s->p >= '0' && *s->p <= '9'; s->p++, unit /= 10)
        *us += (*s->p - '0') * unit;
    return s->p > from && s->p - from <= US_DIGITS;
}

/* +hh[:mm[:ss]] in seconds */
static bool scan_zone(struct scan *s, int64_t *seconds)
{
    int hours, minutes = 0, rest = 0;
    bool west = s->p < s->end && *s->p == '-';

    if (!scan_char(s, '+') && !scan_char(s, '-'))
        return false;
    if (!scan_two(s, &hours) || (scan_char(s, ':') && !scan_two(s, &minutes)) ||
        (scan_char(s, ':') && !scan_two(s, &rest)))
        return false;
    *seconds = (hours * 60 + minutes) * 60 + rest;
    if (west)
        *seconds = -*seconds;
    return true;
}

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

static int infinite(struct str text)
{
    return str_is(text, "infinity") ? 1 : str_is(text, "-infinity") ? -1 : 0;
}

const char *convert_date(const struct value_type *type, struct str text, struct value_work *work, struct value *out)
{
    struct scan s = { text.p, text.p + text.len };

    (void)work;
    out->form = FORM_INT;
    if (text.len && (text.p[0] == 'i' || text.p[0] == '-')) {
        int sign = infinite(text);
        out->integer = sign > 0 ? (type->in_array ? DATE_INFINITY_IN_ARRAY : DATE_INFINITY)
                                : (type->in_array ? DATE_NEG_INFINITY_IN_ARRAY : DATE_NEG_INFINITY);
        return sign ? NULL : "not a date";
    }
    return scan_date(&s, &out->integer) && s.p == s.end ? NULL : "not a date";
}

static const char *time_us(struct str text, struct value *out)
{
    struct scan s = { text.p, text.p + text.len };

    out->form = FORM_INT;
    return scan_time(&s, &out->integer) && s.p == s.end ? NULL : "not a time";
}

const char *convert_time_us(const struct value_type *type, struct str text, struct value_work *work, struct value *out)
{
    const char *why = time_us(text, out);

    (void)work;
    if (!why && type->in_array) /* Debezium reads arrays of time in milliseconds */
        out->integer = out->integer / 1000 * 1000;
    return why;
}

const char *convert_time_ms(const struct value_type *type, struct str text, struct value_work *work, struct value *out)
{
    const char *why = time_us(text, out);

    (void)type, (void)work;
    out->integer /= 1000;
    return why;
}

static void put_digits(char *p, int64_t v, int digits)
{
    for (int i = digits - 1; i >= 0; i--, v /= 10)
        p[i] = (char)('0' + v % 10);
}

/* hh:mm:ss and `digits` of the fraction; returns the end. */
static char *put_time(char *p, int64_t us, int digits)
{
    put_digits(p, us / 3600000000, 2);
    p[2] = ':';
    put_digits(p + 3, us / 60000000 % 60, 2);
    p[5] = ':';
    put_digits(p + 6, us / 1000000 % 60, 2);
    p += 8;
    if (digits == 0)
        return p;
    *p++ = '.';
    put_digits(p, us % 1000000, US_DIGITS);
    return p + digits;
}

const char *convert_timetz(const struct value_type *type, struct str text, struct value_work *work, struct value *out)
{
    struct scan s = { text.p, text.p + text.len };
    int64_t us, zone;
    char *p = (char *)out->room, *end;
    int digits = US_DIGITS;

    (void)work;
    if (!scan_time(&s, &us) || !scan_zone(&s, &zone) || s.p != s.end)
        return "not a time with time zone";
    us = (us - zone * 1000000) % DAY_US;
    if (us < 0)
        us += DAY_US;
    if (type->in_array) /* Debezium reads arrays of timetz in seconds */
        us -= us % 1000000;
    end = put_time(p, us, US_DIGITS);
    while (digits > 0 && end[-1] == '0')
        end--, digits--;
    if (digits == 0)
        end--; /* the point */
    *end++ = 'Z';
    out->form = FORM_STRING;
    out->bytes = str_n((char *)out->room, (size_t)(end - p));
    return NULL;
}

/* Days and microseconds of the day of "2024-02-29 12:34:56.789", with or without a zone. */
static bool scan_timestamp(struct str text, bool zoned, int64_t *days, int64_t *us)
{
    struct scan s = { text.p, text.p + text.len };
    int64_t zone = 0;

    if (!scan_date(&s, days) || !scan_char(&s, ' ') || !scan_time(&s, us))
        return false;
    if (zoned && s.p < s.end && !scan_zone(&s, &zone))
        return false;
    *us -= zone * 1000000;
    *days += floor_div(*us, DAY_US);
    *us -= floor_div(*us, DAY_US) * DAY_US;
    return s.p == s.end;
}

static const char *timestamp_us(struct str text, int64_t unit, struct value *out)
{
    int64_t days, us;

    out->form = FORM_INT;
    if (text.len && (text.p[0] == 'i' || text.p[0] == '-')) {
        int sign = infinite(text);
        out->integer = (sign > 0 ? INFINITY_US : NEG_INFINITY_US) / unit;
        return sign ? NULL : "not a timestamp";
    }
    if (!scan_timestamp(text, false, &days, &us))
        return "not a timestamp";
    if (unit == 1000) {
        out->integer = days * DAY_MS + us / 1000;
        return NULL;
    }
    if (__builtin_mul_overflow(days, DAY_US, &out->integer) || __builtin_add_overflow(out->integer, us, &out->integer))
        out->integer = days > 0 ? INT64_MAX : INT64_MIN;
    return NULL;
}

const char *convert_timestamp_us(const struct value_type *type, struct str text, struct value_work *work,
                                 struct value *out)
{
    (void)type, (void)work;
    return timestamp_us(text, 1, out);
}

const char *convert_timestamp_ms(const struct value_type *type, struct str text, struct value_work *work,
                                 struct value *out)
{
    (void)type, (void)work;
    return timestamp_us(text, 1000, out);
}

/* 2024-02-29T10:34:56.700000Z; years beyond 9999 with a plus, before 1 with a minus, at least four digits. */
const char *convert_timestamptz(const struct value_type *type, struct str text, struct value_work *work,
                                struct value *out)
{
    int64_t days, us;
    char *p, *end;

    out->form = FORM_STRING;
    out->bytes = text;
    if (infinite(text))
        return NULL;
    if (!scan_timestamp(text, true, &days, &us))
        return "not a timestamp with time zone";
    struct clock_date date = clock_date_of_days(days);
    int64_t year = date.year < 0 ? -date.year : date.year;
    int digits = year > 999999 ? 7 : year > 99999 ? 6 : year > 9999 ? 5 : 4;
    buf_clear(&work->scratch);
    p = end = buf_reserve(&work->scratch, 48);
    if (!p)
        return "too large";
    if (date.year < 0 || date.year > 9999)
        *end++ = date.year < 0 ? '-' : '+';
    put_digits(end, year, digits);
    end += digits;
    *end++ = '-';
    put_digits(end, date.month, 2);
    end[2] = '-';
    put_digits(end + 3, date.day, 2);
    end[5] = 'T';
    end = put_time(end + 6, us, type->scale);
    *end++ = 'Z';
    out->bytes = str_n(p, (size_t)(end - p));
    return NULL;
}

/* ---------------------------------------------------------------- intervals */

struct interval {
    int64_t years, months, days, us;
};

static bool take_unit(struct str *word, const char *unit)
{
    return str_is(*word, unit) ||
           (word->len && word->p[word->len - 1] == 's' && str_eq(str_n(word->p, word->len - 1), str_of(unit)));
}

/* "1 year 2 mons -3 days +04:05:06.789" */
static bool scan_interval(struct str text, struct interval *out)
{
    struct str rest = text, word, unit;

    *out = (struct interval){ 0 };
    while (str_cut(&rest, ' ', &word)) {
        bool negative = word.len && word.p[0] == '-';
        struct scan s = { word.p, word.p + word.len };
        int64_t n;
        if (word.len && (word.p[0] == '-' || word.p[0] == '+'))
            s.p++;
        if (memchr(s.p, ':', (size_t)(s.end - s.p))) {
            if (!scan_time(&s, &n) || s.p != s.end)
                return false;
            out->us = negative ? -n : n;
            continue;
        }
        if (!scan_number(&s, &n) || s.p != s.end || !str_cut(&rest, ' ', &unit) || n > INT32_MAX + INT64_C(1))
            return false;
        n = negative ? -n : n;
        if (take_unit(&unit, "year"))
            out->years = n;
        else if (take_unit(&unit, "mon"))
            out->months = n;
        else if (take_unit(&unit, "day"))
            out->days = n;
        else
            return false;
    }
    return true;
}

const char *convert_interval_us(const struct value_type *type, struct str text, struct value_work *work,
                                struct value *out)
{
    struct interval v;

    (void)type, (void)work;
    out->form = FORM_INT;
    if (!scan_interval(text, &v))
        return "not an interval";
    __int128 us = (__int128)(v.years * 12 + v.months) * MONTH_US + (__int128)v.days * DAY_US + v.us;
    out->integer = us > INT64_MAX ? INT64_MAX : us < INT64_MIN ? INT64_MIN : (int64_t)us;
    return NULL;
}

/* P1Y2M3DT4H5M6.789S: each part with its sign. */
const char *convert_interval_text(const struct value_type *type, struct str text, struct value_work *work,
                                  struct value *out)
{
    struct interval v;

    (void)type;
    if (!scan_interval(text, &v))
        return "not an interval";
    int64_t us = v.us < 0 ? -v.us : v.us;
    const char *sign = v.us < 0 ? "-" : "";
    int64_t hours = us / 3600000000, minutes = us / 60000000 % 60, seconds = us / 1000000 % 60;
    buf_clear(&work->scratch);
    buf_printf(&work->scratch, "P%lldY%lldM%lldDT%s%lldH%s%lldM%s%lld", (long long)v.years, (long long)v.months,
               (long long)v.days, hours ? sign : "", (long long)hours, minutes ? sign : "", (long long)minutes,
               us % 60000000 ? sign : "", (long long)seconds);
    char fraction[8];
    fraction[0] = '.';
    put_digits(fraction + 1, us % 1000000, US_DIGITS);
    size_t n = 7;
    while (n > 1 && fraction[n - 1] == '0')
        n--;
    if (n == 1)
        n = 0;
    buf_append(&work->scratch, fraction, n);
    buf_putc(&work->scratch, 'S');
    out->form = FORM_STRING;
    out->bytes = buf_str(&work->scratch);
    return NULL;
}
