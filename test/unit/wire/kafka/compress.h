/* Record batches as their producers make and compress them. */
#ifndef TEST_UNIT_WIRE_KAFKA_COMPRESS_H
#define TEST_UNIT_WIRE_KAFKA_COMPRESS_H

#include "wire/kafka/kafka.h"

enum framing { FRAMING_GZIP, FRAMING_SNAPPY, FRAMING_XERIAL, FRAMING_LZ4, FRAMING_ZSTD, FRAMING_COUNT };

/* Three records: with headers, null, with an empty key. */
void write_some(struct buf *out);
void compress_bytes(enum framing framing, struct str in, struct buf *out);
/* The batch at the start of bytes gets these records, which are so many; its checksum is left wrong. */
void replace_records(struct buf *bytes, enum kafka_codec codec, struct str records, int32_t count);
/* The records of the batch are compressed. */
void compress_records(struct buf *bytes, enum framing framing);
enum kafka_codec framing_codec(enum framing framing);

#endif
