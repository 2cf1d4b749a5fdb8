/* Connect's internal topics: made, read back, written; see backing.h. */
#include "stream/connect/backing.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "stream/connect/client.h"

enum { OFFSET_KEY_DEPTH_MAX = 64 };

struct backing {
    char *bootstrap;
    char *names[STATE_TOPICS];
    rd_kafka_t *producer;
    rd_kafka_topic_t *topics[STATE_TOPICS]; /* held from the start: the first write finds its leader known */
    pthread_mutex_t lock;
    struct map offsets; /* key text -> offset text, owned */
};

/* One write that somebody waits for. */
struct waiter {
    pthread_mutex_t lock;
    pthread_cond_t done_changed;
    bool done;
    rd_kafka_resp_err_t error;
};

static void on_delivered(rd_kafka_t *client, const rd_kafka_message_t *message)
{
    struct waiter *waiter = message->_private;

    (void)client;
    if (!waiter) {
        if (message->err)
            log_warn("status not written", "topic=%s cause=%s", rd_kafka_topic_name(message->rkt),
                     rd_kafka_err2str(message->err));
        return;
    }
    pthread_mutex_lock(&waiter->lock);
    waiter->done = true;
    waiter->error = message->err;
    pthread_cond_signal(&waiter->done_changed);
    pthread_mutex_unlock(&waiter->lock);
}

/* Runs in a thread of librdkafka's own, which sleeps when there is nothing to tell. */
static void on_event(rd_kafka_t *client, rd_kafka_event_t *event, void *user)
{
    const rd_kafka_message_t *message = NULL;

    (void)user;
    if (rd_kafka_event_type(event) == RD_KAFKA_EVENT_DR)
        while ((message = rd_kafka_event_message_next(event)))
            on_delivered(client, message);
    rd_kafka_event_destroy(event);
}

static enum rc open_producer(struct backing *backing, struct err *err)
{
    static const struct client_setting rows[] = {
        { "acks", "all" },
        { "max.in.flight.requests.per.connection",
          "1" }, /* order without a producer id, whose first one takes a second */
        { "linger.ms", "0" },
        { "partitioner", "murmur2_random" },
        { "message.timeout.ms", "30000" },
        { "message.max.bytes", "16777216" },
        { "topic.metadata.refresh.interval.ms", "-1" },
        { "topic.metadata.refresh.fast.interval.ms", "50" },
        { NULL, NULL },
    };
    rd_kafka_conf_t *conf = client_conf(backing->bootstrap, "connect-state", rows, NULL, NULL);

    return client_new_producer(conf, on_event, NULL, &backing->producer, err);
}

/* ------------------------------------------------------------ making the topics */

static rd_kafka_NewTopic_t *new_topic(const char *name, int partitions, int replicas)
{
    char why[512];
    rd_kafka_NewTopic_t *topic = rd_kafka_NewTopic_new(name, partitions, replicas, why, sizeof why);

    if (topic)
        rd_kafka_NewTopic_set_config(topic, "cleanup.policy", "compact");
    else
        log_warn("topic not made", "topic=%s cause=%s", name, why);
    return topic;
}

static enum rc created_check(rd_kafka_event_t *event, struct err *err)
{
    size_t count = 0;
    const rd_kafka_CreateTopics_result_t *result = rd_kafka_event_CreateTopics_result(event);

    if (rd_kafka_event_error(event))
        return err_set(err, RC_RETRY, "cannot make Connect's topics: %s", rd_kafka_event_error_string(event));
    const rd_kafka_topic_result_t **topics = rd_kafka_CreateTopics_result_topics(result, &count);
    for (size_t i = 0; i < count; i++) {
        rd_kafka_resp_err_t error = rd_kafka_topic_result_error(topics[i]);
        if (error == RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS)
            continue;
        if (error)
            return err_set(err, RC_RETRY, "cannot make topic '%s': %s", rd_kafka_topic_result_name(topics[i]),
                           rd_kafka_topic_result_error_string(topics[i]));
        log_info("made topic", "topic=%s", rd_kafka_topic_result_name(topics[i]));
    }
    return RC_OK;
}

static enum rc make_topics(struct backing *backing, const struct backing_options *options, struct err *err)
{
    rd_kafka_NewTopic_t *topics[STATE_TOPICS];
    size_t count = 0;

    for (size_t i = 0; i < STATE_TOPICS; i++) {
        topics[count] = new_topic(backing->names[i], options->topics[i].partitions, options->topics[i].replicas);
        count += topics[count] != NULL;
    }
    rd_kafka_queue_t *queue = rd_kafka_queue_new(backing->producer);
    rd_kafka_AdminOptions_t *admin = rd_kafka_AdminOptions_new(backing->producer, RD_KAFKA_ADMIN_OP_CREATETOPICS);
    char why[64];
    rd_kafka_AdminOptions_set_request_timeout(admin, 10000, why, sizeof why);
    rd_kafka_CreateTopics(backing->producer, topics, count, admin, queue);
    rd_kafka_event_t *event = rd_kafka_queue_poll(queue, 15000);
    enum rc rc = event ? created_check(event, err) : err_set(err, RC_RETRY, "cannot make Connect's topics: no answer");
    if (event)
        rd_kafka_event_destroy(event);
    rd_kafka_AdminOptions_destroy(admin);
    rd_kafka_queue_destroy(queue);
    rd_kafka_NewTopic_destroy_array(topics, count);
    return rc;
}

static enum rc open_topics(struct backing *backing, struct err *err)
{
    for (size_t i = 0; i < STATE_TOPICS; i++) {
        backing->topics[i] = rd_kafka_topic_new(backing->producer, backing->names[i], NULL);
        if (!backing->topics[i])
            return err_set(err, RC_BAD_INPUT, "cannot write to topic '%s': %s", backing->names[i],
                           rd_kafka_err2str(rd_kafka_last_error()));
    }
    return RC_OK;
}

enum rc backing_open(const struct backing_options *options, struct backing **out, struct err *err)
{
    struct backing *backing = NEW(struct backing);

    backing->bootstrap = mem_strdup(options->bootstrap);
    for (size_t i = 0; i < STATE_TOPICS; i++)
        backing->names[i] = mem_strdup(options->topics[i].name);
    pthread_mutex_init(&backing->lock, NULL);
    enum rc rc = open_producer(backing, err);
    if (!rc)
        rc = make_topics(backing, options, err);
    if (!rc)
        rc = open_topics(backing, err);
    if (rc) {
        backing_close(backing);
        return rc;
    }
    *out = backing;
    return RC_OK;
}

void backing_close(struct backing *backing)
{
    if (!backing)
        return;
    if (backing->producer) {
        rd_kafka_flush(backing->producer, 3000);
        for (size_t i = 0; i < STATE_TOPICS; i++)
            if (backing->topics[i])
                rd_kafka_topic_destroy(backing->topics[i]);
        rd_kafka_destroy(backing->producer);
    }
    for (size_t i = 0; i < STATE_TOPICS; i++)
        free(backing->names[i]);
    map_free(&backing->offsets, free);
    pthread_mutex_destroy(&backing->lock);
    free(backing->bootstrap);
    free(backing);
}

char *backing_cluster_id(struct backing *backing)
{
    char *id = rd_kafka_clusterid(backing->producer, 3000);
    char *copy = mem_strdup(id);

    if (id)
        rd_kafka_mem_free(backing->producer, id);
    return copy;
}

void backing_flush(struct backing *backing, int timeout_ms)
{
    rd_kafka_flush(backing->producer, timeout_ms);
}

/* ------------------------------------------------------------ reading back */

static enum rc assign_all(rd_kafka_t *consumer, const char *topic, int *partitions, struct err *err)
{
    const struct rd_kafka_metadata *metadata = NULL;
    rd_kafka_topic_t *handle = rd_kafka_topic_new(consumer, topic, NULL);
    rd_kafka_resp_err_t error = rd_kafka_metadata(consumer, 0, handle, &metadata, 10000);

    rd_kafka_topic_destroy(handle);
    if (error)
        return err_set(err, RC_RETRY, "cannot read topic '%s': %s", topic, rd_kafka_err2str(error));
    *partitions = metadata->topic_cnt == 1 ? metadata->topics[0].partition_cnt : 0;
    error = metadata->topic_cnt == 1 ? metadata->topics[0].err : RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART;
    rd_kafka_metadata_destroy(metadata);
    if (error || *partitions == 0)
        return err_set(err, RC_RETRY, "cannot read topic '%s': %s", topic, rd_kafka_err2str(error));
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(*partitions);
    for (int i = 0; i < *partitions; i++)
        rd_kafka_topic_partition_list_add(list, topic, i)->offset = RD_KAFKA_OFFSET_BEGINNING;
    error = rd_kafka_assign(consumer, list);
    rd_kafka_topic_partition_list_destroy(list);
    return error ? err_set(err, RC_RETRY, "cannot read topic '%s': %s", topic, rd_kafka_err2str(error)) : RC_OK;
}

static enum rc read_all(rd_kafka_t *consumer, const char *topic, int partitions,
                        void (*each)(void *user, struct str key, struct str value), void *user, struct err *err)
{
    int64_t deadline = clock_mono_ms() + STATE_READ_TIMEOUT_MS;
    int ended = 0;

    while (ended < partitions) {
        rd_kafka_message_t *message = rd_kafka_consumer_poll(consumer, 1000);
        if (clock_mono_ms() > deadline) {
            if (message)
                rd_kafka_message_destroy(message);
            return err_set(err, RC_RETRY, "cannot read topic '%s' to its end: the brokers do not answer", topic);
        }
        if (!message)
            continue;
        if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
            ended++;
        } else if (message->err) {
            log_debug("read back", "topic=%s cause=%s", topic, rd_kafka_message_errstr(message));
        } else {
            deadline = clock_mono_ms() + STATE_READ_TIMEOUT_MS;
            each(user, str_n(message->key, message->key_len), str_n(message->payload, message->len));
        }
        rd_kafka_message_destroy(message);
    }
    return RC_OK;
}

enum rc backing_read(struct backing *backing, enum backing_topic topic,
                     void (*each)(void *user, struct str key, struct str value), void *user, struct err *err)
{
    static const struct client_setting rows[] = {
        { "group.id", "connect-state-reader" }, { "enable.auto.commit", "false" },
        { "enable.partition.eof", "true" },     { "isolation.level", "read_committed" },
        { "auto.offset.reset", "earliest" },    { "fetch.error.backoff.ms", "20" },
        { "fetch.wait.max.ms", "10" },          { NULL, NULL },
    };
    rd_kafka_t *consumer = NULL;
    int partitions = 0;
    enum rc rc = client_new(RD_KAFKA_CONSUMER, client_conf(backing->bootstrap, "connect-state", rows, NULL, NULL),
                            &consumer, err);

    if (rc)
        return rc;
    rd_kafka_poll_set_consumer(consumer);
    rc = assign_all(consumer, backing->names[topic], &partitions, err);
    if (!rc)
        rc = read_all(consumer, backing->names[topic], partitions, each, user, err);
    rd_kafka_consumer_close(consumer);
    rd_kafka_destroy(consumer);
    return rc;
}

/* ------------------------------------------------------------ writing */

static rd_kafka_resp_err_t produce(struct backing *backing, enum backing_topic topic, struct str key, struct str value,
                                   struct waiter *waiter)
{
    return rd_kafka_producev(backing->producer, RD_KAFKA_V_RKT(backing->topics[topic]),
                             RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_KEY(key.p, key.len),
                             RD_KAFKA_V_VALUE((void *)(uintptr_t)value.p, value.p ? value.len : 0),
                             RD_KAFKA_V_OPAQUE(waiter), RD_KAFKA_V_END);
}

enum rc backing_write(struct backing *backing, enum backing_topic topic, struct str key, struct str value,
                      struct err *err)
{
    struct waiter waiter = { .lock = PTHREAD_MUTEX_INITIALIZER, .done_changed = PTHREAD_COND_INITIALIZER };

    if (FAULT_POINT("connect.backing_write"))
        return err_set(err, RC_RETRY, "cannot write to topic '%s': fault point", backing->names[topic]);
    rd_kafka_resp_err_t error = produce(backing, topic, key, value, &waiter);
    if (!error) { /* librdkafka always tells the end, at the latest after message.timeout.ms */
        pthread_mutex_lock(&waiter.lock);
        while (!waiter.done)
            pthread_cond_wait(&waiter.done_changed, &waiter.lock);
        pthread_mutex_unlock(&waiter.lock);
        error = waiter.error;
    }
    return error ? err_set(err, RC_RETRY, "cannot write to topic '%s': %s", backing->names[topic],
                           rd_kafka_err2str(error))
                 : RC_OK;
}

void backing_write_later(struct backing *backing, enum backing_topic topic, struct str key, struct str value)
{
    rd_kafka_resp_err_t error = produce(backing, topic, key, value, NULL);

    if (error)
        log_warn("status not written", "topic=%s cause=%s", backing->names[topic], rd_kafka_err2str(error));
}

/* ------------------------------------------------------------ source offsets */

/* ["name",{…}], compact, as Java writes it; false when the partition is not a JSON object. */
static bool offset_key(const char *connector, struct str partition, struct buf *out)
{
    json_t *object = json_loadb(partition.p, partition.len, 0, NULL);
    json_t *key = json_is_object(object) ? json_pack("[s,o]", connector, object) : NULL;
    char *text = key ? json_dumps(key, JSON_COMPACT) : NULL;

    if (!key)
        json_decref(object);
    json_decref(key);
    if (!text)
        return false;
    buf_puts(out, text);
    free(text);
    return true;
}

void backing_take_offset(void *user, struct str key, struct str value)
{
    struct map *offsets = user;
    json_t *parsed = json_loadb(key.p, key.len, 0, NULL);
    char *text = json_is_array(parsed) && json_array_size(parsed) == 2 ? json_dumps(parsed, JSON_COMPACT) : NULL;

    json_decref(parsed);
    if (!text) {
        log_warn("record of the offsets topic not understood", "key=%.*s", STR_ARG(key));
        return;
    }
    free(value.p ? map_put(offsets, str_of(text), str_dup(value)) : map_remove(offsets, str_of(text)));
    free(text);
}

enum rc backing_load_offsets(struct backing *backing, struct err *err)
{
    return backing_read(backing, STATE_OFFSETS, backing_take_offset, &backing->offsets, err);
}

enum rc backing_offset_get(struct backing *backing, const char *connector, struct str partition, struct buf *out,
                           struct err *err)
{
    CLEANUP(buf_free) struct buf key = { 0 };

    if (!offset_key(connector, partition, &key))
        return err_set(err, RC_BAD_INPUT, "source partition '%.*s' is not a JSON object", STR_ARG(partition));
    pthread_mutex_lock(&backing->lock);
    const char *found = map_get(&backing->offsets, buf_str(&key));
    if (found)
        buf_puts(out, found);
    pthread_mutex_unlock(&backing->lock);
    return found ? RC_OK : err_set(err, RC_NOT_FOUND, "no offset of '%s' is stored", connector);
}

enum rc backing_offset_put(struct backing *backing, const char *connector, struct str partition, struct str offset,
                           struct err *err)
{
    CLEANUP(buf_free) struct buf key = { 0 };

    if (!offset_key(connector, partition, &key))
        return err_set(err, RC_BAD_INPUT, "source partition '%.*s' is not a JSON object", STR_ARG(partition));
    enum rc rc = backing_write(backing, STATE_OFFSETS, buf_str(&key), offset, err);
    if (rc)
        return rc;
    pthread_mutex_lock(&backing->lock);
    free(offset.p ? map_put(&backing->offsets, buf_str(&key), str_dup(offset))
                  : map_remove(&backing->offsets, buf_str(&key)));
    pthread_mutex_unlock(&backing->lock);
    return RC_OK;
}

json_t *backing_offsets_of(struct backing *backing, const char *connector)
{
    json_t *list = json_array();

    pthread_mutex_lock(&backing->lock);
    for (struct map_entry *e = NULL; (e = map_next(&backing->offsets, e));) {
        json_t *key = json_loadb(e->key, e->key_len, 0, NULL);
        const char *name = json_string_value(json_array_get(key, 0));
        if (name && strcmp(name, connector) == 0) {
            json_t *offset = json_loads(e->value, JSON_DECODE_ANY, NULL);
            json_array_append_new(list, json_pack("{s:O,s:o}", "partition", json_array_get(key, 1), "offset",
                                                  offset ? offset : json_null()));
        }
        json_decref(key);
    }
    pthread_mutex_unlock(&backing->lock);
    return list;
}
