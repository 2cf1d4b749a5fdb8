/*
 * Bytes to requests and answers to bytes, for one connection.
 *
 * Reading: bytes come into the server's scratch buffer and are cut into frames; a frame that is larger
 * is read straight into its own memory.  While a request is parked nothing is read, so a client
 * that sends on fills its own socket, not our memory.
 *
 * Writing: an answer is bytes with cuts where pieces of files go; those go with sendfile(), from page cache to
 * socket.  A connection sends at most TURN_BYTES before the others have their turn.
 */
#include "stream/log/connection.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

enum {
    SCRATCH_BYTES = 256 << 10,
    TURN_BYTES = 4 << 20,
    OUT_MAX = 16 << 20, /* answers in memory not yet taken by the client; beyond, its requests wait */
    IOV_MAX_USED = 32,
};

static void on_event(uv_poll_t *poll, int status, int events);

/* ---------------------------------------------------------------------------------------- life */

static void address_text(const struct sockaddr_storage *address, char out[static PEER_TEXT_MAX], int *port)
{
    const struct sockaddr_in *v4 = (const struct sockaddr_in *)address;
    const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)address;

    if (address->ss_family == AF_INET) {
        inet_ntop(AF_INET, &v4->sin_addr, out, PEER_TEXT_MAX);
        *port = ntohs(v4->sin_port);
        return;
    }
    *port = ntohs(v6->sin6_port);
    if (IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr))
        inet_ntop(AF_INET, &v6->sin6_addr.s6_addr[12], out, PEER_TEXT_MAX);
    else if (IN6_IS_ADDR_LOOPBACK(&v6->sin6_addr)) /* clients join host and port by a colon: give them a name */
        strcpy(out, "localhost");
    else
        inet_ntop(AF_INET6, &v6->sin6_addr, out, PEER_TEXT_MAX);
}

static void set_events(struct connection *connection, int events)
{
    if (connection->is_closing || connection->events == events)
        return;
    connection->events = events;
    if (events)
        uv_poll_start(&connection->poll, events | UV_DISCONNECT, on_event);
    else
        uv_poll_start(&connection->poll, UV_DISCONNECT, on_event);
}

void connection_open(struct server *server, int fd)
{
    struct connection *connection = NEW(struct connection);
    struct sockaddr_storage address = { 0 };
    socklen_t size = sizeof address;
    int peer_port = 0;

    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){ 1 }, sizeof(int));
    connection->server = server;
    connection->fd = fd;
    if (getsockname(fd, (struct sockaddr *)&address, &size) == 0)
        address_text(&address, connection->local, &connection->local_port);
    size = sizeof address;
    if (getpeername(fd, (struct sockaddr *)&address, &size) == 0)
        address_text(&address, connection->peer, &peer_port);
    connection->next = server->connections;
    if (connection->next)
        connection->next->prev = connection;
    server->connections = connection;
    server->connection_count++;
    connection->read_ms = uv_now(&server->loop);
    if (server->connection_count == 1 && server->idle_ms)
        server_timer_set(server->idle_timer, (int64_t)server->idle_ms);
    uv_poll_init(&server->loop, &connection->poll, fd);
    connection->poll.data = connection;
    set_events(connection, UV_READABLE);
}

static void reply_free(struct reply *reply)
{
    for (size_t i = reply->cuts_sent; i < reply->cut_count; i++)
        sendable_drop(reply->cuts[i].file);
    free(reply->cuts);
    buf_free(&reply->bytes);
    free(reply);
}

static void on_closed(uv_handle_t *handle)
{
    struct connection *connection = handle->data;

    close(connection->fd);
    free(connection);
}

static void forget_requests(struct connection *connection)
{
    while (connection->first) {
        struct request *request = connection->first;
        connection->first = request->next;
        if (!request->answered && request->cancel)
            request->cancel(request);
        if (request->reply)
            reply_free(request->reply);
        request_free(request);
    }
    connection->last = NULL;
}

void connection_close(struct connection *connection)
{
    struct server *server = connection->server;

    if (connection->is_closing)
        return;
    connection->is_closing = true;
    forget_requests(connection);
    while (connection->out_first) {
        struct reply *reply = connection->out_first;
        connection->out_first = reply->next;
        reply_free(reply);
    }
    free(connection->frame);
    connection->frame = NULL;
    free(connection->spill);
    connection->spill = NULL;
    *(connection->prev ? &connection->prev->next : &server->connections) = connection->next;
    if (connection->next)
        connection->next->prev = connection->prev;
    server->connection_count--;
    uv_poll_stop(&connection->poll);
    if (!connection->is_dirty) /* else connections_work() does it when the list lets go of it */
        uv_close((uv_handle_t *)&connection->poll, on_closed);
}

/* Who waits for an answer of ours is not idle. */
void connections_close_idle(void *context)
{
    struct server *server = context;
    uint64_t now = uv_now(&server->loop), oldest = now;
    struct connection *next = NULL;

    for (struct connection *c = server->connections; c; c = next) {
        next = c->next;
        if (c->in_flight == 0 && now - c->read_ms >= server->idle_ms)
            connection_close(c);
        else if (c->in_flight == 0)
            oldest = MIN(oldest, c->read_ms);
    }
    if (server->connections)
        server_timer_set(server->idle_timer, (int64_t)(oldest + server->idle_ms - now));
}

void connection_touch(struct connection *connection)
{
    if (connection->is_dirty || connection->is_closing)
        return;
    connection->is_dirty = true;
    connection->dirty_next = connection->server->dirty;
    connection->server->dirty = connection;
}

/* ------------------------------------------------------------------------------------- reading */

static bool may_read(const struct connection *connection)
{
    return !connection->is_closing && connection->parked == 0 && connection->in_flight < PIPELINE_MAX &&
           connection->in_flight_bytes < PIPELINE_BYTES_MAX && connection->out_bytes < OUT_MAX;
}

/* the four bytes of length are there: false when they are a lie */
static bool begin_frame(struct connection *connection)
{
    const uint8_t *b = connection->length;
    uint32_t size = (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];

    if (size < 8 || size > REQUEST_SIZE_MAX) {
        log_warn("closed a connection: it announced a request of a wrong size", "peer=%s bytes=%u limit=%d",
                 connection->peer, size, REQUEST_SIZE_MAX);
        connection_close(connection);
        return false;
    }
    connection->frame = malloc(size);
    if (!connection->frame) {
        log_warn("closed a connection: no memory for its request", "peer=%s bytes=%u", connection->peer, size);
        connection_close(connection);
        return false;
    }
    connection->frame_size = size;
    connection->frame_got = 0;
    return true;
}

static void end_frame(struct connection *connection)
{
    char *frame = TAKE_PTR(connection->frame);

    connection->length_got = 0;
    request_begin(connection, frame, connection->frame_size);
}

/* Takes bytes until a request is parked; returns how many were used. */
static size_t feed(struct connection *connection, const char *p, size_t n)
{
    size_t used = 0;

    while (used < n && may_read(connection)) {
        if (connection->length_got < 4) {
            connection->length[connection->length_got++] = (uint8_t)p[used++];
            if (connection->length_got == 4 && !begin_frame(connection))
                return n;
            continue;
        }
        size_t take = MIN(n - used, connection->frame_size - connection->frame_got);
        memcpy(connection->frame + connection->frame_got, p + used, take);
        connection->frame_got += take;
        used += take;
        if (connection->frame_got == connection->frame_size)
            end_frame(connection);
    }
    return used;
}

static void keep_spill(struct connection *connection, const char *p, size_t n)
{
    if (n == 0 || connection->is_closing)
        return;
    connection->spill = malloc(n);
    if (!connection->spill) {
        connection_close(connection);
        return;
    }
    memcpy(connection->spill, p, n);
    connection->spill_len = n;
}

static void feed_spill(struct connection *connection)
{
    if (!connection->spill || !may_read(connection))
        return;
    CLEANUP_FREE char *spill = TAKE_PTR(connection->spill);
    size_t n = connection->spill_len;
    size_t used = feed(connection, spill, n);

    keep_spill(connection, spill + used, n - used);
}

/* one read: into the frame that is under way, and what follows it into scratch */
static void read_some(struct connection *connection)
{
    struct server *server = connection->server;
    size_t direct = connection->frame ? connection->frame_size - connection->frame_got : 0;
    struct iovec parts[2] = { { connection->frame ? connection->frame + connection->frame_got : NULL, direct },
                              { server->scratch, SCRATCH_BYTES } };
    ssize_t n = direct ? readv(connection->fd, parts, 2) : read(connection->fd, server->scratch, SCRATCH_BYTES);

    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n <= 0) {
        connection_close(connection);
        return;
    }
    server->bytes_in += (uint64_t)n;
    connection->read_ms = uv_now(&server->loop);
    size_t got = (size_t)n;
    if (direct) {
        size_t part = MIN(got, direct);
        connection->frame_got += part;
        got -= part;
        if (connection->frame_got == connection->frame_size)
            end_frame(connection);
    }
    if (connection->is_closing || got == 0)
        return;
    size_t used = feed(connection, server->scratch, got);
    keep_spill(connection, server->scratch + used, got - used);
}

/* ------------------------------------------------------------------------------------- writing */

static void pop_reply(struct connection *connection)
{
    struct reply *reply = connection->out_first;

    connection->out_first = reply->next;
    if (!connection->out_first)
        connection->out_last = NULL;
    connection->out_bytes -= reply->bytes.len;
    reply_free(reply);
}

/* end of the bytes that may be sent before the next cut */
static size_t bytes_end(const struct reply *reply)
{
    return reply->cuts_sent < reply->cut_count ? reply->cuts[reply->cuts_sent].pos : reply->bytes.len;
}

static bool is_sent(const struct reply *reply)
{
    return reply->cuts_sent == reply->cut_count && reply->sent == reply->bytes.len;
}

static ssize_t send_file(struct connection *connection, struct reply *reply, size_t budget)
{
    struct reply_cut *cut = &reply->cuts[reply->cuts_sent];
    off_t at = (off_t)cut->at;
    ssize_t n = sendfile(connection->fd, cut->file->fd, &at, MIN(cut->len, budget));

    if (n <= 0)
        return n < 0 && (errno == EAGAIN || errno == EINTR) ? 0 : -1;
    cut->at += (uint64_t)n;
    cut->len -= (size_t)n;
    if (cut->len == 0) {
        sendable_drop(cut->file);
        reply->cuts_sent++;
    }
    return n;
}

/* bytes of this answer up to its next cut, and of those that follow as long as none has a cut */
static ssize_t send_bytes(struct connection *connection)
{
    struct iovec parts[IOV_MAX_USED];
    struct msghdr message = { .msg_iov = parts };
    bool more = false;

    for (struct reply *r = connection->out_first; r && !more && message.msg_iovlen < IOV_MAX_USED; r = r->next) {
        size_t end = bytes_end(r);
        parts[message.msg_iovlen++] = (struct iovec){ r->bytes.data + r->sent, end - r->sent };
        more = r->cuts_sent < r->cut_count;
    }
    ssize_t n = sendmsg(connection->fd, &message, MSG_NOSIGNAL | (more ? MSG_MORE : 0));
    if (n < 0)
        return errno == EAGAIN || errno == EINTR ? 0 : -1;
    for (size_t left = (size_t)n; left > 0;) {
        struct reply *r = connection->out_first;
        size_t part = MIN(left, bytes_end(r) - r->sent);
        r->sent += part;
        left -= part;
        if (!is_sent(r))
            break;
        pop_reply(connection);
    }
    return n;
}

static void write_some(struct connection *connection)
{
    size_t budget = TURN_BYTES;

    while (connection->out_first && budget > 0) {
        struct reply *reply = connection->out_first;
        ssize_t n = 0;
        if (is_sent(reply)) {
            pop_reply(connection);
            continue;
        }
        n = reply->sent < bytes_end(reply) ? send_bytes(connection) : send_file(connection, reply, budget);
        if (n < 0) {
            connection_close(connection);
            return;
        }
        if (n == 0)
            return;
        connection->server->bytes_out += (uint64_t)n;
        budget -= MIN(budget, (size_t)n);
    }
}

/* answered requests at the head of the line give their answers to the out queue */
static void take_answers(struct connection *connection)
{
    while (connection->first && connection->first->answered) {
        struct request *request = connection->first;
        struct reply *reply = TAKE_PTR(request->reply);
        connection->first = request->next;
        if (!connection->first)
            connection->last = NULL;
        request_free(request);
        if (!reply)
            continue;
        *(connection->out_last ? &connection->out_last->next : &connection->out_first) = reply;
        connection->out_last = reply;
        connection->out_bytes += reply->bytes.len;
    }
}

static void work(struct connection *connection)
{
    take_answers(connection);
    write_some(connection);
    if (connection->is_closing)
        return;
    feed_spill(connection);
    if (connection->is_closing)
        return;
    set_events(connection, (connection->out_first ? UV_WRITABLE : 0) |
                               (may_read(connection) && !connection->spill ? UV_READABLE : 0));
}

void connections_work(struct server *server)
{
    while (server->dirty) {
        struct connection *connection = server->dirty;
        server->dirty = connection->dirty_next;
        connection->is_dirty = false;
        if (connection->is_closing) {
            uv_close((uv_handle_t *)&connection->poll, on_closed);
            continue;
        }
        connection->is_dirty = true; /* so that closing inside leaves the handle to us */
        work(connection);
        connection->is_dirty = false;
        if (connection->is_closing)
            uv_close((uv_handle_t *)&connection->poll, on_closed);
        else if (connection->first && connection->first->answered)
            connection_touch(connection);
    }
}

static void on_event(uv_poll_t *poll, int status, int events)
{
    struct connection *connection = poll->data;

    if (connection->is_closing)
        return;
    if (status < 0 || (events & UV_DISCONNECT && !(events & UV_READABLE))) {
        connection_close(connection);
        return;
    }
    if (events & UV_READABLE && may_read(connection))
        read_some(connection);
    connection_touch(connection);
}
