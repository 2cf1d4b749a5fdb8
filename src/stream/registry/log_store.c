/*
 * The topic _schemas, through librdkafka: one producer (acks=all, one request at a time, so that order
 * holds), one consumer without a group that reads partition 0 from its beginning for ever.
 *
 * The subtle thing is read-your-writes: a write is answered only when the consumer has brought it back,
 * so answers come from the log and from nothing else.  Waiting costs nothing: fetches wait at the broker.
 */
#include <librdkafka/rdkafka.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "stream/registry/store.h"

enum {
    QUERY_TIMEOUT_MS = 3000,
    APPLY_TIMEOUT_MS = 8000,
    PRODUCE_TIMEOUT_MS = 8000,
    FLUSH_TIMEOUT_MS = PRODUCE_TIMEOUT_MS + 2000,
    CREATE_TIMEOUT_MS = 5000,
    RETRY_PAUSE_MS = 200,
    CLUSTER_ID_TIMEOUT_MS = 1000,
    CONSUME_WAIT_MS = 3600 * 1000,
    ERROR_TEXT_MAX = 512,
    LEVEL_CRITICAL = 2, /* syslog's, as librdkafka has them */
    LEVEL_NOTICE = 5,
};

struct log_store {
    struct schema_store base;
    struct log_store_options options;
    rd_kafka_t *producer, *consumer;
    rd_kafka_topic_t *produced, *consumed;
    rd_kafka_queue_t *queue;
    pthread_t thread;
    pthread_mutex_t lock; /* of what follows */
    pthread_cond_t changed;
    int64_t next; /* offset of the record that comes next; all before it are applied */
    bool up;
    char cluster_id[STORE_CLUSTER_ID_MAX];
    /* of the following thread */
    bool caught_up;
    int64_t first_end; /* where the log ended when we began */
    /* of the append that is running */
    size_t acknowledged;
    int64_t last_offset;
    rd_kafka_resp_err_t failure;
};

static struct log_store *store_of(struct schema_store *base)
{
    return CONTAINER_OF(base, struct log_store, base);
}

static enum rc fail_kafka(struct log_store *store, rd_kafka_resp_err_t error, const char *what, struct err *err)
{
    pthread_mutex_lock(&store->lock);
    store->up = false;
    pthread_mutex_unlock(&store->lock);
    return err_set(err, error == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE ? RC_BAD_INPUT : RC_RETRY,
                   "cannot %s topic '%s' at %s: %s", what, store->options.topic, store->options.brokers,
                   rd_kafka_err2str(error));
}

/* ---------------------------------------------------------------- following */

static void set_next(struct log_store *store, int64_t next)
{
    pthread_mutex_lock(&store->lock);
    store->next = next;
    store->up = true;
    pthread_cond_broadcast(&store->changed);
    pthread_mutex_unlock(&store->lock);
}

static void tell_caught_up(struct log_store *store)
{
    if (store->caught_up || store->next < store->first_end)
        return;
    store->caught_up = true;
    store->options.caught_up(store->options.user);
}

static void take_record(struct log_store *store, const rd_kafka_message_t *message)
{
    struct str key = str_n(message->key, message->key_len), value = { 0 };
    bool anew = message->offset < store->next;

    if (anew)
        log_warn("the topic was made anew; its state is read again", "topic=%s", store->options.topic);
    if (message->payload)
        value = str_n(message->payload, message->len);
    store->options.apply(store->options.user, anew, key, value);
    set_next(store, message->offset + 1);
    tell_caught_up(store);
}

static void pause_before_retry(void)
{
    nanosleep(&(struct timespec){ .tv_nsec = RETRY_PAUSE_MS * 1000000L }, NULL);
}

/* What the answer to CreateTopics says of our topic. */
static rd_kafka_resp_err_t created(rd_kafka_event_t *event, char text[static ERROR_TEXT_MAX])
{
    const rd_kafka_topic_result_t **results;
    rd_kafka_resp_err_t error = rd_kafka_event_error(event);
    size_t n = 0;

    if (!error) {
        results = rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(event), &n);
        error = n ? rd_kafka_topic_result_error(results[0]) : RD_KAFKA_RESP_ERR_NO_ERROR;
    }
    snprintf(text, ERROR_TEXT_MAX, "%s", rd_kafka_err2str(error));
    return error;
}

static rd_kafka_resp_err_t create_topic(struct log_store *store, char text[static ERROR_TEXT_MAX])
{
    rd_kafka_AdminOptions_t *options = rd_kafka_AdminOptions_new(store->producer, RD_KAFKA_ADMIN_OP_CREATETOPICS);
    rd_kafka_queue_t *answers = rd_kafka_queue_new(store->producer);
    rd_kafka_NewTopic_t *topic = rd_kafka_NewTopic_new(store->options.topic, 1, -1, text, ERROR_TEXT_MAX);
    rd_kafka_resp_err_t error = RD_KAFKA_RESP_ERR__INVALID_ARG;
    rd_kafka_event_t *event;

    rd_kafka_AdminOptions_set_request_timeout(options, CREATE_TIMEOUT_MS, text, ERROR_TEXT_MAX);
    rd_kafka_AdminOptions_set_operation_timeout(options, CREATE_TIMEOUT_MS, text, ERROR_TEXT_MAX);
    if (topic) {
        rd_kafka_NewTopic_set_config(topic, "cleanup.policy", "compact");
        rd_kafka_CreateTopics(store->producer, &topic, 1, options, answers);
        event = rd_kafka_queue_poll(answers, CREATE_TIMEOUT_MS + RETRY_PAUSE_MS);
        error = event ? created(event, text) : RD_KAFKA_RESP_ERR__TIMED_OUT;
        if (event)
            rd_kafka_event_destroy(event);
        rd_kafka_NewTopic_destroy(topic);
    }
    rd_kafka_queue_destroy(answers);
    rd_kafka_AdminOptions_destroy(options);
    return error;
}

static void check_policy(struct log_store *store, const rd_kafka_ConfigResource_t *resource)
{
    size_t n = 0;
    const rd_kafka_ConfigEntry_t **entries = rd_kafka_ConfigResource_configs(resource, &n);

    for (size_t i = 0; i < n; i++) {
        const char *value = rd_kafka_ConfigEntry_value(entries[i]);
        if (strcmp(rd_kafka_ConfigEntry_name(entries[i]), "cleanup.policy") == 0 && value &&
            strcmp(value, "compact") != 0)
            log_error("schemas may be lost: the topic is not compacted; set its cleanup.policy to compact",
                      "topic=%s cleanup.policy=%s", store->options.topic, value);
    }
}

/* A topic that others made may delete what is old. */
static void check_topic(struct log_store *store)
{
    rd_kafka_queue_t *answers = rd_kafka_queue_new(store->producer);
    rd_kafka_ConfigResource_t *topic = rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, store->options.topic);
    const rd_kafka_ConfigResource_t **found = NULL;
    rd_kafka_event_t *event;
    size_t n = 0;

    rd_kafka_DescribeConfigs(store->producer, &topic, 1, NULL, answers);
    event = rd_kafka_queue_poll(answers, QUERY_TIMEOUT_MS);
    if (event && !rd_kafka_event_error(event))
        found = rd_kafka_DescribeConfigs_result_resources(rd_kafka_event_DescribeConfigs_result(event), &n);
    for (size_t i = 0; i < n; i++)
        check_policy(store, found[i]);
    if (event)
        rd_kafka_event_destroy(event);
    rd_kafka_ConfigResource_destroy(topic);
    rd_kafka_queue_destroy(answers);
}

static void ensure_topic(struct log_store *store)
{
    static struct log_rate rate;
    char text[ERROR_TEXT_MAX] = "";

    for (;;) {
        rd_kafka_resp_err_t error = create_topic(store, text);
        unsigned more = 0;
        if (error == RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS)
            check_topic(store);
        else if (!error)
            log_info("made the topic", "topic=%s cleanup.policy=compact", store->options.topic);
        if (!error || error == RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS)
            return;
        if (log_allow(&rate, 2, &more))
            log_warn("waiting for the log", "address=%s cause=%s", store->options.brokers, text);
        pause_before_retry();
    }
}

static void take_error(struct log_store *store, const rd_kafka_message_t *message)
{
    static struct log_rate rate;
    unsigned more = 0;

    if (log_allow(&rate, 6, &more))
        log_warn("cannot read the topic", "topic=%s cause=%s", store->options.topic, rd_kafka_message_errstr(message));
    if (message->err == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART || message->err == RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC ||
        message->err == RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION)
        ensure_topic(store);
    pause_before_retry();
}

/* Asks where the log ends, or begins.  (The client's query_watermark_offsets knows no timeout.) */
static rd_kafka_resp_err_t query_offset(struct log_store *store, int64_t logical, int64_t *out)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_t *partition = rd_kafka_topic_partition_list_add(list, store->options.topic, 0);
    rd_kafka_resp_err_t error;

    partition->offset = logical;
    error = rd_kafka_offsets_for_times(store->producer, list, QUERY_TIMEOUT_MS);
    if (!error)
        error = partition->err;
    if (!error)
        *out = partition->offset;
    rd_kafka_topic_partition_list_destroy(list);
    return error;
}

/* A fetch at the end of the log waits there, so the end is asked for rather than run into. */
static void find_first_end(struct log_store *store)
{
    int64_t begin = 0;

    while (query_offset(store, RD_KAFKA_OFFSET_BEGINNING, &begin) ||
           query_offset(store, RD_KAFKA_OFFSET_END, &store->first_end))
        pause_before_retry();
    set_next(store, begin);
}

/* The client tries again only after half a second when it does not know a partition's leader yet, or where a
 * logical offset is; so it is made to know, and given a number. */
static void begin_reading(struct log_store *store)
{
    const struct rd_kafka_metadata *metadata = NULL;

    store->consumed = rd_kafka_topic_new(store->consumer, store->options.topic, NULL);
    if (!rd_kafka_metadata(store->consumer, 0, store->consumed, &metadata, QUERY_TIMEOUT_MS))
        rd_kafka_metadata_destroy(metadata);
    rd_kafka_consume_start_queue(store->consumed, 0, store->next, store->queue);
}

static void take_message(struct log_store *store, const rd_kafka_message_t *message)
{
    if (!message->err) {
        take_record(store, message);
    } else if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
        set_next(store, MAX(message->offset, store->next));
        tell_caught_up(store);
    } else {
        take_error(store, message);
    }
}

static void *follow(void *user)
{
    struct log_store *store = user;

    ensure_topic(store);
    store->produced =
        rd_kafka_topic_new(store->producer, store->options.topic, NULL); /* not before: it would be made */
    find_first_end(store);
    begin_reading(store);
    tell_caught_up(store);
    for (;;) {
        rd_kafka_message_t *message = rd_kafka_consume_queue(store->queue, CONSUME_WAIT_MS);
        if (!message)
            continue;
        take_message(store, message);
        rd_kafka_message_destroy(message);
    }
    return NULL;
}

/* ---------------------------------------------------------------- writing */

/* Waits until everything before `offset` is applied. */
static enum rc wait_applied(struct log_store *store, int64_t offset, struct err *err)
{
    struct timespec until;
    int failed = 0;
    bool applied;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += APPLY_TIMEOUT_MS / 1000;
    pthread_mutex_lock(&store->lock);
    while (store->next < offset && !failed)
        failed = pthread_cond_timedwait(&store->changed, &store->lock, &until);
    applied = store->next >= offset;
    store->up = applied;
    pthread_mutex_unlock(&store->lock);
    if (!applied)
        return err_set(err, RC_RETRY, "topic '%s' did not come back within %d ms", store->options.topic,
                       APPLY_TIMEOUT_MS);
    return RC_OK;
}

static enum rc catch_up(struct schema_store *base, struct err *err)
{
    struct log_store *store = store_of(base);
    int64_t end = 0;
    rd_kafka_resp_err_t error = query_offset(store, RD_KAFKA_OFFSET_END, &end);

    return error ? fail_kafka(store, error, "read", err) : wait_applied(store, end, err);
}

static void take_report(rd_kafka_t *producer UNUSED, const rd_kafka_message_t *message, void *user)
{
    struct log_store *store = user;

    if (message->err) {
        store->failure = message->err;
        return;
    }
    store->acknowledged++;
    store->last_offset = MAX(store->last_offset, message->offset);
}

static rd_kafka_resp_err_t produce(struct log_store *store, const struct record *record)
{
    if (rd_kafka_produce(store->produced, 0, RD_KAFKA_MSG_F_COPY, record->value, record->value_len, record->key,
                         record->key_len, NULL) == 0)
        return RD_KAFKA_RESP_ERR_NO_ERROR;
    return rd_kafka_last_error();
}

static enum rc append(struct schema_store *base, const struct record_batch *batch, struct err *err)
{
    struct log_store *store = store_of(base);
    rd_kafka_resp_err_t error = RD_KAFKA_RESP_ERR_NO_ERROR;

    store->acknowledged = 0;
    store->last_offset = -1;
    store->failure = RD_KAFKA_RESP_ERR_NO_ERROR;
    if (FAULT_POINT("registry.append") < 0)
        return fail_kafka(store, RD_KAFKA_RESP_ERR__FAIL, "write to", err);
    for (size_t i = 0; i < batch->count && !error; i++)
        error = produce(store, &batch->records[i]);
    if (rd_kafka_flush(store->producer, FLUSH_TIMEOUT_MS)) {
        rd_kafka_purge(store->producer, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
        rd_kafka_flush(store->producer, FLUSH_TIMEOUT_MS);
    }
    if (!error && store->acknowledged < batch->count)
        error = store->failure ? store->failure : RD_KAFKA_RESP_ERR__TIMED_OUT;
    return error ? fail_kafka(store, error, "write to", err) : wait_applied(store, store->last_offset + 1, err);
}

static bool is_up(struct schema_store *base)
{
    struct log_store *store = store_of(base);
    bool up;

    pthread_mutex_lock(&store->lock);
    up = store->up;
    pthread_mutex_unlock(&store->lock);
    return up;
}

static const char *cluster_id(struct schema_store *base)
{
    struct log_store *store = store_of(base);
    char *id = rd_kafka_clusterid(store->producer, CLUSTER_ID_TIMEOUT_MS);

    pthread_mutex_lock(&store->lock);
    if (id && !store->cluster_id[0])
        snprintf(store->cluster_id, sizeof store->cluster_id, "%s", id);
    pthread_mutex_unlock(&store->lock);
    if (id)
        rd_kafka_mem_free(store->producer, id);
    return store->cluster_id;
}

/* ---------------------------------------------------------------- opening */

static void take_log_line(const rd_kafka_t *client UNUSED, int level, const char *facility, const char *text)
{
    static struct log_rate rate;
    unsigned more = 0;

    if (level <= LEVEL_CRITICAL || (level <= LEVEL_NOTICE && log_allow(&rate, 4, &more)))
        log_warn("from the log's client", "facility=%s text=%s", facility, text);
}

struct client_setting {
    const char *name, *value;
};

static const struct client_setting common_settings[] = {
    { "client.id", "haus-registry" },   { "reconnect.backoff.ms", "50" },    { "reconnect.backoff.max.ms", "1000" },
    { "socket.nagle.disable", "true" }, { "log.connection.close", "false" },
};
static const struct client_setting producer_settings[] = {
    { "acks", "all" },
    { "linger.ms", "0" },
    { "retry.backoff.ms", "50" },
    { "max.in.flight.requests.per.connection", "1" },
    { "message.timeout.ms", "8000" },
    { "request.timeout.ms", "5000" },
};
static const struct client_setting consumer_settings[] = {
    { "enable.partition.eof", "true" }, { "fetch.wait.max.ms", "30000" },         { "fetch.error.backoff.ms", "100" },
    { "queued.min.messages", "1000" },  { "queued.max.messages.kbytes", "8192" }, { "auto.offset.reset", "earliest" },
};

static bool set_all(rd_kafka_conf_t *conf, const struct client_setting *settings, size_t n, struct err *err)
{
    char text[ERROR_TEXT_MAX];

    for (size_t i = 0; i < n; i++) {
        if (rd_kafka_conf_set(conf, settings[i].name, settings[i].value, text, sizeof text) != RD_KAFKA_CONF_OK) {
            err_set(err, RC_FATAL, "cannot set the log's client up: %s", text);
            return false;
        }
    }
    return true;
}

static rd_kafka_t *new_client(struct log_store *store, rd_kafka_type_t type, const struct client_setting *settings,
                              size_t n, struct err *err)
{
    const struct client_setting brokers = { "bootstrap.servers", store->options.brokers };
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_t *client = NULL;
    char text[ERROR_TEXT_MAX];

    rd_kafka_conf_set_opaque(conf, store);
    rd_kafka_conf_set_log_cb(conf, take_log_line);
    if (type == RD_KAFKA_PRODUCER)
        rd_kafka_conf_set_dr_msg_cb(conf, take_report);
    if (set_all(conf, &brokers, 1, err) && set_all(conf, common_settings, ARRAY_LEN(common_settings), err) &&
        set_all(conf, settings, n, err)) {
        client = rd_kafka_new(type, conf, text, sizeof text);
        if (!client)
            err_set(err, RC_FATAL, "cannot set the log's client up: %s", text);
    }
    if (!client)
        rd_kafka_conf_destroy(conf);
    return client;
}

static void store_free(struct log_store *store)
{
    if (store->queue)
        rd_kafka_queue_destroy(store->queue);
    if (store->consumer)
        rd_kafka_destroy(store->consumer);
    if (store->producer)
        rd_kafka_destroy(store->producer);
    pthread_cond_destroy(&store->changed);
    pthread_mutex_destroy(&store->lock);
    free(store);
}

enum rc log_store_open(const struct log_store_options *options, struct schema_store **out, struct err *err)
{
    struct log_store *store = NEW(struct log_store);

    *out = NULL;
    store->options = *options;
    store->base = (struct schema_store){ catch_up, append, is_up, cluster_id };
    pthread_mutex_init(&store->lock, NULL);
    pthread_cond_init(&store->changed, NULL);
    store->producer = new_client(store, RD_KAFKA_PRODUCER, producer_settings, ARRAY_LEN(producer_settings), err);
    if (store->producer)
        store->consumer = new_client(store, RD_KAFKA_CONSUMER, consumer_settings, ARRAY_LEN(consumer_settings), err);
    if (!store->consumer) {
        store_free(store);
        return RC_FATAL;
    }
    store->queue = rd_kafka_queue_new(store->consumer);
    if (pthread_create(&store->thread, NULL, follow, store)) {
        store_free(store);
        return err_set(err, RC_FATAL, "cannot start a thread");
    }
    *out = &store->base;
    return RC_OK;
}
