/* aws-chunked bodies: cut into pieces at any place they decode to the same. */
#include <stdlib.h>
#include <string.h>

#include "lake/store/chunked.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static enum s3_error keep_data(void *user, const void *p, size_t n)
{
    buf_append(user, p, n);
    return S3_NONE;
}

static enum s3_error keep_end(void *user, struct str signature)
{
    buf_put_str(user, signature);
    return S3_NONE;
}

static enum s3_error keep_trailer(void *user, struct str name, struct str value)
{
    buf_put_str(user, name);
    buf_put_str(user, value);
    return S3_NONE;
}

static enum s3_error decode(const uint8_t *data, size_t size, size_t step, struct buf *out)
{
    struct chunked chunked;
    enum s3_error failed = S3_NONE;

    chunked_begin(&chunked, &(struct chunked_events){ keep_data, keep_end, keep_trailer, out });
    for (size_t at = 0; at < size && !failed; at += step)
        failed = chunked_push(&chunked, data + at, MIN(step, size - at));
    return failed ? failed : chunked_end(&chunked);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(buf_free) struct buf whole = { 0 };
    CLEANUP(buf_free) struct buf pieces = { 0 };
    enum s3_error a = decode(data, size, size ? size : 1, &whole);
    enum s3_error b = decode(data, size, 1 + size % 7, &pieces);

    if (!a && (b || !str_eq(buf_str(&whole), buf_str(&pieces))))
        abort();
    return 0;
}
