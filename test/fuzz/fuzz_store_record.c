/* Any bytes as a row of the store's index, an object's, a bucket's or an upload's: what is read is written alike. */
#include <stdlib.h>
#include <string.h>

#include "lake/store/bucket.h"
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

static void check_bucket(struct str bytes)
{
    CLEANUP(buf_free) struct buf again = { 0 };
    struct bucket bucket = { 0 };

    if (!bucket_decode(bytes, &bucket))
        return;
    bucket_encode(&bucket, &again);
    if (!str_eq(bytes, buf_str(&again)))
        abort();
}

static void check_upload(struct str bytes, struct arena *arena)
{
    CLEANUP(buf_free) struct buf first = { 0 }, second = { 0 };
    struct upload upload = { 0 }, again = { 0 };

    if (!upload_decode(bytes, arena, &upload))
        return;
    upload_encode(&upload, &first);
    if (!upload_decode(buf_str(&first), arena, &again) || !str_eq(upload.key, again.key))
        abort();
    upload_encode(&again, &second);
    if (!str_eq(buf_str(&first), buf_str(&second)))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(arena_free) struct arena arena = { .max = 1 << 20 };
    CLEANUP(buf_free) struct buf first = { 0 }, second = { 0 };
    struct str bytes = str_n((const char *)data, size);
    struct record head = { 0 }, record = { 0 }, again = { 0 };

    check_upload_id(bytes);
    check_bucket(bytes);
    check_upload(bytes, &arena);
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
