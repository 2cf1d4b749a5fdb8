/*
 * The table of APIs and the headers of requests and responses.
 *
 * A frame is int32 length, then the header, then the body.  Request header v1: int16 key, int16
 * version, int32 correlation id, nullable string client id; v2 (flexible versions) adds tagged
 * fields; the client id keeps its int16 length in both.  Response header v0: int32 correlation id;
 * v1 (flexible) adds tagged fields — except ApiVersions, whose response always has v0.
 */
#ifndef WIRE_KAFKA_API_H
#define WIRE_KAFKA_API_H

#include "wire/kafka/message.h"

enum kafka_api_key {
    KAFKA_API_PRODUCE = 0,
    KAFKA_API_FETCH = 1,
    KAFKA_API_LIST_OFFSETS = 2,
    KAFKA_API_METADATA = 3,
    KAFKA_API_OFFSET_COMMIT = 8,
    KAFKA_API_OFFSET_FETCH = 9,
    KAFKA_API_FIND_COORDINATOR = 10,
    KAFKA_API_JOIN_GROUP = 11,
    KAFKA_API_HEARTBEAT = 12,
    KAFKA_API_LEAVE_GROUP = 13,
    KAFKA_API_SYNC_GROUP = 14,
    KAFKA_API_DESCRIBE_GROUPS = 15,
    KAFKA_API_LIST_GROUPS = 16,
    KAFKA_API_API_VERSIONS = 18,
    KAFKA_API_CREATE_TOPICS = 19,
    KAFKA_API_DELETE_TOPICS = 20,
    KAFKA_API_DELETE_RECORDS = 21,
    KAFKA_API_INIT_PRODUCER_ID = 22,
    KAFKA_API_OFFSET_FOR_LEADER_EPOCH = 23,
    KAFKA_API_DESCRIBE_ACLS = 29,
    KAFKA_API_CREATE_ACLS = 30,
    KAFKA_API_DELETE_ACLS = 31,
    KAFKA_API_DESCRIBE_CONFIGS = 32,
    KAFKA_API_ALTER_CONFIGS = 33,
    KAFKA_API_ALTER_REPLICA_LOG_DIRS = 34,
    KAFKA_API_DESCRIBE_LOG_DIRS = 35,
    KAFKA_API_CREATE_PARTITIONS = 37,
    KAFKA_API_DELETE_GROUPS = 42,
    KAFKA_API_ELECT_LEADERS = 43,
    KAFKA_API_INCREMENTAL_ALTER_CONFIGS = 44,
    KAFKA_API_ALTER_PARTITION_REASSIGNMENTS = 45,
    KAFKA_API_LIST_PARTITION_REASSIGNMENTS = 46,
    KAFKA_API_OFFSET_DELETE = 47,
    KAFKA_API_DESCRIBE_CLIENT_QUOTAS = 48,
    KAFKA_API_ALTER_CLIENT_QUOTAS = 49,
    KAFKA_API_DESCRIBE_USER_SCRAM_CREDENTIALS = 50,
    KAFKA_API_DESCRIBE_QUORUM = 55,
    KAFKA_API_DESCRIBE_CLUSTER = 60,
    KAFKA_API_DESCRIBE_PRODUCERS = 61,
    KAFKA_API_LIST_CONFIG_RESOURCES = 74,
    KAFKA_API_DESCRIBE_TOPIC_PARTITIONS = 75,
};

struct kafka_api {
    int16_t key;
    const char *name;
    int16_t min, max; /* versions that Apache Kafka 4.1 speaks */
    int16_t flexible; /* first flexible version; -1: none */
    const struct kafka_message *request, *response;
};

extern const struct kafka_api kafka_apis[];
extern const size_t kafka_api_count;
const struct kafka_api *kafka_api_find(int key); /* NULL: not in the table */
bool kafka_api_is_flexible(const struct kafka_api *api, int version);

struct kafka_request_header {
    int16_t key, version;
    int32_t correlation_id;
    struct str client_id; /* p == NULL: null */
};
/* Reads the header; api is that of header->key, or NULL when it is unknown (then only the first three
 * fields are read).  Check reader->error. */
const struct kafka_api *kafka_read_request_header(struct kafka_reader *reader, struct kafka_request_header *header);
void kafka_write_request_header(struct buf *out, const struct kafka_api *api,
                                const struct kafka_request_header *header);
void kafka_write_response_header(struct buf *out, const struct kafka_api *api, int version, int32_t correlation_id);

#endif
