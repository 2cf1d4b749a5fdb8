/*
 * Builds lake tables: raw Avro files of change events -> Iceberg stage tables, as
 * models/stage/stage_tables.yaml says, on an embedded DuckDB.  Also the SQL prompt over these tables and the
 * figures that `haus verify` compares.
 *
 * Every call opens what it needs and closes it again; none keeps a process running.  They read
 * MINIO_ROOT_USER and MINIO_ROOT_PASSWORD from the station's settings, the store's address from its
 * endpoints, and use $HAUS_HOME/cache for scratch files.
 */
#ifndef LAKE_BUILD_BUILD_H
#define LAKE_BUILD_BUILD_H

#include "base/base.h"
#include "lake/iceberg/iceberg.h"
#include "net/net.h"

struct build_progress {
    const char *table;
    const char *step;    /* "list", "read", "write", "upload", "commit", "done" */
    int64_t done, total; /* files or rows of the step; total 0: unknown */
};

struct build_options {
    const char *config; /* stage_tables.yaml; NULL: <playground>/models/stage/stage_tables.yaml */
    const char *table;  /* only this one ("orders"); NULL: all */
    void (*progress)(void *user, const struct build_progress *progress); /* may be NULL */
    void *user;
};

struct build_table_report {
    char *name;                   /* "orders" */
    char *location;               /* "s3a://lakehouse/stage/storefront/orders" */
    int64_t raw_files, new_files; /* there are, and with something new in them */
    int64_t events;               /* new events read, before filter_op */
    int64_t rows;                 /* rows added */
    int64_t rows_total;           /* in the table after it, deletes by other engines not applied */
    int64_t data_files;           /* written */
    uint64_t bytes;               /* of them */
    int64_t snapshot_id;          /* committed; 0: nothing was new */
    double seconds;
};
struct build_report {
    struct build_table_report *tables;
    size_t count;
    double seconds;
};

/*
 * Builds all stage tables, one after the other; stops at the first that fails (those before it stay committed,
 * and *out tells of them).  A second run with nothing new commits nothing.  RC_EXISTS when another build runs
 * on this home.
 */
MUST_CHECK enum rc build_stage(const struct station *station, const struct build_options *options,
                               struct build_report *out, struct err *err);
void build_report_free(struct build_report *report);

/* ------------------------------------------------------------- looking at tables */

struct build_table_row {
    char *name; /* "stage.storefront.orders" */
    char *location;
    int64_t rows, data_files, snapshots, version;
    uint64_t bytes;
    int64_t updated_ms;
    char *problem; /* why it cannot be read; NULL: it can */
};
/* Every table below the warehouse; one that cannot be read is a row with its problem.  Free the rows. */
MUST_CHECK enum rc build_list_tables(const struct station *station, struct build_table_row **rows, size_t *count,
                                     struct err *err);
void build_table_rows_free(struct build_table_row *rows, size_t count);
/* "stage.storefront.orders", "orders" or a location.  *files may be NULL when not wanted. */
MUST_CHECK enum rc build_open_table(const struct station *station, const char *name, struct iceberg_table **table,
                                    struct iceberg_files *files, struct err *err);

/* ------------------------------------------------------------- SQL */

/* Values arrive as text, NULL for null; valid during the call.  An error from a callback ends the query with it. */
struct build_sql_sink {
    void *user;
    enum rc (*columns)(void *user, const char *const *names, const char *const *types, size_t count);
    enum rc (*row)(void *user, const char *const *values, size_t count);
};
/* DuckDB with a view for each lake table the text may mean: stage.storefront.orders under that name, and as
 * "orders" where no two tables share it. */
MUST_CHECK enum rc build_sql(const struct station *station, const char *text, const struct build_sql_sink *sink,
                             struct err *err);

/* ------------------------------------------------------------- figures for verify */

struct build_check {
    char *table;
    bool exists; /* the stage table is there */
    int64_t raw_files, raw_events;
    int64_t raw_distinct; /* by (topic, partition, offset) */
    int64_t raw_rows;     /* the fold over the distinct raw events: latest of each key, deletes applied */
    int64_t raw_filtered; /* of the distinct ones: left out by filter_op */
    int64_t stage_rows;
    int64_t stage_distinct; /* by (topic, partition, offset); rows of other engines have none and count by themselves */
    int64_t stage_foreign;  /* rows without source offsets: appended by other engines */
    int64_t stage_doubled;  /* rows that tell an event which another row tells too */
    int64_t stage_waiting;  /* events of raw files that no build has taken yet */
    int64_t current_rows;   /* the fold: latest event of each key, deletes applied */
    int64_t repeated;       /* events of one key with the same (lsn, op) as another: a snapshot that began anew */
    bool deletes_kept;      /* false: filter_op drops d, so current_rows holds deleted rows too */
    char *foreign_change;   /* "snapshot 7 of engine spark (delete)": the newest that took or rewrote rows; NULL: none
                               known */
    char *foreign_append;   /* as above: the newest that added rows */
    char *checksum;         /* of the fold's contents, order independent; hex; see doc/lake.md */
};
/* A check for each table of the stage file (NULL: as in build_options), from the raw files and the table itself; reads
 * all of both.  Free the checks; after an error there are none. */
MUST_CHECK enum rc build_verify(const struct station *station, const char *config, struct build_check **checks,
                                size_t *count, struct err *err);
void build_checks_free(struct build_check *checks, size_t count);

#endif
