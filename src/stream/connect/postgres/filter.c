/* Lists of regular expressions; see filter.h. */
#define PCRE2_CODE_UNIT_WIDTH 8
#include "stream/connect/postgres/filter.h"

#include <pcre2.h>
#include <stdlib.h>

static enum rc add(struct name_filter *filter, struct str pattern, struct err *err)
{
    PCRE2_UCHAR words[200];
    PCRE2_SIZE at = 0;
    int code = 0;

    if (filter->count == FILTER_PATTERNS_MAX)
        return err_set(err, RC_FULL, "there are more than %d patterns", FILTER_PATTERNS_MAX);
    pcre2_code *compiled =
        pcre2_compile((PCRE2_SPTR)pattern.p, pattern.len,
                      PCRE2_ANCHORED | PCRE2_ENDANCHORED | PCRE2_CASELESS | PCRE2_UTF, &code, &at, NULL);
    if (!compiled) {
        pcre2_get_error_message(code, words, sizeof words);
        return err_set(err, RC_BAD_INPUT, "%s near index %zu: %.*s", (const char *)words, (size_t)at, STR_ARG(pattern));
    }
    filter->patterns = mem_grow(filter->patterns, filter->count + 1, sizeof *filter->patterns);
    filter->patterns[filter->count++] = compiled;
    if (!filter->match)
        filter->match = pcre2_match_data_create(1, NULL);
    return RC_OK;
}

enum rc name_filter_compile_one(struct name_filter *filter, const char *pattern, struct err *err)
{
    return add(filter, str_of(pattern), err);
}

enum rc name_filter_compile(struct name_filter *filter, const char *list, struct err *err)
{
    struct str rest = str_of(list ? list : "");
    size_t end = 0;

    while (rest.len) {
        for (end = 0; end < rest.len && !(rest.p[end] == ',' && (end == 0 || rest.p[end - 1] != '\\')); end++)
            ;
        struct str item = str_trim(str_n(rest.p, end));
        enum rc rc = item.len ? add(filter, item, err) : RC_OK;
        if (rc)
            return rc;
        rest = str_skip(rest, MIN(end + 1, rest.len));
    }
    return RC_OK;
}

bool name_filter_matches_at(const struct name_filter *filter, size_t index, struct str name)
{
    return pcre2_match(filter->patterns[index], (PCRE2_SPTR)name.p, name.len, 0, 0, filter->match, NULL) >= 0;
}

int name_filter_find(const struct name_filter *filter, struct str name)
{
    for (size_t i = 0; i < filter->count; i++)
        if (name_filter_matches_at(filter, i, name))
            return (int)i;
    return -1;
}

void name_filter_free(struct name_filter *filter)
{
    for (size_t i = 0; i < filter->count; i++)
        pcre2_code_free(filter->patterns[i]);
    free(filter->patterns);
    pcre2_match_data_free(filter->match);
    *filter = (struct name_filter){ 0 };
}
