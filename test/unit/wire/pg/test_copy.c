/* Rows of COPY in text form. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "wire/pg/pg.h"

static struct err err;
static char line[256];

static enum rc split(struct str text, struct pg_value *values, size_t count)
{
    memcpy(line, text.p, text.len);
    return pg_copy_split(line, text.len, values, count, &err);
}

static void nulls_empty_texts_and_escapes_are_told_apart(void **state)
{
    struct pg_value v[5];

    (void)state;
    assert_int_equal(split(STR("\\N\t\ta\\tb\\\\N\t\\\\N\tx\\ny\n"), v, 5), RC_OK);
    assert_int_equal(v[0].kind, PG_VALUE_NULL);
    assert_int_equal(v[1].kind, PG_VALUE_TEXT);
    assert_int_equal(v[1].bytes.len, 0);
    assert_true(str_is(v[2].bytes, "a\tb\\N"));
    assert_true(str_is(v[3].bytes, "\\N"));
    assert_true(str_is(v[4].bytes, "x\ny"));
}

static void octal_hexadecimal_and_unknown_escapes_are_understood(void **state)
{
    struct pg_value v[1];

    (void)state;
    assert_int_equal(split(STR("\\101\\x41\\q\\.\\x\\7"), v, 1), RC_OK);
    assert_true(str_is(v[0].bytes, "AAq.x\7"));
}

static void a_backslash_at_the_end_stays(void **state)
{
    struct pg_value v[1];

    (void)state;
    assert_int_equal(split(STR("a\\"), v, 1), RC_OK);
    assert_true(str_is(v[0].bytes, "a\\"));
}

static void another_number_of_fields_is_an_error(void **state)
{
    struct pg_value v[2];

    (void)state;
    assert_int_equal(split(STR("a\tb\tc\n"), v, 2), RC_BAD_INPUT);
    assert_int_equal(split(STR("a\n"), v, 2), RC_BAD_INPUT);
    assert_int_equal(split(STR("\t\n"), v, 2), RC_OK);
    assert_int_equal(split(STR("\n"), v, 0), RC_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nulls_empty_texts_and_escapes_are_told_apart),
        cmocka_unit_test(octal_hexadecimal_and_unknown_escapes_are_understood),
        cmocka_unit_test(a_backslash_at_the_end_stays),
        cmocka_unit_test(another_number_of_fields_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
