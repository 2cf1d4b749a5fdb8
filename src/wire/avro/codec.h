/*
 * Avro's binary encoding, value by value.  A reader walks bytes it does not own and keeps its first
 * failure: later reads give zeros and empty views, and the owner asks avro_reader_failed() once per
 * record.  Writing goes to a struct buf, whose failure sticks in the same way.
 *
 *     int, long   zig-zag, then 7 bits a byte, low first, top bit set on all but the last; at most 5, 10 bytes
 *     float, double   4, 8 bytes little-endian
 *     bytes, string   long length, bytes
 *     array, map      blocks: long count (negative: minus count, then a long with the block's size in bytes),
 *                     items (map: string key, value); a count of 0 ends it
 *     union           long branch number, value
 *     enum            int symbol number
 *     fixed, record   bytes; fields in order
 */
#ifndef WIRE_AVRO_CODEC_H
#define WIRE_AVRO_CODEC_H

#include <string.h>

#include "base/base.h"
#include "wire/avro/schema.h"

enum {
    AVRO_VALUE_DEPTH_MAX = 128,    /* values inside values: a recursive type cannot exhaust the stack */
    AVRO_EMPTY_ITEMS_MAX = 1 << 20 /* items of no bytes at all (null, empty record) that one value may claim */
};

struct avro_reader {
    const uint8_t *p, *end;
    const uint8_t *start;
    const char *failure;  /* NULL: none; words without subject: "string runs past the end" */
    size_t failure_at;    /* byte from start */
    uint32_t empty_items; /* claimed so far */
};

static inline struct avro_reader avro_reader_of(struct str bytes)
{
    const uint8_t *p = (const uint8_t *)(bytes.p ? bytes.p : "");
    return (struct avro_reader){ .p = p, .end = p + bytes.len, .start = p };
}
static inline bool avro_reader_failed(const struct avro_reader *reader)
{
    return reader->failure != NULL;
}
static inline size_t avro_reader_left(const struct avro_reader *reader)
{
    return (size_t)(reader->end - reader->p);
}
static inline size_t avro_reader_at(const struct avro_reader *reader)
{
    return (size_t)(reader->p - reader->start);
}
/* Makes the reader fail with words of the caller's (a literal); the first failure wins. */
void avro_reader_fail(struct avro_reader *reader, const char *words);
/* RC_BAD_INPUT: "<what> is broken: <failure> at byte <n>"; RC_OK when nothing failed. */
enum rc avro_reader_check(const struct avro_reader *reader, const char *what, struct err *err);

int64_t avro_read_varint(struct avro_reader *reader); /* any length; the inline one below is the one to call */
static inline int64_t avro_read_long(struct avro_reader *reader)
{
    if (reader->p < reader->end && *reader->p < 0x80) {
        uint64_t v = *reader->p++;
        return (int64_t)(v >> 1) ^ -(int64_t)(v & 1);
    }
    return avro_read_varint(reader);
}
int32_t avro_read_int(struct avro_reader *reader); /* fails outside 32 bits */
bool avro_read_bool(struct avro_reader *reader);
float avro_read_float(struct avro_reader *reader);
double avro_read_double(struct avro_reader *reader);
struct str avro_read_bytes(struct avro_reader *reader); /* string too; a view into the reader's bytes */
struct str avro_read_fixed(struct avro_reader *reader, size_t n);
/* Branch number, checked against the union; 0 after a failure. */
size_t avro_read_union(struct avro_reader *reader, const struct avro_schema *schema);
/* Symbol number, checked against the enum; 0 after a failure. */
size_t avro_read_enum(struct avro_reader *reader, const struct avro_schema *schema);
/* Items in the next block of an array or map; 0 ends it.  Counts that the rest of the bytes cannot hold fail
 * (items may be empty: then at most AVRO_EMPTY_ITEMS_MAX per reader).
 *     for (uint64_t n; (n = avro_read_block(r, schema));) while (n-- && !avro_reader_failed(r)) ... */
uint64_t avro_read_block(struct avro_reader *reader, const struct avro_schema *schema);
/* Passes over one value of any schema; blocks with a size are jumped over. */
void avro_skip(struct avro_reader *reader, const struct avro_schema *schema);

void avro_write_long(struct buf *out, int64_t v); /* int, enum, union branch too */
void avro_write_bool(struct buf *out, bool v);
void avro_write_float(struct buf *out, float v);
void avro_write_double(struct buf *out, double v);
void avro_write_bytes(struct buf *out, struct str bytes); /* string too */
void avro_write_fixed(struct buf *out, struct str bytes);
/* arrays and maps: avro_write_long(count), items, avro_write_long(0); an empty one is the 0 alone */

enum avro_json_style {
    AVRO_JSON_TAGGED, /* the specification's JSON encoding: {"string": "x"}, bytes as ISO-8859-1 text */
    AVRO_JSON_PLAIN,  /* for people: unions without tags, decimals as "12.50", other bytes as base64 */
};
/* Appends one value as JSON text; NaN and infinities are "NaN", "Infinity", "-Infinity".  On a failure of
 * the reader what was appended is not JSON. */
void avro_to_json(struct avro_reader *reader, const struct avro_schema *schema, enum avro_json_style style,
                  struct buf *out);
/* Appends the encoding of a JSON value.  Unions take the tagged form or, untagged, the first branch that fits;
 * absent record fields take their default.  RC_BAD_INPUT says where: "at /after/id: expected int". */
MUST_CHECK enum rc avro_from_json(const struct avro_schema *schema, const json_t *value, struct buf *out,
                                  struct err *err);
/* The default of a field as Avro has it in schemas: a union's is of its first branch. */
MUST_CHECK enum rc avro_write_default(const struct avro_schema *schema, const json_t *value, struct buf *out,
                                      struct err *err);

/* Decimal (big-endian two's complement, any length up to 64 bytes) as text: "-12.50"; longer: false. */
bool avro_decimal_text(struct str unscaled, int scale, struct buf *out);

#endif
