/*
 * Container files; container.h has the format.  Reading keeps one packed and one unpacked block.
 *
 * The subtle thing is where a file may end: after a sync marker and nowhere else, so a file cut
 * anywhere else is told from a whole one.
 */
#include "wire/avro/container.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "wire/avro/avro.h"
#include "wire/avro/block.h"

enum { READ_CHUNK = 256 << 10 };

static const char magic[4] = { 'O', 'b', 'j', 1 };

static const char *const codec_names[] = {
    [AVRO_CODEC_NULL] = "null",
    [AVRO_CODEC_DEFLATE] = "deflate",
    [AVRO_CODEC_SNAPPY] = "snappy",
    [AVRO_CODEC_ZSTANDARD] = "zstandard",
};

bool avro_file_codec_of(struct str name, enum avro_file_codec *out)
{
    for (size_t i = 0; i < ARRAY_LEN(codec_names); i++) {
        if (str_is(name, codec_names[i])) {
            *out = (enum avro_file_codec)i;
            return true;
        }
    }
    return false;
}

const char *avro_file_codec_name(enum avro_file_codec codec)
{
    return codec_names[codec];
}

/* ---------------------------------------------------------------- writing */

static enum rc check_room(const struct avro_file_writer *writer, struct err *err)
{
    if (buf_failed(writer->out) || buf_failed(&writer->pending))
        return err_set(err, RC_FULL, "cannot write an avro file: its buffer is full");
    return RC_OK;
}

enum rc avro_file_begin(struct avro_file_writer *writer, const struct avro_file_options *options, struct buf *out,
                        struct err *err)
{
    *writer = (struct avro_file_writer){ .out = out, .codec = options->codec, .level = options->level };
    writer->pending.max = writer->packed.max = AVRO_BLOCK_BYTES_MAX + (AVRO_BLOCK_BYTES_MAX >> 4);
    memcpy(writer->sync, options->sync, AVRO_SYNC_LEN);
    buf_append(out, magic, sizeof magic);
    avro_write_long(out, (int64_t)options->metadata_count + 2);
    avro_write_bytes(out, STR("avro.schema"));
    avro_write_bytes(out, options->schema);
    avro_write_bytes(out, STR("avro.codec"));
    avro_write_bytes(out, str_of(codec_names[options->codec]));
    for (size_t i = 0; i < options->metadata_count; i++) {
        avro_write_bytes(out, options->metadata[i].name);
        avro_write_bytes(out, options->metadata[i].value);
    }
    avro_write_long(out, 0);
    buf_append(out, writer->sync, AVRO_SYNC_LEN);
    return check_room(writer, err);
}

static enum rc write_block(struct avro_file_writer *writer, uint64_t objects, struct str bytes, struct err *err)
{
    struct str packed = bytes;
    enum rc rc;

    if (!objects)
        return RC_OK;
    if (bytes.len > AVRO_BLOCK_BYTES_MAX)
        return err_set(err, RC_FULL, "cannot write an avro block of %zu bytes: the limit is %d", bytes.len,
                       AVRO_BLOCK_BYTES_MAX);
    if (writer->codec != AVRO_CODEC_NULL) {
        buf_clear(&writer->packed);
        if ((rc = avro_block_pack(writer->codec, writer->level, bytes, &writer->packed, err)))
            return rc;
        packed = buf_str(&writer->packed);
    }
    avro_write_long(writer->out, (int64_t)objects);
    avro_write_bytes(writer->out, packed);
    buf_append(writer->out, writer->sync, AVRO_SYNC_LEN);
    writer->objects += objects;
    return check_room(writer, err);
}

enum rc avro_file_flush(struct avro_file_writer *writer, struct err *err)
{
    enum rc rc = check_room(writer, err);

    if (!rc)
        rc = write_block(writer, writer->pending_objects, buf_str(&writer->pending), err);
    if (rc)
        return rc;
    buf_clear(&writer->pending);
    writer->pending_objects = 0;
    return RC_OK;
}

enum rc avro_file_add(struct avro_file_writer *writer, struct str object, struct err *err)
{
    if (object.len)
        buf_append(&writer->pending, object.p, object.len);
    writer->pending_objects++;
    if (writer->pending.len >= AVRO_BLOCK_BYTES)
        return avro_file_flush(writer, err);
    return check_room(writer, err);
}

enum rc avro_file_add_block(struct avro_file_writer *writer, uint64_t objects, struct str bytes, struct err *err)
{
    enum rc rc = avro_file_flush(writer, err);
    return rc ? rc : write_block(writer, objects, bytes, err);
}

uint64_t avro_file_pending_bytes(const struct avro_file_writer *writer)
{
    return writer->pending.len;
}

void avro_file_writer_free(struct avro_file_writer *writer)
{
    buf_free(&writer->pending);
    buf_free(&writer->packed);
    *writer = (struct avro_file_writer){ 0 };
}

/* ---------------------------------------------------------------- reading */

struct avro_file_reader {
    char *name;
    struct str memory; /* whole file, or with a descriptor what `window` holds */
    bool has_fd;
    int fd;
    struct buf window;
    uint64_t window_at; /* offset of the window's first byte in the file */
    size_t at;          /* next byte within memory */
    bool ended;
    enum avro_file_codec codec;
    struct avro_metadata *metadata;
    size_t metadata_count;
    struct buf header; /* holds names and values of the metadata */
    struct buf unpacked;
    struct avro_document *schema;
    uint8_t sync[AVRO_SYNC_LEN];
};

static uint64_t offset_of(const struct avro_file_reader *reader)
{
    return reader->window_at + reader->at;
}

static enum rc broken(const struct avro_file_reader *reader, uint64_t offset, struct err *err, const char *words)
{
    return err_set(err, RC_BAD_INPUT, "'%s' is broken: %s at byte %llu", reader->name, words,
                   (unsigned long long)offset);
}

/* Reads more behind the window; what lies before `at` is dropped. */
static enum rc read_more(struct avro_file_reader *reader, size_t n, struct err *err)
{
    buf_drop_front(&reader->window, reader->at);
    reader->window_at += reader->at;
    reader->at = 0;
    while (reader->window.len < n && !reader->ended) {
        char *room = buf_reserve(&reader->window, READ_CHUNK);
        ssize_t got;
        if (!room)
            return err_set(err, RC_FULL, "'%s' is broken: a block of more than %d bytes", reader->name,
                           AVRO_BLOCK_BYTES_MAX);
        do
            got = read(reader->fd, room, READ_CHUNK);
        while (got < 0 && errno == EINTR);
        if (got < 0)
            return err_set_errno(err, errno, "cannot read '%s'", reader->name);
        buf_commit(&reader->window, (size_t)got);
        reader->ended = got == 0;
    }
    reader->memory = buf_str(&reader->window);
    return RC_OK;
}

/* Makes n bytes from `at` on available; *have is less only at the end of the file. */
static enum rc want(struct avro_file_reader *reader, size_t n, size_t *have, struct err *err)
{
    enum rc rc = RC_OK;

    if (reader->has_fd && reader->memory.len - reader->at < n)
        rc = read_more(reader, n, err);
    *have = MIN(n, reader->memory.len - reader->at);
    return rc;
}

static enum rc take(struct avro_file_reader *reader, size_t n, const char *words, struct str *out, struct err *err)
{
    size_t have;
    enum rc rc = want(reader, n, &have, err);

    if (rc)
        return rc;
    if (have < n)
        return broken(reader, offset_of(reader) + have, err, words);
    *out = str_n(reader->memory.p + reader->at, n);
    reader->at += n;
    return RC_OK;
}

static enum rc take_long(struct avro_file_reader *reader, const char *words, int64_t *out, struct err *err)
{
    struct avro_reader bytes;
    size_t have;
    enum rc rc = want(reader, 10, &have, err);

    if (rc)
        return rc;
    bytes = avro_reader_of(str_n(reader->memory.p + reader->at, have));
    *out = avro_read_long(&bytes);
    if (avro_reader_failed(&bytes))
        return broken(reader, offset_of(reader), err, words);
    reader->at += avro_reader_at(&bytes);
    return RC_OK;
}

/* Appends a length-prefixed value to the header's bytes; they are turned into views when all are there. */
static enum rc take_header_value(struct avro_file_reader *reader, struct err *err)
{
    int64_t n;
    struct str bytes;
    enum rc rc = take_long(reader, "the header is cut", &n, err);

    if (rc)
        return rc;
    if (n < 0)
        return broken(reader, offset_of(reader), err, "a negative length in the header");
    if (n > AVRO_METADATA_BYTES_MAX || (size_t)n + reader->header.len > AVRO_METADATA_BYTES_MAX)
        return err_set(err, RC_FULL, "'%s' has a header of more than %d bytes", reader->name, AVRO_METADATA_BYTES_MAX);
    if ((rc = take(reader, (size_t)n, "the header is cut", &bytes, err)))
        return rc;
    avro_write_bytes(&reader->header, bytes);
    return RC_OK;
}

static enum rc read_metadata(struct avro_file_reader *reader, struct err *err)
{
    for (;;) {
        int64_t n, size;
        enum rc rc = take_long(reader, "the header is cut", &n, err);
        if (rc || n == 0)
            return rc;
        if (n < 0 && (rc = take_long(reader, "the header is cut", &size, err)))
            return rc;
        if (n < -AVRO_METADATA_MAX || n > AVRO_METADATA_MAX ||
            reader->metadata_count + (size_t)llabs(n) > AVRO_METADATA_MAX)
            return err_set(err, RC_FULL, "'%s' has more than %d entries in its header", reader->name,
                           AVRO_METADATA_MAX);
        for (int64_t i = llabs(n); i > 0; i--, reader->metadata_count++)
            if ((rc = take_header_value(reader, err)) || (rc = take_header_value(reader, err)))
                return rc;
    }
}

static void view_metadata(struct avro_file_reader *reader)
{
    struct avro_reader bytes = avro_reader_of(buf_str(&reader->header));

    reader->metadata = mem_grow_zeroed(reader->metadata_count, sizeof *reader->metadata);
    for (size_t i = 0; i < reader->metadata_count; i++) {
        reader->metadata[i].name = avro_read_bytes(&bytes);
        reader->metadata[i].value = avro_read_bytes(&bytes);
    }
}

struct str avro_file_metadata(const struct avro_file_reader *reader, const char *name)
{
    for (size_t i = 0; i < reader->metadata_count; i++)
        if (str_is(reader->metadata[i].name, name))
            return reader->metadata[i].value;
    return (struct str){ 0 };
}

static enum rc read_header(struct avro_file_reader *reader, struct err *err)
{
    struct str bytes, codec;
    size_t have;
    enum rc rc;

    if ((rc = want(reader, sizeof magic, &have, err)))
        return rc;
    if (have < sizeof magic || memcmp(reader->memory.p + reader->at, magic, sizeof magic) != 0)
        return err_set(err, RC_BAD_INPUT, "'%s' is not an avro container file: it does not begin with 'Obj' 1",
                       reader->name);
    reader->at += sizeof magic;
    if ((rc = read_metadata(reader, err)))
        return rc;
    view_metadata(reader);
    if ((rc = take(reader, AVRO_SYNC_LEN, "the header is cut", &bytes, err)))
        return rc;
    memcpy(reader->sync, bytes.p, AVRO_SYNC_LEN);
    codec = avro_file_metadata(reader, "avro.codec");
    if (codec.len && !avro_file_codec_of(codec, &reader->codec))
        return err_set(err, RC_BAD_INPUT,
                       "cannot read '%s': its codec '%.*s' is not one of null, deflate, snappy, zstandard",
                       reader->name, STR_ARG(codec));
    if (!avro_file_metadata(reader, "avro.schema").p)
        return err_set(err, RC_BAD_INPUT, "'%s' is broken: its header has no avro.schema", reader->name);
    rc = avro_schema_parse(avro_file_metadata(reader, "avro.schema"), &reader->schema, err);
    return rc ? err_wrap(err, "'%s' is broken", reader->name) : RC_OK;
}

static enum rc open_reader(struct avro_file_reader *reader, const char *name, struct avro_file_reader **out,
                           struct err *err)
{
    enum rc rc;

    reader->name = mem_strdup(name);
    reader->window.max = AVRO_BLOCK_BYTES_MAX + 2 * (size_t)READ_CHUNK;
    reader->unpacked.max = AVRO_BLOCK_BYTES_MAX;
    rc = read_header(reader, err);
    *out = rc ? NULL : reader;
    if (rc)
        avro_file_reader_free(reader);
    return rc;
}

enum rc avro_file_open(struct str bytes, const char *name, struct avro_file_reader **out, struct err *err)
{
    struct avro_file_reader *reader = NEW(struct avro_file_reader);

    reader->memory = bytes;
    return open_reader(reader, name, out, err);
}

enum rc avro_file_open_fd(int fd, const char *name, struct avro_file_reader **out, struct err *err)
{
    struct avro_file_reader *reader = NEW(struct avro_file_reader);

    reader->fd = fd;
    reader->has_fd = true;
    return open_reader(reader, name, out, err);
}

/* Count and size of the next block; RC_AGAIN at the end of the file. */
static enum rc read_block_header(struct avro_file_reader *reader, int64_t *objects, int64_t *size, struct err *err)
{
    size_t have;
    enum rc rc = want(reader, 1, &have, err);

    if (rc || !have)
        return rc ? rc : RC_AGAIN;
    if ((rc = take_long(reader, "a block's header is cut or broken", objects, err)) ||
        (rc = take_long(reader, "a block's header is cut or broken", size, err)))
        return rc;
    if (*objects < 0 || *size < 0)
        return broken(reader, offset_of(reader), err, "a block with a negative count or size ends");
    if (*size > AVRO_BLOCK_BYTES_MAX)
        return err_set(err, RC_FULL, "cannot read '%s': a block of %lld bytes at byte %llu, the limit is %d",
                       reader->name, (long long)*size, (unsigned long long)offset_of(reader), AVRO_BLOCK_BYTES_MAX);
    return RC_OK;
}

static enum rc read_one_block(struct avro_file_reader *reader, struct avro_block *block, struct err *err)
{
    int64_t objects = 0, size = 0;
    struct str bytes;
    enum rc rc;

    block->offset = offset_of(reader);
    if ((rc = read_block_header(reader, &objects, &size, err)))
        return rc;
    if ((rc = take(reader, (size_t)size + AVRO_SYNC_LEN, "the file is cut: a block ends", &bytes, err)))
        return rc;
    if (memcmp(bytes.p + size, reader->sync, AVRO_SYNC_LEN) != 0)
        return broken(reader, offset_of(reader) - AVRO_SYNC_LEN, err, "a wrong sync marker");
    block->objects = (uint64_t)objects;
    block->bytes = str_n(bytes.p, (size_t)size);
    if (reader->codec == AVRO_CODEC_NULL)
        return RC_OK;
    buf_clear(&reader->unpacked);
    if ((rc = avro_block_unpack(reader->codec, block->bytes, &reader->unpacked, err)))
        return err_wrap(err, "'%s' is broken: block at byte %llu", reader->name, (unsigned long long)block->offset);
    block->bytes = buf_str(&reader->unpacked);
    return RC_OK;
}

enum rc avro_file_next(struct avro_file_reader *reader, struct avro_block *block, struct err *err)
{
    enum rc rc;

    do
        rc = read_one_block(reader, block, err);
    while (!rc && !block->objects);
    return rc;
}

const struct avro_document *avro_file_schema(const struct avro_file_reader *reader)
{
    return reader->schema;
}

enum avro_file_codec avro_file_codec(const struct avro_file_reader *reader)
{
    return reader->codec;
}

const uint8_t *avro_file_sync(const struct avro_file_reader *reader)
{
    return reader->sync;
}

size_t avro_file_metadata_list(const struct avro_file_reader *reader, const struct avro_metadata **out)
{
    *out = reader->metadata;
    return reader->metadata_count;
}

void avro_file_reader_free(struct avro_file_reader *reader)
{
    if (!reader)
        return;
    buf_free(&reader->window);
    buf_free(&reader->header);
    buf_free(&reader->unpacked);
    avro_document_free(reader->schema);
    free(reader->metadata);
    free(reader->name);
    free(reader);
}
