/*
 * Time zones, for the one thing the sink needs of them: where midnight is.  UTC and fixed offsets
 * are arithmetic; named zones are the C library's, which knows only one zone at a time: a lock
 * guards the moment in which it is another.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "disk/disk.h"
#include "stream/connect/s3/options.h"

enum { DAY_MS = 86400000 };

static bool fixed_offset(const char *zone, int64_t *ms)
{
    int hours = 0, minutes = 0, end = 0;
    char sign = 0;

    *ms = 0;
    if (strcmp(zone, "UTC") == 0 || strcmp(zone, "GMT") == 0 || strcmp(zone, "Z") == 0 || strcmp(zone, "Etc/UTC") == 0)
        return true;
    if (sscanf(zone, "%1c%2d:%2d%n", &sign, &hours, &minutes, &end) != 3 || zone[end] || (sign != '+' && sign != '-'))
        return false;
    *ms = (sign == '-' ? -1 : 1) * (hours * 60 + minutes) * (int64_t)60000;
    return hours < 24 && minutes < 60;
}

bool zone_is_known(const char *zone)
{
    int64_t ms = 0;

    if (fixed_offset(zone, &ms))
        return true;
    if (zone[0] == '/' || strstr(zone, "..") || strlen(zone) > 64)
        return false;
    CLEANUP_FREE char *path = mem_printf("/usr/share/zoneinfo/%s", zone);
    return disk_exists(path);
}

int64_t zone_offset_ms(const char *zone, int64_t wall_ms)
{
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    int64_t ms = 0;
    time_t seconds = (time_t)(wall_ms / 1000);
    struct tm local = { 0 };

    if (fixed_offset(zone, &ms))
        return ms;
    pthread_mutex_lock(&lock);
    CLEANUP_FREE char *before = mem_strdup(getenv("TZ"));
    setenv("TZ", zone, 1);
    tzset();
    localtime_r(&seconds, &local);
    if (before)
        setenv("TZ", before, 1);
    else
        unsetenv("TZ");
    tzset();
    pthread_mutex_unlock(&lock);
    return local.tm_gmtoff * (int64_t)1000;
}

int64_t zone_next_rotation(const char *zone, int64_t wall_ms, int64_t interval_ms)
{
    int64_t ahead = zone_offset_ms(zone, wall_ms);
    int64_t since_midnight = (wall_ms + ahead) % DAY_MS;

    if (interval_ms > INT64_MAX / 4)
        return INT64_MAX;
    return wall_ms - since_midnight % interval_ms + interval_ms;
}
