/* The way of a request; see exchange.h. */
#include "lake/store/exchange.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lake/store/page.h"
#include "lake/store/upload.h"

struct header_list {
    struct arena *arena;
    struct sigv4_header *headers;
    size_t count;
};

static void add_header(void *user, struct str name, struct str value)
{
    struct header_list *list = user;

    if (list->headers && list->count < SIGV4_HEADERS_MAX)
        list->headers[list->count++] = (struct sigv4_header){ name, value };
}

static void read_headers(struct exchange *x)
{
    struct header_list list = { .headers = arena_array(x->arena, SIGV4_HEADERS_MAX, sizeof *list.headers) };

    http_request_each_header(x->request, add_header, &list);
    x->headers = list.headers;
    x->header_count = list.count;
}

struct str exchange_header(const struct exchange *x, const char *name)
{
    struct sigv4_request request = { .headers = x->headers, .header_count = x->header_count };

    return sigv4_header(&request, name);
}

struct str exchange_param(struct exchange *x, const char *name)
{
    struct str query = x->request->query, key = { 0 }, value = { 0 };

    while (uri_query_next(&query, &key, &value)) {
        CLEANUP(buf_free) struct buf text = { 0 };
        if (!str_is(key, name))
            continue;
        uri_decode(&text, value, true);
        char *copy = arena_strdup(x->arena, buf_str(&text));
        return copy ? str_n(copy, text.len) : STR("");
    }
    return (struct str){ 0 };
}

bool exchange_number(struct exchange *x, const char *name, int64_t fallback, int64_t max, int64_t *out)
{
    struct str text = exchange_param(x, name);

    *out = fallback;
    if (!text.len)
        return true;
    if (str_to_i64(text, 0, INT32_MAX, out)) {
        *out = MIN(*out, max);
        return true;
    }
    x->failed = exchange_fail(x, S3_INVALID_ARGUMENT, "Argument %s must be an integer between 0 and 2147483647", name);
    return false;
}

struct conditions exchange_conditions(const struct exchange *x, const char *prefix)
{
    char name[64];
    struct conditions conditions = { 0 };
    struct {
        const char *name;
        struct str *value;
    } rows[] = { { "if-match", &conditions.if_match },
                 { "if-none-match", &conditions.if_none_match },
                 { "if-modified-since", &conditions.if_modified_since },
                 { "if-unmodified-since", &conditions.if_unmodified_since } };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        snprintf(name, sizeof name, "%s%s", prefix, rows[i].name);
        *rows[i].value = exchange_header(x, name);
    }
    return conditions;
}

/* ---------------------------------------------------------------- target */

static struct str decoded(struct exchange *x, struct str raw)
{
    CLEANUP(buf_free) struct buf text = { 0 };

    uri_decode(&text, raw, false);
    char *copy = arena_strdup(x->arena, buf_str(&text));
    return copy ? str_n(copy, text.len) : (struct str){ 0 };
}

/* "/bucket/key": all after the second slash is the key, whatever it looks like. */
static enum s3_error read_target(struct exchange *x)
{
    struct str rest = str_skip(x->request->path, 1), name = { 0 };

    if (!rest.len)
        return S3_NONE;
    str_cut(&rest, '/', &name);
    x->bucket = decoded(x, name);
    x->level = rest.len ? LEVEL_OBJECT : LEVEL_BUCKET;
    if (x->level == LEVEL_BUCKET)
        return S3_NONE;
    x->key = decoded(x, rest);
    if (x->key.len > KEY_MAX)
        return S3_KEY_TOO_LONG;
    if (!str_is_utf8(x->key) || memchr(x->key.p, '\0', x->key.len))
        return exchange_fail(x, S3_INVALID_URI, "Keys are UTF-8 without NUL.");
    return S3_NONE;
}

const struct operation *operation_find(struct exchange *x)
{
    const char *method = x->request->method;

    for (size_t i = 0; i < operation_count; i++) {
        const struct operation *o = &operations[i];
        if (o->level != x->level || strcmp(o->method, method) != 0)
            continue;
        if ((!o->param || exchange_param(x, o->param).p) && (!o->header || exchange_header(x, o->header).p))
            return o;
    }
    return NULL;
}

/* ----------------------------------------------------------------- hooks */

static void put_common_headers(struct exchange *x)
{
    uint64_t id = random_u64();

    snprintf(x->id, sizeof x->id, "%016llX", (unsigned long long)id);
    http_response_header(x->response, "x-amz-request-id", "%s", x->id);
    http_response_header(x->response, "x-amz-id-2", "%s", x->id);
    http_response_header(x->response, "Server", "haus/" HAUS_VERSION);
    if (x->level == LEVEL_BUCKET)
        http_response_header(x->response, "x-amz-bucket-region", "%s", x->store->region);
}

enum s3_error exchange_upload_checksum(struct exchange *x, enum checksum_kind *kind)
{
    CLEANUP(index_read_end) struct index_txn *txn = NULL;
    struct str id_text = exchange_param(x, "uploadId");
    uint8_t id[UPLOAD_ID_LEN];
    struct upload upload = { 0 };
    struct bucket bucket = { 0 };

    if (!id_text.p || x->level != LEVEL_OBJECT)
        return S3_NONE;
    if (!upload_id_parse(id_text, id))
        return S3_NO_SUCH_UPLOAD;
    txn = index_read_begin(x->store->index);
    enum s3_error failed = txn ? bucket_find(txn, x->bucket, &bucket) : S3_INTERNAL;
    if (!failed)
        failed = upload_find(txn, &bucket, x->key, id, x->arena, &upload);
    *kind = upload.record.checksum;
    return failed;
}

static enum s3_error look_at_bucket(struct exchange *x)
{
    CLEANUP(index_read_end) struct index_txn *txn = index_read_begin(x->store->index);
    struct bucket bucket = { 0 };

    return txn ? bucket_find(txn, x->bucket, &bucket) : S3_INTERNAL;
}

static bool starts_nocase(struct str text, const char *prefix)
{
    size_t n = strlen(prefix);

    return text.len >= n && strncasecmp(text.p, prefix, n) == 0;
}

/* What would be promised by taking the request as if these headers were not there. */
static enum s3_error refuse_promises(struct exchange *x)
{
    static const struct {
        const char *prefix, *what;
    } rows[] = { { "x-amz-server-side-encryption", "Server side encryption" },
                 { "x-amz-copy-source-server-side-encryption", "Server side encryption" },
                 { "x-amz-object-lock-", "Object Lock" },
                 { "x-amz-website-redirect-location", "Website hosting" } };

    for (size_t i = 0; i < x->header_count; i++)
        for (size_t k = 0; k < ARRAY_LEN(rows); k++)
            if (starts_nocase(x->headers[i].name, rows[k].prefix))
                return exchange_fail(x, S3_NOT_IMPLEMENTED, "%s is not implemented.", rows[k].what);
    return S3_NONE;
}

static bool has_length(const struct exchange *x)
{
    return exchange_header(x, "content-length").p || exchange_header(x, "transfer-encoding").p;
}

static enum s3_error begin(struct exchange *x)
{
    enum checksum_kind kind = CHECKSUM_NONE;
    enum s3_error failed = read_target(x);

    put_common_headers(x);
    if (failed)
        return failed;
    failed = exchange_authenticate(x);
    if (failed)
        return failed;
    x->is_page = x->claim.kind == SIGV4_NONE && page_answer(x);
    if (x->is_page)
        return S3_NONE;
    x->operation = operation_find(x);
    if (!x->operation)
        return S3_METHOD_NOT_ALLOWED;
    if (x->claim.kind == SIGV4_NONE)
        failed = exchange_authorize(x);
    if (!failed)
        failed = refuse_promises(x);
    if (!failed && x->operation->body == BODY_BLOB) {
        failed = has_length(x) ? look_at_bucket(x) : S3_MISSING_LENGTH;
        if (!failed)
            failed = exchange_upload_checksum(x, &kind);
    }
    return failed ? failed : body_begin(x, kind);
}

bool exchange_begin(struct http_request *request, struct http_response *response)
{
    struct exchange *x = arena_alloc(&request->arena, sizeof *x);

    *x = (struct exchange){ .store = request->service,
                            .request = request,
                            .response = response,
                            .arena = &request->arena,
                            .body.blob.fd = -1 };
    request->user = x;
    read_headers(x);
    x->failed = begin(x);
    if (!x->failed)
        return true;
    answer_error(x, x->failed);
    return false;
}

enum rc exchange_body(struct http_request *request, const void *p, size_t n)
{
    struct exchange *x = request->user;

    atomic_fetch_add_explicit(&x->store->bytes_in, n, memory_order_relaxed);
    if (!x->failed && !x->is_page)
        x->failed = body_push(x, p, n);
    return x->failed ? RC_BAD_INPUT : RC_OK;
}

void exchange_handle(struct http_request *request, struct http_response *response)
{
    struct exchange *x = request->user;

    (void)response;
    if (x->is_page)
        return;
    if (!x->failed)
        x->failed = body_end(x);
    if (!x->failed && !x->operation->handle)
        x->failed = x->operation->answer;
    if (!x->failed)
        x->operation->handle(x);
    if (x->failed)
        answer_error(x, x->failed);
}

void exchange_end(struct http_request *request)
{
    struct exchange *x = request->user;

    if (x)
        body_free(&x->body, false);
}
