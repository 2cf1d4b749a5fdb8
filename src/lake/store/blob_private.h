/* What blob.c and blob_sweep.c share. */
#ifndef LAKE_STORE_BLOB_PRIVATE_H
#define LAKE_STORE_BLOB_PRIVATE_H

#include <limits.h>
#include <pthread.h>

#include "lake/store/blob.h"

struct blob_waiting {
    uint64_t number;
    uint64_t generation; /* in which it was dropped */
};

struct blobs {
    char *dir;
    uint32_t run;
    pthread_mutex_t lock; /* all below */
    uint32_t count;
    uint32_t made_group;        /* the last group whose directory was made */
    uint64_t generation;        /* counts the calls of blobs_remove */
    struct blob_reader readers; /* head of the ring */
    struct blob_waiting *waiting;
    size_t waiting_count, waiting_cap;
};

void blobs_dir_path(const struct blobs *blobs, uint64_t number, char out[static PATH_MAX]);

#endif
