/*
 * What the index knows of one object, of one part, of one upload.  Private to lake/store.
 *
 *     u8 format 1, u8 flags (1 checksum is of the whole object, 2 has an upload id), u8 checksum kind,
 *     u8 length of ETag, i64 modified (ms), u64 size, ETag,
 *     upload id (16 bytes, if flagged), u8 length and text of the checksum,
 *     u32 parts, each u64 blob, u64 size,
 *     u16 headers, each u16 length of name, u16 length of value, name, value,
 *     u16 length and text of the tags, as a query
 */
#ifndef LAKE_STORE_RECORD_H
#define LAKE_STORE_RECORD_H

#include "lake/store/checksum.h"

enum { ETAG_MAX = 48, UPLOAD_ID_LEN = 16, RECORD_HEADERS_MAX = 128, METADATA_MAX = 2 << 10 };

struct record_part {
    uint64_t blob, size;
};

struct record_header {
    struct str name, value;
};

struct record {
    int64_t modified_ms;
    uint64_t size;
    char etag[ETAG_MAX]; /* without quotes */
    enum checksum_kind checksum;
    bool checksum_is_whole; /* FULL_OBJECT rather than COMPOSITE */
    char checksum_text[CHECKSUM_TEXT_MAX];
    bool has_upload;
    uint8_t upload_id[UPLOAD_ID_LEN]; /* of the upload that made it */
    struct record_part *parts;
    size_t part_count;
    struct record_header *headers; /* stored with it: Content-Type, x-amz-meta-… */
    size_t header_count;
    struct str tags;
};

void record_encode(const struct record *record, struct buf *out);
/* Copies into the arena.  False: broken. */
bool record_decode(struct str bytes, struct arena *arena, struct record *out);
/* Only modified_ms, size, etag: for listings. */
bool record_decode_head(struct str bytes, struct record *out);
struct str record_header(const struct record *record, const char *name); /* absent view if none */

#endif
