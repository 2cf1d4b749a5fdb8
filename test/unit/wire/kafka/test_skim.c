/* Skimming records: each is seen in every framing, what is not right is refused, and memory stays within a window. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "compress.h"

enum { WINDOW_MAX = 256 << 10, KEPT_MAX = 4 << 20, LARGE = 4 << 20 };

static void begin(struct kafka_skimmer *skimmer, const struct buf *bytes)
{
    struct kafka_batch batch;

    kafka_batch_parse_header(bytes->data, &batch);
    assert_int_equal(kafka_batch_size(&batch), bytes->len);
    kafka_skimmer_begin(skimmer, buf_str(bytes), &batch);
}

/* how many records are right, or -1 when the batch is not */
static int skim(struct kafka_skimmer *skimmer, const struct buf *bytes)
{
    struct kafka_record_head head;
    int count = 0;

    for (begin(skimmer, bytes); kafka_skimmer_next(skimmer, &head); count++)
        assert_true(head.offset_delta >= 0);
    assert_false(kafka_skimmer_next(skimmer, &head)); /* it stays at its end */
    assert_true(!skimmer->error == !skimmer->why);
    return skimmer->error ? -1 : count;
}

static void assert_seen(struct kafka_skimmer *skimmer, int32_t offset_delta, int64_t timestamp, bool has_key)
{
    struct kafka_record_head head = { 0 };

    assert_true(kafka_skimmer_next(skimmer, &head));
    assert_int_equal(head.offset_delta, offset_delta);
    assert_int_equal(head.timestamp, timestamp);
    assert_int_equal(head.has_key, has_key);
}

static void each_record_is_seen_in_every_framing(void **state)
{
    CLEANUP(kafka_skimmer_free) struct kafka_skimmer skimmer = { 0 };

    (void)state;
    for (int i = 0; i <= 2 * FRAMING_COUNT; i++) { /* the second time with the contexts of the first */
        CLEANUP(buf_free) struct buf bytes = { 0 };
        struct kafka_record_head head;
        write_some(&bytes);
        if (i < 2 * FRAMING_COUNT)
            compress_records(&bytes, (enum framing)(i % FRAMING_COUNT));
        begin(&skimmer, &bytes);
        assert_seen(&skimmer, 0, 1000, true);
        assert_seen(&skimmer, 1, 900, false);
        assert_seen(&skimmer, 2, 1500, true);
        assert_false(kafka_skimmer_next(&skimmer, &head));
        assert_int_equal(skimmer.error, KAFKA_NONE);
        kafka_skimmer_trim(&skimmer);
    }
}

static void the_time_of_appending_is_each_records_time(void **state)
{
    CLEANUP(kafka_skimmer_free) struct kafka_skimmer skimmer = { 0 };
    CLEANUP(buf_free) struct buf bytes = { 0 };

    (void)state;
    write_some(&bytes);
    kafka_batch_set_append_time(bytes.data, bytes.len, 77);
    begin(&skimmer, &bytes);
    assert_seen(&skimmer, 0, 77, true);
    kafka_batch_set_max_time(bytes.data, bytes.len, 77);
    begin(&skimmer, &bytes);
    assert_seen(&skimmer, 0, 1000, true);
}

/* length, attributes, times, offsets, key, value, headers */
static const struct lie {
    const char *name;
    struct str records;
    int32_t count;
} lies[] = {
    { "nothing", STR(""), 1 },
    { "fewer than counted", STR("\x0e\0\0\0\1\2v\0"), 2 },
    { "more than counted", STR("\x0e\0\0\0\1\2v\0\x0e\0\0\2\1\2v\0"), 1 },
    { "ends inside", STR("\x0e\0\0\0\1\2v"), 1 },
    { "too long", STR("\x10\0\0\0\1\2v\0"), 1 },
    { "too long, within the batch", STR("\x10\0\0\0\1\2v\0\0"), 1 },
    { "too short", STR("\x0c\0\0\0\1\2v\0"), 1 },
    { "of no size", STR("\0"), 1 },
    { "of a negative size", STR("\1\0\0\0\1\2v\0"), 1 },
    { "key beyond the record", STR("\x0e\0\0\0\x14\2v\0\0\0\0\0\0\0\0\0\0\0"), 1 },
    { "value beyond the record", STR("\x0e\0\0\0\1\x14v\0\0\0\0\0\0\0\0\0\0\0"), 1 },
    { "value of two gigabytes", STR("\x16\0\0\0\1\xfe\xff\xff\xff\x0fv\0"), 1 },
    { "value of length -2", STR("\x0c\0\0\0\1\3\0"), 1 },
    { "key of length -2", STR("\x0e\0\0\0\3\2v\0"), 1 },
    { "headers -1", STR("\x0e\0\0\0\1\2v\1"), 1 },
    { "headers that are not there", STR("\x0e\0\0\0\1\2v\4"), 1 },
    { "header without name", STR("\x12\0\0\0\1\2v\2\1\1"), 1 },
    { "header's value of length -2", STR("\x14\0\0\0\1\2v\2\2h\3"), 1 },
    { "size of six bytes", STR("\x8e\x80\x80\x80\x80\0\0\0\0\1\2v\0"), 1 },
    { "size of 33 bits", STR("\x8e\x80\x80\x80\x10\0\0\0\1\2v\0"), 1 },
    { "time of eleven bytes", STR("\x22\0\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\0\0\1\2v\0"), 1 },
};

static void records_that_are_not_as_they_say_are_invalid(void **state)
{
    CLEANUP(kafka_skimmer_free) struct kafka_skimmer skimmer = { 0 };
    CLEANUP(buf_free) struct buf bytes = { 0 };

    (void)state;
    write_some(&bytes);
    replace_records(&bytes, KAFKA_CODEC_NONE, STR("\x0e\0\0\0\1\2v\0"), 1);
    assert_int_equal(skim(&skimmer, &bytes), 1); /* so are the lies, but for the lie */
    for (size_t i = 0; i < ARRAY_LEN(lies); i++) {
        replace_records(&bytes, KAFKA_CODEC_NONE, lies[i].records, lies[i].count);
        if (skim(&skimmer, &bytes) != -1 || skimmer.error != KAFKA_INVALID_RECORD)
            fail_msg("%s: %d", lies[i].name, skimmer.error);
        for (enum framing f = 0; f < FRAMING_COUNT; f++) {
            replace_records(&bytes, KAFKA_CODEC_NONE, lies[i].records, lies[i].count);
            compress_records(&bytes, f);
            if (skim(&skimmer, &bytes) != -1 || skimmer.error != KAFKA_INVALID_RECORD)
                fail_msg("%s in framing %d: %d", lies[i].name, (int)f, skimmer.error);
        }
    }
}

static void data_that_is_cut_goes_on_or_is_garbage_is_invalid(void **state)
{
    static const struct str garbage[] = { STR(""), STR("\5"), STR("not compressed at all, whatever the header says") };
    CLEANUP(kafka_skimmer_free) struct kafka_skimmer skimmer = { 0 };

    (void)state;
    for (enum framing f = 0; f < FRAMING_COUNT; f++) {
        CLEANUP(buf_free) struct buf bytes = { 0 };
        CLEANUP(buf_free) struct buf whole = { 0 };
        write_some(&bytes);
        compress_bytes(f, str_skip(buf_str(&bytes), KAFKA_BATCH_HEADER), &whole);
        for (size_t n = 0; n < whole.len; n++) {
            replace_records(&bytes, framing_codec(f), str_n(whole.data, n), 3);
            assert_int_equal(skim(&skimmer, &bytes), -1);
            assert_int_equal(skimmer.error, KAFKA_INVALID_RECORD);
        }
        for (size_t i = 0; i < ARRAY_LEN(garbage); i++) {
            replace_records(&bytes, framing_codec(f), garbage[i], 3);
            assert_int_equal(skim(&skimmer, &bytes), -1);
        }
        replace_records(&bytes, framing_codec(f), buf_str(&whole), 3);
        assert_int_equal(skim(&skimmer, &bytes), 3);
        buf_putc(&whole, 0);
        replace_records(&bytes, framing_codec(f), buf_str(&whole), 3);
        assert_int_equal(skim(&skimmer, &bytes), -1);
    }
}

/* one record, whose value is so many zeros */
static void write_large(struct buf *records, size_t size)
{
    buf_append(records, "\0\0\0\1", 4);
    kafka_write_varlong(records, (int64_t)size);
    CLEANUP(buf_free) struct buf front = { 0 };
    kafka_write_varlong(&front, (int64_t)(records->len + size + 1));
    buf_put_str(&front, buf_str(records));
    buf_clear(records);
    buf_put_str(records, buf_str(&front));
    memset(buf_reserve(records, size + 1), 0, size + 1);
    buf_commit(records, size + 1);
}

static void a_large_record_is_skimmed_through_a_small_window(void **state)
{
    CLEANUP(buf_free) struct buf records = { 0 };

    (void)state;
    write_large(&records, LARGE);
    for (enum framing f = 0; f < FRAMING_COUNT; f++) {
        CLEANUP(kafka_skimmer_free) struct kafka_skimmer skimmer = { 0 };
        CLEANUP(buf_free) struct buf bytes = { 0 };
        CLEANUP(buf_free) struct buf whole = { 0 };
        write_some(&bytes);
        compress_bytes(f, buf_str(&records), &whole);
        replace_records(&bytes, framing_codec(f), buf_str(&whole), 1);
        assert_int_equal(skim(&skimmer, &bytes), 1);
        if (f != FRAMING_SNAPPY) /* one block, which is inflated at once */
            assert_true(skimmer.window.cap <= WINDOW_MAX);
        kafka_skimmer_trim(&skimmer);
        assert_true(skimmer.window.cap <= KEPT_MAX);
    }
}

static void what_inflates_beyond_the_limit_is_too_large(void **state)
{
    CLEANUP(kafka_skimmer_free) struct kafka_skimmer skimmer = { 0 };
    CLEANUP(buf_free) struct buf records = { .max = (size_t)KAFKA_INFLATED_MAX * 2 };
    CLEANUP(buf_free) struct buf whole = { .max = (size_t)KAFKA_INFLATED_MAX * 2 };
    CLEANUP(buf_free) struct buf bytes = { 0 };

    (void)state;
    write_some(&bytes);
    write_large(&records, KAFKA_INFLATED_MAX);
    compress_bytes(FRAMING_ZSTD, buf_str(&records), &whole);
    replace_records(&bytes, KAFKA_CODEC_ZSTD, buf_str(&whole), 1);
    assert_int_equal(skim(&skimmer, &bytes), -1);
    assert_int_equal(skimmer.error, KAFKA_MESSAGE_TOO_LARGE);
}

static void a_block_of_snappy_that_claims_more_than_it_can_hold_takes_no_memory(void **state)
{
    static const struct str claims[] = { STR("\xff\xff\xff\xff\x0f"), STR("\xff\xff\xff\x7f\0\0\0\0\0\0") };
    CLEANUP(kafka_skimmer_free) struct kafka_skimmer skimmer = { 0 };
    CLEANUP(buf_free) struct buf bytes = { 0 };

    (void)state;
    write_some(&bytes);
    for (size_t i = 0; i < ARRAY_LEN(claims); i++) {
        replace_records(&bytes, KAFKA_CODEC_SNAPPY, claims[i], 1);
        assert_int_equal(skim(&skimmer, &bytes), -1);
        assert_int_equal(skimmer.window.cap, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_record_is_seen_in_every_framing),
        cmocka_unit_test(the_time_of_appending_is_each_records_time),
        cmocka_unit_test(records_that_are_not_as_they_say_are_invalid),
        cmocka_unit_test(data_that_is_cut_goes_on_or_is_garbage_is_invalid),
        cmocka_unit_test(a_large_record_is_skimmed_through_a_small_window),
        cmocka_unit_test(what_inflates_beyond_the_limit_is_too_large),
        cmocka_unit_test(a_block_of_snappy_that_claims_more_than_it_can_hold_takes_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
