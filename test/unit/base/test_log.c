/* Log lines for people and for programs. */
#include "unit/unit.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/base.h"

static int kept_stderr = -1, pipe_ends[2];

static void capture(void)
{
    fflush(stderr);
    kept_stderr = dup(STDERR_FILENO);
    assert_int_equal(pipe(pipe_ends), 0);
    dup2(pipe_ends[1], STDERR_FILENO);
    close(pipe_ends[1]);
}

/* what was written since capture() */
static char *captured(void)
{
    CLEANUP(buf_free) struct buf out = { 0 };
    char block[4096];

    dup2(kept_stderr, STDERR_FILENO);
    close(kept_stderr);
    for (ssize_t n = 0; (n = read(pipe_ends[0], block, sizeof block)) > 0;)
        buf_append(&out, block, (size_t)n);
    close(pipe_ends[0]);
    return buf_take(&out);
}

/* the line without its time: "info  log       words" */
static void expect_text(const char *line, const char *expected)
{
    assert_true(strlen(line) > 25);
    assert_int_equal(line[10], 'T');
    assert_int_equal(line[23], 'Z');
    assert_string_equal(line + 25, expected);
}

static void a_line_is_words_then_pairs(void **state)
{
    (void)state;
    log_setup("log", LOG_INFO, false);
    capture();
    log_info("opened topic", "topic=%s partitions=%d", "orders", 3);
    CLEANUP_FREE char *line = captured();
    expect_text(line, "info  log       opened topic topic=orders partitions=3\n");
    capture();
    log_error("ready", NULL);
    CLEANUP_FREE char *bare = captured();
    expect_text(bare, "error log       ready\n");
}

static void values_that_would_mislead_are_quoted(void **state)
{
    static const char *const rows[][2] = {
        { "plain", "plain" },
        { "", "\"\"" },
        { "two words", "\"two words\"" },
        { "a=b", "\"a=b\"" },
        { "say \"x\"", "\"say \\\"x\\\"\"" },
        { "line\nbreak", "\"line\\nbreak\"" },
        { "tab\tescape\x1b[31m", "\"tab\\u0009escape\\u001b[31m\"" },
        { "back\\slash", "back\\slash" },
        { "back\\slash quoted", "\"back\\\\slash quoted\"" },
        { "a\x1f"
          "b=c",
          "\"a\\u001fb=c\"" },
        { "Zürich", "Zürich" },
    };

    (void)state;
    log_setup("log", LOG_INFO, false);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP_FREE char *expected = mem_printf("warn  log       w a=%s z=1\n", rows[i][1]);
        capture();
        log_warn("w", "a=%s z=%d", rows[i][0], 1);
        CLEANUP_FREE char *line = captured();
        expect_text(line, expected);
    }
}

static void each_json_line_is_one_object(void **state)
{
    static const char *const values[] = { "plain",  "two words",          "say \"x\" \\ \n \x1b \x1f",
                                          "Zürich", "bad \xff\xc3 bytes", "" };

    (void)state;
    log_setup("store", LOG_DEBUG, true);
    for (size_t i = 0; i < ARRAY_LEN(values); i++) {
        capture();
        log_debug("put \"object\"", "key=%s size=%d", values[i], 12);
        CLEANUP_FREE char *line = captured();
        assert_int_equal(strchr(line, '\n') - line, (ptrdiff_t)strlen(line) - 1);
        json_t *object = json_loads(line, JSON_REJECT_DUPLICATES, NULL);
        assert_non_null(object);
        assert_string_equal(json_string_value(json_object_get(object, "level")), "debug");
        assert_string_equal(json_string_value(json_object_get(object, "station")), "store");
        assert_string_equal(json_string_value(json_object_get(object, "event")), "put \"object\"");
        assert_string_equal(json_string_value(json_object_get(object, "size")), "12");
        if (str_is_utf8(str_of(values[i])))
            assert_string_equal(json_string_value(json_object_get(object, "key")), values[i]);
        assert_int_equal(json_object_size(object), 6);
        json_decref(object);
    }
}

static void lines_below_the_level_are_not_written(void **state)
{
    (void)state;
    log_setup("log", LOG_WARN, false);
    capture();
    log_debug("no", NULL);
    log_info("no", NULL);
    log_warn("yes", NULL);
    CLEANUP_FREE char *line = captured();
    expect_text(line, "warn  log       yes\n");
}

static void a_value_that_is_too_long_costs_a_part_and_not_the_line(void **state)
{
    CLEANUP_FREE char *value = mem_alloc(40001);

    (void)state;
    memset(value, 'v', 40000);
    for (int json = 0; json < 2; json++) {
        log_setup("log", LOG_INFO, json);
        capture();
        log_info("long", "before=%d value=%s", 1, value);
        CLEANUP_FREE char *line = captured();
        assert_non_null(strstr(line, "before"));
        assert_non_null(strstr(line, "vvvvvvvvvv"));
        assert_int_equal(line[strlen(line) - 1], '\n');
        if (json) {
            json_t *object = json_loads(line, 0, NULL);
            assert_non_null(object);
            json_decref(object);
        }
    }
}

static void levels_have_names(void **state)
{
    enum log_level level = LOG_INFO;

    (void)state;
    assert_true(log_level_of("debug", &level));
    assert_int_equal(level, LOG_DEBUG);
    assert_true(log_level_of("error", &level));
    assert_int_equal(level, LOG_ERROR);
    assert_false(log_level_of("loud", &level));
    assert_int_equal(level, LOG_ERROR);
}

static void a_rate_lets_so_many_through_and_counts_the_rest(void **state)
{
    struct log_rate rate = { 0 };
    unsigned suppressed = 7;

    (void)state;
    for (int i = 0; i < 3; i++) {
        assert_true(log_allow(&rate, 3, &suppressed));
        assert_int_equal(suppressed, 0);
    }
    for (int i = 0; i < 5; i++)
        assert_false(log_allow(&rate, 3, &suppressed));
    rate.window_start_ms -= 60000; /* a minute later */
    assert_true(log_allow(&rate, 3, &suppressed));
    assert_int_equal(suppressed, 5);
    assert_true(log_allow(&rate, 3, &suppressed));
    assert_int_equal(suppressed, 0);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_is_words_then_pairs),
        cmocka_unit_test(values_that_would_mislead_are_quoted),
        cmocka_unit_test(each_json_line_is_one_object),
        cmocka_unit_test(lines_below_the_level_are_not_written),
        cmocka_unit_test(a_value_that_is_too_long_costs_a_part_and_not_the_line),
        cmocka_unit_test(levels_have_names),
        cmocka_unit_test(a_rate_lets_so_many_through_and_counts_the_rest),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
