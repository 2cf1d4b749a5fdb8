/*
 * One segment of a partition: a file of record batches, in Apache Kafka's layout, named by the offset of its first
 * record in 20 digits.  Private to this folder; loop thread only.
 *
 *     00000000000000000000.log        batches, one after the other (wire/kafka/batch.h)
 *     00000000000000000000.index      { i32 relative last offset of a batch, i32 its position }, big-endian, sparse
 *     00000000000000000000.timeindex  { i64 max timestamp so far, i32 relative offset of its record }, sparse
 *
 * The two indexes are written when the segment is closed; those of the active segment are in memory.  They are a
 * help, not the truth: one that is missing or wrong is made again from the log.
 */
#ifndef STREAM_LOG_SEGMENT_H
#define STREAM_LOG_SEGMENT_H

#include "stream/log/server.h"

enum {
    INDEX_INTERVAL_BYTES = 4096,
    SEGMENT_NAME_MAX = 48,
};

struct index_entry {
    uint32_t offset; /* last offset of the batch - base offset */
    uint32_t at;
};
struct time_entry {
    int64_t timestamp;
    uint32_t offset;
};

struct segment {
    struct sendable file; /* fd -1: not open */
    char *dir;
    int64_t base_offset;
    uint64_t size, flushed; /* bytes; up to flushed they are durable and may be read */
    int64_t max_timestamp;  /* -1: no record */
    int64_t max_timestamp_offset;
    int64_t first_timestamp; /* of the first batch, for segment.ms; -1: none */
    int64_t created_ms;
    int64_t late_ms;    /* wall time at which the last records came that retention.ms did not want any more; 0: none */
    int64_t written_ms; /* wall time of the last write before this start; 0: none */
    bool name_is_durable; /* the directory was flushed since it was made */
    bool has_index;       /* the arrays below are filled */
    struct index_entry *index;
    size_t index_count, index_cap;
    struct time_entry *times;
    size_t time_count, time_cap;
    uint64_t since_index; /* bytes since the last index entry */
};

void segment_path(const char *dir, int64_t base_offset, const char *suffix, struct buf *out);
/* A new, empty file.  RC_RETRY when the disk is full. */
MUST_CHECK enum rc segment_create(const char *dir, int64_t base_offset, struct segment **out, struct err *err);
/* An existing file; nothing of it is read but its size. */
MUST_CHECK enum rc segment_open(const char *dir, int64_t base_offset, struct segment **out, struct err *err);
void segment_release(struct segment *segment);      /* closed when the last answer that sends from it has left */
void segment_unlink(const struct segment *segment); /* its files leave the directory */

/*
 * Appends checked batches at the end.  The file is put back to its old size when it cannot take all of them.
 * `batch` is the header of the (only) batch.
 */
MUST_CHECK enum rc segment_append(struct segment *segment, const void *bytes, const struct kafka_batch *batch,
                                  struct err *err);
/* Notes a batch at a position in indexes and times, as appending and scanning do. */
void segment_note(struct segment *segment, const struct kafka_batch *batch, uint64_t at);

/* Reads the header of the batch at a position below `end`.  RC_AGAIN at the end, RC_BAD_INPUT when there is none. */
MUST_CHECK enum rc segment_header(struct segment *segment, uint64_t at, uint64_t end, struct kafka_batch *out,
                                  struct err *err);
/* The first batch that ends at or after an offset, below `end`: its position and header.  RC_AGAIN: none. */
MUST_CHECK enum rc segment_find(struct segment *segment, int64_t offset, uint64_t end, uint64_t *at,
                                struct kafka_batch *out, struct err *err);
/* The first batch with max timestamp >= timestamp.  RC_AGAIN: none. */
MUST_CHECK enum rc segment_find_time(struct segment *segment, int64_t timestamp, uint64_t end, uint64_t *at,
                                     struct kafka_batch *out, struct err *err);
/* The bytes of one batch; RC_FULL above out's maximum. */
MUST_CHECK enum rc segment_read(struct segment *segment, uint64_t at, size_t size, struct buf *out, struct err *err);

/*
 * Walks all batches from a position, filling the indexes; `each` may be NULL.  With check, each batch's CRC is
 * verified.  *end is where the last good batch ends; what follows is not a batch.
 */
typedef void segment_each(void *context, const struct kafka_batch *batch);
MUST_CHECK enum rc segment_scan(struct segment *segment, uint64_t from, bool check, segment_each *each, void *context,
                                uint64_t *end, struct err *err);
MUST_CHECK enum rc segment_truncate(struct segment *segment, uint64_t size, struct err *err);
/* Writes both index files; flush makes them last. */
MUST_CHECK enum rc segment_write_index(struct segment *segment, bool flush, struct err *err);
/* From the files when they are sound, else by a scan. */
MUST_CHECK enum rc segment_load_index(struct segment *segment, struct err *err);
bool segment_load_index_files(struct segment *segment); /* false: missing or not sound */
void segment_forget_index(struct segment *segment);

#endif
