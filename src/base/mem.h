/*
 * Allocation of our own small structures.  These abort when memory is gone: there is nothing
 * sensible left to do, and every state on disk is made to survive it.  Sizes that come from
 * outside (sockets, files, settings) never come here: they go through buf or arena, whose
 * limits turn a lie into an error.
 */
#ifndef BASE_MEM_H
#define BASE_MEM_H

#include "base/attr.h"

void *mem_alloc(size_t size);                       /* zeroed */
void *mem_grow(void *p, size_t count, size_t size); /* realloc to count elements, not zeroed */
char *mem_strdup(const char *text);                 /* NULL gives NULL */
char *mem_strndup(const char *p, size_t len);
char *mem_printf(const char *format, ...) PRINTF_LIKE(1, 2);
void mem_trim(void);         /* freed memory back to the system; takes milliseconds */
void mem_free_ptr(void *at); /* for CLEANUP on any owned pointer */

/* CLEANUP_FREE char *name = mem_strdup(...); */
#define CLEANUP_FREE           CLEANUP(mem_free_ptr)
#define NEW(type)              ((type *)mem_alloc(sizeof(type)))
#define NEW_ARRAY(type, count) ((type *)mem_grow_zeroed((count), sizeof(type)))
void *mem_grow_zeroed(size_t count, size_t size); /* new, not grown; never NULL, also for nothing */

#endif
