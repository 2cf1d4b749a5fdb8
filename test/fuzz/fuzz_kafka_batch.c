/*
 * Record batches from outside: checked, skimmed as Produce does, walked, inflated within a limit.  The checksum is put
 * right first, so that the fuzzer comes past it.  What the skimmer takes as a whole, the walk must be able to read,
 * with the same offsets, times and keys: else a broker would keep what no consumer can read.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "wire/kafka/kafka.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void put_right(char *p, size_t size)
{
    uint32_t length = (uint32_t)(size - KAFKA_BATCH_OVERHEAD), crc = 0;

    for (int i = 0; i < 4; i++)
        p[8 + i] = (char)(length >> (24 - 8 * i));
    p[16] = 2;
    crc = crc32c(0, p + 21, size - 21);
    for (int i = 0; i < 4; i++)
        p[17 + i] = (char)(crc >> (24 - 8 * i));
}

/* contexts and window are kept from one input to the next, as a broker keeps them */
static struct kafka_skimmer skimmer;

static void must(bool is_so, const char *what)
{
    if (is_so)
        return;
    fprintf(stderr, "fuzz_kafka_batch: %s\n", what);
    abort();
}

/* -1: the batch is refused */
static int32_t skim(struct str bytes, const struct kafka_batch *batch)
{
    struct kafka_record_head head;
    int32_t count = 0;

    for (kafka_skimmer_begin(&skimmer, bytes, batch); kafka_skimmer_next(&skimmer, &head);)
        count++;
    kafka_skimmer_trim(&skimmer);
    must(!skimmer.error == !skimmer.why, "an error without its why");
    return skimmer.error ? -1 : count;
}

/* both at once: the skimmed records are those that are read */
static void compare(struct str bytes, const struct kafka_batch *batch)
{
    CLEANUP(arena_free) struct arena arena = { .max = 16 << 20 };
    CLEANUP(kafka_records_close) struct kafka_record_reader reader = { 0 };
    struct kafka_record_head head;
    struct kafka_record record;
    struct err err = { 0 };

    must(!kafka_records_open(bytes, KAFKA_INFLATED_MAX, &arena, &reader, &err), "skimmed, and cannot be opened");
    for (kafka_skimmer_begin(&skimmer, bytes, batch); kafka_skimmer_next(&skimmer, &head); arena_reset(&arena)) {
        enum rc rc = kafka_records_next(&reader, &record, &err);
        if (rc && strstr(err.text, "headers"))
            return; /* more than the walk has a place for */
        must(!rc, "skimmed, and cannot be read");
        must(head.has_key == (record.key.p != NULL), "another key");
        must(head.timestamp == record.timestamp, "another time");
        must(record.offset == (int64_t)((uint64_t)batch->base_offset + (uint64_t)head.offset_delta), "another offset");
    }
    must(kafka_records_next(&reader, &record, &err) == RC_AGAIN, "there are more records than were skimmed");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(arena_free) struct arena arena = { .max = 1 << 20 };
    CLEANUP(buf_free) struct buf bytes = { 0 };
    CLEANUP(kafka_records_close) struct kafka_record_reader reader = { 0 };
    struct kafka_batch batch;
    struct kafka_record record;
    struct err err = { 0 };
    const char *why = NULL;

    (void)kafka_batch_check(str_n((const char *)data, size), &batch, &why);
    if (size < KAFKA_BATCH_HEADER)
        return 0;
    buf_append(&bytes, data, size);
    put_right(bytes.data, size);
    if (kafka_batch_check(buf_str(&bytes), &batch, &why))
        return 0;
    if (skim(buf_str(&bytes), &batch) >= 0)
        compare(buf_str(&bytes), &batch);
    if (kafka_records_open(buf_str(&bytes), 1 << 20, &arena, &reader, &err))
        return 0;
    while (!kafka_records_next(&reader, &record, &err))
        arena_reset(&arena);
    return 0;
}
