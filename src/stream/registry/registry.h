/*
 * The schema registry: Confluent's REST API; its state is the topic _schemas.
 */
#ifndef STREAM_REGISTRY_REGISTRY_H
#define STREAM_REGISTRY_REGISTRY_H

#include "base/base.h"
#include "net/net.h"

/* Runs until SIGTERM.  The caller has blocked the stop signals and set up the log. */
MUST_CHECK enum rc registry_run(struct station *station, struct err *err);

#endif
