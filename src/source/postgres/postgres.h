/*
 * PostgreSQL, the real server: its cluster is made, configured and started here.
 */
#ifndef SOURCE_POSTGRES_POSTGRES_H
#define SOURCE_POSTGRES_POSTGRES_H

#include <sys/types.h>

#include "base/base.h"
#include "net/net.h"

/* Makes the cluster if there is none, then becomes the postmaster (exec): returns only on failure. */
MUST_CHECK enum rc postgres_run(struct station *station, struct err *err);
/* True when the server with this pid takes connections: cheap enough to ask every few milliseconds. */
bool postgres_is_ready(const struct station *station, pid_t pid);

#endif
