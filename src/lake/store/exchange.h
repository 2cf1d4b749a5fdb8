/*
 * One S3 request and its answer, from the headers to the last byte.  Private to lake/store.
 *
 * The order: the target names bucket and key; the table of operations names what is asked; the signature
 * or the bucket's policy allows it; then the body is taken as the operation wants it; then the operation
 * is done.  The first failure is what the client is told.
 */
#ifndef LAKE_STORE_EXCHANGE_H
#define LAKE_STORE_EXCHANGE_H

#include <stdatomic.h>

#include "lake/store/body.h"
#include "lake/store/error.h"
#include "lake/store/index.h"
#include "lake/store/object.h"
#include "net/net.h"

enum { REQUEST_ID_LEN = 16, WHY_MAX = 320 };

struct store {
    const struct station *station;
    struct index *index;
    const char *access_key, *secret_key, *region;
    int console_port;
    /* for /metrics */
    atomic_ullong requests, requests_4xx, requests_5xx, bytes_in, bytes_out;
    int64_t started_ms;
};

enum level { LEVEL_SERVICE, LEVEL_BUCKET, LEVEL_OBJECT };

struct exchange {
    struct store *store;
    struct http_request *request;
    struct http_response *response;
    struct arena *arena; /* the request's */
    const struct sigv4_header *headers;
    size_t header_count;
    enum level level;
    struct str bucket, key; /* decoded */
    const struct operation *operation;
    struct sigv4_claim claim;
    struct sigv4_chain chain; /* the seed signature's */
    struct str payload;       /* x-amz-content-sha256, or what stands for it */
    struct body body;
    struct str whole_checksum; /* CompleteMultipartUpload: of the object, not of the body */
    enum s3_error failed;
    char why[WHY_MAX]; /* words in place of the row's; "" for those */
    char id[REQUEST_ID_LEN + 1];
    bool is_page; /* answered already: /health and the like */
};

enum body_kind { BODY_NONE, BODY_TEXT, BODY_BLOB };

/* A row: what is asked, by method, level, and a parameter or header that must be there. */
struct operation {
    const char *name; /* "PutObject" */
    const char *method;
    enum level level;
    const char *param;  /* NULL: any */
    const char *header; /* NULL: any */
    const char *action; /* for policies: "s3:GetObject" */
    enum body_kind body;
    void (*handle)(struct exchange *x);
    enum s3_error answer; /* without handle: this is the answer */
};
extern const struct operation operations[];
extern const size_t operation_count;
const struct operation *operation_find(struct exchange *x);

/* The hooks of the route of everything. */
bool exchange_begin(struct http_request *request, struct http_response *response);
enum rc exchange_body(struct http_request *request, const void *p, size_t n);
void exchange_handle(struct http_request *request, struct http_response *response);
void exchange_end(struct http_request *request);

/* Fills claim, payload and chain; S3_NONE with claim.kind SIGV4_NONE for an unsigned request. */
enum s3_error exchange_authenticate(struct exchange *x);
/* For an unsigned request: what the bucket's policy says of operation->action. */
enum s3_error exchange_authorize(struct exchange *x);
/* A part gets the kind of checksum of its upload; an upload that is not there is told before the part is sent or read.
 */
enum s3_error exchange_upload_checksum(struct exchange *x, enum checksum_kind *kind);

/* Remembers a failure in own words; returns it.  The first one stays. */
enum s3_error exchange_fail(struct exchange *x, enum s3_error error, const char *format, ...) PRINTF_LIKE(3, 4);
struct str exchange_header(const struct exchange *x, const char *name); /* absent view if none */
/* Parameter of the query, decoded, into the arena; absent view if none, "" without a value. */
struct str exchange_param(struct exchange *x, const char *name);
/* A number in [0, max]; fallback when absent; false (and failed) when it is not one. */
bool exchange_number(struct exchange *x, const char *name, int64_t fallback, int64_t max, int64_t *out);
struct conditions exchange_conditions(const struct exchange *x, const char *prefix);

/* Answers. */
void answer_error(struct exchange *x, enum s3_error error);
/* Begins a document: the XML head and <root xmlns=...>; answer_xml_end closes and sends it. */
void answer_xml_begin(struct buf *out, const char *root);
void answer_xml_end(struct exchange *x, struct buf *out, const char *root);
void answer_empty(struct exchange *x, int status);
void answer_put_etag(struct buf *out, const char *etag);
void answer_put_checksum(struct buf *out, const struct record *record);
void answer_put_owner(struct buf *out, const char *name);
void answer_put_time(struct buf *out, const char *name, int64_t ms);

#endif
