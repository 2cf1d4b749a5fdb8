/*
 * Whether a claim that sigv4_claim.c read is true: its time, what it signs, the signature; see sigv4.h.
 *
 * Subtle: a '+' in a query means a plus for some clients and a blank for others, and each signs what it
 * means.  The plus is tried first and, on a mismatch, the blank.
 */
#include "net/sigv4.h"

#include <string.h>
#include <strings.h>

static bool is_signed(struct str signed_headers, struct str name)
{
    struct str one = { 0 };

    while (str_cut(&signed_headers, ';', &one))
        if (one.len == name.len && strncasecmp(one.p, name.p, name.len) == 0)
            return true;
    return false;
}

/* host and every x-amz-* header must be signed; the payload's hash is, as part of the canonical request. */
static bool all_signed(const struct sigv4_request *request, const struct sigv4_claim *claim, struct err *err)
{
    if (!is_signed(claim->signed_headers, STR("host"))) {
        err_set(err, RC_BAD_INPUT, "the header 'host' is not signed");
        return false;
    }
    for (size_t i = 0; i < request->header_count; i++) {
        struct str name = request->headers[i].name;
        if (name.len < 6 || strncasecmp(name.p, "x-amz-", 6) != 0 || str_is_nocase(name, "x-amz-content-sha256") ||
            is_signed(claim->signed_headers, name))
            continue;
        err_set(err, RC_BAD_INPUT, "the header '%.*s' is not signed", STR_ARG(name));
        return false;
    }
    return true;
}

static enum sigv4_verdict check_time(const struct sigv4_claim *claim, int64_t now_ms, struct err *err)
{
    bool presigned = claim->kind != SIGV4_HEADER;

    if (presigned && now_ms > claim->expires_ms) {
        err_set(err, RC_BAD_INPUT, "Request has expired");
        return SIGV4_EXPIRED;
    }
    int64_t skew = claim->time_ms - now_ms;
    if (claim->kind == SIGV4_PRESIGNED_V2 || (skew <= SIGV4_SKEW_MAX_MS && (presigned || skew >= -SIGV4_SKEW_MAX_MS)))
        return SIGV4_VALID;
    err_set(err, RC_BAD_INPUT, "The difference between the request time and the server's time is too large.");
    return SIGV4_SKEWED;
}

enum sigv4_verdict sigv4_verify(const struct sigv4_request *request, const struct sigv4_claim *claim,
                                const char *secret_key, int64_t now_ms, struct sigv4_chain *chain, struct err *err)
{
    struct sigv4_chain own = { 0 };
    enum sigv4_verdict verdict = check_time(claim, now_ms, err);
    bool match = false;

    if (verdict)
        return verdict;
    if (claim->kind == SIGV4_PRESIGNED_V2)
        return sigv2_matches(request, claim, secret_key) ? SIGV4_VALID : SIGV4_MISMATCH;
    if (!all_signed(request, claim, err))
        return SIGV4_HEADER_UNSIGNED;
    if (!sigv4_chain_begin(&own, secret_key, claim->time, claim->date, claim->region, claim->service))
        return SIGV4_MISMATCH;
    bool has_plus = request->query.len && memchr(request->query.p, '+', request->query.len);
    for (int blank = 0; blank <= (int)has_plus && !match; blank++)
        match = sigv4_chain_sign(&own, request, request->query, claim->signed_headers, blank) &&
                sigv4_text_equal(str_of(own.previous), claim->signature);
    if (!match)
        return SIGV4_MISMATCH;
    if (chain)
        *chain = own;
    return SIGV4_VALID;
}
