/* A server that a test answers for, and the S3 client that asks it. */
#ifndef UNIT_NET_S3_STAND_H
#define UNIT_NET_S3_STAND_H

#include "net/net.h"

static struct http_server *server;
static struct s3_client *client;

static inline int stand_begin(const struct http_route *routes, size_t count)
{
    struct http_server_options options = { .host = "127.0.0.1", .routes = routes, .route_count = count };

    if (http_server_start(&options, &server, NULL))
        return -1;
    CLEANUP_FREE char *url = mem_printf("http://127.0.0.1:%d", http_server_port(server));
    client = s3_client_new(&(struct s3_options){ .endpoint = url });
    return 0;
}

static inline int stand_end(void **state)
{
    (void)state;
    s3_client_free(client);
    http_server_stop(server);
    return 0;
}

#endif
