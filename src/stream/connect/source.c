/*
 * One run of a source task: an idempotent producer, the order of what became durable, and the
 * offsets of it in the offsets topic.
 *
 * Threads: the task's own calls source_*(); librdkafka's tells deliveries; a committer sleeps until
 * something durable has an offset that is not committed, then once per flush interval.
 *
 * The law: an offset is committed only when its record and every one sent before it are durable.
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "stream/connect/client.h"
#include "stream/connect/flight.h"
#include "stream/connect/outbox.h"
#include "stream/connect/source_topic.h"
#include "stream/connect/worker.h"

enum { STOP_FLUSH_MS = 5000, RECORD_OVERHEAD = 200, TOPICS_MAX = 10000, DELIVERIES_AT_ONCE = 256 };

struct source {
    struct task_run *run;
    rd_kafka_t *producer;
    struct map topics; /* name -> rd_kafka_topic_t *; the task's thread only, as the next */
    rd_kafka_topic_t *last_topic;
    pthread_mutex_t lock;
    pthread_cond_t changed; /* anything below; the task's thread waits */
    pthread_cond_t due;     /* something is to be committed, or ending; the committer waits */
    struct flight flight;
    struct outbox outbox;
    bool is_giving;     /* one thread gives the outbox's records to librdkafka, so their order stays */
    struct err failure; /* of a delivery: nothing more is sent */
    bool ending;
    bool committer_sleeps;
    uint64_t committed, told; /* numbers; told: what source_committed() last gave */
    char *committed_offset;
    pthread_mutex_t commit_lock; /* one commit at a time */
    pthread_t committer;
    bool has_committer;
};

static struct source *source_of(const struct task_context *ctx)
{
    return ctx->user;
}

static void wake_task(struct source *source)
{
    uint64_t one = 1;

    if (write(source->run->ctx.wakeup_fd, &one, sizeof one) < 0)
        return; /* full: readable already */
}

/* ------------------------------------------------------------ deliveries */

static void failed(struct source *source, const struct outbox_record *record, rd_kafka_resp_err_t why)
{
    if (!source->failure.rc && !source->ending)
        err_set(&source->failure, RC_FATAL, "cannot write to topic '%s': %s (record of %zu bytes)",
                rd_kafka_topic_name(record->topic), rd_kafka_err2str(why), record->value_len);
}

/* Gives librdkafka what may go now.  Called under the lock, which it lets go meanwhile. */
static void give(struct source *source)
{
    struct outbox_batch *batch = NULL;

    if (source->is_giving)
        return; /* the other thread looks again when it is done */
    while (!source->failure.rc && !source->ending && (batch = outbox_next(&source->outbox))) {
        struct outbox_record *refused = NULL;
        rd_kafka_resp_err_t why = RD_KAFKA_RESP_ERR_NO_ERROR;
        source->is_giving = true;
        pthread_mutex_unlock(&source->lock);
        enum rc rc = outbox_give(source->producer, batch, &refused, &why);
        pthread_mutex_lock(&source->lock);
        source->is_giving = false;
        if (rc == RC_AGAIN)
            return; /* it is full, so deliveries are to come */
        if (rc)
            failed(source, refused, why);
    }
}

static void take_delivery(struct source *source, const rd_kafka_message_t *message)
{
    struct outbox_record *record = message->_private;

    if (!message->err)
        flight_ack(&source->flight, record->number);
    else
        failed(source, record, message->err);
    outbox_done(&source->outbox, record);
}

static bool commit_due(const struct source *source)
{
    return source->flight.acked > source->committed;
}

/* Only out of its sleep: not while it lets an interval pass. */
static void tell_committer(struct source *source)
{
    if (source->committer_sleeps && commit_due(source))
        pthread_cond_signal(&source->due);
}

static void take_deliveries(struct source *source, rd_kafka_event_t *event)
{
    const rd_kafka_message_t *messages[DELIVERIES_AT_ONCE];

    for (size_t n; (n = rd_kafka_event_message_array(event, messages, ARRAY_LEN(messages)));) {
        pthread_mutex_lock(&source->lock);
        for (size_t i = 0; i < n; i++)
            take_delivery(source, messages[i]);
        pthread_mutex_unlock(&source->lock);
    }
}

static void on_event(rd_kafka_t *client, rd_kafka_event_t *event, void *user)
{
    struct source *source = user;

    (void)client;
    if (rd_kafka_event_type(event) == RD_KAFKA_EVENT_DR) {
        take_deliveries(source, event);
        pthread_mutex_lock(&source->lock);
        give(source);
        tell_committer(source);
        pthread_cond_broadcast(&source->changed);
        pthread_mutex_unlock(&source->lock);
        wake_task(source);
    }
    rd_kafka_event_destroy(event);
}

/* ------------------------------------------------------------ committing */

struct pending {
    char **names, **offsets;
    size_t count;
    uint64_t number;
    char *newest;
};

/* Takes what is durable and not committed; under the lock. */
static void pending_take(struct source *source, struct pending *pending)
{
    struct flight *flight = &source->flight;

    pending->number = flight->acked;
    pending->names = NEW_ARRAY(char *, flight->partition_count + 1);
    pending->offsets = NEW_ARRAY(char *, flight->partition_count + 1);
    for (size_t i = 0; i < flight->partition_count; i++) {
        struct flight_partition *p = &flight->partitions[i];
        if (i == flight->last_partition)
            pending->newest = mem_strdup(p->offset);
        if (!p->dirty)
            continue;
        pending->names[pending->count] = mem_strdup(p->name);
        pending->offsets[pending->count++] = mem_strdup(p->offset);
        p->dirty = false;
    }
}

static void pending_free(struct pending *pending)
{
    for (size_t i = 0; i < pending->count; i++) {
        free(pending->names[i]);
        free(pending->offsets[i]);
    }
    free(pending->names);
    free(pending->offsets);
    free(pending->newest);
}

static void commit_failed(struct source *source, const struct pending *pending)
{
    for (size_t i = 0; i < source->flight.partition_count; i++)
        for (size_t k = 0; k < pending->count; k++)
            if (strcmp(source->flight.partitions[i].name, pending->names[k]) == 0)
                source->flight.partitions[i].dirty = true;
}

static enum rc commit(struct source *source, struct err *err)
{
    CLEANUP(pending_free) struct pending pending = { 0 };
    enum rc rc = RC_OK;

    pthread_mutex_lock(&source->commit_lock);
    pthread_mutex_lock(&source->lock);
    pending_take(source, &pending);
    pthread_mutex_unlock(&source->lock);
    for (size_t i = 0; i < pending.count && !rc; i++)
        rc = backing_offset_put(source->run->worker->backing, source->run->name, str_of(pending.names[i]),
                                str_of(pending.offsets[i]), err);
    pthread_mutex_lock(&source->lock);
    if (rc) {
        commit_failed(source, &pending);
    } else if (pending.number > source->committed) {
        source->committed = pending.number;
        free(source->committed_offset);
        source->committed_offset = TAKE_PTR(pending.newest);
    }
    pthread_mutex_unlock(&source->lock);
    pthread_mutex_unlock(&source->commit_lock);
    if (!rc)
        wake_task(source);
    return rc;
}

static void wait_on(struct source *source, pthread_cond_t *what, int64_t deadline_ms)
{
    int64_t left = MAX(deadline_ms - clock_mono_ms(), 0);
    struct timespec at;

    clock_gettime(CLOCK_REALTIME, &at);
    at.tv_sec += left / 1000;
    at.tv_nsec += left % 1000 * 1000000;
    if (at.tv_nsec >= 1000000000) {
        at.tv_sec++;
        at.tv_nsec -= 1000000000;
    }
    pthread_cond_timedwait(what, &source->lock, &at);
}

static void wait_until(struct source *source, int64_t deadline_ms)
{
    wait_on(source, &source->changed, deadline_ms);
}

static void *committer_main(void *user)
{
    struct source *source = user;

    pthread_mutex_lock(&source->lock);
    while (!source->ending) {
        if (!commit_due(source)) {
            source->committer_sleeps = true;
            pthread_cond_wait(&source->due, &source->lock);
            source->committer_sleeps = false;
            continue;
        }
        int64_t deadline = clock_mono_ms() + source->run->worker->offset_flush_ms;
        while (!source->ending && clock_mono_ms() < deadline)
            wait_on(source, &source->due, deadline);
        if (source->ending)
            break;
        pthread_mutex_unlock(&source->lock);
        struct err err = { 0 };
        if (commit(source, &err))
            log_warn("source offsets not committed, later again", "connector=%s cause=%s", source->run->name, err.text);
        pthread_mutex_lock(&source->lock);
    }
    pthread_mutex_unlock(&source->lock);
    return NULL;
}

/* ------------------------------------------------------------ topics */

static enum rc topic_of(struct source *source, struct str name, rd_kafka_topic_t **out, struct err *err)
{
    *out = source->last_topic;
    if (*out && str_is(name, rd_kafka_topic_name(*out)))
        return RC_OK;
    *out = source->last_topic = map_get(&source->topics, name);
    if (*out)
        return RC_OK;
    if (source->topics.count == TOPICS_MAX)
        return err_set(err, RC_FULL, "cannot write to topic '%.*s': one task writes to at most %d topics",
                       STR_ARG(name), TOPICS_MAX);
    CLEANUP_FREE char *text = str_dup(name);
    enum rc rc = source_topic_make(source->producer, &source->run->config, text, err);
    if (rc)
        return rc;
    *out = rd_kafka_topic_new(source->producer, text, NULL);
    if (!*out)
        return err_set(err, RC_BAD_INPUT, "cannot write to topic '%s': %s", text,
                       rd_kafka_err2str(rd_kafka_last_error()));
    map_put(&source->topics, name, *out);
    status_topic_used(source->run->worker, source->run->name, source->run->ctx.task, text);
    return RC_OK;
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
    const struct task_run *run = CONTAINER_OF(ctx, const struct task_run, ctx);

    return atomic_load(&run->stop);
}

static enum rc op_offset_read(struct task_context *ctx, struct str partition, struct buf *offset, struct err *err)
{
    struct source *source = source_of(ctx);

    return backing_offset_get(source->run->worker->backing, source->run->name, partition, offset, err);
}

/* Room for one more record; under the lock. */
static enum rc wait_for_room(struct source *source, size_t bytes, struct err *err)
{
    while (!source->failure.rc &&
           (flight_count(&source->flight) >= SOURCE_RECORDS_IN_FLIGHT_MAX ||
            (source->flight.bytes && source->flight.bytes + bytes > SOURCE_BYTES_IN_FLIGHT_MAX))) {
        if (atomic_load(&source->run->stop))
            return err_set(err, RC_AGAIN, "told to stop");
        wait_until(source, clock_mono_ms() + 200); /* stopping is not told to this condition */
    }
    if (source->failure.rc)
        *err = source->failure;
    return source->failure.rc;
}

static enum rc op_send(struct task_context *ctx, const struct source_record *record, uint64_t *number, struct err *err)
{
    struct source *source = source_of(ctx);
    size_t bytes = RECORD_OVERHEAD + record->key.len + record->value.len + record->source_offset.len;
    rd_kafka_topic_t *topic = NULL;
    enum rc rc = record->topic.p ? topic_of(source, record->topic, &topic, err) : RC_OK;

    if (rc)
        return rc;
    pthread_mutex_lock(&source->lock);
    rc = wait_for_room(source, bytes, err);
    uint64_t n = rc ? 0 : flight_add(&source->flight, record->source_partition, record->source_offset, bytes);
    if (n && !topic && flight_ack(&source->flight, n))
        tell_committer(source);
    if (n && topic && !outbox_add(&source->outbox, topic, record, n)) {
        flight_undo(&source->flight);
        rc = err_set(err, RC_FULL, "cannot write to topic '%s': the record is larger than %d bytes",
                     rd_kafka_topic_name(topic), OUTBOX_BATCH_BYTES_MAX);
    }
    if (!rc)
        give(source);
    if (!rc && source->failure.rc)
        *err = source->failure, rc = source->failure.rc;
    pthread_mutex_unlock(&source->lock);
    if (rc)
        return rc;
    if (!n)
        return err_set(err, RC_FULL, "one task has at most %d source partitions", FLIGHT_PARTITIONS_MAX);
    if (number)
        *number = n;
    return RC_OK;
}

static uint64_t op_acked(struct task_context *ctx)
{
    struct source *source = source_of(ctx);

    pthread_mutex_lock(&source->lock);
    uint64_t acked = source->flight.acked;
    pthread_mutex_unlock(&source->lock);
    return acked;
}

static bool op_committed(struct task_context *ctx, struct source_commit *out)
{
    struct source *source = source_of(ctx);

    pthread_mutex_lock(&source->lock);
    bool fresh = source->committed > source->told;
    if (fresh) {
        source->told = out->number = source->committed;
        buf_clear(&out->offset);
        buf_puts(&out->offset, source->committed_offset ?: "");
    }
    pthread_mutex_unlock(&source->lock);
    return fresh;
}

static enum rc op_flush(struct task_context *ctx, struct err *err)
{
    struct source *source = source_of(ctx);
    enum rc rc = RC_OK;

    pthread_mutex_lock(&source->lock);
    while (!source->failure.rc && flight_count(&source->flight) && !rc) {
        wait_until(source, clock_mono_ms() + 200);
        rc = atomic_load(&source->run->stop) ? err_set(err, RC_AGAIN, "told to stop") : RC_OK;
    }
    if (source->failure.rc)
        *err = source->failure;
    rc = source->failure.rc ? source->failure.rc : rc;
    pthread_mutex_unlock(&source->lock);
    return rc ? rc : commit(source, err);
}

static enum rc op_commit(struct task_context *ctx, const char *topic, int32_t partition, int64_t offset,
                         struct err *err)
{
    (void)ctx, (void)partition, (void)offset;
    return err_set(err, RC_FATAL, "cannot commit '%s': a source has no group", topic);
}

static const struct task_ops source_ops = {
    .started = op_started,
    .stopping = op_stopping,
    .offset_read = op_offset_read,
    .send = op_send,
    .acked = op_acked,
    .committed = op_committed,
    .flush = op_flush,
    .commit = op_commit,
};

/* ------------------------------------------------------------ a run */

static enum rc open_producer(struct source *source, struct err *err)
{
    static const struct client_setting rows[] = {
        { "acks", "all" },
        { "enable.idempotence", "true" },
        { "partitioner", "murmur2_random" },
        /* the outbox makes the batches (outbox.h) */
        { "linger.ms", "0" },
        { "batch.num.messages", "100000" },
        { "batch.size", "1000000" },
        { "queue.buffering.max.messages", "200000" },
        { "queue.buffering.max.kbytes", "131072" },
        { "message.timeout.ms", "0" },       /* a log that is away is waited for */
        { "message.max.bytes", "67108864" }, /* the topic's own limit decides */
        { "topic.metadata.refresh.fast.interval.ms", "50" },
        { "topic.metadata.propagation.max.ms", "30000" },
        { NULL, NULL },
    };
    CLEANUP_FREE char *id = mem_printf("connector-producer-%s-%d", source->run->name, source->run->ctx.task);
    rd_kafka_conf_t *conf =
        client_conf(source->run->ctx.bootstrap, id, rows, &source->run->config, "producer.override.");

    return client_new_producer(conf, on_event, source, &source->producer, err);
}

static void free_topic(void *topic)
{
    rd_kafka_topic_destroy(topic);
}

/* Waits for what was sent, for a while.  True: not all of it became durable. */
static bool await_deliveries(struct source *source)
{
    int64_t deadline = clock_mono_ms() + STOP_FLUSH_MS;

    pthread_mutex_lock(&source->lock);
    while (!source->failure.rc && flight_count(&source->flight) && clock_mono_ms() < deadline)
        wait_until(source, deadline);
    bool away = !source->failure.rc && flight_count(&source->flight);
    source->ending = true;
    pthread_cond_signal(&source->due);
    while (source->is_giving) /* it reads what ends now */
        wait_until(source, clock_mono_ms() + 200);
    pthread_mutex_unlock(&source->lock);
    return source->producer && (away || rd_kafka_flush(source->producer, STOP_FLUSH_MS) != RD_KAFKA_RESP_ERR_NO_ERROR);
}

/* What is durable by now is committed; what is not was not sent, as far as anybody knows. */
static void source_end(struct source *source)
{
    struct err err = { 0 };
    bool away = await_deliveries(source);

    if (source->has_committer)
        pthread_join(source->committer, NULL);
    if (away) /* the log does not take records, so it would not take offsets either: they come again */
        log_warn("source ends with records that the log did not take", "connector=%s", source->run->name);
    else if (source->producer && commit(source, &err))
        log_warn("source offsets not committed", "connector=%s cause=%s", source->run->name, err.text);
    map_free(&source->topics, free_topic);
    if (source->producer) {
        rd_kafka_purge(source->producer, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
        rd_kafka_destroy(source->producer);
    }
    outbox_free(&source->outbox);
    flight_free(&source->flight);
    free(source->committed_offset);
    pthread_mutex_destroy(&source->lock);
    pthread_mutex_destroy(&source->commit_lock);
    pthread_cond_destroy(&source->changed);
    pthread_cond_destroy(&source->due);
    source->run->ctx.user = NULL;
}

enum rc source_run(struct task_run *run, struct err *err)
{
    struct source source = { .run = run };

    pthread_mutex_init(&source.lock, NULL);
    pthread_mutex_init(&source.commit_lock, NULL);
    pthread_cond_init(&source.changed, NULL);
    pthread_cond_init(&source.due, NULL);
    run->ctx.ops = &source_ops;
    run->ctx.user = &source;
    enum rc rc = open_producer(&source, err);
    if (!rc) {
        source.has_committer = pthread_create(&source.committer, NULL, committer_main, &source) == 0;
        rc = source.has_committer ? run->config.class->run(&run->ctx, err)
                                  : err_set(err, RC_RETRY, "cannot start a thread; too many run already");
    }
    source_end(&source);
    return rc;
}
