/* haus topic list|tail, haus schema list. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "face/cli/command.h"
#include "face/stream/stream.h"

static bool all;

static enum exit_code topic_list(struct house *house, int argc, char **argv)
{
    static const struct listing_column columns[] = { { "topic", false }, { "partitions", true }, { "records", true } };
    struct listing listing = { columns, ARRAY_LEN(columns), NULL, 0 };
    enum exit_code code = command_needs(house, "log");
    struct stream_topic *topics = NULL;
    CLEANUP(stream_close) struct stream stream = { 0 };
    CLEANUP(house_station_free) struct station station = { 0 };
    struct err err = { 0 };
    size_t count = 0;

    (void)argc, (void)argv;
    if (code)
        return code;
    command_station(house, "log", &station);
    if (stream_open(&station, &stream, &err) || stream_topics(&stream, NULL, &topics, &count, &err))
        return fail_err(&err);
    for (size_t i = 0; i < count; i++) {
        int64_t records = 0;
        for (size_t k = 0; k < topics[i].count; k++)
            records += topics[i].partitions[k].end - topics[i].partitions[k].begin;
        CLEANUP_FREE char *partitions = mem_printf("%zu", topics[i].count);
        CLEANUP_FREE char *records_text = mem_printf("%lld", (long long)records);
        if (all || topics[i].name[0] != '_')
            listing_add(&listing, topics[i].name, partitions, records_text);
    }
    stream_topics_free(topics, count);
    listing_print(&listing);
    return EXIT_DONE;
}

const struct command command_topic_list = {
    .name = "topic list",
    .summary = "topics with partitions and records",
    .options = { { "--all", 'a', OPTION_FLAG, &all, NULL, "also those whose names begin with '_'" } },
    .lists = true,
    .run = topic_list,
};

/* ------------------------------------------------------------------ tail */

static bool follow;
static int64_t last = 10;

static enum rc print_record(void *user, const rd_kafka_message_t *record, struct err *err)
{
    struct stream *stream = user;
    CLEANUP(buf_free) struct buf key = { 0 }, value = { 0 };

    (void)err;
    stream_text(stream, str_n(record->key, record->key_len), &key);
    stream_text(stream, str_n(record->payload, record->len), &value);
    if (output_json)
        printf("{\"topic\":\"%s\",\"partition\":%d,\"offset\":%lld,\"timestamp\":%lld,\"key\":%s,\"value\":%s}\n",
               rd_kafka_topic_name(record->rkt), (int)record->partition, (long long)record->offset,
               (long long)rd_kafka_message_timestamp(record, NULL), buf_cstr(&key), buf_cstr(&value));
    else
        printf("%d:%lld  %s  %s\n", (int)record->partition, (long long)record->offset, buf_cstr(&key),
               buf_cstr(&value));
    if (follow)
        fflush(stdout);
    return RC_OK;
}

static enum exit_code topic_tail(struct house *house, int argc, char **argv)
{
    enum exit_code code = command_needs(house, "log");
    struct stream_topic *topic = NULL;
    CLEANUP(stream_close) struct stream stream = { 0 };
    CLEANUP(house_station_free) struct station station = { 0 };
    struct err err = { 0 };
    size_t count = 0;

    (void)argc;
    if (code)
        return code;
    command_station(house, "log", &station);
    if (stream_open(&station, &stream, &err) || stream_topics(&stream, argv[0], &topic, &count, &err))
        return fail_err(&err);
    for (size_t k = 0; k < topic->count; k++)
        topic->partitions[k].begin = MAX(topic->partitions[k].begin, topic->partitions[k].end - last);
    enum rc rc = stream_read(&stream, topic, follow, print_record, &stream, &err);
    stream_topics_free(topic, count);
    return rc ? fail_err(&err) : EXIT_DONE;
}

const struct command command_topic_tail = {
    .name = "topic tail",
    .summary = "the last records of a topic, decoded",
    .usage = "[-f] [-n N] <topic>",
    .args_min = 1,
    .args_max = 1,
    .options = { { "--follow", 'f', OPTION_FLAG, &follow, NULL, "go on as new records come" },
                 { "--last", 'n', OPTION_NUMBER, &last, "N", "records of each partition (10)" } },
    .lists = true,
    .run = topic_tail,
};

/* ---------------------------------------------------------------- schema */

static void add_schema(struct listing *listing, json_t *schema)
{
    CLEANUP_FREE char *version = mem_printf("%lld", (long long)json_integer_value(json_object_get(schema, "version")));
    CLEANUP_FREE char *id = mem_printf("%lld", (long long)json_integer_value(json_object_get(schema, "id")));
    const char *type = json_string_value(json_object_get(schema, "schemaType"));

    listing_add(listing, json_string_value(json_object_get(schema, "subject")), version, id, type ? type : "AVRO");
}

static enum exit_code schema_list(struct house *house, int argc, char **argv)
{
    static const struct listing_column columns[] = {
        { "subject", false }, { "version", true }, { "id", true }, { "type", false }
    };
    struct listing listing = { columns, ARRAY_LEN(columns), NULL, 0 };
    enum exit_code code = command_needs(house, "registry");
    struct http_answer answer = { 0 };
    struct err err = { 0 };
    json_t *one = NULL;
    size_t i = 0;

    (void)argc, (void)argv;
    if (code)
        return code;
    if (command_http(house, "registry", "GET", "/schemas", NULL, &answer, &err))
        return fail_err(&err);
    json_t *schemas = json_loadb(buf_cstr(&answer.body), answer.body.len, 0, NULL);
    if (!json_is_array(schemas))
        code = fail(EXIT_FAILED, "the registry answered %d: %s", answer.status, buf_cstr(&answer.body));
    json_array_foreach(schemas, i, one)
        add_schema(&listing, one);
    listing_print(&listing);
    json_decref(schemas);
    http_answer_free(&answer);
    return code;
}

const struct command command_schema_list = {
    .name = "schema list",
    .summary = "subjects with versions and ids",
    .lists = true,
    .run = schema_list,
};
