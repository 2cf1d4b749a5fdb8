/*
 * Named places where a test may make the world fail.  In a normal build FAULT_POINT() is 0 and
 * costs nothing; with -Dfault=true the variable HAUS_FAULT, "name:what@n[,...]", makes the n-th
 * pass of a point do `what`:
 *
 *     crash    SIGKILL to ourselves, before the call
 *     eio, enospc, error    the call is not made; errno is EIO, ENOSPC, or one that nobody expects
 *     delay    the call is made 100 ms later
 *     short    of a write, which takes half of what it is given and says so
 *     torn     of a write, which takes half of what it is given, and then SIGKILL
 *
 * At a point that does not write bytes, short is nothing and torn is crash.
 *
 *     if (FAULT_POINT("log.flush") || fdatasync(fd) < 0) return err_set_errno(err, errno, ...);
 *     ssize_t done = FAULT_WRITE("disk.write", fd, p, &n, -1) ? -1 : write(fd, p, n);
 *
 * "log+disk.flush:eio@2": only in processes with that word on their command line (of `haus run log`).
 * HAUS_FAULT_ONCE=folder: each fault happens once; a file named as it was written says that it has.  So a service
 * that is started again with the same variables makes progress, and a test sees that a place was reached.
 *
 * The value is 0 or -1 with errno set.  Names are `station.what`; each is a literal used once, so
 * that a test can find them all in the sources.
 */
#ifndef BASE_FAULT_H
#define BASE_FAULT_H

#ifdef HAUS_FAULT_POINTS
/* Behind the macros below.  Any thread. */
#include <stddef.h>
#include <sys/types.h>
int fault_hit(const char *name);
int fault_hit_write(const char *name, int fd, const void *p, size_t *n, off_t at); /* at -1: where the file is */
void fault_forget(void);
#define FAULT_POINT(name)               fault_hit(name)
#define FAULT_WRITE(name, fd, p, n, at) fault_hit_write(name, fd, p, n, at)
#define FAULT_FORGET()                  fault_forget() /* in a forked helper: no more faults in this process */
#else
#define FAULT_POINT(name)               0
#define FAULT_WRITE(name, fd, p, n, at) 0
#define FAULT_FORGET()                  ((void)0)
#endif

#endif
