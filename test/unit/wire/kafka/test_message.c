/* Messages as rows: every API in every version, and the odd corners of the formats. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "wire/kafka/kafka.h"

static void every_message_of_every_version_is_read_as_it_was_written(void **state)
{
    (void)state;
    for (size_t i = 0; i < kafka_api_count; i++)
        for (int side = 0; side < 2; side++)
            for (int version = kafka_apis[i].min; version <= kafka_apis[i].max; version++) {
                const struct kafka_message *message = side ? kafka_apis[i].response : kafka_apis[i].request;
                bool flexible = kafka_api_is_flexible(&kafka_apis[i], version);
                CLEANUP(buf_free) struct buf first = { 0 };
                CLEANUP(buf_free) struct buf second = { 0 };
                CLEANUP(arena_free) struct arena arena = { 0 };
                struct err err = { 0 };
                void *out = arena_alloc(&arena, message->size);
                void *zero = arena_alloc(&arena, message->size);
                kafka_encode(&first, message, version, flexible, zero);
                assert_false(buf_failed(&first));
                if (kafka_decode(buf_str(&first), message, version, flexible, &arena, out, &err))
                    fail_msg("%s", err.text);
                kafka_encode(&second, message, version, flexible, out);
                assert_int_equal(first.len, second.len);
                assert_memory_equal(first.data ? first.data : "", second.data ? second.data : "", first.len);
            }
}

/* a produce request, versions 9 (flexible) and 3, as on the wire */
static const uint8_t produce9[] = { 0, 0, 1, 0, 0, 0x75, 0x30, 2, 2, 't', 2, 0, 0, 0, 7, 4, 'a', 'b', 'c', 0, 0, 0 };
static const uint8_t produce3[] = { 0xff, 0xff, 0, 1, 0, 0, 0x75, 0x30, 0, 0, 0, 1, 0,   1,   't',
                                    0,    0,    0, 1, 0, 0, 0,    7,    0, 0, 0, 3, 'a', 'b', 'c' };

static void produce_is_read_from_known_bytes(void **state)
{
    const struct {
        struct str bytes;
        int version;
    } cases[] = { { { (const char *)produce9, sizeof produce9 }, 9 },
                  { { (const char *)produce3, sizeof produce3 }, 3 } };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CLEANUP(arena_free) struct arena arena = { 0 };
        CLEANUP(buf_free) struct buf again = { 0 };
        struct kafka_produce_request q;
        struct err err = { 0 };
        assert_int_equal(
            kafka_decode(cases[i].bytes, &kafka_produce_request_message, cases[i].version, i == 0, &arena, &q, &err),
            RC_OK);
        assert_null(q.transactional_id.p);
        assert_int_equal(q.acks, 1);
        assert_int_equal(q.timeout_ms, 30000);
        assert_true(str_is(q.topic_data.items[0].name, "t"));
        assert_int_equal(q.topic_data.items[0].partition_data.items[0].index, 7);
        assert_int_equal(q.topic_data.items[0].partition_data.items[0].records.len, 3);
        kafka_encode(&again, &kafka_produce_request_message, cases[i].version, i == 0, &q);
        assert_int_equal(again.len, cases[i].bytes.len);
        assert_memory_equal(again.data, cases[i].bytes.p, again.len);
        for (size_t cut = 0; cut < cases[i].bytes.len; cut++)
            assert_int_equal(kafka_decode(str_n(cases[i].bytes.p, cut), &kafka_produce_request_message,
                                          cases[i].version, i == 0, &arena, &q, &err),
                             RC_BAD_INPUT);
    }
}

static void an_error_names_message_and_field(void **state)
{
    CLEANUP(arena_free) struct arena arena = { 0 };
    struct kafka_metadata_request q;
    struct err err = { 0 };

    (void)state;
    assert_int_equal(
        kafka_decode(STR("\0\0\0\1\377\377\1"), &kafka_metadata_request_message, 4, false, &arena, &q, &err),
        RC_BAD_INPUT);
    assert_non_null(strstr(err.text, "metadata_request"));
    assert_non_null(strstr(err.text, "'name' is null and must not be"));
}

static void a_list_that_lies_about_its_length_takes_no_memory(void **state)
{
    CLEANUP(arena_free) struct arena arena = { 0 };
    struct kafka_metadata_request q;
    struct err err = { 0 };

    (void)state;
    assert_int_equal(
        kafka_decode(STR("\177\377\377\377\1"), &kafka_metadata_request_message, 4, false, &arena, &q, &err),
        RC_BAD_INPUT);
    assert_int_equal(arena.used, 0);
}

static void tags_that_are_unknown_are_skipped_and_known_ones_are_read(void **state)
{
    CLEANUP(arena_free) struct arena arena = { 0 };
    CLEANUP(buf_free) struct buf bytes = { 0 };
    struct kafka_fetch_request q = { .cluster_id = STR("c"), .session_epoch = -1 }, r;
    struct kafka_fetch_request_replica_state replica = { 5, 6 };
    struct err err = { 0 };

    (void)state;
    q.replica_state = &replica;
    kafka_encode(&bytes, &kafka_fetch_request_message, 15, true, &q);
    assert_int_equal(kafka_decode(buf_str(&bytes), &kafka_fetch_request_message, 15, true, &arena, &r, &err), RC_OK);
    assert_true(str_is(r.cluster_id, "c"));
    assert_int_equal(r.replica_state->replica_id, 5);
    /* version 12 knows tag 0 only: the same bytes hold an unknown tag 1 there */
    bytes.len = 0;
    q.replica_state = NULL;
    kafka_encode(&bytes, &kafka_fetch_request_message, 12, true, &q);
    bytes.data[bytes.len - 5] = 2; /* two tags: ours, and { 9, 2 bytes } */
    buf_append(&bytes, "\11\2xy", 4);
    if (kafka_decode(buf_str(&bytes), &kafka_fetch_request_message, 12, true, &arena, &r, &err))
        fail_msg("%s", err.text);
    assert_true(str_is(r.cluster_id, "c"));
    assert_null(r.replica_state);
}

static void fields_that_a_version_does_not_carry_have_their_default(void **state)
{
    CLEANUP(arena_free) struct arena arena = { 0 };
    CLEANUP(buf_free) struct buf bytes = { 0 };
    struct kafka_fetch_request q = { .max_bytes = 5 }, r;
    struct err err = { 0 };

    (void)state;
    kafka_encode(&bytes, &kafka_fetch_request_message, 4, false, &q);
    assert_int_equal(kafka_decode(buf_str(&bytes), &kafka_fetch_request_message, 4, false, &arena, &r, &err), RC_OK);
    assert_int_equal(r.session_epoch, -1);
    assert_int_equal(r.max_bytes, 5);
}

static void ids_are_printed_as_kafka_prints_them(void **state)
{
    struct kafka_uuid id, again;
    char text[KAFKA_UUID_TEXT_MAX];

    (void)state;
    assert_true(kafka_uuid_parse(STR("4L6g3nShT-eMCtK--X86sw"), &id));
    kafka_uuid_format(&id, text);
    assert_string_equal(text, "4L6g3nShT-eMCtK--X86sw");
    for (int i = 0; i < 100; i++) {
        uuid_random(id.bytes);
        kafka_uuid_format(&id, text);
        assert_true(kafka_uuid_parse(str_of(text), &again));
        assert_true(kafka_uuid_eq(&id, &again));
    }
    assert_false(kafka_uuid_parse(STR("short"), &id));
    assert_false(kafka_uuid_parse(STR("4L6g3nShT=eMCtK--X86sw"), &id));
}

static void varints_keep_all_values(void **state)
{
    static const int64_t values[] = { 0, -1, 1, 63, -64, 64, 300, INT32_MAX, INT32_MIN, INT64_MAX, INT64_MIN };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(values); i++) {
        CLEANUP(buf_free) struct buf bytes = { 0 };
        kafka_write_varlong(&bytes, values[i]);
        struct kafka_reader reader = { .at = bytes.data, .end = bytes.data + bytes.len };
        assert_true(kafka_read_varlong(&reader) == values[i]);
        assert_true(reader.at == reader.end && !reader.error);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_message_of_every_version_is_read_as_it_was_written),
        cmocka_unit_test(produce_is_read_from_known_bytes),
        cmocka_unit_test(an_error_names_message_and_field),
        cmocka_unit_test(a_list_that_lies_about_its_length_takes_no_memory),
        cmocka_unit_test(tags_that_are_unknown_are_skipped_and_known_ones_are_read),
        cmocka_unit_test(fields_that_a_version_does_not_carry_have_their_default),
        cmocka_unit_test(ids_are_printed_as_kafka_prints_them),
        cmocka_unit_test(varints_keep_all_values),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
