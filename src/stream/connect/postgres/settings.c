/* Reads a configuration once; see settings.h. */
#include "stream/connect/postgres/settings.h"

#include <stdlib.h>
#include <string.h>

#include "stream/connect/postgres/option_rows.h"

struct choice {
    const char *name;
    int value;
};

static int choose(const char *value, const struct choice *choices, int fallback)
{
    for (; choices->name; choices++)
        if (str_is_nocase(str_trim(str_of(value)), choices->name))
            return choices->value;
    return fallback;
}

static const struct choice snapshot_modes[] = {
    { "initial", SNAPSHOT_INITIAL },
    { "always", SNAPSHOT_ALWAYS },
    { "never", SNAPSHOT_NEVER },
    { "initial_only", SNAPSHOT_INITIAL_ONLY },
    { NULL, 0 },
};
static const struct choice autocreate_modes[] = {
    { "disabled", AUTOCREATE_DISABLED },
    { "all_tables", AUTOCREATE_ALL_TABLES },
    { "filtered", AUTOCREATE_FILTERED },
    { NULL, 0 },
};

/* "postgres_source" and 5432 are two options, and one address of the compose network. */
static enum rc read_address(const struct station *station, const struct connector_config *config,
                            struct postgres_settings *out, struct err *err)
{
    const char *host = config_text(config, "database.hostname");
    int port = (int)config_int(config, "database.port");
    CLEANUP_FREE char *pair = mem_printf("%s:%d", host, port ? port : 5432);
    char address[ADDRESS_MAX];
    struct str part = { 0 };

    if (station)
        station_resolve(station, str_of(pair), address);
    if (!station || strlen(pair) >= ADDRESS_MAX) {
        out->host = mem_strdup(host);
        out->port = port ? port : 5432;
        return RC_OK;
    }
    enum rc rc = address_split(str_of(address), &part, &out->port, err);
    if (!rc)
        out->host = str_dup(part);
    return rc;
}

static void read_skipped(const char *value, struct postgres_settings *out)
{
    struct str rest = str_of(value), item = { 0 };

    while (config_list_next(&rest, &item)) {
        out->skip_create |= str_is(item, "c");
        out->skip_update |= str_is(item, "u");
        out->skip_delete |= str_is(item, "d");
        out->skip_truncate |= str_is(item, "t");
    }
}

static enum rc read_filters(struct postgres_settings *out, struct err *err)
{
    const struct {
        const char *option;
        struct name_filter *filter;
    } lists[] = {
        { "schema.include.list", &out->schemas_in },
        { "schema.exclude.list", &out->schemas_out },
        { "table.include.list", &out->tables_in },
        { "table.exclude.list", &out->tables_out },
        { "snapshot.include.collection.list", &out->snapshot_in },
    };

    for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
        enum rc rc = name_filter_compile(lists[i].filter, config_text(out->config, lists[i].option), err);
        if (rc)
            return err_wrap(err, "cannot read '%s'", lists[i].option);
    }
    return RC_OK;
}

enum rc settings_of_config(const struct station *station, const struct connector_config *config,
                           struct postgres_settings *out, struct err *err)
{
    enum rc rc = postgres_options_check(config, err);

    if (rc)
        return rc;
    *out = (struct postgres_settings){
        .config = config,
        .user = config_text(config, "database.user"),
        .password = config_text(config, "database.password"),
        .dbname = config_text(config, "database.dbname"),
        .prefix = config_text(config, "topic.prefix"),
        .slot = config_text(config, "slot.name"),
        .publication = config_text(config, "publication.name"),
        .autocreate = (enum autocreate_mode)choose(config_text(config, "publication.autocreate.mode"), autocreate_modes,
                                                   AUTOCREATE_ALL_TABLES),
        .snapshot = (enum snapshot_mode)choose(config_text(config, "snapshot.mode"), snapshot_modes, -1),
        .slot_drop_on_stop = config_bool(config, "slot.drop.on.stop"),
        .flush_lsn = config_bool(config, "flush.lsn.source"),
        .tombstones = config_bool(config, "tombstones.on.delete"),
        .transactions = config_bool(config, "provide.transaction.metadata"),
        .skip_unchanged = config_bool(config, "skip.messages.without.change"),
        .status_interval_ms = (int)MIN(config_int(config, "status.update.interval.ms"), INT32_MAX),
        .heartbeat_interval_ms = (int)MIN(config_int(config, "heartbeat.interval.ms"), INT32_MAX),
        .heartbeat_query = config_text(config, "heartbeat.action.query"),
        .slot_retries = (int)config_int(config, "slot.max.retries"),
        .slot_retry_ms = config_int(config, "slot.retry.delay.ms"),
        .snapshot_delay_ms = config_int(config, "snapshot.delay.ms"),
    };
    if (!str_is_nocase(str_of(config_text(config, "plugin.name")), "pgoutput"))
        return err_set(err, RC_BAD_INPUT, "'plugin.name' is '%s', which is not supported; set it to 'pgoutput'",
                       config_text(config, "plugin.name"));
    if ((int)out->snapshot < 0)
        return err_set(err, RC_BAD_INPUT,
                       "'snapshot.mode' is '%s', which is not supported; use initial, always, never or initial_only",
                       config_text(config, "snapshot.mode"));
    read_skipped(config_text(config, "skipped.operations"), out);
    rc = read_filters(out, err);
    return rc ? rc : read_address(station, config, out, err);
}

void postgres_settings_free(struct postgres_settings *settings)
{
    name_filter_free(&settings->schemas_in);
    name_filter_free(&settings->schemas_out);
    name_filter_free(&settings->tables_in);
    name_filter_free(&settings->tables_out);
    name_filter_free(&settings->snapshot_in);
    free(settings->host);
    *settings = (struct postgres_settings){ 0 };
}

static bool is_system(const char *schema, const char *table)
{
    return strcmp(schema, "pg_catalog") == 0 || strcmp(schema, "information_schema") == 0 ||
           strncmp(schema, "pg_temp", 7) == 0 || strncmp(schema, "pg_toast", 8) == 0 ||
           str_is_nocase(str_of(table), "spatial_ref_sys");
}

bool settings_captures(const struct postgres_settings *settings, const char *schema, const char *table)
{
    CLEANUP_FREE char *id = mem_printf("%s.%s", schema, table);

    if (is_system(schema, table))
        return false;
    if (settings->schemas_in.count && name_filter_find(&settings->schemas_in, str_of(schema)) < 0)
        return false;
    if (name_filter_find(&settings->schemas_out, str_of(schema)) >= 0)
        return false;
    if (settings->tables_in.count && name_filter_find(&settings->tables_in, str_of(id)) < 0)
        return false;
    return name_filter_find(&settings->tables_out, str_of(id)) < 0;
}
