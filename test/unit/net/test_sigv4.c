/* The published examples, signed and verified; and what a verifier must refuse. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>
#include <openssl/evp.h>

#include "net/net.h"

enum { HEADERS = 8 };

static json_t *vectors;
static struct sigv4_keys keys;
static int64_t time_ms;

static const char *text_of(json_t *object, const char *name)
{
    return json_string_value(json_object_get(object, name));
}

static int load(void **state)
{
    vectors = json_load_file(TEST_DIR "/golden/sigv4/vectors.json", 0, NULL);
    keys = (struct sigv4_keys){ text_of(vectors, "access_key"), text_of(vectors, "secret_key"),
                                text_of(vectors, "region") };
    time_ms = json_integer_value(json_object_get(vectors, "time_ms"));
    (void)state;
    return vectors ? 0 : -1;
}

static int unload(void **state)
{
    (void)state;
    json_decref(vectors);
    return 0;
}

static struct sigv4_request read_request(json_t *row, struct sigv4_header headers[static HEADERS])
{
    struct sigv4_request request = { .method = str_of(text_of(row, "method")),
                                     .path = str_of(text_of(row, "path")),
                                     .query = str_of(text_of(row, "query")),
                                     .payload = str_of(text_of(row, "payload")),
                                     .headers = headers };
    json_t *pair = NULL;
    size_t i = 0;

    json_array_foreach(json_object_get(row, "headers"), i, pair) {
        headers[i] = (struct sigv4_header){ str_of(json_string_value(json_array_get(pair, 0))),
                                            str_of(json_string_value(json_array_get(pair, 1))) };
        request.header_count = i + 1;
    }
    return request;
}

static void sha256(const void *p, size_t n, uint8_t out[static 32])
{
    EVP_Digest(p, n, out, NULL, EVP_sha256(), NULL);
}

static void check_chunks(json_t *row, struct sigv4_chain *chain)
{
    static char a[65536];
    const size_t sizes[] = { 65536, 1024, 0 };
    const char *trailer = text_of(row, "trailer");
    uint8_t digest[32];

    memset(a, 'a', sizeof a);
    for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
        sha256(a, sizes[i], digest);
        sigv4_chain_chunk(chain, digest);
        assert_string_equal(chain->previous, json_string_value(json_array_get(json_object_get(row, "chunks"), i)));
    }
    if (!trailer)
        return;
    sha256(trailer, strlen(trailer), digest);
    sigv4_chain_trailer(chain, digest);
    assert_string_equal(chain->previous, text_of(row, "trailer_signature"));
}

static void every_published_request_is_signed_and_verified(void **state)
{
    json_t *row = NULL;
    size_t i = 0;

    (void)state;
    json_array_foreach(json_object_get(vectors, "requests"), i, row) {
        CLEANUP(buf_free) struct buf authorization = { 0 };
        CLEANUP(arena_free) struct arena arena = { 0 };
        struct sigv4_header headers[HEADERS];
        struct sigv4_request request = read_request(row, headers);
        struct sigv4_chain chain = { 0 };
        struct sigv4_claim claim = { 0 };
        struct err err = { 0 };

        sigv4_sign(&request, &keys, time_ms, &authorization);
        assert_true(str_ends(buf_str(&authorization), text_of(row, "signature")));
        headers[request.header_count++] = (struct sigv4_header){ STR("Authorization"), buf_str(&authorization) };
        assert_int_equal(sigv4_claim_read(&request, &arena, &claim, &err), SIGV4_VALID);
        assert_int_equal(claim.kind, SIGV4_HEADER);
        assert_true(str_is(claim.access_key, keys.access_key));
        assert_int_equal(sigv4_verify(&request, &claim, keys.secret_key, time_ms, &chain, &err), SIGV4_VALID);
        if (json_object_get(row, "chunks"))
            check_chunks(row, &chain);
    }
}

static struct sigv4_request presigned(struct sigv4_header *host, struct buf *query)
{
    json_t *row = json_object_get(vectors, "presigned");
    *host = (struct sigv4_header){ STR("host"), str_of(text_of(row, "host")) };
    struct sigv4_request request = { .method = STR("GET"),
                                     .path = str_of(text_of(row, "path")),
                                     .headers = host,
                                     .header_count = 1,
                                     .payload = STR(SIGV4_UNSIGNED_PAYLOAD) };

    sigv4_presign(&request, &keys, time_ms, (int)json_integer_value(json_object_get(row, "expires_s")), query);
    request.query = buf_str(query);
    return request;
}

static enum sigv4_verdict verify(const struct sigv4_request *request, const char *secret, int64_t now_ms)
{
    CLEANUP(arena_free) struct arena arena = { 0 };
    struct sigv4_claim claim = { 0 };
    struct err err = { 0 };
    enum sigv4_verdict verdict = sigv4_claim_read(request, &arena, &claim, &err);

    return verdict ? verdict : sigv4_verify(request, &claim, secret, now_ms, NULL, &err);
}

static void the_published_presigned_url_is_made_and_verified_until_it_expires(void **state)
{
    CLEANUP(buf_free) struct buf query = { 0 };
    struct sigv4_header host = { 0 };
    struct sigv4_request request = presigned(&host, &query);

    (void)state;
    assert_true(str_ends(buf_str(&query), text_of(json_object_get(vectors, "presigned"), "signature")));
    assert_int_equal(verify(&request, keys.secret_key, time_ms), SIGV4_VALID);
    assert_int_equal(verify(&request, keys.secret_key, time_ms + 86400000), SIGV4_VALID);
    assert_int_equal(verify(&request, keys.secret_key, time_ms + 86400001), SIGV4_EXPIRED);
    assert_int_equal(verify(&request, keys.secret_key, time_ms - SIGV4_SKEW_MAX_MS - 1), SIGV4_SKEWED);
    assert_int_equal(verify(&request, "another secret", time_ms), SIGV4_MISMATCH);
}

static void a_changed_method_path_query_or_header_does_not_verify(void **state)
{
    CLEANUP(buf_free) struct buf query = { 0 };
    CLEANUP(buf_free) struct buf longer = { 0 };
    struct sigv4_header host = { 0 };
    struct sigv4_request request = presigned(&host, &query), changed = request;

    (void)state;
    changed.method = STR("PUT");
    assert_int_equal(verify(&changed, keys.secret_key, time_ms), SIGV4_MISMATCH);
    changed = request;
    changed.path = STR("/test.txt/");
    assert_int_equal(verify(&changed, keys.secret_key, time_ms), SIGV4_MISMATCH);
    changed = request;
    buf_printf(&longer, "%s&acl", buf_cstr(&query));
    changed.query = buf_str(&longer);
    assert_int_equal(verify(&changed, keys.secret_key, time_ms), SIGV4_MISMATCH);
    host.value = STR("elsewhere");
    assert_int_equal(verify(&request, keys.secret_key, time_ms), SIGV4_MISMATCH);
}

static void an_amz_header_outside_the_signature_is_refused(void **state)
{
    CLEANUP(buf_free) struct buf query = { 0 };
    struct sigv4_header headers[2] = { 0 };
    struct sigv4_request request = presigned(headers, &query);

    (void)state;
    headers[1] = (struct sigv4_header){ STR("X-Amz-Acl"), STR("public-read") };
    request.header_count = 2;
    assert_int_equal(verify(&request, keys.secret_key, time_ms), SIGV4_HEADER_UNSIGNED);
}

static void a_request_from_another_hour_is_skewed(void **state)
{
    CLEANUP(buf_free) struct buf authorization = { 0 };
    struct sigv4_header headers[HEADERS];
    struct sigv4_request request = read_request(json_array_get(json_object_get(vectors, "requests"), 0), headers);

    (void)state;
    sigv4_sign(&request, &keys, time_ms, &authorization);
    headers[request.header_count++] = (struct sigv4_header){ STR("Authorization"), buf_str(&authorization) };
    assert_int_equal(verify(&request, keys.secret_key, time_ms + SIGV4_SKEW_MAX_MS), SIGV4_VALID);
    assert_int_equal(verify(&request, keys.secret_key, time_ms + SIGV4_SKEW_MAX_MS + 1), SIGV4_SKEWED);
    assert_int_equal(verify(&request, keys.secret_key, time_ms - SIGV4_SKEW_MAX_MS - 1), SIGV4_SKEWED);
}

static void broken_authorizations_are_malformed(void **state)
{
    static const char *const texts[] = {
        "AWS4-HMAC-SHA256",
        "AWS4-HMAC-SHA256 Credential=a, SignedHeaders=host, Signature=b",
        "AWS4-HMAC-SHA256 Credential=a/20130524/r/s3/aws4_requesx, SignedHeaders=host, Signature=b",
        "AWS4-HMAC-SHA256 Credential=a/2013/r/s3/aws4_request, SignedHeaders=host, Signature=b",
        "AWS4-HMAC-SHA256 Credential=/20130524/r/s3/aws4_request, SignedHeaders=host, Signature=b",
        "AWS4-HMAC-SHA256 Credential=a/20130525/r/s3/aws4_request, SignedHeaders=host, Signature=b",
        "AWS4-HMAC-SHA256 Credential=a/20130524/r/s3/aws4_request, SignedHeaders=, Signature=b",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        struct sigv4_header headers[] = { { STR("authorization"), str_of(texts[i]) },
                                          { STR("x-amz-date"), STR("20130524T000000Z") } };
        struct sigv4_request request = {
            .method = STR("GET"), .path = STR("/"), .headers = headers, .header_count = 2
        };
        assert_int_equal(verify(&request, "s", time_ms), SIGV4_MALFORMED);
        headers[0].value = STR("AWS a:b");
        assert_int_equal(verify(&request, "s", time_ms), SIGV4_UNSUPPORTED);
    }
}

/* As botocore presigns it. */
static void a_presigned_url_of_version_2_verifies(void **state)
{
    struct sigv4_header host = { STR("host"), STR("127.0.0.1:9000") };
    struct sigv4_request request = {
        .method = STR("GET"),
        .path = STR("/raw/a%20b.txt"),
        .query = STR("AWSAccessKeyId=minio&Signature=%2FTf7Hk9PqfR2yreRsIIO9c8Q%2FSc%3D&Expires=1700000000"),
        .headers = &host,
        .header_count = 1
    };

    (void)state;
    assert_int_equal(verify(&request, "minio123", 1700000000000), SIGV4_VALID);
    assert_int_equal(verify(&request, "minio123", 1700000000001), SIGV4_EXPIRED);
    assert_int_equal(verify(&request, "minio124", 1700000000000), SIGV4_MISMATCH);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_published_request_is_signed_and_verified),
        cmocka_unit_test(the_published_presigned_url_is_made_and_verified_until_it_expires),
        cmocka_unit_test(a_changed_method_path_query_or_header_does_not_verify),
        cmocka_unit_test(an_amz_header_outside_the_signature_is_refused),
        cmocka_unit_test(a_request_from_another_hour_is_skewed),
        cmocka_unit_test(broken_authorizations_are_malformed),
        cmocka_unit_test(a_presigned_url_of_version_2_verifies),
    };

    return cmocka_run_group_tests(tests, load, unload);
}
