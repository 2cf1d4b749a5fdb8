/*
 * Positions and times of the write-ahead log.  An LSN is a byte position, 64 bits, written by the
 * server as two hexadecimal halves ("16/B374D848") and by Debezium as a decimal number.  Server
 * times are microseconds since 2000-01-01 UTC; ours are microseconds since 1970.
 */
#ifndef WIRE_PG_LSN_H
#define WIRE_PG_LSN_H

#include "base/base.h"

enum { LSN_TEXT_MAX = 20 };

bool lsn_parse(struct str text, uint64_t *out); /* 1 to 8 hexadecimal digits on each side */
void lsn_format(uint64_t lsn, char out[static LSN_TEXT_MAX]);
/* Server time to microseconds since 1970; saturates instead of wrapping. */
int64_t pg_time_to_unix_us(int64_t pg_us);
int64_t pg_time_from_unix_us(int64_t unix_us);

#endif
