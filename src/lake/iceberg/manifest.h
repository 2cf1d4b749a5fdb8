/* Manifest lists and manifests, both ways.  Private to lake/iceberg. */
#ifndef LAKE_ICEBERG_MANIFEST_H
#define LAKE_ICEBERG_MANIFEST_H

#include "lake/iceberg/iceberg.h"

enum { MANIFESTS_MAX = 100000, MANIFEST_ENTRIES_MAX = 10000000 };

struct manifest_range { /* of one partition field, over the files of a manifest */
    bool contains_null;
    int contains_nan;        /* -1: not told */
    struct str lower, upper; /* absent view: not told; owned by the list's arena */
};

struct manifest {     /* a row of a manifest list */
    const char *path; /* in the list's arena, as all that follows */
    int64_t length;
    int spec_id, content; /* content 1: deletes */
    int64_t sequence_number, min_sequence_number, added_snapshot_id;
    int64_t files[3], rows[3]; /* added, existing, deleted; -1: not told */
    struct manifest_range *ranges;
    size_t range_count;
    bool has_ranges;
    struct str key_metadata; /* absent view: none */
};

struct manifest_list {
    struct arena arena;
    struct manifest *rows;
    size_t count;
};
MUST_CHECK enum rc manifest_list_read(struct str bytes, const char *name, struct manifest_list *out, struct err *err);
void manifest_list_free(struct manifest_list *list);

struct manifest_list_head {
    int64_t snapshot_id, parent_id /* -1: none */, sequence_number;
};
MUST_CHECK enum rc manifest_list_write(const struct manifest_list_head *head, const struct manifest *rows, size_t count,
                                       struct buf *out, struct err *err);

/* One live file of a manifest; texts valid during the call. */
typedef enum rc manifest_entry_fn(void *user, const struct iceberg_file *file, struct err *err);
/* Calls `each` for every entry that is not DELETED.  `row` tells what entries inherit. */
MUST_CHECK enum rc manifest_read(struct str bytes, const struct manifest *row, manifest_entry_fn *each, void *user,
                                 struct err *err);

/* A manifest of added data files of the table's default spec; fills row but for path and sequence numbers. */
MUST_CHECK enum rc manifest_write(const struct iceberg_table *table, const struct iceberg_append *append,
                                  struct buf *out, struct manifest *row, struct arena *arena, struct err *err);

#endif
