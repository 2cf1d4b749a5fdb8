/* Reading what a request says about its own signature: the Authorization header or the query; see sigv4.h. */
#include <string.h>

#include "net/http_date.h"
#include "net/sigv4.h"

static const struct str algorithm = { "AWS4-HMAC-SHA256", 16 };

/* "20130524T000000Z" to milliseconds. */
static bool parse_time(struct str text, int64_t *out)
{
    static const struct {
        int at, len, min, max;
    } fields[] = { { 0, 4, 1970, 9999 }, { 4, 2, 1, 12 },  { 6, 2, 1, 31 },
                   { 9, 2, 0, 23 },      { 11, 2, 0, 59 }, { 13, 2, 0, 60 } };
    int64_t v[ARRAY_LEN(fields)];

    if (text.len != SIGV4_TIME_LEN || text.p[8] != 'T' || text.p[15] != 'Z')
        return false;
    for (size_t i = 0; i < ARRAY_LEN(fields); i++)
        if (!str_to_i64(str_n(text.p + fields[i].at, (size_t)fields[i].len), fields[i].min, fields[i].max, &v[i]))
            return false;
    *out = (clock_days_of_date(v[0], (int)v[1], (int)v[2]) * 86400 + v[3] * 3600 + v[4] * 60 + v[5]) * 1000;
    return true;
}

/* Takes the last "/part" off. */
static bool cut_last(struct str *left, struct str *part)
{
    const char *slash = left->len ? memrchr(left->p, '/', left->len) : NULL;

    if (!slash)
        return false;
    *part = str_n(slash + 1, left->len - (size_t)(slash + 1 - left->p));
    left->len = (size_t)(slash - left->p);
    return true;
}

/* "AKID/20130524/us-east-1/s3/aws4_request"; the key itself may hold slashes, so from the right. */
static bool read_credential(struct str text, struct sigv4_claim *claim)
{
    struct str end = { 0 };

    if (!cut_last(&text, &end) || !str_is(end, "aws4_request") || !cut_last(&text, &claim->service) ||
        !cut_last(&text, &claim->region) || !cut_last(&text, &claim->date))
        return false;
    claim->access_key = text;
    return text.len && claim->date.len == 8;
}

/* Fills time and checks that the credential's day is the same. */
static enum sigv4_verdict read_time(struct str text, struct sigv4_claim *claim, struct err *err)
{
    int64_t ms = 0;

    if (!parse_time(text, &ms)) {
        err_set(err, RC_BAD_INPUT, "AWS authentication requires a valid Date or x-amz-date header");
        return SIGV4_NO_DATE;
    }
    memcpy(claim->time, text.p, SIGV4_TIME_LEN);
    claim->time_ms = ms;
    if (str_eq(claim->date, str_n(claim->time, 8)))
        return SIGV4_VALID;
    err_set(err, RC_BAD_INPUT, "The credential's date '%.*s' is not that of the request, '%.8s'", STR_ARG(claim->date),
            claim->time);
    return SIGV4_MALFORMED;
}

static enum sigv4_verdict read_header_time(const struct sigv4_request *request, struct sigv4_claim *claim,
                                           struct err *err)
{
    struct str text = sigv4_header(request, "x-amz-date");
    char time[SIGV4_TIME_LEN + 1] = "";
    int64_t ms = 0;

    if (text.p)
        return read_time(str_trim(text), claim, err);
    text = sigv4_header(request, "date");
    if (!text.p || (!http_date_parse(text, &ms) && !parse_time(str_trim(text), &ms))) {
        err_set(err, RC_BAD_INPUT, "AWS authentication requires a valid Date or x-amz-date header");
        return SIGV4_NO_DATE;
    }
    sigv4_format_time(ms, time);
    return read_time(str_of(time), claim, err);
}

static enum sigv4_verdict malformed(const char *what, struct err *err)
{
    err_set(err, RC_BAD_INPUT, "%s", what);
    return SIGV4_MALFORMED;
}

static enum sigv4_verdict read_header(const struct sigv4_request *request, struct str text, struct sigv4_claim *claim,
                                      struct err *err)
{
    struct str part = { 0 }, credential = { 0 };

    claim->kind = SIGV4_HEADER;
    text = str_trim(str_skip(text, algorithm.len));
    while (str_cut(&text, ',', &part)) {
        struct str value = str_trim(part), name = { 0 };
        str_cut(&value, '=', &name);
        if (str_is(name, "Credential"))
            credential = value;
        else if (str_is(name, "SignedHeaders"))
            claim->signed_headers = value;
        else if (str_is(name, "Signature"))
            claim->signature = value;
    }
    if (!credential.len || !claim->signed_headers.len || !claim->signature.len)
        return malformed("The authorization header is malformed; Credential, SignedHeaders and Signature are required",
                         err);
    if (!read_credential(credential, claim))
        return malformed("The authorization header is malformed; the Credential is mal-formed; expecting "
                         "\"<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request\".",
                         err);
    return read_header_time(request, claim, err);
}

static enum sigv4_verdict read_query(const struct sigv4_request *request, struct arena *arena,
                                     struct sigv4_claim *claim, struct err *err)
{
    struct str algo = { 0 }, credential = { 0 }, date = { 0 }, expires = { 0 };
    int64_t seconds = 0;

    claim->kind = SIGV4_PRESIGNED;
    sigv4_query_value(request->query, "X-Amz-Algorithm", arena, &algo);
    sigv4_query_value(request->query, "X-Amz-Credential", arena, &credential);
    sigv4_query_value(request->query, "X-Amz-Date", arena, &date);
    sigv4_query_value(request->query, "X-Amz-Expires", arena, &expires);
    sigv4_query_value(request->query, "X-Amz-SignedHeaders", arena, &claim->signed_headers);
    sigv4_query_value(request->query, "X-Amz-Signature", arena, &claim->signature);
    if (!str_eq(algo, algorithm))
        return malformed("X-Amz-Algorithm only supports \"AWS4-HMAC-SHA256\"", err);
    if (!credential.len || !date.len || !expires.len || !claim->signed_headers.len || !claim->signature.len)
        return malformed("Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential, "
                         "X-Amz-Signature, X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires parameters.",
                         err);
    if (!str_to_i64(expires, 0, SIGV4_EXPIRES_MAX_S, &seconds))
        return malformed("X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires must "
                         "be less than 604800 seconds",
                         err);
    if (!read_credential(credential, claim))
        return malformed("Error parsing the X-Amz-Credential parameter; the Credential is mal-formed", err);
    enum sigv4_verdict verdict = read_time(date, claim, err);
    claim->expires_ms = claim->time_ms + seconds * 1000;
    return verdict;
}

enum sigv4_verdict sigv4_claim_read(const struct sigv4_request *request, struct arena *arena, struct sigv4_claim *claim,
                                    struct err *err)
{
    struct str header = sigv4_header(request, "authorization"), ignored = { 0 };

    *claim = (struct sigv4_claim){ 0 };
    if (header.p && str_starts(header, "AWS4-HMAC-SHA256"))
        return read_header(request, header, claim, err);
    if (header.len) {
        err_set(err, RC_BAD_INPUT,
                "The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256.");
        return SIGV4_UNSUPPORTED;
    }
    if (sigv4_query_value(request->query, "X-Amz-Signature", arena, &ignored) ||
        sigv4_query_value(request->query, "X-Amz-Algorithm", arena, &ignored))
        return read_query(request, arena, claim, err);
    if (sigv4_query_value(request->query, "Signature", arena, &ignored) &&
        sigv4_query_value(request->query, "AWSAccessKeyId", arena, &ignored))
        return sigv2_claim_read(request, arena, claim, err);
    return SIGV4_VALID;
}
