/*
 * Named places where a test may make the world fail.  In a normal build FAULT_POINT() is 0 and
 * costs nothing; with -Dfault=true the variable HAUS_FAULT, "name:what@n[,...]", makes the n-th
 * pass of a point do `what`: crash (SIGKILL to ourselves), eio, enospc, delay (100 ms).
 *
 *     if (FAULT_POINT("log.flush") || fdatasync(fd) < 0) return err_set_errno(err, errno, ...);
 *
 * HAUS_FAULT_IN=word: only in processes with that word on their command line ("log" of `haus run log`).
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
int fault_hit(const char *name);
void fault_forget(void);
#define FAULT_POINT(name) fault_hit(name)
#define FAULT_FORGET()    fault_forget() /* in a forked helper: no more faults in this process */
#else
#define FAULT_POINT(name) 0
#define FAULT_FORGET()    ((void)0)
#endif

#endif
