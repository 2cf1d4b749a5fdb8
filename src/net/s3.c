/*
 * The S3 client's one road: sign, send, retry, read the error; see s3.h.
 *
 * Subtle: each try is signed anew, because a signature is valid for minutes only and a long pause may
 * lie between two tries.
 */
#include "net/s3.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "disk/disk.h"
#include "net/s3_call.h"
#include "net/sigv4.h"
#include "net/uri.h"
#include "net/xml.h"

enum { RETRY_PAUSE_MS = 50, RETRY_PAUSE_MAX_MS = 2000, TIMEOUT_MS = 120000, DIGEST_TEXT = 65 };

struct s3_client *s3_client_new(const struct s3_options *options)
{
    struct s3_client *client = NEW(struct s3_client);
    const char *host = strstr(options->endpoint, "://");

    client->endpoint = mem_strdup(options->endpoint);
    for (size_t n = strlen(client->endpoint); n && client->endpoint[n - 1] == '/'; n--)
        client->endpoint[n - 1] = '\0';
    host = host ? host + 3 : options->endpoint;
    client->host = mem_strndup(host, strcspn(host, "/"));
    client->region = mem_strdup(options->region ? options->region : "us-east-1");
    client->access_key = mem_strdup(options->access_key);
    client->secret_key = mem_strdup(options->secret_key);
    client->http = http_client_new();
    return client;
}

void s3_client_free(struct s3_client *client)
{
    if (!client)
        return;
    http_client_free(client->http);
    free(client->endpoint);
    free(client->host);
    free(client->region);
    free(client->access_key);
    free(client->secret_key);
    free(client);
}

void s3_copy_etag(const char *quoted, char out[static S3_ETAG_MAX])
{
    struct str text = str_trim(str_of(quoted ? quoted : ""));

    if (text.len >= 2 && text.p[0] == '"' && text.p[text.len - 1] == '"')
        text = str_n(text.p + 1, text.len - 2);
    snprintf(out, S3_ETAG_MAX, "%.*s", STR_ARG(text));
}

void s3_put_param(struct buf *query, const char *name, const char *value)
{
    buf_printf(query, "%s%s=", query->len ? "&" : "", name);
    uri_encode(query, str_of(value), false);
}

/* ----------------------------------------------------------------- send */

static enum rc hash_file(const struct s3_call *call, EVP_MD_CTX *hash, struct err *err)
{
    enum { BLOCK = 256 << 10 };
    CLEANUP_FREE char *block = mem_alloc(BLOCK);

    for (uint64_t done = 0; done < call->body_size;) {
        size_t n = (size_t)MIN((uint64_t)BLOCK, call->body_size - done), got = 0;
        if (disk_pread(call->body_file, block, n, (off_t)(call->body_offset + done), &got, "body", err))
            return err->rc;
        if (!got)
            return err_set(err, RC_BAD_INPUT, "cannot send the file: it is shorter than %llu bytes",
                           (unsigned long long)(call->body_offset + call->body_size));
        EVP_DigestUpdate(hash, block, got);
        done += got;
    }
    return RC_OK;
}

static enum rc hash_body(const struct s3_call *call, char out[static DIGEST_TEXT], struct err *err)
{
    EVP_MD_CTX *hash = EVP_MD_CTX_new();
    uint8_t digest[32];
    enum rc rc = RC_OK;

    EVP_DigestInit_ex(hash, EVP_sha256(), NULL);
    if (call->has_body_file)
        rc = hash_file(call, hash, err);
    else
        EVP_DigestUpdate(hash, call->body.p, call->body.len);
    EVP_DigestFinal_ex(hash, digest, NULL);
    EVP_MD_CTX_free(hash);
    for (size_t i = 0; i < sizeof digest; i++)
        snprintf(out + 2 * i, 3, "%02x", digest[i]);
    return rc;
}

static void put_path(struct buf *out, const struct s3_call *call)
{
    buf_putc(out, '/');
    if (call->bucket)
        uri_encode(out, str_of(call->bucket), false);
    if (!call->key)
        return;
    buf_putc(out, '/');
    uri_encode(out, str_of(call->key), true);
}

/* Fills lines (in the arena) with the call's headers and those of the signature. */
static void make_headers(struct s3_client *client, const struct s3_call *call, const char *path, const char *digest,
                         struct arena *arena, const char **lines)
{
    struct sigv4_header headers[S3_HEADERS_MAX + 4];
    struct sigv4_keys keys = { client->access_key, client->secret_key, client->region };
    CLEANUP(buf_free) struct buf authorization = { 0 };
    char time[SIGV4_TIME_LEN + 1];
    int64_t now = clock_wall_ms();
    size_t count = 0;

    sigv4_format_time(now, time);
    for (; count < S3_HEADERS_MAX && call->headers[count]; count++)
        lines[count] = call->headers[count];
    if (!client->access_key)
        return;
    lines[count++] = arena_printf(arena, "host: %s", client->host);
    lines[count++] = arena_printf(arena, "x-amz-content-sha256: %s", digest);
    lines[count++] = arena_printf(arena, "x-amz-date: %s", time);
    for (size_t i = 0; i < count; i++) {
        struct str value = str_of(lines[i]), name = { 0 };
        str_cut(&value, ':', &name);
        headers[i] = (struct sigv4_header){ name, str_trim(value) };
    }
    struct sigv4_request request = { str_of(call->method), str_of(path), str_of(call->query), headers, count,
                                     str_of(digest) };
    sigv4_sign(&request, &keys, now, &authorization);
    lines[count] = arena_printf(arena, "authorization: %s", buf_cstr(&authorization));
}

static enum rc send_once(struct s3_client *client, const struct s3_call *call, const char *digest,
                         struct http_answer *answer, struct err *err)
{
    CLEANUP(arena_free) struct arena arena = { 0 };
    CLEANUP(buf_free) struct buf path = { 0 };
    CLEANUP(buf_free) struct buf url = { 0 };
    const char *lines[S3_HEADERS_MAX + 5] = { 0 };

    put_path(&path, call);
    buf_printf(&url, "%s%s%s%s", client->endpoint, buf_cstr(&path), call->query ? "?" : "",
               call->query ? call->query : "");
    make_headers(client, call, buf_cstr(&path), digest, &arena, lines);
    struct http_call http = {
        .method = call->method,
        .url = buf_cstr(&url),
        .headers = lines,
        .body = call->body,
        .has_body_file = call->has_body_file,
        .body_file = call->body_file,
        .body_offset = call->body_offset,
        .body_size = call->body_size,
        .timeout_ms = TIMEOUT_MS,
        .answer_max = call->answer_max,
        .has_answer_file = call->has_answer_file,
        .answer_file = call->answer_file,
    };
    return http_client_call(client->http, &http, answer, err);
}

/* ---------------------------------------------------------------- errors */

struct error_text {
    char code[64], message[512];
};

static enum rc on_error_element(void *user, const char *path, struct str text)
{
    struct error_text *error = user;

    if (strcmp(path, "Error/Code") == 0)
        snprintf(error->code, sizeof error->code, "%.*s", STR_ARG(text));
    if (strcmp(path, "Error/Message") == 0)
        snprintf(error->message, sizeof error->message, "%.*s", STR_ARG(text));
    return RC_OK;
}

static enum rc rc_of(int status, const char *code)
{
    if (status == 404)
        return RC_NOT_FOUND;
    if (status == 412)
        return RC_EXISTS;
    if (status == 501)
        return RC_BAD_INPUT; /* NotImplemented: the same call fails again */
    bool again = strcmp(code, "ConditionalRequestConflict") == 0 || strcmp(code, "OperationAborted") == 0;
    return status >= 500 || status == 429 || again ? RC_RETRY : RC_BAD_INPUT;
}

/* An answer to HEAD has no body: then the status speaks. */
static enum rc tell_error(struct s3_call *call, const struct http_answer *answer, struct err *err)
{
    struct error_text error = { 0 };
    struct xml_reader reader = { on_error_element, &error };

    if (xml_read(buf_str(&answer->body), &reader, NULL) || !error.code[0])
        error = (struct error_text){ 0 };
    snprintf(call->code, sizeof call->code, "%s", error.code);
    const char *words = http_status_words(answer->status);
    return err_set(err, rc_of(answer->status, error.code), "cannot %s '%s%s%s': %s (%s)", call->doing,
                   call->bucket ? call->bucket : "/", call->key ? "/" : "", call->key ? call->key : "",
                   error.code[0] ? error.code : "HTTP",
                   error.code[0] ? error.message
                   : words       ? words
                                 : "no words");
}

static void pause_before(int try_number)
{
    int64_t ms = MIN((int64_t)RETRY_PAUSE_MS << (2 * (try_number - 1)), (int64_t)RETRY_PAUSE_MAX_MS);

    ms = ms / 2 + (int64_t)(random_u64() % (uint64_t)(ms / 2 + 1));
    struct timespec time = { ms / 1000, ms % 1000 * 1000000 };
    nanosleep(&time, NULL);
}

static bool rewind_answer_file(const struct s3_call *call, off_t start)
{
    return !call->has_answer_file ||
           (lseek(call->answer_file, start, SEEK_SET) == start && ftruncate(call->answer_file, start) == 0);
}

enum rc s3_call(struct s3_client *client, struct s3_call *call, struct http_answer *answer, struct err *err)
{
    char digest[DIGEST_TEXT] = "";
    struct err own = { 0 };
    off_t start = call->has_answer_file ? lseek(call->answer_file, 0, SEEK_CUR) : 0;
    enum rc rc = RC_RETRY;

    if (hash_body(call, digest, &own)) {
        if (err)
            *err = own;
        return own.rc;
    }
    for (int n = 0; rc == RC_RETRY && n <= S3_RETRIES_MAX; n++) {
        if (n) {
            pause_before(n);
            call->repeated = true;
            if (!rewind_answer_file(call, start))
                break;
        }
        rc = send_once(client, call, digest, answer, &own);
        if (rc) {
            err_wrap(&own, "cannot %s '%s%s%s'", call->doing, call->bucket ? call->bucket : "/", call->key ? "/" : "",
                     call->key ? call->key : "");
            continue;
        }
        if (answer->status / 100 == 2)
            return RC_OK;
        rc = tell_error(call, answer, &own);
        http_answer_free(answer);
    }
    if (err)
        *err = own;
    return rc;
}

/* ------------------------------------------------------------ conditions */

char *s3_condition_header(enum s3_condition condition, const char *if_etag)
{
    switch (condition) {
    case S3_IF_ABSENT:
        return mem_printf("if-none-match: *");
    case S3_IF_MATCH:
        return mem_printf("if-match: \"%s\"", if_etag);
    case S3_ALWAYS:
        break;
    }
    return NULL;
}

void s3_learn_conditions(struct s3_client *client, const struct s3_call *call, enum s3_condition condition)
{
    if (condition == S3_ALWAYS || strcmp(call->code, "NotImplemented") != 0 || client->unconditional)
        return;
    client->unconditional = true;
    log_warn("the object store has no conditional writes; two writers of one key may overwrite each other",
             "endpoint=%s", client->endpoint);
}
