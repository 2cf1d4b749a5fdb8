/* Messages for reading: Fetch, ListOffsets, OffsetForLeaderEpoch.  Rows: fetch.c; how they are walked: message.h. */
#ifndef WIRE_KAFKA_FETCH_H
#define WIRE_KAFKA_FETCH_H

#include "wire/kafka/message.h"

/* FetchRequest, key 1, versions 4-18, flexible from 12 */
struct kafka_fetch_request_replica_state {
    int32_t replica_id;
    int64_t replica_epoch;
};
struct kafka_fetch_request_partition {
    int32_t partition;
    int32_t current_leader_epoch;
    int64_t fetch_offset;
    int32_t last_fetched_epoch;
    int64_t log_start_offset;
    int32_t partition_max_bytes;
    struct kafka_uuid replica_directory_id;
    int64_t high_watermark;
};
struct kafka_fetch_request_topic {
    struct str topic;
    struct kafka_uuid topic_id;
    KAFKA_LIST(struct kafka_fetch_request_partition) partitions;
};
struct kafka_fetch_request_forgotten_topics_data {
    struct str topic;
    struct kafka_uuid topic_id;
    KAFKA_LIST(int32_t) partitions;
};
struct kafka_fetch_request {
    struct str cluster_id;
    int32_t replica_id;
    struct kafka_fetch_request_replica_state *replica_state;
    int32_t max_wait_ms;
    int32_t min_bytes;
    int32_t max_bytes;
    int8_t isolation_level;
    int32_t session_id;
    int32_t session_epoch;
    KAFKA_LIST(struct kafka_fetch_request_topic) topics;
    KAFKA_LIST(struct kafka_fetch_request_forgotten_topics_data) forgotten_topics_data;
    struct str rack_id;
};
extern const struct kafka_message kafka_fetch_request_message;

/* FetchResponse, key 1, versions 4-18, flexible from 12 */
struct kafka_fetch_response_diverging_epoch {
    int32_t epoch;
    int64_t end_offset;
};
struct kafka_fetch_response_current_leader {
    int32_t leader_id;
    int32_t leader_epoch;
};
struct kafka_fetch_response_snapshot_id {
    int64_t end_offset;
    int32_t epoch;
};
struct kafka_fetch_response_aborted_transaction {
    int64_t producer_id;
    int64_t first_offset;
};
struct kafka_fetch_response_partition {
    int32_t partition_index;
    int16_t error_code;
    int64_t high_watermark;
    int64_t last_stable_offset;
    int64_t log_start_offset;
    struct kafka_fetch_response_diverging_epoch *diverging_epoch;
    struct kafka_fetch_response_current_leader *current_leader;
    struct kafka_fetch_response_snapshot_id *snapshot_id;
    KAFKA_LIST(struct kafka_fetch_response_aborted_transaction) aborted_transactions;
    int32_t preferred_read_replica;
    struct kafka_records records;
};
struct kafka_fetch_response_response {
    struct str topic;
    struct kafka_uuid topic_id;
    KAFKA_LIST(struct kafka_fetch_response_partition) partitions;
};
struct kafka_fetch_response_node_endpoint {
    int32_t node_id;
    struct str host;
    int32_t port;
    struct str rack;
};
struct kafka_fetch_response {
    int32_t throttle_time_ms;
    int16_t error_code;
    int32_t session_id;
    KAFKA_LIST(struct kafka_fetch_response_response) responses;
    KAFKA_LIST(struct kafka_fetch_response_node_endpoint) node_endpoints;
};
extern const struct kafka_message kafka_fetch_response_message;

/* ListOffsetsRequest, key 2, versions 1-10, flexible from 6 */
struct kafka_list_offsets_request_partition {
    int32_t partition_index;
    int32_t current_leader_epoch;
    int64_t timestamp;
};
struct kafka_list_offsets_request_topic {
    struct str name;
    KAFKA_LIST(struct kafka_list_offsets_request_partition) partitions;
};
struct kafka_list_offsets_request {
    int32_t replica_id;
    int8_t isolation_level;
    KAFKA_LIST(struct kafka_list_offsets_request_topic) topics;
    int32_t timeout_ms;
};
extern const struct kafka_message kafka_list_offsets_request_message;

/* ListOffsetsResponse, key 2, versions 1-10, flexible from 6 */
struct kafka_list_offsets_response_partition {
    int32_t partition_index;
    int16_t error_code;
    int64_t timestamp;
    int64_t offset;
    int32_t leader_epoch;
};
struct kafka_list_offsets_response_topic {
    struct str name;
    KAFKA_LIST(struct kafka_list_offsets_response_partition) partitions;
};
struct kafka_list_offsets_response {
    int32_t throttle_time_ms;
    KAFKA_LIST(struct kafka_list_offsets_response_topic) topics;
};
extern const struct kafka_message kafka_list_offsets_response_message;

/* OffsetForLeaderEpochRequest, key 23, versions 2-4, flexible from 4 */
struct kafka_offset_for_leader_epoch_request_partition {
    int32_t partition;
    int32_t current_leader_epoch;
    int32_t leader_epoch;
};
struct kafka_offset_for_leader_epoch_request_topic {
    struct str topic;
    KAFKA_LIST(struct kafka_offset_for_leader_epoch_request_partition) partitions;
};
struct kafka_offset_for_leader_epoch_request {
    int32_t replica_id;
    KAFKA_LIST(struct kafka_offset_for_leader_epoch_request_topic) topics;
};
extern const struct kafka_message kafka_offset_for_leader_epoch_request_message;

/* OffsetForLeaderEpochResponse, key 23, versions 2-4, flexible from 4 */
struct kafka_offset_for_leader_epoch_response_partition {
    int16_t error_code;
    int32_t partition;
    int32_t leader_epoch;
    int64_t end_offset;
};
struct kafka_offset_for_leader_epoch_response_topic {
    struct str topic;
    KAFKA_LIST(struct kafka_offset_for_leader_epoch_response_partition) partitions;
};
struct kafka_offset_for_leader_epoch_response {
    int32_t throttle_time_ms;
    KAFKA_LIST(struct kafka_offset_for_leader_epoch_response_topic) topics;
};
extern const struct kafka_message kafka_offset_for_leader_epoch_response_message;

#endif
