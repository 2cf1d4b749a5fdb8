/* Bucket policies; see policy.h. */
#include "lake/store/policy.h"

#include <jansson.h>
#include <string.h>

static const char arn[] = "arn:aws:s3:::";

static bool same(char a, char b, bool ignore_case)
{
    if (ignore_case && a >= 'A' && a <= 'Z')
        a = (char)(a + 32);
    if (ignore_case && b >= 'A' && b <= 'Z')
        b = (char)(b + 32);
    return a == b;
}

/* Goes back to the last '*' only: no pattern costs more than its length times the text's. */
bool policy_matches(struct str pattern, struct str text, bool ignore_case)
{
    size_t p = 0, t = 0, star = SIZE_MAX, star_text = 0;

    while (t < text.len) {
        if (p < pattern.len && pattern.p[p] == '*') {
            star = p++;
            star_text = t;
        } else if (p < pattern.len && (pattern.p[p] == '?' || same(pattern.p[p], text.p[t], ignore_case))) {
            p++;
            t++;
        } else if (star != SIZE_MAX) {
            p = star + 1;
            t = ++star_text;
        } else {
            return false;
        }
    }
    while (p < pattern.len && pattern.p[p] == '*')
        p++;
    return p == pattern.len;
}

static struct str text_of(const json_t *value)
{
    return json_is_string(value) ? str_n(json_string_value(value), json_string_length(value)) : (struct str){ 0 };
}

/* A text or a list of texts. */
static size_t text_count(const json_t *value)
{
    return json_is_array(value) ? json_array_size(value) : value ? 1 : 0;
}

static struct str text_at(const json_t *value, size_t i)
{
    return text_of(json_is_array(value) ? json_array_get(value, i) : value);
}

static bool any_matches(const json_t *patterns, struct str text, bool ignore_case)
{
    for (size_t i = 0; i < text_count(patterns); i++) {
        struct str pattern = text_at(patterns, i);
        if (pattern.p && policy_matches(pattern, text, ignore_case))
            return true;
    }
    return false;
}

static bool is_everybody(const json_t *principal)
{
    if (json_is_object(principal))
        principal = json_object_get(principal, "AWS");
    for (size_t i = 0; i < text_count(principal); i++)
        if (str_is(text_at(principal, i), "*"))
            return true;
    return false;
}

static bool has_more(const json_t *statement)
{
    return json_object_get(statement, "Condition") || json_object_get(statement, "NotAction") ||
           json_object_get(statement, "NotResource") || json_object_get(statement, "NotPrincipal");
}

static bool speaks_of(const json_t *statement, const struct policy_question *question, struct str resource)
{
    return is_everybody(json_object_get(statement, "Principal")) &&
           any_matches(json_object_get(statement, "Action"), str_of(question->action), true) &&
           any_matches(json_object_get(statement, "Resource"), resource, false);
}

static json_t *statements_of(const json_t *policy, size_t *count)
{
    json_t *statements = json_object_get(policy, "Statement");

    *count = json_is_array(statements) ? json_array_size(statements) : json_is_object(statements) ? 1 : 0;
    return statements;
}

static json_t *statement_at(json_t *statements, size_t i)
{
    return json_is_array(statements) ? json_array_get(statements, i) : statements;
}

bool policy_allows(struct str policy, const struct policy_question *question)
{
    CLEANUP(buf_free) struct buf resource = { 0 };
    json_t *root = json_loadb(policy.p ? policy.p : "", policy.len, 0, NULL);
    bool allowed = false, denied = false;
    size_t count = 0;
    json_t *statements = statements_of(root, &count);

    buf_printf(&resource, "%s%.*s", arn, STR_ARG(question->bucket));
    if (question->key.len) {
        buf_putc(&resource, '/');
        buf_put_str(&resource, question->key);
    }
    for (size_t i = 0; i < count; i++) {
        json_t *statement = statement_at(statements, i);
        bool allow = str_is(text_of(json_object_get(statement, "Effect")), "Allow");
        if (!speaks_of(statement, question, buf_str(&resource)))
            continue;
        allowed |= allow && !has_more(statement);
        denied |= !allow;
    }
    json_decref(root);
    return allowed && !denied;
}

/* ----------------------------------------------------------------- check */

static bool all_texts(const json_t *value)
{
    for (size_t i = 0; i < text_count(value); i++)
        if (!text_at(value, i).len)
            return false;
    return text_count(value) > 0;
}

static bool is_in_bucket(struct str resource, struct str bucket)
{
    if (!str_starts(resource, arn))
        return false;
    resource = str_skip(resource, sizeof arn - 1);
    const char *slash = memchr(resource.p, '/', resource.len);
    struct str name = str_n(resource.p, slash ? (size_t)(slash - resource.p) : resource.len);
    return policy_matches(name, bucket, false);
}

static const char *find_fault(const json_t *statement, struct str bucket)
{
    struct str effect = text_of(json_object_get(statement, "Effect"));
    json_t *resources = json_object_get(statement, "Resource");

    if (!json_is_object(statement))
        return "Policy statement is not an object";
    if (!str_is(effect, "Allow") && !str_is(effect, "Deny"))
        return "Invalid effect";
    if (!json_object_get(statement, "Principal") && !json_object_get(statement, "NotPrincipal"))
        return "Missing required field Principal";
    if (!all_texts(json_object_get(statement, "Action")) && !json_object_get(statement, "NotAction"))
        return "Policy has invalid action";
    if (!all_texts(resources) && !json_object_get(statement, "NotResource"))
        return "Missing required field Resource";
    for (size_t i = 0; i < text_count(resources); i++)
        if (!is_in_bucket(text_at(resources, i), bucket))
            return "Policy has invalid resource";
    return NULL;
}

enum s3_error policy_check(struct str policy, struct str bucket, struct err *err)
{
    json_error_t where = { 0 };
    json_t *root = json_loadb(policy.p ? policy.p : "", policy.len, 0, &where);
    const char *fault = NULL;
    size_t count = 0;
    json_t *statements = statements_of(root, &count);

    if (!root)
        err_set(err, RC_BAD_INPUT, "Policies must be valid JSON: %s at line %d column %d", where.text, where.line,
                where.column);
    else if (!count || count > POLICY_STATEMENTS_MAX)
        fault = "Missing required field Statement";
    for (size_t i = 0; root && i < count && !fault; i++)
        fault = find_fault(statement_at(statements, i), bucket);
    if (fault)
        err_set(err, RC_BAD_INPUT, "%s", fault);
    bool ok = root && !fault;
    json_decref(root);
    return ok ? S3_NONE : S3_MALFORMED_POLICY;
}
