/*
 * Configuration of the broker and of topics: one row per property of Kafka 4.1, and the values in force.
 *
 * A row says name, type, default, valid range, synonyms and documentation; parsing, validation, DescribeConfigs,
 * the alter requests and the environment (KAFKA_NUM_PARTITIONS -> num.partitions) are all read off it.
 *
 * A topic's value is, strongest first: set on the topic; set on the broker under the row's synonym (dynamically, or
 * by environment); the default.  topic_config_int() and its sisters answer from an array: they cost nothing and may
 * be called for each batch.  The broker's configuration must outlive its topics'; when it changes,
 * topic_config_resolve() is called on each topic.
 *
 * Everything here belongs to the event-loop thread.
 */
#ifndef STREAM_LOG_CONFIG_H
#define STREAM_LOG_CONFIG_H

#include "base/base.h"

enum {
    CONFIG_VALUE_MAX = 32 << 10, /* bytes of one value; Kafka's records allow no more than a short string */
    CONFIG_SYNONYMS_MAX = 3,
};

/* as DescribeConfigs v3+ numbers them */
enum config_type {
    CONFIG_BOOLEAN = 1,
    CONFIG_STRING,
    CONFIG_INT,
    CONFIG_SHORT,
    CONFIG_LONG,
    CONFIG_DOUBLE,
    CONFIG_LIST,
    CONFIG_CLASS,
    CONFIG_PASSWORD,
};

/* as DescribeConfigs v1+ numbers them */
enum config_source {
    CONFIG_FROM_TOPIC = 1,
    CONFIG_FROM_DYNAMIC_BROKER = 2,
    CONFIG_FROM_DYNAMIC_DEFAULT = 3,
    CONFIG_FROM_STATIC_BROKER = 4,
    CONFIG_FROM_DEFAULT = 5,
};

enum config_flag {
    CONFIG_EFFECT = 1,  /* changes what this broker does; the others are stored and shown only */
    CONFIG_DYNAMIC = 2, /* a broker property that may be altered while running */
};

struct config_row {
    const char *name;
    const char *fallback; /* the default as text; NULL: null */
    const char *choices;  /* "compact,delete": what a STRING or each item of a LIST may be; NULL: anything */
    const char *synonyms[CONFIG_SYNONYMS_MAX]; /* broker properties of the same meaning, strongest first */
    const char *doc;
    int64_t min, max; /* of numbers; both 0: the range of the type */
    enum config_type type;
    unsigned flags;
};

/* The topic rows that this broker acts upon come first, so that code can name them. */
enum topic_config_key {
    TOPIC_CLEANUP_POLICY,
    TOPIC_COMPRESSION_TYPE,
    TOPIC_DELETE_RETENTION_MS,
    TOPIC_FILE_DELETE_DELAY_MS,
    TOPIC_FLUSH_MESSAGES,
    TOPIC_FLUSH_MS,
    TOPIC_INDEX_INTERVAL_BYTES,
    TOPIC_MAX_COMPACTION_LAG_MS,
    TOPIC_MAX_MESSAGE_BYTES,
    TOPIC_MESSAGE_TIMESTAMP_AFTER_MAX_MS,
    TOPIC_MESSAGE_TIMESTAMP_BEFORE_MAX_MS,
    TOPIC_MESSAGE_TIMESTAMP_TYPE,
    TOPIC_MIN_CLEANABLE_DIRTY_RATIO,
    TOPIC_MIN_COMPACTION_LAG_MS,
    TOPIC_MIN_INSYNC_REPLICAS,
    TOPIC_RETENTION_BYTES,
    TOPIC_RETENTION_MS,
    TOPIC_SEGMENT_BYTES,
    TOPIC_SEGMENT_INDEX_BYTES,
    TOPIC_SEGMENT_JITTER_MS,
    TOPIC_SEGMENT_MS,
    TOPIC_NAMED_COUNT,
    TOPIC_CONFIG_MAX = 40, /* room for the rows that are only stored and shown */
};

extern const struct config_row topic_config_rows[];
extern const size_t topic_config_row_count;
extern const struct config_row broker_config_rows[];
extern const size_t broker_config_row_count;

const struct config_row *topic_config_row(struct str name);  /* NULL: Kafka knows no such topic property */
const struct config_row *broker_config_row(struct str name); /* NULL: Kafka knows no such broker property */

/* Whether `value` suits the row; NULL .p is null.  The message is Kafka's: "Invalid value x for configuration
 * retention.ms: Value must be at least -1". */
MUST_CHECK enum rc config_check(const struct config_row *row, struct str value, struct err *err);

/* ---- the broker ---- */

struct broker_config {
    struct map fixed;   /* name -> text, from environment and start: source STATIC_BROKER_CONFIG */
    struct map dynamic; /* name -> text, altered for this broker: DYNAMIC_BROKER_CONFIG */
    struct map cluster; /* name -> text, altered for all brokers: DYNAMIC_DEFAULT_BROKER_CONFIG */
};

/*
 * Sets what a single node needs (node.id, replication factor 1, ...) and then every KAFKA_* setting.  A value that
 * does not suit its row: RC_BAD_INPUT naming the variable.  Properties that are unknown, or without effect here, are
 * named in one warning.
 */
MUST_CHECK enum rc broker_config_load(struct broker_config *broker, const struct settings *settings, struct err *err);
/* What the station knows at start: "listeners", "log.dirs", ...  The name must be a row. */
void broker_config_fix(struct broker_config *broker, const char *name, struct str value);
/* The value in force; NULL: null.  The name must be a row (checked by the unit tests, text "" otherwise). */
const char *broker_config_text(const struct broker_config *broker, const char *name);
int64_t broker_config_int(const struct broker_config *broker, const char *name); /* 0 when null */
bool broker_config_bool(const struct broker_config *broker, const char *name);
/* The dynamic values as lines "dynamic name=value" and "cluster name=value", and back; for a file of the broker's. */
void broker_config_save(const struct broker_config *broker, struct buf *out);
MUST_CHECK enum rc broker_config_restore(struct broker_config *broker, struct str text, struct err *err);
void broker_config_free(struct broker_config *broker);

/* ---- a topic ---- */

struct topic_config {
    char *overrides[TOPIC_CONFIG_MAX]; /* by row; NULL: not set on the topic */
    union {
        int64_t number;                      /* BOOLEAN, INT, LONG */
        double ratio;                        /* DOUBLE */
        char *text;                          /* STRING, LIST; owned */
    } value[TOPIC_CONFIG_MAX];               /* in force */
    bool compacts, deletes, log_append_time; /* cleanup.policy and message.timestamp.type, taken apart */
};

/* A topic without overrides.  { 0 } before; free with topic_config_free(). */
void topic_config_init(struct topic_config *config, const struct broker_config *broker);
void topic_config_free(struct topic_config *config);
/* Sets one property (.p NULL: takes the override away); the topic's other values stay as they are.
 * RC_BAD_INPUT (Kafka's INVALID_CONFIG, 40) with Kafka's message for an unknown name or a value that does not suit. */
MUST_CHECK enum rc topic_config_set(struct topic_config *config, const struct broker_config *broker, struct str name,
                                    struct str value, struct err *err);
/* Checks that hold between properties (compaction lags); as above. */
MUST_CHECK enum rc topic_config_check(const struct topic_config *config, struct err *err);
void topic_config_resolve(struct topic_config *config, const struct broker_config *broker);

static inline int64_t topic_config_int(const struct topic_config *config, enum topic_config_key key)
{
    return config->value[key].number;
}

static inline double topic_config_double(const struct topic_config *config, enum topic_config_key key)
{
    return config->value[key].ratio;
}

static inline const char *topic_config_text(const struct topic_config *config, enum topic_config_key key)
{
    return config->value[key].text;
}

/* The overrides as lines "name=value\n" (\n and \ in values escaped), for the topic's own file; and back.  Loading
 * skips names and values that are no longer valid, with a warning: a topic must stay readable. */
void topic_config_save(const struct topic_config *config, struct buf *out);
void topic_config_restore(struct topic_config *config, const struct broker_config *broker, struct str text);

#endif
