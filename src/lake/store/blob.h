/*
 * Object data: immutable files, and runs of bytes small enough to lie in the index.  A blob has a number
 * that is never used again.  Private to lake/store.
 *
 *     <dir>/blob/<run, 8 hex>-<group, 5 hex>/<number, 16 hex>
 *
 * number = run << 32 | count; run is one more at each start of the store, group is count >> 12.  So blobs
 * written together lie in one directory, and one flush of it serves a whole group of commits.  A file that
 * no index record names is not there: it is removed at the next start.
 */
#ifndef LAKE_STORE_BLOB_H
#define LAKE_STORE_BLOB_H

#include "base/base.h"

enum { BLOB_INLINE_MAX = 64 << 10 };

struct blobs;
MUST_CHECK enum rc blobs_open(const char *dir, uint32_t run, struct blobs **out, struct err *err);
void blobs_close(struct blobs *blobs);

/* ---------------------------------------------------------------- write */

struct blob_writer {
    struct blobs *blobs;
    uint64_t number; /* set from the first byte that goes to a file, or by blob_finish */
    uint64_t size;
    struct buf bytes; /* all of it while size <= BLOB_INLINE_MAX */
    int fd;           /* -1: not in a file */
};

void blob_begin(struct blobs *blobs, struct blob_writer *writer);
MUST_CHECK enum rc blob_write(struct blob_writer *writer, const void *p, size_t n, struct err *err);
/* After it the bytes survive a power cut; the file's name does after blobs_flush_names. */
MUST_CHECK enum rc blob_finish(struct blob_writer *writer, struct err *err);
bool blob_is_inline(const struct blob_writer *writer);
/* Ends a writer; keep tells whether an index record now names its file. */
void blob_end(struct blob_writer *writer, bool keep);
/* Flushes the directories of these numbers, each once. */
MUST_CHECK enum rc blobs_flush_names(struct blobs *blobs, const uint64_t *numbers, size_t count, struct err *err);

/* ----------------------------------------------------------------- read */

/* RC_NOT_FOUND when it is gone. */
MUST_CHECK enum rc blob_open(struct blobs *blobs, uint64_t number, int *fd, struct err *err);
/*
 * Files that were dropped from the index after a reader entered stay until it leaves, so a reader looks
 * the index up inside, and may then open its blobs one by one.
 */
struct blob_reader {
    struct blob_reader *previous, *next;
    uint64_t ticket;
    bool inside;
};
void blob_reader_enter(struct blobs *blobs, struct blob_reader *reader);
void blob_reader_leave(struct blobs *blobs, struct blob_reader *reader); /* outside already: fine */

/* --------------------------------------------------------------- remove */

/* Removes the files as soon as no reader can need them.  The index has forgotten them, on disk. */
void blobs_remove(struct blobs *blobs, const uint64_t *numbers, size_t count);
/*
 * Removes the files of earlier runs that is_known() does not know.  Takes as long as it takes; meant for
 * a thread beside the work.  Stops early once *stop is true.  Returns how many were removed.
 */
size_t blobs_sweep(struct blobs *blobs, bool (*is_known)(void *user, uint64_t number), void *user,
                   const volatile bool *stop);

#endif
