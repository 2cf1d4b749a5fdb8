/* What the bytes of a record are. */
#include "unit/unit.h"

#include <string.h>

#include "face/stream/stream.h"

static void avro_begins_with_zero_and_a_schemas_id(void **state)
{
    static const struct {
        const char *bytes;
        size_t len;
        bool is_avro;
        uint32_t id;
        size_t payload;
    } rows[] = {
        { "\0\0\0\0\1x", 6, true, 1, 1 },
        { "\0\0\0\1\0", 5, true, 256, 0 },
        { "\0\xff\xff\xff\xfe"
          "ab",
          7, true, 0xfffffffe, 2 },
        { "\0\0\0\1", 4, false, 0, 0 },
        { "\1\0\0\0\1x", 6, false, 0, 0 },
        { "{\"a\":1}", 7, false, 0, 0 },
        { "", 0, false, 0, 0 },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct str payload = { 0 };
        uint32_t id = 0;
        assert_int_equal(stream_is_avro(str_n(rows[i].bytes, rows[i].len), &id, &payload), rows[i].is_avro);
        if (!rows[i].is_avro)
            continue;
        assert_int_equal(id, rows[i].id);
        assert_int_equal(payload.len, rows[i].payload);
        assert_ptr_equal(payload.p, rows[i].bytes + 5);
    }
    assert_false(stream_is_avro((struct str){ 0 }, NULL, NULL));
}

static void what_is_not_avro_is_shown_as_json_text_or_hex(void **state)
{
    static const struct {
        const char *bytes;
        size_t len;
        const char *shown;
    } rows[] = {
        { "{\"a\": 1}", 8, "{\"a\": 1}" },
        { "17", 2, "17" },
        { "plain \"x\"", 9, "\"plain \\\"x\\\"\"" },
        { "\xff\x01", 2, "\"0xff01\"" },
        { "", 0, "\"\"" },
        { "{\"a\":", 5, "\"{\\\"a\\\":\"" },
        { "\0\0", 2, NULL },
    };
    struct stream stream = { 0 };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(buf_free) struct buf out = { 0 };
        stream_text(&stream, str_n(rows[i].bytes, rows[i].len), &out);
        if (rows[i].shown)
            assert_string_equal(buf_cstr(&out), rows[i].shown);
        assert_true(str_is_utf8(buf_str(&out)));
    }
    CLEANUP(buf_free) struct buf out = { 0 };
    stream_text(&stream, (struct str){ 0 }, &out);
    assert_string_equal(buf_cstr(&out), "null");
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(avro_begins_with_zero_and_a_schemas_id),
        cmocka_unit_test(what_is_not_avro_is_shown_as_json_text_or_hex),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
