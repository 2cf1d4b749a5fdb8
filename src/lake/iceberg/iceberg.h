/*
 * Apache Iceberg tables, format version 2, in the Hadoop layout on an object store:
 *
 *     <location>/metadata/v<N>.metadata.json        one file a version, the newest is the table
 *     <location>/metadata/version-hint.text         N as decimal text, written after the file it names
 *     <location>/metadata/snap-<id>-1-<uuid>.avro   manifest list of a snapshot
 *     <location>/metadata/<uuid>-m<n>.avro          manifest: which data files, with partition and bounds
 *     <location>/data/...                           data files
 *
 * Reads what Spark, PyIceberg and others commit; appends snapshots of its own.  A version is taken by
 * writing v<N>.metadata.json with If-None-Match, so of two writers one wins and the other starts
 * again from the new base.  Fields of foreign metadata that this code does not know are kept as they are.
 *
 * The subtle thing: the hint may be stale (Java deletes and rewrites it).  The true version is found by
 * probing upwards from it.
 */
#ifndef LAKE_ICEBERG_ICEBERG_H
#define LAKE_ICEBERG_ICEBERG_H

#include <jansson.h>

#include "base/base.h"
#include "net/net.h"

enum {
    ICEBERG_METADATA_MAX = 256 << 20, /* one metadata file, manifest list or manifest, bytes */
    ICEBERG_COLUMNS_MAX = 4000,
    ICEBERG_PARTITION_FIELDS_MAX = 32,
    ICEBERG_COMMIT_TRIES = 20,
};

/*
 * Where objects lie, as function pointers: the S3 client in the house, a map in unit tests.
 * Return codes as in net/s3.h: RC_NOT_FOUND, RC_EXISTS for a put with if_absent on an existing key.
 */
struct iceberg_io {
    void *user;
    enum rc (*get)(void *user, const char *bucket, const char *key, struct buf *out, struct err *err);
    enum rc (*put)(void *user, const char *bucket, const char *key, struct str body, bool if_absent, struct err *err);
    enum rc (*put_file)(void *user, const char *bucket, const char *key, int fd, uint64_t size, struct err *err);
    enum rc (*get_file)(void *user, const char *bucket, const char *key, int fd, struct err *err);
    enum rc (*remove)(void *user, const char *bucket, const char *key, struct err *err); /* absent is fine */
    enum rc (*list)(void *user, const char *bucket, const char *prefix, const char *delimiter, struct s3_listing *out,
                    struct err *err);
};
void iceberg_io_s3(struct iceberg_io *io, struct s3_client *client); /* client is borrowed */

/* "s3a://lakehouse/stage/x/" -> bucket and key without slashes at its ends; s3, s3a, s3n.  Owned by the caller. */
MUST_CHECK enum rc iceberg_split_location(const char *location, char **bucket, char **key, struct err *err);

struct iceberg_column {
    int id;
    char *name;
    char *type; /* "long", "decimal(10,2)"; a nested type as its JSON text */
    bool required;
    char *doc; /* NULL if none */
};

struct iceberg_partition_field {
    int id;
    int source_id;
    char *name;
    char *transform;   /* "identity", "day", "bucket[16]" */
    char *result_type; /* type of the partition value: "date", "int" */
};

struct iceberg_snapshot {
    int64_t id, parent_id; /* parent_id -1: none */
    int64_t sequence_number, timestamp_ms;
    const char *operation;     /* "append"; "" if foreign metadata has none */
    const char *manifest_list; /* URI */
    const json_t *summary;     /* object of texts, borrowed from metadata; may be NULL */
};

struct iceberg_table {
    char *location;     /* as in the metadata, no slash at the end */
    char *bucket, *key; /* of the location that was opened */
    int64_t version;    /* N of v<N>.metadata.json; 0: not yet there */
    int64_t hint;       /* what version-hint.text said; 0: nothing usable */
    json_t *metadata;   /* the whole file: the truth */
    /* read off metadata: */
    char *uuid;
    int format_version;
    int schema_id, spec_id;
    int64_t last_sequence_number;
    struct iceberg_column *columns; /* of the current schema, top level */
    size_t column_count;
    struct iceberg_partition_field *partition; /* of the default spec */
    size_t partition_count;
    struct iceberg_snapshot *snapshots; /* as in the file: oldest first */
    size_t snapshot_count;
    const struct iceberg_snapshot *current; /* NULL: none */
};

/* RC_NOT_FOUND when there is no table.  A hint that names no file, or none at all, is no error. */
MUST_CHECK enum rc iceberg_open(const struct iceberg_io *io, const char *location, struct iceberg_table **out,
                                struct err *err);
/* From metadata text alone; location may be NULL (then the metadata's own). */
MUST_CHECK enum rc iceberg_parse(struct str json, const char *location, struct iceberg_table **out, struct err *err);
void iceberg_close(struct iceberg_table *table);                                   /* NULL is fine */
const char *iceberg_property(const struct iceberg_table *table, const char *name); /* NULL if none */
const struct iceberg_snapshot *iceberg_snapshot_by_id(const struct iceberg_table *table, int64_t id);
const struct iceberg_column *iceberg_column_by_id(const struct iceberg_table *table, int id);
const struct iceberg_column *iceberg_column_by_name(const struct iceberg_table *table, const char *name);
/* Value of a key in the summary of `from` or its nearest ancestor that has it; NULL: none.  *broken is
 * set when an ancestor is named that no longer exists (expired). */
const char *iceberg_summary_walk(const struct iceberg_table *table, const struct iceberg_snapshot *from,
                                 const char *name, bool *broken);
/* The same of the current snapshot, followed through earlier metadata files where ancestors have expired or the table
 * was replaced.  *value is owned by the caller, NULL: none ever had it.  RC_NOT_FOUND: the files that would know are
 * gone. */
MUST_CHECK enum rc iceberg_summary_find(const struct iceberg_io *io, const struct iceberg_table *table,
                                        const char *name, char **value, struct err *err);
/* The newest earlier metadata that has a snapshot; RC_NOT_FOUND: none that is still there. */
MUST_CHECK enum rc iceberg_open_earlier(const struct iceberg_io *io, const struct iceberg_table *table,
                                        int64_t snapshot_id, struct iceberg_table **out, struct err *err);

enum iceberg_content { ICEBERG_DATA, ICEBERG_POSITION_DELETES, ICEBERG_EQUALITY_DELETES };

struct iceberg_file {
    enum iceberg_content content;
    char *path;      /* URI as in the manifest */
    char *format;    /* "PARQUET", upper case */
    char *partition; /* "event_date=2025-01-31/..." for people; "" when unpartitioned */
    int64_t records;
    uint64_t size;
    int spec_id;
    int64_t sequence_number; /* data sequence number, inherited ones resolved */
    int64_t snapshot_id;     /* that added it */
};

struct iceberg_files {
    struct iceberg_file *files;
    size_t count;
    size_t delete_files; /* how many of them hold deletes */
    int64_t records;     /* of the data files, deletes not applied */
    uint64_t bytes;
};
/* Live files of a snapshot; no snapshot (NULL): none. */
MUST_CHECK enum rc iceberg_list_files(const struct iceberg_io *io, const struct iceberg_table *table,
                                      const struct iceberg_snapshot *snapshot, struct iceberg_files *out,
                                      struct err *err);
void iceberg_files_free(struct iceberg_files *files);

/* Every table below a folder: "stage/storefront/orders", ... relative to the folder, sorted.
 * A folder is a table when its metadata/ holds a *.metadata.json. */
MUST_CHECK enum rc iceberg_list_tables(const struct iceberg_io *io, const char *warehouse, char ***names, size_t *count,
                                       struct err *err);
void iceberg_names_free(char **names, size_t count);

/* ------------------------------------------------------------- writing */

/* A column or partition field of a table about to be created; ids are given by the order from 1 and 1000. */
struct iceberg_new_column {
    const char *name, *type;
    bool required;
};
struct iceberg_new_field {
    const char *column, *transform;
};
struct iceberg_property_row {
    const char *name, *value;
};
struct iceberg_new_table {
    const char *location;
    const struct iceberg_new_column *columns;
    size_t column_count;
    const struct iceberg_new_field *partition;
    size_t partition_count;
    const struct iceberg_property_row *properties;
    size_t property_count;
};
/* In memory only, version 0: the first commit writes v1. */
MUST_CHECK enum rc iceberg_new(const struct iceberg_new_table *want, struct iceberg_table **out, struct err *err);
/* Adds optional columns to the current schema (a new schema id); in memory until the next commit. */
MUST_CHECK enum rc iceberg_add_columns(struct iceberg_table *table, const struct iceberg_new_column *columns,
                                       size_t count, struct err *err);

/* Single-value serialization (Iceberg spec, appendix D): lower and upper are raw bytes, absent view: unknown. */
struct iceberg_metric {
    int column_id;
    int64_t size, values, nulls; /* -1: unknown */
    struct str lower, upper;
};
struct iceberg_new_file {
    const char *path; /* URI */
    int64_t records;
    uint64_t size;
    const struct str *partition; /* one a field of the spec: serialized value, absent view: null */
    const struct iceberg_metric *metrics;
    size_t metric_count;
};
struct iceberg_append {
    const struct iceberg_new_file *files;
    size_t file_count;
    const struct iceberg_property_row *summary; /* further rows of the snapshot's summary */
    size_t summary_count;
    const struct iceberg_property_row *properties; /* set in the same metadata file */
    size_t property_count;
    int64_t snapshot_id; /* from iceberg_random_id() */
    /* Called before each try with the table as it is now; an error ends the commit with that error. */
    enum rc (*check)(void *user, const struct iceberg_table *base, struct err *err);
    /* Called right before v<version>.metadata.json is put: from then on the commit may have happened. */
    enum rc (*publishing)(void *user, int64_t version, struct err *err);
    void *user;
};
int64_t iceberg_random_id(void); /* of a snapshot: random, positive */
/*
 * Commits one append snapshot on top of `table`, or of what others committed since (then *table is
 * replaced by the newer one).  RC_EXISTS: still lost after ICEBERG_COMMIT_TRIES.  RC_AGAIN: the outcome
 * is unknown (the store did not answer): no file may be deleted.  Data files must be uploaded before.
 */
MUST_CHECK enum rc iceberg_commit_append(const struct iceberg_io *io, struct iceberg_table **table,
                                         const struct iceberg_append *append, struct err *err);

/* Takes the next version without changing anything: whoever was about to take it loses.  RC_EXISTS: lost oneself. */
MUST_CHECK enum rc iceberg_commit_nothing(const struct iceberg_io *io, struct iceberg_table **table, struct err *err);
/* Writes version-hint.text for a table as opened, where it may have been left behind. */
MUST_CHECK enum rc iceberg_put_hint(const struct iceberg_io *io, const struct iceberg_table *table, struct err *err);
/* Removes manifest and manifest list of an attempt that did not become the table; best effort. */
void iceberg_attempt_remove(const struct iceberg_io *io, const char *bucket, const char *table_key, int64_t snapshot_id,
                            int attempt);

/* Value of an Iceberg type as text ("2025-01-31", "12.50", "abc") -> its bytes.  false: does not fit. */
bool iceberg_value_bytes(const char *type, struct str text, struct buf *out);
/* And back, for people; false: unknown type or wrong length. */
bool iceberg_value_text(const char *type, struct str bytes, struct buf *out);
/* Cuts text or binary bounds to 16 code points (bytes); an upper bound is rounded up; false: no such bound. */
bool iceberg_bound_cut(const char *type, bool upper, struct str bytes, struct buf *out);

#endif
