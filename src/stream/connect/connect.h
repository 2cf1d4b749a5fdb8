/*
 * Kafka Connect's REST API and a runtime for the native connectors.
 */
#ifndef STREAM_CONNECT_CONNECT_H
#define STREAM_CONNECT_CONNECT_H

#include "base/base.h"
#include "net/net.h"

/* Runs until SIGTERM.  The caller has blocked the stop signals and set up the log. */
MUST_CHECK enum rc connect_run(struct station *station, struct err *err);

#endif
