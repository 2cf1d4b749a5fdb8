/* Records in flight; see flight.h. */
#include "stream/connect/flight.h"

#include <stdlib.h>
#include <string.h>

static struct flight_slot *slot_of(const struct flight *flight, uint64_t number)
{
    return &flight->slots[number & (flight->slot_count - 1)];
}

static void grow(struct flight *flight)
{
    size_t count = flight->slot_count ? flight->slot_count * 2 : 256;
    struct flight_slot *slots = NEW_ARRAY(struct flight_slot, count);

    for (uint64_t n = flight->acked + 1; n <= flight->sent; n++)
        slots[n & (count - 1)] = *slot_of(flight, n);
    free(flight->slots);
    flight->slots = slots;
    flight->slot_count = count;
}

static int64_t partition_index(struct flight *flight, struct str name)
{
    for (size_t i = 0; i < flight->partition_count; i++)
        if (str_is(name, flight->partitions[i].name))
            return (int64_t)i;
    if (flight->partition_count == FLIGHT_PARTITIONS_MAX)
        return -1;
    flight->partitions = mem_grow(flight->partitions, flight->partition_count + 1, sizeof *flight->partitions);
    flight->partitions[flight->partition_count] = (struct flight_partition){ .name = str_dup(name) };
    return (int64_t)flight->partition_count++;
}

uint64_t flight_count(const struct flight *flight)
{
    return flight->sent - flight->acked;
}

uint64_t flight_add(struct flight *flight, struct str partition, struct str offset, size_t bytes)
{
    int64_t index = partition_index(flight, partition);

    if (index < 0)
        return 0;
    if (flight_count(flight) == flight->slot_count)
        grow(flight);
    flight->sent++;
    *slot_of(flight, flight->sent) = (struct flight_slot){ .partition = (uint32_t)index,
                                                           .bytes = bytes,
                                                           .offset = offset.p ? str_dup(offset) : NULL };
    flight->bytes += bytes;
    return flight->sent;
}

void flight_undo(struct flight *flight)
{
    struct flight_slot *slot = slot_of(flight, flight->sent);

    free(slot->offset);
    flight->bytes -= slot->bytes;
    flight->sent--;
}

bool flight_ack(struct flight *flight, uint64_t number)
{
    uint64_t before = flight->acked;

    if (number <= flight->acked || number > flight->sent)
        return false;
    slot_of(flight, number)->acked = true;
    while (flight->acked < flight->sent && slot_of(flight, flight->acked + 1)->acked) {
        struct flight_slot *slot = slot_of(flight, ++flight->acked);
        struct flight_partition *partition = &flight->partitions[slot->partition];
        flight->bytes -= slot->bytes;
        if (slot->offset) {
            free(partition->offset);
            partition->offset = slot->offset;
            partition->dirty = true;
        }
        flight->last_partition = slot->partition;
        slot->offset = NULL;
    }
    return flight->acked != before;
}

void flight_free(struct flight *flight)
{
    for (uint64_t n = flight->acked + 1; n <= flight->sent; n++)
        free(slot_of(flight, n)->offset);
    for (size_t i = 0; i < flight->partition_count; i++) {
        free(flight->partitions[i].name);
        free(flight->partitions[i].offset);
    }
    free(flight->partitions);
    free(flight->slots);
    *flight = (struct flight){ 0 };
}
