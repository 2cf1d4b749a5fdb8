/*
 * Attributes and the handful of macros that everything else leans on.
 * Nothing here hides control flow.
 */
#ifndef BASE_ATTR_H
#define BASE_ATTR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/param.h> /* it defines MIN and MAX too: ours replace them, whatever is included later */

/* The formatter takes a macro's parameter for a cast and spreads expressions in braces over the page. */
/* clang-format off */
#define PRINTF_LIKE(format_at, args_at) __attribute__((format(printf, format_at, args_at)))
#define MUST_CHECK __attribute__((warn_unused_result))
#define UNUSED __attribute__((unused))
#define NORETURN __attribute__((noreturn))
/* CLEANUP(buf_free) struct buf b = { 0 };  runs buf_free(&b) when b leaves its scope */
#define CLEANUP(fn) __attribute__((cleanup(fn)))

#define ARRAY_LEN(a) (sizeof(a) / sizeof *(a))
#define CONTAINER_OF(ptr, type, member) ((type *)(void *)((char *)(ptr) - offsetof(type, member)))
#undef MIN
#undef MAX
/* each use has names of its own, so that one may stand inside another */
#define ATTR_PASTE(a, b) a##b
#define ATTR_MIN(a, b, n) \
    ({ __typeof__(a) ATTR_PASTE(a_, n) = (a); __typeof__(b) ATTR_PASTE(b_, n) = (b); \
       ATTR_PASTE(a_, n) < ATTR_PASTE(b_, n) ? ATTR_PASTE(a_, n) : ATTR_PASTE(b_, n); })
#define ATTR_MAX(a, b, n) \
    ({ __typeof__(a) ATTR_PASTE(a_, n) = (a); __typeof__(b) ATTR_PASTE(b_, n) = (b); \
       ATTR_PASTE(a_, n) > ATTR_PASTE(b_, n) ? ATTR_PASTE(a_, n) : ATTR_PASTE(b_, n); })
#define MIN(a, b) ATTR_MIN(a, b, __COUNTER__)
#define MAX(a, b) ATTR_MAX(a, b, __COUNTER__)
/* hands a pointer over: the local forgets it, so its cleanup does nothing */
#define TAKE_PTR(p) \
    ({ __typeof__(p) taken_ = (p); (p) = NULL; taken_; })
/* clang-format on */

#endif
