/* Conditional requests; see condition.h. */
#include "lake/store/condition.h"

#include "net/net.h"

static struct str unquoted(struct str tag)
{
    tag = str_trim(tag);
    if (str_starts(tag, "W/"))
        tag = str_skip(tag, 2);
    if (tag.len >= 2 && tag.p[0] == '"' && tag.p[tag.len - 1] == '"')
        tag = str_n(tag.p + 1, tag.len - 2);
    return tag;
}

/* Whether a list of tags names this one; "*" names all. */
static bool names_etag(struct str list, const char *etag)
{
    struct str tag = { 0 };

    while (str_cut(&list, ',', &tag)) {
        tag = unquoted(tag);
        if (str_is(tag, "*") || str_is(tag, etag))
            return true;
    }
    return false;
}

/* Header dates have whole seconds. */
static bool modified_after(const struct record *record, struct str date, bool *known)
{
    int64_t ms = 0;

    *known = date.p && http_date_parse(date, &ms);
    return *known && record->modified_ms / 1000 > ms / 1000;
}

enum s3_error conditions_for_read(const struct conditions *conditions, const struct record *record)
{
    bool known = false;

    if (conditions->if_match.p) {
        if (!names_etag(conditions->if_match, record->etag))
            return S3_PRECONDITION_FAILED;
    } else if (modified_after(record, conditions->if_unmodified_since, &known)) {
        return S3_PRECONDITION_FAILED;
    }
    if (conditions->if_none_match.p)
        return names_etag(conditions->if_none_match, record->etag) ? S3_NOT_MODIFIED : S3_NONE;
    bool modified = modified_after(record, conditions->if_modified_since, &known);
    return known && !modified ? S3_NOT_MODIFIED : S3_NONE;
}

enum s3_error conditions_for_copy(const struct conditions *conditions, const struct record *record)
{
    return conditions_for_read(conditions, record) ? S3_PRECONDITION_FAILED : S3_NONE;
}

enum s3_error conditions_for_write(const struct conditions *conditions, const struct record *existing)
{
    if (conditions->if_match.p && conditions->if_none_match.p)
        return S3_NOT_IMPLEMENTED;
    if (conditions->if_none_match.p) {
        if (!str_is(unquoted(conditions->if_none_match), "*"))
            return S3_NOT_IMPLEMENTED;
        return existing ? S3_PRECONDITION_FAILED : S3_NONE;
    }
    if (!conditions->if_match.p)
        return S3_NONE;
    if (!existing)
        return S3_NO_SUCH_KEY;
    return names_etag(conditions->if_match, existing->etag) ? S3_NONE : S3_PRECONDITION_FAILED;
}
