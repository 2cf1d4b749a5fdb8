/*
 * Text as a view: pointer and length, not owned, not terminated.  A NULL pointer means "absent"
 * where a format knows the difference from "empty".
 */
#ifndef BASE_STR_H
#define BASE_STR_H

#include "base/attr.h"

struct str {
    const char *p;
    size_t len;
};

#define STR(literal) ((struct str){ "" literal, sizeof(literal) - 1 })
#define STR_ARG(s)   (int)(s).len, (s).p ? (s).p : "" /* printf("%.*s", STR_ARG(s)) */

struct str str_of(const char *text); /* of a terminated text; NULL gives the absent view */
struct str str_n(const char *p, size_t len);
bool str_eq(struct str a, struct str b);
bool str_is(struct str s, const char *text);
bool str_is_nocase(struct str s, const char *text); /* ASCII only */
bool str_starts(struct str s, const char *prefix);
bool str_ends(struct str s, const char *suffix);
int str_cmp(struct str a, struct str b); /* bytewise, as memcmp then length */
struct str str_trim(struct str s);       /* ASCII blanks, tabs, CR, LF at both ends */
struct str str_skip(struct str s, size_t n);
/* Cuts the part before the first `sep` off *rest; the rest begins after it.  False at the end. */
bool str_cut(struct str *rest, char sep, struct str *part);
/* Whole text must be a decimal number in [min, max]. */
bool str_to_i64(struct str s, int64_t min, int64_t max, int64_t *out);
bool str_to_double(struct str s, double *out);
/* "true"/"false", any case (Java's Boolean.valueOf takes anything else as false: callers decide). */
bool str_to_bool(struct str s, bool *out);
char *str_dup(struct str s); /* terminated copy, owned by the caller */
uint64_t str_hash(struct str s);
bool str_is_utf8(struct str s); /* shortest forms only, no surrogates, up to U+10FFFF */

#endif
