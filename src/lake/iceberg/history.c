/*
 * What snapshots knew that are in the table's metadata no more.
 *
 * The line of a table's snapshots may end before the one that is asked for: its ancestors have expired, or it begins
 * with a snapshot that replaced the table.  Iceberg keeps the metadata files of earlier versions (metadata-log), and
 * each holds the snapshots of its time; so the line is followed back through them.
 *
 * The subtle thing: a line that begins with a snapshot without parent was begun on what the version before it held, or,
 * when there was nothing before, on nothing at all.  A rollback to such a snapshot is thereby told from a replacement
 * by one.
 */
#include <stdlib.h>
#include <string.h>

#include "lake/iceberg/table.h"

static enum rc open_logged(const struct iceberg_io *io, const json_t *log, size_t i, struct iceberg_table **out,
                           struct err *err)
{
    return table_open_file(io, json_string_value(json_object_get(json_array_get(log, i), "metadata-file")), out, err);
}

struct line {
    const char *name;
    char *value;       /* found; owned */
    int64_t lost_id;   /* a snapshot named as parent that is not in the metadata seen so far; -1: none */
    int64_t oldest_id; /* where the line ends without a parent; -1: nowhere, there was no snapshot */
};

static void follow(struct line *line, const struct iceberg_table *table, const struct iceberg_snapshot *from)
{
    line->lost_id = line->oldest_id = -1;
    for (size_t steps = 0; from && steps <= table->snapshot_count; steps++) {
        const char *value = json_string_value(json_object_get(from->summary, line->name));
        line->value = mem_strdup(value);
        if (value)
            return;
        line->oldest_id = from->id;
        line->lost_id = from->parent_id;
        from = iceberg_snapshot_by_id(table, from->parent_id);
    }
}

static void follow_earlier(struct line *line, const struct iceberg_table *earlier)
{
    const struct iceberg_snapshot *lost = iceberg_snapshot_by_id(earlier, line->lost_id);

    if (lost)
        follow(line, earlier, lost);
    else if (line->lost_id == -1 && !iceberg_snapshot_by_id(earlier, line->oldest_id))
        follow(line, earlier, earlier->current);
}

enum rc iceberg_summary_find(const struct iceberg_io *io, const struct iceberg_table *table, const char *name,
                             char **value, struct err *err)
{
    const json_t *log = json_object_get(table->metadata, "metadata-log");
    struct line line = { .name = name };
    bool first = json_array_size(log) == 0; /* is the version at hand the table's first? */

    follow(&line, table, table->current);
    for (size_t i = json_array_size(log); i-- > 0 && !line.value;) {
        struct iceberg_table *earlier = NULL;
        enum rc rc = open_logged(io, log, i, &earlier, err);
        if (rc)
            return rc;
        follow_earlier(&line, earlier);
        first = json_array_size(json_object_get(earlier->metadata, "metadata-log")) == 0;
        iceberg_close(earlier);
    }
    *value = line.value;
    if (!line.value && (line.lost_id != -1 || !first))
        return err_set(err, RC_NOT_FOUND, "the metadata files of '%s' that knew '%s' are gone", table->location, name);
    return RC_OK;
}

enum rc iceberg_open_earlier(const struct iceberg_io *io, const struct iceberg_table *table, int64_t snapshot_id,
                             struct iceberg_table **out, struct err *err)
{
    const json_t *log = json_object_get(table->metadata, "metadata-log");

    for (size_t i = json_array_size(log); i-- > 0;) {
        struct iceberg_table *earlier = NULL;
        enum rc rc = open_logged(io, log, i, &earlier, err);
        if (rc)
            return rc;
        if (iceberg_snapshot_by_id(earlier, snapshot_id)) {
            *out = earlier;
            return RC_OK;
        }
        iceberg_close(earlier);
    }
    return err_set(err, RC_NOT_FOUND, "no earlier metadata of '%s' has snapshot %lld", table->location,
                   (long long)snapshot_id);
}
