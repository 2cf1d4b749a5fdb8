/*
 * Which events were consumed: ranges of offsets for each partition of each topic.  The text form is kept in
 * snapshot summaries and table properties (haus.offsets):
 *
 *     {"storefront.public.orders":{"0":"0-999,2000-2999"}}      both ends inclusive, sorted, apart
 *
 * Private to lake/build.
 */
#ifndef LAKE_BUILD_OFFSETS_H
#define LAKE_BUILD_OFFSETS_H

#include "base/base.h"

enum { OFFSET_RANGES_MAX = 100000 }; /* in one set, else RC_FULL */

struct offset_range {
    int64_t first, end; /* end exclusive */
};
struct offset_ranges { /* sorted, disjoint, not touching */
    struct offset_range *ranges;
    size_t count;
};
void offset_ranges_free(struct offset_ranges *set);
void offset_ranges_add(struct offset_ranges *set, int64_t first, int64_t end);
bool offset_ranges_cover(const struct offset_ranges *set, int64_t first, int64_t end); /* all of [first, end) */
int64_t offset_ranges_total(const struct offset_ranges *set);
/* What of [first, end) is not in the set; owned by the caller. */
struct offset_ranges offset_ranges_missing(const struct offset_ranges *set, int64_t first, int64_t end);
bool offset_ranges_has(const struct offset_ranges *set, int64_t offset);

struct offsets {
    struct map topics; /* "topic/partition" is not a safe key, so: topic NUL partition -> struct offset_ranges, owned */
};
void offsets_free(struct offsets *offsets);
struct offset_ranges *offsets_of(struct offsets *offsets, const char *topic, int partition); /* made when absent */
MUST_CHECK enum rc offsets_parse(const char *text, struct offsets *out, struct err *err);    /* NULL: empty */
char *offsets_print(const struct offsets *offsets);                                          /* sorted by topic */
/* What `has` has and `had` has not is added to out. */
void offsets_add_missing(struct offsets *out, const struct offsets *has, struct offsets *had);
int64_t offsets_total(const struct offsets *offsets);
bool offsets_equal(const struct offsets *a, const struct offsets *b);

#endif
