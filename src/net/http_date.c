/* Dates of HTTP headers; see http_date.h.  Our own names of days and months: strftime's follow the locale. */
#include "net/http_date.h"

#include <stdio.h>
#include <time.h>

static const char days[][4] = { "Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat" };
static const char months[][4] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };

void http_date_format(int64_t wall_ms, char out[static HTTP_DATE_MAX])
{
    time_t seconds = (time_t)(wall_ms / 1000);
    struct tm tm = { 0 };

    gmtime_r(&seconds, &tm);
    snprintf(out, HTTP_DATE_MAX, "%s, %02d %s %04d %02d:%02d:%02d GMT", days[tm.tm_wday], tm.tm_mday, months[tm.tm_mon],
             tm.tm_year + 1900, tm.tm_hour, tm.tm_min, tm.tm_sec);
}

bool http_date_parse(struct str text, int64_t *wall_ms)
{
    static const char *const formats[] = { "%a, %d %b %Y %H:%M:%S GMT", "%A, %d-%b-%y %H:%M:%S GMT",
                                           "%a %b %d %H:%M:%S %Y", "%a, %d %b %Y %H:%M:%S +0000",
                                           "%Y-%m-%dT%H:%M:%SZ" };
    char copy[64];

    text = str_trim(text);
    if (!text.len || text.len >= sizeof copy)
        return false;
    snprintf(copy, sizeof copy, "%.*s", STR_ARG(text));
    for (size_t i = 0; i < ARRAY_LEN(formats); i++) {
        struct tm tm = { 0 };
        const char *end = strptime(copy, formats[i], &tm);
        if (!end || *end || tm.tm_year < 70)
            continue;
        *wall_ms = (int64_t)timegm(&tm) * 1000;
        return true;
    }
    return false;
}
