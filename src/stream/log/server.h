/*
 * The server: connections, requests and answers on one event loop.  Private to this folder.
 *
 * Threads: everything here, all handlers, all state of topics, groups and producers belongs to the loop's
 * thread.  The only other thread is the flusher (flush.h), which makes files durable and removes
 * segments; it is given file descriptors and gives back results through the loop.
 *
 * A request is read whole into a frame of its own, decoded into the struct of its row in kafka_apis[], and given
 * to the handler of its row in a dispatch table.  The handler answers with request_reply() at once, or keeps the
 * pointer and answers later (parked fetch, produce before its flush, join, sync).  Answers leave in the
 * order of the requests, whatever the order in which they were given.  While a request is parked the
 * connection is not read further, as with Kafka, except behind a produce: those are pipelined.
 *
 * A request lives until it was answered; its frame, body and arena with it.  When its connection closes first,
 * request->cancel (if set) is called, and the request is gone when that returns.
 */
#ifndef STREAM_LOG_SERVER_H
#define STREAM_LOG_SERVER_H

#include <netinet/in.h>
#include <uv.h>

#include "stream/log/log.h"
#include "wire/kafka/kafka.h"

enum {
    REQUEST_SIZE_MAX = 100 << 20,  /* socket.request.max.bytes */
    REQUEST_ARENA_MAX = 64 << 20,  /* decoded lists and what a handler builds for its answer */
    CONNECTIONS_MAX = 4096,        /* more are closed at once */
    PIPELINE_MAX = 64,             /* produce requests of one connection waiting for their flush */
    PIPELINE_BYTES_MAX = 64 << 20, /* and their bytes */
    RESPONSE_MAX = 256 << 20,      /* bytes of one answer that lie in memory (records do not) */
};

struct broker;
struct connection;
struct server;

struct request {
    struct server *server;
    struct broker *broker;
    struct connection *connection; /* private to the server; use request_host() and the like */
    const struct kafka_api *api;
    int16_t version;
    int32_t correlation_id;
    struct str client_id; /* p == NULL: null */
    void *body;           /* struct kafka_..._request of the row */
    struct arena arena;   /* for the body and for the answer */
    /* a handler that keeps the request may use these */
    void (*cancel)(struct request *request); /* the connection is gone: forget the request, do not answer */
    void *parked;
    struct request *parked_next, *parked_prev;
    /* private to the server */
    struct request *next;
    char *frame;
    size_t frame_size;
    struct reply *reply;
    bool answered, stops_reading;
};

typedef void request_handler(struct request *request);

/* A row: which handler answers an API, in the versions of kafka_apis[]; and the versions that ApiVersions tells when
 * those are others (both 0: the same). */
struct log_api {
    int16_t key;
    int16_t advertised_min, advertised_max;
    request_handler *handler;
};

/* Tables, each ended by a row without handler; server.c searches all of them, and ApiVersions lists their union. */
extern const struct log_api produce_apis[];
extern const struct log_api fetch_apis[];
extern const struct log_api metadata_apis[];
extern const struct log_api topic_apis[];
extern const struct log_api group_apis[];
extern const struct log_api config_apis[];
extern const struct log_api security_apis[]; /* ACLs, quotas, users */

/* Answers with the struct of request->api->response; it is encoded before this returns.  The request is gone after.
 * Never call it twice. */
void request_reply(struct request *request, const void *response);
/* No answer at all (acks=0). */
void request_drop(struct request *request);
/* Closes the connection, with one log line: bytes that are no request, an acks=0 that failed.  The request is gone
 * after, without its cancel being called. */
void request_abort(struct request *request, const char *why);
/* Lets later requests of the connection be read while this one is parked. */
void request_allow_pipelining(struct request *request);
/* The address the client came to, as text ("127.0.0.1", "::1") and port: what Metadata answers. */
const char *request_local_host(const struct request *request);
int request_local_port(const struct request *request);
const char *request_peer_host(const struct request *request);
/* From request->arena, zeroed.  At its limit the request is aborted and NULL comes back: return at once. */
void *request_alloc(struct request *request, size_t count, size_t size);

/* A file of which answers send pieces; it stays open until the last answer has left.  In a struct kafka_records of an
 * answer it is `from`, and request_reply() takes a reference of its own. */
struct sendable {
    int refs;
    int fd;
    void (*free)(struct sendable *sendable);
};
void sendable_hold(struct sendable *sendable);
void sendable_drop(struct sendable *sendable);

/* ---- timers: one-shot, in the loop ---- */

struct server_timer;
struct server_timer *server_timer_new(struct server *server, void (*fire)(void *context), void *context);
void server_timer_set(struct server_timer *timer, int64_t after_ms); /* again: moves it */
void server_timer_stop(struct server_timer *timer);
void server_timer_free(struct server_timer *timer); /* NULL is fine */

uv_loop_t *server_loop(struct server *server);
/* Called each time before the loop sleeps, after all requests that arrived were handled. */
void server_before_sleep(struct server *server, void (*hook)(void *context), void *context);
/* Listens and runs until SIGTERM.  Calls station_ready(). */
MUST_CHECK enum rc server_run(struct server *server, struct station *station, struct err *err);
struct server *server_new(void);
void server_set_broker(struct server *server, struct broker *broker);
void server_set_idle(struct server *server, int64_t idle_ms); /* connections.max.idle.ms; below 0: never */
void server_free(struct server *server);

#endif
