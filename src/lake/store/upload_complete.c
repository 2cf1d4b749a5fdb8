/*
 * Completing an upload: the listed parts become the object, without a copy of their bytes.
 *
 * Subtle: all is checked before anything is written, as index_write demands; the parts' records are kept
 * in the arena between the two.
 */
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

#include "lake/store/upload_private.h"

enum { ARENA_MAX = 64 << 20 };

struct chosen {
    int number;
    struct record record;
};

/* Every listed part must be there, with its ETag, and be large enough unless it is the last. */
static enum s3_error choose_parts(struct index_txn *txn, const struct upload_complete *complete, struct arena *arena,
                                  struct chosen *chosen)
{
    for (size_t i = 0; i < complete->count; i++) {
        const struct completed_part *want = &complete->parts[i];
        struct record *have = &chosen[i].record;
        if (!part_next(txn, complete->id, want->number, arena, &chosen[i].number, have) ||
            chosen[i].number != want->number || !str_is(want->etag, have->etag))
            return index_failed(txn) ? S3_INTERNAL : S3_INVALID_PART;
        if (want->checksum.p && !str_is(want->checksum, have->checksum_text))
            return S3_INVALID_PART;
        if (i + 1 < complete->count && have->size < PART_SIZE_MIN)
            return S3_ENTITY_TOO_SMALL;
    }
    return S3_NONE;
}

static void make_etag(const struct chosen *chosen, size_t count, char out[static ETAG_MAX])
{
    CLEANUP(buf_free) struct buf bytes = { 0 };
    CLEANUP(buf_free) struct buf hex = { 0 };
    uint8_t digest[EVP_MAX_MD_SIZE];
    unsigned n = 0;

    for (size_t i = 0; i < count; i++)
        decode_hex(str_of(chosen[i].record.etag), &bytes);
    EVP_Digest(buf_cstr(&bytes), bytes.len, digest, &n, EVP_md5(), NULL);
    encode_hex(&hex, digest, n);
    snprintf(out, ETAG_MAX, "%s-%zu", buf_cstr(&hex), count);
}

static enum s3_error make_checksum(const struct upload_complete *complete, const struct chosen *chosen,
                                   struct arena *arena, struct record *record)
{
    struct checksum_part *parts = arena_array(arena, complete->count + 1, sizeof *parts);
    char text[CHECKSUM_TEXT_MAX] = "";

    if (!record->checksum || !parts)
        return S3_NONE;
    for (size_t i = 0; i < complete->count; i++)
        parts[i] = (struct checksum_part){ chosen[i].record.checksum_text, chosen[i].record.size };
    bool ok = record->checksum_is_whole ? checksum_combine(record->checksum, parts, complete->count, text)
                                        : checksum_composite(record->checksum, parts, complete->count, text);
    if (!ok)
        return S3_INVALID_PART;
    struct str told = complete->checksum;
    if (told.p && !record->checksum_is_whole && !memchr(told.p, '-', told.len)) {
        char *dash = strchr(text, '-'); /* some tell a composite without its number of parts */
        bool same = str_eq(told, str_n(text, dash ? (size_t)(dash - text) : strlen(text)));
        if (!same)
            return S3_BAD_DIGEST;
    } else if (told.p && !str_is(told, text)) {
        return S3_BAD_DIGEST;
    }
    snprintf(record->checksum_text, sizeof record->checksum_text, "%s", text);
    return S3_NONE;
}

static bool make_record(const struct upload_complete *complete, const struct chosen *chosen, struct arena *arena,
                        struct record *record)
{
    record->parts = arena_array(arena, complete->count + 1, sizeof *record->parts);
    if (!record->parts)
        return false;
    for (size_t i = 0; i < complete->count; i++) {
        if (chosen[i].record.part_count)
            record->parts[record->part_count++] = chosen[i].record.parts[0];
        record->size += chosen[i].record.size;
    }
    record->modified_ms = clock_wall_ms();
    record->has_upload = true;
    memcpy(record->upload_id, complete->id, UPLOAD_ID_LEN);
    make_etag(chosen, complete->count, record->etag);
    return true;
}

/* The listed parts' blobs are the object's now; the others' go. */
static void forget_upload(struct index_txn *txn, const struct bucket *bucket, const struct upload_complete *complete,
                          struct arena *arena)
{
    struct upload_row_key row;
    size_t i = 0;
    int number = 0;

    for (struct record part = { 0 }; part_next(txn, complete->id, number, arena, &number, &part); number++) {
        while (i < complete->count && complete->parts[i].number < number)
            i++;
        bool listed = i < complete->count && complete->parts[i].number == number;
        part_drop(txn, complete->id, number, &part, !listed);
    }
    index_delete(txn, INDEX_UPLOAD, upload_row_key(bucket, str_n((const char *)complete->id, UPLOAD_ID_LEN), &row));
}

static enum s3_error apply_complete(struct index_txn *txn, void *user)
{
    CLEANUP(arena_free) struct arena arena = { .max = ARENA_MAX };
    struct upload_complete *complete = user;
    struct upload upload = { 0 };
    struct bucket bucket = { 0 };
    struct record old = { 0 };
    enum s3_error failed = bucket_find(txn, complete->bucket, &bucket);

    if (failed)
        return failed;
    enum s3_error absent = object_find(txn, &bucket, complete->key, &arena, &old);
    if (absent && absent != S3_NO_SUCH_KEY)
        return absent;
    failed = upload_find(txn, &bucket, complete->key, complete->id, &arena, &upload);
    if (failed == S3_NO_SUCH_UPLOAD && !absent && old.has_upload &&
        memcmp(old.upload_id, complete->id, UPLOAD_ID_LEN) == 0) {
        complete->result = old; /* told again */
        return S3_NONE;
    }
    struct chosen *chosen = arena_array(&arena, complete->count + 1, sizeof *chosen);
    if (!failed)
        failed = conditions_for_write(complete->conditions, absent ? NULL : &old);
    if (!failed)
        failed = chosen ? choose_parts(txn, complete, &arena, chosen) : S3_INTERNAL;
    if (!failed && !make_record(complete, chosen, &arena, &upload.record))
        failed = S3_INTERNAL;
    if (!failed)
        failed = make_checksum(complete, chosen, &arena, &upload.record);
    if (failed)
        return failed;
    forget_upload(txn, &bucket, complete, &arena);
    object_replace(txn, &bucket, complete->key, absent ? NULL : &old, &upload.record);
    complete->result = upload.record;
    return S3_NONE;
}

enum s3_error upload_complete(struct index *index, struct upload_complete *complete)
{
    enum s3_error failed = index_write(index, apply_complete, complete);

    complete->result.parts = NULL; /* they went with the arena */
    complete->result.headers = NULL;
    complete->result.part_count = complete->result.header_count = 0;
    return failed;
}
