/* An object store in memory, with conditional puts and a hook before each write, for tests of the lake. */
#ifndef TEST_UNIT_LAKE_MEMORY_IO_H
#define TEST_UNIT_LAKE_MEMORY_IO_H

#include "lake/iceberg/iceberg.h"

struct memory_store {
    struct map objects; /* "bucket/key" -> struct buf, owned */
    /* called before a put; an error is its result */
    enum rc (*before_put)(struct memory_store *store, const char *key, struct err *err);
    int puts;
    void *user;
};
void memory_io(struct iceberg_io *io, struct memory_store *store);
void memory_store_free(struct memory_store *store);
void memory_put(struct memory_store *store, const char *path, const char *text); /* "bucket/key" */
const char *memory_text(const struct memory_store *store, const char *path);     /* NULL: none */
size_t memory_count(const struct memory_store *store, const char *part);         /* paths that hold `part` */

#endif
