/* One signed S3 request with retries: what the calls of s3.h are made of.  Private to net/s3*.c. */
#ifndef NET_S3_CALL_H
#define NET_S3_CALL_H

#include "net/http.h"
#include "net/s3.h"

struct s3_client {
    char *endpoint, *host, *region, *access_key, *secret_key;
    struct http_client *http;
    bool unconditional; /* the server said that it has no conditional writes */
};

enum { S3_HEADERS_MAX = 16 };

struct s3_call {
    const char *doing;                   /* "put": for error words */
    const char *method, *bucket, *key;   /* bucket and key may be NULL */
    const char *query;                   /* encoded, without '?'; NULL: none */
    const char *headers[S3_HEADERS_MAX]; /* "name: value", lower-case names; NULL ends them */
    struct str body;
    bool has_body_file;
    int body_file;
    uint64_t body_offset, body_size;
    bool has_answer_file;
    int answer_file;
    size_t answer_max;
    /* out */
    bool repeated; /* an earlier try may have had its effect */
    char code[64]; /* S3's error code, "" if none was given */
};

/* RC_OK: a 2xx answer, to be freed with http_answer_free.  Else the error in words as s3.h tells. */
MUST_CHECK enum rc s3_call(struct s3_client *client, struct s3_call *call, struct http_answer *answer, struct err *err);
/* An ETag header's value without its quotes. */
void s3_copy_etag(const char *quoted, char out[static S3_ETAG_MAX]);
/* Appends "&name=value" (or without '&' first), the value encoded. */
void s3_put_param(struct buf *query, const char *name, const char *value);
/* "if-match: ..." or "if-none-match: *", to be freed; NULL for S3_ALWAYS. */
char *s3_condition_header(enum s3_condition condition, const char *if_etag);
/* Notes a server that answered NotImplemented to a condition. */
void s3_learn_conditions(struct s3_client *client, const struct s3_call *call, enum s3_condition condition);
/* PUT of one part of an upload: the call brings bucket, key and body; its ETag goes to etag. */
MUST_CHECK enum rc s3_call_part(struct s3_client *client, struct s3_call *call, const char *upload_id, int part,
                                char etag[static S3_ETAG_MAX], struct err *err);

#endif
