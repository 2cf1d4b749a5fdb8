/*
 * The object store: an S3 server on a directory.
 */
#ifndef LAKE_STORE_STORE_H
#define LAKE_STORE_STORE_H

#include "base/base.h"
#include "net/net.h"

/* Runs until SIGTERM.  The caller has blocked the stop signals and set up the log. */
MUST_CHECK enum rc store_run(struct station *station, struct err *err);

#endif
