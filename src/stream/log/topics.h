/* The table of topics on disk.  Private to this folder; loop thread only. */
#ifndef STREAM_LOG_TOPICS_H
#define STREAM_LOG_TOPICS_H

#include "stream/log/broker.h"

/* Reads the table and opens every partition. */
MUST_CHECK enum rc topics_load(struct broker *broker, struct err *err);
void topics_free(struct broker *broker);
/* "topic partition" -> offset + 1 as pointer, of log-start-offset-checkpoint (broker.c) */
MUST_CHECK enum rc broker_load_starts(struct broker *broker, struct map *out, struct err *err);

#endif
