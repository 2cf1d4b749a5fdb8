/*
 * A row of COPY ... TO STDOUT in text form: fields between tabs, one line, "\N" for null, and
 * \b \f \n \r \t \v, \ooo, \xhh and \<any other> for what would be mistaken ("File Formats" of COPY
 * in PostgreSQL's manual).
 */
#ifndef WIRE_PG_COPY_H
#define WIRE_PG_COPY_H

#include "wire/pg/pgoutput.h"

/*
 * Splits one line (its end is optional) into exactly `count` values: the same form that a tuple of
 * pgoutput has.  Works in place: bytes are overwritten where escapes shrink, and values are views
 * into them.  RC_BAD_INPUT when there are fewer or more fields.
 */
MUST_CHECK enum rc pg_copy_split(char *bytes, size_t len, struct pg_value *values, size_t count, struct err *err);

#endif
