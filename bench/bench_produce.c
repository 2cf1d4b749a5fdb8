/*
 * What a log takes when the client costs nothing: one batch, made once, is sent again and again, as a producer without
 * an id may.  Where bench_client (librdkafka) spends half a microsecond on each message, this measures the broker.
 *
 *     bench_produce HOST PORT TOPIC COUNT SIZE        COUNT messages in batches of up to a MB, partition 0
 *
 * Produce v7, acks=-1, five requests under way, as producers have it.  Prints one JSON object.
 */
#include <netdb.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "wire/kafka/kafka.h"

enum {
    PRODUCE = 0,
    VERSION = 7,
    ACKS_ALL = -1,
    TIMEOUT_MS = 30000,
    IN_FLIGHT = 5,
    BATCH_MAX = 1000000,
    ANSWER_MAX = 4096
};
enum { RECORD_OVERHEAD_MAX = 16 };

static void die(const char *what)
{
    fprintf(stderr, "bench_produce: %s\n", what);
    exit(1);
}

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int connect_to(const char *host, const char *port)
{
    struct addrinfo *list = NULL, hints = { .ai_socktype = SOCK_STREAM };
    int one = 1;

    if (getaddrinfo(host, port, &hints, &list))
        die("there is no such host");
    int fd = socket(list->ai_family, SOCK_STREAM, 0);
    if (fd < 0 || connect(fd, list->ai_addr, list->ai_addrlen))
        die("nobody listens there");
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    freeaddrinfo(list);
    return fd;
}

static void put_batch(struct buf *out, int64_t count, size_t size)
{
    struct kafka_batch_writer writer = { 0 };
    char *value = malloc(size);

    for (size_t i = 0; i < size; i++)
        value[i] = (char)('a' + i * 7 % 23);
    kafka_batch_begin(&writer, out);
    for (int64_t i = 0; i < count; i++)
        kafka_batch_add(&writer, (int64_t)time(NULL) * 1000, (struct str){ 0 }, str_n(value, size), NULL, 0);
    kafka_batch_end(&writer);
    free(value);
}

/* A whole frame: its length, the request's header (v1), the body. */
static void put_request(struct buf *out, const char *topic, int64_t count, size_t size)
{
    CLEANUP(buf_free) struct buf batch = { 0 };
    CLEANUP(buf_free) struct buf body = { 0 };

    put_batch(&batch, count, size);
    kafka_write_int(&body, PRODUCE, 2);
    kafka_write_int(&body, VERSION, 2);
    kafka_write_int(&body, 1, 4); /* correlation */
    kafka_write_str(&body, false, str_of("bench_produce"));
    kafka_write_str(&body, false, (struct str){ 0 }); /* no transaction */
    kafka_write_int(&body, ACKS_ALL, 2);
    kafka_write_int(&body, TIMEOUT_MS, 4);
    kafka_write_int(&body, 1, 4);
    kafka_write_str(&body, false, str_of(topic));
    kafka_write_int(&body, 1, 4);
    kafka_write_int(&body, 0, 4); /* partition */
    kafka_write_int(&body, (int64_t)batch.len, 4);
    buf_put_str(&body, buf_str(&batch));
    kafka_write_int(out, (int64_t)body.len, 4);
    buf_put_str(out, buf_str(&body));
}

static void send_all(int fd, struct str bytes)
{
    for (ssize_t n = 0; bytes.len; bytes = str_n(bytes.p + n, bytes.len - (size_t)n))
        if ((n = send(fd, bytes.p, bytes.len, MSG_NOSIGNAL)) <= 0)
            die("the broker closed the connection");
}

static void read_all(int fd, char *p, size_t len)
{
    for (ssize_t n = 0; len; p += n, len -= (size_t)n)
        if ((n = recv(fd, p, len, 0)) <= 0)
            die("the broker closed the connection");
}

static uint32_t read_int(const char *p)
{
    uint32_t v;

    memcpy(&v, p, sizeof v);
    return ntohl(v);
}

/* correlation, 1 topic, its name, 1 partition, its number, the error … */
static void read_answer(int fd, const char *topic)
{
    char length[4], answer[ANSWER_MAX];
    size_t at = 4 + 4 + 2 + strlen(topic) + 4 + 4;

    read_all(fd, length, sizeof length);
    size_t len = read_int(length);
    if (len > sizeof answer || len < at + 2)
        die("an answer has an unexpected size");
    read_all(fd, answer, len);
    if (answer[at] || answer[at + 1]) {
        fprintf(stderr, "bench_produce: the broker answered error %d\n", answer[at + 1]);
        exit(1);
    }
}

int main(int argc, char **argv)
{
    if (argc != 6)
        die("usage: bench_produce HOST PORT TOPIC COUNT SIZE");
    CLEANUP(buf_free) struct buf request = { 0 };
    const char *topic = argv[3];
    int64_t count = atoll(argv[4]), sent = 0, answered = 0;
    size_t size = (size_t)atoll(argv[5]);
    int64_t each = MAX(BATCH_MAX / (int64_t)(size + RECORD_OVERHEAD_MAX), (int64_t)1),
            batches = (count + each - 1) / each;

    put_request(&request, topic, each, size);
    int fd = connect_to(argv[1], argv[2]);
    double began = now();
    while (answered < batches) {
        for (; sent < batches && sent - answered < IN_FLIGHT; sent++)
            send_all(fd, buf_str(&request));
        read_answer(fd, topic);
        answered++;
    }
    double seconds = now() - began;
    printf("{\"messages\": %lld, \"bytes\": %lld, \"seconds\": %.6f}\n", (long long)(batches * each),
           (long long)(batches * each) * (long long)size, seconds);
    close(fd);
    return 0;
}
