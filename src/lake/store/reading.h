/* Reading an object's bytes while it may be replaced or deleted.  Private to lake/store. */
#ifndef LAKE_STORE_READING_H
#define LAKE_STORE_READING_H

#include <sys/types.h>

#include "lake/store/object.h"

struct reading {
    struct index *index;
    struct blob_reader reader;
    struct arena *arena;
    struct record record;
    uint64_t offset, left; /* what is still to be read */
    /* the open part */
    size_t part;
    uint64_t part_start;
    int fd; /* -1: none open */
};

/* Looks the object up and keeps its blobs from going until reading_end. */
enum s3_error reading_begin(struct index *index, struct str bucket, struct str key, struct arena *arena,
                            struct reading *reading);
void reading_set_range(struct reading *reading, uint64_t offset, uint64_t size);
/* Bytes read, 0 at the end of the range, -1 on failure (logged). */
ssize_t reading_read(struct reading *reading, char *p, size_t max);
/* When the range lies in one file: its descriptor (the caller's) and the offset in it. */
bool reading_as_file(struct reading *reading, int *fd, uint64_t *offset);
void reading_end(struct reading *reading);

#endif
