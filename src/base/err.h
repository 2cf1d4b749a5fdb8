/*
 * How a failure is told.  `enum rc` answers what the caller should do now; `struct err` holds the
 * words for a person: lower case, no full stop, action, subject in quotes, cause, cure.
 *
 *     cannot append to 'orders-3': no space left on device; free some space, writes then go on
 *
 * Tiers 0 and 1 return errors, stations log them once.  Never both.
 */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#include "base/attr.h"

enum rc {
    RC_OK = 0,
    RC_AGAIN,     /* nothing is wrong, there is just nothing to do yet; the only one that may come without words */
    RC_RETRY,     /* the same call may succeed later: a peer is away, a disk is full */
    RC_BAD_INPUT, /* what came from outside is wrong; the same call fails again */
    RC_NOT_FOUND, /* the named thing does not exist */
    RC_EXISTS,    /* the named thing exists already, or a condition on it failed */
    RC_FULL,      /* a named limit of ours was reached */
    RC_FATAL,     /* cannot go on: broken state, broken system */
};

enum { ERR_TEXT_MAX = 2048 };

struct err {
    enum rc rc;
    char text[ERR_TEXT_MAX]; /* cut at the limit, always terminated */
};

/* Sets rc and words; err may be NULL.  Returns rc, so that `return err_set(...)` reads well. */
enum rc err_set(struct err *err, enum rc rc, const char *format, ...) PRINTF_LIKE(3, 4);
/* As err_set, and adds ": <strerror(saved_errno)>"; EINTR, EAGAIN, ENOSPC, EDQUOT become RC_RETRY. */
enum rc err_set_errno(struct err *err, int saved_errno, const char *format, ...) PRINTF_LIKE(3, 4);
/*
 * Puts words before those already there: "cannot start 'log': <what was there>".  Returns err->rc, and RC_AGAIN when
 * nothing was there: whoever failed without words was told to stop, and its caller must not go on as if all were well.
 */
enum rc err_wrap(struct err *err, const char *format, ...) PRINTF_LIKE(2, 3);

#endif
