/*
 * One run of a sink task: a consumer in the group connect-<name>, whose partitions it shares with
 * the connector's other tasks by the group protocol.  Offsets are committed only by sink_commit().
 *
 * One thread.  It sleeps in poll() on the task's eventfd, to which librdkafka writes when something
 * came, until the sink's next tick; at most WAKE_MAX_MS, because a consumer that never polls is
 * taken for dead.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "stream/connect/client.h"
#include "stream/connect/worker.h"

enum { WAKE_MAX_MS = 60000, QUIET_MS = 2000, BATCH_MAX = 500, SINK_HEADERS_MAX = 100, COMMIT_TRIES = 5 };
enum { SUBSCRIBE_TRIES = 4, SUBSCRIBE_AGAIN_MS = 500 /* then twice that, and so on */ };

struct open_partition {
    char *topic;
    int32_t partition;
    int64_t first;     /* offset of the first record since it was opened; -1: none came */
    int64_t committed; /* -1: nothing by us */
};

struct sink {
    struct task_run *run;
    const struct sink_ops *ops;
    void *task;
    rd_kafka_t *consumer;
    rd_kafka_queue_t *queue;
    struct open_partition *open;
    size_t open_count;
    int64_t next_tick_ms;    /* wall clock */
    int64_t retry_at_ms;     /* monotonic; 0: not waiting */
    bool failing;            /* told FAILED: the next commit tells RUNNING, or the next assignment */
    int64_t busy_ms;         /* monotonic, of the last message; 0: quiet, and memory was given back */
    int64_t subscribe_at_ms; /* monotonic; 0: not again */
    int subscribe_tries;
    struct err failure; /* of a rebalance */
};

static struct open_partition *find_open(struct sink *sink, const char *topic, int32_t partition)
{
    for (size_t i = 0; i < sink->open_count; i++)
        if (sink->open[i].partition == partition && strcmp(sink->open[i].topic, topic) == 0)
            return &sink->open[i];
    return NULL;
}

static rd_kafka_topic_partition_list_t *open_list(const struct sink *sink)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new((int)sink->open_count);

    for (size_t i = 0; i < sink->open_count; i++)
        rd_kafka_topic_partition_list_add(list, sink->open[i].topic, sink->open[i].partition);
    return list;
}

/* ------------------------------------------------------------ rebalances */

static void open_all(struct sink *sink, const rd_kafka_topic_partition_list_t *list)
{
    for (int i = 0; i < list->cnt && !sink->failure.rc; i++) {
        const char *topic = list->elems[i].topic;
        sink->open = mem_grow(sink->open, sink->open_count + 1, sizeof *sink->open);
        sink->open[sink->open_count++] = (struct open_partition){
            .topic = mem_strdup(topic), .partition = list->elems[i].partition, .first = -1, .committed = -1
        };
        if (sink->ops->open(sink->task, topic, list->elems[i].partition, &sink->failure))
            return;
        status_topic_used(sink->run->worker, sink->run->name, sink->run->ctx.task, topic);
    }
}

static void close_all(struct sink *sink)
{
    for (size_t i = 0; i < sink->open_count; i++) {
        sink->ops->close(sink->task, sink->open[i].topic, sink->open[i].partition);
        free(sink->open[i].topic);
    }
    free(sink->open);
    sink->open = NULL;
    sink->open_count = 0;
}

static void resume_all(struct sink *sink)
{
    rd_kafka_topic_partition_list_t *list = open_list(sink);

    rd_kafka_resume_partitions(sink->consumer, list);
    rd_kafka_topic_partition_list_destroy(list);
    sink->retry_at_ms = 0;
}

static void on_rebalance(rd_kafka_t *consumer, rd_kafka_resp_err_t code, rd_kafka_topic_partition_list_t *list,
                         void *user)
{
    struct sink *sink = user;

    log_info(code == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS ? "partitions assigned" : "partitions given back",
             "connector=%s task=%d count=%d", sink->run->name, sink->run->ctx.task, list->cnt);
    /* A pause after a failure would outlive being given back.  Not once they are assigned: librdkafka takes a start
     * that a resume has overtaken for outdated, and reads nothing from then on. */
    if (sink->retry_at_ms)
        resume_all(sink);
    close_all(sink); /* the eager protocol: every change is everything back, then everything anew */
    if (code == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS) {
        open_all(sink, list);
        rd_kafka_assign(consumer, list);
        if (sink->failing)
            sink->run->started_ms = 0; /* who has the partitions now may have written what failed here: begun anew */
        sink->failing = false;
    } else {
        rd_kafka_assign(consumer, NULL);
    }
    sink->next_tick_ms = 0;
}

/* ------------------------------------------------------------ what the task calls */

static void op_started(struct task_context *ctx)
{
    struct task_run *run = CONTAINER_OF(ctx, struct task_run, ctx);

    run->started_ms = clock_mono_ms();
    run_status(run, STATE_RUNNING, NULL);
}

static bool op_stopping(const struct task_context *ctx)
{
    return atomic_load(&CONTAINER_OF(ctx, const struct task_run, ctx)->stop);
}

static rd_kafka_resp_err_t commit_once(rd_kafka_t *consumer, const char *topic, int32_t partition, int64_t offset)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);

    rd_kafka_topic_partition_list_add(list, topic, partition)->offset = offset;
    rd_kafka_resp_err_t error = rd_kafka_commit(consumer, list, 0);
    if (!error)
        error = list->elems[0].err;
    rd_kafka_topic_partition_list_destroy(list);
    return error;
}

static enum rc op_commit(struct task_context *ctx, const char *topic, int32_t partition, int64_t offset,
                         struct err *err)
{
    struct sink *sink = ctx->user;
    struct open_partition *open = find_open(sink, topic, partition);
    rd_kafka_resp_err_t error = RD_KAFKA_RESP_ERR_NO_ERROR;

    if (FAULT_POINT("connect.sink_commit"))
        return err_set(err, RC_RETRY, "cannot commit '%s-%d': fault point", topic, partition);
    for (int i = 0; i < COMMIT_TRIES; i++) {
        error = commit_once(sink->consumer, topic, partition, offset);
        if (error != RD_KAFKA_RESP_ERR__TIMED_OUT && error != RD_KAFKA_RESP_ERR__TRANSPORT &&
            error != RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS && error != RD_KAFKA_RESP_ERR__WAIT_COORD)
            break;
    }
    if (error)
        return err_set(err, RC_RETRY, "cannot commit offset %lld of '%s-%d': %s", (long long)offset, topic, partition,
                       rd_kafka_err2str(error));
    if (open)
        open->committed = offset;
    if (sink->failing)
        op_started(ctx);
    sink->failing = false;
    return RC_OK;
}

static const struct task_ops sink_task_ops = { .started = op_started, .stopping = op_stopping, .commit = op_commit };

/* ------------------------------------------------------------ failures */

/* Everything open goes back to its committed offset; reading goes on after a pause. */
static void rewind_all(struct sink *sink)
{
    rd_kafka_topic_partition_list_t *list = open_list(sink);

    rd_kafka_pause_partitions(sink->consumer, list);
    for (size_t i = 0; i < sink->open_count; i++) {
        struct open_partition *open = &sink->open[i];
        int64_t offset = open->committed >= 0 ? open->committed : open->first;
        sink->ops->rewind(sink->task, open->topic, open->partition);
        list->elems[i].offset = offset;
    }
    for (int i = list->cnt - 1; i >= 0; i--)
        if (list->elems[i].offset < 0)
            rd_kafka_topic_partition_list_del_by_idx(list, i); /* nothing came yet: nothing to go back over */
    rd_kafka_error_t *error = list->cnt ? rd_kafka_seek_partitions(sink->consumer, list, 10000) : NULL;
    if (error) {
        err_set(&sink->failure, RC_RETRY, "cannot go back to the committed offsets: %s", rd_kafka_error_string(error));
        rd_kafka_error_destroy(error);
    }
    rd_kafka_topic_partition_list_destroy(list);
}

static int64_t retry_pause(const struct sink *sink)
{
    int64_t pause = config_int(&sink->run->config, "retry.backoff.ms");

    return pause > 0 ? pause : 5000;
}

/* RC_OK when the failure was one to try again after. */
static enum rc after_failure(struct sink *sink, enum rc rc, struct err *err)
{
    if (rc != RC_RETRY)
        return rc;
    log_warn("sink tries again", "connector=%s task=%d in_ms=%lld cause=%s", sink->run->name, sink->run->ctx.task,
             (long long)retry_pause(sink), err->text);
    run_status(sink->run, STATE_FAILED, err->text);
    sink->failing = true;
    rewind_all(sink);
    sink->retry_at_ms = clock_mono_ms() + retry_pause(sink);
    return RC_OK;
}

/* ------------------------------------------------------------ records */

static size_t take_headers(const rd_kafka_message_t *message, struct record_header *out)
{
    rd_kafka_headers_t *headers = NULL;
    size_t count = 0;

    if (rd_kafka_message_headers(message, &headers))
        return 0;
    for (; count < SINK_HEADERS_MAX; count++) {
        const char *name = NULL;
        const void *value = NULL;
        size_t len = 0;
        if (rd_kafka_header_get_all(headers, count, &name, &value, &len))
            break;
        out[count] = (struct record_header){ .name = str_of(name), .value = str_n(value, len) };
    }
    return count;
}

static enum rc take_message(struct sink *sink, const rd_kafka_message_t *message, struct err *err)
{
    struct record_header headers[SINK_HEADERS_MAX];
    const char *topic = rd_kafka_topic_name(message->rkt);
    struct open_partition *open = find_open(sink, topic, message->partition);
    rd_kafka_timestamp_type_t type = RD_KAFKA_TIMESTAMP_NOT_AVAILABLE;
    int64_t timestamp = rd_kafka_message_timestamp(message, &type);

    if (!open || sink->retry_at_ms)
        return RC_OK; /* fetched before the partition was given back, or before we went back: it comes again */
    if (open->first < 0)
        open->first = message->offset;
    struct sink_record record = {
        .topic = topic,
        .partition = message->partition,
        .offset = message->offset,
        .timestamp_ms = type == RD_KAFKA_TIMESTAMP_NOT_AVAILABLE ? -1 : timestamp,
        .key = str_n(message->key, message->key_len),
        .value = str_n(message->payload, message->len),
        .headers = headers,
        .header_count = take_headers(message, headers),
    };
    sink->next_tick_ms = 0; /* what it opened may have a time to be closed */
    return sink->ops->put(sink->task, &record, err);
}

static enum rc subscribe(struct sink *sink, struct err *err)
{
    const char *regex = config_given(&sink->run->config, "topics.regex");
    struct str rest = str_of(config_given(&sink->run->config, "topics")), item = { 0 };
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(8);

    while (config_list_next(&rest, &item)) {
        CLEANUP_FREE char *name = str_dup(item);
        rd_kafka_topic_partition_list_add(list, name, RD_KAFKA_PARTITION_UA);
    }
    if (!list->cnt && regex) { /* Java matches the whole name; librdkafka takes a leading ^ as "this is a regex" */
        CLEANUP_FREE char *pattern = mem_printf("^(%s)$", regex);
        rd_kafka_topic_partition_list_add(list, pattern, RD_KAFKA_PARTITION_UA);
    }
    sink->subscribe_tries++;
    rd_kafka_resp_err_t error = rd_kafka_subscribe(sink->consumer, list);
    rd_kafka_topic_partition_list_destroy(list);
    return error ? err_set(err, RC_BAD_INPUT, "cannot subscribe: %s", rd_kafka_err2str(error)) : RC_OK;
}

/* Before its first topic is there a consumer is in no group, and librdkafka looks for topics only every
 * topic.metadata.refresh.interval.ms.  A source that was made together with this sink makes them within a second. */
static void subscribe_later(struct sink *sink)
{
    if (sink->subscribe_tries < SUBSCRIBE_TRIES && !sink->subscribe_at_ms)
        sink->subscribe_at_ms = clock_mono_ms() + ((int64_t)SUBSCRIBE_AGAIN_MS << (sink->subscribe_tries - 1));
}

static enum rc subscribe_if_due(struct sink *sink, struct err *err)
{
    if (!sink->subscribe_at_ms || clock_mono_ms() < sink->subscribe_at_ms)
        return RC_OK;
    sink->subscribe_at_ms = 0;
    char *member = rd_kafka_memberid(sink->consumer);
    bool joined = member && *member;
    if (member)
        rd_kafka_mem_free(sink->consumer, member);
    return joined ? RC_OK : subscribe(sink, err);
}

static void topic_missing(struct sink *sink, const rd_kafka_message_t *message)
{
    if (sink->subscribe_tries == 1)
        log_info("topic is not there yet", "connector=%s task=%d text=%s", sink->run->name, sink->run->ctx.task,
                 rd_kafka_message_errstr(message));
    subscribe_later(sink);
}

static enum rc message_error(struct sink *sink, const rd_kafka_message_t *message, struct err *err)
{
    static struct log_rate rate;
    unsigned left_out = 0;

    if (message->err == RD_KAFKA_RESP_ERR__FATAL || message->err == RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED ||
        message->err == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED)
        return err_set(err, RC_FATAL, "cannot read: %s", rd_kafka_message_errstr(message));
    if (message->err == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART)
        topic_missing(sink, message);
    else if (log_allow(&rate, 6, &left_out))
        log_warn("cannot read for now", "connector=%s cause=%s left_out=%u", sink->run->name,
                 rd_kafka_message_errstr(message), left_out);
    return RC_OK;
}

/* Up to BATCH_MAX messages; *more: there may be others. */
static enum rc drain(struct sink *sink, bool *more, struct err *err)
{
    enum rc rc = RC_OK;

    *more = false;
    for (int i = 0; i < BATCH_MAX && !rc; i++) {
        rd_kafka_message_t *message = rd_kafka_consumer_poll(sink->consumer, 0);
        if (!message)
            return RC_OK;
        if (!message->err)
            sink->busy_ms = clock_mono_ms();
        rc = message->err ? message_error(sink, message, err) : take_message(sink, message, err);
        rd_kafka_message_destroy(message);
        if (rc)
            rc = after_failure(sink, rc, err);
    }
    *more = !rc;
    return rc;
}

static enum rc tick(struct sink *sink, struct err *err)
{
    int64_t now = clock_wall_ms();

    if (sink->retry_at_ms) {
        if (clock_mono_ms() < sink->retry_at_ms)
            return RC_OK;
        resume_all(sink);
        sink->next_tick_ms = 0;
    }
    if (now < sink->next_tick_ms)
        return RC_OK;
    sink->next_tick_ms = INT64_MAX;
    enum rc rc = sink->ops->tick(sink->task, now, &sink->next_tick_ms, err);
    if (rc)
        return after_failure(sink, rc, err);
    if (!sink->run->started_ms && !sink->failing)
        op_started(&sink->run->ctx);
    return RC_OK;
}

static int wait_ms(const struct sink *sink)
{
    int64_t left = WAKE_MAX_MS;

    if (sink->retry_at_ms)
        left = sink->retry_at_ms - clock_mono_ms();
    else if (sink->next_tick_ms != INT64_MAX)
        left = sink->next_tick_ms - clock_wall_ms();
    if (sink->busy_ms)
        left = MIN(left, (int64_t)QUIET_MS);
    if (sink->subscribe_at_ms)
        left = MIN(left, sink->subscribe_at_ms - clock_mono_ms());
    if (left < 0)
        return 0;
    return (int)MIN(left, (int64_t)WAKE_MAX_MS);
}

/* what a snapshot's worth of fetched records took goes back to the system when they have passed */
static void trim_when_quiet(struct sink *sink)
{
    if (!sink->busy_ms || clock_mono_ms() - sink->busy_ms < QUIET_MS)
        return;
    sink->busy_ms = 0;
    mem_trim();
}

static enum rc loop(struct sink *sink, struct err *err)
{
    while (!atomic_load(&sink->run->stop)) {
        bool more = false;
        enum rc rc = drain(sink, &more, err);
        if (!rc && sink->failure.rc) {
            *err = sink->failure;
            rc = err->rc;
        }
        if (!rc)
            rc = subscribe_if_due(sink, err);
        if (!rc)
            rc = tick(sink, err);
        if (rc)
            return rc;
        if (more)
            continue;
        trim_when_quiet(sink);
        task_wait(&sink->run->ctx, wait_ms(sink));
    }
    return RC_OK;
}

/* ------------------------------------------------------------ a run */

static enum rc open_consumer(struct sink *sink, struct err *err)
{
    static const uint64_t one = 1;
    CLEANUP_FREE char *group = mem_printf("connect-%s", sink->run->name);
    CLEANUP_FREE char *id = mem_printf("connector-consumer-%s-%d", sink->run->name, sink->run->ctx.task);
    const struct client_setting rows[] = {
        { "group.id", group },
        { "enable.auto.commit", "false" },
        { "enable.auto.offset.store", "false" },
        { "auto.offset.reset", "earliest" },
        { "partition.assignment.strategy", "roundrobin,range" },
        { "session.timeout.ms", "6000" },
        { "heartbeat.interval.ms", "2000" },
        { "max.poll.interval.ms", "600000" },
        { "queued.min.messages", "100000" }, /* bytes decide: a full queue is looked at again only a second later */
        { "queued.max.messages.kbytes", "16384" },
        { "fetch.max.bytes", "8388608" },
        { "message.max.bytes", "8388608" },
        { "receive.message.max.bytes", "100000000" },
        { "fetch.wait.max.ms", "2000" },
        { "topic.metadata.refresh.interval.ms", "5000" },
        { "allow.auto.create.topics", "true" },
        { "isolation.level", "read_committed" },
        { NULL, NULL },
    };
    rd_kafka_conf_t *conf = client_conf(sink->run->ctx.bootstrap, id, rows, &sink->run->config, "consumer.override.");

    rd_kafka_conf_set_opaque(conf, sink);
    rd_kafka_conf_set_rebalance_cb(conf, on_rebalance);
    enum rc rc = client_new(RD_KAFKA_CONSUMER, conf, &sink->consumer, err);
    if (rc)
        return rc;
    rd_kafka_poll_set_consumer(sink->consumer);
    sink->queue = rd_kafka_queue_get_consumer(sink->consumer);
    rd_kafka_queue_io_event_enable(sink->queue, sink->run->ctx.wakeup_fd, &one, sizeof one);
    return RC_OK;
}

static void sink_end(struct sink *sink)
{
    if (sink->queue) {
        rd_kafka_queue_io_event_enable(sink->queue, -1, NULL, 0);
        rd_kafka_queue_destroy(sink->queue);
    }
    if (sink->consumer)
        rd_kafka_consumer_close(sink->consumer); /* gives the partitions back: on_rebalance */
    close_all(sink);
    if (sink->task)
        sink->ops->stop(sink->task);
    if (sink->consumer)
        rd_kafka_destroy(sink->consumer);
    sink->run->ctx.user = NULL;
}

enum rc sink_run(struct task_run *run, struct err *err)
{
    struct sink sink = { .run = run, .ops = run->config.class->sink };

    run->ctx.ops = &sink_task_ops;
    run->ctx.user = &sink;
    enum rc rc = sink.ops->start(&run->ctx, &sink.task, err);
    if (!rc)
        rc = open_consumer(&sink, err);
    if (!rc)
        rc = subscribe(&sink, err);
    if (!rc)
        rc = loop(&sink, err);
    sink_end(&sink);
    return rc;
}
