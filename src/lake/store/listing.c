/* Pages of keys; see listing.h. */
#include "lake/store/listing.h"

#include <string.h>

static bool has_prefix(struct str key, struct str prefix)
{
    return key.len >= prefix.len && (!prefix.len || memcmp(key.p, prefix.p, prefix.len) == 0);
}

/* The key up to and with the first delimiter after the prefix; absent view if there is none. */
static struct str common_prefix(struct str key, const struct listing *listing)
{
    size_t at = listing->prefix.len, n = listing->delimiter.len;
    const char *found = n && key.len >= at ? memmem(key.p + at, key.len - at, listing->delimiter.p, n) : NULL;

    return found ? str_n(key.p, (size_t)(found - key.p) + n) : (struct str){ 0 };
}

/* Makes from the first text after all that begin with this one; false: there is none. */
static bool skip_prefix(struct buf *from, struct str prefix)
{
    buf_clear(from);
    buf_put_str(from, prefix);
    while (from->len && (uint8_t)from->data[from->len - 1] == 0xff)
        from->len--;
    if (!from->len)
        return false;
    from->data[from->len - 1]++;
    return true;
}

static void set_text(struct buf *out, struct str text)
{
    buf_clear(out);
    buf_put_str(out, text);
}

static void find_start(const struct listing *listing, struct buf *from)
{
    set_text(from, listing->prefix);
    if (listing->from.p && str_cmp(listing->from, buf_str(from)) > 0)
        set_text(from, listing->from);
    if (listing->after.p && str_cmp(listing->after, buf_str(from)) >= 0) {
        set_text(from, listing->after);
        buf_putc(from, '\0'); /* the first text after it */
    }
}

/* Tells one row; false when the page is full.  Moves from on. */
static bool tell(struct listing *listing, struct str key, struct str value, struct index_txn *txn, struct buf *from,
                 bool *more)
{
    struct str prefix = common_prefix(key, listing);
    struct record head = { 0 };

    if (prefix.p && listing->after.p && str_eq(prefix, listing->after)) { /* told on the page before */
        *more = skip_prefix(from, prefix);
        return true;
    }
    if (listing->count == listing->max) {
        listing->truncated = true;
        set_text(&listing->next, key);
        return false;
    }
    listing->count++;
    if (prefix.p) {
        listing->on_prefix(listing->user, prefix);
        set_text(&listing->last, prefix);
        *more = skip_prefix(from, prefix);
        return true;
    }
    if (!record_decode_head(value, &head)) {
        index_fail(txn, "an object's record is broken");
        return false;
    }
    listing->on_object(listing->user, key, &head);
    set_text(&listing->last, key);
    set_text(from, key);
    buf_putc(from, '\0');
    return true;
}

void listing_run(struct index_txn *txn, const struct bucket *bucket, struct listing *listing)
{
    CLEANUP(buf_free) struct buf from = { 0 };
    CLEANUP(buf_free) struct buf key = { 0 };
    struct str value = { 0 };
    bool more = listing->max > 0;

    find_start(listing, &from);
    while (more && tree_seek(txn, bucket->node, buf_str(&from), &key, &value)) {
        if (!has_prefix(buf_str(&key), listing->prefix))
            break;
        if (!tell(listing, buf_str(&key), value, txn, &from, &more))
            break;
    }
}

void listing_free(struct listing *listing)
{
    buf_free(&listing->next);
    buf_free(&listing->last);
}
