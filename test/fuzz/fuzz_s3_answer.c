/*
 * Answers of a foreign S3 server, as our client reads them: listings, error bodies, headers.  The client's HTTP is
 * replaced by this file.  An input is a letter for the call, then the answers, each ended by byte 1: a line with the
 * status, lines of headers, an empty line, the body.  After the last one the server has nothing.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "net/http.h"
#include "net/s3.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { PARTS = 2 };

static struct str answers; /* those to come */

/* pauses between retries cost a fuzzer nothing */
int nanosleep(const struct timespec *time, struct timespec *left)
{
    (void)time, (void)left;
    return 0;
}

struct http_client *http_client_new(void)
{
    return mem_alloc(1);
}

void http_client_free(struct http_client *client)
{
    free(client);
}

enum rc http_client_call(struct http_client *client, const struct http_call *call, struct http_answer *answer,
                         struct err *err)
{
    struct str one = { 0 }, line = { 0 }, name = { 0 };
    int64_t status = 404;

    (void)client;
    *answer = (struct http_answer){ .body.max = call->answer_max };
    str_cut(&answers, '\1', &one);
    if (str_cut(&one, '\n', &line))
        (void)!str_to_i64(line, 100, 599, &status);
    answer->status = (int)status;
    while (str_cut(&one, '\n', &line) && line.len) {
        if (!str_cut(&line, ':', &name))
            continue;
        answer->headers = mem_grow(answer->headers, answer->header_count + 1, sizeof *answer->headers);
        answer->headers[answer->header_count++] = (struct http_header){ str_dup(name), str_dup(str_trim(line)) };
    }
    buf_put_str(&answer->body, one);
    if (!buf_failed(&answer->body))
        return RC_OK;
    http_answer_free(answer);
    return err_set(err, RC_FULL, "the answer is larger than its limit");
}

const char *http_answer_header(const struct http_answer *answer, const char *name)
{
    for (size_t i = 0; i < answer->header_count; i++)
        if (strcasecmp(answer->headers[i].name, name) == 0)
            return answer->headers[i].value;
    return NULL;
}

void http_answer_free(struct http_answer *answer)
{
    for (size_t i = 0; i < answer->header_count; i++) {
        free(answer->headers[i].name);
        free(answer->headers[i].value);
    }
    free(answer->headers);
    buf_free(&answer->body);
    *answer = (struct http_answer){ 0 };
}

static enum rc list(struct s3_client *client, struct err *err)
{
    struct s3_listing listing = { 0 };
    enum rc rc = s3_list(client, "box", "a/", "/", NULL, &listing, err);

    for (size_t i = 0; i < listing.count; i++)
        if (!listing.objects[i].key || strlen(listing.objects[i].etag) >= S3_ETAG_MAX)
            abort();
    if (rc && listing.count)
        abort();
    s3_listing_free(&listing);
    return rc;
}

static enum rc list_buckets(struct s3_client *client, struct err *err)
{
    char **names = NULL;
    size_t count = 0;
    enum rc rc = s3_list_buckets(client, &names, &count, err);

    if (rc && names)
        abort();
    for (size_t i = 0; i < count; i++)
        free(names[i]);
    free(names);
    return rc;
}

static enum rc get(struct s3_client *client, struct err *err)
{
    CLEANUP(buf_free) struct buf out = { .max = 1 << 16 };

    return s3_get_range(client, "box", "key", 10, 100, &out, err);
}

static enum rc head(struct s3_client *client, struct err *err)
{
    struct s3_object there = { 0 };

    return s3_head(client, "box", "key", &there, err);
}

static enum rc put(struct s3_client *client, struct err *err)
{
    return s3_put(client, "box", "key", str_of("body"), "text/plain", S3_IF_ABSENT, NULL, err);
}

static enum rc put_if_match(struct s3_client *client, struct err *err)
{
    return s3_put(client, "box", "key", str_of("body"), NULL, S3_IF_MATCH, "etag", err);
}

static enum rc replace(struct s3_client *client, struct err *err)
{
    return s3_replace(client, "box", "key", str_of("body"), NULL, err);
}

static enum rc delete (struct s3_client *client, struct err *err) { return s3_delete(client, "box", "key", err); }

static enum rc make_bucket(struct s3_client *client, struct err *err)
{
    return s3_make_bucket(client, "box", err);
}

static enum rc put_policy(struct s3_client *client, struct err *err)
{
    return s3_put_bucket_policy(client, "box", "{}", err);
}

static enum rc upload(struct s3_client *client, struct err *err)
{
    CLEANUP_FREE char *id = NULL;
    char etags[PARTS][S3_ETAG_MAX] = { 0 };
    enum rc rc = s3_multipart_begin(client, "box", "key", NULL, &id, err);

    if (rc && id)
        abort();
    for (int i = 0; !rc && i < PARTS; i++)
        rc = s3_multipart_put(client, "box", "key", id, i + 1, str_of("part"), etags[i], err);
    if (!rc)
        rc = s3_multipart_replace(client, "box", "key", id, etags, PARTS, err);
    if (rc && id)
        (void)!s3_multipart_abort(client, "box", "key", id, NULL);
    return rc;
}

static enum rc (*const calls[])(struct s3_client *client, struct err *err) = {
    list, list_buckets, get, head, put, put_if_match, delete, make_bucket, put_policy, upload, replace,
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct s3_client *client = NULL;
    struct err err = { 0 };

    if (size < 1)
        return 0;
    client = s3_client_new(&(struct s3_options){ .endpoint = "http://127.0.0.1:9000" });
    answers = str_n((const char *)data + 1, size - 1);
    enum rc rc = calls[(data[0] - (unsigned)'a') % ARRAY_LEN(calls)](client, &err);
    if (rc && !err.text[0])
        abort();
    s3_client_free(client);
    return 0;
}
