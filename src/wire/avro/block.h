/* Packing and unpacking the bytes of one container block; private to this folder. */
#ifndef WIRE_AVRO_BLOCK_H
#define WIRE_AVRO_BLOCK_H

#include "wire/avro/container.h"

/* Appends to out.  Not for AVRO_CODEC_NULL. */
MUST_CHECK enum rc avro_block_pack(enum avro_file_codec codec, int level, struct str bytes, struct buf *out,
                                   struct err *err);
/* Appends to out, at most AVRO_BLOCK_BYTES_MAX bytes.  RC_BAD_INPUT: does not unpack; RC_FULL: too many. */
MUST_CHECK enum rc avro_block_unpack(enum avro_file_codec codec, struct str packed, struct buf *out, struct err *err);

#endif
