/*
 * The properties of a topic: name, type, default, range, documentation, synonyms.
 * Facts as Apache Kafka 4.1 has them; segment.bytes may be as small as in 3.x, which demonstrations of retention and
 * compaction need.
 */
#include "stream/log/config.h"

#define ROW(name_, type_, fallback_, min_, max_, flags_, doc_, ...)                                                    \
    {                                                                                                                  \
        .name = name_, .type = CONFIG_##type_, .fallback = fallback_, .min = min_, .max = max_, .flags = flags_,       \
        .doc = doc_, __VA_ARGS__                                                                                       \
    }

/* retention.ms takes its default from log.retention.ms, .minutes, .hours in this order; so do segment.ms and jitter */
const struct config_row topic_config_rows[] = {
    [TOPIC_CLEANUP_POLICY] = ROW("cleanup.policy", LIST, "delete", 0, 0, CONFIG_EFFECT,
                                 "What happens to old segments: \"delete\" drops them by age and size, \"compact\" "
                                 "keeps the last record of each key; both may be given, separated by a comma.",
                                 .choices = "compact,delete", .synonyms = { "log.cleanup.policy" }),
    [TOPIC_COMPRESSION_TYPE] =
        ROW("compression.type", STRING, "producer", 0, 0, CONFIG_EFFECT,
            "Codec of the batches on disk: \"producer\" keeps what the producer chose; otherwise one of gzip, snappy, "
            "lz4, zstd, or uncompressed.",
            .choices = "uncompressed,zstd,lz4,snappy,gzip,producer", .synonyms = { "compression.type" }),
    [TOPIC_DELETE_RETENTION_MS] = ROW("delete.retention.ms", LONG, "86400000", 0, INT64_MAX, 0,
                                      "How long a tombstone stays readable in a compacted topic, in milliseconds.",
                                      .synonyms = { "log.cleaner.delete.retention.ms" }),
    [TOPIC_FILE_DELETE_DELAY_MS] =
        ROW("file.delete.delay.ms", LONG, "60000", 0, INT64_MAX, CONFIG_EFFECT,
            "How long a segment's files stay on disk after the segment was dropped, in milliseconds.",
            .synonyms = { "log.segment.delete.delay.ms" }),
    [TOPIC_FLUSH_MESSAGES] = ROW("flush.messages", LONG, "9223372036854775807", 1, INT64_MAX, 0,
                                 "Kafka forces a flush after this many records. Here every acknowledged record has "
                                 "been flushed before, whatever this says.",
                                 .synonyms = { "log.flush.interval.messages" }),
    [TOPIC_FLUSH_MS] = ROW("flush.ms", LONG, "9223372036854775807", 0, INT64_MAX, 0,
                           "Kafka forces a flush after this time. Here every acknowledged record has been flushed "
                           "before, whatever this says.",
                           .synonyms = { "log.flush.interval.ms", "log.flush.scheduler.interval.ms" }),
    [TOPIC_INDEX_INTERVAL_BYTES] = ROW("index.interval.bytes", INT, "4096", 0, INT32_MAX, CONFIG_EFFECT,
                                       "About how many bytes of log lie between two entries of the offset index.",
                                       .synonyms = { "log.index.interval.bytes" }),
    [TOPIC_MAX_COMPACTION_LAG_MS] = ROW("max.compaction.lag.ms", LONG, "9223372036854775807", 1, INT64_MAX, 0,
                                        "The longest time that a record may wait for compaction, in milliseconds.",
                                        .synonyms = { "log.cleaner.max.compaction.lag.ms" }),
    [TOPIC_MAX_MESSAGE_BYTES] = ROW("max.message.bytes", INT, "1048588", 0, INT32_MAX, CONFIG_EFFECT,
                                    "Largest record batch, in bytes as sent (after compression), that is accepted.",
                                    .synonyms = { "message.max.bytes" }),
    [TOPIC_MESSAGE_TIMESTAMP_AFTER_MAX_MS] =
        ROW("message.timestamp.after.max.ms", LONG, "3600000", 0, INT64_MAX, CONFIG_EFFECT,
            "How far in the future a record's timestamp may lie, in milliseconds; records beyond are refused. Not used "
            "with LogAppendTime.",
            .synonyms = { "log.message.timestamp.after.max.ms" }),
    [TOPIC_MESSAGE_TIMESTAMP_BEFORE_MAX_MS] =
        ROW("message.timestamp.before.max.ms", LONG, "9223372036854775807", 0, INT64_MAX, CONFIG_EFFECT,
            "How far in the past a record's timestamp may lie, in milliseconds; records beyond are refused. Not used "
            "with LogAppendTime.",
            .synonyms = { "log.message.timestamp.before.max.ms" }),
    [TOPIC_MESSAGE_TIMESTAMP_TYPE] =
        ROW("message.timestamp.type", STRING, "CreateTime", 0, 0, CONFIG_EFFECT,
            "Whose clock stamps the records: CreateTime is the producer's, LogAppendTime this broker's.",
            .choices = "CreateTime,LogAppendTime", .synonyms = { "log.message.timestamp.type" }),
    [TOPIC_MIN_CLEANABLE_DIRTY_RATIO] = ROW("min.cleanable.dirty.ratio", DOUBLE, "0.5", 0, 1, 0,
                                            "Share of uncompacted bytes in a log above which it is worth compacting.",
                                            .synonyms = { "log.cleaner.min.cleanable.ratio" }),
    [TOPIC_MIN_COMPACTION_LAG_MS] = ROW("min.compaction.lag.ms", LONG, "0", 0, INT64_MAX, 0,
                                        "The shortest time that a record stays uncompacted, in milliseconds.",
                                        .synonyms = { "log.cleaner.min.compaction.lag.ms" }),
    [TOPIC_MIN_INSYNC_REPLICAS] = ROW("min.insync.replicas", INT, "1", 1, INT32_MAX, CONFIG_EFFECT,
                                      "How many replicas must have a record before acks=all is answered. There is one "
                                      "replica here: more than 1 makes such writes fail.",
                                      .synonyms = { "min.insync.replicas" }),
    [TOPIC_RETENTION_BYTES] = ROW("retention.bytes", LONG, "-1", 0, 0, CONFIG_EFFECT,
                                  "Bytes that a partition may hold before its oldest segments are dropped "
                                  "(cleanup.policy delete); -1 for no limit.",
                                  .synonyms = { "log.retention.bytes" }),
    [TOPIC_RETENTION_MS] = ROW("retention.ms", LONG, "604800000", -1, INT64_MAX, CONFIG_EFFECT,
                               "How long records are kept before their segments are dropped (cleanup.policy delete), "
                               "in milliseconds; -1 for ever.",
                               .synonyms = { "log.retention.ms", "log.retention.minutes", "log.retention.hours" }),
    [TOPIC_SEGMENT_BYTES] = ROW("segment.bytes", INT, "1073741824", 14, INT32_MAX, CONFIG_EFFECT,
                                "Size of a segment file; a new one is begun when the next batch would not fit. Smaller "
                                "segments are dropped and compacted sooner.",
                                .synonyms = { "log.segment.bytes" }),
    [TOPIC_SEGMENT_INDEX_BYTES] =
        ROW("segment.index.bytes", INT, "10485760", 4, INT32_MAX, 0, "Largest size of a segment's offset index.",
            .synonyms = { "log.index.size.max.bytes" }),
    [TOPIC_SEGMENT_JITTER_MS] =
        ROW("segment.jitter.ms", LONG, "0", 0, INT64_MAX, CONFIG_EFFECT,
            "Random part taken off segment.ms, so that segments are not all closed at one time.",
            .synonyms = { "log.roll.jitter.ms", "log.roll.jitter.hours" }),
    [TOPIC_SEGMENT_MS] = ROW(
        "segment.ms", LONG, "604800000", 1, INT64_MAX, CONFIG_EFFECT,
        "A segment is closed after this time even when it is not full, so that retention and compaction can get at it.",
        .synonyms = { "log.roll.ms", "log.roll.hours" }),
    ROW("compression.gzip.level", INT, "-1", -1, 9, 0, "Level used when this broker itself compresses with gzip.",
        .synonyms = { "compression.gzip.level" }),
    ROW("compression.lz4.level", INT, "9", 1, 17, 0, "Level used when this broker itself compresses with lz4.",
        .synonyms = { "compression.lz4.level" }),
    ROW("compression.zstd.level", INT, "3", -131072, 22, 0, "Level used when this broker itself compresses with zstd.",
        .synonyms = { "compression.zstd.level" }),
    ROW("follower.replication.throttled.replicas", LIST, "", 0, 0, 0,
        "Replicas whose follower side is throttled, as partition:broker pairs, or * for all."),
    ROW("leader.replication.throttled.replicas", LIST, "", 0, 0, 0,
        "Replicas whose leader side is throttled, as partition:broker pairs, or * for all."),
    ROW("local.retention.bytes", LONG, "-2", -2, INT64_MAX, 0,
        "With tiered storage: bytes kept locally per partition; -2 means retention.bytes.",
        .synonyms = { "log.local.retention.bytes" }),
    ROW("local.retention.ms", LONG, "-2", -2, INT64_MAX, 0,
        "With tiered storage: time kept locally; -2 means retention.ms.", .synonyms = { "log.local.retention.ms" }),
    ROW("preallocate", BOOLEAN, "false", 0, 0, 0,
        "Whether segment files take their full size on disk when they are made.", .synonyms = { "log.preallocate" }),
    ROW("remote.log.copy.disable", BOOLEAN, "false", 0, 0, 0, "With tiered storage: makes the remote tier read-only."),
    ROW("remote.log.delete.on.disable", BOOLEAN, "false", 0, 0, 0,
        "With tiered storage: drops remote data when the tier is turned off."),
    ROW("remote.storage.enable", BOOLEAN, "false", 0, 0, 0,
        "Turns tiered storage on for the topic; this broker has none."),
    ROW("unclean.leader.election.enable", BOOLEAN, "false", 0, 0, 0,
        "Whether a replica that is behind may become leader. With a single replica there is no such election.",
        .synonyms = { "unclean.leader.election.enable" }),
};
const size_t topic_config_row_count = ARRAY_LEN(topic_config_rows);
