/* Copies of whole objects, and of ranges into parts. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lake/store/api.h"
#include "lake/store/demand.h"
#include "lake/store/range.h"
#include "lake/store/reading.h"
#include "lake/store/upload.h"

enum s3_error api_read_copy_source(struct exchange *x, struct str *bucket, struct str *key)
{
    CLEANUP(buf_free) struct buf text = { 0 };
    struct str raw = exchange_header(x, "x-amz-copy-source"), path = { 0 };

    str_cut(&raw, '?', &path);
    if (raw.len && !str_is(raw, "versionId=null"))
        return S3_NO_SUCH_VERSION;
    uri_decode(&text, path, false);
    char *copy = arena_strdup(x->arena, buf_str(&text));
    struct str rest = copy ? str_n(copy, text.len) : STR("");
    if (str_starts(rest, "/"))
        rest = str_skip(rest, 1);
    str_cut(&rest, '/', bucket);
    *key = rest;
    if (bucket->len && key->len && key->len <= KEY_MAX)
        return S3_NONE;
    return exchange_fail(x, S3_INVALID_ARGUMENT,
                         "Copy Source must mention the source bucket and key: sourcebucket/sourcekey");
}

/* ---------------------------------------------------------------- object */

struct copy_change {
    struct exchange *x;
    bool replace_metadata, replace_tags, is_itself;
    struct record given; /* headers and tags of the request */
};

static enum s3_error change(void *user, struct record *record)
{
    struct copy_change *c = user;

    if (c->is_itself && !c->replace_metadata && !c->replace_tags && !exchange_header(c->x, "x-amz-storage-class").p)
        return exchange_fail(
            c->x, S3_INVALID_REQUEST,
            "This copy request is illegal because it is trying to copy an object to itself without changing "
            "the object's metadata, storage class, website redirect location or encryption attributes.");
    if (c->replace_metadata) {
        record->headers = c->given.headers;
        record->header_count = c->given.header_count;
    }
    if (c->replace_tags)
        record->tags = c->given.tags;
    return S3_NONE;
}

static bool read_directive(struct exchange *x, const char *name, bool *replace)
{
    struct str value = exchange_header(x, name);

    *replace = str_is(value, "REPLACE");
    if (value.p && !*replace && !str_is(value, "COPY"))
        x->failed = exchange_fail(x, S3_INVALID_ARGUMENT, "Unknown directive '%.*s' in %s.", STR_ARG(value), name);
    return !x->failed;
}

void api_copy_object(struct exchange *x)
{
    CLEANUP(buf_free) struct buf out = { 0 };
    struct conditions conditions = exchange_conditions(x, ""), source = exchange_conditions(x, "x-amz-copy-source-");
    struct copy_change c = { .x = x };
    struct object_copy copy = { .bucket = x->bucket,
                                .key = x->key,
                                .conditions = &conditions,
                                .source_conditions = &source,
                                .change = change,
                                .user = &c };

    /* dates are of the source, not of the target */
    conditions.if_modified_since = conditions.if_unmodified_since = (struct str){ 0 };
    x->failed = api_read_copy_source(x, &copy.source_bucket, &copy.source_key);
    if (!x->failed)
        x->failed = api_read_record(x, &c.given);
    if (x->failed || !read_directive(x, "x-amz-metadata-directive", &c.replace_metadata) ||
        !read_directive(x, "x-amz-tagging-directive", &c.replace_tags))
        return;
    c.is_itself = str_eq(copy.bucket, copy.source_bucket) && str_eq(copy.key, copy.source_key);
    x->failed = object_copy(x->store->index, &copy);
    if (x->failed)
        return;
    answer_xml_begin(&out, "CopyObjectResult");
    answer_put_time(&out, "LastModified", copy.result.modified_ms);
    answer_put_etag(&out, copy.result.etag);
    answer_put_checksum(&out, &copy.result);
    answer_xml_end(x, &out, "CopyObjectResult");
}

/* ------------------------------------------------------------------ part */

/* x-amz-copy-source-range is stricter than Range: "bytes=a-b", both there, inside the source. */
static bool set_source_range(struct exchange *x, struct reading *reading)
{
    struct str header = exchange_header(x, "x-amz-copy-source-range");
    uint64_t offset = 0, size = 0;

    if (!header.p)
        return true;
    enum range_kind kind = range_parse(header, reading->record.size, &offset, &size);
    struct str last = str_trim(header), first = { 0 };
    int64_t end = 0;
    str_cut(&last, '-', &first);
    if (kind == RANGE_WHOLE || !str_to_i64(last, 0, INT64_MAX, &end) || str_is(first, "bytes="))
        x->failed = exchange_fail(x, S3_INVALID_ARGUMENT,
                                  "The x-amz-copy-source-range value must be of the form "
                                  "bytes=first-last where first and last are the zero-based offsets "
                                  "of the first and last bytes to copy");
    else if (kind == RANGE_UNSATISFIABLE || (uint64_t)end >= reading->record.size)
        x->failed = S3_INVALID_RANGE;
    else
        reading_set_range(reading, offset, size);
    return !x->failed;
}

/* The source's bytes go the way of a body that was sent. */
static enum s3_error take_source(struct exchange *x, struct reading *reading, enum checksum_kind kind)
{
    enum { BLOCK = 256 << 10 };
    CLEANUP_FREE char *block = mem_alloc(BLOCK);
    enum s3_error failed = S3_NONE;
    ssize_t n = 0;

    body_free(&x->body, false);
    x->body = (struct body){ .open = true, .is_blob = true };
    blob_begin(index_blobs(x->store->index), &x->body.blob);
    body_hash_only(&x->body, kind);
    while (!failed && (n = reading_read(reading, block, BLOCK)) > 0)
        failed = body_push(x, block, (size_t)n);
    if (n < 0)
        return S3_INTERNAL;
    return failed ? failed : body_end(x);
}

static bool read_part_target(struct exchange *x, struct part_put *put)
{
    int64_t number = 0;

    if (!exchange_number(x, "partNumber", 0, INT32_MAX, &number))
        return false;
    if (number < 1 || number > PARTS_MAX)
        x->failed = exchange_fail(x, S3_INVALID_ARGUMENT, "Part number must be an integer between 1 and %d, inclusive",
                                  PARTS_MAX);
    else if (!upload_id_parse(exchange_param(x, "uploadId"), put->id))
        x->failed = S3_NO_SUCH_UPLOAD;
    put->number = (int)number;
    put->bucket = x->bucket;
    put->key = x->key;
    put->blob = &x->body.blob;
    return !x->failed;
}

static bool store_part(struct exchange *x, struct part_put *put, struct record *record)
{
    record->size = x->body.size;
    record->checksum = x->body.checksum.kind;
    record->checksum_is_whole = true;
    snprintf(record->etag, sizeof record->etag, "%s", x->body.etag);
    snprintf(record->checksum_text, sizeof record->checksum_text, "%s", x->body.checksum_text);
    put->record = record;
    x->failed = part_put(x->store->index, put);
    if (!x->failed)
        body_free(&x->body, true);
    return !x->failed;
}

void api_copy_part(struct exchange *x)
{
    CLEANUP(buf_free) struct buf out = { 0 };
    CLEANUP(reading_end) struct reading reading = { .fd = -1 };
    struct conditions conditions = exchange_conditions(x, "x-amz-copy-source-");
    struct str bucket = { 0 }, key = { 0 };
    struct record record = { 0 };
    struct part_put put = { 0 };
    enum checksum_kind kind = CHECKSUM_NONE;

    if (!read_part_target(x, &put))
        return;
    x->failed = exchange_upload_checksum(x, &kind);
    if (!x->failed)
        x->failed = api_read_copy_source(x, &bucket, &key);
    if (!x->failed)
        x->failed = reading_begin(x->store->index, bucket, key, x->arena, &reading);
    if (!x->failed)
        x->failed = conditions_for_copy(&conditions, &reading.record);
    if (x->failed || !set_source_range(x, &reading))
        return;
    x->failed = take_source(x, &reading, kind);
    if (x->failed || !store_part(x, &put, &record))
        return;
    answer_xml_begin(&out, "CopyPartResult");
    answer_put_time(&out, "LastModified", record.modified_ms);
    answer_put_etag(&out, record.etag);
    if (record.checksum)
        xml_put(&out, checksum_rows[record.checksum].element, str_of(record.checksum_text));
    answer_xml_end(x, &out, "CopyPartResult");
}

void api_put_part(struct exchange *x)
{
    struct record record = { 0 };
    struct part_put put = { 0 };

    if (!read_part_target(x, &put) || !store_part(x, &put, &record))
        return;
    http_response_header(x->response, "ETag", "\"%s\"", record.etag);
    if (record.checksum)
        http_response_header(x->response, checksum_rows[record.checksum].header, "%s", record.checksum_text);
    answer_empty(x, 200);
}
