/*
 * Kafka messages as data.
 *
 * A message is a table of fields (row.h); one walker reads any of them and one writes any of them.
 * A row says in which versions the field is on the wire, since which version it may be null, and
 * where it lies in the C struct.  "Flexible" versions (KIP-482) change three things: lengths become
 * unsigned varints (n + 1), each struct ends with tagged fields, and so do the headers.
 *
 * The reader keeps its first error and makes every later read a no-op, so nobody tests after each
 * field.  Lists and optional structs come from a bounded arena; texts and bytes are views into the
 * frame that was read, which therefore must outlive the message.
 *
 * Null and empty: a null text has p == NULL, a null list count == -1, an optional struct is NULL.
 * A field that a version does not carry is read as its default (mostly zero; see ABSENT in row.h).
 */
#ifndef WIRE_KAFKA_MESSAGE_H
#define WIRE_KAFKA_MESSAGE_H

#include "base/base.h"

struct kafka_uuid {
    uint8_t bytes[16];
};

/* Records as bytes (p), or, when writing, as a piece of something that the transport sends by itself:
 * `from` is then not NULL and the walker writes only the length and calls the writer's splice. */
struct kafka_records {
    const char *p; /* NULL and no `from`: null */
    size_t len;
    void *from;
    uint64_t at;
};

/* any KAFKA_LIST has this shape */
struct kafka_list {
    void *items;
    int32_t count;
};
#define KAFKA_LIST(type)                                                                                               \
    struct {                                                                                                           \
        type *items;                                                                                                   \
        int32_t count;                                                                                                 \
    }

enum kafka_kind {
    KAFKA_BOOL,
    KAFKA_I8,
    KAFKA_I16,
    KAFKA_U16,
    KAFKA_I32,
    KAFKA_I64,
    KAFKA_F64,
    KAFKA_UUID,
    KAFKA_STR,
    KAFKA_BYTES,
    KAFKA_RECORDS,
    KAFKA_LIST,   /* of structs, or of `item` */
    KAFKA_STRUCT, /* a pointer: always there, or tagged and then optional */
};

struct kafka_field;
struct kafka_message {
    const char *name;
    size_t size;
    const struct kafka_field *fields;
    uint16_t count;
};

struct kafka_reader {
    const char *at, *end;
    struct arena *arena;
    const char *error; /* NULL: none yet; a literal */
    const char *field; /* the field at which it happened */
};

struct kafka_writer {
    struct buf *out; /* its failed flag is the error */
    /* called for records with `from`, after their length was written; NULL: such records are not used */
    void (*splice)(struct kafka_writer *writer, const struct kafka_records *records);
    void *context;
};

/* out has message->size bytes; all of it is set, also after an error. */
void kafka_read(struct kafka_reader *reader, const struct kafka_message *message, int version, bool flexible,
                void *out);
void kafka_write(struct kafka_writer *writer, const struct kafka_message *message, int version, bool flexible,
                 const void *in);
/* As kafka_read for bytes that hold exactly one message: left-over bytes are an error too.  RC_BAD_INPUT names the
 * message and the field. */
MUST_CHECK enum rc kafka_decode(struct str bytes, const struct kafka_message *message, int version, bool flexible,
                                struct arena *arena, void *out, struct err *err);
void kafka_encode(struct buf *out, const struct kafka_message *message, int version, bool flexible, const void *in);

/* ---- primitives, for formats that are not messages (record batches, keys of internal topics) ---- */

int64_t kafka_read_int(struct kafka_reader *reader, int width); /* 1, 2, 4 or 8 bytes, sign extended */
uint32_t kafka_read_uvarint(struct kafka_reader *reader);
int64_t kafka_read_varlong(struct kafka_reader *reader); /* zig-zag */
struct str kafka_read_str(struct kafka_reader *reader, bool flexible, bool nullable);
const char *kafka_take(struct kafka_reader *reader, size_t n); /* NULL after an error */
void kafka_reader_fail(struct kafka_reader *reader, const char *error);
void kafka_write_int(struct buf *out, int64_t v, int width);
void kafka_write_uvarint(struct buf *out, uint32_t v);
void kafka_write_varlong(struct buf *out, int64_t v);
void kafka_write_str(struct buf *out, bool flexible, struct str s); /* p == NULL: null */

bool kafka_uuid_eq(const struct kafka_uuid *a, const struct kafka_uuid *b);
bool kafka_uuid_is_zero(const struct kafka_uuid *uuid);
enum { KAFKA_UUID_TEXT_MAX = 23 };
/* base64url without padding, as Kafka prints topic ids */
void kafka_uuid_format(const struct kafka_uuid *uuid, char out[static KAFKA_UUID_TEXT_MAX]);
bool kafka_uuid_parse(struct str text, struct kafka_uuid *out);

#endif
