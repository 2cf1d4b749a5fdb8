/* Fault points: with -Dfault=true they fail when asked to, else they are nothing. */
#include "unit/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
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

/* each letter is one pass of a point: '.' fine, 'e' EIO, 'n' ENOSPC, 'x' error */
static int pass_points(const char *expected)
{
    for (; *expected; expected++) {
        errno = 0;
        int failed = FAULT_POINT("test.point");
        char got = !failed ? '.' : errno == EIO ? 'e' : errno == ENOSPC ? 'n' : errno == ENOTRECOVERABLE ? 'x' : '?';
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
        { "test.point:error@2", ".x." },
        { "test.point:short@1", "..." }, /* nothing is written here */
        { "case+test.point:eio@1,build+test.point:eio@2,+test.point:eio@3", "e.." },
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

/* "torn" and "short" write half; the file's bytes are what is left of 8 */
static int write_once(const char *path)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    size_t n = 8;

    if (FAULT_WRITE("test.write", fd, "12345678", &n, -1))
        return 1;
    int failed = write(fd, "12345678", n) != (ssize_t)n;
    close(fd);
    return failed;
}

static int64_t size_after(const char *plan, int *status)
{
    CLEANUP_FREE char *path = mem_printf("/tmp/haus-test-fault-%d", (int)getpid());
    struct stat file = { 0 };

    setenv("HAUS_TEST_FILE", path, 1);
    *status = run_case(plan, "write");
    unsetenv("HAUS_TEST_FILE");
    assert_int_equal(stat(path, &file), 0);
    unlink(path);
    return file.st_size;
}

static void a_write_can_be_short_or_torn(void **state)
{
    int status = 0;

    (void)state;
    assert_int_equal(size_after("", &status), 8);
    assert_int_equal(status, 0);
    assert_int_equal(size_after("test.write:short@1", &status), 4);
    assert_int_equal(status, 0);
    assert_int_equal(size_after("test.write:enospc@1", &status), 0);
    assert_int_equal(WEXITSTATUS(status), 1);
    assert_int_equal(size_after("test.write:torn@1", &status), 4);
    assert_true(WIFSIGNALED(status));
}

/* a service that is started again with the same plan makes progress */
static void a_fault_told_once_happens_once(void **state)
{
    char folder[] = "/tmp/haus-test-once-XXXXXX";

    (void)state;
    assert_non_null(mkdtemp(folder));
    setenv("HAUS_FAULT_ONCE", folder, 1);
    assert_int_equal(run_case("test.point:eio@2", ".e."), 0);
    assert_int_equal(run_case("test.point:eio@2", "..."), 0);
    unsetenv("HAUS_FAULT_ONCE");
    CLEANUP_FREE char *mark = mem_printf("%s/test.point:eio@2", folder);
    assert_int_equal(unlink(mark), 0);
    assert_int_equal(rmdir(folder), 0);
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

static int write_once(const char *path)
{
    (void)path;
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
        cmocka_unit_test(a_write_can_be_short_or_torn),
        cmocka_unit_test(a_fault_told_once_happens_once),
        cmocka_unit_test(a_delay_only_takes_time),
#else
        cmocka_unit_test(without_the_option_a_point_is_nothing),
#endif
    };

    self = argv[0];
    if (argc == 3 && strcmp(argv[1], "case") == 0)
        return strcmp(argv[2], "write") == 0 ? write_once(getenv("HAUS_TEST_FILE")) : pass_points(argv[2]);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
