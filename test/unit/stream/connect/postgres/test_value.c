/* Values, names and options where the golden cases have no example. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "golden.h"
#include "stream/connect/postgres/value.h"

static struct event_options *options_of(const char *name, const char *value)
{
    const char *settings[] = { "topic.prefix", "srv", name, value, NULL };
    struct event_options *options = NULL;
    struct err err = { 0 };

    if (event_options_new((struct connect_lookup){ settings_of_list, settings }, &options, &err))
        fail_msg("%s", err.text);
    return options;
}

/* The value of a text as JSON; NUMERIC for decimals. */
static void assert_value(const char *option, const char *setting, uint32_t oid, int32_t typmod, const char *text,
                         const char *expected)
{
    struct event_options *options = options_of(option, setting);
    struct pg_types types = { 0 };
    struct value_work work = { 0 };
    CLEANUP(buf_free) struct buf out = { 0 };
    struct value value;

    pg_types_add_builtin(&types);
    struct value_type *type = value_type_of(options, pg_types_get(&types, oid), typmod);
    assert_non_null(type);
    const char *why = type->convert(type, str_of(text), &work, &value);
    if (!why)
        why = write_json(type, &value, true, &work, &out);
    assert_string_equal(why ? why : buf_cstr(&out), expected);
    value_work_free(&work);
    value_type_free(type);
    pg_types_free(&types);
    event_options_free(options);
}

enum {
    BYTEA = 17,
    INT4 = 23,
    FLOAT8 = 701,
    MONEY = 790,
    DATE = 1082,
    TIME = 1083,
    TIMESTAMP = 1114,
    INTERVAL = 1186,
    NUMERIC = 1700,
    INT4_ARRAY = 1007,
    NUMERIC_10_2 = (10 << 16 | 2) + 4
};

static void decimals_follow_their_handling_mode(void **state)
{
    (void)state;
    assert_value("", "", NUMERIC, NUMERIC_10_2, "-1.50", "-1.50");
    assert_value("decimal.handling.mode", "string", NUMERIC, NUMERIC_10_2, "1.50", "\"1.50\"");
    assert_value("decimal.handling.mode", "string", NUMERIC, PG_NO_TYPMOD, "NaN", "\"NAN\"");
    assert_value("decimal.handling.mode", "string", NUMERIC, PG_NO_TYPMOD, "-Infinity", "\"NEGATIVE_INFINITY\"");
    assert_value("decimal.handling.mode", "double", NUMERIC, NUMERIC_10_2, "1.50", "1.5");
    assert_value("decimal.handling.mode", "double", NUMERIC, PG_NO_TYPMOD, "NaN", "\"NaN\"");
    assert_value("decimal.handling.mode", "string", MONEY, PG_NO_TYPMOD, "-$5.50", "\"-5.50\"");
    assert_value("decimal.handling.mode", "double", MONEY, PG_NO_TYPMOD, "($1,234.56)", "-1234.56");
}

static void times_follow_their_precision_mode(void **state)
{
    (void)state;
    assert_value("time.precision.mode", "connect", DATE, PG_NO_TYPMOD, "1970-01-02", "1");
    assert_value("time.precision.mode", "connect", TIME, 6, "00:00:01.999999", "1999");
    assert_value("time.precision.mode", "connect", TIMESTAMP, 6, "1969-12-31 23:59:59.999999", "-1");
    assert_value("time.precision.mode", "adaptive_time_microseconds", TIME, 3, "23:59:59.999", "86399999000");
}

static void intervals_follow_their_handling_mode(void **state)
{
    (void)state;
    assert_value("interval.handling.mode", "string", INTERVAL, PG_NO_TYPMOD, "-1 years -2 mons +3 days -04:05:06.789",
                 "\"P-1Y-2M3DT-4H-5M-6.789S\"");
    assert_value("interval.handling.mode", "string", INTERVAL, PG_NO_TYPMOD, "00:00:00.000001",
                 "\"P0Y0M0DT0H0M0.000001S\"");
    assert_value("interval.handling.mode", "numeric", INTERVAL, PG_NO_TYPMOD, "1 mon", "2629800000000");
}

static void bytes_follow_their_handling_mode(void **state)
{
    (void)state;
    assert_value("binary.handling.mode", "hex", BYTEA, PG_NO_TYPMOD, "\\xdeadbeef", "\"deadbeef\"");
    assert_value("binary.handling.mode", "base64", BYTEA, PG_NO_TYPMOD, "\\xfbff", "\"+/8=\"");
    assert_value("binary.handling.mode", "base64-url-safe", BYTEA, PG_NO_TYPMOD, "\\xfbff", "\"-_8=\"");
}

static void texts_that_are_no_values_are_refused(void **state)
{
    (void)state;
    assert_value("", "", INT4, PG_NO_TYPMOD, "2147483648", "out of range");
    assert_value("", "", INT4, PG_NO_TYPMOD, "1x", "not an integer");
    assert_value("", "", FLOAT8, PG_NO_TYPMOD, "", "not a number");
    assert_value("", "", NUMERIC, NUMERIC_10_2, "1.234", "more fraction digits than the column's scale");
    assert_value("", "", TIMESTAMP, PG_NO_TYPMOD, "2024-02-29", "not a timestamp");
    assert_value("", "", DATE, PG_NO_TYPMOD, "2024-13-01", "not a date");
    assert_value("", "", INT4_ARRAY, PG_NO_TYPMOD, "{1,2", "not an array");
    assert_value("", "", INT4_ARRAY, PG_NO_TYPMOD, "{{1},{2}}",
                 "arrays of more than one dimension have no form in events");
}

/* Against 10^k and its neighbours, whose two's complement is known by repeated multiplication. */
static void large_decimals_are_exact(void **state)
{
    struct value_work work = { 0 };
    struct value value;
    uint8_t power[64] = { 0 };
    char text[80] = "1";

    (void)state;
    power[63] = 1;
    for (size_t k = 1; k < 70; k++) {
        unsigned carry = 0;
        for (size_t i = 64; i-- > 0;) {
            carry += power[i] * 10u;
            power[i] = (uint8_t)carry;
            carry >>= 8;
        }
        strcat(text, "0");
        size_t from = 0;
        while (from < 63 && power[from] == 0 && power[from + 1] < 0x80)
            from++;
        assert_null(decimal_unscaled(str_of(text), 0, &work, &value));
        assert_int_equal(value.bytes.len, 64 - from);
        assert_memory_equal(value.bytes.p, power + from, 64 - from);
    }
    assert_null(decimal_unscaled(STR("-9223372036854775808"), 0, &work, &value));
    assert_true(str_eq(value.bytes, str_n("\x80\0\0\0\0\0\0\0", 8)));
    assert_null(decimal_unscaled(STR("-9223372036854775809"), 0, &work, &value));
    assert_true(str_eq(value.bytes, str_n("\xff\x7f\xff\xff\xff\xff\xff\xff\xff", 9)));
    assert_null(decimal_unscaled(STR("-0.00"), 2, &work, &value));
    assert_true(str_eq(value.bytes, str_n("\0", 1)));
    value_work_free(&work);
}

static void assert_name(enum name_mode mode, bool field, const char *name, const char *expected)
{
    CLEANUP(buf_free) struct buf out = { 0 };

    if (field)
        name_adjust_field(mode, str_of(name), &out);
    else
        name_adjust_schema(mode, str_of(name), &out);
    assert_string_equal(buf_cstr(&out), expected);
}

static void names_are_adjusted_as_debezium_does(void **state)
{
    (void)state;
    assert_name(NAME_NONE, true, "a b", "a b");
    assert_name(NAME_AVRO, true, "a b", "a_b");
    assert_name(NAME_AVRO, true, "a.b", "a_b");
    assert_name(NAME_AVRO, true, "1c", "_1c");
    assert_name(NAME_AVRO, true, "\xc3\xa9", "_");
    assert_name(NAME_AVRO, true, "\xf0\x9f\x9a\x80", "__");
    assert_name(NAME_AVRO, false, "srv.public.My-Tbl", "srv.public.My_Tbl");
    assert_name(NAME_AVRO_UNICODE, true, "\xce\xb1", "_u3b1");
    assert_name(NAME_AVRO_UNICODE, true, " ", "_u0020");
    assert_name(NAME_AVRO_UNICODE, true, "\t", "_u009");
    assert_name(NAME_AVRO_UNICODE, false, "a_b", "a_u005fb");
}

static void topics_hold_only_what_kafka_takes(void **state)
{
    struct event_options *options = options_of("topic.delimiter", "-");
    CLEANUP(buf_free) struct buf out = { 0 };

    (void)state;
    event_topic_name(options, "public", "M\xc3\xb6 bel$", &out);
    assert_string_equal(buf_cstr(&out), "srv-public-M__bel_");
    event_options_free(options);
}

static void column_lists_are_regexes_over_whole_names(void **state)
{
    struct event_options *include = options_of("column.include.list", "public\\.t\\.(id|a), other\\..*");
    struct event_options *exclude = options_of("column.exclude.list", "public.t.B");

    (void)state;
    assert_true(event_includes_column(include, "public", "t", "ID"));
    assert_false(event_includes_column(include, "public", "t", "idx"));
    assert_true(event_includes_column(include, "other", "x", "y"));
    assert_false(event_includes_column(exclude, "public", "t", "b"));
    assert_true(event_includes_column(exclude, "public", "t", "bb"));
    event_options_free(include);
    event_options_free(exclude);
}

static void wrong_options_are_named(void **state)
{
    static const char *const settings[][5] = {
        { "topic.prefix", "srv", "decimal.handling.mode", "exact", NULL },
        { "topic.prefix", "srv", "column.include.list", "a(", NULL },
        { "topic.prefix", "srv", "message.key.columns", "public.t", NULL },
        { "decimal.handling.mode", "string", NULL },
    };
    static const char *const words[] = {
        "'decimal.handling.mode' is 'exact'; it must be one of precise, string, double",
        "'column.include.list' has 'a(', which is not a regular expression",
        "'message.key.columns' has 'public.t'",
        "'topic.prefix' is missing",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        struct event_options *options = NULL;
        struct err err = { 0 };
        struct connect_lookup lookup = { settings_of_list, settings[i] };
        assert_int_equal(event_options_new(lookup, &options, &err), RC_BAD_INPUT);
        assert_non_null(strstr(err.text, words[i]));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(decimals_follow_their_handling_mode),
        cmocka_unit_test(times_follow_their_precision_mode),
        cmocka_unit_test(intervals_follow_their_handling_mode),
        cmocka_unit_test(bytes_follow_their_handling_mode),
        cmocka_unit_test(texts_that_are_no_values_are_refused),
        cmocka_unit_test(large_decimals_are_exact),
        cmocka_unit_test(names_are_adjusted_as_debezium_does),
        cmocka_unit_test(topics_hold_only_what_kafka_takes),
        cmocka_unit_test(column_lists_are_regexes_over_whole_names),
        cmocka_unit_test(wrong_options_are_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
