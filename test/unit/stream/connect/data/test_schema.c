/* Schemas rendered as JSON and as Avro, compared to the byte with every schema of the golden cases. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <stdio.h>
#include <string.h>

#include "disk/disk.h"
#include "stream/connect/data/schema.h"

/* The files hold one schema per line: "7":{...}, */
static bool next_schema(struct str *rest, struct str *number, struct str *text)
{
    struct str line;

    while (str_cut(rest, '\n', &line)) {
        if (line.len < 4 || line.p[0] != '"')
            continue;
        if (line.p[line.len - 1] == ',')
            line.len--;
        line = str_skip(line, 1);
        str_cut(&line, '"', number);
        *text = str_skip(line, 1);
        return true;
    }
    return false;
}

static void compare_case(const char *name, size_t *count)
{
    CLEANUP_FREE char *schemas = mem_printf(TEST_DIR "/golden/debezium/%s/schemas.json", name);
    CLEANUP_FREE char *avros = mem_printf(TEST_DIR "/golden/debezium/%s/avro.json", name);
    CLEANUP(buf_free) struct buf json = { 0 };
    CLEANUP(buf_free) struct buf avro = { 0 };
    struct err err = { 0 };
    struct str number, text, avro_number, avro_text;

    if (strcmp(name, "20-bad-configs") == 0) /* nothing is sent in it; any other case must have its schemas */
        return;
    if (disk_read_file(schemas, &json, &err) || disk_read_file(avros, &avro, &err))
        fail_msg("%s", err.text);
    struct str rest = buf_str(&json), avro_rest = buf_str(&avro);
    while (next_schema(&rest, &number, &text)) {
        CLEANUP(connect_schema_free_at) struct connect_schema *schema = NULL;
        CLEANUP(buf_free) struct buf out = { 0 };
        CLEANUP(buf_free) struct buf out_avro = { 0 };
        assert_true(next_schema(&avro_rest, &avro_number, &avro_text));
        assert_true(str_eq(number, avro_number));
        if (connect_schema_of_json(text, &schema, &err))
            fail_msg("%s %.*s: %s", name, STR_ARG(number), err.text);
        connect_schema_to_json(schema, &out);
        CLEANUP_FREE char *expected_json = mem_strndup(text.p, text.len);
        assert_string_equal(buf_cstr(&out), expected_json);
        if (connect_schema_to_avro(schema, NULL, &out_avro, &err))
            fail_msg("%s %.*s: %s", name, STR_ARG(number), err.text);
        CLEANUP_FREE char *expected = mem_strndup(avro_text.p, avro_text.len);
        assert_string_equal(buf_cstr(&out_avro), expected);
        assert_true(connect_schema_equal(schema, schema));
        ++*count;
    }
}

static void every_golden_schema_is_rendered_to_the_byte(void **state)
{
    DIR *dir = opendir(TEST_DIR "/golden/debezium");
    size_t count = 0;

    (void)state;
    assert_non_null(dir);
    for (struct dirent *e; (e = readdir(dir));)
        if (e->d_name[0] >= '0' && e->d_name[0] <= '9')
            compare_case(e->d_name, &count);
    closedir(dir);
    assert_true(count > 100);
}

static void rendered(const struct connect_schema *schema, const struct connect_avro_options *options,
                     const char *expected)
{
    CLEANUP(buf_free) struct buf out = { 0 };
    struct err err = { 0 };

    assert_int_equal(connect_schema_to_avro(schema, options, &out, &err), RC_OK);
    assert_string_equal(buf_cstr(&out), expected);
}

static void optional_primitives_at_the_top_are_unions(void **state)
{
    CLEANUP(connect_schema_free_at)
    struct connect_schema *schema = connect_schema_optional(connect_schema_new(CONNECT_INT32));

    (void)state;
    rendered(schema, NULL, "[\"null\",\"int\"]");
}

static void a_name_avro_does_not_know_is_refused_or_scrubbed(void **state)
{
    CLEANUP(connect_schema_free_at)
    struct connect_schema *schema = connect_schema_named(CONNECT_STRUCT, "a.b.T", 0);
    CLEANUP(buf_free) struct buf out = { 0 };
    struct err err = { 0 };

    (void)state;
    connect_schema_add(schema, "a b", connect_schema_new(CONNECT_STRING));
    assert_int_equal(connect_schema_to_avro(schema, NULL, &out, &err), RC_BAD_INPUT);
    assert_non_null(strstr(err.text, "'a b' is not a name in Avro"));
    rendered(schema, &(struct connect_avro_options){ .scrub_invalid_names = true, .no_meta_data = true },
             "{\"type\":\"record\",\"name\":\"T\",\"namespace\":\"a.b\",\"fields\":[{\"name\":\"a_b\",\"type\":"
             "\"string\"}]}");
}

static void maps_with_string_keys_are_maps_and_others_are_entries(void **state)
{
    CLEANUP(connect_schema_free_at)
    struct connect_schema *plain = connect_schema_map(connect_schema_new(CONNECT_STRING),
                                                      connect_schema_optional(connect_schema_new(CONNECT_STRING)));
    CLEANUP(connect_schema_free_at)
    struct connect_schema *other =
        connect_schema_map(connect_schema_new(CONNECT_INT32), connect_schema_new(CONNECT_BYTES));

    (void)state;
    rendered(plain, NULL, "{\"type\":\"map\",\"values\":[\"null\",\"string\"]}");
    rendered(other, &(struct connect_avro_options){ .no_meta_data = true },
             "{\"type\":\"array\",\"items\":{\"type\":\"record\",\"name\":\"MapEntry\",\"namespace\":"
             "\"io.confluent.connect.avro\",\"fields\":[{\"name\":\"key\",\"type\":\"int\"},{\"name\":\"value\","
             "\"type\":\"bytes\"}]}}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_golden_schema_is_rendered_to_the_byte),
        cmocka_unit_test(optional_primitives_at_the_top_are_unions),
        cmocka_unit_test(a_name_avro_does_not_know_is_refused_or_scrubbed),
        cmocka_unit_test(maps_with_string_keys_are_maps_and_others_are_entries),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
