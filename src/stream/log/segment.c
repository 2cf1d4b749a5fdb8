/* A segment's bytes: appending, finding, scanning.  Its index files are segment_index.c's. */
#include "stream/log/segment.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "disk/disk.h"

void segment_path(const char *dir, int64_t base_offset, const char *suffix, struct buf *out)
{
    buf_clear(out);
    buf_printf(out, "%s/%020lld%s", dir, (long long)base_offset, suffix);
}

static void free_segment(struct sendable *file)
{
    struct segment *segment = CONTAINER_OF(file, struct segment, file);

    if (file->fd >= 0)
        close(file->fd);
    segment_forget_index(segment);
    free(segment->dir);
    free(segment);
}

static enum rc open_file(const char *dir, int64_t base_offset, int flags, struct segment **out, struct err *err)
{
    CLEANUP(buf_free) struct buf path = { 0 };
    int fd = -1;

    segment_path(dir, base_offset, ".log", &path);
    enum rc rc = disk_open(buf_cstr(&path), flags | O_RDWR, 0644, &fd, err);
    if (rc)
        return rc;
    struct segment *segment = NEW(struct segment);
    segment->file = (struct sendable){ .refs = 1, .fd = fd, .free = free_segment };
    segment->dir = mem_strdup(dir);
    segment->base_offset = base_offset;
    segment->max_timestamp = segment->first_timestamp = -1;
    segment->max_timestamp_offset = base_offset;
    segment->created_ms = clock_wall_ms();
    *out = segment;
    return RC_OK;
}

enum rc segment_create(const char *dir, int64_t base_offset, struct segment **out, struct err *err)
{
    enum rc rc = open_file(dir, base_offset, O_CREAT | O_TRUNC, out, err);

    if (!rc)
        (*out)->has_index = true;
    return rc;
}

enum rc segment_open(const char *dir, int64_t base_offset, struct segment **out, struct err *err)
{
    struct stat st;
    enum rc rc = open_file(dir, base_offset, 0, out, err);

    if (rc)
        return rc;
    if (fstat((*out)->file.fd, &st) < 0) {
        rc = err_set_errno(err, errno, "cannot look at segment %lld in '%s'", (long long)base_offset, dir);
        segment_release(TAKE_PTR(*out));
        return rc;
    }
    (*out)->size = (*out)->flushed = (uint64_t)st.st_size;
    (*out)->name_is_durable = true;
    return RC_OK;
}

void segment_release(struct segment *segment)
{
    if (segment)
        sendable_drop(&segment->file);
}

void segment_unlink(const struct segment *segment)
{
    static const char *const suffixes[] = { ".log", ".index", ".timeindex", ".txnindex", ".snapshot" };
    CLEANUP(buf_free) struct buf path = { 0 };

    for (size_t i = 0; i < ARRAY_LEN(suffixes); i++) {
        segment_path(segment->dir, segment->base_offset, suffixes[i], &path);
        disk_unlink(buf_cstr(&path), NULL); /* most are not there */
    }
}

/* ----------------------------------------------------------------------------------- appending */

static void note_time(struct segment *segment, const struct kafka_batch *batch)
{
    if (segment->first_timestamp < 0)
        segment->first_timestamp = batch->max_timestamp;
    if (batch->max_timestamp > segment->max_timestamp) {
        segment->max_timestamp = batch->max_timestamp;
        segment->max_timestamp_offset = kafka_batch_last_offset(batch);
    }
}

void segment_note(struct segment *segment, const struct kafka_batch *batch, uint64_t at)
{
    size_t size = kafka_batch_size(batch);

    note_time(segment, batch);
    if (segment->since_index > INDEX_INTERVAL_BYTES && segment->has_index) {
        if (segment->index_count == segment->index_cap) {
            segment->index_cap = MAX(segment->index_cap * 2, 64u);
            segment->index = mem_grow(segment->index, segment->index_cap, sizeof *segment->index);
        }
        segment->index[segment->index_count++] =
            (struct index_entry){ .offset = (uint32_t)(kafka_batch_last_offset(batch) - segment->base_offset),
                                  .at = (uint32_t)at };
        if (segment->time_count == 0 || segment->times[segment->time_count - 1].timestamp < segment->max_timestamp) {
            if (segment->time_count == segment->time_cap) {
                segment->time_cap = MAX(segment->time_cap * 2, 64u);
                segment->times = mem_grow(segment->times, segment->time_cap, sizeof *segment->times);
            }
            segment->times[segment->time_count++] =
                (struct time_entry){ .timestamp = segment->max_timestamp,
                                     .offset = (uint32_t)(segment->max_timestamp_offset - segment->base_offset) };
        }
        segment->since_index = 0;
    }
    segment->since_index += size;
}

enum rc segment_append(struct segment *segment, const void *bytes, const struct kafka_batch *batch, struct err *err)
{
    size_t size = kafka_batch_size(batch);
    enum rc rc = RC_OK;

    if (FAULT_POINT("log.append"))
        rc = err_set_errno(err, errno, "cannot append to '%s'", segment->dir);
    else
        rc = disk_pwrite_all(segment->file.fd, bytes, size, (off_t)segment->size, segment->dir, err);
    if (rc) {
        struct err own = { 0 };
        if (disk_truncate(segment->file.fd, (off_t)segment->size, segment->dir, &own))
            return err_set(err, own.rc, "cannot take back a failed append: %s", own.text);
        return rc;
    }
    segment_note(segment, batch, segment->size);
    segment->size += size;
    return RC_OK;
}

enum rc segment_truncate(struct segment *segment, uint64_t size, struct err *err)
{
    enum rc rc = disk_truncate(segment->file.fd, (off_t)size, segment->dir, err);
    if (rc)
        return err_wrap(err, "cannot cut segment %lld", (long long)segment->base_offset);
    segment->size = segment->flushed = size;
    return disk_flush(segment->file.fd, segment->dir, err);
}

/* ------------------------------------------------------------------------------------- finding */

/* What a batch's CRC does not cover: its length, and its offset, which must lie in the range of the segment's index. */
static bool fits(const struct segment *segment, const struct kafka_batch *batch, uint64_t room)
{
    return batch->magic == 2 && batch->length >= KAFKA_BATCH_HEADER - KAFKA_BATCH_OVERHEAD &&
           kafka_batch_size(batch) <= room && batch->last_offset_delta >= 0 &&
           batch->base_offset >= segment->base_offset &&
           batch->base_offset - segment->base_offset <= INT32_MAX - batch->last_offset_delta &&
           batch->base_offset < INT64_MAX - batch->last_offset_delta;
}

enum rc segment_header(struct segment *segment, uint64_t at, uint64_t end, struct kafka_batch *out, struct err *err)
{
    char header[KAFKA_BATCH_HEADER];
    size_t got = 0;

    if (at >= end)
        return RC_AGAIN;
    enum rc rc = disk_pread(segment->file.fd, header, sizeof header, (off_t)at, &got, segment->dir, err);
    if (rc)
        return rc;
    if (got == sizeof header)
        kafka_batch_parse_header(header, out);
    if (got < sizeof header || !fits(segment, out, end - at))
        return err_set(err, RC_BAD_INPUT, "segment %lld of '%s' has no record batch at byte %llu",
                       (long long)segment->base_offset, segment->dir, (unsigned long long)at);
    return RC_OK;
}

/* position of the last indexed batch that ends before or at the offset; 0 when none does */
static uint64_t index_floor(const struct segment *segment, int64_t offset)
{
    size_t low = 0, high = segment->index_count;

    while (low < high) {
        size_t mid = (low + high) / 2;
        if (segment->base_offset + segment->index[mid].offset <= offset)
            low = mid + 1;
        else
            high = mid;
    }
    return low ? segment->index[low - 1].at : 0;
}

static enum rc find_from(struct segment *segment, uint64_t from, int64_t offset, uint64_t end, uint64_t *at,
                         struct kafka_batch *out, struct err *err)
{
    enum rc rc = RC_OK;

    for (*at = from; !(rc = segment_header(segment, *at, end, out, err)); *at += kafka_batch_size(out))
        if (kafka_batch_last_offset(out) >= offset)
            return RC_OK;
    return rc;
}

enum rc segment_find(struct segment *segment, int64_t offset, uint64_t end, uint64_t *at, struct kafka_batch *out,
                     struct err *err)
{
    enum rc rc = segment->has_index ? RC_OK : segment_load_index(segment, err);

    if (rc)
        return rc;
    uint64_t from = index_floor(segment, offset);
    rc = find_from(segment, from, offset, end, at, out, err);
    if (rc == RC_BAD_INPUT && from > 0) { /* the index leads astray: the log itself does not */
        log_warn("an index does not fit its segment", "dir=%s base=%lld", segment->dir,
                 (long long)segment->base_offset);
        rc = find_from(segment, 0, offset, end, at, out, err);
    }
    return rc;
}

enum rc segment_find_time(struct segment *segment, int64_t timestamp, uint64_t end, uint64_t *at,
                          struct kafka_batch *out, struct err *err)
{
    enum rc rc = segment->has_index ? RC_OK : segment_load_index(segment, err);
    int64_t from = segment->base_offset;

    if (rc)
        return rc;
    /* all records up to the offset of a time entry are at most as new as the entry says */
    for (size_t i = 0; i < segment->time_count && segment->times[i].timestamp < timestamp; i++)
        from = segment->base_offset + segment->times[i].offset;
    rc = segment_find(segment, from, end, at, out, err);
    while (!rc && out->max_timestamp < timestamp) {
        *at += kafka_batch_size(out);
        rc = segment_header(segment, *at, end, out, err);
    }
    return rc;
}

enum rc segment_read(struct segment *segment, uint64_t at, size_t size, struct buf *out, struct err *err)
{
    size_t got = 0;
    void *p = buf_reserve(out, size);

    if (!p)
        return err_set(err, RC_FULL, "cannot read a batch of %zu bytes from '%s': it is larger than the limit", size,
                       segment->dir);
    enum rc rc = disk_pread(segment->file.fd, p, size, (off_t)at, &got, segment->dir, err);
    if (!rc && got < size)
        rc = err_set(err, RC_BAD_INPUT, "segment %lld of '%s' is shorter than it was", (long long)segment->base_offset,
                     segment->dir);
    if (!rc)
        buf_commit(out, size);
    return rc;
}

/* ------------------------------------------------------------------------------------ scanning */

static bool is_batch(const struct segment *segment, struct str rest, bool check, int64_t at_least,
                     struct kafka_batch *out)
{
    const char *why = NULL;

    if (rest.len < KAFKA_BATCH_HEADER)
        return false;
    if (!check)
        kafka_batch_parse_header(rest.p, out);
    else if (kafka_batch_check(rest, out, &why))
        return false;
    return fits(segment, out, rest.len) && out->base_offset >= at_least;
}

enum rc segment_scan(struct segment *segment, uint64_t from, bool check, segment_each *each, void *context,
                     uint64_t *end, struct err *err)
{
    struct kafka_batch batch;
    int64_t next = segment->base_offset;

    *end = from;
    if (segment->size <= from)
        return RC_OK;
    char *map = mmap(NULL, segment->size, PROT_READ, MAP_SHARED, segment->file.fd, 0);
    if (map == MAP_FAILED)
        return err_set_errno(err, errno, "cannot read segment %lld of '%s'", (long long)segment->base_offset,
                             segment->dir);
    madvise(map, segment->size, MADV_SEQUENTIAL);
    while (is_batch(segment, str_n(map + *end, segment->size - *end), check, next, &batch)) {
        segment_note(segment, &batch, *end);
        if (each)
            each(context, &batch);
        next = kafka_batch_last_offset(&batch) + 1;
        *end += kafka_batch_size(&batch);
    }
    munmap(map, segment->size);
    return RC_OK;
}
