/*
 * Finding one's way: Metadata, DescribeTopicPartitions, DescribeCluster, FindCoordinator, DescribeQuorum.
 *
 * This node is every partition's leader, every group's coordinator and the controller.  Its address is the one
 * the client came to, so that no advertised.listeners need be right.
 */
#include <stdlib.h>
#include <string.h>

#include "stream/log/partition.h"

enum {
    OPERATIONS_NOT_ASKED = INT32_MIN,
    TOPIC_OPERATIONS = 3576,   /* bits 3-8, 10, 11: all that a topic knows; there is no authorizer */
    CLUSTER_OPERATIONS = 8096, /* bits 5, 7-12 */
    COORDINATOR_GROUP = 0,
    COORDINATOR_TRANSACTION = 1,
    DESCRIBED_PARTITIONS_MAX = 2000, /* max.request.partition.size.limit */
};

/* ---------------------------------------------------------------------------------------- Metadata */

static enum kafka_error create_for_client(struct request *request, struct str name, struct topic **out)
{
    const struct broker_config *config = &request->broker->config;
    struct err err = { 0 };

    *out = NULL;
    if (!topic_name_is_valid(name))
        return KAFKA_INVALID_TOPIC_EXCEPTION;
    if (!broker_config_bool(config, "auto.create.topics.enable") || str_starts(name, "__consumer_offsets") ||
        str_starts(name, "__transaction_state"))
        return KAFKA_UNKNOWN_TOPIC_OR_PARTITION;
    return broker_create_topic(request->broker, name, (int32_t)broker_config_int(config, "num.partitions"), NULL, out,
                               &err);
}

static bool describe_partitions(struct request *request, const struct topic *topic,
                                struct kafka_metadata_response_topic *out)
{
    out->partitions.count = topic->partition_count;
    out->partitions.items = request_alloc(request, (size_t)topic->partition_count, sizeof *out->partitions.items);
    if (!out->partitions.items)
        return false;
    for (int32_t i = 0; i < topic->partition_count; i++) {
        struct kafka_metadata_response_partition *p = &out->partitions.items[i];
        p->partition_index = i;
        p->leader_id = request->broker->node_id;
        p->leader_epoch = topic->partitions[i]->leader_epoch;
        p->replica_nodes.items = p->isr_nodes.items = &request->broker->node_id;
        p->replica_nodes.count = p->isr_nodes.count = 1;
    }
    return true;
}

static bool describe_topic(struct request *request, const struct topic *topic,
                           struct kafka_metadata_response_topic *out)
{
    const struct kafka_metadata_request *body = request->body;

    *out = (struct kafka_metadata_response_topic){
        .name = str_of(topic->name),
        .topic_id = topic->id,
        .is_internal = topic->is_internal,
        .topic_authorized_operations =
            body->include_topic_authorized_operations ? TOPIC_OPERATIONS : OPERATIONS_NOT_ASKED,
    };
    return describe_partitions(request, topic, out);
}

static bool describe_asked(struct request *request, const struct kafka_metadata_request_topic *in,
                           struct kafka_metadata_response_topic *out)
{
    const struct kafka_metadata_request *body = request->body;
    bool by_id = !in->name.p;
    struct topic *topic =
        by_id ? broker_topic_by_id(request->broker, &in->topic_id) : broker_topic(request->broker, in->name);
    enum kafka_error error = topic ? KAFKA_NONE : by_id ? KAFKA_UNKNOWN_TOPIC_ID : KAFKA_UNKNOWN_TOPIC_OR_PARTITION;

    if (!topic && !by_id && !topic_name_is_valid(in->name))
        error = KAFKA_INVALID_TOPIC_EXCEPTION;
    else if (!topic && !by_id && body->allow_auto_topic_creation)
        error = create_for_client(request, in->name, &topic);
    if (topic)
        return describe_topic(request, topic, out);
    *out = (struct kafka_metadata_response_topic){ .error_code = (int16_t)error,
                                                   .name = in->name,
                                                   .topic_id = in->topic_id,
                                                   .topic_authorized_operations = OPERATIONS_NOT_ASKED };
    return true;
}

static void handle_metadata(struct request *request)
{
    const struct kafka_metadata_request *body = request->body;
    struct broker *broker = request->broker;
    bool all = body->topics.count < 0 || (request->version == 0 && body->topics.count == 0);
    struct kafka_metadata_response_broker self = { .node_id = broker->node_id,
                                                   .host = str_of(request_local_host(request)),
                                                   .port = request_local_port(request),
                                                   .rack = str_of(broker_config_text(&broker->config, "broker.rack")) };
    struct kafka_metadata_response response = { .brokers = { &self, 1 },
                                                .cluster_id = str_of(broker->cluster_id),
                                                .controller_id = broker->node_id };
    size_t count = all ? broker->topics.count : (size_t)body->topics.count;
    bool ok = true;

    response.cluster_authorized_operations =
        body->include_cluster_authorized_operations ? CLUSTER_OPERATIONS : OPERATIONS_NOT_ASKED;
    response.topics.items = request_alloc(request, count, sizeof *response.topics.items);
    if (!response.topics.items)
        return;
    for (struct map_entry *e = NULL; all && ok && (e = map_next(&broker->topics, e));)
        ok = describe_topic(request, e->value, &response.topics.items[response.topics.count++]);
    for (int32_t i = 0; !all && ok && i < body->topics.count; i++)
        ok = describe_asked(request, &body->topics.items[i], &response.topics.items[response.topics.count++]);
    if (ok)
        request_reply(request, &response);
}

/* ------------------------------------------------------------------------ DescribeTopicPartitions */

struct page {
    struct request *request;
    int32_t left;
    struct str after_topic; /* begin here; p == NULL: at the start */
    int32_t after_partition;
    struct kafka_describe_topic_partitions_response response;
    struct kafka_describe_topic_partitions_response_next_cursor next;
};

static bool page_topic(struct page *page, struct str name, const struct topic *topic)
{
    struct kafka_describe_topic_partitions_response_topic *out =
        &page->response.topics.items[page->response.topics.count++];
    int32_t first = page->after_topic.p && str_eq(page->after_topic, name) ? MAX(page->after_partition, 0) : 0;

    out->name = name;
    out->topic_authorized_operations = topic ? TOPIC_OPERATIONS : OPERATIONS_NOT_ASKED;
    if (!topic) {
        out->error_code = topic_name_is_valid(name) ? KAFKA_UNKNOWN_TOPIC_OR_PARTITION : KAFKA_INVALID_TOPIC_EXCEPTION;
        return true;
    }
    int32_t rest = MAX(topic->partition_count - first, 0);
    int32_t count = MIN(rest, page->left);
    out->topic_id = topic->id;
    out->is_internal = topic->is_internal;
    out->partitions.count = count;
    out->partitions.items = request_alloc(page->request, (size_t)count, sizeof *out->partitions.items);
    if (!out->partitions.items)
        return false;
    for (int32_t i = 0; i < count; i++) {
        struct kafka_describe_topic_partitions_response_partition *p = &out->partitions.items[i];
        p->partition_index = first + i;
        p->leader_id = page->request->broker->node_id;
        p->leader_epoch = topic->partitions[first + i]->leader_epoch;
        p->replica_nodes.items = p->isr_nodes.items = &page->request->broker->node_id;
        p->replica_nodes.count = p->isr_nodes.count = 1;
        p->eligible_leader_replicas.count = p->last_known_elr.count = 0;
    }
    page->left -= count;
    if (first + count < topic->partition_count) {
        page->next = (struct kafka_describe_topic_partitions_response_next_cursor){ name, first + count };
        page->response.next_cursor = &page->next;
    }
    return true;
}

static int by_name(const void *a, const void *b)
{
    return str_cmp(*(const struct str *)a, *(const struct str *)b);
}

static struct str *sorted_names(struct request *request, size_t *count)
{
    const struct kafka_describe_topic_partitions_request *body = request->body;
    bool all = body->topics.count == 0;
    size_t n = all ? request->broker->topics.count : (size_t)body->topics.count;
    struct str *names = request_alloc(request, n + 1, sizeof *names);

    *count = 0;
    if (!names)
        return NULL;
    for (struct map_entry *e = NULL; all && (e = map_next(&request->broker->topics, e));)
        names[(*count)++] = str_n(e->key, e->key_len);
    for (int32_t i = 0; !all && i < body->topics.count; i++)
        names[(*count)++] = body->topics.items[i].name;
    qsort(names, *count, sizeof *names, by_name);
    return names;
}

static void handle_describe_topic_partitions(struct request *request)
{
    const struct kafka_describe_topic_partitions_request *body = request->body;
    struct page page = { .request = request };
    size_t count = 0;
    struct str *names = sorted_names(request, &count);

    page.left = MIN(body->response_partition_limit, DESCRIBED_PARTITIONS_MAX);
    page.left = MAX(page.left, 1);
    if (body->cursor) {
        page.after_topic = body->cursor->topic_name;
        page.after_partition = body->cursor->partition_index;
    }
    if (names)
        page.response.topics.items = request_alloc(request, count + 1, sizeof *page.response.topics.items);
    if (!names || !page.response.topics.items)
        return;
    for (size_t i = 0; i < count && !page.response.next_cursor; i++) {
        if (page.after_topic.p && str_cmp(names[i], page.after_topic) < 0)
            continue;
        if (page.left == 0) {
            page.next = (struct kafka_describe_topic_partitions_response_next_cursor){ names[i], 0 };
            page.response.next_cursor = &page.next;
        } else if (!page_topic(&page, names[i], broker_topic(request->broker, names[i]))) {
            return;
        }
    }
    request_reply(request, &page.response);
}

/* ---------------------------------------------------------------------------------------- cluster */

static void handle_describe_cluster(struct request *request)
{
    const struct kafka_describe_cluster_request *body = request->body;
    struct broker *broker = request->broker;
    struct kafka_describe_cluster_response_broker self = {
        .broker_id = broker->node_id,
        .host = str_of(request_local_host(request)),
        .port = request_local_port(request),
        .rack = str_of(broker_config_text(&broker->config, "broker.rack")),
    };
    struct kafka_describe_cluster_response response = {
        .endpoint_type = 1,
        .cluster_id = str_of(broker->cluster_id),
        .controller_id = broker->node_id,
        .brokers = { &self, 1 },
        .cluster_authorized_operations =
            body->include_cluster_authorized_operations ? CLUSTER_OPERATIONS : OPERATIONS_NOT_ASKED,
    };

    if (request->version >= 1 && body->endpoint_type != 1) {
        response = (struct kafka_describe_cluster_response){
            .error_code = body->endpoint_type == 2 ? KAFKA_MISMATCHED_ENDPOINT_TYPE : KAFKA_UNSUPPORTED_ENDPOINT_TYPE,
            .error_message = STR("this listener answers for brokers"),
            .endpoint_type = 1,
            .controller_id = -1,
            .cluster_authorized_operations = OPERATIONS_NOT_ASKED,
        };
    }
    request_reply(request, &response);
}

/* A transactional id that nobody may use is the one answer here that ends every client's attempt at once: librdkafka
 * asks again after any other error, until its time is up. */
static enum kafka_error coordinator_error(int8_t key_type, struct str *why)
{
    enum kafka_error error = KAFKA_INVALID_REQUEST;

    if (key_type == COORDINATOR_GROUP)
        return KAFKA_NONE;
    if (key_type == COORDINATOR_TRANSACTION)
        error = KAFKA_TRANSACTIONAL_ID_AUTHORIZATION_FAILED;
    *why = key_type == COORDINATOR_TRANSACTION ? str_of(kafka_error_text(error))
                                               : STR("coordinators of this type are not supported");
    return error;
}

static void handle_find_coordinator(struct request *request)
{
    enum { BATCHED_SINCE = 4 };
    const struct kafka_find_coordinator_request *body = request->body;
    struct kafka_find_coordinator_response response = { 0 };
    struct str why = { 0 }, host = str_of(request_local_host(request));
    enum kafka_error error = coordinator_error(body->key_type, &why);
    int32_t node = error ? -1 : request->broker->node_id, port = error ? -1 : request_local_port(request);

    response.error_code = (int16_t)error;
    response.error_message = why;
    response.node_id = node;
    response.host = error ? STR("") : host;
    response.port = port;
    if (request->version >= BATCHED_SINCE) {
        size_t count = (size_t)body->coordinator_keys.count;
        response.coordinators.items = request_alloc(request, count, sizeof *response.coordinators.items);
        if (!response.coordinators.items)
            return;
        for (size_t i = 0; i < count; i++)
            response.coordinators.items[response.coordinators.count++] =
                (struct kafka_find_coordinator_response_coordinator){ .key = body->coordinator_keys.items[i],
                                                                      .node_id = node,
                                                                      .host = response.host,
                                                                      .port = port,
                                                                      .error_code = (int16_t)error,
                                                                      .error_message = why };
    }
    request_reply(request, &response);
}

/* What a KRaft node with one voter says; the metadata log itself is not kept. */
static void handle_describe_quorum(struct request *request)
{
    struct broker *broker = request->broker;
    struct kafka_describe_quorum_response_replica_state voter = { .replica_id = broker->node_id,
                                                                  .last_fetch_timestamp = -1,
                                                                  .last_caught_up_timestamp = -1 };
    struct kafka_describe_quorum_response_listener listener = { .name = STR("PLAINTEXT"),
                                                                .host = str_of(request_local_host(request)),
                                                                .port = (uint16_t)request_local_port(request) };
    struct kafka_describe_quorum_response_node node = { .node_id = broker->node_id, .listeners = { &listener, 1 } };
    struct kafka_describe_quorum_response_partition partition = { .leader_id = broker->node_id,
                                                                  .leader_epoch = 1,
                                                                  .current_voters = { &voter, 1 } };
    struct kafka_describe_quorum_response_topic topic = { .topic_name = STR("__cluster_metadata"),
                                                          .partitions = { &partition, 1 } };
    struct kafka_describe_quorum_response response = { .topics = { &topic, 1 }, .nodes = { &node, 1 } };

    request_reply(request, &response);
}

const struct log_api metadata_apis[] = {
    { .key = KAFKA_API_METADATA, .handler = handle_metadata },
    { .key = KAFKA_API_FIND_COORDINATOR, .handler = handle_find_coordinator },
    { .key = KAFKA_API_DESCRIBE_CLUSTER, .handler = handle_describe_cluster },
    { .key = KAFKA_API_DESCRIBE_TOPIC_PARTITIONS, .handler = handle_describe_topic_partitions },
    { .key = KAFKA_API_DESCRIBE_QUORUM, .handler = handle_describe_quorum },
    { 0 },
};
