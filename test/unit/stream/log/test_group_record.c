/* Records of __consumer_offsets against bytes that Apache Kafka 4.1 wrote, and against damaged ones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "stream/log/group_record.h"

static void assert_written(const struct group_record *record, const char *key_hex, const char *value_hex)
{
    CLEANUP(buf_free) struct buf key = { 0 }, value = { 0 }, hex = { 0 };

    group_record_write(record, &key, &value);
    encode_hex(&hex, key.data, key.len);
    assert_string_equal(buf_cstr(&hex), key_hex);
    buf_clear(&hex);
    encode_hex(&hex, value.data, value.len);
    assert_string_equal(buf_cstr(&hex), value_hex);
}

static enum rc read_hex(const char *key_hex, const char *value_hex, struct arena *arena, struct buf *bytes,
                        struct group_record *out, struct err *err)
{
    size_t key_len = strlen(key_hex) / 2;

    assert_true(decode_hex(str_of(key_hex), bytes));
    if (value_hex)
        assert_true(decode_hex(str_of(value_hex), bytes));
    struct str value = value_hex ? str_n(bytes->data + key_len, bytes->len - key_len) : (struct str){ 0 };
    return group_record_read(str_n(bytes->data, key_len), value, arena, out, err);
}

static const char offset_key[] = "000100016700017400000003";
static const char offset_value[] = "0004000000000000002a0000000505746578740000018bcfe5680000";
static const char expiring_value[] = "0001000000000000002a00000000018bcfe568000000018bcfe56be8";
static const char group_key[] = "0002000167";
static const char group_value[] =
    "00030008636f6e73756d657200000007000572616e676500036d2d310000018bcfe568000000000100036d2d31ffff000163000a2f3132372e"
    "302e302e31000493e00000afc80000000201020000000103";

static void an_offset_is_written_as_kafka_writes_it(void **state)
{
    struct group_record record = { .kind = GROUP_RECORD_OFFSET,
                                   .group = STR("g"),
                                   .topic = STR("t"),
                                   .partition = 3,
                                   .offset = 42,
                                   .leader_epoch = 5,
                                   .metadata = STR("text"),
                                   .committed_at = 1700000000000,
                                   .expires_at = -1 };

    (void)state;
    assert_written(&record, offset_key, offset_value);
    record.metadata = STR("");
    record.expires_at = 1700000001000;
    assert_written(&record, offset_key, expiring_value);
    record.deleted = true;
    assert_written(&record, offset_key, "");
}

static void a_group_is_written_as_kafka_writes_it(void **state)
{
    struct group_record_member member = { .id = STR("m-1"),
                                          .client_id = STR("c"),
                                          .client_host = STR("/127.0.0.1"),
                                          .rebalance_ms = 300000,
                                          .session_ms = 45000,
                                          .subscription = STR("\1\2"),
                                          .assignment = STR("\3") };
    struct group_record record = { .kind = GROUP_RECORD_GROUP,
                                   .group = STR("g"),
                                   .protocol_type = STR("consumer"),
                                   .protocol = STR("range"),
                                   .leader = STR("m-1"),
                                   .generation = 7,
                                   .state_since = 1700000000000,
                                   .members = &member,
                                   .member_count = 1 };

    (void)state;
    assert_written(&record, group_key, group_value);
}

static void both_come_back_as_they_were(void **state)
{
    CLEANUP(arena_free) struct arena arena = { 0 };
    CLEANUP(buf_free) struct buf one = { 0 }, two = { 0 }, three = { 0 };
    struct group_record record;
    struct err err;

    (void)state;
    assert_int_equal(read_hex(offset_key, offset_value, &arena, &one, &record, &err), RC_OK);
    assert_int_equal(record.kind, GROUP_RECORD_OFFSET);
    assert_int_equal(record.offset, 42);
    assert_int_equal(record.leader_epoch, 5);
    assert_true(str_is(record.metadata, "text"));
    assert_int_equal(record.committed_at, 1700000000000);
    assert_int_equal(record.expires_at, -1);
    assert_int_equal(read_hex(group_key, group_value, &arena, &two, &record, &err), RC_OK);
    assert_int_equal(record.member_count, 1);
    assert_null(record.members[0].instance_id.p);
    assert_int_equal(record.members[0].session_ms, 45000);
    assert_true(str_is(record.members[0].subscription, "\1\2"));
    assert_int_equal(read_hex(group_key, NULL, &arena, &three, &record, &err), RC_OK);
    assert_true(record.deleted);
}

static void every_cut_is_an_error_and_other_kinds_are_skipped(void **state)
{
    CLEANUP(arena_free) struct arena arena = { 0 };
    struct group_record record;
    struct err err;

    (void)state;
    for (size_t n = 0; n < strlen(group_value); n += 2) {
        CLEANUP(buf_free) struct buf bytes = { 0 };
        CLEANUP_FREE char *cut = mem_strndup(group_value, n);
        assert_int_equal(read_hex(group_key, cut, &arena, &bytes, &record, &err), RC_BAD_INPUT);
    }
    CLEANUP(buf_free) struct buf other = { 0 }, many = { 0 };
    assert_int_equal(read_hex("0003000167", "0000", &arena, &other, &record, &err), RC_OK);
    assert_int_equal(record.kind, GROUP_RECORD_OTHER);
    assert_int_equal(read_hex(group_key, "00000000000000007fffffff7fffffff", &arena, &many, &record, &err),
                     RC_BAD_INPUT);
    assert_int_equal(group_record_read((struct str){ 0 }, STR(""), &arena, &record, &err), RC_BAD_INPUT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_offset_is_written_as_kafka_writes_it),
        cmocka_unit_test(a_group_is_written_as_kafka_writes_it),
        cmocka_unit_test(both_come_back_as_they_were),
        cmocka_unit_test(every_cut_is_an_error_and_other_kinds_are_skipped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
