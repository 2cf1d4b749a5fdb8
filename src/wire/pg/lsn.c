/* LSN text and server time; see lsn.h. */
#include "wire/pg/lsn.h"

#include <inttypes.h>
#include <stdio.h>

static const int64_t pg_epoch_us = 946684800000000; /* 2000-01-01 since 1970 */

static bool half_parse(struct str text, uint64_t *out)
{
    uint64_t v = 0;

    if (text.len < 1 || text.len > 8)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.p[i];
        unsigned digit = c >= '0' && c <= '9'   ? (unsigned)(c - '0')
                         : c >= 'a' && c <= 'f' ? (unsigned)(c - 'a') + 10
                         : c >= 'A' && c <= 'F' ? (unsigned)(c - 'A') + 10
                                                : 16;
        if (digit > 15)
            return false;
        v = v << 4 | digit;
    }
    *out = v;
    return true;
}

bool lsn_parse(struct str text, uint64_t *out)
{
    struct str rest = text, high = { 0 };
    uint64_t h = 0, l = 0;

    if (!str_cut(&rest, '/', &high) || !half_parse(high, &h) || !half_parse(rest, &l))
        return false;
    *out = h << 32 | l;
    return true;
}

void lsn_format(uint64_t lsn, char out[static LSN_TEXT_MAX])
{
    snprintf(out, LSN_TEXT_MAX, "%" PRIX32 "/%" PRIX32, (uint32_t)(lsn >> 32), (uint32_t)lsn);
}

int64_t pg_time_to_unix_us(int64_t pg_us)
{
    int64_t out = 0;

    return __builtin_add_overflow(pg_us, pg_epoch_us, &out) ? INT64_MAX : out;
}

int64_t pg_time_from_unix_us(int64_t unix_us)
{
    int64_t out = 0;

    return __builtin_sub_overflow(unix_us, pg_epoch_us, &out) ? INT64_MIN : out;
}
