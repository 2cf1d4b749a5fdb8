/* Insertion-ordered hash map: a dense array of entries and a table of indexes into it. */
#include "base/map.h"

#include <stdlib.h>

#include "base/mem.h"

enum { SLOT_FREE = 0 };
#define SLOT_REMOVED UINT32_MAX

static bool entry_is(const struct map_entry *e, struct str key)
{
    return e->key && str_eq(str_n(e->key, e->key_len), key);
}

static size_t find_slot(const struct map *map, struct str key, bool *found)
{
    size_t mask = map->slot_count - 1;
    size_t at = str_hash(key) & mask;
    size_t removed = SIZE_MAX;

    for (;; at = (at + 1) & mask) {
        uint32_t slot = map->slots[at];
        if (slot == SLOT_FREE) {
            *found = false;
            return removed != SIZE_MAX ? removed : at;
        }
        if (slot == SLOT_REMOVED) {
            removed = removed != SIZE_MAX ? removed : at;
        } else if (entry_is(&map->entries[slot - 1], key)) {
            *found = true;
            return at;
        }
    }
}

static void rebuild(struct map *map, size_t slot_count)
{
    size_t kept = 0;

    for (size_t i = 0; i < map->used; i++)
        if (map->entries[i].key)
            map->entries[kept++] = map->entries[i];
    map->used = kept;
    free(map->slots);
    map->slots = NEW_ARRAY(uint32_t, slot_count);
    map->slot_count = slot_count;
    for (size_t i = 0; i < map->used; i++) {
        bool found = false;
        struct map_entry *e = &map->entries[i];
        map->slots[find_slot(map, str_n(e->key, e->key_len), &found)] = (uint32_t)i + 1;
    }
}

static void make_room(struct map *map)
{
    if ((map->used + 1) * 4 > map->slot_count * 3) {
        size_t slots = 16;
        while (slots < (map->count + 1) * 2)
            slots *= 2;
        rebuild(map, slots);
    }
    if (map->used == map->cap) {
        map->cap = map->cap ? map->cap * 2 : 8;
        map->entries = mem_grow(map->entries, map->cap, sizeof *map->entries);
    }
}

void *map_get(const struct map *map, struct str key)
{
    bool found = false;

    if (!map->slot_count)
        return NULL;
    size_t at = find_slot(map, key, &found);
    return found ? map->entries[map->slots[at] - 1].value : NULL;
}

void *map_put(struct map *map, struct str key, void *value)
{
    bool found = false;

    make_room(map);
    size_t at = find_slot(map, key, &found);
    if (found) {
        struct map_entry *e = &map->entries[map->slots[at] - 1];
        void *old = e->value;
        e->value = value;
        return old;
    }
    map->entries[map->used] = (struct map_entry){ str_dup(key), key.len, value };
    map->slots[at] = (uint32_t)++map->used;
    map->count++;
    return NULL;
}

void *map_remove(struct map *map, struct str key)
{
    bool found = false;

    if (!map->slot_count)
        return NULL;
    size_t at = find_slot(map, key, &found);
    if (!found)
        return NULL;
    struct map_entry *e = &map->entries[map->slots[at] - 1];
    void *value = e->value;
    mem_free_ptr(&e->key);
    map->slots[at] = SLOT_REMOVED;
    map->count--;
    return value;
}

struct map_entry *map_next(const struct map *map, struct map_entry *after)
{
    size_t i = after ? (size_t)(after - map->entries) + 1 : 0;

    for (; i < map->used; i++)
        if (map->entries[i].key)
            return &map->entries[i];
    return NULL;
}

void map_free(struct map *map, void (*free_value)(void *))
{
    for (struct map_entry *e = NULL; (e = map_next(map, e));) {
        if (free_value)
            free_value(e->value);
        free(e->key);
    }
    free(map->entries);
    free(map->slots);
    *map = (struct map){ 0 };
}
