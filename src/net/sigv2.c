/*
 * Presigned URLs of signature version 2: AWSAccessKeyId, Expires (seconds since 1970), Signature =
 * base64(HMAC-SHA1(secret, text)), where text is
 *
 *     METHOD \n Content-MD5 \n Content-Type \n Expires \n  then "x-amz-a:v\n" sorted  then the resource:
 *     the path as on the wire, with "?" and the subresources of the table below, sorted, values decoded
 */
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "net/sigv4.h"
#include "net/uri.h"

static const char *const subresources[] = {
    "acl",
    "cors",
    "delete",
    "lifecycle",
    "location",
    "logging",
    "notification",
    "partNumber",
    "policy",
    "requestPayment",
    "response-cache-control",
    "response-content-disposition",
    "response-content-encoding",
    "response-content-language",
    "response-content-type",
    "response-expires",
    "restore",
    "tagging",
    "torrent",
    "uploadId",
    "uploads",
    "versionId",
    "versioning",
    "versions",
    "website",
};

enum sigv4_verdict sigv2_claim_read(const struct sigv4_request *request, struct arena *arena, struct sigv4_claim *claim,
                                    struct err *err)
{
    struct str expires = { 0 };
    int64_t seconds = 0;

    claim->kind = SIGV4_PRESIGNED_V2;
    sigv4_query_value(request->query, "AWSAccessKeyId", arena, &claim->access_key);
    sigv4_query_value(request->query, "Signature", arena, &claim->signature);
    sigv4_query_value(request->query, "Expires", arena, &expires);
    if (!claim->access_key.len || !claim->signature.len || !str_to_i64(expires, 0, INT64_MAX / 1000, &seconds)) {
        err_set(err, RC_BAD_INPUT,
                "Query-string authentication requires the Signature, Expires and AWSAccessKeyId "
                "parameters");
        return SIGV4_MALFORMED;
    }
    claim->expires_ms = seconds * 1000;
    return SIGV4_VALID;
}

struct amz_header {
    struct str name, value;
};

static int amz_header_compare(const void *a, const void *b)
{
    const struct amz_header *x = a, *y = b;

    return str_cmp(x->name, y->name);
}

static void put_amz_headers(struct buf *out, const struct sigv4_request *request)
{
    CLEANUP(arena_free) struct arena arena = { 0 };
    struct amz_header *found = arena_array(&arena, request->header_count + 1, sizeof *found);
    size_t count = 0;

    for (size_t i = 0; found && i < request->header_count; i++) {
        const struct sigv4_header *h = &request->headers[i];
        if (h->name.len < 6 || strncasecmp(h->name.p, "x-amz-", 6) != 0)
            continue;
        char *name = arena_strdup(&arena, h->name);
        for (char *p = name; p && *p; p++)
            *p = (char)(*p >= 'A' && *p <= 'Z' ? *p + 32 : *p);
        found[count++] = (struct amz_header){ str_of(name), str_trim(h->value) };
    }
    if (count)
        qsort(found, count, sizeof *found, amz_header_compare);
    for (size_t i = 0; i < count; i++)
        buf_printf(out, "%.*s:%.*s\n", STR_ARG(found[i].name), STR_ARG(found[i].value));
}

static void put_resource(struct buf *out, const struct sigv4_request *request)
{
    char before = '?';

    buf_put_str(out, request->path);
    for (size_t i = 0; i < ARRAY_LEN(subresources); i++) {
        struct str query = request->query, name = { 0 }, value = { 0 };
        while (uri_query_next(&query, &name, &value)) {
            if (!str_is(name, subresources[i]))
                continue;
            buf_putc(out, before);
            buf_put_str(out, name);
            if (value.p) {
                buf_putc(out, '=');
                uri_decode(out, value, true);
            }
            before = '&';
        }
    }
}

bool sigv2_matches(const struct sigv4_request *request, const struct sigv4_claim *claim, const char *secret_key)
{
    CLEANUP(buf_free) struct buf text = { .max = SIGV4_CANONICAL_MAX };
    CLEANUP(buf_free) struct buf signature = { 0 };
    uint8_t digest[EVP_MAX_MD_SIZE];
    unsigned n = sizeof digest;

    buf_printf(&text, "%.*s\n%.*s\n%.*s\n%lld\n", STR_ARG(request->method),
               STR_ARG(sigv4_header(request, "content-md5")), STR_ARG(sigv4_header(request, "content-type")),
               (long long)(claim->expires_ms / 1000));
    put_amz_headers(&text, request);
    put_resource(&text, request);
    if (buf_failed(&text))
        return false;
    HMAC(EVP_sha1(), secret_key, (int)strlen(secret_key), (const uint8_t *)text.data, text.len, digest, &n);
    encode_base64(&signature, digest, n);
    return sigv4_text_equal(buf_str(&signature), claim->signature);
}
