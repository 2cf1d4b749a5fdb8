/* Buckets over HTTP. */
#include <string.h>
#include <strings.h>

#include "lake/store/api.h"
#include "lake/store/policy.h"

/* The bucket's record; views live as long as the transaction. */
static bool find(struct exchange *x, struct index_txn *txn, struct bucket *bucket)
{
    x->failed = txn ? bucket_find(txn, x->bucket, bucket) : S3_INTERNAL;
    return !x->failed;
}

/* Rows from a name on, until max; what is left begins with *next. */
static void put_buckets(struct index_txn *txn, struct str from, struct str prefix, int64_t max, struct buf *out,
                        struct buf *next)
{
    CLEANUP(buf_free) struct buf at = { 0 };
    struct str name = { 0 };
    struct bucket bucket = { 0 };

    buf_put_str(&at, from);
    while (bucket_next(txn, buf_str(&at), &name, &bucket)) {
        buf_clear(&at);
        buf_put_str(&at, name);
        buf_putc(&at, '\0');
        if (prefix.len && (name.len < prefix.len || memcmp(name.p, prefix.p, prefix.len) != 0))
            continue;
        if (!max--) {
            buf_put_str(next, name);
            return;
        }
        buf_puts(out, "<Bucket>");
        xml_put(out, "Name", name);
        answer_put_time(out, "CreationDate", bucket.created_ms);
        buf_puts(out, "</Bucket>");
    }
}

void api_list_buckets(struct exchange *x)
{
    CLEANUP(index_read_end) struct index_txn *txn = index_read_begin(x->store->index);
    CLEANUP(buf_free) struct buf out = { 0 };
    CLEANUP(buf_free) struct buf next = { 0 };
    CLEANUP(buf_free) struct buf token = { 0 };
    struct str from = { 0 }, prefix = exchange_param(x, "prefix");
    int64_t max = 0;

    if (!exchange_number(x, "max-buckets", BUCKETS_MAX, BUCKETS_MAX, &max) ||
        !api_read_token(x, exchange_param(x, "continuation-token"), &from))
        return;
    if (!max) {
        x->failed = exchange_fail(x, S3_INVALID_ARGUMENT, "Argument max-buckets must be between 1 and %d", BUCKETS_MAX);
        return;
    }
    answer_xml_begin(&out, "ListAllMyBucketsResult");
    answer_put_owner(&out, "Owner");
    buf_puts(&out, "<Buckets>");
    if (txn)
        put_buckets(txn, from, prefix, max, &out, &next);
    buf_puts(&out, "</Buckets>");
    if (prefix.p)
        xml_put(&out, "Prefix", prefix);
    if (next.len) {
        encode_base64(&token, buf_cstr(&next), next.len);
        xml_put(&out, "ContinuationToken", buf_str(&token));
    }
    if (!txn || index_failed(txn))
        x->failed = S3_INTERNAL;
    else
        answer_xml_end(x, &out, "ListAllMyBucketsResult");
}

void api_create_bucket(struct exchange *x)
{
    if (!bucket_name_is_valid(x->bucket)) {
        x->failed = S3_INVALID_BUCKET_NAME;
        return;
    }
    if (str_is_nocase(exchange_header(x, "x-amz-bucket-object-lock-enabled"), "true")) {
        x->failed = exchange_fail(x, S3_NOT_IMPLEMENTED, "Object Lock is not implemented.");
        return;
    }
    x->failed = api_check_acl(x);
    if (!x->failed)
        x->failed = bucket_create(x->store->index, x->bucket);
    if (x->failed)
        return;
    http_response_header(x->response, "Location", "/%.*s", STR_ARG(x->bucket));
    answer_empty(x, 200);
}

void api_delete_bucket(struct exchange *x)
{
    x->failed = bucket_delete(x->store->index, x->bucket);
    if (!x->failed)
        answer_empty(x, 204);
}

void api_head_bucket(struct exchange *x)
{
    CLEANUP(index_read_end) struct index_txn *txn = index_read_begin(x->store->index);
    struct bucket bucket = { 0 };

    if (find(x, txn, &bucket))
        answer_empty(x, 200);
}

void api_bucket_without(struct exchange *x)
{
    CLEANUP(index_read_end) struct index_txn *txn = index_read_begin(x->store->index);
    struct bucket bucket = { 0 };

    if (find(x, txn, &bucket))
        x->failed = x->operation->answer;
}

void api_get_bucket_location(struct exchange *x)
{
    CLEANUP(index_read_end) struct index_txn *txn = index_read_begin(x->store->index);
    CLEANUP(buf_free) struct buf out = { 0 };
    struct bucket bucket = { 0 };

    if (!find(x, txn, &bucket))
        return;
    answer_xml_begin(&out, "LocationConstraint");
    if (strcmp(x->store->region, "us-east-1") != 0)
        xml_escape(&out, str_of(x->store->region));
    answer_xml_end(x, &out, "LocationConstraint");
}

void api_get_bucket_versioning(struct exchange *x)
{
    CLEANUP(index_read_end) struct index_txn *txn = index_read_begin(x->store->index);
    CLEANUP(buf_free) struct buf out = { 0 };
    struct bucket bucket = { 0 };

    if (!find(x, txn, &bucket))
        return;
    answer_xml_begin(&out, "VersioningConfiguration");
    answer_xml_end(x, &out, "VersioningConfiguration");
}

static enum rc on_versioning(void *user, const char *path, struct str text)
{
    if (strcmp(path, "VersioningConfiguration/Status") == 0)
        *(bool *)user = str_is(text, "Enabled");
    return RC_OK;
}

void api_put_bucket_versioning(struct exchange *x)
{
    bool enabled = false;
    struct xml_reader reader = { on_versioning, &enabled };

    if (xml_read(buf_str(&x->body.text), &reader, NULL))
        x->failed = S3_MALFORMED_XML;
    else if (enabled)
        x->failed = exchange_fail(x, S3_NOT_IMPLEMENTED, "Versioning is not implemented.");
    else
        api_head_bucket(x);
}

/* ---------------------------------------------------------------- policy */

void api_get_bucket_policy(struct exchange *x)
{
    CLEANUP(index_read_end) struct index_txn *txn = index_read_begin(x->store->index);
    struct bucket bucket = { 0 };

    if (!find(x, txn, &bucket))
        return;
    if (!bucket.policy.len) {
        x->failed = S3_NO_SUCH_POLICY;
        return;
    }
    x->response->status = 200;
    x->response->content_type = "application/json";
    buf_put_str(&x->response->body, bucket.policy);
}

void api_put_bucket_policy(struct exchange *x)
{
    struct str policy = buf_str(&x->body.text);
    struct err err = { 0 };

    if (policy.len > BUCKET_POLICY_MAX) {
        x->failed =
            exchange_fail(x, S3_MALFORMED_POLICY, "Policies must not be larger than %d bytes.", BUCKET_POLICY_MAX);
        return;
    }
    x->failed = policy_check(policy, x->bucket, &err);
    if (x->failed)
        exchange_fail(x, x->failed, "%s", err.text);
    else
        x->failed = bucket_set_policy(x->store->index, x->bucket, policy);
    if (!x->failed)
        answer_empty(x, 204);
}

void api_delete_bucket_policy(struct exchange *x)
{
    x->failed = bucket_set_policy(x->store->index, x->bucket, STR(""));
    if (!x->failed)
        answer_empty(x, 204);
}

void api_get_bucket_policy_status(struct exchange *x)
{
    CLEANUP(index_read_end) struct index_txn *txn = index_read_begin(x->store->index);
    CLEANUP(buf_free) struct buf out = { 0 };
    struct policy_question get = { "s3:GetObject", x->bucket, STR("any") };
    struct bucket bucket = { 0 };

    if (!find(x, txn, &bucket))
        return;
    answer_xml_begin(&out, "PolicyStatus");
    xml_put(&out, "IsPublic", policy_allows(bucket.policy, &get) ? STR("true") : STR("false"));
    answer_xml_end(x, &out, "PolicyStatus");
}

/* ------------------------------------------------------------------- acl */

enum s3_error api_check_acl(struct exchange *x)
{
    static const char *const harmless[] = { "private", "bucket-owner-read", "bucket-owner-full-control" };
    struct str acl = exchange_header(x, "x-amz-acl");

    for (size_t i = 0; i < x->header_count; i++)
        if (x->headers[i].name.len > 12 && strncasecmp(x->headers[i].name.p, "x-amz-grant-", 12) == 0)
            return S3_ACL_NOT_SUPPORTED;
    if (!acl.len)
        return S3_NONE;
    for (size_t i = 0; i < ARRAY_LEN(harmless); i++)
        if (str_is(acl, harmless[i]))
            return S3_NONE;
    return exchange_fail(x, S3_ACL_NOT_SUPPORTED,
                         "The bucket does not allow ACLs; use a bucket policy for public access.");
}

struct grants {
    int count;
    bool full;
};

static enum rc on_grant(void *user, const char *path, struct str text)
{
    struct grants *grants = user;

    if (strcmp(path, "AccessControlPolicy/AccessControlList/Grant") == 0)
        grants->count++;
    if (strcmp(path, "AccessControlPolicy/AccessControlList/Grant/Permission") == 0)
        grants->full = str_is(text, "FULL_CONTROL");
    return RC_OK;
}

static bool target_exists(struct exchange *x)
{
    CLEANUP(index_read_end) struct index_txn *txn = index_read_begin(x->store->index);
    struct bucket bucket = { 0 };
    struct record record = { 0 };

    if (find(x, txn, &bucket) && x->level == LEVEL_OBJECT)
        x->failed = object_find(txn, &bucket, x->key, x->arena, &record);
    return !x->failed;
}

/* Nothing is kept: all that may be said is what is true anyway. */
void api_put_acl(struct exchange *x)
{
    struct grants grants = { 0 };
    struct xml_reader reader = { on_grant, &grants };

    if (!target_exists(x))
        return;
    x->failed = api_check_acl(x);
    if (x->failed || !x->body.text.len)
        return;
    if (xml_read(buf_str(&x->body.text), &reader, NULL))
        x->failed = S3_MALFORMED_ACL;
    else if (grants.count != 1 || !grants.full)
        x->failed = S3_ACL_NOT_SUPPORTED;
}

void api_get_acl(struct exchange *x)
{
    CLEANUP(buf_free) struct buf out = { 0 };

    if (!target_exists(x))
        return;
    answer_xml_begin(&out, "AccessControlPolicy");
    answer_put_owner(&out, "Owner");
    buf_puts(&out, "<AccessControlList><Grant><Grantee xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" "
                   "xsi:type=\"CanonicalUser\">");
    CLEANUP(buf_free) struct buf owner = { 0 };
    answer_put_owner(&owner, "O");
    buf_append(&out, owner.data + 3, owner.len - 7); /* its inside */
    buf_puts(&out, "</Grantee><Permission>FULL_CONTROL</Permission></Grant></AccessControlList>");
    answer_xml_end(x, &out, "AccessControlPolicy");
}
