/*
 * The console: one page that shows the row on its way.
 */
#ifndef FACE_CONSOLE_CONSOLE_H
#define FACE_CONSOLE_CONSOLE_H

#include "base/base.h"
#include "net/net.h"

/* Runs until SIGTERM.  The caller has blocked the stop signals and set up the log. */
MUST_CHECK enum rc console_run(struct station *station, struct err *err);

#endif
