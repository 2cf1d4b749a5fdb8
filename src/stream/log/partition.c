/*
 * Appending to and reading from a partition.  How it is opened and recovered is recover.c's, what leaves it
 * retain.c's.
 */
#include "stream/log/partition.h"

#include <stdlib.h>
#include <string.h>

#include "disk/disk.h"
#include "stream/log/flush.h"

enum { SEARCH_BATCH_MAX = 128 << 20 };

void partition_hold(struct partition *partition)
{
    partition->refs++;
}

void partition_release(struct partition *partition)
{
    if (!partition || --partition->refs > 0)
        return;
    for (size_t i = 0; i < partition->segment_count; i++)
        segment_release(partition->segments[i]);
    free(partition->segments);
    free(partition->epochs);
    producers_clear(&partition->producers);
    free(partition->dir);
    free(partition);
}

uint64_t partition_size(const struct partition *partition)
{
    uint64_t size = 0;

    for (size_t i = 0; i < partition->segment_count; i++)
        size += partition->segments[i]->size;
    return size;
}

/* ----------------------------------------------------------------------------------- appending */

static bool must_roll(const struct partition *partition, const struct kafka_batch *batch, int64_t now)
{
    const struct segment *active = partition_active(partition);
    const struct topic_config *config = &partition->topic->config;
    int64_t last = partition->log_end + batch->last_offset_delta;

    if (active->size == 0)
        return last - active->base_offset > INT32_MAX;
    int64_t since = active->first_timestamp >= 0 ? active->first_timestamp : active->created_ms;
    int64_t until = active->first_timestamp >= 0 ? batch->max_timestamp : now;
    return active->size + kafka_batch_size(batch) > (uint64_t)topic_config_int(config, TOPIC_SEGMENT_BYTES) ||
           last - active->base_offset > INT32_MAX ||
           (until > since && until - since > topic_config_int(config, TOPIC_SEGMENT_MS));
}

/* what a restart needs besides the segment itself: the state of producers at its start */
static enum rc write_snapshot(struct partition *partition, struct err *err)
{
    CLEANUP(buf_free) struct buf path = { 0 };
    CLEANUP(buf_free) struct buf bytes = { 0 };
    CLEANUP(disk_close) int fd = -1;

    segment_path(partition->dir, partition->log_end, ".snapshot", &path);
    producers_save(&partition->producers, &bytes);
    enum rc rc = disk_open(buf_cstr(&path), O_WRONLY | O_CREAT | O_TRUNC, 0644, &fd, err);
    return rc ? rc : disk_write_all(fd, bytes.data, bytes.len, buf_cstr(&path), err);
}

void partition_add_segment(struct partition *partition, struct segment *segment)
{
    if (partition->segment_count == partition->segment_cap) {
        partition->segment_cap = MAX(partition->segment_cap * 2, 4u);
        partition->segments = mem_grow(partition->segments, partition->segment_cap, sizeof(struct segment *));
    }
    partition->segments[partition->segment_count++] = segment;
}

static enum rc roll(struct partition *partition, struct err *err)
{
    struct segment *old = partition_active(partition), *fresh = NULL;
    enum rc rc = segment_create(partition->dir, partition->log_end, &fresh, err);

    if (!rc)
        rc = write_snapshot(partition, err);
    if (!rc && old->has_index)
        rc = segment_write_index(old, false, err);
    if (rc) {
        if (fresh) {
            segment_unlink(fresh);
            segment_release(fresh);
        }
        return rc;
    }
    segment_forget_index(old);
    partition_add_segment(partition, fresh);
    log_debug("rolled segment", "partition=%s base=%lld", partition->dir, (long long)partition->log_end);
    return RC_OK;
}

static void storage_failed(struct partition *partition, const struct err *err)
{
    static struct log_rate rate;
    unsigned more = 0;

    if (log_allow(&rate, 6, &more))
        log_error("cannot write to the log; producers get an error until it works again",
                  "partition=%s why=%s left_out=%u", partition->dir, err->text, more);
}

enum kafka_error partition_append(struct partition *partition, char *bytes, struct kafka_batch *batch,
                                  struct append_result *out)
{
    int64_t duplicate = -1, now = clock_wall_ms();
    struct err err = { 0 };
    enum kafka_error error = producers_check(&partition->producers, batch, &duplicate);

    *out = (struct append_result){ .base_offset = duplicate, .append_time = -1 };
    if (error || duplicate >= 0)
        return error;
    if (partition->is_broken)
        return KAFKA_STORAGE_ERROR;
    if (partition->topic->config.log_append_time) {
        kafka_batch_set_append_time(bytes, kafka_batch_size(batch), now);
        kafka_batch_parse_header(bytes, batch);
        out->append_time = now;
    }
    if (must_roll(partition, batch, now) && roll(partition, &err)) {
        storage_failed(partition, &err);
        return KAFKA_STORAGE_ERROR;
    }
    struct segment *active = partition_active(partition);
    bool was_empty = active->size == 0;
    kafka_batch_set_place(bytes, partition->log_end, partition->leader_epoch);
    batch->base_offset = partition->log_end;
    batch->leader_epoch = partition->leader_epoch;
    if (segment_append(active, bytes, batch, &err)) {
        storage_failed(partition, &err);
        return KAFKA_STORAGE_ERROR;
    }
    out->base_offset = batch->base_offset;
    partition->log_end = kafka_batch_last_offset(batch) + 1;
    producers_note(&partition->producers, batch);
    flusher_mark(partition->broker->flusher, partition);
    if (was_empty)
        broker_retention_wanted(partition->broker);
    return KAFKA_NONE;
}

/* -------------------------------------------------------------------------------------- reading */

/* index of the segment that would hold the offset */
static size_t segment_at(const struct partition *partition, int64_t offset)
{
    size_t low = 0, high = partition->segment_count;

    while (high - low > 1) {
        size_t mid = (low + high) / 2;
        if (partition->segments[mid]->base_offset <= offset)
            low = mid;
        else
            high = mid;
    }
    return low;
}

static enum kafka_error unreadable(const struct partition *partition, const struct err *err)
{
    static struct log_rate rate;
    unsigned more = 0;

    if (log_allow(&rate, 6, &more))
        log_error("cannot read the log", "partition=%s why=%s left_out=%u", partition->dir, err->text, more);
    return KAFKA_STORAGE_ERROR;
}

/* At most one closed segment has its index in memory: they are small, but there may be many. */
static void keep_one_index(struct partition *partition, struct segment *used)
{
    if (used == partition_active(partition) || used == partition->cold)
        return;
    for (size_t i = 0; i + 1 < partition->segment_count; i++)
        if (partition->segments[i] == partition->cold)
            segment_forget_index(partition->cold);
    partition->cold = used;
}

/* the batch that holds the offset, or the first after it: RC_AGAIN when none is durable yet */
static enum rc find_batch(struct partition *partition, int64_t offset, struct segment **segment, uint64_t *at,
                          struct kafka_batch *batch, struct err *err)
{
    for (size_t i = segment_at(partition, offset); i < partition->segment_count; i++) {
        *segment = partition->segments[i];
        enum rc rc = segment_find(*segment, offset, (*segment)->flushed, at, batch, err);
        keep_one_index(partition, *segment);
        if (rc != RC_AGAIN)
            return rc;
    }
    return RC_AGAIN;
}

enum kafka_error partition_read(struct partition *partition, int64_t offset, size_t max_bytes, bool at_least_one,
                                struct slice *out)
{
    struct kafka_batch batch;
    struct err err = { 0 };
    uint64_t at = 0;

    *out = (struct slice){ 0 };
    if (offset < partition->log_start || offset > partition->log_end)
        return KAFKA_OFFSET_OUT_OF_RANGE;
    if (offset >= partition->high_watermark)
        return KAFKA_NONE;
    enum rc rc = find_batch(partition, offset, &out->segment, &at, &batch, &err);
    if (rc) {
        out->segment = NULL;
        return rc == RC_AGAIN ? KAFKA_NONE : unreadable(partition, &err);
    }
    size_t size = kafka_batch_size(&batch);
    size_t there = (size_t)MIN(out->segment->flushed - at, (uint64_t)INT32_MAX);
    if (max_bytes < size && !at_least_one) {
        out->segment = NULL;
        return KAFKA_NONE;
    }
    out->at = at;
    out->len = MAX(max_bytes, size);
    out->len = MIN(there, out->len);
    return KAFKA_NONE;
}

/* ----------------------------------------------------------------------------------------- time */

/* the first record of a batch at or after a time; RC_AGAIN: it has none */
static enum rc search_batch(struct partition *partition, struct segment *segment, uint64_t at,
                            const struct kafka_batch *batch, int64_t timestamp, struct offset_at *out, struct err *err)
{
    CLEANUP(buf_free) struct buf bytes = { .max = SEARCH_BATCH_MAX };
    struct kafka_skimmer *skimmer = &partition->broker->skimmer;
    struct kafka_record_head head;
    enum rc rc = segment_read(segment, at, kafka_batch_size(batch), &bytes, err);

    if (rc)
        return rc;
    for (kafka_skimmer_begin(skimmer, buf_str(&bytes), batch); kafka_skimmer_next(skimmer, &head);) {
        int64_t offset = (int64_t)((uint64_t)batch->base_offset + (uint64_t)head.offset_delta);
        if (head.timestamp < timestamp || offset < partition->log_start)
            continue;
        *out = (struct offset_at){ offset, head.timestamp, batch->leader_epoch };
        break;
    }
    kafka_skimmer_trim(skimmer);
    if (skimmer->error)
        return err_set(err, RC_BAD_INPUT, "cannot read a record of the batch at offset %lld: %s",
                       (long long)batch->base_offset, skimmer->why);
    return out->offset >= 0 ? RC_OK : RC_AGAIN;
}

enum kafka_error partition_find_time(struct partition *partition, int64_t timestamp, struct offset_at *out)
{
    struct err err = { 0 };

    *out = (struct offset_at){ -1, -1, -1 };
    for (size_t i = segment_at(partition, partition->log_start); i < partition->segment_count; i++) {
        struct segment *segment = partition->segments[i];
        struct kafka_batch batch;
        uint64_t at = 0;
        if (segment->max_timestamp < timestamp)
            continue;
        enum rc rc = segment_find_time(segment, timestamp, segment->flushed, &at, &batch, &err);
        keep_one_index(partition, segment);
        for (; !rc; rc = segment_header(segment, at, segment->flushed, &batch, &err)) {
            rc = batch.max_timestamp >= timestamp ? search_batch(partition, segment, at, &batch, timestamp, out, &err)
                                                  : RC_AGAIN;
            if (rc != RC_AGAIN)
                return rc ? unreadable(partition, &err) : KAFKA_NONE;
            at += kafka_batch_size(&batch);
        }
        if (rc != RC_AGAIN)
            return unreadable(partition, &err);
    }
    return KAFKA_NONE;
}

enum kafka_error partition_find_max_time(struct partition *partition, struct offset_at *out)
{
    int64_t largest = -1;

    for (size_t i = segment_at(partition, partition->log_start); i < partition->segment_count; i++)
        largest = MAX(largest, partition->segments[i]->max_timestamp);
    *out = (struct offset_at){ -1, -1, -1 };
    return largest < 0 ? KAFKA_NONE : partition_find_time(partition, largest, out);
}

/* --------------------------------------------------------------------------------------- epochs */

int32_t partition_epoch_at(const struct partition *partition, int64_t offset)
{
    int32_t epoch = -1;

    for (size_t i = 0; i < partition->epoch_count && partition->epochs[i].offset <= offset; i++)
        epoch = partition->epochs[i].epoch;
    return epoch;
}

void partition_epoch_end(const struct partition *partition, int32_t epoch, int32_t *found, int64_t *end_offset)
{
    *found = -1;
    *end_offset = -1;
    if (epoch == partition->leader_epoch) {
        *found = epoch;
        *end_offset = partition->log_end;
        return;
    }
    if (epoch > partition->leader_epoch)
        return;
    for (size_t i = 0; i < partition->epoch_count && partition->epochs[i].epoch <= epoch; i++) {
        *found = partition->epochs[i].epoch;
        *end_offset = i + 1 < partition->epoch_count ? partition->epochs[i + 1].offset : partition->log_end;
    }
}
