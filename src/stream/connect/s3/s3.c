/*
 * A task of the S3 sink: converts values, finds the file schema of each schema, and hands records to
 * the writer of their partition.  One thread.
 */
#include "stream/connect/s3/s3.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "stream/connect/data/converter.h"
#include "stream/connect/s3/file_schema.h"
#include "stream/connect/s3/writer.h"

enum { FILE_SCHEMAS_MAX = 10000 };

struct s3_task {
    struct task_context *ctx;
    struct s3_sink_options options;
    struct converter *converter;
    struct s3_client *client;
    struct s3_target target;
    struct map writers;     /* "topic-partition" -> struct s3_writer * */
    struct map schemas;     /* "id/version" -> file schema's text */
    struct s3_writer *last; /* of the record before: mostly the next one's too */
    struct buf object;
};

/* ------------------------------------------------------------ the target: S3 and the group */

static enum rc target_put(void *user, const char *key, struct str body, struct err *err)
{
    struct s3_task *task = user;

    return s3_replace(task->client, task->options.bucket, key, body, "application/octet-stream", err);
}

static enum rc target_begin(void *user, const char *key, char **upload_id, struct err *err)
{
    struct s3_task *task = user;

    return s3_multipart_begin(task->client, task->options.bucket, key, "application/octet-stream", upload_id, err);
}

static enum rc target_part(void *user, const char *key, const char *upload_id, int number, struct str body,
                           char etag[static S3_ETAG_MAX], struct err *err)
{
    struct s3_task *task = user;

    return s3_multipart_put(task->client, task->options.bucket, key, upload_id, number, body, etag, err);
}

static enum rc target_complete(void *user, const char *key, const char *upload_id, const char (*etags)[S3_ETAG_MAX],
                               int parts, struct err *err)
{
    struct s3_task *task = user;

    return s3_multipart_replace(task->client, task->options.bucket, key, upload_id, etags, parts, err);
}

static void target_abort(void *user, const char *key, const char *upload_id)
{
    struct s3_task *task = user;
    struct err err = { 0 };

    if (s3_multipart_abort(task->client, task->options.bucket, key, upload_id, &err))
        log_warn("upload not aborted; it stays invisible", "key=%s cause=%s", key, err.text);
}

static enum rc target_commit(void *user, const char *topic, int32_t partition, int64_t next_offset, struct err *err)
{
    struct s3_task *task = user;

    return sink_commit(task->ctx, topic, partition, next_offset, err);
}

/* ------------------------------------------------------------ start and stop */

static const char *lookup(const void *user, const char *name)
{
    return config_given(user, name);
}

static enum rc open_converter(struct s3_task *task, struct err *err)
{
    const struct converter_config config = {
        .station = task->ctx->station,
        .connector = { lookup, task->ctx->config },
        .worker = { lookup, task->ctx->worker },
    };
    enum rc rc = converter_new(&config, &task->converter, err);

    if (!rc && converter_kind(task->converter) == CONVERTER_JSON)
        return err_set(err, RC_BAD_INPUT,
                       "value.converter JsonConverter cannot be written as AvroFormat here; use AvroConverter, "
                       "StringConverter or ByteArrayConverter");
    return rc;
}

/* The key pair: the connector's, else AWS's variables, else the house's own store's. */
static void find_keys(const struct s3_task *task, const char **key, const char **secret)
{
    const struct settings *settings = task->ctx->station->settings;
    static const char *const names[][2] = { { "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY" },
                                            { "MINIO_ROOT_USER", "MINIO_ROOT_PASSWORD" } };

    *key = config_text(task->ctx->config, "aws.access.key.id");
    *secret = config_text(task->ctx->config, "aws.secret.access.key");
    for (size_t i = 0; i < ARRAY_LEN(names) && !**key; i++) {
        *key = settings_get(settings, names[i][0], "");
        *secret = settings_get(settings, names[i][1], "");
    }
    if (!**key)
        *key = *secret = NULL;
}

static void open_client(struct s3_task *task)
{
    CLEANUP(buf_free) struct buf endpoint = { 0 };
    const char *url = config_text(task->ctx->config, "store.url"), *key = NULL, *secret = NULL;

    if (url && *url)
        station_resolve_url(task->ctx->station, str_of(url), &endpoint);
    else
        buf_printf(&endpoint, "https://s3.%s.amazonaws.com", task->options.region);
    while (endpoint.len && endpoint.data[endpoint.len - 1] == '/')
        endpoint.data[--endpoint.len] = '\0';
    find_keys(task, &key, &secret);
    task->client = s3_client_new(&(struct s3_options){
        .endpoint = buf_cstr(&endpoint), .region = task->options.region, .access_key = key, .secret_key = secret });
}

/* Asks for an object that is not there: the answer tells whether the bucket is. */
static enum rc check_bucket(struct s3_task *task, struct err *err)
{
    CLEANUP(buf_free) struct buf bytes = { 0 };
    CLEANUP_FREE char *key = mem_printf("%s/.connect-%s", task->options.topics_dir, task->ctx->connector);
    enum rc rc = s3_get_range(task->client, task->options.bucket, key, 0, 1, &bytes, err);

    if (rc == RC_RETRY)
        return err_wrap(err, "cannot reach the store");
    if (rc && strstr(err->text, "NoSuchBucket"))
        return err_set(err, RC_BAD_INPUT,
                       "bucket '%s' does not exist (s3.bucket.name); make it, the task then goes on by itself",
                       task->options.bucket);
    if (rc && (strstr(err->text, "InvalidAccessKeyId") || strstr(err->text, "SignatureDoesNotMatch")))
        return err_wrap(err, "the store refuses the keys (aws.access.key.id, aws.secret.access.key)");
    return RC_OK;
}

static void free_writer(void *writer)
{
    s3_writer_free(writer);
}

static void s3_stop(void *user)
{
    struct s3_task *task = user;

    map_free(&task->writers, free_writer);
    map_free(&task->schemas, free);
    converter_free(task->converter);
    s3_client_free(task->client);
    buf_free(&task->object);
    free(task);
}

static enum rc s3_start(struct task_context *ctx, void **out, struct err *err)
{
    struct s3_task *task = NEW(struct s3_task);

    task->ctx = ctx;
    s3_sink_options_read(ctx->config, &task->options);
    task->target = (struct s3_target){ .put = target_put,
                                       .begin = target_begin,
                                       .part = target_part,
                                       .complete = target_complete,
                                       .abort = target_abort,
                                       .commit = target_commit,
                                       .user = task };
    enum rc rc = open_converter(task, err);
    if (!rc) {
        open_client(task);
        rc = check_bucket(task, err);
    }
    if (rc) {
        s3_stop(task);
        return rc;
    }
    *out = task;
    return RC_OK;
}

/* ------------------------------------------------------------ partitions */

static struct s3_writer *writer_of(struct s3_task *task, const char *topic, int32_t partition)
{
    if (task->last && task->last->partition == partition && strcmp(task->last->topic, topic) == 0)
        return task->last;
    CLEANUP_FREE char *key = mem_printf("%s-%d", topic, partition);
    return task->last = map_get(&task->writers, str_of(key));
}

static enum rc s3_open(void *user, const char *topic, int32_t partition, struct err *err)
{
    struct s3_task *task = user;
    CLEANUP_FREE char *key = mem_printf("%s-%d", topic, partition);

    (void)err;
    task->last = NULL;
    s3_writer_free(
        map_put(&task->writers, str_of(key), s3_writer_new(topic, partition, &task->options, &task->target)));
    return RC_OK;
}

static void s3_close(void *user, const char *topic, int32_t partition)
{
    struct s3_task *task = user;
    CLEANUP_FREE char *key = mem_printf("%s-%d", topic, partition);

    task->last = NULL;
    s3_writer_free(map_remove(&task->writers, str_of(key)));
}

static void s3_rewind(void *user, const char *topic, int32_t partition)
{
    struct s3_writer *writer = writer_of(user, topic, partition);

    if (writer)
        s3_writer_rewind(writer);
}

/* ------------------------------------------------------------ records */

/* The file schema of a record's schema, made once. */
static enum rc schema_of(struct s3_task *task, const struct converter_data *data, struct str *out, struct err *err)
{
    char name[64];
    CLEANUP(buf_free) struct buf text = { 0 };
    int n = snprintf(name, sizeof name, "%u/%d", data->schema_id, data->schema_version);
    const char *known = map_get(&task->schemas, str_n(name, (size_t)n));

    if (!known) {
        struct file_schema_options options = { .no_meta_data = !task->options.connect_meta_data,
                                               .version = data->schema_version };
        enum rc rc = file_schema_make(data->schema, &options, &text, err);
        if (rc)
            return rc;
        if (task->schemas.count >= FILE_SCHEMAS_MAX)
            return err_set(err, RC_FULL, "one task knows at most %d schemas", FILE_SCHEMAS_MAX);
        known = buf_take(&text);
        free(map_put(&task->schemas, str_n(name, (size_t)n), (void *)(uintptr_t)known));
    }
    *out = str_of(known);
    return RC_OK;
}

/* Text and bytes converters give optional values: a union whose second branch it is. */
static void wrap_optional(struct s3_task *task, const struct converter_data *data, struct s3_record *record)
{
    buf_clear(&task->object);
    avro_write_long(&task->object, 1);
    avro_write_bytes(&task->object, data->payload);
    record->object = buf_str(&task->object);
    record->schema = converter_kind(task->converter) == CONVERTER_STRING ? STR("[\"null\",\"string\"]")
                                                                         : STR("[\"null\",\"bytes\"]");
}

static enum rc convert(struct s3_task *task, const struct sink_record *in, struct s3_record *out, struct err *err)
{
    struct converter_data data = { 0 };
    enum rc rc = converter_decode(task->converter, str_of(in->topic), in->value, &data, err);

    *out = (struct s3_record){ .offset = in->offset, .time_ms = in->timestamp_ms };
    if (rc)
        return err_wrap(err, "cannot convert the value at offset %lld of '%s-%d'", (long long)in->offset, in->topic,
                        in->partition);
    if (converter_kind(task->converter) != CONVERTER_AVRO) {
        wrap_optional(task, &data, out);
        return RC_OK;
    }
    out->object = data.payload;
    return schema_of(task, &data, &out->schema, err);
}

static enum rc null_value(const struct s3_task *task, struct s3_writer *writer, const struct sink_record *record,
                          struct err *err)
{
    if (task->options.nulls == NULL_FAIL)
        return err_set(err, RC_BAD_INPUT,
                       "Null valued records are not writeable with current behavior.on.null.values 'fail' (offset %lld "
                       "of '%s-%d'); set it to 'ignore', or 'tombstones.on.delete' of the source to false",
                       (long long)record->offset, record->topic, record->partition);
    s3_writer_skip(writer, record->offset);
    return RC_OK;
}

static enum rc s3_put_record(void *user, const struct sink_record *in, struct err *err)
{
    struct s3_task *task = user;
    struct s3_writer *writer = writer_of(task, in->topic, in->partition);
    struct s3_record record;

    if (!writer)
        return RC_OK; /* given back meanwhile */
    if (!in->value.p)
        return null_value(task, writer, in, err);
    enum rc rc = convert(task, in, &record, err);
    if (rc == RC_BAD_INPUT && task->options.tolerate_errors) {
        log_warn("record left out (errors.tolerance=all)", "connector=%s cause=%s", task->ctx->connector, err->text);
        s3_writer_skip(writer, in->offset);
        return RC_OK;
    }
    return rc ? rc : s3_writer_put(writer, &record, clock_wall_ms(), err);
}

static enum rc s3_tick(void *user, int64_t now_ms, int64_t *next_ms, struct err *err)
{
    struct s3_task *task = user;
    enum rc rc = RC_OK;

    for (struct map_entry *e = NULL; !rc && (e = map_next(&task->writers, e));)
        rc = s3_writer_tick(e->value, now_ms, next_ms, err);
    return rc;
}

/* ------------------------------------------------------------ the class */

static const struct sink_ops s3_ops = {
    .start = s3_start,
    .stop = s3_stop,
    .open = s3_open,
    .close = s3_close,
    .put = s3_put_record,
    .tick = s3_tick,
    .rewind = s3_rewind,
};

const struct connector_class s3_sink_class = {
    .class_name = "io.confluent.connect.s3.S3SinkConnector",
    .task_class = "io.confluent.connect.s3.S3SinkTask",
    .version = "10.6.3",
    .kind = CONNECTOR_SINK,
    .options = s3_option_rows,
    .option_count = S3_OPTIONS,
    .validate = s3_options_validate,
    .sink = &s3_ops,
};
