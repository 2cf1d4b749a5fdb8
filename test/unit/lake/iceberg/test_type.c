/* Values as manifests store them, and bounds that never exclude a row. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "lake/iceberg/iceberg.h"
#include "lake/iceberg/type.h"

static void values_are_serialized_as_the_specification_says(void **state)
{
    static const struct {
        const char *type, *text, *hex;
    } rows[] = {
        { "boolean", "true", "01" },
        { "int", "-1", "ffffffff" },
        { "long", "34", "2200000000000000" },
        { "date", "2017-11-16", "4e440000" },
        { "date", "1969-12-31", "ffffffff" },
        { "time", "22:31:08", "008307e012000000" },
        { "timestamp", "1970-01-01 00:00:01.000002", "42420f0000000000" },
        { "timestamptz", "1970-01-01 00:00:01+00", "40420f0000000000" },
        { "float", "1.0", "0000803f" },
        { "double", "-2", "00000000000000c0" },
        { "string", "iceberg", "69636562657267" },
        { "uuid", "f79c3e09-677c-4bbd-a479-3f349cb785e7", "f79c3e09677c4bbda4793f349cb785e7" },
        { "decimal(9,2)", "14.20", "058c" },
        { "decimal(9,2)", "-1.28", "80" },
        { "decimal(9,2)", "1.28", "0080" },
        { "decimal(38,0)", "99999999999999999999999999999999999999", "4b3b4ca85a86c47a098a223fffffffff" },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(buf_free) struct buf bytes = { 0 };
        CLEANUP(buf_free) struct buf hex = { 0 };
        assert_true(iceberg_value_bytes(rows[i].type, str_of(rows[i].text), &bytes));
        encode_hex(&hex, bytes.data, bytes.len);
        assert_string_equal(buf_cstr(&hex), rows[i].hex);
    }
}

static void values_that_do_not_fit_are_refused(void **state)
{
    static const char *const rows[][2] = {
        { "int", "2147483648" },   { "decimal(4,2)", "123.45" }, { "decimal(9,2)", "1.234" },
        { "date", "12025-01-01" }, { "date", "2025-1-1" },       { "timestamp", "2025-01-01 00:00:00 (BC)" },
        { "double", "nan" },       { "uuid", "f79c3e09" },       { "struct<>", "1" },
        { "boolean", "1" },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(buf_free) struct buf bytes = { 0 };
        assert_false(iceberg_value_bytes(rows[i][0], str_of(rows[i][1]), &bytes));
    }
}

static void assert_cut(const char *type, bool upper, const char *in, const char *want)
{
    CLEANUP(buf_free) struct buf out = { 0 };

    bool ok = iceberg_bound_cut(type, upper, str_of(in), &out);
    assert_int_equal(ok, want != NULL);
    if (want)
        assert_string_equal(buf_cstr(&out), want);
}

static void text_bounds_are_cut_at_code_points_and_upper_ones_rounded_up(void **state)
{
    (void)state;
    assert_cut("string", false, "0123456789abcdef", "0123456789abcdef");
    assert_cut("string", true, "0123456789abcdef", "0123456789abcdef");
    assert_cut("string", false, "0123456789abcdefg", "0123456789abcdef");
    assert_cut("string", true, "0123456789abcdefg", "0123456789abcdeg");
    assert_cut("string", false, "ääääääääääääääääx", "ääääääääääääääää");
    assert_cut("string", true, "ääääääääääääääääx", "äääääääääääääääå");
    /* the last character has no successor: the one before it goes up */
    assert_cut("string", true, "0123456789abcde\xf4\x8f\xbf\xbfx", "0123456789abcdf");
    /* surrogates are left out: U+D7FF is followed by U+E000 */
    assert_cut("string", true, "0123456789abcde\xed\x9f\xbfx", "0123456789abcde\xee\x80\x80");
    assert_cut("binary", true, "0123456789abcde\xffx", "0123456789abcdf");
    assert_cut("binary", true, "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", NULL);
}

static void zero_bounds_hold_both_zeros(void **state)
{
    static const char zero[8] = { 0 };
    CLEANUP(buf_free) struct buf lower = { 0 };
    CLEANUP(buf_free) struct buf upper = { 0 };

    (void)state;
    assert_true(iceberg_bound_cut("double", false, str_n(zero, 8), &lower));
    assert_true(iceberg_bound_cut("double", true, str_n(zero, 8), &upper));
    assert_int_equal((uint8_t)lower.data[7], 0x80);
    assert_int_equal((uint8_t)upper.data[7], 0);
}

static void decimals_take_the_fewest_bytes_of_their_precision(void **state)
{
    static const int rows[][2] = {
        { 1, 1 }, { 2, 1 }, { 3, 2 }, { 9, 4 }, { 10, 5 }, { 18, 8 }, { 19, 9 }, { 38, 16 }
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        assert_int_equal(iceberg_decimal_bytes(rows[i][0]), rows[i][1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_are_serialized_as_the_specification_says),
        cmocka_unit_test(values_that_do_not_fit_are_refused),
        cmocka_unit_test(text_bounds_are_cut_at_code_points_and_upper_ones_rounded_up),
        cmocka_unit_test(zero_bounds_hold_both_zeros),
        cmocka_unit_test(decimals_take_the_fewest_bytes_of_their_precision),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
