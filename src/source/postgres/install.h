/* Which PostgreSQL of the system to use, and as which user. Private to this folder. */
#ifndef SOURCE_POSTGRES_INSTALL_H
#define SOURCE_POSTGRES_INSTALL_H

#include "source/postgres/postgres.h"

enum { POSTGRES_OLDEST = 15, POSTGRES_NEWEST = 18 };

/* The folder that holds initdb and postgres: HAUS_PG_BIN, or the newest Debian one.  version > 0 asks for
 * exactly that one (a cluster exists).  *bin is the caller's. */
MUST_CHECK enum rc install_find(const struct settings *settings, int version, char **bin, struct err *err);
/* The server refuses to run as root: gives dir to user postgres and becomes that user, with dir reachable.
 * Where a folder above dir is closed to it, dir is shown to it elsewhere by a private mount; *seen_as (the
 * caller's) is the path under which this process sees dir from now on.  Does nothing when not root. */
MUST_CHECK enum rc install_drop_root(const char *home, const char *dir, char **seen_as, struct err *err);

#endif
