/*
 * A segment file with anything in it, its index files too: opening finds where the log ends, and every batch before
 * that is found by its offset.  The first byte splits the input between .log, .index and .timeindex.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "scratch.h"
#include "stream/log/segment.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void write_file(const char *suffix, const uint8_t *p, size_t n)
{
    CLEANUP(buf_free) struct buf path = { 0 };

    segment_path(scratch, 0, suffix, &path);
    FILE *f = fopen(buf_cstr(&path), "w");
    if (!f || fwrite(p, 1, n, f) != n)
        abort();
    fclose(f);
}

static void find_all(struct segment *segment, uint64_t end)
{
    struct kafka_batch batch, found;
    struct err err = { 0 };
    uint64_t at = 0, there = 0;

    for (; !segment_header(segment, at, end, &batch, &err); at += kafka_batch_size(&batch))
        (void)!segment_find(segment, batch.base_offset, end, &there, &found, &err);
    (void)!segment_find_time(segment, 1000, end, &there, &found, &err);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct segment *segment = NULL;
    struct err err = { 0 };
    uint64_t end = 0;

    if (size < 1)
        return 0;
    scratch_dir();
    size_t index = MIN((size_t)data[0], size - 1), log = size - 1 - index;
    write_file(".index", data + 1, index / 2);
    write_file(".timeindex", data + 1 + index / 2, index - index / 2);
    write_file(".log", data + 1 + index, log);
    if (segment_open(scratch, 0, &segment, &err))
        abort();
    if (!segment_load_index(segment, &err))
        find_all(segment, segment->size);
    segment_forget_index(segment);
    segment->has_index = true;
    if (segment_scan(segment, 0, true, NULL, NULL, &end, &err) || end > segment->size)
        abort();
    find_all(segment, end);
    segment_release(segment);
    return 0;
}
