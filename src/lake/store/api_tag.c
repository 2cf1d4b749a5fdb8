/* Tags of objects and buckets. */
#include "lake/store/api.h"
#include "lake/store/demand.h"

static void answer_tags(struct exchange *x, struct str tags)
{
    CLEANUP(buf_free) struct buf out = { 0 };
    struct str name = { 0 }, value = { 0 };

    answer_xml_begin(&out, "Tagging");
    buf_puts(&out, "<TagSet>");
    while (uri_query_next(&tags, &name, &value)) {
        CLEANUP(buf_free) struct buf key_text = { 0 };
        CLEANUP(buf_free) struct buf value_text = { 0 };
        uri_decode(&key_text, name, true);
        uri_decode(&value_text, value, true);
        buf_puts(&out, "<Tag>");
        xml_put(&out, "Key", buf_str(&key_text));
        xml_put(&out, "Value", buf_str(&value_text));
        buf_puts(&out, "</Tag>");
    }
    buf_puts(&out, "</TagSet>");
    answer_xml_end(x, &out, "Tagging");
}

void api_get_object_tagging(struct exchange *x)
{
    CLEANUP(index_read_end) struct index_txn *txn = index_read_begin(x->store->index);
    struct bucket bucket = { 0 };
    struct record record = { 0 };

    x->failed = txn ? bucket_find(txn, x->bucket, &bucket) : S3_INTERNAL;
    if (!x->failed)
        x->failed = object_find(txn, &bucket, x->key, x->arena, &record);
    if (!x->failed)
        answer_tags(x, record.tags);
}

void api_put_object_tagging(struct exchange *x)
{
    struct str tags = { 0 };

    x->failed = demand_tags_read(buf_str(&x->body.text), TAGS_MAX, x->arena, &tags);
    if (!x->failed)
        x->failed = object_set_tags(x->store->index, x->bucket, x->key, tags);
    if (!x->failed)
        answer_empty(x, 200);
}

void api_delete_object_tagging(struct exchange *x)
{
    x->failed = object_set_tags(x->store->index, x->bucket, x->key, STR(""));
    if (!x->failed)
        answer_empty(x, 204);
}

void api_get_bucket_tagging(struct exchange *x)
{
    CLEANUP(index_read_end) struct index_txn *txn = index_read_begin(x->store->index);
    struct bucket bucket = { 0 };

    x->failed = txn ? bucket_find(txn, x->bucket, &bucket) : S3_INTERNAL;
    if (!x->failed && !bucket.tags.len)
        x->failed = S3_NO_SUCH_TAG_SET;
    if (!x->failed)
        answer_tags(x, bucket.tags);
}

void api_put_bucket_tagging(struct exchange *x)
{
    struct str tags = { 0 };

    x->failed = demand_tags_read(buf_str(&x->body.text), BUCKET_TAGS_MAX, x->arena, &tags);
    if (!x->failed)
        x->failed = bucket_set_tags(x->store->index, x->bucket, tags);
    if (!x->failed)
        answer_empty(x, 204);
}

void api_delete_bucket_tagging(struct exchange *x)
{
    x->failed = bucket_set_tags(x->store->index, x->bucket, STR(""));
    if (!x->failed)
        answer_empty(x, 204);
}
