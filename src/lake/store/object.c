/* Objects in the index; see object.h. */
#include "lake/store/object.h"

enum s3_error object_find(struct index_txn *txn, const struct bucket *bucket, struct str key, struct arena *arena,
                          struct record *out)
{
    struct str value = { 0 };

    if (!tree_get(txn, bucket->node, key, &value))
        return index_failed(txn) ? S3_INTERNAL : S3_NO_SUCH_KEY;
    if (record_decode(value, arena, out))
        return S3_NONE;
    index_fail(txn, "an object's record is broken");
    return S3_INTERNAL;
}

static void drop_blobs(struct index_txn *txn, const struct record *record)
{
    for (size_t i = 0; i < record->part_count; i++)
        index_blob_drop(txn, record->parts[i].blob);
}

void object_replace(struct index_txn *txn, const struct bucket *bucket, struct str key, const struct record *old,
                    const struct record *record)
{
    CLEANUP(buf_free) struct buf bytes = { 0 };

    record_encode(record, &bytes);
    if (old)
        drop_blobs(txn, old);
    tree_put(txn, bucket->node, key, buf_str(&bytes));
    bucket_count(txn, bucket->node, old ? 0 : 1, (int64_t)record->size - (int64_t)(old ? old->size : 0));
}

/* The bucket, and the object that stands at the key: *there tells. */
static enum s3_error find_target(struct index_txn *txn, struct str bucket_name, struct str key, struct arena *arena,
                                 struct bucket *bucket, struct record *old, bool *there)
{
    enum s3_error failed = bucket_find(txn, bucket_name, bucket);

    if (failed)
        return failed;
    failed = object_find(txn, bucket, key, arena, old);
    *there = !failed;
    return failed == S3_NO_SUCH_KEY ? S3_NONE : failed;
}

static enum s3_error apply_put(struct index_txn *txn, void *user)
{
    CLEANUP(arena_free) struct arena arena = { 0 };
    struct object_put *put = user;
    struct record old = { 0 };
    struct bucket bucket = { 0 };
    bool there = false;
    enum s3_error failed = find_target(txn, put->bucket, put->key, &arena, &bucket, &old, &there);

    if (!failed)
        failed = conditions_for_write(put->conditions, there ? &old : NULL);
    if (failed)
        return failed;
    struct record_part part = { put->blob->number, put->blob->size };
    put->record->parts = &part;
    put->record->part_count = part.size ? 1 : 0;
    put->record->modified_ms = clock_wall_ms();
    if (part.size)
        index_blob_add(txn, put->blob);
    object_replace(txn, &bucket, put->key, there ? &old : NULL, put->record);
    put->record->parts = NULL;
    put->record->part_count = 0;
    return S3_NONE;
}

enum s3_error object_put(struct index *index, struct object_put *put)
{
    return index_write(index, apply_put, put);
}

/* ------------------------------------------------------------------ copy */

static enum s3_error find_source(struct index_txn *txn, struct object_copy *copy, struct arena *arena,
                                 struct record *out)
{
    struct bucket bucket = { 0 };
    enum s3_error failed = bucket_find(txn, copy->source_bucket, &bucket);

    if (!failed)
        failed = object_find(txn, &bucket, copy->source_key, arena, out);
    return failed ? failed : conditions_for_copy(copy->source_conditions, out);
}

static enum s3_error apply_copy(struct index_txn *txn, void *user)
{
    CLEANUP(arena_free) struct arena arena = { 0 };
    struct object_copy *copy = user;
    struct record old = { 0 }, record = { 0 };
    struct bucket bucket = { 0 };
    bool there = false;
    enum s3_error failed = find_source(txn, copy, &arena, &record);

    if (!failed)
        failed = find_target(txn, copy->bucket, copy->key, &arena, &bucket, &old, &there);
    if (!failed)
        failed = conditions_for_write(copy->conditions, there ? &old : NULL);
    if (!failed)
        failed = copy->change(copy->user, &record);
    if (failed)
        return failed;
    record.modified_ms = clock_wall_ms();
    record.has_upload = false;
    for (size_t i = 0; i < record.part_count; i++)
        index_blob_share(txn, record.parts[i].blob);
    object_replace(txn, &bucket, copy->key, there ? &old : NULL, &record);
    copy->result = record;
    copy->result.parts = NULL; /* they go with the arena */
    copy->result.headers = NULL;
    copy->result.part_count = copy->result.header_count = 0;
    return S3_NONE;
}

enum s3_error object_copy(struct index *index, struct object_copy *copy)
{
    return index_write(index, apply_copy, copy);
}

/* ---------------------------------------------------------------- delete */

static void delete_one(struct index_txn *txn, const struct bucket *bucket, struct str key)
{
    CLEANUP(arena_free) struct arena arena = { 0 };
    struct record record = { 0 };

    if (object_find(txn, bucket, key, &arena, &record))
        return;
    drop_blobs(txn, &record);
    tree_delete(txn, bucket->node, key);
    bucket_count(txn, bucket->node, -1, -(int64_t)record.size);
}

static enum s3_error apply_delete(struct index_txn *txn, void *user)
{
    CLEANUP(arena_free) struct arena arena = { 0 };
    struct object_delete *delete = user;
    struct record old = { 0 };
    struct bucket bucket = { 0 };
    enum s3_error failed = bucket_find(txn, delete->bucket, &bucket);

    if (!failed && delete->conditions && delete->conditions->if_match.p) {
        failed = object_find(txn, &bucket, delete->keys[0], &arena, &old);
        if (!failed)
            failed = conditions_for_write(delete->conditions, &old);
    }
    for (size_t i = 0; i < delete->count && !failed; i++)
        delete_one(txn, &bucket, delete->keys[i]);
    return failed;
}

enum s3_error object_delete(struct index *index, struct object_delete *delete)
{
    return index_write(index, apply_delete, delete);
}

/* ------------------------------------------------------------------ tags */

struct tagging {
    struct str bucket, key, tags;
};

static enum s3_error apply_tags(struct index_txn *txn, void *user)
{
    CLEANUP(arena_free) struct arena arena = { 0 };
    CLEANUP(buf_free) struct buf bytes = { 0 };
    struct tagging *tagging = user;
    struct record record = { 0 };
    struct bucket bucket = { 0 };
    enum s3_error failed = bucket_find(txn, tagging->bucket, &bucket);

    if (!failed)
        failed = object_find(txn, &bucket, tagging->key, &arena, &record);
    if (failed)
        return failed;
    record.tags = tagging->tags;
    record_encode(&record, &bytes);
    tree_put(txn, bucket.node, tagging->key, buf_str(&bytes));
    return S3_NONE;
}

enum s3_error object_set_tags(struct index *index, struct str bucket, struct str key, struct str tags)
{
    struct tagging tagging = { bucket, key, tags };

    return index_write(index, apply_tags, &tagging);
}
