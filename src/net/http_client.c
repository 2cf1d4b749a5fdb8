/*
 * The HTTP client: libcurl as transport only.  URLs and headers go out as they were given, because
 * requests are signed before they come here.
 */
#include <curl/curl.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "disk/disk.h"
#include "net/http.h"

enum { CALL_TIMEOUT_MS = 30000, CONNECT_TIMEOUT_MS = 5000, ANSWER_HEADERS_MAX = 100 };

struct http_client {
    CURL *curl;
};

struct transfer {
    struct http_client *client;
    const struct http_call *call;
    struct http_answer *answer;
    size_t sent;
    bool answer_too_large;
};

static void setup_curl(void)
{
    curl_global_init(CURL_GLOBAL_ALL);
}

struct http_client *http_client_new(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    struct http_client *client = NEW(struct http_client);

    pthread_once(&once, setup_curl);
    client->curl = curl_easy_init();
    return client;
}

void http_client_free(struct http_client *client)
{
    if (!client)
        return;
    curl_easy_cleanup(client->curl);
    free(client);
}

static size_t on_send(char *p, size_t size, size_t count, void *user)
{
    struct transfer *transfer = user;
    const struct http_call *call = transfer->call;
    size_t max = size * count;

    if (call->has_body_file) {
        size_t n = MIN(max, (size_t)call->body_size - transfer->sent), got = 0;
        if (disk_pread(call->body_file, p, n, (off_t)(call->body_offset + transfer->sent), &got, "body", NULL))
            return CURL_READFUNC_ABORT;
        transfer->sent += got;
        return got;
    }
    size_t n = MIN(max, call->body.len - transfer->sent);
    if (n)
        memcpy(p, call->body.p + transfer->sent, n);
    transfer->sent += n;
    return n;
}

static int on_rewind(void *user, curl_off_t offset, int origin)
{
    struct transfer *transfer = user;

    if (origin != SEEK_SET)
        return CURL_SEEKFUNC_CANTSEEK;
    transfer->sent = (size_t)offset;
    return CURL_SEEKFUNC_OK;
}

static size_t on_answer(char *p, size_t size, size_t count, void *user)
{
    struct transfer *transfer = user;
    size_t n = size * count;
    long status = 0;

    curl_easy_getinfo(transfer->client->curl, CURLINFO_RESPONSE_CODE, &status);
    if (transfer->call->has_answer_file && status / 100 == 2)
        return disk_write_all(transfer->call->answer_file, p, n, "answer", NULL) ? 0 : n;
    buf_append(&transfer->answer->body, p, n);
    transfer->answer_too_large = buf_failed(&transfer->answer->body);
    return transfer->answer_too_large ? 0 : n;
}

static void forget_headers(struct http_answer *answer)
{
    for (size_t i = 0; i < answer->header_count; i++) {
        free(answer->headers[i].name);
        free(answer->headers[i].value);
    }
    free(answer->headers);
    answer->headers = NULL;
    answer->header_count = 0;
}

static size_t on_answer_header(char *p, size_t size, size_t count, void *user)
{
    struct http_answer *answer = ((struct transfer *)user)->answer;
    struct str line = str_trim(str_n(p, size * count)), name = { 0 };

    if (str_starts(line, "HTTP/")) {
        forget_headers(answer); /* those of a 100 Continue before */
    } else if (line.len && answer->header_count < ANSWER_HEADERS_MAX && str_cut(&line, ':', &name)) {
        answer->headers = mem_grow(answer->headers, answer->header_count + 1, sizeof *answer->headers);
        answer->headers[answer->header_count++] = (struct http_header){ str_dup(name), str_dup(str_trim(line)) };
    }
    return size * count;
}

static void set_body(CURL *curl, struct transfer *transfer)
{
    const struct http_call *call = transfer->call;
    bool has_body = call->body.p || call->has_body_file;

    curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, call->method);
    if (strcmp(call->method, "HEAD") == 0)
        curl_easy_setopt(curl, CURLOPT_NOBODY, 1L);
    if (!has_body)
        return;
    curl_easy_setopt(curl, CURLOPT_UPLOAD, 1L);
    curl_easy_setopt(curl, CURLOPT_INFILESIZE_LARGE,
                     (curl_off_t)(call->has_body_file ? call->body_size : call->body.len));
    curl_easy_setopt(curl, CURLOPT_READFUNCTION, on_send);
    curl_easy_setopt(curl, CURLOPT_READDATA, transfer);
    curl_easy_setopt(curl, CURLOPT_SEEKFUNCTION, on_rewind);
    curl_easy_setopt(curl, CURLOPT_SEEKDATA, transfer);
}

static void set_options(CURL *curl, struct transfer *transfer, struct curl_slist *headers)
{
    const struct http_call *call = transfer->call;

    curl_easy_setopt(curl, CURLOPT_URL, call->url);
    curl_easy_setopt(curl, CURLOPT_PATH_AS_IS, 1L);
    curl_easy_setopt(curl, CURLOPT_PROXY, "");
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)(call->timeout_ms ? call->timeout_ms : CALL_TIMEOUT_MS));
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_TIMEOUT_MS);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_answer);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, transfer);
    curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, on_answer_header);
    curl_easy_setopt(curl, CURLOPT_HEADERDATA, transfer);
}

enum rc http_client_call(struct http_client *client, const struct http_call *call, struct http_answer *answer,
                         struct err *err)
{
    struct transfer transfer = { .client = client, .call = call, .answer = answer };
    struct curl_slist *headers = NULL;
    char words[CURL_ERROR_SIZE] = "";
    long status = 0;

    *answer = (struct http_answer){ .body.max = call->answer_max };
    if (FAULT_POINT("net.call"))
        return err_set(err, RC_RETRY, "cannot %s '%s': %s", call->method, call->url, strerror(errno));
    headers = curl_slist_append(NULL, "Expect:"); /* bodies go at once */
    for (size_t i = 0; call->headers && call->headers[i]; i++)
        headers = curl_slist_append(headers, call->headers[i]);
    curl_easy_reset(client->curl); /* keeps live connections */
    set_options(client->curl, &transfer, headers);
    set_body(client->curl, &transfer);
    curl_easy_setopt(client->curl, CURLOPT_ERRORBUFFER, words);
    CURLcode code = curl_easy_perform(client->curl);
    curl_easy_getinfo(client->curl, CURLINFO_RESPONSE_CODE, &status);
    curl_slist_free_all(headers);
    answer->status = (int)status;
    if (code == CURLE_OK)
        return RC_OK;
    enum rc rc =
        err_set(err, transfer.answer_too_large ? RC_FULL : RC_RETRY, "cannot %s '%s': %s", call->method, call->url,
                transfer.answer_too_large ? "the answer is larger than its limit"
                : words[0]                ? words
                                          : curl_easy_strerror(code));
    http_answer_free(answer);
    return rc;
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
    forget_headers(answer);
    buf_free(&answer->body);
}
