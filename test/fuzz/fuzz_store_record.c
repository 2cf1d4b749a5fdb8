/* Any bytes as an object's record of the store's index: what is read is written, and that is read alike. */
#include <stdlib.h>
#include <string.h>

#include "lake/store/record.h"
#include "lake/store/upload.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_upload_id(struct str text)
{
    uint8_t id[UPLOAD_ID_LEN];
    char again[UPLOAD_ID_TEXT + 1];

    if (!upload_id_parse(text, id))
        return;
    upload_id_format(id, again);
    if (strlen(again) != text.len)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(arena_free) struct arena arena = { .max = 1 << 20 };
    CLEANUP(buf_free) struct buf first = { 0 }, second = { 0 };
    struct str bytes = str_n((const char *)data, size);
    struct record head = { 0 }, record = { 0 }, again = { 0 };

    check_upload_id(bytes);
    bool has_head = record_decode_head(bytes, &head);
    if (!record_decode(bytes, &arena, &record))
        return 0;
    if (!has_head || strcmp(head.etag, record.etag) != 0 || head.size != record.size)
        abort();
    (void)record_header(&record, "content-type");
    record_encode(&record, &first);
    if (!record_decode(buf_str(&first), &arena, &again))
        abort();
    record_encode(&again, &second);
    if (!str_eq(buf_str(&first), buf_str(&second)))
        abort();
    return 0;
}
