/*
 * The worker's settings: Connect's worker properties by their names in the environment, as the
 * compose image has them, with defaults that one machine needs.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "stream/connect/worker.h"

static const struct {
    const char *name, *value;
} worker_defaults[] = {
    { "group.id", "connect-cluster" },
    { "config.storage.topic", "connect-configs" },
    { "offset.storage.topic", "connect-offsets" },
    { "status.storage.topic", "connect-status" },
    { "config.storage.replication.factor", "1" },
    { "offset.storage.replication.factor", "1" },
    { "status.storage.replication.factor", "1" },
    { "offset.storage.partitions", "25" },
    { "status.storage.partitions", "5" },
    { "offset.flush.interval.ms", "60000" },
    { "topic.tracking.enable", "true" },
    { "key.converter", "io.confluent.connect.avro.AvroConverter" },
    { "value.converter", "io.confluent.connect.avro.AvroConverter" },
};

/* CONNECT_OFFSET_STORAGE_TOPIC is offset.storage.topic; __ is _, ___ is - (as the compose image has it). */
static char *setting_name(const char *variable)
{
    struct buf out = { 0 };
    const char *p = variable;

    while (*p) {
        size_t lines = strspn(p, "_");
        if (lines)
            buf_putc(&out, lines == 1 ? '.' : lines == 2 ? '_' : '-');
        else
            buf_putc(&out, (char)tolower((unsigned char)*p));
        p += lines ? lines : 1;
    }
    return buf_take(&out);
}

static bool setting_is_for_java(const char *name)
{
    static const char *const names[] = { "plugin.path",         "rest.advertised.host.name", "rest.port",
                                         "listeners",           "log4j.root.loglevel",       "log4j.loggers",
                                         "rest.advertised.port" };

    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (strcmp(names[i], name) == 0)
            return true;
    return false;
}

static void read_environment(struct worker *worker)
{
    static const char prefix[] = "CONNECT_";

    for (struct map_entry *e = NULL; (e = map_next(&worker->station->settings->rows, e));) {
        const struct setting *setting = e->value;
        if (strncmp(e->key, prefix, sizeof prefix - 1) != 0 || strcmp(e->key, "CONNECT_URL") == 0)
            continue;
        CLEANUP_FREE char *name = setting_name(e->key + sizeof prefix - 1);
        if (setting_is_for_java(name))
            log_info("setting has no meaning here", "name=%s origin=%s", e->key, setting->origin);
        else
            config_set(&worker->settings, name, setting->value);
    }
}

static void default_registry(struct worker *worker, const char *name)
{
    if (!config_given(&worker->settings, name)) {
        CLEANUP_FREE char *url = mem_printf("http://%s", station_address(worker->station, "registry"));
        config_set(&worker->settings, name, url);
    }
}

/* "a:1,b:2", each with aliases replaced */
static void resolve_bootstrap(struct worker *worker, const char *given)
{
    struct str rest = str_of(given), item = { 0 };
    size_t len = 0;

    while (len < sizeof worker->bootstrap && config_list_next(&rest, &item)) {
        char address[ADDRESS_MAX];
        station_resolve(worker->station, item, address);
        len +=
            (size_t)snprintf(worker->bootstrap + len, sizeof worker->bootstrap - len, "%s%s", len ? "," : "", address);
    }
}

enum rc worker_settings(struct worker *worker, struct err *err)
{
    for (size_t i = 0; i < ARRAY_LEN(worker_defaults); i++)
        config_set(&worker->settings, worker_defaults[i].name, worker_defaults[i].value);
    read_environment(worker);
    default_registry(worker, "key.converter.schema.registry.url");
    default_registry(worker, "value.converter.schema.registry.url");
    const char *given = config_given(&worker->settings, "bootstrap.servers");
    resolve_bootstrap(worker, given ? given : station_address(worker->station, "log"));
    const char *flush = config_given(&worker->settings, "offset.flush.interval.ms");
    if (!str_to_i64(str_of(flush), 1, INT32_MAX, &worker->offset_flush_ms))
        return err_set(
            err, RC_BAD_INPUT,
            "cannot use '%s' for 'CONNECT_OFFSET_FLUSH_INTERVAL_MS' (%s): it must be milliseconds, 1 or more", flush,
            settings_find(worker->station->settings, "CONNECT_OFFSET_FLUSH_INTERVAL_MS")->origin);
    worker->topic_tracking = config_bool(&worker->settings, "topic.tracking.enable");
    snprintf(worker->id, sizeof worker->id, "%s:%d", worker->station->host, worker->station->port);
    return RC_OK;
}
