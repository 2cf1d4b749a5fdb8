/* Messages for producing: Produce, InitProducerId, DescribeProducers.  Rows: produce.c; how they are walked: message.h.
 */
#ifndef WIRE_KAFKA_PRODUCE_H
#define WIRE_KAFKA_PRODUCE_H

#include "wire/kafka/message.h"

/* ProduceRequest, key 0, versions 3-13, flexible from 9 */
struct kafka_produce_request_partition_data {
    int32_t index;
    struct kafka_records records;
};
struct kafka_produce_request_topic_data {
    struct str name;
    struct kafka_uuid topic_id;
    KAFKA_LIST(struct kafka_produce_request_partition_data) partition_data;
};
struct kafka_produce_request {
    struct str transactional_id;
    int16_t acks;
    int32_t timeout_ms;
    KAFKA_LIST(struct kafka_produce_request_topic_data) topic_data;
};
extern const struct kafka_message kafka_produce_request_message;

/* ProduceResponse, key 0, versions 3-13, flexible from 9 */
struct kafka_produce_response_record_error {
    int32_t batch_index;
    struct str batch_index_error_message;
};
struct kafka_produce_response_current_leader {
    int32_t leader_id;
    int32_t leader_epoch;
};
struct kafka_produce_response_partition_response {
    int32_t index;
    int16_t error_code;
    int64_t base_offset;
    int64_t log_append_time_ms;
    int64_t log_start_offset;
    KAFKA_LIST(struct kafka_produce_response_record_error) record_errors;
    struct str error_message;
    struct kafka_produce_response_current_leader *current_leader;
};
struct kafka_produce_response_response {
    struct str name;
    struct kafka_uuid topic_id;
    KAFKA_LIST(struct kafka_produce_response_partition_response) partition_responses;
};
struct kafka_produce_response_node_endpoint {
    int32_t node_id;
    struct str host;
    int32_t port;
    struct str rack;
};
struct kafka_produce_response {
    KAFKA_LIST(struct kafka_produce_response_response) responses;
    int32_t throttle_time_ms;
    KAFKA_LIST(struct kafka_produce_response_node_endpoint) node_endpoints;
};
extern const struct kafka_message kafka_produce_response_message;

/* InitProducerIdRequest, key 22, versions 0-5, flexible from 2 */
struct kafka_init_producer_id_request {
    struct str transactional_id;
    int32_t transaction_timeout_ms;
    int64_t producer_id;
    int16_t producer_epoch;
};
extern const struct kafka_message kafka_init_producer_id_request_message;

/* InitProducerIdResponse, key 22, versions 0-6, flexible from 2 */
struct kafka_init_producer_id_response {
    int32_t throttle_time_ms;
    int16_t error_code;
    int64_t producer_id;
    int16_t producer_epoch;
    int64_t ongoing_txn_producer_id;
    int16_t ongoing_txn_producer_epoch;
};
extern const struct kafka_message kafka_init_producer_id_response_message;

/* DescribeProducersRequest, key 61, versions 0-0, flexible from 0 */
struct kafka_describe_producers_request_topic {
    struct str name;
    KAFKA_LIST(int32_t) partition_indexes;
};
struct kafka_describe_producers_request {
    KAFKA_LIST(struct kafka_describe_producers_request_topic) topics;
};
extern const struct kafka_message kafka_describe_producers_request_message;

/* DescribeProducersResponse, key 61, versions 0-0, flexible from 0 */
struct kafka_describe_producers_response_active_producer {
    int64_t producer_id;
    int32_t producer_epoch;
    int32_t last_sequence;
    int64_t last_timestamp;
    int32_t coordinator_epoch;
    int64_t current_txn_start_offset;
};
struct kafka_describe_producers_response_partition {
    int32_t partition_index;
    int16_t error_code;
    struct str error_message;
    KAFKA_LIST(struct kafka_describe_producers_response_active_producer) active_producers;
};
struct kafka_describe_producers_response_topic {
    struct str name;
    KAFKA_LIST(struct kafka_describe_producers_response_partition) partitions;
};
struct kafka_describe_producers_response {
    int32_t throttle_time_ms;
    KAFKA_LIST(struct kafka_describe_producers_response_topic) topics;
};
extern const struct kafka_message kafka_describe_producers_response_message;

#endif
