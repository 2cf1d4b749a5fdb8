/* Multipart uploads: the upload and its parts; completing is in upload_complete.c.  See upload.h. */
#include "lake/store/upload.h"

#include <stdio.h>
#include <string.h>

#include "lake/store/upload_private.h"

bool upload_id_parse(struct str text, uint8_t out[static UPLOAD_ID_LEN])
{
    CLEANUP(buf_free) struct buf bytes = { 0 };

    if (text.len != UPLOAD_ID_TEXT || !decode_hex(text, &bytes))
        return false;
    memcpy(out, bytes.data, UPLOAD_ID_LEN);
    return true;
}

void upload_id_format(const uint8_t id[static UPLOAD_ID_LEN], char out[static UPLOAD_ID_TEXT + 1])
{
    for (int i = 0; i < UPLOAD_ID_LEN; i++)
        snprintf(out + 2 * i, 3, "%02x", id[i]);
}

struct str upload_row_key(const struct bucket *bucket, struct str id, struct upload_row_key *out)
{
    be64_write(out->bytes, bucket->node);
    if (id.len)
        memcpy(out->bytes + 8, id.p, MIN(id.len, (size_t)UPLOAD_ID_LEN));
    return str_n((char *)out->bytes, 8 + MIN(id.len, (size_t)UPLOAD_ID_LEN));
}

struct str part_row_key(const uint8_t id[static UPLOAD_ID_LEN], int number, struct part_row_key *out)
{
    memcpy(out->bytes, id, UPLOAD_ID_LEN);
    out->bytes[UPLOAD_ID_LEN] = (uint8_t)(number >> 8);
    out->bytes[UPLOAD_ID_LEN + 1] = (uint8_t)number;
    return str_n((char *)out->bytes, sizeof out->bytes);
}

/* --------------------------------------------------------------- upload */

bool upload_decode(struct str bytes, struct arena *arena, struct upload *out)
{
    if (bytes.len < 2)
        return false;
    size_t n = (size_t)((uint8_t)bytes.p[0] << 8 | (uint8_t)bytes.p[1]);
    if (bytes.len < 2 + n)
        return false;
    char *key = arena_strdup(arena, str_n(bytes.p + 2, n));
    out->key = str_n(key, n);
    return key && record_decode(str_skip(bytes, 2 + n), arena, &out->record);
}

enum s3_error upload_find(struct index_txn *txn, const struct bucket *bucket, struct str key,
                          const uint8_t id[static UPLOAD_ID_LEN], struct arena *arena, struct upload *out)
{
    struct upload_row_key row;
    struct str value = { 0 };

    if (!index_get(txn, INDEX_UPLOAD, upload_row_key(bucket, str_n((const char *)id, UPLOAD_ID_LEN), &row), &value))
        return index_failed(txn) ? S3_INTERNAL : S3_NO_SUCH_UPLOAD;
    if (!upload_decode(value, arena, out)) {
        index_fail(txn, "an upload's record is broken");
        return S3_INTERNAL;
    }
    memcpy(out->id, id, UPLOAD_ID_LEN);
    return str_eq(out->key, key) ? S3_NONE : S3_NO_SUCH_UPLOAD;
}

bool upload_next(struct index_txn *txn, const struct bucket *bucket, struct str from, struct arena *arena,
                 struct upload *out)
{
    struct str found = { 0 }, value = { 0 };
    struct upload_row_key row;

    if (!index_seek(txn, INDEX_UPLOAD, upload_row_key(bucket, from, &row), &found, &value) ||
        found.len != sizeof row.bytes || memcmp(found.p, row.bytes, 8) != 0)
        return false;
    memcpy(out->id, found.p + 8, UPLOAD_ID_LEN);
    if (upload_decode(value, arena, out))
        return true;
    index_fail(txn, "an upload's record is broken");
    return false;
}

void upload_encode(const struct upload *upload, struct buf *out)
{
    buf_put_be16(out, (uint16_t)upload->key.len);
    buf_put_str(out, upload->key);
    record_encode(&upload->record, out);
}

struct creation {
    struct str bucket;
    struct upload *upload;
};

static enum s3_error apply_create(struct index_txn *txn, void *user)
{
    CLEANUP(buf_free) struct buf bytes = { 0 };
    struct creation *creation = user;
    struct upload *upload = creation->upload;
    struct bucket bucket = { 0 };
    struct upload_row_key row;
    enum s3_error failed = bucket_find(txn, creation->bucket, &bucket);

    if (failed)
        return failed;
    upload_encode(upload, &bytes);
    index_put(txn, INDEX_UPLOAD, upload_row_key(&bucket, str_n((char *)upload->id, UPLOAD_ID_LEN), &row),
              buf_str(&bytes));
    return S3_NONE;
}

enum s3_error upload_create(struct index *index, struct str bucket, struct upload *upload)
{
    struct creation creation = { bucket, upload };

    random_bytes(upload->id, UPLOAD_ID_LEN);
    upload->record.modified_ms = clock_wall_ms();
    return index_write(index, apply_create, &creation);
}

/* ---------------------------------------------------------------- parts */

bool part_next(struct index_txn *txn, const uint8_t id[static UPLOAD_ID_LEN], int from, struct arena *arena,
               int *number, struct record *out)
{
    struct str found = { 0 }, value = { 0 };
    struct part_row_key row;

    if (!index_seek(txn, INDEX_PART, part_row_key(id, from, &row), &found, &value) || found.len != sizeof row.bytes ||
        memcmp(found.p, id, UPLOAD_ID_LEN) != 0)
        return false;
    *number = (uint8_t)found.p[UPLOAD_ID_LEN] << 8 | (uint8_t)found.p[UPLOAD_ID_LEN + 1];
    if (record_decode(value, arena, out))
        return true;
    index_fail(txn, "a part's record is broken");
    return false;
}

void part_drop(struct index_txn *txn, const uint8_t id[static UPLOAD_ID_LEN], int number, const struct record *record,
               bool with_blob)
{
    struct part_row_key row;

    index_delete(txn, INDEX_PART, part_row_key(id, number, &row));
    for (size_t i = 0; i < record->part_count && with_blob; i++)
        index_blob_drop(txn, record->parts[i].blob);
}

static enum s3_error apply_part(struct index_txn *txn, void *user)
{
    CLEANUP(arena_free) struct arena arena = { 0 };
    CLEANUP(buf_free) struct buf bytes = { 0 };
    struct part_put *put = user;
    struct upload upload = { 0 };
    struct bucket bucket = { 0 };
    struct record old = { 0 };
    struct part_row_key row;
    int number = 0;
    enum s3_error failed = bucket_find(txn, put->bucket, &bucket);

    if (!failed)
        failed = upload_find(txn, &bucket, put->key, put->id, &arena, &upload);
    if (failed)
        return failed;
    if (part_next(txn, put->id, put->number, &arena, &number, &old) && number == put->number)
        part_drop(txn, put->id, number, &old, true);
    struct record_part part = { put->blob->number, put->blob->size };
    put->record->parts = &part;
    put->record->part_count = part.size ? 1 : 0;
    put->record->modified_ms = clock_wall_ms();
    if (part.size)
        index_blob_add(txn, put->blob);
    record_encode(put->record, &bytes);
    index_put(txn, INDEX_PART, part_row_key(put->id, put->number, &row), buf_str(&bytes));
    put->record->parts = NULL;
    put->record->part_count = 0;
    return S3_NONE;
}

enum s3_error part_put(struct index *index, struct part_put *put)
{
    return index_write(index, apply_part, put);
}

/* ---------------------------------------------------------------- abort */

struct abort {
    struct str bucket, key;
    const uint8_t *id;
};

static enum s3_error apply_abort(struct index_txn *txn, void *user)
{
    CLEANUP(arena_free) struct arena arena = { 0 };
    struct abort *abort = user;
    struct upload upload = { 0 };
    struct bucket bucket = { 0 };
    struct upload_row_key row;
    int number = 0;
    enum s3_error failed = bucket_find(txn, abort->bucket, &bucket);

    if (!failed)
        failed = upload_find(txn, &bucket, abort->key, abort->id, &arena, &upload);
    if (failed)
        return failed;
    for (struct record part = { 0 }; part_next(txn, abort->id, number, &arena, &number, &part); number++)
        part_drop(txn, abort->id, number, &part, true);
    index_delete(txn, INDEX_UPLOAD, upload_row_key(&bucket, str_n((const char *)abort->id, UPLOAD_ID_LEN), &row));
    return S3_NONE;
}

enum s3_error upload_abort(struct index *index, struct str bucket, struct str key,
                           const uint8_t id[static UPLOAD_ID_LEN])
{
    struct abort abort = { bucket, key, id };

    return index_write(index, apply_abort, &abort);
}
