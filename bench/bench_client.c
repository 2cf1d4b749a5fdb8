/*
 * One Kafka client for any broker: how fast it takes records, how long an acknowledgement takes, how fast it gives
 * records back.  librdkafka with the same settings for each broker, so that the client's part is the same in both.
 *
 *     bench_client produce BROKERS TOPIC COUNT SIZE RATE [name=value...]     RATE 0: as fast as it goes
 *     bench_client fetch BROKERS TOPIC COUNT [name=value...]                 partition 0, from the beginning
 *
 * Prints one JSON object.  Latency is from rd_kafka_produce() to the delivery report, in microseconds.
 */
#include <librdkafka/rdkafka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { WAIT_MS = 100, BATCH = 10000, ERROR_BYTES = 512, GIVE_UP_S = 300 };

struct deliveries {
    int64_t *latency; /* of each message, as they came */
    int64_t done, failed;
};

static int64_t now_us(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static void on_delivery(rd_kafka_t *client, const rd_kafka_message_t *message, void *opaque)
{
    struct deliveries *deliveries = opaque;

    (void)client;
    if (message->err && deliveries->failed++ == 0)
        fprintf(stderr, "bench_client: %s\n", rd_kafka_err2str(message->err));
    deliveries->latency[deliveries->done++] = rd_kafka_message_latency(message);
}

static void set(rd_kafka_conf_t *conf, const char *name, const char *value)
{
    char error[ERROR_BYTES];

    if (rd_kafka_conf_set(conf, name, value, error, sizeof error) == RD_KAFKA_CONF_OK)
        return;
    fprintf(stderr, "bench_client: %s\n", error);
    exit(2);
}

/* settings: name=value of the command line */
static rd_kafka_t *connect_to(rd_kafka_type_t type, const char *brokers, char **settings, void *opaque)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    char error[ERROR_BYTES];

    set(conf, "bootstrap.servers", brokers);
    if (type == RD_KAFKA_PRODUCER) {
        set(conf, "acks", "all");
        set(conf, "queue.buffering.max.messages", "1000000");
        rd_kafka_conf_set_dr_msg_cb(conf, on_delivery);
        rd_kafka_conf_set_opaque(conf, opaque);
    } else {
        set(conf, "group.id", "bench");
        set(conf, "enable.auto.commit", "false");
    }
    for (; *settings; settings++) {
        char *equals = strchr(*settings, '=');
        if (!equals) {
            fprintf(stderr, "bench_client: '%s' is not name=value\n", *settings);
            exit(2);
        }
        *equals = 0;
        set(conf, *settings, equals + 1);
        *equals = '=';
    }
    rd_kafka_t *client = rd_kafka_new(type, conf, error, sizeof error);
    if (!client) {
        fprintf(stderr, "bench_client: %s\n", error);
        exit(1);
    }
    return client;
}

static int by_size(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return (x > y) - (x < y);
}

static void wait_until_due(rd_kafka_t *client, int64_t due)
{
    for (int64_t left = due - now_us(); left > 0; left = due - now_us())
        rd_kafka_poll(client, left > 1000 ? (int)(left / 1000) : 0);
}

/* 0 when all were delivered. */
static int produce(rd_kafka_t *client, const char *name, int64_t count, size_t size, int64_t rate,
                   struct deliveries *deliveries)
{
    rd_kafka_topic_t *topic = rd_kafka_topic_new(client, name, NULL);
    char *payload = malloc(size);
    int64_t began = now_us();

    for (size_t i = 0; i < size; i++)
        payload[i] = (char)('a' + i * 7 % 23);
    for (int64_t i = 0; i < count; i++) {
        if (rate > 0)
            wait_until_due(client, began + i * 1000000 / rate);
        while (rd_kafka_produce(topic, 0, RD_KAFKA_MSG_F_COPY, payload, size, NULL, 0, NULL) != 0)
            rd_kafka_poll(client, WAIT_MS); /* the queue is full */
        if (i % 1000 == 0)
            rd_kafka_poll(client, 0);
    }
    while (deliveries->done < count)
        rd_kafka_poll(client, WAIT_MS);
    double seconds = (double)(now_us() - began) / 1e6;
    qsort(deliveries->latency, (size_t)count, sizeof *deliveries->latency, by_size);
    printf("{\"messages\": %lld, \"bytes\": %lld, \"seconds\": %.6f, \"p50_us\": %lld, \"p99_us\": %lld, \"max_us\": "
           "%lld}\n",
           (long long)count, (long long)count * (long long)size, seconds, (long long)deliveries->latency[count / 2],
           (long long)deliveries->latency[count * 99 / 100], (long long)deliveries->latency[count - 1]);
    free(payload);
    rd_kafka_topic_destroy(topic);
    return deliveries->failed ? 1 : 0;
}

/* From the wish to have the first message to the last one.  librdkafka waits half a second when it is asked to consume
   before it knows the leader: it is told beforehand. */
static int fetch(rd_kafka_t *client, const char *name, int64_t count)
{
    rd_kafka_topic_t *topic = rd_kafka_topic_new(client, name, NULL);
    rd_kafka_queue_t *queue = rd_kafka_queue_new(client);
    static rd_kafka_message_t *messages[BATCH];
    const struct rd_kafka_metadata *metadata = NULL;

    if (rd_kafka_metadata(client, 0, topic, &metadata, GIVE_UP_S * 1000) == RD_KAFKA_RESP_ERR_NO_ERROR)
        rd_kafka_metadata_destroy(metadata);
    int64_t began = now_us(), bytes = 0, got = 0;
    rd_kafka_consume_start_queue(topic, 0, 0, queue);
    while (got < count && now_us() - began < (int64_t)GIVE_UP_S * 1000000) {
        size_t wanted = count - got < BATCH ? (size_t)(count - got) : BATCH;
        ssize_t n = rd_kafka_consume_batch_queue(queue, WAIT_MS, messages, wanted);
        for (ssize_t i = 0; i < n; i++) {
            if (!messages[i]->err) {
                bytes += (int64_t)(messages[i]->len + messages[i]->key_len);
                got++;
            }
            rd_kafka_message_destroy(messages[i]);
        }
    }
    double seconds = (double)(now_us() - began) / 1e6;
    rd_kafka_consume_stop(topic, 0);
    printf("{\"messages\": %lld, \"bytes\": %lld, \"seconds\": %.6f}\n", (long long)got, (long long)bytes, seconds);
    rd_kafka_queue_destroy(queue);
    rd_kafka_topic_destroy(topic);
    return got >= count ? 0 : 1;
}

int main(int argc, char **argv)
{
    int status = 2;

    if (argc >= 7 && strcmp(argv[1], "produce") == 0) {
        int64_t count = atoll(argv[4]);
        struct deliveries deliveries = { .latency = calloc((size_t)count + 1, sizeof *deliveries.latency) };
        rd_kafka_t *client = connect_to(RD_KAFKA_PRODUCER, argv[2], argv + 7, &deliveries);
        status = produce(client, argv[3], count, (size_t)atoll(argv[5]), atoll(argv[6]), &deliveries);
        rd_kafka_destroy(client);
        free(deliveries.latency);
    } else if (argc >= 5 && strcmp(argv[1], "fetch") == 0) {
        rd_kafka_t *client = connect_to(RD_KAFKA_CONSUMER, argv[2], argv + 5, NULL);
        status = fetch(client, argv[3], atoll(argv[4]));
        rd_kafka_destroy(client);
    } else {
        fprintf(stderr, "usage: bench_client produce BROKERS TOPIC COUNT SIZE RATE [name=value...]\n"
                        "       bench_client fetch BROKERS TOPIC COUNT [name=value...]\n");
    }
    return status;
}
