/* Request bodies; see body.h. */
#include "lake/store/body.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lake/store/exchange.h"

static void *new_hash(const EVP_MD *md)
{
    EVP_MD_CTX *hash = EVP_MD_CTX_new();

    EVP_DigestInit_ex(hash, md, NULL);
    return hash;
}

static void take_hash(void *hash, uint8_t out[static EVP_MAX_MD_SIZE])
{
    EVP_DigestFinal_ex(hash, out, NULL);
}

static void hex_text(const uint8_t *bytes, size_t n, char *out)
{
    for (size_t i = 0; i < n; i++)
        snprintf(out + 2 * i, 3, "%02x", bytes[i]);
}

/* --------------------------------------------------------------- arrival */

static enum s3_error on_data(void *user, const void *p, size_t n)
{
    struct exchange *x = user;
    struct body *body = &x->body;
    struct err err = { 0 };

    body->size += n;
    if (body->has_size && body->size > body->size_told)
        return exchange_fail(x, S3_INCOMPLETE_BODY, "The body is longer than it was told to be.");
    if (body->size > OBJECT_SIZE_MAX)
        return S3_ENTITY_TOO_LARGE;
    if (body->md5)
        EVP_DigestUpdate(body->md5, p, n);
    if (body->sha256)
        EVP_DigestUpdate(body->sha256, p, n);
    if (body->chunk_hash)
        EVP_DigestUpdate(body->chunk_hash, p, n);
    checksum_add(&body->checksum, p, n);
    if (body->is_blob)
        return blob_write(&body->blob, p, n, &err) ? s3_error_of(&err) : S3_NONE;
    buf_append(&body->text, p, n);
    return buf_failed(&body->text) ? exchange_fail(x, S3_ENTITY_TOO_LARGE, "The request's body is too large.")
                                   : S3_NONE;
}

static enum s3_error on_chunk_end(void *user, struct str signature)
{
    struct exchange *x = user;
    struct body *body = &x->body;
    uint8_t digest[EVP_MAX_MD_SIZE];

    if (!body->chunks_are_signed)
        return S3_NONE;
    take_hash(body->chunk_hash, digest);
    EVP_DigestInit_ex(body->chunk_hash, EVP_sha256(), NULL);
    sigv4_chain_chunk(&body->chain, digest);
    return sigv4_text_equal(signature, str_of(body->chain.previous)) ? S3_NONE : S3_SIGNATURE_MISMATCH;
}

static enum s3_error on_trailer(void *user, struct str name, struct str value)
{
    struct exchange *x = user;
    struct body *body = &x->body;
    uint8_t digest[EVP_MAX_MD_SIZE];

    if (str_is_nocase(name, "x-amz-trailer-signature")) {
        if (!body->trailer_hash)
            return S3_NONE;
        take_hash(body->trailer_hash, digest);
        EVP_DigestInit_ex(body->trailer_hash, EVP_sha256(), NULL);
        sigv4_chain_trailer(&body->chain, digest);
        body->trailer_signature_seen = true;
        return sigv4_text_equal(value, str_of(body->chain.previous)) ? S3_NONE : S3_SIGNATURE_MISMATCH;
    }
    if (body->trailer_hash) {
        EVP_DigestUpdate(body->trailer_hash, name.p, name.len);
        EVP_DigestUpdate(body->trailer_hash, ":", 1);
        EVP_DigestUpdate(body->trailer_hash, value.p, value.len);
        EVP_DigestUpdate(body->trailer_hash, "\n", 1);
    }
    enum checksum_kind kind = checksum_by_header(name);
    if (kind && kind == body->trailer_kind) {
        if (!checksum_is_text(kind, value) || value.len >= sizeof body->checksum_told)
            return exchange_fail(x, S3_INVALID_REQUEST, "Value for %s trailing header is invalid.",
                                 checksum_rows[kind].header);
        snprintf(body->checksum_told, sizeof body->checksum_told, "%.*s", STR_ARG(value));
        body->trailer_seen = true;
    }
    return S3_NONE;
}

enum s3_error body_push(struct exchange *x, const void *p, size_t n)
{
    return x->body.is_chunked ? chunked_push(x->body.chunked, p, n) : on_data(x, p, n);
}

/* --------------------------------------------------------------- promises */

static bool has_token(struct str list, const char *token)
{
    struct str part = { 0 };

    while (str_cut(&list, ',', &part))
        if (str_is_nocase(str_trim(part), token))
            return true;
    return false;
}

static enum s3_error read_sizes(struct exchange *x)
{
    struct body *body = &x->body;
    struct str decoded = exchange_header(x, "x-amz-decoded-content-length"),
               length = exchange_header(x, "content-length");
    struct str told = body->is_chunked ? decoded : length;
    int64_t size = 0;

    if (!told.p)
        return S3_NONE; /* Transfer-Encoding: chunked tells its end itself */
    if (!str_to_i64(str_trim(told), 0, INT64_MAX, &size))
        return exchange_fail(x, S3_INVALID_ARGUMENT, "The length of the body is not a number.");
    body->has_size = true;
    body->size_told = (uint64_t)size;
    return body->is_blob && body->size_told > OBJECT_SIZE_MAX ? S3_ENTITY_TOO_LARGE : S3_NONE;
}

static enum s3_error read_payload(struct exchange *x)
{
    struct body *body = &x->body;
    struct str payload = x->payload;
    bool is_streaming = str_starts(payload, "STREAMING-");

    if (str_is(payload, "STREAMING-AWS4-HMAC-SHA256-PAYLOAD") ||
        str_is(payload, "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER"))
        body->chunks_are_signed = true;
    else if (is_streaming && !str_is(payload, "STREAMING-UNSIGNED-PAYLOAD-TRAILER"))
        return exchange_fail(x, S3_NOT_IMPLEMENTED, "The payload '%.*s' is not implemented.", STR_ARG(payload));
    if (body->chunks_are_signed && x->claim.kind != SIGV4_HEADER)
        return exchange_fail(x, S3_INVALID_REQUEST, "Signed chunks need a signature of version 4 in the headers.");
    body->is_chunked = is_streaming || has_token(exchange_header(x, "content-encoding"), "aws-chunked");
    if (body->is_chunked) {
        body->chunked = NEW(struct chunked);
        chunked_begin(body->chunked, &(struct chunked_events){ on_data, on_chunk_end, on_trailer, x });
    }
    if (body->chunks_are_signed) {
        body->chain = x->chain;
        body->chunk_hash = new_hash(EVP_sha256());
        if (str_ends(payload, "-TRAILER"))
            body->trailer_hash = new_hash(EVP_sha256());
    }
    if (is_streaming || !payload.p || str_is(payload, SIGV4_UNSIGNED_PAYLOAD))
        return S3_NONE;
    CLEANUP(buf_free) struct buf bytes = { 0 };
    if (payload.len != SIGV4_SIGNATURE_LEN || !decode_hex(payload, &bytes))
        return exchange_fail(x, S3_INVALID_ARGUMENT,
                             "x-amz-content-sha256 must be UNSIGNED-PAYLOAD, "
                             "STREAMING-AWS4-HMAC-SHA256-PAYLOAD or a valid sha256 value.");
    snprintf(body->sha256_told, sizeof body->sha256_told, "%.*s", STR_ARG(payload));
    body->sha256 = new_hash(EVP_sha256());
    return S3_NONE;
}

static enum s3_error read_checksums(struct exchange *x, enum checksum_kind fallback)
{
    struct body *body = &x->body;
    enum checksum_kind kind = CHECKSUM_NONE;
    struct str trailers = exchange_header(x, "x-amz-trailer"), name = { 0 };
    bool is_completion = strcmp(x->operation->name, "CompleteMultipartUpload") == 0;

    for (int k = CHECKSUM_NONE + 1; k < CHECKSUM_KINDS; k++) {
        struct str value = exchange_header(x, checksum_rows[k].header);
        if (!value.p)
            continue;
        if (kind)
            return exchange_fail(x, S3_INVALID_REQUEST,
                                 "Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.");
        if (is_completion) {
            x->whole_checksum = value;
            continue;
        }
        if (!checksum_is_text(k, value) || value.len >= sizeof body->checksum_told)
            return exchange_fail(x, S3_INVALID_REQUEST, "Value for %s header is invalid.", checksum_rows[k].header);
        kind = k;
        snprintf(body->checksum_told, sizeof body->checksum_told, "%.*s", STR_ARG(value));
    }
    while (trailers.p && str_cut(&trailers, ',', &name)) {
        enum checksum_kind k = checksum_by_header(str_trim(name));
        if (!k || !body->is_chunked)
            continue;
        if (kind)
            return exchange_fail(x, S3_INVALID_REQUEST,
                                 "Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.");
        kind = body->trailer_kind = k;
    }
    struct str algorithm = exchange_header(x, "x-amz-sdk-checksum-algorithm");
    if (!kind && algorithm.p)
        kind = checksum_by_name(algorithm);
    checksum_begin(&body->checksum, kind ? kind : fallback);
    return S3_NONE;
}

static enum s3_error read_md5(struct exchange *x)
{
    CLEANUP(buf_free) struct buf bytes = { 0 };
    struct body *body = &x->body;
    struct str told = str_trim(exchange_header(x, "content-md5"));

    if (body->is_blob || told.p)
        body->md5 = new_hash(EVP_md5());
    if (!told.p)
        return S3_NONE;
    if (!decode_base64(told, &bytes) || bytes.len != 16)
        return S3_INVALID_DIGEST;
    snprintf(body->md5_told, sizeof body->md5_told, "%.*s", STR_ARG(told));
    return S3_NONE;
}

void body_hash_only(struct body *body, enum checksum_kind kind)
{
    body->md5 = new_hash(EVP_md5());
    checksum_begin(&body->checksum, kind);
}

enum s3_error body_begin(struct exchange *x, enum checksum_kind kind)
{
    struct body *body = &x->body;

    body->open = true;
    body->is_blob = x->operation->body == BODY_BLOB;
    body->text.max = BODY_TEXT_MAX;
    blob_begin(index_blobs(x->store->index), &body->blob);
    enum s3_error failed = read_payload(x);
    if (!failed)
        failed = read_sizes(x);
    if (!failed)
        failed = read_checksums(x, kind);
    return failed ? failed : read_md5(x);
}

/* ------------------------------------------------------------------- end */

static enum s3_error check_hashes(struct exchange *x)
{
    struct body *body = &x->body;
    uint8_t digest[EVP_MAX_MD_SIZE];
    char text[SIGV4_SIGNATURE_LEN + 1];

    if (body->sha256) {
        take_hash(body->sha256, digest);
        hex_text(digest, 32, text);
        if (!str_is_nocase(str_of(text), body->sha256_told))
            return S3_SHA256_MISMATCH;
    }
    if (body->md5) {
        CLEANUP(buf_free) struct buf base64 = { 0 };
        take_hash(body->md5, digest);
        hex_text(digest, 16, body->etag);
        encode_base64(&base64, digest, 16);
        if (body->md5_told[0] && strcmp(buf_cstr(&base64), body->md5_told) != 0)
            return S3_BAD_DIGEST;
    }
    enum checksum_kind kind = body->checksum.kind;
    checksum_end(&body->checksum, body->checksum_text);
    if (body->checksum_told[0] && strcmp(body->checksum_told, body->checksum_text) != 0)
        return exchange_fail(x, S3_BAD_DIGEST, "The %s you specified did not match the calculated checksum.",
                             checksum_rows[kind].name);
    return S3_NONE;
}

enum s3_error body_end(struct exchange *x)
{
    struct body *body = &x->body;
    struct err err = { 0 };
    enum s3_error failed = body->is_chunked ? chunked_end(body->chunked) : S3_NONE;

    if (!failed && body->has_size && body->size != body->size_told)
        failed = S3_INCOMPLETE_BODY;
    if (!failed && body->trailer_kind && !body->trailer_seen)
        failed = S3_MALFORMED_TRAILER;
    if (!failed && body->trailer_hash && !body->trailer_signature_seen)
        failed = S3_SIGNATURE_MISMATCH;
    if (!failed)
        failed = check_hashes(x);
    if (!failed && body->is_blob && blob_finish(&body->blob, &err))
        failed = s3_error_of(&err);
    return failed;
}

void body_free(struct body *body, bool keep_blob)
{
    char ignored[CHECKSUM_TEXT_MAX];

    if (!body->open)
        return;
    blob_end(&body->blob, keep_blob);
    buf_free(&body->text);
    EVP_MD_CTX_free(body->md5);
    EVP_MD_CTX_free(body->sha256);
    EVP_MD_CTX_free(body->chunk_hash);
    EVP_MD_CTX_free(body->trailer_hash);
    checksum_end(&body->checksum, ignored);
    free(body->chunked);
    body->open = false;
}
