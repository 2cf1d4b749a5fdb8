/* Set, delete, append, subtract; see config_change.h. */
#include "stream/log/config_change.h"

#include <stdlib.h>
#include <string.h>

enum { CHANGES_MAX = 1000 }; /* of one resource; there are not that many properties */

static const char *const operation_names[] = { "SET", "DELETE", "APPEND", "SUBTRACT" };

enum kafka_error config_change_check(const struct config_change *changes, int32_t count, struct err *err)
{
    if (count > CHANGES_MAX) {
        err_set(err, RC_FULL, "There are more than %d changes for one resource.", CHANGES_MAX);
        return KAFKA_INVALID_REQUEST;
    }
    for (int32_t i = 0; i < count; i++) {
        const struct config_change *change = &changes[i];
        if (change->operation < CONFIG_SET || change->operation > CONFIG_SUBTRACT) {
            err_set(err, RC_BAD_INPUT, "Unknown operation type %d", change->operation);
            return KAFKA_INVALID_REQUEST;
        }
        if (change->operation != CONFIG_DELETE && !change->value.p) {
            err_set(err, RC_BAD_INPUT, "Null value not supported for : %.*s", STR_ARG(change->name));
            return KAFKA_INVALID_REQUEST;
        }
        for (int32_t k = 0; k < i; k++)
            if (str_eq(changes[k].name, change->name)) {
                err_set(err, RC_BAD_INPUT, "Error due to duplicate config keys");
                return KAFKA_INVALID_REQUEST;
            }
    }
    return KAFKA_NONE;
}

static bool list_has(struct str list, struct str item)
{
    struct str part;

    while (list.len && str_cut(&list, ',', &part))
        if (str_eq(str_trim(part), item))
            return true;
    return false;
}

static void put_item(struct buf *out, struct str item)
{
    if (out->len)
        buf_putc(out, ',');
    buf_put_str(out, item);
}

/* `now` with the items of `change` put in or taken out */
static void change_list(struct str now, struct str change, bool append, struct buf *out)
{
    struct str rest = now, item;

    while (rest.len && str_cut(&rest, ',', &item))
        if (append || !list_has(change, str_trim(item)))
            put_item(out, str_trim(item));
    rest = change;
    while (append && rest.len && str_cut(&rest, ',', &item))
        if (!list_has(now, str_trim(item)) && !list_has(buf_str(out), str_trim(item)))
            put_item(out, str_trim(item));
}

static enum kafka_error not_a_list(const struct config_change *change, struct err *err)
{
    err_set(err, RC_BAD_INPUT, "Can't %s to key %.*s because its type is not LIST.", operation_names[change->operation],
            STR_ARG(change->name));
    return KAFKA_INVALID_CONFIG;
}

/* ---- a topic ---- */

static enum kafka_error change_topic(struct topic_config *config, const struct broker_config *broker,
                                     const struct config_change *change, struct err *err)
{
    CLEANUP(buf_free) struct buf list = { 0 };
    const struct config_row *row = topic_config_row(change->name);
    struct str value = change->operation == CONFIG_DELETE ? (struct str){ 0 } : change->value;

    if (row && change->operation >= CONFIG_APPEND) {
        if (row->type != CONFIG_LIST)
            return not_a_list(change, err);
        change_list(str_of(config->value[row - topic_config_rows].text), change->value,
                    change->operation == CONFIG_APPEND, &list);
        value = str_of(buf_cstr(&list));
    }
    return topic_config_set(config, broker, change->name, value, err) ? KAFKA_INVALID_CONFIG : KAFKA_NONE;
}

enum kafka_error config_change_topic(const struct topic_config *before, const struct broker_config *broker,
                                     const struct config_change *changes, int32_t count, bool replace,
                                     struct topic_config *out, struct err *err)
{
    enum kafka_error error = KAFKA_NONE;

    *out = (struct topic_config){ 0 };
    for (size_t i = 0; !replace && i < topic_config_row_count; i++)
        out->overrides[i] = mem_strdup(before->overrides[i]);
    topic_config_resolve(out, broker);
    for (int32_t i = 0; !error && i < count; i++)
        error = change_topic(out, broker, &changes[i], err);
    if (!error && topic_config_check(out, err))
        error = KAFKA_INVALID_CONFIG;
    return error;
}

/* ---- the broker ---- */

static enum kafka_error change_broker(const struct broker_config *broker, struct map *to,
                                      const struct config_change *change, struct err *err)
{
    CLEANUP(buf_free) struct buf list = { 0 };
    const struct config_row *row = broker_config_row(change->name);
    struct str value = change->value;

    if (!row) {
        err_set(err, RC_BAD_INPUT, "Unknown broker config name: %.*s", (int)MIN(change->name.len, (size_t)300),
                change->name.p ? change->name.p : "");
        return KAFKA_INVALID_CONFIG;
    }
    if (!(row->flags & CONFIG_DYNAMIC)) {
        err_set(err, RC_BAD_INPUT, "Cannot update these configs dynamically: Set(%s)", row->name);
        return KAFKA_INVALID_REQUEST;
    }
    if (change->operation == CONFIG_DELETE) {
        free(map_remove(to, change->name));
        return KAFKA_NONE;
    }
    if (change->operation >= CONFIG_APPEND) {
        if (row->type != CONFIG_LIST)
            return not_a_list(change, err);
        change_list(str_of(broker_config_text(broker, row->name)), change->value, change->operation == CONFIG_APPEND,
                    &list);
        value = str_of(buf_cstr(&list));
    }
    if (config_check(row, value, err))
        return KAFKA_INVALID_CONFIG;
    free(map_put(to, change->name, str_dup(value)));
    return KAFKA_NONE;
}

static void copy_texts(const struct map *from, struct map *to)
{
    for (struct map_entry *e = NULL; (e = map_next(from, e));)
        map_put(to, str_n(e->key, e->key_len), mem_strdup(e->value));
}

enum kafka_error config_change_broker(struct broker_config *broker, bool all_brokers,
                                      const struct config_change *changes, int32_t count, bool replace, bool dry,
                                      struct err *err)
{
    struct map *now = all_brokers ? &broker->cluster : &broker->dynamic;
    struct map after = { 0 };
    enum kafka_error error = KAFKA_NONE;

    if (!replace)
        copy_texts(now, &after);
    for (int32_t i = 0; !error && i < count; i++)
        error = change_broker(broker, &after, &changes[i], err);
    if (error || dry) {
        map_free(&after, free);
        return error;
    }
    map_free(now, free);
    *now = after;
    return KAFKA_NONE;
}
