/* The rules that need no disk: names, ranges, conditions, policies, records, checksums, chunks, XML. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "lake/store/bucket.h"
#include "lake/store/chunked.h"
#include "lake/store/condition.h"
#include "lake/store/demand.h"
#include "lake/store/policy.h"
#include "lake/store/range.h"

static void ranges_are_read_as_the_rfc_says(void **state)
{
    static const struct {
        const char *text;
        uint64_t size;
        enum range_kind kind;
        uint64_t offset, count;
    } rows[] = {
        { "bytes=0-0", 10, RANGE_PART, 0, 1 },
        { "bytes=2-5", 10, RANGE_PART, 2, 4 },
        { "bytes=9-", 10, RANGE_PART, 9, 1 },
        { "bytes=0-99", 10, RANGE_PART, 0, 10 },
        { "bytes=-3", 10, RANGE_PART, 7, 3 },
        { "bytes=-30", 10, RANGE_PART, 0, 10 },
        { " bytes=1-2 ", 10, RANGE_PART, 1, 2 },
        { "bytes=10-", 10, RANGE_UNSATISFIABLE, 0, 10 },
        { "bytes=-0", 10, RANGE_UNSATISFIABLE, 0, 10 },
        { "bytes=0-", 0, RANGE_UNSATISFIABLE, 0, 0 },
        { "bytes=-1", 0, RANGE_UNSATISFIABLE, 0, 0 },
        { "bytes=5-2", 10, RANGE_WHOLE, 0, 10 },
        { "bytes=0-1,3-4", 10, RANGE_WHOLE, 0, 10 },
        { "bytes=", 10, RANGE_WHOLE, 0, 10 },
        { "bytes=-", 10, RANGE_WHOLE, 0, 10 },
        { "bytes=a-b", 10, RANGE_WHOLE, 0, 10 },
        { "bytes=5", 10, RANGE_WHOLE, 0, 10 },
        { "lines=1-2", 10, RANGE_WHOLE, 0, 10 },
        { "bytes=99999999999999999999-", 10, RANGE_WHOLE, 0, 10 },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        uint64_t offset = 0, count = 0;
        assert_int_equal(range_parse(str_of(rows[i].text), rows[i].size, &offset, &count), rows[i].kind);
        assert_int_equal(offset, rows[i].offset);
        assert_int_equal(count, rows[i].count);
    }
}

static void bucket_names_follow_the_rules(void **state)
{
    static const char *const good[] = { "abc", "a-b", "a.b.c", "raw", "123", "1.2.3" };
    static const char *const bad[] = { "", "ab", "-ab", "ab-", ".ab", "a..b", "Abc", "a_b", "1.2.3.4", "a b", "a/b" };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(good); i++)
        assert_true(bucket_name_is_valid(str_of(good[i])));
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_false(bucket_name_is_valid(str_of(bad[i])));
}

static void conditions_hold_or_not(void **state)
{
    struct record record = { .etag = "abc", .modified_ms = 784111777500 }; /* Sun, 06 Nov 1994 08:49:37.5 */
    struct str same = STR("Sun, 06 Nov 1994 08:49:37 GMT"), before = STR("Sun, 06 Nov 1994 08:49:36 GMT");
    struct conditions c = { .if_match = STR("\"abc\"") };

    (void)state;
    assert_int_equal(conditions_for_read(&c, &record), S3_NONE);
    c.if_unmodified_since = before; /* if-match wins */
    assert_int_equal(conditions_for_read(&c, &record), S3_NONE);
    c = (struct conditions){ .if_match = STR("\"x\", abc") };
    assert_int_equal(conditions_for_read(&c, &record), S3_NONE);
    c = (struct conditions){ .if_match = STR("x") };
    assert_int_equal(conditions_for_read(&c, &record), S3_PRECONDITION_FAILED);
    c = (struct conditions){ .if_unmodified_since = before };
    assert_int_equal(conditions_for_read(&c, &record), S3_PRECONDITION_FAILED);
    c = (struct conditions){ .if_unmodified_since = same };
    assert_int_equal(conditions_for_read(&c, &record), S3_NONE);
    c = (struct conditions){ .if_none_match = STR("W/\"abc\"") };
    assert_int_equal(conditions_for_read(&c, &record), S3_NOT_MODIFIED);
    c = (struct conditions){ .if_none_match = STR("x"), .if_modified_since = same }; /* if-none-match wins */
    assert_int_equal(conditions_for_read(&c, &record), S3_NONE);
    c = (struct conditions){ .if_modified_since = same };
    assert_int_equal(conditions_for_read(&c, &record), S3_NOT_MODIFIED);
    assert_int_equal(conditions_for_copy(&c, &record), S3_PRECONDITION_FAILED);
    c = (struct conditions){ .if_modified_since = before };
    assert_int_equal(conditions_for_read(&c, &record), S3_NONE);
    c = (struct conditions){ .if_modified_since = STR("yesterday") };
    assert_int_equal(conditions_for_read(&c, &record), S3_NONE);
    c = (struct conditions){ .if_none_match = STR("*") };
    assert_int_equal(conditions_for_write(&c, &record), S3_PRECONDITION_FAILED);
    assert_int_equal(conditions_for_write(&c, NULL), S3_NONE);
    c = (struct conditions){ .if_match = STR("abc") };
    assert_int_equal(conditions_for_write(&c, &record), S3_NONE);
    assert_int_equal(conditions_for_write(&c, NULL), S3_NO_SUCH_KEY);
}

static const char public_read[] =
    "{\"Version\":\"2012-10-17\",\"Statement\":["
    "{\"Effect\":\"Allow\",\"Principal\":{\"AWS\":[\"*\"]},\"Action\":[\"s3:ListBucket\"],"
    "\"Resource\":[\"arn:aws:s3:::raw\"]},"
    "{\"Effect\":\"Allow\",\"Principal\":\"*\",\"Action\":\"s3:Get*\",\"Resource\":\"arn:aws:s3:::raw/*\"},"
    "{\"Effect\":\"Deny\",\"Principal\":\"*\",\"Action\":\"s3:GetObject\",\"Resource\":\"arn:aws:s3:::raw/secret/*\"},"
    "{\"Effect\":\"Allow\",\"Principal\":\"*\",\"Action\":\"s3:PutObject\",\"Resource\":\"arn:aws:s3:::raw/*\","
    "\"Condition\":{\"IpAddress\":{\"aws:SourceIp\":\"10.0.0.0/8\"}}},"
    "{\"Effect\":\"Allow\",\"Principal\":{\"AWS\":\"arn:aws:iam::1:user/x\"},\"Action\":\"s3:*\","
    "\"Resource\":\"arn:aws:s3:::raw/*\"}]}";

static bool allows(const char *action, const char *bucket, const char *key)
{
    struct policy_question question = { action, str_of(bucket), str_of(key) };

    return policy_allows(str_of(public_read), &question);
}

static void a_policy_allows_what_it_says_and_nothing_else(void **state)
{
    struct err err = { 0 };

    (void)state;
    assert_true(allows("s3:ListBucket", "raw", ""));
    assert_true(allows("s3:GetObject", "raw", "a/b"));
    assert_false(allows("s3:GetObject", "raw", "secret/b"));
    assert_false(allows("s3:GetObject", "raw2", "a"));
    assert_false(allows("s3:PutObject", "raw", "a"));
    assert_false(allows("s3:DeleteObject", "raw", "a"));
    assert_false(allows("s3:DeleteBucket", "raw", ""));
    assert_int_equal(policy_check(str_of(public_read), STR("raw"), &err), S3_NONE);
    assert_int_equal(policy_check(str_of(public_read), STR("other"), &err), S3_MALFORMED_POLICY);
    assert_int_equal(policy_check(STR("[]"), STR("raw"), &err), S3_MALFORMED_POLICY);
    assert_int_equal(policy_check(STR("{\"Statement\":[1]}"), STR("raw"), &err), S3_MALFORMED_POLICY);
    assert_int_equal(policy_check(STR(""), STR("raw"), &err), S3_MALFORMED_POLICY);
}

static void patterns_match(void **state)
{
    static const struct {
        const char *pattern, *text;
        bool match;
    } rows[] = { { "*", "", true },         { "a*b", "ab", true }, { "a*b", "axxb", true }, { "a*b", "axxbc", false },
                 { "?", "", false },        { "?", "x", true },    { "**a", "bba", true },  { "a*b*c", "abbc", true },
                 { "a*b*c", "acb", false }, { "", "", true },      { "", "a", false },      { "*a?", "aab", true } };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        assert_int_equal(policy_matches(str_of(rows[i].pattern), str_of(rows[i].text), false), rows[i].match);
    assert_true(policy_matches(STR("S3:get*"), STR("s3:GetObject"), true));
}

static void a_record_comes_back_as_it_was(void **state)
{
    CLEANUP(arena_free) struct arena arena = { 0 };
    CLEANUP(buf_free) struct buf bytes = { 0 };
    struct record_part parts[] = { { 1, 2 }, { UINT64_MAX, 3 } };
    struct record_header headers[] = { { STR("content-type"), STR("a/b") }, { STR("x-amz-meta-e"), STR("") } };
    struct record record = { .modified_ms = 5,
                             .size = 5,
                             .etag = "e-2",
                             .checksum = CHECKSUM_CRC32,
                             .checksum_is_whole = true,
                             .checksum_text = "AAAA",
                             .has_upload = true,
                             .upload_id = { 1, 2, 3 },
                             .parts = parts,
                             .part_count = 2,
                             .headers = headers,
                             .header_count = 2,
                             .tags = STR("a=b") };
    struct record back = { 0 };

    (void)state;
    record_encode(&record, &bytes);
    assert_true(record_decode(buf_str(&bytes), &arena, &back));
    assert_int_equal(back.part_count, 2);
    assert_true(back.parts[1].blob == UINT64_MAX && back.parts[1].size == 3);
    assert_true(str_is(record_header(&back, "Content-Type"), "a/b"));
    assert_true(str_is(record_header(&back, "x-amz-meta-e"), "") && record_header(&back, "x-amz-meta-e").p);
    assert_null(record_header(&back, "none").p);
    assert_true(str_is(back.tags, "a=b") && back.checksum_is_whole && back.upload_id[2] == 3);
    assert_string_equal(back.etag, "e-2");
    for (size_t n = 0; n < bytes.len; n++) /* cut anywhere: refused, not read beyond */
        assert_false(record_decode(str_n(bytes.data, n), &arena, &back));
}

static void sum_of(enum checksum_kind kind, const char *text, char out[static CHECKSUM_TEXT_MAX])
{
    struct checksum sum = { 0 };

    checksum_begin(&sum, kind);
    checksum_add(&sum, text, strlen(text) / 2); /* in two steps */
    checksum_add(&sum, text + strlen(text) / 2, strlen(text) - strlen(text) / 2);
    checksum_end(&sum, out);
    char again[CHECKSUM_TEXT_MAX];
    checksum_end(&sum, again);
    assert_true(!again[0] || strcmp(again, out) == 0); /* harmless */
}

static void checksums_are_the_published_ones_and_combine(void **state)
{
    static const struct {
        enum checksum_kind kind;
        const char *text, *want;
    } rows[] = { { CHECKSUM_CRC64NVME, "", "AAAAAAAAAAA=" },
                 { CHECKSUM_CRC64NVME, "hello", "M3eFcAZSQlc=" },
                 { CHECKSUM_CRC64NVME, "123456789", "rosUhgp5mIg=" },
                 { CHECKSUM_CRC32C, "123456789", "4waSgw==" },
                 { CHECKSUM_CRC32, "123456789", "y/Q5Jg==" },
                 { CHECKSUM_SHA1, "", "2jmj7l5rSw0yVb/vlWAYkK/YBwk=" },
                 { CHECKSUM_SHA256, "", "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=" } };
    static const char whole[] = "what is long is cut and what is cut is put together again";
    char got[CHECKSUM_TEXT_MAX], a[CHECKSUM_TEXT_MAX], b[CHECKSUM_TEXT_MAX], want[CHECKSUM_TEXT_MAX];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        sum_of(rows[i].kind, rows[i].text, got);
        assert_string_equal(got, rows[i].want);
        assert_true(checksum_is_text(rows[i].kind, str_of(got)));
    }
    for (int kind = CHECKSUM_CRC32; kind <= CHECKSUM_CRC64NVME; kind++) {
        sum_of(kind, whole, want);
        sum_of(kind, "what is long is cut and ", a);
        sum_of(kind, "what is cut is put together again", b);
        struct checksum_part parts[] = { { a, 24 }, { b, sizeof whole - 1 - 24 } };
        assert_true(checksum_combine(kind, parts, 2, got));
        assert_string_equal(got, want);
    }
}

/* ---------------------------------------------------------------- chunks */

static enum s3_error keep_data(void *user, const void *p, size_t n)
{
    buf_append(user, p, n);
    return S3_NONE;
}

static enum s3_error keep_end(void *user, struct str signature)
{
    buf_printf(user, "|%.*s|", STR_ARG(signature));
    return S3_NONE;
}

static enum s3_error keep_trailer(void *user, struct str name, struct str value)
{
    buf_printf(user, "<%.*s=%.*s>", STR_ARG(name), STR_ARG(value));
    return S3_NONE;
}

static enum s3_error decode(const char *text, size_t step, struct buf *out)
{
    struct chunked chunked;
    size_t n = strlen(text);
    enum s3_error failed = S3_NONE;

    chunked_begin(&chunked, &(struct chunked_events){ keep_data, keep_end, keep_trailer, out });
    for (size_t at = 0; at < n && !failed; at += step)
        failed = chunked_push(&chunked, text + at, MIN(step, n - at));
    return failed ? failed : chunked_end(&chunked);
}

static void chunks_in_pieces_of_any_size_are_the_same(void **state)
{
    static const struct {
        const char *text, *want;
        enum s3_error failed;
    } rows[] = {
        { "3\r\nabc\r\n0\r\n\r\n", "abc||||", S3_NONE },
        { "3\r\nabc\r\n2\r\nde\r\n0\r\nx-a:b\r\nx-c: d\n\r\n", "abc||de||||<x-a=b><x-c=d>", S3_NONE },
        { "A;chunk-signature=ff\r\n0123456789\r\n0;chunk-signature=ee\r\n\r\n", "0123456789|ff||ee|", S3_NONE },
        { "0\r\n", "||", S3_NONE },
        { "0\r\nx-a:b", "||<x-a=b>", S3_NONE },
        { "1;chunk-signature=f\r\na\r\n1;chunk-signature=f\r\na\r\n0\r\n", "a|f|", S3_INVALID_CHUNK_SIZE },
        { "", "", S3_INCOMPLETE_BODY },
        { "3\r\nab", "ab", S3_INCOMPLETE_BODY },
        { "3\r\nabcd\r\n0\r\n\r\n", "abc||", S3_INVALID_REQUEST },
        { "x\r\n", "", S3_INVALID_REQUEST },
        { "ffffffffffffffff\r\n", "", S3_INVALID_REQUEST },
        { "0\r\nnonsense\r\n\r\n", "||", S3_MALFORMED_TRAILER },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        for (size_t step = 1; step < 40; step++) {
            CLEANUP(buf_free) struct buf out = { 0 };
            assert_int_equal(decode(rows[i].text, step, &out), rows[i].failed);
            assert_string_equal(buf_cstr(&out), rows[i].want);
        }
}

/* ------------------------------------------------------------------- xml */

static void requests_in_xml_are_read_with_and_without_a_namespace(void **state)
{
    CLEANUP(arena_free) struct arena arena = { 0 };
    struct demand_delete delete = { 0 };
    struct demand_complete complete = { 0 };
    struct str tags = { 0 };

    (void)state;
    assert_int_equal(
        demand_delete_read(STR("<Delete xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Object><Key>a&amp;b"
                               "</Key></Object><Quiet>true</Quiet><Object><Key>&#x9;</Key><VersionId>null"
                               "</VersionId></Object></Delete>"),
                           &arena, &delete),
        S3_NONE);
    assert_true(delete.count == 2 && delete.quiet);
    assert_true(str_is(delete.keys[0], "a&b") && str_is(delete.keys[1], "\t") && !delete.versions[0].p);
    assert_int_equal(
        demand_complete_read(STR("<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>\"x\"</ETag>"
                                 "</Part><Part><ETag>y</ETag><PartNumber>3</PartNumber></Part>"
                                 "</CompleteMultipartUpload>"),
                             &arena, &complete),
        S3_NONE);
    assert_true(complete.count == 2 && complete.parts[1].number == 3 && str_is(complete.parts[0].etag, "x"));
    assert_int_equal(demand_tags_read(STR("<Tagging><TagSet><Tag><Key>a b</Key><Value>1&lt;</Value></Tag></TagSet>"
                                          "</Tagging>"),
                                      10, &arena, &tags),
                     S3_NONE);
    assert_true(str_is(tags, "a%20b=1%3C"));
}

static void broken_xml_is_malformed(void **state)
{
    static const char *const texts[] = {
        "",
        "<",
        "<Delete>",
        "<Delete></Delete>",
        "<Delete><Object></Object></Delete>",
        "<!DOCTYPE x [<!ENTITY a \"b\">]><Delete><Object><Key>&a;</Key></Object></Delete>",
        "<Delete><Object><Key>x</Key></Object></Delete>trailing"
    };
    CLEANUP(arena_free) struct arena arena = { 0 };
    struct demand_delete delete = { 0 };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        assert_int_equal(demand_delete_read(str_of(texts[i]), &arena, &delete), S3_MALFORMED_XML);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ranges_are_read_as_the_rfc_says),
        cmocka_unit_test(bucket_names_follow_the_rules),
        cmocka_unit_test(conditions_hold_or_not),
        cmocka_unit_test(a_policy_allows_what_it_says_and_nothing_else),
        cmocka_unit_test(patterns_match),
        cmocka_unit_test(a_record_comes_back_as_it_was),
        cmocka_unit_test(checksums_are_the_published_ones_and_combine),
        cmocka_unit_test(chunks_in_pieces_of_any_size_are_the_same),
        cmocka_unit_test(requests_in_xml_are_read_with_and_without_a_namespace),
        cmocka_unit_test(broken_xml_is_malformed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
