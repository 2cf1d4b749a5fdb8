/*
 * The loop: listening, timers, stopping.  Connections are connection.c's, requests dispatch.c's.
 */
#include "stream/log/server.h"

#include <errno.h>
#include <limits.h>
#include <malloc.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/net.h"
#include "stream/log/connection.h"

enum { SCRATCH = 256 << 10, HEAP_KEPT = 16 << 20, ACCEPT_AGAIN_MS = 200, SEGMENT_FDS = 1024 };

static void listen_again(void *context);

struct server *server_new(void)
{
    struct server *server = NEW(struct server);

    uv_loop_init(&server->loop);
    server->scratch = mem_alloc(SCRATCH);
    server->trim_timer = server_timer_new(server, server_trim, server);
    server->idle_timer = server_timer_new(server, connections_close_idle, server);
    server->accept_timer = server_timer_new(server, listen_again, server);
    mallopt(M_TRIM_THRESHOLD, HEAP_KEPT);
    mallopt(M_MMAP_THRESHOLD, HEAP_KEPT);
    server->stop_fd = -1;
    return server;
}

void server_set_broker(struct server *server, struct broker *broker)
{
    server->broker = broker;
}

void server_set_idle(struct server *server, int64_t idle_ms)
{
    server->idle_ms = idle_ms > 0 ? (uint64_t)MIN(idle_ms, (int64_t)INT32_MAX) : 0;
}

uv_loop_t *server_loop(struct server *server)
{
    return &server->loop;
}

void server_before_sleep(struct server *server, void (*hook)(void *context), void *context)
{
    server->before_sleep = hook;
    server->before_sleep_context = context;
}

/* -------------------------------------------------------------------------------------- timers */

struct server_timer {
    uv_timer_t timer;
    void (*fire)(void *context);
    void *context;
};

struct server_timer *server_timer_new(struct server *server, void (*fire)(void *context), void *context)
{
    struct server_timer *timer = NEW(struct server_timer);

    uv_timer_init(&server->loop, &timer->timer);
    timer->fire = fire;
    timer->context = context;
    return timer;
}

static void on_timer(uv_timer_t *handle)
{
    struct server_timer *timer = CONTAINER_OF(handle, struct server_timer, timer);

    timer->fire(timer->context);
}

void server_timer_set(struct server_timer *timer, int64_t after_ms)
{
    uv_update_time(timer->timer.loop);
    uv_timer_start(&timer->timer, on_timer, after_ms < 0 ? 0 : (uint64_t)after_ms, 0);
}

void server_timer_stop(struct server_timer *timer)
{
    uv_timer_stop(&timer->timer);
}

static void free_timer(uv_handle_t *handle)
{
    free(CONTAINER_OF(handle, struct server_timer, timer));
}

void server_timer_free(struct server_timer *timer)
{
    if (timer)
        uv_close((uv_handle_t *)&timer->timer, free_timer);
}

/* ----------------------------------------------------------------------------------- listening */

static void refuse(const char *why, int limit)
{
    static struct log_rate rate;
    unsigned more = 0;

    if (log_allow(&rate, 6, &more))
        log_warn("refused a connection", "cause=%s limit=%d refused_more=%u", why, limit, more);
}

static void on_connect(uv_poll_t *poll, int status, int events);

static void listen_again(void *context)
{
    struct server *server = context;

    for (int i = 0; i < server->listener_count; i++)
        uv_poll_start(&server->listeners[i], UV_READABLE, on_connect);
}

/* Who knocks while no descriptor is left would else wake the loop without end. */
static void rest_from_listening(struct server *server, int cause)
{
    static struct log_rate rate;
    unsigned more = 0;

    if (log_allow(&rate, 6, &more))
        log_warn("cannot take a connection now", "cause=%s open=%u left_out=%u", strerror(cause),
                 server->connection_count, more);
    for (int i = 0; i < server->listener_count; i++)
        uv_poll_stop(&server->listeners[i]);
    server_timer_set(server->accept_timer, ACCEPT_AGAIN_MS);
}

static void on_connect(uv_poll_t *poll, int status, int events)
{
    struct server *server = poll->data;
    int listener = server->listener_fds[poll - server->listeners];

    (void)events;
    for (int i = 0; status == 0 && i < 64; i++) {
        int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0) {
            if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS)
                rest_from_listening(server, errno);
            return;
        }
        if (fd >= server->connection_fd_end) {
            close(fd);
            refuse("the rest of the open files is kept for segments; raise the limit (ulimit -n)",
                   server->connection_fd_end);
        } else if (server->connection_count >= CONNECTIONS_MAX) {
            close(fd);
            refuse("too many are open", CONNECTIONS_MAX);
        } else {
            connection_open(server, fd);
        }
    }
}

static enum rc listen_at(struct server *server, const char *host, int port, bool v6_only, struct err *err)
{
    int fd = -1;
    enum rc rc = port_listen(host, port, v6_only, &fd, err);

    if (rc)
        return rc;
    uv_poll_t *poll = &server->listeners[server->listener_count];
    server->listener_fds[server->listener_count++] = fd;
    uv_poll_init(&server->loop, poll, fd); /* makes it non-blocking */
    poll->data = server;
    uv_poll_start(poll, UV_READABLE, on_connect);
    return RC_OK;
}

/* clients may try ::1 first for "localhost"; a machine without IPv6 is fine too */
static void listen_beside(struct server *server, const char *host, int port)
{
    struct err err = { 0 };
    const char *beside = strcmp(host, "127.0.0.1") == 0 ? "::1" : strcmp(host, "0.0.0.0") == 0 ? "::" : NULL;

    if (beside && listen_at(server, beside, port, true, &err))
        log_debug("listens on IPv4 only", "why=%s", err.text);
}

static void on_stop(uv_poll_t *poll, int status, int events)
{
    struct server *server = poll->data;
    struct signalfd_siginfo info;

    (void)status;
    (void)events;
    if (read(server->stop_fd, &info, sizeof info) != sizeof info)
        return;
    log_info("stopping", "signal=%s", strsignal((int)info.ssi_signo));
    uv_stop(&server->loop);
}

static void before_sleep(uv_prepare_t *prepare)
{
    struct server *server = prepare->data;

    do {
        connections_work(server);
        if (server->before_sleep)
            server->before_sleep(server->before_sleep_context);
    } while (server->dirty);
}

static enum rc watch_stop(struct server *server, struct err *err)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    server->stop_fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
    if (server->stop_fd < 0)
        return err_set_errno(err, errno, "cannot watch for signals");
    uv_poll_init(&server->loop, &server->stop, server->stop_fd);
    server->stop.data = server;
    uv_poll_start(&server->stop, UV_READABLE, on_stop);
    return RC_OK;
}

static void close_handles(struct server *server)
{
    server_timer_stop(server->idle_timer);
    server_timer_stop(server->accept_timer);
    for (int i = 0; i < server->listener_count; i++)
        uv_close((uv_handle_t *)&server->listeners[i], NULL);
    if (server->stop_fd >= 0)
        uv_close((uv_handle_t *)&server->stop, NULL);
}

static int end_of_connections(void)
{
    struct rlimit limit = { 0 };

    if (getrlimit(RLIMIT_NOFILE, &limit) || limit.rlim_cur > INT_MAX)
        return INT_MAX;
    return (int)(limit.rlim_cur - MIN(limit.rlim_cur / 4, (rlim_t)SEGMENT_FDS));
}

enum rc server_run(struct server *server, struct station *station, struct err *err)
{
    enum rc rc = watch_stop(server, err);

    if (!rc)
        rc = listen_at(server, station->host, station->port, false, err);
    if (rc) {
        close_handles(server);
        return rc;
    }
    listen_beside(server, station->host, station->port);
    server->connection_fd_end = end_of_connections();
    uv_prepare_init(&server->loop, &server->prepare);
    server->prepare.data = server;
    uv_prepare_start(&server->prepare, before_sleep);
    station_ready(station);
    log_info("ready", "host=%s port=%d", station->host, station->port);
    uv_run(&server->loop, UV_RUN_DEFAULT);

    while (server->connections)
        connection_close(server->connections);
    connections_work(server);
    close_handles(server);
    uv_close((uv_handle_t *)&server->prepare, NULL);
    return RC_OK;
}

void server_free(struct server *server)
{
    if (!server)
        return;
    server_timer_free(server->trim_timer);
    server_timer_free(server->idle_timer);
    server_timer_free(server->accept_timer);
    /* a thread of the loop's may still remove a deleted topic's files, and then tell the loop */
    while (server->loop.active_reqs.count)
        uv_run(&server->loop, UV_RUN_ONCE);
    uv_run(&server->loop, UV_RUN_NOWAIT); /* lets closed handles go */
    uv_loop_close(&server->loop);
    for (int i = 0; i < server->listener_count; i++)
        close(server->listener_fds[i]);
    if (server->stop_fd >= 0)
        close(server->stop_fd);
    free(server->scratch);
    free(server);
}
