/* Listings of objects and buckets; see s3.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "net/http_date.h"
#include "net/s3_call.h"
#include "net/uri.h"
#include "net/xml.h"

struct page {
    struct s3_listing *listing;
    struct s3_object next; /* the one being read */
    char *token;           /* absent: this was the last page */
    bool truncated;
    bool is_encoded; /* not every server encodes when asked to; told before or after the keys */
};

/* "2026-01-31T23:59:59.123Z" */
static int64_t parse_modified(struct str text)
{
    char seconds[24];
    int64_t ms = 0, fraction = 0;

    if (text.len < 20)
        return 0;
    snprintf(seconds, sizeof seconds, "%.19sZ", text.p);
    if (!http_date_parse(str_of(seconds), &ms))
        return 0;
    if (text.len >= 24 && str_to_i64(str_n(text.p + 20, 3), 0, 999, &fraction))
        ms += fraction;
    return ms;
}

static void decode(char **text)
{
    CLEANUP(buf_free) struct buf plain = { 0 };

    uri_decode(&plain, str_of(*text), true);
    free(*text);
    *text = buf_take(&plain);
}

/* Names are kept as they were told until the page's end. */
static void decode_names(struct s3_listing *listing, size_t first_object, size_t first_prefix)
{
    for (size_t i = first_object; i < listing->count; i++)
        decode(&listing->objects[i].key);
    for (size_t i = first_prefix; i < listing->prefix_count; i++)
        decode(&listing->prefixes[i]);
}

static void add_object(struct page *page)
{
    struct s3_listing *listing = page->listing;

    if (!(listing->count & (listing->count - 1)))
        listing->objects = mem_grow(listing->objects, MAX(listing->count * 2, (size_t)1), sizeof *listing->objects);
    listing->objects[listing->count++] = page->next;
    page->next = (struct s3_object){ 0 };
}

static void add_prefix(struct page *page, struct str text)
{
    struct s3_listing *listing = page->listing;

    listing->prefixes = mem_grow(listing->prefixes, listing->prefix_count + 1, sizeof *listing->prefixes);
    listing->prefixes[listing->prefix_count++] = str_dup(text);
}

static void on_content(struct page *page, const char *name, struct str text)
{
    int64_t size = 0;

    if (strcmp(name, "/Key") == 0 && !page->next.key)
        page->next.key = str_dup(text);
    else if (strcmp(name, "/Size") == 0 && str_to_i64(text, 0, INT64_MAX, &size))
        page->next.size = (uint64_t)size;
    else if (strcmp(name, "/LastModified") == 0)
        page->next.modified_ms = parse_modified(text);
    else if (strcmp(name, "/ETag") == 0) {
        CLEANUP_FREE char *quoted = str_dup(text);
        s3_copy_etag(quoted, page->next.etag);
    } else if (!name[0] && page->next.key) {
        add_object(page);
    }
}

static enum rc on_element(void *user, const char *path, struct str text)
{
    struct page *page = user;

    if (strncmp(path, "ListBucketResult/Contents", 25) == 0)
        on_content(page, path + 25, text);
    else if (strcmp(path, "ListBucketResult/CommonPrefixes/Prefix") == 0)
        add_prefix(page, text);
    else if (strcmp(path, "ListBucketResult/IsTruncated") == 0)
        page->truncated = str_is(text, "true");
    else if (strcmp(path, "ListBucketResult/EncodingType") == 0)
        page->is_encoded = str_is_nocase(text, "url");
    else if (strcmp(path, "ListBucketResult/NextContinuationToken") == 0 && !page->token)
        page->token = str_dup(text);
    return RC_OK;
}

/* The query's parameters in order of name, as signatures want them. */
static void put_query(struct buf *query, const char *token, const char *prefix, const char *delimiter,
                      const char *start_after)
{
    if (token)
        s3_put_param(query, "continuation-token", token);
    if (delimiter)
        s3_put_param(query, "delimiter", delimiter);
    s3_put_param(query, "encoding-type", "url");
    s3_put_param(query, "list-type", "2");
    buf_printf(query, "&max-keys=%d", S3_PAGE_KEYS);
    s3_put_param(query, "prefix", prefix ? prefix : "");
    if (start_after)
        s3_put_param(query, "start-after", start_after);
}

static enum rc list_page(struct s3_client *client, const char *bucket, const char *query, struct page *page,
                         struct err *err)
{
    struct s3_call call = { .doing = "list", .method = "GET", .bucket = bucket, .query = query };
    struct xml_reader reader = { on_element, page };
    struct http_answer answer = { 0 };
    size_t objects = page->listing->count, prefixes = page->listing->prefix_count;
    enum rc rc = s3_call(client, &call, &answer, err);

    if (rc)
        return rc;
    page->truncated = page->is_encoded = false;
    rc = xml_read(buf_str(&answer.body), &reader, err);
    if (!rc && page->is_encoded)
        decode_names(page->listing, objects, prefixes);
    http_answer_free(&answer);
    return rc ? err_wrap(err, "cannot list '%s'", bucket) : RC_OK;
}

enum rc s3_list(struct s3_client *client, const char *bucket, const char *prefix, const char *delimiter,
                const char *start_after, struct s3_listing *out, struct err *err)
{
    struct page page = { .listing = out };
    struct err own = { 0 };
    enum rc rc = RC_OK;

    *out = (struct s3_listing){ 0 };
    do {
        CLEANUP(buf_free) struct buf query = { 0 };
        CLEANUP_FREE char *token = TAKE_PTR(page.token);
        put_query(&query, token, prefix, delimiter, start_after);
        rc = list_page(client, bucket, buf_cstr(&query), &page, &own);
        if (!rc && page.truncated && token && page.token && strcmp(token, page.token) == 0)
            rc = err_set(&own, RC_BAD_INPUT, "cannot list '%s': the server gives the same page again", bucket);
    } while (!rc && page.truncated && page.token);
    free(page.token);
    free(page.next.key);
    if (rc && err)
        *err = own;
    if (rc)
        s3_listing_free(out);
    return rc;
}

void s3_listing_free(struct s3_listing *listing)
{
    for (size_t i = 0; i < listing->count; i++)
        free(listing->objects[i].key);
    for (size_t i = 0; i < listing->prefix_count; i++)
        free(listing->prefixes[i]);
    free(listing->objects);
    free(listing->prefixes);
    *listing = (struct s3_listing){ 0 };
}

struct names {
    char **names;
    size_t count;
};

static enum rc on_bucket(void *user, const char *path, struct str text)
{
    struct names *found = user;

    if (strcmp(path, "ListAllMyBucketsResult/Buckets/Bucket/Name") != 0)
        return RC_OK;
    found->names = mem_grow(found->names, found->count + 1, sizeof *found->names);
    found->names[found->count++] = str_dup(text);
    return RC_OK;
}

enum rc s3_list_buckets(struct s3_client *client, char ***names, size_t *count, struct err *err)
{
    struct s3_call call = { .doing = "list buckets of", .method = "GET" };
    struct names found = { 0 };
    struct xml_reader reader = { on_bucket, &found };
    struct http_answer answer = { 0 };
    enum rc rc = s3_call(client, &call, &answer, err);

    if (rc)
        return rc;
    rc = xml_read(buf_str(&answer.body), &reader, err);
    http_answer_free(&answer);
    if (rc) {
        while (found.count > 0)
            free(found.names[--found.count]);
        free(found.names);
        return err_wrap(err, "cannot list buckets");
    }
    *names = found.names;
    *count = found.count;
    return RC_OK;
}
