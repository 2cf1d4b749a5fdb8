/* Clients of the log; see client.h. */
#include "stream/connect/client.h"

#include <string.h>

enum { SYSLOG_ERROR = 3 }; /* librdkafka's levels are syslog's */

static void on_log(const rd_kafka_t *client, int level, const char *facility, const char *text)
{
    static struct log_rate rate;
    unsigned suppressed = 0;

    if (level > SYSLOG_ERROR || !log_allow(&rate, 6, &suppressed))
        return;
    log_line(LOG_WARN, "log client", "client=%s facility=%s text=%s left_out=%u", client ? rd_kafka_name(client) : "?",
             facility, text, suppressed);
}

static void on_error(rd_kafka_t *client, int code, const char *reason, void *user)
{
    static struct log_rate rate;
    unsigned suppressed = 0;

    (void)user;
    if (log_allow(&rate, 6, &suppressed))
        log_warn("log client", "client=%s error=%s reason=%s left_out=%u", rd_kafka_name(client),
                 rd_kafka_err2name((rd_kafka_resp_err_t)code), reason, suppressed);
}

static void set(rd_kafka_conf_t *conf, const char *name, const char *value)
{
    char why[512];

    if (rd_kafka_conf_set(conf, name, value, why, sizeof why) != RD_KAFKA_CONF_OK)
        log_warn("setting of the log client not taken", "name=%s cause=%s", name, why);
}

rd_kafka_conf_t *client_conf(const char *bootstrap, const char *client_id, const struct client_setting *rows,
                             const struct connector_config *overrides, const char *prefix)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();

    rd_kafka_conf_set_log_cb(conf, on_log);
    rd_kafka_conf_set_error_cb(conf, on_error);
    set(conf, "bootstrap.servers", bootstrap);
    set(conf, "client.id", client_id);
    set(conf, "reconnect.backoff.ms", "50");
    set(conf, "reconnect.backoff.max.ms", "1000");
    set(conf, "log.connection.close", "false");
    for (; rows && rows->name; rows++)
        if (rows->value)
            set(conf, rows->name, rows->value);
    for (struct map_entry *e = NULL; overrides && (e = map_next(&overrides->rows, e));)
        if (strncmp(e->key, prefix, strlen(prefix)) == 0)
            set(conf, e->key + strlen(prefix), e->value);
    return conf;
}

enum rc client_new(rd_kafka_type_t type, rd_kafka_conf_t *conf, rd_kafka_t **out, struct err *err)
{
    char why[512];

    *out = rd_kafka_new(type, conf, why, sizeof why);
    if (*out)
        return RC_OK;
    rd_kafka_conf_destroy(conf);
    return err_set(err, RC_FATAL, "cannot make a client of the log: %s", why);
}

enum rc client_new_producer(rd_kafka_conf_t *conf,
                            void (*on_event)(rd_kafka_t *client, rd_kafka_event_t *event, void *user), void *user,
                            rd_kafka_t **out, struct err *err)
{
    rd_kafka_conf_set_opaque(conf, user);
    rd_kafka_conf_set_events(conf, RD_KAFKA_EVENT_DR);
    rd_kafka_conf_set_background_event_cb(conf, on_event);
    enum rc rc = client_new(RD_KAFKA_PRODUCER, conf, out, err);
    if (rc)
        return rc;
    /* deliveries come by the main queue; the background thread reads its own only */
    rd_kafka_queue_t *main_queue = rd_kafka_queue_get_main(*out), *background = rd_kafka_queue_get_background(*out);
    rd_kafka_queue_forward(main_queue, background);
    rd_kafka_queue_destroy(main_queue);
    rd_kafka_queue_destroy(background);
    return RC_OK;
}
