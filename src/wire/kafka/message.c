/* The walkers over rows of fields, and the primitives below them; see message.h. */
#include "wire/kafka/message.h"

#include <string.h>

#include "wire/kafka/row.h"

/* ------------------------------------------------------------------------------------- reading */

void kafka_reader_fail(struct kafka_reader *reader, const char *error)
{
    if (!reader->error)
        reader->error = error;
    reader->at = reader->end;
}

const char *kafka_take(struct kafka_reader *reader, size_t n)
{
    if (reader->error)
        return NULL;
    if ((size_t)(reader->end - reader->at) < n) {
        kafka_reader_fail(reader, "ends inside a field");
        return NULL;
    }
    const char *p = reader->at;
    reader->at += n;
    return p;
}

int64_t kafka_read_int(struct kafka_reader *reader, int width)
{
    const uint8_t *p = (const uint8_t *)kafka_take(reader, (size_t)width);
    uint64_t v = 0;
    int spare = 64 - 8 * width;

    for (int i = 0; p && i < width; i++)
        v = v << 8 | p[i];
    return (int64_t)(v << spare) >> spare;
}

uint32_t kafka_read_uvarint(struct kafka_reader *reader)
{
    uint32_t v = 0;

    for (int shift = 0; shift < 35; shift += 7) {
        const uint8_t *p = (const uint8_t *)kafka_take(reader, 1);
        if (!p)
            return 0;
        v |= (uint32_t)(*p & 0x7f) << shift;
        if (*p < 0x80)
            return v;
    }
    kafka_reader_fail(reader, "has a varint longer than five bytes");
    return 0;
}

int64_t kafka_read_varlong(struct kafka_reader *reader)
{
    uint64_t v = 0;

    for (int shift = 0; shift < 70; shift += 7) {
        const uint8_t *p = (const uint8_t *)kafka_take(reader, 1);
        if (!p)
            return 0;
        v |= (uint64_t)(*p & 0x7f) << shift;
        if (*p < 0x80)
            return (int64_t)(v >> 1) ^ -(int64_t)(v & 1);
    }
    kafka_reader_fail(reader, "has a varint longer than ten bytes");
    return 0;
}

/* -1 for null; other negative lengths and those beyond int32 are errors, told by the caller as "null" */
static int32_t read_length(struct kafka_reader *reader, bool flexible, int width)
{
    if (!flexible)
        return (int32_t)kafka_read_int(reader, width);
    uint32_t n = kafka_read_uvarint(reader);
    return n > INT32_MAX ? -2 : (int32_t)n - 1;
}

static bool read_nullable_length(struct kafka_reader *reader, bool flexible, int width, bool nullable, int32_t *n)
{
    *n = read_length(reader, flexible, width);
    if (reader->error)
        return false;
    if (*n >= 0 || (*n == -1 && nullable))
        return true;
    kafka_reader_fail(reader, *n == -1 ? "is null and must not be" : "has a negative length");
    return false;
}

static struct str read_bytes(struct kafka_reader *reader, bool flexible, int width, bool nullable)
{
    int32_t n = 0;

    if (!read_nullable_length(reader, flexible, width, nullable, &n) || n < 0)
        return (struct str){ 0 };
    const char *p = kafka_take(reader, (size_t)n);
    return p ? str_n(p, (size_t)n) : (struct str){ 0 };
}

struct str kafka_read_str(struct kafka_reader *reader, bool flexible, bool nullable)
{
    return read_bytes(reader, flexible, 2, nullable);
}

static const uint8_t widths[] = {
    [KAFKA_BOOL] = 1, [KAFKA_I8] = 1, [KAFKA_I16] = 2, [KAFKA_U16] = 2, [KAFKA_I32] = 4, [KAFKA_I64] = 8
};
static const uint8_t sizes[] = {
    [KAFKA_BOOL] = sizeof(bool),
    [KAFKA_I8] = 1,
    [KAFKA_I16] = 2,
    [KAFKA_U16] = 2,
    [KAFKA_I32] = 4,
    [KAFKA_I64] = 8,
    [KAFKA_F64] = 8,
    [KAFKA_UUID] = sizeof(struct kafka_uuid),
    [KAFKA_STR] = sizeof(struct str),
    [KAFKA_BYTES] = sizeof(struct str),
};

static void store_int(void *at, enum kafka_kind kind, int64_t v)
{
    switch (kind) {
    case KAFKA_BOOL:
        *(bool *)at = v != 0;
        return;
    case KAFKA_I8:
        *(int8_t *)at = (int8_t)v;
        return;
    case KAFKA_I16:
    case KAFKA_U16:
        *(int16_t *)at = (int16_t)v;
        return;
    case KAFKA_I32:
        *(int32_t *)at = (int32_t)v;
        return;
    default:
        *(int64_t *)at = v;
    }
}

static int64_t load_int(const void *at, enum kafka_kind kind)
{
    switch (kind) {
    case KAFKA_BOOL:
        return *(const bool *)at;
    case KAFKA_I8:
        return *(const int8_t *)at;
    case KAFKA_I16:
    case KAFKA_U16:
        return *(const int16_t *)at;
    case KAFKA_I32:
        return *(const int32_t *)at;
    default:
        return *(const int64_t *)at;
    }
}

static void read_scalar(struct kafka_reader *reader, enum kafka_kind kind, bool flexible, bool nullable, void *at)
{
    const char *p = NULL;
    struct str s = { 0 };

    switch (kind) {
    case KAFKA_F64:
        store_int(at, KAFKA_I64, kafka_read_int(reader, 8)); /* the same bits */
        return;
    case KAFKA_UUID:
        p = kafka_take(reader, sizeof(struct kafka_uuid));
        if (p)
            memcpy(at, p, sizeof(struct kafka_uuid));
        return;
    case KAFKA_STR:
    case KAFKA_BYTES:
        s = read_bytes(reader, flexible, kind == KAFKA_STR ? 2 : 4, nullable);
        memcpy(at, &s, sizeof s);
        return;
    case KAFKA_RECORDS:
        s = read_bytes(reader, flexible, 4, nullable);
        *(struct kafka_records *)at = (struct kafka_records){ .p = s.p, .len = s.len };
        return;
    default:
        store_int(at, kind, kafka_read_int(reader, widths[kind]));
    }
}

static void read_list(struct kafka_reader *reader, const struct kafka_field *f, int version, bool flexible,
                      bool nullable, void *at)
{
    struct kafka_list list = { 0 };
    size_t size = f->of ? f->of->size : sizes[f->item];
    int32_t n = 0;

    if (!read_nullable_length(reader, flexible, 4, nullable, &n))
        return;
    /* every element takes at least a byte, so a count above what is left is a lie */
    if (n > reader->end - reader->at) {
        kafka_reader_fail(reader, "says it has more elements than the message has bytes");
        return;
    }
    list.count = n;
    if (n > 0 && !(list.items = arena_array(reader->arena, (size_t)n, size))) {
        kafka_reader_fail(reader, "has more elements than a request may have");
        return;
    }
    memcpy(at, &list, sizeof list.items + sizeof list.count);
    for (int32_t i = 0; i < n && !reader->error; i++) {
        char *element = (char *)list.items + (size_t)i * size;
        if (f->of)
            kafka_read(reader, f->of, version, flexible, element);
        else
            read_scalar(reader, f->item, flexible, false, element);
    }
}

static void read_field(struct kafka_reader *reader, const struct kafka_field *f, int version, bool flexible, char *at)
{
    bool nullable = f->nullable && version >= f->nullable - 1;

    if (f->kind == KAFKA_LIST) {
        read_list(reader, f, version, flexible, nullable, at);
    } else if (f->kind == KAFKA_STRUCT) {
        /* a nullable struct that is not tagged begins with a byte: -1 null, 1 there */
        if (nullable && !f->tag && kafka_read_int(reader, 1) < 0)
            return;
        void *inner = arena_alloc(reader->arena, f->of->size);
        if (!inner) {
            kafka_reader_fail(reader, "is larger than a request may be");
            return;
        }
        kafka_read(reader, f->of, version, flexible, inner);
        memcpy(at, &inner, sizeof inner);
    } else {
        read_scalar(reader, f->kind, flexible, nullable, at);
    }
    if (reader->error && !reader->field)
        reader->field = f->name;
}

static bool is_carried(const struct kafka_field *f, int version)
{
    return version >= f->since && (!f->gone || version < f->gone);
}

static const struct kafka_field *find_tag(const struct kafka_message *message, int version, uint32_t tag)
{
    for (size_t i = 0; i < message->count; i++) {
        const struct kafka_field *f = &message->fields[i];
        if (f->tag && (uint32_t)f->tag - 1 == tag && is_carried(f, version))
            return f;
    }
    return NULL;
}

/* tags we do not know are skipped, as KIP-482 asks */
static void read_tags(struct kafka_reader *reader, const struct kafka_message *message, int version, char *out)
{
    for (uint32_t left = kafka_read_uvarint(reader); left > 0 && !reader->error; left--) {
        const struct kafka_field *f = find_tag(message, version, kafka_read_uvarint(reader));
        uint32_t n = kafka_read_uvarint(reader);
        const char *p = kafka_take(reader, n);
        if (!p || !f)
            continue;
        struct kafka_reader inner = { .at = p, .end = p + n, .arena = reader->arena };
        read_field(&inner, f, version, true, out + f->at);
        if (inner.error || inner.at != inner.end) {
            reader->field = inner.field ? inner.field : f->name;
            kafka_reader_fail(reader, inner.error ? inner.error : "has bytes left over in its tag");
        }
    }
}

void kafka_read(struct kafka_reader *reader, const struct kafka_message *message, int version, bool flexible, void *out)
{
    memset(out, 0, message->size);
    for (size_t i = 0; i < message->count; i++) {
        const struct kafka_field *f = &message->fields[i];
        if (f->absent)
            store_int((char *)out + f->at, f->kind, f->absent);
    }
    for (size_t i = 0; i < message->count && !reader->error; i++) {
        const struct kafka_field *f = &message->fields[i];
        if (is_carried(f, version) && !(f->tag && flexible))
            read_field(reader, f, version, flexible, (char *)out + f->at);
    }
    if (flexible && !reader->error)
        read_tags(reader, message, version, out);
}

enum rc kafka_decode(struct str bytes, const struct kafka_message *message, int version, bool flexible,
                     struct arena *arena, void *out, struct err *err)
{
    struct kafka_reader reader = { .at = bytes.p, .end = bytes.p + bytes.len, .arena = arena };

    kafka_read(&reader, message, version, flexible, out);
    if (!reader.error && reader.at != reader.end)
        reader.error = "has bytes left over";
    if (!reader.error)
        return RC_OK;
    return err_set(err, RC_BAD_INPUT, "cannot read '%s' version %d: field '%s' %s", message->name, version,
                   reader.field ? reader.field : "end", reader.error);
}

/* ------------------------------------------------------------------------------------- writing */

void kafka_write_int(struct buf *out, int64_t v, int width)
{
    uint8_t b[8];

    for (int i = 0; i < width; i++)
        b[i] = (uint8_t)((uint64_t)v >> 8 * (width - 1 - i));
    buf_append(out, b, (size_t)width);
}

void kafka_write_uvarint(struct buf *out, uint32_t v)
{
    uint8_t b[5];
    size_t n = 0;

    for (; v >= 0x80; v >>= 7)
        b[n++] = (uint8_t)(v | 0x80);
    b[n++] = (uint8_t)v;
    buf_append(out, b, n);
}

void kafka_write_varlong(struct buf *out, int64_t value)
{
    uint64_t v = (uint64_t)value << 1 ^ (uint64_t)(value >> 63);
    uint8_t b[10];
    size_t n = 0;

    for (; v >= 0x80; v >>= 7)
        b[n++] = (uint8_t)(v | 0x80);
    b[n++] = (uint8_t)v;
    buf_append(out, b, n);
}

static void write_length(struct buf *out, bool flexible, int64_t n, int width)
{
    if (n > (width == 2 ? INT16_MAX : INT32_MAX))
        out->failed = true;
    else if (flexible)
        kafka_write_uvarint(out, (uint32_t)(n + 1));
    else
        kafka_write_int(out, n, width);
}

static void write_bytes(struct buf *out, bool flexible, int width, bool nullable, struct str s)
{
    write_length(out, flexible, s.p || !nullable ? (int64_t)s.len : -1, width);
    if (s.p)
        buf_append(out, s.p, s.len);
}

void kafka_write_str(struct buf *out, bool flexible, struct str s)
{
    write_bytes(out, flexible, 2, true, s);
}

static void write_records(struct kafka_writer *writer, bool flexible, bool nullable, const struct kafka_records *r)
{
    if (!r->from) {
        write_bytes(writer->out, flexible, 4, nullable, (struct str){ r->p, r->len });
        return;
    }
    write_length(writer->out, flexible, (int64_t)r->len, 4);
    writer->splice(writer, r);
}

static void write_scalar(struct kafka_writer *writer, enum kafka_kind kind, bool flexible, bool nullable,
                         const void *at)
{
    struct str s;

    switch (kind) {
    case KAFKA_F64:
        kafka_write_int(writer->out, load_int(at, KAFKA_I64), 8);
        return;
    case KAFKA_UUID:
        buf_append(writer->out, at, sizeof(struct kafka_uuid));
        return;
    case KAFKA_STR:
    case KAFKA_BYTES:
        memcpy(&s, at, sizeof s);
        write_bytes(writer->out, flexible, kind == KAFKA_STR ? 2 : 4, nullable, s);
        return;
    case KAFKA_RECORDS:
        write_records(writer, flexible, nullable, at);
        return;
    default:
        kafka_write_int(writer->out, load_int(at, kind), widths[kind]);
    }
}

static void load_list(struct kafka_list *list, const void *at)
{
    memcpy(list, at, sizeof list->items + sizeof list->count);
}

static void write_list(struct kafka_writer *writer, const struct kafka_field *f, int version, bool flexible,
                       bool nullable, const void *at)
{
    struct kafka_list list = { 0 };
    size_t size = f->of ? f->of->size : sizes[f->item];

    load_list(&list, at);
    write_length(writer->out, flexible, list.count < 0 && !nullable ? 0 : list.count, 4);
    for (int32_t i = 0; i < list.count; i++) {
        const char *element = (const char *)list.items + (size_t)i * size;
        if (f->of)
            kafka_write(writer, f->of, version, flexible, element);
        else
            write_scalar(writer, f->item, flexible, false, element);
    }
}

static const void *load_struct(const void *at)
{
    const void *p;

    memcpy(&p, at, sizeof p);
    return p;
}

static void write_field(struct kafka_writer *writer, const struct kafka_field *f, int version, bool flexible,
                        const char *at)
{
    bool nullable = f->nullable && version >= f->nullable - 1;

    if (f->kind == KAFKA_LIST) {
        write_list(writer, f, version, flexible, nullable, at);
    } else if (f->kind == KAFKA_STRUCT) {
        const void *inner = load_struct(at);
        if (nullable && !f->tag)
            kafka_write_int(writer->out, inner ? 1 : -1, 1);
        if (inner)
            kafka_write(writer, f->of, version, flexible, inner);
        else if (!nullable)
            writer->out->failed = true;
    } else {
        write_scalar(writer, f->kind, flexible, nullable, at);
    }
}

/* a tag is written only when it differs from its default */
static bool is_tag_set(const struct kafka_field *f, const char *at)
{
    struct kafka_list list = { 0 };
    struct str s;

    switch ((enum kafka_kind)f->kind) {
    case KAFKA_STRUCT:
        return load_struct(at) != NULL;
    case KAFKA_LIST:
        load_list(&list, at);
        return list.count > 0;
    case KAFKA_STR:
    case KAFKA_BYTES:
        memcpy(&s, at, sizeof s);
        return s.p != NULL;
    case KAFKA_UUID:
        return !kafka_uuid_is_zero((const struct kafka_uuid *)at);
    case KAFKA_RECORDS:
        return ((const struct kafka_records *)at)->p != NULL;
    default:
        return load_int(at, f->kind == KAFKA_F64 ? KAFKA_I64 : f->kind) != f->absent;
    }
}

static void write_tags(struct kafka_writer *writer, const struct kafka_message *message, int version, const char *in)
{
    uint32_t set = 0;

    for (size_t i = 0; i < message->count; i++) {
        const struct kafka_field *f = &message->fields[i];
        set += f->tag && is_carried(f, version) && is_tag_set(f, in + f->at);
    }
    kafka_write_uvarint(writer->out, set);
    for (uint32_t tag = 0; set > 0 && tag < INT8_MAX; tag++) { /* in ascending order, as KIP-482 asks */
        const struct kafka_field *f = find_tag(message, version, tag);
        if (!f || !is_tag_set(f, in + f->at))
            continue;
        CLEANUP(buf_free) struct buf value = { 0 };
        struct kafka_writer inner = { .out = &value };
        write_field(&inner, f, version, true, in + f->at);
        kafka_write_uvarint(writer->out, tag);
        kafka_write_uvarint(writer->out, (uint32_t)value.len);
        buf_put_str(writer->out, buf_str(&value));
        set--;
    }
}

void kafka_write(struct kafka_writer *writer, const struct kafka_message *message, int version, bool flexible,
                 const void *in)
{
    for (size_t i = 0; i < message->count; i++) {
        const struct kafka_field *f = &message->fields[i];
        if (is_carried(f, version) && !(f->tag && flexible))
            write_field(writer, f, version, flexible, (const char *)in + f->at);
    }
    if (flexible)
        write_tags(writer, message, version, in);
}

void kafka_encode(struct buf *out, const struct kafka_message *message, int version, bool flexible, const void *in)
{
    struct kafka_writer writer = { .out = out };

    kafka_write(&writer, message, version, flexible, in);
}
