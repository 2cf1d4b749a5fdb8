/* Values: numbers at their edges, lies about lengths, JSON both ways. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "wire/avro/avro.h"

static struct avro_document *parse(const char *text)
{
    struct avro_document *document = NULL;
    struct err err = { 0 };
    if (avro_schema_parse(str_of(text), &document, &err))
        fail_msg("%s", err.text);
    return document;
}

static void assert_long(int64_t v, const char *hex)
{
    CLEANUP(buf_free) struct buf bytes = { 0 };
    CLEANUP(buf_free) struct buf text = { 0 };
    struct avro_reader reader;

    avro_write_long(&bytes, v);
    encode_hex(&text, bytes.data, bytes.len);
    assert_string_equal(buf_cstr(&text), hex);
    reader = avro_reader_of(buf_str(&bytes));
    assert_true(avro_read_long(&reader) == v);
    assert_false(avro_reader_failed(&reader));
    assert_int_equal(avro_reader_left(&reader), 0);
}

static void numbers_are_zigzag_varints(void **state)
{
    (void)state;
    assert_long(0, "00");
    assert_long(-1, "01");
    assert_long(1, "02");
    assert_long(-64, "7f");
    assert_long(64, "8001");
    assert_long(8192, "808001");
    assert_long(INT64_MAX, "feffffffffffffffff01");
    assert_long(INT64_MIN, "ffffffffffffffffff01");
}

static const char *failure_of(const char *schema, struct str bytes)
{
    struct avro_document *document = parse(schema);
    struct avro_reader reader = avro_reader_of(bytes);
    const char *failure;

    avro_skip(&reader, avro_root(document));
    failure = reader.failure;
    avro_document_free(document);
    return failure ? failure : "";
}

static void lies_are_errors(void **state)
{
    (void)state;
    assert_string_equal(failure_of("\"long\"", STR("\x80")), "a number runs past the end");
    assert_string_equal(failure_of("\"long\"", STR("\x80\x80\x80\x80\x80\x80\x80\x80\x80\x02")),
                        "a number has more than 64 bits");
    assert_string_equal(failure_of("\"string\"", STR("\x08"
                                                     "abc")),
                        "bytes or string run past the end");
    assert_string_equal(failure_of("\"string\"", STR("\x01")), "bytes or string with a negative length");
    assert_string_equal(failure_of("[\"null\",\"int\"]", STR("\x04")),
                        "a union's branch number is none of its branches");
    assert_string_equal(failure_of("{\"type\":\"array\",\"items\":\"int\"}", STR("\x80\x80\x80\x08")),
                        "a block claims more items than there are bytes");
    assert_string_equal(
        failure_of("{\"type\":\"array\",\"items\":\"null\"}", STR("\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x01")),
        "a block claims more items than there are bytes");
    assert_string_equal(failure_of("{\"type\":\"map\",\"values\":\"int\"}", STR("\x01\x10\x02")),
                        "a block's size runs past the end");
}

static void endless_nesting_is_an_error(void **state)
{
    char bytes[1000];
    (void)state;
    memset(bytes, 2, sizeof bytes);
    assert_string_equal(
        failure_of("{\"type\":\"record\",\"name\":\"N\",\"fields\":[{\"name\":\"n\",\"type\":[\"null\",\"N\"]}]}",
                   str_n(bytes, sizeof bytes)),
        "values nest too deep");
    assert_string_equal(
        failure_of("{\"type\":\"record\",\"name\":\"N\",\"fields\":[{\"name\":\"n\",\"type\":\"N\"}]}", STR("")),
        "values nest too deep");
}

static void the_first_failure_stays(void **state)
{
    struct avro_reader reader = avro_reader_of(STR("\x02"));
    struct err err = { 0 };
    (void)state;
    assert_int_equal(avro_read_long(&reader), 1);
    avro_read_double(&reader);
    avro_read_bytes(&reader);
    assert_int_equal(avro_reader_check(&reader, "record 7", &err), RC_BAD_INPUT);
    assert_string_equal(err.text, "record 7 is broken: a value runs past the end at byte 1");
}

static const char every_type[] =
    "{\"type\":\"record\",\"name\":\"x.R\",\"fields\":["
    "{\"name\":\"n\",\"type\":\"null\"},{\"name\":\"b\",\"type\":\"boolean\"},{\"name\":\"i\",\"type\":\"int\"},"
    "{\"name\":\"l\",\"type\":\"long\"},{\"name\":\"f\",\"type\":\"float\"},{\"name\":\"d\",\"type\":\"double\"},"
    "{\"name\":\"by\",\"type\":\"bytes\"},{\"name\":\"s\",\"type\":\"string\"},"
    "{\"name\":\"fx\",\"type\":{\"type\":\"fixed\",\"name\":\"F\",\"size\":2}},"
    "{\"name\":\"e\",\"type\":{\"type\":\"enum\",\"name\":\"E\",\"symbols\":[\"A\",\"B\"]}},"
    "{\"name\":\"a\",\"type\":{\"type\":\"array\",\"items\":[\"null\",\"int\"]}},"
    "{\"name\":\"m\",\"type\":{\"type\":\"map\",\"values\":\"x.E\"}},"
    "{\"name\":\"u\",\"type\":[\"null\",\"string\",\"F\"]},"
    "{\"name\":\"dec\",\"type\":{\"type\":\"bytes\",\"logicalType\":\"decimal\",\"precision\":10,\"scale\":2}}]}";
static const char every_value[] = "{\"n\":null,\"b\":true,\"i\":-5,\"l\":9007199254740993,\"f\":0.1,\"d\":-1.0E-7,"
                                  "\"by\":\"\\u0001\xc3\xbf\",\"s\":\"\xc3\xa9\\n\","
                                  "\"fx\":\"ab\",\"e\":\"B\",\"a\":[null,{\"int\":3}],\"m\":{\"k\":\"A\",\"k2\":\"B\"},"
                                  "\"u\":{\"x.F\":\"zz\"},\"dec\":\"\\u0004\xc3\xa2\"}";

static void every_type_goes_to_json_and_back(void **state)
{
    struct avro_document *document = parse(every_type);
    CLEANUP(buf_free) struct buf bytes = { 0 };
    CLEANUP(buf_free) struct buf text = { 0 };
    json_t *value = json_loads(every_value, 0, NULL);
    struct avro_reader reader;
    struct err err = { 0 };
    (void)state;

    assert_int_equal(avro_from_json(avro_root(document), value, &bytes, &err), RC_OK);
    reader = avro_reader_of(buf_str(&bytes));
    avro_to_json(&reader, avro_root(document), AVRO_JSON_TAGGED, &text);
    assert_int_equal(avro_reader_check(&reader, "value", &err), RC_OK);
    assert_int_equal(avro_reader_left(&reader), 0);
    assert_string_equal(buf_cstr(&text), every_value);

    buf_clear(&text);
    reader = avro_reader_of(buf_str(&bytes));
    avro_to_json(&reader, avro_root(document), AVRO_JSON_PLAIN, &text);
    assert_non_null(strstr(buf_cstr(&text), "\"a\":[null,3]"));
    assert_non_null(strstr(buf_cstr(&text), "\"dec\":\"12.50\""));
    assert_non_null(strstr(buf_cstr(&text), "\"by\":\"Af8=\""));

    reader = avro_reader_of(buf_str(&bytes));
    avro_skip(&reader, avro_root(document));
    assert_int_equal(avro_reader_check(&reader, "value", &err), RC_OK);
    assert_int_equal(avro_reader_left(&reader), 0);
    json_decref(value);
    avro_document_free(document);
}

static void absent_fields_take_their_defaults(void **state)
{
    struct avro_document *document = parse(
        "{\"type\":\"record\",\"name\":\"R\",\"fields\":[{\"name\":\"a\",\"type\":[\"null\",\"int\"],\"default\":null},"
        "{\"name\":\"b\",\"type\":[\"string\",\"null\"],\"default\":\"x\"},{\"name\":\"c\",\"type\":\"int\"}]}");
    CLEANUP(buf_free) struct buf bytes = { 0 };
    json_t *value = json_pack("{s:i}", "c", 1), *empty = json_object();
    struct err err = { 0 };
    (void)state;

    assert_int_equal(avro_from_json(avro_root(document), value, &bytes, &err), RC_OK);
    assert_memory_equal(bytes.data, "\x00\x00\x02x\x02", 5);
    buf_clear(&bytes);
    assert_int_equal(avro_from_json(avro_root(document), empty, &bytes, &err), RC_BAD_INPUT);
    assert_string_equal(err.text, "at /: field 'c' is missing");
    json_decref(value);
    json_decref(empty);
    avro_document_free(document);
}

static void assert_decimal(struct str bytes, int scale, const char *text)
{
    CLEANUP(buf_free) struct buf out = { 0 };
    assert_true(avro_decimal_text(bytes, scale, &out));
    assert_string_equal(buf_cstr(&out), text);
}

static void decimals_read_as_people_write_them(void **state)
{
    (void)state;
    assert_decimal(STR(""), 0, "0");
    assert_decimal(STR("\x00"), 2, "0.00");
    assert_decimal(STR("\x05"), 2, "0.05");
    assert_decimal(STR("\xff"), 0, "-1");
    assert_decimal(STR("\x80"), 1, "-12.8");
    assert_decimal(STR("\x04\xe2"), 2, "12.50");
    assert_decimal(STR("\x7f\xff\xff\xff\xff\xff\xff\xff"), 0, "9223372036854775807");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_zigzag_varints),         cmocka_unit_test(lies_are_errors),
        cmocka_unit_test(endless_nesting_is_an_error),        cmocka_unit_test(the_first_failure_stays),
        cmocka_unit_test(every_type_goes_to_json_and_back),   cmocka_unit_test(absent_fields_take_their_defaults),
        cmocka_unit_test(decimals_read_as_people_write_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
