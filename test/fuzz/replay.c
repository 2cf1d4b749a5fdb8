/*
 * Runs a fuzzer's entry over every file of its corpus, as a plain test: what a fuzzer once found
 * stays found.  Usage: replay_<name> DIRECTORY.  An empty corpus is a failure.
 */
#include <dirent.h>
#include <stdio.h>

#include "disk/disk.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int main(int argc, char **argv)
{
    DIR *dir = argc == 2 ? opendir(argv[1]) : NULL;
    int count = 0;

    if (!dir) {
        fprintf(stderr, "usage: replay DIRECTORY\n");
        return 2;
    }
    for (struct dirent *e = NULL; (e = readdir(dir));) {
        CLEANUP_FREE char *path = mem_printf("%s/%s", argv[1], e->d_name);
        CLEANUP(buf_free) struct buf bytes = { 0 };
        struct err err = { 0 };
        if (e->d_name[0] == '.')
            continue;
        if (disk_read_file(path, &bytes, &err)) {
            fprintf(stderr, "%s\n", err.text);
            return 1;
        }
        LLVMFuzzerTestOneInput((const uint8_t *)buf_cstr(&bytes), bytes.len);
        count++;
    }
    closedir(dir);
    printf("%d inputs\n", count);
    return count ? 0 : 1;
}
