/* The rows of error.h. */
#include "lake/store/error.h"

const struct s3_error_row s3_errors[S3_ERROR_COUNT] = { [S3_NONE] = { "", 200, "" },
#define X(name, code, status, message) [S3_##name] = { code, status, message },
                                                        S3_ERRORS(X)
#undef X
};

enum s3_error s3_error_of(const struct err *err)
{
    if (err->rc == RC_FULL || err->rc == RC_RETRY) {
        log_warn("cannot store", "cause=%s", err->text);
        return S3_STORAGE_FULL;
    }
    log_error("request failed", "cause=%s", err->text);
    return S3_INTERNAL;
}
