/* One page of a bucket's keys, by prefix and delimiter.  Private to lake/store. */
#ifndef LAKE_STORE_LISTING_H
#define LAKE_STORE_LISTING_H

#include "lake/store/bucket.h"
#include "lake/store/record.h"

enum { LISTING_MAX = 1000 };

struct listing {
    struct str prefix, delimiter;
    struct str after; /* only what comes after this key or common prefix */
    struct str from;  /* from this key on, itself included: how the page before ended */
    size_t max;
    void (*on_object)(void *user, struct str key, const struct record *head);
    void (*on_prefix)(void *user, struct str prefix);
    void *user;
    /* out */
    size_t count; /* objects and common prefixes */
    bool truncated;
    struct buf next; /* `from` of the next page when truncated */
    struct buf last; /* the last object or common prefix told */
};

/* Costs one look-up per row, however many keys a common prefix stands for. */
void listing_run(struct index_txn *txn, const struct bucket *bucket, struct listing *listing);
void listing_free(struct listing *listing);

#endif
