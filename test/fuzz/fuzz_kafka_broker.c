/*
 * A connection's requests to a real broker in this process, with a topic "t" of two partitions: the input is a row of
 * { API's row, version, body's length (2 bytes, big-endian), body }, to which we put the header.  Whatever they say,
 * the connection is answered or closed, and nothing is left behind.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "scratch.h"
#include "stream/log/broker.h"
#include "stream/log/connection.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { RUNS_OF_A_BROKER = 500, TURNS = 8, PARTITIONS_TRIED = 20 };

static struct settings settings;
static struct server *server;
static struct broker *broker;

static void close_broker(void)
{
    if (!server)
        return;
    broker_close(broker);
    server_free(server);
    server = NULL;
}

static void open_broker(void)
{
    static const char *const rows[][2] = { { "KAFKA_OFFSETS_TOPIC_NUM_PARTITIONS", "2" },
                                           { "KAFKA_GROUP_INITIAL_REBALANCE_DELAY_MS", "0" } };
    struct station station = {
        .name = "log", .home = scratch, .dir = scratch, .host = "127.0.0.1", .port = 9092, .settings = &settings
    };
    struct topic *topic = NULL;
    struct err err = { 0 };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        settings_set(&settings, str_of(rows[i][0]), str_of(rows[i][1]), "fuzz");
    if (!scratch[0]) {
        scratch_dir();
        atexit(close_broker);
    }
    scratch_remove();
    server = server_new();
    if (broker_open(&station, server, &broker, &err))
        abort();
    server_set_broker(server, broker);
    if (broker_create_topic(broker, STR("t"), 2, NULL, &topic, &err))
        abort();
}

static void turn(void)
{
    connections_work(server);
    server->before_sleep(server->before_sleep_context);
    uv_run(server_loop(server), UV_RUN_NOWAIT);
}

/* Thousands of partitions are thousands of folders: right, but slow. */
static bool is_too_slow(const struct kafka_api *api, int version, struct str body)
{
    CLEANUP(arena_free) struct arena arena = { .max = 8 << 20 };
    bool flexible = kafka_api_is_flexible(api, version);
    void *request = arena_alloc(&arena, api->request->size);
    int64_t partitions = 0;
    struct err err = { 0 };

    if ((api->key != KAFKA_API_CREATE_TOPICS && api->key != KAFKA_API_CREATE_PARTITIONS) ||
        kafka_decode(body, api->request, version, flexible, &arena, request, &err))
        return false;
    const struct kafka_create_topics_request *create = request;
    const struct kafka_create_partitions_request *add = request;
    if (api->key == KAFKA_API_CREATE_TOPICS)
        for (int32_t i = 0; i < create->topics.count; i++)
            partitions += MAX(create->topics.items[i].num_partitions, create->topics.items[i].assignments.count);
    else
        for (int32_t i = 0; i < add->topics.count; i++)
            partitions += add->topics.items[i].count;
    return partitions > PARTITIONS_TRIED;
}

/* One frame off the input; false at its end. */
static bool put_frame(struct str *input, int number, struct buf *out)
{
    CLEANUP(buf_free) struct buf frame = { 0 };

    if (input->len < 4)
        return false;
    const uint8_t *head = (const uint8_t *)input->p;
    const struct kafka_api *api = &kafka_apis[head[0] % kafka_api_count];
    int version = api->min + head[1] % (api->max - api->min + 1);
    size_t n = MIN((size_t)(head[2] << 8 | head[3]), input->len - 4);
    struct str body = str_n(input->p + 4, n);
    *input = str_skip(*input, 4 + n);
    if (is_too_slow(api, version, body))
        return true;
    struct kafka_request_header header = {
        .key = api->key, .version = (int16_t)version, .correlation_id = number, .client_id = STR("f")
    };
    kafka_write_request_header(&frame, api, &header);
    buf_put_str(&frame, body);
    buf_put_be32(out, (uint32_t)frame.len);
    buf_put_str(out, buf_str(&frame));
    return true;
}

/* What was answered is thrown away, so that there is room for more. */
static void drain(int fd)
{
    static char answers[1 << 16];

    while (recv(fd, answers, sizeof answers, MSG_DONTWAIT) > 0)
        ;
}

static void send_all(struct buf *bytes)
{
    int ends[2];

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) < 0)
        abort();
    connection_open(server, ends[0]);
    for (size_t sent = 0; sent < bytes->len;) {
        ssize_t n = send(ends[1], bytes->data + sent, bytes->len - sent, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n <= 0)
            break;
        sent += (size_t)n;
        turn();
        drain(ends[1]);
    }
    for (int i = 0; i < TURNS && server->connections && server->connections->first; i++) {
        turn();
        drain(ends[1]);
        usleep(20); /* the flusher */
    }
    close(ends[1]);
    while (server->connections)
        connection_close(server->connections);
    turn();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static unsigned runs;
    CLEANUP(buf_free) struct buf bytes = { 0 };
    struct str input = str_n((const char *)data, size);

    if (size > 16384)
        return 0;
    if (runs++ % RUNS_OF_A_BROKER == 0) {
        close_broker();
        log_setup("log", LOG_ERROR, false);
        open_broker();
    }
    for (int i = 0; i < 32 && put_frame(&input, i, &bytes); i++)
        ;
    if (bytes.len)
        send_all(&bytes);
    return 0;
}
