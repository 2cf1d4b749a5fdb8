/* librdkafka's configuration as all our clients have it: names, log lines, overrides by the connector. */
#ifndef STREAM_CONNECT_CLIENT_H
#define STREAM_CONNECT_CLIENT_H

#include <librdkafka/rdkafka.h>

#include "stream/connect/plugin.h"

struct client_setting {
    const char *name, *value; /* a row with a NULL value is skipped */
};
/* `rows` end with a NULL name.  overrides, if given: "<prefix>linger.ms" = … of that configuration, what
 * librdkafka does not know is named in a warning.  Never NULL. */
rd_kafka_conf_t *client_conf(const char *bootstrap, const char *client_id, const struct client_setting *rows,
                             const struct connector_config *overrides, const char *prefix);
MUST_CHECK enum rc client_new(rd_kafka_type_t type, rd_kafka_conf_t *conf, rd_kafka_t **out, struct err *err);

/* A producer whose deliveries are told to on_event(client, event, user), in a thread of librdkafka's own that
 * sleeps when there is nothing to tell. */
MUST_CHECK enum rc client_new_producer(rd_kafka_conf_t *conf,
                                       void (*on_event)(rd_kafka_t *client, rd_kafka_event_t *event, void *user),
                                       void *user, rd_kafka_t **out, struct err *err);

#endif
