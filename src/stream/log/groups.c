/*
 * The group coordinator at home in the broker: requests in, answers out, storage in __consumer_offsets, one timer.
 * The rules of groups are not here but in coordinator.h.
 *
 * The topic is made when the first record is stored; until then a broker without consumers has nothing of it.
 */
#include <stdlib.h>
#include <string.h>

#include "stream/log/broker.h"
#include "stream/log/coordinator.h"

static const char OFFSETS_TOPIC[] = "__consumer_offsets";

struct groups {
    struct broker *broker;
    struct coordinator *coordinator;
    struct server_timer *due, *expiry;
    int64_t armed_for; /* monotonic ms at which `due` fires; INT64_MAX: it does not */
    int64_t expiry_every_ms;
};

/* A request that may be answered later; its connection may be gone by then. */
struct waiting {
    struct request *request; /* NULL: gone */
};

/* ---- what the coordinator asks of us ---- */

static void reply(void *context, void *ticket, const void *response)
{
    struct waiting *waiting = ticket;

    (void)context;
    if (waiting->request) {
        waiting->request->cancel = NULL;
        waiting->request->parked = NULL;
        request_reply(waiting->request, response);
    }
    free(waiting);
}

static void forget(struct request *request)
{
    struct waiting *waiting = request->parked;

    waiting->request = NULL;
    request->parked = NULL;
}

static void rearm(struct groups *groups)
{
    int64_t next = coordinator_next_deadline(groups->coordinator);

    if (next >= groups->armed_for)
        return; /* firing too early does no harm */
    groups->armed_for = next;
    server_timer_set(groups->due, MAX(next - clock_mono_ms(), 0));
}

struct store {
    struct groups *groups;
    uint64_t token;
};

static void stored(void *context, enum kafka_error error, int64_t base_offset)
{
    struct store *store = context;
    struct groups *groups = store->groups;
    uint64_t token = store->token;

    (void)base_offset;
    free(store);
    coordinator_stored(groups->coordinator, token, error ? RC_RETRY : RC_OK);
    rearm(groups);
}

static struct topic *make_topic(struct groups *groups)
{
    static const struct {
        const char *name, *value;
    } overrides[] = { { "cleanup.policy", "compact" }, { "compression.type", "producer" } };
    struct broker_config *settings = &groups->broker->config;
    struct topic_config config = { 0 };
    struct topic *topic = NULL;
    struct err err = { 0 };
    enum rc rc = RC_OK;

    topic_config_init(&config, settings);
    for (size_t i = 0; i < ARRAY_LEN(overrides) && !rc; i++)
        rc = topic_config_set(&config, settings, str_of(overrides[i].name), str_of(overrides[i].value), &err);
    if (!rc)
        rc = topic_config_set(&config, settings, STR("segment.bytes"),
                              str_of(broker_config_text(settings, "offsets.topic.segment.bytes")), &err);
    int32_t partitions = (int32_t)broker_config_int(settings, "offsets.topic.num.partitions");
    if (rc || broker_create_topic(groups->broker, str_of(OFFSETS_TOPIC), partitions, &config, &topic, &err))
        log_error("cannot make a topic", "topic=%s reason=%s", OFFSETS_TOPIC, err.text);
    topic_config_free(&config); /* nothing is left in it if it was taken over */
    return topic;
}

static void store(void *context, int32_t index, struct str batch, uint64_t token)
{
    struct groups *groups = context;
    struct topic *topic = broker_topic(groups->broker, str_of(OFFSETS_TOPIC));
    struct partition *partition = NULL;

    if (!topic)
        topic = make_topic(groups);
    if (topic)
        partition = topic_partition(topic, index);
    if (!partition) {
        coordinator_stored(groups->coordinator, token, RC_RETRY);
        return;
    }
    struct store *one = NEW(struct store);
    *one = (struct store){ groups, token };
    broker_append_internal(groups->broker, partition, batch, stored, one);
}

static bool has_partition(void *context, struct str name, int32_t partition)
{
    struct groups *groups = context;
    const struct topic *topic = broker_topic(groups->broker, name);

    return topic && topic_partition(topic, partition);
}

static int64_t mono_ms(void *context)
{
    (void)context;
    return clock_mono_ms();
}

static int64_t wall_ms(void *context)
{
    (void)context;
    return clock_wall_ms();
}

/* ---- start and stop ---- */

static enum rc read_record(void *context, const struct kafka_record *record, struct err *err)
{
    struct groups *groups = context;
    enum rc rc = coordinator_replay(groups->coordinator, record->key, record->value, err);

    if (rc != RC_BAD_INPUT)
        return rc;
    log_warn("left out a record", "topic=%s offset=%lld reason=%s", OFFSETS_TOPIC, (long long)record->offset,
             err->text);
    return RC_OK;
}

static enum rc read_topic(struct groups *groups, struct topic *topic, struct err *err)
{
    enum rc rc = RC_OK;

    for (int32_t i = 0; !rc && topic && i < topic->partition_count; i++)
        rc = broker_read_internal(groups->broker, topic->partitions[i], read_record, groups, err);
    if (rc)
        return err_wrap(err, "cannot read '%s'", OFFSETS_TOPIC);
    coordinator_loaded(groups->coordinator);
    return RC_OK;
}

static void on_due(void *context)
{
    struct groups *groups = context;

    groups->armed_for = INT64_MAX;
    coordinator_tick(groups->coordinator);
    rearm(groups);
}

static void on_expiry(void *context)
{
    struct groups *groups = context;

    coordinator_expire(groups->coordinator);
    server_timer_set(groups->expiry, groups->expiry_every_ms);
    rearm(groups);
}

static struct group_settings settings_of(const struct broker_config *config, const struct topic *topic)
{
    return (struct group_settings){
        .partitions =
            topic ? topic->partition_count : (int32_t)broker_config_int(config, "offsets.topic.num.partitions"),
        .initial_delay_ms = (int32_t)MAX(broker_config_int(config, "group.initial.rebalance.delay.ms"), 0),
        .min_session_ms = (int32_t)broker_config_int(config, "group.min.session.timeout.ms"),
        .max_session_ms = (int32_t)broker_config_int(config, "group.max.session.timeout.ms"),
        .max_size = (int32_t)broker_config_int(config, "group.max.size"),
        .metadata_max = (int32_t)broker_config_int(config, "offset.metadata.max.bytes"),
        .retention_ms = broker_config_int(config, "offsets.retention.minutes") * 60000,
    };
}

enum rc groups_open(struct broker *broker, struct groups **out, struct err *err)
{
    struct groups *groups = NEW(struct groups);
    struct topic *topic = broker_topic(broker, str_of(OFFSETS_TOPIC));
    struct group_settings settings = settings_of(&broker->config, topic);
    struct group_host host = { groups, reply, store, has_partition, mono_ms, wall_ms };

    groups->broker = broker;
    groups->coordinator = coordinator_new(&settings, &host);
    groups->armed_for = INT64_MAX;
    groups->expiry_every_ms = broker_config_int(&broker->config, "offsets.retention.check.interval.ms");
    groups->due = server_timer_new(broker->server, on_due, groups);
    groups->expiry = server_timer_new(broker->server, on_expiry, groups);
    enum rc rc = read_topic(groups, topic, err);
    if (rc) {
        groups_close(groups);
        return rc;
    }
    if (coordinator_count(groups->coordinator))
        log_info("groups read", "groups=%zu", coordinator_count(groups->coordinator));
    server_timer_set(groups->expiry, groups->expiry_every_ms);
    rearm(groups);
    *out = groups;
    return RC_OK;
}

void groups_close(struct groups *groups)
{
    if (!groups)
        return;
    server_timer_free(groups->due);
    server_timer_free(groups->expiry);
    coordinator_free(groups->coordinator);
    free(groups);
}

void groups_topic_deleted(struct groups *groups, const struct topic *topic)
{
    coordinator_topic_deleted(groups->coordinator, str_of(topic->name));
    rearm(groups);
}

/* ---- requests ---- */

static struct group_caller caller_of(struct request *request)
{
    struct waiting *waiting = NEW(struct waiting);

    waiting->request = request;
    request->parked = waiting;
    request->cancel = forget;
    return (struct group_caller){ waiting, request->version, request->client_id, str_of(request_peer_host(request)) };
}

/* the request may be gone when the coordinator returns */
#define HANDLER(name_, coordinator_call_)                                                                              \
    static void name_(struct request *request)                                                                         \
    {                                                                                                                  \
        struct groups *groups = request->broker->groups;                                                               \
        struct group_caller caller = caller_of(request);                                                               \
                                                                                                                       \
        coordinator_call_(groups->coordinator, &caller, request->body);                                                \
        rearm(groups);                                                                                                 \
    }

HANDLER(on_join, coordinator_join)
HANDLER(on_sync, coordinator_sync)
HANDLER(on_heartbeat, coordinator_heartbeat)
HANDLER(on_leave, coordinator_leave)
HANDLER(on_commit, coordinator_commit)
HANDLER(on_fetch, coordinator_fetch)
HANDLER(on_offset_delete, coordinator_delete_offsets)
HANDLER(on_describe, coordinator_describe)
HANDLER(on_list, coordinator_list)
HANDLER(on_delete, coordinator_delete)

const struct log_api group_apis[] = {
    { KAFKA_API_OFFSET_COMMIT, 0, 0, on_commit },
    { KAFKA_API_OFFSET_FETCH, 0, 0, on_fetch },
    { KAFKA_API_JOIN_GROUP, 0, 0, on_join },
    { KAFKA_API_HEARTBEAT, 0, 0, on_heartbeat },
    { KAFKA_API_LEAVE_GROUP, 0, 0, on_leave },
    { KAFKA_API_SYNC_GROUP, 0, 0, on_sync },
    { KAFKA_API_DESCRIBE_GROUPS, 0, 0, on_describe },
    { KAFKA_API_LIST_GROUPS, 0, 0, on_list },
    { KAFKA_API_DELETE_GROUPS, 0, 0, on_delete },
    { KAFKA_API_OFFSET_DELETE, 0, 0, on_offset_delete },
    { 0, 0, 0, NULL },
};
