/*
 * REST: a connector's offsets.  A source's lie in the offsets topic; a sink's are its consumer
 * group's.  They may be changed only while the connector is STOPPED.
 */
#include <stdlib.h>
#include <string.h>

#include "stream/connect/client.h"
#include "stream/connect/rest.h"

enum { ADMIN_TIMEOUT_MS = 15000 };

static char *group_of(struct worker *worker, const struct connector *connector)
{
    pthread_mutex_lock(&worker->lock);
    const char *own = config_given(&connector->config, "consumer.override.group.id");
    char *group = own ? mem_strdup(own) : mem_printf("connect-%s", connector->name);
    pthread_mutex_unlock(&worker->lock);
    return group;
}

/* ------------------------------------------------------------ a sink's group */

struct admin {
    rd_kafka_t *client;
    rd_kafka_queue_t *queue;
    rd_kafka_event_t *event;
};

static enum rc admin_open(const struct worker *worker, struct admin *admin, struct err *err)
{
    enum rc rc = client_new(RD_KAFKA_PRODUCER, client_conf(worker->bootstrap, "connect-admin", NULL, NULL, NULL),
                            &admin->client, err);

    if (!rc)
        admin->queue = rd_kafka_queue_new(admin->client);
    return rc;
}

static void admin_close(struct admin *admin)
{
    if (admin->event)
        rd_kafka_event_destroy(admin->event);
    if (admin->queue)
        rd_kafka_queue_destroy(admin->queue);
    if (admin->client)
        rd_kafka_destroy(admin->client);
}

static enum rc admin_wait(struct admin *admin, const char *what, struct err *err)
{
    admin->event = rd_kafka_queue_poll(admin->queue, ADMIN_TIMEOUT_MS);
    if (!admin->event)
        return err_set(err, RC_RETRY, "cannot %s: no answer", what);
    if (rd_kafka_event_error(admin->event))
        return err_set(err, RC_RETRY, "cannot %s: %s", what, rd_kafka_event_error_string(admin->event));
    return RC_OK;
}

static enum rc group_result(const rd_kafka_group_result_t **groups, size_t count, const char *what, struct err *err)
{
    for (size_t i = 0; i < count; i++)
        if (rd_kafka_group_result_error(groups[i]))
            return err_set(err, RC_BAD_INPUT, "cannot %s of group '%s': %s", what,
                           rd_kafka_group_result_name(groups[i]),
                           rd_kafka_error_string(rd_kafka_group_result_error(groups[i])));
    return RC_OK;
}

static enum rc group_offsets(const struct worker *worker, const char *group, json_t *out, struct err *err)
{
    CLEANUP(admin_close) struct admin admin = { 0 };
    size_t count = 0;
    enum rc rc = admin_open(worker, &admin, err);

    if (rc)
        return rc;
    rd_kafka_ListConsumerGroupOffsets_t *ask = rd_kafka_ListConsumerGroupOffsets_new(group, NULL);
    rd_kafka_ListConsumerGroupOffsets(admin.client, &ask, 1, NULL, admin.queue);
    rd_kafka_ListConsumerGroupOffsets_destroy(ask);
    rc = admin_wait(&admin, "read offsets", err);
    if (rc)
        return rc;
    const rd_kafka_group_result_t **groups = rd_kafka_ListConsumerGroupOffsets_result_groups(
        rd_kafka_event_ListConsumerGroupOffsets_result(admin.event), &count);
    rc = group_result(groups, count, "read offsets", err);
    const rd_kafka_topic_partition_list_t *list = rc || !count ? NULL : rd_kafka_group_result_partitions(groups[0]);
    for (int i = 0; list && i < list->cnt; i++)
        if (list->elems[i].offset >= 0)
            json_array_append_new(out, json_pack("{s:{s:s,s:i},s:{s:I}}", "partition", "kafka_topic",
                                                 list->elems[i].topic, "kafka_partition", list->elems[i].partition,
                                                 "offset", "kafka_offset", (json_int_t)list->elems[i].offset));
    return rc;
}

static enum rc group_reset(const struct worker *worker, const char *group, struct err *err)
{
    CLEANUP(admin_close) struct admin admin = { 0 };
    size_t count = 0;
    enum rc rc = admin_open(worker, &admin, err);

    if (rc)
        return rc;
    rd_kafka_DeleteGroup_t *ask = rd_kafka_DeleteGroup_new(group);
    rd_kafka_DeleteGroups(admin.client, &ask, 1, NULL, admin.queue);
    rd_kafka_DeleteGroup_destroy(ask);
    rc = admin_wait(&admin, "reset offsets", err);
    if (rc)
        return rc;
    const rd_kafka_group_result_t **groups =
        rd_kafka_DeleteGroups_result_groups(rd_kafka_event_DeleteGroups_result(admin.event), &count);
    for (size_t i = 0; i < count; i++) {
        const rd_kafka_error_t *error = rd_kafka_group_result_error(groups[i]);
        if (error && rd_kafka_error_code(error) != RD_KAFKA_RESP_ERR_GROUP_ID_NOT_FOUND)
            return group_result(groups, count, "reset offsets", err);
    }
    return RC_OK;
}

static enum rc group_alter(const struct worker *worker, const char *group, const rd_kafka_topic_partition_list_t *list,
                           struct err *err)
{
    CLEANUP(admin_close) struct admin admin = { 0 };
    size_t count = 0;
    enum rc rc = admin_open(worker, &admin, err);

    if (rc)
        return rc;
    rd_kafka_AlterConsumerGroupOffsets_t *ask = rd_kafka_AlterConsumerGroupOffsets_new(group, list);
    rd_kafka_AlterConsumerGroupOffsets(admin.client, &ask, 1, NULL, admin.queue);
    rd_kafka_AlterConsumerGroupOffsets_destroy(ask);
    rc = admin_wait(&admin, "alter offsets", err);
    if (rc)
        return rc;
    const rd_kafka_group_result_t **groups = rd_kafka_AlterConsumerGroupOffsets_result_groups(
        rd_kafka_event_AlterConsumerGroupOffsets_result(admin.event), &count);
    return group_result(groups, count, "alter offsets", err);
}

/* ------------------------------------------------------------ requests */

static bool is_sink(struct worker *worker, const struct connector *connector)
{
    pthread_mutex_lock(&worker->lock);
    bool sink = connector->config.class && connector->config.class->kind == CONNECTOR_SINK;
    pthread_mutex_unlock(&worker->lock);
    return sink;
}

void rest_offsets_get(struct http_request *request, struct http_response *response)
{
    struct worker *worker = rest_worker(request, response);
    struct connector *connector = worker ? rest_connector(worker, request, response, "Connector ", " not found") : NULL;
    struct err err = { 0 };

    if (!connector)
        return;
    CLEANUP_FREE char *group = group_of(worker, connector);
    bool sink = is_sink(worker, connector);
    json_t *offsets = sink ? json_array() : backing_offsets_of(worker->backing, connector->name);
    if (sink && group_offsets(worker, group, offsets, &err)) {
        json_decref(offsets);
        rest_failed(response, &err);
        return;
    }
    rest_json(response, 200, json_pack("{s:o}", "offsets", offsets));
}

static bool is_stopped(struct worker *worker, const struct connector *connector, struct http_response *response)
{
    pthread_mutex_lock(&worker->lock);
    bool stopped = connector->target == TARGET_STOPPED;
    pthread_mutex_unlock(&worker->lock);
    if (!stopped)
        rest_error(response, 400,
                   "Connectors must be in the STOPPED state before their offsets can be modified. This can be done for "
                   "the specified connector by issuing a 'PUT' request to the '/connectors/%s/stop' endpoint",
                   connector->name);
    return stopped;
}

static enum rc source_put(struct worker *worker, const char *name, const json_t *partition, const json_t *offset,
                          struct err *err)
{
    char *key = json_dumps(partition, JSON_COMPACT);
    char *value = json_is_object(offset) ? json_dumps(offset, JSON_COMPACT) : NULL;
    enum rc rc = key ? backing_offset_put(worker->backing, name, str_of(key), str_of(value), err)
                     : err_set(err, RC_BAD_INPUT, "the partition is not a JSON object");

    free(key);
    free(value);
    return rc;
}

static enum rc source_alter(struct worker *worker, const char *name, const json_t *offsets, bool reset, struct err *err)
{
    enum rc rc = RC_OK;
    size_t i = 0;
    json_t *one = NULL;

    json_array_foreach(offsets, i, one) {
        if (!rc)
            rc = source_put(worker, name, json_object_get(one, "partition"),
                            reset ? NULL : json_object_get(one, "offset"), err);
    }
    return rc;
}

static enum rc sink_alter(struct worker *worker, const char *group, const json_t *offsets, struct err *err)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new((int)json_array_size(offsets));
    enum rc rc = RC_OK;
    size_t i = 0;
    json_t *one = NULL;

    json_array_foreach(offsets, i, one) {
        const char *topic = NULL;
        int partition = 0;
        json_int_t offset = 0;
        if (json_unpack(one, "{s:{s:s,s:i},s:{s:I}}", "partition", "kafka_topic", &topic, "kafka_partition", &partition,
                        "offset", "kafka_offset", &offset) == 0 &&
            partition >= 0 && offset >= 0)
            rd_kafka_topic_partition_list_add(list, topic, partition)->offset = offset;
        else
            rc = err_set(err, RC_BAD_INPUT,
                         "offsets of a sink are {\"partition\":{\"kafka_topic\":…,\"kafka_partition\":…},"
                         "\"offset\":{\"kafka_offset\":…}}");
    }
    if (!rc)
        rc = group_alter(worker, group, list, err);
    rd_kafka_topic_partition_list_destroy(list);
    return rc;
}

static void answer(struct http_response *response, enum rc rc, const struct err *err, const char *done)
{
    if (rc)
        rest_failed(response, err);
    else
        rest_json(response, 200, json_pack("{s:s+}", "message", "The offsets for this connector have been ", done));
}

void rest_offsets_alter(struct http_request *request, struct http_response *response)
{
    struct worker *worker = rest_worker(request, response);
    struct connector *connector = worker ? rest_connector(worker, request, response, "Connector ", " not found") : NULL;
    json_t *body = connector ? rest_body(request, response) : NULL;
    const json_t *offsets = json_object_get(body, "offsets");
    struct err err = { 0 };

    if (body && !json_array_size(offsets)) {
        rest_error(response, 400, "Partitions / offsets need to be provided for an alter offsets request");
    } else if (body && is_stopped(worker, connector, response)) {
        CLEANUP_FREE char *group = group_of(worker, connector);
        enum rc rc = is_sink(worker, connector) ? sink_alter(worker, group, offsets, &err)
                                                : source_alter(worker, connector->name, offsets, false, &err);
        answer(response, rc, &err, "altered successfully");
    }
    json_decref(body);
}

void rest_offsets_reset(struct http_request *request, struct http_response *response)
{
    struct worker *worker = rest_worker(request, response);
    struct connector *connector = worker ? rest_connector(worker, request, response, "Connector ", " not found") : NULL;
    struct err err = { 0 };

    if (!connector || !is_stopped(worker, connector, response))
        return;
    CLEANUP_FREE char *group = group_of(worker, connector);
    json_t *offsets = is_sink(worker, connector) ? NULL : backing_offsets_of(worker->backing, connector->name);
    enum rc rc =
        offsets ? source_alter(worker, connector->name, offsets, true, &err) : group_reset(worker, group, &err);
    json_decref(offsets);
    answer(response, rc, &err, "reset successfully");
}
