/* aws-chunked as a push parser; see chunked.h. */
#include "lake/store/chunked.h"

#include <stdio.h>
#include <string.h>

void chunked_begin(struct chunked *chunked, const struct chunked_events *events)
{
    chunked->events = *events;
    chunked->state = CHUNKED_SIZE;
    chunked->left = 0;
    chunked->last_size = CHUNK_SIZE_MIN;
    chunked->trailers = chunked->line_len = 0;
    chunked->signature[0] = '\0';
}

static bool parse_size(struct str text, uint64_t *out)
{
    *out = 0;
    if (!text.len || text.len > 15)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.p[i];
        int digit = c >= '0' && c <= '9'   ? c - '0'
                    : c >= 'a' && c <= 'f' ? c - 'a' + 10
                    : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                           : -1;
        if (digit < 0)
            return false;
        *out = *out << 4 | (uint64_t)digit;
    }
    return true;
}

static struct str signature_of(const struct chunked *chunked)
{
    return chunked->signature[0] ? str_of(chunked->signature) : (struct str){ 0 };
}

static enum s3_error on_size_line(struct chunked *chunked, struct str line)
{
    struct str size = { 0 }, name = { 0 };
    uint64_t n = 0;

    str_cut(&line, ';', &size);
    if (!parse_size(str_trim(size), &n))
        return S3_INVALID_REQUEST;
    if (n && chunked->last_size < CHUNK_SIZE_MIN)
        return S3_INVALID_CHUNK_SIZE; /* the one before was not the last */
    chunked->left = n;
    chunked->signature[0] = '\0';
    struct str extension = line;
    if (extension.p && str_cut(&extension, '=', &name) && str_is(str_trim(name), "chunk-signature"))
        snprintf(chunked->signature, sizeof chunked->signature, "%.*s", STR_ARG(str_trim(extension)));
    chunked->last_size = chunked->signature[0] ? n : CHUNK_SIZE_MIN;
    if (n) {
        chunked->state = CHUNKED_DATA;
        return S3_NONE;
    }
    chunked->state = CHUNKED_TRAILER;
    return chunked->events.chunk_end(chunked->events.user, signature_of(chunked));
}

static enum s3_error on_trailer_line(struct chunked *chunked, struct str line)
{
    struct str name = { 0 };

    if (!line.len) {
        chunked->state = CHUNKED_DONE;
        return S3_NONE;
    }
    if (!memchr(line.p, ':', line.len) || ++chunked->trailers > CHUNK_TRAILERS_MAX)
        return S3_MALFORMED_TRAILER;
    str_cut(&line, ':', &name);
    return chunked->events.trailer(chunked->events.user, str_trim(name), str_trim(line));
}

static enum s3_error on_line(struct chunked *chunked)
{
    struct str line = str_trim(str_n(chunked->line, chunked->line_len));

    chunked->line_len = 0;
    if (chunked->state == CHUNKED_SIZE)
        return on_size_line(chunked, line);
    if (chunked->state == CHUNKED_TRAILER)
        return on_trailer_line(chunked, line);
    chunked->state = CHUNKED_SIZE; /* the line end after the data */
    return line.len ? S3_INVALID_REQUEST : S3_NONE;
}

/* Takes what belongs to the current line; bytes used. */
static size_t take_line(struct chunked *chunked, const char *p, size_t n, bool *whole)
{
    const char *end = memchr(p, '\n', n);
    size_t used = end ? (size_t)(end - p) + 1 : n;

    *whole = end != NULL;
    size_t room = sizeof chunked->line - chunked->line_len;
    memcpy(chunked->line + chunked->line_len, p, MIN(used, room));
    chunked->line_len += MIN(used, room);
    return used;
}

static enum s3_error take_data(struct chunked *chunked, const char *p, size_t n)
{
    enum s3_error failed = chunked->events.data(chunked->events.user, p, n);

    chunked->left -= n;
    if (failed || chunked->left)
        return failed;
    chunked->state = CHUNKED_DATA_END;
    return chunked->events.chunk_end(chunked->events.user, signature_of(chunked));
}

enum s3_error chunked_push(struct chunked *chunked, const void *p, size_t n)
{
    const char *at = p;
    enum s3_error failed = S3_NONE;

    while (n && !failed) {
        size_t used = n;
        bool whole = false;
        if (chunked->state == CHUNKED_DONE)
            return S3_NONE; /* what comes after the end is nobody's */
        if (chunked->state == CHUNKED_DATA) {
            used = (size_t)MIN((uint64_t)n, chunked->left);
            failed = take_data(chunked, at, used);
        } else {
            used = take_line(chunked, at, n, &whole);
            if (chunked->line_len == sizeof chunked->line)
                return chunked->state == CHUNKED_TRAILER ? S3_MALFORMED_TRAILER : S3_INVALID_REQUEST;
            if (whole)
                failed = on_line(chunked);
        }
        at += used;
        n -= used;
    }
    return failed;
}

enum s3_error chunked_end(struct chunked *chunked)
{
    enum s3_error failed = S3_NONE;

    if (chunked->state == CHUNKED_TRAILER && chunked->line_len)
        failed = on_line(chunked); /* the last trailer without its line end */
    if (failed)
        return failed;
    return chunked->state == CHUNKED_TRAILER || chunked->state == CHUNKED_DONE ? S3_NONE : S3_INCOMPLETE_BODY;
}
