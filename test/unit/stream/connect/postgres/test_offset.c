/* Positions, their JSON, and what a start leaves out because of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "stream/connect/postgres/offset.h"
#include "stream/connect/postgres/transaction.h"

static struct err err;

static struct position parse(const char *json)
{
    struct position p;

    assert_int_equal(position_parse(str_of(json), &p, &err), RC_OK);
    return p;
}

static void a_streaming_position_goes_both_ways(void **state)
{
    const char *json = "{\"transaction_id\":null,\"lsn_proc\":26685920,\"messageType\":\"INSERT\","
                       "\"lsn_commit\":26685920,\"lsn\":26685920,\"txId\":846,\"ts_usec\":1795337196986323}";
    CLEANUP(buf_free) struct buf out = { 0 };
    struct position p = parse(json);

    (void)state;
    assert_true(p.has_lsn_commit && p.has_lsn_proc && p.has_lsn && p.has_tx && !p.snapshot);
    assert_int_equal(p.message, PGOUTPUT_INSERT);
    position_print(&p, NULL, &out);
    assert_string_equal(buf_cstr(&out), json);
}

static void a_snapshot_position_goes_both_ways(void **state)
{
    const char *json = "{\"snapshot\":true,\"last_snapshot_record\":true,\"lsn\":5,\"txId\":6,\"ts_usec\":7}";
    CLEANUP(buf_free) struct buf out = { 0 };
    struct position p = parse(json);

    (void)state;
    assert_true(p.snapshot && p.last_snapshot_record);
    position_print(&p, NULL, &out);
    assert_string_equal(buf_cstr(&out), json);
}

static void offsets_of_later_debeziums_are_understood(void **state)
{
    struct position p = parse("{\"snapshot\":\"INITIAL\",\"snapshot_completed\":false,\"lsn\":5,\"what\":[1]}");

    (void)state;
    assert_true(p.snapshot && !p.last_snapshot_record);
    assert_false(p.has_tx);
}

static void what_is_no_offset_is_an_error(void **state)
{
    struct position p;

    (void)state;
    assert_int_equal(position_parse(STR(""), &p, &err), RC_BAD_INPUT);
    assert_int_equal(position_parse(STR("[]"), &p, &err), RC_BAD_INPUT);
    assert_int_equal(position_parse(STR("{\"lsn\":"), &p, &err), RC_BAD_INPUT);
}

static void counts_of_a_transaction_are_part_of_the_offset(void **state)
{
    CLEANUP(transaction_free) struct transaction_state t = { .enabled = true };
    CLEANUP(buf_free) struct buf out = { 0 };
    struct position p = { .has_lsn = true, .lsn = 1 };
    int64_t total = 0, in_table = 0;

    (void)state;
    transaction_begin(&t, 780);
    transaction_count(&t, "public.a", &total, &in_table);
    transaction_count(&t, "public.b", &total, &in_table);
    transaction_count(&t, "public.a", &total, &in_table);
    assert_int_equal(total, 3);
    assert_int_equal(in_table, 2);
    position_print(&p, &t, &out);
    assert_string_equal(buf_cstr(&out), "{\"transaction_id\":\"780\",\"transaction_data_collection_order_public.a\":2,"
                                        "\"transaction_data_collection_order_public.b\":1,\"lsn\":1}");
}

static void counts_come_in_the_order_of_javas_hash_map(void **state)
{
    CLEANUP(transaction_free) struct transaction_state t = { .enabled = true };
    int64_t total = 0, in_table = 0;
    size_t count = 0;

    (void)state;
    transaction_begin(&t, 1);
    transaction_count(&t, "public.acc", &total, &in_table);
    transaction_count(&t, "public.mov", &total, &in_table);
    transaction_count(&t, "public.log", &total, &in_table); /* the same bucket: after it */
    CLEANUP_FREE struct event_collection_count *rows = transaction_counts(&t, &count);
    assert_int_equal(count, 3);
    assert_string_equal(rows[0].collection, "public.mov");
    assert_string_equal(rows[1].collection, "public.log");
    assert_string_equal(rows[2].collection, "public.acc");
}

static void a_start_skips_whole_transactions_and_the_part_that_was_sent(void **state)
{
    struct position p =
        parse("{\"lsn_proc\":300,\"messageType\":\"INSERT\",\"lsn_commit\":200,\"lsn\":300,\"txId\":7}");
    struct resume alone = resume_of(&p, true), checked = resume_of(&p, false);

    (void)state;
    assert_int_equal(resume_begin(&alone, 5, 150), RESUME_SKIP_TRANSACTION);
    assert_int_equal(resume_begin(&alone, 7, 400), RESUME_SKIP_PART);
    assert_true(resume_was_sent(&alone, 300));
    assert_false(resume_was_sent(&alone, 301));
    assert_int_equal(resume_begin(&alone, 5, 150), RESUME_SEND);
    assert_int_equal(resume_begin(&checked, 7, 400), RESUME_SKIP_PART);
    assert_true(resume_was_sent(&checked, 299));
    assert_false(resume_was_sent(&checked, 300)); /* other rows may share this place */
}

static void a_transaction_with_smaller_places_that_commits_later_is_sent_whole(void **state)
{
    struct position p =
        parse("{\"lsn_proc\":300,\"messageType\":\"INSERT\",\"lsn_commit\":200,\"lsn\":300,\"txId\":7}");
    struct resume resume = resume_of(&p, true);

    (void)state;
    assert_int_equal(resume_begin(&resume, 7, 310), RESUME_SKIP_PART);
    assert_int_equal(resume_begin(&resume, 6, 500), RESUME_SEND); /* whatever places its changes have */
}

static void after_a_begin_or_half_a_truncate_the_change_comes_again(void **state)
{
    struct position begin =
        parse("{\"lsn_proc\":900,\"messageType\":\"BEGIN\",\"lsn_commit\":200,\"lsn\":300,\"txId\":7}");
    struct position half =
        parse("{\"lsn_proc\":200,\"messageType\":\"TRUNCATE\",\"lsn_commit\":200,\"lsn\":300,\"txId\":7}");
    struct resume r = resume_of(&begin, true);

    (void)state;
    assert_int_equal(resume_begin(&r, 7, 1000), RESUME_SKIP_PART);
    assert_false(resume_was_sent(&r, 250));
    r = resume_of(&half, true);
    assert_true(resume_was_sent(&r, 299));
    assert_false(resume_was_sent(&r, 300));
}

static void a_finished_snapshot_leaves_nothing_out(void **state)
{
    struct position p = parse("{\"snapshot\":true,\"last_snapshot_record\":true,\"lsn\":5,\"txId\":6}");
    struct resume r = resume_of(&p, true);

    (void)state;
    assert_int_equal(resume_begin(&r, 6, 1), RESUME_SEND);
    assert_int_equal(position_confirmable(&p), 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_streaming_position_goes_both_ways),
        cmocka_unit_test(a_snapshot_position_goes_both_ways),
        cmocka_unit_test(offsets_of_later_debeziums_are_understood),
        cmocka_unit_test(what_is_no_offset_is_an_error),
        cmocka_unit_test(counts_of_a_transaction_are_part_of_the_offset),
        cmocka_unit_test(counts_come_in_the_order_of_javas_hash_map),
        cmocka_unit_test(a_start_skips_whole_transactions_and_the_part_that_was_sent),
        cmocka_unit_test(a_transaction_with_smaller_places_that_commits_later_is_sent_whole),
        cmocka_unit_test(after_a_begin_or_half_a_truncate_the_change_comes_again),
        cmocka_unit_test(a_finished_snapshot_leaves_nothing_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
