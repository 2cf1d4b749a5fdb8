/*
 * One partition: its segments, its producers, who waits for it.  Private to this folder; loop thread only.
 *
 * Offsets of a partition: log_start (first one readable) <= high_watermark (first one not yet durable;
 * consumers read below it) <= log_end (next one to be given).
 */
#ifndef STREAM_LOG_PARTITION_H
#define STREAM_LOG_PARTITION_H

#include "stream/log/broker.h"

int64_t partition_log_start(const struct partition *partition);
int64_t partition_high_watermark(const struct partition *partition);
int64_t partition_log_end(const struct partition *partition);
int32_t partition_leader_epoch(const struct partition *partition);
uint64_t partition_size(const struct partition *partition); /* bytes of all segments */

#endif
