/*
 * From a row to the bytes of a Debezium 2.5.4 change event.
 *
 * A program is compiled once per relation as it is now (columns, types, defaults, key): which columns in
 * which order, how each text becomes a value, what stands for null, and all constant bytes between.
 * Running it walks the row once and appends key and value bytes to the caller's buffers: no allocation per
 * row beyond their growth.  When the relation changes, compile a new one; the old one may be freed at once.
 *
 * Not for the flow: whether an update is an update or a delete plus a create, tombstones, which tables.
 *
 * The sessions that produce the texts must have DateStyle ISO, IntervalStyle postgres, TimeZone GMT,
 * extra_float_digits 3 (or 1), bytea_output hex, client_encoding UTF8.
 */
#ifndef STREAM_CONNECT_POSTGRES_EVENT_H
#define STREAM_CONNECT_POSTGRES_EVENT_H

#include "base/base.h"
#include "stream/connect/data/converter.h"
#include "stream/connect/postgres/table.h"

#define EVENT_VERSION   "2.5.4.Final"
#define EVENT_CONNECTOR "postgresql"

/* ----------------------------------------------------------------- options */

struct event_options;
/*
 * Reads what concerns events from a connector's configuration: topic.prefix, topic.delimiter, database.dbname,
 * decimal.handling.mode, time.precision.mode, binary.handling.mode, interval.handling.mode,
 * hstore.handling.mode, money.fraction.digits, include.unknown.datatypes, unavailable.value.placeholder,
 * schema.name.adjustment.mode, field.name.adjustment.mode, column.include.list, column.exclude.list,
 * message.key.columns, event.converting.failure.handling.mode (ours: fail by default, warn and skip as in
 * Debezium 2.6), and the converters' classes as far as Debezium looks at them.
 * RC_BAD_INPUT names the setting, its value and what would be right.
 */
MUST_CHECK enum rc event_options_new(struct connect_lookup config, struct event_options **out, struct err *err);
void event_options_free(struct event_options *options);

/* <prefix>.<schema>.<table>, sanitized for Kafka. */
void event_topic_name(const struct event_options *options, const char *schema, const char *table, struct buf *out);
/* Whether column.include.list / column.exclude.list lets the column through. */
bool event_includes_column(const struct event_options *options, const char *schema, const char *table,
                           const char *column);

/* ----------------------------------------------------------------- program */

enum event_op {
    EVENT_READ = 'r',
    EVENT_CREATE = 'c',
    EVENT_UPDATE = 'u',
    EVENT_DELETE = 'd',
    EVENT_TRUNCATE = 't',
};

enum event_snapshot {
    EVENT_STREAMING, /* "false" */
    EVENT_SNAPSHOT_FIRST,
    EVENT_SNAPSHOT_FIRST_OF_TABLE,
    EVENT_SNAPSHOT_TRUE,
    EVENT_SNAPSHOT_LAST_OF_TABLE,
    EVENT_SNAPSHOT_LAST,
};

struct event_transaction {
    struct str id; /* "780:25970296" */
    int64_t total_order, collection_order;
};

/* The source block and the envelope's own members; all that is not in the row. */
struct event_source {
    int64_t ts_ms;  /* of the commit, or of the snapshot's table */
    int64_t now_ms; /* the envelope's ts_ms */
    enum event_snapshot snapshot;
    bool has_last_commit;
    uint64_t last_commit_lsn; /* sequence[0], null unless has_last_commit */
    uint64_t lsn;             /* lsn, and sequence[1] */
    bool has_tx_id, has_xmin;
    int64_t tx_id, xmin;
    const struct event_transaction *transaction; /* NULL: none */
};

struct pg_value; /* wire/pg */
struct event_program;
/* Reads all it needs from table and types; keeps no pointer to them.  Options and converters must outlive it. */
MUST_CHECK enum rc event_program_compile(const struct event_options *options, const struct pg_table *table,
                                         struct converter *key_converter, struct converter *value_converter,
                                         struct event_program **out, struct err *err);
void event_program_free(struct event_program *program);

const char *event_program_topic(const struct event_program *program);
bool event_program_has_key(const struct event_program *program);
/* NULL when there is no key. */
const struct connect_schema *event_program_key_schema(const struct event_program *program);
const struct connect_schema *event_program_value_schema(const struct event_program *program); /* the envelope */

/*
 * Appends the key's and the value's bytes.  `before` and `after` are rows with the table's columns in the
 * table's order, or NULL.  A key-only old tuple is a row whose other columns are null; they are filled as
 * Debezium fills them.  The key is that of `after`, for a delete that of `before`; a table without key
 * gives none, and then *key stays as it is (event_program_has_key); so does a truncate.
 *
 * The first event registers the schemas: RC_RETRY while the registry is away.  RC_BAD_INPUT: a value cannot
 * be converted, with table, key, column and value in the words, and the buffers as they were before.
 */
MUST_CHECK enum rc event_encode(struct event_program *program, enum event_op op, const struct pg_value *before,
                                const struct pg_value *after, const struct event_source *source, struct buf *key,
                                struct buf *value, struct err *err);
/* The key alone, for the tombstone after a delete. */
MUST_CHECK enum rc event_encode_key(struct event_program *program, const struct pg_value *row, struct buf *key,
                                    struct err *err);
/* The key as SimpleHeaderConverter writes it into __debezium.newkey / __debezium.oldkey: {"id":100} */
MUST_CHECK enum rc event_encode_key_header(struct event_program *program, const struct pg_value *row, struct buf *text,
                                           struct err *err);
/* True when the key's columns differ; unchanged toasted values and a missing `before` are no change. */
bool event_key_differs(const struct event_program *program, const struct pg_value *before,
                       const struct pg_value *after);
/* True when any column the event carries differs (skip.messages.without.change). */
bool event_row_differs(const struct event_program *program, const struct pg_value *before,
                       const struct pg_value *after);

/* -------------------------------------------------- transactions, heartbeats */

struct event_collection_count {
    const char *collection; /* "public.orders" */
    int64_t events;
};
/* A record of <prefix>.transaction: BEGIN without counts, END with them. */
struct event_boundary {
    bool is_end;
    struct str id;
    int64_t ts_ms;
    int64_t event_count; /* END */
    const struct event_collection_count *collections;
    size_t collection_count;
};

/* Records that belong to no table; compiled once per connector. */
struct event_meta;
MUST_CHECK enum rc event_meta_new(const struct event_options *options, struct converter *key_converter,
                                  struct converter *value_converter, struct event_meta **out, struct err *err);
void event_meta_free(struct event_meta *meta);
const char *event_meta_transaction_topic(const struct event_meta *meta); /* <prefix>.transaction */
const char *event_meta_heartbeat_topic(const struct event_meta *meta);   /* __debezium-heartbeat.<prefix> */
MUST_CHECK enum rc event_encode_boundary(struct event_meta *meta, const struct event_boundary *boundary,
                                         struct buf *key, struct buf *value, struct err *err);
MUST_CHECK enum rc event_encode_heartbeat(struct event_meta *meta, int64_t now_ms, struct buf *key, struct buf *value,
                                          struct err *err);

#endif
