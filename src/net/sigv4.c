/*
 * The canonical request, the string to sign, the key: what signer and verifier share, and the signer; see
 * sigv4.h.  sigv4_claim.c reads what a request says of its signature, sigv4_verify.c judges it.
 */
#include "net/sigv4.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "net/uri.h"

static const char empty_sha256[] = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

struct str sigv4_header(const struct sigv4_request *request, const char *name)
{
    for (size_t i = 0; i < request->header_count; i++)
        if (str_is_nocase(request->headers[i].name, name))
            return request->headers[i].value;
    return (struct str){ 0 };
}

bool sigv4_text_equal(struct str a, struct str b)
{
    return a.len == b.len && a.len && CRYPTO_memcmp(a.p, b.p, a.len) == 0;
}

void sigv4_format_time(int64_t wall_ms, char out[static SIGV4_TIME_LEN + 1])
{
    char iso[CLOCK_TEXT_MAX];

    clock_format_iso(wall_ms, iso); /* 2013-05-24T00:00:00.000Z */
    snprintf(out, SIGV4_TIME_LEN + 1, "%.4s%.2s%.2sT%.2s%.2s%.2sZ", iso, iso + 5, iso + 8, iso + 11, iso + 14,
             iso + 17);
}

/* ---------------------------------------------------------------- query */

struct param {
    struct str name, value; /* canonical: encoded */
};

static int param_compare(const void *a, const void *b)
{
    const struct param *x = a, *y = b;
    int order = str_cmp(x->name, y->name);

    return order ? order : str_cmp(x->value, y->value);
}

/* Decoded and encoded again, so that every spelling of a text becomes one. */
static struct str canonical_text(struct arena *arena, struct str raw, bool plus_is_blank)
{
    CLEANUP(buf_free) struct buf plain = { 0 };
    CLEANUP(buf_free) struct buf out = { 0 };

    uri_decode(&plain, raw, plus_is_blank);
    uri_encode(&out, buf_str(&plain), false);
    char *copy = arena_strdup(arena, buf_str(&out));
    return copy ? str_n(copy, out.len) : (struct str){ 0 };
}

static bool put_query(struct buf *out, struct str query, bool plus_is_blank)
{
    CLEANUP(arena_free) struct arena arena = { .max = SIGV4_CANONICAL_MAX };
    struct param *params = arena_array(&arena, SIGV4_PARAMS_MAX, sizeof *params);
    struct str name = { 0 }, value = { 0 };
    size_t count = 0;

    while (uri_query_next(&query, &name, &value)) {
        if (str_is(name, "X-Amz-Signature"))
            continue;
        if (count == SIGV4_PARAMS_MAX)
            return false;
        params[count].name = canonical_text(&arena, name, plus_is_blank);
        params[count].value = canonical_text(&arena, value, plus_is_blank);
        if (!params[count].name.p || !params[count].value.p)
            return false;
        count++;
    }
    qsort(params, count, sizeof *params, param_compare);
    for (size_t i = 0; i < count; i++) {
        if (i)
            buf_putc(out, '&');
        buf_put_str(out, params[i].name);
        buf_putc(out, '=');
        buf_put_str(out, params[i].value);
    }
    return true;
}

bool sigv4_query_value(struct str query, const char *name, struct arena *arena, struct str *out)
{
    struct str key = { 0 }, value = { 0 };

    while (uri_query_next(&query, &key, &value)) {
        CLEANUP(buf_free) struct buf text = { 0 };
        if (!str_is(key, name))
            continue;
        uri_decode(&text, value, false);
        char *copy = arena_strdup(arena, buf_str(&text));
        *out = copy ? str_n(copy, text.len) : (struct str){ 0 };
        return copy != NULL;
    }
    return false;
}

/* ---------------------------------------------------- canonical request */

/* Blanks at the ends go, runs of blanks become one. */
static void put_header_value(struct buf *out, struct str value)
{
    bool blank = false;

    value = str_trim(value);
    for (size_t i = 0; i < value.len; i++) {
        bool is_blank = value.p[i] == ' ' || value.p[i] == '\t';
        if (!is_blank)
            buf_putc(out, value.p[i]);
        else if (!blank)
            buf_putc(out, ' ');
        blank = is_blank;
    }
}

static void put_headers(struct buf *out, const struct sigv4_request *request, struct str signed_headers)
{
    struct str left = signed_headers, name = { 0 };

    while (str_cut(&left, ';', &name)) {
        bool first = true;
        buf_put_str(out, name);
        buf_putc(out, ':');
        for (size_t i = 0; i < request->header_count; i++) {
            const struct sigv4_header *h = &request->headers[i];
            if (h->name.len != name.len || strncasecmp(h->name.p, name.p, name.len) != 0)
                continue;
            if (!first)
                buf_putc(out, ',');
            put_header_value(out, h->value);
            first = false;
        }
        buf_putc(out, '\n');
    }
}

static bool put_canonical_request(struct buf *out, const struct sigv4_request *request, struct str query,
                                  struct str signed_headers, bool plus_is_blank)
{
    CLEANUP(buf_free) struct buf path = { .max = SIGV4_CANONICAL_MAX };

    uri_decode(&path, request->path, false);
    buf_put_str(out, request->method);
    buf_putc(out, '\n');
    uri_encode(out, path.len ? buf_str(&path) : STR("/"), true);
    buf_putc(out, '\n');
    if (!put_query(out, query, plus_is_blank))
        return false;
    buf_putc(out, '\n');
    put_headers(out, request, signed_headers);
    buf_putc(out, '\n');
    buf_put_str(out, signed_headers);
    buf_putc(out, '\n');
    buf_put_str(out, request->payload);
    return !buf_failed(out) && !buf_failed(&path);
}

/* ------------------------------------------------------------ signature */

static void hmac(const void *key, size_t key_len, struct str text, uint8_t out[static 32])
{
    unsigned n = 32;

    HMAC(EVP_sha256(), key, (int)key_len, (const uint8_t *)text.p, text.len, out, &n);
}

static void make_key(const char *secret, struct str date, struct str region, struct str service, uint8_t out[static 32])
{
    CLEANUP(buf_free) struct buf seed = { 0 };

    buf_printf(&seed, "AWS4%s", secret);
    hmac(seed.data, seed.len, date, out);
    hmac(out, 32, region, out);
    hmac(out, 32, service, out);
    hmac(out, 32, STR("aws4_request"), out);
    OPENSSL_cleanse(seed.data, seed.len);
}

static void hex(const uint8_t bytes[static 32], char out[static SIGV4_SIGNATURE_LEN + 1])
{
    for (int i = 0; i < 32; i++)
        snprintf(out + 2 * i, 3, "%02x", bytes[i]);
}

static void sha256_hex(struct str text, char out[static SIGV4_SIGNATURE_LEN + 1])
{
    uint8_t digest[32];

    EVP_Digest(text.p, text.len, digest, NULL, EVP_sha256(), NULL);
    hex(digest, out);
}

bool sigv4_chain_sign(struct sigv4_chain *chain, const struct sigv4_request *request, struct str query,
                      struct str signed_headers, bool plus_is_blank)
{
    CLEANUP(buf_free) struct buf canonical = { .max = SIGV4_CANONICAL_MAX };
    CLEANUP(buf_free) struct buf text = { 0 };
    char digest[SIGV4_SIGNATURE_LEN + 1];
    uint8_t signature[32];

    if (!put_canonical_request(&canonical, request, query, signed_headers, plus_is_blank))
        return false;
    sha256_hex(buf_str(&canonical), digest);
    buf_printf(&text, "AWS4-HMAC-SHA256\n%s\n%s\n%s", chain->time, chain->scope, digest);
    hmac(chain->key, sizeof chain->key, buf_str(&text), signature);
    hex(signature, chain->previous);
    return true;
}

bool sigv4_chain_begin(struct sigv4_chain *chain, const char *secret, const char *time, struct str date,
                       struct str region, struct str service)
{
    snprintf(chain->time, sizeof chain->time, "%s", time);
    int n = snprintf(chain->scope, sizeof chain->scope, "%.*s/%.*s/%.*s/aws4_request", STR_ARG(date), STR_ARG(region),
                     STR_ARG(service));
    make_key(secret, date, region, service, chain->key);
    return n > 0 && n < (int)sizeof chain->scope;
}

static void chain_next(struct sigv4_chain *chain, const char *what, const char *middle, const uint8_t sha256[static 32])
{
    CLEANUP(buf_free) struct buf text = { 0 };
    char digest[SIGV4_SIGNATURE_LEN + 1];
    uint8_t signature[32];

    hex(sha256, digest);
    buf_printf(&text, "%s\n%s\n%s\n%s\n%s%s", what, chain->time, chain->scope, chain->previous, middle, digest);
    hmac(chain->key, sizeof chain->key, buf_str(&text), signature);
    hex(signature, chain->previous);
}

void sigv4_chain_chunk(struct sigv4_chain *chain, const uint8_t sha256[static 32])
{
    char middle[sizeof empty_sha256 + 1];

    snprintf(middle, sizeof middle, "%s\n", empty_sha256);
    chain_next(chain, "AWS4-HMAC-SHA256-PAYLOAD", middle, sha256);
}

void sigv4_chain_trailer(struct sigv4_chain *chain, const uint8_t sha256[static 32])
{
    chain_next(chain, "AWS4-HMAC-SHA256-TRAILER", "", sha256);
}

/* ----------------------------------------------------------------- sign */

static int name_compare(const void *a, const void *b)
{
    return str_cmp(*(const struct str *)a, *(const struct str *)b);
}

/* "host;range;x-amz-date": lower case, sorted, each once */
static void put_signed_headers(struct buf *out, struct arena *arena, const struct sigv4_request *request)
{
    struct str *names = arena_array(arena, MAX(request->header_count, (size_t)1), sizeof *names);

    for (size_t i = 0; i < request->header_count; i++) {
        char *copy = arena_strdup(arena, request->headers[i].name);
        for (char *p = copy; *p; p++)
            *p = (char)(*p >= 'A' && *p <= 'Z' ? *p + 32 : *p);
        names[i] = str_of(copy);
    }
    qsort(names, request->header_count, sizeof *names, name_compare);
    for (size_t i = 0; i < request->header_count; i++) {
        if (i && str_eq(names[i], names[i - 1]))
            continue;
        if (out->len)
            buf_putc(out, ';');
        buf_put_str(out, names[i]);
    }
}

void sigv4_sign(const struct sigv4_request *request, const struct sigv4_keys *keys, int64_t wall_ms, struct buf *out)
{
    CLEANUP(arena_free) struct arena arena = { 0 };
    CLEANUP(buf_free) struct buf names = { 0 };
    struct sigv4_chain chain = { 0 };
    char time[SIGV4_TIME_LEN + 1];

    sigv4_format_time(wall_ms, time);
    put_signed_headers(&names, &arena, request);
    sigv4_chain_begin(&chain, keys->secret_key, time, str_n(time, 8), str_of(keys->region), STR("s3"));
    sigv4_chain_sign(&chain, request, request->query, buf_str(&names), false);
    buf_printf(out, "AWS4-HMAC-SHA256 Credential=%s/%s, SignedHeaders=%s, Signature=%s", keys->access_key, chain.scope,
               buf_cstr(&names), chain.previous);
}

void sigv4_presign(const struct sigv4_request *request, const struct sigv4_keys *keys, int64_t wall_ms, int expires_s,
                   struct buf *out)
{
    CLEANUP(buf_free) struct buf query = { 0 };
    CLEANUP(buf_free) struct buf credential = { 0 };
    struct sigv4_request unsigned_body = *request;
    struct sigv4_chain chain = { 0 };
    char time[SIGV4_TIME_LEN + 1];

    sigv4_format_time(wall_ms, time);
    sigv4_chain_begin(&chain, keys->secret_key, time, str_n(time, 8), str_of(keys->region), STR("s3"));
    buf_printf(&credential, "%s/%s", keys->access_key, chain.scope);
    buf_put_str(&query, request->query);
    buf_printf(&query, "%sX-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=", query.len ? "&" : "");
    uri_encode(&query, buf_str(&credential), false);
    buf_printf(&query, "&X-Amz-Date=%s&X-Amz-Expires=%d&X-Amz-SignedHeaders=host", time, expires_s);
    unsigned_body.payload = STR(SIGV4_UNSIGNED_PAYLOAD);
    sigv4_chain_sign(&chain, &unsigned_body, buf_str(&query), STR("host"), false);
    buf_printf(out, "%s&X-Amz-Signature=%s", buf_cstr(&query), chain.previous);
}
