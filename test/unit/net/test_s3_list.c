/* Listings as different servers tell them: whether keys are encoded is said by the answer, before or after them. */
#include "unit/unit.h"

#include <string.h>

#include "unit/net/s3_stand.h"

static const char *page;

static void list(struct http_request *request, struct http_response *response)
{
    (void)request;
    http_response_text(response, 200, "application/xml", "<ListBucketResult>%s</ListBucketResult>", page);
}

static const struct http_route routes[] = { { .method = "GET", .pattern = "/{*all}", .handle = list } };

static int start(void **state)
{
    (void)state;
    return stand_begin(routes, ARRAY_LEN(routes));
}

static void expect(const char *told, const char *key, const char *prefix)
{
    CLEANUP(s3_listing_free) struct s3_listing listing = { 0 };
    struct err err = { 0 };

    page = told;
    assert_int_equal(s3_list(client, "raw", NULL, "/", NULL, &listing, &err), RC_OK);
    assert_int_equal(listing.count, 1);
    assert_int_equal(listing.prefix_count, 1);
    assert_string_equal(listing.objects[0].key, key);
    assert_string_equal(listing.prefixes[0], prefix);
}

#define ROWS "<Contents><Key>t+0+%2B1</Key></Contents><CommonPrefixes><Prefix>a%2Fb+c/</Prefix></CommonPrefixes>"

static void names_are_decoded_when_the_server_says_that_it_encoded_them(void **state)
{
    (void)state;
    expect("<EncodingType>url</EncodingType>" ROWS, "t 0 +1", "a/b c/");
    expect(ROWS "<EncodingType>url</EncodingType>", "t 0 +1", "a/b c/");
}

static void names_are_as_they_stand_when_it_does_not(void **state)
{
    (void)state;
    expect(ROWS, "t+0+%2B1", "a%2Fb+c/");
    expect(ROWS "<EncodingType></EncodingType>", "t+0+%2B1", "a%2Fb+c/");
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_decoded_when_the_server_says_that_it_encoded_them),
        cmocka_unit_test(names_are_as_they_stand_when_it_does_not),
    };

    return cmocka_run_group_tests(tests, start, stand_end);
}
