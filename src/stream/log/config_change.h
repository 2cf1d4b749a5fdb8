/*
 * Changes of configuration as the alter requests ask for them, on a topic or on the broker; words and error codes are
 * Kafka's.  Nothing here is stored: that is the caller's part.
 */
#ifndef STREAM_LOG_CONFIG_CHANGE_H
#define STREAM_LOG_CONFIG_CHANGE_H

#include "stream/log/config.h"
#include "wire/kafka/kafka.h"

/* as IncrementalAlterConfigs numbers them */
enum config_operation { CONFIG_SET, CONFIG_DELETE, CONFIG_APPEND, CONFIG_SUBTRACT };

struct config_change {
    int8_t operation;
    struct str name, value; /* value.p NULL: null */
};

/* What holds for changes of any resource: no name twice, no null but to delete, known operations. */
enum kafka_error config_change_check(const struct config_change *changes, int32_t count, struct err *err);
/* *out becomes the topic's configuration after the changes; to be freed by the caller, also after an error.
 * replace: what is not named loses its override. */
enum kafka_error config_change_topic(const struct topic_config *before, const struct broker_config *broker,
                                     const struct config_change *changes, int32_t count, bool replace,
                                     struct topic_config *out, struct err *err);
/* all_brokers: the values that every broker has.  dry: only check.  All changes are made, or none. */
enum kafka_error config_change_broker(struct broker_config *broker, bool all_brokers,
                                      const struct config_change *changes, int32_t count, bool replace, bool dry,
                                      struct err *err);

#endif
