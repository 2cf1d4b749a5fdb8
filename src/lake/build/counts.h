/*
 * How many events each raw file has, remembered between builds: a file that is wholly in the table need not be read
 * again.  Lines "<key> TAB <etag> TAB <count>"; losing the file costs only time.  Private to lake/build.
 */
#ifndef LAKE_BUILD_COUNTS_H
#define LAKE_BUILD_COUNTS_H

#include "lake/build/raw.h"

struct counts {
    struct map by_key; /* key TAB etag -> count + 1 */
};
void counts_load(struct counts *counts, const char *path);                          /* absent or broken: empty */
int64_t counts_get(const struct counts *counts, const char *key, const char *etag); /* -1: not known */
void counts_save(const char *path, const struct raw_files *files);
void counts_free(struct counts *counts);

#endif
