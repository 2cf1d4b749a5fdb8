/* Multipart uploads in the index.  Private to lake/store. */
#ifndef LAKE_STORE_UPLOAD_H
#define LAKE_STORE_UPLOAD_H

#include "lake/store/object.h"

enum { PARTS_MAX = 10000, PART_SIZE_MIN = 5 << 20, UPLOAD_ID_TEXT = 2 * UPLOAD_ID_LEN };

/* u16 length and text of the key, then a record: headers, tags, checksum kind, begun as modified_ms. */
struct upload {
    uint8_t id[UPLOAD_ID_LEN];
    struct str key;
    struct record record;
};

bool upload_id_parse(struct str text, uint8_t out[static UPLOAD_ID_LEN]);
void upload_id_format(const uint8_t id[static UPLOAD_ID_LEN], char out[static UPLOAD_ID_TEXT + 1]);

/* The row's value: all but the id.  Copied into the arena; false: not such a record. */
bool upload_decode(struct str bytes, struct arena *arena, struct upload *out);
void upload_encode(const struct upload *upload, struct buf *out); /* appends */

/* S3_NO_SUCH_UPLOAD also when it belongs to another key.  Copied into the arena. */
enum s3_error upload_find(struct index_txn *txn, const struct bucket *bucket, struct str key,
                          const uint8_t id[static UPLOAD_ID_LEN], struct arena *arena, struct upload *out);
/* The first upload of the bucket whose id is at or after `from` (a view or copy of an id; empty: any).
 * upload->key and the id only, in the arena. */
bool upload_next(struct index_txn *txn, const struct bucket *bucket, struct str from, struct arena *arena,
                 struct upload *out);
enum s3_error upload_create(struct index *index, struct str bucket, struct upload *upload); /* fills id */
enum s3_error upload_abort(struct index *index, struct str bucket, struct str key,
                           const uint8_t id[static UPLOAD_ID_LEN]);

/* The first part at or after number; its record in the arena. */
bool part_next(struct index_txn *txn, const uint8_t id[static UPLOAD_ID_LEN], int from, struct arena *arena,
               int *number, struct record *out);

struct part_put {
    struct str bucket, key;
    uint8_t id[UPLOAD_ID_LEN];
    int number;
    struct record *record;
    const struct blob_writer *blob;
};
enum s3_error part_put(struct index *index, struct part_put *put);

struct completed_part {
    int number;
    struct str etag;     /* without quotes */
    struct str checksum; /* absent view: none was told */
};
struct upload_complete {
    struct str bucket, key;
    uint8_t id[UPLOAD_ID_LEN];
    const struct completed_part *parts; /* ascending */
    size_t count;
    const struct conditions *conditions;
    struct str checksum;  /* of the whole, as the client tells it; absent: not told */
    struct record result; /* head only */
};
/* Again after success: the same answer, as long as the object stands. */
enum s3_error upload_complete(struct index *index, struct upload_complete *complete);

#endif
