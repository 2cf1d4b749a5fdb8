/*
 * One client's connection: bytes to requests, answers to bytes.  Private to this folder; loop thread only.
 */
#ifndef STREAM_LOG_CONNECTION_H
#define STREAM_LOG_CONNECTION_H

#include "stream/log/server.h"

enum { PEER_TEXT_MAX = 64 };

struct reply {
    struct reply *next;
    struct buf bytes; /* length, header, body without the records that lie in files */
    struct reply_cut {
        size_t pos; /* in bytes: here the piece of a file goes */
        struct sendable *file;
        uint64_t at;
        size_t len;
    } * cuts;
    size_t cut_count;
    size_t sent, cuts_sent; /* progress */
};

struct connection {
    struct server *server;
    struct connection *next, *prev; /* of the server */
    struct connection *dirty_next;
    bool is_dirty, is_closing;
    int fd;
    uint64_t read_ms; /* when bytes came last, on the loop's clock */
    uv_poll_t poll;
    int events;
    char local[PEER_TEXT_MAX], peer[PEER_TEXT_MAX];
    int local_port;
    /* reading */
    uint8_t length[4];
    size_t length_got;
    char *frame;
    size_t frame_size, frame_got;
    char *spill; /* read, but not looked at while a request is parked */
    size_t spill_len;
    /* requests not yet answered or not yet in turn */
    struct request *first, *last;
    unsigned in_flight, parked; /* parked: unanswered ones that stop reading */
    size_t in_flight_bytes;
    /* answers on their way out */
    struct reply *out_first, *out_last;
    size_t out_bytes;
};

struct server {
    uv_loop_t loop;
    struct broker *broker;
    struct connection *connections;
    unsigned connection_count;
    struct connection *dirty;
    char *scratch;
    uv_prepare_t prepare;
    uv_poll_t listeners[2], stop;
    int listener_fds[2], stop_fd;
    int listener_count;
    int connection_fd_end; /* connections have descriptors below it; those above are for segments */
    void (*before_sleep)(void *context);
    void *before_sleep_context;
    struct server_timer *idle_timer;   /* closes connections without a request for idle_ms */
    uint64_t idle_ms;                  /* connections.max.idle.ms; 0: never */
    struct server_timer *accept_timer; /* listens again after no descriptor was left */
    struct server_timer *trim_timer;   /* gives memory of large requests back some time after the last one */
    bool trim_is_set;
    uint64_t requests, bytes_in, bytes_out;
};

void connection_open(struct server *server, int fd);
void connection_close(struct connection *connection);
/* Something may be done for it: answers in turn, reading that was stopped. */
void connection_touch(struct connection *connection);
/* Closes those idle for server->idle_ms and sets the timer for the next. */
void connections_close_idle(void *server);
/* Works off all touched connections; called before the loop sleeps. */
void connections_work(struct server *server);

/* dispatch.c: a whole frame arrived.  Takes the frame. */
void request_begin(struct connection *connection, char *frame, size_t size);
void server_trim(void *server);
void request_free(struct request *request);

#endif
