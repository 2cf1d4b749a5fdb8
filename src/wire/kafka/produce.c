/* Rows of the messages for producing: Produce, InitProducerId, DescribeProducers. */
#include "wire/kafka/produce.h"

#include "wire/kafka/row.h"

/* One field, one row. */
/* clang-format off */
ROWS(produce_request_partition_data,
    F(produce_request_partition_data, I32, index, 0),
    F(produce_request_partition_data, RECORDS, records, 0, NULLABLE(0)));
ROWS(produce_request_topic_data,
    F(produce_request_topic_data, STR, name, 0, UNTIL(12)),
    F(produce_request_topic_data, UUID, topic_id, 13),
    F(produce_request_topic_data, LIST, partition_data, 0, OF(kafka_produce_request_partition_data)));
ROWS(produce_request,
    F(produce_request, STR, transactional_id, 3, NULLABLE(3)),
    F(produce_request, I16, acks, 0),
    F(produce_request, I32, timeout_ms, 0),
    F(produce_request, LIST, topic_data, 0, OF(kafka_produce_request_topic_data)));

ROWS(produce_response_record_error,
    F(produce_response_record_error, I32, batch_index, 8),
    F(produce_response_record_error, STR, batch_index_error_message, 8, NULLABLE(8)));
ROWS(produce_response_current_leader,
    F(produce_response_current_leader, I32, leader_id, 10, ABSENT(-1)),
    F(produce_response_current_leader, I32, leader_epoch, 10, ABSENT(-1)));
ROWS(produce_response_partition_response,
    F(produce_response_partition_response, I32, index, 0),
    F(produce_response_partition_response, I16, error_code, 0),
    F(produce_response_partition_response, I64, base_offset, 0),
    F(produce_response_partition_response, I64, log_append_time_ms, 2, ABSENT(-1)),
    F(produce_response_partition_response, I64, log_start_offset, 5, ABSENT(-1)),
    F(produce_response_partition_response, LIST, record_errors, 8, OF(kafka_produce_response_record_error)),
    F(produce_response_partition_response, STR, error_message, 8, NULLABLE(8)),
    F(produce_response_partition_response, STRUCT, current_leader, 10, OF(kafka_produce_response_current_leader), TAG(0)));
ROWS(produce_response_response,
    F(produce_response_response, STR, name, 0, UNTIL(12)),
    F(produce_response_response, UUID, topic_id, 13),
    F(produce_response_response, LIST, partition_responses, 0, OF(kafka_produce_response_partition_response)));
ROWS(produce_response_node_endpoint,
    F(produce_response_node_endpoint, I32, node_id, 10),
    F(produce_response_node_endpoint, STR, host, 10),
    F(produce_response_node_endpoint, I32, port, 10),
    F(produce_response_node_endpoint, STR, rack, 10, NULLABLE(10)));
ROWS(produce_response,
    F(produce_response, LIST, responses, 0, OF(kafka_produce_response_response)),
    F(produce_response, I32, throttle_time_ms, 1),
    F(produce_response, LIST, node_endpoints, 10, OF(kafka_produce_response_node_endpoint), TAG(0)));

ROWS(init_producer_id_request,
    F(init_producer_id_request, STR, transactional_id, 0, NULLABLE(0)),
    F(init_producer_id_request, I32, transaction_timeout_ms, 0),
    F(init_producer_id_request, I64, producer_id, 3, ABSENT(-1)),
    F(init_producer_id_request, I16, producer_epoch, 3, ABSENT(-1)));

ROWS(init_producer_id_response,
    F(init_producer_id_response, I32, throttle_time_ms, 0),
    F(init_producer_id_response, I16, error_code, 0),
    F(init_producer_id_response, I64, producer_id, 0, ABSENT(-1)),
    F(init_producer_id_response, I16, producer_epoch, 0),
    F(init_producer_id_response, I64, ongoing_txn_producer_id, 6, ABSENT(-1)),
    F(init_producer_id_response, I16, ongoing_txn_producer_epoch, 6, ABSENT(-1)));

ROWS(describe_producers_request_topic,
    F(describe_producers_request_topic, STR, name, 0),
    F(describe_producers_request_topic, LIST, partition_indexes, 0, ITEM(I32)));
ROWS(describe_producers_request,
    F(describe_producers_request, LIST, topics, 0, OF(kafka_describe_producers_request_topic)));

ROWS(describe_producers_response_active_producer,
    F(describe_producers_response_active_producer, I64, producer_id, 0),
    F(describe_producers_response_active_producer, I32, producer_epoch, 0),
    F(describe_producers_response_active_producer, I32, last_sequence, 0, ABSENT(-1)),
    F(describe_producers_response_active_producer, I64, last_timestamp, 0, ABSENT(-1)),
    F(describe_producers_response_active_producer, I32, coordinator_epoch, 0),
    F(describe_producers_response_active_producer, I64, current_txn_start_offset, 0, ABSENT(-1)));
ROWS(describe_producers_response_partition,
    F(describe_producers_response_partition, I32, partition_index, 0),
    F(describe_producers_response_partition, I16, error_code, 0),
    F(describe_producers_response_partition, STR, error_message, 0, NULLABLE(0)),
    F(describe_producers_response_partition, LIST, active_producers, 0, OF(kafka_describe_producers_response_active_producer)));
ROWS(describe_producers_response_topic,
    F(describe_producers_response_topic, STR, name, 0),
    F(describe_producers_response_topic, LIST, partitions, 0, OF(kafka_describe_producers_response_partition)));
ROWS(describe_producers_response,
    F(describe_producers_response, I32, throttle_time_ms, 0),
    F(describe_producers_response, LIST, topics, 0, OF(kafka_describe_producers_response_topic)));
