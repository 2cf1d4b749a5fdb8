/* Transaction metadata; see transaction.h. */
#include "stream/connect/postgres/transaction.h"

#include <inttypes.h>
#include <stdlib.h>

void transaction_free(struct transaction_state *state)
{
    map_free(&state->tables, free);
    state->tables = (struct map){ 0 };
}

void transaction_begin(struct transaction_state *state, uint32_t xid)
{
    transaction_free(state);
    state->xid = xid;
    state->known = true;
    state->total = 0;
}

void transaction_count(struct transaction_state *state, const char *table, int64_t *total, int64_t *in_table)
{
    int64_t *count = map_get(&state->tables, str_of(table));

    if (!count && state->tables.count < TRANSACTION_TABLES_MAX) {
        count = NEW(int64_t);
        map_put(&state->tables, str_of(table), count);
    }
    *total = ++state->total;
    *in_table = count ? ++*count : 0;
}

/* A table's name inside a JSON text. */
static void put_json(struct buf *out, const char *text)
{
    for (; *text; text++) {
        if (*text == '"' || *text == '\\')
            buf_putc(out, '\\');
        if ((unsigned char)*text < 0x20)
            buf_printf(out, "\\u%04x", (unsigned)*text);
        else
            buf_putc(out, *text);
    }
}

void transaction_print_offset(const struct transaction_state *state, struct buf *out)
{
    if (!state || !state->enabled || !state->known) {
        buf_puts(out, "null");
        return;
    }
    buf_printf(out, "\"%" PRIu32 "\"", state->xid);
    for (struct map_entry *e = NULL; (e = map_next(&state->tables, e));) {
        buf_puts(out, ",\"transaction_data_collection_order_");
        put_json(out, e->key);
        buf_printf(out, "\":%" PRId64, *(int64_t *)e->value);
    }
}

/* String.hashCode() over UTF-16 units, then HashMap's spreading. */
static uint32_t java_hash(const char *text)
{
    uint32_t hash = 0;

    for (const unsigned char *c = (const unsigned char *)text; *c; c++) {
        uint32_t point = *c;
        int more = point >= 0xf0 ? 3 : point >= 0xe0 ? 2 : point >= 0xc0 ? 1 : 0;
        if (more)
            point &= 0x3fu >> more;
        for (; more && (c[1] & 0xc0) == 0x80; more--)
            point = point << 6 | (*++c & 0x3f);
        if (point >= 0x10000) {
            hash = hash * 31 + (0xd800 + ((point - 0x10000) >> 10));
            point = 0xdc00 + ((point - 0x10000) & 0x3ff);
        }
        hash = hash * 31 + point;
    }
    return hash ^ hash >> 16;
}

struct event_collection_count *transaction_counts(const struct transaction_state *state, size_t *count)
{
    struct event_collection_count *rows = mem_grow_zeroed(state->tables.count + 1, sizeof *rows);
    size_t buckets = 16, used = 0;

    while (state->tables.count * 4 > buckets * 3)
        buckets *= 2;
    for (size_t b = 0; b < buckets; b++)
        for (struct map_entry *e = NULL; (e = map_next(&state->tables, e));)
            if ((java_hash(e->key) & (buckets - 1)) == b)
                rows[used++] = (struct event_collection_count){ .collection = e->key, .events = *(int64_t *)e->value };
    *count = used;
    return rows;
}
