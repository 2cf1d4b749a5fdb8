/*
 * A hash map from text to pointer.  Keys are copied and owned by the map; values are the caller's.
 * Iteration is in order of insertion, so that listings and files come out the same every time.
 */
#ifndef BASE_MAP_H
#define BASE_MAP_H

#include "base/str.h"

struct map_entry {
    char *key; /* terminated; NULL: a removed entry, skipped by map_next */
    size_t key_len;
    void *value;
};

struct map {
    size_t count;
    /* private */
    struct map_entry *entries;
    size_t used, cap;
    uint32_t *slots; /* index into entries + 1; 0: free, UINT32_MAX: removed */
    size_t slot_count;
};

void *map_get(const struct map *map, struct str key);        /* NULL: not there */
void *map_put(struct map *map, struct str key, void *value); /* returns the value it replaces, or NULL */
void *map_remove(struct map *map, struct str key);           /* returns the value, or NULL */
/* for (struct map_entry *e = NULL; (e = map_next(map, e));)  removing e itself is allowed */
struct map_entry *map_next(const struct map *map, struct map_entry *after);
void map_free(struct map *map, void (*free_value)(void *)); /* free_value may be NULL */

#endif
