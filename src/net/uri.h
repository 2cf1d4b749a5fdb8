/* Percent-encoding (RFC 3986) and query strings. */
#ifndef NET_URI_H
#define NET_URI_H

#include "base/base.h"

/* Everything but A-Za-z0-9-._~ becomes %XX, upper case; keep_slash leaves '/' as it is. */
void uri_encode(struct buf *out, struct str s, bool keep_slash);
/* %XX to bytes; plus_is_blank as forms have it.  A broken escape is copied as it is. */
void uri_decode(struct buf *out, struct str s, bool plus_is_blank);
/* Takes the next "name=value" off *query, still encoded; value.p is NULL when there is no '='. */
bool uri_query_next(struct str *query, struct str *name, struct str *value);

#endif
