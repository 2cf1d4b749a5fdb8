/* Whole writes, flushes and atomic replacement; see disk.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "disk/disk.h"

void disk_close(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

enum rc disk_open(const char *path, int flags, mode_t mode, int *out, struct err *err)
{
    bool failed = flags & O_CREAT && FAULT_POINT("disk.create");
    int fd = failed ? -1 : open(path, flags | O_CLOEXEC, mode);

    if (fd < 0)
        return err_set_errno(err, errno, "cannot open '%s'", path);
    *out = fd;
    return RC_OK;
}

enum rc disk_write_all(int fd, const void *p, size_t n, const char *path, struct err *err)
{
    const char *at = p;

    while (n) {
        size_t part = n;
        ssize_t done = FAULT_WRITE("disk.write", fd, at, &part, -1) ? -1 : write(fd, at, part);
        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0)
            return err_set_errno(err, errno, "cannot write to '%s'", path);
        at += done;
        n -= (size_t)done;
    }
    return RC_OK;
}

enum rc disk_pwrite_all(int fd, const void *p, size_t n, off_t at, const char *path, struct err *err)
{
    const char *bytes = p;

    while (n) {
        size_t part = n;
        ssize_t done = FAULT_WRITE("disk.pwrite", fd, bytes, &part, at) ? -1 : pwrite(fd, bytes, part, at);
        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0)
            return err_set_errno(err, errno, "cannot write to '%s'", path);
        bytes += done;
        at += done;
        n -= (size_t)done;
    }
    return RC_OK;
}

enum rc disk_pread(int fd, void *p, size_t n, off_t at, size_t *got, const char *path, struct err *err)
{
    char *bytes = p;

    *got = 0;
    while (*got < n) {
        ssize_t done = pread(fd, bytes + *got, n - *got, at + (off_t)*got);
        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0)
            return err_set_errno(err, errno, "cannot read '%s'", path);
        if (done == 0)
            break;
        *got += (size_t)done;
    }
    return RC_OK;
}

enum rc disk_flush(int fd, const char *path, struct err *err)
{
    if (FAULT_POINT("disk.flush") || fdatasync(fd) < 0)
        return err_set_errno(err, errno, "cannot flush '%s'", path);
    return RC_OK;
}

enum rc disk_flush_all(int fd, const char *path, struct err *err)
{
    if (FAULT_POINT("disk.flush_all") || syncfs(fd) < 0)
        return err_set_errno(err, errno, "cannot flush the file system of '%s'", path);
    return RC_OK;
}

enum rc disk_truncate(int fd, off_t size, const char *path, struct err *err)
{
    if (FAULT_POINT("disk.truncate") || ftruncate(fd, size) < 0)
        return err_set_errno(err, errno, "cannot truncate '%s'", path);
    return RC_OK;
}

enum rc disk_rename(const char *from, const char *to, struct err *err)
{
    if (FAULT_POINT("disk.rename") || rename(from, to) < 0)
        return err_set_errno(err, errno, "cannot rename '%s' to '%s'", from, to);
    return RC_OK;
}

enum rc disk_unlink(const char *path, struct err *err)
{
    if (FAULT_POINT("disk.unlink") || (unlink(path) < 0 && errno != ENOENT))
        return err_set_errno(err, errno, "cannot remove '%s'", path);
    return RC_OK;
}

enum rc disk_flush_dir(const char *dir, struct err *err)
{
    CLEANUP(disk_close) int fd = -1;

    if (disk_open(dir, O_RDONLY | O_DIRECTORY, 0, &fd, err))
        return err_wrap(err, "cannot flush directory '%s'", dir);
    if (FAULT_POINT("disk.flush_dir") || fsync(fd) < 0)
        return err_set_errno(err, errno, "cannot flush directory '%s'", dir);
    return RC_OK;
}

/* A piece to the buffer's end; at its limit one byte beside it, which tells whether the file goes on. */
static ssize_t read_more(int fd, struct buf *out, size_t limit)
{
    enum { CHUNK = 64 << 10 };
    size_t n = MIN((size_t)CHUNK, limit - out->len);
    char *at = n ? buf_reserve(out, n) : NULL, beyond = 0;
    ssize_t got = 0;

    do
        got = at ? read(fd, at, n) : read(fd, &beyond, 1);
    while (got < 0 && errno == EINTR);
    if (at && got > 0)
        buf_commit(out, (size_t)got);
    else if (got > 0)
        out->failed = true;
    return got;
}

enum rc disk_read_file(const char *path, struct buf *out, struct err *err)
{
    CLEANUP(disk_close) int fd = -1;
    size_t limit = out->max ? out->max : (size_t)BUF_DEFAULT_MAX;
    enum rc rc = disk_open(path, O_RDONLY, 0, &fd, err);
    ssize_t got = 0;

    if (rc)
        return rc;
    do
        got = read_more(fd, out, limit);
    while (got > 0 && !buf_failed(out));
    if (buf_failed(out))
        return err_set(err, RC_FULL, "cannot read '%s': it is larger than the limit of %zu bytes", path, limit);
    return got < 0 ? err_set_errno(err, errno, "cannot read '%s'", path) : RC_OK;
}

/* the directory part of a path, "." if it has none */
static char *dir_of(const char *path)
{
    const char *slash = strrchr(path, '/');

    if (!slash)
        return mem_strdup(".");
    return slash == path ? mem_strdup("/") : mem_strndup(path, (size_t)(slash - path));
}

static enum rc write_new(const char *path, const void *p, size_t n, mode_t mode, struct err *err)
{
    CLEANUP(disk_close) int fd = -1;
    enum rc rc = disk_open(path, O_WRONLY | O_CREAT | O_TRUNC, mode, &fd, err);

    if (!rc)
        rc = disk_write_all(fd, p, n, path, err);
    if (!rc)
        rc = disk_flush(fd, path, err);
    return rc;
}

enum rc disk_replace_file(const char *path, const void *p, size_t n, mode_t mode, struct err *err)
{
    CLEANUP_FREE char *temporary = mem_printf("%s.%d.tmp", path, (int)gettid());
    CLEANUP_FREE char *dir = dir_of(path);
    enum rc rc = write_new(temporary, p, n, mode, err);

    if (!rc)
        rc = disk_rename(temporary, path, err);
    if (rc) {
        unlink(temporary);
        return rc;
    }
    return disk_flush_dir(dir, err);
}
