/*
 * Group commit: what was appended becomes durable in rounds.  Private to this folder.
 *
 * All partitions appended to while a round is under way make up the next one; a round is one fdatasync for each dirty
 * file, on the flusher's own thread, so that the loop goes on reading and appending.  When it is done the loop
 * moves the high watermarks, wakes the fetches, and calls those who wait.
 *
 * The loop's thread calls everything here; the flusher's thread sees file descriptors and paths only.
 */
#ifndef STREAM_LOG_FLUSH_H
#define STREAM_LOG_FLUSH_H

#include "stream/log/segment.h"

struct partition;
struct flusher;

/* Embedded in what waits. */
struct flush_waiter {
    void (*done)(struct flush_waiter *waiter);
    struct flush_waiter *next;
};

struct flusher *flusher_new(struct server *server);
void flusher_free(struct flusher *flusher);
/* Something was appended: the partition's files are of the next round. */
void flusher_mark(struct flusher *flusher, struct partition *partition);
/* done() is called after the round that holds everything marked so far.  Whether it worked for a partition is told by
 * its generation: another one than at the append means that it was rolled back. */
void flusher_wait(struct flusher *flusher, struct flush_waiter *waiter);
/* Starts the next round if something waits for it and none is under way; called before the loop sleeps. */
void flusher_submit(struct flusher *flusher);
/* Unlinks the files of a segment, away from the loop; takes a reference of its own. */
void flusher_remove(struct flusher *flusher, struct segment *segment);
/* Blocks until everything is durable and removed. */
void flusher_drain(struct flusher *flusher);

#endif
