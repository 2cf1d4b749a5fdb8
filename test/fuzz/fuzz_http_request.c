/*
 * Any bytes sent to the HTTP server, whole and then cut off: every kind of route reads what it can of the request, and
 * the server still answers an honest one after it.  The first byte says where the bytes are cut in two.
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/net.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static volatile size_t sink;

static void look(struct str s)
{
    for (size_t i = 0; i < s.len; i++)
        sink += (size_t)s.p[i];
}

static void look_header(void *user, struct str name, struct str value)
{
    (void)user;
    look(name);
    look(value);
}

static void handle(struct http_request *request, struct http_response *response)
{
    struct str value = { 0 };

    for (size_t i = 0; i < HTTP_PARAMS_MAX; i++)
        look(request->params[i]);
    if (http_request_query(request, "x", &value))
        look(value);
    http_request_each_header(request, look_header, NULL);
    look(buf_str(&request->body));
    http_response_text(response, 200, "text/plain", "%zu\n", request->body.len);
    buf_put_str(&response->body, request->target);
}

static bool begin(struct http_request *request, struct http_response *response)
{
    request->user = mem_alloc(1);
    if (!str_ends(request->path, "no"))
        return true;
    http_response_text(response, 403, "text/plain", "no\n");
    return false;
}

static enum rc take_body(struct http_request *request, const void *p, size_t n)
{
    (void)request;
    look(str_n(p, n));
    return n % 7 ? RC_OK : RC_BAD_INPUT;
}

static void end(struct http_request *request)
{
    free(request->user);
}

static const struct http_route routes[] = {
    { .method = "GET", .pattern = "/a/{one}/{two}", .handle = handle },
    { .method = "POST", .pattern = "/a/{one}", .handle = handle, .body_max = 64 },
    { .method = "*", .pattern = "/b/{*rest}", .handle = handle, .begin = begin, .body = take_body, .end = end },
};

static int port_of_server(void)
{
    static struct http_server *server;
    const struct http_server_options options = { .host = "127.0.0.1",
                                                 .routes = routes,
                                                 .route_count = ARRAY_LEN(routes) };
    struct err err = { 0 };

    if (!server && http_server_start(&options, &server, &err))
        abort();
    return http_server_port(server);
}

static int try_connection(void)
{
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    address.sin_port = htons((uint16_t)port_of_server());
    /* no ports left waiting behind us */
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &(struct linger){ 1, 0 }, sizeof(struct linger));
    if (fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof address) == 0)
        return fd;
    close(fd);
    return -1;
}

static int open_connection(void)
{
    for (int i = 0; i < 20; i++) {
        int fd = try_connection();
        if (fd >= 0)
            return fd;
        usleep(100000); /* the machine is out of ports for now, or the fuzzer's clock rang */
    }
    perror("connect");
    abort();
}

static void exchange(const uint8_t *data, size_t size, size_t cut, char *answer, size_t max)
{
    int fd = open_connection();
    size_t got = 0;
    ssize_t n;

    if (send(fd, data, cut, MSG_NOSIGNAL) == (ssize_t)cut && size > cut)
        (void)!send(fd, data + cut, size - cut, MSG_NOSIGNAL);
    shutdown(fd, SHUT_WR);
    while (got + 1 < max && (n = recv(fd, answer + got, max - 1 - got, 0)) > 0)
        got += (size_t)n;
    answer[got] = '\0';
    close(fd);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char honest[] = "GET /a/1/2 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    static char answer[1 << 16];

    if (size < 2)
        return 0;
    exchange(data + 1, size - 1, data[0] % (size - 1), answer, sizeof answer);
    for (int i = 0; i < 2;
         i++) { /* twice: a machine that was halted meanwhile let the first one run into its timeout */
        exchange((const uint8_t *)honest, sizeof honest - 1, sizeof honest - 1, answer, sizeof answer);
        if (strncmp(answer, "HTTP/1.1 200 ", 13) == 0)
            return 0;
    }
    abort();
}
