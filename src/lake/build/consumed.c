/*
 * Which offsets are in a table, read off the table alone.
 *
 * Of the line of snapshots that ends in the current one the nearest that a build made tells, so a rollback takes
 * offsets back together with the rows, and what other engines did on top changes nothing.  Where that snapshot has
 * expired, or the table was replaced, earlier metadata files tell; where these are gone too, the table's property,
 * which knows of no rollback.
 *
 * The subtle thing: a snapshot that was cherry-picked brings the rows of the one it was picked from, but not its
 * summary.
 */
#include "lake/build/stage.h"

/* What a build's snapshot brought, beyond what its parent had.  RC_NOT_FOUND: its ancestors have expired. */
static enum rc add_own(const struct iceberg_table *table, const struct iceberg_snapshot *snapshot, struct offsets *out,
                       struct err *err)
{
    const struct iceberg_snapshot *parent = iceberg_snapshot_by_id(table, snapshot->parent_id);
    CLEANUP(offsets_free) struct offsets had = { 0 };
    CLEANUP(offsets_free) struct offsets has = { 0 };
    bool broken = snapshot->parent_id != -1 && !parent;
    const char *before = parent ? iceberg_summary_walk(table, parent, STAGE_OFFSETS_KEY, &broken) : NULL;

    if (!before && broken)
        return err_set(err, RC_NOT_FOUND, "the ancestors of snapshot %lld have expired", (long long)snapshot->id);
    enum rc rc = offsets_parse(before, &had, err);
    if (!rc)
        rc = offsets_parse(json_string_value(json_object_get(snapshot->summary, STAGE_OFFSETS_KEY)), &has, err);
    if (!rc)
        offsets_add_missing(out, &has, &had);
    return rc;
}

static enum rc add_picked(const struct iceberg_io *io, const struct iceberg_table *table,
                          const struct iceberg_snapshot *picked, struct offsets *out, struct err *err)
{
    const char *text = json_string_value(json_object_get(picked->summary, "source-snapshot-id"));
    struct iceberg_table *earlier = NULL;
    struct err why = { 0 };
    enum rc rc = RC_OK;
    int64_t id = 0;

    if (!text || !str_to_i64(str_of(text), 1, INT64_MAX, &id))
        return RC_OK;
    if (!iceberg_snapshot_by_id(table, id))
        rc = iceberg_open_earlier(io, table, id, &earlier, &why);
    if (!rc)
        rc = add_own(earlier ? earlier : table, iceberg_snapshot_by_id(earlier ? earlier : table, id), out, &why);
    iceberg_close(earlier);
    if (rc && rc != RC_NOT_FOUND) {
        *err = why;
        return rc;
    }
    if (rc) /* a build's or another engine's: nobody knows any more, and verify counts */
        log_warn("cannot tell whether a cherry-picked snapshot holds events; they may come twice",
                 "table=%s snapshot=%lld picked_from=%lld error=%s", table->location, (long long)picked->id,
                 (long long)id, why.text);
    return RC_OK;
}

static enum rc consumed_by_line(const struct iceberg_io *io, const struct iceberg_table *table, struct offsets *out,
                                struct err *err)
{
    const char *property = iceberg_property(table, STAGE_OFFSETS_KEY);
    bool broken = false;
    const char *text = iceberg_summary_walk(table, table->current, STAGE_OFFSETS_KEY, &broken);
    CLEANUP_FREE char *found = NULL;
    enum rc rc = RC_OK;

    if (!text && property) { /* without the property no build has ever committed here */
        rc = iceberg_summary_find(io, table, STAGE_OFFSETS_KEY, &found, err);
        text = rc == RC_NOT_FOUND ? property : found;
    }
    return rc && rc != RC_NOT_FOUND ? rc : offsets_parse(text, out, err);
}

enum rc stage_consumed(const struct iceberg_io *io, const struct iceberg_table *table, struct offsets *out,
                       struct err *err)
{
    enum rc rc = consumed_by_line(io, table, out, err);
    const struct iceberg_snapshot *s = table->current;

    for (size_t steps = 0; !rc && s && steps <= table->snapshot_count; steps++) {
        if (json_object_get(s->summary, STAGE_OFFSETS_KEY))
            break;
        rc = add_picked(io, table, s, out, err);
        s = iceberg_snapshot_by_id(table, s->parent_id);
    }
    return rc ? err_wrap(err, "table '%s'", table->location) : RC_OK;
}
