/* CreateTopics for a source task, with the settings of topic.creation.default.* as the topic's own. */
#include "stream/connect/source_topic.h"

#include <string.h>

enum { CREATION_WAIT_MS = 30000 };

static void creation_configs(const struct connector_config *config, rd_kafka_NewTopic_t *topic)
{
    static const char prefix[] = "topic.creation.default.";

    for (struct map_entry *e = NULL; (e = map_next(&config->rows, e));) {
        const char *name = e->key + sizeof prefix - 1;
        if (strncmp(e->key, prefix, sizeof prefix - 1) != 0 || strcmp(name, "partitions") == 0 ||
            strcmp(name, "replication.factor") == 0 || strcmp(name, "include") == 0 || strcmp(name, "exclude") == 0)
            continue;
        rd_kafka_NewTopic_set_config(topic, name, e->value);
    }
}

static enum rc creation_check(rd_kafka_event_t *event, const char *name, struct err *err)
{
    size_t count = 0;

    if (!event || rd_kafka_event_error(event))
        return err_set(err, RC_RETRY, "cannot make topic '%s': %s", name,
                       event ? rd_kafka_event_error_string(event) : "no answer");
    const rd_kafka_topic_result_t **results =
        rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(event), &count);
    for (size_t i = 0; i < count; i++) {
        rd_kafka_resp_err_t error = rd_kafka_topic_result_error(results[i]);
        if (error && error != RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS)
            return err_set(err, RC_FATAL, "cannot make topic '%s': %s", name,
                           rd_kafka_topic_result_error_string(results[i]) ?: rd_kafka_err2str(error));
    }
    return RC_OK;
}

enum rc source_topic_make(rd_kafka_t *producer, const struct connector_config *config, const char *name,
                          struct err *err)
{
    char why[256];

    if (!config_given(config, "topic.creation.default.replication.factor"))
        return RC_OK;
    rd_kafka_NewTopic_t *topic =
        rd_kafka_NewTopic_new(name, (int)config_int(config, "topic.creation.default.partitions"),
                              (int)config_int(config, "topic.creation.default.replication.factor"), why, sizeof why);
    if (!topic)
        return err_set(err, RC_BAD_INPUT, "cannot make topic '%s': %s", name, why);
    creation_configs(config, topic);
    rd_kafka_queue_t *queue = rd_kafka_queue_new(producer);
    rd_kafka_CreateTopics(producer, &topic, 1, NULL, queue);
    rd_kafka_event_t *event = rd_kafka_queue_poll(queue, CREATION_WAIT_MS);
    enum rc rc = creation_check(event, name, err);
    if (event)
        rd_kafka_event_destroy(event);
    rd_kafka_queue_destroy(queue);
    rd_kafka_NewTopic_destroy(topic);
    return rc;
}
