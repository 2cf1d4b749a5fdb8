/* The checksums of S3's x-amz-checksum-* headers.  Private to lake/store. */
#ifndef LAKE_STORE_CHECKSUM_H
#define LAKE_STORE_CHECKSUM_H

#include "base/base.h"

enum checksum_kind {
    CHECKSUM_NONE,
    CHECKSUM_CRC32,
    CHECKSUM_CRC32C,
    CHECKSUM_CRC64NVME,
    CHECKSUM_SHA1,
    CHECKSUM_SHA256,
    CHECKSUM_KINDS
};
enum { CHECKSUM_TEXT_MAX = 56 }; /* base64 of 32 bytes, "-10000" */

struct checksum_row {
    const char *name;    /* "CRC32C", as in x-amz-checksum-algorithm */
    const char *header;  /* "x-amz-checksum-crc32c" */
    const char *element; /* "ChecksumCRC32C" */
    size_t size;         /* bytes */
    bool can_be_whole;   /* FULL_OBJECT is possible for several parts */
    bool can_be_composite;
};
extern const struct checksum_row checksum_rows[CHECKSUM_KINDS];

/* CHECKSUM_NONE: unknown. */
enum checksum_kind checksum_by_name(struct str name);     /* "crc32c", any case */
enum checksum_kind checksum_by_header(struct str header); /* any case */

struct checksum {
    enum checksum_kind kind;
    uint64_t crc;
    void *hash; /* EVP_MD_CTX */
};
void checksum_begin(struct checksum *sum, enum checksum_kind kind);
void checksum_add(struct checksum *sum, const void *p, size_t n);
/* Base64 of the big-endian result; frees what begin made.  Harmless when called again. */
void checksum_end(struct checksum *sum, char out[static CHECKSUM_TEXT_MAX]);

/* Of a whole from its parts' texts and sizes: CRCs only.  False: a text is not one. */
struct checksum_part {
    const char *text;
    uint64_t size;
};
bool checksum_combine(enum checksum_kind kind, const struct checksum_part *parts, size_t count,
                      char out[static CHECKSUM_TEXT_MAX]);
/* Checksum over the parts' checksums, "-", number of parts. */
bool checksum_composite(enum checksum_kind kind, const struct checksum_part *parts, size_t count,
                        char out[static CHECKSUM_TEXT_MAX]);
/* A text of the right length in base64; a composite one may end in "-<n>". */
bool checksum_is_text(enum checksum_kind kind, struct str text);

#endif
