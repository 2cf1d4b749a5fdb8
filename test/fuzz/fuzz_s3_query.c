/* What stands in targets and headers: queries, ranges, conditions, tags, dates, records. */
#include <stdlib.h>

#include "lake/store/bucket.h"
#include "lake/store/condition.h"
#include "lake/store/demand.h"
#include "lake/store/range.h"
#include "net/net.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(arena_free) struct arena arena = { 0 };
    CLEANUP(buf_free) struct buf plain = { 0 };
    struct str text = str_n((const char *)data, size), query = text, name = { 0 }, value = { 0 };
    struct record record = { .etag = "abc", .modified_ms = 784111777000 }, back = { 0 };
    struct conditions conditions = { text, text, text, text };
    uint64_t offset = 0, count = 0;

    while (uri_query_next(&query, &name, &value))
        uri_decode(&plain, name, true);
    if (range_parse(text, 1000, &offset, &count) == RANGE_PART && (count == 0 || offset + count > 1000))
        abort();
    (void)conditions_for_read(&conditions, &record);
    conditions.if_match = (struct str){ 0 };
    (void)conditions_for_read(&conditions, &record);
    (void)demand_tags_check(text, TAGS_MAX);
    (void)bucket_name_is_valid(text);
    (void)record_decode(text, &arena, &back);
    return 0;
}
