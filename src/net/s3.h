/*
 * An S3 client: the few calls that the sink, the build and the command line need.  Path style,
 * SigV4, our own retries on 5xx, 429 and broken connections (S3_RETRIES_MAX, with growing pauses).
 * One client per thread.  Errors name bucket and key and carry S3's code and message:
 *
 *     cannot put 'raw/kafka/x.avro': NoSuchBucket (The specified bucket does not exist)
 *
 * rc: RC_NOT_FOUND for NoSuchKey and NoSuchBucket, RC_EXISTS for a failed condition (412),
 * RC_BAD_INPUT for any other 4xx and for 501, RC_RETRY when the retries were used up.
 */
#ifndef NET_S3_H
#define NET_S3_H

#include "base/base.h"

enum { S3_RETRIES_MAX = 5, S3_PAGE_KEYS = 1000, S3_ETAG_MAX = 80 };

struct s3_options {
    const char *endpoint;   /* "http://127.0.0.1:9000" */
    const char *region;     /* NULL: "us-east-1" */
    const char *access_key; /* NULL: unsigned requests */
    const char *secret_key;
};

struct s3_object {
    char *key;
    uint64_t size;
    int64_t modified_ms;
    char etag[S3_ETAG_MAX]; /* without quotes */
};

struct s3_listing {
    struct s3_object *objects;
    size_t count;
    char **prefixes; /* with a delimiter */
    size_t prefix_count;
};

enum s3_condition { S3_ALWAYS, S3_IF_ABSENT, S3_IF_MATCH };

struct s3_client;
struct s3_client *s3_client_new(const struct s3_options *options); /* copies the texts */
void s3_client_free(struct s3_client *client);

/* Appends the whole object, up to out's maximum. */
MUST_CHECK enum rc s3_get(struct s3_client *client, const char *bucket, const char *key, struct buf *out,
                          struct err *err);
/* Bytes [offset, offset + n); fewer at the end of the object. */
MUST_CHECK enum rc s3_get_range(struct s3_client *client, const char *bucket, const char *key, uint64_t offset,
                                uint64_t n, struct buf *out, struct err *err);
MUST_CHECK enum rc s3_get_to_file(struct s3_client *client, const char *bucket, const char *key, int fd,
                                  struct err *err);
MUST_CHECK enum rc s3_head(struct s3_client *client, const char *bucket, const char *key, struct s3_object *out,
                           struct err *err); /* out->key stays NULL */
/* if_etag: for S3_IF_MATCH, else unused. */
MUST_CHECK enum rc s3_put(struct s3_client *client, const char *bucket, const char *key, struct str body,
                          const char *content_type, enum s3_condition condition, const char *if_etag, struct err *err);
/*
 * Puts whatever is there, as S3_ALWAYS, but never over what was put after this call looked: a request
 * that a server holds back until another writer has replaced the object fails.  A server without
 * conditional writes (501) gets a plain put.  RC_RETRY when others write the key all the time.
 */
MUST_CHECK enum rc s3_replace(struct s3_client *client, const char *bucket, const char *key, struct str body,
                              const char *content_type, struct err *err);
MUST_CHECK enum rc s3_put_file(struct s3_client *client, const char *bucket, const char *key, int fd, uint64_t size,
                               const char *content_type, struct err *err); /* multipart above 64 MiB */
MUST_CHECK enum rc s3_delete(struct s3_client *client, const char *bucket, const char *key, struct err *err);
/* All keys under prefix, page by page; delimiter NULL or "/".  start_after may be NULL. */
MUST_CHECK enum rc s3_list(struct s3_client *client, const char *bucket, const char *prefix, const char *delimiter,
                           const char *start_after, struct s3_listing *out, struct err *err);
void s3_listing_free(struct s3_listing *listing);
MUST_CHECK enum rc s3_list_buckets(struct s3_client *client, char ***names, size_t *count, struct err *err);
/* Creating one's own bucket again is fine. */
MUST_CHECK enum rc s3_make_bucket(struct s3_client *client, const char *bucket, struct err *err);
MUST_CHECK enum rc s3_put_bucket_policy(struct s3_client *client, const char *bucket, const char *policy_json,
                                        struct err *err);

/* Multipart by hand, for the sink: an upload nobody completes is invisible. */
MUST_CHECK enum rc s3_multipart_begin(struct s3_client *client, const char *bucket, const char *key,
                                      const char *content_type, char **upload_id, struct err *err);
MUST_CHECK enum rc s3_multipart_put(struct s3_client *client, const char *bucket, const char *key,
                                    const char *upload_id, int part, struct str body, char etag[static S3_ETAG_MAX],
                                    struct err *err);
MUST_CHECK enum rc s3_multipart_complete(struct s3_client *client, const char *bucket, const char *key,
                                         const char *upload_id, const char (*etags)[S3_ETAG_MAX], int parts,
                                         enum s3_condition condition, const char *if_etag, struct err *err);
/* As s3_replace. */
MUST_CHECK enum rc s3_multipart_replace(struct s3_client *client, const char *bucket, const char *key,
                                        const char *upload_id, const char (*etags)[S3_ETAG_MAX], int parts,
                                        struct err *err);
MUST_CHECK enum rc s3_multipart_abort(struct s3_client *client, const char *bucket, const char *key,
                                      const char *upload_id, struct err *err);

#endif
