/* Getting and heading objects. */
#include <stdlib.h>
#include <string.h>

#include "lake/store/api.h"
#include "lake/store/range.h"
#include "lake/store/reading.h"

/* An object on its way out; outlives the exchange while the server sends. */
struct download {
    struct reading reading;
    struct arena arena;
};

/* Query parameters that replace headers of the answer. */
static const struct {
    const char *param, *header;
} overrides[] = {
    { "response-content-type", "content-type" },
    { "response-cache-control", "cache-control" },
    { "response-content-disposition", "content-disposition" },
    { "response-content-encoding", "content-encoding" },
    { "response-content-language", "content-language" },
    { "response-expires", "expires" },
};

static void download_end(void *user)
{
    struct download *download = user;

    reading_end(&download->reading);
    arena_free(&download->arena);
    free(download);
}

static ssize_t download_read(void *user, char *p, size_t max)
{
    struct download *download = user;

    return reading_read(&download->reading, p, max);
}

static bool check_overrides(struct exchange *x)
{
    for (size_t i = 0; i < ARRAY_LEN(overrides) && x->claim.kind == SIGV4_NONE; i++)
        if (exchange_param(x, overrides[i].param).p)
            x->failed = exchange_fail(x, S3_INVALID_REQUEST,
                                      "Request specific response headers cannot be used for anonymous "
                                      "GET requests.");
    return !x->failed;
}

static struct str override_of(struct exchange *x, struct str header)
{
    for (size_t i = 0; i < ARRAY_LEN(overrides); i++)
        if (str_is_nocase(header, overrides[i].header))
            return exchange_param(x, overrides[i].param);
    return (struct str){ 0 };
}

static size_t tag_count(struct str tags)
{
    struct str name = { 0 }, value = { 0 };
    size_t n = 0;

    while (uri_query_next(&tags, &name, &value))
        n++;
    return n;
}

static void put_stored_headers(struct exchange *x, const struct record *record)
{
    bool has_type = false;

    for (size_t i = 0; i < record->header_count; i++) {
        const struct record_header *h = &record->headers[i];
        if (override_of(x, h->name).p)
            continue;
        has_type |= str_is_nocase(h->name, "content-type");
        http_response_header(x->response, h->name.p, "%.*s", STR_ARG(h->value));
    }
    for (size_t i = 0; i < ARRAY_LEN(overrides); i++) {
        struct str value = exchange_param(x, overrides[i].param);
        if (!value.p)
            continue;
        has_type |= i == 0;
        http_response_header(x->response, overrides[i].header, "%.*s", STR_ARG(value));
    }
    if (!has_type)
        http_response_header(x->response, "Content-Type", "binary/octet-stream");
}

static void put_validators(struct exchange *x, const struct record *record)
{
    char date[HTTP_DATE_MAX];

    http_date_format(record->modified_ms, date);
    http_response_header(x->response, "ETag", "\"%s\"", record->etag);
    http_response_header(x->response, "Last-Modified", "%s", date);
    http_response_header(x->response, "Accept-Ranges", "bytes");
}

/* Range of ?partNumber=n; false: failed. */
static bool find_part(struct exchange *x, const struct record *record, int64_t number, uint64_t *offset, uint64_t *size)
{
    if (!record->part_count && number == 1)
        return true;
    if (number < 1 || (size_t)number > record->part_count) {
        x->failed = exchange_fail(x, S3_INVALID_RANGE, "The requested partnumber is not satisfiable");
        return false;
    }
    *offset = 0;
    for (int64_t i = 0; i < number - 1; i++)
        *offset += record->parts[i].size;
    *size = record->parts[number - 1].size;
    if (record->part_count > 1)
        http_response_header(x->response, "x-amz-mp-parts-count", "%zu", record->part_count);
    return true;
}

/* Status and range; false: failed. */
static bool choose_range(struct exchange *x, const struct record *record, uint64_t *offset, uint64_t *size)
{
    struct str range = exchange_header(x, "range"), part = exchange_param(x, "partNumber");
    int64_t number = 0;

    *offset = 0;
    *size = record->size;
    x->response->status = 200;
    if (part.p) {
        if (!exchange_number(x, "partNumber", 0, INT32_MAX, &number) || !find_part(x, record, number, offset, size))
            return false;
    } else {
        enum range_kind kind = range_parse(range, record->size, offset, size);
        if (kind == RANGE_WHOLE)
            return true;
        if (kind == RANGE_UNSATISFIABLE) {
            http_response_header(x->response, "Content-Range", "bytes */%llu", (unsigned long long)record->size);
            x->failed = S3_INVALID_RANGE;
            return false;
        }
    }
    x->response->status = 206;
    if (*size)
        http_response_header(x->response, "Content-Range", "bytes %llu-%llu/%llu", (unsigned long long)*offset,
                             (unsigned long long)(*offset + *size - 1), (unsigned long long)record->size);
    return true;
}

/* Small ones go out of memory, what lies in one file goes as that file, the rest as a stream. */
static void send_bytes(struct exchange *x, struct download *download, uint64_t size)
{
    struct http_response *response = x->response;
    struct reading *reading = &download->reading;
    ssize_t n = 0;

    if (reading_as_file(reading, &response->file, &response->file_offset)) {
        response->has_file = true;
        response->file_size = size;
        download_end(download);
        return;
    }
    if (size > BLOB_INLINE_MAX) {
        response->stream = download_read;
        response->stream_end = download_end;
        response->stream_user = download;
        response->has_size = true;
        response->size = size;
        return;
    }
    while (response->body.len < size) {
        char *at = buf_reserve(&response->body, (size_t)size - response->body.len);
        n = at ? reading_read(reading, at, (size_t)size - response->body.len) : -1;
        if (n <= 0)
            break;
        buf_commit(&response->body, (size_t)n);
    }
    if (response->body.len < size)
        x->failed = S3_INTERNAL;
    download_end(download);
}

static bool put_answer_headers(struct exchange *x, const struct record *record, uint64_t *offset, uint64_t *size)
{
    struct conditions conditions = exchange_conditions(x, "");

    x->failed = conditions_for_read(&conditions, record);
    if (x->failed == S3_NOT_MODIFIED || !x->failed)
        put_validators(x, record);
    if (x->failed || !choose_range(x, record, offset, size))
        return false;
    put_stored_headers(x, record);
    if (record->tags.len)
        http_response_header(x->response, "x-amz-tagging-count", "%zu", tag_count(record->tags));
    if (*size == record->size && str_is_nocase(exchange_header(x, "x-amz-checksum-mode"), "ENABLED"))
        api_put_checksum_header(x, record);
    return true;
}

void api_get_object(struct exchange *x)
{
    struct str version = exchange_param(x, "versionId");
    uint64_t offset = 0, size = 0;

    if (!check_overrides(x))
        return;
    struct download *download = NEW(struct download);
    x->failed = reading_begin(x->store->index, x->bucket, x->key, &download->arena, &download->reading);
    if (!x->failed && version.len && !str_is(version, "null"))
        x->failed = S3_NO_SUCH_VERSION;
    if (x->failed || !put_answer_headers(x, &download->reading.record, &offset, &size)) {
        download_end(download);
        return;
    }
    reading_set_range(&download->reading, offset, size);
    if (strcmp(x->request->method, "HEAD") != 0) {
        send_bytes(x, download, size);
        return;
    }
    x->response->has_size = true;
    x->response->size = size;
    download_end(download);
}

/* ------------------------------------------------------------ attributes */

static bool wants(struct str list, const char *name)
{
    struct str part = { 0 };

    while (str_cut(&list, ',', &part))
        if (str_is_nocase(str_trim(part), name))
            return true;
    return false;
}

void api_get_object_attributes(struct exchange *x)
{
    CLEANUP(index_read_end) struct index_txn *txn = index_read_begin(x->store->index);
    CLEANUP(buf_free) struct buf out = { 0 };
    struct str wanted = exchange_header(x, "x-amz-object-attributes");
    struct bucket bucket = { 0 };
    struct record record = { 0 };
    char date[HTTP_DATE_MAX];

    x->failed = txn ? bucket_find(txn, x->bucket, &bucket) : S3_INTERNAL;
    if (!x->failed)
        x->failed = object_find(txn, &bucket, x->key, x->arena, &record);
    if (!x->failed && !wanted.len)
        x->failed = exchange_fail(x, S3_INVALID_ARGUMENT, "x-amz-object-attributes is required.");
    if (x->failed)
        return;
    answer_xml_begin(&out, "GetObjectAttributesResponse");
    if (wants(wanted, "ETag"))
        xml_put(&out, "ETag", str_of(record.etag));
    if (wants(wanted, "Checksum") && record.checksum_text[0]) {
        buf_puts(&out, "<Checksum>");
        answer_put_checksum(&out, &record);
        buf_puts(&out, "</Checksum>");
    }
    if (wants(wanted, "ObjectParts") && record.part_count > 1)
        buf_printf(&out, "<ObjectParts><TotalPartsCount>%zu</TotalPartsCount></ObjectParts>", record.part_count);
    if (wants(wanted, "StorageClass"))
        xml_put(&out, "StorageClass", STR("STANDARD"));
    if (wants(wanted, "ObjectSize"))
        xml_printf(&out, "ObjectSize", "%llu", (unsigned long long)record.size);
    http_date_format(record.modified_ms, date);
    http_response_header(x->response, "Last-Modified", "%s", date);
    answer_xml_end(x, &out, "GetObjectAttributesResponse");
}
