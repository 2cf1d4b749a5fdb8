/* What a dead build left is settled: its files go, unless they became the table. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../memory_io.h"
#include "lake/build/journal.h"

#define PLACE "s3a://lake/t"

static struct iceberg_table *new_table(void)
{
    static const struct iceberg_new_column columns[] = { { "id", "long", false } };
    const struct iceberg_new_table want = { PLACE, columns, 1, NULL, 0, NULL, 0 };
    struct iceberg_table *table = NULL;
    struct err err = { 0 };

    if (iceberg_new(&want, &table, &err))
        fail_msg("%s", err.text);
    return table;
}

static char *key = (char *)"t/data/x.parquet";

static void begin(const struct iceberg_io *io, struct memory_store *store, const struct iceberg_table *table,
                  int64_t snapshot, int64_t publishing, const char *owner)
{
    struct journal journal = { .snapshot_id = snapshot,
                               .publishing = publishing,
                               .attempts = 1,
                               .owner = owner,
                               .keys = &key,
                               .key_count = 1,
                               .new_table = table->version ? NULL : table->metadata };
    struct err err = { 0 };

    assert_int_equal(journal_write(io, table, &journal, &err), RC_OK);
    memory_put(store, "lake/t/data/x.parquet", "PAR1");
}

static enum rc commit(const struct iceberg_io *io, struct iceberg_table **table, int64_t snapshot)
{
    struct iceberg_new_file file = { .path = PLACE "/data/x.parquet", .records = 1, .size = 4 };
    struct iceberg_append append = { .files = &file, .file_count = 1, .snapshot_id = snapshot };
    struct err err = { 0 };

    return iceberg_commit_append(io, table, &append, &err);
}

static void files_without_a_commit_are_removed(void **state)
{
    struct memory_store store = { 0 };
    struct iceberg_io io;
    struct err err = { 0 };
    struct iceberg_table *table = new_table();

    (void)state;
    memory_io(&io, &store);
    begin(&io, &store, table, 7, 0, "me");
    assert_int_equal(journal_clean(&io, PLACE, "me", &err), RC_OK);
    assert_int_equal(memory_count(&store, "lake/"), 0);
    iceberg_close(table);
    memory_store_free(&store);
}

static void files_of_a_commit_stay(void **state)
{
    struct memory_store store = { 0 };
    struct iceberg_io io;
    struct err err = { 0 };
    struct iceberg_table *table = new_table();

    (void)state;
    memory_io(&io, &store);
    begin(&io, &store, table, 7, 1, "me");
    assert_int_equal(commit(&io, &table, 7), RC_OK);
    memory_put(&store, "lake/t/metadata/version-hint.text", "0"); /* killed before the hint */
    assert_int_equal(journal_clean(&io, PLACE, "me", &err), RC_OK);
    assert_int_equal(memory_count(&store, "x.parquet"), 1);
    assert_int_equal(memory_count(&store, "pending"), 0);
    assert_string_equal(memory_text(&store, "lake/t/metadata/version-hint.text"), "1");
    iceberg_close(table);
    memory_store_free(&store);
}

static void a_commit_still_under_way_loses_before_files_go(void **state)
{
    struct memory_store store = { 0 };
    struct iceberg_io io;
    struct err err = { 0 };
    struct iceberg_table *table = new_table(), *late = NULL;

    (void)state;
    memory_io(&io, &store);
    assert_int_equal(commit(&io, &table, 6), RC_OK);
    assert_int_equal(iceberg_open(&io, PLACE, &late, &err), RC_OK);
    begin(&io, &store, table, 7, 2, "me");
    key = (char *)"t/data/y.parquet";
    begin(&io, &store, table, 8, 2, "me");
    memory_put(&store, "lake/t/data/y.parquet", "PAR1");
    key = (char *)"t/data/x.parquet";
    assert_int_equal(journal_clean(&io, PLACE, "me", &err), RC_OK);
    assert_non_null(memory_text(&store, "lake/t/metadata/v2.metadata.json")); /* taken: a late put of v2 fails */
    assert_int_equal(memory_count(&store, "y.parquet"), 0);
    assert_int_equal(memory_count(&store, "x.parquet"), 1); /* named by a journal, but the table uses it */
    iceberg_close(table);
    iceberg_close(late);
    memory_store_free(&store);
}

static void a_first_commit_under_way_finds_the_empty_table(void **state)
{
    struct memory_store store = { 0 };
    struct iceberg_io io;
    struct err err = { 0 };
    struct iceberg_table *table = new_table(), *there = NULL;

    (void)state;
    memory_io(&io, &store);
    begin(&io, &store, table, 7, 1, "me");
    assert_int_equal(journal_clean(&io, PLACE, "me", &err), RC_OK);
    assert_int_equal(memory_count(&store, "x.parquet"), 0);
    assert_int_equal(iceberg_open(&io, PLACE, &there, &err), RC_OK);
    assert_null(there->current);
    assert_string_equal(there->uuid, table->uuid);
    iceberg_close(table);
    iceberg_close(there);
    memory_store_free(&store);
}

static void notes_of_others_are_left_alone(void **state)
{
    struct memory_store store = { 0 };
    struct iceberg_io io;
    struct err err = { 0 };
    struct iceberg_table *table = new_table();

    (void)state;
    memory_io(&io, &store);
    begin(&io, &store, table, 7, 0, "another");
    assert_int_equal(journal_clean(&io, PLACE, "me", &err), RC_OK);
    assert_int_equal(memory_count(&store, "lake/"), 2);
    iceberg_close(table);
    memory_store_free(&store);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files_without_a_commit_are_removed),
        cmocka_unit_test(files_of_a_commit_stay),
        cmocka_unit_test(a_commit_still_under_way_loses_before_files_go),
        cmocka_unit_test(a_first_commit_under_way_finds_the_empty_table),
        cmocka_unit_test(notes_of_others_are_left_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
