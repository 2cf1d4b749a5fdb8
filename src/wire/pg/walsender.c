/* The walsender's frames; see walsender.h. */
#include "wire/pg/walsender.h"

#include "wire/pg/reader.h"

enum rc walsender_decode(struct str bytes, struct walsender_message *out, struct err *err)
{
    struct reader r = { .rest = bytes };
    char kind = (char)read_uint(&r, 1);

    *out = (struct walsender_message){ .kind = kind };
    if (kind == 'w') {
        out->start_lsn = read_uint(&r, 8);
        out->end_lsn = read_uint(&r, 8);
        out->time_us = pg_time_to_unix_us((int64_t)read_uint(&r, 8));
        out->data = r.rest;
    } else if (kind == 'k') {
        out->end_lsn = read_uint(&r, 8);
        out->time_us = pg_time_to_unix_us((int64_t)read_uint(&r, 8));
        out->reply_wanted = read_uint(&r, 1) != 0;
    } else {
        return err_set(err, RC_BAD_INPUT, "cannot read a replication message: unknown kind 0x%02x",
                       (unsigned)(uint8_t)kind);
    }
    if (r.failed)
        return err_set(err, RC_BAD_INPUT, "cannot read a replication message: '%c' ends after %zu bytes", kind,
                       bytes.len);
    return RC_OK;
}

static char *put_be64(char *at, uint64_t v)
{
    for (int shift = 56; shift >= 0; shift -= 8)
        *at++ = (char)(uint8_t)(v >> shift);
    return at;
}

void walsender_encode_status(uint64_t lsn, int64_t now_unix_us, char out[static WALSENDER_STATUS_SIZE])
{
    char *at = out;

    *at++ = 'r';
    for (int i = 0; i < 3; i++)
        at = put_be64(at, lsn);
    at = put_be64(at, (uint64_t)pg_time_from_unix_us(now_unix_us));
    *at = 0;
}
