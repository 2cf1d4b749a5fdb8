/*
 * Commits.  Order of writes, each of which may be the last before a kill:
 *
 *     manifest, manifest list, v<N+1>.metadata.json with If-None-Match (this is the commit), version-hint.text
 *
 * A put with a condition may be answered "exists" for our own file, when an earlier try got through and its
 * answer was lost; so the file that exists is read before anything is concluded.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lake/iceberg/manifest.h"
#include "lake/iceberg/table.h"

enum { PREVIOUS_VERSIONS_DEFAULT = 100, PAUSE_MS = 20, HINT_TRIES = 5 };

int64_t iceberg_random_id(void)
{
    int64_t id = (int64_t)(random_u64() & INT64_MAX);

    return id ? id : 1;
}

/* ------------------------------------------------------------- summary */

static int64_t parent_total(const struct iceberg_snapshot *parent, const char *name, bool *known)
{
    const char *text = parent ? json_string_value(json_object_get(parent->summary, name)) : "0";
    int64_t v = 0;

    *known = text && str_to_i64(str_of(text), 0, INT64_MAX, &v);
    return v;
}

static void set_number(json_t *summary, const char *name, int64_t v)
{
    char text[32];

    snprintf(text, sizeof text, "%lld", (long long)v);
    json_object_set_new(summary, name, json_string(text));
}

/* A total that the parent does not tell is left out rather than guessed. */
static void set_total(json_t *summary, const struct iceberg_snapshot *parent, const char *name, int64_t added)
{
    bool known = false;
    int64_t v = parent_total(parent, name, &known);

    if (known)
        set_number(summary, name, v + added);
}

static int64_t changed_partitions(const struct iceberg_table *table, const struct iceberg_append *append)
{
    struct map seen = { 0 };
    CLEANUP(buf_free) struct buf key = { 0 };

    for (size_t i = 0; i < append->file_count; i++) {
        buf_clear(&key);
        for (size_t k = 0; k < table->partition_count; k++) {
            buf_put_be64(&key, append->files[i].partition[k].p ? append->files[i].partition[k].len : UINT64_MAX);
            buf_put_str(&key, append->files[i].partition[k]);
        }
        buf_putc(&key, '.');
        map_put(&seen, buf_str(&key), (void *)append);
    }
    int64_t n = (int64_t)seen.count;
    map_free(&seen, NULL);
    return n;
}

static json_t *summary_json(const struct iceberg_table *table, const struct iceberg_append *append)
{
    json_t *summary = json_object();
    int64_t records = 0, bytes = 0, files = (int64_t)append->file_count;

    for (size_t i = 0; i < append->file_count; i++) {
        records += append->files[i].records;
        bytes += (int64_t)append->files[i].size;
    }
    json_object_set_new(summary, "operation", json_string("append"));
    json_object_set_new(summary, "engine-name", json_string("haus"));
    json_object_set_new(summary, "engine-version", json_string(HAUS_VERSION));
    if (files) {
        set_number(summary, "added-data-files", files);
        set_number(summary, "added-records", records);
        set_number(summary, "added-files-size", bytes);
    }
    set_number(summary, "changed-partition-count", changed_partitions(table, append));
    set_total(summary, table->current, "total-records", records);
    set_total(summary, table->current, "total-files-size", bytes);
    set_total(summary, table->current, "total-data-files", files);
    set_total(summary, table->current, "total-delete-files", 0);
    set_total(summary, table->current, "total-position-deletes", 0);
    set_total(summary, table->current, "total-equality-deletes", 0);
    for (size_t i = 0; i < append->summary_count; i++)
        json_object_set_new(summary, append->summary[i].name, json_string(append->summary[i].value));
    return summary;
}

/* ------------------------------------------------------------- metadata of the next version */

static void log_previous(json_t *m, const struct iceberg_table *base)
{
    json_t *log = json_object_get(m, "metadata-log");
    const char *text = iceberg_property(base, "write.metadata.previous-versions-max");
    int64_t keep = PREVIOUS_VERSIONS_DEFAULT;

    if (text && !str_to_i64(str_of(text), 1, 1000000, &keep))
        keep = PREVIOUS_VERSIONS_DEFAULT;
    if (!json_is_array(log)) {
        log = json_array();
        json_object_set_new(m, "metadata-log", log);
    }
    if (!base->version)
        return;
    CLEANUP_FREE char *file = mem_printf("%s/metadata/v%lld.metadata.json", base->location, (long long)base->version);
    json_array_append_new(log, json_pack("{s:I, s:s}", "timestamp-ms",
                                         json_integer_value(json_object_get(base->metadata, "last-updated-ms")),
                                         "metadata-file", file));
    while (json_array_size(log) > (size_t)keep)
        json_array_remove(log, 0);
}

/* Java refuses logs that go back in time; a clock that was set back must not break a table. */
static int64_t next_time(const struct iceberg_table *base)
{
    int64_t last = json_integer_value(json_object_get(base->metadata, "last-updated-ms"));

    return MAX(clock_wall_ms(), base->version ? last + 1 : last);
}

static json_t *list_of(json_t *m, const char *name)
{
    json_t *list = json_object_get(m, name);

    if (!json_is_array(list)) {
        list = json_array();
        json_object_set_new(m, name, list);
    }
    return list;
}

static json_t *next_metadata(const struct iceberg_table *base, const struct iceberg_append *append,
                             const char *manifest_list, int64_t sequence)
{
    json_t *m = json_deep_copy(base->metadata), *properties = json_object_get(m, "properties"), *refs;
    int64_t now = next_time(base);

    log_previous(m, base);
    json_object_set_new(m, "last-updated-ms", json_integer(now));
    if (!json_is_object(properties)) {
        properties = json_object();
        json_object_set_new(m, "properties", properties);
    }
    for (size_t i = 0; i < append->property_count; i++)
        json_object_set_new(properties, append->properties[i].name, json_string(append->properties[i].value));
    if (!manifest_list)
        return m;
    json_object_set_new(m, "last-sequence-number", json_integer(sequence));
    json_object_set_new(m, "current-snapshot-id", json_integer(append->snapshot_id));
    json_t *snapshot = json_pack("{s:I, s:I}", "sequence-number", (json_int_t)sequence, "snapshot-id",
                                 (json_int_t)append->snapshot_id);
    if (base->current)
        json_object_set_new(snapshot, "parent-snapshot-id", json_integer(base->current->id));
    json_object_set_new(snapshot, "timestamp-ms", json_integer(now));
    json_object_set_new(snapshot, "summary", summary_json(base, append));
    json_object_set_new(snapshot, "manifest-list", json_string(manifest_list));
    json_object_set_new(snapshot, "schema-id", json_integer(base->schema_id));
    json_array_append_new(list_of(m, "snapshots"), snapshot);
    refs = json_object_get(m, "refs");
    if (!json_is_object(refs)) {
        refs = json_object();
        json_object_set_new(m, "refs", refs);
    }
    json_t *main_ref = json_object_get(refs, "main");
    if (json_is_object(main_ref)) /* keeps its retention settings */
        json_object_set_new(main_ref, "snapshot-id", json_integer(append->snapshot_id));
    else
        json_object_set_new(refs, "main",
                            json_pack("{s:I, s:s}", "snapshot-id", (json_int_t)append->snapshot_id, "type", "branch"));
    json_array_append_new(list_of(m, "snapshot-log"), json_pack("{s:I, s:I}", "timestamp-ms", (json_int_t)now,
                                                                "snapshot-id", (json_int_t)append->snapshot_id));
    return m;
}

/* ------------------------------------------------------------- publishing */

static enum rc write_hint(const struct iceberg_io *io, const struct iceberg_table *table, int64_t version,
                          struct err *err)
{
    CLEANUP_FREE char *key = mem_printf("%s/metadata/version-hint.text", table->key);
    enum rc rc = RC_RETRY;
    char text[32];

    snprintf(text, sizeof text, "%lld", (long long)version);
    for (int i = 0; i < HINT_TRIES && rc == RC_RETRY; i++)
        rc = FAULT_POINT("lake.hint") ? err_set(err, RC_RETRY, "fault before the hint")
                                      : io->put(io->user, table->bucket, key, str_of(text), false, err);
    return rc;
}

static enum rc put_hint(const struct iceberg_io *io, const struct iceberg_table *table, int64_t version,
                        struct err *err)
{
    enum rc rc = RC_OK;

    /* another writer may have gone on meanwhile: its hint must not be set back by ours */
    for (int i = 0; i < HINT_TRIES && !rc; i++, version++) {
        struct err absent = { 0 };
        CLEANUP(buf_free) struct buf next = { .max = ICEBERG_METADATA_MAX };
        CLEANUP_FREE char *after = mem_printf("%s/metadata/v%lld.metadata.json", table->key, (long long)version + 1);
        rc = write_hint(io, table, version, err);
        if (rc || io->get(io->user, table->bucket, after, &next, &absent))
            return rc;
    }
    return rc;
}

/* Did v<version> become ours?  RC_OK yes, RC_EXISTS no, RC_AGAIN cannot tell. */
static enum rc whose_version(const struct iceberg_io *io, const struct iceberg_table *base, int64_t version,
                             const char *text, struct err *err)
{
    CLEANUP(buf_free) struct buf there = { .max = ICEBERG_METADATA_MAX };
    CLEANUP_FREE char *key = mem_printf("%s/metadata/v%lld.metadata.json", base->key, (long long)version);
    struct err why = { 0 };
    enum rc rc = io->get(io->user, base->bucket, key, &there, &why);

    if (!rc)
        return str_is(buf_str(&there), text) ? RC_OK : RC_EXISTS;
    return err_set(err, RC_AGAIN, "cannot tell whether version %lld of '%s' was committed: %s", (long long)version,
                   base->location, why.text);
}

static enum rc publish(const struct iceberg_io *io, const struct iceberg_table *base,
                       const struct iceberg_append *append, const json_t *metadata, struct err *err)
{
    int64_t version = base->version + 1;
    CLEANUP_FREE char *key = mem_printf("%s/metadata/v%lld.metadata.json", base->key, (long long)version);
    CLEANUP_FREE char *text = json_dumps(metadata, JSON_COMPACT);
    enum rc rc = append->publishing ? append->publishing(append->user, version, err) : RC_OK;

    if (!text)
        return err_set(err, RC_FATAL, "table metadata of '%s' cannot be written as JSON", base->location);
    if (!rc && FAULT_POINT("lake.publish"))
        return err_set(err, RC_FATAL, "fault before the commit");
    if (rc)
        return rc;
    rc = io->put(io->user, base->bucket, key, str_of(text), true, err);
    if (rc == RC_EXISTS)
        return whose_version(io, base, version, text, err);
    if (rc == RC_RETRY || rc == RC_FATAL) {
        rc = whose_version(io, base, version, text, err);
        /* not there: the put may still be on its way, so nothing may be concluded from its absence */
    }
    return rc;
}

/* Two writers cannot keep v7.metadata.json and v7.gz.metadata.json apart by a condition. */
static enum rc check_writable(const struct iceberg_table *table, struct err *err)
{
    const char *codec = iceberg_property(table, "write.metadata.compression-codec");

    if (table->format_version != 2)
        return err_set(err, RC_BAD_INPUT,
                       "cannot append to '%s': it has format version %d, only 2 is written; make the table anew with "
                       "format-version 2",
                       table->location, table->format_version);
    if (codec && strcmp(codec, "none") != 0)
        return err_set(err, RC_BAD_INPUT,
                       "cannot append to '%s': its metadata is compressed (%s); set write.metadata.compression-codec "
                       "to none",
                       table->location, codec);
    return RC_OK;
}

static enum rc put_metadata_file(const struct iceberg_io *io, const struct iceberg_table *table, const char *name,
                                 struct str body, struct err *err)
{
    CLEANUP_FREE char *key = mem_printf("%s/metadata/%s", table->key, name);

    if (FAULT_POINT("lake.manifest"))
        return err_set(err, RC_FATAL, "fault before '%s'", name);
    return io->put(io->user, table->bucket, key, body, false, err);
}

static enum rc read_old_rows(const struct iceberg_io *io, const struct iceberg_table *table, struct manifest_list *out,
                             struct err *err)
{
    CLEANUP(buf_free) struct buf text = { .max = ICEBERG_METADATA_MAX };
    CLEANUP_FREE char *bucket = NULL;
    CLEANUP_FREE char *key = NULL;

    if (!table->current)
        return RC_OK;
    enum rc rc = iceberg_split_location(table->current->manifest_list, &bucket, &key, err);
    if (!rc)
        rc = io->get(io->user, bucket, key, &text, err);
    return rc ? rc : manifest_list_read(buf_str(&text), table->current->manifest_list, out, err);
}

/* Names are made from the snapshot id, so that a cleaner can tell whose they are. */
static enum rc try_commit(const struct iceberg_io *io, struct iceberg_table *base, const struct iceberg_append *append,
                          int attempt, struct err *err)
{
    CLEANUP(buf_free) struct buf manifest = { .max = ICEBERG_METADATA_MAX };
    CLEANUP(buf_free) struct buf list = { .max = ICEBERG_METADATA_MAX };
    CLEANUP(manifest_list_free) struct manifest_list old = { 0 };
    CLEANUP(arena_free) struct arena arena = { 0 };
    int64_t sequence = base->last_sequence_number + 1;
    CLEANUP_FREE char *name = mem_printf("haus-%lld-%d-m0.avro", (long long)append->snapshot_id, attempt);
    CLEANUP_FREE char *list_name = mem_printf("snap-%lld-%d-haus.avro", (long long)append->snapshot_id, attempt);
    CLEANUP_FREE char *path = mem_printf("%s/metadata/%s", base->location, name);
    CLEANUP_FREE char *list_path = mem_printf("%s/metadata/%s", base->location, list_name);
    struct manifest_list_head head = { append->snapshot_id, base->current ? base->current->id : -1, sequence };
    struct manifest added = { 0 };

    enum rc rc = read_old_rows(io, base, &old, err);
    if (!rc)
        rc = manifest_write(base, append, &manifest, &added, &arena, err);
    if (rc)
        return rc;
    added.path = path;
    added.sequence_number = added.min_sequence_number = sequence;
    CLEANUP_FREE struct manifest *rows = NEW_ARRAY(struct manifest, old.count + 1);
    size_t count = 0;
    if (append->file_count)
        rows[count++] = added;
    for (size_t i = 0; i < old.count; i++) /* manifests of deleted files only say nothing any more */
        if (old.rows[i].files[0] != 0 || old.rows[i].files[1] != 0)
            rows[count++] = old.rows[i];
    rc = manifest_list_write(&head, rows, count, &list, err);
    if (!rc && append->file_count)
        rc = put_metadata_file(io, base, name, buf_str(&manifest), err);
    if (!rc)
        rc = put_metadata_file(io, base, list_name, buf_str(&list), err);
    if (rc)
        return rc;
    json_t *metadata = next_metadata(base, append, list_path, sequence);
    rc = publish(io, base, append, metadata, err);
    json_decref(metadata);
    return rc;
}

void iceberg_attempt_remove(const struct iceberg_io *io, const char *bucket, const char *table_key, int64_t snapshot_id,
                            int attempt)
{
    CLEANUP_FREE char *manifest =
        mem_printf("%s/metadata/haus-%lld-%d-m0.avro", table_key, (long long)snapshot_id, attempt);
    CLEANUP_FREE char *list =
        mem_printf("%s/metadata/snap-%lld-%d-haus.avro", table_key, (long long)snapshot_id, attempt);
    struct err ignored = { 0 };

    if (io->remove(io->user, bucket, manifest, &ignored) || io->remove(io->user, bucket, list, &ignored))
        log_warn("a metadata file of a lost commit stays behind", "table=%s error=%s", table_key, ignored.text);
}

static enum rc reload(const struct iceberg_io *io, struct iceberg_table **table, struct err *err)
{
    struct iceberg_table *newer = NULL;
    CLEANUP_FREE char *at = mem_printf("s3a://%s/%s", (*table)->bucket, (*table)->key);
    enum rc rc = iceberg_open(io, at, &newer, err);

    if (rc)
        return rc;
    iceberg_close(*table);
    *table = newer;
    return RC_OK;
}

/* After the commit: the hint, and the table as it now is. */
static enum rc finish(const struct iceberg_io *io, struct iceberg_table **table, struct err *err)
{
    struct err why = { 0 };

    if (put_hint(io, *table, (*table)->version + 1, &why))
        log_warn("cannot write a version hint", "table=%s error=%s", (*table)->location, why.text);
    return reload(io, table, err);
}

enum rc iceberg_commit_append(const struct iceberg_io *io, struct iceberg_table **table,
                              const struct iceberg_append *append, struct err *err)
{
    enum rc rc = check_writable(*table, err);

    for (int attempt = 1; !rc; attempt++) {
        rc = append->check ? append->check(append->user, *table, err) : RC_OK;
        if (rc)
            return rc;
        rc = try_commit(io, *table, append, attempt, err);
        if (!rc)
            return finish(io, table, err);
        if (rc != RC_AGAIN)
            iceberg_attempt_remove(io, (*table)->bucket, (*table)->key, append->snapshot_id, attempt);
        if (rc != RC_EXISTS)
            return rc;
        if (attempt == ICEBERG_COMMIT_TRIES)
            return err_set(err, RC_EXISTS, "cannot commit to '%s': lost %d times against other writers; run it again",
                           (*table)->location, attempt);
        usleep((useconds_t)(PAUSE_MS * 1000 * (1 + random_u64() % (uint64_t)attempt)));
        rc = reload(io, table, err);
        if (!rc)
            rc = check_writable(*table, err);
    }
    return rc;
}

enum rc iceberg_commit_nothing(const struct iceberg_io *io, struct iceberg_table **table, struct err *err)
{
    struct iceberg_append nothing = { 0 };
    json_t *metadata = next_metadata(*table, &nothing, NULL, 0);
    enum rc rc = publish(io, *table, &nothing, metadata, err);

    json_decref(metadata);
    return rc ? rc : finish(io, table, err);
}

enum rc iceberg_put_hint(const struct iceberg_io *io, const struct iceberg_table *table, struct err *err)
{
    return put_hint(io, table, table->version, err);
}
