/*
 * Requests and responses of every API in every version: what is read is written again and read again, and must then be
 * the same.  Byte 0 picks the API, byte 1 the version, bit 7 of byte 1 the response.
 */
#include <stdlib.h>
#include <string.h>

#include "wire/kafka/kafka.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(arena_free) struct arena arena = { .max = 4 << 20 };
    CLEANUP(buf_free) struct buf first = { 0 };
    CLEANUP(buf_free) struct buf second = { 0 };
    struct err err = { 0 };

    if (size < 2)
        return 0;
    const struct kafka_api *api = &kafka_apis[data[0] % kafka_api_count];
    int version = api->min + (data[1] & 127) % (api->max - api->min + 1);
    const struct kafka_message *message = data[1] & 128 ? api->response : api->request;
    bool flexible = kafka_api_is_flexible(api, version);
    void *one = arena_alloc(&arena, message->size), *two = arena_alloc(&arena, message->size);
    if (kafka_decode(str_n((const char *)data + 2, size - 2), message, version, flexible, &arena, one, &err))
        return 0;
    kafka_encode(&first, message, version, flexible, one);
    if (kafka_decode(buf_str(&first), message, version, flexible, &arena, two, &err)) {
        if (strstr(err.text, "than a request may")) /* the arena is used up */
            return 0;
        abort();
    }
    kafka_encode(&second, message, version, flexible, two);
    if (first.len != second.len || (first.len && memcmp(first.data, second.data, first.len) != 0))
        abort();
    return 0;
}
