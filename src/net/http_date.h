/* Dates as HTTP headers write them (RFC 9110 §5.6.7): "Sun, 06 Nov 1994 08:49:37 GMT". */
#ifndef NET_HTTP_DATE_H
#define NET_HTTP_DATE_H

#include "base/base.h"

enum { HTTP_DATE_MAX = 40 };

/* Whole seconds, in the form that everybody must write. */
void http_date_format(int64_t wall_ms, char out[static HTTP_DATE_MAX]);
/* Also takes the obsolete forms of RFC 850 and asctime, and ISO 8601 with seconds. */
bool http_date_parse(struct str text, int64_t *wall_ms);

#endif
