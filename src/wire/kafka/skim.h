/*
 * Skimming the records of a batch: their times, keys and offsets, without their contents.
 *
 * For a broker, which wants to know that all records are there and can be read, and keeps the batch as it is.
 * Compressed batches are inflated through a window, so that memory does not grow with what they inflate to; a skimmer
 * keeps the window and the codecs' contexts from one batch to the next.  As with kafka_reader the first error stays.
 */
#ifndef WIRE_KAFKA_SKIM_H
#define WIRE_KAFKA_SKIM_H

#include "wire/kafka/inflate.h"

enum { KAFKA_INFLATED_MAX = 256 << 20 }; /* of the records of one batch: what it costs is time */

/* { 0 } is a new one. */
struct kafka_skimmer {
    enum kafka_error error; /* KAFKA_NONE: none yet */
    const char *why;        /* a phrase, a literal */
    /* private */
    struct kafka_batch batch;
    struct kafka_inflater inflater;
    struct buf window; /* inflated and not yet skimmed */
    const char *at, *end;
    uint64_t seen; /* bytes of all windows up to `end` */
    int32_t left;
};

struct kafka_record_head {
    int32_t offset_delta;
    int64_t timestamp;
    bool has_key;
};

/* Begins with a batch that kafka_batch_check() has taken; its bytes stay where they are until the end. */
void kafka_skimmer_begin(struct kafka_skimmer *skimmer, struct str bytes, const struct kafka_batch *batch);
/* false: there are no more, and skimmer->error says whether all of them were right and nothing came behind them. */
bool kafka_skimmer_next(struct kafka_skimmer *skimmer, struct kafka_record_head *out);
void kafka_skimmer_trim(struct kafka_skimmer *skimmer); /* memory of an unusual batch is freed; after each batch */
void kafka_skimmer_free(struct kafka_skimmer *skimmer);

#endif
