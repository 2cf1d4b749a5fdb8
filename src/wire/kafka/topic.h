/* Messages for topics and partitions: create, delete, grow, where they lie.  Rows: topic.c; how they are walked:
 * message.h. */
#ifndef WIRE_KAFKA_TOPIC_H
#define WIRE_KAFKA_TOPIC_H

#include "wire/kafka/message.h"

/* CreateTopicsRequest, key 19, versions 2-7, flexible from 5 */
struct kafka_create_topics_request_assignment {
    int32_t partition_index;
    KAFKA_LIST(int32_t) broker_ids;
};
struct kafka_create_topics_request_config {
    struct str name;
    struct str value;
};
struct kafka_create_topics_request_topic {
    struct str name;
    int32_t num_partitions;
    int16_t replication_factor;
    KAFKA_LIST(struct kafka_create_topics_request_assignment) assignments;
    KAFKA_LIST(struct kafka_create_topics_request_config) configs;
};
struct kafka_create_topics_request {
    KAFKA_LIST(struct kafka_create_topics_request_topic) topics;
    int32_t timeout_ms;
    bool validate_only;
};
extern const struct kafka_message kafka_create_topics_request_message;

/* CreateTopicsResponse, key 19, versions 2-7, flexible from 5 */
struct kafka_create_topics_response_config {
    struct str name;
    struct str value;
    bool read_only;
    int8_t config_source;
    bool is_sensitive;
};
struct kafka_create_topics_response_topic {
    struct str name;
    struct kafka_uuid topic_id;
    int16_t error_code;
    struct str error_message;
    int16_t topic_config_error_code;
    int32_t num_partitions;
    int16_t replication_factor;
    KAFKA_LIST(struct kafka_create_topics_response_config) configs;
};
struct kafka_create_topics_response {
    int32_t throttle_time_ms;
    KAFKA_LIST(struct kafka_create_topics_response_topic) topics;
};
extern const struct kafka_message kafka_create_topics_response_message;

/* DeleteTopicsRequest, key 20, versions 1-6, flexible from 4 */
struct kafka_delete_topics_request_topic {
    struct str name;
    struct kafka_uuid topic_id;
};
struct kafka_delete_topics_request {
    KAFKA_LIST(struct kafka_delete_topics_request_topic) topics;
    KAFKA_LIST(struct str) topic_names;
    int32_t timeout_ms;
};
extern const struct kafka_message kafka_delete_topics_request_message;

/* DeleteTopicsResponse, key 20, versions 1-6, flexible from 4 */
struct kafka_delete_topics_response_response {
    struct str name;
    struct kafka_uuid topic_id;
    int16_t error_code;
    struct str error_message;
};
struct kafka_delete_topics_response {
    int32_t throttle_time_ms;
    KAFKA_LIST(struct kafka_delete_topics_response_response) responses;
};
extern const struct kafka_message kafka_delete_topics_response_message;

/* DeleteRecordsRequest, key 21, versions 0-2, flexible from 2 */
struct kafka_delete_records_request_partition {
    int32_t partition_index;
    int64_t offset;
};
struct kafka_delete_records_request_topic {
    struct str name;
    KAFKA_LIST(struct kafka_delete_records_request_partition) partitions;
};
struct kafka_delete_records_request {
    KAFKA_LIST(struct kafka_delete_records_request_topic) topics;
    int32_t timeout_ms;
};
extern const struct kafka_message kafka_delete_records_request_message;

/* DeleteRecordsResponse, key 21, versions 0-2, flexible from 2 */
struct kafka_delete_records_response_partition {
    int32_t partition_index;
    int64_t low_watermark;
    int16_t error_code;
};
struct kafka_delete_records_response_topic {
    struct str name;
    KAFKA_LIST(struct kafka_delete_records_response_partition) partitions;
};
struct kafka_delete_records_response {
    int32_t throttle_time_ms;
    KAFKA_LIST(struct kafka_delete_records_response_topic) topics;
};
extern const struct kafka_message kafka_delete_records_response_message;

/* CreatePartitionsRequest, key 37, versions 0-3, flexible from 2 */
struct kafka_create_partitions_request_assignment {
    KAFKA_LIST(int32_t) broker_ids;
};
struct kafka_create_partitions_request_topic {
    struct str name;
    int32_t count;
    KAFKA_LIST(struct kafka_create_partitions_request_assignment) assignments;
};
struct kafka_create_partitions_request {
    KAFKA_LIST(struct kafka_create_partitions_request_topic) topics;
    int32_t timeout_ms;
    bool validate_only;
};
extern const struct kafka_message kafka_create_partitions_request_message;

/* CreatePartitionsResponse, key 37, versions 0-3, flexible from 2 */
struct kafka_create_partitions_response_result {
    struct str name;
    int16_t error_code;
    struct str error_message;
};
struct kafka_create_partitions_response {
    int32_t throttle_time_ms;
    KAFKA_LIST(struct kafka_create_partitions_response_result) results;
};
extern const struct kafka_message kafka_create_partitions_response_message;

/* DescribeLogDirsRequest, key 35, versions 1-4, flexible from 2 */
struct kafka_describe_log_dirs_request_topic {
    struct str topic;
    KAFKA_LIST(int32_t) partitions;
};
struct kafka_describe_log_dirs_request {
    KAFKA_LIST(struct kafka_describe_log_dirs_request_topic) topics;
};
extern const struct kafka_message kafka_describe_log_dirs_request_message;

/* DescribeLogDirsResponse, key 35, versions 1-4, flexible from 2 */
struct kafka_describe_log_dirs_response_partition {
    int32_t partition_index;
    int64_t partition_size;
    int64_t offset_lag;
    bool is_future_key;
};
struct kafka_describe_log_dirs_response_topic {
    struct str name;
    KAFKA_LIST(struct kafka_describe_log_dirs_response_partition) partitions;
};
struct kafka_describe_log_dirs_response_result {
    int16_t error_code;
    struct str log_dir;
    KAFKA_LIST(struct kafka_describe_log_dirs_response_topic) topics;
    int64_t total_bytes;
    int64_t usable_bytes;
};
struct kafka_describe_log_dirs_response {
    int32_t throttle_time_ms;
    int16_t error_code;
    KAFKA_LIST(struct kafka_describe_log_dirs_response_result) results;
};
extern const struct kafka_message kafka_describe_log_dirs_response_message;

/* AlterReplicaLogDirsRequest, key 34, versions 1-2, flexible from 2 */
struct kafka_alter_replica_log_dirs_request_topic {
    struct str name;
    KAFKA_LIST(int32_t) partitions;
};
struct kafka_alter_replica_log_dirs_request_dir {
    struct str path;
    KAFKA_LIST(struct kafka_alter_replica_log_dirs_request_topic) topics;
};
struct kafka_alter_replica_log_dirs_request {
    KAFKA_LIST(struct kafka_alter_replica_log_dirs_request_dir) dirs;
};
extern const struct kafka_message kafka_alter_replica_log_dirs_request_message;

/* AlterReplicaLogDirsResponse, key 34, versions 1-2, flexible from 2 */
struct kafka_alter_replica_log_dirs_response_partition {
    int32_t partition_index;
    int16_t error_code;
};
struct kafka_alter_replica_log_dirs_response_result {
    struct str topic_name;
    KAFKA_LIST(struct kafka_alter_replica_log_dirs_response_partition) partitions;
};
struct kafka_alter_replica_log_dirs_response {
    int32_t throttle_time_ms;
    KAFKA_LIST(struct kafka_alter_replica_log_dirs_response_result) results;
};
extern const struct kafka_message kafka_alter_replica_log_dirs_response_message;

/* ElectLeadersRequest, key 43, versions 0-2, flexible from 2 */
struct kafka_elect_leaders_request_topic_partition {
    struct str topic;
    KAFKA_LIST(int32_t) partitions;
};
struct kafka_elect_leaders_request {
    int8_t election_type;
    KAFKA_LIST(struct kafka_elect_leaders_request_topic_partition) topic_partitions;
    int32_t timeout_ms;
};
extern const struct kafka_message kafka_elect_leaders_request_message;

/* ElectLeadersResponse, key 43, versions 0-2, flexible from 2 */
struct kafka_elect_leaders_response_partition_result {
    int32_t partition_id;
    int16_t error_code;
    struct str error_message;
};
struct kafka_elect_leaders_response_replica_election_result {
    struct str topic;
    KAFKA_LIST(struct kafka_elect_leaders_response_partition_result) partition_result;
};
struct kafka_elect_leaders_response {
    int32_t throttle_time_ms;
    int16_t error_code;
    KAFKA_LIST(struct kafka_elect_leaders_response_replica_election_result) replica_election_results;
};
extern const struct kafka_message kafka_elect_leaders_response_message;

/* AlterPartitionReassignmentsRequest, key 45, versions 0-1, flexible from 0 */
struct kafka_alter_partition_reassignments_request_partition {
    int32_t partition_index;
    KAFKA_LIST(int32_t) replicas;
};
struct kafka_alter_partition_reassignments_request_topic {
    struct str name;
    KAFKA_LIST(struct kafka_alter_partition_reassignments_request_partition) partitions;
};
struct kafka_alter_partition_reassignments_request {
    int32_t timeout_ms;
    bool allow_replication_factor_change;
    KAFKA_LIST(struct kafka_alter_partition_reassignments_request_topic) topics;
};
extern const struct kafka_message kafka_alter_partition_reassignments_request_message;

/* AlterPartitionReassignmentsResponse, key 45, versions 0-1, flexible from 0 */
struct kafka_alter_partition_reassignments_response_partition {
    int32_t partition_index;
    int16_t error_code;
    struct str error_message;
};
struct kafka_alter_partition_reassignments_response_response {
    struct str name;
    KAFKA_LIST(struct kafka_alter_partition_reassignments_response_partition) partitions;
};
struct kafka_alter_partition_reassignments_response {
    int32_t throttle_time_ms;
    bool allow_replication_factor_change;
    int16_t error_code;
    struct str error_message;
    KAFKA_LIST(struct kafka_alter_partition_reassignments_response_response) responses;
};
extern const struct kafka_message kafka_alter_partition_reassignments_response_message;

/* ListPartitionReassignmentsRequest, key 46, versions 0-0, flexible from 0 */
struct kafka_list_partition_reassignments_request_topic {
    struct str name;
    KAFKA_LIST(int32_t) partition_indexes;
};
struct kafka_list_partition_reassignments_request {
    int32_t timeout_ms;
    KAFKA_LIST(struct kafka_list_partition_reassignments_request_topic) topics;
};
extern const struct kafka_message kafka_list_partition_reassignments_request_message;

/* ListPartitionReassignmentsResponse, key 46, versions 0-0, flexible from 0 */
struct kafka_list_partition_reassignments_response_partition {
    int32_t partition_index;
    KAFKA_LIST(int32_t) replicas;
    KAFKA_LIST(int32_t) adding_replicas;
    KAFKA_LIST(int32_t) removing_replicas;
};
struct kafka_list_partition_reassignments_response_topic {
    struct str name;
    KAFKA_LIST(struct kafka_list_partition_reassignments_response_partition) partitions;
};
struct kafka_list_partition_reassignments_response {
    int32_t throttle_time_ms;
    int16_t error_code;
    struct str error_message;
    KAFKA_LIST(struct kafka_list_partition_reassignments_response_topic) topics;
};
extern const struct kafka_message kafka_list_partition_reassignments_response_message;

#endif
