/* Listings of objects over HTTP: V1, V2, and versions of unversioned buckets. */
#include <string.h>

#include "lake/store/api.h"
#include "lake/store/listing.h"

struct page {
    struct buf objects, prefixes;
    bool encode, fetch_owner, as_versions;
};

static void put_key(struct buf *out, const char *name, struct str text, bool encode)
{
    CLEANUP(buf_free) struct buf encoded = { 0 };

    if (encode)
        uri_encode(&encoded, text, true);
    xml_put(out, name, encode ? buf_str(&encoded) : text);
}

static void on_object(void *user, struct str key, const struct record *head)
{
    struct page *page = user;
    struct buf *out = &page->objects;
    const char *element = page->as_versions ? "Version" : "Contents";

    buf_printf(out, "<%s>", element);
    put_key(out, "Key", key, page->encode);
    if (page->as_versions)
        buf_puts(out, "<VersionId>null</VersionId><IsLatest>true</IsLatest>");
    answer_put_time(out, "LastModified", head->modified_ms);
    answer_put_etag(out, head->etag);
    if (head->checksum) {
        buf_printf(out, "<ChecksumAlgorithm>%s</ChecksumAlgorithm><ChecksumType>%s</ChecksumType>",
                   checksum_rows[head->checksum].name, head->checksum_is_whole ? "FULL_OBJECT" : "COMPOSITE");
    }
    buf_printf(out, "<Size>%llu</Size>", (unsigned long long)head->size);
    if (page->fetch_owner)
        answer_put_owner(out, "Owner");
    buf_printf(out, "<StorageClass>STANDARD</StorageClass></%s>", element);
}

static void on_prefix(void *user, struct str prefix)
{
    struct page *page = user;

    buf_puts(&page->prefixes, "<CommonPrefixes>");
    put_key(&page->prefixes, "Prefix", prefix, page->encode);
    buf_puts(&page->prefixes, "</CommonPrefixes>");
}

static bool read_encoding(struct exchange *x, struct page *page)
{
    struct str encoding = exchange_param(x, "encoding-type");

    page->encode = encoding.len > 0;
    if (encoding.len && !str_is_nocase(encoding, "url"))
        x->failed = exchange_fail(x, S3_INVALID_ARGUMENT, "Invalid Encoding Method specified in Request");
    return !x->failed;
}

/* Common members of all three, begun and run; false: failed. */
static bool run(struct exchange *x, struct listing *listing, struct page *page)
{
    CLEANUP(index_read_end) struct index_txn *txn = NULL;
    struct bucket bucket = { 0 };
    int64_t max = 0;

    if (!read_encoding(x, page) || !exchange_number(x, "max-keys", LISTING_MAX, LISTING_MAX, &max))
        return false;
    listing->prefix = exchange_param(x, "prefix");
    listing->delimiter = exchange_param(x, "delimiter");
    listing->max = (size_t)max;
    listing->on_object = on_object;
    listing->on_prefix = on_prefix;
    listing->user = page;
    txn = index_read_begin(x->store->index);
    x->failed = txn ? bucket_find(txn, x->bucket, &bucket) : S3_INTERNAL;
    if (x->failed)
        return false;
    listing_run(txn, &bucket, listing);
    if (index_failed(txn))
        x->failed = S3_INTERNAL;
    return !x->failed;
}

static void put_head(struct exchange *x, struct buf *out, const struct listing *listing, const struct page *page)
{
    xml_put(out, "Name", x->bucket);
    put_key(out, "Prefix", listing->prefix, page->encode);
    if (listing->delimiter.len)
        put_key(out, "Delimiter", listing->delimiter, page->encode);
    buf_printf(out, "<MaxKeys>%zu</MaxKeys>", listing->max);
    if (page->encode)
        buf_puts(out, "<EncodingType>url</EncodingType>");
    buf_printf(out, "<IsTruncated>%s</IsTruncated>", listing->truncated ? "true" : "false");
}

static void put_rows(struct buf *out, struct page *page)
{
    buf_put_str(out, buf_str(&page->objects));
    buf_put_str(out, buf_str(&page->prefixes));
}

static void page_free(struct page *page)
{
    buf_free(&page->objects);
    buf_free(&page->prefixes);
}

void api_list_objects(struct exchange *x)
{
    CLEANUP(listing_free) struct listing listing = { .after = exchange_param(x, "marker") };
    CLEANUP(page_free) struct page page = { .fetch_owner = true };
    CLEANUP(buf_free) struct buf out = { 0 };

    if (!run(x, &listing, &page))
        return;
    answer_xml_begin(&out, "ListBucketResult");
    put_head(x, &out, &listing, &page);
    put_key(&out, "Marker", listing.after, page.encode);
    if (listing.truncated)
        put_key(&out, "NextMarker", buf_str(&listing.last), page.encode);
    put_rows(&out, &page);
    answer_xml_end(x, &out, "ListBucketResult");
}

bool api_read_token(struct exchange *x, struct str token, struct str *from)
{
    CLEANUP(buf_free) struct buf key = { 0 };

    if (!token.p)
        return true;
    if (!token.len || !decode_base64(token, &key) || !key.len) {
        x->failed = exchange_fail(x, S3_INVALID_ARGUMENT, "The continuation token provided is incorrect");
        return false;
    }
    char *copy = arena_strdup(x->arena, buf_str(&key));
    *from = copy ? str_n(copy, key.len) : STR("");
    return true;
}

void api_list_objects_v2(struct exchange *x)
{
    CLEANUP(listing_free) struct listing listing = { .after = exchange_param(x, "start-after") };
    CLEANUP(page_free) struct page page = { .fetch_owner = str_is_nocase(exchange_param(x, "fetch-owner"), "true") };
    CLEANUP(buf_free) struct buf out = { 0 };
    CLEANUP(buf_free) struct buf next = { 0 };
    struct str token = exchange_param(x, "continuation-token");

    if (!str_is(exchange_param(x, "list-type"), "2")) {
        x->failed = exchange_fail(x, S3_INVALID_ARGUMENT, "Invalid List Type specified in Request");
        return;
    }
    if (!api_read_token(x, token, &listing.from) || !run(x, &listing, &page))
        return;
    answer_xml_begin(&out, "ListBucketResult");
    put_head(x, &out, &listing, &page);
    buf_printf(&out, "<KeyCount>%zu</KeyCount>", listing.count);
    if (listing.after.p)
        put_key(&out, "StartAfter", listing.after, page.encode);
    if (token.p)
        xml_put(&out, "ContinuationToken", token);
    if (listing.truncated) {
        encode_base64(&next, buf_cstr(&listing.next), listing.next.len);
        xml_put(&out, "NextContinuationToken", buf_str(&next));
    }
    put_rows(&out, &page);
    answer_xml_end(x, &out, "ListBucketResult");
}

void api_list_object_versions(struct exchange *x)
{
    CLEANUP(listing_free) struct listing listing = { .after = exchange_param(x, "key-marker") };
    CLEANUP(page_free) struct page page = { .fetch_owner = true, .as_versions = true };
    CLEANUP(buf_free) struct buf out = { 0 };

    if (!run(x, &listing, &page))
        return;
    answer_xml_begin(&out, "ListVersionsResult");
    put_head(x, &out, &listing, &page);
    put_key(&out, "KeyMarker", listing.after, page.encode);
    xml_put(&out, "VersionIdMarker", exchange_param(x, "version-id-marker"));
    if (listing.truncated) {
        put_key(&out, "NextKeyMarker", buf_str(&listing.last), page.encode);
        xml_put(&out, "NextVersionIdMarker", STR("null"));
    }
    put_rows(&out, &page);
    answer_xml_end(x, &out, "ListVersionsResult");
}
