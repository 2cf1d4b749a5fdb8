/* Reading and writing single values; codec.h has the format. */
#include "wire/avro/avro.h"

enum { VARINT_BYTES_MAX = 10 };

void avro_reader_fail(struct avro_reader *reader, const char *words)
{
    if (!reader->failure) {
        reader->failure = words;
        reader->failure_at = avro_reader_at(reader);
    }
    reader->p = reader->end; /* nothing more is read */
}

enum rc avro_reader_check(const struct avro_reader *reader, const char *what, struct err *err)
{
    if (!reader->failure)
        return RC_OK;
    return err_set(err, RC_BAD_INPUT, "%s is broken: %s at byte %zu", what, reader->failure, reader->failure_at);
}

int64_t avro_read_varint(struct avro_reader *reader)
{
    uint64_t v = 0;

    for (unsigned i = 0; i < VARINT_BYTES_MAX; i++) {
        uint8_t byte;
        if (reader->p + i >= reader->end) {
            avro_reader_fail(reader, "a number runs past the end");
            return 0;
        }
        byte = reader->p[i];
        if (i == VARINT_BYTES_MAX - 1 && byte > 1)
            break;
        v |= (uint64_t)(byte & 0x7f) << (7 * i);
        if (byte < 0x80) {
            reader->p += i + 1;
            return (int64_t)(v >> 1) ^ -(int64_t)(v & 1);
        }
    }
    avro_reader_fail(reader, "a number has more than 64 bits");
    return 0;
}

int32_t avro_read_int(struct avro_reader *reader)
{
    const uint8_t *at = reader->p;
    int64_t v = avro_read_long(reader);

    if (v >= INT32_MIN && v <= INT32_MAX)
        return (int32_t)v;
    reader->p = at;
    avro_reader_fail(reader, "an int has more than 32 bits");
    return 0;
}

bool avro_read_bool(struct avro_reader *reader)
{
    if (reader->p >= reader->end) {
        avro_reader_fail(reader, "a boolean runs past the end");
        return false;
    }
    if (*reader->p > 1) {
        avro_reader_fail(reader, "a boolean is neither 0 nor 1");
        return false;
    }
    return *reader->p++ == 1;
}

struct str avro_read_fixed(struct avro_reader *reader, size_t n)
{
    struct str view = { (const char *)reader->p, n };

    if (n > avro_reader_left(reader)) {
        avro_reader_fail(reader, "a value runs past the end");
        return (struct str){ "", 0 };
    }
    reader->p += n;
    return view;
}

static uint64_t little_endian(struct str bytes)
{
    uint64_t v = 0;
    for (size_t i = bytes.len; i-- > 0;)
        v = v << 8 | (uint8_t)bytes.p[i];
    return v;
}

float avro_read_float(struct avro_reader *reader)
{
    uint32_t bits = (uint32_t)little_endian(avro_read_fixed(reader, sizeof bits));
    float v;
    memcpy(&v, &bits, sizeof v);
    return v;
}

double avro_read_double(struct avro_reader *reader)
{
    uint64_t bits = little_endian(avro_read_fixed(reader, sizeof bits));
    double v;
    memcpy(&v, &bits, sizeof v);
    return v;
}

struct str avro_read_bytes(struct avro_reader *reader)
{
    const uint8_t *at = reader->p;
    int64_t n = avro_read_long(reader);

    if (n >= 0 && (uint64_t)n <= avro_reader_left(reader))
        return avro_read_fixed(reader, (size_t)n);
    reader->p = at;
    avro_reader_fail(reader, n < 0 ? "bytes or string with a negative length" : "bytes or string run past the end");
    return (struct str){ "", 0 };
}

static size_t read_choice(struct avro_reader *reader, size_t count, const char *words)
{
    const uint8_t *at = reader->p;
    int64_t v = avro_read_long(reader);

    if (v >= 0 && (uint64_t)v < count)
        return (size_t)v;
    reader->p = at;
    avro_reader_fail(reader, words);
    return 0;
}

size_t avro_read_union(struct avro_reader *reader, const struct avro_schema *schema)
{
    return read_choice(reader, schema->branch_count, "a union's branch number is none of its branches");
}

size_t avro_read_enum(struct avro_reader *reader, const struct avro_schema *schema)
{
    return read_choice(reader, schema->symbol_count, "an enum's number is none of its symbols");
}

/* ---------------------------------------------------------------- blocks */

/* Fewest bytes a value may take: 0 only for null, fixed(0) and records of nothing else.  A cycle of records
 * without a union or a block between has no values at all; left makes it end. */
static size_t least_bytes(const struct avro_schema *schema, int left)
{
    if (schema->type == AVRO_FIXED)
        return schema->size > 0;
    if (schema->type != AVRO_RECORD || left <= 0)
        return schema->type != AVRO_NULL;
    for (size_t i = 0; i < schema->field_count; i++)
        if (least_bytes(schema->fields[i].type, left - 1))
            return 1;
    return 0;
}

/* True when the rest of the bytes can hold so many items. */
static bool items_possible(struct avro_reader *reader, const struct avro_schema *schema, uint64_t count)
{
    if (schema->type == AVRO_MAP || least_bytes(schema->items, 8))
        return count <= avro_reader_left(reader);
    if (count > AVRO_EMPTY_ITEMS_MAX - reader->empty_items)
        return false;
    reader->empty_items += (uint32_t)count;
    return true;
}

/* *bytes: size of the block where it is told, else -1. */
static uint64_t read_block(struct avro_reader *reader, const struct avro_schema *schema, int64_t *bytes)
{
    const uint8_t *at = reader->p;
    int64_t n = avro_read_long(reader);
    uint64_t count = n < 0 ? -(uint64_t)n : (uint64_t)n;

    *bytes = -1;
    if (n < 0) {
        *bytes = avro_read_long(reader);
        if (*bytes < 0 || (uint64_t)*bytes > avro_reader_left(reader)) {
            avro_reader_fail(reader, "a block's size runs past the end");
            return 0;
        }
    }
    if (reader->failure || items_possible(reader, schema, count))
        return reader->failure ? 0 : count;
    reader->p = at;
    avro_reader_fail(reader, "a block claims more items than there are bytes");
    return 0;
}

uint64_t avro_read_block(struct avro_reader *reader, const struct avro_schema *schema)
{
    int64_t bytes;
    return read_block(reader, schema, &bytes);
}

static void skip_value(struct avro_reader *reader, const struct avro_schema *schema, int left);

static void skip_blocks(struct avro_reader *reader, const struct avro_schema *schema, int left)
{
    int64_t bytes;
    uint64_t n;

    while ((n = read_block(reader, schema, &bytes))) {
        if (bytes >= 0) {
            avro_read_fixed(reader, (size_t)bytes);
            continue;
        }
        while (n-- && !reader->failure) {
            if (schema->type == AVRO_MAP)
                avro_read_bytes(reader);
            skip_value(reader, schema->items, left);
        }
    }
}

static void skip_value(struct avro_reader *reader, const struct avro_schema *schema, int left)
{
    if (left <= 0) {
        avro_reader_fail(reader, "values nest too deep");
        return;
    }
    switch (schema->type) {
    case AVRO_NULL:
        return;
    case AVRO_BOOLEAN:
        avro_read_fixed(reader, 1);
        return;
    case AVRO_INT:
    case AVRO_LONG:
    case AVRO_ENUM:
        avro_read_long(reader);
        return;
    case AVRO_FLOAT:
        avro_read_fixed(reader, sizeof(float));
        return;
    case AVRO_DOUBLE:
        avro_read_fixed(reader, sizeof(double));
        return;
    case AVRO_BYTES:
    case AVRO_STRING:
        avro_read_bytes(reader);
        return;
    case AVRO_FIXED:
        avro_read_fixed(reader, (size_t)schema->size);
        return;
    case AVRO_ARRAY:
    case AVRO_MAP:
        skip_blocks(reader, schema, left - 1);
        return;
    case AVRO_UNION: {
        size_t branch = avro_read_union(reader, schema);
        if (!reader->failure)
            skip_value(reader, schema->branches[branch], left - 1);
        return;
    }
    case AVRO_RECORD:
        for (size_t i = 0; i < schema->field_count && !reader->failure; i++)
            skip_value(reader, schema->fields[i].type, left - 1);
        return;
    }
}

void avro_skip(struct avro_reader *reader, const struct avro_schema *schema)
{
    skip_value(reader, schema, AVRO_VALUE_DEPTH_MAX);
}

/* ---------------------------------------------------------------- writing */

void avro_write_long(struct buf *out, int64_t v)
{
    uint64_t zigzag = ((uint64_t)v << 1) ^ (uint64_t)(v >> 63);
    uint8_t bytes[VARINT_BYTES_MAX];
    size_t n = 0;

    while (zigzag >= 0x80) {
        bytes[n++] = (uint8_t)(zigzag | 0x80);
        zigzag >>= 7;
    }
    bytes[n++] = (uint8_t)zigzag;
    buf_append(out, bytes, n);
}

void avro_write_bool(struct buf *out, bool v)
{
    buf_putc(out, v ? 1 : 0);
}

static void write_little_endian(struct buf *out, uint64_t v, size_t n)
{
    uint8_t bytes[8];
    for (size_t i = 0; i < n; i++)
        bytes[i] = (uint8_t)(v >> (8 * i));
    buf_append(out, bytes, n);
}

void avro_write_float(struct buf *out, float v)
{
    uint32_t bits;
    memcpy(&bits, &v, sizeof bits);
    write_little_endian(out, bits, sizeof bits);
}

void avro_write_double(struct buf *out, double v)
{
    uint64_t bits;
    memcpy(&bits, &v, sizeof bits);
    write_little_endian(out, bits, sizeof bits);
}

void avro_write_fixed(struct buf *out, struct str bytes)
{
    if (bytes.len)
        buf_append(out, bytes.p, bytes.len);
}

void avro_write_bytes(struct buf *out, struct str bytes)
{
    avro_write_long(out, (int64_t)bytes.len);
    avro_write_fixed(out, bytes);
}
