/* The index files of a segment, in Apache Kafka's format; see segment.h. */
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "disk/disk.h"
#include "stream/log/segment.h"

enum { INDEX_ENTRY = 8, TIME_ENTRY = 12, INDEX_FILE_MAX = 512 << 20 };

void segment_forget_index(struct segment *segment)
{
    free(segment->index);
    free(segment->times);
    segment->index = NULL;
    segment->times = NULL;
    segment->index_count = segment->index_cap = segment->time_count = segment->time_cap = 0;
    segment->has_index = false;
    segment->since_index = 0;
}

static enum rc write_file(const struct segment *segment, const char *suffix, const struct buf *bytes, bool flush,
                          struct err *err)
{
    CLEANUP(buf_free) struct buf path = { 0 };
    CLEANUP(disk_close) int fd = -1;

    segment_path(segment->dir, segment->base_offset, suffix, &path);
    enum rc rc = disk_open(buf_cstr(&path), O_WRONLY | O_CREAT | O_TRUNC, 0644, &fd, err);
    if (!rc)
        rc = disk_write_all(fd, bytes->data, bytes->len, buf_cstr(&path), err);
    if (!rc && flush)
        rc = disk_flush(fd, buf_cstr(&path), err);
    return rc;
}

enum rc segment_write_index(struct segment *segment, bool flush, struct err *err)
{
    CLEANUP(buf_free) struct buf index = { .max = INDEX_FILE_MAX };
    CLEANUP(buf_free) struct buf times = { .max = INDEX_FILE_MAX };

    for (size_t i = 0; i < segment->index_count; i++) {
        buf_put_be32(&index, segment->index[i].offset);
        buf_put_be32(&index, segment->index[i].at);
    }
    for (size_t i = 0; i < segment->time_count; i++) {
        buf_put_be64(&times, (uint64_t)segment->times[i].timestamp);
        buf_put_be32(&times, segment->times[i].offset);
    }
    /* the last entry tells the segment's largest timestamp, so that nobody need read the log for it */
    if (segment->max_timestamp >= 0 &&
        (segment->time_count == 0 || segment->times[segment->time_count - 1].timestamp < segment->max_timestamp)) {
        buf_put_be64(&times, (uint64_t)segment->max_timestamp);
        buf_put_be32(&times, (uint32_t)(segment->max_timestamp_offset - segment->base_offset));
    }
    enum rc rc = write_file(segment, ".index", &index, flush, err);
    return rc ? rc : write_file(segment, ".timeindex", &times, flush, err);
}

static bool read_file(const struct segment *segment, const char *suffix, size_t entry, struct buf *out)
{
    CLEANUP(buf_free) struct buf path = { 0 };
    struct err err = { 0 };

    out->max = INDEX_FILE_MAX;
    segment_path(segment->dir, segment->base_offset, suffix, &path);
    return disk_read_file(buf_cstr(&path), out, &err) == RC_OK && out->len % entry == 0;
}

static uint32_t be32_at(const char *p)
{
    uint32_t v;
    memcpy(&v, p, sizeof v);
    return be32toh(v);
}

static uint64_t be64_at(const char *p)
{
    uint64_t v;
    memcpy(&v, p, sizeof v);
    return be64toh(v);
}

static bool take_index(struct segment *segment, const struct buf *bytes)
{
    size_t n = bytes->len / INDEX_ENTRY;

    segment->index = mem_grow(segment->index, MAX(n, 1u), sizeof *segment->index);
    segment->index_cap = MAX(n, 1u);
    for (size_t i = 0; i < n; i++) {
        const char *p = bytes->data + i * INDEX_ENTRY;
        struct index_entry entry = { .offset = be32_at(p), .at = be32_at(p + 4) };
        if (i && entry.offset == 0 && entry.at == 0) /* Kafka leaves zeros behind the last entry after a crash */
            break;
        if (entry.at >= segment->size ||
            (i && (entry.offset <= segment->index[i - 1].offset || entry.at <= segment->index[i - 1].at)))
            return false;
        segment->index[segment->index_count++] = entry;
    }
    return true;
}

static bool take_times(struct segment *segment, const struct buf *bytes)
{
    size_t n = bytes->len / TIME_ENTRY;

    segment->times = mem_grow(segment->times, MAX(n, 1u), sizeof *segment->times);
    segment->time_cap = MAX(n, 1u);
    for (size_t i = 0; i < n; i++) {
        const char *p = bytes->data + i * TIME_ENTRY;
        struct time_entry entry = { .timestamp = (int64_t)be64_at(p), .offset = be32_at(p + 8) };
        if (i && entry.timestamp < segment->times[i - 1].timestamp)
            break;
        segment->times[segment->time_count++] = entry;
    }
    if (segment->time_count) {
        segment->max_timestamp = segment->times[segment->time_count - 1].timestamp;
        segment->max_timestamp_offset = segment->base_offset + segment->times[segment->time_count - 1].offset;
    }
    return segment->time_count > 0 || segment->size == 0;
}

bool segment_load_index_files(struct segment *segment)
{
    CLEANUP(buf_free) struct buf index = { 0 };
    CLEANUP(buf_free) struct buf times = { 0 };

    segment_forget_index(segment);
    if (read_file(segment, ".index", INDEX_ENTRY, &index) && read_file(segment, ".timeindex", TIME_ENTRY, &times) &&
        take_index(segment, &index) && take_times(segment, &times)) {
        segment->has_index = true;
        return true;
    }
    segment_forget_index(segment);
    return false;
}

enum rc segment_load_index(struct segment *segment, struct err *err)
{
    uint64_t end = 0;

    if (segment_load_index_files(segment))
        return RC_OK;
    segment->has_index = true;
    return segment_scan(segment, 0, false, NULL, NULL, &end, err);
}
