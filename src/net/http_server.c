/*
 * The HTTP server: libmicrohttpd's protocol, our rows of routes.
 *
 * Subtle: microhttpd calls on_request several times for one request: first with the headers, then
 * with pieces of the body, last with none.  The struct exchange lives from on_uri (which sees the
 * raw target before microhttpd decodes anything) to on_completed.  When more parameters come than its memory holds,
 * microhttpd (0.9.75) closes the connection without on_completed; so what is left ends with the connection.
 */
#include <errno.h>
#include <microhttpd.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/http.h"
#include "net/http_line.h"
#include "net/port.h"

enum { EXCHANGE_NEW, EXCHANGE_BODY, EXCHANGE_REFUSED };

struct http_server {
    struct http_server_options options;
    struct MHD_Daemon *daemon;
    int port;
    struct http_line line;
};

/* A connection; microhttpd keeps it as the socket's context. */
struct client {
    struct peer *peer;
    struct exchange *exchange; /* the one that is going on */
};

struct exchange {
    struct http_server *server;
    struct http_request request;
    struct http_response response;
    int state;
    bool too_large;
    bool body_failed;
    uint64_t dropped; /* bytes of a body that nobody wants */
    bool has_user;
    char *target;
    char peer[64];
};

static void exchange_free(struct exchange *exchange)
{
    if (!exchange)
        return;
    struct http_request *request = &exchange->request;
    struct http_response *response = &exchange->response;
    if (exchange->has_user && request->route->end)
        request->route->end(request);
    if (response->stream && response->stream_end)
        response->stream_end(response->stream_user);
    if (response->has_file)
        close(response->file);
    for (size_t i = 0; i < response->header_count; i++) {
        free(response->headers[i].name);
        free(response->headers[i].value);
    }
    free(response->headers);
    buf_free(&response->body);
    buf_free(&request->body);
    arena_free(&request->arena);
    free(exchange->target);
    free(exchange);
}

/* ----------------------------------------------------------------- line */

static struct client *client_of(struct MHD_Connection *connection)
{
    return MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT)->socket_context;
}

static void on_connection(void *cls, struct MHD_Connection *connection, void **context,
                          enum MHD_ConnectionNotificationCode what)
{
    struct http_server *server = cls;
    struct client *client = *context;

    if (what == MHD_CONNECTION_NOTIFY_STARTED) {
        *context = client = NEW(struct client);
        client->peer = http_line_enter(
            &server->line, MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd);
    } else if (client) {
        http_line_end(&server->line, client->peer);
        exchange_free(client->exchange);
        free(client);
        *context = NULL;
    }
}

/* Progress: to the end of the line, or out of it while we work on an answer. */
static void stand_in_line(struct http_server *server, struct MHD_Connection *connection, bool waits)
{
    http_line_stand(&server->line, client_of(connection)->peer, waits);
}

/* --------------------------------------------------------------- routes */

/* Fills params; the pattern's segments and the path's are walked side by side. */
static bool route_matches(const char *pattern, struct str path, struct http_request *request)
{
    struct str left = str_of(pattern), want = { 0 }, have = { 0 };
    size_t count = 0;

    left = str_skip(left, 1);
    path = str_skip(path, 1);
    while (str_cut(&left, '/', &want)) {
        if (str_starts(want, "{*")) {
            request->params[count] = path.p ? path : str_of("");
            return true;
        }
        if (!str_cut(&path, '/', &have))
            return false;
        if (str_starts(want, "{")) {
            if (!have.len)
                return false;
            request->params[count++] = have;
        } else if (!str_eq(want, have)) {
            return false;
        }
    }
    return !path.p;
}

static void decode_params(struct http_request *request)
{
    for (size_t i = 0; i < HTTP_PARAMS_MAX && request->params[i].p; i++) {
        CLEANUP(buf_free) struct buf text = { 0 };
        uri_decode(&text, request->params[i], false);
        char *copy = arena_strdup(&request->arena, buf_str(&text));
        request->params[i] = copy ? str_n(copy, text.len) : str_of("");
    }
}

static bool method_matches(const struct http_route *route, const char *method)
{
    return strcmp(route->method, "*") == 0 || strcmp(route->method, method) == 0;
}

/* A path that starts with '/' only: "*" and absolute forms never match. */
static const struct http_route *find_route(const struct http_server_options *options, struct http_request *request,
                                           bool *allowed)
{
    bool is_head = strcmp(request->method, "HEAD") == 0;
    const struct http_route *get = NULL;

    *allowed = false;
    for (size_t i = 0; i < options->route_count && str_starts(request->path, "/"); i++) {
        const struct http_route *route = &options->routes[i];
        struct http_request probe = { 0 };
        if (!route_matches(route->pattern, request->path, &probe))
            continue;
        *allowed = true;
        if (method_matches(route, request->method) || (is_head && !get && method_matches(route, "GET"))) {
            memcpy(request->params, probe.params, sizeof probe.params);
            if (method_matches(route, request->method))
                return route;
            get = route;
        }
    }
    return get;
}

/* -------------------------------------------------------------- answers */

struct stream {
    ssize_t (*read)(void *user, char *p, size_t max);
    void (*end)(void *user);
    void *user;
};

static ssize_t on_stream_read(void *cls, uint64_t at, char *p, size_t max)
{
    struct stream *stream = cls;
    ssize_t n = stream->read(stream->user, p, max);

    (void)at;
    return n > 0 ? n : n == 0 ? MHD_CONTENT_READER_END_OF_STREAM : MHD_CONTENT_READER_END_WITH_ERROR;
}

static void on_stream_end(void *cls)
{
    struct stream *stream = cls;

    if (stream->end)
        stream->end(stream->user);
    free(stream);
}

static ssize_t on_no_bytes(void *cls, uint64_t at, char *p, size_t max)
{
    (void)cls, (void)at, (void)p, (void)max;
    return MHD_CONTENT_READER_END_WITH_ERROR; /* only ever used for HEAD, which reads nothing */
}

static struct MHD_Response *make_answer(struct http_response *response)
{
    enum { STREAM_BLOCK = 64 << 10 };

    if (response->stream) {
        struct stream *stream = NEW(struct stream);
        *stream = (struct stream){ response->stream, response->stream_end, response->stream_user };
        response->stream = NULL;
        return MHD_create_response_from_callback(response->has_size ? response->size : MHD_SIZE_UNKNOWN, STREAM_BLOCK,
                                                 on_stream_read, stream, on_stream_end);
    }
    if (response->has_file) {
        response->has_file = false; /* microhttpd closes it */
        return MHD_create_response_from_fd_at_offset64(response->file_size, response->file, response->file_offset);
    }
    if (response->has_size)
        return MHD_create_response_from_callback(response->size, 1024, on_no_bytes, NULL, NULL);
    size_t n = response->body.len;
    return MHD_create_response_from_buffer(n, buf_take(&response->body), MHD_RESPMEM_MUST_FREE);
}

static enum MHD_Result send_answer(struct MHD_Connection *connection, struct exchange *exchange)
{
    struct http_response *response = &exchange->response;
    const struct http_server_options *options = &exchange->server->options;

    if (FAULT_POINT("net.answer"))
        return MHD_NO; /* what was asked is done, and who asked hears nothing */
    if (!response->status)
        response->status = 200;
    if (options->after)
        options->after(&exchange->request, response);
    /* microhttpd ends the chunks it did not send: a next request on the connection would read that end */
    if (response->stream && !response->has_size && strcmp(exchange->request.method, "HEAD") == 0)
        response->close = true;
    struct MHD_Response *answer = make_answer(response);
    if (!answer)
        return MHD_NO;
    if (response->content_type)
        MHD_add_response_header(answer, "Content-Type", response->content_type);
    for (size_t i = 0; i < response->header_count; i++)
        MHD_add_response_header(answer, response->headers[i].name, response->headers[i].value);
    if (response->close)
        MHD_add_response_header(answer, "Connection", "close");
    enum MHD_Result ok = MHD_queue_response(connection, (unsigned)response->status, answer);
    MHD_destroy_response(answer);
    return ok;
}

static void answer_no_route(struct exchange *exchange, bool allowed)
{
    const struct http_server_options *options = &exchange->server->options;

    exchange->response.status = allowed ? 405 : 404;
    if (options->not_found)
        options->not_found(&exchange->request, &exchange->response, allowed);
    else
        http_response_text(&exchange->response, exchange->response.status, "text/plain", "%s\n",
                           http_status_words(exchange->response.status));
}

static void answer_too_large(struct exchange *exchange)
{
    const struct http_route *route = exchange->request.route;

    http_response_text(&exchange->response, 413, "text/plain", "the body is larger than %zu bytes\n",
                       route->body_max ? route->body_max : (size_t)HTTP_BODY_DEFAULT_MAX);
}

/* -------------------------------------------------------------- request */

/* Announces more than we would even throw away: refused before a byte of it is read. */
static bool is_absurd(const struct http_request *request)
{
    struct str length = http_request_header(request, "Content-Length");
    int64_t n = 0;

    return length.p && !request->route->begin &&
           (!str_to_i64(length, 0, INT64_MAX, &n) || (uint64_t)n > request->body.max + HTTP_EXCESS_MAX);
}

static void *on_uri(void *cls, const char *uri, struct MHD_Connection *connection)
{
    struct exchange *exchange = NEW(struct exchange);

    exchange->server = cls;
    exchange->target = mem_strdup(uri);
    client_of(connection)->exchange = exchange;
    return exchange;
}

static size_t keep_raw(void *cls, struct MHD_Connection *connection, char *text)
{
    (void)cls, (void)connection;
    return strlen(text);
}

static void read_peer(struct exchange *exchange, struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    char host[48] = "", port[8] = "";

    if (info && getnameinfo(info->client_addr, sizeof(struct sockaddr_storage), host, sizeof host, port, sizeof port,
                            NI_NUMERICHOST | NI_NUMERICSERV) == 0)
        snprintf(exchange->peer, sizeof exchange->peer, "%s:%s", host, port);
    exchange->request.peer = str_of(exchange->peer);
}

static enum MHD_Result on_headers(struct MHD_Connection *connection, struct exchange *exchange, const char *method)
{
    struct http_request *request = &exchange->request;
    const struct http_server_options *options = &exchange->server->options;
    bool allowed = false;

    request->method = method;
    request->target = str_of(exchange->target);
    request->query = request->target;
    str_cut(&request->query, '?', &request->path);
    request->service = options->service;
    request->connection = connection;
    read_peer(exchange, connection);
    if (options->before)
        options->before(request, &exchange->response);
    request->route = find_route(options, request, &allowed);
    exchange->state = EXCHANGE_BODY;
    if (!request->route)
        return MHD_YES; /* answered when the body is over: a client that is still sending would see a reset */
    decode_params(request);
    request->body.max = request->route->body_max ? request->route->body_max : HTTP_BODY_DEFAULT_MAX;
    if (is_absurd(request)) {
        exchange->state = EXCHANGE_REFUSED;
        answer_too_large(exchange);
        exchange->response.close = true;
        return send_answer(connection, exchange);
    }
    if (!request->route->begin)
        return MHD_YES;
    exchange->has_user = true;
    if (request->route->begin(request, &exchange->response))
        return MHD_YES;
    exchange->state = EXCHANGE_REFUSED;
    if (http_request_header(request, "Expect").p)
        return send_answer(connection, exchange);
    return MHD_YES; /* read and drop what was sent already, then answer: microhttpd closes after one given here */
}

/* What is not wanted is read on for a while, since a client that is still sending would not see our answer. */
static enum MHD_Result on_body(struct exchange *exchange, const char *p, size_t n)
{
    struct http_request *request = &exchange->request;

    if (exchange->state == EXCHANGE_REFUSED || !request->route || exchange->body_failed)
        return (exchange->dropped += n) > HTTP_DROPPED_MAX ? MHD_NO : MHD_YES;
    if (request->route->begin) {
        if (request->route->body && request->route->body(request, p, n))
            exchange->body_failed = true;
        return MHD_YES;
    }
    buf_append(&request->body, p, n);
    if (buf_failed(&request->body)) {
        exchange->too_large = exchange->body_failed = true;
        buf_free(&request->body);
    }
    return MHD_YES;
}

static enum MHD_Result on_end_of_body(struct MHD_Connection *connection, struct exchange *exchange)
{
    struct http_request *request = &exchange->request;

    if (exchange->state == EXCHANGE_REFUSED)
        return send_answer(connection, exchange);
    if (!request->route) {
        bool allowed = false;
        find_route(&exchange->server->options, request, &allowed);
        answer_no_route(exchange, allowed);
    } else if (exchange->too_large) {
        answer_too_large(exchange);
    } else {
        request->route->handle(request, &exchange->response);
    }
    return send_answer(connection, exchange);
}

static enum MHD_Result on_request(void *cls, struct MHD_Connection *connection, const char *url, const char *method,
                                  const char *version, const char *data, size_t *size, void **con_cls)
{
    struct exchange *exchange = *con_cls;

    (void)cls, (void)url, (void)version;
    if (exchange->state == EXCHANGE_NEW)
        return on_headers(connection, exchange, method);
    if (*size) {
        size_t n = *size;
        stand_in_line(exchange->server, connection, true);
        *size = 0;
        return on_body(exchange, data, n);
    }
    stand_in_line(exchange->server, connection, false);
    return on_end_of_body(connection, exchange);
}

static void on_completed(void *cls, struct MHD_Connection *connection, void **con_cls,
                         enum MHD_RequestTerminationCode how)
{
    struct exchange *exchange = *con_cls;

    (void)cls, (void)how;
    if (!exchange)
        return;
    stand_in_line(exchange->server, connection, true);
    client_of(connection)->exchange = *con_cls = NULL;
    exchange_free(exchange);
}

/* --------------------------------------------------------------- server */

static void on_server_log(void *cls, const char *format, va_list args)
{
    static struct log_rate rate;
    unsigned more = 0;

    /* of all that microhttpd has to say only this is news: clients that go away are not */
    (void)cls, (void)args;
    if (strstr(format, "resource limit") && log_allow(&rate, 6, &more))
        log_warn("no connection is taken until another ends", "cause=%s left_out=%u",
                 "no file descriptor or thread is left; raise the limit of open files (ulimit -n)", more);
}

/* microhttpd's listening thread spins when no descriptor is left (0.9.75), so it is never led there: what a connection
 * opens besides itself, and what others of this process hold, has room too. */
static unsigned fitting_connections(int port)
{
    struct rlimit files = { .rlim_cur = RLIM_INFINITY };

    getrlimit(RLIMIT_NOFILE, &files);
    if (files.rlim_cur / 4 >= HTTP_CONNECTIONS_MAX)
        return HTTP_CONNECTIONS_MAX;
    unsigned connections = MAX((unsigned)files.rlim_cur / 4, 4U);
    log_warn("holds few connections, because few files may be open; raise their limit (ulimit -n)",
             "port=%d connections=%u files=%llu", port, connections, (unsigned long long)files.rlim_cur);
    return connections;
}

enum rc http_server_start(const struct http_server_options *options, struct http_server **out, struct err *err)
{
    int fd = -1;
    enum rc rc = port_listen(options->host, options->port, false, &fd, err);

    if (rc)
        return rc;
    struct http_server *server = NEW(struct http_server);
    server->options = *options;
    server->port = port_of_socket(fd);
    unsigned connections_max = fitting_connections(server->port);
    http_line_init(&server->line, server->port, MAX(connections_max * HTTP_WAITING_EIGHTHS / 8, 1U));
    server->daemon = MHD_start_daemon(
        MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_THREAD_PER_CONNECTION | MHD_USE_POLL | MHD_USE_ERROR_LOG |
            MHD_USE_ITC,
        0, NULL, NULL, on_request, server, MHD_OPTION_EXTERNAL_LOGGER, on_server_log, NULL, MHD_OPTION_LISTEN_SOCKET,
        fd, MHD_OPTION_URI_LOG_CALLBACK, on_uri, server, MHD_OPTION_UNESCAPE_CALLBACK, keep_raw, NULL,
        MHD_OPTION_NOTIFY_COMPLETED, on_completed, NULL, MHD_OPTION_NOTIFY_CONNECTION, on_connection, server,
        MHD_OPTION_CONNECTION_LIMIT, connections_max, MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)HTTP_HEADER_BYTES_MAX,
        MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)HTTP_IDLE_SECONDS, MHD_OPTION_END);
    if (!server->daemon) {
        close(fd);
        free(server);
        return err_set(err, RC_FATAL, "cannot start the HTTP server on '%s:%d'", options->host, options->port);
    }
    *out = server;
    return RC_OK;
}

int http_server_port(const struct http_server *server)
{
    return server->port;
}

void http_server_stop(struct http_server *server)
{
    if (!server)
        return;
    MHD_stop_daemon(server->daemon);
    http_line_destroy(&server->line);
    free(server);
}
