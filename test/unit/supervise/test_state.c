/* What the supervisor tells the world comes back as it was told; what a dead one told is of no use. */
#include "unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "disk/disk.h"
#include "supervise/state.h"

static char dir[] = "/tmp/haus-test-state-XXXXXX";
static struct house house;

static int make_house(void **state)
{
    (void)state;
    CLEANUP_FREE char *run = mkdtemp(dir) ? mem_printf("%s/run", dir) : NULL;
    struct house_options options = { .home = dir, .playground = dir, .port_offset = 0 };

    return !run || disk_make_dirs(run, 0700, NULL) || house_open(&options, &house, NULL) ? -1 : 0;
}

static int remove_house(void **state)
{
    (void)state;
    house_free(&house);
    return disk_remove_tree(dir, NULL) ? -1 : 0;
}

static struct house_state sample(pid_t supervisor)
{
    struct house_state state = { .supervisor = supervisor, .services = NEW_ARRAY(struct service_state, service_count) };

    for (size_t i = 0; i < service_count; i++) {
        struct service_state *s = &state.services[i];
        *s = (struct service_state){ .status = (enum service_status)(i % 4),
                                     .pid = (pid_t)(100 + i),
                                     .restarts = (int)i,
                                     .started_ms = 1700000000000 + (int64_t)i,
                                     .ready_ms = i % 2 ? 1700000001000 : 0 };
        if (i % 3 == 1)
            snprintf(s->reason, sizeof s->reason, "killed by signal %zu: port 9092 is taken by 'java' (pid 8)", i);
    }
    return state;
}

static void expect_stopped(pid_t supervisor)
{
    CLEANUP(house_state_free) struct house_state got = { 0 };
    struct err err = { 0 };

    assert_int_equal(house_state_read(&house, &got, &err), RC_OK);
    assert_int_equal(got.supervisor, supervisor);
    for (size_t i = 0; i < service_count; i++) {
        assert_int_equal(got.services[i].status, SERVICE_STOPPED);
        assert_int_equal(got.services[i].pid, 0);
        assert_string_equal(got.services[i].reason, "");
    }
}

static void what_is_written_is_read(void **state)
{
    CLEANUP(house_state_free) struct house_state told = sample(getpid()), got = { 0 };
    CLEANUP(disk_close) int lock = -1;
    pid_t holder = 0;

    (void)state;
    assert_int_equal(disk_lock_dir(dir, &lock, &holder, NULL), RC_OK);
    assert_int_equal(state_write(&house, &told, NULL), RC_OK);
    assert_int_equal(state_lock_holder(&house), getpid());
    assert_int_equal(house_state_read(&house, &got, NULL), RC_OK);
    assert_int_equal(got.supervisor, getpid());
    for (size_t i = 0; i < service_count; i++) {
        const struct service_state *a = &told.services[i], *b = &got.services[i];
        assert_int_equal(a->status, b->status);
        assert_int_equal(a->pid, b->pid);
        assert_int_equal(a->restarts, b->restarts);
        assert_int_equal(a->started_ms, b->started_ms);
        assert_int_equal(a->ready_ms, b->ready_ms);
        assert_string_equal(a->reason, b->reason);
    }
}

static void a_reason_of_several_lines_stays_with_its_service(void **state)
{
    CLEANUP(house_state_free) struct house_state told = sample(getpid()), got = { 0 };
    CLEANUP(disk_close) int lock = -1;
    pid_t holder = 0;

    (void)state;
    snprintf(told.services[0].reason, SERVICE_REASON_MAX, "first line\nlog ready 1 0 0 0 forged\nlast");
    assert_int_equal(disk_lock_dir(dir, &lock, &holder, NULL), RC_OK);
    assert_int_equal(state_write(&house, &told, NULL), RC_OK);
    assert_int_equal(house_state_read(&house, &got, NULL), RC_OK);
    assert_string_equal(got.services[0].reason, "first line log ready 1 0 0 0 forged last");
    assert_int_equal(got.services[1].pid, told.services[1].pid);
    assert_string_equal(got.services[1].reason, told.services[1].reason);
}

static void the_state_of_a_killed_supervisor_is_ignored(void **state)
{
    CLEANUP(house_state_free) struct house_state told = sample(getpid());
    CLEANUP(disk_close) int lock = -1;
    pid_t holder = 0;

    (void)state;
    assert_int_equal(state_write(&house, &told, NULL), RC_OK);
    expect_stopped(0); /* nobody holds the lock */
    told.supervisor = getpid() + 1;
    assert_int_equal(state_write(&house, &told, NULL), RC_OK);
    assert_int_equal(disk_lock_dir(dir, &lock, &holder, NULL), RC_OK);
    expect_stopped(getpid()); /* a new one does, which has not told anything yet */
}

static void a_broken_file_is_as_if_nothing_ran(void **state)
{
    static const char *const rows[] = { "", "supervisor", "supervisor x\nlog ready 1 0 0 0 \n", "\n\n\n",
                                        "\xff\xfe garbage" };
    CLEANUP_FREE char *path = mem_printf("%s/run/state", dir);
    CLEANUP(disk_close) int lock = -1;
    pid_t holder = 0;

    (void)state;
    assert_int_equal(disk_lock_dir(dir, &lock, &holder, NULL), RC_OK);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        assert_int_equal(disk_replace_file(path, rows[i], strlen(rows[i]), 0600, NULL), RC_OK);
        expect_stopped(getpid());
    }
    CLEANUP_FREE char *cut =
        mem_printf("supervisor %d\nlog\nlog ready\nlog ready -1 0 0 0 \nstranger ready 1 0 0 0 x\n", (int)getpid());
    assert_int_equal(disk_replace_file(path, cut, strlen(cut), 0600, NULL), RC_OK);
    expect_stopped(getpid());
    assert_int_equal(unlink(path), 0);
    expect_stopped(getpid());
}

static void memory_is_that_of_a_living_process(void **state)
{
    (void)state;
    assert_true(process_memory(getpid(), true) > 100000);
    assert_int_equal(process_memory(0x3fffffff, true), 0);
    assert_string_equal(service_status_name(SERVICE_READY), "ready");
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_is_read),
        cmocka_unit_test(a_reason_of_several_lines_stays_with_its_service),
        cmocka_unit_test(the_state_of_a_killed_supervisor_is_ignored),
        cmocka_unit_test(a_broken_file_is_as_if_nothing_ran),
        cmocka_unit_test(memory_is_that_of_a_living_process),
    };

    return cmocka_run_group_tests(tests, make_house, remove_house);
}
