/* Objects and buckets: get, put, head, delete; see s3.h. */
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "net/http_date.h"
#include "net/s3_call.h"

enum { MULTIPART_ABOVE = 64 << 20, MULTIPART_PART = 32 << 20 };

enum rc s3_get(struct s3_client *client, const char *bucket, const char *key, struct buf *out, struct err *err)
{
    return s3_get_range(client, bucket, key, 0, UINT64_MAX, out, err);
}

/* A range that begins at or after the end is an error to S3 and no bytes to us. */
enum rc s3_get_range(struct s3_client *client, const char *bucket, const char *key, uint64_t offset, uint64_t n,
                     struct buf *out, struct err *err)
{
    struct s3_call call = { .doing = "get", .method = "GET", .bucket = bucket, .key = key, .answer_max = out->max };
    CLEANUP_FREE char *range = NULL;
    struct http_answer answer = { 0 };
    uint64_t last = 0;

    if (!n)
        return RC_OK;
    if (offset || n != UINT64_MAX) {
        bool open = __builtin_add_overflow(offset, n - 1, &last);
        range = open ? mem_printf("range: bytes=%llu-", (unsigned long long)offset)
                     : mem_printf("range: bytes=%llu-%llu", (unsigned long long)offset, (unsigned long long)last);
        call.headers[0] = range;
    }
    enum rc rc = s3_call(client, &call, &answer, err);
    if (rc)
        return strcmp(call.code, "InvalidRange") == 0 ? RC_OK : rc;
    buf_append(out, answer.body.data, answer.body.len);
    http_answer_free(&answer);
    if (buf_failed(out))
        return err_set(err, RC_FULL, "cannot get '%s/%s': it is larger than the limit of %zu bytes", bucket, key,
                       out->max ? out->max : (size_t)BUF_DEFAULT_MAX);
    return RC_OK;
}

enum rc s3_get_to_file(struct s3_client *client, const char *bucket, const char *key, int fd, struct err *err)
{
    struct s3_call call = {
        .doing = "get", .method = "GET", .bucket = bucket, .key = key, .has_answer_file = true, .answer_file = fd
    };
    struct http_answer answer = { 0 };
    enum rc rc = s3_call(client, &call, &answer, err);

    if (!rc)
        http_answer_free(&answer);
    return rc;
}

enum rc s3_head(struct s3_client *client, const char *bucket, const char *key, struct s3_object *out, struct err *err)
{
    struct s3_call call = { .doing = "head", .method = "HEAD", .bucket = bucket, .key = key };
    struct http_answer answer = { 0 };
    int64_t size = 0;
    enum rc rc = s3_call(client, &call, &answer, err);

    if (rc)
        return rc;
    *out = (struct s3_object){ 0 };
    const char *length = http_answer_header(&answer, "Content-Length");
    const char *modified = http_answer_header(&answer, "Last-Modified");
    if (length && str_to_i64(str_of(length), 0, INT64_MAX, &size))
        out->size = (uint64_t)size;
    if (modified)
        (void)!http_date_parse(str_of(modified), &out->modified_ms);
    s3_copy_etag(http_answer_header(&answer, "ETag"), out->etag);
    http_answer_free(&answer);
    return RC_OK;
}

/* A repeated conditional put may have lost against its own first try: then what is there is ours. */
static bool is_ours(struct s3_client *client, const char *bucket, const char *key, struct str body)
{
    CLEANUP(buf_free) struct buf hex = { 0 };
    struct s3_object there = { 0 };
    uint8_t digest[EVP_MAX_MD_SIZE];
    unsigned n = 0;

    if (s3_head(client, bucket, key, &there, NULL))
        return false;
    EVP_Digest(body.p, body.len, digest, &n, EVP_md5(), NULL);
    encode_hex(&hex, digest, n);
    return str_is(buf_str(&hex), there.etag);
}

enum rc s3_put(struct s3_client *client, const char *bucket, const char *key, struct str body, const char *content_type,
               enum s3_condition condition, const char *if_etag, struct err *err)
{
    struct s3_call call = {
        .doing = "put", .method = "PUT", .bucket = bucket, .key = key, .body = body.p ? body : str_of("")
    };
    CLEANUP_FREE char *type = content_type ? mem_printf("content-type: %s", content_type) : NULL;
    CLEANUP_FREE char *when = s3_condition_header(condition, if_etag);
    struct http_answer answer = { 0 };
    size_t n = 0;

    if (type)
        call.headers[n++] = type;
    if (when)
        call.headers[n++] = when;
    enum rc rc = s3_call(client, &call, &answer, err);
    if (!rc)
        http_answer_free(&answer);
    s3_learn_conditions(client, &call, condition);
    if (rc == RC_EXISTS && call.repeated && is_ours(client, bucket, key, call.body))
        return RC_OK;
    return rc;
}

static enum rc put_file_part(struct s3_client *client, const char *bucket, const char *key, const char *upload_id,
                             int part, int fd, uint64_t offset, uint64_t size, char etag[static S3_ETAG_MAX],
                             struct err *err)
{
    struct s3_call call = {
        .bucket = bucket, .key = key, .has_body_file = true, .body_file = fd, .body_offset = offset, .body_size = size
    };

    return s3_call_part(client, &call, upload_id, part, etag, err);
}

static enum rc put_file_in_parts(struct s3_client *client, const char *bucket, const char *key, int fd, uint64_t size,
                                 const char *content_type, struct err *err)
{
    uint64_t part_size = MAX((uint64_t)MULTIPART_PART, size / 9000 + 1);
    int parts = (int)((size + part_size - 1) / part_size);
    CLEANUP_FREE char *upload_id = NULL;
    CLEANUP_FREE char(*etags)[S3_ETAG_MAX] = mem_alloc((size_t)parts * S3_ETAG_MAX);
    enum rc rc = s3_multipart_begin(client, bucket, key, content_type, &upload_id, err);

    if (rc)
        return rc;
    for (int i = 0; i < parts && !rc; i++) {
        uint64_t offset = (uint64_t)i * part_size;
        rc = put_file_part(client, bucket, key, upload_id, i + 1, fd, offset, MIN(part_size, size - offset), etags[i],
                           err);
    }
    if (!rc)
        rc = s3_multipart_complete(client, bucket, key, upload_id, (const char(*)[S3_ETAG_MAX])etags, parts, S3_ALWAYS,
                                   NULL, err);
    if (rc)
        (void)!s3_multipart_abort(client, bucket, key, upload_id, NULL); /* the first error is the one to tell */
    return rc;
}

enum rc s3_put_file(struct s3_client *client, const char *bucket, const char *key, int fd, uint64_t size,
                    const char *content_type, struct err *err)
{
    CLEANUP_FREE char *type = content_type ? mem_printf("content-type: %s", content_type) : NULL;
    struct s3_call call = { .doing = "put",
                            .method = "PUT",
                            .bucket = bucket,
                            .key = key,
                            .headers = { type },
                            .has_body_file = true,
                            .body_file = fd,
                            .body_size = size };
    struct http_answer answer = { 0 };

    if (size > MULTIPART_ABOVE)
        return put_file_in_parts(client, bucket, key, fd, size, content_type, err);
    enum rc rc = s3_call(client, &call, &answer, err);
    if (!rc)
        http_answer_free(&answer);
    return rc;
}

static enum rc call_without_answer(struct s3_client *client, struct s3_call *call, struct err *err)
{
    struct http_answer answer = { 0 };
    enum rc rc = s3_call(client, call, &answer, err);

    if (!rc)
        http_answer_free(&answer);
    return rc;
}

enum rc s3_delete(struct s3_client *client, const char *bucket, const char *key, struct err *err)
{
    struct s3_call call = { .doing = "delete", .method = "DELETE", .bucket = bucket, .key = key };

    return call_without_answer(client, &call, err);
}

enum rc s3_make_bucket(struct s3_client *client, const char *bucket, struct err *err)
{
    struct s3_call call = { .doing = "make bucket", .method = "PUT", .bucket = bucket, .body = str_of("") };
    CLEANUP_FREE char *body = NULL;

    if (strcmp(client->region, "us-east-1") != 0) {
        body = mem_printf("<CreateBucketConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">"
                          "<LocationConstraint>%s</LocationConstraint></CreateBucketConfiguration>",
                          client->region);
        call.body = str_of(body);
    }
    enum rc rc = call_without_answer(client, &call, err);
    return rc && strcmp(call.code, "BucketAlreadyOwnedByYou") == 0 ? RC_OK : rc;
}

enum rc s3_put_bucket_policy(struct s3_client *client, const char *bucket, const char *policy_json, struct err *err)
{
    struct s3_call call = {
        .doing = "set the policy of", .method = "PUT", .bucket = bucket, .query = "policy=", .body = str_of(policy_json)
    };

    return call_without_answer(client, &call, err);
}
