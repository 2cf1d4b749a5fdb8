/* Inflating the records of a compressed batch.  Private to this folder. */
#ifndef WIRE_KAFKA_INFLATE_H
#define WIRE_KAFKA_INFLATE_H

#include "wire/kafka/batch.h"

/* Appends the inflated bytes to out, never past out->max (set it).  Snappy comes raw or in xerial's frames. */
MUST_CHECK enum rc kafka_inflate(enum kafka_codec codec, struct str in, struct buf *out, struct err *err);

#endif
