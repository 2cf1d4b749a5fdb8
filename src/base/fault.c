/* Fault points of test builds; see fault.h.  Compiled to nothing otherwise. */
#include "base/fault.h"

#ifdef HAUS_FAULT_POINTS
#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/str.h"

enum { FAULT_ROWS_MAX = 16 };

static struct fault_row {
    struct str name, what;
    int64_t at;
    atomic_long passes;
} rows[FAULT_ROWS_MAX];
static size_t row_count;

__attribute__((constructor)) static void read_environment(void)
{
    struct str rest = str_of(getenv("HAUS_FAULT"));
    struct str part = { 0 };

    while (row_count < FAULT_ROWS_MAX && rest.p && str_cut(&rest, ',', &part)) {
        struct fault_row *row = &rows[row_count];
        if (str_cut(&part, ':', &row->name) && str_cut(&part, '@', &row->what) &&
            str_to_i64(part, 1, INT64_MAX, &row->at))
            row_count++;
    }
}

int fault_hit(const char *name)
{
    for (size_t i = 0; i < row_count; i++) {
        if (!str_is(rows[i].name, name) || atomic_fetch_add(&rows[i].passes, 1) + 1 != rows[i].at)
            continue;
        if (str_is(rows[i].what, "crash"))
            kill(getpid(), SIGKILL);
        if (str_is(rows[i].what, "delay"))
            usleep(100000);
        errno = str_is(rows[i].what, "enospc") ? ENOSPC : EIO;
        return str_is(rows[i].what, "delay") ? 0 : -1;
    }
    return 0;
}
#else
typedef int fault_is_off; /* ISO C wants a declaration in every file */
#endif
