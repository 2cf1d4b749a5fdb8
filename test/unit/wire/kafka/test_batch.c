/* Record batches: what is written is read, what is damaged is told, what is compressed is inflated within a limit. */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "compress.h"

static void a_batch_is_read_as_it_was_written(void **state)
{
    CLEANUP(buf_free) struct buf bytes = { 0 };
    CLEANUP(arena_free) struct arena arena = { 0 };
    CLEANUP(kafka_records_close) struct kafka_record_reader reader = { 0 };
    struct kafka_batch batch;
    struct kafka_record record;
    struct err err = { 0 };
    const char *why = NULL;

    (void)state;
    write_some(&bytes);
    kafka_batch_set_place(bytes.data, 77, 3);
    assert_int_equal(kafka_batch_check(buf_str(&bytes), &batch, &why), KAFKA_NONE);
    assert_int_equal(kafka_batch_size(&batch), bytes.len);
    assert_int_equal(batch.count, 3);
    assert_int_equal(batch.leader_epoch, 3);
    assert_int_equal(kafka_batch_last_offset(&batch), 79);
    assert_int_equal(batch.max_timestamp, 1500);
    assert_int_equal(batch.producer_id, -1);

    assert_int_equal(kafka_records_open(buf_str(&bytes), 1 << 20, &arena, &reader, &err), RC_OK);
    assert_int_equal(kafka_records_next(&reader, &record, &err), RC_OK);
    assert_int_equal(record.offset, 77);
    assert_int_equal(record.headers.count, 2);
    assert_true(str_is(record.headers.items[0].value, "value"));
    assert_null(record.headers.items[1].value.p);
    assert_int_equal(kafka_records_next(&reader, &record, &err), RC_OK);
    assert_int_equal(record.timestamp, 900);
    assert_null(record.key.p);
    assert_null(record.value.p);
    assert_int_equal(kafka_records_next(&reader, &record, &err), RC_OK);
    assert_non_null(record.key.p);
    assert_true(str_is(record.value, "last"));
    assert_int_equal(kafka_records_next(&reader, &record, &err), RC_AGAIN);
}

static void every_flipped_bit_behind_the_checksum_is_noticed(void **state)
{
    CLEANUP(buf_free) struct buf bytes = { 0 };
    struct kafka_batch batch;
    const char *why = NULL;

    (void)state;
    write_some(&bytes);
    for (size_t i = 16; i < bytes.len; i++) {
        bytes.data[i] ^= 4;
        assert_int_not_equal(kafka_batch_check(buf_str(&bytes), &batch, &why), KAFKA_NONE);
        assert_non_null(why);
        bytes.data[i] ^= 4;
    }
    for (size_t cut = 0; cut < bytes.len; cut++)
        assert_int_not_equal(kafka_batch_check(str_n(bytes.data, cut), &batch, &why), KAFKA_NONE);
}

static void old_message_formats_are_told_from_garbage(void **state)
{
    char old[40] = { 0 };
    struct kafka_batch batch;
    const char *why = NULL;

    (void)state;
    old[16] = 1;
    assert_int_equal(kafka_batch_check(str_n(old, sizeof old), &batch, &why), KAFKA_INVALID_RECORD);
}

static void the_time_of_appending_replaces_the_records_times(void **state)
{
    CLEANUP(buf_free) struct buf bytes = { 0 };
    CLEANUP(arena_free) struct arena arena = { 0 };
    CLEANUP(kafka_records_close) struct kafka_record_reader reader = { 0 };
    struct kafka_batch batch;
    struct kafka_record record;
    struct err err = { 0 };
    const char *why = NULL;

    (void)state;
    write_some(&bytes);
    kafka_batch_set_append_time(bytes.data, bytes.len, 123456);
    assert_int_equal(kafka_batch_check(buf_str(&bytes), &batch, &why), KAFKA_NONE);
    assert_int_equal(batch.max_timestamp, 123456);
    assert_int_equal(kafka_records_open(buf_str(&bytes), 1 << 20, &arena, &reader, &err), RC_OK);
    assert_int_equal(kafka_records_next(&reader, &record, &err), RC_OK);
    assert_int_equal(record.timestamp, 123456);
}

static void compressed_records_are_inflated_up_to_the_limit(void **state)
{
    (void)state;
    for (enum framing f = 0; f < FRAMING_COUNT; f++) {
        CLEANUP(buf_free) struct buf bytes = { 0 };
        CLEANUP(arena_free) struct arena arena = { 0 };
        CLEANUP(kafka_records_close) struct kafka_record_reader reader = { 0 };
        struct kafka_record record;
        struct err err = { 0 };
        write_some(&bytes);
        compress_records(&bytes, f);
        assert_int_equal(kafka_records_open(buf_str(&bytes), 1 << 20, &arena, &reader, &err), RC_OK);
        for (int k = 0; k < 3; k++)
            assert_int_equal(kafka_records_next(&reader, &record, &err), RC_OK);
        assert_true(str_is(record.value, "last"));
        kafka_records_close(&reader);
        assert_int_equal(kafka_records_open(buf_str(&bytes), 10, &arena, &reader, &err), RC_FULL);
        bytes.data[KAFKA_BATCH_HEADER] ^= 0x55;
        assert_int_not_equal(kafka_records_open(buf_str(&bytes), 1 << 20, &arena, &reader, &err), RC_OK);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_batch_is_read_as_it_was_written),
        cmocka_unit_test(every_flipped_bit_behind_the_checksum_is_noticed),
        cmocka_unit_test(old_message_formats_are_told_from_garbage),
        cmocka_unit_test(the_time_of_appending_replaces_the_records_times),
        cmocka_unit_test(compressed_records_are_inflated_up_to_the_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
