/*
 * Transaction metadata: counts per table within the transaction at hand, for the blocks in data
 * records, the END record and the offset.
 */
#ifndef STREAM_CONNECT_POSTGRES_TRANSACTION_H
#define STREAM_CONNECT_POSTGRES_TRANSACTION_H

#include "base/base.h"
#include "stream/connect/postgres/event.h"

enum { TRANSACTION_TABLES_MAX = 1000000 };

struct transaction_state {
    bool enabled;
    uint32_t xid;
    bool known; /* a BEGIN was seen since the start */
    int64_t total;
    struct map tables; /* "public.orders" -> int64_t * */
};

void transaction_begin(struct transaction_state *state, uint32_t xid);
/* One more event of a table: its place in the transaction and among the table's. */
void transaction_count(struct transaction_state *state, const char *table, int64_t *total, int64_t *in_table);
/* "780", quoted, and the counts as further members; null when not in use. */
void transaction_print_offset(const struct transaction_state *state, struct buf *out);
/* The counts in the order in which Java's HashMap would show them; rows are the caller's, names are not. */
struct event_collection_count *transaction_counts(const struct transaction_state *state, size_t *count);
void transaction_free(struct transaction_state *state);

#endif
