/* Whole writes, limits of reads, replacement as one step. */
#include "unit/unit.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "disk/disk.h"

static char dir[] = "/tmp/haus-test-file-XXXXXX";

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

static void a_file_is_read_whole(void **state)
{
    enum { SIZE = 200001 }; /* several pieces, the last one short */
    CLEANUP_FREE char *path = mem_printf("%s/whole", dir);
    CLEANUP_FREE char *bytes = mem_alloc(SIZE);
    CLEANUP(buf_free) struct buf out = { 0 };
    struct err err = { 0 };

    (void)state;
    for (size_t i = 0; i < SIZE; i++)
        bytes[i] = (char)(i * 7);
    assert_int_equal(disk_replace_file(path, bytes, SIZE, 0600, &err), RC_OK);
    buf_puts(&out, "before:");
    assert_int_equal(disk_read_file(path, &out, &err), RC_OK);
    assert_int_equal(out.len, SIZE + 7);
    assert_memory_equal(out.data, "before:", 7);
    assert_memory_equal(out.data + 7, bytes, SIZE);
}

static void an_empty_file_is_empty_and_not_absent(void **state)
{
    CLEANUP_FREE char *path = mem_printf("%s/empty", dir);
    CLEANUP(buf_free) struct buf out = { 0 };
    struct err err = { 0 };

    (void)state;
    assert_false(disk_exists(path));
    assert_int_equal(disk_read_file(path, &out, &err), RC_NOT_FOUND);
    assert_non_null(strstr(err.text, path));
    assert_int_equal(disk_replace_file(path, "", 0, 0600, &err), RC_OK);
    assert_true(disk_exists(path));
    assert_int_equal(disk_read_file(path, &out, &err), RC_OK);
    assert_int_equal(out.len, 0);
    assert_string_equal(buf_cstr(&out), "");
}

static void a_file_larger_than_the_limit_is_refused(void **state)
{
    enum { LIMIT = 256 << 10 };
    CLEANUP_FREE char *path = mem_printf("%s/large", dir);
    CLEANUP_FREE char *bytes = mem_alloc(LIMIT + 1);
    CLEANUP(buf_free) struct buf out = { .max = LIMIT };
    struct err err = { 0 };

    (void)state;
    assert_int_equal(disk_replace_file(path, bytes, LIMIT + 1, 0600, &err), RC_OK);
    assert_int_equal(disk_read_file(path, &out, &err), RC_FULL);
    assert_non_null(strstr(err.text, "limit of 262144 bytes"));
}

static void a_file_as_large_as_the_limit_is_taken(void **state)
{
    enum { LIMIT = 256 << 10 };
    static const size_t sizes[] = { 1, LIMIT - 1, LIMIT };
    CLEANUP_FREE char *path = mem_printf("%s/fits", dir);
    CLEANUP_FREE char *bytes = mem_alloc(LIMIT);
    struct err err = { 0 };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
        CLEANUP(buf_free) struct buf out = { .max = LIMIT };
        assert_int_equal(disk_replace_file(path, bytes, sizes[i], 0600, &err), RC_OK);
        assert_int_equal(disk_read_file(path, &out, &err), RC_OK);
        assert_int_equal(out.len, sizes[i]);
    }
}

static void replacement_leaves_nothing_beside_and_keeps_the_mode(void **state)
{
    CLEANUP_FREE char *sub = mem_printf("%s/sub", dir);
    CLEANUP_FREE char *path = mem_printf("%s/sub/file", dir);
    CLEANUP(buf_free) struct buf out = { 0 };
    struct stat info = { 0 };
    struct err err = { 0 };

    (void)state;
    assert_int_equal(disk_make_dirs(sub, 0700, &err), RC_OK);
    assert_int_equal(disk_replace_file(path, "a longer text", 13, 0600, &err), RC_OK);
    assert_int_equal(disk_replace_file(path, "short", 5, 0600, &err), RC_OK);
    assert_int_equal(disk_read_file(path, &out, &err), RC_OK);
    assert_string_equal(buf_cstr(&out), "short");
    assert_int_equal(disk_tree_size(sub), 5);
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0600);
}

static void a_replacement_that_fails_leaves_the_old_file(void **state)
{
    CLEANUP_FREE char *sub = mem_printf("%s/kept", dir);
    CLEANUP_FREE char *inner = mem_printf("%s/kept/target/inner", dir);
    CLEANUP_FREE char *path = mem_printf("%s/kept/target", dir);
    CLEANUP_FREE char *nowhere = mem_printf("%s/nowhere/file", dir);
    struct err err = { 0 };

    (void)state;
    /* a directory that is not empty cannot be replaced by a file */
    assert_int_equal(disk_make_dirs(inner, 0700, &err), RC_OK);
    assert_int_not_equal(disk_replace_file(path, "x", 1, 0600, &err), RC_OK);
    assert_non_null(strstr(err.text, "cannot rename"));
    assert_true(disk_exists(inner));
    assert_int_equal(disk_tree_size(sub), 0);
    assert_int_equal(disk_replace_file(nowhere, "x", 1, 0600, &err), RC_NOT_FOUND);
}

enum { ROUNDS = 200, SIZE = 9000 };

static void *replace_again_and_again(void *user)
{
    const char *path = user;
    CLEANUP_FREE char *bytes = mem_alloc(SIZE);

    for (int i = 0; i < ROUNDS; i++) {
        memset(bytes, 'a' + i % 26, SIZE);
        if (disk_replace_file(path, bytes, SIZE, 0600, NULL))
            return user;
    }
    return NULL;
}

static void readers_see_one_state_or_the_other(void **state)
{
    CLEANUP_FREE char *path = mem_printf("%s/shared", dir);
    pthread_t writers[2];
    void *failed = NULL;

    (void)state;
    assert_int_equal(disk_replace_file(path, "", 0, 0600, NULL), RC_OK);
    for (size_t i = 0; i < ARRAY_LEN(writers); i++)
        assert_int_equal(pthread_create(&writers[i], NULL, replace_again_and_again, path), 0);
    for (int i = 0; i < ROUNDS; i++) {
        CLEANUP(buf_free) struct buf out = { 0 };
        assert_int_equal(disk_read_file(path, &out, NULL), RC_OK);
        assert_true(out.len == 0 || out.len == SIZE);
        for (size_t k = 1; k < out.len; k++)
            assert_int_equal(out.data[k], out.data[0]);
    }
    for (size_t i = 0; i < ARRAY_LEN(writers); i++) {
        pthread_join(writers[i], &failed);
        assert_null(failed);
    }
}

static void reading_at_an_offset_ends_with_the_file(void **state)
{
    CLEANUP_FREE char *path = mem_printf("%s/at", dir);
    CLEANUP(disk_close) int fd = -1;
    char bytes[8];
    size_t got = 0;
    struct err err = { 0 };

    (void)state;
    assert_int_equal(disk_open(path, O_RDWR | O_CREAT, 0600, &fd, &err), RC_OK);
    assert_int_equal(disk_pwrite_all(fd, "0123456789", 10, 5, path, &err), RC_OK);
    assert_int_equal(disk_pread(fd, bytes, sizeof bytes, 5, &got, path, &err), RC_OK);
    assert_int_equal(got, 8);
    assert_memory_equal(bytes, "01234567", 8);
    assert_int_equal(disk_pread(fd, bytes, sizeof bytes, 12, &got, path, &err), RC_OK);
    assert_int_equal(got, 3);
    assert_int_equal(disk_pread(fd, bytes, sizeof bytes, 99, &got, path, &err), RC_OK);
    assert_int_equal(got, 0);
    assert_int_equal(disk_flush(fd, path, &err), RC_OK);
    disk_close(&fd);
    assert_int_equal(fd, -1);
    disk_close(&fd);
    assert_int_equal(disk_write_all(-1, "x", 1, path, &err), RC_FATAL);
    assert_non_null(strstr(err.text, path));
}

static void what_is_absent_is_removed_already_and_cannot_be_renamed(void **state)
{
    CLEANUP_FREE char *from = mem_printf("%s/absent", dir);
    CLEANUP_FREE char *to = mem_printf("%s/other", dir);
    struct err err = { 0 };

    (void)state;
    assert_int_equal(disk_unlink(from, &err), RC_OK);
    assert_int_equal(disk_rename(from, to, &err), RC_NOT_FOUND);
    assert_non_null(strstr(err.text, from));
    assert_non_null(strstr(err.text, to));
    assert_int_not_equal(disk_unlink(dir, &err), RC_OK); /* a folder is no file */
    assert_non_null(strstr(err.text, dir));
}

static void a_file_is_cut_and_renamed(void **state)
{
    CLEANUP_FREE char *from = mem_printf("%s/long", dir);
    CLEANUP_FREE char *to = mem_printf("%s/short", dir);
    CLEANUP(buf_free) struct buf out = { 0 };
    CLEANUP(disk_close) int fd = -1;
    struct err err = { 0 };

    (void)state;
    assert_int_equal(disk_replace_file(from, "12345678", 8, 0600, &err), RC_OK);
    assert_int_equal(disk_open(from, O_RDWR, 0, &fd, &err), RC_OK);
    assert_int_equal(disk_truncate(fd, 3, from, &err), RC_OK);
    assert_int_equal(disk_flush_all(fd, from, &err), RC_OK);
    assert_int_equal(disk_rename(from, to, &err), RC_OK);
    assert_int_equal(disk_read_file(to, &out, &err), RC_OK);
    assert_string_equal(buf_cstr(&out), "123");
    assert_false(disk_exists(from));
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_absent_is_removed_already_and_cannot_be_renamed),
        cmocka_unit_test(a_file_is_cut_and_renamed),
        cmocka_unit_test(a_file_is_read_whole),
        cmocka_unit_test(an_empty_file_is_empty_and_not_absent),
        cmocka_unit_test(a_file_larger_than_the_limit_is_refused),
        cmocka_unit_test(a_file_as_large_as_the_limit_is_taken),
        cmocka_unit_test(replacement_leaves_nothing_beside_and_keeps_the_mode),
        cmocka_unit_test(a_replacement_that_fails_leaves_the_old_file),
        cmocka_unit_test(readers_see_one_state_or_the_other),
        cmocka_unit_test(reading_at_an_offset_ends_with_the_file),
    };

    return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
