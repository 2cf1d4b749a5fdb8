/* The text of a migration: placeholders, and statements one by one. Private to this folder. */
#ifndef SOURCE_MIGRATE_SCRIPT_H
#define SOURCE_MIGRATE_SCRIPT_H

#include "base/base.h"

/* Value of a placeholder (its key in lower case); NULL if there is none. */
typedef const char *script_placeholder_fn(void *user, const char *key);
/* Replaces ${key}; keys without regard to case.  Missing: RC_BAD_INPUT with Flyway's words. */
MUST_CHECK enum rc script_replace_placeholders(struct str text, script_placeholder_fn *lookup, void *user,
                                               struct buf *out, struct err *err);
struct script_statement {
    struct str text; /* without the ';' */
    int line;        /* of its first word, from 1 */
};
/* Next statement of *rest; knows quotes, dollar quotes, comments.  *line counts on.  False at the end. */
bool script_next(struct str *rest, int *line, struct script_statement *out);
/* Statements that PostgreSQL refuses inside a transaction (CREATE DATABASE, VACUUM, ... CONCURRENTLY, ...). */
bool script_is_non_transactional(struct str statement);

#endif
