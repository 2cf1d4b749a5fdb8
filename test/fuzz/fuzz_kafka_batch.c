/* Record batches from outside: checked, walked, inflated within a limit.  The checksum is put right first, so that the
 * fuzzer comes past it. */
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
    if (kafka_records_open(buf_str(&bytes), 1 << 20, &arena, &reader, &err))
        return 0;
    while (!kafka_records_next(&reader, &record, &err))
        arena_reset(&arena);
    return 0;
}
