/*
 * A growable run of bytes with a maximum.  The first failure (the maximum is reached) sticks:
 * later writes do nothing, and the owner asks buf_failed() once at the end.  { 0 } is an empty
 * buffer with the default maximum.  Always kept terminated, so buf_cstr() is free.
 */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include <stdarg.h>

#include "base/str.h"

enum { BUF_DEFAULT_MAX = 64 << 20 };

struct buf {
    char *data;
    size_t len;
    size_t cap;
    size_t max; /* 0: BUF_DEFAULT_MAX */
    bool failed;
};

void buf_free(struct buf *buf);  /* back to { 0 }, keeps nothing */
void buf_clear(struct buf *buf); /* empty and not failed, keeps the memory */
bool buf_failed(const struct buf *buf);
struct str buf_str(const struct buf *buf);
const char *buf_cstr(const struct buf *buf); /* "" when empty */
char *buf_take(struct buf *buf);             /* terminated text, owned by the caller; buf is { 0 } after */
/* Room for n more bytes; NULL when that would pass the maximum.  Then buf_commit what was written. */
void *buf_reserve(struct buf *buf, size_t n);
void buf_commit(struct buf *buf, size_t n);
void buf_append(struct buf *buf, const void *p, size_t n);
void buf_puts(struct buf *buf, const char *text);
void buf_put_str(struct buf *buf, struct str s);
void buf_putc(struct buf *buf, char c);
void buf_printf(struct buf *buf, const char *format, ...) PRINTF_LIKE(2, 3);
void buf_vprintf(struct buf *buf, const char *format, va_list args) PRINTF_LIKE(2, 0);
void buf_put_be16(struct buf *buf, uint16_t v);
void buf_put_be32(struct buf *buf, uint32_t v);
void buf_put_be64(struct buf *buf, uint64_t v);
void buf_drop_front(struct buf *buf, size_t n); /* moves the rest down */

#endif
