/*
 * A request's body on its way in: out of its encoding, through the hashes, into a blob or a text; every
 * promise of the headers is checked at the end.  Private to lake/store.
 */
#ifndef LAKE_STORE_BODY_H
#define LAKE_STORE_BODY_H

#include "lake/store/blob.h"
#include "lake/store/checksum.h"
#include "lake/store/chunked.h"
#include "net/net.h"

enum { BODY_TEXT_MAX = 4 << 20, MD5_TEXT = 32 };
#define OBJECT_SIZE_MAX ((uint64_t)5 << 30) /* of one PUT or one part */

struct body {
    bool open;
    bool is_blob;
    struct blob_writer blob;
    struct buf text;
    /* encoding */
    bool is_chunked, chunks_are_signed;
    struct chunked *chunked;
    struct sigv4_chain chain;
    void *chunk_hash, *trailer_hash; /* EVP_MD_CTX */
    bool trailer_signature_seen;
    /* promises */
    bool has_size;
    uint64_t size_told, size;
    char sha256_told[SIGV4_SIGNATURE_LEN + 1]; /* "" if none */
    char md5_told[64];                         /* base64, "" if none */
    enum checksum_kind trailer_kind;           /* its value comes as a trailer */
    bool trailer_seen;
    char checksum_told[CHECKSUM_TEXT_MAX];
    /* what came */
    void *md5, *sha256; /* EVP_MD_CTX, NULL when not needed */
    struct checksum checksum;
    char etag[MD5_TEXT + 1];
    char checksum_text[CHECKSUM_TEXT_MAX];
};

struct exchange;
/* Reads the headers.  kind: also compute this checksum when the client tells none. */
enum s3_error body_begin(struct exchange *x, enum checksum_kind kind);
/* For bytes that come from our own: MD5 and this checksum. */
void body_hash_only(struct body *body, enum checksum_kind kind);
enum s3_error body_push(struct exchange *x, const void *p, size_t n);
/* Checks the promises and, for a blob, makes it durable. */
enum s3_error body_end(struct exchange *x);
/* Frees all; keep_blob tells whether an index record names it now. */
void body_free(struct body *body, bool keep_blob);

#endif
