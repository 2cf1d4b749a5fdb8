/*
 * The connector's options as rows, in the order in which Debezium 2.5.4 lists them, and the checks
 * of single values in its words.  What the values mean is read in settings.c.
 */
#include "stream/connect/postgres/option_rows.h"

#include <ctype.h>
#include <string.h>

#include "stream/connect/postgres/filter.h"

typedef bool option_check(const struct connector_config *config, const char *value, struct buf *why);

static bool one_of(const char *value, const char *list, struct buf *why)
{
    struct str rest = str_of(list), item = { 0 };

    while (config_list_next(&rest, &item))
        if (str_is_nocase(item, value))
            return true;
    buf_printf(why, "Value must be one of %s", list);
    return false;
}

#define ONE_OF(name, list)                                                                                             \
    static bool check_one_of_##name(const struct connector_config *config, const char *value, struct buf *why)         \
    {                                                                                                                  \
        (void)config;                                                                                                  \
        return one_of(value, list, why);                                                                               \
    }

ONE_OF(plugins, "decoderbufs, pgoutput")
ONE_OF(autocreate, "filtered, disabled, all_tables")
ONE_OF(sslmode, "allow, prefer, disable, verify-ca, require, verify-full")
ONE_OF(snapshot, "always, never, initial_only, initial, custom")
ONE_OF(decimal, "string, double, precise")
ONE_OF(time, "adaptive, adaptive_time_microseconds, connect")
ONE_OF(interval, "string, numeric")
ONE_OF(hstore, "json, map")
ONE_OF(binary, "bytes, base64, hex, base64-url-safe")
ONE_OF(adjustment, "none, avro_unicode, avro")
ONE_OF(failure, "warn, fail, ignore, skip")
ONE_OF(converting, "warn, fail, skip")
ONE_OF(watermark, "insert_delete, insert_insert")
ONE_OF(refresh, "columns_diff, columns_diff_exclude_unchanged_toast")
ONE_OF(order, "disabled, ascending, descending")

static bool at_least(const char *value, int64_t min, const char *words, struct buf *why)
{
    int64_t number = 0;

    if (str_to_i64(str_trim(str_of(value)), min, INT64_MAX, &number))
        return true;
    buf_puts(why, words);
    return false;
}

#define AT_LEAST(name, min, words)                                                                                     \
    static bool check_##name(const struct connector_config *config, const char *value, struct buf *why)                \
    {                                                                                                                  \
        (void)config;                                                                                                  \
        return at_least(value, min, words, why);                                                                       \
    }

AT_LEAST(positive_int, 1, "A positive, non-zero integer value is expected")
AT_LEAST(positive_long, 1, "A positive, non-zero long value is expected")
AT_LEAST(non_negative_int, 0, "An non-negative integer is expected")
AT_LEAST(non_negative_long, 0, "A non-negative long value is expected")

static bool check_port(const struct connector_config *config, const char *value, struct buf *why)
{
    int64_t port = 0;

    (void)config;
    if (str_to_i64(str_trim(str_of(value)), 1, 65535, &port))
        return true;
    buf_puts(why, "A port from 1 to 65535 is expected");
    return false;
}

static bool check_queue_size(const struct connector_config *config, const char *value, struct buf *why)
{
    int64_t size = 0;

    if (!at_least(value, 1, "A positive queue size is required", why))
        return false;
    if (str_to_i64(str_of(value), 1, INT64_MAX, &size) && size > config_int(config, "max.batch.size"))
        return true;
    buf_puts(why, "Must be larger than the maximum batch size");
    return false;
}

static bool check_slot_name(const struct connector_config *config, const char *value, struct buf *why)
{
    size_t len = strlen(value);

    (void)config;
    if (len >= 1 && len <= 63 && strspn(value, "abcdefghijklmnopqrstuvwxyz0123456789_") == len)
        return true;
    buf_puts(why, "Valid replication slot name must contain only digits, lowercase characters and underscores with "
                  "length <= 63");
    return false;
}

static bool check_topic_prefix(const struct connector_config *config, const char *value, struct buf *why)
{
    bool fine = *value != '\0';

    (void)config;
    for (const char *c = value; *c && fine; c++)
        fine = (isalnum((unsigned char)*c) && (unsigned char)*c < 0x80) || strchr("._-", *c);
    if (!fine)
        buf_printf(why,
                   "%s has invalid format (only the underscore, hyphen, dot and alphanumeric characters are "
                   "allowed)",
                   value);
    return fine;
}

static bool check_operations(const struct connector_config *config, const char *value, struct buf *why)
{
    struct str rest = str_of(value), item = { 0 };
    bool none = false, others = false;

    (void)config;
    while (config_list_next(&rest, &item)) {
        if (str_is(item, "none"))
            none = true;
        else if (item.len == 1 && strchr("cudt", item.p[0]))
            others = true;
        else
            return buf_puts(why, "Invalid operation"), false;
    }
    if (none && others)
        buf_puts(why, "'none' cannot be specified with other skipped operation types");
    return !none || !others;
}

static bool check_patterns(const struct connector_config *config, const char *value, struct buf *why)
{
    CLEANUP(name_filter_free) struct name_filter filter = { 0 };
    struct err err = { 0 };

    (void)config;
    if (name_filter_compile(&filter, value, &err) == RC_OK)
        return true;
    buf_printf(why, "A comma-separated list of valid regular expressions is expected, but %s", err.text);
    return false;
}

static bool check_each(const char *value, char separator, const char *pattern, struct buf *why)
{
    CLEANUP(name_filter_free) struct name_filter filter = { 0 };
    struct str rest = str_of(value), item = { 0 };
    struct err err = { 0 };

    if (name_filter_compile_one(&filter, pattern, &err))
        return buf_puts(why, err.text), false;
    while (str_cut(&rest, separator, &item)) {
        if (str_trim(item).len == 0 || name_filter_find(&filter, item) >= 0)
            continue;
        buf_printf(why, "%.*s has an invalid format (expecting '%s')", STR_ARG(item), pattern);
        return false;
    }
    return true;
}

static bool check_key_columns(const struct connector_config *config, const char *value, struct buf *why)
{
    (void)config;
    return check_each(value, ';', "^\\s*([^\\s:]+):([^:\\s]+)\\s*$", why);
}

static bool check_identities(const struct connector_config *config, const char *value, struct buf *why)
{
    (void)config;
    return check_each(value, ',',
                      "(?i)^\\s*(?<tablepredicate>[^\\s:]+):(?<replicaidentity>DEFAULT|(INDEX) "
                      "(?<indexname>.\\w*)|FULL|NOTHING)\\s*$",
                      why);
}

#define INVALID(words) "The '%s' value is invalid: " words

const struct option postgres_options[POSTGRES_OPTION_COUNT] = {
    { .name = "topic.prefix",
      .type = OPTION_STRING,
      .fallback = NULL,
      .importance = IMPORTANCE_HIGH,
      .group = "Postgres",
      .width = WIDTH_MEDIUM,
      .display_name = "Topic prefix",
      .documentation = "First part of the names of all topics, and the name under which positions are stored.",
      .check = check_topic_prefix },
    { .name = "database.hostname",
      .type = OPTION_STRING,
      .fallback = NULL,
      .importance = IMPORTANCE_HIGH,
      .group = "Postgres",
      .width = WIDTH_MEDIUM,
      .display_name = "Hostname",
      .documentation = "Address of the PostgreSQL server.",
      .check = NULL },
    { .name = "database.port",
      .type = OPTION_INT,
      .fallback = "5432",
      .importance = IMPORTANCE_HIGH,
      .group = "Postgres",
      .width = WIDTH_SHORT,
      .display_name = "Port",
      .documentation = "Port of the PostgreSQL server.",
      .check = check_port },
    { .name = "database.user",
      .type = OPTION_STRING,
      .fallback = NULL,
      .importance = IMPORTANCE_HIGH,
      .group = "Postgres",
      .width = WIDTH_SHORT,
      .display_name = "User",
      .documentation = "User for connecting; needs REPLICATION and SELECT.",
      .check = NULL },
    { .name = "database.password",
      .type = OPTION_PASSWORD,
      .fallback = NULL,
      .importance = IMPORTANCE_HIGH,
      .group = "Postgres",
      .width = WIDTH_SHORT,
      .display_name = "Password",
      .documentation = "Password of that user.",
      .check = NULL },
    { .name = "database.dbname",
      .type = OPTION_STRING,
      .fallback = NULL,
      .importance = IMPORTANCE_HIGH,
      .group = "Postgres",
      .width = WIDTH_MEDIUM,
      .display_name = "Database",
      .documentation = "Database whose changes are captured.",
      .check = NULL },
    { .name = "plugin.name",
      .type = OPTION_STRING,
      .fallback = "decoderbufs",
      .importance = IMPORTANCE_MEDIUM,
      .group = "Postgres",
      .width = WIDTH_MEDIUM,
      .display_name = "Plugin",
      .documentation = "Output plugin of the server; pgoutput is the one supported.",
      .check = check_one_of_plugins },
    { .name = "slot.name",
      .type = OPTION_STRING,
      .fallback = "debezium",
      .importance = IMPORTANCE_MEDIUM,
      .group = "Postgres",
      .width = WIDTH_MEDIUM,
      .display_name = "Slot",
      .documentation = "Name of the logical replication slot; made when missing.",
      .check = check_slot_name },
    { .name = "publication.name",
      .type = OPTION_STRING,
      .fallback = "dbz_publication",
      .importance = IMPORTANCE_MEDIUM,
      .group = "Postgres",
      .width = WIDTH_MEDIUM,
      .display_name = "Publication",
      .documentation = "Name of the publication that pgoutput reads.",
      .check = NULL },
    { .name = "publication.autocreate.mode",
      .type = OPTION_STRING,
      .fallback = "all_tables",
      .importance = IMPORTANCE_MEDIUM,
      .group = "Postgres",
      .width = WIDTH_MEDIUM,
      .display_name = "Publication Auto Create Mode",
      .documentation = "What to do about the publication: disabled (it must exist), all_tables (made for all tables "
                       "when missing), filtered (made for, or set to, the captured tables).",
      .check = check_one_of_autocreate },
    { .name = "replica.identity.autoset.values",
      .type = OPTION_STRING,
      .fallback = NULL,
      .importance = IMPORTANCE_MEDIUM,
      .group = "Postgres",
      .width = WIDTH_LONG,
      .display_name = "Replica Identity Auto Set Values",
      .documentation = "List of table pattern:identity pairs (DEFAULT, FULL, NOTHING, INDEX name) that are set on the "
                       "tables at the start.",
      .check = check_identities },
    { .name = "slot.drop.on.stop",
      .type = OPTION_BOOLEAN,
      .fallback = "false",
      .importance = IMPORTANCE_MEDIUM,
      .group = "Postgres",
      .width = WIDTH_NONE,
      .display_name = "Drop slot on stop",
      .documentation =
          "Whether the slot is dropped when the connector stops; changes until the next start are then lost.",
      .check = NULL },
    { .name = "slot.stream.params",
      .type = OPTION_STRING,
      .fallback = NULL,
      .importance = IMPORTANCE_LOW,
      .group = "Postgres",
      .width = WIDTH_LONG,
      .display_name = "Optional parameters to pass to the logical decoder when the stream is started.",
      .documentation = "Further options for the output plugin: name=value;name=value.",
      .check = NULL },
    { .name = "database.initial.statements",
      .type = OPTION_STRING,
      .fallback = NULL,
      .importance = IMPORTANCE_LOW,
      .group = "Postgres",
      .width = WIDTH_LONG,
      .display_name = "Initial statements",
      .documentation = "SQL statements, separated by semicolons, run on each new connection.",
      .check = NULL },
    { .name = "database.sslmode",
      .type = OPTION_STRING,
      .fallback = "prefer",
      .importance = IMPORTANCE_MEDIUM,
      .group = "Postgres",
      .width = WIDTH_MEDIUM,
      .display_name = "SSL mode",
      .documentation = "Whether and how TLS is used: disable, allow, prefer, require, verify-ca, verify-full.",
      .check = check_one_of_sslmode },
    { .name = "database.sslcert",
      .type = OPTION_STRING,
      .fallback = NULL,
      .importance = IMPORTANCE_MEDIUM,
      .group = "Postgres",
      .width = WIDTH_LONG,
      .display_name = "SSL Client Certificate",
      .documentation = "File with the client's certificate.",
      .check = NULL },
    { .name = "database.sslpassword",
      .type = OPTION_PASSWORD,
      .fallback = NULL,
      .importance = IMPORTANCE_MEDIUM,
      .group = "Postgres",
      .width = WIDTH_MEDIUM,
      .display_name = "SSL Client Key Password",
      .documentation = "Password of the client's key.",
      .check = NULL },
    { .name = "database.sslrootcert",
      .type = OPTION_STRING,
      .fallback = NULL,
      .importance = IMPORTANCE_MEDIUM,
      .group = "Postgres",
      .width = WIDTH_LONG,
      .display_name = "SSL Root Certificate",
      .documentation = "File with the root certificates to check the server against.",
      .check = NULL },
    { .name = "database.sslkey",
      .type = OPTION_STRING,
      .fallback = NULL,
      .importance = IMPORTANCE_MEDIUM,
      .group = "Postgres",
      .width = WIDTH_LONG,
      .display_name = "SSL Client Key",
      .documentation = "File with the client's key.",
      .check = NULL },
    { .name = "slot.max.retries",
      .type = OPTION_INT,
      .fallback = "6",
      .importance = IMPORTANCE_LOW,
      .group = "Postgres",
      .width = WIDTH_NONE,
      .display_name = "Retry count",
      .documentation = "How often an attempt to use a slot that is in use is repeated.",
      .check = NULL },
    { .name = "slot.retry.delay.ms",
      .type = OPTION_LONG,
      .fallback = "10000",
      .importance = IMPORTANCE_LOW,
      .group = "Postgres",
      .width = WIDTH_NONE,
      .display_name = "Retry delay",
      .documentation = "Pause between these attempts.",
      .check = NULL },
    { .name = "database.sslfactory",
      .type = OPTION_STRING,
      .fallback = NULL,
      .importance = IMPORTANCE_MEDIUM,
      .group = "Postgres",
      .width = WIDTH_LONG,
      .display_name = "SSL Root Certificate",
      .documentation = "Java class of TLS sockets; accepted and not used.",
      .check = NULL },
    { .name = "status.update.interval.ms",
      .type = OPTION_INT,
      .fallback = "10000",
      .importance = IMPORTANCE_MEDIUM,
      .group = "Postgres",
      .width = WIDTH_SHORT,
      .display_name = "Status update interval (ms)",
      .documentation = "How often the server is told how far we are.",
      .check = check_positive_int },
    { .name = "database.tcpKeepAlive",
      .type = OPTION_BOOLEAN,
      .fallback = "true",
      .importance = IMPORTANCE_MEDIUM,
      .group = "Postgres",
      .width = WIDTH_SHORT,
      .display_name = "TCP keep-alive probe",
      .documentation = "Whether TCP keep-alive is used.",
      .check = NULL },
    { .name = "xmin.fetch.interval.ms",
      .type = OPTION_LONG,
      .fallback = "0",
      .importance = IMPORTANCE_MEDIUM,
      .group = "Postgres",
      .width = WIDTH_SHORT,
      .display_name = "Xmin fetch interval (ms)",
      .documentation = "How often the xmin of the slot is read; 0: never.",
      .check = check_non_negative_long },
    { .name = "skipped.operations",
      .type = OPTION_LIST,
      .fallback = "t",
      .importance = IMPORTANCE_LOW,
      .group = "Postgres",
      .width = WIDTH_SHORT,
      .display_name = "Skipped Operations",
      .documentation = "Operations left out: c, u, d, t, or none.",
      .check = check_operations },
    { .name = "flush.lsn.source",
      .type = OPTION_BOOLEAN,
      .fallback = "true",
      .importance = IMPORTANCE_LOW,
      .group = "Postgres",
      .width = WIDTH_SHORT,
      .display_name = "Boolean to determine if Debezium should flush LSN in the source database",
      .documentation = "Whether positions are confirmed to the server, so that it may drop its log.",
      .check = NULL },
    { .name = "event.processing.failure.handling.mode",
      .type = OPTION_STRING,
      .fallback = "fail",
      .importance = IMPORTANCE_MEDIUM,
      .group = "Connector",
      .width = WIDTH_SHORT,
      .display_name = "Event deserialization failure handling",
      .documentation = "What to do when an event cannot be processed: fail, warn, skip.",
      .check = check_one_of_failure },
    { .name = "max.batch.size",
      .type = OPTION_INT,
      .fallback = "2048",
      .importance = IMPORTANCE_MEDIUM,
      .group = "Connector",
      .width = WIDTH_SHORT,
      .display_name = "Change event batch size",
      .documentation = "Largest batch; kept for compatibility.",
      .check = check_positive_int },
    { .name = "max.queue.size",
      .type = OPTION_INT,
      .fallback = "8192",
      .importance = IMPORTANCE_MEDIUM,
      .group = "Connector",
      .width = WIDTH_SHORT,
      .display_name = "Change event buffer size",
      .documentation = "Largest queue; kept for compatibility.",
      .check = check_queue_size },
    { .name = "poll.interval.ms",
      .type = OPTION_LONG,
      .fallback = "500",
      .importance = IMPORTANCE_MEDIUM,
      .group = "Connector",
      .width = WIDTH_SHORT,
      .display_name = "Poll interval (ms)",
      .documentation = "Kept for compatibility: changes are sent as they come.",
      .check = check_positive_int },
    { .name = "max.queue.size.in.bytes",
      .type = OPTION_LONG,
      .fallback = "0",
      .importance = IMPORTANCE_MEDIUM,
      .group = "Connector",
      .width = WIDTH_LONG,
      .display_name = "Change event buffer size in bytes",
      .documentation = "Kept for compatibility.",
      .check = check_non_negative_long },
    { .name = "provide.transaction.metadata",
      .type = OPTION_BOOLEAN,
      .fallback = "false",
      .importance = IMPORTANCE_LOW,
      .group = "Connector",
      .width = WIDTH_SHORT,
      .display_name = "Store transaction metadata information in a dedicated topic.",
      .documentation = "Whether BEGIN and END records and transaction blocks are sent.",
      .check = NULL },
    { .name = "snapshot.delay.ms",
      .type = OPTION_LONG,
      .fallback = "0",
      .importance = IMPORTANCE_LOW,
      .group = "Connector",
      .width = WIDTH_MEDIUM,
      .display_name = "Snapshot Delay (milliseconds)",
      .documentation = "Pause before the initial snapshot.",
      .check = check_non_negative_long },
    { .name = "snapshot.include.collection.list",
      .type = OPTION_LIST,
      .fallback = NULL,
      .importance = IMPORTANCE_MEDIUM,
      .group = "Connector",
      .width = WIDTH_LONG,
      .display_name = "Snapshot mode include data collection",
      .documentation = "Patterns of the captured tables that the snapshot reads; all when empty.",
      .check = check_patterns },
    { .name = "snapshot.fetch.size",
      .type = OPTION_INT,
      .fallback = NULL,
      .importance = IMPORTANCE_MEDIUM,
      .group = "Connector",
      .width = WIDTH_MEDIUM,
      .display_name = "Snapshot fetch size",
      .documentation = "Kept for compatibility: the snapshot is read by COPY.",
      .check = check_non_negative_int },
    { .name = "snapshot.max.threads",
      .type = OPTION_INT,
      .fallback = "1",
      .importance = IMPORTANCE_MEDIUM,
      .group = "Connector",
      .width = WIDTH_SHORT,
      .display_name = "Snapshot maximum threads",
      .documentation = "Tables read at the same time; one for now.",
      .check = check_positive_int },
    { .name = "retriable.restart.connector.wait.ms",
      .type = OPTION_LONG,
      .fallback = "10000",
      .importance = IMPORTANCE_LOW,
      .group = "Connector",
      .width = WIDTH_MEDIUM,
      .display_name = "Retriable restart wait (ms)",
      .documentation = "Pause before a restart after a passing failure.",
      .check = check_positive_long },
    { .name = "query.fetch.size",
      .type = OPTION_INT,
      .fallback = "0",
      .importance = IMPORTANCE_MEDIUM,
      .group = "Connector",
      .width = WIDTH_MEDIUM,
      .display_name = "Query fetch size",
      .documentation = "Kept for compatibility.",
      .check = check_non_negative_int },
    { .name = "errors.max.retries",
      .type = OPTION_INT,
      .fallback = "-1",
      .importance = IMPORTANCE_LOW,
      .group = "Connector",
      .width = WIDTH_MEDIUM,
      .display_name = "The maximum number of retries",
      .documentation = "How often a passing failure is retried; -1: for ever.",
      .check = NULL },
    { .name = "incremental.snapshot.watermarking.strategy",
      .type = OPTION_STRING,
      .fallback = "INSERT_INSERT",
      .importance = IMPORTANCE_LOW,
      .group = "Connector",
      .width = WIDTH_MEDIUM,
      .display_name = "Incremental snapshot watermarking strategy",
      .documentation = "Not supported yet.",
      .check = check_one_of_watermark },
    { .name = "decimal.handling.mode",
      .type = OPTION_STRING,
      .fallback = "precise",
      .importance = IMPORTANCE_MEDIUM,
      .group = "Connector",
      .width = WIDTH_SHORT,
      .display_name = "Decimal Handling",
      .documentation = "How numeric and money values are shown: precise, double, string.",
      .check = check_one_of_decimal },
    { .name = "time.precision.mode",
      .type = OPTION_STRING,
      .fallback = "adaptive",
      .importance = IMPORTANCE_MEDIUM,
      .group = "Connector",
      .width = WIDTH_SHORT,
      .display_name = "Time Precision",
      .documentation = "How dates and times are shown: adaptive, adaptive_time_microseconds, connect.",
      .check = check_one_of_time },
    { .name = "snapshot.lock.timeout.ms",
      .type = OPTION_LONG,
      .fallback = "10000",
      .importance = IMPORTANCE_MEDIUM,
      .group = "Connector",
      .width = WIDTH_LONG,
      .display_name = "Snapshot lock timeout (ms)",
      .documentation = "Kept for compatibility: the snapshot takes no locks.",
      .check = NULL },
    { .name = "snapshot.mode",
      .type = OPTION_STRING,
      .fallback = "initial",
      .importance = IMPORTANCE_MEDIUM,
      .group = "Connector",
      .width = WIDTH_SHORT,
      .display_name = "Snapshot mode",
      .documentation = "When the tables are read as a whole: initial, always, never, initial_only.",
      .check = check_one_of_snapshot },
    { .name = "snapshot.custom.class",
      .type = OPTION_STRING,
      .fallback = NULL,
      .importance = IMPORTANCE_MEDIUM,
      .group = "Connector",
      .width = WIDTH_MEDIUM,
      .display_name = "Snapshot Mode Custom Class",
      .documentation = "Java class of a snapshotter; not supported.",
      .check = NULL },
    { .name = "hstore.handling.mode",
      .type = OPTION_STRING,
      .fallback = "json",
      .importance = IMPORTANCE_LOW,
      .group = "Connector",
      .width = WIDTH_MEDIUM,
      .display_name = "HStore Handling",
      .documentation = "How hstore values are shown: json, map.",
      .check = check_one_of_hstore },
    { .name = "binary.handling.mode",
      .type = OPTION_STRING,
      .fallback = "bytes",
      .importance = IMPORTANCE_LOW,
      .group = "Connector",
      .width = WIDTH_MEDIUM,
      .display_name = "Binary Handling",
      .documentation = "How bytea values are shown: bytes, base64, base64-url-safe, hex.",
      .check = check_one_of_binary },
    { .name = "schema.name.adjustment.mode",
      .type = OPTION_STRING,
      .fallback = "none",
      .importance = IMPORTANCE_LOW,
      .group = "Connector",
      .width = WIDTH_MEDIUM,
      .display_name = "Schema Name Adjustment",
      .documentation = "How schema names are made to fit the converter: none, avro, avro_unicode.",
      .check = check_one_of_adjustment },
    { .name = "interval.handling.mode",
      .type = OPTION_STRING,
      .fallback = "numeric",
      .importance = IMPORTANCE_LOW,
      .group = "Connector",
      .width = WIDTH_MEDIUM,
      .display_name = "Interval Handling",
      .documentation = "How intervals are shown: numeric, string.",
      .check = check_one_of_interval },
    { .name = "schema.refresh.mode",
      .type = OPTION_STRING,
      .fallback = "columns_diff",
      .importance = IMPORTANCE_MEDIUM,
      .group = "Connector",
      .width = WIDTH_SHORT,
      .display_name = "Schema refresh mode",
      .documentation = "No effect with pgoutput.",
      .check = check_one_of_refresh },
    { .name = "incremental.snapshot.chunk.size",
      .type = OPTION_INT,
      .fallback = "1024",
      .importance = IMPORTANCE_MEDIUM,
      .group = "Connector",
      .width = WIDTH_MEDIUM,
      .display_name = "Incremental snapshot chunk size",
      .documentation = "Not supported yet.",
      .check = NULL },
    { .name = "unavailable.value.placeholder",
      .type = OPTION_STRING,
      .fallback = "__debezium_unavailable_value",
      .importance = IMPORTANCE_MEDIUM,
      .group = "Connector",
      .width = WIDTH_MEDIUM,
      .display_name = "Unavailable value placeholder",
      .documentation = "What stands for a toasted value that did not change; hex:… for bytes.",
      .check = NULL },
    { .name = "message.prefix.include.list",
      .type = OPTION_LIST,
      .fallback = NULL,
      .importance = IMPORTANCE_MEDIUM,
      .group = "Connector",
      .width = WIDTH_LONG,
      .display_name = "Include Logical Decoding Message Prefixes",
      .documentation = "Prefixes of logical messages to capture; not supported yet.",
      .check = check_patterns },
    { .name = "message.prefix.exclude.list",
      .type = OPTION_LIST,
      .fallback = NULL,
      .importance = IMPORTANCE_MEDIUM,
      .group = "Connector",
      .width = WIDTH_LONG,
      .display_name = "Exclude Logical Decoding Message Prefixes",
      .documentation = "Prefixes of logical messages to leave out; not supported yet.",
      .check = check_patterns },
    { .name = "converters",
      .type = OPTION_STRING,
      .fallback = NULL,
      .importance = IMPORTANCE_LOW,
      .group = "Events",
      .width = WIDTH_MEDIUM,
      .display_name = "List of prefixes defining custom values converters.",
      .documentation = "Java classes of converters; not supported.",
      .check = NULL },
    { .name = "post.processors",
      .type = OPTION_STRING,
      .fallback = NULL,
      .importance = IMPORTANCE_LOW,
      .group = "Events",
      .width = WIDTH_MEDIUM,
      .display_name = "List of change event post processors.",
      .documentation = "Java classes of post processors; not supported.",
      .check = NULL },
    { .name = "tombstones.on.delete",
      .type = OPTION_BOOLEAN,
      .fallback = "true",
      .importance = IMPORTANCE_MEDIUM,
      .group = "Events",
      .width = WIDTH_SHORT,
      .display_name = "Change the behaviour of Debezium with regards to delete operations",
      .documentation = "Whether a delete is followed by a record without value.",
      .check = NULL },
    { .name = "heartbeat.interval.ms",
      .type = OPTION_INT,
      .fallback = "0",
      .importance = IMPORTANCE_MEDIUM,
      .group = "Events",
      .width = WIDTH_MEDIUM,
      .display_name = "Connector heartbeat interval (milli-seconds)",
      .documentation = "How often a heartbeat record is sent; 0: never.",
      .check = check_non_negative_int },
    { .name = "heartbeat.topics.prefix",
      .type = OPTION_STRING,
      .fallback = "__debezium-heartbeat",
      .importance = IMPORTANCE_LOW,
      .group = "Events",
      .width = WIDTH_MEDIUM,
      .display_name = "A prefix used for naming of heartbeat topics",
      .documentation = "First part of the heartbeat topic's name.",
      .check = NULL },
    { .name = "signal.data.collection",
      .type = OPTION_STRING,
      .fallback = NULL,
      .importance = IMPORTANCE_MEDIUM,
      .group = "Events",
      .width = WIDTH_MEDIUM,
      .display_name = "Signaling data collection",
      .documentation = "Table of signals; not supported yet.",
      .check = NULL },
    { .name = "signal.poll.interval.ms",
      .type = OPTION_LONG,
      .fallback = "5000",
      .importance = IMPORTANCE_MEDIUM,
      .group = "Events",
      .width = WIDTH_SHORT,
      .display_name = "Signal processor poll interval",
      .documentation = "Not supported yet.",
      .check = check_positive_int },
    { .name = "signal.enabled.channels",
      .type = OPTION_LIST,
      .fallback = "source",
      .importance = IMPORTANCE_MEDIUM,
      .group = "Events",
      .width = WIDTH_LONG,
      .display_name = "Enabled channels names",
      .documentation = "Not supported yet.",
      .check = NULL },
    { .name = "topic.naming.strategy",
      .type = OPTION_CLASS,
      .fallback = "io.debezium.schema.SchemaTopicNamingStrategy",
      .importance = IMPORTANCE_MEDIUM,
      .group = "Events",
      .width = WIDTH_MEDIUM,
      .display_name = "Topic naming strategy class",
      .documentation = "Java class that names topics; the default's names are used.",
      .check = NULL },
    { .name = "notification.enabled.channels",
      .type = OPTION_LIST,
      .fallback = NULL,
      .importance = IMPORTANCE_MEDIUM,
      .group = "Events",
      .width = WIDTH_LONG,
      .display_name = "Enabled notification channels names",
      .documentation = "Not supported yet.",
      .check = NULL },
    { .name = "notification.sink.topic.name",
      .type = OPTION_STRING,
      .fallback = NULL,
      .importance = IMPORTANCE_HIGH,
      .group = "Events",
      .width = WIDTH_LONG,
      .display_name = "Notification topic name",
      .documentation = "Not supported yet.",
      .check = NULL },
    { .name = "custom.metric.tags",
      .type = OPTION_LIST,
      .fallback = NULL,
      .importance = IMPORTANCE_LOW,
      .group = "Events",
      .width = WIDTH_MEDIUM,
      .display_name = "Customize metric tags",
      .documentation = "Not supported yet.",
      .check = NULL },
    { .name = "column.include.list",
      .type = OPTION_LIST,
      .fallback = NULL,
      .importance = IMPORTANCE_MEDIUM,
      .group = "Events",
      .width = WIDTH_LONG,
      .display_name = "Include Columns",
      .documentation = "Patterns of schema.table.column to show; all when empty.",
      .check = check_patterns },
    { .name = "column.exclude.list",
      .type = OPTION_LIST,
      .fallback = NULL,
      .importance = IMPORTANCE_MEDIUM,
      .group = "Events",
      .width = WIDTH_LONG,
      .display_name = "Exclude Columns",
      .documentation = "Patterns of schema.table.column to leave out.",
      .check = check_patterns },
    { .name = "table.include.list",
      .type = OPTION_LIST,
      .fallback = NULL,
      .importance = IMPORTANCE_HIGH,
      .group = "Events",
      .width = WIDTH_LONG,
      .display_name = "Include Tables",
      .documentation = "Patterns of schema.table to capture; all when empty.",
      .check = check_patterns },
    { .name = "table.exclude.list",
      .type = OPTION_LIST,
      .fallback = NULL,
      .importance = IMPORTANCE_MEDIUM,
      .group = "Events",
      .width = WIDTH_LONG,
      .display_name = "Exclude Tables",
      .documentation = "Patterns of schema.table to leave out.",
      .check = check_patterns },
    { .name = "table.ignore.builtin",
      .type = OPTION_BOOLEAN,
      .fallback = "true",
      .importance = IMPORTANCE_LOW,
      .group = "Events",
      .width = WIDTH_SHORT,
      .display_name = "Ignore system databases",
      .documentation = "System tables are never captured.",
      .check = NULL },
    { .name = "schema.include.list",
      .type = OPTION_LIST,
      .fallback = NULL,
      .importance = IMPORTANCE_HIGH,
      .group = "Events",
      .width = WIDTH_LONG,
      .display_name = "Include Schemas",
      .documentation = "Patterns of schemas to capture; all when empty.",
      .check = check_patterns },
    { .name = "schema.exclude.list",
      .type = OPTION_LIST,
      .fallback = NULL,
      .importance = IMPORTANCE_MEDIUM,
      .group = "Events",
      .width = WIDTH_LONG,
      .display_name = "Exclude Schemas",
      .documentation = "Patterns of schemas to leave out.",
      .check = check_patterns },
    { .name = "message.key.columns",
      .type = OPTION_STRING,
      .fallback = NULL,
      .importance = IMPORTANCE_MEDIUM,
      .group = "Events",
      .width = WIDTH_LONG,
      .display_name = "Columns PK mapping",
      .documentation = "Columns of the key, other than the primary key: table pattern:column,column;…",
      .check = check_key_columns },
    { .name = "snapshot.select.statement.overrides",
      .type = OPTION_STRING,
      .fallback = NULL,
      .importance = IMPORTANCE_MEDIUM,
      .group = "Events",
      .width = WIDTH_LONG,
      .display_name =
          "List of tables where the default select statement used during snapshotting should be overridden.",
      .documentation = "Tables whose snapshot uses the query in snapshot.select.statement.overrides.<schema>.<table>.",
      .check = NULL },
    { .name = "include.schema.comments",
      .type = OPTION_BOOLEAN,
      .fallback = "false",
      .importance = IMPORTANCE_MEDIUM,
      .group = "Events",
      .width = WIDTH_SHORT,
      .display_name = "Include Table and Column Comments",
      .documentation = "No effect for PostgreSQL.",
      .check = NULL },
    { .name = "column.propagate.source.type",
      .type = OPTION_LIST,
      .fallback = NULL,
      .importance = IMPORTANCE_MEDIUM,
      .group = "Events",
      .width = WIDTH_NONE,
      .display_name = "Propagate Source Types by Columns",
      .documentation = "Not supported yet.",
      .check = check_patterns },
    { .name = "datatype.propagate.source.type",
      .type = OPTION_LIST,
      .fallback = NULL,
      .importance = IMPORTANCE_MEDIUM,
      .group = "Events",
      .width = WIDTH_NONE,
      .display_name = "Propagate Source Types by Data Type",
      .documentation = "Not supported yet.",
      .check = check_patterns },
    { .name = "internal.snapshot.scan.all.columns.force",
      .type = OPTION_BOOLEAN,
      .fallback = "false",
      .importance = IMPORTANCE_LOW,
      .group = "Events",
      .width = WIDTH_SHORT,
      .display_name = "Snapshot force scan all columns of all tables",
      .documentation = "No effect.",
      .check = NULL },
    { .name = "snapshot.tables.order.by.row.count",
      .type = OPTION_STRING,
      .fallback = "disabled",
      .importance = IMPORTANCE_MEDIUM,
      .group = "Events",
      .width = WIDTH_NONE,
      .display_name = "Initial snapshot tables order by row count",
      .documentation = "No effect, as in the version imitated.",
      .check = check_one_of_order },
    { .name = "heartbeat.action.query",
      .type = OPTION_STRING,
      .fallback = NULL,
      .importance = IMPORTANCE_LOW,
      .group = "Events",
      .width = WIDTH_MEDIUM,
      .display_name = "An optional query to execute with every heartbeat",
      .documentation = "SQL statement run at each heartbeat.",
      .check = NULL },
    { .name = "include.unknown.datatypes",
      .type = OPTION_BOOLEAN,
      .fallback = "false",
      .importance = IMPORTANCE_MEDIUM,
      .group = "Events",
      .width = WIDTH_SHORT,
      .display_name = "Include unknown datatypes",
      .documentation = "Whether columns of unknown types are shown as bytes.",
      .check = NULL },
    { .name = "sourceinfo.struct.maker",
      .type = OPTION_CLASS,
      .fallback = "io.debezium.connector.postgresql.PostgresSourceInfoStructMaker",
      .importance = IMPORTANCE_LOW,
      .group = "Events",
      .width = WIDTH_MEDIUM,
      .display_name = "Source info struct maker class",
      .documentation = "Java class of the source block; the default's block is used.",
      .check = NULL },
    { .name = "topic.delimiter",
      .type = OPTION_STRING,
      .fallback = ".",
      .importance = IMPORTANCE_MEDIUM,
      .group = "Events",
      .width = WIDTH_MEDIUM,
      .display_name = "Topic delimiter",
      .documentation = "What stands between the parts of a topic's name." },
    { .name = "topic.heartbeat.prefix",
      .type = OPTION_STRING,
      .fallback = "__debezium-heartbeat",
      .importance = IMPORTANCE_LOW,
      .group = "Events",
      .width = WIDTH_MEDIUM,
      .display_name = "Heartbeat topic prefix",
      .documentation = "First part of the heartbeat topic's name." },
    { .name = "topic.transaction",
      .type = OPTION_STRING,
      .fallback = "transaction",
      .importance = IMPORTANCE_LOW,
      .group = "Events",
      .width = WIDTH_MEDIUM,
      .display_name = "Transaction topic",
      .documentation = "Last part of the name of the topic of transactions." },
    { .name = "money.fraction.digits",
      .type = OPTION_SHORT,
      .fallback = "2",
      .importance = IMPORTANCE_MEDIUM,
      .group = "Connector",
      .width = WIDTH_SHORT,
      .display_name = "Money fraction digits",
      .documentation = "Decimals of money values." },
    { .name = "skip.messages.without.change",
      .type = OPTION_BOOLEAN,
      .fallback = "false",
      .importance = IMPORTANCE_LOW,
      .group = "Connector",
      .width = WIDTH_SHORT,
      .display_name = "Skip messages without change",
      .documentation = "Whether updates that change no captured column are left out; needs replica identity FULL." },
    { .name = "event.converting.failure.handling.mode",
      .type = OPTION_STRING,
      .fallback = "fail",
      .importance = IMPORTANCE_MEDIUM,
      .group = "Connector",
      .width = WIDTH_SHORT,
      .display_name = "Value conversion failure handling",
      .documentation =
          "What to do with a value that cannot be converted: fail (stop, naming it), warn or skip (send null).",
      .check = check_one_of_converting },
};

static const char *const required[] = { "database.user", "database.dbname", "topic.prefix", "database.hostname" };

static const char *const exclusive[][2] = {
    { "table.include.list", "table.exclude.list" },
    { "schema.include.list", "schema.exclude.list" },
    { "column.include.list", "column.exclude.list" },
    { "message.prefix.include.list", "message.prefix.exclude.list" },
};

/* What Debezium checks although it acts only where the option is used. */
static void validate_notifications(const struct connector_config *config, struct validation *validation)
{
    const char *channels = config_text(config, "notification.enabled.channels");
    const char *topic = config_text(config, "notification.sink.topic.name");
    const char *tags = config_text(config, "custom.metric.tags");
    struct str rest = str_of(channels), item = { 0 };
    bool sink = false;

    while (config_list_next(&rest, &item))
        sink = sink || str_is(item, "sink");
    if (sink && (!topic || !*topic))
        validation_error(validation, "notification.sink.topic.name",
                         INVALID("Notification topic name must be provided when kafka notification channel is enabled"),
                         "notification.sink.topic.name");
    for (rest = str_of(tags); config_list_next(&rest, &item);)
        if (!memchr(item.p, '=', item.len)) {
            validation_error(validation, "custom.metric.tags",
                             INVALID("A equivalent-separated map of valid key/value pairs is expected, for example: "
                                     "k1=v1,k2=v2"),
                             "custom.metric.tags");
            break;
        }
}

void postgres_options_validate(const struct connector_config *config, struct validation *validation)
{
    for (size_t i = 0; i < ARRAY_LEN(required); i++) {
        const char *value = config_text(config, required[i]);
        if (!value || !*value)
            validation_error(validation, required[i], INVALID("A value is required"), required[i]);
    }
    for (size_t i = 0; i < ARRAY_LEN(exclusive); i++)
        if (config_text(config, exclusive[i][0]) && config_text(config, exclusive[i][1]))
            validation_error(validation, exclusive[i][1], INVALID("\"%s%s\" is already specified"), exclusive[i][1],
                             strncmp(exclusive[i][0], "message.prefix", 14) ? "" : "logical_decoding_",
                             exclusive[i][0]);
    if (config_text(config, "max.queue.size") && config_int(config, "max.queue.size") < 1)
        validation_error(validation, "max.queue.size", INVALID("Must be larger than the maximum batch size"),
                         "max.queue.size");
    validate_notifications(config, validation);
    if (str_is_nocase(str_of(config_text(config, "snapshot.mode")), "custom") &&
        !config_text(config, "snapshot.custom.class"))
        validation_error(validation, "snapshot.custom.class",
                         INVALID("snapshot.custom_class cannot be empty when snapshot.mode 'custom' is defined"),
                         "snapshot.custom.class");
}

enum rc postgres_options_check(const struct connector_config *config, struct err *err)
{
    for (size_t i = 0; i < ARRAY_LEN(required); i++) {
        const char *value = config_text(config, required[i]);
        if (!value || !*value)
            return err_set(err, RC_BAD_INPUT, "'%s' has no value; set it in the connector's configuration",
                           required[i]);
    }
    for (size_t i = 0; i < POSTGRES_OPTION_COUNT; i++) {
        const struct option *option = &postgres_options[i];
        const char *value = config_text(config, option->name);
        CLEANUP(buf_free) struct buf why = { 0 };
        if (value && option->check && !option->check(config, value, &why))
            return err_set(err, RC_BAD_INPUT, "'%s' is '%s': %s", option->name, value, buf_cstr(&why));
    }
    return RC_OK;
}
