/* Sets of offsets: union, difference, their text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lake/build/offsets.h"

static void touching_ranges_become_one(void **state)
{
    CLEANUP(offset_ranges_free) struct offset_ranges set = { 0 };

    (void)state;
    offset_ranges_add(&set, 10, 20);
    offset_ranges_add(&set, 30, 40);
    offset_ranges_add(&set, 20, 30);
    assert_int_equal(set.count, 1);
    assert_true(offset_ranges_cover(&set, 10, 40));
    assert_false(offset_ranges_cover(&set, 9, 40));
    assert_false(offset_ranges_cover(&set, 10, 41));
    assert_int_equal(offset_ranges_total(&set), 30);
}

static void what_is_missing_is_the_rest(void **state)
{
    CLEANUP(offset_ranges_free) struct offset_ranges set = { 0 };

    (void)state;
    offset_ranges_add(&set, 5, 10);
    offset_ranges_add(&set, 20, 25);
    CLEANUP(offset_ranges_free) struct offset_ranges rest = offset_ranges_missing(&set, 0, 30);
    assert_int_equal(rest.count, 3);
    assert_int_equal(rest.ranges[1].first, 10);
    assert_int_equal(rest.ranges[1].end, 20);
    assert_int_equal(offset_ranges_total(&rest), 20);
    CLEANUP(offset_ranges_free) struct offset_ranges none = offset_ranges_missing(&set, 6, 9);
    assert_int_equal(none.count, 0);
}

/* Against a plain array of flags. */
static void any_order_of_adds_is_the_same_set(void **state)
{
    enum { SPACE = 300, ROUNDS = 400, STEPS = 40 };
    uint64_t seed = 7;

    (void)state;
    for (int round = 0; round < ROUNDS; round++) {
        CLEANUP(offset_ranges_free) struct offset_ranges set = { 0 };
        bool flags[SPACE] = { 0 };
        for (int step = 0; step < STEPS; step++) {
            seed = seed * 6364136223846793005u + 1442695040888963407u;
            int first = (int)(seed >> 33) % SPACE, n = (int)(seed >> 50) % 12;
            int end = MIN(first + n, (int)SPACE);
            CLEANUP(offset_ranges_free) struct offset_ranges rest = offset_ranges_missing(&set, first, end);
            for (int i = first; i < end; i++)
                assert_int_equal(offset_ranges_has(&rest, i), !flags[i]);
            offset_ranges_add(&set, first, end);
            memset(flags + first, 1, (size_t)MAX(end - first, 0));
        }
        for (int i = 0; i < SPACE; i++)
            assert_int_equal(offset_ranges_has(&set, i), flags[i]);
        for (size_t i = 1; i < set.count; i++)
            assert_true(set.ranges[i - 1].end < set.ranges[i].first);
    }
}

static void text_comes_back_the_same(void **state)
{
    struct offsets offsets = { 0 }, again = { 0 };
    struct err err = { 0 };

    (void)state;
    offset_ranges_add(offsets_of(&offsets, "b", 1), 0, 10);
    offset_ranges_add(offsets_of(&offsets, "b", 1), 20, 21);
    offset_ranges_add(offsets_of(&offsets, "a", 0), 5, 6);
    CLEANUP_FREE char *text = offsets_print(&offsets);
    assert_string_equal(text, "{\"a\":{\"0\":\"5-5\"},\"b\":{\"1\":\"0-9,20-20\"}}");
    assert_int_equal(offsets_parse(text, &again, &err), RC_OK);
    assert_true(offsets_equal(&offsets, &again));
    offsets_free(&offsets);
    offsets_free(&again);
}

static void broken_text_is_refused(void **state)
{
    static const char *const texts[] = {
        "[]", "{", "{\"a\":1}", "{\"a\":{\"x\":\"0-1\"}}", "{\"a\":{\"0\":\"3-1\"}}", "{\"a\":{\"0\":\"5\"}}"
    };
    struct offsets offsets;
    struct err err = { 0 };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        assert_int_equal(offsets_parse(texts[i], &offsets, &err), RC_BAD_INPUT);
}

static void what_a_set_lacks_of_another_is_added_to_a_third(void **state)
{
    struct offsets has, had, out;
    struct err err = { 0 };

    (void)state;
    assert_int_equal(offsets_parse("{\"a\":{\"0\":\"0-9\",\"1\":\"5-5\"},\"b\":{\"0\":\"1-2\"}}", &has, &err), RC_OK);
    assert_int_equal(offsets_parse("{\"a\":{\"0\":\"2-3,7-20\"},\"b\":{\"0\":\"1-2\"}}", &had, &err), RC_OK);
    assert_int_equal(offsets_parse("{\"a\":{\"0\":\"30-30\"}}", &out, &err), RC_OK);
    offsets_add_missing(&out, &has, &had);
    CLEANUP_FREE char *text = offsets_print(&out);
    assert_string_equal(text, "{\"a\":{\"0\":\"0-1,4-6,30-30\",\"1\":\"5-5\"}}");
    assert_int_equal(offsets_total(&out), 7);
    offsets_free(&has);
    offsets_free(&had);
    offsets_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(touching_ranges_become_one),
        cmocka_unit_test(what_is_missing_is_the_rest),
        cmocka_unit_test(any_order_of_adds_is_the_same_set),
        cmocka_unit_test(text_comes_back_the_same),
        cmocka_unit_test(broken_text_is_refused),
        cmocka_unit_test(what_a_set_lacks_of_another_is_added_to_a_third),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
