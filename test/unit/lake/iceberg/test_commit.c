/* Commits: what is written, in which order, against whom. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../memory_io.h"
#include "lake/iceberg/iceberg.h"

#define PLACE "s3a://lake/stage/t"

static struct iceberg_table *new_table(void)
{
    static const struct iceberg_new_column columns[] = { { "id", "long", false }, { "day", "date", false } };
    static const struct iceberg_new_field partition[] = { { "day", "identity" } };
    static const struct iceberg_property_row properties[] = { { "a", "b" } };
    const struct iceberg_new_table want = { PLACE, columns, 2, partition, 1, properties, 1 };
    struct iceberg_table *table = NULL;
    struct err err = { 0 };

    if (iceberg_new(&want, &table, &err))
        fail_msg("%s", err.text);
    return table;
}

static enum rc append_one(const struct iceberg_io *io, struct iceberg_table **table, const char *path, int day,
                          struct err *err)
{
    char bytes[4] = { (char)day, 0, 0, 0 };
    struct str partition = str_n(bytes, 4);
    struct iceberg_new_file file = { .path = path, .records = 3, .size = 100, .partition = &partition };
    struct iceberg_append append = { .files = &file, .file_count = 1, .snapshot_id = iceberg_random_id() };

    return iceberg_commit_append(io, table, &append, err);
}

static void an_append_is_read_back(void **state)
{
    struct memory_store store = { 0 };
    struct iceberg_io io;
    struct iceberg_table *table = new_table(), *again = NULL;
    struct iceberg_files files;
    struct err err = { 0 };

    (void)state;
    memory_io(&io, &store);
    for (int i = 0; i < 3; i++) {
        CLEANUP_FREE char *path = mem_printf(PLACE "/data/day=%d/x.parquet", i);
        if (append_one(&io, &table, path, i, &err))
            fail_msg("%s", err.text);
    }
    assert_string_equal(memory_text(&store, "lake/stage/t/metadata/version-hint.text"), "3");
    assert_int_equal(iceberg_open(&io, PLACE, &again, &err), RC_OK);
    assert_int_equal(again->version, 3);
    assert_int_equal(again->snapshot_count, 3);
    assert_int_equal(again->last_sequence_number, 3);
    assert_int_equal(again->current->parent_id, again->snapshots[1].id);
    assert_string_equal(json_string_value(json_object_get(again->current->summary, "total-records")), "9");
    assert_int_equal(json_array_size(json_object_get(again->metadata, "metadata-log")), 2);
    assert_int_equal(iceberg_list_files(&io, again, again->current, &files, &err), RC_OK);
    assert_int_equal(files.count, 3);
    assert_int_equal(files.records, 9);
    assert_string_equal(files.files[2].partition, "day=1970-01-01");
    assert_int_equal(files.files[0].sequence_number, 3);
    iceberg_files_free(&files);
    iceberg_close(table);
    iceberg_close(again);
    memory_store_free(&store);
}

static void the_loser_of_a_race_starts_again_from_the_winner(void **state)
{
    struct memory_store store = { 0 };
    struct iceberg_io io;
    struct iceberg_table *first = new_table(), *second = NULL;
    struct iceberg_files files;
    struct err err = { 0 };

    (void)state;
    memory_io(&io, &store);
    assert_int_equal(append_one(&io, &first, PLACE "/data/1", 1, &err), RC_OK);
    assert_int_equal(iceberg_open(&io, PLACE, &second, &err), RC_OK);
    assert_int_equal(append_one(&io, &first, PLACE "/data/2", 2, &err), RC_OK);
    assert_int_equal(append_one(&io, &second, PLACE "/data/3", 3, &err), RC_OK); /* from the old base */
    assert_int_equal(second->version, 3);
    assert_int_equal(iceberg_list_files(&io, second, second->current, &files, &err), RC_OK);
    assert_int_equal(files.count, 3);
    iceberg_files_free(&files);
    assert_int_equal(memory_count(&store, "snap-"), 3); /* the lost attempt left nothing */
    iceberg_close(first);
    iceberg_close(second);
    memory_store_free(&store);
}

static enum rc lose_answer(struct memory_store *store, const char *key, struct err *err)
{
    /* the first put of v1 arrives, but its answer is lost */
    if (!store->user && strstr(key, "/v1.metadata.json")) {
        store->user = store;
        return err_set(err, RC_RETRY, "connection reset");
    }
    return RC_OK;
}

static void without_an_answer_the_outcome_is_unknown(void **state)
{
    struct memory_store store = { .before_put = lose_answer };
    struct iceberg_io io;
    struct iceberg_table *table = new_table();
    struct err err = { 0 };

    (void)state;
    memory_io(&io, &store);
    assert_int_equal(append_one(&io, &table, PLACE "/data/1", 1, &err), RC_AGAIN);
    assert_int_equal(memory_count(&store, "snap-"), 1); /* nothing may be removed */
    iceberg_close(table);
    memory_store_free(&store);
}

static void a_stale_or_missing_hint_is_no_error(void **state)
{
    struct memory_store store = { 0 };
    struct iceberg_io io;
    struct iceberg_table *table = new_table(), *again = NULL;
    struct err err = { 0 };

    (void)state;
    memory_io(&io, &store);
    for (int i = 0; i < 3; i++)
        assert_int_equal(append_one(&io, &table, PLACE "/data/x", i, &err), RC_OK);
    static const char *const hints[] = { "1", "2\n", "99", "what", "" };
    for (size_t i = 0; i < ARRAY_LEN(hints); i++) {
        memory_put(&store, "lake/stage/t/metadata/version-hint.text", hints[i]);
        assert_int_equal(iceberg_open(&io, PLACE, &again, &err), RC_OK);
        assert_int_equal(again->version, 3);
        iceberg_close(again);
    }
    assert_int_equal(io.remove(io.user, "lake", "stage/t/metadata/version-hint.text", &err), RC_OK);
    assert_int_equal(iceberg_open(&io, PLACE, &again, &err), RC_OK);
    assert_int_equal(again->version, 3);
    iceberg_close(again);
    assert_int_equal(iceberg_open(&io, "s3a://lake/stage/none", &again, &err), RC_NOT_FOUND);
    iceberg_close(table);
    memory_store_free(&store);
}

static void what_others_put_into_metadata_survives(void **state)
{
    struct memory_store store = { 0 };
    struct iceberg_io io;
    struct iceberg_table *table = new_table();
    struct err err = { 0 };

    (void)state;
    memory_io(&io, &store);
    assert_int_equal(append_one(&io, &table, PLACE "/data/1", 1, &err), RC_OK);
    json_object_set_new(table->metadata, "of-others", json_string("kept"));
    assert_int_equal(append_one(&io, &table, PLACE "/data/2", 2, &err), RC_OK);
    assert_string_equal(json_string_value(json_object_get(table->metadata, "of-others")), "kept");
    assert_string_equal(iceberg_property(table, "a"), "b");
    iceberg_close(table);
    memory_store_free(&store);
}

static void tables_are_found_at_any_depth(void **state)
{
    struct memory_store store = { 0 };
    struct iceberg_io io;
    struct err err = { 0 };
    char **names = NULL;
    size_t count = 0;

    (void)state;
    memory_io(&io, &store);
    memory_put(&store, "lake/stage/a/orders/metadata/v1.metadata.json", "{}");
    memory_put(&store, "lake/stage/a/orders/data/x.parquet", "");
    memory_put(&store, "lake/top/metadata/v1.metadata.json", "{}");
    memory_put(&store, "lake/stage/no/metadata/readme.txt", "");
    assert_int_equal(iceberg_list_tables(&io, "s3a://lake/", &names, &count, &err), RC_OK);
    assert_int_equal(count, 2);
    assert_string_equal(names[0], "stage/a/orders");
    assert_string_equal(names[1], "top");
    iceberg_names_free(names, count);
    memory_store_free(&store);
}

static void broken_metadata_is_refused(void **state)
{
    static const char *const texts[] = {
        "",
        "[]",
        "{}",
        "{\"location\":\"s3://b/t\",\"format-version\":9}",
        "{\"location\":\"/tmp/x\",\"format-version\":2}",
        "{\"location\":\"s3://b/t\",\"format-version\":2,\"current-schema-id\":0,\"schemas\":[]}",
        "{\"location\":\"s3://b/t\",\"format-version\":2,\"schemas\":[{\"schema-id\":0,\"fields\":[{\"id\":1}]}]}",
        ("{\"location\":\"s3://b/t\",\"format-version\":2,\"schemas\":[{\"schema-id\":0,\"fields\":[]}],"
         "\"partition-specs\":[{\"spec-id\":0,\"fields\":[]}],\"current-snapshot-id\":5}"),
    };
    struct iceberg_table *table = NULL;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        struct err err = { 0 };
        assert_int_equal(iceberg_parse(str_of(texts[i]), NULL, &table, &err), RC_BAD_INPUT);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_append_is_read_back),
        cmocka_unit_test(the_loser_of_a_race_starts_again_from_the_winner),
        cmocka_unit_test(without_an_answer_the_outcome_is_unknown),
        cmocka_unit_test(a_stale_or_missing_hint_is_no_error),
        cmocka_unit_test(what_others_put_into_metadata_survives),
        cmocka_unit_test(tables_are_found_at_any_depth),
        cmocka_unit_test(broken_metadata_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
