/* The table of APIs, and request and response headers; see api.h. */
#include "wire/kafka/api.h"

#include "wire/kafka/config.h"
#include "wire/kafka/fetch.h"
#include "wire/kafka/group.h"
#include "wire/kafka/metadata.h"
#include "wire/kafka/produce.h"
#include "wire/kafka/topic.h"

const struct kafka_api kafka_apis[] = {
    { KAFKA_API_PRODUCE, "Produce", 3, 13, 9, &kafka_produce_request_message, &kafka_produce_response_message },
    { KAFKA_API_FETCH, "Fetch", 4, 18, 12, &kafka_fetch_request_message, &kafka_fetch_response_message },
    { KAFKA_API_LIST_OFFSETS, "ListOffsets", 1, 10, 6, &kafka_list_offsets_request_message,
      &kafka_list_offsets_response_message },
    { KAFKA_API_METADATA, "Metadata", 0, 13, 9, &kafka_metadata_request_message, &kafka_metadata_response_message },
    { KAFKA_API_OFFSET_COMMIT, "OffsetCommit", 2, 9, 8, &kafka_offset_commit_request_message,
      &kafka_offset_commit_response_message },
    { KAFKA_API_OFFSET_FETCH, "OffsetFetch", 1, 9, 6, &kafka_offset_fetch_request_message,
      &kafka_offset_fetch_response_message },
    { KAFKA_API_FIND_COORDINATOR, "FindCoordinator", 0, 6, 3, &kafka_find_coordinator_request_message,
      &kafka_find_coordinator_response_message },
    { KAFKA_API_JOIN_GROUP, "JoinGroup", 0, 9, 6, &kafka_join_group_request_message,
      &kafka_join_group_response_message },
    { KAFKA_API_HEARTBEAT, "Heartbeat", 0, 4, 4, &kafka_heartbeat_request_message, &kafka_heartbeat_response_message },
    { KAFKA_API_LEAVE_GROUP, "LeaveGroup", 0, 5, 4, &kafka_leave_group_request_message,
      &kafka_leave_group_response_message },
    { KAFKA_API_SYNC_GROUP, "SyncGroup", 0, 5, 4, &kafka_sync_group_request_message,
      &kafka_sync_group_response_message },
    { KAFKA_API_DESCRIBE_GROUPS, "DescribeGroups", 0, 6, 5, &kafka_describe_groups_request_message,
      &kafka_describe_groups_response_message },
    { KAFKA_API_LIST_GROUPS, "ListGroups", 0, 5, 3, &kafka_list_groups_request_message,
      &kafka_list_groups_response_message },
    { KAFKA_API_API_VERSIONS, "ApiVersions", 0, 4, 3, &kafka_api_versions_request_message,
      &kafka_api_versions_response_message },
    { KAFKA_API_CREATE_TOPICS, "CreateTopics", 2, 7, 5, &kafka_create_topics_request_message,
      &kafka_create_topics_response_message },
    { KAFKA_API_DELETE_TOPICS, "DeleteTopics", 1, 6, 4, &kafka_delete_topics_request_message,
      &kafka_delete_topics_response_message },
    { KAFKA_API_DELETE_RECORDS, "DeleteRecords", 0, 2, 2, &kafka_delete_records_request_message,
      &kafka_delete_records_response_message },
    { KAFKA_API_INIT_PRODUCER_ID, "InitProducerId", 0, 5, 2, &kafka_init_producer_id_request_message,
      &kafka_init_producer_id_response_message },
    { KAFKA_API_OFFSET_FOR_LEADER_EPOCH, "OffsetForLeaderEpoch", 2, 4, 4,
      &kafka_offset_for_leader_epoch_request_message, &kafka_offset_for_leader_epoch_response_message },
    { KAFKA_API_DESCRIBE_ACLS, "DescribeAcls", 1, 3, 2, &kafka_describe_acls_request_message,
      &kafka_describe_acls_response_message },
    { KAFKA_API_CREATE_ACLS, "CreateAcls", 1, 3, 2, &kafka_create_acls_request_message,
      &kafka_create_acls_response_message },
    { KAFKA_API_DELETE_ACLS, "DeleteAcls", 1, 3, 2, &kafka_delete_acls_request_message,
      &kafka_delete_acls_response_message },
    { KAFKA_API_DESCRIBE_CONFIGS, "DescribeConfigs", 1, 4, 4, &kafka_describe_configs_request_message,
      &kafka_describe_configs_response_message },
    { KAFKA_API_ALTER_CONFIGS, "AlterConfigs", 0, 2, 2, &kafka_alter_configs_request_message,
      &kafka_alter_configs_response_message },
    { KAFKA_API_ALTER_REPLICA_LOG_DIRS, "AlterReplicaLogDirs", 1, 2, 2, &kafka_alter_replica_log_dirs_request_message,
      &kafka_alter_replica_log_dirs_response_message },
    { KAFKA_API_DESCRIBE_LOG_DIRS, "DescribeLogDirs", 1, 4, 2, &kafka_describe_log_dirs_request_message,
      &kafka_describe_log_dirs_response_message },
    { KAFKA_API_CREATE_PARTITIONS, "CreatePartitions", 0, 3, 2, &kafka_create_partitions_request_message,
      &kafka_create_partitions_response_message },
    { KAFKA_API_DELETE_GROUPS, "DeleteGroups", 0, 2, 2, &kafka_delete_groups_request_message,
      &kafka_delete_groups_response_message },
    { KAFKA_API_ELECT_LEADERS, "ElectLeaders", 0, 2, 2, &kafka_elect_leaders_request_message,
      &kafka_elect_leaders_response_message },
    { KAFKA_API_INCREMENTAL_ALTER_CONFIGS, "IncrementalAlterConfigs", 0, 1, 1,
      &kafka_incremental_alter_configs_request_message, &kafka_incremental_alter_configs_response_message },
    { KAFKA_API_ALTER_PARTITION_REASSIGNMENTS, "AlterPartitionReassignments", 0, 1, 0,
      &kafka_alter_partition_reassignments_request_message, &kafka_alter_partition_reassignments_response_message },
    { KAFKA_API_LIST_PARTITION_REASSIGNMENTS, "ListPartitionReassignments", 0, 0, 0,
      &kafka_list_partition_reassignments_request_message, &kafka_list_partition_reassignments_response_message },
    { KAFKA_API_OFFSET_DELETE, "OffsetDelete", 0, 0, -1, &kafka_offset_delete_request_message,
      &kafka_offset_delete_response_message },
    { KAFKA_API_DESCRIBE_CLIENT_QUOTAS, "DescribeClientQuotas", 0, 1, 1, &kafka_describe_client_quotas_request_message,
      &kafka_describe_client_quotas_response_message },
    { KAFKA_API_ALTER_CLIENT_QUOTAS, "AlterClientQuotas", 0, 1, 1, &kafka_alter_client_quotas_request_message,
      &kafka_alter_client_quotas_response_message },
    { KAFKA_API_DESCRIBE_USER_SCRAM_CREDENTIALS, "DescribeUserScramCredentials", 0, 0, 0,
      &kafka_describe_user_scram_credentials_request_message, &kafka_describe_user_scram_credentials_response_message },
    { KAFKA_API_DESCRIBE_QUORUM, "DescribeQuorum", 0, 2, 0, &kafka_describe_quorum_request_message,
      &kafka_describe_quorum_response_message },
    { KAFKA_API_DESCRIBE_CLUSTER, "DescribeCluster", 0, 2, 0, &kafka_describe_cluster_request_message,
      &kafka_describe_cluster_response_message },
    { KAFKA_API_DESCRIBE_PRODUCERS, "DescribeProducers", 0, 0, 0, &kafka_describe_producers_request_message,
      &kafka_describe_producers_response_message },
    { KAFKA_API_LIST_CONFIG_RESOURCES, "ListConfigResources", 0, 1, 0, &kafka_list_config_resources_request_message,
      &kafka_list_config_resources_response_message },
    { KAFKA_API_DESCRIBE_TOPIC_PARTITIONS, "DescribeTopicPartitions", 0, 0, 0,
      &kafka_describe_topic_partitions_request_message, &kafka_describe_topic_partitions_response_message },
};
const size_t kafka_api_count = ARRAY_LEN(kafka_apis);

const struct kafka_api *kafka_api_find(int key)
{
    for (size_t i = 0; i < kafka_api_count; i++)
        if (kafka_apis[i].key == key)
            return &kafka_apis[i];
    return NULL;
}

bool kafka_api_is_flexible(const struct kafka_api *api, int version)
{
    return api->flexible >= 0 && version >= api->flexible;
}

static void skip_tags(struct kafka_reader *reader)
{
    for (uint32_t tags = kafka_read_uvarint(reader); tags > 0 && !reader->error; tags--) {
        kafka_read_uvarint(reader);
        kafka_take(reader, kafka_read_uvarint(reader));
    }
}

const struct kafka_api *kafka_read_request_header(struct kafka_reader *reader, struct kafka_request_header *header)
{
    *header = (struct kafka_request_header){ 0 };
    header->key = (int16_t)kafka_read_int(reader, 2);
    header->version = (int16_t)kafka_read_int(reader, 2);
    header->correlation_id = (int32_t)kafka_read_int(reader, 4);
    const struct kafka_api *api = kafka_api_find(header->key);
    if (!api)
        return NULL;
    header->client_id = kafka_read_str(reader, false, true);
    if (kafka_api_is_flexible(api, header->version))
        skip_tags(reader);
    return api;
}

void kafka_write_request_header(struct buf *out, const struct kafka_api *api, const struct kafka_request_header *header)
{
    kafka_write_int(out, header->key, 2);
    kafka_write_int(out, header->version, 2);
    kafka_write_int(out, header->correlation_id, 4);
    kafka_write_str(out, false, header->client_id);
    if (kafka_api_is_flexible(api, header->version))
        kafka_write_uvarint(out, 0);
}

void kafka_write_response_header(struct buf *out, const struct kafka_api *api, int version, int32_t correlation_id)
{
    kafka_write_int(out, correlation_id, 4);
    if (api->key != KAFKA_API_API_VERSIONS && kafka_api_is_flexible(api, version))
        kafka_write_uvarint(out, 0);
}
