/* Allocation that aborts on failure; see mem.h for what may use it. */
#include "base/mem.h"

#include <malloc.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *check(void *p)
{
    if (!p) {
        fputs("haus: out of memory\n", stderr);
        abort();
    }
    return p;
}

void *mem_alloc(size_t size)
{
    return check(calloc(1, size ? size : 1));
}

void *mem_grow(void *p, size_t count, size_t size)
{
    size_t bytes = 0;

    if (__builtin_mul_overflow(count, size, &bytes))
        return check(NULL);
    return check(realloc(p, bytes ? bytes : 1));
}

void *mem_grow_zeroed(size_t count, size_t size)
{
    return check(calloc(count ? count : 1, size ? size : 1));
}

char *mem_strdup(const char *text)
{
    return text ? check(strdup(text)) : NULL;
}

char *mem_strndup(const char *p, size_t len)
{
    char *copy = mem_alloc(len + 1);

    if (len)
        memcpy(copy, p, len);
    return copy;
}

char *mem_printf(const char *format, ...)
{
    char *text = NULL;
    va_list args;

    va_start(args, format);
    int n = vasprintf(&text, format, args);
    va_end(args);
    return check(n < 0 ? NULL : text);
}

void mem_free_ptr(void *at)
{
    void **p = at;

    free(*p);
    *p = NULL;
}

void mem_trim(void)
{
    malloc_trim(0);
}
