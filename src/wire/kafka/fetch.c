/* Rows of the messages for reading: Fetch, ListOffsets, OffsetForLeaderEpoch. */
#include "wire/kafka/fetch.h"

#include "wire/kafka/row.h"

/* One field, one row. */
/* clang-format off */
ROWS(fetch_request_replica_state,
    F(fetch_request_replica_state, I32, replica_id, 15, ABSENT(-1)),
    F(fetch_request_replica_state, I64, replica_epoch, 15, ABSENT(-1)));
ROWS(fetch_request_partition,
    F(fetch_request_partition, I32, partition, 0),
    F(fetch_request_partition, I32, current_leader_epoch, 9, ABSENT(-1)),
    F(fetch_request_partition, I64, fetch_offset, 0),
    F(fetch_request_partition, I32, last_fetched_epoch, 12, ABSENT(-1)),
    F(fetch_request_partition, I64, log_start_offset, 5, ABSENT(-1)),
    F(fetch_request_partition, I32, partition_max_bytes, 0),
    F(fetch_request_partition, UUID, replica_directory_id, 17, TAG(0)),
    F(fetch_request_partition, I64, high_watermark, 18, TAG(1), ABSENT(INT64_MAX)));
ROWS(fetch_request_topic,
    F(fetch_request_topic, STR, topic, 0, UNTIL(12)),
    F(fetch_request_topic, UUID, topic_id, 13),
    F(fetch_request_topic, LIST, partitions, 0, OF(kafka_fetch_request_partition)));
ROWS(fetch_request_forgotten_topics_data,
    F(fetch_request_forgotten_topics_data, STR, topic, 7, UNTIL(12)),
    F(fetch_request_forgotten_topics_data, UUID, topic_id, 13),
    F(fetch_request_forgotten_topics_data, LIST, partitions, 7, ITEM(I32)));
ROWS(fetch_request,
    F(fetch_request, STR, cluster_id, 12, NULLABLE(12), TAG(0)),
    F(fetch_request, I32, replica_id, 0, UNTIL(14), ABSENT(-1)),
    F(fetch_request, STRUCT, replica_state, 15, OF(kafka_fetch_request_replica_state), TAG(1)),
    F(fetch_request, I32, max_wait_ms, 0),
    F(fetch_request, I32, min_bytes, 0),
    F(fetch_request, I32, max_bytes, 3, ABSENT(INT32_MAX)),
    F(fetch_request, I8, isolation_level, 4),
    F(fetch_request, I32, session_id, 7),
    F(fetch_request, I32, session_epoch, 7, ABSENT(-1)),
    F(fetch_request, LIST, topics, 0, OF(kafka_fetch_request_topic)),
    F(fetch_request, LIST, forgotten_topics_data, 7, OF(kafka_fetch_request_forgotten_topics_data)),
    F(fetch_request, STR, rack_id, 11));

ROWS(fetch_response_diverging_epoch,
    F(fetch_response_diverging_epoch, I32, epoch, 12, ABSENT(-1)),
    F(fetch_response_diverging_epoch, I64, end_offset, 12, ABSENT(-1)));
ROWS(fetch_response_current_leader,
    F(fetch_response_current_leader, I32, leader_id, 12, ABSENT(-1)),
    F(fetch_response_current_leader, I32, leader_epoch, 12, ABSENT(-1)));
ROWS(fetch_response_snapshot_id,
    F(fetch_response_snapshot_id, I64, end_offset, 0, ABSENT(-1)),
    F(fetch_response_snapshot_id, I32, epoch, 0, ABSENT(-1)));
ROWS(fetch_response_aborted_transaction,
    F(fetch_response_aborted_transaction, I64, producer_id, 4),
    F(fetch_response_aborted_transaction, I64, first_offset, 4));
ROWS(fetch_response_partition,
    F(fetch_response_partition, I32, partition_index, 0),
    F(fetch_response_partition, I16, error_code, 0),
    F(fetch_response_partition, I64, high_watermark, 0),
    F(fetch_response_partition, I64, last_stable_offset, 4, ABSENT(-1)),
    F(fetch_response_partition, I64, log_start_offset, 5, ABSENT(-1)),
    F(fetch_response_partition, STRUCT, diverging_epoch, 12, OF(kafka_fetch_response_diverging_epoch), TAG(0)),
    F(fetch_response_partition, STRUCT, current_leader, 12, OF(kafka_fetch_response_current_leader), TAG(1)),
    F(fetch_response_partition, STRUCT, snapshot_id, 12, OF(kafka_fetch_response_snapshot_id), TAG(2)),
    F(fetch_response_partition, LIST, aborted_transactions, 4, OF(kafka_fetch_response_aborted_transaction), NULLABLE(4)),
    F(fetch_response_partition, I32, preferred_read_replica, 11, ABSENT(-1)),
    F(fetch_response_partition, RECORDS, records, 0, NULLABLE(0)));
ROWS(fetch_response_response,
    F(fetch_response_response, STR, topic, 0, UNTIL(12)),
    F(fetch_response_response, UUID, topic_id, 13),
    F(fetch_response_response, LIST, partitions, 0, OF(kafka_fetch_response_partition)));
ROWS(fetch_response_node_endpoint,
    F(fetch_response_node_endpoint, I32, node_id, 16),
    F(fetch_response_node_endpoint, STR, host, 16),
    F(fetch_response_node_endpoint, I32, port, 16),
    F(fetch_response_node_endpoint, STR, rack, 16, NULLABLE(16)));
ROWS(fetch_response,
    F(fetch_response, I32, throttle_time_ms, 1),
    F(fetch_response, I16, error_code, 7),
    F(fetch_response, I32, session_id, 7),
    F(fetch_response, LIST, responses, 0, OF(kafka_fetch_response_response)),
    F(fetch_response, LIST, node_endpoints, 16, OF(kafka_fetch_response_node_endpoint), TAG(0)));

ROWS(list_offsets_request_partition,
    F(list_offsets_request_partition, I32, partition_index, 0),
    F(list_offsets_request_partition, I32, current_leader_epoch, 4, ABSENT(-1)),
    F(list_offsets_request_partition, I64, timestamp, 0));
ROWS(list_offsets_request_topic,
    F(list_offsets_request_topic, STR, name, 0),
    F(list_offsets_request_topic, LIST, partitions, 0, OF(kafka_list_offsets_request_partition)));
ROWS(list_offsets_request,
    F(list_offsets_request, I32, replica_id, 0),
    F(list_offsets_request, I8, isolation_level, 2),
    F(list_offsets_request, LIST, topics, 0, OF(kafka_list_offsets_request_topic)),
    F(list_offsets_request, I32, timeout_ms, 10));

ROWS(list_offsets_response_partition,
    F(list_offsets_response_partition, I32, partition_index, 0),
    F(list_offsets_response_partition, I16, error_code, 0),
    F(list_offsets_response_partition, I64, timestamp, 1, ABSENT(-1)),
    F(list_offsets_response_partition, I64, offset, 1, ABSENT(-1)),
    F(list_offsets_response_partition, I32, leader_epoch, 4, ABSENT(-1)));
ROWS(list_offsets_response_topic,
    F(list_offsets_response_topic, STR, name, 0),
    F(list_offsets_response_topic, LIST, partitions, 0, OF(kafka_list_offsets_response_partition)));
ROWS(list_offsets_response,
    F(list_offsets_response, I32, throttle_time_ms, 2),
    F(list_offsets_response, LIST, topics, 0, OF(kafka_list_offsets_response_topic)));

ROWS(offset_for_leader_epoch_request_partition,
    F(offset_for_leader_epoch_request_partition, I32, partition, 0),
    F(offset_for_leader_epoch_request_partition, I32, current_leader_epoch, 2, ABSENT(-1)),
    F(offset_for_leader_epoch_request_partition, I32, leader_epoch, 0));
ROWS(offset_for_leader_epoch_request_topic,
    F(offset_for_leader_epoch_request_topic, STR, topic, 0),
    F(offset_for_leader_epoch_request_topic, LIST, partitions, 0, OF(kafka_offset_for_leader_epoch_request_partition)));
ROWS(offset_for_leader_epoch_request,
    F(offset_for_leader_epoch_request, I32, replica_id, 3, ABSENT(-2)),
    F(offset_for_leader_epoch_request, LIST, topics, 0, OF(kafka_offset_for_leader_epoch_request_topic)));

ROWS(offset_for_leader_epoch_response_partition,
    F(offset_for_leader_epoch_response_partition, I16, error_code, 0),
    F(offset_for_leader_epoch_response_partition, I32, partition, 0),
    F(offset_for_leader_epoch_response_partition, I32, leader_epoch, 1, ABSENT(-1)),
    F(offset_for_leader_epoch_response_partition, I64, end_offset, 0, ABSENT(-1)));
ROWS(offset_for_leader_epoch_response_topic,
    F(offset_for_leader_epoch_response_topic, STR, topic, 0),
    F(offset_for_leader_epoch_response_topic, LIST, partitions, 0, OF(kafka_offset_for_leader_epoch_response_partition)));
ROWS(offset_for_leader_epoch_response,
    F(offset_for_leader_epoch_response, I32, throttle_time_ms, 2),
    F(offset_for_leader_epoch_response, LIST, topics, 0, OF(kafka_offset_for_leader_epoch_response_topic)));
