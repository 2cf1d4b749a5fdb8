/* Counts of records that are in the log already; see replay.h. */
#include "stream/connect/postgres/replay.h"

#include <stdlib.h>

static uint64_t hash_of(struct str topic, uint64_t lsn, enum replay_kind kind)
{
    uint64_t h = str_hash(topic);

    h = (h ^ lsn) * 0x9e3779b97f4a7c15;
    h = (h ^ h >> 32 ^ (uint64_t)kind) * 0xd6e8feb86659fd93;
    h ^= h >> 29;
    return h ? h : 1;
}

static struct replay_entry *slot_of(const struct replay *replay, uint64_t hash)
{
    size_t at = hash & (replay->cap - 1);

    while (replay->entries[at].hash && replay->entries[at].hash != hash)
        at = (at + 1) & (replay->cap - 1);
    return &replay->entries[at];
}

static void grow(struct replay *replay)
{
    struct replay old = *replay;

    replay->cap = old.cap ? old.cap * 2 : 1024;
    replay->entries = mem_grow_zeroed(replay->cap, sizeof *replay->entries);
    for (size_t i = 0; i < old.cap; i++)
        if (old.entries[i].hash)
            *slot_of(replay, old.entries[i].hash) = old.entries[i];
    free(old.entries);
}

static enum rc add_hash(struct replay *replay, uint64_t hash, uint32_t count, struct err *err)
{
    if (replay->used == REPLAY_RECORDS_MAX)
        return err_set(err, RC_FULL, "more than %d records lie beyond the stored offset", REPLAY_RECORDS_MAX);
    if (replay->used * 4 >= replay->cap * 3)
        grow(replay);
    struct replay_entry *entry = slot_of(replay, hash);
    replay->used += entry->hash == 0;
    entry->hash = hash;
    entry->count += count;
    replay->left += count;
    return RC_OK;
}

enum rc replay_add(struct replay *replay, struct str topic, uint64_t lsn, enum replay_kind kind, struct err *err)
{
    return add_hash(replay, hash_of(topic, lsn, kind), 1, err);
}

enum rc replay_merge(struct replay *to, const struct replay *from, struct err *err)
{
    enum rc rc = RC_OK;

    for (size_t i = 0; i < from->cap && !rc; i++)
        if (from->entries[i].count)
            rc = add_hash(to, from->entries[i].hash, from->entries[i].count, err);
    return rc;
}

bool replay_take(struct replay *replay, struct str topic, uint64_t lsn, enum replay_kind kind)
{
    struct replay_entry *entry = replay->left ? slot_of(replay, hash_of(topic, lsn, kind)) : NULL;

    if (!entry || !entry->count)
        return false;
    entry->count--;
    if (--replay->left == 0) {
        free(replay->entries); /* all that was there has come: nothing more to look up */
        replay->entries = NULL;
        replay->cap = replay->used = 0;
    }
    return true;
}

void replay_free(struct replay *replay)
{
    free(replay->entries);
    *replay = (struct replay){ 0 };
}
