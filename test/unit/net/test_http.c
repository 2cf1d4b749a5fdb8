/* Server and client against each other on a loopback port; raw sockets for what no client sends. */
#include "unit/unit.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "net/net.h"

#define STR_BYTES(literal) literal, sizeof(literal) - 1

enum { SMALL_BODY = 1000, PIECE = 1000, PIECES = 300 };

static struct http_server *server;
static struct http_client *client;
static int hooks_begun, hooks_ended, streams_ended, befores, afters, last_status;

/* ------------------------------------------------------------- handlers */

static void echo(struct http_request *request, struct http_response *response)
{
    struct str x = { 0 };
    bool has_x = http_request_query(request, "x", &x);

    http_response_header(response, "X-Pattern", "%s", request->route->pattern);
    http_response_header(response, "X-Service", "%s", (const char *)request->service);
    http_response_text(response, 200, "text/plain", "%s %.*s|%.*s|%.*s|x=%.*s|", request->method,
                       STR_ARG(request->path), STR_ARG(request->params[0]), STR_ARG(request->params[1]),
                       has_x ? (int)x.len : 1, has_x ? x.p : "-");
    buf_put_str(&response->body, buf_str(&request->body));
}

static void fixed_head(struct http_request *request, struct http_response *response)
{
    (void)request;
    response->has_size = true;
    response->size = 123456789;
}

static void count_header(void *user, struct str name, struct str value)
{
    if (str_starts(name, "X-Many") && str_is(value, "v"))
        ++*(int *)user;
}

static void headers(struct http_request *request, struct http_response *response)
{
    struct str a = http_request_header(request, "x-ANSWER"), none = http_request_header(request, "X-None");
    int many = 0;

    http_request_each_header(request, count_header, &many);
    http_response_text(response, 200, "text/plain", "%.*s|%s|%d", STR_ARG(a), none.p ? "there" : "absent", many);
}

static bool hook_begin(struct http_request *request, struct http_response *response)
{
    hooks_begun++;
    if (http_request_header(request, "X-Refuse").p) {
        http_response_text(response, 403, "text/plain", "refused");
        return false;
    }
    request->user = NEW(int);
    return true;
}

static enum rc hook_body(struct http_request *request, const void *p, size_t n)
{
    if (memchr(p, '!', n))
        return RC_BAD_INPUT;
    *(int *)request->user += (int)n;
    return RC_OK;
}

static void hook_handle(struct http_request *request, struct http_response *response)
{
    http_response_text(response, 200, "text/plain", "%d bytes", *(int *)request->user);
}

static void hook_end(struct http_request *request)
{
    hooks_ended++;
    free(request->user);
}

struct counter {
    int left, fail_at;
};

static ssize_t stream_read(void *user, char *p, size_t max)
{
    struct counter *counter = user;

    if (counter->left == counter->fail_at)
        return -1;
    if (counter->left-- == 0)
        return 0;
    assert_true(max >= PIECE);
    memset(p, 's', PIECE);
    return PIECE;
}

static void stream_end(void *user)
{
    streams_ended++;
    free(user);
}

static void stream(struct http_request *request, struct http_response *response)
{
    struct counter *counter = NEW(struct counter);
    struct str how = { 0 };

    *counter = (struct counter){ PIECES, -1 };
    if (http_request_query(request, "fail", &how))
        counter->fail_at = 10;
    if (http_request_query(request, "sized", &how)) {
        response->has_size = true;
        response->size = PIECES * PIECE;
    }
    response->stream = stream_read;
    response->stream_end = stream_end;
    response->stream_user = counter;
}

static void file_range(struct http_request *request, struct http_response *response)
{
    char name[] = "/tmp/haus-test-http-XXXXXX";

    (void)request;
    response->file = mkstemp(name);
    unlink(name);
    assert_int_equal(write(response->file, "0123456789", 10), 10);
    response->has_file = true;
    response->file_offset = 3;
    response->file_size = 5;
}

static void close_after(struct http_request *request, struct http_response *response)
{
    (void)request;
    http_response_text(response, 200, "text/plain", "bye");
    response->close = true;
}

/* A request that another test left half sent may end at any later time: the counts leave /any out. */
static bool counted(const struct http_request *request)
{
    return !str_starts(request->path, "/any");
}

static void before(struct http_request *request, struct http_response *response)
{
    befores += counted(request);
    http_response_header(response, "X-Before", "yes");
}

static void after(struct http_request *request, struct http_response *response)
{
    if (!counted(request))
        return;
    afters++;
    last_status = response->status;
}

static const struct http_route routes[] = {
    { .method = "GET", .pattern = "/", .handle = echo },
    { .method = "GET", .pattern = "/subjects/{subject}/versions", .handle = echo },
    { .method = "POST", .pattern = "/subjects/{subject}/versions", .handle = echo, .body_max = SMALL_BODY },
    { .method = "GET", .pattern = "/subjects/{subject}/versions/{version}", .handle = echo },
    { .method = "*", .pattern = "/any/{*rest}", .handle = echo },
    { .method = "GET", .pattern = "/size", .handle = echo },
    { .method = "HEAD", .pattern = "/size", .handle = fixed_head },
    { .method = "GET", .pattern = "/headers", .handle = headers },
    { .method = "PUT",
      .pattern = "/hooks",
      .handle = hook_handle,
      .begin = hook_begin,
      .body = hook_body,
      .end = hook_end },
    { .method = "GET", .pattern = "/stream", .handle = stream },
    { .method = "GET", .pattern = "/file", .handle = file_range },
    { .method = "GET", .pattern = "/close", .handle = close_after },
};

static int start(void **state)
{
    static const struct http_server_options options = {
        .host = "127.0.0.1",
        .routes = routes,
        .route_count = ARRAY_LEN(routes),
        .service = "the service",
        .before = before,
        .after = after,
    };

    (void)state;
    client = http_client_new();
    return http_server_start(&options, &server, NULL);
}

static int stop(void **state)
{
    (void)state;
    http_client_free(client);
    http_server_stop(server);
    http_server_stop(NULL);
    return 0;
}

/* -------------------------------------------------------------- callers */

static struct http_answer call(const char *method, const char *target, struct str body, const char *const *more)
{
    CLEANUP_FREE char *url = mem_printf("http://127.0.0.1:%d%s", http_server_port(server), target);
    struct http_answer answer = { 0 };
    struct err err = { 0 };
    enum rc rc = http_client_call(
        client, &(struct http_call){ .method = method, .url = url, .headers = more, .body = body }, &answer, &err);

    if (rc)
        print_error("%s\n", err.text);
    assert_int_equal(rc, RC_OK);
    return answer;
}

static void expect(const char *method, const char *target, struct str body, int status, const char *text)
{
    CLEANUP(http_answer_free) struct http_answer answer = call(method, target, body, NULL);

    assert_int_equal(answer.status, status);
    if (text)
        assert_string_equal(buf_cstr(&answer.body), text);
}

static int raw_connect(void)
{
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    struct timeval limit = { .tv_sec = 10 };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    address.sin_port = htons((uint16_t)http_server_port(server));
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
    return fd;
}

static void raw_send(int fd, const char *p, size_t n)
{
    while (n) {
        ssize_t done = send(fd, p, n, MSG_NOSIGNAL);
        if (done <= 0)
            return; /* the other side has enough */
        p += done;
        n -= (size_t)done;
    }
}

/* reads until the text has `end` in it or the connection is over */
static void raw_read(int fd, struct buf *out, const char *end)
{
    char block[4096];

    for (;;) {
        if (end && out->len && memmem(out->data, out->len, end, strlen(end)))
            return;
        ssize_t n = recv(fd, block, sizeof block, 0);
        if (n <= 0)
            return;
        buf_append(out, block, (size_t)n);
    }
}

static int raw_status(const char *request, size_t n)
{
    CLEANUP(buf_free) struct buf answer = { 0 };
    int fd = raw_connect(), status = 0;

    raw_send(fd, request, n);
    raw_read(fd, &answer, "\r\n\r\n");
    close(fd);
    return sscanf(buf_cstr(&answer), "HTTP/1.1 %d", &status) == 1 ? status : 0;
}

/* ---------------------------------------------------------------- tests */

static void routes_take_their_params_decoded(void **state)
{
    (void)state;
    expect("GET", "/", (struct str){ 0 }, 200, "GET /|||x=-|");
    expect("GET", "/subjects/orders-value/versions", (struct str){ 0 }, 200,
           "GET /subjects/orders-value/versions|orders-value||x=-|");
    expect("GET", "/subjects/a%2Fb%20c/versions/7?x=1", (struct str){ 0 }, 200,
           "GET /subjects/a%2Fb%20c/versions/7|a/b c|7|x=1|");
    expect("GET", "/subjects/a+b/versions/latest", (struct str){ 0 }, 200,
           "GET /subjects/a+b/versions/latest|a+b|latest|x=-|");
    expect("POST", "/subjects/s/versions", STR("body"), 200, "POST /subjects/s/versions|s||x=-|body");
    expect("DELETE", "/any/a/b%2Fc//d", (struct str){ 0 }, 200, "DELETE /any/a/b%2Fc//d|a/b/c//d||x=-|");
    expect("PATCH", "/any/", STR(""), 200, "PATCH /any/|||x=-|");
    expect("PROPFIND", "/any/x", (struct str){ 0 }, 200, "PROPFIND /any/x|x||x=-|");
}

static void queries_are_decoded_and_the_first_of_a_name_counts(void **state)
{
    (void)state;
    expect("GET", "/?x=a+b%20c%2B", (struct str){ 0 }, 200, "GET /|||x=a b c+|");
    expect("GET", "/?y=1&x=2&x=3", (struct str){ 0 }, 200, "GET /|||x=2|");
    expect("GET", "/?%78=named", (struct str){ 0 }, 200, "GET /|||x=named|");
    expect("GET", "/?x", (struct str){ 0 }, 200, "GET /|||x=|");
    expect("GET", "/?x=%", (struct str){ 0 }, 200, "GET /|||x=%|");
    expect("GET", "/?", (struct str){ 0 }, 200, "GET /|||x=-|");
}

static void what_has_no_route_is_404_and_what_has_another_method_405(void **state)
{
    static const char *const missing[] = { "/nowhere",
                                           "/subjects",
                                           "/subjects/",
                                           "/subjects//versions",
                                           "/subjects/a/versions/",
                                           "/subjects/a/versions/1/2",
                                           "//",
                                           "/subjects/a%2Fversions" };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(missing); i++)
        expect("GET", missing[i], (struct str){ 0 }, 404, "Not Found\n");
    expect("PUT", "/subjects/a/versions", STR("x"), 405, "Method Not Allowed\n");
    expect("DELETE", "/", (struct str){ 0 }, 405, NULL);
    assert_int_equal(raw_status(STR_BYTES("OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n")), 404);
}

static void head_is_answered_by_get_without_its_body(void **state)
{
    (void)state;
    CLEANUP(http_answer_free) struct http_answer head = call("HEAD", "/subjects/s/versions", (struct str){ 0 }, NULL);
    assert_int_equal(head.status, 200);
    assert_int_equal(head.body.len, 0);
    assert_string_equal(http_answer_header(&head, "content-length"), "33");
    CLEANUP(http_answer_free) struct http_answer size = call("HEAD", "/size", (struct str){ 0 }, NULL);
    assert_string_equal(http_answer_header(&size, "Content-Length"), "123456789");
    expect("HEAD", "/hooks", (struct str){ 0 }, 405, "");
    expect("HEAD", "/stream", (struct str){ 0 }, 200, "");
    expect("HEAD", "/file", (struct str){ 0 }, 200, "");
}

static void a_body_beyond_its_limit_is_413(void **state)
{
    CLEANUP_FREE char *body = mem_alloc(64 << 10);

    (void)state;
    memset(body, 'b', 64 << 10);
    expect("POST", "/subjects/s/versions", str_n(body, SMALL_BODY), 200, NULL);
    expect("POST", "/subjects/s/versions", str_n(body, SMALL_BODY + 1), 413, "the body is larger than 1000 bytes\n");
    expect("POST", "/subjects/s/versions", str_n(body, 64 << 10), 413, NULL);
    /* chunks, which say nothing about their sum before */
    CLEANUP(buf_free) struct buf request = { 0 };
    buf_puts(&request, "POST /subjects/s/versions HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n");
    for (int i = 0; i < 20; i++) {
        buf_puts(&request, "64\r\n");
        buf_append(&request, body, 100);
        buf_puts(&request, "\r\n");
    }
    buf_puts(&request, "0\r\n\r\n");
    assert_int_equal(raw_status(buf_cstr(&request), request.len), 413);
}

static void hooks_see_the_body_piece_by_piece_and_always_end(void **state)
{
    CLEANUP_FREE char *body = mem_alloc(3 << 20);

    (void)state;
    memset(body, 'p', 3 << 20);
    hooks_begun = hooks_ended = 0;
    expect("PUT", "/hooks", str_n(body, 3 << 20), 200, "3145728 bytes");
    expect("PUT", "/hooks", STR(""), 200, "0 bytes");
    body[1] = '!'; /* an error of the body hook: no more pieces, the handler tells */
    expect("PUT", "/hooks", str_n(body, 3 << 20), 200, "0 bytes");
    assert_int_equal(hooks_begun, 3);
    for (int i = 0; hooks_ended < 3 && i < 100; i++)
        usleep(10000); /* the end comes after the answer */
    assert_int_equal(hooks_ended, 3);
    /* a client that leaves in the middle */
    int fd = raw_connect();
    raw_send(fd, STR_BYTES("PUT /hooks HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nhalf"));
    for (int i = 0; hooks_begun < 4 && i < 500; i++)
        usleep(10000);
    close(fd);
    for (int i = 0; hooks_ended < 4 && i < 500; i++)
        usleep(10000);
    assert_int_equal(hooks_ended, 4);
}

static void a_request_can_be_refused_by_its_headers(void **state)
{
    static const char request[] =
        "PUT /hooks HTTP/1.1\r\nHost: x\r\nX-Refuse: 1\r\nContent-Length: 1000000\r\nExpect: 100-continue\r\n\r\n";
    CLEANUP_FREE char *body = mem_alloc(2 << 20);

    (void)state;
    CLEANUP(http_answer_free)
    struct http_answer answer = call("PUT", "/hooks", str_n(body, 2 << 20), (const char *[]){ "X-Refuse: 1", NULL });
    assert_int_equal(answer.status, 403);
    assert_string_equal(buf_cstr(&answer.body), "refused");
    /* without a body nothing is left unread: the connection goes on */
    static const char bodiless[] = "PUT /hooks HTTP/1.1\r\nHost: x\r\nX-Refuse: 1\r\nContent-Length: 0\r\n\r\n";
    int fd = raw_connect();
    for (int i = 0; i < 2; i++) {
        CLEANUP(buf_free) struct buf text = { 0 };
        raw_send(fd, STR_BYTES(bodiless));
        raw_read(fd, &text, "refused");
        assert_non_null(strstr(buf_cstr(&text), " 403 "));
    }
    close(fd);
    /* a client that asks first gets its answer before it sends a byte */
    assert_int_equal(raw_status(request, strlen(request)), 403);
}

static void streams_come_whole_sized_or_broken(void **state)
{
    (void)state;
    streams_ended = 0;
    CLEANUP(http_answer_free) struct http_answer chunked = call("GET", "/stream", (struct str){ 0 }, NULL);
    assert_int_equal(chunked.body.len, PIECES * PIECE);
    assert_null(http_answer_header(&chunked, "Content-Length"));
    CLEANUP(http_answer_free) struct http_answer sized = call("GET", "/stream?sized", (struct str){ 0 }, NULL);
    assert_int_equal(sized.body.len, PIECES * PIECE);
    assert_string_equal(http_answer_header(&sized, "Content-Length"), "300000");
    static const char *const broken[] = { "/stream?fail", "/stream?fail&sized" };
    for (size_t i = 0; i < ARRAY_LEN(broken); i++) {
        CLEANUP_FREE char *url = mem_printf("http://127.0.0.1:%d%s", http_server_port(server), broken[i]);
        struct http_answer answer = { 0 };
        struct err err = { 0 };
        assert_int_equal(http_client_call(client, &(struct http_call){ .method = "GET", .url = url }, &answer, &err),
                         RC_RETRY);
        assert_true(err.text[0] != '\0');
        http_answer_free(&answer);
    }
    for (int i = 0; streams_ended < 4 && i < 500; i++)
        usleep(10000);
    assert_int_equal(streams_ended, 4);
}

static void a_range_of_a_file_is_sent(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++)
        expect("GET", "/file", (struct str){ 0 }, 200, "34567");
}

static void headers_are_found_without_regard_to_case(void **state)
{
    (void)state;
    CLEANUP(http_answer_free)
    struct http_answer answer =
        call("GET", "/headers", (struct str){ 0 },
             (const char *[]){ "X-Answer: 42", "X-Many-1: v", "X-Many-2: v", "x-many-3: v", NULL });
    assert_string_equal(buf_cstr(&answer.body), "42|absent|2");
    assert_string_equal(http_answer_header(&answer, "x-before"), "yes");
    assert_null(http_answer_header(&answer, "X-Absent"));
}

static void a_connection_is_kept_for_the_next_request_unless_asked_not_to(void **state)
{
    static const char twice[] = "GET /?x=1 HTTP/1.1\r\nHost: x\r\n\r\nGET /?x=2 HTTP/1.1\r\nHost: x\r\n\r\n";
    CLEANUP(buf_free) struct buf answer = { 0 }, last = { 0 };
    int fd = raw_connect();

    (void)state;
    raw_send(fd, twice, strlen(twice));
    raw_read(fd, &answer, "x=2|");
    assert_non_null(strstr(buf_cstr(&answer), "x=1|"));
    assert_non_null(strstr(buf_cstr(&answer), "x=2|"));
    raw_send(fd, STR_BYTES("GET /close HTTP/1.1\r\nHost: x\r\n\r\n"));
    raw_read(fd, &last, NULL); /* to the end of the connection */
    assert_non_null(strstr(buf_cstr(&last), "Connection: close"));
    assert_non_null(strstr(buf_cstr(&last), "bye"));
    close(fd);
}

static void headers_that_are_too_large_are_431(void **state)
{
    CLEANUP(buf_free) struct buf request = { 0 }, target = { 0 };

    (void)state;
    buf_puts(&request, "GET / HTTP/1.1\r\nHost: x\r\nX-Large: ");
    for (int i = 0; i < 2 * HTTP_HEADER_BYTES_MAX; i++)
        buf_putc(&request, 'l');
    buf_puts(&request, "\r\n\r\n");
    assert_int_equal(raw_status(buf_cstr(&request), request.len), 431);
    buf_puts(&target, "GET /");
    for (int i = 0; i < 2 * HTTP_HEADER_BYTES_MAX; i++)
        buf_putc(&target, 't');
    buf_puts(&target, " HTTP/1.1\r\nHost: x\r\n\r\n");
    int status = raw_status(buf_cstr(&target), target.len);
    assert_true(status == 414 || status == 431);
}

static void nonsense_gets_an_error_and_harms_nobody(void **state)
{
    static const char *const rows[] = {
        "\r\n\r\n\r\n",
        "nonsense\r\n\r\n",
        "GET\r\n\r\n",
        "GET / HTTP/9.9\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999999\r\n\r\n",
        "POST /any/ HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 a client that speaks TLS",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        int fd = raw_connect();
        raw_send(fd, rows[i], strlen(rows[i]));
        shutdown(fd, SHUT_WR);
        CLEANUP(buf_free) struct buf answer = { 0 };
        raw_read(fd, &answer, NULL);
        if (str_starts(buf_str(&answer), "HTTP/1.1 200"))
            fail_msg("taken: %s", rows[i]);
        close(fd);
    }
    expect("GET", "/", (struct str){ 0 }, 200, NULL);
}

static void half_sent_requests_and_idle_connections_stop_nobody(void **state)
{
    enum { IDLE = 100 };
    int fds[IDLE];

    (void)state;
    for (int i = 0; i < IDLE; i++) {
        fds[i] = raw_connect();
        if (i % 3 == 1)
            raw_send(fds[i], STR_BYTES("GET /any"));
        if (i % 3 == 2)
            raw_send(fds[i], STR_BYTES("POST /any/x HTTP/1.1\r\nHost: x\r\nContent-Length: 50\r\n\r\nhalf"));
    }
    for (int i = 0; i < 20; i++)
        expect("GET", "/", (struct str){ 0 }, 200, NULL);
    for (int i = 0; i < IDLE; i++)
        close(fds[i]);
    expect("GET", "/", (struct str){ 0 }, 200, NULL);
}

static void before_and_after_see_every_request(void **state)
{
    (void)state;
    befores = afters = 0;
    expect("GET", "/", (struct str){ 0 }, 200, NULL);
    assert_int_equal(last_status, 200);
    expect("GET", "/nowhere", (struct str){ 0 }, 404, NULL);
    assert_int_equal(last_status, 404);
    assert_int_equal(befores, 2);
    assert_int_equal(afters, 2);
}

static void a_taken_port_and_a_wrong_host_are_told(void **state)
{
    struct http_server_options options = { .host = "127.0.0.1", .port = http_server_port(server) };
    struct http_server *second = NULL;
    struct err err = { 0 };

    (void)state;
    assert_int_equal(http_server_start(&options, &second, &err), RC_EXISTS);
    assert_non_null(strstr(err.text, "is taken by"));
    options.host = "no.such.host.invalid";
    assert_int_equal(http_server_start(&options, &second, &err), RC_BAD_INPUT);
    assert_non_null(strstr(err.text, "cannot listen on 'no.such.host.invalid'"));
    assert_null(second);
}

static void the_client_tells_what_is_wrong(void **state)
{
    CLEANUP_FREE char *url = mem_printf("http://127.0.0.1:%d/stream", http_server_port(server));
    struct http_answer answer = { 0 };
    struct err err = { 0 };
    struct http_call nobody = { .method = "GET", .url = "http://127.0.0.1:1/" };
    struct http_call large = { .method = "GET", .url = url, .answer_max = 5000 };

    (void)state;
    assert_int_equal(http_client_call(client, &nobody, &answer, &err), RC_RETRY);
    assert_non_null(strstr(err.text, "cannot GET 'http://127.0.0.1:1/'"));
    assert_int_equal(http_client_call(client, &large, &answer, &err), RC_FULL);
    assert_non_null(strstr(err.text, "larger than its limit"));
}

static void a_silent_server_ends_the_call_in_time(void **state)
{
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t n = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct http_answer answer = { 0 };
    struct err err = { 0 };

    (void)state;
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(fd, 5), 0);
    getsockname(fd, (struct sockaddr *)&address, &n);
    CLEANUP_FREE char *url = mem_printf("http://127.0.0.1:%d/", ntohs(address.sin_port));
    int64_t began = clock_mono_ms();
    assert_int_equal(
        http_client_call(client, &(struct http_call){ .method = "GET", .url = url, .timeout_ms = 300 }, &answer, &err),
        RC_RETRY);
    assert_in_range(clock_mono_ms() - began, 250, 5000);
    close(fd);
}

static void files_go_both_ways(void **state)
{
    char name[] = "/tmp/haus-test-http-XXXXXX", text[32] = "";
    int fd = mkstemp(name);
    CLEANUP_FREE char *put = mem_printf("http://127.0.0.1:%d/hooks", http_server_port(server));
    CLEANUP_FREE char *get = mem_printf("http://127.0.0.1:%d/file", http_server_port(server));
    CLEANUP(http_answer_free) struct http_answer sent = { 0 }, got = { 0 };
    struct http_call upload = {
        .method = "PUT", .url = put, .body_file = fd, .has_body_file = true, .body_offset = 2, .body_size = 4
    };
    struct http_call download = { .method = "GET", .url = get, .answer_file = fd, .has_answer_file = true };

    (void)state;
    unlink(name);
    assert_int_equal(write(fd, "abcdefgh", 8), 8);
    assert_int_equal(http_client_call(client, &upload, &sent, NULL), RC_OK);
    assert_string_equal(buf_cstr(&sent.body), "4 bytes");
    assert_int_equal(ftruncate(fd, 0), 0);
    assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
    assert_int_equal(http_client_call(client, &download, &got, NULL), RC_OK);
    assert_int_equal(got.body.len, 0);
    assert_int_equal(pread(fd, text, sizeof text - 1, 0), 5);
    assert_string_equal(text, "34567");
    close(fd);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(routes_take_their_params_decoded),
        cmocka_unit_test(queries_are_decoded_and_the_first_of_a_name_counts),
        cmocka_unit_test(what_has_no_route_is_404_and_what_has_another_method_405),
        cmocka_unit_test(head_is_answered_by_get_without_its_body),
        cmocka_unit_test(a_body_beyond_its_limit_is_413),
        cmocka_unit_test(hooks_see_the_body_piece_by_piece_and_always_end),
        cmocka_unit_test(a_request_can_be_refused_by_its_headers),
        cmocka_unit_test(streams_come_whole_sized_or_broken),
        cmocka_unit_test(a_range_of_a_file_is_sent),
        cmocka_unit_test(headers_are_found_without_regard_to_case),
        cmocka_unit_test(a_connection_is_kept_for_the_next_request_unless_asked_not_to),
        cmocka_unit_test(headers_that_are_too_large_are_431),
        cmocka_unit_test(nonsense_gets_an_error_and_harms_nobody),
        cmocka_unit_test(half_sent_requests_and_idle_connections_stop_nobody),
        cmocka_unit_test(before_and_after_see_every_request),
        cmocka_unit_test(a_taken_port_and_a_wrong_host_are_told),
        cmocka_unit_test(the_client_tells_what_is_wrong),
        cmocka_unit_test(a_silent_server_ends_the_call_in_time),
        cmocka_unit_test(files_go_both_ways),
    };

    return cmocka_run_group_tests(tests, start, stop);
}
