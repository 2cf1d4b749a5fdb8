/*
 * Memory of one request, batch or transaction, freed at once.  It has a maximum, so a message
 * from outside can never ask for more than its arena holds: then arena_alloc returns NULL.
 */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include "base/str.h"

enum { ARENA_DEFAULT_MAX = 16 << 20 };

struct arena_block;
struct arena {
    size_t max; /* 0: ARENA_DEFAULT_MAX */
    /* private */
    size_t used;
    struct arena_block *blocks;
};

void *arena_alloc(struct arena *arena, size_t size);               /* zeroed, 16-byte aligned; NULL at the maximum */
void *arena_array(struct arena *arena, size_t count, size_t size); /* NULL also on overflow */
char *arena_strdup(struct arena *arena, struct str s);             /* terminated; NULL at the maximum */
char *arena_printf(struct arena *arena, const char *format, ...) PRINTF_LIKE(2, 3);
void arena_reset(struct arena *arena); /* forgets all, keeps the first block */
void arena_free(struct arena *arena);

#endif
