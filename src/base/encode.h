/* Bytes as text: hexadecimal, base64 (RFC 4648 with padding).  Random bytes and UUIDs. */
#ifndef BASE_ENCODE_H
#define BASE_ENCODE_H

#include "base/buf.h"

void encode_hex(struct buf *out, const void *p, size_t n); /* lower case */
bool decode_hex(struct str s, struct buf *out);            /* either case; false: not hex, out undefined */
void encode_base64(struct buf *out, const void *p, size_t n);
bool decode_base64(struct str s, struct buf *out);

void random_bytes(void *p, size_t n); /* from the kernel */
uint64_t random_u64(void);
enum { UUID_TEXT_LEN = 36 };
void uuid_random(uint8_t out[static 16]); /* version 4 */
void uuid_format(const uint8_t uuid[static 16], char out[static UUID_TEXT_LEN + 1]);

#endif
