/* Multipart uploads over HTTP; parts are put in api_copy.c. */
#include <stdlib.h>
#include <string.h>

#include "lake/store/api.h"
#include "lake/store/demand.h"
#include "lake/store/listing.h"
#include "lake/store/upload.h"

/* x-amz-checksum-algorithm and -type; false: failed. */
static bool read_checksum(struct exchange *x, struct record *record)
{
    struct str name = exchange_header(x, "x-amz-checksum-algorithm"), type = exchange_header(x, "x-amz-checksum-type");

    if (!name.p) {
        if (type.p)
            x->failed = exchange_fail(
                x, S3_INVALID_REQUEST,
                "The x-amz-checksum-type header can only be used with the x-amz-checksum-algorithm header.");
        return !x->failed;
    }
    record->checksum = checksum_by_name(name);
    const struct checksum_row *row = &checksum_rows[record->checksum];
    if (!record->checksum) {
        x->failed = exchange_fail(x, S3_INVALID_REQUEST,
                                  "Checksum algorithm provided is unsupported. Please try again with "
                                  "any of the valid types: [CRC32, CRC32C, CRC64NVME, SHA1, SHA256]");
        return false;
    }
    record->checksum_is_whole = type.p ? str_is(type, "FULL_OBJECT") : !row->can_be_composite;
    if (record->checksum_is_whole ? !row->can_be_whole : !row->can_be_composite)
        x->failed =
            exchange_fail(x, S3_INVALID_REQUEST, "The %s checksum type cannot be used with the %s checksum algorithm.",
                          record->checksum_is_whole ? "FULL_OBJECT" : "COMPOSITE", row->name);
    return !x->failed;
}

void api_create_upload(struct exchange *x)
{
    CLEANUP(buf_free) struct buf out = { 0 };
    struct upload upload = { .key = x->key };
    char id[UPLOAD_ID_TEXT + 1];

    x->failed = api_read_record(x, &upload.record);
    if (x->failed || !read_checksum(x, &upload.record))
        return;
    x->failed = upload_create(x->store->index, x->bucket, &upload);
    if (x->failed)
        return;
    if (upload.record.checksum) {
        http_response_header(x->response, "x-amz-checksum-algorithm", "%s", checksum_rows[upload.record.checksum].name);
        http_response_header(x->response, "x-amz-checksum-type", "%s",
                             upload.record.checksum_is_whole ? "FULL_OBJECT" : "COMPOSITE");
    }
    upload_id_format(upload.id, id);
    answer_xml_begin(&out, "InitiateMultipartUploadResult");
    xml_put(&out, "Bucket", x->bucket);
    xml_put(&out, "Key", x->key);
    xml_put(&out, "UploadId", str_of(id));
    answer_xml_end(x, &out, "InitiateMultipartUploadResult");
}

void api_complete_upload(struct exchange *x)
{
    CLEANUP(buf_free) struct buf out = { 0 };
    struct conditions conditions = exchange_conditions(x, "");
    struct upload_complete complete = { .bucket = x->bucket, .key = x->key, .conditions = &conditions };
    struct demand_complete demand = { 0 };

    if (!upload_id_parse(exchange_param(x, "uploadId"), complete.id)) {
        x->failed = S3_NO_SUCH_UPLOAD;
        return;
    }
    x->failed = demand_complete_read(buf_str(&x->body.text), x->arena, &demand);
    if (x->failed)
        return;
    complete.parts = demand.parts;
    complete.count = demand.count;
    complete.checksum = x->whole_checksum;
    x->failed = upload_complete(x->store->index, &complete);
    if (x->failed)
        return;
    answer_xml_begin(&out, "CompleteMultipartUploadResult");
    xml_printf(&out, "Location", "http://%.*s/%.*s/%.*s", STR_ARG(exchange_header(x, "host")), STR_ARG(x->bucket),
               STR_ARG(x->key));
    xml_put(&out, "Bucket", x->bucket);
    xml_put(&out, "Key", x->key);
    answer_put_etag(&out, complete.result.etag);
    answer_put_checksum(&out, &complete.result);
    answer_xml_end(x, &out, "CompleteMultipartUploadResult");
}

void api_abort_upload(struct exchange *x)
{
    uint8_t id[UPLOAD_ID_LEN];

    x->failed = upload_id_parse(exchange_param(x, "uploadId"), id)
                    ? upload_abort(x->store->index, x->bucket, x->key, id)
                    : S3_NO_SUCH_UPLOAD;
    if (!x->failed)
        answer_empty(x, 204);
}

/* ----------------------------------------------------------------- parts */

struct part_page {
    struct buf rows;
    int64_t max, marker, last;
    bool truncated;
};

static void list_parts(struct exchange *x, struct index_txn *txn, const uint8_t *id, struct part_page *page)
{
    int number = (int)page->marker + 1;
    struct record part = { 0 };

    for (int64_t count = 0; part_next(txn, id, number, x->arena, &number, &part); number++, count++) {
        if (count == page->max) {
            page->truncated = true;
            return;
        }
        page->last = number;
        buf_puts(&page->rows, "<Part>");
        buf_printf(&page->rows, "<PartNumber>%d</PartNumber>", number);
        answer_put_time(&page->rows, "LastModified", part.modified_ms);
        answer_put_etag(&page->rows, part.etag);
        xml_printf(&page->rows, "Size", "%llu", (unsigned long long)part.size);
        if (part.checksum)
            xml_put(&page->rows, checksum_rows[part.checksum].element, str_of(part.checksum_text));
        buf_puts(&page->rows, "</Part>");
    }
}

void api_list_parts(struct exchange *x)
{
    CLEANUP(index_read_end) struct index_txn *txn = NULL;
    CLEANUP(buf_free) struct buf out = { 0 };
    struct part_page page = { 0 };
    struct upload upload = { 0 };
    struct bucket bucket = { 0 };
    uint8_t id[UPLOAD_ID_LEN];

    if (!exchange_number(x, "max-parts", LISTING_MAX, LISTING_MAX, &page.max) ||
        !exchange_number(x, "part-number-marker", 0, PARTS_MAX, &page.marker))
        return;
    txn = index_read_begin(x->store->index);
    x->failed = txn ? bucket_find(txn, x->bucket, &bucket) : S3_INTERNAL;
    if (!x->failed)
        x->failed = upload_id_parse(exchange_param(x, "uploadId"), id)
                        ? upload_find(txn, &bucket, x->key, id, x->arena, &upload)
                        : S3_NO_SUCH_UPLOAD;
    if (x->failed)
        return;
    list_parts(x, txn, id, &page);
    answer_xml_begin(&out, "ListPartsResult");
    xml_put(&out, "Bucket", x->bucket);
    xml_put(&out, "Key", x->key);
    xml_put(&out, "UploadId", exchange_param(x, "uploadId"));
    answer_put_owner(&out, "Initiator");
    answer_put_owner(&out, "Owner");
    xml_put(&out, "StorageClass", STR("STANDARD"));
    if (upload.record.checksum) {
        xml_put(&out, "ChecksumAlgorithm", str_of(checksum_rows[upload.record.checksum].name));
        xml_put(&out, "ChecksumType", upload.record.checksum_is_whole ? STR("FULL_OBJECT") : STR("COMPOSITE"));
    }
    xml_printf(&out, "PartNumberMarker", "%lld", (long long)page.marker);
    xml_printf(&out, "NextPartNumberMarker", "%lld", (long long)page.last);
    xml_printf(&out, "MaxParts", "%lld", (long long)page.max);
    xml_put(&out, "IsTruncated", page.truncated ? STR("true") : STR("false"));
    buf_put_str(&out, buf_str(&page.rows));
    buf_free(&page.rows);
    answer_xml_end(x, &out, "ListPartsResult");
}

/* --------------------------------------------------------------- uploads */

struct upload_page {
    struct str prefix, delimiter, key_marker, id_marker;
    int64_t max, count;
    bool encode, truncated;
    struct upload **uploads;
    size_t upload_count;
    struct str last_key, last_prefix;
    const uint8_t *last_id;
    struct buf rows, prefixes;
};

static int upload_compare(const void *a, const void *b)
{
    const struct upload *x = *(struct upload *const *)a, *y = *(struct upload *const *)b;
    int order = str_cmp(x->key, y->key);

    if (order)
        return order;
    return memcmp(x->id, y->id, UPLOAD_ID_LEN);
}

static bool starts_with(struct str text, struct str prefix)
{
    return text.len >= prefix.len && (!prefix.len || memcmp(text.p, prefix.p, prefix.len) == 0);
}

/* After the markers?  A key marker alone skips the whole key. */
static bool is_after(const struct upload_page *page, const struct upload *upload)
{
    char id[UPLOAD_ID_TEXT + 1];
    int order = page->key_marker.len ? str_cmp(upload->key, page->key_marker) : 1;

    if (order)
        return order > 0;
    upload_id_format(upload->id, id);
    return page->id_marker.len && str_cmp(str_of(id), page->id_marker) > 0;
}

/* All that match, in order of key.  False: more than fit. */
static bool collect(struct exchange *x, struct index_txn *txn, const struct bucket *bucket, struct upload_page *page)
{
    uint8_t from[UPLOAD_ID_LEN] = { 0 };

    for (bool more = true; more;) {
        struct upload *upload = arena_alloc(x->arena, sizeof *upload);
        if (!upload)
            return false;
        if (!upload_next(txn, bucket, str_n((char *)from, sizeof from), x->arena, upload))
            break;
        if (starts_with(upload->key, page->prefix) && is_after(page, upload)) {
            if (!(page->upload_count & (page->upload_count - 1)))
                page->uploads =
                    mem_grow(page->uploads, MAX(page->upload_count * 2, (size_t)1), sizeof(struct upload *));
            page->uploads[page->upload_count++] = upload;
        }
        memcpy(from, upload->id, sizeof from);
        int i = UPLOAD_ID_LEN - 1;
        while (i >= 0 && ++from[i] == 0)
            i--;
        more = i >= 0;
    }
    if (page->upload_count)
        qsort(page->uploads, page->upload_count, sizeof(struct upload *), upload_compare);
    return true;
}

static void put_name(struct buf *out, const char *element, struct str text, bool encode)
{
    CLEANUP(buf_free) struct buf encoded = { 0 };

    if (encode)
        uri_encode(&encoded, text, true);
    xml_put(out, element, encode ? buf_str(&encoded) : text);
}

static void put_upload(struct upload_page *page, const struct upload *upload)
{
    char id[UPLOAD_ID_TEXT + 1];
    struct buf *out = &page->rows;

    upload_id_format(upload->id, id);
    buf_puts(out, "<Upload>");
    put_name(out, "Key", upload->key, page->encode);
    xml_put(out, "UploadId", str_of(id));
    answer_put_owner(out, "Initiator");
    answer_put_owner(out, "Owner");
    xml_put(out, "StorageClass", STR("STANDARD"));
    answer_put_time(out, "Initiated", upload->record.modified_ms);
    buf_puts(out, "</Upload>");
}

static void put_rows(struct upload_page *page)
{
    for (size_t i = 0; i < page->upload_count; i++) {
        const struct upload *upload = page->uploads[i];
        size_t at = page->prefix.len;
        const char *found = page->delimiter.len ? memmem(upload->key.p + at, upload->key.len - at, page->delimiter.p,
                                                         page->delimiter.len)
                                                : NULL;
        struct str prefix =
            found ? str_n(upload->key.p, (size_t)(found - upload->key.p) + page->delimiter.len) : (struct str){ 0 };
        if (prefix.p && (str_eq(prefix, page->last_prefix) || str_eq(prefix, page->key_marker)))
            continue;
        if (page->count == page->max) {
            page->truncated = page->max > 0;
            return;
        }
        page->count++;
        page->last_key = prefix.p ? prefix : upload->key;
        page->last_id = prefix.p ? NULL : upload->id;
        if (prefix.p) {
            page->last_prefix = prefix;
            buf_puts(&page->prefixes, "<CommonPrefixes>");
            put_name(&page->prefixes, "Prefix", prefix, page->encode);
            buf_puts(&page->prefixes, "</CommonPrefixes>");
        } else {
            put_upload(page, upload);
        }
    }
}

static void upload_page_free(struct upload_page *page)
{
    free(page->uploads);
    buf_free(&page->rows);
    buf_free(&page->prefixes);
}

static void put_document(struct exchange *x, struct upload_page *page)
{
    CLEANUP(buf_free) struct buf out = { 0 };
    char id[UPLOAD_ID_TEXT + 1] = "";

    if (page->last_id)
        upload_id_format(page->last_id, id);
    answer_xml_begin(&out, "ListMultipartUploadsResult");
    xml_put(&out, "Bucket", x->bucket);
    put_name(&out, "KeyMarker", page->key_marker, page->encode);
    xml_put(&out, "UploadIdMarker", page->id_marker);
    if (page->truncated) {
        put_name(&out, "NextKeyMarker", page->last_key, page->encode);
        xml_put(&out, "NextUploadIdMarker", str_of(id));
    }
    put_name(&out, "Prefix", page->prefix, page->encode);
    if (page->delimiter.len)
        put_name(&out, "Delimiter", page->delimiter, page->encode);
    if (page->encode)
        buf_puts(&out, "<EncodingType>url</EncodingType>");
    xml_printf(&out, "MaxUploads", "%lld", (long long)page->max);
    xml_put(&out, "IsTruncated", page->truncated ? STR("true") : STR("false"));
    buf_put_str(&out, buf_str(&page->rows));
    buf_put_str(&out, buf_str(&page->prefixes));
    answer_xml_end(x, &out, "ListMultipartUploadsResult");
}

void api_list_uploads(struct exchange *x)
{
    CLEANUP(index_read_end) struct index_txn *txn = index_read_begin(x->store->index);
    CLEANUP(upload_page_free)
    struct upload_page page = { .prefix = exchange_param(x, "prefix"),
                                .delimiter = exchange_param(x, "delimiter"),
                                .key_marker = exchange_param(x, "key-marker"),
                                .id_marker = exchange_param(x, "upload-id-marker"),
                                .encode = exchange_param(x, "encoding-type").len > 0 };
    struct bucket bucket = { 0 };

    if (!exchange_number(x, "max-uploads", LISTING_MAX, LISTING_MAX, &page.max))
        return;
    x->failed = txn ? bucket_find(txn, x->bucket, &bucket) : S3_INTERNAL;
    if (!x->failed && !collect(x, txn, &bucket, &page))
        x->failed = exchange_fail(x, S3_SLOW_DOWN, "There are too many open uploads to list; abort some.");
    if (!x->failed && index_failed(txn))
        x->failed = S3_INTERNAL;
    if (x->failed)
        return;
    put_rows(&page);
    put_document(x, &page);
}
