/*
 * What a source has sent and the log has not yet acknowledged: a ring of slots in the order of
 * sending.  Acknowledgements come in any order (one order per partition); what counts is the head
 * of the ring, up to which everything is durable.  As slots leave, their offsets become the newest
 * durable ones of their source partition.  Not locked: the owner does.
 */
#ifndef STREAM_CONNECT_FLIGHT_H
#define STREAM_CONNECT_FLIGHT_H

#include "base/base.h"

enum { FLIGHT_PARTITIONS_MAX = 1000 }; /* different source partitions of one task */

struct flight_slot {
    bool acked;
    uint32_t partition; /* index into flight.partitions */
    size_t bytes;
    char *offset; /* NULL: as before */
};

struct flight_partition {
    char *name;   /* JSON */
    char *offset; /* newest durable one; NULL: none yet */
    bool dirty;   /* not committed */
};

struct flight {
    struct flight_slot *slots;
    size_t slot_count; /* a power of two */
    uint64_t sent;     /* number of the last record */
    uint64_t acked;    /* everything up to this number is durable */
    size_t bytes;      /* in flight */
    struct flight_partition *partitions;
    size_t partition_count;
    uint32_t last_partition; /* of the last record that left: the answer to "which offset is newest" */
};

/* The number of the record, 0 when FLIGHT_PARTITIONS_MAX is reached.  Grows as needed: the caller limits. */
uint64_t flight_add(struct flight *flight, struct str partition, struct str offset, size_t bytes);
/* Takes the last one back: it could not be handed on. */
void flight_undo(struct flight *flight);
/* True when the head moved. */
bool flight_ack(struct flight *flight, uint64_t number);
uint64_t flight_count(const struct flight *flight);
void flight_free(struct flight *flight);

#endif
