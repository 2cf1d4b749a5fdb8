/* pgoutput's messages, the walsender's frames, LSN text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "wire/pg/pg.h"

static struct err err;

static void an_insert_gives_nulls_unchanged_values_and_text(void **state)
{
    CLEANUP(pgoutput_decoder_free) struct pgoutput_decoder d = { 0 };
    struct pgoutput_message m;

    (void)state;
    assert_int_equal(pgoutput_decode(&d, STR("I\0\0\x40\x01N\0\3nut\0\0\0\2hi"), &m, &err), RC_OK);
    assert_int_equal(m.kind, PGOUTPUT_INSERT);
    assert_int_equal(m.relation_id, 0x4001);
    assert_null(m.old_tuple.values);
    assert_int_equal(m.new_tuple.count, 3);
    assert_int_equal(m.new_tuple.values[0].kind, PG_VALUE_NULL);
    assert_int_equal(m.new_tuple.values[1].kind, PG_VALUE_UNCHANGED);
    assert_true(str_is(m.new_tuple.values[2].bytes, "hi"));
}

static void an_update_tells_a_key_from_a_whole_old_row(void **state)
{
    CLEANUP(pgoutput_decoder_free) struct pgoutput_decoder d = { 0 };
    struct pgoutput_message m;

    (void)state;
    assert_int_equal(pgoutput_decode(&d,
                                     STR("U\0\0\0\1K\0\1t\0\0\0\1"
                                         "1N\0\1t\0\0\0\1"
                                         "2"),
                                     &m, &err),
                     RC_OK);
    assert_true(m.old_is_key);
    assert_true(str_is(m.old_tuple.values[0].bytes, "1"));
    assert_true(str_is(m.new_tuple.values[0].bytes, "2"));
    assert_int_equal(pgoutput_decode(&d, STR("U\0\0\0\1O\0\1nN\0\1n"), &m, &err), RC_OK);
    assert_false(m.old_is_key);
    assert_int_equal(m.old_tuple.count, 1);
    assert_int_equal(pgoutput_decode(&d, STR("U\0\0\0\1N\0\1n"), &m, &err), RC_OK);
    assert_null(m.old_tuple.values);
}

static void a_relation_names_its_columns(void **state)
{
    CLEANUP(pgoutput_decoder_free) struct pgoutput_decoder d = { 0 };
    struct pgoutput_message m;

    (void)state;
    assert_int_equal(
        pgoutput_decode(&d, STR("R\0\0\0\7public\0t\0d\0\2\1id\0\0\0\0\x17\xff\xff\xff\xff\0v\0\0\0\4\x13\0\0\0\x0e"),
                        &m, &err),
        RC_OK);
    assert_true(str_is(m.relation.schema, "public"));
    assert_true(str_is(m.relation.table, "t"));
    assert_int_equal(m.relation.replica_identity, 'd');
    assert_int_equal(m.relation.column_count, 2);
    assert_true(m.relation.columns[0].in_key);
    assert_int_equal(m.relation.columns[0].type_oid, 23);
    assert_int_equal(m.relation.columns[0].typmod, -1);
    assert_int_equal(m.relation.columns[1].typmod, 14);
}

static void a_message_cut_anywhere_is_an_error_and_so_is_one_byte_more(void **state)
{
    static const char update[] = "U\0\0\0\1K\0\1t\0\0\0\1"
                                 "1N\0\2t\0\0\0\1"
                                 "2n";
    static const char relation[] = "R\0\0\0\7public\0t\0d\0\1\1id\0\0\0\0\x17\xff\xff\xff\xff";
    static const char truncate[] = "T\0\0\0\2\1\0\0\0\7\0\0\0\x8";
    const struct str all[] = { str_n(update, sizeof update - 1), str_n(relation, sizeof relation - 1),
                               str_n(truncate, sizeof truncate - 1) };
    CLEANUP(pgoutput_decoder_free) struct pgoutput_decoder d = { 0 };
    struct pgoutput_message m;

    (void)state;
    for (size_t k = 0; k < ARRAY_LEN(all); k++) {
        assert_int_equal(pgoutput_decode(&d, all[k], &m, &err), RC_OK);
        for (size_t n = 0; n < all[k].len; n++)
            assert_int_equal(pgoutput_decode(&d, str_n(all[k].p, n), &m, &err), RC_BAD_INPUT);
        assert_int_equal(pgoutput_decode(&d, str_n(all[k].p, all[k].len + 1), &m, &err), RC_BAD_INPUT);
    }
}

static void a_count_that_lies_allocates_nothing(void **state)
{
    CLEANUP(pgoutput_decoder_free) struct pgoutput_decoder d = { 0 };
    struct pgoutput_message m;

    (void)state;
    assert_int_equal(pgoutput_decode(&d, STR("I\0\0\0\1N\xff\xff"), &m, &err), RC_BAD_INPUT);
    assert_int_equal(pgoutput_decode(&d, STR("T\x7f\xff\xff\xff\0"), &m, &err), RC_BAD_INPUT);
    assert_int_equal(d.new_cap, 0);
    assert_int_equal(d.ids_cap, 0);
}

static void begin_and_commit_carry_unix_microseconds(void **state)
{
    CLEANUP(pgoutput_decoder_free) struct pgoutput_decoder d = { 0 };
    struct pgoutput_message m;

    (void)state;
    assert_int_equal(pgoutput_decode(&d, STR("B\0\0\0\0\0\0\1\0\0\0\0\0\0\0\0\1\0\0\3\x09"), &m, &err), RC_OK);
    assert_int_equal(m.lsn, 256);
    assert_int_equal(m.commit_us, 946684800000001);
    assert_int_equal(m.xid, 777);
    assert_int_equal(pgoutput_decode(&d, STR("C\0\0\0\0\0\0\0\0\1\0\0\0\0\0\0\0\2\0\0\0\0\0\0\0\0"), &m, &err), RC_OK);
    assert_int_equal(m.commit_lsn, 1);
    assert_int_equal(m.lsn, 2);
}

static void frames_of_the_walsender_are_read_and_written(void **state)
{
    struct walsender_message m;
    char status[WALSENDER_STATUS_SIZE];

    (void)state;
    assert_int_equal(walsender_decode(STR("w\0\0\0\0\0\0\0\1\0\0\0\0\0\0\0\2\0\0\0\0\0\0\0\0payload"), &m, &err),
                     RC_OK);
    assert_int_equal(m.start_lsn, 1);
    assert_int_equal(m.end_lsn, 2);
    assert_true(str_is(m.data, "payload"));
    assert_int_equal(walsender_decode(STR("k\0\0\0\0\0\0\0\3\0\0\0\0\0\0\0\0\1"), &m, &err), RC_OK);
    assert_int_equal(m.end_lsn, 3);
    assert_true(m.reply_wanted);
    assert_int_equal(walsender_decode(STR("k\0\0\0\0\0\0\0\3"), &m, &err), RC_BAD_INPUT);
    assert_int_equal(walsender_decode(STR("?"), &m, &err), RC_BAD_INPUT);
    assert_int_equal(walsender_decode(STR(""), &m, &err), RC_BAD_INPUT);
    walsender_encode_status(0x0102030405060708, 946684800000002, status);
    assert_memory_equal(status, "r\1\2\3\4\5\6\7\x8\1\2\3\4\5\6\7\x8\1\2\3\4\5\6\7\x8\0\0\0\0\0\0\0\2\0",
                        sizeof status);
}

static void lsn_text_goes_both_ways(void **state)
{
    char text[LSN_TEXT_MAX];
    uint64_t lsn = 0;

    (void)state;
    assert_true(lsn_parse(STR("16/B374D848"), &lsn));
    assert_int_equal(lsn, 0x16B374D848);
    lsn_format(lsn, text);
    assert_string_equal(text, "16/B374D848");
    lsn_format(UINT64_MAX, text);
    assert_string_equal(text, "FFFFFFFF/FFFFFFFF");
    assert_false(lsn_parse(STR("16B374D848"), &lsn));
    assert_false(lsn_parse(STR("/1"), &lsn));
    assert_false(lsn_parse(STR("1/"), &lsn));
    assert_false(lsn_parse(STR("1/123456789"), &lsn));
    assert_false(lsn_parse(STR("1/2/3"), &lsn));
    assert_false(lsn_parse(STR(""), &lsn));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_insert_gives_nulls_unchanged_values_and_text),
        cmocka_unit_test(an_update_tells_a_key_from_a_whole_old_row),
        cmocka_unit_test(a_relation_names_its_columns),
        cmocka_unit_test(a_message_cut_anywhere_is_an_error_and_so_is_one_byte_more),
        cmocka_unit_test(a_count_that_lies_allocates_nothing),
        cmocka_unit_test(begin_and_commit_carry_unix_microseconds),
        cmocka_unit_test(frames_of_the_walsender_are_read_and_written),
        cmocka_unit_test(lsn_text_goes_both_ways),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
