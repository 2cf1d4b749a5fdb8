/*
 * Produce, InitProducerId, DescribeProducers.
 *
 * Each partition of a request brings one record batch.  It is checked, given its place, written, and answered when the
 * round of the flusher that holds it is done; acks 1 and -1 are the same here.  Batches are stored as they
 * came, compressed or not.  Records that are not compressed are counted; inside they are looked at only where a rule
 * asks for it (keys on compacted topics).
 */
#include <string.h>

#include "stream/log/flush.h"
#include "stream/log/partition.h"

enum { INFLATED_MAX = 256 << 20, CODEC_ZSTD_SINCE = 7, TOPIC_ID_SINCE = 13 };

/* An appended batch whose round must still succeed. */
struct pending {
    struct partition *partition;
    unsigned generation;
    struct kafka_produce_response_partition_response *answer;
};

struct produce {
    struct flush_waiter waiter;
    struct request *request; /* NULL: its connection is gone */
    struct kafka_produce_response response;
    struct pending *pending;
    size_t pending_count;
    bool failed;
};

static enum kafka_error refuse(const char **why, enum kafka_error error, const char *text)
{
    *why = text;
    return error;
}

/* ---------------------------------------------------------------------------------------- checks */

/* records of compacted topics have keys */
static enum kafka_error check_keys(struct str bytes, const char **why)
{
    CLEANUP(arena_free) struct arena arena = { 0 };
    CLEANUP(kafka_records_close) struct kafka_record_reader reader = { 0 };
    struct kafka_record record;
    struct err err = { 0 };
    enum rc rc = kafka_records_open(bytes, INFLATED_MAX, &arena, &reader, &err);

    while (!rc && !(rc = kafka_records_next(&reader, &record, &err)))
        if (!record.key.p)
            return refuse(why, KAFKA_INVALID_RECORD,
                          "Compacted topic cannot accept message without key in topic partition.");
    return rc == RC_AGAIN ? KAFKA_NONE : refuse(why, KAFKA_CORRUPT_MESSAGE, "the records of the batch are damaged");
}

static enum kafka_error check_times(const struct topic_config *config, const struct kafka_batch *batch,
                                    const char **why)
{
    int64_t now = clock_wall_ms();
    int64_t ahead = MAX(batch->max_timestamp, 0) - now, behind = now - MAX(batch->base_timestamp, -1);

    if (config->log_append_time || batch->max_timestamp < 0)
        return KAFKA_NONE;
    if (ahead > topic_config_int(config, TOPIC_MESSAGE_TIMESTAMP_AFTER_MAX_MS) ||
        behind > topic_config_int(config, TOPIC_MESSAGE_TIMESTAMP_BEFORE_MAX_MS))
        return refuse(why, KAFKA_INVALID_TIMESTAMP,
                      "a timestamp lies outside message.timestamp.before.max.ms and message.timestamp.after.max.ms");
    return KAFKA_NONE;
}

static enum kafka_error check_batch(const struct request *request, const struct topic *topic, struct str bytes,
                                    struct kafka_batch *batch, const char **why)
{
    const struct topic_config *config = &topic->config;
    enum kafka_error error = KAFKA_NONE;

    if (bytes.len == 0)
        return refuse(why, KAFKA_INVALID_RECORD, "a produce request must have one record batch for each partition");
    error = kafka_batch_check(bytes, batch, why);
    if (error)
        return error;
    if (kafka_batch_size(batch) != bytes.len)
        return refuse(why, KAFKA_INVALID_RECORD, "a produce request must have one record batch for each partition");
    if (bytes.len > (uint64_t)topic_config_int(config, TOPIC_MAX_MESSAGE_BYTES))
        return refuse(why, KAFKA_MESSAGE_TOO_LARGE, "the record batch is larger than max.message.bytes");
    if (bytes.len > (uint64_t)topic_config_int(config, TOPIC_SEGMENT_BYTES))
        return refuse(why, KAFKA_RECORD_LIST_TOO_LARGE, "the record batch is larger than segment.bytes");
    if (batch->count < 1 || batch->last_offset_delta != batch->count - 1)
        return refuse(why, KAFKA_INVALID_RECORD, "the record batch does not count its records right");
    if (!(batch->attributes & KAFKA_BATCH_CODEC) && !kafka_batch_counts_right(bytes, batch))
        return refuse(why, KAFKA_INVALID_RECORD, "the record batch does not hold the records that it counts");
    if (batch->attributes & (KAFKA_BATCH_CONTROL | KAFKA_BATCH_DELETE_HORIZON))
        return refuse(why, KAFKA_INVALID_RECORD, "clients cannot write control records");
    if (batch->attributes & KAFKA_BATCH_TRANSACTIONAL)
        return refuse(why, KAFKA_INVALID_TXN_STATE, "transactions are not supported");
    if ((batch->attributes & KAFKA_BATCH_CODEC) == KAFKA_CODEC_ZSTD && request->version < CODEC_ZSTD_SINCE)
        return refuse(why, KAFKA_UNSUPPORTED_COMPRESSION_TYPE, "zstd needs version 7 of Produce");
    error = check_times(config, batch, why);
    return !error && config->compacts ? check_keys(bytes, why) : error;
}

/* ------------------------------------------------------------------------------------- answering */

static void answer(struct produce *produce)
{
    const struct kafka_produce_request *body = produce->request->body;

    if (body->acks != 0)
        request_reply(produce->request, &produce->response);
    else if (produce->failed)
        request_abort(produce->request, "a produce request without acknowledgement failed");
    else
        request_drop(produce->request);
}

static void on_durable(struct flush_waiter *waiter)
{
    struct produce *produce = CONTAINER_OF(waiter, struct produce, waiter);

    for (size_t i = 0; i < produce->pending_count; i++) {
        struct pending *p = &produce->pending[i];
        bool lost = p->generation != p->partition->generation || FAULT_POINT("log.ack");
        if (lost && produce->request) {
            p->answer->error_code = KAFKA_STORAGE_ERROR;
            p->answer->base_offset = -1;
            produce->failed = true;
        }
        partition_release(p->partition);
    }
    if (produce->request)
        answer(produce);
    mem_free_ptr(&produce->pending);
    mem_free_ptr(&produce);
}

static void on_cancel(struct request *request)
{
    struct produce *produce = request->parked;

    produce->request = NULL;
}

/* ------------------------------------------------------------------------------------- appending */

static void append(struct produce *produce, struct topic *topic, struct partition *partition, struct str bytes,
                   struct kafka_produce_response_partition_response *out)
{
    struct append_result result = { .base_offset = -1, .append_time = -1 };
    struct kafka_batch batch;
    const char *why = NULL;
    enum kafka_error error = check_batch(produce->request, topic, bytes, &batch, &why);

    if (!error) /* the frame is ours: the batch gets its place in it */
        error = partition_append(partition, (char *)(uintptr_t)bytes.p, &batch, &result);
    out->error_code = (int16_t)error;
    out->log_start_offset = partition->log_start;
    if (error) {
        out->error_message = str_of(why ? why : result.why ? result.why : kafka_error_text(error));
        return;
    }
    out->base_offset = result.base_offset;
    out->log_append_time_ms = result.append_time;
    partition_hold(partition);
    produce->pending[produce->pending_count++] =
        (struct pending){ .partition = partition, .generation = partition->generation, .answer = out };
}

static struct topic *find_topic(const struct request *request, const struct kafka_produce_request_topic_data *in,
                                enum kafka_error *error)
{
    bool by_id = request->version >= TOPIC_ID_SINCE;
    struct topic *topic =
        by_id ? broker_topic_by_id(request->broker, &in->topic_id) : broker_topic(request->broker, in->name);

    *error = topic ? KAFKA_NONE : by_id ? KAFKA_UNKNOWN_TOPIC_ID : KAFKA_UNKNOWN_TOPIC_OR_PARTITION;
    if (topic && topic->is_internal && !str_is(request->client_id, "__admin_client"))
        *error = KAFKA_INVALID_TOPIC_EXCEPTION;
    return topic;
}

static bool append_topic(struct produce *produce, const struct kafka_produce_request_topic_data *in,
                         struct kafka_produce_response_response *out)
{
    struct request *request = produce->request;
    const struct kafka_produce_request *body = request->body;
    enum kafka_error topic_error = KAFKA_NONE;
    struct topic *topic = find_topic(request, in, &topic_error);

    out->name = in->name;
    out->topic_id = in->topic_id;
    out->partition_responses.count = in->partition_data.count;
    out->partition_responses.items =
        request_alloc(request, (size_t)in->partition_data.count, sizeof *out->partition_responses.items);
    if (!out->partition_responses.items) {
        produce->request = NULL; /* gone */
        return false;
    }
    for (int32_t i = 0; i < in->partition_data.count; i++) {
        const struct kafka_produce_request_partition_data *from = &in->partition_data.items[i];
        struct kafka_produce_response_partition_response *to = &out->partition_responses.items[i];
        struct partition *partition = topic ? topic_partition(topic, from->index) : NULL;
        *to = (struct kafka_produce_response_partition_response){
            .index = from->index, .base_offset = -1, .log_append_time_ms = -1, .log_start_offset = -1
        };
        if (body->acks < -1 || body->acks > 1)
            to->error_code = KAFKA_INVALID_REQUIRED_ACKS;
        else if (topic_error || !partition)
            to->error_code = (int16_t)(topic_error ? topic_error : KAFKA_UNKNOWN_TOPIC_OR_PARTITION);
        else
            append(produce, topic, partition, str_n(from->records.p, from->records.len), to);
        produce->failed |= to->error_code != KAFKA_NONE;
    }
    return true;
}

static size_t count_partitions(const struct kafka_produce_request *body)
{
    size_t count = 0;

    for (int32_t i = 0; i < body->topic_data.count; i++)
        count += (size_t)body->topic_data.items[i].partition_data.count;
    return count;
}

static void handle_produce(struct request *request)
{
    const struct kafka_produce_request *body = request->body;
    struct broker *broker = request->broker;
    struct produce *produce = NEW(struct produce);
    size_t n = (size_t)body->topic_data.count;
    bool ok = true;

    produce->waiter.done = on_durable;
    produce->request = request;
    produce->pending = mem_alloc((count_partitions(body) + 1) * sizeof *produce->pending);
    request->parked = produce;
    request->cancel = on_cancel;
    produce->response.responses.count = body->topic_data.count;
    produce->response.responses.items = request_alloc(request, n, sizeof *produce->response.responses.items);
    if (!produce->response.responses.items) {
        produce->request = NULL; /* gone */
        ok = false;
    }
    for (size_t i = 0; i < n && ok; i++)
        ok = append_topic(produce, &body->topic_data.items[i], &produce->response.responses.items[i]);
    if (produce->request && produce->pending_count)
        request_allow_pipelining(request);
    if (produce->pending_count)
        flusher_wait(broker->flusher, &produce->waiter);
    else
        on_durable(&produce->waiter);
}

/* ----------------------------------------------------------------------------------- producer ids */

static void handle_init_producer_id(struct request *request)
{
    const struct kafka_init_producer_id_request *body = request->body;
    struct kafka_init_producer_id_response response = { .producer_id = -1, .producer_epoch = -1 };
    struct err err = { 0 };

    if (body->transactional_id.p) {
        /* no coordinator for transactions: FindCoordinator says so first, this is for those who do not ask */
        response.error_code = KAFKA_TRANSACTIONAL_ID_AUTHORIZATION_FAILED;
    } else if (broker_next_producer_id(request->broker, &response.producer_id, &err)) {
        log_error("cannot give out a producer id", "why=%s", err.text);
        response.error_code = KAFKA_STORAGE_ERROR;
    } else {
        response.producer_epoch = 0;
    }
    request_reply(request, &response);
}

static bool describe_producers(struct request *request, struct partition *partition,
                               struct kafka_describe_producers_response_partition *out)
{
    out->active_producers.items =
        request_alloc(request, partition->producers.by_id.count, sizeof *out->active_producers.items);
    if (!out->active_producers.items && partition->producers.by_id.count)
        return false;
    for (struct map_entry *e = NULL; (e = map_next(&partition->producers.by_id, e));) {
        const struct producer *producer = e->value;
        const struct producer_batch *last = &producer->batches[producer->count - 1];
        out->active_producers.items[out->active_producers.count++] =
            (struct kafka_describe_producers_response_active_producer){
                .producer_id = producer->id,
                .producer_epoch = producer->epoch,
                .last_sequence = last->last_sequence,
                .last_timestamp = last->timestamp,
                .coordinator_epoch = 0,
                .current_txn_start_offset = -1,
            };
    }
    return true;
}

static void handle_describe_producers(struct request *request)
{
    const struct kafka_describe_producers_request *body = request->body;
    struct kafka_describe_producers_response response = { .topics.count = body->topics.count };

    response.topics.items = request_alloc(request, (size_t)body->topics.count + 1, sizeof *response.topics.items);
    if (!response.topics.items)
        return;
    for (int32_t t = 0; t < body->topics.count; t++) {
        const struct kafka_describe_producers_request_topic *in = &body->topics.items[t];
        struct kafka_describe_producers_response_topic *out = &response.topics.items[t];
        struct topic *topic = broker_topic(request->broker, in->name);
        out->name = in->name;
        out->partitions.count = in->partition_indexes.count;
        out->partitions.items =
            request_alloc(request, (size_t)in->partition_indexes.count + 1, sizeof *out->partitions.items);
        if (!out->partitions.items)
            return;
        for (int32_t i = 0; i < in->partition_indexes.count; i++) {
            struct kafka_describe_producers_response_partition *to = &out->partitions.items[i];
            struct partition *partition = topic ? topic_partition(topic, in->partition_indexes.items[i]) : NULL;
            to->partition_index = in->partition_indexes.items[i];
            if (!partition)
                to->error_code = KAFKA_UNKNOWN_TOPIC_OR_PARTITION;
            else if (!describe_producers(request, partition, to))
                return;
        }
    }
    request_reply(request, &response);
}

const struct log_api produce_apis[] = {
    { .key = KAFKA_API_PRODUCE, .advertised_min = 0, .advertised_max = 13, .handler = handle_produce },
    { .key = KAFKA_API_INIT_PRODUCER_ID, .handler = handle_init_producer_id },
    { .key = KAFKA_API_DESCRIBE_PRODUCERS, .handler = handle_describe_producers },
    { 0 },
};
