/*
 * What a walsender and its client say to each other inside CopyData ("Streaming Replication
 * Protocol" in PostgreSQL's manual); integers are big-endian:
 *
 *     from the server   'w'  int64 start, int64 end of WAL, int64 server time, plugin's bytes
 *                       'k'  int64 end of WAL, int64 server time, byte reply wanted
 *     from the client   'r'  int64 written, int64 flushed, int64 applied, int64 time, byte reply wanted
 */
#ifndef WIRE_PG_WALSENDER_H
#define WIRE_PG_WALSENDER_H

#include "wire/pg/lsn.h"

enum { WALSENDER_STATUS_SIZE = 34 };

struct walsender_message {
    char kind;          /* 'w' or 'k' */
    uint64_t start_lsn; /* of 'w': where the change stands; 0 for relations and types */
    uint64_t end_lsn;   /* how far the server's WAL goes */
    int64_t time_us;    /* since 1970 */
    bool reply_wanted;  /* of 'k' */
    struct str data;    /* of 'w'; a view into the message */
};

MUST_CHECK enum rc walsender_decode(struct str bytes, struct walsender_message *out, struct err *err);
/* All three positions are set to `lsn`: nothing is kept here that is not kept in the log. */
void walsender_encode_status(uint64_t lsn, int64_t now_unix_us, char out[static WALSENDER_STATUS_SIZE]);

#endif
