/*
 * A configuration as the connector's flow uses it: texts parsed, patterns compiled, the address
 * resolved.  What only concerns the form of events is read by event_options (event.h).
 */
#ifndef STREAM_CONNECT_POSTGRES_SETTINGS_H
#define STREAM_CONNECT_POSTGRES_SETTINGS_H

#include "stream/connect/plugin.h"
#include "stream/connect/postgres/filter.h"

enum snapshot_mode { SNAPSHOT_INITIAL, SNAPSHOT_ALWAYS, SNAPSHOT_NEVER, SNAPSHOT_INITIAL_ONLY };
enum autocreate_mode { AUTOCREATE_DISABLED, AUTOCREATE_ALL_TABLES, AUTOCREATE_FILTERED };

struct postgres_settings {
    const struct connector_config *config; /* borrowed; texts below point into it */
    const char *user, *password, *dbname;
    char *host; /* owned */
    int port;
    const char *prefix, *slot, *publication;
    enum autocreate_mode autocreate;
    enum snapshot_mode snapshot;
    bool slot_drop_on_stop, flush_lsn, tombstones, transactions, skip_unchanged;
    bool skip_create, skip_update, skip_delete, skip_truncate;
    int status_interval_ms, heartbeat_interval_ms;
    const char *heartbeat_query;
    int slot_retries;
    int64_t slot_retry_ms, snapshot_delay_ms;
    struct name_filter schemas_in, schemas_out, tables_in, tables_out, snapshot_in;
};

MUST_CHECK enum rc settings_of_config(const struct station *station, const struct connector_config *config,
                                      struct postgres_settings *out, struct err *err);
void postgres_settings_free(struct postgres_settings *settings);
/* Whether a table's changes are captured, by the schema and table lists. */
bool settings_captures(const struct postgres_settings *settings, const char *schema, const char *table);

#endif
