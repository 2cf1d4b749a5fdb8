/*
 * What leaves a partition: retention by time and size, and DeleteRecords.
 *
 * Records leave when their time is over, not at the next look of a clock that ticks.  Those whose time was over when
 * they came (somebody loads history, with its own timestamps) stay for log.retention.check.interval.ms, as they do on
 * average and more with Kafka's ticking clock: time enough to read them, or to see them go.
 */
#include <string.h>

#include "stream/log/flush.h"
#include "stream/log/partition.h"

static void drop_first(struct partition *partition)
{
    struct segment *gone = partition->segments[0];

    partition->segment_count--;
    memmove(partition->segments, partition->segments + 1, partition->segment_count * sizeof *partition->segments);
    flusher_remove(partition->broker->flusher, gone);
    segment_release(gone);
    partition->log_start = MAX(partition->log_start, partition->segments[0]->base_offset);
}

/* an empty segment behind the active one, so that the active one may go too */
static bool roll_for_removal(struct partition *partition)
{
    struct segment *fresh = NULL;
    struct err err = { 0 };

    if (partition->log_end != partition->high_watermark ||
        segment_create(partition->dir, partition->log_end, &fresh, &err))
        return false;
    partition_add_segment(partition, fresh);
    flusher_mark(partition->broker->flusher, partition); /* its name must last before the others' go */
    return true;
}

void partition_advance_start(struct partition *partition, int64_t offset)
{
    size_t before = partition->segment_count;

    offset = MIN(offset, partition->high_watermark);
    partition->log_start = MAX(partition->log_start, offset);
    if (partition->log_start == partition->log_end && partition_active(partition)->size > 0)
        roll_for_removal(partition);
    while (partition->segment_count > 1 && partition->segments[1]->base_offset <= partition->log_start)
        drop_first(partition);
    if (before != partition->segment_count)
        log_debug("removed segments", "partition=%s log_start=%lld", partition->dir, (long long)partition->log_start);
}

static bool is_durable(const struct segment *segment)
{
    return segment->flushed == segment->size;
}

static int64_t later(int64_t at, int64_t ms)
{
    return __builtin_add_overflow(at, ms, &at) ? INT64_MAX : at;
}

/* when a segment's records are older than retention.ms; never for one without records */
static int64_t expires_at(const struct segment *segment, int64_t retention_ms, int64_t interval_ms)
{
    if (segment->size == 0 || retention_ms < 0)
        return INT64_MAX;
    int64_t at = later(segment->max_timestamp >= 0 ? segment->max_timestamp : segment->created_ms, retention_ms);
    int64_t came = at < segment->written_ms ? MAX(segment->late_ms, segment->written_ms) : segment->late_ms;
    return came ? MAX(at, later(came, interval_ms)) : at;
}

void partition_note_late(struct partition *partition, const struct kafka_batch *batch, int64_t now_ms)
{
    int64_t retention_ms = topic_config_int(&partition->topic->config, TOPIC_RETENTION_MS);

    if (retention_ms >= 0 && later(batch->max_timestamp, retention_ms) < now_ms)
        partition_active(partition)->late_ms = now_ms;
}

static void retain_size(struct partition *partition, int64_t limit)
{
    uint64_t size = partition_size(partition);

    while (limit >= 0 && partition->segment_count > 1 && is_durable(partition->segments[0]) &&
           size >= (uint64_t)limit + partition->segments[0]->size) {
        size -= partition->segments[0]->size;
        drop_first(partition);
    }
}

int64_t partition_retain(struct partition *partition, int64_t now_ms)
{
    const struct topic_config *config = &partition->topic->config;
    int64_t retention_ms = topic_config_int(config, TOPIC_RETENTION_MS);
    int64_t interval_ms = broker_config_int(&partition->broker->config, "log.retention.check.interval.ms");
    int64_t was = partition->log_start;

    producers_expire(&partition->producers,
                     now_ms - broker_config_int(&partition->broker->config, "producer.id.expiration.ms"));
    if (!config->deletes)
        return INT64_MAX;
    for (;;) {
        struct segment *first = partition->segments[0];
        if (expires_at(first, retention_ms, interval_ms) >= now_ms || !is_durable(first))
            break;
        if (partition->segment_count == 1 && !roll_for_removal(partition))
            break;
        drop_first(partition);
    }
    retain_size(partition, topic_config_int(config, TOPIC_RETENTION_BYTES));
    if (partition->log_start != was)
        log_info("removed what is older or more than retention allows", "partition=%s log_start=%lld", partition->dir,
                 (long long)partition->log_start);
    return expires_at(partition->segments[0], retention_ms, interval_ms);
}
