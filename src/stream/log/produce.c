/*
 * Produce, InitProducerId, DescribeProducers.
 *
 * Each partition of a request brings one record batch.  It is checked, given its place, written, and answered when the
 * round of the flusher that holds it is done; acks 1 and -1 are the same here.  Records are stored as they came,
 * compressed or not, but all of them are looked at first, as Apache Kafka's LogValidator does: what is taken can be
 * read by every consumer.
 */
#include <string.h>

#include "stream/log/flush.h"
#include "stream/log/partition.h"

enum { CODEC_ZSTD_SINCE = 7, TOPIC_ID_SINCE = 13 };

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

/* the first record that is not allowed, for answers of version 8 and later; left out when the arena is full */
static void tell_record(struct request *request, struct kafka_produce_response_partition_response *out, int32_t index,
                        const char *text)
{
    out->record_errors.items = text ? arena_array(&request->arena, 1, sizeof *out->record_errors.items) : NULL;
    if (!out->record_errors.items)
        return;
    out->record_errors.count = 1;
    out->record_errors.items[0] =
        (struct kafka_produce_response_record_error){ .batch_index = index, .batch_index_error_message = str_of(text) };
}

struct times {
    int64_t from, to; /* of a record; -1 is no time and always allowed */
};

static struct times allowed_times(const struct topic_config *config)
{
    int64_t now = clock_wall_ms(), before = topic_config_int(config, TOPIC_MESSAGE_TIMESTAMP_BEFORE_MAX_MS);
    int64_t after = topic_config_int(config, TOPIC_MESSAGE_TIMESTAMP_AFTER_MAX_MS);

    if (config->log_append_time)
        return (struct times){ INT64_MIN, INT64_MAX };
    return (struct times){ before > now ? INT64_MIN : now - before, after > INT64_MAX - now ? INT64_MAX : now + after };
}

static enum kafka_error check_record(struct request *request, const struct topic *topic, const struct times *times,
                                     const struct kafka_record_head *head, int32_t index,
                                     struct kafka_produce_response_partition_response *out, const char **why)
{
    if (head->offset_delta != index)
        return refuse(why, KAFKA_INVALID_RECORD, "the offsets of the records do not count up from 0");
    if (topic->config.compacts && !head->has_key) {
        tell_record(request, out, index,
                    arena_printf(&request->arena,
                                 "Compacted topic cannot accept message without key in topic partition %s-%d",
                                 topic->name, (int)out->index));
        return refuse(why, KAFKA_INVALID_RECORD, "One or more records have been rejected: they have no key.");
    }
    if (head->timestamp != -1 && (head->timestamp < times->from || head->timestamp > times->to)) {
        tell_record(request, out, index,
                    arena_printf(&request->arena,
                                 "Timestamp %lld of message with offset %d is out of range. The timestamp should be "
                                 "within [%lld, %lld]",
                                 (long long)head->timestamp, (int)index, (long long)times->from, (long long)times->to));
        return refuse(why, KAFKA_INVALID_TIMESTAMP, "One or more records have been rejected due to invalid timestamp");
    }
    return KAFKA_NONE;
}

/* all records are there, can be read, and are such as the topic takes; *max_timestamp is the largest of theirs */
static enum kafka_error check_records(struct request *request, const struct topic *topic, struct str bytes,
                                      const struct kafka_batch *batch, int64_t *max_timestamp,
                                      struct kafka_produce_response_partition_response *out, const char **why)
{
    struct kafka_skimmer *skimmer = &request->broker->skimmer;
    struct times times = allowed_times(&topic->config);
    struct kafka_record_head head;
    enum kafka_error error = KAFKA_NONE;

    *max_timestamp = -1;
    kafka_skimmer_begin(skimmer, bytes, batch);
    for (int32_t index = 0; !error && kafka_skimmer_next(skimmer, &head); index++) {
        error = check_record(request, topic, &times, &head, index, out, why);
        *max_timestamp = MAX(*max_timestamp, head.timestamp);
    }
    kafka_skimmer_trim(skimmer);
    return error || !skimmer->error ? error : refuse(why, skimmer->error, skimmer->why);
}

static enum kafka_error check_header(const struct request *request, const struct topic *topic, struct str bytes,
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
    if (batch->attributes & (KAFKA_BATCH_CONTROL | KAFKA_BATCH_DELETE_HORIZON))
        return refuse(why, KAFKA_INVALID_RECORD, "clients cannot write control records");
    if (batch->attributes & KAFKA_BATCH_TRANSACTIONAL)
        return refuse(why, KAFKA_INVALID_TXN_STATE, "transactions are not supported");
    if ((batch->attributes & KAFKA_BATCH_CODEC) == KAFKA_CODEC_ZSTD && request->version < CODEC_ZSTD_SINCE)
        return refuse(why, KAFKA_UNSUPPORTED_COMPRESSION_TYPE, "zstd needs version 7 of Produce");
    if (config->log_append_time && (batch->attributes & KAFKA_BATCH_APPEND_TIME))
        return refuse(why, KAFKA_INVALID_TIMESTAMP, "Producer should not set timestamp type to LogAppendTime.");
    return KAFKA_NONE;
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

/* a header that knows the records' times wrong would mislead those who look for a time */
static void put_time_right(char *bytes, struct kafka_batch *batch, int64_t max_timestamp)
{
    if (batch->max_timestamp == max_timestamp && !(batch->attributes & KAFKA_BATCH_APPEND_TIME))
        return;
    kafka_batch_set_max_time(bytes, kafka_batch_size(batch), max_timestamp);
    kafka_batch_parse_header(bytes, batch);
}

static void append(struct produce *produce, struct topic *topic, struct partition *partition, struct str bytes,
                   struct kafka_produce_response_partition_response *out)
{
    struct append_result result = { .base_offset = -1, .append_time = -1 };
    struct kafka_batch batch;
    char *own = (char *)(uintptr_t)bytes.p; /* the frame is ours: the batch gets its time and its place in it */
    int64_t max_timestamp = -1;
    const char *why = NULL;
    enum kafka_error error = check_header(produce->request, topic, bytes, &batch, &why);

    if (!error)
        error = check_records(produce->request, topic, bytes, &batch, &max_timestamp, out, &why);
    if (!error && !topic->config.log_append_time)
        put_time_right(own, &batch, max_timestamp);
    if (!error)
        error = partition_append(partition, own, &batch, &result);
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
                .coordinator_epoch = -1, /* no transaction was ever marked */
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
