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

enum { FAULT_ROWS_MAX = 64, FAULT_PATH_MAX = 512 };

static struct fault_row {
    struct str name, what;
    int64_t at;
    atomic_long passes;
} rows[FAULT_ROWS_MAX];
static size_t row_count;

/* glibc hands the command line to constructors too */
static bool is_meant(int argc, char **argv)
{
    const char *word = getenv("HAUS_FAULT_IN");

    for (int i = 1; word && i < argc; i++) {
        if (strcmp(argv[i], word) == 0)
            return true;
    }
    return !word;
}

__attribute__((constructor)) static void read_environment(int argc, char **argv)
{
    struct str rest = str_of(is_meant(argc, argv) ? getenv("HAUS_FAULT") : NULL);
    struct str part = { 0 };

    while (row_count < FAULT_ROWS_MAX && rest.p && str_cut(&rest, ',', &part)) {
        struct fault_row *row = &rows[row_count];
        if (str_cut(&part, ':', &row->name) && str_cut(&part, '@', &row->what) &&
            str_to_i64(part, 1, INT64_MAX, &row->at))
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
    snprintf(path, sizeof path, "%s/%.*s:%.*s@%lld", folder, STR_ARG(row->name), STR_ARG(row->what),
             (long long)row->at);
    int fd = open(path, O_CREAT | O_EXCL | O_CLOEXEC | O_WRONLY, 0644);
    if (fd >= 0)
        close(fd);
    return fd >= 0;
}

int fault_hit(const char *name)
{
    const struct fault_row *hit = NULL;

    /* several rows may name one point: each counts every pass */
    for (size_t i = 0; i < row_count; i++)
        if (str_is(rows[i].name, name) && atomic_fetch_add(&rows[i].passes, 1) + 1 == rows[i].at)
            hit = &rows[i];
    if (!hit)
        return 0;
    if (str_is(hit->what, "crash"))
        kill(getpid(), SIGKILL);
    if (str_is(hit->what, "delay"))
        usleep(100000);
    errno = str_is(hit->what, "enospc") ? ENOSPC : EIO;
    return str_is(hit->what, "delay") ? 0 : -1;
}
#else
typedef int fault_is_off; /* ISO C wants a declaration in every file */
#endif
