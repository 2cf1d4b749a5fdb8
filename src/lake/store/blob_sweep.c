/* Removing what a killed store left behind; see blob.h. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lake/store/blob_private.h"

static bool parse_number(const char *name, uint64_t *out)
{
    char *end = NULL;

    *out = strtoull(name, &end, 16);
    return strlen(name) == 16 && *end == '\0';
}

static size_t sweep_dir(const char *path, bool (*is_known)(void *user, uint64_t number), void *user,
                        const volatile bool *stop)
{
    DIR *dir = opendir(path);
    size_t removed = 0, kept = 0;
    uint64_t number = 0;

    for (struct dirent *e = NULL; dir && !*stop && (e = readdir(dir));) {
        if (!parse_number(e->d_name, &number))
            continue;
        if (is_known(user, number))
            kept++;
        else if (unlinkat(dirfd(dir), e->d_name, 0) == 0)
            removed++;
    }
    if (dir)
        closedir(dir);
    if (!kept && !*stop)
        rmdir(path);
    return removed;
}

size_t blobs_sweep(struct blobs *blobs, bool (*is_known)(void *user, uint64_t number), void *user,
                   const volatile bool *stop)
{
    DIR *dir = opendir(blobs->dir);
    size_t removed = 0;

    for (struct dirent *e = NULL; dir && !*stop && (e = readdir(dir));) {
        char *end = NULL;
        unsigned long run = strtoul(e->d_name, &end, 16);
        if (*end != '-' || run >= blobs->run)
            continue;
        CLEANUP_FREE char *path = mem_printf("%s/%s", blobs->dir, e->d_name);
        removed += sweep_dir(path, is_known, user, stop);
    }
    if (dir)
        closedir(dir);
    return removed;
}
