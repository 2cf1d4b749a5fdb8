/*
 * Records what a program does to the files below a folder, to be played again by disk.py: LD_PRELOAD this, with
 * RECORD_ROOT=folder and RECORD_FILE=file.  Built by crash_prefix.py, for its tests alone.
 *
 * A record is, little endian:
 *
 *     u32 kind, u32 length of name, u32 length of other name, u32 unused, u64 inode, u64 offset or size,
 *     u64 length of bytes; then name, other name, bytes.  Names are relative to RECORD_ROOT.
 *
 * Subtle: one lock is held around each call and its record, so the order of the records is the order of the calls, and
 * whoever saw an answer of the program finds the records of all that was done before it.  Shared writable maps are not
 * seen: LMDB maps its data for reading only, its lock file says nothing after a crash.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

enum kind {
    KIND_CREATE = 1,
    KIND_WRITE,
    KIND_WRITE_SYNC,
    KIND_TRUNCATE,
    KIND_RENAME,
    KIND_LINK,
    KIND_UNLINK,
    KIND_MAKE_DIR,
    KIND_REMOVE_DIR,
    KIND_SYNC,
    KIND_SYNC_ALL,
};

struct head {
    uint32_t kind, name_len, other_len, unused;
    uint64_t inode, at, size;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char root[PATH_MAX];
static size_t root_len;
static int out = -1;

#define REAL(name) ((__typeof__(&(name)))dlsym(RTLD_NEXT, #name))

/* The part of a path below the root, NULL when it is not there. */
static const char *below(const char *path)
{
    if (!root_len || strncmp(path, root, root_len) != 0 || (path[root_len] != '/' && path[root_len] != '\0'))
        return NULL;
    return path[root_len] ? path + root_len + 1 : "";
}

/* A path as the kernel sees it: of a folder's descriptor and a name, or of the working folder. */
static const char *absolute(int dir, const char *path, char full[PATH_MAX])
{
    char link[64];

    if (path[0] == '/')
        return path;
    if (dir == AT_FDCWD)
        snprintf(link, sizeof link, "/proc/self/cwd");
    else
        snprintf(link, sizeof link, "/proc/self/fd/%d", dir);
    ssize_t n = readlink(link, full, PATH_MAX - 1);
    if (n < 0)
        return "";
    snprintf(full + n, PATH_MAX - (size_t)n, "/%s", path);
    return full;
}

/* A regular file or folder below the root. */
static int is_ours(int fd, struct stat *file)
{
    char link[64], path[PATH_MAX];

    if (out < 0 || fd == out || fstat(fd, file) < 0 || (!S_ISREG(file->st_mode) && !S_ISDIR(file->st_mode)))
        return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t n = readlink(link, path, sizeof path - 1);
    if (n < 0)
        return 0;
    path[n] = '\0';
    return below(path) != NULL;
}

static void record(enum kind kind, const char *name, const char *other, uint64_t inode, uint64_t at,
                   const struct iovec *bytes, int count, uint64_t size)
{
    struct head head = { .kind = kind,
                         .name_len = (uint32_t)strlen(name),
                         .other_len = (uint32_t)strlen(other),
                         .inode = inode,
                         .at = at,
                         .size = size };
    struct iovec all[64] = { { &head, sizeof head },
                             { (void *)name, head.name_len },
                             { (void *)other, head.other_len } };
    uint64_t left = size;
    int n = 3;

    for (int i = 0; i < count && left; i++) {
        size_t part = bytes[i].iov_len < left ? bytes[i].iov_len : left;
        if (n == 64) {
            fprintf(stderr, "recorder: too many pieces\n");
            abort();
        }
        all[n++] = (struct iovec){ bytes[i].iov_base, part };
        left -= part;
    }
    ssize_t want = (ssize_t)(sizeof head + head.name_len + head.other_len + size);
    if (REAL(writev)(out, all, n) != want) {
        fprintf(stderr, "recorder: cannot write the recording: %s\n", strerror(errno));
        abort();
    }
}

static void record_name(enum kind kind, const char *name, const char *other, uint64_t inode)
{
    record(kind, name, other, inode, 0, NULL, 0, 0);
}

static void record_inode(enum kind kind, uint64_t inode, uint64_t at)
{
    record(kind, "", "", inode, at, NULL, 0, 0);
}

__attribute__((constructor)) static void begin(void)
{
    const char *folder = getenv("RECORD_ROOT"), *file = getenv("RECORD_FILE");
    struct stat info;

    if (!folder || !file || !realpath(folder, root) || stat(root, &info) < 0)
        return;
    root_len = strlen(root);
    out = REAL(open)(file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (out < 0)
        abort();
    record_name(KIND_MAKE_DIR, "", "", info.st_ino);
}

/* --------------------------------------------------------------------------------------------- open */

static int open_at(int dir, const char *path, int flags, mode_t mode)
{
    char full[PATH_MAX];
    const char *name = out < 0 || !(flags & (O_CREAT | O_TRUNC)) ? NULL : below(absolute(dir, path, full));
    struct stat before, file;

    if (!name)
        return REAL(openat)(dir, path, flags, mode);
    pthread_mutex_lock(&lock);
    int there = fstatat(dir, path, &before, 0) == 0;
    int fd = REAL(openat)(dir, path, flags, mode);
    int saved_errno = errno;
    if (fd >= 0 && fstat(fd, &file) == 0 && S_ISREG(file.st_mode)) {
        if (!there)
            record_name(KIND_CREATE, name, "", file.st_ino);
        else if (flags & O_TRUNC && before.st_size)
            record_inode(KIND_TRUNCATE, file.st_ino, 0);
    }
    pthread_mutex_unlock(&lock);
    errno = saved_errno;
    return fd;
}

#define MODE_OF(flags)                                                                                                 \
    mode_t mode = 0;                                                                                                   \
    if ((flags) & (O_CREAT | __O_TMPFILE)) {                                                                           \
        va_list args;                                                                                                  \
        va_start(args, flags);                                                                                         \
        mode = va_arg(args, mode_t);                                                                                   \
        va_end(args);                                                                                                  \
    }

int open(const char *path, int flags, ...)
{
    MODE_OF(flags)
    return open_at(AT_FDCWD, path, flags, mode);
}

int open64(const char *path, int flags, ...)
{
    MODE_OF(flags)
    return open_at(AT_FDCWD, path, flags, mode);
}

int openat(int dir, const char *path, int flags, ...)
{
    MODE_OF(flags)
    return open_at(dir, path, flags, mode);
}

int openat64(int dir, const char *path, int flags, ...)
{
    MODE_OF(flags)
    return open_at(dir, path, flags, mode);
}

/* -------------------------------------------------------------------------------------------- write */

static enum kind write_kind(int fd)
{
    return fcntl(fd, F_GETFL) & (O_DSYNC | O_SYNC) ? KIND_WRITE_SYNC : KIND_WRITE;
}

static ssize_t write_at(int fd, const struct iovec *bytes, int count, off_t at, int has_at)
{
    struct stat file;

    if (!is_ours(fd, &file))
        return has_at ? REAL(pwritev)(fd, bytes, count, at) : REAL(writev)(fd, bytes, count);
    pthread_mutex_lock(&lock);
    if (!has_at) {
        fstat(fd, &file);
        at = fcntl(fd, F_GETFL) & O_APPEND ? file.st_size : lseek(fd, 0, SEEK_CUR);
    }
    ssize_t n = has_at ? REAL(pwritev)(fd, bytes, count, at) : REAL(writev)(fd, bytes, count);
    int saved_errno = errno;
    if (n > 0)
        record(write_kind(fd), "", "", file.st_ino, (uint64_t)at, bytes, count, (uint64_t)n);
    pthread_mutex_unlock(&lock);
    errno = saved_errno;
    return n;
}

ssize_t write(int fd, const void *p, size_t n)
{
    return write_at(fd, &(struct iovec){ (void *)p, n }, 1, 0, 0);
}

ssize_t writev(int fd, const struct iovec *bytes, int count)
{
    return write_at(fd, bytes, count, 0, 0);
}

ssize_t pwrite(int fd, const void *p, size_t n, off_t at)
{
    return write_at(fd, &(struct iovec){ (void *)p, n }, 1, at, 1);
}

ssize_t pwrite64(int fd, const void *p, size_t n, off64_t at)
{
    return write_at(fd, &(struct iovec){ (void *)p, n }, 1, at, 1);
}

ssize_t pwritev(int fd, const struct iovec *bytes, int count, off_t at)
{
    return write_at(fd, bytes, count, at, 1);
}

ssize_t pwritev64(int fd, const struct iovec *bytes, int count, off64_t at)
{
    return write_at(fd, bytes, count, at, 1);
}

/* ------------------------------------------------------------------------------------ names and sizes */

#define CALL_AND_RECORD(call, ...)                                                                                     \
    pthread_mutex_lock(&lock);                                                                                         \
    int result = call;                                                                                                 \
    int saved_errno = errno;                                                                                           \
    if (result == 0)                                                                                                   \
        __VA_ARGS__;                                                                                                   \
    pthread_mutex_unlock(&lock);                                                                                       \
    errno = saved_errno;                                                                                               \
    return result

int ftruncate(int fd, off_t size)
{
    struct stat file;

    if (!is_ours(fd, &file))
        return REAL(ftruncate)(fd, size);
    CALL_AND_RECORD(REAL(ftruncate)(fd, size), record_inode(KIND_TRUNCATE, file.st_ino, (uint64_t)size));
}

int ftruncate64(int fd, off64_t size)
{
    return ftruncate(fd, size);
}

int rename(const char *from, const char *to)
{
    const char *name = below(from), *other = below(to);

    if (!name || !other)
        return REAL(rename)(from, to);
    CALL_AND_RECORD(REAL(rename)(from, to), record_name(KIND_RENAME, name, other, 0));
}

static int link_at(int from_dir, const char *from, int to_dir, const char *to, int flags)
{
    char full[PATH_MAX], other_full[PATH_MAX];
    const char *name = below(absolute(from_dir, from, full)), *other = below(absolute(to_dir, to, other_full));

    if (!name || !other)
        return REAL(linkat)(from_dir, from, to_dir, to, flags);
    CALL_AND_RECORD(REAL(linkat)(from_dir, from, to_dir, to, flags), record_name(KIND_LINK, name, other, 0));
}

int linkat(int from_dir, const char *from, int to_dir, const char *to, int flags)
{
    return link_at(from_dir, from, to_dir, to, flags);
}

int link(const char *from, const char *to)
{
    return link_at(AT_FDCWD, from, AT_FDCWD, to, 0);
}

static int unlink_at(int dir, const char *path, int flags)
{
    char full[PATH_MAX];
    const char *name = below(absolute(dir, path, full));

    if (!name)
        return REAL(unlinkat)(dir, path, flags);
    CALL_AND_RECORD(REAL(unlinkat)(dir, path, flags),
                    record_name(flags & AT_REMOVEDIR ? KIND_REMOVE_DIR : KIND_UNLINK, name, "", 0));
}

int unlinkat(int dir, const char *path, int flags)
{
    return unlink_at(dir, path, flags);
}

int unlink(const char *path)
{
    return unlink_at(AT_FDCWD, path, 0);
}

int rmdir(const char *path)
{
    return unlink_at(AT_FDCWD, path, AT_REMOVEDIR);
}

int mkdir(const char *path, mode_t mode)
{
    const char *name = below(path);
    struct stat made;

    if (!name)
        return REAL(mkdir)(path, mode);
    CALL_AND_RECORD(REAL(mkdir)(path, mode),
                    record_name(KIND_MAKE_DIR, name, "", stat(path, &made) == 0 ? made.st_ino : 0));
}

/* -------------------------------------------------------------------------------------------- flush */

static int sync_file(int fd, int (*real)(int), enum kind kind)
{
    struct stat file;

    if (!is_ours(fd, &file))
        return real(fd);
    CALL_AND_RECORD(real(fd), record_inode(kind, file.st_ino, 0));
}

int fdatasync(int fd)
{
    return sync_file(fd, REAL(fdatasync), KIND_SYNC);
}

int fsync(int fd)
{
    return sync_file(fd, REAL(fsync), KIND_SYNC);
}

int syncfs(int fd)
{
    return sync_file(fd, REAL(syncfs), KIND_SYNC_ALL);
}
