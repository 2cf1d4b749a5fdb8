/* Big-endian reading with bounds, for this folder.  A read past the end sticks and gives zeros. */
#ifndef WIRE_PG_READER_H
#define WIRE_PG_READER_H

#include "base/base.h"

struct reader {
    struct str rest;
    bool failed;
};

static inline struct str read_bytes(struct reader *r, size_t n)
{
    struct str out = str_n(r->rest.p, n);

    if (r->failed || n > r->rest.len) {
        r->failed = true;
        return str_n("", 0);
    }
    r->rest = str_n(r->rest.p + n, r->rest.len - n);
    return out;
}

static inline uint64_t read_uint(struct reader *r, size_t n)
{
    struct str bytes = read_bytes(r, n);
    uint64_t v = 0;

    for (size_t i = 0; i < bytes.len; i++)
        v = v << 8 | (uint8_t)bytes.p[i];
    return v;
}

/* A text that ends with a zero byte. */
static inline struct str read_cstr(struct reader *r)
{
    struct str text = { 0 };

    if (r->failed || !str_cut(&r->rest, '\0', &text) || !r->rest.p) {
        r->failed = true;
        return str_n("", 0);
    }
    return text;
}

#endif
