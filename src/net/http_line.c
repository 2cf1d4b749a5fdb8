/* The line of silent and slow connections; see http_line.h. */
#include "net/http_line.h"

#include <stdlib.h>
#include <sys/socket.h>

struct peer {
    struct peer *next, *prev;
    int fd;
    bool waits, is_shed;
};

void http_line_init(struct http_line *line, int port, unsigned waiting_max)
{
    *line = (struct http_line){ .port = port, .waiting_max = waiting_max };
    pthread_mutex_init(&line->lock, NULL);
}

void http_line_destroy(struct http_line *line)
{
    pthread_mutex_destroy(&line->lock);
}

static void leave(struct http_line *line, struct peer *peer)
{
    if (!peer->waits)
        return;
    *(peer->prev ? &peer->prev->next : &line->first) = peer->next;
    *(peer->next ? &peer->next->prev : &line->last) = peer->prev;
    peer->next = peer->prev = NULL;
    peer->waits = false;
    line->waiting--;
}

static void join(struct http_line *line, struct peer *peer)
{
    peer->prev = line->last;
    *(line->last ? &line->last->next : &line->first) = peer;
    line->last = peer;
    peer->waits = true;
    line->waiting++;
}

/* The thread of the one that is shut wakes up and closes it; until http_line_end() the descriptor is its own. */
static void shed_oldest(struct http_line *line)
{
    static struct log_rate rate;
    struct peer *oldest = line->first;
    unsigned more = 0;

    leave(line, oldest);
    oldest->is_shed = true;
    shutdown(oldest->fd, SHUT_RDWR);
    if (log_allow(&rate, 6, &more))
        log_warn("closed a connection that said nothing for longest: too many are open",
                 "port=%d limit=%u closed_more=%u", line->port, line->waiting_max, more);
}

struct peer *http_line_enter(struct http_line *line, int fd)
{
    struct peer *peer = NEW(struct peer);

    peer->fd = fd;
    pthread_mutex_lock(&line->lock);
    join(line, peer);
    if (line->waiting > line->waiting_max)
        shed_oldest(line);
    pthread_mutex_unlock(&line->lock);
    return peer;
}

void http_line_stand(struct http_line *line, struct peer *peer, bool waits)
{
    pthread_mutex_lock(&line->lock);
    leave(line, peer);
    if (waits && !peer->is_shed)
        join(line, peer);
    pthread_mutex_unlock(&line->lock);
}

void http_line_end(struct http_line *line, struct peer *peer)
{
    pthread_mutex_lock(&line->lock);
    leave(line, peer);
    pthread_mutex_unlock(&line->lock);
    free(peer);
}
