/*
 * Avro object container files.
 *
 *     file    "Obj" 01, metadata, sync[16], blocks to the end of the file
 *     metadata   an Avro map of bytes: avro.schema (JSON), avro.codec ("null" if absent), others
 *     block   long objects, long size, `size` bytes (objects, compressed as one), sync[16]
 *
 * Codecs: null; deflate (raw RFC 1951, no zlib header); snappy (its raw form, then CRC-32 of the
 * uncompressed bytes, big-endian); zstandard.
 *
 * Writing is deterministic: the caller gives the sync marker.
 */
#ifndef WIRE_AVRO_CONTAINER_H
#define WIRE_AVRO_CONTAINER_H

#include "base/base.h"
#include "wire/avro/schema.h"

enum {
    AVRO_SYNC_LEN = 16,
    AVRO_BLOCK_BYTES = 16000,           /* Java's writer closes a block when it holds that many */
    AVRO_BLOCK_BYTES_MAX = 256 << 20,   /* of one block, packed or not, that a reader accepts */
    AVRO_METADATA_BYTES_MAX = 16 << 20, /* all of the metadata that a reader accepts */
    AVRO_METADATA_MAX = 1024,           /* entries */
};

enum avro_file_codec { AVRO_CODEC_NULL, AVRO_CODEC_DEFLATE, AVRO_CODEC_SNAPPY, AVRO_CODEC_ZSTANDARD };
bool avro_file_codec_of(struct str name, enum avro_file_codec *out); /* "zstandard", "deflate", ... */
const char *avro_file_codec_name(enum avro_file_codec codec);

struct avro_metadata {
    struct str name, value;
};

/* ---------------------------------------------------------------- writing */

struct avro_file_options {
    struct str schema; /* JSON text, written as it is */
    enum avro_file_codec codec;
    int level;                            /* deflate 1..9, zstandard 1..22; 0: the library's default */
    const struct avro_metadata *metadata; /* after avro.schema and avro.codec; may be NULL */
    size_t metadata_count;
    uint8_t sync[AVRO_SYNC_LEN];
};

/* { 0 }, then avro_file_begin; one thread.  Output is appended to `out`, which the owner may drain between calls. */
struct avro_file_writer {
    struct buf *out;
    uint64_t objects; /* in blocks already appended to out */
    /* private */
    enum avro_file_codec codec;
    int level;
    uint8_t sync[AVRO_SYNC_LEN];
    struct buf pending, packed;
    uint64_t pending_objects;
};
/* Appends the header. */
MUST_CHECK enum rc avro_file_begin(struct avro_file_writer *writer, const struct avro_file_options *options,
                                   struct buf *out, struct err *err);
/* Adds one encoded object to the open block, which is closed when it holds AVRO_BLOCK_BYTES. */
MUST_CHECK enum rc avro_file_add(struct avro_file_writer *writer, struct str object, struct err *err);
/* Closes the open block, if it has objects.  Call it at the end. */
MUST_CHECK enum rc avro_file_flush(struct avro_file_writer *writer, struct err *err);
/* Appends one whole block (after the open one, if any). */
MUST_CHECK enum rc avro_file_add_block(struct avro_file_writer *writer, uint64_t objects, struct str bytes,
                                       struct err *err);
uint64_t avro_file_pending_bytes(const struct avro_file_writer *writer); /* of the open block, unpacked */
void avro_file_writer_free(struct avro_file_writer *writer);

/* ---------------------------------------------------------------- reading */

struct avro_block {
    uint64_t objects;
    struct str bytes; /* unpacked; valid until the next call on this reader */
    uint64_t offset;  /* of the block in the file, for messages */
};

struct avro_file_reader;
/* Reads header and schema.  `name` is for messages: "'kafka/x.avro' is broken: truncated header at byte 12".
 * The bytes, or the descriptor (read front to back, a pipe is fine), stay the caller's and must outlive it.
 * RC_BAD_INPUT: not an Avro file, broken or truncated; RC_FULL: beyond a limit above; RC_RETRY, RC_FATAL: read failed.
 */
MUST_CHECK enum rc avro_file_open(struct str bytes, const char *name, struct avro_file_reader **out, struct err *err);
MUST_CHECK enum rc avro_file_open_fd(int fd, const char *name, struct avro_file_reader **out, struct err *err);
/* RC_OK: a block (never of 0 objects).  RC_AGAIN: the file ended where a file may end; err is untouched.
 * A file cut inside a block, a wrong sync marker, bytes that do not unpack: RC_BAD_INPUT with the offset. */
MUST_CHECK enum rc avro_file_next(struct avro_file_reader *reader, struct avro_block *block, struct err *err);
const struct avro_document *avro_file_schema(const struct avro_file_reader *reader);
enum avro_file_codec avro_file_codec(const struct avro_file_reader *reader);
const uint8_t *avro_file_sync(const struct avro_file_reader *reader);                   /* AVRO_SYNC_LEN bytes */
struct str avro_file_metadata(const struct avro_file_reader *reader, const char *name); /* absent view: none */
size_t avro_file_metadata_list(const struct avro_file_reader *reader, const struct avro_metadata **out);
void avro_file_reader_free(struct avro_file_reader *reader); /* NULL is fine */

#endif
