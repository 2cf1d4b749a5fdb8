/* The documents that S3 requests bring, and bucket policies. */
#include "lake/store/demand.h"
#include "lake/store/policy.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(arena_free) struct arena arena = { 0 };
    struct str text = str_n((const char *)data, size), tags = { 0 };
    struct demand_delete delete = { 0 };
    struct demand_complete complete = { 0 };
    struct policy_question question = { "s3:GetObject", STR("raw"), STR("a/b") };
    struct err err = { 0 };

    (void)demand_delete_read(text, &arena, &delete);
    (void)demand_complete_read(text, &arena, &complete);
    (void)demand_tags_read(text, TAGS_MAX, &arena, &tags);
    (void)policy_check(text, STR("raw"), &err);
    (void)policy_allows(text, &question);
    return 0;
}
