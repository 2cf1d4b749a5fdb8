/*
 * The log: a durable, segmented log that speaks Kafka's protocol.
 */
#ifndef STREAM_LOG_LOG_H
#define STREAM_LOG_LOG_H

#include "base/base.h"
#include "net/net.h"

/* Runs until SIGTERM.  The caller has blocked the stop signals and set up the log. */
MUST_CHECK enum rc log_run(struct station *station, struct err *err);

#endif
