/* Buckets in the index.  Private to lake/store. */
#ifndef LAKE_STORE_BUCKET_H
#define LAKE_STORE_BUCKET_H

#include "lake/store/index.h"

enum { BUCKET_NAME_MIN = 3, BUCKET_NAME_MAX = 63, BUCKET_POLICY_MAX = 20 << 10, BUCKETS_MAX = 10000 };

/*
 * u8 format 1, u64 node, i64 created (ms), u32 length and text of the policy, u16 length and text of the
 * tags, as a query.  Views into the transaction.
 */
struct bucket {
    uint64_t node;
    int64_t created_ms;
    struct str policy; /* empty: none */
    struct str tags;
};

/* AWS's rules: 3 to 63 of a-z 0-9 . -, ends with letter or digit, no "..", not an IP address. */
bool bucket_name_is_valid(struct str name);
/* false: not such a record. */
bool bucket_decode(struct str bytes, struct bucket *out);
void bucket_encode(const struct bucket *bucket, struct buf *out); /* appends */
/* S3_NO_SUCH_BUCKET, or S3_INTERNAL when the transaction failed. */
enum s3_error bucket_find(struct index_txn *txn, struct str name, struct bucket *out);
/* The first bucket at or after `from`. */
bool bucket_next(struct index_txn *txn, struct str from, struct str *name, struct bucket *out);
/* One's own bucket again: S3_NONE. */
enum s3_error bucket_create(struct index *index, struct str name);
enum s3_error bucket_delete(struct index *index, struct str name);
enum s3_error bucket_set_policy(struct index *index, struct str name, struct str policy);
enum s3_error bucket_set_tags(struct index *index, struct str name, struct str tags);

struct usage {
    uint64_t objects, bytes;
};
struct usage bucket_usage(struct index_txn *txn, uint64_t node);
void bucket_count(struct index_txn *txn, uint64_t node, int64_t objects, int64_t bytes);

#endif
