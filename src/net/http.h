/*
 * HTTP: a server whose routes are rows, and a client.
 *
 * Server.  Every connection has its own thread (limited in number), so handlers may block: on a
 * flush, on the log, on PostgreSQL.  A route without a `begin` hook gets its whole body in
 * request->body (at most body_max bytes, else 413).  A route with `begin` sees the request when its
 * headers are in and before any byte of body was taken: it may answer at once (return false after
 * filling the response; the body is then refused), or set request->user and receive the body piece
 * by piece in `body`; `handle` comes last in any case, `end` frees request->user however it ended.
 *
 * Paths and queries arrive undecoded, because signatures are made over the raw text; params are decoded.
 */
#ifndef NET_HTTP_H
#define NET_HTTP_H

#include <sys/types.h>

#include "base/base.h"
#include "net/uri.h"

enum {
    HTTP_PARAMS_MAX = 6,
    HTTP_CONNECTIONS_MAX = 4096,      /* and at most a quarter of the files that may be open; more are closed */
    HTTP_WAITING_EIGHTHS = 5,         /* of these without a whole request; one more closes the longest silent one */
    HTTP_HEADER_BYTES_MAX = 32 << 10, /* per connection, else 431; closed when it is the query that has too many */
    HTTP_IDLE_SECONDS = 75,           /* a silent connection is closed then */
    HTTP_BODY_DEFAULT_MAX = 8 << 20,
    HTTP_EXCESS_MAX = 64 << 20, /* announced beyond a route's limit: read and dropped; more is refused unread */
};
#define HTTP_DROPPED_MAX (8ull << 30) /* of a refused body of unknown length; a client that sends on is cut off */

struct http_route;
struct http_request {
    const char *method;
    struct str target; /* as received: "/a%20b?x=1" */
    struct str path;   /* its part before '?' */
    struct str query;  /* its part after '?', absent view if none */
    struct str peer;   /* "127.0.0.1:41234" */
    const struct http_route *route;
    struct str params[HTTP_PARAMS_MAX]; /* values of {name} in the pattern's order, decoded */
    struct buf body;                    /* for routes without `begin` */
    struct arena arena;                 /* of this request */
    void *service;                      /* as given to http_server_start */
    void *user;                         /* the route's own, with `begin` */
    void *connection;                   /* private */
};

struct http_response {
    int status;               /* 200 unless set */
    const char *content_type; /* NULL: none; by reference, must outlive the request (arena is fine) */
    struct buf body;
    /* instead of body: a range of a file; the descriptor is closed by the server */
    bool has_file;
    int file;
    uint64_t file_offset, file_size;
    /* instead of body: `Content-Length: size` without bytes, the answer to HEAD */
    bool has_size;
    uint64_t size;
    /* instead of body: a stream, chunked, or of `size` bytes with has_size; fills p with up to max bytes
     * and may block; 0 ends it, negative breaks the connection.  stream_end is called once when it is
     * over, however. */
    ssize_t (*stream)(void *user, char *p, size_t max);
    void (*stream_end)(void *user);
    void *stream_user;
    bool close; /* close the connection after this answer */
    /* private */
    struct http_header *headers;
    size_t header_count;
};

struct http_header {
    char *name, *value;
};

struct http_route {
    const char *method;  /* "GET"; HEAD is answered by its GET route unless it has its own; "*": any */
    const char *pattern; /* "/subjects/{subject}/versions"; "{...}" is one segment, "{*rest}" all the rest */
    void (*handle)(struct http_request *request, struct http_response *response);
    size_t body_max; /* 0: HTTP_BODY_DEFAULT_MAX */
    bool (*begin)(struct http_request *request, struct http_response *response);
    enum rc (*body)(struct http_request *request, const void *p, size_t n); /* an error goes on to handle */
    void (*end)(struct http_request *request);
    const char *summary; /* one line for listings and /openapi.json */
};

struct http_server_options {
    const char *host;
    int port;
    const struct http_route *routes; /* first match wins */
    size_t route_count;
    void *service;
    /* called when no route matches: `allowed` is true when another method would have (405 rather than 404) */
    void (*not_found)(struct http_request *request, struct http_response *response, bool allowed);
    /* called before the handler of every request, e.g. for CORS or metrics; may be NULL */
    void (*before)(struct http_request *request, struct http_response *response);
    /* called after it, status known; may be NULL */
    void (*after)(struct http_request *request, struct http_response *response);
};

struct http_server;
/* A taken port: RC_EXISTS, with its holder's name and pid in the words where /proc tells. */
MUST_CHECK enum rc http_server_start(const struct http_server_options *options, struct http_server **out,
                                     struct err *err);
int http_server_port(const struct http_server *server); /* the real one when options.port was 0 */
void http_server_stop(struct http_server *server);      /* waits for running handlers; NULL is fine */

/* Names are compared without case; absent view if there is none. */
struct str http_request_header(const struct http_request *request, const char *name);
void http_request_each_header(const struct http_request *request,
                              void (*each)(void *user, struct str name, struct str value), void *user);
/* First parameter of that name, decoded ('+' is a blank); false if there is none.  "x" without '=' is "". */
bool http_request_query(struct http_request *request, const char *name, struct str *out);
void http_response_header(struct http_response *response, const char *name, const char *format, ...) PRINTF_LIKE(3, 4);
void http_response_text(struct http_response *response, int status, const char *content_type, const char *format, ...)
    PRINTF_LIKE(4, 5);
const char *http_status_words(int status); /* "Not Found" */

/* --------------------------------------------------------------- client */

/*
 * One connection's worth of client, kept alive between calls; not for two threads at once.
 * Proxies of the environment are not used.
 */
struct http_client;
struct http_client *http_client_new(void); /* the caller's; http_client_free it */
void http_client_free(struct http_client *client);

struct http_call {
    const char *method;
    const char *url;            /* already encoded; sent as it is */
    const char *const *headers; /* "Name: value", NULL ends them; may be NULL */
    struct str body;            /* sent when body.p is set */
    int body_file;              /* with has_body_file: read from here at body_offset, body_size bytes */
    bool has_body_file;
    uint64_t body_offset, body_size;
    int timeout_ms;    /* whole call; 0: 30 s */
    size_t answer_max; /* 0: BUF_DEFAULT_MAX */
    int answer_file;   /* with has_answer_file: a 2xx body goes to this descriptor */
    bool has_answer_file;
};

struct http_answer {
    int status;
    struct buf body;
    struct http_header *headers;
    size_t header_count;
};
/* RC_OK whenever an answer came, whatever its status.  No answer: RC_RETRY, with the cause in words. */
MUST_CHECK enum rc http_client_call(struct http_client *client, const struct http_call *call,
                                    struct http_answer *answer, struct err *err);
const char *http_answer_header(const struct http_answer *answer, const char *name); /* NULL if none */
void http_answer_free(struct http_answer *answer);

#endif
