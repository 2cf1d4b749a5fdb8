/*
 * Lists of regular expressions, as table.include.list has them: separated by commas, each must match
 * the whole name, letter case does not count.  Java's expressions, as far as PCRE2 reads them alike.
 */
#ifndef STREAM_CONNECT_POSTGRES_FILTER_H
#define STREAM_CONNECT_POSTGRES_FILTER_H

#include "base/base.h"

enum { FILTER_PATTERNS_MAX = 10000 };

struct name_filter {
    void **patterns; /* compiled */
    void *match;
    size_t count;
};

/* list NULL or empty: no patterns.  A comma after a backslash belongs to its pattern. */
MUST_CHECK enum rc name_filter_compile(struct name_filter *filter, const char *list, struct err *err);
MUST_CHECK enum rc name_filter_compile_one(struct name_filter *filter, const char *pattern, struct err *err);
/* Index of the first pattern that matches the whole name, or -1. */
int name_filter_find(const struct name_filter *filter, struct str name);
bool name_filter_matches_at(const struct name_filter *filter, size_t index, struct str name);
void name_filter_free(struct name_filter *filter);

#endif
