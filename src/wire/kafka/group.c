/* Rows of the messages for consumer groups and their offsets. */
#include "wire/kafka/group.h"

#include "wire/kafka/row.h"

/* One field, one row. */
/* clang-format off */
ROWS(offset_commit_request_partition,
    F(offset_commit_request_partition, I32, partition_index, 0),
    F(offset_commit_request_partition, I64, committed_offset, 0),
    F(offset_commit_request_partition, I32, committed_leader_epoch, 6, ABSENT(-1)),
    F(offset_commit_request_partition, STR, committed_metadata, 0, NULLABLE(0)));
ROWS(offset_commit_request_topic,
    F(offset_commit_request_topic, STR, name, 0),
    F(offset_commit_request_topic, LIST, partitions, 0, OF(kafka_offset_commit_request_partition)));
ROWS(offset_commit_request,
    F(offset_commit_request, STR, group_id, 0),
    F(offset_commit_request, I32, generation_id_or_member_epoch, 1, ABSENT(-1)),
    F(offset_commit_request, STR, member_id, 1),
    F(offset_commit_request, STR, group_instance_id, 7, NULLABLE(7)),
    F(offset_commit_request, I64, retention_time_ms, 2, UNTIL(4), ABSENT(-1)),
    F(offset_commit_request, LIST, topics, 0, OF(kafka_offset_commit_request_topic)));

ROWS(offset_commit_response_partition,
    F(offset_commit_response_partition, I32, partition_index, 0),
    F(offset_commit_response_partition, I16, error_code, 0));
ROWS(offset_commit_response_topic,
    F(offset_commit_response_topic, STR, name, 0, UNTIL(9)),
    F(offset_commit_response_topic, UUID, topic_id, 10),
    F(offset_commit_response_topic, LIST, partitions, 0, OF(kafka_offset_commit_response_partition)));
ROWS(offset_commit_response,
    F(offset_commit_response, I32, throttle_time_ms, 3),
    F(offset_commit_response, LIST, topics, 0, OF(kafka_offset_commit_response_topic)));

ROWS(offset_fetch_request_topic,
    F(offset_fetch_request_topic, STR, name, 0, UNTIL(7)),
    F(offset_fetch_request_topic, LIST, partition_indexes, 0, ITEM(I32), UNTIL(7)));
ROWS(offset_fetch_request_group_topic,
    F(offset_fetch_request_group_topic, STR, name, 8),
    F(offset_fetch_request_group_topic, LIST, partition_indexes, 8, ITEM(I32)));
ROWS(offset_fetch_request_group,
    F(offset_fetch_request_group, STR, group_id, 8),
    F(offset_fetch_request_group, STR, member_id, 9, NULLABLE(9)),
    F(offset_fetch_request_group, I32, member_epoch, 9, ABSENT(-1)),
    F(offset_fetch_request_group, LIST, topics, 8, OF(kafka_offset_fetch_request_group_topic), NULLABLE(8)));
ROWS(offset_fetch_request,
    F(offset_fetch_request, STR, group_id, 0, UNTIL(7)),
    F(offset_fetch_request, LIST, topics, 0, OF(kafka_offset_fetch_request_topic), UNTIL(7), NULLABLE(2)),
    F(offset_fetch_request, LIST, groups, 8, OF(kafka_offset_fetch_request_group)),
    F(offset_fetch_request, BOOL, require_stable, 7));

ROWS(offset_fetch_response_partition,
    F(offset_fetch_response_partition, I32, partition_index, 0, UNTIL(7)),
    F(offset_fetch_response_partition, I64, committed_offset, 0, UNTIL(7)),
    F(offset_fetch_response_partition, I32, committed_leader_epoch, 5, UNTIL(7), ABSENT(-1)),
    F(offset_fetch_response_partition, STR, metadata, 0, UNTIL(7), NULLABLE(0)),
    F(offset_fetch_response_partition, I16, error_code, 0, UNTIL(7)));
ROWS(offset_fetch_response_topic,
    F(offset_fetch_response_topic, STR, name, 0, UNTIL(7)),
    F(offset_fetch_response_topic, LIST, partitions, 0, OF(kafka_offset_fetch_response_partition), UNTIL(7)));
ROWS(offset_fetch_response_group_topic_partition,
    F(offset_fetch_response_group_topic_partition, I32, partition_index, 8),
    F(offset_fetch_response_group_topic_partition, I64, committed_offset, 8),
    F(offset_fetch_response_group_topic_partition, I32, committed_leader_epoch, 8, ABSENT(-1)),
    F(offset_fetch_response_group_topic_partition, STR, metadata, 8, NULLABLE(8)),
    F(offset_fetch_response_group_topic_partition, I16, error_code, 8));
ROWS(offset_fetch_response_group_topic,
    F(offset_fetch_response_group_topic, STR, name, 8, UNTIL(9)),
    F(offset_fetch_response_group_topic, UUID, topic_id, 10),
    F(offset_fetch_response_group_topic, LIST, partitions, 8, OF(kafka_offset_fetch_response_group_topic_partition)));
ROWS(offset_fetch_response_group,
    F(offset_fetch_response_group, STR, group_id, 8),
    F(offset_fetch_response_group, LIST, topics, 8, OF(kafka_offset_fetch_response_group_topic)),
    F(offset_fetch_response_group, I16, error_code, 8));
ROWS(offset_fetch_response,
    F(offset_fetch_response, I32, throttle_time_ms, 3),
    F(offset_fetch_response, LIST, topics, 0, OF(kafka_offset_fetch_response_topic), UNTIL(7)),
    F(offset_fetch_response, I16, error_code, 2, UNTIL(7)),
    F(offset_fetch_response, LIST, groups, 8, OF(kafka_offset_fetch_response_group)));

ROWS(join_group_request_protocol,
    F(join_group_request_protocol, STR, name, 0),
    F(join_group_request_protocol, BYTES, metadata, 0));
ROWS(join_group_request,
    F(join_group_request, STR, group_id, 0),
    F(join_group_request, I32, session_timeout_ms, 0),
    F(join_group_request, I32, rebalance_timeout_ms, 1, ABSENT(-1)),
    F(join_group_request, STR, member_id, 0),
    F(join_group_request, STR, group_instance_id, 5, NULLABLE(5)),
    F(join_group_request, STR, protocol_type, 0),
    F(join_group_request, LIST, protocols, 0, OF(kafka_join_group_request_protocol)),
    F(join_group_request, STR, reason, 8, NULLABLE(8)));

ROWS(join_group_response_member,
    F(join_group_response_member, STR, member_id, 0),
    F(join_group_response_member, STR, group_instance_id, 5, NULLABLE(5)),
    F(join_group_response_member, BYTES, metadata, 0));
ROWS(join_group_response,
    F(join_group_response, I32, throttle_time_ms, 2),
    F(join_group_response, I16, error_code, 0),
    F(join_group_response, I32, generation_id, 0, ABSENT(-1)),
    F(join_group_response, STR, protocol_type, 7, NULLABLE(7)),
    F(join_group_response, STR, protocol_name, 0, NULLABLE(7)),
    F(join_group_response, STR, leader, 0),
    F(join_group_response, BOOL, skip_assignment, 9),
    F(join_group_response, STR, member_id, 0),
    F(join_group_response, LIST, members, 0, OF(kafka_join_group_response_member)));

ROWS(heartbeat_request,
    F(heartbeat_request, STR, group_id, 0),
    F(heartbeat_request, I32, generation_id, 0),
    F(heartbeat_request, STR, member_id, 0),
    F(heartbeat_request, STR, group_instance_id, 3, NULLABLE(3)));

ROWS(heartbeat_response,
    F(heartbeat_response, I32, throttle_time_ms, 1),
    F(heartbeat_response, I16, error_code, 0));

ROWS(leave_group_request_member,
    F(leave_group_request_member, STR, member_id, 3),
    F(leave_group_request_member, STR, group_instance_id, 3, NULLABLE(3)),
    F(leave_group_request_member, STR, reason, 5, NULLABLE(5)));
ROWS(leave_group_request,
    F(leave_group_request, STR, group_id, 0),
    F(leave_group_request, STR, member_id, 0, UNTIL(2)),
    F(leave_group_request, LIST, members, 3, OF(kafka_leave_group_request_member)));

ROWS(leave_group_response_member,
    F(leave_group_response_member, STR, member_id, 3),
    F(leave_group_response_member, STR, group_instance_id, 3, NULLABLE(3)),
    F(leave_group_response_member, I16, error_code, 3));
ROWS(leave_group_response,
    F(leave_group_response, I32, throttle_time_ms, 1),
    F(leave_group_response, I16, error_code, 0),
    F(leave_group_response, LIST, members, 3, OF(kafka_leave_group_response_member)));

ROWS(sync_group_request_assignment,
    F(sync_group_request_assignment, STR, member_id, 0),
    F(sync_group_request_assignment, BYTES, assignment, 0));
ROWS(sync_group_request,
    F(sync_group_request, STR, group_id, 0),
    F(sync_group_request, I32, generation_id, 0),
    F(sync_group_request, STR, member_id, 0),
    F(sync_group_request, STR, group_instance_id, 3, NULLABLE(3)),
    F(sync_group_request, STR, protocol_type, 5, NULLABLE(5)),
    F(sync_group_request, STR, protocol_name, 5, NULLABLE(5)),
    F(sync_group_request, LIST, assignments, 0, OF(kafka_sync_group_request_assignment)));

ROWS(sync_group_response,
    F(sync_group_response, I32, throttle_time_ms, 1),
    F(sync_group_response, I16, error_code, 0),
    F(sync_group_response, STR, protocol_type, 5, NULLABLE(5)),
    F(sync_group_response, STR, protocol_name, 5, NULLABLE(5)),
    F(sync_group_response, BYTES, assignment, 0));

ROWS(describe_groups_request,
    F(describe_groups_request, LIST, groups, 0, ITEM(STR)),
    F(describe_groups_request, BOOL, include_authorized_operations, 3));

ROWS(describe_groups_response_member,
    F(describe_groups_response_member, STR, member_id, 0),
    F(describe_groups_response_member, STR, group_instance_id, 4, NULLABLE(4)),
    F(describe_groups_response_member, STR, client_id, 0),
    F(describe_groups_response_member, STR, client_host, 0),
    F(describe_groups_response_member, BYTES, member_metadata, 0),
    F(describe_groups_response_member, BYTES, member_assignment, 0));
ROWS(describe_groups_response_group,
    F(describe_groups_response_group, I16, error_code, 0),
    F(describe_groups_response_group, STR, error_message, 6, NULLABLE(6)),
    F(describe_groups_response_group, STR, group_id, 0),
    F(describe_groups_response_group, STR, group_state, 0),
    F(describe_groups_response_group, STR, protocol_type, 0),
    F(describe_groups_response_group, STR, protocol_data, 0),
    F(describe_groups_response_group, LIST, members, 0, OF(kafka_describe_groups_response_member)),
    F(describe_groups_response_group, I32, authorized_operations, 3, ABSENT(-2147483648)));
ROWS(describe_groups_response,
    F(describe_groups_response, I32, throttle_time_ms, 1),
    F(describe_groups_response, LIST, groups, 0, OF(kafka_describe_groups_response_group)));

ROWS(list_groups_request,
    F(list_groups_request, LIST, states_filter, 4, ITEM(STR)),
    F(list_groups_request, LIST, types_filter, 5, ITEM(STR)));

ROWS(list_groups_response_group,
    F(list_groups_response_group, STR, group_id, 0),
    F(list_groups_response_group, STR, protocol_type, 0),
    F(list_groups_response_group, STR, group_state, 4),
    F(list_groups_response_group, STR, group_type, 5));
ROWS(list_groups_response,
    F(list_groups_response, I32, throttle_time_ms, 1),
    F(list_groups_response, I16, error_code, 0),
    F(list_groups_response, LIST, groups, 0, OF(kafka_list_groups_response_group)));

ROWS(delete_groups_request,
    F(delete_groups_request, LIST, groups_names, 0, ITEM(STR)));

ROWS(delete_groups_response_result,
    F(delete_groups_response_result, STR, group_id, 0),
    F(delete_groups_response_result, I16, error_code, 0));
ROWS(delete_groups_response,
    F(delete_groups_response, I32, throttle_time_ms, 0),
    F(delete_groups_response, LIST, results, 0, OF(kafka_delete_groups_response_result)));

ROWS(offset_delete_request_partition,
    F(offset_delete_request_partition, I32, partition_index, 0));
ROWS(offset_delete_request_topic,
    F(offset_delete_request_topic, STR, name, 0),
    F(offset_delete_request_topic, LIST, partitions, 0, OF(kafka_offset_delete_request_partition)));
ROWS(offset_delete_request,
    F(offset_delete_request, STR, group_id, 0),
    F(offset_delete_request, LIST, topics, 0, OF(kafka_offset_delete_request_topic)));

ROWS(offset_delete_response_partition,
    F(offset_delete_response_partition, I32, partition_index, 0),
    F(offset_delete_response_partition, I16, error_code, 0));
ROWS(offset_delete_response_topic,
    F(offset_delete_response_topic, STR, name, 0),
    F(offset_delete_response_topic, LIST, partitions, 0, OF(kafka_offset_delete_response_partition)));
ROWS(offset_delete_response,
    F(offset_delete_response, I16, error_code, 0),
    F(offset_delete_response, I32, throttle_time_ms, 0),
    F(offset_delete_response, LIST, topics, 0, OF(kafka_offset_delete_response_topic)));

ROWS(consumer_protocol_subscription_owned_partition,
    F(consumer_protocol_subscription_owned_partition, STR, topic, 1),
    F(consumer_protocol_subscription_owned_partition, LIST, partitions, 1, ITEM(I32)));
ROWS(consumer_protocol_subscription,
    F(consumer_protocol_subscription, LIST, topics, 0, ITEM(STR)),
    F(consumer_protocol_subscription, BYTES, user_data, 0, NULLABLE(0)),
    F(consumer_protocol_subscription, LIST, owned_partitions, 1, OF(kafka_consumer_protocol_subscription_owned_partition)),
    F(consumer_protocol_subscription, I32, generation_id, 2, ABSENT(-1)),
    F(consumer_protocol_subscription, STR, rack_id, 3, NULLABLE(3)));

ROWS(consumer_protocol_assignment_assigned_partition,
    F(consumer_protocol_assignment_assigned_partition, STR, topic, 0),
    F(consumer_protocol_assignment_assigned_partition, LIST, partitions, 0, ITEM(I32)));
ROWS(consumer_protocol_assignment,
    F(consumer_protocol_assignment, LIST, assigned_partitions, 0, OF(kafka_consumer_protocol_assignment_assigned_partition)),
    F(consumer_protocol_assignment, BYTES, user_data, 0, NULLABLE(0)));
