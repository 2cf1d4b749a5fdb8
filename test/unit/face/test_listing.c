/* The same rows as a table for people and as JSON for programs. */
#include "unit/unit.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "disk/disk.h"
#undef fail /* the tests' own; a command has another */
#include "face/cli/command.h"

static const struct listing_column columns[] = {
    { "name", false }, { "memory_bytes", true }, { "is_ready", true }, { "note", false }
};

/* what listing_print writes */
static char *printed(struct listing *listing, bool json)
{
    char path[] = "/tmp/haus-test-listing-XXXXXX";
    CLEANUP(buf_free) struct buf text = { 0 };
    int file = mkstemp(path), kept = dup(STDOUT_FILENO);

    fflush(stdout);
    dup2(file, STDOUT_FILENO);
    output_json = json;
    listing_print(listing);
    fflush(stdout);
    dup2(kept, STDOUT_FILENO);
    close(kept);
    close(file);
    assert_int_equal(disk_read_file(path, &text, NULL), RC_OK);
    unlink(path);
    return buf_take(&text);
}

static struct listing sample(void)
{
    struct listing listing = { .columns = columns, .column_count = ARRAY_LEN(columns) };

    listing_add(&listing, "log", "1048576", "true", "says \"x\"");
    listing_add(&listing, "Zürich", NULL, "false", NULL);
    listing_add(&listing, "x", "2.5", NULL, "");
    return listing;
}

static void a_table_is_aligned_by_characters(void **state)
{
    struct listing listing = sample();
    CLEANUP_FREE char *text = printed(&listing, false);

    (void)state;
    assert_string_equal(text, "NAME    MEMORY BYTES  IS READY  NOTE\n"
                              "log          1048576      true  says \"x\"\n"
                              "Zürich             -     false  -\n"
                              "x                2.5         -  \n");
    assert_null(listing.cells);
    assert_int_equal(listing.cell_count, 0);
}

static void json_has_numbers_booleans_and_nulls(void **state)
{
    struct listing listing = sample();
    CLEANUP_FREE char *text = printed(&listing, true);
    json_t *expected =
        json_loads("[{\"name\":\"log\",\"memory_bytes\":1048576,\"is_ready\":true,\"note\":\"says \\\"x\\\"\"},"
                   "{\"name\":\"Zürich\",\"memory_bytes\":null,\"is_ready\":false,\"note\":null},"
                   "{\"name\":\"x\",\"memory_bytes\":2.5,\"is_ready\":null,\"note\":\"\"}]",
                   0, NULL);
    json_t *got = json_loads(text, 0, NULL);

    (void)state;
    assert_non_null(expected);
    assert_true(json_equal(got, expected));
    json_decref(got);
    json_decref(expected);
}

static void text_of_others_that_is_no_text_stays_valid_json(void **state)
{
    static const struct listing_column one[] = { { "key", false } };
    struct listing listing = { .columns = one, .column_count = 1 };
    listing_add(&listing, "bad \xff bytes");
    CLEANUP_FREE char *text = printed(&listing, true);
    json_t *got = json_loads(text, 0, NULL);

    (void)state;
    assert_int_equal(json_array_size(got), 1);
    assert_non_null(json_object_get(json_array_get(got, 0), "key"));
    json_decref(got);
}

static void nothing_is_an_empty_array_or_no_line(void **state)
{
    struct listing listing = { .columns = columns, .column_count = ARRAY_LEN(columns) };
    CLEANUP_FREE char *json = printed(&listing, true);
    CLEANUP_FREE char *text = printed(&listing, false);

    (void)state;
    assert_string_equal(json, "[]\n");
    assert_string_equal(text, "");
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_table_is_aligned_by_characters),
        cmocka_unit_test(json_has_numbers_booleans_and_nulls),
        cmocka_unit_test(text_of_others_that_is_no_text_stays_valid_json),
        cmocka_unit_test(nothing_is_an_empty_array_or_no_line),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
