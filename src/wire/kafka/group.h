/* Messages for consumer groups and their offsets.  Rows: group.c; how they are walked: message.h. */
#ifndef WIRE_KAFKA_GROUP_H
#define WIRE_KAFKA_GROUP_H

#include "wire/kafka/message.h"

/* OffsetCommitRequest, key 8, versions 2-9, flexible from 8 */
struct kafka_offset_commit_request_partition {
    int32_t partition_index;
    int64_t committed_offset;
    int32_t committed_leader_epoch;
    struct str committed_metadata;
};
struct kafka_offset_commit_request_topic {
    struct str name;
    KAFKA_LIST(struct kafka_offset_commit_request_partition) partitions;
};
struct kafka_offset_commit_request {
    struct str group_id;
    int32_t generation_id_or_member_epoch;
    struct str member_id;
    struct str group_instance_id;
    int64_t retention_time_ms;
    KAFKA_LIST(struct kafka_offset_commit_request_topic) topics;
};
extern const struct kafka_message kafka_offset_commit_request_message;

/* OffsetCommitResponse, key 8, versions 2-10, flexible from 8 */
struct kafka_offset_commit_response_partition {
    int32_t partition_index;
    int16_t error_code;
};
struct kafka_offset_commit_response_topic {
    struct str name;
    struct kafka_uuid topic_id;
    KAFKA_LIST(struct kafka_offset_commit_response_partition) partitions;
};
struct kafka_offset_commit_response {
    int32_t throttle_time_ms;
    KAFKA_LIST(struct kafka_offset_commit_response_topic) topics;
};
extern const struct kafka_message kafka_offset_commit_response_message;

/* OffsetFetchRequest, key 9, versions 1-9, flexible from 6 */
struct kafka_offset_fetch_request_topic {
    struct str name;
    KAFKA_LIST(int32_t) partition_indexes;
};
struct kafka_offset_fetch_request_group_topic {
    struct str name;
    KAFKA_LIST(int32_t) partition_indexes;
};
struct kafka_offset_fetch_request_group {
    struct str group_id;
    struct str member_id;
    int32_t member_epoch;
    KAFKA_LIST(struct kafka_offset_fetch_request_group_topic) topics;
};
struct kafka_offset_fetch_request {
    struct str group_id;
    KAFKA_LIST(struct kafka_offset_fetch_request_topic) topics;
    KAFKA_LIST(struct kafka_offset_fetch_request_group) groups;
    bool require_stable;
};
extern const struct kafka_message kafka_offset_fetch_request_message;

/* OffsetFetchResponse, key 9, versions 1-10, flexible from 6 */
struct kafka_offset_fetch_response_partition {
    int32_t partition_index;
    int64_t committed_offset;
    int32_t committed_leader_epoch;
    struct str metadata;
    int16_t error_code;
};
struct kafka_offset_fetch_response_topic {
    struct str name;
    KAFKA_LIST(struct kafka_offset_fetch_response_partition) partitions;
};
struct kafka_offset_fetch_response_group_topic_partition {
    int32_t partition_index;
    int64_t committed_offset;
    int32_t committed_leader_epoch;
    struct str metadata;
    int16_t error_code;
};
struct kafka_offset_fetch_response_group_topic {
    struct str name;
    struct kafka_uuid topic_id;
    KAFKA_LIST(struct kafka_offset_fetch_response_group_topic_partition) partitions;
};
struct kafka_offset_fetch_response_group {
    struct str group_id;
    KAFKA_LIST(struct kafka_offset_fetch_response_group_topic) topics;
    int16_t error_code;
};
struct kafka_offset_fetch_response {
    int32_t throttle_time_ms;
    KAFKA_LIST(struct kafka_offset_fetch_response_topic) topics;
    int16_t error_code;
    KAFKA_LIST(struct kafka_offset_fetch_response_group) groups;
};
extern const struct kafka_message kafka_offset_fetch_response_message;

/* JoinGroupRequest, key 11, versions 0-9, flexible from 6 */
struct kafka_join_group_request_protocol {
    struct str name;
    struct str metadata;
};
struct kafka_join_group_request {
    struct str group_id;
    int32_t session_timeout_ms;
    int32_t rebalance_timeout_ms;
    struct str member_id;
    struct str group_instance_id;
    struct str protocol_type;
    KAFKA_LIST(struct kafka_join_group_request_protocol) protocols;
    struct str reason;
};
extern const struct kafka_message kafka_join_group_request_message;

/* JoinGroupResponse, key 11, versions 0-9, flexible from 6 */
struct kafka_join_group_response_member {
    struct str member_id;
    struct str group_instance_id;
    struct str metadata;
};
struct kafka_join_group_response {
    int32_t throttle_time_ms;
    int16_t error_code;
    int32_t generation_id;
    struct str protocol_type;
    struct str protocol_name;
    struct str leader;
    bool skip_assignment;
    struct str member_id;
    KAFKA_LIST(struct kafka_join_group_response_member) members;
};
extern const struct kafka_message kafka_join_group_response_message;

/* HeartbeatRequest, key 12, versions 0-4, flexible from 4 */
struct kafka_heartbeat_request {
    struct str group_id;
    int32_t generation_id;
    struct str member_id;
    struct str group_instance_id;
};
extern const struct kafka_message kafka_heartbeat_request_message;

/* HeartbeatResponse, key 12, versions 0-4, flexible from 4 */
struct kafka_heartbeat_response {
    int32_t throttle_time_ms;
    int16_t error_code;
};
extern const struct kafka_message kafka_heartbeat_response_message;

/* LeaveGroupRequest, key 13, versions 0-5, flexible from 4 */
struct kafka_leave_group_request_member {
    struct str member_id;
    struct str group_instance_id;
    struct str reason;
};
struct kafka_leave_group_request {
    struct str group_id;
    struct str member_id;
    KAFKA_LIST(struct kafka_leave_group_request_member) members;
};
extern const struct kafka_message kafka_leave_group_request_message;

/* LeaveGroupResponse, key 13, versions 0-5, flexible from 4 */
struct kafka_leave_group_response_member {
    struct str member_id;
    struct str group_instance_id;
    int16_t error_code;
};
struct kafka_leave_group_response {
    int32_t throttle_time_ms;
    int16_t error_code;
    KAFKA_LIST(struct kafka_leave_group_response_member) members;
};
extern const struct kafka_message kafka_leave_group_response_message;

/* SyncGroupRequest, key 14, versions 0-5, flexible from 4 */
struct kafka_sync_group_request_assignment {
    struct str member_id;
    struct str assignment;
};
struct kafka_sync_group_request {
    struct str group_id;
    int32_t generation_id;
    struct str member_id;
    struct str group_instance_id;
    struct str protocol_type;
    struct str protocol_name;
    KAFKA_LIST(struct kafka_sync_group_request_assignment) assignments;
};
extern const struct kafka_message kafka_sync_group_request_message;

/* SyncGroupResponse, key 14, versions 0-5, flexible from 4 */
struct kafka_sync_group_response {
    int32_t throttle_time_ms;
    int16_t error_code;
    struct str protocol_type;
    struct str protocol_name;
    struct str assignment;
};
extern const struct kafka_message kafka_sync_group_response_message;

/* DescribeGroupsRequest, key 15, versions 0-6, flexible from 5 */
struct kafka_describe_groups_request {
    KAFKA_LIST(struct str) groups;
    bool include_authorized_operations;
};
extern const struct kafka_message kafka_describe_groups_request_message;

/* DescribeGroupsResponse, key 15, versions 0-6, flexible from 5 */
struct kafka_describe_groups_response_member {
    struct str member_id;
    struct str group_instance_id;
    struct str client_id;
    struct str client_host;
    struct str member_metadata;
    struct str member_assignment;
};
struct kafka_describe_groups_response_group {
    int16_t error_code;
    struct str error_message;
    struct str group_id;
    struct str group_state;
    struct str protocol_type;
    struct str protocol_data;
    KAFKA_LIST(struct kafka_describe_groups_response_member) members;
    int32_t authorized_operations;
};
struct kafka_describe_groups_response {
    int32_t throttle_time_ms;
    KAFKA_LIST(struct kafka_describe_groups_response_group) groups;
};
extern const struct kafka_message kafka_describe_groups_response_message;

/* ListGroupsRequest, key 16, versions 0-5, flexible from 3 */
struct kafka_list_groups_request {
    KAFKA_LIST(struct str) states_filter;
    KAFKA_LIST(struct str) types_filter;
};
extern const struct kafka_message kafka_list_groups_request_message;

/* ListGroupsResponse, key 16, versions 0-5, flexible from 3 */
struct kafka_list_groups_response_group {
    struct str group_id;
    struct str protocol_type;
    struct str group_state;
    struct str group_type;
};
struct kafka_list_groups_response {
    int32_t throttle_time_ms;
    int16_t error_code;
    KAFKA_LIST(struct kafka_list_groups_response_group) groups;
};
extern const struct kafka_message kafka_list_groups_response_message;

/* DeleteGroupsRequest, key 42, versions 0-2, flexible from 2 */
struct kafka_delete_groups_request {
    KAFKA_LIST(struct str) groups_names;
};
extern const struct kafka_message kafka_delete_groups_request_message;

/* DeleteGroupsResponse, key 42, versions 0-2, flexible from 2 */
struct kafka_delete_groups_response_result {
    struct str group_id;
    int16_t error_code;
};
struct kafka_delete_groups_response {
    int32_t throttle_time_ms;
    KAFKA_LIST(struct kafka_delete_groups_response_result) results;
};
extern const struct kafka_message kafka_delete_groups_response_message;

/* OffsetDeleteRequest, key 47, versions 0-0 */
struct kafka_offset_delete_request_partition {
    int32_t partition_index;
};
struct kafka_offset_delete_request_topic {
    struct str name;
    KAFKA_LIST(struct kafka_offset_delete_request_partition) partitions;
};
struct kafka_offset_delete_request {
    struct str group_id;
    KAFKA_LIST(struct kafka_offset_delete_request_topic) topics;
};
extern const struct kafka_message kafka_offset_delete_request_message;

/* OffsetDeleteResponse, key 47, versions 0-0 */
struct kafka_offset_delete_response_partition {
    int32_t partition_index;
    int16_t error_code;
};
struct kafka_offset_delete_response_topic {
    struct str name;
    KAFKA_LIST(struct kafka_offset_delete_response_partition) partitions;
};
struct kafka_offset_delete_response {
    int16_t error_code;
    int32_t throttle_time_ms;
    KAFKA_LIST(struct kafka_offset_delete_response_topic) topics;
};
extern const struct kafka_message kafka_offset_delete_response_message;

/* ConsumerProtocolSubscription, versions 0-3 */
struct kafka_consumer_protocol_subscription_owned_partition {
    struct str topic;
    KAFKA_LIST(int32_t) partitions;
};
struct kafka_consumer_protocol_subscription {
    KAFKA_LIST(struct str) topics;
    struct str user_data;
    KAFKA_LIST(struct kafka_consumer_protocol_subscription_owned_partition) owned_partitions;
    int32_t generation_id;
    struct str rack_id;
};
extern const struct kafka_message kafka_consumer_protocol_subscription_message;

/* ConsumerProtocolAssignment, versions 0-3 */
struct kafka_consumer_protocol_assignment_assigned_partition {
    struct str topic;
    KAFKA_LIST(int32_t) partitions;
};
struct kafka_consumer_protocol_assignment {
    KAFKA_LIST(struct kafka_consumer_protocol_assignment_assigned_partition) assigned_partitions;
    struct str user_data;
};
extern const struct kafka_message kafka_consumer_protocol_assignment_message;

#endif
