/* Directories: made, removed, measured, locked. */
#include "unit/unit.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "disk/disk.h"

static char dir[] = "/tmp/haus-test-dir-XXXXXX";

static int make_dir(void **state)
{
    (void)state;
    return mkdtemp(dir) ? 0 : -1;
}

static int remove_dir(void **state)
{
    (void)state;
    return disk_remove_tree(dir, NULL) ? -1 : 0;
}

static void directories_are_made_with_their_parents(void **state)
{
    CLEANUP_FREE char *path = mem_printf("%s/a/b//c/", dir);
    CLEANUP_FREE char *file = mem_printf("%s/a/file", dir);
    CLEANUP_FREE char *below = mem_printf("%s/a/file/x", dir);
    struct err err = { 0 };

    (void)state;
    assert_int_equal(disk_make_dirs(path, 0700, &err), RC_OK);
    assert_int_equal(disk_make_dirs(path, 0700, &err), RC_OK);
    assert_true(disk_exists(path));
    assert_int_equal(disk_replace_file(file, "", 0, 0600, &err), RC_OK);
    assert_int_not_equal(disk_make_dirs(below, 0700, &err), RC_OK);
    assert_non_null(strstr(err.text, "/a/file"));
}

static void a_file_where_a_directory_should_be_is_an_error(void **state)
{
    CLEANUP_FREE char *file = mem_printf("%s/plain", dir);
    struct err err = { 0 };

    (void)state;
    assert_int_equal(disk_replace_file(file, "", 0, 0600, &err), RC_OK);
    assert_int_not_equal(disk_make_dirs(file, 0700, &err), RC_OK);
    assert_non_null(strstr(err.text, file));
}

static void a_tree_goes_with_everything_but_what_its_links_name(void **state)
{
    CLEANUP_FREE char *keep = mem_printf("%s/keep", dir);
    CLEANUP_FREE char *kept = mem_printf("%s/keep/file", dir);
    CLEANUP_FREE char *root = mem_printf("%s/tree", dir);
    CLEANUP_FREE char *deep = mem_printf("%s/tree/x/y", dir);
    CLEANUP_FREE char *file = mem_printf("%s/tree/x/y/file", dir);
    CLEANUP_FREE char *link = mem_printf("%s/tree/x/link", dir);
    CLEANUP_FREE char *dangling = mem_printf("%s/tree/x/dangling", dir);
    struct err err = { 0 };

    (void)state;
    assert_int_equal(disk_make_dirs(keep, 0700, &err), RC_OK);
    assert_int_equal(disk_replace_file(kept, "keep me", 7, 0600, &err), RC_OK);
    assert_int_equal(disk_make_dirs(deep, 0700, &err), RC_OK);
    assert_int_equal(disk_replace_file(file, "12345", 5, 0600, &err), RC_OK);
    assert_int_equal(symlink(keep, link), 0);
    assert_int_equal(symlink("/nowhere", dangling), 0);
    assert_int_equal(disk_tree_size(root), 5);
    assert_int_equal(disk_remove_tree(root, &err), RC_OK);
    assert_false(disk_exists(root));
    assert_true(disk_exists(kept));
    assert_int_equal(disk_remove_tree(root, &err), RC_OK);
    assert_int_equal(disk_tree_size(root), 0);
    assert_int_equal(disk_remove_tree(kept, &err), RC_OK); /* a file alone is a tree too */
    assert_false(disk_exists(kept));
}

/* a child that holds the lock until it is killed; returns its pid once it does */
static pid_t child_with_lock(const char *path)
{
    int ready[2];
    char byte = 0;

    assert_int_equal(pipe(ready), 0);
    pid_t child = fork();
    if (child == 0) {
        pid_t holder = 0;
        int fd = -1;
        byte = disk_lock_dir(path, &fd, &holder, NULL) ? 'x' : 'y';
        (void)!write(ready[1], &byte, 1);
        for (;;)
            pause();
    }
    assert_int_equal(read(ready[0], &byte, 1), 1);
    assert_int_equal(byte, 'y');
    close(ready[0]);
    close(ready[1]);
    return child;
}

static void a_lock_tells_its_holder_and_ends_with_it(void **state)
{
    CLEANUP_FREE char *path = mem_printf("%s/locked", dir);
    CLEANUP(disk_close) int fd = -1;
    struct err err = { 0 };
    pid_t holder = 7;

    (void)state;
    assert_int_equal(disk_make_dirs(path, 0700, &err), RC_OK);
    pid_t child = child_with_lock(path);
    assert_int_equal(disk_lock_dir(path, &fd, &holder, &err), RC_EXISTS);
    assert_int_equal(holder, child);
    assert_int_equal(fd, -1);
    CLEANUP_FREE char *words = mem_printf("cannot use '%s': it is in use by pid %d", path, (int)child);
    assert_string_equal(err.text, words);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    assert_int_equal(disk_lock_dir(path, &fd, &holder, &err), RC_OK);
    assert_int_equal(holder, 0);
    assert_true(fd >= 0);
    /* the file says our pid now, and nothing of the longer text before */
    CLEANUP_FREE char *file = mem_printf("%s/lock", path);
    CLEANUP_FREE char *expected = mem_printf("%d\n", (int)getpid());
    CLEANUP(buf_free) struct buf text = { 0 };
    assert_int_equal(disk_read_file(file, &text, &err), RC_OK);
    assert_string_equal(buf_cstr(&text), expected);
}

static void a_lock_is_free_again_when_closed(void **state)
{
    CLEANUP_FREE char *nowhere = mem_printf("%s/nowhere", dir);
    struct err err = { 0 };
    pid_t holder = 0;
    int fd = -1;

    (void)state;
    for (int i = 0; i < 3; i++) {
        assert_int_equal(disk_lock_dir(dir, &fd, &holder, &err), RC_OK);
        disk_close(&fd);
    }
    assert_int_equal(disk_lock_dir(nowhere, &fd, &holder, &err), RC_NOT_FOUND);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(directories_are_made_with_their_parents),
        cmocka_unit_test(a_file_where_a_directory_should_be_is_an_error),
        cmocka_unit_test(a_tree_goes_with_everything_but_what_its_links_name),
        cmocka_unit_test(a_lock_tells_its_holder_and_ends_with_it),
        cmocka_unit_test(a_lock_is_free_again_when_closed),
    };

    return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
