/*
 * Fetch: pieces of segments up to the high watermark.
 *
 * A request that finds fewer bytes than it asked for is parked on all its partitions and on a timer; a moved high
 * watermark tries it again.  Sessions (KIP-227) are declined: every answer says session 0, so each request names all
 * its partitions.  The records themselves never come into our memory: an answer holds a piece of a file.
 */
#include <stdlib.h>

#include "stream/log/partition.h"

enum { TOPIC_ID_SINCE = 13, FETCH_BYTES_MAX = 55 << 20 };

struct fetch_waiter {
    struct fetch *fetch;
    struct partition *partition;       /* NULL: unknown, error says why */
    struct fetch_waiter *next, **link; /* in partition->waiters; link NULL: not in it */
    const struct kafka_fetch_request_partition *asked;
    struct kafka_fetch_response_partition *answer;
    enum kafka_error error;
};

struct fetch {
    struct request *request;
    struct server_timer *timer;
    struct fetch_waiter *waiters;
    size_t count;
    struct kafka_fetch_response response;
};

/* --------------------------------------------------------------------------------------- waiters */

static void link_waiter(struct fetch_waiter *w)
{
    w->next = w->partition->waiters;
    w->link = &w->partition->waiters;
    if (w->next)
        w->next->link = &w->next;
    w->partition->waiters = w;
}

static void unlink_waiter(struct fetch_waiter *w)
{
    if (!w->link)
        return;
    *w->link = w->next;
    if (w->next)
        w->next->link = w->link;
    w->link = NULL;
}

static void free_fetch(struct fetch *fetch)
{
    for (size_t i = 0; i < fetch->count; i++) {
        unlink_waiter(&fetch->waiters[i]);
        partition_release(fetch->waiters[i].partition);
    }
    server_timer_free(fetch->timer);
    free(fetch->waiters);
    free(fetch);
}

static void on_cancel(struct request *request)
{
    free_fetch(request->parked);
}

/* ---------------------------------------------------------------------------------------- filling */

static enum kafka_error check_leader_epoch(const struct partition *partition, int32_t epoch)
{
    if (epoch < 0 || epoch == partition->leader_epoch)
        return KAFKA_NONE;
    return epoch < partition->leader_epoch ? KAFKA_FENCED_LEADER_EPOCH : KAFKA_UNKNOWN_LEADER_EPOCH;
}

/* the client read an epoch that ended before its offset: tell it where (KIP-595) */
static bool is_diverging(struct fetch_waiter *w)
{
    int32_t epoch = -1;
    int64_t end = -1;

    if (w->asked->last_fetched_epoch < 0)
        return false;
    partition_epoch_end(w->partition, w->asked->last_fetched_epoch, &epoch, &end);
    if (epoch == w->asked->last_fetched_epoch && end >= w->asked->fetch_offset)
        return false;
    if (!w->answer->diverging_epoch)
        w->answer->diverging_epoch = arena_alloc(&w->fetch->request->arena, sizeof *w->answer->diverging_epoch);
    if (w->answer->diverging_epoch)
        *w->answer->diverging_epoch = (struct kafka_fetch_response_diverging_epoch){ epoch, end };
    return true;
}

/* Fills one partition's answer; returns its bytes. */
static size_t fill_partition(struct fetch_waiter *w, size_t room, bool at_least_one)
{
    struct partition *partition = w->partition;
    struct kafka_fetch_response_partition *out = w->answer;
    const struct kafka_fetch_request *body = w->fetch->request->body;
    struct slice slice = { 0 };

    *out = (struct kafka_fetch_response_partition){ .partition_index = w->asked->partition,
                                                    .high_watermark = -1,
                                                    .last_stable_offset = -1,
                                                    .log_start_offset = -1,
                                                    .aborted_transactions.count = body->isolation_level ? 0 : -1,
                                                    .preferred_read_replica = -1,
                                                    .records.p = "" };
    if (!w->error && !partition->topic)
        w->error =
            w->fetch->request->version >= TOPIC_ID_SINCE ? KAFKA_UNKNOWN_TOPIC_ID : KAFKA_UNKNOWN_TOPIC_OR_PARTITION;
    if (!w->error)
        w->error = check_leader_epoch(partition, w->asked->current_leader_epoch);
    if (!w->error && !is_diverging(w)) {
        size_t asked = w->asked->partition_max_bytes > 0 ? (size_t)w->asked->partition_max_bytes : 0;
        size_t max = MIN(asked, room);
        w->error = partition_read(partition, w->asked->fetch_offset, max, at_least_one, &slice);
    }
    out->error_code = (int16_t)w->error;
    if (w->error)
        return 0;
    out->high_watermark = out->last_stable_offset = partition->high_watermark;
    out->log_start_offset = partition->log_start;
    if (slice.segment)
        out->records = (struct kafka_records){ .from = &slice.segment->file, .at = slice.at, .len = slice.len };
    return slice.len;
}

/* Fills the whole answer.  True when it is to be given now. */
static bool fill(struct fetch *fetch)
{
    const struct kafka_fetch_request *body = fetch->request->body;
    size_t room = body->max_bytes > 0 ? MIN((size_t)body->max_bytes, (size_t)FETCH_BYTES_MAX) : 0, total = 0;
    bool now = fetch->count == 0;

    for (size_t i = 0; i < fetch->count; i++) {
        struct fetch_waiter *w = &fetch->waiters[i];
        size_t n = fill_partition(w, room, total == 0);
        total += n;
        room -= MIN(room, n);
        now |= w->error || w->answer->diverging_epoch;
    }
    return now || total >= (size_t)MAX(body->min_bytes, 0);
}

static void answer(struct fetch *fetch)
{
    struct request *request = fetch->request;

    request->cancel = NULL;
    request_reply(request, &fetch->response);
    free_fetch(fetch);
}

static void on_timeout(void *context)
{
    struct fetch *fetch = context;

    fill(fetch);
    answer(fetch);
}

void fetch_wake(struct partition *partition)
{
    struct fetch_waiter *list = partition->waiters;

    partition->waiters = NULL;
    if (list)
        list->link = &list;
    while (list) {
        struct fetch *fetch = list->fetch;
        struct fetch_waiter *w = list;
        unlink_waiter(w);
        link_waiter(w);
        if (fill(fetch))
            answer(fetch);
    }
}

/* --------------------------------------------------------------------------------------- handling */

static struct topic *find_topic(const struct request *request, const struct kafka_fetch_request_topic *in)
{
    return request->version >= TOPIC_ID_SINCE ? broker_topic_by_id(request->broker, &in->topic_id)
                                              : broker_topic(request->broker, in->topic);
}

static void begin_waiter(struct fetch *fetch, const struct topic *topic,
                         const struct kafka_fetch_request_partition *asked, struct kafka_fetch_response_partition *out)
{
    struct fetch_waiter *w = &fetch->waiters[fetch->count++];

    *w = (struct fetch_waiter){ .fetch = fetch, .asked = asked, .answer = out };
    w->partition = topic ? topic_partition(topic, asked->partition) : NULL;
    if (w->partition)
        partition_hold(w->partition);
    else
        w->error = !topic && fetch->request->version >= TOPIC_ID_SINCE ? KAFKA_UNKNOWN_TOPIC_ID
                                                                       : KAFKA_UNKNOWN_TOPIC_OR_PARTITION;
}

/* Lays out the answer in the request's arena; false when the request is gone. */
static bool lay_out(struct fetch *fetch)
{
    struct request *request = fetch->request;
    const struct kafka_fetch_request *body = request->body;
    size_t count = 0;

    for (int32_t t = 0; t < body->topics.count; t++)
        count += (size_t)body->topics.items[t].partitions.count;
    fetch->waiters = mem_alloc((count + 1) * sizeof *fetch->waiters);
    fetch->response.responses.count = body->topics.count;
    fetch->response.responses.items =
        request_alloc(request, (size_t)body->topics.count, sizeof *fetch->response.responses.items);
    for (int32_t t = 0; t < body->topics.count && fetch->response.responses.items; t++) {
        const struct kafka_fetch_request_topic *in = &body->topics.items[t];
        struct kafka_fetch_response_response *out = &fetch->response.responses.items[t];
        const struct topic *topic = find_topic(request, in);
        out->topic = in->topic;
        out->topic_id = in->topic_id;
        out->partitions.count = in->partitions.count;
        out->partitions.items = request_alloc(request, (size_t)in->partitions.count, sizeof *out->partitions.items);
        if (!out->partitions.items)
            return false;
        for (int32_t i = 0; i < in->partitions.count; i++)
            begin_waiter(fetch, topic, &in->partitions.items[i], &out->partitions.items[i]);
    }
    return fetch->response.responses.items != NULL;
}

static void park(struct fetch *fetch, int32_t wait_ms)
{
    fetch->timer = server_timer_new(fetch->request->server, on_timeout, fetch);
    server_timer_set(fetch->timer, wait_ms);
    for (size_t i = 0; i < fetch->count; i++)
        if (fetch->waiters[i].partition)
            link_waiter(&fetch->waiters[i]);
}

static void handle_fetch(struct request *request)
{
    const struct kafka_fetch_request *body = request->body;
    struct fetch *fetch = NULL;

    if (body->session_id != 0) {
        struct kafka_fetch_response none = { .error_code = KAFKA_FETCH_SESSION_ID_NOT_FOUND };
        request_reply(request, &none);
        return;
    }
    fetch = NEW(struct fetch);
    fetch->request = request;
    request->parked = fetch;
    if (!lay_out(fetch)) {
        free_fetch(fetch);
        return;
    }
    if (fill(fetch) || body->max_wait_ms <= 0) {
        answer(fetch);
        return;
    }
    request->cancel = on_cancel;
    park(fetch, body->max_wait_ms);
}

/* ------------------------------------------------------------------------------------ ListOffsets */

enum special_time {
    TIME_LATEST = -1,
    TIME_EARLIEST = -2,
    TIME_MAX = -3,
    TIME_EARLIEST_LOCAL = -4,
    TIME_LATEST_TIERED = -5,
};

static enum kafka_error list_offset(struct partition *partition, const struct kafka_list_offsets_request_partition *in,
                                    struct offset_at *out)
{
    enum kafka_error error = check_leader_epoch(partition, in->current_leader_epoch);

    *out = (struct offset_at){ -1, -1, -1 };
    if (error)
        return error;
    switch (in->timestamp) {
    case TIME_LATEST:
        *out = (struct offset_at){ partition->high_watermark, -1, partition->leader_epoch };
        return KAFKA_NONE;
    case TIME_EARLIEST:
    case TIME_EARLIEST_LOCAL:
        *out = (struct offset_at){ partition->log_start, -1, partition_epoch_at(partition, partition->log_start) };
        return KAFKA_NONE;
    case TIME_LATEST_TIERED:
        return KAFKA_NONE;
    case TIME_MAX:
        return partition_find_max_time(partition, out);
    default:
        return in->timestamp < 0 ? KAFKA_UNSUPPORTED_VERSION : partition_find_time(partition, in->timestamp, out);
    }
}

static void handle_list_offsets(struct request *request)
{
    const struct kafka_list_offsets_request *body = request->body;
    struct kafka_list_offsets_response response = { .topics.count = body->topics.count };

    response.topics.items = request_alloc(request, (size_t)body->topics.count, sizeof *response.topics.items);
    if (!response.topics.items)
        return;
    for (int32_t t = 0; t < body->topics.count; t++) {
        const struct kafka_list_offsets_request_topic *in = &body->topics.items[t];
        struct kafka_list_offsets_response_topic *out = &response.topics.items[t];
        const struct topic *topic = broker_topic(request->broker, in->name);
        out->name = in->name;
        out->partitions.count = in->partitions.count;
        out->partitions.items = request_alloc(request, (size_t)in->partitions.count, sizeof *out->partitions.items);
        if (!out->partitions.items)
            return;
        for (int32_t i = 0; i < in->partitions.count; i++) {
            const struct kafka_list_offsets_request_partition *asked = &in->partitions.items[i];
            struct partition *partition = topic ? topic_partition(topic, asked->partition_index) : NULL;
            struct offset_at at = { -1, -1, -1 };
            enum kafka_error error = partition ? list_offset(partition, asked, &at) : KAFKA_UNKNOWN_TOPIC_OR_PARTITION;
            out->partitions.items[i] =
                (struct kafka_list_offsets_response_partition){ .partition_index = asked->partition_index,
                                                                .error_code = (int16_t)error,
                                                                .timestamp = at.timestamp,
                                                                .offset = at.offset,
                                                                .leader_epoch = at.leader_epoch };
        }
    }
    request_reply(request, &response);
}

/* --------------------------------------------------------------------------- OffsetForLeaderEpoch */

static void end_of_epoch(const struct partition *partition,
                         const struct kafka_offset_for_leader_epoch_request_partition *in,
                         struct kafka_offset_for_leader_epoch_response_partition *out)
{
    *out = (struct kafka_offset_for_leader_epoch_response_partition){ .partition = in->partition,
                                                                      .leader_epoch = -1,
                                                                      .end_offset = -1 };
    out->error_code =
        partition ? (int16_t)check_leader_epoch(partition, in->current_leader_epoch) : KAFKA_UNKNOWN_TOPIC_OR_PARTITION;
    if (!out->error_code)
        partition_epoch_end(partition, in->leader_epoch, &out->leader_epoch, &out->end_offset);
}

static void handle_offset_for_leader_epoch(struct request *request)
{
    const struct kafka_offset_for_leader_epoch_request *body = request->body;
    struct kafka_offset_for_leader_epoch_response response = { .topics.count = body->topics.count };

    response.topics.items = request_alloc(request, (size_t)body->topics.count, sizeof *response.topics.items);
    if (!response.topics.items)
        return;
    for (int32_t t = 0; t < body->topics.count; t++) {
        const struct kafka_offset_for_leader_epoch_request_topic *in = &body->topics.items[t];
        struct kafka_offset_for_leader_epoch_response_topic *out = &response.topics.items[t];
        const struct topic *topic = broker_topic(request->broker, in->topic);
        out->topic = in->topic;
        out->partitions.count = in->partitions.count;
        out->partitions.items = request_alloc(request, (size_t)in->partitions.count, sizeof *out->partitions.items);
        if (!out->partitions.items)
            return;
        for (int32_t i = 0; i < in->partitions.count; i++)
            end_of_epoch(topic ? topic_partition(topic, in->partitions.items[i].partition) : NULL,
                         &in->partitions.items[i], &out->partitions.items[i]);
    }
    request_reply(request, &response);
}

const struct log_api fetch_apis[] = {
    { .key = KAFKA_API_FETCH, .handler = handle_fetch },
    { .key = KAFKA_API_LIST_OFFSETS, .handler = handle_list_offsets },
    { .key = KAFKA_API_OFFSET_FOR_LEADER_EPOCH, .handler = handle_offset_for_leader_epoch },
    { 0 },
};
