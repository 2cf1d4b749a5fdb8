/* Objects in the index: look up, put, copy, delete.  Private to lake/store. */
#ifndef LAKE_STORE_OBJECT_H
#define LAKE_STORE_OBJECT_H

#include "lake/store/bucket.h"
#include "lake/store/condition.h"

enum { KEY_MAX = 1024 };

/* S3_NO_SUCH_KEY when it is not there.  The record is copied into the arena. */
enum s3_error object_find(struct index_txn *txn, const struct bucket *bucket, struct str key, struct arena *arena,
                          struct record *out);

struct object_put {
    struct str bucket, key;
    const struct conditions *conditions;
    struct record *record;          /* its parts are set from the blob */
    const struct blob_writer *blob; /* finished */
};
enum s3_error object_put(struct index *index, struct object_put *put);

struct object_copy {
    struct str bucket, key, source_bucket, source_key;
    const struct conditions *conditions, *source_conditions;
    /* Sets what differs from the source; an error ends the copy.  May run more than once. */
    enum s3_error (*change)(void *user, struct record *record);
    void *user;
    struct record result; /* head only */
};
enum s3_error object_copy(struct index *index, struct object_copy *copy);

struct object_delete {
    struct str bucket;
    const struct str *keys;
    size_t count;
    const struct conditions *conditions; /* for a single key; may be NULL */
};
/* Keys that are not there are fine. */
enum s3_error object_delete(struct index *index, struct object_delete *delete);
enum s3_error object_set_tags(struct index *index, struct str bucket, struct str key, struct str tags);

/* In a write: replaces what stands there (which loses its blobs) and counts. */
void object_replace(struct index_txn *txn, const struct bucket *bucket, struct str key, const struct record *old,
                    const struct record *record);

#endif
