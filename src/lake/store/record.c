/* Records to bytes and back; see record.h. */
#include "lake/store/record.h"

#include <string.h>

#include "lake/store/index.h"

enum { FORMAT = 1, HEAD = 20, FLAG_WHOLE = 1, FLAG_UPLOAD = 2 };

void record_encode(const struct record *record, struct buf *out)
{
    buf_putc(out, FORMAT);
    buf_putc(out, (char)((record->checksum_is_whole ? FLAG_WHOLE : 0) | (record->has_upload ? FLAG_UPLOAD : 0)));
    buf_putc(out, (char)record->checksum);
    buf_putc(out, (char)strlen(record->etag));
    buf_put_be64(out, (uint64_t)record->modified_ms);
    buf_put_be64(out, record->size);
    buf_puts(out, record->etag);
    if (record->has_upload)
        buf_append(out, record->upload_id, UPLOAD_ID_LEN);
    buf_putc(out, (char)strlen(record->checksum_text));
    buf_puts(out, record->checksum_text);
    buf_put_be32(out, (uint32_t)record->part_count);
    for (size_t i = 0; i < record->part_count; i++) {
        buf_put_be64(out, record->parts[i].blob);
        buf_put_be64(out, record->parts[i].size);
    }
    buf_put_be16(out, (uint16_t)record->header_count);
    for (size_t i = 0; i < record->header_count; i++) {
        buf_put_be16(out, (uint16_t)record->headers[i].name.len);
        buf_put_be16(out, (uint16_t)record->headers[i].value.len);
        buf_put_str(out, record->headers[i].name);
        buf_put_str(out, record->headers[i].value);
    }
    buf_put_be16(out, (uint16_t)record->tags.len);
    buf_put_str(out, record->tags);
}

/* Takes n bytes off; false at the end. */
static bool take(struct str *left, size_t n, struct str *out)
{
    if (left->len < n)
        return false;
    *out = str_n(left->p, n);
    *left = str_skip(*left, n);
    return true;
}

static bool take_number(struct str *left, size_t width, uint64_t *out)
{
    struct str bytes = { 0 };

    if (!take(left, width, &bytes))
        return false;
    *out = 0;
    for (size_t i = 0; i < width; i++)
        *out = *out << 8 | (uint8_t)bytes.p[i];
    return true;
}

static bool take_text(struct str *left, size_t width, struct arena *arena, struct str *out)
{
    struct str view = { 0 };
    uint64_t n = 0;

    if (!take_number(left, width, &n) || !take(left, (size_t)n, &view))
        return false;
    char *copy = arena_strdup(arena, view);
    *out = copy ? str_n(copy, view.len) : (struct str){ 0 };
    return copy != NULL;
}

static bool decode_head(struct str *left, struct record *out, uint8_t *flags)
{
    struct str text = { 0 };
    uint64_t modified = 0;

    if (left->len < HEAD || left->p[0] != FORMAT)
        return false;
    *flags = (uint8_t)left->p[1];
    out->checksum = (uint8_t)left->p[2];
    size_t etag_len = (uint8_t)left->p[3];
    *left = str_skip(*left, 4);
    if (!take_number(left, 8, &modified) || !take_number(left, 8, &out->size) || !take(left, etag_len, &text) ||
        etag_len >= ETAG_MAX || out->checksum >= CHECKSUM_KINDS)
        return false;
    out->modified_ms = (int64_t)modified;
    out->checksum_is_whole = *flags & FLAG_WHOLE;
    out->has_upload = *flags & FLAG_UPLOAD;
    memcpy(out->etag, text.p, text.len);
    out->etag[text.len] = '\0';
    return true;
}

bool record_decode_head(struct str bytes, struct record *out)
{
    uint8_t flags = 0;

    *out = (struct record){ 0 };
    return decode_head(&bytes, out, &flags);
}

static bool decode_parts(struct str *left, struct arena *arena, struct record *out)
{
    uint64_t count = 0;

    if (!take_number(left, 4, &count) || count * 16 > left->len)
        return false;
    out->parts = arena_array(arena, count + 1, sizeof *out->parts);
    out->part_count = (size_t)count;
    for (size_t i = 0; out->parts && i < count; i++)
        if (!take_number(left, 8, &out->parts[i].blob) || !take_number(left, 8, &out->parts[i].size))
            return false;
    return out->parts != NULL;
}

static bool decode_headers(struct str *left, struct arena *arena, struct record *out)
{
    uint64_t count = 0;

    if (!take_number(left, 2, &count) || count * 4 > left->len)
        return false;
    out->headers = arena_array(arena, count + 1, sizeof *out->headers);
    out->header_count = (size_t)count;
    for (size_t i = 0; out->headers && i < count; i++) {
        struct str name = { 0 }, value = { 0 };
        uint64_t name_len = 0, value_len = 0;
        if (!take_number(left, 2, &name_len) || !take_number(left, 2, &value_len) ||
            !take(left, (size_t)name_len, &name) || !take(left, (size_t)value_len, &value))
            return false;
        char *name_copy = arena_strdup(arena, name), *value_copy = arena_strdup(arena, value);
        if (!name_copy || !value_copy)
            return false;
        out->headers[i] = (struct record_header){ str_n(name_copy, name.len), str_n(value_copy, value.len) };
    }
    return out->headers != NULL;
}

bool record_decode(struct str bytes, struct arena *arena, struct record *out)
{
    struct str text = { 0 };
    uint64_t n = 0;
    uint8_t flags = 0;

    *out = (struct record){ 0 };
    if (!decode_head(&bytes, out, &flags))
        return false;
    if (out->has_upload) {
        if (!take(&bytes, UPLOAD_ID_LEN, &text))
            return false;
        memcpy(out->upload_id, text.p, UPLOAD_ID_LEN);
    }
    if (!take_number(&bytes, 1, &n) || n >= CHECKSUM_TEXT_MAX || !take(&bytes, (size_t)n, &text))
        return false;
    memcpy(out->checksum_text, text.p, text.len);
    return decode_parts(&bytes, arena, out) && decode_headers(&bytes, arena, out) &&
           take_text(&bytes, 2, arena, &out->tags) && bytes.len == 0;
}

struct str record_header(const struct record *record, const char *name)
{
    for (size_t i = 0; i < record->header_count; i++)
        if (str_is_nocase(record->headers[i].name, name))
            return record->headers[i].value;
    return (struct str){ 0 };
}
