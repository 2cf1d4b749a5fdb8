/* Connect's own configuration keys as rows; see options.h. */
#include "stream/connect/options.h"

#include <regex.h>
#include <string.h>

#define COMMON "Common"
#define ERRORS "Error Handling"

static const char *const converters[] = {
    "io.confluent.connect.avro.AvroConverter",
    "org.apache.kafka.connect.json.JsonConverter",
    "org.apache.kafka.connect.storage.StringConverter",
    "org.apache.kafka.connect.converters.ByteArrayConverter",
    NULL,
};
static const char *const reload_actions[] = { "none", "restart", NULL };
static const char *const tolerances[] = { "none", "all", NULL };
static const char *const exactly_once[] = { "requested", NULL };

static bool name_check(const struct connector_config *config, const char *value, struct buf *why)
{
    (void)config;
    for (const char *p = value; *p; p++)
        if ((unsigned char)*p < 0x20 || *p == 0x7f) {
            buf_printf(why, "String may not contain control sequences but had the following ASCII chars: %d", *p);
            return false;
        }
    if (*value)
        return true;
    buf_puts(why, "String may not be empty");
    return false;
}

static bool nothing_yet(const struct connector_config *config, const char *value, struct buf *why)
{
    (void)config;
    if (*value)
        buf_puts(why, "not supported here; leave it empty");
    return !*value;
}

/* As the consumer's library will compile it, in the sink. */
static bool regex_of_topics(const struct connector_config *config, const char *value, struct buf *why)
{
    CLEANUP_FREE char *pattern = mem_printf("^(%s)$", value);
    char words[200] = "";
    regex_t compiled;

    (void)config;
    int failed = regcomp(&compiled, pattern, REG_EXTENDED | REG_NOSUB);
    if (failed)
        regerror(failed, &compiled, words, sizeof words);
    else
        regfree(&compiled);
    buf_printf(why, "%s%s", failed ? "Invalid regex: " : "", words);
    return !failed;
}

static const struct option common[] = {
    { .name = "name",
      .type = OPTION_STRING,
      .required = true,
      .importance = IMPORTANCE_HIGH,
      .group = COMMON,
      .width = WIDTH_MEDIUM,
      .display_name = "Connector name",
      .documentation = "Globally unique name to use for this connector.",
      .check = name_check },
    { .name = "connector.class",
      .type = OPTION_STRING,
      .required = true,
      .importance = IMPORTANCE_HIGH,
      .group = COMMON,
      .width = WIDTH_LONG,
      .display_name = "Connector class",
      .documentation = "Name of the connector's class: in full, its simple name, or that without 'Connector'." },
    { .name = "tasks.max",
      .type = OPTION_INT,
      .fallback = "1",
      .min = 1,
      .max = INT32_MAX,
      .importance = IMPORTANCE_HIGH,
      .group = COMMON,
      .width = WIDTH_SHORT,
      .display_name = "Tasks max",
      .documentation = "Maximum number of tasks to use for this connector." },
    { .name = "key.converter",
      .type = OPTION_CLASS,
      .importance = IMPORTANCE_LOW,
      .group = COMMON,
      .width = WIDTH_SHORT,
      .display_name = "Key converter class",
      .documentation = "Converter between records' keys and the bytes in the log; the worker's when not set.",
      .values = converters },
    { .name = "value.converter",
      .type = OPTION_CLASS,
      .importance = IMPORTANCE_LOW,
      .group = COMMON,
      .width = WIDTH_SHORT,
      .display_name = "Value converter class",
      .documentation = "Converter between records' values and the bytes in the log; the worker's when not set.",
      .values = converters },
    { .name = "header.converter",
      .type = OPTION_CLASS,
      .importance = IMPORTANCE_LOW,
      .group = COMMON,
      .width = WIDTH_SHORT,
      .display_name = "Header converter class",
      .documentation = "Converter of headers. Headers are texts here whatever this says." },
    { .name = "config.action.reload",
      .type = OPTION_STRING,
      .fallback = "restart",
      .importance = IMPORTANCE_LOW,
      .group = COMMON,
      .width = WIDTH_MEDIUM,
      .display_name = "Reload Action",
      .documentation = "What to do when an external configuration value changes.",
      .values = reload_actions },
    { .name = "transforms",
      .type = OPTION_LIST,
      .fallback = "",
      .importance = IMPORTANCE_LOW,
      .group = "Transforms",
      .width = WIDTH_LONG,
      .display_name = "Transforms",
      .documentation = "Aliases of the transformations to apply to records. None are built in yet.",
      .check = nothing_yet },
    { .name = "predicates",
      .type = OPTION_LIST,
      .fallback = "",
      .importance = IMPORTANCE_LOW,
      .group = "Predicates",
      .width = WIDTH_LONG,
      .display_name = "Predicates",
      .documentation = "Aliases of the predicates used by transformations. None are built in yet.",
      .check = nothing_yet },
    { .name = "errors.retry.timeout",
      .type = OPTION_LONG,
      .fallback = "0",
      .importance = IMPORTANCE_MEDIUM,
      .group = ERRORS,
      .width = WIDTH_MEDIUM,
      .display_name = "Retry Timeout for Errors",
      .documentation = "Kept for compatibility: what may succeed later is always tried again." },
    { .name = "errors.retry.delay.max.ms",
      .type = OPTION_LONG,
      .fallback = "60000",
      .importance = IMPORTANCE_MEDIUM,
      .group = ERRORS,
      .width = WIDTH_MEDIUM,
      .display_name = "Maximum Delay Between Retries for Errors",
      .documentation = "Kept for compatibility." },
    { .name = "errors.tolerance",
      .type = OPTION_STRING,
      .fallback = "none",
      .importance = IMPORTANCE_MEDIUM,
      .group = ERRORS,
      .width = WIDTH_SHORT,
      .display_name = "Error Tolerance",
      .documentation = "none: a record that cannot be converted fails the task; all: it is logged and left out.",
      .values = tolerances },
    { .name = "errors.log.enable",
      .type = OPTION_BOOLEAN,
      .fallback = "false",
      .importance = IMPORTANCE_MEDIUM,
      .group = ERRORS,
      .width = WIDTH_SHORT,
      .display_name = "Log Errors",
      .documentation = "Kept for compatibility: errors are always logged." },
    { .name = "errors.log.include.messages",
      .type = OPTION_BOOLEAN,
      .fallback = "false",
      .importance = IMPORTANCE_MEDIUM,
      .group = ERRORS,
      .width = WIDTH_SHORT,
      .display_name = "Log Error Details",
      .documentation = "Kept for compatibility: contents of records are never logged." },
};

static const struct option of_source[] = {
    { .name = "topic.creation.groups",
      .type = OPTION_LIST,
      .fallback = "",
      .importance = IMPORTANCE_LOW,
      .group = "Topic Creation",
      .width = WIDTH_LONG,
      .display_name = "Topic Creation Groups",
      .documentation = "Groups of topics besides 'default'. None are supported yet.",
      .check = nothing_yet },
    { .name = "topic.creation.default.replication.factor",
      .type = OPTION_SHORT,
      .min = -1,
      .max = INT16_MAX,
      .importance = IMPORTANCE_LOW,
      .group = "Topic Creation",
      .width = WIDTH_LONG,
      .documentation = "Replicas of topics made for this connector; -1: the broker's default. When it is not set, the "
                       "broker makes topics as they are written to." },
    { .name = "topic.creation.default.partitions",
      .type = OPTION_INT,
      .min = -1,
      .max = INT32_MAX,
      .importance = IMPORTANCE_LOW,
      .group = "Topic Creation",
      .width = WIDTH_LONG,
      .documentation = "Partitions of topics made for this connector; -1: the broker's default." },
    { .name = "exactly.once.support",
      .type = OPTION_STRING,
      .fallback = "requested",
      .importance = IMPORTANCE_MEDIUM,
      .group = "Exactly Once Support",
      .width = WIDTH_SHORT,
      .display_name = "Exactly once support",
      .documentation = "Only 'requested': transactions are not used.",
      .values = exactly_once },
    { .name = "offsets.storage.topic",
      .type = OPTION_STRING,
      .importance = IMPORTANCE_LOW,
      .group = "Offsets Topic",
      .width = WIDTH_LONG,
      .display_name = "Offsets topic",
      .documentation = "A topic of its own for this connector's offsets. Not supported: the worker's is used." },
};

static const struct option of_sink[] = {
    { .name = "topics",
      .type = OPTION_LIST,
      .fallback = "",
      .importance = IMPORTANCE_HIGH,
      .group = COMMON,
      .width = WIDTH_LONG,
      .display_name = "Topics",
      .documentation = "List of topics to consume, separated by commas." },
    { .name = "topics.regex",
      .type = OPTION_STRING,
      .fallback = "",
      .importance = IMPORTANCE_HIGH,
      .group = COMMON,
      .width = WIDTH_LONG,
      .display_name = "Topics regex",
      .documentation = "Regular expression that the whole name of a topic must match. Only one of topics or "
                       "topics.regex should be given.",
      .check = regex_of_topics },
    { .name = "errors.deadletterqueue.topic.name",
      .type = OPTION_STRING,
      .fallback = "",
      .importance = IMPORTANCE_MEDIUM,
      .group = ERRORS,
      .width = WIDTH_MEDIUM,
      .display_name = "Dead Letter Queue Topic Name",
      .documentation = "Topic for records that could not be handled. Taken but not written to yet: such records are "
                       "logged." },
    { .name = "errors.deadletterqueue.topic.replication.factor",
      .type = OPTION_SHORT,
      .fallback = "3",
      .importance = IMPORTANCE_MEDIUM,
      .group = ERRORS,
      .width = WIDTH_MEDIUM,
      .display_name = "Dead Letter Queue Topic Replication Factor",
      .documentation = "Kept for compatibility." },
    { .name = "errors.deadletterqueue.context.headers.enable",
      .type = OPTION_BOOLEAN,
      .fallback = "false",
      .importance = IMPORTANCE_MEDIUM,
      .group = ERRORS,
      .width = WIDTH_MEDIUM,
      .display_name = "Enable Error Context Headers",
      .documentation = "Kept for compatibility." },
};

struct option_rows options_common(void)
{
    return (struct option_rows){ common, ARRAY_LEN(common) };
}

struct option_rows options_of_kind(enum connector_kind kind)
{
    return kind == CONNECTOR_SOURCE ? (struct option_rows){ of_source, ARRAY_LEN(of_source) }
                                    : (struct option_rows){ of_sink, ARRAY_LEN(of_sink) };
}

const char *const *options_converters(void)
{
    return converters;
}

static struct str simple_name(struct str name)
{
    for (size_t i = name.len; i-- > 0;)
        if (name.p[i] == '.')
            return str_skip(name, i + 1);
    return name;
}

static bool class_is(const struct connector_class *class, struct str name)
{
    struct str full = str_of(class->class_name), simple = simple_name(full), alias = simple;

    if (str_ends(alias, "Connector"))
        alias.len -= strlen("Connector");
    return str_eq(name, full) || str_eq(name, simple) || str_eq(name, alias);
}

const struct connector_class *class_find(struct str name)
{
    for (size_t i = 0; connector_classes[i]; i++)
        if (class_is(connector_classes[i], name))
            return connector_classes[i];
    return NULL;
}
