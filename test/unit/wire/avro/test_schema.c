/* Schema texts: the golden file of Avro-Java 1.11 and a 7.9 registry client, and errors that say where. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "disk/disk.h"
#include "wire/avro/avro.h"

static char *print_text(const char *text, bool normal)
{
    CLEANUP(buf_free) struct buf out = { 0 };
    struct avro_document *document = NULL;
    struct err err = { 0 };

    if (avro_schema_parse(str_of(text), &document, &err)) {
        assert_true(str_starts(str_of(err.text), "invalid schema: "));
        return NULL;
    }
    if (normal && avro_schema_print_normal(document, &out, &err)) {
        avro_document_free(document);
        return NULL;
    }
    if (!normal)
        avro_schema_print(document, &out);
    avro_document_free(document);
    return buf_take(&out);
}

static bool label(struct str line, const char *name, struct str *rest)
{
    if (!str_starts(line, name))
        return false;
    *rest = str_trim(str_skip(line, strlen(name)));
    return true;
}

static void check_gold(struct str input, struct str expected, bool normal)
{
    CLEANUP_FREE char *text = str_dup(input);
    CLEANUP_FREE char *want = str_dup(expected);
    CLEANUP_FREE char *got = print_text(text, normal);

    if (str_starts(expected, "ERR ")) {
        assert_null(got);
        return;
    }
    assert_non_null(got);
    assert_string_equal(got, want);
}

static void prints_what_java_prints(void **state)
{
    CLEANUP(buf_free) struct buf gold = { 0 };
    struct str rest, line, input = { 0 }, value;
    int checked = 0;
    (void)state;

    assert_int_equal(disk_read_file(TEST_DIR "/golden/registry/gold-7.9.txt", &gold, NULL), RC_OK);
    rest = buf_str(&gold);
    while (str_cut(&rest, '\n', &line)) {
        if (label(line, "IN ", &value)) {
            input = value;
        } else if (label(line, "new norm ", &value)) {
            check_gold(input, value, true);
            checked++;
        } else if (label(line, "new ", &value)) {
            check_gold(input, value, false);
            checked++;
        } else if (label(line, "OLD ", &value)) {
            check_gold(value, value, false);
            checked++;
        }
    }
    assert_true(checked >= 60);
}

static void prints_what_the_converters_print(void **state)
{
    CLEANUP(buf_free) struct buf gold = { 0 };
    struct str rest, line;
    int checked = 0;
    (void)state;

    assert_int_equal(disk_read_file(TEST_DIR "/golden/registry/gold-misc.txt", &gold, NULL), RC_OK);
    rest = buf_str(&gold);
    while (str_cut(&rest, '\n', &line)) {
        const char *at = line.len ? memmem(line.p, line.len, "-> {", 4) : NULL;
        if (!at)
            continue;
        check_gold(str_skip(line, (size_t)(at - line.p) + 3), str_skip(line, (size_t)(at - line.p) + 3), false);
        checked++;
    }
    assert_int_equal(checked, 6);
}

static bool equal_texts(struct str a, struct str b)
{
    struct avro_document *da = NULL, *db = NULL;
    bool equal;

    assert_int_equal(avro_schema_parse(a, &da, NULL), RC_OK);
    assert_int_equal(avro_schema_parse(b, &db, NULL), RC_OK);
    equal = avro_schema_equal(avro_root(da), avro_root(db));
    avro_document_free(da);
    avro_document_free(db);
    return equal;
}

static void compares_as_the_registry_does(void **state)
{
    CLEANUP(buf_free) struct buf gold = { 0 };
    struct str rest, line;
    int checked = 0;
    (void)state;

    assert_int_equal(disk_read_file(TEST_DIR "/golden/registry/gold-misc.txt", &gold, NULL), RC_OK);
    rest = buf_str(&gold);
    while (str_cut(&rest, '\n', &line)) {
        const char *first = line.len ? memmem(line.p, line.len, "  ", 2) : NULL, *second;
        if (!str_starts(line, "equivalent=") || !first)
            continue;
        first += 2;
        second = memmem(first, (size_t)(line.p + line.len - first), "  ", 2);
        assert_int_equal(equal_texts(str_n(first, (size_t)(second - first)),
                                     str_n(second + 2, (size_t)(line.p + line.len - second - 2))),
                         str_starts(line, "equivalent=true"));
        checked++;
    }
    assert_int_equal(checked, 10);
}

static void compares_recursive_schemas(void **state)
{
    const struct str list =
        STR("{\"type\":\"record\",\"name\":\"N\",\"fields\":[{\"name\":\"next\",\"type\":[\"null\",\"N\"]}]}");
    const struct str other =
        STR("{\"type\":\"record\",\"name\":\"N\",\"fields\":[{\"name\":\"next\",\"type\":[\"N\",\"null\"]}]}");
    (void)state;
    assert_true(equal_texts(list, list));
    assert_false(equal_texts(list, other));
}

static void assert_parse_error(const char *text, const char *words)
{
    struct avro_document *document = NULL;
    struct err err = { 0 };

    assert_int_not_equal(avro_schema_parse(str_of(text), &document, &err), RC_OK);
    assert_null(document);
    if (!strstr(err.text, words))
        fail_msg("expected '%s' in '%s'", words, err.text);
}

static void says_where_a_schema_is_wrong(void **state)
{
    (void)state;
    assert_parse_error("", "not JSON");
    assert_parse_error("{\"type\":", "line 1");
    assert_parse_error("7", "must be a string, an object or an array");
    assert_parse_error("\"Foo\"", "at /: 'Foo' is not a defined name");
    assert_parse_error("{\"type\":\"record\",\"name\":\"R\",\"fields\":[{\"name\":\"a\",\"type\":\"int\"},"
                       "{\"name\":\"b\",\"type\":[\"null\",{\"type\":\"array\",\"items\":\"Foo\"}]}]}",
                       "at /fields/1/type/1/items: 'Foo' is not a defined name");
    assert_parse_error("[\"null\",[\"int\"]]", "at /1: a union inside a union");
    assert_parse_error("[\"int\",{\"type\":\"int\"}]", "duplicate in union: 'int'");
    assert_parse_error("{\"type\":\"fixed\",\"name\":\"F\",\"size\":-1}", "no valid size");
    assert_parse_error("{\"type\":\"fixed\",\"name\":\"F\",\"size\":99999999999}", "larger than");
    assert_parse_error("{\"type\":\"enum\",\"name\":\"E\",\"symbols\":[\"A\",\"A\"]}", "duplicate enum symbol 'A'");
    assert_parse_error("{\"type\":\"record\",\"name\":\"string\",\"fields\":[]}", "after the primitive");
    assert_parse_error("{\"type\":\"record\",\"name\":\"1R\",\"fields\":[]}", "illegal first character");
}

static void refuses_deep_schemas(void **state)
{
    CLEANUP(buf_free) struct buf text = { 0 };
    (void)state;
    for (int i = 0; i < 100000; i++)
        buf_puts(&text, "{\"type\":\"array\",\"items\":");
    assert_parse_error(buf_cstr(&text), "not JSON");
    buf_clear(&text);
    for (int i = 0; i < 200; i++)
        buf_puts(&text, "{\"type\":\"array\",\"items\":");
    buf_puts(&text, "\"int\"");
    for (int i = 0; i < 200; i++)
        buf_putc(&text, '}');
    assert_parse_error(buf_cstr(&text), "nest deeper");
}

static void unfolding_defaults_end(void **state)
{
    struct avro_document *document = NULL;
    struct err err = { 0 };
    (void)state;
    assert_int_equal(
        avro_schema_parse(
            STR("{\"type\":\"record\",\"name\":\"R\",\"fields\":[{\"name\":\"a\",\"type\":\"R\",\"default\":{}},"
                "{\"name\":\"b\",\"type\":\"R\",\"default\":{}}]}"),
            &document, &err),
        RC_OK);
    assert_int_equal(avro_schema_check_defaults(document, &err), RC_BAD_INPUT);
    avro_document_free(document);
}

static void knows_types_of_other_documents(void **state)
{
    CLEANUP(buf_free) struct buf out = { 0 };
    struct avro_document *inner = NULL, *outer = NULL;
    const char *text = "{\"type\":\"record\",\"name\":\"Order\",\"namespace\":\"shop\",\"fields\":[{\"name\":\"c\","
                       "\"type\":\"Customer\"},{\"name\":\"d\",\"type\":[\"null\",\"shop.Customer\"]}]}";
    const struct avro_document *known[1];
    (void)state;

    assert_int_equal(
        avro_schema_parse(STR("{\"type\":\"record\",\"name\":\"shop.Customer\",\"fields\":[]}"), &inner, NULL), RC_OK);
    known[0] = inner;
    assert_int_equal(avro_schema_parse_with(str_of(text), known, 1, &outer, NULL), RC_OK);
    avro_schema_print(outer, &out);
    assert_string_equal(buf_cstr(&out),
                        "{\"type\":\"record\",\"name\":\"Order\",\"namespace\":\"shop\",\"fields\":[{\"name\":\"c\","
                        "\"type\":\"Customer\"},{\"name\":\"d\",\"type\":[\"null\",\"Customer\"]}]}");
    avro_document_free(outer);
    avro_document_free(inner);
}

static void keeps_props_and_logical_types(void **state)
{
    struct avro_document *document = NULL;
    const struct avro_schema *root, *type;
    int null_branch = -1;
    (void)state;

    assert_int_equal(
        avro_schema_parse(STR("{\"type\":\"record\",\"name\":\"r2\",\"fields\":[{\"name\":\"p\",\"field-id\":102,"
                              "\"type\":[\"null\",{\"type\":\"bytes\",\"logicalType\":\"decimal\","
                              "\"precision\":10,\"scale\":2}],\"default\":null}]}"),
                          &document, NULL),
        RC_OK);
    root = avro_root(document);
    assert_int_equal(json_integer_value(avro_field_prop(&root->fields[0], "field-id")), 102);
    type = avro_nullable(root->fields[0].type, &null_branch);
    assert_int_equal(null_branch, 0);
    assert_int_equal(type->logical, AVRO_DECIMAL);
    assert_int_equal(type->precision, 10);
    assert_int_equal(type->scale, 2);
    assert_true(json_is_null(root->fields[0].fallback));
    avro_document_free(document);
}

static void assert_double(double v, const char *text)
{
    CLEANUP(buf_free) struct buf out = { 0 };
    json_t *number = json_real(v);
    avro_json_print(number, &out);
    json_decref(number);
    assert_string_equal(buf_cstr(&out), text);
}

static void prints_doubles_as_java_does(void **state)
{
    (void)state;
    assert_double(0, "0.0");
    assert_double(-0.0, "-0.0");
    assert_double(1, "1.0");
    assert_double(0.1, "0.1");
    assert_double(0.001, "0.001");
    assert_double(0.00099, "9.9E-4");
    assert_double(1234567, "1234567.0");
    assert_double(9999999.5, "9999999.5");
    assert_double(1e7, "1.0E7");
    assert_double(-1.25e-10, "-1.25E-10");
    assert_double(1.7976931348623157e308, "1.7976931348623157E308");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(prints_what_java_prints),       cmocka_unit_test(prints_what_the_converters_print),
        cmocka_unit_test(compares_as_the_registry_does), cmocka_unit_test(compares_recursive_schemas),
        cmocka_unit_test(says_where_a_schema_is_wrong),  cmocka_unit_test(refuses_deep_schemas),
        cmocka_unit_test(unfolding_defaults_end),        cmocka_unit_test(knows_types_of_other_documents),
        cmocka_unit_test(keeps_props_and_logical_types), cmocka_unit_test(prints_doubles_as_java_does),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
