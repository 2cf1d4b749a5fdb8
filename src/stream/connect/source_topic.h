/* Topics that a source task writes to, made as topic.creation.default.* says (KIP-158).  Private to stream/connect. */
#ifndef STREAM_CONNECT_SOURCE_TOPIC_H
#define STREAM_CONNECT_SOURCE_TOPIC_H

#include "stream/connect/client.h"
#include "stream/connect/worker.h"

/*
 * Blocks until the broker answered or gave none in time.  A topic that is there already stays as it is; without
 * topic.creation.default.* nothing happens: the broker makes the topic as it is written to.  RC_RETRY: no answer;
 * RC_FATAL: the broker refused; RC_BAD_INPUT: the configuration cannot be.
 */
MUST_CHECK enum rc source_topic_make(rd_kafka_t *producer, const struct connector_config *config, const char *name,
                                     struct err *err);

#endif
