/*
 * The state of one topic-partition: which file is open, when it is closed, what it is called.
 *
 *     <topics.dir>/<topic>/partition=<n>/<topic>+<n>+<offset of its first record, 10 digits>.avro
 *
 * Order of tests for a record, as in Confluent's TopicPartitionWriter: the time since the file's first
 * record, then the schema; either closes the file before the record is written; then it is
 * written; then the count closes the file with it.
 *
 * Closing is: the object is complete, then the group's offset is committed.  A file's bytes follow
 * from its records alone (the sync marker from its name), so writing it again overwrites it with itself
 * or, after a kill in between, with more or less of the same; the target sees to it that what a dead task
 * had on its way does not come after that.
 *
 * Knows neither clock nor network: both are given.
 */
#ifndef STREAM_CONNECT_S3_WRITER_H
#define STREAM_CONNECT_S3_WRITER_H

#include "net/net.h"
#include "stream/connect/s3/options.h"
#include "wire/avro/avro.h"

enum {
    PART_BYTES = 5 << 20, /* S3's smallest part; a file beyond it is uploaded in parts as it grows */
    PARTS_MAX = 10000,    /* S3's limit; the file is closed before */
    KEY_BYTES_MAX = 1024, /* S3's limit */
};

/* Where files go and what makes them count. */
struct s3_target {
    enum rc (*put)(void *user, const char *key, struct str body, struct err *err);
    enum rc (*begin)(void *user, const char *key, char **upload_id, struct err *err);
    enum rc (*part)(void *user, const char *key, const char *upload_id, int number, struct str body,
                    char etag[static S3_ETAG_MAX], struct err *err);
    enum rc (*complete)(void *user, const char *key, const char *upload_id, const char (*etags)[S3_ETAG_MAX], int parts,
                        struct err *err);
    void (*abort)(void *user, const char *key, const char *upload_id);
    enum rc (*commit)(void *user, const char *topic, int32_t partition, int64_t next_offset, struct err *err);
    void *user;
};

struct s3_file {
    char *key;       /* NULL: no file is open */
    char *schema;    /* its text, for comparison */
    struct buf body; /* what is not uploaded yet */
    struct avro_file_writer avro;
    int64_t records;
    int64_t first_time_ms; /* of the first record, by the rotation's clock */
    int64_t close_at_ms;   /* wall clock; INT64_MAX: not by time */
    char *upload_id;
    char (*etags)[S3_ETAG_MAX];
    int parts;
};

struct s3_writer {
    char *topic;
    int32_t partition;
    const struct s3_sink_options *options;
    const struct s3_target *target;
    int64_t next_offset; /* after the last record handled; -1: none yet */
    struct s3_file file;
};

struct s3_record {
    int64_t offset;
    int64_t time_ms;   /* record time; -1: none */
    struct str schema; /* the file schema's text */
    struct str object; /* Avro binary */
};

struct s3_writer *s3_writer_new(const char *topic, int32_t partition, const struct s3_sink_options *options,
                                const struct s3_target *target);
void s3_writer_free(struct s3_writer *writer); /* an open file is thrown away */
/* An error leaves the writer as it is after s3_writer_rewind. */
MUST_CHECK enum rc s3_writer_put(struct s3_writer *writer, const struct s3_record *record, int64_t now_ms,
                                 struct err *err);
/* A record that leaves nothing behind: counted as handled, committed with the file around it. */
void s3_writer_skip(struct s3_writer *writer, int64_t offset);
/* Closes what is due.  *next_ms is lowered to when this writer is due. */
MUST_CHECK enum rc s3_writer_tick(struct s3_writer *writer, int64_t now_ms, int64_t *next_ms, struct err *err);
/* Throws the open file away; the records come again from the committed offset. */
void s3_writer_rewind(struct s3_writer *writer);
/* RC_BAD_INPUT when it would be longer than S3 allows. */
MUST_CHECK enum rc s3_file_key(const struct s3_writer *writer, int64_t offset, struct buf *out, struct err *err);

#endif
