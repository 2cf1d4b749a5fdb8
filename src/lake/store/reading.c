/* Reading objects; see reading.h. */
#include "lake/store/reading.h"

#include <string.h>
#include <unistd.h>

#include "disk/disk.h"

enum s3_error reading_begin(struct index *index, struct str bucket_name, struct str key, struct arena *arena,
                            struct reading *reading)
{
    CLEANUP(index_read_end) struct index_txn *txn = NULL;
    struct bucket bucket = { 0 };

    *reading = (struct reading){ .index = index, .arena = arena, .fd = -1 };
    blob_reader_enter(index_blobs(index), &reading->reader); /* before the look-up: see blob.h */
    txn = index_read_begin(index);
    enum s3_error failed = txn ? bucket_find(txn, bucket_name, &bucket) : S3_INTERNAL;
    if (!failed)
        failed = object_find(txn, &bucket, key, arena, &reading->record);
    if (failed)
        reading_end(reading);
    else
        reading_set_range(reading, 0, reading->record.size);
    return failed;
}

void reading_set_range(struct reading *reading, uint64_t offset, uint64_t size)
{
    reading->offset = offset;
    reading->left = size;
}

/* Moves to the part that holds the offset. */
static bool find_part(struct reading *reading)
{
    const struct record *record = &reading->record;

    while (reading->part < record->part_count &&
           reading->offset >= reading->part_start + record->parts[reading->part].size) {
        reading->part_start += record->parts[reading->part++].size;
        disk_close(&reading->fd);
    }
    return reading->part < record->part_count;
}

/* Bytes of a blob that lies in the index; 0 when it lies in a file. */
static ssize_t read_inline(struct reading *reading, char *p, size_t n, uint64_t at)
{
    CLEANUP(index_read_end) struct index_txn *txn = index_read_begin(reading->index);
    struct str bytes = { 0 };

    if (!txn)
        return -1;
    if (!index_blob_bytes(txn, reading->record.parts[reading->part].blob, &bytes))
        return index_failed(txn) ? -1 : 0;
    bytes = str_skip(bytes, (size_t)at);
    n = MIN(n, bytes.len);
    if (n)
        memcpy(p, bytes.p, n);
    return n ? (ssize_t)n : -1;
}

static ssize_t read_part(struct reading *reading, char *p, size_t n, uint64_t at)
{
    struct err err = { 0 };
    size_t got = 0;

    if (reading->record.parts[reading->part].size <= BLOB_INLINE_MAX && reading->fd < 0) {
        ssize_t done = read_inline(reading, p, n, at);
        if (done)
            return done;
    }
    if (reading->fd < 0 &&
        blob_open(index_blobs(reading->index), reading->record.parts[reading->part].blob, &reading->fd, &err)) {
        log_error("cannot read an object", "cause=%s", err.text);
        return -1;
    }
    if (disk_pread(reading->fd, p, n, (off_t)at, &got, "blob", &err) || !got) {
        log_error("cannot read an object", "cause=%s", err.text[0] ? err.text : "its blob is too short");
        return -1;
    }
    return (ssize_t)got;
}

ssize_t reading_read(struct reading *reading, char *p, size_t max)
{
    if (!reading->left)
        return 0;
    if (!find_part(reading))
        return -1;
    uint64_t at = reading->offset - reading->part_start;
    uint64_t here = MIN(reading->record.parts[reading->part].size - at, reading->left);
    ssize_t n = read_part(reading, p, (size_t)MIN((uint64_t)max, here), at);
    if (n > 0) {
        reading->offset += (uint64_t)n;
        reading->left -= (uint64_t)n;
    }
    return n;
}

bool reading_as_file(struct reading *reading, int *fd, uint64_t *offset)
{
    struct err err = { 0 };

    if (!reading->left || !find_part(reading))
        return false;
    const struct record_part *part = &reading->record.parts[reading->part];
    uint64_t at = reading->offset - reading->part_start;
    if (part->size <= BLOB_INLINE_MAX || at + reading->left > part->size)
        return false;
    if (blob_open(index_blobs(reading->index), part->blob, fd, &err)) {
        log_error("cannot read an object", "cause=%s", err.text);
        return false;
    }
    *offset = at;
    return true;
}

void reading_end(struct reading *reading)
{
    disk_close(&reading->fd);
    if (reading->index)
        blob_reader_leave(index_blobs(reading->index), &reading->reader);
}
