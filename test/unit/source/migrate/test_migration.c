/* File names, order and checksums as Flyway has them; statements of a script. */
#include "unit/unit.h"

#include <stdlib.h>
#include <string.h>

#include "source/migrate/migration.h"
#include "source/migrate/script.h"

static void checksums_are_flyways(void **state)
{
    static const struct {
        const char *text;
        int32_t checksum;
    } rows[] = {
        { "", 0 },
        { "\n", 0 },
        { "CREATE TABLE a (id int);", -623083431 },
        { "CREATE TABLE a (id int);\n", -623083431 },
        { "CREATE TABLE a (id int);\r\n", -623083431 },
        { "\xef\xbb\xbf"
          "CREATE TABLE a (id int);\n",
          -623083431 },
        { "CREATE TABLE a (\n  id int\n);\n", 1420201952 },
        { "CREATE TABLE a (\r\n  id int\r\n);\r\n", 1420201952 },
        { "CREATE TABLE a (\r  id int\r);\r", 1420201952 },
        { "-- h\xc3\xa9llo \xe4\xb8\x96\xe7\x95\x8c\nSELECT 1;\n", 1409245363 },
        { "SELECT 1;\n\n\nSELECT 2;\n", -1665099012 },
        { "SELECT 1;SELECT 2;", -1665099012 },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        assert_int_equal(migration_checksum(str_of(rows[i].text)), rows[i].checksum);
}

static void names_are_split_at_the_first_separator(void **state)
{
    /* clang-format off */
    static const struct {
        const char *file, *version, *description;
        enum rc rc;
    } rows[] = {
        { "V1__init.sql", "1", "init", RC_OK },
        { "V1_2__add_the__table.sql", "1.2", "add the  table", RC_OK },
        { "V01.10__x.SQL", "01.10", "x", RC_OK },
        { "R__views.sql", NULL, "views", RC_OK },
        { "V__x.sql", NULL, NULL, RC_BAD_INPUT },
        { "V1_init.sql", NULL, NULL, RC_BAD_INPUT },
        { "V1a__x.sql", NULL, NULL, RC_BAD_INPUT },
        { "R1__x.sql", NULL, NULL, RC_BAD_INPUT },
        { "v1__x.sql", NULL, NULL, RC_NOT_FOUND },
        { "notes.txt", NULL, NULL, RC_NOT_FOUND },
        { ".sql", NULL, NULL, RC_NOT_FOUND },
    };
    /* clang-format on */

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char *version = NULL, *description = NULL;
        assert_int_equal(migration_parse_name(rows[i].file, &version, &description, NULL), rows[i].rc);
        if (!rows[i].rc) {
            assert_string_equal(description, rows[i].description);
            if (rows[i].version)
                assert_string_equal(version, rows[i].version);
            else
                assert_null(version);
        }
        free(version);
        free(description);
    }
}

static void versions_compare_part_by_part(void **state)
{
    static const struct {
        const char *a, *b;
        int order;
    } rows[] = { { "1", "1.0.0", 0 }, { "1.9", "1.10", -1 }, { "01", "1", 0 },
                 { "2", "10", -1 },   { "1.0.1", "1", 1 },   { "99999999999999999999", "100000000000000000000", -1 } };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        assert_int_equal(migration_version_cmp(rows[i].a, rows[i].b), rows[i].order);
        assert_int_equal(migration_version_cmp(rows[i].b, rows[i].a), -rows[i].order);
    }
}

static void statements_end_where_postgresql_ends_them(void **state)
{
    static const char text[] =
        "-- first; not a statement\nSELECT 'a;b', \"c;d\", E'\\';' ;\n\n/* x; /* y; */ z; */\n"
        "CREATE FUNCTION f() RETURNS int AS $body$ BEGIN RETURN 1; END; $body$ LANGUAGE plpgsql;;\n"
        "SELECT $1, a$b$ FROM t";
    static const struct {
        const char *begin;
        int line;
    } expected[] = { { "SELECT 'a;b'", 2 }, { "CREATE FUNCTION", 5 }, { "SELECT $1, a$b$ FROM t", 6 } };
    struct str rest = str_of(text);
    struct script_statement statement = { 0 };
    int line = 1;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(expected); i++) {
        assert_true(script_next(&rest, &line, &statement));
        assert_true(str_starts(statement.text, expected[i].begin));
        assert_int_equal(statement.line, expected[i].line);
    }
    assert_false(script_next(&rest, &line, &statement));
}

static const char *lookup(void *user, const char *key)
{
    (void)user;
    return strcmp(key, "debezium_user") == 0 ? "reader" : NULL;
}

static void placeholders_are_replaced_or_missed_in_flyways_words(void **state)
{
    struct buf out = { 0 };
    struct err err = { 0 };

    (void)state;
    assert_int_equal(script_replace_placeholders(STR("GRANT x TO ${Debezium_User}; $${"), lookup, NULL, &out, &err),
                     RC_OK);
    assert_string_equal(buf_cstr(&out), "GRANT x TO reader; $${");
    buf_clear(&out);
    assert_int_equal(script_replace_placeholders(STR("${nobody}"), lookup, NULL, &out, &err), RC_BAD_INPUT);
    assert_string_equal(err.text, "No value provided for placeholder: ${nobody}.  Check your configuration!");
    buf_free(&out);
}

static void knows_what_needs_to_stand_outside_a_transaction(void **state)
{
    (void)state;
    assert_true(script_is_non_transactional(STR("create unique index  concurrently i on t(x)")));
    assert_true(script_is_non_transactional(STR("VACUUM t")));
    assert_true(script_is_non_transactional(STR("ALTER /* x */ SYSTEM SET a = 1")));
    assert_false(script_is_non_transactional(STR("CREATE INDEX i ON t (x)")));
    assert_false(script_is_non_transactional(STR("ALTER TABLE t ADD c int")));
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(checksums_are_flyways),
        cmocka_unit_test(names_are_split_at_the_first_separator),
        cmocka_unit_test(versions_compare_part_by_part),
        cmocka_unit_test(statements_end_where_postgresql_ends_them),
        cmocka_unit_test(placeholders_are_replaced_or_missed_in_flyways_words),
        cmocka_unit_test(knows_what_needs_to_stand_outside_a_transaction),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
