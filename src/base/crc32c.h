/* CRC-32C (Castagnoli, RFC 3720), as Kafka record batches and S3 checksums use it. */
#ifndef BASE_CRC32C_H
#define BASE_CRC32C_H

#include "base/attr.h"

/* Chain by giving the last result; begin with 0. */
uint32_t crc32c(uint32_t crc, const void *p, size_t n);

#endif
