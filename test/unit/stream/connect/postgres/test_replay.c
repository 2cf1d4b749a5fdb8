/* Counting what the topics hold, and reading a record's place from its bytes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "stream/connect/postgres/filter.h"
#include "stream/connect/postgres/replay.h"
#include "stream/connect/postgres/tail.h"

static struct err err;

static void rows_that_share_a_place_are_counted(void **state)
{
    CLEANUP(replay_free) struct replay r = { 0 };

    (void)state;
    for (int i = 0; i < 2; i++)
        assert_int_equal(replay_add(&r, STR("t"), 100, REPLAY_CREATE, &err), RC_OK);
    assert_true(replay_take(&r, STR("t"), 100, REPLAY_CREATE));
    assert_false(replay_take(&r, STR("t"), 100, REPLAY_TOMBSTONE));
    assert_false(replay_take(&r, STR("u"), 100, REPLAY_CREATE));
    assert_false(replay_take(&r, STR("t"), 101, REPLAY_CREATE));
    assert_true(replay_take(&r, STR("t"), 100, REPLAY_CREATE));
    assert_false(replay_take(&r, STR("t"), 100, REPLAY_CREATE));
    assert_int_equal(r.left, 0);
}

static void half_a_key_change_is_completed(void **state)
{
    CLEANUP(replay_free) struct replay r = { 0 };

    (void)state;
    assert_int_equal(replay_add(&r, STR("t"), 100, REPLAY_DELETE, &err), RC_OK);
    assert_true(replay_take(&r, STR("t"), 100, REPLAY_DELETE));
    assert_false(replay_take(&r, STR("t"), 100, REPLAY_TOMBSTONE));
    assert_false(replay_take(&r, STR("t"), 100, REPLAY_CREATE));
}

static void many_are_found_again_also_after_merging(void **state)
{
    CLEANUP(replay_free) struct replay a = { 0 };
    CLEANUP(replay_free) struct replay b = { 0 };

    (void)state;
    for (uint64_t lsn = 0; lsn < 100000; lsn++)
        assert_int_equal(replay_add(lsn % 2 ? &a : &b, STR("storefront.public.orders"), lsn * 8, REPLAY_UPDATE, &err),
                         RC_OK);
    assert_int_equal(replay_merge(&a, &b, &err), RC_OK);
    assert_int_equal(a.left, 100000);
    for (uint64_t lsn = 0; lsn < 100000; lsn++)
        assert_true(replay_take(&a, STR("storefront.public.orders"), lsn * 8, REPLAY_UPDATE));
    assert_int_equal(a.left, 0);
}

static bool read_json(const char *text, struct tail_record *out)
{
    json_error_t where;
    json_t *value = json_loads(text, 0, &where);
    bool fine = tail_read_json(value, out);

    json_decref(value);
    return fine;
}

static void an_envelope_shows_its_place(void **state)
{
    struct tail_record r;

    (void)state;
    assert_true(read_json("{\"before\":null,\"after\":{\"lsn\":1},\"op\":\"u\",\"source\":{\"lsn\":300,\"txId\":7,"
                          "\"sequence\":\"[\\\"200\\\",\\\"300\\\"]\"}}",
                          &r));
    assert_int_equal(r.kind, REPLAY_UPDATE);
    assert_int_equal(r.lsn, 300);
    assert_int_equal(r.commit, 200);
    assert_int_equal(r.tx, 7);
    assert_true(read_json("{\"op\":\"c\",\"source\":{\"lsn\":300,\"sequence\":\"[null,\\\"300\\\"]\"}}", &r));
    assert_false(r.has_commit);
    assert_true(read_json("{\"status\":\"END\",\"id\":\"780:123\"}", &r));
    assert_int_equal(r.kind, REPLAY_END);
    assert_int_equal(r.lsn, 123);
    assert_false(read_json("{\"id\":1}", &r));
    assert_false(read_json("{\"op\":\"c\",\"source\":{}}", &r));
}

static void an_envelope_in_avro_shows_its_place(void **state)
{
    CLEANUP(tail_schemas_free) struct tail_schemas schemas = { 0 };
    CLEANUP(buf_free) struct buf bytes = { 0 };
    struct tail_record r;
    struct converter_data data = {
        .schema_id = 7,
        .schema =
            STR("{\"type\":\"record\",\"name\":\"Envelope\",\"fields\":[{\"name\":\"after\",\"type\":[\"null\","
                "\"string\"]},"
                "{\"name\":\"source\",\"type\":{\"type\":\"record\",\"name\":\"Source\",\"fields\":["
                "{\"name\":\"sequence\",\"type\":[\"null\",\"string\"]},{\"name\":\"table\",\"type\":\"string\"},"
                "{\"name\":\"txId\",\"type\":[\"null\",\"long\"]},{\"name\":\"lsn\",\"type\":[\"null\",\"long\"]}]}},"
                "{\"name\":\"op\",\"type\":\"string\"}]}"),
    };

    (void)state;
    avro_write_long(&bytes, 1);
    avro_write_bytes(&bytes, STR("row"));
    avro_write_long(&bytes, 1);
    avro_write_bytes(&bytes, STR("[\"200\",\"300\"]"));
    avro_write_bytes(&bytes, STR("t"));
    avro_write_long(&bytes, 1);
    avro_write_long(&bytes, 7);
    avro_write_long(&bytes, 1);
    avro_write_long(&bytes, 300);
    avro_write_bytes(&bytes, STR("d"));
    data.payload = buf_str(&bytes);
    assert_true(tail_read_avro(&schemas, &data, &r));
    assert_int_equal(r.kind, REPLAY_DELETE);
    assert_int_equal(r.lsn, 300);
    assert_int_equal(r.commit, 200);
    assert_true(r.has_tx && r.has_commit);
    data.payload = str_n(bytes.data, bytes.len - 1);
    assert_false(tail_read_avro(&schemas, &data, &r));
}

static void records_are_before_or_after_a_position_by_commit_not_by_place(void **state)
{
    const struct position p = {
        .has_lsn = true, .lsn = 300, .has_lsn_commit = true, .lsn_commit = 200, .has_tx = true, .tx_id = 7
    };
    struct tail_record r = { .kind = 'c', .has_lsn = true, .has_tx = true, .tx = 7, .has_commit = true, .commit = 200 };

    (void)state;
    r.lsn = 299;
    assert_false(tail_is_after(&r, &p));
    r.lsn = 300;
    assert_true(tail_is_after(&r, &p));
    r = (struct tail_record){
        .kind = 'c', .has_lsn = true, .lsn = 10, .has_tx = true, .tx = 6, .has_commit = true, .commit = 350
    };
    assert_true(tail_is_after(&r, &p));
    r.commit = 199;
    assert_false(tail_is_after(&r, &p));
    r = (struct tail_record){ .kind = 'r', .has_lsn = true, .lsn = 1000 };
    assert_false(tail_is_after(&r, &p));
}

static void a_list_of_patterns_matches_whole_names_in_any_case(void **state)
{
    CLEANUP(name_filter_free) struct name_filter f = { 0 };

    (void)state;
    assert_int_equal(name_filter_compile(&f, "public.orders, inventory\\..*,a\\,b", &err), RC_OK);
    assert_int_equal(name_filter_find(&f, STR("PUBLIC.Orders")), 0);
    assert_int_equal(name_filter_find(&f, STR("public.orders2")), -1);
    assert_int_equal(name_filter_find(&f, STR("inventory.x")), 1);
    assert_int_equal(name_filter_find(&f, STR("a,b")), 2);
    assert_int_equal(name_filter_compile(&f, "(", &err), RC_BAD_INPUT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_that_share_a_place_are_counted),
        cmocka_unit_test(half_a_key_change_is_completed),
        cmocka_unit_test(many_are_found_again_also_after_merging),
        cmocka_unit_test(an_envelope_shows_its_place),
        cmocka_unit_test(an_envelope_in_avro_shows_its_place),
        cmocka_unit_test(records_are_before_or_after_a_position_by_commit_not_by_place),
        cmocka_unit_test(a_list_of_patterns_matches_whole_names_in_any_case),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
