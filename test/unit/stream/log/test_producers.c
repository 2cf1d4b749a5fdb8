/* Sequence numbers of idempotent producers. */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "stream/log/producers.h"

static struct kafka_batch batch_of(int16_t epoch, int32_t sequence, int32_t count, int64_t offset)
{
    return (struct kafka_batch){ .producer_id = 9,
                                 .producer_epoch = epoch,
                                 .base_sequence = sequence,
                                 .last_offset_delta = count - 1,
                                 .count = count,
                                 .base_offset = offset,
                                 .max_timestamp = 1000 };
}

static void expect(struct producers *producers, struct kafka_batch batch, enum kafka_error error, int64_t duplicate)
{
    int64_t of = 0;

    assert_int_equal(producers_check(producers, &batch, &of), error);
    if (!error)
        assert_int_equal(of, duplicate);
    if (!error && of < 0)
        producers_note(producers, &batch);
}

static void a_retry_gets_its_first_offset_and_a_gap_is_refused(void **state)
{
    CLEANUP(producers_clear) struct producers producers = { 0 };

    (void)state;
    expect(&producers, batch_of(0, 0, 10, 100), KAFKA_NONE, -1);
    expect(&producers, batch_of(0, 10, 5, 110), KAFKA_NONE, -1);
    expect(&producers, batch_of(0, 0, 10, 0), KAFKA_NONE, 100);
    expect(&producers, batch_of(0, 10, 5, 0), KAFKA_NONE, 110);
    expect(&producers, batch_of(0, 16, 1, 0), KAFKA_OUT_OF_ORDER_SEQUENCE_NUMBER, 0);
    expect(&producers, batch_of(0, 10, 4, 0), KAFKA_OUT_OF_ORDER_SEQUENCE_NUMBER, 0);
    expect(&producers, batch_of(0, 15, 1, 115), KAFKA_NONE, -1);
}

static void only_the_last_five_batches_are_known_again(void **state)
{
    CLEANUP(producers_clear) struct producers producers = { 0 };

    (void)state;
    for (int i = 0; i < 6; i++)
        expect(&producers, batch_of(0, i, 1, i), KAFKA_NONE, -1);
    expect(&producers, batch_of(0, 1, 1, 0), KAFKA_NONE, 1);
    expect(&producers, batch_of(0, 0, 1, 0), KAFKA_OUT_OF_ORDER_SEQUENCE_NUMBER, 0);
}

static void a_new_epoch_begins_at_zero_and_fences_the_old(void **state)
{
    CLEANUP(producers_clear) struct producers producers = { 0 };

    (void)state;
    expect(&producers, batch_of(3, 7, 1, 0), KAFKA_NONE, -1); /* unknown producer: any sequence */
    expect(&producers, batch_of(4, 8, 1, 0), KAFKA_OUT_OF_ORDER_SEQUENCE_NUMBER, 0);
    expect(&producers, batch_of(4, 0, 1, 1), KAFKA_NONE, -1);
    expect(&producers, batch_of(3, 8, 1, 0), KAFKA_INVALID_PRODUCER_EPOCH, 0);
}

static void sequences_wrap_around(void **state)
{
    CLEANUP(producers_clear) struct producers producers = { 0 };

    (void)state;
    expect(&producers, batch_of(0, INT32_MAX - 1, 2, 0), KAFKA_NONE, -1);
    expect(&producers, batch_of(0, 0, 3, 2), KAFKA_NONE, -1);
    expect(&producers, batch_of(0, 3, 1, 5), KAFKA_NONE, -1);
}

static void a_snapshot_brings_the_state_back(void **state)
{
    CLEANUP(producers_clear) struct producers producers = { 0 };
    CLEANUP(producers_clear) struct producers again = { 0 };
    CLEANUP(buf_free) struct buf bytes = { 0 };

    (void)state;
    expect(&producers, batch_of(2, 0, 10, 100), KAFKA_NONE, -1);
    producers_save(&producers, &bytes);
    assert_true(producers_restore(&again, buf_str(&bytes)));
    expect(&again, batch_of(2, 0, 10, 0), KAFKA_NONE, 100);
    expect(&again, batch_of(2, 11, 1, 0), KAFKA_OUT_OF_ORDER_SEQUENCE_NUMBER, 0);
    expect(&again, batch_of(2, 10, 1, 110), KAFKA_NONE, -1);
    bytes.data[10] ^= 1;
    assert_false(producers_restore(&again, buf_str(&bytes)));
}

static void a_snapshot_knows_all_that_may_be_sent_again(void **state)
{
    CLEANUP(producers_clear) struct producers producers = { 0 };
    CLEANUP(producers_clear) struct producers again = { 0 };
    CLEANUP(buf_free) struct buf bytes = { 0 };

    (void)state;
    for (int i = 0; i < PRODUCER_BATCHES + 2; i++)
        expect(&producers, batch_of(2, i, 1, 100 + i), KAFKA_NONE, -1);
    producers_save(&producers, &bytes);
    assert_true(producers_restore(&again, buf_str(&bytes)));
    for (int i = 2; i < PRODUCER_BATCHES + 2; i++)
        expect(&again, batch_of(2, i, 1, 0), KAFKA_NONE, 100 + i);
    expect(&again, batch_of(2, PRODUCER_BATCHES + 2, 1, 200), KAFKA_NONE, -1);
}

static void those_not_heard_of_are_forgotten(void **state)
{
    CLEANUP(producers_clear) struct producers producers = { 0 };

    (void)state;
    expect(&producers, batch_of(0, 0, 1, 0), KAFKA_NONE, -1);
    producers_expire(&producers, 1000);
    assert_int_equal(producers.by_id.count, 1);
    producers_expire(&producers, 1001);
    assert_int_equal(producers.by_id.count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_retry_gets_its_first_offset_and_a_gap_is_refused),
        cmocka_unit_test(only_the_last_five_batches_are_known_again),
        cmocka_unit_test(a_new_epoch_begins_at_zero_and_fences_the_old),
        cmocka_unit_test(sequences_wrap_around),
        cmocka_unit_test(a_snapshot_brings_the_state_back),
        cmocka_unit_test(a_snapshot_knows_all_that_may_be_sent_again),
        cmocka_unit_test(those_not_heard_of_are_forgotten),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
