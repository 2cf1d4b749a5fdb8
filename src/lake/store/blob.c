/* Files of object data; see blob.h. */
#include "lake/store/blob.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "disk/disk.h"
#include "lake/store/blob_private.h"

enum { GROUP_BITS = 12, WRITE_BACK_EVERY = 8 << 20 };

void blobs_dir_path(const struct blobs *blobs, uint64_t number, char out[static PATH_MAX])
{
    snprintf(out, PATH_MAX, "%s/%08x-%05x", blobs->dir, (unsigned)(number >> 32),
             (unsigned)((number & UINT32_MAX) >> GROUP_BITS));
}

static void file_path(const struct blobs *blobs, uint64_t number, char out[static PATH_MAX])
{
    blobs_dir_path(blobs, number, out);
    size_t n = strlen(out);
    snprintf(out + n, PATH_MAX - n, "/%016llx", (unsigned long long)number);
}

enum rc blobs_open(const char *dir, uint32_t run, struct blobs **out, struct err *err)
{
    struct blobs *blobs = NEW(struct blobs);

    blobs->dir = mem_printf("%s/blob", dir);
    blobs->run = run;
    blobs->made_group = UINT32_MAX;
    pthread_mutex_init(&blobs->lock, NULL);
    blobs->readers.next = blobs->readers.previous = &blobs->readers;
    enum rc rc = strlen(blobs->dir) + 64 > PATH_MAX
                     ? err_set(err, RC_BAD_INPUT, "cannot use '%s': the path is too long", dir)
                     : disk_make_dirs(blobs->dir, 0700, err);
    if (!rc)
        rc = disk_flush_dir(dir, err);
    if (rc) {
        blobs_close(blobs);
        return rc;
    }
    *out = blobs;
    return RC_OK;
}

void blobs_close(struct blobs *blobs)
{
    if (!blobs)
        return;
    pthread_mutex_destroy(&blobs->lock);
    free(blobs->waiting);
    free(blobs->dir);
    free(blobs);
}

/* ---------------------------------------------------------------- write */

void blob_begin(struct blobs *blobs, struct blob_writer *writer)
{
    *writer = (struct blob_writer){ .blobs = blobs, .fd = -1, .bytes.max = BLOB_INLINE_MAX };
}

/* The next number; makes the directory of a new group and flushes its name. */
static enum rc take_number(struct blobs *blobs, uint64_t *out, struct err *err)
{
    char path[PATH_MAX];
    enum rc rc = RC_OK;

    pthread_mutex_lock(&blobs->lock);
    uint64_t number = (uint64_t)blobs->run << 32 | blobs->count;
    uint32_t group = blobs->count >> GROUP_BITS;
    if (group != blobs->made_group) {
        blobs_dir_path(blobs, number, path);
        rc = disk_make_dirs(path, 0700, err);
        if (!rc)
            rc = disk_flush_dir(blobs->dir, err);
    }
    if (!rc) {
        blobs->made_group = group;
        blobs->count++;
        *out = number;
    }
    pthread_mutex_unlock(&blobs->lock);
    return rc;
}

static enum rc write_bytes(struct blob_writer *writer, const void *p, size_t n, struct err *err)
{
    if (FAULT_POINT("store.blob_write"))
        return err_set_errno(err, errno, "cannot write blob %016llx", (unsigned long long)writer->number);
    return disk_write_all(writer->fd, p, n, "blob", err);
}

static enum rc move_to_file(struct blob_writer *writer, struct err *err)
{
    char path[PATH_MAX];
    enum rc rc = take_number(writer->blobs, &writer->number, err);

    if (rc)
        return rc;
    file_path(writer->blobs, writer->number, path);
    rc = disk_open(path, O_WRONLY | O_CREAT | O_EXCL, 0600, &writer->fd, err);
    if (!rc)
        rc = write_bytes(writer, buf_cstr(&writer->bytes), writer->bytes.len, err);
    buf_free(&writer->bytes);
    return rc;
}

enum rc blob_write(struct blob_writer *writer, const void *p, size_t n, struct err *err)
{
    uint64_t before = writer->size;

    writer->size += n;
    if (writer->fd < 0 && writer->size <= BLOB_INLINE_MAX) {
        buf_append(&writer->bytes, p, n);
        return RC_OK;
    }
    if (writer->fd < 0 && move_to_file(writer, err))
        return err->rc;
    enum rc rc = write_bytes(writer, p, n, err);
    uint64_t mark = writer->size - writer->size % WRITE_BACK_EVERY;
    if (!rc && mark > before) /* begin now what the flush at the end would wait for */
        sync_file_range(writer->fd, 0, (off_t)mark, SYNC_FILE_RANGE_WRITE);
    return rc;
}

bool blob_is_inline(const struct blob_writer *writer)
{
    return writer->fd < 0;
}

enum rc blob_finish(struct blob_writer *writer, struct err *err)
{
    if (blob_is_inline(writer))
        return take_number(writer->blobs, &writer->number, err);
    if (FAULT_POINT("store.blob_flush"))
        return err_set_errno(err, errno, "cannot flush blob %016llx", (unsigned long long)writer->number);
    return disk_flush(writer->fd, "blob", err);
}

void blob_end(struct blob_writer *writer, bool keep)
{
    char path[PATH_MAX];

    if (writer->fd >= 0 && !keep) {
        file_path(writer->blobs, writer->number, path);
        disk_unlink(path, NULL); /* what stays is swept at the next start */
    }
    disk_close(&writer->fd);
    buf_free(&writer->bytes);
}

enum rc blobs_flush_names(struct blobs *blobs, const uint64_t *numbers, size_t count, struct err *err)
{
    char path[PATH_MAX];

    for (size_t i = 0; i < count; i++) {
        bool done = false;
        for (size_t k = 0; k < i && !done; k++)
            done = numbers[k] >> GROUP_BITS == numbers[i] >> GROUP_BITS;
        if (done)
            continue;
        blobs_dir_path(blobs, numbers[i], path);
        if (FAULT_POINT("store.blob_name"))
            return err_set_errno(err, errno, "cannot flush '%s'", path);
        if (disk_flush_dir(path, err))
            return err->rc;
    }
    return RC_OK;
}

/* ----------------------------------------------------------------- read */

enum rc blob_open(struct blobs *blobs, uint64_t number, int *fd, struct err *err)
{
    char path[PATH_MAX];

    file_path(blobs, number, path);
    return disk_open(path, O_RDONLY, 0, fd, err);
}

void blob_reader_enter(struct blobs *blobs, struct blob_reader *reader)
{
    pthread_mutex_lock(&blobs->lock);
    reader->ticket = blobs->generation;
    reader->inside = true;
    reader->next = &blobs->readers; /* at the end: the list is in order of tickets */
    reader->previous = blobs->readers.previous;
    reader->previous->next = reader;
    blobs->readers.previous = reader;
    pthread_mutex_unlock(&blobs->lock);
}

/* Removes what no reader needs: dropped in a generation that every reader inside has seen.  Locked. */
static void remove_waiting(struct blobs *blobs)
{
    uint64_t seen = blobs->readers.next == &blobs->readers ? UINT64_MAX : blobs->readers.next->ticket;
    size_t n = 0;

    for (; n < blobs->waiting_count && blobs->waiting[n].generation <= seen; n++) {
        char path[PATH_MAX];
        file_path(blobs, blobs->waiting[n].number, path);
        disk_unlink(path, NULL);
    }
    memmove(blobs->waiting, blobs->waiting + n, (blobs->waiting_count - n) * sizeof *blobs->waiting);
    blobs->waiting_count -= n;
}

void blob_reader_leave(struct blobs *blobs, struct blob_reader *reader)
{
    if (!reader->inside)
        return;
    pthread_mutex_lock(&blobs->lock);
    reader->inside = false;
    reader->next->previous = reader->previous;
    reader->previous->next = reader->next;
    if (blobs->waiting_count)
        remove_waiting(blobs);
    pthread_mutex_unlock(&blobs->lock);
}

void blobs_remove(struct blobs *blobs, const uint64_t *numbers, size_t count)
{
    if (!count)
        return;
    pthread_mutex_lock(&blobs->lock);
    uint64_t generation = ++blobs->generation;
    size_t need = blobs->waiting_count + count;
    if (need > blobs->waiting_cap) {
        blobs->waiting_cap = MAX(need, blobs->waiting_cap * 2);
        blobs->waiting = mem_grow(blobs->waiting, blobs->waiting_cap, sizeof *blobs->waiting);
    }
    for (size_t i = 0; i < count; i++)
        blobs->waiting[blobs->waiting_count++] = (struct blob_waiting){ numbers[i], generation };
    remove_waiting(blobs);
    pthread_mutex_unlock(&blobs->lock);
}
