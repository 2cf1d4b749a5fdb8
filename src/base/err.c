/* The words of a failure; see err.h. */
#include "base/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum rc err_set(struct err *err, enum rc rc, const char *format, ...)
{
    if (!err)
        return rc;
    va_list args;
    va_start(args, format);
    vsnprintf(err->text, sizeof err->text, format, args);
    va_end(args);
    err->rc = rc;
    return rc;
}

static enum rc rc_of_errno(int saved_errno)
{
    switch (saved_errno) {
    case EINTR:
    case EAGAIN:
    case ENOSPC:
    case EDQUOT:
    case EMFILE:
    case ENFILE:
        return RC_RETRY;
    case ENOENT:
        return RC_NOT_FOUND;
    case EEXIST:
        return RC_EXISTS;
    default:
        return RC_FATAL;
    }
}

enum rc err_set_errno(struct err *err, int saved_errno, const char *format, ...)
{
    enum rc rc = rc_of_errno(saved_errno);

    if (!err)
        return rc;
    va_list args;
    va_start(args, format);
    int n = vsnprintf(err->text, sizeof err->text, format, args);
    va_end(args);
    if (n >= 0 && (size_t)n < sizeof err->text)
        snprintf(err->text + n, sizeof err->text - (size_t)n, ": %s", strerror(saved_errno));
    err->rc = rc;
    return rc;
}

enum rc err_wrap(struct err *err, const char *format, ...)
{
    if (!err)
        return RC_FATAL;
    if (!err->rc)
        return RC_AGAIN;
    char words[ERR_TEXT_MAX];
    char cause[ERR_TEXT_MAX];
    va_list args;

    va_start(args, format);
    vsnprintf(words, sizeof words, format, args);
    va_end(args);
    memcpy(cause, err->text, sizeof cause);
    int n = snprintf(err->text, sizeof err->text, "%.1000s: %.1000s", words, cause);
    (void)n; /* cut is fine */
    return err->rc;
}
