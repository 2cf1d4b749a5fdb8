/* Messages for finding one's way: ApiVersions, Metadata, FindCoordinator, DescribeCluster, DescribeTopicPartitions,
 * DescribeQuorum.  Rows: metadata.c; how they are walked: message.h. */
#ifndef WIRE_KAFKA_METADATA_H
#define WIRE_KAFKA_METADATA_H

#include "wire/kafka/message.h"

/* ApiVersionsRequest, key 18, versions 0-4, flexible from 3 */
struct kafka_api_versions_request {
    struct str client_software_name;
    struct str client_software_version;
};
extern const struct kafka_message kafka_api_versions_request_message;

/* ApiVersionsResponse, key 18, versions 0-4, flexible from 3 */
struct kafka_api_versions_response_api_key {
    int16_t api_key;
    int16_t min_version;
    int16_t max_version;
};
struct kafka_api_versions_response_supported_feature {
    struct str name;
    int16_t min_version;
    int16_t max_version;
};
struct kafka_api_versions_response_finalized_feature {
    struct str name;
    int16_t max_version_level;
    int16_t min_version_level;
};
struct kafka_api_versions_response {
    int16_t error_code;
    KAFKA_LIST(struct kafka_api_versions_response_api_key) api_keys;
    int32_t throttle_time_ms;
    KAFKA_LIST(struct kafka_api_versions_response_supported_feature) supported_features;
    int64_t finalized_features_epoch;
    KAFKA_LIST(struct kafka_api_versions_response_finalized_feature) finalized_features;
    bool zk_migration_ready;
};
extern const struct kafka_message kafka_api_versions_response_message;

/* MetadataRequest, key 3, versions 0-13, flexible from 9 */
struct kafka_metadata_request_topic {
    struct kafka_uuid topic_id;
    struct str name;
};
struct kafka_metadata_request {
    KAFKA_LIST(struct kafka_metadata_request_topic) topics;
    bool allow_auto_topic_creation;
    bool include_cluster_authorized_operations;
    bool include_topic_authorized_operations;
};
extern const struct kafka_message kafka_metadata_request_message;

/* MetadataResponse, key 3, versions 0-13, flexible from 9 */
struct kafka_metadata_response_broker {
    int32_t node_id;
    struct str host;
    int32_t port;
    struct str rack;
};
struct kafka_metadata_response_partition {
    int16_t error_code;
    int32_t partition_index;
    int32_t leader_id;
    int32_t leader_epoch;
    KAFKA_LIST(int32_t) replica_nodes;
    KAFKA_LIST(int32_t) isr_nodes;
    KAFKA_LIST(int32_t) offline_replicas;
};
struct kafka_metadata_response_topic {
    int16_t error_code;
    struct str name;
    struct kafka_uuid topic_id;
    bool is_internal;
    KAFKA_LIST(struct kafka_metadata_response_partition) partitions;
    int32_t topic_authorized_operations;
};
struct kafka_metadata_response {
    int32_t throttle_time_ms;
    KAFKA_LIST(struct kafka_metadata_response_broker) brokers;
    struct str cluster_id;
    int32_t controller_id;
    KAFKA_LIST(struct kafka_metadata_response_topic) topics;
    int32_t cluster_authorized_operations;
    int16_t error_code;
};
extern const struct kafka_message kafka_metadata_response_message;

/* FindCoordinatorRequest, key 10, versions 0-6, flexible from 3 */
struct kafka_find_coordinator_request {
    struct str key;
    int8_t key_type;
    KAFKA_LIST(struct str) coordinator_keys;
};
extern const struct kafka_message kafka_find_coordinator_request_message;

/* FindCoordinatorResponse, key 10, versions 0-6, flexible from 3 */
struct kafka_find_coordinator_response_coordinator {
    struct str key;
    int32_t node_id;
    struct str host;
    int32_t port;
    int16_t error_code;
    struct str error_message;
};
struct kafka_find_coordinator_response {
    int32_t throttle_time_ms;
    int16_t error_code;
    struct str error_message;
    int32_t node_id;
    struct str host;
    int32_t port;
    KAFKA_LIST(struct kafka_find_coordinator_response_coordinator) coordinators;
};
extern const struct kafka_message kafka_find_coordinator_response_message;

/* DescribeClusterRequest, key 60, versions 0-2, flexible from 0 */
struct kafka_describe_cluster_request {
    bool include_cluster_authorized_operations;
    int8_t endpoint_type;
    bool include_fenced_brokers;
};
extern const struct kafka_message kafka_describe_cluster_request_message;

/* DescribeClusterResponse, key 60, versions 0-2, flexible from 0 */
struct kafka_describe_cluster_response_broker {
    int32_t broker_id;
    struct str host;
    int32_t port;
    struct str rack;
    bool is_fenced;
};
struct kafka_describe_cluster_response {
    int32_t throttle_time_ms;
    int16_t error_code;
    struct str error_message;
    int8_t endpoint_type;
    struct str cluster_id;
    int32_t controller_id;
    KAFKA_LIST(struct kafka_describe_cluster_response_broker) brokers;
    int32_t cluster_authorized_operations;
};
extern const struct kafka_message kafka_describe_cluster_response_message;

/* DescribeTopicPartitionsRequest, key 75, versions 0-0, flexible from 0 */
struct kafka_describe_topic_partitions_request_topic {
    struct str name;
};
struct kafka_describe_topic_partitions_request_cursor {
    struct str topic_name;
    int32_t partition_index;
};
struct kafka_describe_topic_partitions_request {
    KAFKA_LIST(struct kafka_describe_topic_partitions_request_topic) topics;
    int32_t response_partition_limit;
    struct kafka_describe_topic_partitions_request_cursor *cursor;
};
extern const struct kafka_message kafka_describe_topic_partitions_request_message;

/* DescribeTopicPartitionsResponse, key 75, versions 0-0, flexible from 0 */
struct kafka_describe_topic_partitions_response_partition {
    int16_t error_code;
    int32_t partition_index;
    int32_t leader_id;
    int32_t leader_epoch;
    KAFKA_LIST(int32_t) replica_nodes;
    KAFKA_LIST(int32_t) isr_nodes;
    KAFKA_LIST(int32_t) eligible_leader_replicas;
    KAFKA_LIST(int32_t) last_known_elr;
    KAFKA_LIST(int32_t) offline_replicas;
};
struct kafka_describe_topic_partitions_response_topic {
    int16_t error_code;
    struct str name;
    struct kafka_uuid topic_id;
    bool is_internal;
    KAFKA_LIST(struct kafka_describe_topic_partitions_response_partition) partitions;
    int32_t topic_authorized_operations;
};
struct kafka_describe_topic_partitions_response_next_cursor {
    struct str topic_name;
    int32_t partition_index;
};
struct kafka_describe_topic_partitions_response {
    int32_t throttle_time_ms;
    KAFKA_LIST(struct kafka_describe_topic_partitions_response_topic) topics;
    struct kafka_describe_topic_partitions_response_next_cursor *next_cursor;
};
extern const struct kafka_message kafka_describe_topic_partitions_response_message;

/* DescribeQuorumRequest, key 55, versions 0-2, flexible from 0 */
struct kafka_describe_quorum_request_partition {
    int32_t partition_index;
};
struct kafka_describe_quorum_request_topic {
    struct str topic_name;
    KAFKA_LIST(struct kafka_describe_quorum_request_partition) partitions;
};
struct kafka_describe_quorum_request {
    KAFKA_LIST(struct kafka_describe_quorum_request_topic) topics;
};
extern const struct kafka_message kafka_describe_quorum_request_message;

/* DescribeQuorumResponse, key 55, versions 0-2, flexible from 0 */
struct kafka_describe_quorum_response_replica_state {
    int32_t replica_id;
    struct kafka_uuid replica_directory_id;
    int64_t log_end_offset;
    int64_t last_fetch_timestamp;
    int64_t last_caught_up_timestamp;
};
struct kafka_describe_quorum_response_partition {
    int32_t partition_index;
    int16_t error_code;
    struct str error_message;
    int32_t leader_id;
    int32_t leader_epoch;
    int64_t high_watermark;
    KAFKA_LIST(struct kafka_describe_quorum_response_replica_state) current_voters;
    KAFKA_LIST(struct kafka_describe_quorum_response_replica_state) observers;
};
struct kafka_describe_quorum_response_topic {
    struct str topic_name;
    KAFKA_LIST(struct kafka_describe_quorum_response_partition) partitions;
};
struct kafka_describe_quorum_response_listener {
    struct str name;
    struct str host;
    uint16_t port;
};
struct kafka_describe_quorum_response_node {
    int32_t node_id;
    KAFKA_LIST(struct kafka_describe_quorum_response_listener) listeners;
};
struct kafka_describe_quorum_response {
    int16_t error_code;
    struct str error_message;
    KAFKA_LIST(struct kafka_describe_quorum_response_topic) topics;
    KAFKA_LIST(struct kafka_describe_quorum_response_node) nodes;
};
extern const struct kafka_message kafka_describe_quorum_response_message;

#endif
