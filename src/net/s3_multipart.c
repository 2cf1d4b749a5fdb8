/* Multipart uploads step by step; see s3.h. */
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "net/s3_call.h"
#include "net/xml.h"

static enum rc on_upload_id(void *user, const char *path, struct str text)
{
    char **out = user;

    if (strcmp(path, "InitiateMultipartUploadResult/UploadId") == 0 && !*out)
        *out = str_dup(text);
    return RC_OK;
}

enum rc s3_multipart_begin(struct s3_client *client, const char *bucket, const char *key, const char *content_type,
                           char **upload_id, struct err *err)
{
    CLEANUP_FREE char *type = content_type ? mem_printf("content-type: %s", content_type) : NULL;
    struct s3_call call = { .doing = "begin an upload of",
                            .method = "POST",
                            .bucket = bucket,
                            .key = key,
                            .query = "uploads=",
                            .headers = { type },
                            .body = str_of("") };
    struct xml_reader reader = { on_upload_id, upload_id };
    struct http_answer answer = { 0 };
    enum rc rc = s3_call(client, &call, &answer, err);

    *upload_id = NULL;
    if (rc)
        return rc;
    rc = xml_read(buf_str(&answer.body), &reader, err);
    http_answer_free(&answer);
    if (rc)
        mem_free_ptr(upload_id);
    if (!rc && !*upload_id)
        rc = err_set(err, RC_RETRY, "cannot begin an upload of '%s/%s': the answer has no UploadId", bucket, key);
    return rc;
}

enum rc s3_call_part(struct s3_client *client, struct s3_call *call, const char *upload_id, int part,
                     char etag[static S3_ETAG_MAX], struct err *err)
{
    CLEANUP(buf_free) struct buf query = { 0 };
    struct http_answer answer = { 0 };

    buf_printf(&query, "partNumber=%d", part);
    s3_put_param(&query, "uploadId", upload_id);
    call->doing = "put a part of";
    call->method = "PUT";
    call->query = buf_cstr(&query);
    enum rc rc = s3_call(client, call, &answer, err);
    call->query = NULL;
    if (rc)
        return rc;
    s3_copy_etag(http_answer_header(&answer, "ETag"), etag);
    http_answer_free(&answer);
    return RC_OK;
}

enum rc s3_multipart_put(struct s3_client *client, const char *bucket, const char *key, const char *upload_id, int part,
                         struct str body, char etag[static S3_ETAG_MAX], struct err *err)
{
    struct s3_call call = { .bucket = bucket, .key = key, .body = body.p ? body : str_of("") };

    return s3_call_part(client, &call, upload_id, part, etag, err);
}

/* md5 over the parts' binary digests, "-", number of parts: false when an ETag is not an MD5. */
static bool whole_etag(const char (*etags)[S3_ETAG_MAX], int parts, char out[static S3_ETAG_MAX])
{
    CLEANUP(buf_free) struct buf bytes = { 0 };
    CLEANUP(buf_free) struct buf hex = { 0 };
    uint8_t digest[EVP_MAX_MD_SIZE];
    unsigned n = 0;

    for (int i = 0; i < parts; i++)
        if (!decode_hex(str_of(etags[i]), &bytes))
            return false;
    EVP_Digest(buf_cstr(&bytes), bytes.len, digest, &n, EVP_md5(), NULL);
    encode_hex(&hex, digest, n);
    snprintf(out, S3_ETAG_MAX, "%s-%d", buf_cstr(&hex), parts);
    return true;
}

/* After a repeated complete the upload may be gone because the first try did its work. */
static bool was_completed(struct s3_client *client, const char *bucket, const char *key,
                          const char (*etags)[S3_ETAG_MAX], int parts)
{
    struct s3_object there = { 0 };
    char whole[S3_ETAG_MAX];

    return whole_etag(etags, parts, whole) && !s3_head(client, bucket, key, &there, NULL) &&
           strcmp(there.etag, whole) == 0;
}

static enum rc on_complete(void *user, const char *path, struct str text)
{
    struct err *err = user;

    if (strcmp(path, "Error/Code") == 0)
        err_set(err, RC_RETRY, "%.*s", STR_ARG(text));
    return RC_OK;
}

enum rc s3_multipart_complete(struct s3_client *client, const char *bucket, const char *key, const char *upload_id,
                              const char (*etags)[S3_ETAG_MAX], int parts, enum s3_condition condition,
                              const char *if_etag, struct err *err)
{
    CLEANUP(buf_free) struct buf query = { 0 };
    CLEANUP(buf_free) struct buf body = { 0 };
    CLEANUP_FREE char *when = s3_condition_header(condition, if_etag);
    struct http_answer answer = { 0 };
    struct err inner = { 0 };

    s3_put_param(&query, "uploadId", upload_id);
    buf_puts(&body, "<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">");
    for (int i = 0; i < parts; i++)
        buf_printf(&body, "<Part><PartNumber>%d</PartNumber><ETag>\"%s\"</ETag></Part>", i + 1, etags[i]);
    buf_puts(&body, "</CompleteMultipartUpload>");
    struct s3_call call = { .doing = "complete the upload of",
                            .method = "POST",
                            .bucket = bucket,
                            .key = key,
                            .query = buf_cstr(&query),
                            .headers = { when },
                            .body = buf_str(&body) };
    enum rc rc = s3_call(client, &call, &answer, err);
    s3_learn_conditions(client, &call, condition);
    if ((rc == RC_NOT_FOUND || rc == RC_EXISTS) && call.repeated && was_completed(client, bucket, key, etags, parts))
        return RC_OK;
    if (rc)
        return rc;
    struct xml_reader reader = { on_complete, &inner }; /* AWS may put an error into a 200 */
    rc = xml_read(buf_str(&answer.body), &reader, err);
    http_answer_free(&answer);
    if (!rc && inner.rc)
        rc = err_set(err, RC_RETRY, "cannot complete the upload of '%s/%s': %s", bucket, key, inner.text);
    return rc;
}

enum rc s3_multipart_abort(struct s3_client *client, const char *bucket, const char *key, const char *upload_id,
                           struct err *err)
{
    CLEANUP(buf_free) struct buf query = { 0 };
    struct http_answer answer = { 0 };

    s3_put_param(&query, "uploadId", upload_id);
    struct s3_call call = {
        .doing = "abort the upload of", .method = "DELETE", .bucket = bucket, .key = key, .query = buf_cstr(&query)
    };
    enum rc rc = s3_call(client, &call, &answer, err);
    if (!rc)
        http_answer_free(&answer);
    return rc;
}
