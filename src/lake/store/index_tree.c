/* Keys of any length in order, in a table whose keys are short; see index.h. */
#include <string.h>

#include "lake/store/index_private.h"

enum { NODE = 8, ENTRY_MAX = NODE + INDEX_SEGMENT };

struct entry_key {
    uint8_t bytes[ENTRY_MAX];
    size_t len;
};

/* The entry of the key's first segment; what is left of the key comes after it. */
static struct str entry_str(struct entry_key *entry, uint64_t node, struct str key)
{
    size_t n = MIN(key.len, (size_t)INDEX_SEGMENT);

    be64_write(entry->bytes, node);
    if (n)
        memcpy(entry->bytes + NODE, key.p, n);
    entry->len = NODE + n;
    return str_n((char *)entry->bytes, entry->len);
}

static bool is_link(struct str key)
{
    return key.len >= INDEX_SEGMENT;
}

static uint64_t read_link(struct index_txn *txn, struct str value)
{
    if (value.len == 8)
        return be64_read(value.p);
    index_fail(txn, "a link between keys is broken");
    return 0;
}

bool tree_get(struct index_txn *txn, uint64_t node, struct str key, struct str *record)
{
    struct entry_key entry;

    for (; is_link(key); key = str_skip(key, INDEX_SEGMENT)) {
        if (!index_get(txn, INDEX_OBJECT, entry_str(&entry, node, key), record))
            return false;
        node = read_link(txn, *record);
    }
    return index_get(txn, INDEX_OBJECT, entry_str(&entry, node, key), record);
}

void tree_put(struct index_txn *txn, uint64_t node, struct str key, struct str record)
{
    struct entry_key entry;

    for (; is_link(key); key = str_skip(key, INDEX_SEGMENT)) {
        struct str name = entry_str(&entry, node, key), value = { 0 };
        uint8_t bytes[8];
        if (index_get(txn, INDEX_OBJECT, name, &value)) {
            node = read_link(txn, value);
            continue;
        }
        node = index_new_node(txn);
        be64_write(bytes, node);
        index_put(txn, INDEX_OBJECT, name, str_n((char *)bytes, 8));
    }
    index_put(txn, INDEX_OBJECT, entry_str(&entry, node, key), record);
}

bool tree_is_empty(struct index_txn *txn, uint64_t node)
{
    struct entry_key entry;
    struct str want = entry_str(&entry, node, STR("")), found = { 0 }, value = { 0 };

    return !index_seek(txn, INDEX_OBJECT, want, &found, &value) || found.len < NODE ||
           memcmp(found.p, want.p, NODE) != 0;
}

bool tree_delete(struct index_txn *txn, uint64_t node, struct str key)
{
    struct entry_key entry;
    struct str value = { 0 };

    if (!is_link(key))
        return index_delete(txn, INDEX_OBJECT, entry_str(&entry, node, key));
    if (!index_get(txn, INDEX_OBJECT, entry_str(&entry, node, key), &value))
        return false;
    uint64_t below = read_link(txn, value);
    bool found = tree_delete(txn, below, str_skip(key, INDEX_SEGMENT));
    if (found && tree_is_empty(txn, below))
        index_delete(txn, INDEX_OBJECT, entry_str(&entry, node, key));
    return found;
}

/* Appends to key, which already holds what leads to this node. */
static bool seek_below(struct index_txn *txn, uint64_t node, struct str from, struct buf *key, struct str *record)
{
    struct entry_key entry;
    struct str want = entry_str(&entry, node, from), found = { 0 };

    while (index_seek(txn, INDEX_OBJECT, want, &found, record)) {
        if (found.len < NODE || memcmp(found.p, entry.bytes, NODE) != 0)
            return false;
        struct str segment = str_skip(found, NODE);
        size_t before = key->len;
        buf_put_str(key, segment);
        if (!is_link(segment))
            return true;
        bool same = str_eq(found, want) && from.len >= INDEX_SEGMENT;
        if (seek_below(txn, read_link(txn, *record), same ? str_skip(from, INDEX_SEGMENT) : STR(""), key, record))
            return true;
        /* nothing at or after it there: on to the entry that follows */
        key->len = before;
        from = STR("");
        want = entry_str(&entry, node, segment);
        for (size_t n = entry.len; n > NODE && ++entry.bytes[n - 1] == 0; n--)
            entry.len = n - 1;
        if (entry.len == NODE)
            return false;
        want.len = entry.len;
    }
    return false;
}

bool tree_seek(struct index_txn *txn, uint64_t node, struct str from, struct buf *key, struct str *record)
{
    CLEANUP(buf_free) struct buf start = { 0 };

    buf_put_str(&start, from);
    buf_clear(key);
    return seek_below(txn, node, buf_str(&start), key, record);
}
