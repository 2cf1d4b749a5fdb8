/* Requests' XML by rows of paths; see demand.h. */
#include "lake/store/demand.h"

#include <string.h>

#include "net/net.h"

static struct str kept(struct arena *arena, struct str text)
{
    char *copy = arena_strdup(arena, text);

    return copy ? str_n(copy, text.len) : (struct str){ 0 };
}

/* --------------------------------------------------------------- delete */

struct delete_reading {
    struct demand_delete *out;
    struct arena *arena;
    struct str key, version;
};

static enum rc on_delete(void *user, const char *path, struct str text)
{
    struct delete_reading *r = user;

    if (strcmp(path, "Delete/Object/Key") == 0)
        r->key = kept(r->arena, text);
    else if (strcmp(path, "Delete/Object/VersionId") == 0)
        r->version = kept(r->arena, text);
    else if (strcmp(path, "Delete/Quiet") == 0)
        r->out->quiet = str_is_nocase(str_trim(text), "true");
    else if (strcmp(path, "Delete/Object") == 0) {
        if (!r->key.len || r->out->count == DELETE_KEYS_MAX)
            return RC_BAD_INPUT;
        r->out->versions[r->out->count] = r->version;
        r->out->keys[r->out->count++] = r->key;
        r->key = r->version = (struct str){ 0 };
    }
    return RC_OK;
}

enum s3_error demand_delete_read(struct str document, struct arena *arena, struct demand_delete *out)
{
    struct delete_reading r = { .out = out, .arena = arena };
    struct xml_reader reader = { on_delete, &r };

    *out = (struct demand_delete){ .keys = arena_array(arena, DELETE_KEYS_MAX, sizeof *out->keys),
                                   .versions = arena_array(arena, DELETE_KEYS_MAX, sizeof *out->versions) };
    if (!out->keys || !out->versions)
        return S3_INTERNAL;
    return xml_read(document, &reader, NULL) || !out->count ? S3_MALFORMED_XML : S3_NONE;
}

/* -------------------------------------------------------------- complete */

struct complete_reading {
    struct demand_complete *out;
    struct arena *arena;
    struct completed_part part;
    bool disorder;
};

static enum rc on_part(struct complete_reading *r)
{
    struct demand_complete *out = r->out;

    if (!r->part.number || !r->part.etag.len || out->count == PARTS_MAX)
        return RC_BAD_INPUT;
    if (out->count && out->parts[out->count - 1].number >= r->part.number)
        r->disorder = true;
    out->parts[out->count++] = r->part;
    r->part = (struct completed_part){ 0 };
    return RC_OK;
}

static enum rc on_complete(void *user, const char *path, struct str text)
{
    static const char inside[] = "CompleteMultipartUpload/Part";
    struct complete_reading *r = user;
    int64_t number = 0;

    if (strncmp(path, inside, sizeof inside - 1) != 0)
        return RC_OK;
    path += sizeof inside - 1;
    text = str_trim(text);
    if (!path[0])
        return on_part(r);
    if (strcmp(path, "/PartNumber") == 0) {
        if (!str_to_i64(text, 1, PARTS_MAX, &number))
            return RC_BAD_INPUT;
        r->part.number = (int)number;
    } else if (strcmp(path, "/ETag") == 0) {
        if (text.len >= 2 && text.p[0] == '"' && text.p[text.len - 1] == '"')
            text = str_n(text.p + 1, text.len - 2);
        r->part.etag = kept(r->arena, text);
    } else if (strncmp(path, "/Checksum", 9) == 0) {
        r->part.checksum = kept(r->arena, text);
    }
    return RC_OK;
}

enum s3_error demand_complete_read(struct str document, struct arena *arena, struct demand_complete *out)
{
    struct complete_reading r = { .out = out, .arena = arena };
    struct xml_reader reader = { on_complete, &r };

    *out = (struct demand_complete){ .parts = arena_array(arena, PARTS_MAX, sizeof *out->parts) };
    if (!out->parts)
        return S3_INTERNAL;
    if (xml_read(document, &reader, NULL) || !out->count)
        return S3_MALFORMED_XML;
    return r.disorder ? S3_INVALID_PART_ORDER : S3_NONE;
}

/* ------------------------------------------------------------------ tags */

struct tag_reading {
    struct buf query;
    struct arena *arena;
    struct str key, value;
};

static enum rc on_tag(void *user, const char *path, struct str text)
{
    struct tag_reading *r = user;

    if (strcmp(path, "Tagging/TagSet/Tag/Key") == 0)
        r->key = kept(r->arena, text);
    else if (strcmp(path, "Tagging/TagSet/Tag/Value") == 0)
        r->value = kept(r->arena, text);
    else if (strcmp(path, "Tagging/TagSet/Tag") == 0) {
        if (r->query.len)
            buf_putc(&r->query, '&');
        uri_encode(&r->query, r->key, false);
        buf_putc(&r->query, '=');
        uri_encode(&r->query, r->value, false);
        r->key = r->value = (struct str){ 0 };
    }
    return RC_OK;
}

static bool has_tag_before(struct str query, struct str name, size_t at)
{
    struct str other = { 0 }, value = { 0 };

    for (size_t i = 0; i < at && uri_query_next(&query, &other, &value); i++)
        if (str_eq(other, name))
            return true;
    return false;
}

enum s3_error demand_tags_check(struct str query, size_t max)
{
    struct str left = query, name = { 0 }, value = { 0 };
    size_t count = 0;

    for (; uri_query_next(&left, &name, &value); count++) {
        CLEANUP(buf_free) struct buf key_text = { 0 };
        CLEANUP(buf_free) struct buf value_text = { 0 };
        uri_decode(&key_text, name, true);
        uri_decode(&value_text, value, true);
        if (!key_text.len || key_text.len > TAG_KEY_MAX || value_text.len > TAG_VALUE_MAX ||
            has_tag_before(query, name, count) || count == max)
            return S3_INVALID_TAG;
    }
    return S3_NONE;
}

enum s3_error demand_tags_read(struct str document, size_t max, struct arena *arena, struct str *out)
{
    struct tag_reading r = { .arena = arena };
    struct xml_reader reader = { on_tag, &r };
    enum s3_error failed = xml_read(document, &reader, NULL) ? S3_MALFORMED_XML : S3_NONE;

    if (!failed)
        failed = demand_tags_check(buf_str(&r.query), max);
    *out = kept(arena, buf_str(&r.query));
    buf_free(&r.query);
    return failed;
}
