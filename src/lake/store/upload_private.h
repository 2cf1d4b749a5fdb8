/* What upload.c and upload_complete.c share. */
#ifndef LAKE_STORE_UPLOAD_PRIVATE_H
#define LAKE_STORE_UPLOAD_PRIVATE_H

#include "lake/store/upload.h"

struct upload_row_key {
    uint8_t bytes[8 + UPLOAD_ID_LEN];
};
struct part_row_key {
    uint8_t bytes[UPLOAD_ID_LEN + 2];
};

struct str upload_row_key(const struct bucket *bucket, struct str id, struct upload_row_key *out);
struct str part_row_key(const uint8_t id[static UPLOAD_ID_LEN], int number, struct part_row_key *out);
/* Forgets a part; its blob too, or that has become the object's. */
void part_drop(struct index_txn *txn, const uint8_t id[static UPLOAD_ID_LEN], int number, const struct record *record,
               bool with_blob);

#endif
