/* Conditional requests (RFC 9110 §13, and S3's for writes and copies).  Private to lake/store. */
#ifndef LAKE_STORE_CONDITION_H
#define LAKE_STORE_CONDITION_H

#include "lake/store/error.h"
#include "lake/store/record.h"

/* Values of the headers; absent views where there was none. */
struct conditions {
    struct str if_match, if_none_match, if_modified_since, if_unmodified_since;
};

/* For GET and HEAD: S3_NONE, S3_PRECONDITION_FAILED or S3_NOT_MODIFIED. */
enum s3_error conditions_for_read(const struct conditions *conditions, const struct record *record);
/* For the source of a copy: what does not hold is S3_PRECONDITION_FAILED. */
enum s3_error conditions_for_copy(const struct conditions *conditions, const struct record *record);
/* For a write; existing is NULL when there is no such object. */
enum s3_error conditions_for_write(const struct conditions *conditions, const struct record *existing);

#endif
