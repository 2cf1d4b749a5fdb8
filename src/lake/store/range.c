/* Byte ranges; see range.h. */
#include "lake/store/range.h"

#include <string.h>

enum range_kind range_parse(struct str header, uint64_t object_size, uint64_t *offset, uint64_t *size)
{
    struct str last = str_trim(header), first = { 0 };
    int64_t a = 0, b = INT64_MAX;

    *offset = 0;
    *size = object_size;
    if (!header.p || !str_starts(last, "bytes="))
        return RANGE_WHOLE;
    last = str_skip(last, 6);
    if (!last.len || memchr(last.p, ',', last.len) || !memchr(last.p, '-', last.len))
        return RANGE_WHOLE;
    str_cut(&last, '-', &first);
    first = str_trim(first);
    last = str_trim(last);
    if (!first.len && !last.len)
        return RANGE_WHOLE;
    if (first.len && !str_to_i64(first, 0, INT64_MAX, &a))
        return RANGE_WHOLE;
    if (last.len && !str_to_i64(last, 0, INT64_MAX, &b))
        return RANGE_WHOLE;
    if (!first.len) { /* the last b bytes */
        if (b == 0 || object_size == 0)
            return RANGE_UNSATISFIABLE;
        *size = MIN((uint64_t)b, object_size);
        *offset = object_size - *size;
        return RANGE_PART;
    }
    if (last.len && b < a)
        return RANGE_WHOLE;
    if ((uint64_t)a >= object_size)
        return RANGE_UNSATISFIABLE;
    *offset = (uint64_t)a;
    *size = MIN((uint64_t)b, object_size - 1) - (uint64_t)a + 1;
    return RANGE_PART;
}
