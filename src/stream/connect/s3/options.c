/*
 * The S3 sink's configuration keys as rows, names and defaults as in version 10.6.3.  Keys for what
 * is not built take only the value that means "off", with words that say so.
 */
#include "stream/connect/s3/options.h"

#include <string.h>

#define STORAGE             "S3"
#define CONNECTOR           "Connector"
#define PARTITIONER         "Partitioner"
#define DEFAULT_PARTITIONER "io.confluent.connect.storage.partitioner.DefaultPartitioner"

static const char *const storages[] = { "io.confluent.connect.s3.storage.S3Storage", NULL };
static const char *const null_behaviors[] = { "fail", "ignore", NULL };
static const char *const codecs[] = { "null", "deflate", "snappy", NULL };
static const char *const compatibilities[] = { "NONE", "BACKWARD", "FORWARD", "FULL", NULL };
static const char *const extractors[] = { "Wallclock", "Record", NULL };

static bool only(const char *value, const char *allowed, struct buf *why)
{
    if (strcasecmp(value, allowed) == 0)
        return true;
    buf_printf(why, "only '%s' is supported here", allowed);
    return false;
}

static bool only_false(const struct connector_config *config, const char *value, struct buf *why)
{
    (void)config;
    return only(value, "false", why);
}

static bool only_none(const struct connector_config *config, const char *value, struct buf *why)
{
    (void)config;
    return only(value, "none", why);
}

static bool only_avro(const struct connector_config *config, const char *value, struct buf *why)
{
    (void)config;
    return only(value, "io.confluent.connect.s3.format.avro.AvroFormat", why);
}

static bool only_default_partitioner(const struct connector_config *config, const char *value, struct buf *why)
{
    (void)config;
    return only(value, DEFAULT_PARTITIONER, why);
}

static bool bucket_check(const struct connector_config *config, const char *value, struct buf *why)
{
    (void)config;
    if (*value && !strchr(value, '/'))
        return true;
    buf_puts(why, "String must be the name of a bucket");
    return false;
}

static bool zone_check(const struct connector_config *config, const char *value, struct buf *why)
{
    (void)config;
    if (!*value || zone_is_known(value))
        return true;
    buf_printf(why, "The datetime zone id '%s' is not recognised", value);
    return false;
}

static bool url_check(const struct connector_config *config, const char *value, struct buf *why)
{
    (void)config;
    if (!*value || strncmp(value, "http://", 7) == 0 || strncmp(value, "https://", 8) == 0)
        return true;
    buf_puts(why, "String must be a URL that begins with http:// or https://");
    return false;
}

/* name, type, default, group, documentation, then whatever else */
#define ROW(n, t, d, g, doc, ...)                                                                                      \
    {                                                                                                                  \
        .name = (n), .type = (t), .fallback = (d), .group = (g), .documentation = (doc), .importance = IMPORTANCE_LOW, \
        .width = WIDTH_MEDIUM, ##__VA_ARGS__                                                                           \
    }
#define REQUIRED .required = true

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Woverride-init"
const struct option s3_option_rows[S3_OPTIONS] = {
    ROW("format.class", OPTION_CLASS, NULL, CONNECTOR, "Format of the files: AvroFormat.", REQUIRED,
        .importance = IMPORTANCE_HIGH, .check = only_avro),
    ROW("flush.size", OPTION_INT, NULL, CONNECTOR, "Records of one partition after which its file is closed.", REQUIRED,
        .min = 1, .max = INT32_MAX, .importance = IMPORTANCE_HIGH),
    ROW("rotate.interval.ms", OPTION_LONG, "-1", CONNECTOR,
        "Time between the first and the last record of a file; -1: no limit.", .min = -1, .max = INT64_MAX,
        .importance = IMPORTANCE_HIGH),
    ROW("rotate.schedule.interval.ms", OPTION_LONG, "-1", CONNECTOR,
        "Files are closed at multiples of this since midnight of 'timezone', with or without new records; -1: not.",
        .min = -1, .max = INT64_MAX, .importance = IMPORTANCE_MEDIUM),
    ROW("schema.compatibility", OPTION_STRING, "NONE", CONNECTOR,
        "A file is closed whenever the schema changes, whatever this says: records are never projected.",
        .values = compatibilities),
    ROW("schema.cache.size", OPTION_INT, "1000", CONNECTOR, "Kept for compatibility."),
    ROW("schemas.cache.config", OPTION_INT, "1000", CONNECTOR, "Kept for compatibility."),
    ROW("enhanced.avro.schema.support", OPTION_BOOLEAN, "true", CONNECTOR,
        "Kept for compatibility: enumerations stay enumerations.", .width = WIDTH_SHORT),
    ROW("connect.meta.data", OPTION_BOOLEAN, "true", CONNECTOR, "Keep connect.* properties in the files' schemas."),
    ROW("allow.optional.map.keys", OPTION_BOOLEAN, "false", CONNECTOR, "Kept for compatibility."),
    ROW("retry.backoff.ms", OPTION_LONG, "5000", CONNECTOR, "Pause before records are written again after a failure.",
        .min = 1, .max = INT32_MAX),
    ROW("behavior.on.null.values", OPTION_STRING, "fail", CONNECTOR, "What a record without value does: fail, ignore.",
        .values = null_behaviors),
    ROW("report.null.values.to.dlq", OPTION_BOOLEAN, "true", CONNECTOR, "Kept for compatibility."),
    ROW("store.kafka.keys", OPTION_BOOLEAN, "false", CONNECTOR, "Files of keys. Not built.", .check = only_false),
    ROW("store.kafka.headers", OPTION_BOOLEAN, "false", CONNECTOR, "Files of headers. Not built.", .check = only_false),
    ROW("rotate.file.on.partition.change", OPTION_BOOLEAN, "true", CONNECTOR, "Kept for compatibility."),
    ROW("max.write.duration.ms", OPTION_LONG, "9223372036854775807", CONNECTOR, "Kept for compatibility."),
    ROW("enable.conditional.writes", OPTION_BOOLEAN, "true", CONNECTOR,
        "Kept for compatibility: offsets are committed file by file, so that a file is only overwritten by itself."),
    ROW("max.files.scan.limit", OPTION_INT, "100", CONNECTOR, "Kept for compatibility."),
    ROW("storage.class", OPTION_CLASS, NULL, STORAGE, "The storage: S3Storage.", REQUIRED, .values = storages,
        .importance = IMPORTANCE_HIGH),
    ROW("s3.bucket.name", OPTION_STRING, NULL, STORAGE, "The bucket.", REQUIRED, .check = bucket_check,
        .importance = IMPORTANCE_HIGH),
    ROW("s3.region", OPTION_STRING, "us-west-2", STORAGE, "The region; any name."),
    ROW("store.url", OPTION_STRING, NULL, STORAGE, "Address of an S3 server other than AWS.", .check = url_check),
    ROW("s3.path.style.access.enabled", OPTION_BOOLEAN, "true", STORAGE, "Kept for compatibility: always path style."),
    ROW("aws.access.key.id", OPTION_STRING, "", STORAGE,
        "The access key. When empty: AWS_ACCESS_KEY_ID, then MINIO_ROOT_USER of the environment."),
    ROW("aws.secret.access.key", OPTION_PASSWORD, "", STORAGE,
        "The secret key. When empty: AWS_SECRET_ACCESS_KEY, then MINIO_ROOT_PASSWORD of the environment."),
    ROW("s3.credentials.provider.class", OPTION_STRING, "com.amazonaws.auth.DefaultAWSCredentialsProviderChain",
        STORAGE, "Kept for compatibility."),
    ROW("s3.part.size", OPTION_INT, "26214400", STORAGE,
        "Size of the parts of an upload; parts are of 5 MiB here, so that a file needs no more memory.", .min = 5242880,
        .max = INT32_MAX),
    ROW("s3.part.retries", OPTION_INT, "3", STORAGE, "Kept for compatibility: 5 tries, then retry.backoff.ms."),
    ROW("s3.retry.backoff.ms", OPTION_LONG, "200", STORAGE, "Kept for compatibility."),
    ROW("s3.elastic.buffer.enable", OPTION_BOOLEAN, "false", STORAGE, "Kept for compatibility: buffers grow always."),
    ROW("s3.elastic.buffer.init.capacity", OPTION_INT, "131072", STORAGE, "Kept for compatibility."),
    ROW("s3.compression.type", OPTION_STRING, "none", STORAGE, "Only for formats other than Avro.", .check = only_none),
    ROW("s3.compression.level", OPTION_INT, "-1", STORAGE, "Kept for compatibility."),
    ROW("avro.codec", OPTION_STRING, "null", STORAGE, "Compression of the blocks: null, deflate, snappy.",
        .values = codecs),
    ROW("s3.object.tagging", OPTION_BOOLEAN, "false", STORAGE, "Tags of objects. Not built.", .check = only_false),
    ROW("s3.wan.mode", OPTION_BOOLEAN, "false", STORAGE, "S3 acceleration. Not built.", .check = only_false),
    ROW("s3.send.digest", OPTION_BOOLEAN, "false", STORAGE, "Kept for compatibility: bodies are signed."),
    ROW("s3.http.send.expect.continue", OPTION_BOOLEAN, "true", STORAGE, "Kept for compatibility."),
    ROW("topics.dir", OPTION_STRING, "topics", STORAGE, "First directory of all keys.", .importance = IMPORTANCE_HIGH),
    ROW("directory.delim", OPTION_STRING, "/", STORAGE, "Between directories.", .importance = IMPORTANCE_MEDIUM),
    ROW("file.delim", OPTION_STRING, "+", STORAGE, "Between topic, partition and offset in a file's name.",
        .importance = IMPORTANCE_MEDIUM),
    ROW("filename.offset.zero.pad.width", OPTION_INT, "10", STORAGE, "Digits of the offset in a file's name.", .min = 0,
        .max = 19),
    ROW("partitioner.class", OPTION_CLASS, DEFAULT_PARTITIONER, PARTITIONER, "Only DefaultPartitioner: partition=<n>.",
        .check = only_default_partitioner, .importance = IMPORTANCE_HIGH),
    ROW("timestamp.extractor", OPTION_STRING, "Wallclock", PARTITIONER,
        "The time that rotate.interval.ms looks at: Wallclock, Record.", .values = extractors),
    ROW("timezone", OPTION_STRING, "", PARTITIONER, "Whose midnight rotate.schedule.interval.ms counts from.",
        .check = zone_check),
    ROW("locale", OPTION_STRING, "", PARTITIONER, "Kept for compatibility."),
    ROW("path.format", OPTION_STRING, "", PARTITIONER, "Kept for compatibility."),
    ROW("partition.duration.ms", OPTION_LONG, "-1", PARTITIONER, "Kept for compatibility."),
    ROW("partition.field.name", OPTION_LIST, "", PARTITIONER, "Kept for compatibility."),
};
#pragma GCC diagnostic pop

void s3_options_validate(const struct station *station, const struct connector_config *config,
                         struct validation *validation)
{
    (void)station;
    if (config_int(config, "rotate.schedule.interval.ms") > 0 && !*config_text(config, "timezone"))
        validation_error(validation, "timezone",
                         "Invalid value  for configuration timezone: Timezone configuration must be set when using "
                         "scheduled rotation");
    const char *key = config_text(config, "aws.access.key.id"), *secret = config_text(config, "aws.secret.access.key");
    if (!*key != !*secret)
        validation_error(validation, *key ? "aws.secret.access.key" : "aws.access.key.id",
                         "aws.access.key.id and aws.secret.access.key must be set together");
}

static int64_t positive(int64_t ms)
{
    return ms > 0 ? ms : -1;
}

void s3_sink_options_read(const struct connector_config *config, struct s3_sink_options *out)
{
    *out = (struct s3_sink_options){
        .bucket = config_text(config, "s3.bucket.name"),
        .region = config_text(config, "s3.region"),
        .topics_dir = config_text(config, "topics.dir"),
        .directory_delim = config_text(config, "directory.delim"),
        .file_delim = config_text(config, "file.delim"),
        .zone = config_text(config, "timezone"),
        .flush_size = config_int(config, "flush.size"),
        .rotate_ms = positive(config_int(config, "rotate.interval.ms")),
        .rotate_schedule_ms = positive(config_int(config, "rotate.schedule.interval.ms")),
        .rotate_by_record_time = str_is_nocase(str_of(config_text(config, "timestamp.extractor")), "Record"),
        .offset_digits = (int)config_int(config, "filename.offset.zero.pad.width"),
        .nulls =
            str_is_nocase(str_of(config_text(config, "behavior.on.null.values")), "ignore") ? NULL_IGNORE : NULL_FAIL,
        .connect_meta_data = config_bool(config, "connect.meta.data"),
        .enhanced = config_bool(config, "enhanced.avro.schema.support"),
        .tolerate_errors = str_is_nocase(str_of(config_given(config, "errors.tolerance")), "all"),
    };
    if (!avro_file_codec_of(str_of(config_text(config, "avro.codec")), &out->codec))
        out->codec = AVRO_CODEC_NULL;
}
