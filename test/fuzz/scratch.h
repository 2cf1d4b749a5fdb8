/* A folder of one's own for a fuzzer whose decoder reads files: in memory where the system has such a place, since each
 * input is flushed several times. */
#ifndef TEST_FUZZ_SCRATCH_H
#define TEST_FUZZ_SCRATCH_H

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "disk/disk.h"

static char scratch[64];

static inline void scratch_remove(void)
{
    struct err err = { 0 };

    (void)!disk_remove_tree(scratch, &err);
}

/* The first call makes it; it is removed at the end. */
static inline const char *scratch_dir(void)
{
    if (scratch[0])
        return scratch;
    snprintf(scratch, sizeof scratch, "%s/haus-fuzz-XXXXXX", access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    if (!mkdtemp(scratch))
        abort();
    atexit(scratch_remove);
    return scratch;
}

#endif
