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
#define MIN(a, b) \
    ({ __typeof__(a) a_ = (a); __typeof__(b) b_ = (b); a_ < b_ ? a_ : b_; })
#define MAX(a, b) \
    ({ __typeof__(a) a_ = (a); __typeof__(b) b_ = (b); a_ > b_ ? a_ : b_; })
/* hands a pointer over: the local forgets it, so its cleanup does nothing */
#define TAKE_PTR(p) \
    ({ __typeof__(p) taken_ = (p); (p) = NULL; taken_; })

#endif
