/* Sets of offsets as sorted ranges; see offsets.h. */
#include "lake/build/offsets.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void offset_ranges_free(struct offset_ranges *set)
{
    free(set->ranges);
    *set = (struct offset_ranges){ 0 };
}

/* First range whose end is at or after `at`: the first that could touch it. */
static size_t lower(const struct offset_ranges *set, int64_t at)
{
    size_t low = 0, high = set->count;

    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (set->ranges[mid].end < at)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

void offset_ranges_add(struct offset_ranges *set, int64_t first, int64_t end)
{
    if (first >= end)
        return;
    size_t from = lower(set, first), to = from;
    while (to < set->count && set->ranges[to].first <= end) {
        first = MIN(first, set->ranges[to].first);
        end = MAX(end, set->ranges[to].end);
        to++;
    }
    if (to == from) {
        if ((set->count & (set->count - 1)) == 0)
            set->ranges = mem_grow(set->ranges, MAX(set->count * 2, (size_t)4), sizeof *set->ranges);
        memmove(set->ranges + from + 1, set->ranges + from, (set->count - from) * sizeof *set->ranges);
        set->count++;
    } else if (to > from + 1) {
        memmove(set->ranges + from + 1, set->ranges + to, (set->count - to) * sizeof *set->ranges);
        size_t left = set->count - (to - from - 1), room = 4;
        set->count = left;
        while (room < left) /* the capacity is told by the count alone, so it shrinks with it */
            room *= 2;
        set->ranges = mem_grow(set->ranges, room, sizeof *set->ranges);
    }
    set->ranges[from] = (struct offset_range){ first, end };
}

bool offset_ranges_cover(const struct offset_ranges *set, int64_t first, int64_t end)
{
    size_t i = lower(set, first + 1);

    return first >= end || (i < set->count && set->ranges[i].first <= first && set->ranges[i].end >= end);
}

bool offset_ranges_has(const struct offset_ranges *set, int64_t offset)
{
    return offset_ranges_cover(set, offset, offset + 1);
}

int64_t offset_ranges_total(const struct offset_ranges *set)
{
    int64_t total = 0;

    for (size_t i = 0; i < set->count; i++)
        total += set->ranges[i].end - set->ranges[i].first;
    return total;
}

struct offset_ranges offset_ranges_missing(const struct offset_ranges *set, int64_t first, int64_t end)
{
    struct offset_ranges out = { 0 };

    for (size_t i = lower(set, first + 1); i < set->count && set->ranges[i].first < end; i++) {
        offset_ranges_add(&out, first, MIN(end, set->ranges[i].first));
        first = MAX(first, set->ranges[i].end);
    }
    offset_ranges_add(&out, first, end);
    return out;
}

/* ------------------------------------------------------------- by topic and partition */

static void free_ranges(void *p)
{
    offset_ranges_free(p);
    free(p);
}

void offsets_free(struct offsets *offsets)
{
    map_free(&offsets->topics, free_ranges);
    *offsets = (struct offsets){ 0 };
}

struct offset_ranges *offsets_of(struct offsets *offsets, const char *topic, int partition)
{
    CLEANUP(buf_free) struct buf key = { 0 };

    buf_puts(&key, topic);
    buf_putc(&key, '\0');
    buf_printf(&key, "%d", partition);
    struct offset_ranges *set = map_get(&offsets->topics, buf_str(&key));
    if (!set) {
        set = NEW(struct offset_ranges);
        map_put(&offsets->topics, buf_str(&key), set);
    }
    return set;
}

static enum rc bad(struct err *err, const char *topic, const char *partition)
{
    return err_set(err, RC_BAD_INPUT, "consumed offsets are broken at topic '%s' partition '%s'", topic, partition);
}

static enum rc parse_ranges(struct str text, struct offset_ranges *set)
{
    struct str part, first;
    int64_t from = 0, to = 0;

    while (str_cut(&text, ',', &part)) {
        if (!part.len)
            continue;
        if (!str_cut(&part, '-', &first) || !str_to_i64(first, 0, INT64_MAX - 1, &from) ||
            !str_to_i64(part, from, INT64_MAX - 1, &to))
            return RC_BAD_INPUT;
        if (set->count >= OFFSET_RANGES_MAX)
            return RC_FULL;
        offset_ranges_add(set, from, to + 1);
    }
    return RC_OK;
}

enum rc offsets_parse(const char *text, struct offsets *out, struct err *err)
{
    json_error_t why;
    const char *topic, *partition;
    json_t *partitions, *ranges;
    int64_t number = 0;
    enum rc rc = RC_OK;

    *out = (struct offsets){ 0 };
    if (!text || !*text)
        return RC_OK;
    json_t *root = json_loads(text, JSON_REJECT_DUPLICATES, &why);
    if (!json_is_object(root)) {
        json_decref(root);
        return err_set(err, RC_BAD_INPUT, "consumed offsets are not a JSON object");
    }
    json_object_foreach(root, topic, partitions) {
        if (!json_is_object(partitions))
            rc = bad(err, topic, "");
        json_object_foreach(partitions, partition, ranges)
            if (!rc && (!json_is_string(ranges) || !str_to_i64(str_of(partition), 0, INT32_MAX, &number) ||
                        parse_ranges(str_of(json_string_value(ranges)), offsets_of(out, topic, (int)number))))
                rc = bad(err, topic, partition);
    }
    json_decref(root);
    if (rc)
        offsets_free(out);
    return rc;
}

static void print_ranges(const struct offset_ranges *set, struct buf *out)
{
    for (size_t i = 0; i < set->count; i++)
        buf_printf(out, "%s%lld-%lld", i ? "," : "", (long long)set->ranges[i].first,
                   (long long)set->ranges[i].end - 1);
}

char *offsets_print(const struct offsets *offsets)
{
    json_t *root = json_object();

    for (struct map_entry *e = NULL; (e = map_next(&offsets->topics, e));) {
        CLEANUP(buf_free) struct buf text = { 0 };
        const struct offset_ranges *set = e->value;
        if (!set->count)
            continue;
        json_t *partitions = json_object_get(root, e->key);
        if (!partitions) {
            partitions = json_object();
            json_object_set_new(root, e->key, partitions);
        }
        print_ranges(set, &text);
        json_object_set_new(partitions, e->key + strlen(e->key) + 1, json_string(buf_cstr(&text)));
    }
    char *text = json_dumps(root, JSON_COMPACT | JSON_SORT_KEYS);
    json_decref(root);
    return text;
}

void offsets_add_missing(struct offsets *out, const struct offsets *has, struct offsets *had)
{
    for (struct map_entry *e = NULL; (e = map_next(&has->topics, e));) {
        const struct offset_ranges *there = e->value;
        int64_t partition = 0;
        str_to_i64(str_of(e->key + strlen(e->key) + 1), 0, INT32_MAX, &partition);
        const struct offset_ranges *not_these = offsets_of(had, e->key, (int)partition);
        struct offset_ranges *into = offsets_of(out, e->key, (int)partition);
        for (size_t i = 0; i < there->count; i++) {
            struct offset_ranges missing =
                offset_ranges_missing(not_these, there->ranges[i].first, there->ranges[i].end);
            for (size_t k = 0; k < missing.count; k++)
                offset_ranges_add(into, missing.ranges[k].first, missing.ranges[k].end);
            offset_ranges_free(&missing);
        }
    }
}

int64_t offsets_total(const struct offsets *offsets)
{
    int64_t total = 0;

    for (struct map_entry *e = NULL; (e = map_next(&offsets->topics, e));)
        total += offset_ranges_total(e->value);
    return total;
}

bool offsets_equal(const struct offsets *a, const struct offsets *b)
{
    CLEANUP_FREE char *x = offsets_print(a);
    CLEANUP_FREE char *y = offsets_print(b);

    return x && y && strcmp(x, y) == 0;
}
