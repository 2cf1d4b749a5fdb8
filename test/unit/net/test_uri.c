/* Percent-encoding, query strings, addresses and their aliases, who holds a port. */
#include "unit/unit.h"

#include <arpa/inet.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/net.h"

static void decoding_takes_what_is_whole_and_copies_what_is_broken(void **state)
{
    static const struct {
        const char *text;
        bool plus;
        const char *decoded;
    } rows[] = {
        { "", false, "" },         { "a%20b", false, "a b" },     { "a+b", false, "a+b" }, { "a+b", true, "a b" },
        { "%2F%2f", false, "//" }, { "%41", false, "A" },         { "%4", false, "%4" },   { "%", false, "%" },
        { "%zz", false, "%zz" },   { "100%", false, "100%" },     { "%%41", false, "%A" }, { "%c3%A4", false, "ä" },
        { "%2B", true, "+" },      { "%25%34%31", false, "%41" },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(buf_free) struct buf out = { 0 };
        uri_decode(&out, str_of(rows[i].text), rows[i].plus);
        assert_string_equal(buf_cstr(&out), rows[i].decoded);
    }
}

static void encoding_leaves_unreserved_letters_only(void **state)
{
    CLEANUP(buf_free) struct buf path = { 0 }, name = { 0 };

    (void)state;
    uri_encode(&path, STR("a/b c~d.e-f_g+ä%"), true);
    assert_string_equal(buf_cstr(&path), "a/b%20c~d.e-f_g%2B%C3%A4%25");
    uri_encode(&name, STR("a/b"), false);
    assert_string_equal(buf_cstr(&name), "a%2Fb");
}

static void a_query_is_taken_apart_pair_by_pair(void **state)
{
    static const char *const expected[][2] = { { "a", "1" }, { "b", "" }, { "c", NULL }, { "d", "x=y" }, { "", "e" } };
    struct str query = STR("a=1&&b=&c&d=x=y&=e&"), name = { 0 }, value = { 0 };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(expected); i++) {
        assert_true(uri_query_next(&query, &name, &value));
        assert_true(str_is(name, expected[i][0]));
        assert_int_equal(value.p != NULL, expected[i][1] != NULL);
        if (expected[i][1])
            assert_true(str_is(value, expected[i][1]));
    }
    assert_false(uri_query_next(&query, &name, &value));
}

static void addresses_are_host_and_port(void **state)
{
    static const struct {
        const char *text, *host;
        int port;
        const char *words;
    } rows[] = {
        { "127.0.0.1:9092", "127.0.0.1", 9092, NULL },
        { "kafka:29092", "kafka", 29092, NULL },
        { "[::1]:9000", "::1", 9000, NULL },
        { "x:65535", "x", 65535, NULL },
        { "kafka", NULL, 0, "write host:port" },
        { ":9092", NULL, 0, "write host:port" },
        { "x:", NULL, 0, "its port must be a number from 1 to 65535" },
        { "x:0", NULL, 0, "its port must be a number from 1 to 65535" },
        { "x:65536", NULL, 0, "its port must be a number from 1 to 65535" },
        { "x:1a", NULL, 0, "its port must be a number from 1 to 65535" },
        { "", NULL, 0, "write host:port" },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct str host = { 0 };
        struct err err = { 0 };
        int port = 0;
        enum rc rc = address_split(str_of(rows[i].text), &host, &port, &err);
        assert_int_equal(rc, rows[i].host ? RC_OK : RC_BAD_INPUT);
        if (!rc) {
            assert_true(str_is(host, rows[i].host));
            assert_int_equal(port, rows[i].port);
        } else {
            assert_non_null(strstr(err.text, rows[i].words));
        }
    }
}

static const struct endpoint endpoints[] = {
    { .service = "postgres", .address = "127.0.0.1:14444", .aliases = { "postgres_source:5432" } },
    { .service = "log", .address = "127.0.0.1:19092", .aliases = { "kafka:29092", "kafka:9092" } },
    { .service = "registry", .address = "127.0.0.1:18081", .aliases = { "schema-registry:8081" } },
};
static const struct station station = { .endpoints = endpoints,
                                        .endpoint_count = ARRAY_LEN(endpoints),
                                        .ready_fd = -1 };

static void names_of_the_compose_network_become_addresses(void **state)
{
    static const char *const rows[][2] = {
        { "kafka:29092", "127.0.0.1:19092" },
        { "kafka:9092", "127.0.0.1:19092" },
        { "KAFKA:29092", "127.0.0.1:19092" },
        { "kafka", "127.0.0.1:19092" },
        { "Kafka", "127.0.0.1:19092" },
        { "schema-registry", "127.0.0.1:18081" },
        { "postgres_source:5432", "127.0.0.1:14444" },
        { "kafka:1", "kafka:1" },
        { "kafka2:29092", "kafka2:29092" },
        { "broker.example.com:9092", "broker.example.com:9092" },
        { "", "" },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char out[ADDRESS_MAX];
        station_resolve(&station, str_of(rows[i][0]), out);
        assert_string_equal(out, rows[i][1]);
    }
    assert_string_equal(station_address(&station, "log"), "127.0.0.1:19092");
}

static void urls_keep_everything_but_the_host(void **state)
{
    static const char *const rows[][2] = {
        { "http://schema-registry:8081", "http://127.0.0.1:18081" },
        { "http://schema-registry:8081/", "http://127.0.0.1:18081/" },
        { "http://schema-registry/subjects?x=http://kafka:9092#y",
          "http://127.0.0.1:18081/subjects?x=http://kafka:9092#y" },
        { "jdbc:postgresql://postgres_source:5432/db?a=b", "jdbc:postgresql://127.0.0.1:14444/db?a=b" },
        { "schema-registry:8081/x", "127.0.0.1:18081/x" },
        { "https://example.com?q", "https://example.com?q" },
        { "http://", "http://" },
        { "", "" },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(buf_free) struct buf out = { 0 };
        station_resolve_url(&station, str_of(rows[i][0]), &out);
        assert_string_equal(buf_cstr(&out), rows[i][1]);
    }
}

static void a_name_that_is_too_long_is_cut_and_not_overrun(void **state)
{
    char name[2 * ADDRESS_MAX], out[ADDRESS_MAX];

    (void)state;
    memset(name, 'x', sizeof name);
    station_resolve(&station, str_n(name, sizeof name), out);
    assert_int_equal(strlen(out), ADDRESS_MAX - 1);
}

static int listener(int *port)
{
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t n = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &n), 0);
    *port = ntohs(address.sin_port);
    return fd;
}

static void the_holder_of_a_port_is_told(void **state)
{
    char name[PORT_HOLDER_NAME_MAX];
    struct err err = { 0 };
    pid_t pid = 7;
    int port = 0, fd = listener(&port);

    (void)state;
    assert_false(port_holder(port, &pid, name)); /* bound, but nobody listens */
    assert_int_equal(pid, 0);
    assert_int_equal(listen(fd, 1), 0);
    assert_true(port_holder(port, &pid, name));
    assert_int_equal(pid, getpid());
    assert_true(name[0] != '\0');
    assert_int_equal(port_taken(port, &err), RC_EXISTS);
    CLEANUP_FREE char *words =
        mem_printf("port %d is taken by '%s' (pid %d); stop it or use --port-offset", port, name, (int)pid);
    assert_string_equal(err.text, words);
    close(fd);
    assert_false(port_holder(port, &pid, name));
}

static void a_port_of_the_newer_protocol_is_found_too(void **state)
{
    struct sockaddr_in6 address = { .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT };
    socklen_t n = sizeof address;
    char name[PORT_HOLDER_NAME_MAX];
    pid_t pid = 0;
    int fd = socket(AF_INET6, SOCK_STREAM, 0);

    (void)state;
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof address) < 0) {
        if (fd >= 0)
            close(fd);
        skip(); /* a machine without it */
    }
    assert_int_equal(listen(fd, 1), 0);
    getsockname(fd, (struct sockaddr *)&address, &n);
    assert_true(port_holder(ntohs(address.sin6_port), &pid, name));
    assert_int_equal(pid, getpid());
    close(fd);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(decoding_takes_what_is_whole_and_copies_what_is_broken),
        cmocka_unit_test(encoding_leaves_unreserved_letters_only),
        cmocka_unit_test(a_query_is_taken_apart_pair_by_pair),
        cmocka_unit_test(addresses_are_host_and_port),
        cmocka_unit_test(names_of_the_compose_network_become_addresses),
        cmocka_unit_test(urls_keep_everything_but_the_host),
        cmocka_unit_test(a_name_that_is_too_long_is_cut_and_not_overrun),
        cmocka_unit_test(the_holder_of_a_port_is_told),
        cmocka_unit_test(a_port_of_the_newer_protocol_is_found_too),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
