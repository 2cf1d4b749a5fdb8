/* Fault points: with -Dfault=true they fail when asked to, else they are nothing. */
#include "unit/unit.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/base.h"

static const char *self;

#ifdef HAUS_FAULT_POINTS

/* HAUS_FAULT is read when a program starts, so a case is a program: ourselves with "case". Returns waitpid's status. */
static int run_case(const char *plan, const char *expected)
{
    int status = 0;
    pid_t child = fork();

    if (child == 0) {
        setenv("HAUS_FAULT", plan, 1);
        execl(self, self, "case", expected, (char *)NULL);
        _exit(99);
    }
    waitpid(child, &status, 0);
    return status;
}

/* each letter is one pass of a point: '.' fine, 'e' EIO, 'n' ENOSPC */
static int pass_points(const char *expected)
{
    for (; *expected; expected++) {
        errno = 0;
        int failed = FAULT_POINT("test.point");
        char got = !failed ? '.' : errno == EIO ? 'e' : errno == ENOSPC ? 'n' : '?';
        if (got != *expected || FAULT_POINT("test.other"))
            return 1;
    }
    return 0;
}

static void a_point_fails_at_the_pass_it_was_told(void **state)
{
    static const char *const rows[][2] = {
        { "", "..." },
        { "test.point:eio@1", "e.." },
        { "test.point:enospc@3", "..n." },
        { "test.point:eio@1,test.point:enospc@2", "en." },
        { "test.poin:eio@1,test.point2:eio@1", "..." },
        { "test.point:eio@0", "..." },
        { "test.point:eio@x,test.point", "..." },
        { "nonsense,,@:,test.point:eio@2", ".e." },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (run_case(rows[i][0], rows[i][1]) != 0)
            fail_msg("%s", rows[i][0]);
}

static void a_crash_is_a_kill(void **state)
{
    (void)state;
    int status = run_case("test.point:crash@2", "...");
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGKILL);
}

static void a_delay_only_takes_time(void **state)
{
    int64_t began = clock_mono_ms();

    (void)state;
    assert_int_equal(run_case("test.point:delay@1", "..."), 0);
    assert_true(clock_mono_ms() - began >= 100);
}

#else

static int pass_points(const char *expected)
{
    (void)expected;
    return 0;
}

static void without_the_option_a_point_is_nothing(void **state)
{
    (void)state;
    setenv("HAUS_FAULT", "test.point:eio@1", 1);
    assert_int_equal(FAULT_POINT("test.point"), 0);
}

#endif

int main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
#ifdef HAUS_FAULT_POINTS
        cmocka_unit_test(a_point_fails_at_the_pass_it_was_told),
        cmocka_unit_test(a_crash_is_a_kill),
        cmocka_unit_test(a_delay_only_takes_time),
#else
        cmocka_unit_test(without_the_option_a_point_is_nothing),
#endif
    };

    self = argv[0];
    if (argc == 3 && strcmp(argv[1], "case") == 0)
        return pass_points(argv[2]);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
