/* The cluster's files: made once, configured at every start. Private to this folder. */
#ifndef SOURCE_POSTGRES_CLUSTER_H
#define SOURCE_POSTGRES_CLUSTER_H

#include "source/postgres/postgres.h"

/* Major version in dir/data/PG_VERSION; 0 when there is no cluster yet. */
int cluster_version(const char *dir);
/* Runs initdb and creates the database; a killed attempt leaves nothing that counts. */
MUST_CHECK enum rc cluster_make(const struct station *station, const char *bin, const char *dir, struct err *err);
/* Writes data/haus.conf anew: port, address, replication.  The user's own lines go into postgresql.conf. */
MUST_CHECK enum rc cluster_configure(const struct station *station, const char *dir, struct err *err);
/* Ends a server that an earlier supervisor left behind on this cluster. */
MUST_CHECK enum rc cluster_replace_server(const char *dir, struct err *err);

#endif
