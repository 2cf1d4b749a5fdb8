/*
 * AWS Signature Version 4, both ways: signing for the client, verifying for the server, and the chain
 * of chunk signatures of aws-chunked bodies.  Version 2 is known in presigned URLs only, where boto3
 * still makes it by default.  Knows signatures, not S3: which key may do what is the station's.
 *
 * The rules are S3's, which differ from AWS's other services: a path is percent-encoded once and never
 * normalised ("//" and "/../" are parts of keys), and the payload's hash is what x-amz-content-sha256 says.
 */
#ifndef NET_SIGV4_H
#define NET_SIGV4_H

#include "base/base.h"

enum {
    SIGV4_TIME_LEN = 16,      /* "20130524T000000Z" */
    SIGV4_SIGNATURE_LEN = 64, /* hexadecimal SHA-256 */
    SIGV4_SCOPE_MAX = 256,    /* "20130524/us-east-1/s3/aws4_request" */
    SIGV4_HEADERS_MAX = 128,
    SIGV4_PARAMS_MAX = 256,
    SIGV4_CANONICAL_MAX = 256 << 10,
    SIGV4_EXPIRES_MAX_S = 604800,
    SIGV4_SKEW_MAX_MS = 15 * 60 * 1000,
};
#define SIGV4_UNSIGNED_PAYLOAD "UNSIGNED-PAYLOAD"

struct sigv4_header {
    struct str name, value;
};

/* What a signature is made over; all views. */
struct sigv4_request {
    struct str method;
    struct str path;  /* as on the wire, still encoded */
    struct str query; /* likewise, without '?' */
    const struct sigv4_header *headers;
    size_t header_count;
    struct str payload; /* hexadecimal SHA-256 of the body, or UNSIGNED-PAYLOAD, or STREAMING-… */
};

/* First header of that name, without case; absent view if none. */
struct str sigv4_header(const struct sigv4_request *request, const char *name);

/* ----------------------------------------------------------------- sign */

struct sigv4_keys {
    const char *access_key, *secret_key, *region;
};

/* "20130524T000000Z", as x-amz-date wants it. */
void sigv4_format_time(int64_t wall_ms, char out[static SIGV4_TIME_LEN + 1]);
/*
 * Appends the value of the Authorization header.  All headers of the request are signed; x-amz-date
 * (sigv4_format_time of wall_ms) and host must be among them.
 */
void sigv4_sign(const struct sigv4_request *request, const struct sigv4_keys *keys, int64_t wall_ms, struct buf *out);
/* Appends a query for a presigned URL; only `host` is signed.  request->query is kept in it. */
void sigv4_presign(const struct sigv4_request *request, const struct sigv4_keys *keys, int64_t wall_ms, int expires_s,
                   struct buf *out);

/* --------------------------------------------------------------- verify */

enum sigv4_kind { SIGV4_NONE, SIGV4_HEADER, SIGV4_PRESIGNED, SIGV4_PRESIGNED_V2 };

/* What a request says about its own signature.  Views into the request; texts decoded are in the arena. */
struct sigv4_claim {
    enum sigv4_kind kind;
    struct str access_key, date, region, service;
    struct str signed_headers; /* "host;x-amz-date" */
    struct str signature;
    char time[SIGV4_TIME_LEN + 1];
    int64_t time_ms;
    int64_t expires_ms; /* presigned: the moment after which it is void */
};

enum sigv4_verdict {
    SIGV4_VALID,
    SIGV4_MALFORMED,       /* AuthorizationHeaderMalformed, AuthorizationQueryParametersError */
    SIGV4_UNSUPPORTED,     /* another mechanism */
    SIGV4_NO_DATE,         /* neither x-amz-date nor Date */
    SIGV4_SKEWED,          /* more than 15 minutes from now */
    SIGV4_EXPIRED,         /* presigned and over */
    SIGV4_HEADER_UNSIGNED, /* host or an x-amz-* header was sent but is not signed */
    SIGV4_MISMATCH,
};

/* Reads the claim.  A request without any signature is SIGV4_VALID with kind SIGV4_NONE. */
enum sigv4_verdict sigv4_claim_read(const struct sigv4_request *request, struct arena *arena, struct sigv4_claim *claim,
                                    struct err *err);

/* The running signature of an aws-chunked body; begins as the seed signature of the headers. */
struct sigv4_chain {
    uint8_t key[32];
    char time[SIGV4_TIME_LEN + 1];
    char scope[SIGV4_SCOPE_MAX];
    char previous[SIGV4_SIGNATURE_LEN + 1];
};

/*
 * Checks time and signature of a claim that was read from the same request, in constant time with
 * regard to the signature.  chain (may be NULL) is set when valid.
 */
enum sigv4_verdict sigv4_verify(const struct sigv4_request *request, const struct sigv4_claim *claim,
                                const char *secret_key, int64_t now_ms, struct sigv4_chain *chain, struct err *err);
/* Signature of the next chunk, whose data has this SHA-256; moves the chain on. */
void sigv4_chain_chunk(struct sigv4_chain *chain, const uint8_t sha256[static 32]);
/* Signature of the trailer: SHA-256 over its lines "name:value\n". */
void sigv4_chain_trailer(struct sigv4_chain *chain, const uint8_t sha256[static 32]);
/* In constant time. */
bool sigv4_text_equal(struct str a, struct str b);

/* private to sigv4*.c */
enum sigv4_verdict sigv2_claim_read(const struct sigv4_request *request, struct arena *arena, struct sigv4_claim *claim,
                                    struct err *err);
bool sigv2_matches(const struct sigv4_request *request, const struct sigv4_claim *claim, const char *secret_key);
bool sigv4_query_value(struct str query, const char *name, struct arena *arena, struct str *out);
/* Sets key, time and scope; false when the scope is longer than SIGV4_SCOPE_MAX. */
bool sigv4_chain_begin(struct sigv4_chain *chain, const char *secret, const char *time, struct str date,
                       struct str region, struct str service);
/* Signs the canonical request with the chain's key, time and scope: the result is chain->previous. */
bool sigv4_chain_sign(struct sigv4_chain *chain, const struct sigv4_request *request, struct str query,
                      struct str signed_headers, bool plus_is_blank);

#endif
