/* Rows of the messages for finding one's way: ApiVersions, Metadata, FindCoordinator, DescribeCluster,
 * DescribeTopicPartitions, DescribeQuorum. */
#include "wire/kafka/metadata.h"

#include "wire/kafka/row.h"

/* One field, one row. */
/* clang-format off */
ROWS(api_versions_request,
    F(api_versions_request, STR, client_software_name, 3),
    F(api_versions_request, STR, client_software_version, 3));

ROWS(api_versions_response_api_key,
    F(api_versions_response_api_key, I16, api_key, 0),
    F(api_versions_response_api_key, I16, min_version, 0),
    F(api_versions_response_api_key, I16, max_version, 0));
ROWS(api_versions_response_supported_feature,
    F(api_versions_response_supported_feature, STR, name, 3),
    F(api_versions_response_supported_feature, I16, min_version, 3),
    F(api_versions_response_supported_feature, I16, max_version, 3));
ROWS(api_versions_response_finalized_feature,
    F(api_versions_response_finalized_feature, STR, name, 3),
    F(api_versions_response_finalized_feature, I16, max_version_level, 3),
    F(api_versions_response_finalized_feature, I16, min_version_level, 3));
ROWS(api_versions_response,
    F(api_versions_response, I16, error_code, 0),
    F(api_versions_response, LIST, api_keys, 0, OF(kafka_api_versions_response_api_key)),
    F(api_versions_response, I32, throttle_time_ms, 1),
    F(api_versions_response, LIST, supported_features, 3, OF(kafka_api_versions_response_supported_feature), TAG(0)),
    F(api_versions_response, I64, finalized_features_epoch, 3, TAG(1), ABSENT(-1)),
    F(api_versions_response, LIST, finalized_features, 3, OF(kafka_api_versions_response_finalized_feature), TAG(2)),
    F(api_versions_response, BOOL, zk_migration_ready, 3, TAG(3)));

ROWS(metadata_request_topic,
    F(metadata_request_topic, UUID, topic_id, 10),
    F(metadata_request_topic, STR, name, 0, NULLABLE(10)));
ROWS(metadata_request,
    F(metadata_request, LIST, topics, 0, OF(kafka_metadata_request_topic), NULLABLE(1)),
    F(metadata_request, BOOL, allow_auto_topic_creation, 4, ABSENT(1)),
    F(metadata_request, BOOL, include_cluster_authorized_operations, 8, UNTIL(10)),
    F(metadata_request, BOOL, include_topic_authorized_operations, 8));

ROWS(metadata_response_broker,
    F(metadata_response_broker, I32, node_id, 0),
    F(metadata_response_broker, STR, host, 0),
    F(metadata_response_broker, I32, port, 0),
    F(metadata_response_broker, STR, rack, 1, NULLABLE(1)));
ROWS(metadata_response_partition,
    F(metadata_response_partition, I16, error_code, 0),
    F(metadata_response_partition, I32, partition_index, 0),
    F(metadata_response_partition, I32, leader_id, 0),
    F(metadata_response_partition, I32, leader_epoch, 7, ABSENT(-1)),
    F(metadata_response_partition, LIST, replica_nodes, 0, ITEM(I32)),
    F(metadata_response_partition, LIST, isr_nodes, 0, ITEM(I32)),
    F(metadata_response_partition, LIST, offline_replicas, 5, ITEM(I32)));
ROWS(metadata_response_topic,
    F(metadata_response_topic, I16, error_code, 0),
    F(metadata_response_topic, STR, name, 0, NULLABLE(12)),
    F(metadata_response_topic, UUID, topic_id, 10),
    F(metadata_response_topic, BOOL, is_internal, 1),
    F(metadata_response_topic, LIST, partitions, 0, OF(kafka_metadata_response_partition)),
    F(metadata_response_topic, I32, topic_authorized_operations, 8, ABSENT(-2147483648)));
ROWS(metadata_response,
    F(metadata_response, I32, throttle_time_ms, 3),
    F(metadata_response, LIST, brokers, 0, OF(kafka_metadata_response_broker)),
    F(metadata_response, STR, cluster_id, 2, NULLABLE(2)),
    F(metadata_response, I32, controller_id, 1, ABSENT(-1)),
    F(metadata_response, LIST, topics, 0, OF(kafka_metadata_response_topic)),
    F(metadata_response, I32, cluster_authorized_operations, 8, UNTIL(10), ABSENT(-2147483648)),
    F(metadata_response, I16, error_code, 13));

ROWS(find_coordinator_request,
    F(find_coordinator_request, STR, key, 0, UNTIL(3)),
    F(find_coordinator_request, I8, key_type, 1),
    F(find_coordinator_request, LIST, coordinator_keys, 4, ITEM(STR)));

ROWS(find_coordinator_response_coordinator,
    F(find_coordinator_response_coordinator, STR, key, 4),
    F(find_coordinator_response_coordinator, I32, node_id, 4),
    F(find_coordinator_response_coordinator, STR, host, 4),
    F(find_coordinator_response_coordinator, I32, port, 4),
    F(find_coordinator_response_coordinator, I16, error_code, 4),
    F(find_coordinator_response_coordinator, STR, error_message, 4, NULLABLE(4)));
ROWS(find_coordinator_response,
    F(find_coordinator_response, I32, throttle_time_ms, 1),
    F(find_coordinator_response, I16, error_code, 0, UNTIL(3)),
    F(find_coordinator_response, STR, error_message, 1, UNTIL(3), NULLABLE(1)),
    F(find_coordinator_response, I32, node_id, 0, UNTIL(3)),
    F(find_coordinator_response, STR, host, 0, UNTIL(3)),
    F(find_coordinator_response, I32, port, 0, UNTIL(3)),
    F(find_coordinator_response, LIST, coordinators, 4, OF(kafka_find_coordinator_response_coordinator)));

ROWS(describe_cluster_request,
    F(describe_cluster_request, BOOL, include_cluster_authorized_operations, 0),
    F(describe_cluster_request, I8, endpoint_type, 1, ABSENT(1)),
    F(describe_cluster_request, BOOL, include_fenced_brokers, 2));

ROWS(describe_cluster_response_broker,
    F(describe_cluster_response_broker, I32, broker_id, 0),
    F(describe_cluster_response_broker, STR, host, 0),
    F(describe_cluster_response_broker, I32, port, 0),
    F(describe_cluster_response_broker, STR, rack, 0, NULLABLE(0)),
    F(describe_cluster_response_broker, BOOL, is_fenced, 2));
ROWS(describe_cluster_response,
    F(describe_cluster_response, I32, throttle_time_ms, 0),
    F(describe_cluster_response, I16, error_code, 0),
    F(describe_cluster_response, STR, error_message, 0, NULLABLE(0)),
    F(describe_cluster_response, I8, endpoint_type, 1, ABSENT(1)),
    F(describe_cluster_response, STR, cluster_id, 0),
    F(describe_cluster_response, I32, controller_id, 0, ABSENT(-1)),
    F(describe_cluster_response, LIST, brokers, 0, OF(kafka_describe_cluster_response_broker)),
    F(describe_cluster_response, I32, cluster_authorized_operations, 0, ABSENT(-2147483648)));

ROWS(describe_topic_partitions_request_topic,
    F(describe_topic_partitions_request_topic, STR, name, 0));
ROWS(describe_topic_partitions_request_cursor,
    F(describe_topic_partitions_request_cursor, STR, topic_name, 0),
    F(describe_topic_partitions_request_cursor, I32, partition_index, 0));
ROWS(describe_topic_partitions_request,
    F(describe_topic_partitions_request, LIST, topics, 0, OF(kafka_describe_topic_partitions_request_topic)),
    F(describe_topic_partitions_request, I32, response_partition_limit, 0, ABSENT(2000)),
    F(describe_topic_partitions_request, STRUCT, cursor, 0, OF(kafka_describe_topic_partitions_request_cursor), NULLABLE(0)));

ROWS(describe_topic_partitions_response_partition,
    F(describe_topic_partitions_response_partition, I16, error_code, 0),
    F(describe_topic_partitions_response_partition, I32, partition_index, 0),
    F(describe_topic_partitions_response_partition, I32, leader_id, 0),
    F(describe_topic_partitions_response_partition, I32, leader_epoch, 0, ABSENT(-1)),
    F(describe_topic_partitions_response_partition, LIST, replica_nodes, 0, ITEM(I32)),
    F(describe_topic_partitions_response_partition, LIST, isr_nodes, 0, ITEM(I32)),
    F(describe_topic_partitions_response_partition, LIST, eligible_leader_replicas, 0, ITEM(I32), NULLABLE(0)),
    F(describe_topic_partitions_response_partition, LIST, last_known_elr, 0, ITEM(I32), NULLABLE(0)),
    F(describe_topic_partitions_response_partition, LIST, offline_replicas, 0, ITEM(I32)));
ROWS(describe_topic_partitions_response_topic,
    F(describe_topic_partitions_response_topic, I16, error_code, 0),
    F(describe_topic_partitions_response_topic, STR, name, 0, NULLABLE(0)),
    F(describe_topic_partitions_response_topic, UUID, topic_id, 0),
    F(describe_topic_partitions_response_topic, BOOL, is_internal, 0),
    F(describe_topic_partitions_response_topic, LIST, partitions, 0, OF(kafka_describe_topic_partitions_response_partition)),
    F(describe_topic_partitions_response_topic, I32, topic_authorized_operations, 0, ABSENT(-2147483648)));
ROWS(describe_topic_partitions_response_next_cursor,
    F(describe_topic_partitions_response_next_cursor, STR, topic_name, 0),
    F(describe_topic_partitions_response_next_cursor, I32, partition_index, 0));
ROWS(describe_topic_partitions_response,
    F(describe_topic_partitions_response, I32, throttle_time_ms, 0),
    F(describe_topic_partitions_response, LIST, topics, 0, OF(kafka_describe_topic_partitions_response_topic)),
    F(describe_topic_partitions_response, STRUCT, next_cursor, 0, OF(kafka_describe_topic_partitions_response_next_cursor), NULLABLE(0)));

ROWS(describe_quorum_request_partition,
    F(describe_quorum_request_partition, I32, partition_index, 0));
ROWS(describe_quorum_request_topic,
    F(describe_quorum_request_topic, STR, topic_name, 0),
    F(describe_quorum_request_topic, LIST, partitions, 0, OF(kafka_describe_quorum_request_partition)));
ROWS(describe_quorum_request,
    F(describe_quorum_request, LIST, topics, 0, OF(kafka_describe_quorum_request_topic)));

ROWS(describe_quorum_response_replica_state,
    F(describe_quorum_response_replica_state, I32, replica_id, 0),
    F(describe_quorum_response_replica_state, UUID, replica_directory_id, 2),
    F(describe_quorum_response_replica_state, I64, log_end_offset, 0),
    F(describe_quorum_response_replica_state, I64, last_fetch_timestamp, 1, ABSENT(-1)),
    F(describe_quorum_response_replica_state, I64, last_caught_up_timestamp, 1, ABSENT(-1)));
ROWS(describe_quorum_response_partition,
    F(describe_quorum_response_partition, I32, partition_index, 0),
    F(describe_quorum_response_partition, I16, error_code, 0),
    F(describe_quorum_response_partition, STR, error_message, 2, NULLABLE(2)),
    F(describe_quorum_response_partition, I32, leader_id, 0),
    F(describe_quorum_response_partition, I32, leader_epoch, 0),
    F(describe_quorum_response_partition, I64, high_watermark, 0),
    F(describe_quorum_response_partition, LIST, current_voters, 0, OF(kafka_describe_quorum_response_replica_state)),
    F(describe_quorum_response_partition, LIST, observers, 0, OF(kafka_describe_quorum_response_replica_state)));
ROWS(describe_quorum_response_topic,
    F(describe_quorum_response_topic, STR, topic_name, 0),
    F(describe_quorum_response_topic, LIST, partitions, 0, OF(kafka_describe_quorum_response_partition)));
ROWS(describe_quorum_response_listener,
    F(describe_quorum_response_listener, STR, name, 2),
    F(describe_quorum_response_listener, STR, host, 2),
    F(describe_quorum_response_listener, U16, port, 2));
ROWS(describe_quorum_response_node,
    F(describe_quorum_response_node, I32, node_id, 2),
    F(describe_quorum_response_node, LIST, listeners, 2, OF(kafka_describe_quorum_response_listener)));
ROWS(describe_quorum_response,
    F(describe_quorum_response, I16, error_code, 0),
    F(describe_quorum_response, STR, error_message, 2, NULLABLE(2)),
    F(describe_quorum_response, LIST, topics, 0, OF(kafka_describe_quorum_response_topic)),
    F(describe_quorum_response, LIST, nodes, 2, OF(kafka_describe_quorum_response_node)));
