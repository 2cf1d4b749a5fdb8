/*
 * The aws-chunked encoding of bodies:
 *
 *     <hex length>[;chunk-signature=<64 hex>] CRLF <data> CRLF  …  0[;chunk-signature=…] CRLF
 *     {<trailer name>:<value> (CRLF or LF)} [x-amz-trailer-signature:<64 hex> CRLF] CRLF
 *
 * Some clients end after "0 CRLF" or leave the last CRLF out.  Bytes are pushed in as they come, in
 * pieces of any size.  Private to lake/store.
 */
#ifndef LAKE_STORE_CHUNKED_H
#define LAKE_STORE_CHUNKED_H

#include "lake/store/error.h"

enum { CHUNK_LINE_MAX = 4096, CHUNK_TRAILERS_MAX = 16, CHUNK_SIZE_MIN = 8192 };

struct chunked_events {
    enum s3_error (*data)(void *user, const void *p, size_t n);
    /* After the data of each chunk, the last of size 0 included; signature is absent when there was none. */
    enum s3_error (*chunk_end)(void *user, struct str signature);
    /* A trailer, or the trailers' signature, in order. */
    enum s3_error (*trailer)(void *user, struct str name, struct str value);
    void *user;
};

enum chunked_state { CHUNKED_SIZE, CHUNKED_DATA, CHUNKED_DATA_END, CHUNKED_TRAILER, CHUNKED_DONE };

struct chunked {
    struct chunked_events events;
    enum chunked_state state;
    uint64_t left;      /* of this chunk's data */
    uint64_t last_size; /* of the chunk before, when it was signed */
    size_t trailers;
    char line[CHUNK_LINE_MAX];
    size_t line_len;
    char signature[65];
};

void chunked_begin(struct chunked *chunked, const struct chunked_events *events);
enum s3_error chunked_push(struct chunked *chunked, const void *p, size_t n);
/* At the end of the body; S3_INCOMPLETE_BODY when the last chunk never came. */
enum s3_error chunked_end(struct chunked *chunked);

#endif
