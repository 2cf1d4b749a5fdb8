/* Growable bytes with a maximum; see buf.h. */
#include "base/buf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

void buf_free(struct buf *buf)
{
    free(buf->data);
    *buf = (struct buf){ 0 };
}

void buf_clear(struct buf *buf)
{
    buf->len = 0;
    buf->failed = false;
    if (buf->data)
        buf->data[0] = '\0';
}

bool buf_failed(const struct buf *buf)
{
    return buf->failed;
}

struct str buf_str(const struct buf *buf)
{
    return str_n(buf_cstr(buf), buf->len);
}

const char *buf_cstr(const struct buf *buf)
{
    return buf->data ? buf->data : "";
}

char *buf_take(struct buf *buf)
{
    char *text = buf->data ? buf->data : mem_strdup("");

    *buf = (struct buf){ 0 };
    return text;
}

void *buf_reserve(struct buf *buf, size_t n)
{
    size_t max = buf->max ? buf->max : BUF_DEFAULT_MAX;
    size_t need = 0;

    if (buf->failed || __builtin_add_overflow(buf->len, n, &need) || need > max) {
        buf->failed = true;
        return NULL;
    }
    if (need >= buf->cap) {
        size_t cap = buf->cap ? buf->cap : 64;
        while (cap <= need)
            cap *= 2;
        buf->data = mem_grow(buf->data, cap, 1);
        buf->cap = cap;
        buf->data[buf->len] = '\0'; /* in case nothing is committed */
    }
    return buf->data + buf->len;
}

void buf_commit(struct buf *buf, size_t n)
{
    buf->len += n;
    buf->data[buf->len] = '\0';
}

void buf_append(struct buf *buf, const void *p, size_t n)
{
    void *at = buf_reserve(buf, n);

    if (!at)
        return;
    if (n)
        memcpy(at, p, n);
    buf_commit(buf, n);
}

void buf_puts(struct buf *buf, const char *text)
{
    buf_append(buf, text, strlen(text));
}

void buf_put_str(struct buf *buf, struct str s)
{
    buf_append(buf, s.p, s.len);
}

void buf_putc(struct buf *buf, char c)
{
    buf_append(buf, &c, 1);
}

void buf_vprintf(struct buf *buf, const char *format, va_list args)
{
    va_list again;

    va_copy(again, args);
    int n = vsnprintf(NULL, 0, format, args);
    char *at = n < 0 ? NULL : buf_reserve(buf, (size_t)n + 1);
    if (at) {
        vsnprintf(at, (size_t)n + 1, format, again);
        buf_commit(buf, (size_t)n);
    }
    va_end(again);
}

void buf_printf(struct buf *buf, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    buf_vprintf(buf, format, args);
    va_end(args);
}

static void put_be(struct buf *buf, uint64_t v, int width)
{
    uint8_t bytes[8];

    for (int i = 0; i < width; i++)
        bytes[i] = (uint8_t)(v >> 8 * (width - 1 - i));
    buf_append(buf, bytes, (size_t)width);
}

void buf_put_be16(struct buf *buf, uint16_t v)
{
    put_be(buf, v, 2);
}

void buf_put_be32(struct buf *buf, uint32_t v)
{
    put_be(buf, v, 4);
}

void buf_put_be64(struct buf *buf, uint64_t v)
{
    put_be(buf, v, 8);
}

void buf_drop_front(struct buf *buf, size_t n)
{
    n = MIN(n, buf->len);
    if (!n)
        return;
    memmove(buf->data, buf->data + n, buf->len - n);
    buf->len -= n;
    buf->data[buf->len] = '\0';
}
