/* The Range header (RFC 9110 §14).  Private to lake/store. */
#ifndef LAKE_STORE_RANGE_H
#define LAKE_STORE_RANGE_H

#include "base/base.h"

enum range_kind {
    RANGE_WHOLE,         /* none, not understood, or several: the whole object */
    RANGE_PART,          /* [offset, offset + size) */
    RANGE_UNSATISFIABLE, /* begins at or after the end */
};

enum range_kind range_parse(struct str header, uint64_t object_size, uint64_t *offset, uint64_t *size);

#endif
