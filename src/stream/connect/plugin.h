/*
 * The seam between the runtime (this folder) and a connector (a folder below it).  A connector is
 * data: one `struct connector_class`, a row of connector_classes[] in plugins.c, from which
 * /connector-plugins, validation, the forms of consoles and the running of tasks are all read.
 *
 * Threads: each task has one thread of its own, in which `run` (source) or the calls of `sink_ops`
 * (sink) happen; nothing of a task is ever called from another thread.  Blocking is fine as long
 * as it also waits for ctx->wakeup_fd, which becomes readable when the task is told to stop and,
 * for a source, whenever more of what it sent became durable or was committed.
 *
 * What `run` returns:
 *     RC_OK     it was told to stop (task_stopping() is true); or it has nothing left to do, ever:
 *               then the task stays RUNNING, without a thread, until it is told otherwise
 *     RC_RETRY  a peer is away: the task is started again after a pause; the status is FAILED with
 *               the words as trace until task_started() is called again
 *     other     the task is FAILED with the words as trace, and started again after a growing pause
 * The words' beginning is read by people: "cannot connect to 'postgres_source:5432': ..."
 */
#ifndef STREAM_CONNECT_PLUGIN_H
#define STREAM_CONNECT_PLUGIN_H

#include "base/base.h"
#include "net/net.h"

/* ------------------------------------------------------------ configuration */

enum option_type {
    OPTION_STRING,
    OPTION_INT,
    OPTION_LONG,
    OPTION_SHORT,
    OPTION_DOUBLE,
    OPTION_BOOLEAN,
    OPTION_LIST,
    OPTION_CLASS,
    OPTION_PASSWORD,
};
enum option_importance { IMPORTANCE_HIGH, IMPORTANCE_MEDIUM, IMPORTANCE_LOW };
enum option_width { WIDTH_NONE, WIDTH_SHORT, WIDTH_MEDIUM, WIDTH_LONG };

struct connector_config;

/* One configuration key.  Types are checked by the runtime before `check` sees a value. */
struct option {
    const char *name;
    enum option_type type;
    bool required;
    const char *fallback; /* the default as text; NULL with !required: null */
    enum option_importance importance;
    const char *group; /* NULL: none */
    enum option_width width;
    const char *display_name;  /* NULL: the name */
    const char *documentation; /* NULL: "" */
    const char *const *values; /* recommended and, unless `open`, the only allowed ones; NULL ends them; NULL: any */
    bool open;
    int64_t min, max; /* for numbers, when min < max */
    /* says why a value (never NULL) is wrong, as Connect would print it; false: wrong; may be NULL */
    bool (*check)(const struct connector_config *config, const char *value, struct buf *why);
};

/* A flat map of texts in the order given, with the defaults of its class behind it. */
struct connector_config {
    struct map rows;                     /* name -> char *, owned */
    const struct connector_class *class; /* may be NULL: no defaults */
};

void config_set(struct connector_config *config, const char *name, const char *value); /* NULL removes */
const char *config_given(const struct connector_config *config, const char *name);     /* as given, or NULL */
const char *config_text(const struct connector_config *config, const char *name);      /* or its default, or NULL */
int64_t config_int(const struct connector_config *config, const char *name); /* validated before: 0 when absent */
bool config_bool(const struct connector_config *config, const char *name);
/* Next item of a LIST value, trimmed: struct str rest = str_of(config_text(...)), item; */
bool config_list_next(struct str *rest, struct str *item);
void config_copy(struct connector_config *to, const struct connector_config *from);
void config_free(struct connector_config *config);

/* Errors found by a class's own `validate`; they show under the option they are about. */
struct validation;
void validation_error(struct validation *validation, const char *option, const char *format, ...) PRINTF_LIKE(3, 4);
bool validation_has_error(const struct validation *validation, const char *option);

/* ------------------------------------------------------------ classes */

struct task_context;
struct sink_ops;
enum connector_kind { CONNECTOR_SOURCE, CONNECTOR_SINK };

struct connector_class {
    const char *class_name; /* "io.debezium.connector.postgresql.PostgresConnector"; also found by its simple
                             * name and that without "Connector", as Connect does */
    const char *task_class; /* "io.debezium.connector.postgresql.PostgresConnectorTask" */
    const char *version;    /* of the connector imitated: "2.5.4.Final" */
    enum connector_kind kind;
    const struct option *options; /* of the connector alone; Connect's common ones come from the runtime */
    size_t option_count;
    /* After every option passed its own checks; may call peers, for a few seconds.  May be NULL. */
    void (*validate)(const struct station *station, const struct connector_config *config,
                     struct validation *validation);
    bool names_values; /* what a `check` says is shown as "The 'x' value is invalid: why", as Debezium has it */
    bool single_task;  /* one task whatever tasks.max says; else tasks.max tasks with the same config */
    enum rc (*run)(struct task_context *ctx, struct err *err); /* sources */
    const struct sink_ops *sink;                               /* sinks */
};

extern const struct connector_class *const connector_classes[]; /* NULL ends them */

/* ------------------------------------------------------------ a running task */

struct task_ops;
struct task_context {
    const struct station *station;
    const struct connector_config *config; /* ${...} of config providers resolved; lives as long as the task */
    const char *connector;                 /* its name */
    int task;                              /* 0 .. */
    const char *bootstrap;                 /* the brokers: "127.0.0.1:9092" */
    const struct connector_config *worker; /* worker settings: "value.converter", "offset.flush.interval.ms" … */
    int wakeup_fd;                         /* eventfd */
    const struct task_ops *ops;            /* who stands behind task_*() and source_*(): the runtime, or a test */
    void *user;                            /* theirs */
};

bool task_stopping(const struct task_context *ctx);
/* Waits for wakeup_fd or `timeout_ms` (-1: for ever) and clears it. */
void task_wait(const struct task_context *ctx, int timeout_ms);
/* Tells that all peers answered: status RUNNING.  Call it once per run. */
void task_started(struct task_context *ctx);

/* ------------------------------------------------------------ source side */

enum {
    SOURCE_RECORDS_IN_FLIGHT_MAX = 100000,
    SOURCE_BYTES_IN_FLIGHT_MAX = 4 << 20, /* source_send blocks beyond either */
};

struct record_header {
    struct str name, value; /* value.p NULL: null */
};

struct source_record {
    struct str topic;      /* absent: no record, only a position (a quiet stretch of the log was passed) */
    int32_t partition;     /* -1: murmur2 of the key, as Java's producer does */
    struct str key, value; /* converted bytes; absent: null */
    const struct record_header *headers;
    size_t header_count;
    int64_t timestamp_ms;        /* -1: now */
    struct str source_partition; /* JSON object: {"server":"storefront"} */
    struct str source_offset;    /* JSON object; absent: as the record before */
};

struct source_commit {
    uint64_t number;   /* of the last record whose offset lies in the offsets topic */
    struct buf offset; /* its source_offset */
};

/* Who stands behind a task's calls.  A test fills the row it needs. */
struct task_ops {
    void (*started)(struct task_context *ctx);
    bool (*stopping)(const struct task_context *ctx);
    /* sources */
    enum rc (*offset_read)(struct task_context *ctx, struct str partition, struct buf *offset, struct err *err);
    enum rc (*send)(struct task_context *ctx, const struct source_record *record, uint64_t *number, struct err *err);
    uint64_t (*acked)(struct task_context *ctx);
    bool (*committed)(struct task_context *ctx, struct source_commit *out);
    enum rc (*flush)(struct task_context *ctx, struct err *err);
    /* sinks */
    enum rc (*commit)(struct task_context *ctx, const char *topic, int32_t partition, int64_t offset, struct err *err);
};

/* The last committed offset of {"server":...}, as JSON; RC_NOT_FOUND when there is none. */
static inline MUST_CHECK enum rc source_offset_read(struct task_context *ctx, struct str partition, struct buf *offset,
                                                    struct err *err)
{
    return ctx->ops->offset_read(ctx, partition, offset, err);
}

/*
 * Queues a record; all its bytes are copied.  The records of one run() get the numbers 1, 2, 3 …
 * Blocks while too much is in flight.  RC_AGAIN: told to stop while it waited, the record was not taken.
 * RC_RETRY or RC_FATAL: an earlier record could not be
 * written; nothing more will be.
 * Topics are made on first use: by topic.creation.default.* when the config has them, else as the
 * broker makes them.
 */
static inline MUST_CHECK enum rc source_send(struct task_context *ctx, const struct source_record *record,
                                             uint64_t *number, struct err *err)
{
    return ctx->ops->send(ctx, record, number, err);
}

/* Everything up to this number is durable in the log (acks=all, in order). */
static inline uint64_t source_acked(struct task_context *ctx)
{
    return ctx->ops->acked(ctx);
}

/* True when more offsets were committed since the last call; out is overwritten (begin with { 0 }).
 * Commits happen every offset.flush.interval.ms and at the end of run(); what is committed at the
 * end can be asked for on the next start by source_offset_read. */
static inline bool source_committed(struct task_context *ctx, struct source_commit *out)
{
    return ctx->ops->committed(ctx, out);
}

/* Waits until everything sent is durable, and commits its offsets.  RC_AGAIN: told to stop meanwhile. */
static inline MUST_CHECK enum rc source_flush(struct task_context *ctx, struct err *err)
{
    return ctx->ops->flush(ctx, err);
}

/* ------------------------------------------------------------ sink side */

/*
 * Everything before `offset` is safe at its destination: the group's committed offset, durable when
 * this returns.  A sink whose file boundaries do not follow from offsets alone must commit a file
 * before it writes the next of the same partition.
 */
static inline MUST_CHECK enum rc sink_commit(struct task_context *ctx, const char *topic, int32_t partition,
                                             int64_t offset, struct err *err)
{
    return ctx->ops->commit(ctx, topic, partition, offset, err);
}

struct sink_record {
    const char *topic;
    int32_t partition;
    int64_t offset;
    int64_t timestamp_ms;  /* -1: none */
    struct str key, value; /* raw bytes; absent: null */
    const struct record_header *headers;
    size_t header_count;
};

/*
 * What a sink does; the runtime has the consumer.  An error from put or tick: RC_RETRY rewinds
 * every open partition to its committed offset, waits retry.backoff.ms and goes on; others fail
 * the task.  `task` is what start returned.
 */
struct sink_ops {
    enum rc (*start)(struct task_context *ctx, void **task, struct err *err);
    void (*stop)(void *task); /* open files are thrown away */
    enum rc (*open)(void *task, const char *topic, int32_t partition, struct err *err);
    void (*close)(void *task, const char *topic, int32_t partition);
    enum rc (*put)(void *task, const struct sink_record *record, struct err *err);
    /* Called when its time has come; *next_ms: wall clock of the next call, INT64_MAX: none needed. */
    enum rc (*tick)(void *task, int64_t now_ms, int64_t *next_ms, struct err *err);
    void (*rewind)(void *task, const char *topic, int32_t partition); /* forget what was not committed */
};

#endif
