/* Batches between a source and librdkafka, with a producer that has no broker. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "stream/connect/outbox.h"

enum { QUEUE_MAX = 3 };

struct bench {
    rd_kafka_t *producer;
    rd_kafka_topic_t *topic;
    struct outbox outbox;
};

static int make(void **state)
{
    struct bench *bench = NEW(struct bench);
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    char why[256];

    rd_kafka_conf_set(conf, "queue.buffering.max.messages", "3", why, sizeof why);
    bench->producer = rd_kafka_new(RD_KAFKA_PRODUCER, conf, why, sizeof why);
    bench->topic = rd_kafka_topic_new(bench->producer, "t", NULL);
    *state = bench;
    return 0;
}

static int unmake(void **state)
{
    struct bench *bench = *state;

    rd_kafka_topic_destroy(bench->topic);
    rd_kafka_purge(bench->producer, RD_KAFKA_PURGE_F_QUEUE);
    rd_kafka_destroy(bench->producer);
    outbox_free(&bench->outbox);
    free(bench);
    return 0;
}

static void add(struct bench *bench, uint64_t number)
{
    struct source_record record = {
        .partition = 0, .key = STR("k"), .value = STR("value"), .timestamp_ms = -1, .source_offset = STR("{}")
    };

    assert_true(outbox_add(&bench->outbox, bench->topic, &record, number));
}

static void two_batches_are_out_while_the_next_fills(void **state)
{
    struct bench *bench = *state;
    struct outbox_record *refused = NULL;
    rd_kafka_resp_err_t why;

    assert_null(outbox_next(&bench->outbox));
    for (uint64_t n = 1; n <= OUTBOX_BATCHES_OUT_MAX; n++) {
        add(bench, n);
        struct outbox_batch *batch = outbox_next(&bench->outbox);
        assert_int_equal(outbox_give(bench->producer, batch, &refused, &why), RC_OK);
    }
    add(bench, 3);
    add(bench, 4);
    assert_null(outbox_next(&bench->outbox));
    outbox_done(&bench->outbox, &bench->outbox.out->records[0]);
    struct outbox_batch *batch = outbox_next(&bench->outbox);
    assert_int_equal(batch->count, 2);
    assert_int_equal(batch->records[0].number, 3);
    assert_memory_equal(batch->bytes.data + batch->records[1].at, "kvalue", 6);
}

static void a_full_queue_is_gone_on_with_where_it_stopped(void **state)
{
    struct bench *bench = *state;
    struct outbox_record *refused = NULL;
    rd_kafka_resp_err_t why;

    for (uint64_t n = 1; n <= QUEUE_MAX + 2; n++)
        add(bench, n);
    struct outbox_batch *batch = outbox_next(&bench->outbox);
    assert_int_equal(outbox_give(bench->producer, batch, &refused, &why), RC_AGAIN);
    assert_int_equal(refused->number, QUEUE_MAX + 1);
    add(bench, 9);
    assert_ptr_equal(outbox_next(&bench->outbox), batch);
    assert_int_equal(batch->given, QUEUE_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(two_batches_are_out_while_the_next_fills, make, unmake),
        cmocka_unit_test_setup_teardown(a_full_queue_is_gone_on_with_where_it_stopped, make, unmake),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
