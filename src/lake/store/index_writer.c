/*
 * The one writer: takes all waiting writes into one transaction, flushes once, wakes them all.
 *
 * Subtle: a write that cannot be done for reasons of its own answers before it has changed anything, so
 * the others of its transaction are not touched.  When the transaction itself fails, it is given up and
 * repeated: in a larger map, or with each write alone so that only the guilty one is told.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/statvfs.h>

#include "lake/store/index_private.h"

struct index_write_wait {
    struct index_write_wait *next;
    enum s3_error (*apply)(struct index_txn *txn, void *user);
    void *user;
    enum s3_error result;
    bool done;
    pthread_cond_t finished;
};

enum s3_error index_write(struct index *index, enum s3_error (*apply)(struct index_txn *txn, void *user), void *user)
{
    struct index_write_wait wait = { .apply = apply, .user = user };

    pthread_cond_init(&wait.finished, NULL);
    pthread_mutex_lock(&index->lock);
    if (index->last)
        index->last->next = &wait;
    else
        index->first = &wait;
    index->last = &wait;
    pthread_cond_signal(&index->work);
    while (!wait.done)
        pthread_cond_wait(&wait.finished, &index->lock);
    pthread_mutex_unlock(&index->lock);
    pthread_cond_destroy(&wait.finished);
    return wait.result;
}

/* ----------------------------------------------------------- transaction */

static int commit(struct index_txn *txn)
{
    struct err err = { 0 };

    if (txn->added.count && blobs_flush_names(txn->index->blobs, txn->added.numbers, txn->added.count, &err)) {
        log_error("cannot flush", "cause=%s", err.text);
        mdb_txn_abort(txn->txn);
        return err.rc == RC_RETRY ? ENOSPC : EIO;
    }
    if (FAULT_POINT("store.index_commit")) {
        int saved_errno = errno;
        mdb_txn_abort(txn->txn);
        return saved_errno;
    }
    return mdb_txn_commit(txn->txn);
}

/* Runs the chain in one transaction; an LMDB code when it was given up. */
static int run_together(struct index *index, struct index_write_wait *chain)
{
    struct index_txn txn = { .index = index };
    int failed = index->env ? mdb_txn_begin(index->env, NULL, 0, &txn.txn) : MDB_PANIC;

    if (failed)
        return failed;
    for (struct index_write_wait *w = chain; w && !txn.failed; w = w->next)
        w->result = w->apply(&txn, w->user);
    if (txn.failed)
        mdb_txn_abort(txn.txn);
    failed = txn.failed ? txn.failed : commit(&txn);
    if (!failed && index->blobs)
        blobs_remove(index->blobs, txn.dropped.numbers, txn.dropped.count);
    free(txn.added.numbers);
    free(txn.dropped.numbers);
    return failed;
}

static int grow_map(struct index *index)
{
    int failed = MDB_MAP_FULL;

    pthread_rwlock_wrlock(&index->map_lock);
    if (index->map_size < INDEX_MAP_MAX) {
        index->map_size *= 2;
        failed = mdb_env_set_mapsize(index->env, index->map_size);
    }
    pthread_rwlock_unlock(&index->map_lock);
    log_info("index map grown", "bytes=%zu", index->map_size);
    return failed;
}

/* After a failed write of its first page LMDB refuses everything until it is opened anew. */
static void reopen(struct index *index)
{
    struct err err = { 0 };

    pthread_rwlock_wrlock(&index->map_lock);
    index_env_close(index);
    if (index_env_open(index, &err))
        log_error("cannot open the index again", "cause=%s", err.text);
    pthread_rwlock_unlock(&index->map_lock);
}

static int run_until_it_fits(struct index *index, struct index_write_wait *chain)
{
    int failed = run_together(index, chain);

    while (failed == MDB_MAP_FULL) {
        failed = grow_map(index);
        if (!failed)
            failed = run_together(index, chain);
    }
    if (failed == MDB_PANIC) {
        reopen(index);
        failed = run_together(index, chain);
    }
    return failed;
}

/* LMDB says "input/output error" of a write that a full disk cut short. */
static bool is_disk_full(const struct index *index)
{
    enum { LITTLE = 1 << 20 };
    struct statvfs disk = { 0 };

    return statvfs(index->path, &disk) == 0 && (uint64_t)disk.f_bavail * disk.f_frsize < LITTLE;
}

static enum s3_error tell_failure(const struct index *index, int failed)
{
    if (failed == ENOSPC || failed == EDQUOT || failed == MDB_MAP_FULL || (failed == EIO && is_disk_full(index))) {
        log_warn("cannot write to the index", "cause=%s", mdb_strerror(failed));
        return S3_STORAGE_FULL;
    }
    log_error("cannot write to the index", "cause=%s", mdb_strerror(failed));
    return S3_INTERNAL;
}

static void run_chain(struct index *index, struct index_write_wait *chain)
{
    int failed = run_until_it_fits(index, chain);

    if (!failed)
        return;
    if (!chain->next) {
        chain->result = tell_failure(index, failed);
        return;
    }
    for (struct index_write_wait *w = chain, *next = NULL; w; w = next) {
        next = w->next;
        w->next = NULL;
        failed = run_until_it_fits(index, w);
        if (failed)
            w->result = tell_failure(index, failed);
        w->next = next;
    }
}

/* --------------------------------------------------------------- thread */

static struct index_write_wait *take_batch(struct index *index)
{
    struct index_write_wait *first = index->first, *last = first;

    for (int n = 1; n < INDEX_BATCH_MAX && last->next; n++)
        last = last->next;
    index->first = last->next;
    if (!index->first)
        index->last = NULL;
    last->next = NULL;
    return first;
}

void *index_writer_main(void *user)
{
    struct index *index = user;

    pthread_mutex_lock(&index->lock);
    for (;;) {
        while (!index->first && !index->stop)
            pthread_cond_wait(&index->work, &index->lock);
        if (!index->first)
            break;
        struct index_write_wait *chain = take_batch(index);
        pthread_mutex_unlock(&index->lock);
        run_chain(index, chain);
        pthread_mutex_lock(&index->lock);
        for (struct index_write_wait *w = chain, *next = NULL; w; w = next) {
            next = w->next; /* w is gone once its thread wakes */
            w->done = true;
            pthread_cond_signal(&w->finished);
        }
    }
    pthread_mutex_unlock(&index->lock);
    return NULL;
}
