/* stage_tables.yaml: what is read, and where errors point. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "lake/build/stage_yaml.h"

#define HEAD    "version: 1\nsources:\n  - name: s\n    tables:\n"
#define TABLE   "      - name: orders\n        source_path: s3a://raw/kafka/orders/\n        format: avro\n"
#define COLUMNS "        schema:\n          - name: id\n            type: bigint\n            source: after.id\n"

static void a_table_of_the_old_job_is_read(void **state)
{
    struct stage_config config;
    struct err err = { 0 };
    static const char text[] = HEAD TABLE
        "        description: text\n        filter_op:\n          - c\n          - u\n" COLUMNS
        "          - name: total\n            type: decimal(7,2)\n            source: after.total\n"
        "        partitions:\n          - event_date\n        table_properties:\n          format-version: '2'\n"
        "          write.distribution-mode: hash\n";

    (void)state;
    if (stage_config_parse(str_of(text), "f", &config, &err))
        fail_msg("%s", err.text);
    const struct stage_table *t = &config.tables[0];
    assert_int_equal(config.count, 1);
    assert_string_equal(t->namespace, "stage.storefront");
    assert_string_equal(t->columns[1].type, "decimal(7,2)");
    assert_string_equal(t->columns[0].duck_type, "BIGINT");
    assert_string_equal(t->partitions[0].transform, "identity");
    assert_int_equal(t->property_count, 1); /* format-version is a request, not a property */
    assert_true(stage_keeps(t, "u"));
    assert_false(stage_keeps(t, "d"));
    assert_string_equal(t->key[0], "id");
    stage_config_free(&config);
}

static void errors_point_at_line_and_column(void **state)
{
    static const struct {
        const char *text, *error;
    } rows[] = {
        { "", "f:1:1: the file is empty" },
        { "a: [", "f:2:1: " },
        { "version: 2\n", "f:1:10: version must be 1" },
        { "version: 1\nsource: []\n", "f:2:1: the file has no key 'source'" },
        { HEAD "      - name: a b\n", "f:5:15: 'a b' is not a table name" },
        { HEAD "      - name: orders\n        source_path: /tmp/x\n", "f:6:22: '/tmp/x' is not on the object store" },
        { HEAD TABLE, "f:5:9: table 'orders' needs a 'schema'" },
        { HEAD TABLE "        schema:\n          - {name: id, type: bigit, source: a}\n",
          "f:9:30: unknown type 'bigit'" },
        { HEAD TABLE "        schema:\n          - {name: id, type: 'decimal(50,2)', source: a}\n",
          "f:9:30: 'decimal(50,2)' is not a decimal type" },
        { HEAD TABLE COLUMNS "          - {name: ID, type: int, source: a}\n", "f:12:20: column 'ID' is there twice" },
        { HEAD TABLE COLUMNS "        partitions: [day(x)]\n", "f:12:22: cannot partition by 'x'" },
        { HEAD TABLE COLUMNS "        partitions: ['bucket(4, id)']\n", "f:12:22: partition 'bucket(4, id)'" },
        { HEAD TABLE COLUMNS "        table_properties: {format-version: 3}\n", "f:12:44: format-version '3'" },
        { HEAD TABLE COLUMNS "        key: [nope]\n", "f:12:14: key column 'nope'" },
        { HEAD TABLE COLUMNS "        name: again\n", "f:12:9: key 'name' is there twice" },
    };
    struct stage_config config;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct err err = { 0 };
        assert_int_equal(stage_config_parse(str_of(rows[i].text), "f", &config, &err), RC_BAD_INPUT);
        if (strncmp(err.text, rows[i].error, strlen(rows[i].error)) != 0)
            fail_msg("row %zu: %s", i, err.text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_table_of_the_old_job_is_read),
        cmocka_unit_test(errors_point_at_line_and_column),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
