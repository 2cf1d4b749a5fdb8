/*
 * Replacing an object: a server of one key, by the rules of conditional writes, and others that write it at the worst
 * moment.  What each call had to say is written down in `said`.
 */
#include "unit/unit.h"

#include <stdio.h>
#include <string.h>

#include "unit/net/s3_stand.h"

enum server_kind { MODERN, OLD, REFUSING }; /* conditions: known, ignored, answered with 501 */

static enum server_kind kind;
static char object[64]; /* "": absent.  Its ETag is "<its text>" */
static int others;      /* so many times another writer comes after a HEAD */
static char said[512];

static bool refuse(struct http_response *response, int status, const char *code)
{
    http_response_text(response, status, "application/xml", "<Error><Code>%s</Code></Error>", code);
    return false;
}

static bool may_write(struct http_request *request, struct http_response *response)
{
    struct str match = http_request_header(request, "if-match"), none = http_request_header(request, "if-none-match");
    char quoted[80];

    snprintf(quoted, sizeof quoted, "\"%s\"", object);
    if (kind == OLD || (!match.p && !none.p))
        return true;
    if (kind == REFUSING)
        return refuse(response, 501, "NotImplemented");
    if (none.p)
        return !object[0] || refuse(response, 412, "PreconditionFailed");
    if (!object[0])
        return refuse(response, 404, "NoSuchKey");
    return str_is(match, quoted) || refuse(response, 412, "PreconditionFailed");
}

static void say(struct http_request *request, const char *verb)
{
    struct str match = http_request_header(request, "if-match"), none = http_request_header(request, "if-none-match");
    size_t n = strlen(said);

    snprintf(said + n, sizeof said - n, "%s%.*s%s;", verb, STR_ARG(match), none.p ? "*" : "");
}

static void put(struct http_request *request, struct http_response *response)
{
    say(request, "put");
    if (!may_write(request, response))
        return;
    snprintf(object, sizeof object, "%.*s", STR_ARG(buf_str(&request->body)));
    http_response_text(response, 200, "application/xml", "%s", "");
}

static void complete(struct http_request *request, struct http_response *response)
{
    say(request, "complete");
    if (!may_write(request, response))
        return;
    snprintf(object, sizeof object, "parts");
    http_response_text(response, 200, "application/xml", "<CompleteMultipartUploadResult/>");
}

static void head(struct http_request *request, struct http_response *response)
{
    say(request, "head");
    if (!object[0]) {
        http_response_text(response, 404, "application/xml", "%s", "");
        return;
    }
    http_response_header(response, "ETag", "\"%s\"", object);
    http_response_text(response, 200, "application/xml", "%s", "");
    if (others > 0)
        snprintf(object, sizeof object, "other%d", others--);
}

static const struct http_route routes[] = {
    { .method = "PUT", .pattern = "/{*all}", .handle = put },
    { .method = "POST", .pattern = "/{*all}", .handle = complete },
    { .method = "HEAD", .pattern = "/{*all}", .handle = head },
};

static int start(void **state)
{
    (void)state;
    return stand_begin(routes, ARRAY_LEN(routes));
}

static void given(enum server_kind of, const char *there, int other_writers)
{
    kind = of;
    others = other_writers;
    snprintf(object, sizeof object, "%s", there);
    said[0] = 0;
}

static enum rc replace(struct err *err)
{
    return s3_replace(client, "raw", "k", str_of("new"), NULL, err);
}

static enum rc replace_parts(struct err *err)
{
    static const char etags[1][S3_ETAG_MAX] = { "a" };

    return s3_multipart_replace(client, "raw", "k", "id", etags, 1, err);
}

static void a_new_object_costs_one_call(void **state)
{
    (void)state;
    given(MODERN, "", 0);
    assert_int_equal(replace(NULL), RC_OK);
    assert_string_equal(said, "put*;");
}

static void what_is_there_is_named(void **state)
{
    (void)state;
    given(MODERN, "old", 0);
    assert_int_equal(replace(NULL), RC_OK);
    assert_string_equal(said, "put*;head;put\"old\";");
    assert_string_equal(object, "new");
}

static void what_changed_meanwhile_is_looked_at_again(void **state)
{
    (void)state;
    given(MODERN, "old", 1);
    assert_int_equal(replace(NULL), RC_OK);
    assert_string_equal(said, "put*;head;put\"old\";head;put\"other1\";");
}

static void a_key_others_write_all_the_time_is_left_for_later(void **state)
{
    struct err err = { 0 };

    (void)state;
    given(MODERN, "old", 100);
    assert_int_equal(replace(&err), RC_RETRY);
    assert_string_equal(err.text, "cannot put 'raw/k': another writer puts it at the same time");
}

static void a_late_put_does_not_overwrite(void **state)
{
    struct err err = { 0 };

    (void)state;
    given(MODERN, "newer", 0);
    assert_int_equal(s3_put(client, "raw", "k", str_of("late"), NULL, S3_IF_ABSENT, NULL, &err), RC_EXISTS);
    assert_int_equal(s3_put(client, "raw", "k", str_of("late"), NULL, S3_IF_MATCH, "old", &err), RC_EXISTS);
    assert_string_equal(object, "newer");
}

static void parts_replace_by_the_same_rule(void **state)
{
    (void)state;
    given(MODERN, "old", 1);
    assert_int_equal(replace_parts(NULL), RC_OK);
    assert_string_equal(said, "complete*;head;complete\"old\";head;complete\"other1\";");
    assert_string_equal(object, "parts");
}

static void a_server_that_ignores_conditions_is_written_to(void **state)
{
    (void)state;
    given(OLD, "old", 0);
    assert_int_equal(replace(NULL), RC_OK);
    assert_string_equal(said, "put*;");
    assert_string_equal(object, "new");
}

/* The last test of the client: it has learned for good. */
static void a_server_that_refuses_conditions_is_asked_once(void **state)
{
    (void)state;
    given(REFUSING, "old", 0);
    assert_int_equal(replace(NULL), RC_OK);
    assert_string_equal(said, "put*;put;");
    assert_int_equal(replace_parts(NULL), RC_OK);
    assert_string_equal(said, "put*;put;complete;");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_new_object_costs_one_call),
        cmocka_unit_test(what_is_there_is_named),
        cmocka_unit_test(what_changed_meanwhile_is_looked_at_again),
        cmocka_unit_test(a_key_others_write_all_the_time_is_left_for_later),
        cmocka_unit_test(a_late_put_does_not_overwrite),
        cmocka_unit_test(parts_replace_by_the_same_rule),
        cmocka_unit_test(a_server_that_ignores_conditions_is_written_to),
        cmocka_unit_test(a_server_that_refuses_conditions_is_asked_once),
    };

    return cmocka_run_group_tests(tests, start, stand_end);
}
