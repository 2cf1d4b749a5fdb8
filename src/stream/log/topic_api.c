/*
 * Topics over the wire: create, delete, grow, cut; where they lie; and the short answers of one node to questions about
 * replicas.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>

#include "stream/log/partition.h"

static struct str keep(struct request *request, const char *text)
{
    char *copy = arena_strdup(&request->arena, str_of(text));

    return copy ? str_of(copy) : STR("");
}

/* ----------------------------------------------------------------------------------- CreateTopics */

/* With one broker an assignment is possible only as 0..n-1 -> us. */
static enum kafka_error count_partitions(const struct broker *broker,
                                         const struct kafka_create_topics_request_topic *in, int32_t *out,
                                         struct err *err)
{
    const struct broker_config *config = &broker->config;
    int32_t n = in->assignments.count;

    *out = in->num_partitions == -1 ? (int32_t)broker_config_int(config, "num.partitions") : in->num_partitions;
    if (n > 0) {
        if (in->num_partitions != -1 || in->replication_factor != -1) {
            err_set(err, RC_BAD_INPUT, "Both numPartitions or replicationFactor and replicasAssignments were set.");
            return KAFKA_INVALID_REQUEST;
        }
        *out = n;
        for (int32_t i = 0; i < n; i++)
            if (in->assignments.items[i].broker_ids.count != 1 ||
                in->assignments.items[i].broker_ids.items[0] != broker->node_id) {
                err_set(err, RC_BAD_INPUT, "there is one broker, its id is %d", broker->node_id);
                return KAFKA_INVALID_REPLICA_ASSIGNMENT;
            }
        return KAFKA_NONE;
    }
    if (in->replication_factor != -1 && in->replication_factor != 1) {
        err_set(err, RC_BAD_INPUT, "Replication factor must be larger than 0, or -1 to use the default value.");
        if (in->replication_factor > 1)
            err_set(err, RC_BAD_INPUT,
                    "Unable to replicate the partition %d time(s): The target replication factor of %d cannot be "
                    "reached because only 1 broker(s) are registered.",
                    in->replication_factor, in->replication_factor);
        return KAFKA_INVALID_REPLICATION_FACTOR;
    }
    return KAFKA_NONE;
}

static enum kafka_error read_configs(const struct broker *broker, const struct kafka_create_topics_request_topic *in,
                                     struct topic_config *out, struct err *err)
{
    topic_config_init(out, &broker->config);
    for (int32_t i = 0; i < in->configs.count; i++)
        if (topic_config_set(out, &broker->config, in->configs.items[i].name, in->configs.items[i].value, err))
            return KAFKA_INVALID_CONFIG;
    return topic_config_check(out, err) ? KAFKA_INVALID_CONFIG : KAFKA_NONE;
}

static bool is_twice(const struct kafka_create_topics_request *body, struct str name)
{
    int n = 0;

    for (int32_t i = 0; i < body->topics.count; i++)
        n += str_eq(body->topics.items[i].name, name);
    return n > 1;
}

static const char *value_text(struct request *request, const struct topic_config *config, size_t i)
{
    switch (topic_config_rows[i].type) {
    case CONFIG_STRING:
    case CONFIG_LIST:
        return arena_strdup(&request->arena, str_of(config->value[i].text));
    case CONFIG_BOOLEAN:
        return config->value[i].number ? "true" : "false";
    case CONFIG_DOUBLE:
        return arena_printf(&request->arena, "%.15g", config->value[i].ratio);
    default:
        return arena_printf(&request->arena, "%lld", (long long)config->value[i].number);
    }
}

/* Kafka answers with all properties (KIP-525). */
static bool list_configs(struct request *request, const struct topic_config *config,
                         struct kafka_create_topics_response_topic *out)
{
    out->configs.items = request_alloc(request, topic_config_row_count, sizeof *out->configs.items);
    if (!out->configs.items)
        return false;
    for (size_t i = 0; i < topic_config_row_count; i++)
        out->configs.items[out->configs.count++] = (struct kafka_create_topics_response_config){
            .name = str_of(topic_config_rows[i].name),
            .value =
                config->overrides[i] ? keep(request, config->overrides[i]) : str_of(value_text(request, config, i)),
            .config_source = config->overrides[i] ? CONFIG_FROM_TOPIC : CONFIG_FROM_DEFAULT,
        };
    return true;
}

/* False: the request is gone. */
static bool create_one(struct request *request, const struct kafka_create_topics_request_topic *in,
                       struct kafka_create_topics_response_topic *out)
{
    const struct kafka_create_topics_request *body = request->body;
    CLEANUP(topic_config_free) struct topic_config config = { 0 };
    struct topic *topic = NULL;
    struct err err = { 0 };
    int32_t partitions = 0;
    enum kafka_error error = KAFKA_NONE;
    bool ok = true;

    *out =
        (struct kafka_create_topics_response_topic){ .name = in->name, .num_partitions = -1, .replication_factor = -1 };
    if (is_twice(body, in->name)) {
        err_set(&err, RC_BAD_INPUT, "Found multiple entries for this topic.");
        error = KAFKA_INVALID_REQUEST;
    }
    if (!error)
        error = count_partitions(request->broker, in, &partitions, &err);
    if (!error)
        error = broker_check_new_topic(request->broker, in->name, partitions, &err);
    if (!error)
        error = read_configs(request->broker, in, &config, &err);
    if (!error)
        ok = list_configs(request, &config, out);
    if (!error && ok && !body->validate_only)
        error = broker_create_topic(request->broker, in->name, partitions, &config, &topic, &err);
    if (!ok)
        return false;
    out->error_code = (int16_t)error;
    if (error) {
        out->error_message = keep(request, err.text);
        out->configs.count = 0;
        return true;
    }
    out->num_partitions = partitions;
    out->replication_factor = 1;
    if (topic)
        out->topic_id = topic->id;
    return true;
}

static void handle_create_topics(struct request *request)
{
    const struct kafka_create_topics_request *body = request->body;
    struct kafka_create_topics_response response = { .topics.count = body->topics.count };

    response.topics.items = request_alloc(request, (size_t)body->topics.count, sizeof *response.topics.items);
    if (!response.topics.items)
        return;
    for (int32_t i = 0; i < body->topics.count; i++)
        if (!create_one(request, &body->topics.items[i], &response.topics.items[i]))
            return;
    request_reply(request, &response);
}

/* ----------------------------------------------------------------------------------- DeleteTopics */

static void delete_one(struct request *request, struct str name, const struct kafka_uuid *id,
                       struct kafka_delete_topics_response_response *out)
{
    struct topic *topic = name.p ? broker_topic(request->broker, name) : broker_topic_by_id(request->broker, id);
    enum kafka_error error = KAFKA_NONE;
    struct err err = { 0 };

    *out = (struct kafka_delete_topics_response_response){ .name = name, .topic_id = *id };
    if (!topic) {
        error = name.p ? KAFKA_UNKNOWN_TOPIC_OR_PARTITION : KAFKA_UNKNOWN_TOPIC_ID;
    } else if (!broker_config_bool(&request->broker->config, "delete.topic.enable")) {
        error = KAFKA_TOPIC_DELETION_DISABLED;
    } else {
        out->name = keep(request, topic->name);
        out->topic_id = topic->id;
        error = broker_delete_topic(request->broker, topic, &err);
    }
    out->error_code = (int16_t)error;
    if (error)
        out->error_message = err.text[0] ? keep(request, err.text) : str_of(kafka_error_text(error));
}

static void handle_delete_topics(struct request *request)
{
    const struct kafka_delete_topics_request *body = request->body;
    struct kafka_delete_topics_response response = { 0 };
    int32_t by_name = MAX(body->topic_names.count, 0), either = MAX(body->topics.count, 0);
    const struct kafka_uuid no_id = { 0 };

    response.responses.items =
        request_alloc(request, (size_t)by_name + (size_t)either, sizeof *response.responses.items);
    if (!response.responses.items)
        return;
    for (int32_t i = 0; i < by_name; i++)
        delete_one(request, body->topic_names.items[i], &no_id, &response.responses.items[response.responses.count++]);
    for (int32_t i = 0; i < either; i++)
        delete_one(request, body->topics.items[i].name, &body->topics.items[i].topic_id,
                   &response.responses.items[response.responses.count++]);
    request_reply(request, &response);
}

/* ------------------------------------------------------------------------------- CreatePartitions */

static enum kafka_error grow_one(struct request *request, const struct kafka_create_partitions_request_topic *in,
                                 bool validate_only, struct err *err)
{
    struct topic *topic = broker_topic(request->broker, in->name);

    if (!topic) {
        err_set(err, RC_NOT_FOUND, "This server does not host this topic-partition.");
        return KAFKA_UNKNOWN_TOPIC_OR_PARTITION;
    }
    if (in->count <= topic->partition_count) {
        err_set(err, RC_BAD_INPUT, "Topic already has %d partition(s).", topic->partition_count);
        if (in->count < topic->partition_count)
            err_set(err, RC_BAD_INPUT, "The topic %s currently has %d partition(s); %d would not be an increase.",
                    topic->name, topic->partition_count, in->count);
        return KAFKA_INVALID_PARTITIONS;
    }
    for (int32_t i = 0; i < in->assignments.count; i++)
        if (in->assignments.count != in->count - topic->partition_count ||
            in->assignments.items[i].broker_ids.count != 1 ||
            in->assignments.items[i].broker_ids.items[0] != request->broker->node_id) {
            err_set(err, RC_BAD_INPUT, "there is one broker, its id is %d", request->broker->node_id);
            return KAFKA_INVALID_REPLICA_ASSIGNMENT;
        }
    return validate_only ? KAFKA_NONE : broker_add_partitions(request->broker, topic, in->count, err);
}

static void handle_create_partitions(struct request *request)
{
    const struct kafka_create_partitions_request *body = request->body;
    struct kafka_create_partitions_response response = { .results.count = body->topics.count };

    response.results.items = request_alloc(request, (size_t)body->topics.count, sizeof *response.results.items);
    if (!response.results.items)
        return;
    for (int32_t i = 0; i < body->topics.count; i++) {
        struct err err = { 0 };
        enum kafka_error error = grow_one(request, &body->topics.items[i], body->validate_only, &err);
        response.results.items[i] = (struct kafka_create_partitions_response_result){
            .name = body->topics.items[i].name,
            .error_code = (int16_t)error,
            .error_message = error ? keep(request, err.text) : (struct str){ 0 },
        };
    }
    request_reply(request, &response);
}

/* ---------------------------------------------------------------------------------- DeleteRecords */

static void cut_one(const struct topic *topic, const struct kafka_delete_records_request_partition *in,
                    struct kafka_delete_records_response_partition *out)
{
    struct partition *partition = topic ? topic_partition(topic, in->partition_index) : NULL;
    int64_t offset = in->offset;

    *out =
        (struct kafka_delete_records_response_partition){ .partition_index = in->partition_index, .low_watermark = -1 };
    if (!partition) {
        out->error_code = KAFKA_UNKNOWN_TOPIC_OR_PARTITION;
        return;
    }
    if (offset == -1)
        offset = partition->high_watermark;
    if (topic->is_internal || (!topic->config.deletes && topic->config.compacts))
        out->error_code = KAFKA_POLICY_VIOLATION; /* compacted topics keep their records (Kafka's rule) */
    else if (offset < 0 || offset > partition->high_watermark)
        out->error_code = KAFKA_OFFSET_OUT_OF_RANGE;
    else
        partition_advance_start(partition, offset);
    if (!out->error_code)
        out->low_watermark = partition->log_start;
}

static void handle_delete_records(struct request *request)
{
    const struct kafka_delete_records_request *body = request->body;
    struct kafka_delete_records_response response = { .topics.count = body->topics.count };
    struct err err = { 0 };

    response.topics.items = request_alloc(request, (size_t)body->topics.count, sizeof *response.topics.items);
    if (!response.topics.items)
        return;
    for (int32_t t = 0; t < body->topics.count; t++) {
        const struct kafka_delete_records_request_topic *in = &body->topics.items[t];
        struct kafka_delete_records_response_topic *out = &response.topics.items[t];
        const struct topic *topic = broker_topic(request->broker, in->name);
        out->name = in->name;
        out->partitions.count = in->partitions.count;
        out->partitions.items = request_alloc(request, (size_t)in->partitions.count, sizeof *out->partitions.items);
        if (!out->partitions.items)
            return;
        for (int32_t i = 0; i < in->partitions.count; i++)
            cut_one(topic, &in->partitions.items[i], &out->partitions.items[i]);
    }
    if (broker_save_starts(request->broker, &err)) {
        log_error("cannot keep where partitions begin", "why=%s", err.text);
        request_abort(request, "DeleteRecords cannot be made durable");
        return;
    }
    request_reply(request, &response);
}

/* --------------------------------------------------------------------------------- DescribeLogDirs */

static bool add_sizes(struct request *request, const struct topic *topic, const int32_t *indexes, int32_t count,
                      struct kafka_describe_log_dirs_response_topic *out)
{
    int32_t n = indexes ? count : topic->partition_count;

    out->name = str_of(topic->name);
    out->partitions.items = request_alloc(request, (size_t)n, sizeof *out->partitions.items);
    if (!out->partitions.items)
        return false;
    for (int32_t i = 0; i < n; i++) {
        struct partition *partition = topic_partition(topic, indexes ? indexes[i] : i);
        if (partition)
            out->partitions.items[out->partitions.count++] = (struct kafka_describe_log_dirs_response_partition){
                .partition_index = partition->index, .partition_size = (int64_t)partition_size(partition)
            };
    }
    return true;
}

static void handle_describe_log_dirs(struct request *request)
{
    const struct kafka_describe_log_dirs_request *body = request->body;
    struct broker *broker = request->broker;
    struct kafka_describe_log_dirs_response_result dir = { .log_dir = str_of(broker->dir),
                                                           .total_bytes = -1,
                                                           .usable_bytes = -1 };
    struct kafka_describe_log_dirs_response response = { .results = { &dir, 1 } };
    bool all = body->topics.count < 0;
    struct statvfs fs;

    if (statvfs(broker->dir, &fs) == 0) {
        dir.total_bytes = (int64_t)(fs.f_blocks * fs.f_frsize);
        dir.usable_bytes = (int64_t)(fs.f_bavail * fs.f_frsize);
    }
    dir.topics.items =
        request_alloc(request, all ? broker->topics.count : (size_t)body->topics.count, sizeof *dir.topics.items);
    if (!dir.topics.items)
        return;
    for (struct map_entry *e = NULL; all && (e = map_next(&broker->topics, e));)
        if (!add_sizes(request, e->value, NULL, 0, &dir.topics.items[dir.topics.count++]))
            return;
    for (int32_t i = 0; i < body->topics.count; i++) {
        const struct kafka_describe_log_dirs_request_topic *in = &body->topics.items[i];
        const struct topic *topic = broker_topic(broker, in->topic);
        if (topic && !add_sizes(request, topic, in->partitions.items ? in->partitions.items : (int32_t[]){ 0 },
                                in->partitions.count, &dir.topics.items[dir.topics.count++]))
            return;
    }
    request_reply(request, &response);
}

/* ---------------------------------------------------------------------- replicas: there is one each */

static void handle_elect_leaders(struct request *request)
{
    const struct kafka_elect_leaders_request *body = request->body;
    struct kafka_elect_leaders_response response = { 0 };
    int32_t n = MAX(body->topic_partitions.count, 0);

    response.replica_election_results.items =
        request_alloc(request, (size_t)n, sizeof *response.replica_election_results.items);
    if (!response.replica_election_results.items)
        return;
    for (int32_t t = 0; t < n; t++) {
        const struct kafka_elect_leaders_request_topic_partition *in = &body->topic_partitions.items[t];
        struct kafka_elect_leaders_response_replica_election_result *out =
            &response.replica_election_results.items[response.replica_election_results.count++];
        const struct topic *topic = broker_topic(request->broker, in->topic);
        out->topic = in->topic;
        out->partition_result.items =
            request_alloc(request, (size_t)in->partitions.count, sizeof *out->partition_result.items);
        if (!out->partition_result.items)
            return;
        for (int32_t i = 0; i < in->partitions.count; i++) {
            bool known = topic && topic_partition(topic, in->partitions.items[i]);
            enum kafka_error error = known ? KAFKA_ELECTION_NOT_NEEDED : KAFKA_UNKNOWN_TOPIC_OR_PARTITION;
            out->partition_result.items[out->partition_result.count++] =
                (struct kafka_elect_leaders_response_partition_result){ .partition_id = in->partitions.items[i],
                                                                        .error_code = (int16_t)error,
                                                                        .error_message =
                                                                            str_of(kafka_error_text(error)) };
        }
    }
    request_reply(request, &response);
}

static void handle_list_reassignments(struct request *request)
{
    request_reply(request, &(struct kafka_list_partition_reassignments_response){ 0 });
}

/* To our own id is what is; to nobody (cancel) there is nothing to cancel; all else cannot be. */
static enum kafka_error reassign(const struct request *request, const struct topic *topic,
                                 const struct kafka_alter_partition_reassignments_request_partition *in)
{
    if (!topic || !topic_partition(topic, in->partition_index))
        return KAFKA_UNKNOWN_TOPIC_OR_PARTITION;
    if (in->replicas.count < 0)
        return KAFKA_NO_REASSIGNMENT_IN_PROGRESS;
    return in->replicas.count == 1 && in->replicas.items[0] == request->broker->node_id
               ? KAFKA_NONE
               : KAFKA_INVALID_REPLICA_ASSIGNMENT;
}

static void handle_alter_reassignments(struct request *request)
{
    const struct kafka_alter_partition_reassignments_request *body = request->body;
    struct kafka_alter_partition_reassignments_response response = {
        .allow_replication_factor_change = body->allow_replication_factor_change,
        .responses.count = body->topics.count,
    };

    response.responses.items = request_alloc(request, (size_t)body->topics.count, sizeof *response.responses.items);
    if (!response.responses.items)
        return;
    for (int32_t t = 0; t < body->topics.count; t++) {
        const struct kafka_alter_partition_reassignments_request_topic *in = &body->topics.items[t];
        struct kafka_alter_partition_reassignments_response_response *out = &response.responses.items[t];
        out->name = in->name;
        out->partitions.items = request_alloc(request, (size_t)in->partitions.count, sizeof *out->partitions.items);
        if (!out->partitions.items)
            return;
        for (int32_t i = 0; i < in->partitions.count; i++) {
            enum kafka_error error =
                reassign(request, broker_topic(request->broker, in->name), &in->partitions.items[i]);
            out->partitions.items[out->partitions.count++] =
                (struct kafka_alter_partition_reassignments_response_partition){
                    .partition_index = in->partitions.items[i].partition_index,
                    .error_code = (int16_t)error,
                    .error_message = error ? str_of(kafka_error_text(error)) : (struct str){ 0 },
                };
        }
    }
    request_reply(request, &response);
}

static enum kafka_error move_to_dir(const struct broker *broker, const struct topic *topic, int32_t index,
                                    struct str path)
{
    if (!str_is(path, broker->dir))
        return KAFKA_LOG_DIR_NOT_FOUND;
    return topic && topic_partition(topic, index) ? KAFKA_NONE : KAFKA_UNKNOWN_TOPIC_OR_PARTITION;
}

static void handle_alter_log_dirs(struct request *request)
{
    const struct kafka_alter_replica_log_dirs_request *body = request->body;
    struct kafka_alter_replica_log_dirs_response response = { 0 };
    size_t total = 0;

    for (int32_t d = 0; d < body->dirs.count; d++)
        total += (size_t)body->dirs.items[d].topics.count;
    response.results.items = request_alloc(request, total, sizeof *response.results.items);
    if (!response.results.items)
        return;
    for (int32_t d = 0; d < body->dirs.count; d++)
        for (int32_t t = 0; t < body->dirs.items[d].topics.count; t++) {
            const struct kafka_alter_replica_log_dirs_request_topic *in = &body->dirs.items[d].topics.items[t];
            struct kafka_alter_replica_log_dirs_response_result *out =
                &response.results.items[response.results.count++];
            const struct topic *topic = broker_topic(request->broker, in->name);
            out->topic_name = in->name;
            out->partitions.items = request_alloc(request, (size_t)in->partitions.count, sizeof *out->partitions.items);
            if (!out->partitions.items)
                return;
            for (int32_t i = 0; i < in->partitions.count; i++)
                out->partitions.items[out->partitions.count++] =
                    (struct kafka_alter_replica_log_dirs_response_partition){
                        .partition_index = in->partitions.items[i],
                        .error_code = (int16_t)move_to_dir(request->broker, topic, in->partitions.items[i],
                                                           body->dirs.items[d].path),
                    };
        }
    request_reply(request, &response);
}

const struct log_api topic_apis[] = {
    { .key = KAFKA_API_CREATE_TOPICS, .handler = handle_create_topics },
    { .key = KAFKA_API_DELETE_TOPICS, .handler = handle_delete_topics },
    { .key = KAFKA_API_CREATE_PARTITIONS, .handler = handle_create_partitions },
    { .key = KAFKA_API_DELETE_RECORDS, .handler = handle_delete_records },
    { .key = KAFKA_API_DESCRIBE_LOG_DIRS, .handler = handle_describe_log_dirs },
    { .key = KAFKA_API_ALTER_REPLICA_LOG_DIRS, .handler = handle_alter_log_dirs },
    { .key = KAFKA_API_ELECT_LEADERS, .handler = handle_elect_leaders },
    { .key = KAFKA_API_ALTER_PARTITION_REASSIGNMENTS, .handler = handle_alter_reassignments },
    { .key = KAFKA_API_LIST_PARTITION_REASSIGNMENTS, .handler = handle_list_reassignments },
    { 0 },
};
