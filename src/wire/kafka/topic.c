/* Rows of the messages for topics and partitions: create, delete, grow, where they lie. */
#include "wire/kafka/topic.h"

#include "wire/kafka/row.h"

/* One field, one row. */
/* clang-format off */
ROWS(create_topics_request_assignment,
    F(create_topics_request_assignment, I32, partition_index, 0),
    F(create_topics_request_assignment, LIST, broker_ids, 0, ITEM(I32)));
ROWS(create_topics_request_config,
    F(create_topics_request_config, STR, name, 0),
    F(create_topics_request_config, STR, value, 0, NULLABLE(0)));
ROWS(create_topics_request_topic,
    F(create_topics_request_topic, STR, name, 0),
    F(create_topics_request_topic, I32, num_partitions, 0),
    F(create_topics_request_topic, I16, replication_factor, 0),
    F(create_topics_request_topic, LIST, assignments, 0, OF(kafka_create_topics_request_assignment)),
    F(create_topics_request_topic, LIST, configs, 0, OF(kafka_create_topics_request_config)));
ROWS(create_topics_request,
    F(create_topics_request, LIST, topics, 0, OF(kafka_create_topics_request_topic)),
    F(create_topics_request, I32, timeout_ms, 0, ABSENT(60000)),
    F(create_topics_request, BOOL, validate_only, 1));

ROWS(create_topics_response_config,
    F(create_topics_response_config, STR, name, 5),
    F(create_topics_response_config, STR, value, 5, NULLABLE(5)),
    F(create_topics_response_config, BOOL, read_only, 5),
    F(create_topics_response_config, I8, config_source, 5, ABSENT(-1)),
    F(create_topics_response_config, BOOL, is_sensitive, 5));
ROWS(create_topics_response_topic,
    F(create_topics_response_topic, STR, name, 0),
    F(create_topics_response_topic, UUID, topic_id, 7),
    F(create_topics_response_topic, I16, error_code, 0),
    F(create_topics_response_topic, STR, error_message, 1, NULLABLE(0)),
    F(create_topics_response_topic, I16, topic_config_error_code, 5, TAG(0)),
    F(create_topics_response_topic, I32, num_partitions, 5, ABSENT(-1)),
    F(create_topics_response_topic, I16, replication_factor, 5, ABSENT(-1)),
    F(create_topics_response_topic, LIST, configs, 5, OF(kafka_create_topics_response_config), NULLABLE(5)));
ROWS(create_topics_response,
    F(create_topics_response, I32, throttle_time_ms, 2),
    F(create_topics_response, LIST, topics, 0, OF(kafka_create_topics_response_topic)));

ROWS(delete_topics_request_topic,
    F(delete_topics_request_topic, STR, name, 6, NULLABLE(6)),
    F(delete_topics_request_topic, UUID, topic_id, 6));
ROWS(delete_topics_request,
    F(delete_topics_request, LIST, topics, 6, OF(kafka_delete_topics_request_topic)),
    F(delete_topics_request, LIST, topic_names, 0, ITEM(STR), UNTIL(5)),
    F(delete_topics_request, I32, timeout_ms, 0));

ROWS(delete_topics_response_response,
    F(delete_topics_response_response, STR, name, 0, NULLABLE(6)),
    F(delete_topics_response_response, UUID, topic_id, 6),
    F(delete_topics_response_response, I16, error_code, 0),
    F(delete_topics_response_response, STR, error_message, 5, NULLABLE(5)));
ROWS(delete_topics_response,
    F(delete_topics_response, I32, throttle_time_ms, 1),
    F(delete_topics_response, LIST, responses, 0, OF(kafka_delete_topics_response_response)));

ROWS(delete_records_request_partition,
    F(delete_records_request_partition, I32, partition_index, 0),
    F(delete_records_request_partition, I64, offset, 0));
ROWS(delete_records_request_topic,
    F(delete_records_request_topic, STR, name, 0),
    F(delete_records_request_topic, LIST, partitions, 0, OF(kafka_delete_records_request_partition)));
ROWS(delete_records_request,
    F(delete_records_request, LIST, topics, 0, OF(kafka_delete_records_request_topic)),
    F(delete_records_request, I32, timeout_ms, 0));

ROWS(delete_records_response_partition,
    F(delete_records_response_partition, I32, partition_index, 0),
    F(delete_records_response_partition, I64, low_watermark, 0),
    F(delete_records_response_partition, I16, error_code, 0));
ROWS(delete_records_response_topic,
    F(delete_records_response_topic, STR, name, 0),
    F(delete_records_response_topic, LIST, partitions, 0, OF(kafka_delete_records_response_partition)));
ROWS(delete_records_response,
    F(delete_records_response, I32, throttle_time_ms, 0),
    F(delete_records_response, LIST, topics, 0, OF(kafka_delete_records_response_topic)));

ROWS(create_partitions_request_assignment,
    F(create_partitions_request_assignment, LIST, broker_ids, 0, ITEM(I32)));
ROWS(create_partitions_request_topic,
    F(create_partitions_request_topic, STR, name, 0),
    F(create_partitions_request_topic, I32, count, 0),
    F(create_partitions_request_topic, LIST, assignments, 0, OF(kafka_create_partitions_request_assignment), NULLABLE(0)));
ROWS(create_partitions_request,
    F(create_partitions_request, LIST, topics, 0, OF(kafka_create_partitions_request_topic)),
    F(create_partitions_request, I32, timeout_ms, 0),
    F(create_partitions_request, BOOL, validate_only, 0));

ROWS(create_partitions_response_result,
    F(create_partitions_response_result, STR, name, 0),
    F(create_partitions_response_result, I16, error_code, 0),
    F(create_partitions_response_result, STR, error_message, 0, NULLABLE(0)));
ROWS(create_partitions_response,
    F(create_partitions_response, I32, throttle_time_ms, 0),
    F(create_partitions_response, LIST, results, 0, OF(kafka_create_partitions_response_result)));

ROWS(describe_log_dirs_request_topic,
    F(describe_log_dirs_request_topic, STR, topic, 0),
    F(describe_log_dirs_request_topic, LIST, partitions, 0, ITEM(I32)));
ROWS(describe_log_dirs_request,
    F(describe_log_dirs_request, LIST, topics, 0, OF(kafka_describe_log_dirs_request_topic), NULLABLE(0)));

ROWS(describe_log_dirs_response_partition,
    F(describe_log_dirs_response_partition, I32, partition_index, 0),
    F(describe_log_dirs_response_partition, I64, partition_size, 0),
    F(describe_log_dirs_response_partition, I64, offset_lag, 0),
    F(describe_log_dirs_response_partition, BOOL, is_future_key, 0));
ROWS(describe_log_dirs_response_topic,
    F(describe_log_dirs_response_topic, STR, name, 0),
    F(describe_log_dirs_response_topic, LIST, partitions, 0, OF(kafka_describe_log_dirs_response_partition)));
ROWS(describe_log_dirs_response_result,
    F(describe_log_dirs_response_result, I16, error_code, 0),
    F(describe_log_dirs_response_result, STR, log_dir, 0),
    F(describe_log_dirs_response_result, LIST, topics, 0, OF(kafka_describe_log_dirs_response_topic)),
    F(describe_log_dirs_response_result, I64, total_bytes, 4, ABSENT(-1)),
    F(describe_log_dirs_response_result, I64, usable_bytes, 4, ABSENT(-1)));
ROWS(describe_log_dirs_response,
    F(describe_log_dirs_response, I32, throttle_time_ms, 0),
    F(describe_log_dirs_response, I16, error_code, 3),
    F(describe_log_dirs_response, LIST, results, 0, OF(kafka_describe_log_dirs_response_result)));

ROWS(alter_replica_log_dirs_request_topic,
    F(alter_replica_log_dirs_request_topic, STR, name, 0),
    F(alter_replica_log_dirs_request_topic, LIST, partitions, 0, ITEM(I32)));
ROWS(alter_replica_log_dirs_request_dir,
    F(alter_replica_log_dirs_request_dir, STR, path, 0),
    F(alter_replica_log_dirs_request_dir, LIST, topics, 0, OF(kafka_alter_replica_log_dirs_request_topic)));
ROWS(alter_replica_log_dirs_request,
    F(alter_replica_log_dirs_request, LIST, dirs, 0, OF(kafka_alter_replica_log_dirs_request_dir)));

ROWS(alter_replica_log_dirs_response_partition,
    F(alter_replica_log_dirs_response_partition, I32, partition_index, 0),
    F(alter_replica_log_dirs_response_partition, I16, error_code, 0));
ROWS(alter_replica_log_dirs_response_result,
    F(alter_replica_log_dirs_response_result, STR, topic_name, 0),
    F(alter_replica_log_dirs_response_result, LIST, partitions, 0, OF(kafka_alter_replica_log_dirs_response_partition)));
ROWS(alter_replica_log_dirs_response,
    F(alter_replica_log_dirs_response, I32, throttle_time_ms, 0),
    F(alter_replica_log_dirs_response, LIST, results, 0, OF(kafka_alter_replica_log_dirs_response_result)));

ROWS(elect_leaders_request_topic_partition,
    F(elect_leaders_request_topic_partition, STR, topic, 0),
    F(elect_leaders_request_topic_partition, LIST, partitions, 0, ITEM(I32)));
ROWS(elect_leaders_request,
    F(elect_leaders_request, I8, election_type, 1),
    F(elect_leaders_request, LIST, topic_partitions, 0, OF(kafka_elect_leaders_request_topic_partition), NULLABLE(0)),
    F(elect_leaders_request, I32, timeout_ms, 0, ABSENT(60000)));

ROWS(elect_leaders_response_partition_result,
    F(elect_leaders_response_partition_result, I32, partition_id, 0),
    F(elect_leaders_response_partition_result, I16, error_code, 0),
    F(elect_leaders_response_partition_result, STR, error_message, 0, NULLABLE(0)));
ROWS(elect_leaders_response_replica_election_result,
    F(elect_leaders_response_replica_election_result, STR, topic, 0),
    F(elect_leaders_response_replica_election_result, LIST, partition_result, 0, OF(kafka_elect_leaders_response_partition_result)));
ROWS(elect_leaders_response,
    F(elect_leaders_response, I32, throttle_time_ms, 0),
    F(elect_leaders_response, I16, error_code, 1),
    F(elect_leaders_response, LIST, replica_election_results, 0, OF(kafka_elect_leaders_response_replica_election_result)));

ROWS(alter_partition_reassignments_request_partition,
    F(alter_partition_reassignments_request_partition, I32, partition_index, 0),
    F(alter_partition_reassignments_request_partition, LIST, replicas, 0, ITEM(I32), NULLABLE(0)));
ROWS(alter_partition_reassignments_request_topic,
    F(alter_partition_reassignments_request_topic, STR, name, 0),
    F(alter_partition_reassignments_request_topic, LIST, partitions, 0, OF(kafka_alter_partition_reassignments_request_partition)));
ROWS(alter_partition_reassignments_request,
    F(alter_partition_reassignments_request, I32, timeout_ms, 0, ABSENT(60000)),
    F(alter_partition_reassignments_request, BOOL, allow_replication_factor_change, 1, ABSENT(1)),
    F(alter_partition_reassignments_request, LIST, topics, 0, OF(kafka_alter_partition_reassignments_request_topic)));

ROWS(alter_partition_reassignments_response_partition,
    F(alter_partition_reassignments_response_partition, I32, partition_index, 0),
    F(alter_partition_reassignments_response_partition, I16, error_code, 0),
    F(alter_partition_reassignments_response_partition, STR, error_message, 0, NULLABLE(0)));
ROWS(alter_partition_reassignments_response_response,
    F(alter_partition_reassignments_response_response, STR, name, 0),
    F(alter_partition_reassignments_response_response, LIST, partitions, 0, OF(kafka_alter_partition_reassignments_response_partition)));
ROWS(alter_partition_reassignments_response,
    F(alter_partition_reassignments_response, I32, throttle_time_ms, 0),
    F(alter_partition_reassignments_response, BOOL, allow_replication_factor_change, 1, ABSENT(1)),
    F(alter_partition_reassignments_response, I16, error_code, 0),
    F(alter_partition_reassignments_response, STR, error_message, 0, NULLABLE(0)),
    F(alter_partition_reassignments_response, LIST, responses, 0, OF(kafka_alter_partition_reassignments_response_response)));

ROWS(list_partition_reassignments_request_topic,
    F(list_partition_reassignments_request_topic, STR, name, 0),
    F(list_partition_reassignments_request_topic, LIST, partition_indexes, 0, ITEM(I32)));
ROWS(list_partition_reassignments_request,
    F(list_partition_reassignments_request, I32, timeout_ms, 0, ABSENT(60000)),
    F(list_partition_reassignments_request, LIST, topics, 0, OF(kafka_list_partition_reassignments_request_topic), NULLABLE(0)));

ROWS(list_partition_reassignments_response_partition,
    F(list_partition_reassignments_response_partition, I32, partition_index, 0),
    F(list_partition_reassignments_response_partition, LIST, replicas, 0, ITEM(I32)),
    F(list_partition_reassignments_response_partition, LIST, adding_replicas, 0, ITEM(I32)),
    F(list_partition_reassignments_response_partition, LIST, removing_replicas, 0, ITEM(I32)));
ROWS(list_partition_reassignments_response_topic,
    F(list_partition_reassignments_response_topic, STR, name, 0),
    F(list_partition_reassignments_response_topic, LIST, partitions, 0, OF(kafka_list_partition_reassignments_response_partition)));
ROWS(list_partition_reassignments_response,
    F(list_partition_reassignments_response, I32, throttle_time_ms, 0),
    F(list_partition_reassignments_response, I16, error_code, 0),
    F(list_partition_reassignments_response, STR, error_message, 0, NULLABLE(0)),
    F(list_partition_reassignments_response, LIST, topics, 0, OF(kafka_list_partition_reassignments_response_topic)));
