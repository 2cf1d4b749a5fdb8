/* The log as the faces read it; see stream.h. */
#include "face/stream/stream.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ASK_TIMEOUT_MS = 10000, POLL_MS = 1000, TOPICS_MAX = 10000, LEADER_TRIES = 20, LEADER_WAIT_US = 100000 };

static const char *const consumer_config[][2] = {
    { "enable.auto.commit", "false" },         { "enable.partition.eof", "true" },
    { "auto.offset.reset", "earliest" },       { "fetch.wait.max.ms", "100" },
    { "fetch.error.backoff.ms", "50" },        { "fetch.message.max.bytes", "8388608" },
    { "queued.max.messages.kbytes", "32768" }, { "log_level", "0" },
};

enum rc stream_open(const struct station *station, struct stream *out, struct err *err)
{
    char words[512];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();

    rd_kafka_conf_set(conf, "bootstrap.servers", station_address(station, "log"), words, sizeof words);
    rd_kafka_conf_set(conf, "group.id", "haus-cli", words, sizeof words); /* never joined: partitions are assigned */
    for (size_t i = 0; i < ARRAY_LEN(consumer_config); i++)
        rd_kafka_conf_set(conf, consumer_config[i][0], consumer_config[i][1], words, sizeof words);
    rd_kafka_t *consumer = rd_kafka_new(RD_KAFKA_CONSUMER, conf, words, sizeof words);
    if (!consumer) {
        rd_kafka_conf_destroy(conf);
        return err_set(err, RC_FATAL, "cannot read the log: %s", words);
    }
    rd_kafka_poll_set_consumer(consumer);
    *out = (struct stream){ .station = station, .consumer = consumer, .http = http_client_new() };
    return RC_OK;
}

static void free_document(void *document)
{
    avro_document_free(document);
}

void stream_close(struct stream *stream)
{
    if (stream->consumer) {
        rd_kafka_consumer_close(stream->consumer);
        rd_kafka_destroy(stream->consumer);
    }
    http_client_free(stream->http);
    map_free(&stream->schemas, free_document);
    *stream = (struct stream){ 0 };
}

/* ---------------------------------------------------------------- topics */

/* A partition made a moment ago on a real cluster may not have its leader yet: asked again for a while. */
static rd_kafka_resp_err_t ask_offsets(rd_kafka_t *consumer, const char *topic, struct stream_partition *p)
{
    for (int tries = 0;; tries++) {
        rd_kafka_resp_err_t failed =
            rd_kafka_query_watermark_offsets(consumer, topic, p->id, &p->begin, &p->end, ASK_TIMEOUT_MS);
        bool soon = failed == RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION ||
                    failed == RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE ||
                    failed == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART;
        if (!soon || tries == LEADER_TRIES)
            return failed;
        usleep(LEADER_WAIT_US);
    }
}

static enum rc read_partitions(struct stream *stream, const rd_kafka_metadata_topic_t *meta, struct stream_topic *topic,
                               struct err *err)
{
    topic->count = (size_t)meta->partition_cnt;
    topic->partitions = NEW_ARRAY(struct stream_partition, topic->count);
    for (size_t i = 0; i < topic->count; i++) {
        struct stream_partition *p = &topic->partitions[i];
        p->id = meta->partitions[i].id;
        rd_kafka_resp_err_t failed = ask_offsets(stream->consumer, topic->name, p);
        if (failed)
            return err_set(err, RC_RETRY, "cannot ask for the offsets of '%s-%d': %s", topic->name, (int)p->id,
                           rd_kafka_err2str(failed));
    }
    return RC_OK;
}

static int topic_cmp(const void *a, const void *b)
{
    return strcmp(((const struct stream_topic *)a)->name, ((const struct stream_topic *)b)->name);
}

enum rc stream_topics(struct stream *stream, const char *name, struct stream_topic **out, size_t *count,
                      struct err *err)
{
    const rd_kafka_metadata_t *meta = NULL;
    struct stream_topic *topics = NULL;
    size_t n = 0;
    rd_kafka_resp_err_t failed = rd_kafka_metadata(stream->consumer, 1, NULL, &meta, ASK_TIMEOUT_MS);
    enum rc rc = RC_OK;

    if (failed)
        return err_set(err, RC_RETRY, "cannot list topics: %s", rd_kafka_err2str(failed));
    topics = NEW_ARRAY(struct stream_topic, (size_t)meta->topic_cnt);
    for (int i = 0; !rc && i < meta->topic_cnt; i++) {
        if (name && strcmp(meta->topics[i].topic, name) != 0)
            continue;
        topics[n].name = mem_strdup(meta->topics[i].topic);
        rc = read_partitions(stream, &meta->topics[i], &topics[n++], err);
    }
    rd_kafka_metadata_destroy(meta);
    if (!rc && name && !n)
        rc = err_set(err, RC_NOT_FOUND, "there is no topic '%s'; 'haus topic list' shows them", name);
    if (rc) {
        stream_topics_free(topics, n);
        return rc;
    }
    if (n)
        qsort(topics, n, sizeof *topics, topic_cmp);
    *out = topics;
    *count = n;
    return RC_OK;
}

void stream_topics_free(struct stream_topic *topics, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        free(topics[i].name);
        free(topics[i].partitions);
    }
    free(topics);
}

/* --------------------------------------------------------------- reading */

static size_t assign(struct stream *stream, const struct stream_topic *topic, bool forever)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new((int)topic->count);
    size_t open = 0;

    for (size_t i = 0; i < topic->count; i++) {
        const struct stream_partition *p = &topic->partitions[i];
        if (p->begin >= p->end && !forever)
            continue;
        rd_kafka_topic_partition_list_add(list, topic->name, p->id)->offset = p->begin;
        open++;
    }
    rd_kafka_assign(stream->consumer, list);
    rd_kafka_topic_partition_list_destroy(list);
    return open;
}

/* true when this was the last record wanted of its partition; control records may hide the very last one */
static bool is_last(const struct stream_topic *topic, const rd_kafka_message_t *record)
{
    for (size_t i = 0; i < topic->count; i++)
        if (topic->partitions[i].id == record->partition)
            return record->err == RD_KAFKA_RESP_ERR__PARTITION_EOF || record->offset + 1 >= topic->partitions[i].end;
    return false;
}

enum rc stream_read(struct stream *stream, const struct stream_topic *topic, bool forever, stream_record_fn *each,
                    void *user, struct err *err)
{
    size_t open = assign(stream, topic, forever);
    CLEANUP_FREE bool *done = NEW_ARRAY(bool, topic->count);
    enum rc rc = RC_OK;

    while (!rc && (open || forever)) {
        rd_kafka_message_t *record = rd_kafka_consumer_poll(stream->consumer, POLL_MS);
        if (!record)
            continue;
        if (!record->err)
            rc = each(user, record, err);
        else if (record->err != RD_KAFKA_RESP_ERR__PARTITION_EOF)
            rc = err_set(err, RC_RETRY, "cannot read '%s': %s", topic->name, rd_kafka_message_errstr(record));
        if (is_last(topic, record))
            for (size_t i = 0; i < topic->count; i++)
                if (topic->partitions[i].id == record->partition && !done[i]) {
                    done[i] = true;
                    open--;
                }
        rd_kafka_message_destroy(record);
    }
    rd_kafka_assign(stream->consumer, NULL);
    return rc;
}

/* -------------------------------------------------------------- decoding */

bool stream_is_avro(struct str bytes, uint32_t *id, struct str *payload)
{
    const uint8_t *p = (const uint8_t *)bytes.p;

    if (bytes.len < 5 || p[0] != 0)
        return false;
    *id = (uint32_t)p[1] << 24 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 8 | p[4];
    *payload = str_skip(bytes, 5);
    return true;
}

enum rc stream_schema(struct stream *stream, uint32_t id, const struct avro_schema **out, struct err *err)
{
    CLEANUP_FREE char *key = mem_printf("%u", id);
    struct avro_document *document = map_get(&stream->schemas, str_of(key));
    struct http_answer answer = { 0 };

    if (!document) {
        CLEANUP_FREE char *url =
            mem_printf("http://%s/schemas/ids/%u", station_address(stream->station, "registry"), id);
        enum rc rc = http_client_call(stream->http, &(struct http_call){ .method = "GET", .url = url }, &answer, err);
        if (rc)
            return rc;
        json_t *body = json_loadb(buf_cstr(&answer.body), answer.body.len, 0, NULL);
        const char *text = json_string_value(json_object_get(body, "schema"));
        rc = text ? avro_schema_parse(str_of(text), &document, err)
                  : err_set(err, RC_NOT_FOUND, "the registry does not know schema %u", id);
        json_decref(body);
        http_answer_free(&answer);
        if (rc)
            return rc;
        map_put(&stream->schemas, str_of(key), document);
    }
    *out = avro_root(document);
    return RC_OK;
}

static bool is_json(struct str bytes)
{
    json_t *value = json_loadb(bytes.p, bytes.len, JSON_DECODE_ANY, NULL);

    json_decref(value);
    return value != NULL;
}

void stream_text(struct stream *stream, struct str bytes, struct buf *out)
{
    const struct avro_schema *schema = NULL;
    struct str payload = { 0 };
    uint32_t id = 0;
    size_t before = out->len;

    if (!bytes.p) {
        buf_puts(out, "null");
        return;
    }
    if (stream_is_avro(bytes, &id, &payload) && !stream_schema(stream, id, &schema, NULL)) {
        struct avro_reader reader = avro_reader_of(payload);
        avro_to_json(&reader, schema, AVRO_JSON_PLAIN, out);
        if (!avro_reader_failed(&reader))
            return;
        out->len = before;
    }
    if (str_is_utf8(bytes) && is_json(bytes))
        buf_put_str(out, bytes);
    else if (str_is_utf8(bytes))
        avro_json_print_str(bytes, out);
    else {
        buf_puts(out, "\"0x");
        encode_hex(out, bytes.p, bytes.len);
        buf_putc(out, '"');
    }
}
