/* Compatibility: the golden messages of a 7.9 registry's client, and the matrix of promotions. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "disk/disk.h"
#include "stream/registry/compat.h"

static enum rc check(enum compat_level level, struct str new_text, struct str old_text, struct compat_messages *out)
{
    struct avro_document *new_schema = NULL, *old_schema = NULL;
    struct err err = { 0 };
    enum rc rc;

    assert_int_equal(avro_schema_parse(new_text, &new_schema, &err), RC_OK);
    assert_int_equal(avro_schema_parse(old_text, &old_schema, &err), RC_OK);
    rc = compat_check(level, avro_root(new_schema), avro_root(old_schema), out, &err);
    avro_document_free(new_schema);
    avro_document_free(old_schema);
    return rc;
}

static bool label(struct str line, const char *name, struct str *rest)
{
    if (!str_starts(line, name))
        return false;
    *rest = str_skip(line, strlen(name));
    return true;
}

struct gold {
    struct str old_text, new_text;
    struct compat_messages messages;
    size_t at; /* next message expected */
    int checked;
};

static void begin_check(struct gold *gold, struct str line)
{
    struct str rest = line, word;
    enum compat_level level;

    str_cut(&rest, ' ', &word);
    assert_true(compat_level_of(word, &level));
    compat_messages_free(&gold->messages);
    gold->at = 0;
    gold->checked++;
    assert_int_equal(check(level, gold->new_text, gold->old_text, &gold->messages), RC_OK);
    if (str_ends(line, "OK"))
        assert_int_equal(gold->messages.count, 0);
    else
        assert_true(gold->messages.count > 0);
}

static void expect_message(struct gold *gold, struct str text)
{
    CLEANUP_FREE char *want = str_dup(text);

    if (str_starts(text, "{oldSchema:")) {
        assert_int_equal(gold->at, gold->messages.count);
        return;
    }
    assert_true(gold->at < gold->messages.count);
    assert_string_equal(gold->messages.texts[gold->at++], want);
}

static void says_what_the_golden_file_says(void **state)
{
    CLEANUP(buf_free) struct buf text = { 0 };
    struct gold gold = { 0 };
    struct str rest, line, value;
    (void)state;

    assert_int_equal(disk_read_file(TEST_DIR "/golden/registry/gold-7.9.txt", &text, NULL), RC_OK);
    rest = buf_str(&text);
    while (str_cut(&rest, '\n', &line)) {
        if (label(line, "OLD ", &value))
            gold.old_text = value;
        else if (label(line, "NEW ", &value))
            gold.new_text = value;
        else if (label(line, "    {", &value))
            expect_message(&gold, str_skip(line, 4));
        else if (label(line, "  ", &value) && value.len)
            begin_check(&gold, value);
    }
    compat_messages_free(&gold.messages);
    assert_int_equal(gold.checked, 22);
}

static void promotes_what_the_matrix_says(void **state)
{
    static const char *const types[] = { "null", "boolean", "int", "long", "float", "double", "bytes", "string" };
    static const char *const readable[] = { "Y.......", ".Y......", "..YYYY..", "...YYY..",
                                            "....YY..", ".....Y..", "......YY", "......YY" };
    (void)state;
    for (size_t w = 0; w < ARRAY_LEN(types); w++) {
        for (size_t r = 0; r < ARRAY_LEN(types); r++) {
            CLEANUP_FREE char *writer = mem_printf("\"%s\"", types[w]);
            CLEANUP_FREE char *reader = mem_printf("\"%s\"", types[r]);
            struct compat_messages messages = { 0 };
            assert_int_equal(check(COMPAT_BACKWARD, str_of(reader), str_of(writer), &messages), RC_OK);
            assert_int_equal(messages.count == 0, readable[w][r] == 'Y');
            compat_messages_free(&messages);
        }
    }
}

static void recursive_records_end(void **state)
{
    const struct str old_text = STR("{\"type\":\"record\",\"name\":\"N\",\"fields\":[{\"name\":\"v\",\"type\":\"int\"},"
                                    "{\"name\":\"next\",\"type\":[\"null\",\"N\"]}]}");
    const struct str new_text =
        STR("{\"type\":\"record\",\"name\":\"N\",\"fields\":[{\"name\":\"v\",\"type\":\"string\"},"
            "{\"name\":\"next\",\"type\":[\"null\",\"N\"]}]}");
    struct compat_messages messages = { 0 };
    (void)state;
    assert_int_equal(check(COMPAT_FULL, old_text, old_text, &messages), RC_OK);
    assert_int_equal(messages.count, 0);
    assert_int_equal(check(COMPAT_FULL, new_text, old_text, &messages), RC_OK);
    assert_true(messages.count >= 2);
    compat_messages_free(&messages);
}

static void a_field_that_matches_two_is_an_error(void **state)
{
    struct compat_messages messages = { 0 };
    (void)state;
    assert_int_equal(check(COMPAT_BACKWARD,
                           STR("{\"type\":\"record\",\"name\":\"R\",\"fields\":[{\"name\":\"a\",\"type\":\"int\","
                               "\"aliases\":[\"b\"]}]}"),
                           STR("{\"type\":\"record\",\"name\":\"R\",\"fields\":[{\"name\":\"a\",\"type\":\"int\"},"
                               "{\"name\":\"b\",\"type\":\"int\"}]}"),
                           &messages),
                     RC_BAD_INPUT);
    compat_messages_free(&messages);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(says_what_the_golden_file_says),
        cmocka_unit_test(promotes_what_the_matrix_says),
        cmocka_unit_test(recursive_records_end),
        cmocka_unit_test(a_field_that_matches_two_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
