/*
 * Records of the topic __consumer_offsets, as Apache Kafka writes them (big-endian, versions first):
 *
 *     key    i16 0|1  string group, string topic, i32 partition                     an offset
 *            i16 2    string group                                                   a group
 *            others: of Kafka's newer group protocols
 *     value of an offset, i16 version: i64 offset, [3+] i32 leader epoch, string metadata, i64 commit time,
 *            [1 only] i64 expiry time.  Written as 4, or as 1 when it has an expiry time.
 *     value of a group, i16 version: string protocol type, i32 generation, string? protocol, string? leader,
 *            [2+] i64 time of the state, i32 count of members { string id, [3+] string? instance id,
 *            string client id, string client host, [1+] i32 rebalance timeout, i32 session timeout,
 *            bytes subscription, bytes assignment }.  Written as 3.
 *
 * Version 4 of both is flexible (KIP-482): compact lengths, tagged fields at each end.  string: i16 length and bytes,
 * -1 null; bytes: i32.  A null value deletes the key.
 */
#ifndef STREAM_LOG_GROUP_RECORD_H
#define STREAM_LOG_GROUP_RECORD_H

#include "base/base.h"
#include "wire/kafka/kafka.h"

enum group_record_kind { GROUP_RECORD_OTHER, GROUP_RECORD_OFFSET, GROUP_RECORD_GROUP };

struct group_record_member {
    struct str id, instance_id, client_id, client_host;
    int32_t rebalance_ms, session_ms;
    struct str subscription, assignment;
};

struct group_record {
    enum group_record_kind kind;
    bool deleted; /* a tombstone: only the key is there */
    struct str group;
    /* an offset */
    struct str topic;
    int32_t partition, leader_epoch;
    int64_t offset, committed_at, expires_at; /* expires_at -1: none */
    struct str metadata;
    /* a group */
    struct str protocol_type, protocol, leader; /* p NULL: null */
    int32_t generation;
    int64_t state_since; /* -1: unknown */
    struct group_record_member *members;
    int32_t member_count;
};

void group_record_write(const struct group_record *record, struct buf *key, struct buf *value);
/* Views into key and value; the members come from the arena. */
MUST_CHECK enum rc group_record_read(struct str key, struct str value, struct arena *arena, struct group_record *out,
                                     struct err *err);

#endif
