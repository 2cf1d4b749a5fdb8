/*
 * Files that survive a kill: whole writes, flushes, atomic replacement, directory locks.  Every
 * function names the path in its error and may be called from any thread.
 */
#ifndef DISK_DISK_H
#define DISK_DISK_H

#include <sys/types.h>

#include "base/base.h"

void disk_close(int *fd); /* for CLEANUP; -1 is fine */
MUST_CHECK enum rc disk_open(const char *path, int flags, mode_t mode, int *out, struct err *err);
/* Writes all n bytes, going on after short writes and EINTR. */
MUST_CHECK enum rc disk_write_all(int fd, const void *p, size_t n, const char *path, struct err *err);
MUST_CHECK enum rc disk_pwrite_all(int fd, const void *p, size_t n, off_t at, const char *path, struct err *err);
/* Reads up to n bytes at an offset; *got < n only at the end of the file. */
MUST_CHECK enum rc disk_pread(int fd, void *p, size_t n, off_t at, size_t *got, const char *path, struct err *err);
MUST_CHECK enum rc disk_flush(int fd, const char *path, struct err *err);     /* fdatasync */
MUST_CHECK enum rc disk_flush_dir(const char *dir, struct err *err);          /* so that names in it last */
MUST_CHECK enum rc disk_flush_all(int fd, const char *path, struct err *err); /* syncfs: all of fd's file system */
MUST_CHECK enum rc disk_truncate(int fd, off_t size, const char *path, struct err *err);
MUST_CHECK enum rc disk_rename(const char *from, const char *to, struct err *err); /* lasts after disk_flush_dir */
enum rc disk_unlink(const char *path, struct err *err); /* absent is fine; err may be NULL where a rest does no harm */
/* Appends the whole file to out; RC_FULL when it would pass out's maximum, RC_NOT_FOUND when absent. */
MUST_CHECK enum rc disk_read_file(const char *path, struct buf *out, struct err *err);
/* Replaces path as one step: temporary beside it, flush, rename, flush of the directory. */
MUST_CHECK enum rc disk_replace_file(const char *path, const void *p, size_t n, mode_t mode, struct err *err);
MUST_CHECK enum rc disk_make_dirs(const char *path, mode_t mode, struct err *err); /* as mkdir -p */
MUST_CHECK enum rc disk_remove_tree(const char *path, struct err *err);            /* absent is fine */
bool disk_exists(const char *path);
/* An flock on dir/lock, held until *out is closed (or the process dies).  Its text is our pid; when
 * another holds it: RC_EXISTS, with that pid in *holder (0 if unknown). */
MUST_CHECK enum rc disk_lock_dir(const char *dir, int *out, pid_t *holder, struct err *err);
/* Size in bytes of all regular files below path; 0 when absent. */
uint64_t disk_tree_size(const char *path);

#endif
