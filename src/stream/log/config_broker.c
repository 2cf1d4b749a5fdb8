/*
 * The broker's configuration: environment (KAFKA_NUM_PARTITIONS=4 is num.partitions=4), what the station knows at
 * start, and what was altered while running.  As in Kafka's images, `_` in a variable is a dot, `__` an underscore and
 * `___` a hyphen.
 */
#include <stdlib.h>
#include <string.h>

#include "stream/log/config.h"

/* What one node needs, where Kafka's defaults are made for three.  A group's first members mostly come from one process
 * within a few milliseconds: without any delay the first of them is alone in a generation that lasts until it sends its
 * next heartbeat. */
static const struct {
    const char *name, *value;
} single_node[] = {
    { "node.id", "1" },
    { "broker.id", "1" },
    { "process.roles", "broker,controller" },
    { "group.initial.rebalance.delay.ms", "100" },
    { "offsets.topic.replication.factor", "1" },
    { "transaction.state.log.replication.factor", "1" },
    { "transaction.state.log.min.isr", "1" },
};

/* variables of Kafka's images and start scripts that are no broker properties */
static const char *const not_properties[] = {
    "HEAP_OPTS",   "OPTS",          "JVM_PERFORMANCE_OPTS", "GC_LOG_OPTS", "JMX_OPTS", "JMX_PORT",   "JMX_HOSTNAME",
    "LOG4J_OPTS",  "LOG4J_LOGGERS", "LOG4J_ROOT_LOGLEVEL",  "HOME",        "VERSION",  "CLUSTER_ID", "DATA_DIR",
    "CFG_LOG_DIR", "LOG_DIR"
};

static bool is_property(const char *rest)
{
    for (size_t i = 0; i < ARRAY_LEN(not_properties); i++)
        if (strcmp(rest, not_properties[i]) == 0)
            return false;
    return true;
}

static void property_name(const char *variable, struct buf *out)
{
    static const char as[] = { 0, '.', '_', '-' };

    for (const char *c = variable; *c;) {
        size_t run = strspn(c, "_");
        for (size_t left = run; left; left -= MIN(left, (size_t)3))
            buf_putc(out, as[MIN(left, (size_t)3)]);
        c += run;
        if (*c)
            buf_putc(out, *c >= 'A' && *c <= 'Z' ? (char)(*c + 'a' - 'A') : *c);
        c += *c != '\0';
    }
}

static void map_set_text(struct map *map, struct str name, struct str value)
{
    free(map_put(map, name, str_dup(value)));
}

void broker_config_fix(struct broker_config *broker, const char *name, struct str value)
{
    map_set_text(&broker->fixed, str_of(name), value);
}

static enum rc load_variable(struct broker_config *broker, const char *variable, const struct setting *setting,
                             struct buf *idle, struct err *err)
{
    CLEANUP(buf_free) struct buf name = { 0 };

    property_name(variable + strlen("KAFKA_"), &name);
    const struct config_row *row = broker_config_row(buf_str(&name));
    if (!row || !(row->flags & CONFIG_EFFECT))
        buf_printf(idle, "%s%s", idle->len ? "," : "", buf_cstr(&name));
    if (!row)
        return RC_OK;
    if (config_check(row, str_of(setting->value), err))
        return err_wrap(err, "cannot use '%s' (from %s)", variable, setting->origin);
    broker_config_fix(broker, row->name, str_trim(str_of(setting->value)));
    return RC_OK;
}

enum rc broker_config_load(struct broker_config *broker, const struct settings *settings, struct err *err)
{
    CLEANUP(buf_free) struct buf idle = { 0 };

    for (size_t i = 0; i < ARRAY_LEN(single_node); i++)
        broker_config_fix(broker, single_node[i].name, str_of(single_node[i].value));
    for (struct map_entry *e = NULL; (e = map_next(&settings->rows, e));) {
        if (!str_starts(str_of(e->key), "KAFKA_") || !is_property(e->key + strlen("KAFKA_")))
            continue;
        enum rc rc = load_variable(broker, e->key, e->value, &idle, err);
        if (rc)
            return rc;
    }
    if (idle.len)
        log_warn("these properties have no effect here", "names=%s", buf_cstr(&idle));
    return RC_OK;
}

const char *broker_config_text(const struct broker_config *broker, const char *name)
{
    struct str key = str_of(name);
    const char *text = map_get(&broker->dynamic, key);

    text = text ? text : map_get(&broker->cluster, key);
    text = text ? text : map_get(&broker->fixed, key);
    if (text)
        return text;
    const struct config_row *row = broker_config_row(key);
    return row ? row->fallback : "";
}

int64_t broker_config_int(const struct broker_config *broker, const char *name)
{
    int64_t n = 0;

    (void)!str_to_i64(str_trim(str_of(broker_config_text(broker, name))), INT64_MIN, INT64_MAX, &n);
    return n;
}

bool broker_config_bool(const struct broker_config *broker, const char *name)
{
    bool flag = false;

    return str_to_bool(str_trim(str_of(broker_config_text(broker, name))), &flag) && flag;
}

static void save(const struct map *map, const char *what, struct buf *out)
{
    for (struct map_entry *e = NULL; (e = map_next(map, e));)
        if (!strchr(e->value, '\n'))
            buf_printf(out, "%s %s=%s\n", what, e->key, (const char *)e->value);
}

void broker_config_save(const struct broker_config *broker, struct buf *out)
{
    save(&broker->dynamic, "dynamic", out);
    save(&broker->cluster, "cluster", out);
}

enum rc broker_config_restore(struct broker_config *broker, struct str text, struct err *err)
{
    struct str line, what, name;

    for (int n = 1; str_cut(&text, '\n', &line); n++) {
        if (!line.len)
            continue;
        bool split = str_cut(&line, ' ', &what) && str_cut(&line, '=', &name) && line.p;
        const struct config_row *row = split ? broker_config_row(name) : NULL;
        if (!row || !(str_is(what, "dynamic") || str_is(what, "cluster")))
            return err_set(err, RC_BAD_INPUT, "cannot read the broker's altered configuration: line %d makes no sense",
                           n);
        map_set_text(str_is(what, "dynamic") ? &broker->dynamic : &broker->cluster, name, line);
    }
    return RC_OK;
}

void broker_config_free(struct broker_config *broker)
{
    map_free(&broker->fixed, free);
    map_free(&broker->dynamic, free);
    map_free(&broker->cluster, free);
}
