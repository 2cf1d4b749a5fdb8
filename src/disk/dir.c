/* Directories: making, removing, measuring, locking; see disk.h. */
#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "disk/disk.h"

bool disk_exists(const char *path)
{
    return access(path, F_OK) == 0;
}

/* keeps errno */
static bool is_directory(const char *path)
{
    struct stat info;
    int saved_errno = errno;
    bool yes = stat(path, &info) == 0 && S_ISDIR(info.st_mode);

    errno = saved_errno;
    return yes;
}

enum rc disk_make_dirs(const char *path, mode_t mode, struct err *err)
{
    CLEANUP_FREE char *copy = mem_strdup(path);

    for (char *slash = strchr(copy + 1, '/');; slash = strchr(slash + 1, '/')) {
        if (slash)
            *slash = '\0';
        if ((FAULT_POINT("disk.make_dir") || mkdir(copy, mode) < 0) && (errno != EEXIST || !is_directory(copy)))
            return err_set_errno(err, errno == EEXIST ? ENOTDIR : errno, "cannot make directory '%s'", copy);
        if (!slash)
            return RC_OK;
        *slash = '/';
    }
}

static FTS *open_tree(const char *path)
{
    CLEANUP_FREE char *copy = mem_strdup(path);
    char *const roots[] = { copy, NULL };

    return fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
}

enum rc disk_remove_tree(const char *path, struct err *err)
{
    if (!disk_exists(path))
        return RC_OK;
    FTS *tree = open_tree(path);
    if (!tree)
        return err_set_errno(err, errno, "cannot read directory '%s'", path);
    enum rc rc = RC_OK;
    for (FTSENT *e = NULL; !rc && (e = fts_read(tree));) {
        if (e->fts_info == FTS_D)
            continue;
        int failed = FAULT_POINT("disk.remove") ? -1
                     : e->fts_info == FTS_DP    ? rmdir(e->fts_accpath)
                                                : unlink(e->fts_accpath);
        if (failed && errno != ENOENT)
            rc = err_set_errno(err, errno, "cannot remove '%s'", e->fts_path);
    }
    fts_close(tree);
    return rc;
}

uint64_t disk_tree_size(const char *path)
{
    uint64_t total = 0;
    FTS *tree = disk_exists(path) ? open_tree(path) : NULL;

    if (!tree)
        return 0;
    for (FTSENT *e = NULL; (e = fts_read(tree));)
        if (e->fts_info == FTS_F)
            total += (uint64_t)e->fts_statp->st_size;
    fts_close(tree);
    return total;
}

static pid_t read_holder(int fd)
{
    char text[24] = { 0 };
    int64_t pid = 0;

    if (pread(fd, text, sizeof text - 1, 0) > 0)
        (void)!str_to_i64(str_trim(str_of(text)), 1, INT32_MAX, &pid);
    return (pid_t)pid;
}

/* Somebody who only asks whether the lock is held takes it for an instant: the holder named in the
 * file is then long dead, and asking again a little later is enough. */
static bool take_lock(int fd)
{
    enum { TRIES = 20, PAUSE_MS = 5 };

    for (int i = 0; i < TRIES; i++) {
        if (flock(fd, LOCK_EX | LOCK_NB) == 0)
            return true;
        pid_t holder = read_holder(fd);
        if (errno != EWOULDBLOCK || (holder && kill(holder, 0) == 0))
            break;
        nanosleep(&(struct timespec){ .tv_nsec = PAUSE_MS * 1000000L }, NULL);
    }
    errno = EWOULDBLOCK;
    return false;
}

enum rc disk_lock_dir(const char *dir, int *out, pid_t *holder, struct err *err)
{
    CLEANUP_FREE char *path = mem_printf("%s/lock", dir);
    CLEANUP(disk_close) int fd = -1;
    enum rc rc = disk_open(path, O_RDWR | O_CREAT, 0600, &fd, err);

    *holder = 0;
    if (rc)
        return rc;
    if (!take_lock(fd)) {
        if (errno != EWOULDBLOCK)
            return err_set_errno(err, errno, "cannot lock '%s'", path);
        *holder = read_holder(fd);
        return err_set(err, RC_EXISTS, "cannot use '%s': it is in use by pid %d", dir, (int)*holder);
    }
    char text[24];
    int n = snprintf(text, sizeof text, "%d\n", (int)getpid());
    rc = disk_truncate(fd, 0, path, err);
    if (!rc)
        rc = disk_pwrite_all(fd, text, (size_t)n, 0, path, err);
    if (rc)
        return rc;
    *out = fd;
    fd = -1;
    return RC_OK;
}
