/* Fault points of test builds; see fault.h.  Compiled to nothing otherwise. */
#include "base/fault.h"

#ifdef HAUS_FAULT_POINTS
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/str.h"

enum { FAULT_ROWS_MAX = 256, FAULT_PATH_MAX = 512 };

static struct fault_row {
    struct str text, name, what; /* text: all of it, scope and all */
    int64_t at;
    atomic_long passes;
} rows[FAULT_ROWS_MAX];
static size_t row_count;

/* Takes "word+" off a name; false when the command line has no such word.  glibc hands that to constructors too. */
static bool is_meant(struct str *name, int argc, char **argv)
{
    struct str rest = *name, word = { 0 };

    if (!memchr(name->p, '+', name->len))
        return true;
    str_cut(&rest, '+', &word);
    *name = rest;
    for (int i = 1; i < argc; i++)
        if (str_is(word, argv[i]))
            return true;
    return false;
}

__attribute__((constructor)) static void read_environment(int argc, char **argv)
{
    struct str rest = str_of(getenv("HAUS_FAULT"));
    struct str part = { 0 };

    while (row_count < FAULT_ROWS_MAX && rest.p && str_cut(&rest, ',', &part)) {
        struct fault_row *row = &rows[row_count];
        row->text = part;
        if (str_cut(&part, ':', &row->name) && str_cut(&part, '@', &row->what) &&
            str_to_i64(part, 1, INT64_MAX, &row->at) && is_meant(&row->name, argc, argv))
            row_count++;
    }
}

void fault_forget(void)
{
    row_count = 0;
}

/* False when this row has happened before; a file says so to whoever comes after us. */
static bool is_first(const struct fault_row *row)
{
    const char *folder = getenv("HAUS_FAULT_ONCE");
    char path[FAULT_PATH_MAX];

    if (!folder)
        return true;
    snprintf(path, sizeof path, "%s/%.*s", folder, STR_ARG(row->text));
    int fd = open(path, O_CREAT | O_EXCL | O_CLOEXEC | O_WRONLY, 0644);
    if (fd >= 0)
        close(fd);
    return fd >= 0;
}

/* What this pass of the point is to do, NULL: nothing.  Several rows may name one point: each counts every pass, and of
 * two that wait for the same pass the second has its turn in the next process. */
static const struct fault_row *pass(const char *name)
{
    const struct fault_row *hit = NULL;

    for (size_t i = 0; i < row_count; i++)
        if (str_is(rows[i].name, name) && atomic_fetch_add(&rows[i].passes, 1) + 1 == rows[i].at && !hit &&
            is_first(&rows[i]))
            hit = &rows[i];
    return hit;
}

static void die(void)
{
    kill(getpid(), SIGKILL);
    pause(); /* another thread of ours takes the signal first: nothing more happens in this one */
}

static int happen(struct str what)
{
    if (str_is(what, "crash") || str_is(what, "torn"))
        die();
    if (str_is(what, "delay"))
        usleep(100000);
    if (str_is(what, "delay") || str_is(what, "short"))
        return 0;
    errno = str_is(what, "enospc") ? ENOSPC : str_is(what, "eio") ? EIO : ENOTRECOVERABLE;
    return -1;
}

int fault_hit(const char *name)
{
    const struct fault_row *hit = pass(name);

    return hit ? happen(hit->what) : 0;
}

int fault_hit_write(const char *name, int fd, const void *p, size_t *n, off_t at)
{
    const struct fault_row *hit = pass(name);

    if (!hit)
        return 0;
    if (str_is(hit->what, "short") && *n > 1)
        *n /= 2;
    if (str_is(hit->what, "torn") && (at < 0 ? write(fd, p, *n / 2) : pwrite(fd, p, *n / 2, at)) < 0)
        die();
    return happen(hit->what);
}
#else
typedef int fault_is_off; /* ISO C wants a declaration in every file */
#endif
