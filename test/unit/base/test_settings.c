/* .env files, ${} expansion, and the messages about what is wrong with them. */
#include "unit/unit.h"

#include <string.h>

#include "base/base.h"

static void reads_what_compose_reads(void **state)
{
    static const char text[] =
        "\xEF\xBB\xBF# a comment\n\nPLAIN=one\nexport EXPORTED = two \nEMPTY=\nQUOTED=\"a \\\"b\\\" # c\"\n"
        "SINGLE='${PLAIN}'\nCOMMENT=x # not this\nHASH=a#b\nCHAIN=${PLAIN}-${MISSING:-default}\n"
        "NESTED=${MISSING:-${PLAIN}}\nDOLLAR=a$$b$c\r\n"
        "UNSET=${EMPTY-default}|${EMPTY:-default}|${MISSING-${PLAIN}}\n"
        "OTHER=${PLAIN:+there}|${EMPTY:+there}|${EMPTY+there}|${MISSING+there}|${PLAIN:?why}\n";
    static const char *const expected[][2] = {
        { "PLAIN", "one" },          { "EXPORTED", "two" },       { "EMPTY", "" },
        { "QUOTED", "a \"b\" # c" }, { "SINGLE", "${PLAIN}" },    { "COMMENT", "x" },
        { "HASH", "a#b" },           { "CHAIN", "one-default" },  { "NESTED", "one" },
        { "DOLLAR", "a$b$c" },       { "UNSET", "|default|one" }, { "OTHER", "there||there||one" },
    };
    struct settings settings = { 0 };
    struct err err = { 0 };

    (void)state;
    assert_int_equal(settings_parse_env(&settings, ".env", str_of(text), &err), RC_OK);
    for (size_t i = 0; i < ARRAY_LEN(expected); i++)
        assert_string_equal(settings_get(&settings, expected[i][0], "(none)"), expected[i][1]);
    assert_string_equal(settings_find(&settings, "PLAIN")->origin, ".env:3");
    settings_free(&settings);
}

static void names_file_line_and_cause(void **state)
{
    static const char *const rows[][2] = {
        { "A=1\nnonsense\n", "cannot read '.env:2': 'nonsense' is not NAME=value" },
        { "1A=x", "cannot read '.env:1': '1A' is not a variable name" },
        { "A=\"x", "cannot read '.env:1': the value's double quote is not closed" },
        { "A='x", "cannot read '.env:1': the value's single quote is not closed" },
        { "A=${B}", "cannot read '.env:1': '${B}' is not defined; set it in the environment or in a .env file" },
        { "A=${B", "cannot read '.env:1': '${' has no closing '}'" },
        { "A=${B:?set it}", "cannot read '.env:1': '${B}' is not defined: set it" },
        { "A=${B:=x}", "cannot read '.env:1': '${B:=x}' is not a variable; write ${NAME} or ${NAME:-default}" },
        { "A=${B C}", "cannot read '.env:1': '${B C}' is not a variable; write ${NAME} or ${NAME:-default}" },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct settings settings = { 0 };
        struct err err = { 0 };
        assert_int_equal(settings_parse_env(&settings, ".env", str_of(rows[i][0]), &err), RC_BAD_INPUT);
        assert_string_equal(err.text, rows[i][1]);
        settings_free(&settings);
    }
}

static void a_wrong_number_names_setting_and_origin(void **state)
{
    struct settings settings = { 0 };
    struct err err = { 0 };
    int64_t v = 0;

    (void)state;
    settings_set(&settings, STR("PORT"), STR("x1"), "flag --port");
    assert_int_equal(settings_int(&settings, "PORT", 5, 1, 10, &v, &err), RC_BAD_INPUT);
    assert_string_equal(err.text, "cannot use 'x1' for 'PORT' (flag --port): it must be a whole number from 1 to 10");
    assert_int_equal(settings_int(&settings, "OTHER", 5, 1, 10, &v, &err), RC_OK);
    assert_int_equal(v, 5);
    settings_free(&settings);
}

static void defaults_in_defaults_have_a_depth(void **state)
{
    enum { DEEP = 100000 };
    CLEANUP(settings_free) struct settings settings = { 0 };
    CLEANUP(buf_free) struct buf text = { 0 }, out = { 0 };
    struct err err = { 0 };

    (void)state;
    assert_int_equal(settings_expand(&settings, STR("${A:-${B:-${C:-${D:-x}}}}"), &out, &err), RC_OK);
    assert_string_equal(buf_cstr(&out), "x");
    for (int i = 0; i < DEEP; i++)
        buf_puts(&text, "${A:-");
    for (int i = 0; i < DEEP; i++)
        buf_putc(&text, '}');
    assert_int_equal(settings_expand(&settings, buf_str(&text), &out, &err), RC_BAD_INPUT);
    assert_non_null(strstr(err.text, "more than 16 defaults"));
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_what_compose_reads),
        cmocka_unit_test(names_file_line_and_cause),
        cmocka_unit_test(defaults_in_defaults_have_a_depth),
        cmocka_unit_test(a_wrong_number_names_setting_and_origin),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
