/* Who asks, and whether they may; see exchange.h. */
#include <stdio.h>
#include <string.h>

#include "lake/store/exchange.h"
#include "lake/store/policy.h"

static const enum s3_error error_of_verdict[] = {
    [SIGV4_VALID] = S3_NONE,
    [SIGV4_MALFORMED] = S3_AUTH_HEADER_MALFORMED,
    [SIGV4_UNSUPPORTED] = S3_INVALID_REQUEST,
    [SIGV4_NO_DATE] = S3_ACCESS_DENIED,
    [SIGV4_SKEWED] = S3_REQUEST_TIME_SKEWED,
    [SIGV4_EXPIRED] = S3_ACCESS_DENIED,
    [SIGV4_HEADER_UNSIGNED] = S3_ACCESS_DENIED,
    [SIGV4_MISMATCH] = S3_SIGNATURE_MISMATCH,
};

static enum s3_error tell_verdict(struct exchange *x, enum sigv4_verdict verdict, const struct err *err)
{
    enum s3_error failed = error_of_verdict[verdict];

    if (verdict == SIGV4_MALFORMED && x->claim.kind != SIGV4_HEADER)
        failed = S3_AUTH_QUERY_ERROR;
    return err->text[0] ? exchange_fail(x, failed, "%s", err->text) : failed;
}

/* What the signature says of the body: the header when it is signed or there is no choice. */
static enum s3_error read_payload(struct exchange *x)
{
    struct str header = exchange_header(x, "x-amz-content-sha256");

    if (x->claim.kind == SIGV4_HEADER && !header.p)
        return exchange_fail(x, S3_MISSING_SECURITY_HEADER,
                             "Your request was missing a required header: x-amz-content-sha256");
    if (x->claim.kind == SIGV4_PRESIGNED) {
        struct str query = exchange_param(x, "X-Amz-Content-Sha256");
        x->payload = query.p ? query : header.p ? header : STR(SIGV4_UNSIGNED_PAYLOAD);
    } else {
        x->payload = header;
    }
    return S3_NONE;
}

enum s3_error exchange_authenticate(struct exchange *x)
{
    struct sigv4_request request = { .method = str_of(x->request->method),
                                     .path = x->request->path,
                                     .query = x->request->query,
                                     .headers = x->headers,
                                     .header_count = x->header_count };
    struct err err = { 0 };
    enum sigv4_verdict verdict = sigv4_claim_read(&request, x->arena, &x->claim, &err);

    if (verdict)
        return tell_verdict(x, verdict, &err);
    enum s3_error failed = read_payload(x);
    if (failed || x->claim.kind == SIGV4_NONE)
        return failed;
    if (x->claim.service.p && !str_is(x->claim.service, "s3"))
        return exchange_fail(
            x, S3_AUTH_HEADER_MALFORMED,
            "The authorization header is malformed; incorrect service \"%.*s\". This endpoint belongs to "
            "\"s3\".",
            STR_ARG(x->claim.service));
    if (!sigv4_text_equal(x->claim.access_key, str_of(x->store->access_key)))
        return S3_INVALID_ACCESS_KEY;
    request.payload = x->payload;
    verdict = sigv4_verify(&request, &x->claim, x->store->secret_key, clock_wall_ms(), &x->chain, &err);
    return tell_verdict(x, verdict, &err);
}

enum s3_error exchange_authorize(struct exchange *x)
{
    CLEANUP(index_read_end) struct index_txn *txn = index_read_begin(x->store->index);
    struct bucket bucket = { 0 };

    if (!txn)
        return S3_INTERNAL;
    if (x->level == LEVEL_SERVICE || !x->operation->action || bucket_find(txn, x->bucket, &bucket) ||
        !bucket.policy.len)
        return S3_ACCESS_DENIED;
    struct policy_question question = { .action = x->operation->action, .bucket = x->bucket, .key = x->key };
    return policy_allows(bucket.policy, &question) ? S3_NONE : S3_ACCESS_DENIED;
}
