/* Rounds of group commit; see flush.h. */
#include "stream/log/flush.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "disk/disk.h"
#include "stream/log/partition.h"

enum { FLUSH_ALL_FROM = 48 };

struct flush_file {
    struct partition *partition;
    struct segment *segment;
    uint64_t size;   /* to be durable: the file up to here */
    int64_t log_end; /* and so the log up to here; -1: an older segment of the partition */
    bool name_too;
    bool failed;
    struct err err;
};

struct round {
    struct flush_file *files;
    size_t count;
    struct flush_waiter *first, *last;
    struct segment **removals;
    size_t removal_count;
};

struct flusher {
    struct server *server;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t wake, idle;
    struct round *given; /* under the lock: to do */
    bool is_done;        /* under the lock: done, not yet taken back */
    bool stop;
    uv_async_t async;
    /* loop only */
    struct round *open; /* takes marks and waiters */
    struct round *running;
    struct partition **dirty;
    size_t dirty_count, dirty_cap;
};

/* --------------------------------------------------------------------------- the flusher's thread */

static void flush_one(struct flush_file *file)
{
    if (FAULT_POINT("log.flush"))
        file->failed = true, err_set_errno(&file->err, errno, "cannot flush '%s'", file->segment->dir);
    else if (disk_flush(file->segment->file.fd, file->segment->dir, &file->err) ||
             (file->name_too && disk_flush_dir(file->segment->dir, &file->err)))
        file->failed = true;
}

/* the directories of new partitions all lie in one */
static void flush_parent(struct round *round)
{
    CLEANUP_FREE char *parent = NULL;
    struct err err = { 0 };
    bool failed = false;

    for (size_t i = 0; i < round->count; i++) {
        if (!round->files[i].name_too)
            continue;
        if (!parent) {
            parent = mem_printf("%s/..", round->files[i].segment->dir);
            failed = disk_flush_dir(parent, &err) != RC_OK;
        }
        if (failed && !round->files[i].failed) {
            round->files[i].failed = true;
            round->files[i].err = err;
        }
    }
}

/* So many files, or names: the whole file system at once is quicker. */
static void flush_all(struct round *round)
{
    struct segment *first = round->files[0].segment;
    struct err err = { 0 };
    bool failed = FAULT_POINT("log.flush_all")
                      ? err_set_errno(&err, errno, "cannot flush the file system of '%s'", first->dir) != RC_OK
                      : disk_flush_all(first->file.fd, first->dir, &err) != RC_OK;

    for (size_t i = 0; i < round->count && failed; i++) {
        round->files[i].failed = true;
        round->files[i].err = err;
    }
}

static void run_round(struct round *round)
{
    if (round->count >= FLUSH_ALL_FROM) {
        flush_all(round);
    } else {
        for (size_t i = 0; i < round->count && round->count > 1; i++) /* the disk may begin with all of them at once */
            sync_file_range(round->files[i].segment->file.fd, 0, 0, SYNC_FILE_RANGE_WRITE);
        for (size_t i = 0; i < round->count; i++)
            flush_one(&round->files[i]);
        flush_parent(round);
    }
    for (size_t i = 0; i < round->removal_count; i++)
        segment_unlink(round->removals[i]);
}

static void *flusher_main(void *argument)
{
    struct flusher *flusher = argument;

    pthread_mutex_lock(&flusher->lock);
    for (;;) {
        while (!flusher->stop && (!flusher->given || flusher->is_done))
            pthread_cond_wait(&flusher->wake, &flusher->lock);
        if (flusher->stop)
            break;
        struct round *round = flusher->given;
        pthread_mutex_unlock(&flusher->lock);
        run_round(round);
        pthread_mutex_lock(&flusher->lock);
        flusher->is_done = true;
        pthread_cond_signal(&flusher->idle);
        uv_async_send(&flusher->async);
    }
    pthread_mutex_unlock(&flusher->lock);
    return NULL;
}

/* ------------------------------------------------------------------------------------- the loop */

static bool is_empty(const struct flusher *flusher)
{
    return !flusher->dirty_count && !flusher->open->first && !flusher->open->removal_count;
}

void flusher_mark(struct flusher *flusher, struct partition *partition)
{
    if (partition->is_dirty)
        return;
    partition->is_dirty = true;
    partition_hold(partition);
    if (flusher->dirty_count == flusher->dirty_cap) {
        flusher->dirty_cap = MAX(flusher->dirty_cap * 2, 64u);
        flusher->dirty = mem_grow(flusher->dirty, flusher->dirty_cap, sizeof *flusher->dirty);
    }
    flusher->dirty[flusher->dirty_count++] = partition;
}

void flusher_wait(struct flusher *flusher, struct flush_waiter *waiter)
{
    struct round *round = flusher->open;

    waiter->next = NULL;
    *(round->last ? &round->last->next : &round->first) = waiter;
    round->last = waiter;
}

void flusher_remove(struct flusher *flusher, struct segment *segment)
{
    struct round *round = flusher->open;

    round->removals = mem_grow(round->removals, round->removal_count + 1, sizeof *round->removals);
    round->removals[round->removal_count++] = segment;
    sendable_hold(&segment->file);
}

static void add_file(struct round *round, struct partition *partition, struct segment *segment, bool is_last)
{
    round->files = mem_grow(round->files, round->count + 1, sizeof *round->files);
    round->files[round->count++] = (struct flush_file){ .partition = partition,
                                                        .segment = segment,
                                                        .size = segment->size,
                                                        .log_end = is_last ? partition->log_end : -1,
                                                        .name_too = !segment->name_is_durable };
    partition_hold(partition);
    sendable_hold(&segment->file);
}

/* the segments of a partition that have something to flush: the last, and those rolled since the last round */
static void add_partition(struct round *round, struct partition *partition)
{
    size_t i = partition->segment_count;

    while (i > 0 && (partition->segments[i - 1]->flushed < partition->segments[i - 1]->size ||
                     !partition->segments[i - 1]->name_is_durable))
        i--;
    for (; i < partition->segment_count; i++)
        add_file(round, partition, partition->segments[i], i + 1 == partition->segment_count);
}

void flusher_submit(struct flusher *flusher)
{
    struct round *round = flusher->open;

    if (flusher->running || is_empty(flusher))
        return;
    for (size_t i = 0; i < flusher->dirty_count; i++) {
        struct partition *partition = flusher->dirty[i];
        partition->is_dirty = false;
        if (partition->topic)
            add_partition(round, partition);
        partition_release(partition);
    }
    flusher->dirty_count = 0;
    flusher->running = round;
    flusher->open = NEW(struct round);
    pthread_mutex_lock(&flusher->lock);
    flusher->given = round;
    flusher->is_done = false;
    pthread_cond_signal(&flusher->wake);
    pthread_mutex_unlock(&flusher->lock);
}

/* One failure of a partition fails all its files of the round: what lies behind a hole is not durable. */
static void spread_failures(struct round *round)
{
    for (size_t i = 0; i < round->count; i++)
        for (size_t k = 0; round->files[i].failed && k < round->count; k++)
            if (round->files[k].partition == round->files[i].partition)
                round->files[k].failed = true;
}

static void finish_file(struct flush_file *file)
{
    struct partition *partition = file->partition;
    struct err err = { 0 };

    if (!file->failed) {
        file->segment->flushed = MAX(file->segment->flushed, file->size);
        file->segment->name_is_durable = true;
        if (file->log_end > partition->high_watermark)
            partition->high_watermark = file->log_end;
        return;
    }
    if (file->log_end < 0 || !partition->topic)
        return;
    log_error("cannot make the log durable; what was not acknowledged is taken back", "partition=%s why=%s",
              partition->dir, file->err.text);
    partition->generation++;
    partition->is_broken = partition_roll_back(partition, &err) != RC_OK;
    if (partition->is_broken)
        log_error("cannot take back what is not durable; restart when the disk works again", "partition=%s why=%s",
                  partition->dir, err.text);
}

static void finish_round(struct flusher *flusher)
{
    struct round *round = TAKE_PTR(flusher->running);

    spread_failures(round);
    for (size_t i = 0; i < round->count; i++)
        finish_file(&round->files[i]);
    while (round->first) {
        struct flush_waiter *waiter = round->first;
        round->first = waiter->next;
        waiter->done(waiter);
    }
    for (size_t i = 0; i < round->count; i++)
        if (round->files[i].log_end >= 0 && round->files[i].partition->topic)
            fetch_wake(round->files[i].partition);
    for (size_t i = 0; i < round->count; i++) {
        sendable_drop(&round->files[i].segment->file);
        partition_release(round->files[i].partition);
    }
    for (size_t i = 0; i < round->removal_count; i++)
        sendable_drop(&round->removals[i]->file);
    free(round->files);
    free(round->removals);
    free(round);
}

static void on_async(uv_async_t *async)
{
    struct flusher *flusher = async->data;

    pthread_mutex_lock(&flusher->lock);
    bool done = flusher->is_done && flusher->given;
    if (done) {
        flusher->given = NULL;
        flusher->is_done = false;
    }
    pthread_mutex_unlock(&flusher->lock);
    if (done)
        finish_round(flusher);
}

struct flusher *flusher_new(struct server *server)
{
    struct flusher *flusher = NEW(struct flusher);

    flusher->server = server;
    pthread_mutex_init(&flusher->lock, NULL);
    pthread_cond_init(&flusher->wake, NULL);
    pthread_cond_init(&flusher->idle, NULL);
    uv_async_init(server_loop(server), &flusher->async, on_async);
    flusher->async.data = flusher;
    flusher->open = NEW(struct round);
    pthread_create(&flusher->thread, NULL, flusher_main, flusher);
    return flusher;
}

void flusher_drain(struct flusher *flusher)
{
    while (flusher->running || !is_empty(flusher)) {
        flusher_submit(flusher);
        pthread_mutex_lock(&flusher->lock);
        while (flusher->given && !flusher->is_done)
            pthread_cond_wait(&flusher->idle, &flusher->lock);
        pthread_mutex_unlock(&flusher->lock);
        on_async(&flusher->async);
    }
}

void flusher_free(struct flusher *flusher)
{
    if (!flusher)
        return;
    pthread_mutex_lock(&flusher->lock);
    flusher->stop = true;
    pthread_cond_signal(&flusher->wake);
    pthread_mutex_unlock(&flusher->lock);
    pthread_join(flusher->thread, NULL);
    uv_close((uv_handle_t *)&flusher->async, NULL);
    uv_run(server_loop(flusher->server), UV_RUN_NOWAIT);
    pthread_mutex_destroy(&flusher->lock);
    pthread_cond_destroy(&flusher->wake);
    pthread_cond_destroy(&flusher->idle);
    free(flusher->dirty);
    free(flusher->open);
    free(flusher);
}
