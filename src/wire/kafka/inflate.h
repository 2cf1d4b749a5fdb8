/*
 * Inflating the records of a compressed batch, piece by piece, so that what a batch inflates to need not be held at
 * once.  Snappy comes raw or in xerial's frames.  Private to this folder, but for the struct.
 */
#ifndef WIRE_KAFKA_INFLATE_H
#define WIRE_KAFKA_INFLATE_H

#include "wire/kafka/batch.h"

struct z_stream_s;
struct LZ4F_dctx_s;
struct ZSTD_DCtx_s;

/* { 0 } is a new one.  It keeps the codecs' contexts from one batch to the next. */
struct kafka_inflater {
    enum kafka_codec codec;
    struct str in; /* what is not inflated yet */
    bool is_framed, is_at_end;
    struct z_stream_s *gzip;
    struct LZ4F_dctx_s *lz4;
    struct ZSTD_DCtx_s *zstd;
};

MUST_CHECK enum rc kafka_inflater_begin(struct kafka_inflater *inflater, enum kafka_codec codec, struct str in,
                                        struct err *err);
/* Appends the next bytes to out, some tens of kilobytes or one block of snappy, never past out->max (set it): then it
 * is RC_FULL.  RC_AGAIN: that was all, and it was whole. */
MUST_CHECK enum rc kafka_inflater_next(struct kafka_inflater *inflater, struct buf *out, struct err *err);
void kafka_inflater_trim(struct kafka_inflater *inflater); /* between batches: contexts that are large are freed */
void kafka_inflater_free(struct kafka_inflater *inflater);

/* Appends all that a batch inflates to. */
MUST_CHECK enum rc kafka_inflate(enum kafka_codec codec, struct str in, struct buf *out, struct err *err);

#endif
