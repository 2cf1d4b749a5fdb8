/* Objects over HTTP: put, delete, bulk delete; and what a request says of the record it makes. */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "lake/store/api.h"
#include "lake/store/demand.h"

/* Headers stored with an object, besides x-amz-meta-*. */
static const char *const kept_headers[] = { "content-type",     "cache-control",    "content-disposition",
                                            "content-encoding", "content-language", "expires" };

/* "aws-chunked,gzip" was sent as "gzip". */
static struct str without_aws_chunked(struct exchange *x, struct str value)
{
    CLEANUP(buf_free) struct buf out = { 0 };
    struct str left = value, part = { 0 };

    while (str_cut(&left, ',', &part)) {
        part = str_trim(part);
        if (!part.len || str_is_nocase(part, "aws-chunked"))
            continue;
        if (out.len)
            buf_putc(&out, ',');
        buf_put_str(&out, part);
    }
    char *copy = arena_strdup(x->arena, buf_str(&out));
    return copy ? str_n(copy, out.len) : STR("");
}

static void add_kept(struct record *record, const char *name, struct str value)
{
    if (record->header_count < RECORD_HEADERS_MAX)
        record->headers[record->header_count++] = (struct record_header){ str_of(name), value };
}

static enum s3_error read_metadata(struct exchange *x, struct record *record)
{
    size_t total = 0;

    for (size_t i = 0; i < x->header_count; i++) {
        const struct sigv4_header *h = &x->headers[i];
        if (h->name.len <= 11 || strncasecmp(h->name.p, "x-amz-meta-", 11) != 0)
            continue;
        char *name = arena_strdup(x->arena, h->name);
        if (!name)
            return S3_INTERNAL;
        for (char *p = name; *p; p++)
            *p = (char)(*p >= 'A' && *p <= 'Z' ? *p + 32 : *p);
        total += h->name.len - 11 + h->value.len;
        add_kept(record, name, str_trim(h->value));
    }
    return total > METADATA_MAX ? S3_METADATA_TOO_LARGE : S3_NONE;
}

enum s3_error api_read_record(struct exchange *x, struct record *record)
{
    struct str tags = exchange_header(x, "x-amz-tagging");

    record->headers = arena_array(x->arena, RECORD_HEADERS_MAX, sizeof *record->headers);
    if (!record->headers)
        return S3_INTERNAL;
    for (size_t i = 0; i < ARRAY_LEN(kept_headers); i++) {
        struct str value = exchange_header(x, kept_headers[i]);
        if (strcmp(kept_headers[i], "content-encoding") == 0)
            value = without_aws_chunked(x, value);
        if (value.len)
            add_kept(record, kept_headers[i], value);
    }
    enum s3_error failed = read_metadata(x, record);
    if (!failed && tags.len)
        failed = demand_tags_check(tags, TAGS_MAX);
    record->tags = tags.p ? tags : STR("");
    return failed ? failed : api_check_acl(x);
}

void api_put_checksum_header(struct exchange *x, const struct record *record)
{
    if (!record->checksum || !record->checksum_text[0])
        return;
    http_response_header(x->response, checksum_rows[record->checksum].header, "%s", record->checksum_text);
    http_response_header(x->response, "x-amz-checksum-type", "%s",
                         record->checksum_is_whole ? "FULL_OBJECT" : "COMPOSITE");
}

void api_put_object(struct exchange *x)
{
    struct conditions conditions = exchange_conditions(x, "");
    struct record record = { .size = x->body.size, .checksum = x->body.checksum.kind, .checksum_is_whole = true };
    struct object_put put = { x->bucket, x->key, &conditions, &record, &x->body.blob };

    snprintf(record.etag, sizeof record.etag, "%s", x->body.etag);
    snprintf(record.checksum_text, sizeof record.checksum_text, "%s", x->body.checksum_text);
    x->failed = api_read_record(x, &record);
    if (!x->failed)
        x->failed = object_put(x->store->index, &put);
    if (x->failed)
        return;
    body_free(&x->body, true);
    http_response_header(x->response, "ETag", "\"%s\"", record.etag);
    api_put_checksum_header(x, &record);
    answer_empty(x, 200);
}

/* ---------------------------------------------------------------- delete */

static bool is_null_version(struct str version)
{
    return !version.len || str_is(version, "null");
}

void api_delete_object(struct exchange *x)
{
    struct conditions conditions = exchange_conditions(x, "");
    struct object_delete delete = { x->bucket, &x->key, 1, &conditions };

    x->failed =
        is_null_version(exchange_param(x, "versionId")) ? object_delete(x->store->index, &delete) : S3_NO_SUCH_VERSION;
    if (!x->failed)
        answer_empty(x, 204);
}

static void put_delete_error(struct buf *out, struct str key, enum s3_error error)
{
    buf_puts(out, "<Error>");
    xml_put(out, "Key", key);
    xml_put(out, "Code", str_of(s3_errors[error].code));
    xml_put(out, "Message", str_of(s3_errors[error].message));
    buf_puts(out, "</Error>");
}

void api_delete_objects(struct exchange *x)
{
    CLEANUP(buf_free) struct buf out = { 0 };
    struct demand_delete demand = { 0 };
    struct object_delete delete = { .bucket = x->bucket };

    x->failed = demand_delete_read(buf_str(&x->body.text), x->arena, &demand);
    if (x->failed)
        return;
    struct str *keys = arena_array(x->arena, demand.count, sizeof *keys);
    for (size_t i = 0; keys && i < demand.count; i++)
        if (is_null_version(demand.versions[i]))
            keys[delete.count++] = demand.keys[i];
    delete.keys = keys;
    x->failed = keys ? object_delete(x->store->index, &delete) : S3_INTERNAL;
    if (x->failed)
        return;
    answer_xml_begin(&out, "DeleteResult");
    for (size_t i = 0; i < demand.count; i++) {
        if (!is_null_version(demand.versions[i])) {
            put_delete_error(&out, demand.keys[i], S3_NO_SUCH_VERSION);
        } else if (!demand.quiet) {
            buf_puts(&out, "<Deleted>");
            xml_put(&out, "Key", demand.keys[i]);
            buf_puts(&out, "</Deleted>");
        }
    }
    answer_xml_end(x, &out, "DeleteResult");
}
