/*
 * One partition: its segments, its producers, who waits for it.  Private to this folder; loop thread only.
 *
 * Offsets of a partition: log_start (first one readable) <= high_watermark (first one not yet durable;
 * consumers read below it) <= log_end (next one to be given).
 */
#ifndef STREAM_LOG_PARTITION_H
#define STREAM_LOG_PARTITION_H

#include "stream/log/broker.h"
#include "stream/log/producers.h"
#include "stream/log/segment.h"

struct fetch_waiter; /* fetch.c */

struct epoch_start {
    int32_t epoch;
    int64_t offset;
};

struct partition {
    struct broker *broker;
    struct topic *topic; /* NULL: deleted; whoever still holds it must not use it */
    int32_t index;
    int refs;
    char *dir;
    struct segment **segments; /* ascending, never empty once open; the last is the active one */
    size_t segment_count, segment_cap;
    struct segment *cold; /* the one closed segment whose index is in memory; may have left since: compare only */
    int64_t log_start, high_watermark, log_end;
    int32_t leader_epoch;
    struct epoch_start *epochs; /* history, ascending */
    size_t epoch_count;
    struct producers producers;
    bool is_dirty;       /* of the flusher */
    bool is_broken;      /* could not even be rolled back: takes nothing until a restart */
    unsigned generation; /* counts roll-backs: who appended in another one was not acknowledged */
    struct fetch_waiter *waiters;
};

/* Opens or creates the partition's directory.  With check, the tail is verified by its checksums and cut where it is
 * torn; without, the last stop is known to have been clean. */
MUST_CHECK enum rc partition_open(struct broker *broker, struct topic *topic, int32_t index, bool check,
                                  int64_t log_start, struct partition **out, struct err *err);
void partition_hold(struct partition *partition);
void partition_release(struct partition *partition); /* NULL is fine */
/* Writes indexes and producer snapshot of a clean stop; everything is flushed already. */
void partition_checkpoint(struct partition *partition);
/* After a failed flush: back to what is durable. */
MUST_CHECK enum rc partition_roll_back(struct partition *partition, struct err *err);

static inline struct segment *partition_active(const struct partition *partition)
{
    return partition->segments[partition->segment_count - 1];
}
void partition_add_segment(struct partition *partition,
                           struct segment *segment);        /* takes it; it becomes the active one */
uint64_t partition_size(const struct partition *partition); /* bytes of all segments */

struct append_result {
    int64_t base_offset;
    int64_t append_time; /* ms; -1: the records keep their own */
    const char *why;     /* with an error: a phrase, or NULL */
};
/* Gives a checked batch (of exactly batch->length + 12 bytes) its place and writes it; the bytes are changed.  It is
 * durable after the next flush.  A repeated batch of an idempotent producer: KAFKA_NONE and its first offset. */
enum kafka_error partition_append(struct partition *partition, char *bytes, struct kafka_batch *batch,
                                  struct append_result *out);

struct slice {
    struct segment *segment; /* NULL: nothing there yet */
    uint64_t at;
    size_t len;
};
/* Whole batches (the last may be cut) from the one that holds the offset.  When the first batch is larger than
 * max_bytes: alone if at_least_one, else nothing.  KAFKA_OFFSET_OUT_OF_RANGE below log_start or above the end. */
enum kafka_error partition_read(struct partition *partition, int64_t offset, size_t max_bytes, bool at_least_one,
                                struct slice *out);

struct offset_at {
    int64_t offset, timestamp; /* -1: none */
    int32_t leader_epoch;
};
/* The first record with a timestamp at or after the given one. */
enum kafka_error partition_find_time(struct partition *partition, int64_t timestamp, struct offset_at *out);
/* The record with the largest timestamp. */
enum kafka_error partition_find_max_time(struct partition *partition, struct offset_at *out);
int32_t partition_epoch_at(const struct partition *partition, int64_t offset); /* leader epoch that wrote it */
/* End of an epoch as OffsetForLeaderEpoch tells it: the largest known epoch <= the asked one, and where it ends. */
void partition_epoch_end(const struct partition *partition, int32_t epoch, int32_t *found, int64_t *end_offset);

/* Records below the offset (at most the high watermark) are gone; segments wholly below it leave the disk. */
void partition_advance_start(struct partition *partition, int64_t offset);
/* Records whose time is over as they come are kept for a while all the same; called for each batch appended. */
void partition_note_late(struct partition *partition, const struct kafka_batch *batch, int64_t now_ms);
/* Removes what retention no longer wants.  Returns the time (ms, wall) at which to look again; INT64_MAX: never. */
int64_t partition_retain(struct partition *partition, int64_t now_ms);

/* fetch.c: the high watermark moved, or the partition goes away. */
void fetch_wake(struct partition *partition);

#endif
