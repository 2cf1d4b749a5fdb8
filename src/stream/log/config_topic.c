/*
 * The configuration of one topic: what was set on it, and what is in force (kept as numbers for the data path).
 */
#include <stdlib.h>
#include <string.h>

#include "stream/log/config.h"

enum { HOUR_MS = 3600 * 1000, MINUTE_MS = 60 * 1000 };

/* The unit of a broker property that stands for a topic's milliseconds. */
static int64_t unit_ms(const char *broker_name)
{
    struct str name = str_of(broker_name);

    return str_ends(name, ".hours") ? HOUR_MS : str_ends(name, ".minutes") ? MINUTE_MS : 1;
}

static bool is_set(const struct broker_config *broker, const char *name)
{
    struct str key = str_of(name);

    return map_get(&broker->dynamic, key) || map_get(&broker->cluster, key) || map_get(&broker->fixed, key);
}

static void store(struct topic_config *config, size_t i, const char *text, int64_t unit)
{
    const struct config_row *row = &topic_config_rows[i];
    struct str value = str_trim(str_of(text));
    bool flag = false;

    switch (row->type) {
    case CONFIG_STRING:
    case CONFIG_LIST:
        free(config->value[i].text);
        config->value[i].text = mem_strdup(text ? text : "");
        return;
    case CONFIG_DOUBLE:
        (void)!str_to_double(value, &config->value[i].ratio);
        return;
    case CONFIG_BOOLEAN:
        config->value[i].number = str_to_bool(value, &flag) && flag;
        return;
    default:
        if (!str_to_i64(value, INT64_MIN, INT64_MAX, &config->value[i].number) ||
            (config->value[i].number > 0 &&
             __builtin_mul_overflow(config->value[i].number, unit, &config->value[i].number)))
            config->value[i].number = INT64_MAX;
    }
}

static void resolve_row(struct topic_config *config, const struct broker_config *broker, size_t i)
{
    const struct config_row *row = &topic_config_rows[i];

    if (config->overrides[i]) {
        store(config, i, config->overrides[i], 1);
        return;
    }
    for (int k = 0; k < CONFIG_SYNONYMS_MAX && row->synonyms[k]; k++)
        if (is_set(broker, row->synonyms[k])) {
            store(config, i, broker_config_text(broker, row->synonyms[k]), unit_ms(row->synonyms[k]));
            return;
        }
    store(config, i, row->fallback, 1);
}

static bool list_has(const char *list, const char *what)
{
    struct str rest = str_of(list), item;

    while (str_cut(&rest, ',', &item))
        if (str_is(str_trim(item), what))
            return true;
    return false;
}

void topic_config_resolve(struct topic_config *config, const struct broker_config *broker)
{
    for (size_t i = 0; i < topic_config_row_count; i++)
        resolve_row(config, broker, i);
    config->compacts = list_has(topic_config_text(config, TOPIC_CLEANUP_POLICY), "compact");
    config->deletes = list_has(topic_config_text(config, TOPIC_CLEANUP_POLICY), "delete");
    config->log_append_time = strcmp(topic_config_text(config, TOPIC_MESSAGE_TIMESTAMP_TYPE), "LogAppendTime") == 0;
}

void topic_config_init(struct topic_config *config, const struct broker_config *broker)
{
    *config = (struct topic_config){ 0 };
    topic_config_resolve(config, broker);
}

void topic_config_free(struct topic_config *config)
{
    for (size_t i = 0; i < topic_config_row_count; i++) {
        enum config_type type = topic_config_rows[i].type;
        free(config->overrides[i]);
        if (type == CONFIG_STRING || type == CONFIG_LIST)
            free(config->value[i].text);
    }
    *config = (struct topic_config){ 0 };
}

enum rc topic_config_set(struct topic_config *config, const struct broker_config *broker, struct str name,
                         struct str value, struct err *err)
{
    const struct config_row *row = topic_config_row(name);

    if (!row)
        return err_set(err, RC_BAD_INPUT, "Unknown topic config name: %.*s", (int)MIN(name.len, (size_t)300),
                       name.p ? name.p : "");
    enum rc rc = config_check(row, value, err);
    if (rc)
        return rc;
    size_t i = (size_t)(row - topic_config_rows);
    free(config->overrides[i]);
    config->overrides[i] = value.p ? str_dup(value) : NULL;
    topic_config_resolve(config, broker);
    return RC_OK;
}

enum rc topic_config_check(const struct topic_config *config, struct err *err)
{
    int64_t least = topic_config_int(config, TOPIC_MIN_COMPACTION_LAG_MS);
    int64_t most = topic_config_int(config, TOPIC_MAX_COMPACTION_LAG_MS);

    if (least > most)
        return err_set(err, RC_BAD_INPUT,
                       "conflict topic config setting min.compaction.lag.ms (%lld) > max.compaction.lag.ms (%lld)",
                       (long long)least, (long long)most);
    return RC_OK;
}

/* ---- as text ---- */

static void put_escaped(struct buf *out, const char *text)
{
    for (; *text; text++) {
        if (*text == '\\' || *text == '\n')
            buf_putc(out, '\\');
        buf_putc(out, *text == '\n' ? 'n' : *text);
    }
}

static void unescape(struct buf *out, struct str text)
{
    for (size_t i = 0; i < text.len; i++) {
        bool escaped = text.p[i] == '\\' && i + 1 < text.len;
        i += escaped;
        buf_putc(out, escaped && text.p[i] == 'n' ? '\n' : text.p[i]);
    }
}

void topic_config_save(const struct topic_config *config, struct buf *out)
{
    for (size_t i = 0; i < topic_config_row_count; i++) {
        if (!config->overrides[i])
            continue;
        buf_printf(out, "%s=", topic_config_rows[i].name);
        put_escaped(out, config->overrides[i]);
        buf_putc(out, '\n');
    }
}

void topic_config_restore(struct topic_config *config, const struct broker_config *broker, struct str text)
{
    struct str line, name;

    while (str_cut(&text, '\n', &line)) {
        CLEANUP(buf_free) struct buf value = { 0 };
        struct err err;
        if (!line.len || !str_cut(&line, '=', &name))
            continue;
        unescape(&value, line);
        if (topic_config_set(config, broker, name, str_of(buf_cstr(&value)), &err))
            log_warn("left out a topic's property", "name=%.*s reason=%s", STR_ARG(name), err.text);
    }
}
