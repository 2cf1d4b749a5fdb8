/*
 * Configuration over the wire: DescribeConfigs, AlterConfigs, IncrementalAlterConfigs, ListConfigResources.
 */
#include <stdlib.h>
#include <string.h>

#include "stream/log/broker.h"
#include "stream/log/config_change.h"

enum resource_type {
    RESOURCE_TOPIC = 2,
    RESOURCE_BROKER = 4,
    RESOURCE_BROKER_LOGGER = 8,
    RESOURCE_CLIENT_METRICS = 16,
    RESOURCE_GROUP = 32,
};

struct describing {
    struct request *request;
    const struct kafka_describe_configs_request *body;
    const struct kafka_describe_configs_request_resource *resource;
    struct kafka_describe_configs_response_result *out;
};

/* ---- describe: synonyms ---- */

enum { SYNONYMS_MAX = 1 + 4 * (1 + CONFIG_SYNONYMS_MAX) };

struct synonyms {
    struct kafka_describe_configs_response_synonym list[SYNONYMS_MAX];
    int32_t count;
};

static void add_synonym(struct synonyms *synonyms, const char *name, const char *value, bool secret,
                        enum config_source source)
{
    if (value && synonyms->count < SYNONYMS_MAX)
        synonyms->list[synonyms->count++] =
            (struct kafka_describe_configs_response_synonym){ str_of(name), secret ? (struct str){ 0 } : str_of(value),
                                                              (int8_t)source };
}

/* All places where a broker property can get its value, strongest first.  As in Kafka, those before the first one
 * with the property's own name do not count. */
static void broker_synonyms(const struct broker_config *broker, const struct config_row *row, struct synonyms *out)
{
    const struct {
        const struct map *map;
        enum config_source source;
    } places[] = { { &broker->dynamic, CONFIG_FROM_DYNAMIC_BROKER },
                   { &broker->cluster, CONFIG_FROM_DYNAMIC_DEFAULT },
                   { &broker->fixed, CONFIG_FROM_STATIC_BROKER } };
    const struct config_row *rows[1 + CONFIG_SYNONYMS_MAX] = { row };
    struct synonyms all = { 0 };
    bool secret = row->type == CONFIG_PASSWORD;
    size_t count = 1;
    int32_t first = 0;

    for (int k = 0; k < CONFIG_SYNONYMS_MAX && row->synonyms[k]; k++)
        rows[count++] = broker_config_row(str_of(row->synonyms[k]));
    for (size_t p = 0; p < ARRAY_LEN(places); p++)
        for (size_t k = 0; k < count; k++)
            add_synonym(&all, rows[k]->name, map_get(places[p].map, str_of(rows[k]->name)), secret, places[p].source);
    for (size_t k = 0; k < count; k++)
        add_synonym(&all, rows[k]->name, rows[k]->fallback, secret, CONFIG_FROM_DEFAULT);
    while (first < all.count && !str_is(all.list[first].name, row->name))
        first++;
    for (; first < all.count && out->count < SYNONYMS_MAX; first++)
        out->list[out->count++] = all.list[first];
}

static void topic_synonyms(const struct topic *topic, const struct broker_config *broker, size_t i,
                           struct synonyms *out)
{
    const struct config_row *row = &topic_config_rows[i];

    add_synonym(out, row->name, topic->config.overrides[i], false, CONFIG_FROM_TOPIC);
    if (row->synonyms[0])
        broker_synonyms(broker, broker_config_row(str_of(row->synonyms[0])), out);
}

/* ---- describe ---- */

static bool is_asked(const struct describing *d, const char *name)
{
    for (int32_t i = 0; i < d->resource->configuration_keys.count; i++)
        if (str_is(d->resource->configuration_keys.items[i], name))
            return true;
    return d->resource->configuration_keys.count <= 0;
}

static bool add_config(struct describing *d, const struct config_row *row, struct str value, bool read_only,
                       const struct synonyms *synonyms)
{
    struct kafka_describe_configs_response_config *config = &d->out->configs.items[d->out->configs.count++];
    bool secret = row->type == CONFIG_PASSWORD;

    config->name = str_of(row->name);
    config->value = secret ? (struct str){ 0 } : value;
    config->read_only = read_only;
    config->is_sensitive = secret;
    config->config_source = synonyms->count ? synonyms->list[0].source : (int8_t)CONFIG_FROM_DEFAULT;
    config->config_type = (int8_t)row->type;
    if (d->body->include_documentation)
        config->documentation = str_of(row->doc);
    if (!d->body->include_synonyms || !synonyms->count)
        return true;
    config->synonyms.items = request_alloc(d->request, (size_t)synonyms->count, sizeof *config->synonyms.items);
    if (!config->synonyms.items)
        return false;
    memcpy(config->synonyms.items, synonyms->list, (size_t)synonyms->count * sizeof *config->synonyms.items);
    config->synonyms.count = synonyms->count;
    return true;
}

/* what is in force, as text; converted where a synonym has another unit */
static struct str topic_value(struct describing *d, const struct topic *topic, size_t i)
{
    const struct config_row *row = &topic_config_rows[i];
    const char *text = NULL;

    if (topic->config.overrides[i])
        return str_of(topic->config.overrides[i]);
    switch (row->type) {
    case CONFIG_STRING:
    case CONFIG_LIST:
        return str_of(topic->config.value[i].text);
    case CONFIG_BOOLEAN:
        return topic->config.value[i].number ? STR("true") : STR("false");
    case CONFIG_DOUBLE:
        text = row->synonyms[0] ? broker_config_text(&d->request->broker->config, row->synonyms[0]) : row->fallback;
        break;
    default:
        text = arena_printf(&d->request->arena, "%lld", (long long)topic->config.value[i].number);
    }
    return str_of(text);
}

static bool describe_topic(struct describing *d)
{
    const struct topic *topic = broker_topic(d->request->broker, d->resource->resource_name);

    if (!topic) {
        d->out->error_code = topic_name_is_valid(d->resource->resource_name) ? KAFKA_UNKNOWN_TOPIC_OR_PARTITION
                                                                             : KAFKA_INVALID_TOPIC_EXCEPTION;
        return true;
    }
    d->out->configs.items = request_alloc(d->request, topic_config_row_count, sizeof *d->out->configs.items);
    for (size_t i = 0; d->out->configs.items && i < topic_config_row_count; i++) {
        struct synonyms synonyms = { 0 };
        if (!is_asked(d, topic_config_rows[i].name))
            continue;
        topic_synonyms(topic, &d->request->broker->config, i, &synonyms);
        if (!add_config(d, &topic_config_rows[i], topic_value(d, topic, i), false, &synonyms))
            return false;
    }
    return d->out->configs.items != NULL;
}

static void refuse(struct request *request, int16_t *code, struct str *message, enum kafka_error error,
                   const char *words)
{
    *code = (int16_t)error;
    *message = str_of(arena_strdup(&request->arena, str_of(words)));
}

/* An empty name stands for all brokers, else it must be ours. */
static bool broker_name_is_good(const struct request *request, struct str name, struct err *err)
{
    int64_t id = 0;

    if (!name.len)
        return true;
    if (!str_to_i64(name, INT32_MIN, INT32_MAX, &id)) {
        err_set(err, RC_BAD_INPUT, "Broker id must be an integer, but it is: %.*s", (int)MIN(name.len, (size_t)100),
                name.p);
        return false;
    }
    if (id == request->broker->node_id)
        return true;
    err_set(err, RC_BAD_INPUT, "Unexpected broker id, expected %d or empty string, but received %lld",
            (int)request->broker->node_id, (long long)id);
    return false;
}

static bool describe_broker(struct describing *d)
{
    const struct broker_config *broker = &d->request->broker->config;
    bool all_brokers = !d->resource->resource_name.len;
    struct err err = { 0 };

    if (!broker_name_is_good(d->request, d->resource->resource_name, &err)) {
        refuse(d->request, &d->out->error_code, &d->out->error_message, KAFKA_INVALID_REQUEST, err.text);
        return true;
    }
    d->out->configs.items = request_alloc(d->request, broker_config_row_count, sizeof *d->out->configs.items);
    for (size_t i = 0; d->out->configs.items && i < broker_config_row_count; i++) {
        const struct config_row *row = &broker_config_rows[i];
        const char *everywhere = map_get(&broker->cluster, str_of(row->name));
        struct synonyms synonyms = { 0 };
        if (!is_asked(d, row->name) || (all_brokers && !everywhere))
            continue;
        if (all_brokers)
            add_synonym(&synonyms, row->name, everywhere, row->type == CONFIG_PASSWORD, CONFIG_FROM_DYNAMIC_DEFAULT);
        else
            broker_synonyms(broker, row, &synonyms);
        struct str value = str_of(all_brokers ? everywhere : broker_config_text(broker, row->name));
        if (!add_config(d, row, value, !(row->flags & CONFIG_DYNAMIC), &synonyms))
            return false;
    }
    return d->out->configs.items != NULL;
}

static bool describe_resource(struct describing *d)
{
    d->out->resource_type = d->resource->resource_type;
    d->out->resource_name = d->resource->resource_name;
    switch (d->resource->resource_type) {
    case RESOURCE_TOPIC:
        return describe_topic(d);
    case RESOURCE_BROKER:
        return describe_broker(d);
    case RESOURCE_BROKER_LOGGER:
    case RESOURCE_CLIENT_METRICS:
    case RESOURCE_GROUP:
        return true; /* nothing is set on them */
    default:
        refuse(d->request, &d->out->error_code, &d->out->error_message, KAFKA_INVALID_REQUEST,
               "Unsupported resource type");
        return true;
    }
}

static void on_describe(struct request *request)
{
    const struct kafka_describe_configs_request *body = request->body;
    struct kafka_describe_configs_response response = { 0 };
    int32_t count = MAX(body->resources.count, 0);

    response.results.items = request_alloc(request, (size_t)count, sizeof *response.results.items);
    if (!response.results.items)
        return;
    for (int32_t i = 0; i < count; i++) {
        struct describing d = { request, body, &body->resources.items[i],
                                &response.results.items[response.results.count++] };
        if (!describe_resource(&d))
            return;
    }
    request_reply(request, &response);
}

/* ---- alter ---- */

static enum kafka_error alter_topic(struct request *request, struct str name, const struct config_change *changes,
                                    int32_t count, bool replace, bool dry, struct err *err)
{
    struct broker *broker = request->broker;
    struct topic *topic = broker_topic(broker, name);
    struct topic_config before, after;

    if (!topic) {
        err_set(err, RC_NOT_FOUND, "The topic '%.*s' does not exist.", (int)MIN(name.len, (size_t)TOPIC_NAME_MAX),
                name.p ? name.p : "");
        return KAFKA_UNKNOWN_TOPIC_OR_PARTITION;
    }
    enum kafka_error error = config_change_topic(&topic->config, &broker->config, changes, count, replace, &after, err);
    if (error || dry) {
        topic_config_free(&after);
        return error;
    }
    before = topic->config;
    topic->config = after;
    if (broker_save_topics(broker, err)) {
        topic->config = before;
        topic_config_free(&after);
        return KAFKA_STORAGE_ERROR;
    }
    topic_config_free(&before);
    broker_retention_changed(broker);
    return KAFKA_NONE;
}

static enum kafka_error alter_broker(struct request *request, struct str name, const struct config_change *changes,
                                     int32_t count, bool replace, bool dry, struct err *err)
{
    struct broker *broker = request->broker;

    if (!broker_name_is_good(request, name, err))
        return KAFKA_INVALID_REQUEST;
    enum kafka_error error = config_change_broker(&broker->config, !name.len, changes, count, replace, dry, err);
    if (error || dry)
        return error;
    for (struct map_entry *e = NULL; (e = map_next(&broker->topics, e));)
        topic_config_resolve(&((struct topic *)e->value)->config, &broker->config);
    return broker_save_config(broker, err) ? KAFKA_STORAGE_ERROR : KAFKA_NONE;
}

static enum kafka_error alter(struct request *request, int8_t type, struct str name,
                              const struct config_change *changes, int32_t count, bool replace, bool dry,
                              struct err *err)
{
    enum kafka_error error = config_change_check(changes, count, err);

    if (error)
        return error;
    if (type == RESOURCE_TOPIC)
        return alter_topic(request, name, changes, count, replace, dry, err);
    if (type == RESOURCE_BROKER)
        return alter_broker(request, name, changes, count, replace, dry, err);
    err_set(err, RC_BAD_INPUT, "Unexpected resource type %d.", type);
    return KAFKA_INVALID_REQUEST;
}

static void on_alter(struct request *request)
{
    const struct kafka_alter_configs_request *body = request->body;
    struct kafka_alter_configs_response response = { 0 };
    int32_t count = MAX(body->resources.count, 0);

    response.responses.items = request_alloc(request, (size_t)count, sizeof *response.responses.items);
    if (!response.responses.items)
        return;
    for (int32_t i = 0; i < count; i++) {
        const struct kafka_alter_configs_request_resource *resource = &body->resources.items[i];
        struct kafka_alter_configs_response_response *out = &response.responses.items[response.responses.count++];
        int32_t n = MAX(resource->configs.count, 0);
        struct config_change *changes = request_alloc(request, (size_t)n, sizeof *changes);
        struct err err = { 0 };
        if (!changes)
            return;
        for (int32_t k = 0; k < n; k++)
            changes[k] =
                (struct config_change){ CONFIG_SET, resource->configs.items[k].name, resource->configs.items[k].value };
        out->resource_type = resource->resource_type;
        out->resource_name = resource->resource_name;
        enum kafka_error error = alter(request, resource->resource_type, resource->resource_name, changes, n, true,
                                       body->validate_only, &err);
        if (error)
            refuse(request, &out->error_code, &out->error_message, error, err.text);
    }
    request_reply(request, &response);
}

static void on_incremental_alter(struct request *request)
{
    const struct kafka_incremental_alter_configs_request *body = request->body;
    struct kafka_incremental_alter_configs_response response = { 0 };
    int32_t count = MAX(body->resources.count, 0);

    response.responses.items = request_alloc(request, (size_t)count, sizeof *response.responses.items);
    if (!response.responses.items)
        return;
    for (int32_t i = 0; i < count; i++) {
        const struct kafka_incremental_alter_configs_request_resource *resource = &body->resources.items[i];
        struct kafka_incremental_alter_configs_response_response *out =
            &response.responses.items[response.responses.count++];
        int32_t n = MAX(resource->configs.count, 0);
        struct config_change *changes = request_alloc(request, (size_t)n, sizeof *changes);
        struct err err = { 0 };
        if (!changes)
            return;
        for (int32_t k = 0; k < n; k++)
            changes[k] = (struct config_change){ resource->configs.items[k].config_operation,
                                                 resource->configs.items[k].name, resource->configs.items[k].value };
        out->resource_type = resource->resource_type;
        out->resource_name = resource->resource_name;
        enum kafka_error error = alter(request, resource->resource_type, resource->resource_name, changes, n, false,
                                       body->validate_only, &err);
        if (error)
            refuse(request, &out->error_code, &out->error_message, error, err.text);
    }
    request_reply(request, &response);
}

/* ---- what has configuration ---- */

static bool lists_type(const struct kafka_list_config_resources_request *body, int8_t type)
{
    for (int32_t i = 0; i < body->resource_types.count; i++)
        if (body->resource_types.items[i] == type)
            return true;
    return body->resource_types.count <= 0;
}

static void on_list(struct request *request)
{
    const struct kafka_list_config_resources_request *body = request->body;
    struct broker *broker = request->broker;
    struct kafka_list_config_resources_response response = { 0 };
    bool topics = request->version > 0 && lists_type(body, RESOURCE_TOPIC);
    struct str node = str_of(arena_printf(&request->arena, "%d", (int)broker->node_id));

    response.config_resources.items =
        request_alloc(request, broker->topics.count + 2, sizeof *response.config_resources.items);
    if (!response.config_resources.items)
        return;
    for (struct map_entry *e = NULL; topics && (e = map_next(&broker->topics, e));)
        response.config_resources.items[response.config_resources.count++] =
            (struct kafka_list_config_resources_response_config_resource){ str_n(e->key, e->key_len), RESOURCE_TOPIC };
    static const int8_t of_broker[] = { RESOURCE_BROKER, RESOURCE_BROKER_LOGGER };
    for (size_t i = 0; request->version > 0 && i < ARRAY_LEN(of_broker); i++)
        if (lists_type(body, of_broker[i]))
            response.config_resources.items[response.config_resources.count++] =
                (struct kafka_list_config_resources_response_config_resource){ node, of_broker[i] };
    request_reply(request, &response);
}

const struct log_api config_apis[] = {
    { KAFKA_API_DESCRIBE_CONFIGS, 0, 0, on_describe },
    { KAFKA_API_ALTER_CONFIGS, 0, 0, on_alter },
    { KAFKA_API_INCREMENTAL_ALTER_CONFIGS, 0, 0, on_incremental_alter },
    { KAFKA_API_LIST_CONFIG_RESOURCES, 0, 0, on_list },
    { 0, 0, 0, NULL },
};
