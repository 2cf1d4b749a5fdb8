/* The words of a failure, and memory that never is NULL. */
#include "unit/unit.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/base.h"

static void words_and_cause_are_kept(void **state)
{
    struct err err = { 0 };

    (void)state;
    assert_int_equal(err_set(&err, RC_NOT_FOUND, "no topic '%s'", "orders"), RC_NOT_FOUND);
    assert_int_equal(err.rc, RC_NOT_FOUND);
    assert_string_equal(err.text, "no topic 'orders'");
    assert_int_equal(err_wrap(&err, "cannot start '%s'", "sink"), RC_NOT_FOUND);
    assert_string_equal(err.text, "cannot start 'sink': no topic 'orders'");
    assert_int_equal(err_set(NULL, RC_FULL, "%d", 1), RC_FULL);
    err = (struct err){ 0 };
    assert_int_equal(err_wrap(&err, "cannot go on"), RC_AGAIN); /* never a success */
    assert_string_equal(err.text, "");
    assert_int_equal(err_set_errno(NULL, ENOENT, "x"), RC_NOT_FOUND);
    assert_int_equal(err_wrap(NULL, "x"), RC_FATAL);
}

static void numbers_of_the_system_become_what_to_do(void **state)
{
    static const struct {
        int number;
        enum rc rc;
    } rows[] = {
        { EINTR, RC_RETRY },   { EAGAIN, RC_RETRY }, { ENOSPC, RC_RETRY },
        { EDQUOT, RC_RETRY },  { EMFILE, RC_RETRY }, { ENOENT, RC_NOT_FOUND },
        { EEXIST, RC_EXISTS }, { EIO, RC_FATAL },    { EACCES, RC_FATAL },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct err err = { 0 };
        CLEANUP_FREE char *words = mem_printf("cannot open 'x': %s", strerror(rows[i].number));
        assert_int_equal(err_set_errno(&err, rows[i].number, "cannot open '%s'", "x"), rows[i].rc);
        assert_int_equal(err.rc, rows[i].rc);
        assert_string_equal(err.text, words);
    }
}

static void long_words_are_cut_and_terminated(void **state)
{
    char text[3 * ERR_TEXT_MAX];
    struct err err = { 0 };

    (void)state;
    memset(text, 'w', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    err_set(&err, RC_FATAL, "%s", text);
    assert_int_equal(strlen(err.text), ERR_TEXT_MAX - 1);
    err_set_errno(&err, EIO, "%s", text);
    assert_int_equal(strlen(err.text), ERR_TEXT_MAX - 1);
    for (int i = 0; i < 5; i++)
        err_wrap(&err, "%s", text);
    assert_true(strlen(err.text) < ERR_TEXT_MAX);
    /* both the newest words and the oldest cause have a part in it */
    err_set(&err, RC_FATAL, "the cause");
    err_wrap(&err, "%s", text);
    assert_true(str_ends(str_of(err.text), ": the cause"));
}

static void memory_is_zeroed_copied_and_given_up(void **state)
{
    CLEANUP_FREE char *zero = mem_alloc(0), *some = mem_alloc(100), *text = mem_printf("%d-%s", 7, "x");
    CLEANUP_FREE char *part = mem_strndup("abcdef", 3), *empty = mem_strndup(NULL, 0);
    CLEANUP_FREE int *numbers = NEW_ARRAY(int, 10);
    char *owned = mem_strdup("owned");

    (void)state;
    assert_non_null(zero);
    for (int i = 0; i < 100; i++)
        assert_int_equal(some[i], 0);
    for (int i = 0; i < 10; i++)
        assert_int_equal(numbers[i], 0);
    assert_string_equal(text, "7-x");
    assert_string_equal(part, "abc");
    assert_string_equal(empty, "");
    assert_null(mem_strdup(NULL));
    numbers[9] = 9;
    numbers = mem_grow(numbers, 1000, sizeof *numbers);
    assert_int_equal(numbers[9], 9);
    CLEANUP_FREE char *taken = TAKE_PTR(owned);
    assert_null(owned);
    assert_string_equal(taken, "owned");
    mem_free_ptr(&taken);
    assert_null(taken);
}

static void a_size_that_overflows_aborts_rather_than_being_small(void **state)
{
    int status = 0;
    pid_t child = fork();

    (void)state;
    if (child == 0) {
        close(STDERR_FILENO);
        signal(SIGABRT, SIG_DFL);
        (void)!mem_grow(NULL, SIZE_MAX / 2, 4);
        _exit(0);
    }
    waitpid(child, &status, 0);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGABRT);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_and_cause_are_kept),
        cmocka_unit_test(numbers_of_the_system_become_what_to_do),
        cmocka_unit_test(long_words_are_cut_and_terminated),
        cmocka_unit_test(memory_is_zeroed_copied_and_given_up),
        cmocka_unit_test(a_size_that_overflows_aborts_rather_than_being_small),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
