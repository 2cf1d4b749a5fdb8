/*
 * Raw files: container files of change events, as the S3 sink leaves them.
 *
 *     <folder>/partition=<n>/<topic>+<n>+<first offset>.avro
 *
 * The offset of an event is that of the file's name plus the event's number in the file.  Below another folder
 * than partition=<n> (a field or time partitioner) offsets inside a file have gaps; there the folder becomes
 * part of the name under which offsets are counted ("f1=v1/orders"), which keeps events apart all the same.
 *
 * Private to lake/build.
 */
#ifndef LAKE_BUILD_RAW_H
#define LAKE_BUILD_RAW_H

#include <stdatomic.h>

#include "lake/build/duck.h"
#include "lake/build/lake.h"
#include "lake/build/offsets.h"
#include "lake/build/stage_yaml.h"
#include "wire/avro/avro.h"

enum {
    RAW_FILES_MAX = 1000000, /* in one folder */
    RAW_SCHEMAS_MAX = 256,   /* different ones in one build of one table */
    RAW_FILE_BYTES_MAX = 1 << 30,
};

struct raw_file {
    char *key;   /* in the bucket */
    char *space; /* name under which its offsets are counted */
    char *topic;
    int partition;
    int64_t first;
    int64_t count; /* events in it; -1: not known yet */
    uint64_t size;
    char etag[S3_ETAG_MAX];
    char *path;                /* local copy; NULL: none */
    char *schema;              /* avro.schema of a local copy */
    struct offset_ranges keep; /* offsets that are new; empty: nothing */
    int group;
};

struct raw_files {
    char *bucket;
    struct raw_file *files; /* by space, partition, first offset */
    size_t count;
};
/* All raw files below source_path ("s3a://raw/kafka/topic/").  Keys and headers files are left out; a name
 * that tells no offsets is RC_BAD_INPUT. */
MUST_CHECK enum rc raw_list(const struct iceberg_io *io, const char *source_path, struct raw_files *out,
                            struct err *err);
void raw_files_free(struct raw_files *files);
/* Parses a key below `folder`; false: not a raw file's name. */
bool raw_name_parse(const char *folder, const char *key, struct raw_file *out);

/* Copies the files for which want[i] is set to lake->scratch, counts their events, notes their schemas; several
 * at a time.  A truncated or broken one: RC_BAD_INPUT naming it.  done: called after each, from one thread at
 * a time. */
MUST_CHECK enum rc raw_fetch(struct lake *lake, struct raw_files *files, const bool *want,
                             void (*done)(void *user, size_t so_far), void *user, struct err *err);

/* ------------------------------------------------------------- reading */

/* What an Avro value means beyond its type: Debezium's and Connect's names, Avro's logical types. */
enum raw_meaning {
    RAW_PLAIN,
    RAW_DATE,        /* int: days */
    RAW_TIME_MILLIS, /* int */
    RAW_TIME_MICROS, /* long */
    RAW_TIME_NANOS,  /* long */
    RAW_MILLIS,      /* long since 1970 */
    RAW_MICROS,
    RAW_NANOS,
    RAW_ZONED,      /* text: 2025-01-31T12:00:00.5Z */
    RAW_ZONED_TIME, /* text: 12:00:00.5Z */
};
struct raw_column { /* as the table function gives it */
    duckdb_type type;
    int precision, scale; /* DECIMAL */
    enum raw_meaning meaning;
    bool found; /* false: this schema has no such field: always null */
};

/* Columns after the declared ones. */
enum {
    RAW_EXTRA_OP,
    RAW_EXTRA_TS_MS,
    RAW_EXTRA_LSN,
    RAW_EXTRA_TOPIC,
    RAW_EXTRA_PARTITION,
    RAW_EXTRA_OFFSET,
    RAW_EXTRA_FILE,
    RAW_EXTRA_COUNT
};

struct raw_plan;
/* All files of one schema, and the program that decodes them. */
struct raw_group {
    const struct stage_table *table;
    struct raw_files *files;
    size_t *members; /* indexes of files */
    size_t member_count;
    struct avro_document *schema;
    struct raw_plan *plan;
    struct raw_column *columns;        /* table->column_count + RAW_EXTRA_COUNT */
    atomic_size_t next;                /* member to be read next */
    atomic_int_least64_t events, rows; /* read so far: all; given */
    bool diagnose;                     /* reading again to find a bad value: counts stay */
    pthread_mutex_t lock;
    struct err failure; /* the first, in more words than DuckDB passes on */
};
/* Groups files that have something to keep; RC_BAD_INPUT when a declared source is nowhere in a schema. */
MUST_CHECK enum rc raw_group_files(const struct stage_table *table, struct raw_files *files, struct raw_group **groups,
                                   size_t *count, struct err *err);
void raw_groups_free(struct raw_group *groups, size_t count);
/* Makes the table function `name` () in a session; columns c0, c1, ..., then x0, ... */
MUST_CHECK enum rc raw_register(struct duck_session *session, const char *name, struct raw_group *group,
                                struct err *err);

#endif
