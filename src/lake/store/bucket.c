/* Buckets: names, records, usage; see bucket.h. */
#include "lake/store/bucket.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

enum { FORMAT = 1, HEAD = 1 + 8 + 8 };

static bool is_name_end(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

bool bucket_name_is_valid(struct str name)
{
    struct in_addr address;
    char copy[BUCKET_NAME_MAX + 1];

    if (name.len < BUCKET_NAME_MIN || name.len > BUCKET_NAME_MAX)
        return false;
    if (!is_name_end(name.p[0]) || !is_name_end(name.p[name.len - 1]))
        return false;
    for (size_t i = 0; i < name.len; i++) {
        if (!is_name_end(name.p[i]) && name.p[i] != '-' && name.p[i] != '.')
            return false;
        if (i && name.p[i] == '.' && name.p[i - 1] == '.')
            return false;
    }
    snprintf(copy, sizeof copy, "%.*s", STR_ARG(name));
    return inet_pton(AF_INET, copy, &address) != 1;
}

/* ---------------------------------------------------------------- record */

bool bucket_decode(struct str bytes, struct bucket *out)
{
    if (bytes.len < HEAD + 4 || bytes.p[0] != FORMAT)
        return false;
    out->node = be64_read(bytes.p + 1);
    out->created_ms = (int64_t)be64_read(bytes.p + 9);
    size_t policy = be32_read(bytes.p + HEAD);
    if (bytes.len < HEAD + 4 + policy + 2)
        return false;
    out->policy = str_n(bytes.p + HEAD + 4, policy);
    const uint8_t *tags = (const uint8_t *)out->policy.p + policy;
    out->tags = str_skip(bytes, HEAD + 4 + policy + 2);
    return out->tags.len == (size_t)(tags[0] << 8 | tags[1]);
}

void bucket_encode(const struct bucket *bucket, struct buf *out)
{
    buf_putc(out, FORMAT);
    buf_put_be64(out, bucket->node);
    buf_put_be64(out, (uint64_t)bucket->created_ms);
    buf_put_be32(out, (uint32_t)bucket->policy.len);
    buf_put_str(out, bucket->policy);
    buf_put_be16(out, (uint16_t)bucket->tags.len);
    buf_put_str(out, bucket->tags);
}

static void put(struct index_txn *txn, struct str name, const struct bucket *bucket)
{
    CLEANUP(buf_free) struct buf bytes = { 0 };

    bucket_encode(bucket, &bytes);
    index_put(txn, INDEX_BUCKET, name, buf_str(&bytes));
}

enum s3_error bucket_find(struct index_txn *txn, struct str name, struct bucket *out)
{
    struct str value = { 0 };

    if (!name.len || name.len > BUCKET_NAME_MAX)
        return S3_NO_SUCH_BUCKET;
    if (!index_get(txn, INDEX_BUCKET, name, &value))
        return index_failed(txn) ? S3_INTERNAL : S3_NO_SUCH_BUCKET;
    if (bucket_decode(value, out))
        return S3_NONE;
    index_fail(txn, "a bucket's record is broken");
    return S3_INTERNAL;
}

bool bucket_next(struct index_txn *txn, struct str from, struct str *name, struct bucket *out)
{
    struct str value = { 0 };

    if (!index_seek(txn, INDEX_BUCKET, from, name, &value))
        return false;
    if (bucket_decode(value, out))
        return true;
    index_fail(txn, "a bucket's record is broken");
    return false;
}

/* ----------------------------------------------------------------- usage */

struct usage bucket_usage(struct index_txn *txn, uint64_t node)
{
    struct str value = { 0 };
    uint8_t key[8];

    be64_write(key, node);
    if (!index_get(txn, INDEX_USAGE, str_n((char *)key, 8), &value) || value.len != 16)
        return (struct usage){ 0 };
    return (struct usage){ be64_read(value.p), be64_read(value.p + 8) };
}

void bucket_count(struct index_txn *txn, uint64_t node, int64_t objects, int64_t bytes)
{
    struct usage usage = bucket_usage(txn, node);
    uint8_t key[8], value[16];

    be64_write(key, node);
    be64_write(value, usage.objects + (uint64_t)objects);
    be64_write(value + 8, usage.bytes + (uint64_t)bytes);
    index_put(txn, INDEX_USAGE, str_n((char *)key, 8), str_n((char *)value, 16));
}

/* ---------------------------------------------------------------- writes */

struct change {
    struct str name, text;
};

static enum s3_error apply_create(struct index_txn *txn, void *user)
{
    struct change *change = user;
    struct bucket bucket = { 0 };
    enum s3_error failed = bucket_find(txn, change->name, &bucket);

    if (failed != S3_NO_SUCH_BUCKET)
        return failed;
    bucket = (struct bucket){ .node = index_new_node(txn), .created_ms = clock_wall_ms() };
    put(txn, change->name, &bucket);
    return S3_NONE;
}

enum s3_error bucket_create(struct index *index, struct str name)
{
    struct change change = { .name = name };

    return index_write(index, apply_create, &change);
}

static bool has_uploads(struct index_txn *txn, uint64_t node)
{
    struct str found = { 0 }, value = { 0 };
    uint8_t key[8];

    be64_write(key, node);
    return index_seek(txn, INDEX_UPLOAD, str_n((char *)key, 8), &found, &value) && found.len > 8 &&
           memcmp(found.p, key, 8) == 0;
}

static enum s3_error apply_delete(struct index_txn *txn, void *user)
{
    struct change *change = user;
    struct bucket bucket = { 0 };
    enum s3_error failed = bucket_find(txn, change->name, &bucket);
    uint8_t key[8];

    if (failed)
        return failed;
    if (!tree_is_empty(txn, bucket.node) || has_uploads(txn, bucket.node))
        return S3_BUCKET_NOT_EMPTY;
    be64_write(key, bucket.node);
    index_delete(txn, INDEX_USAGE, str_n((char *)key, 8));
    index_delete(txn, INDEX_BUCKET, change->name);
    return S3_NONE;
}

enum s3_error bucket_delete(struct index *index, struct str name)
{
    struct change change = { .name = name };

    return index_write(index, apply_delete, &change);
}

static enum s3_error apply_policy(struct index_txn *txn, void *user)
{
    struct change *change = user;
    struct bucket bucket = { 0 };
    enum s3_error failed = bucket_find(txn, change->name, &bucket);

    if (failed)
        return failed;
    bucket.policy = change->text;
    put(txn, change->name, &bucket);
    return S3_NONE;
}

enum s3_error bucket_set_policy(struct index *index, struct str name, struct str policy)
{
    struct change change = { name, policy };

    return index_write(index, apply_policy, &change);
}

static enum s3_error apply_tags(struct index_txn *txn, void *user)
{
    struct change *change = user;
    struct bucket bucket = { 0 };
    enum s3_error failed = bucket_find(txn, change->name, &bucket);

    if (failed)
        return failed;
    bucket.tags = change->text;
    put(txn, change->name, &bucket);
    return S3_NONE;
}

enum s3_error bucket_set_tags(struct index *index, struct str name, struct str tags)
{
    struct change change = { name, tags };

    return index_write(index, apply_tags, &change);
}
