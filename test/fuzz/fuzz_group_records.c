/* Records of __consumer_offsets: the first two bytes are the length of the key.  What can be read can be written and
 * read again, and applied. */
#include <stdlib.h>

#include "stream/log/coordinator.h"
#include "stream/log/group_record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void reply(void *context, void *ticket, const void *response)
{
    (void)context, (void)ticket, (void)response;
}

static void store(void *context, int32_t partition, struct str batch, uint64_t token)
{
    (void)context, (void)partition, (void)batch, (void)token;
}

static bool has_partition(void *context, struct str topic, int32_t partition)
{
    (void)context, (void)topic, (void)partition;
    return true;
}

static int64_t clock_zero(void *context)
{
    (void)context;
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct group_settings settings = { .partitions = 50, .max_size = 10, .metadata_max = 4096 };
    static const struct group_host host = { NULL, reply, store, has_partition, clock_zero, clock_zero };
    CLEANUP(arena_free) struct arena arena = { 0 };
    CLEANUP(buf_free) struct buf key = { 0 }, value = { 0 };
    struct group_record record, again;
    struct err err;

    if (size < 2)
        return 0;
    size_t cut = MIN((size_t)data[0] << 8 | data[1], size - 2);
    struct str key_in = str_n((const char *)data + 2, cut);
    struct str value_in = str_n((const char *)data + 2 + cut, size - 2 - cut);
    if (group_record_read(key_in, value_in, &arena, &record, &err) || record.kind == GROUP_RECORD_OTHER)
        return 0;
    group_record_write(&record, &key, &value);
    if (group_record_read(buf_str(&key), buf_str(&value), &arena, &again, &err) || again.kind != record.kind ||
        again.member_count != record.member_count || again.offset != record.offset)
        abort();
    struct coordinator *c = coordinator_new(&settings, &host);
    (void)!coordinator_replay(c, key_in, value_in, &err);
    coordinator_loaded(c);
    coordinator_expire(c);
    (void)!coordinator_replay(c, key_in, (struct str){ 0 }, &err);
    coordinator_free(c);
    return 0;
}
