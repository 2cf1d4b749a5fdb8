/*
 * From a frame to its handler, and from an answer's struct to bytes.
 *
 * Versions: an API that we do not have, or a version outside its range, closes the connection as Kafka does — except
 * ApiVersions, which is answered in version 0 with error 35 and our ranges, so that the client can
 * come down.  Kafka also advertises Produce from version 0 while it accepts 3 and up: librdkafka below 2.11.1 turns
 * compression off otherwise (KAFKA-18659).
 */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>

#include "stream/log/connection.h"

enum { TRIM_ABOVE = 64 << 10, TRIM_AFTER_MS = 5000 };

static void answer_api_versions(struct request *request);

static const struct log_api own_apis[] = { { .key = KAFKA_API_API_VERSIONS, .handler = answer_api_versions }, { 0 } };
static const struct log_api *const tables[] = { own_apis,   produce_apis, fetch_apis,  metadata_apis,
                                                topic_apis, group_apis,   config_apis, security_apis };

static const struct log_api *find_row(int key)
{
    for (size_t t = 0; t < ARRAY_LEN(tables); t++)
        for (const struct log_api *row = tables[t]; row->handler; row++)
            if (row->key == key)
                return row;
    return NULL;
}

/* -------------------------------------------------------------------------------------- answers */

void sendable_hold(struct sendable *sendable)
{
    sendable->refs++;
}

void sendable_drop(struct sendable *sendable)
{
    if (--sendable->refs == 0)
        sendable->free(sendable);
}

static void add_cut(struct kafka_writer *writer, const struct kafka_records *records)
{
    struct reply *reply = writer->context;

    if (records->len == 0)
        return;
    reply->cuts = mem_grow(reply->cuts, reply->cut_count + 1, sizeof *reply->cuts);
    reply->cuts[reply->cut_count++] =
        (struct reply_cut){ .pos = reply->bytes.len, .file = records->from, .at = records->at, .len = records->len };
    sendable_hold(records->from);
}

void server_trim(void *context)
{
    struct server *server = context;

    server->trim_is_set = false;
    malloc_trim(0);
}

/* Memory of large requests is kept for the next ones, and given back when the rush may be over. */
static void trim_later(struct server *server, size_t size)
{
    if (size < TRIM_ABOVE || server->trim_is_set)
        return;
    server->trim_is_set = true;
    server_timer_set(server->trim_timer, TRIM_AFTER_MS);
}

/* the request stays in line until its turn; what it holds goes now */
static void settle(struct request *request)
{
    struct connection *connection = request->connection;

    request->answered = true;
    connection->in_flight--;
    connection->in_flight_bytes -= request->frame_size;
    if (request->stops_reading)
        connection->parked--;
    free(request->frame);
    request->frame = NULL;
    arena_free(&request->arena);
    trim_later(request->server, request->frame_size);
    connection_touch(connection);
}

void request_reply(struct request *request, const void *response)
{
    if (FAULT_POINT("log.answer")) {
        request_abort(request, "the answer cannot be sent");
        return;
    }
    struct reply *reply = NEW(struct reply);
    struct kafka_writer writer = { .out = &reply->bytes, .splice = add_cut, .context = reply };
    bool flexible = kafka_api_is_flexible(request->api, request->version);
    uint64_t size = 0;

    reply->bytes.max = RESPONSE_MAX;
    kafka_write_int(&reply->bytes, 0, 4);
    kafka_write_response_header(&reply->bytes, request->api, request->version, request->correlation_id);
    kafka_write(&writer, request->api->response, request->version, flexible, response);
    size = reply->bytes.len - MIN(reply->bytes.len, 4u);
    for (size_t i = 0; i < reply->cut_count; i++)
        size += reply->cuts[i].len;
    request->reply = reply;
    if (buf_failed(&reply->bytes) || size > INT32_MAX) {
        request_abort(request, "the answer is too large");
        return;
    }
    for (int i = 0; i < 4; i++)
        reply->bytes.data[i] = (char)(size >> (24 - 8 * i));
    settle(request);
}

void request_drop(struct request *request)
{
    settle(request);
}

void request_abort(struct request *request, const char *why)
{
    static struct log_rate rate;
    struct connection *connection = request->connection;
    unsigned more = 0;

    if (log_allow(&rate, 30, &more))
        log_warn("closed a connection", "why=%s api=%s version=%d client=%.*s peer=%s left_out=%u", why,
                 request->api ? request->api->name : "unknown", request->version, STR_ARG(request->client_id),
                 connection->peer, more);
    request->cancel = NULL;
    connection_close(connection);
}

void request_allow_pipelining(struct request *request)
{
    if (!request->stops_reading)
        return;
    request->stops_reading = false;
    request->connection->parked--;
}

const char *request_local_host(const struct request *request)
{
    return request->connection->local;
}

int request_local_port(const struct request *request)
{
    return request->connection->local_port;
}

const char *request_peer_host(const struct request *request)
{
    return request->connection->peer;
}

void request_free(struct request *request)
{
    free(request->frame);
    arena_free(&request->arena);
    free(request);
}

/* ------------------------------------------------------------------------------------- requests */

static struct request *new_request(struct connection *connection, char *frame, size_t size)
{
    struct request *request = NEW(struct request);

    request->server = connection->server;
    request->broker = connection->server->broker;
    request->connection = connection;
    request->frame = frame;
    request->frame_size = size;
    request->arena.max = REQUEST_ARENA_MAX;
    request->stops_reading = true;
    *(connection->last ? &connection->last->next : &connection->first) = request;
    connection->last = request;
    connection->in_flight++;
    connection->parked++;
    connection->in_flight_bytes += size;
    connection->server->requests++;
    return request;
}

/* Bytes behind the body are ignored, as Kafka does: librdkafka 2.12 and later send one too many in Metadata 13. */
static bool decode_body(struct request *request, struct kafka_reader *reader)
{
    bool flexible = kafka_api_is_flexible(request->api, request->version);
    char why[256];

    request->body = arena_alloc(&request->arena, request->api->request->size);
    kafka_read(reader, request->api->request, request->version, flexible, request->body);
    if (!reader->error)
        return true;
    snprintf(why, sizeof why, "field '%s' %s", reader->field ? reader->field : "tags", reader->error);
    request_abort(request, why);
    return false;
}

void request_begin(struct connection *connection, char *frame, size_t size)
{
    struct request *request = new_request(connection, frame, size);
    struct kafka_reader reader = { .at = frame, .end = frame + size, .arena = &request->arena };
    struct kafka_request_header header;

    request->api = kafka_read_request_header(&reader, &header);
    request->version = header.version;
    request->correlation_id = header.correlation_id;
    request->client_id = header.client_id;
    const struct log_api *row = request->api ? find_row(header.key) : NULL;
    bool is_newer = row && header.key == KAFKA_API_API_VERSIONS && header.version > request->api->max;
    if (!row || (reader.error && !is_newer)) {
        request_abort(request, reader.error ? "the request's header is damaged" : "this API is not supported");
        return;
    }
    if (header.version < request->api->min || header.version > request->api->max) {
        if (!is_newer) {
            request_abort(request, "this version of the API is not supported");
            return;
        }
        request->version = -1; /* told to the handler */
        request->body = arena_alloc(&request->arena, request->api->request->size);
    } else if (!decode_body(request, &reader)) {
        return;
    }
    row->handler(request);
}

void *request_alloc(struct request *request, size_t count, size_t size)
{
    void *p = arena_array(&request->arena, count, size);

    if (!p)
        request_abort(request, "the answer is too large");
    return p;
}

/* ---------------------------------------------------------------------------------- ApiVersions */

/* letters and digits, with '.' and '-' inside (KIP-511) */
static bool is_software_text(struct str s)
{
    for (size_t i = 0; i < s.len; i++) {
        bool alnum = (s.p[i] >= '0' && s.p[i] <= '9') || ((s.p[i] | 32) >= 'a' && (s.p[i] | 32) <= 'z');
        if (!alnum && !((s.p[i] == '.' || s.p[i] == '-') && i > 0 && i + 1 < s.len))
            return false;
    }
    return s.len > 0;
}

static void list_apis(struct request *request, struct kafka_api_versions_response *response)
{
    response->api_keys.items = request_alloc(request, kafka_api_count, sizeof *response->api_keys.items);
    for (size_t i = 0; i < kafka_api_count && response->api_keys.items; i++) {
        const struct kafka_api *api = &kafka_apis[i];
        const struct log_api *row = find_row(api->key);
        if (!row)
            continue;
        response->api_keys.items[response->api_keys.count++] = (struct kafka_api_versions_response_api_key){
            .api_key = api->key,
            .min_version = row->advertised_max ? row->advertised_min : api->min,
            .max_version = row->advertised_max ? row->advertised_max : api->max,
        };
    }
}

static void answer_api_versions(struct request *request)
{
    enum { METADATA_VERSION_MIN = 7, METADATA_VERSION = 27 }; /* the feature level of 4.1 */
    const struct kafka_api_versions_request *body = request->body;
    struct kafka_api_versions_response response = { .finalized_features_epoch = 0 };
    struct kafka_api_versions_response_supported_feature supported = { STR("metadata.version"), METADATA_VERSION_MIN,
                                                                       METADATA_VERSION };
    struct kafka_api_versions_response_finalized_feature finalized = { STR("metadata.version"), METADATA_VERSION,
                                                                       METADATA_VERSION };

    if (request->version < 0) {
        response.error_code = KAFKA_UNSUPPORTED_VERSION;
        request->version = 0;
    } else if (request->version >= 3 &&
               (!is_software_text(body->client_software_name) || !is_software_text(body->client_software_version))) {
        response.error_code = KAFKA_INVALID_REQUEST;
        request_reply(request, &response);
        return;
    }
    list_apis(request, &response);
    if (!response.api_keys.items)
        return;
    response.supported_features.items = &supported;
    response.supported_features.count = 1;
    response.finalized_features.items = &finalized;
    response.finalized_features.count = 1;
    request_reply(request, &response);
}
