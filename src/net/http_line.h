/*
 * The HTTP server's line of connections that owe it a request or the rest of one.  Private to this folder.
 *
 * Whoever waits for a client is a thread, so clients that say nothing, or dribble, would keep others out.  They stand
 * in line by their last progress; when the line is longer than its limit, its head is closed.
 */
#ifndef NET_HTTP_LINE_H
#define NET_HTTP_LINE_H

#include <pthread.h>

#include "base/base.h"

struct peer; /* one client's connection */

struct http_line {
    pthread_mutex_t lock;
    struct peer *first, *last;
    unsigned waiting, waiting_max;
    int port; /* for the log */
};

void http_line_init(struct http_line *line, int port, unsigned waiting_max);
void http_line_destroy(struct http_line *line); /* all peers have ended */
/* A new connection, at the end of the line; any thread, as the others.  Goes with http_line_end. */
struct peer *http_line_enter(struct http_line *line, int fd);
/* To the end of the line, or out of it while nothing is owed. */
void http_line_stand(struct http_line *line, struct peer *peer, bool waits);
void http_line_end(struct http_line *line, struct peer *peer);

#endif
