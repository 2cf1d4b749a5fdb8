/*
 * The seeder: fills the storefront with rows, by HTTP.
 */
#ifndef SOURCE_SEEDER_SEEDER_H
#define SOURCE_SEEDER_SEEDER_H

#include "base/base.h"
#include "net/net.h"

/* Runs until SIGTERM.  The caller has blocked the stop signals and set up the log. */
MUST_CHECK enum rc seeder_run(struct station *station, struct err *err);

#endif
