/*
 * build stage: raw files -> stage tables.  For each table:
 *
 *     settle what an earlier build left, open the table, read off it which offsets are in it;
 *     list raw files, copy those that may hold new ones, group them by schema;
 *     one COPY through DuckDB writes one Parquet file a partition (write.c);
 *     write down the files, upload them, commit one snapshot with the offsets in summary and properties.
 *
 * The offsets in the table are the only truth.  The cache of event counts only saves reading old files again.
 */
#include "lake/build/stage.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "disk/disk.h"
#include "lake/build/attempt.h"
#include "lake/build/counts.h"
#include "lake/build/project.h"

enum { REPLANS_MAX = 5, LOCK_WAIT_MS = 120000, LOCK_PAUSE_MS = 20 };

void attempt_tell(const struct attempt *a, const char *step, int64_t done, int64_t total)
{
    struct build_progress progress = { a->want->name, step, done, total };

    if (a->run->options->progress)
        a->run->options->progress(a->run->options->user, &progress);
}

/* ------------------------------------------------------------- the table */

static enum rc new_table(struct attempt *a, const char *location, struct err *err)
{
    const struct stage_table *want = a->want;
    CLEANUP_FREE struct iceberg_new_column *columns =
        NEW_ARRAY(struct iceberg_new_column, want->column_count + PROJECT_EXTRA_COUNT);
    CLEANUP_FREE struct iceberg_new_field *partition = NEW_ARRAY(struct iceberg_new_field, want->partition_count + 1);
    CLEANUP_FREE struct iceberg_property_row *properties =
        NEW_ARRAY(struct iceberg_property_row, want->property_count + 1);
    bool codec = false;
    size_t n = 0;

    for (size_t i = 0; i < want->column_count; i++)
        columns[i] = (struct iceberg_new_column){ want->columns[i].name, want->columns[i].type, false };
    memcpy(columns + want->column_count, project_extra_columns, sizeof project_extra_columns);
    for (size_t i = 0; i < want->partition_count; i++)
        partition[i] = (struct iceberg_new_field){ want->partitions[i].column, want->partitions[i].transform };
    for (size_t i = 0; i < want->property_count; i++) {
        properties[n++] = (struct iceberg_property_row){ want->properties[i].name, want->properties[i].value };
        codec = codec || strcmp(want->properties[i].name, "write.parquet.compression-codec") == 0;
    }
    if (!codec)
        properties[n++] = (struct iceberg_property_row){ "write.parquet.compression-codec", "zstd" };
    struct iceberg_new_table table = { .location = location,
                                       .columns = columns,
                                       .column_count = want->column_count + PROJECT_EXTRA_COUNT,
                                       .partition = partition,
                                       .partition_count = want->partition_count,
                                       .properties = properties,
                                       .property_count = n };
    return iceberg_new(&table, &a->table, err);
}

/* RC_OK, and c among *missing when the table lacks it. */
static enum rc want_column(struct attempt *a, const struct iceberg_new_column *c, struct iceberg_new_column *missing,
                           size_t *count, struct err *err)
{
    const struct iceberg_column *there = iceberg_column_by_name(a->table, c->name);

    if (!there)
        missing[(*count)++] = *c;
    else if (strcmp(there->type, c->type) != 0)
        return err_set(err, RC_BAD_INPUT,
                       "column '%s' is %s in table '%s' and %s in the configuration; change one of them", c->name,
                       there->type, a->table->location, c->type);
    return RC_OK;
}

static bool is_ours(const struct attempt *a, const char *name)
{
    for (size_t i = 0; i < a->want->column_count; i++)
        if (strcmp(a->want->columns[i].name, name) == 0)
            return true;
    for (size_t i = 0; i < PROJECT_EXTRA_COUNT; i++)
        if (strcmp(project_extra_columns[i].name, name) == 0)
            return true;
    return false;
}

/* A table that is there gets the columns it lacks; columns of others stay null in our rows. */
static enum rc fit_table(struct attempt *a, struct err *err)
{
    CLEANUP_FREE struct iceberg_new_column *missing =
        NEW_ARRAY(struct iceberg_new_column, a->want->column_count + PROJECT_EXTRA_COUNT);
    size_t count = 0;
    enum rc rc = RC_OK;

    for (size_t i = 0; i < a->table->column_count && !rc; i++)
        if (a->table->columns[i].required && !is_ours(a, a->table->columns[i].name))
            rc = err_set(err, RC_BAD_INPUT, "table '%s' requires column '%s', which the configuration does not give",
                         a->table->location, a->table->columns[i].name);
    for (size_t i = 0; i < a->want->column_count && !rc; i++) {
        struct iceberg_new_column c = { a->want->columns[i].name, a->want->columns[i].type, false };
        rc = want_column(a, &c, missing, &count, err);
    }
    for (size_t i = 0; i < PROJECT_EXTRA_COUNT && !rc; i++)
        rc = want_column(a, &project_extra_columns[i], missing, &count, err);
    return rc ? rc : iceberg_add_columns(a->table, missing, count, err);
}

static enum rc open_table(struct attempt *a, struct err *err)
{
    const struct iceberg_io *io = &a->run->lake.io[0];
    enum rc rc = iceberg_open(io, a->report->location, &a->table, err);

    if (rc == RC_NOT_FOUND)
        return new_table(a, a->report->location, err);
    if (rc)
        return rc;
    a->planned_version = a->table->version;
    if (a->table->hint != a->table->version) { /* a writer died before its hint, or set it back */
        rc = iceberg_put_hint(io, a->table, err);
        if (rc)
            return rc;
    }
    rc = stage_consumed(io, a->table, &a->consumed, err);
    CLEANUP_FREE char *text = offsets_print(&a->consumed);
    return rc ? rc : offsets_parse(text, &a->after, err);
}

/* ------------------------------------------------------------- raw files */

static void tell_fetched(void *user, size_t so_far)
{
    attempt_tell(user, "read", (int64_t)so_far, 0);
}

static struct offset_ranges *ranges_of(struct offsets *offsets, const struct raw_file *f)
{
    return offsets_of(offsets, f->space, f->partition);
}

/* Copies what may be new, and settles which events of each file are. */
static enum rc find_new(struct attempt *a, struct err *err)
{
    struct lake *lake = &a->run->lake;
    enum rc rc = raw_list(&lake->io[0], a->want->source_path, &a->raw, err);
    if (rc == RC_NOT_FOUND)
        return err_wrap(err, "cannot list '%s'", a->want->source_path);
    CLEANUP_FREE bool *want = NEW_ARRAY(bool, a->raw.count + 1);
    CLEANUP(counts_free) struct counts counts = { 0 };

    if (rc)
        return rc;
    CLEANUP_FREE char *counts_path = mem_printf("%s/counts-%s.%s", lake->cache, a->want->namespace, a->want->name);
    counts_load(&counts, counts_path);
    for (size_t i = 0; i < a->raw.count; i++) {
        struct raw_file *f = &a->raw.files[i];
        f->count = counts_get(&counts, f->key, f->etag);
        want[i] = f->count < 0 || !offset_ranges_cover(ranges_of(&a->consumed, f), f->first, f->first + f->count);
    }
    attempt_tell(a, "list", (int64_t)a->raw.count, (int64_t)a->raw.count);
    rc = raw_fetch(lake, &a->raw, want, tell_fetched, a, err);
    for (size_t i = 0; i < a->raw.count && !rc; i++) {
        struct raw_file *f = &a->raw.files[i];
        struct offset_ranges *after = ranges_of(&a->after, f);
        f->keep = offset_ranges_missing(after, f->first, f->first + f->count);
        a->report->new_files += f->keep.count > 0;
        offset_ranges_add(after, f->first, f->first + f->count);
        if (after->count > OFFSET_RANGES_MAX)
            rc = err_set(err, RC_FULL, "topic '%s' partition %d has more than %d gaps between its raw files", f->topic,
                         f->partition, OFFSET_RANGES_MAX);
    }
    a->report->raw_files = (int64_t)a->raw.count;
    if (!rc)
        counts_save(counts_path, &a->raw);
    return rc;
}

/* A declared source that is in no file at all is a slip of the pen, unless the table had it before. */
static enum rc check_sources(const struct attempt *a, const char *config, struct err *err)
{
    for (size_t i = 0; i < a->want->column_count; i++) {
        bool found = false;
        for (size_t g = 0; g < a->group_count; g++)
            found = found || a->groups[g].columns[i].found;
        if (found)
            continue;
        const struct stage_column *c = &a->want->columns[i];
        if (!a->planned_version)
            return err_set(err, RC_BAD_INPUT, "%s:%d: column '%s': the raw files of '%s' have no field '%s'", config,
                           c->line, c->name, a->want->name, c->source);
        log_warn("a source is in no new raw file, its column is null", "table=%s column=%s source=%s", a->want->name,
                 c->name, c->source);
    }
    return RC_OK;
}

/* ------------------------------------------------------------- upload and commit */

static enum rc upload_one(void *user, const struct iceberg_io *io, size_t i, struct err *err)
{
    struct attempt *a = user;
    const struct output_file *f = &a->output.files[i];
    CLEANUP(disk_close) int fd = -1;
    enum rc rc = disk_open(f->local, O_RDONLY | O_CLOEXEC, 0, &fd, err);

    if (!rc && FAULT_POINT("lake.upload"))
        return err_set_errno(err, errno, "cannot upload '%s'", f->key);
    if (!rc)
        rc = io->put_file(io->user, a->table->bucket, f->key, fd, f->file.size, err);
    disk_unlink(f->local, NULL);
    return rc;
}

static enum rc check_base(void *user, const struct iceberg_table *base, struct err *err)
{
    struct attempt *a = user;
    CLEANUP(offsets_free) struct offsets now = { 0 };

    if (base->version == a->planned_version)
        return RC_OK;
    enum rc rc = stage_consumed(&a->run->lake.io[0], base, &now, err);
    if (rc)
        return rc;
    if (!a->planned_version || base->schema_id != a->planned_schema || base->spec_id != a->table->spec_id ||
        !offsets_equal(&now, &a->consumed))
        return err_set(err, RC_RETRY, "table '%s' was changed by another writer", base->location);
    a->planned_version = base->version;
    return RC_OK;
}

static enum rc note_publishing(void *user, int64_t version, struct err *err)
{
    struct attempt *a = user;

    a->journal.publishing = version;
    a->journal.attempts++;
    return journal_write(&a->run->lake.io[0], a->table, &a->journal, err);
}

static enum rc commit(struct attempt *a, struct err *err)
{
    const struct iceberg_io *io = &a->run->lake.io[0];
    CLEANUP_FREE char *offsets = offsets_print(&a->after);
    CLEANUP_FREE struct iceberg_new_file *files = NEW_ARRAY(struct iceberg_new_file, a->output.count + 1);
    CLEANUP_FREE char *events = mem_printf("%lld", (long long)a->report->events);
    const struct iceberg_property_row summary[] = { { STAGE_OFFSETS_KEY, offsets }, { "haus.events-read", events } };
    const struct iceberg_property_row properties[] = { { STAGE_OFFSETS_KEY, offsets } };

    for (size_t i = 0; i < a->output.count; i++)
        files[i] = a->output.files[i].file;
    struct iceberg_append append = { .files = files,
                                     .file_count = a->output.count,
                                     .summary = summary,
                                     .summary_count = ARRAY_LEN(summary),
                                     .properties = properties,
                                     .property_count = ARRAY_LEN(properties),
                                     .snapshot_id = a->journal.snapshot_id,
                                     .check = check_base,
                                     .publishing = note_publishing,
                                     .user = a };
    return iceberg_commit_append(io, &a->table, &append, err);
}

static enum rc upload_and_commit(struct attempt *a, struct err *err)
{
    const struct iceberg_io *io = &a->run->lake.io[0];
    struct err why = { 0 };

    a->planned_schema = a->table->schema_id;
    a->keys = NEW_ARRAY(char *, a->output.count + 1);
    for (size_t i = 0; i < a->output.count; i++)
        a->keys[i] = a->output.files[i].key;
    a->journal.keys = a->keys;
    a->journal.key_count = a->output.count;
    a->journal.owner = a->run->owner;
    a->journal.new_table = a->table->version ? NULL : a->table->metadata;
    enum rc rc = journal_write(io, a->table, &a->journal, err);
    if (rc)
        return rc;
    attempt_tell(a, "upload", 0, (int64_t)a->output.count);
    rc = lake_parallel(&a->run->lake, a->output.count, upload_one, a, err);
    if (!rc) {
        attempt_tell(a, "commit", 0, 0);
        rc = commit(a, err);
    }
    a->journal.new_table = NULL;
    if (rc) { /* never half committed: our files go, unless the commit may have happened */
        if (journal_clean(io, a->report->location, a->run->owner, &why))
            log_warn("files of a failed build stay until the next", "table=%s error=%s", a->report->location, why.text);
        return rc;
    }
    if (journal_remove(io, a->table, a->journal.snapshot_id, &why))
        log_warn("a note of pending files stays until the next build", "table=%s error=%s", a->report->location,
                 why.text);
    return RC_OK;
}

/* ------------------------------------------------------------- one table */

static void attempt_free(struct attempt *a)
{
    iceberg_close(a->table);
    offsets_free(&a->consumed);
    offsets_free(&a->after);
    raw_groups_free(a->groups, a->group_count);
    raw_files_free(&a->raw);
    output_free(&a->output);
    free(a->keys);
}

static int64_t total_records(const struct iceberg_table *table)
{
    const json_t *summary = table->current ? table->current->summary : NULL;
    const char *text = json_string_value(json_object_get(summary, "total-records"));
    int64_t v = 0;

    return text && str_to_i64(str_of(text), 0, INT64_MAX, &v) ? v : 0;
}

static enum rc attempt_table(struct attempt *a, const char *config, struct err *err)
{
    const struct iceberg_io *io = &a->run->lake.io[0];
    enum rc rc = journal_clean(io, a->report->location, a->run->owner, err);

    a->journal.snapshot_id = iceberg_random_id();
    if (!rc)
        rc = open_table(a, err);
    if (!rc)
        rc = find_new(a, err);
    if (!rc)
        a->report->rows_total = total_records(a->table);
    if (rc || !a->report->new_files)
        return rc;
    rc = fit_table(a, err);
    if (!rc)
        rc = raw_group_files(a->want, &a->raw, &a->groups, &a->group_count, err);
    if (!rc)
        rc = check_sources(a, config, err);
    if (!rc)
        rc = attempt_write_rows(a, err);
    if (rc || (!a->output.count && !a->table->version))
        return rc; /* nothing was kept, and no table yet to remember it in */
    rc = upload_and_commit(a, err);
    if (rc)
        return rc;
    a->report->rows = a->output.rows;
    a->report->data_files = (int64_t)a->output.count;
    a->report->bytes = a->output.bytes;
    a->report->snapshot_id = a->journal.snapshot_id;
    a->report->rows_total = total_records(a->table);
    return RC_OK;
}

static enum rc build_table(struct stage_run *run, const struct stage_table *want, const char *config,
                           struct build_table_report *report, struct err *err)
{
    int64_t start = clock_mono_ns();
    enum rc rc = RC_RETRY;

    for (int i = 0; i < REPLANS_MAX && rc == RC_RETRY; i++) {
        struct attempt a = { .run = run, .want = want, .report = report };
        report->raw_files = report->new_files = report->events = 0;
        rc = attempt_table(&a, config, err);
        attempt_free(&a);
    }
    report->seconds = (double)(clock_mono_ns() - start) / 1e9;
    if (rc)
        return err_wrap(err, "cannot build table '%s'", want->name);
    struct build_progress progress = { want->name, "done", report->rows, report->rows };
    if (run->options->progress)
        run->options->progress(run->options->user, &progress);
    return RC_OK;
}

/* ------------------------------------------------------------- all tables */

enum rc stage_config_load(const struct station *station, const char *file, char **path, struct stage_config *out,
                          struct err *err)
{
    CLEANUP(buf_free) struct buf text = { .max = STAGE_FILE_MAX };

    *path = file ? mem_strdup(file) : mem_printf("%s/models/stage/stage_tables.yaml", station->playground);
    enum rc rc = disk_read_file(*path, &text, err);
    return rc ? rc : stage_config_parse(buf_str(&text), *path, out, err);
}

/* A killed build's janitor holds the lock for the moment it needs. */
static enum rc lock_builds(const struct station *station, int *lock, struct err *err)
{
    CLEANUP_FREE char *dir = mem_printf("%s/build", station->home);
    enum rc rc = disk_make_dirs(dir, 0755, err);
    pid_t holder = 0;

    for (int64_t waited = 0; !rc; waited += LOCK_PAUSE_MS) {
        rc = disk_lock_dir(dir, lock, &holder, err);
        if (rc != RC_EXISTS || waited >= LOCK_WAIT_MS)
            break;
        usleep(LOCK_PAUSE_MS * 1000);
        rc = RC_OK;
    }
    if (rc == RC_EXISTS)
        return err_set(err, RC_EXISTS, "another build (pid %d) runs on '%s'; wait for it or stop it", (int)holder,
                       station->home);
    return rc;
}

static char *owner_name(const struct station *station)
{
    char host[256] = "";

    gethostname(host, sizeof host - 1);
    return mem_printf("%s@%s", station->home, host);
}

static bool is_wanted(const struct build_options *options, const struct stage_table *table)
{
    return !options->table || strcmp(options->table, table->name) == 0;
}

static enum rc build_all(struct stage_run *run, const struct stage_config *config, const char *path,
                         struct build_report *out, struct err *err)
{
    struct janitor janitor;
    CLEANUP_FREE char **locations = NEW_ARRAY(char *, config->count + 1);
    enum rc rc = RC_OK;

    for (size_t i = 0; i < config->count; i++)
        locations[i] = lake_location(&run->lake, config->tables[i].namespace, config->tables[i].name);
    janitor_start(&janitor, &run->lake, locations, config->count, run->owner);
    out->tables = NEW_ARRAY(struct build_table_report, config->count + 1);
    for (size_t i = 0; i < config->count && !rc; i++) {
        if (!is_wanted(run->options, &config->tables[i]))
            continue;
        struct build_table_report *report = &out->tables[out->count++];
        *report = (struct build_table_report){ .name = mem_strdup(config->tables[i].name),
                                               .location = mem_strdup(locations[i]) };
        rc = build_table(run, &config->tables[i], path, report, err);
    }
    janitor_dismiss(&janitor);
    for (size_t i = 0; i < config->count; i++)
        free(locations[i]);
    if (!rc && run->options->table && !out->count)
        rc = err_set(err, RC_NOT_FOUND, "'%s' has no table '%s'", path, run->options->table);
    return rc;
}

enum rc build_stage(const struct station *station, const struct build_options *options, struct build_report *out,
                    struct err *err)
{
    struct stage_run run = { .options = options };
    CLEANUP(stage_config_free) struct stage_config config = { 0 };
    CLEANUP_FREE char *path = NULL;
    CLEANUP(disk_close) int lock = -1;
    int64_t start = clock_mono_ns();

    *out = (struct build_report){ 0 };
    enum rc rc = stage_config_load(station, options->config, &path, &config, err);
    if (!rc)
        rc = lock_builds(station, &lock, err);
    if (!rc)
        rc = lake_open(station, &run.lake, err);
    if (rc)
        return rc;
    run.owner = owner_name(station);
    rc = build_all(&run, &config, path, out, err);
    duck_close(&run.duck);
    lake_close(&run.lake);
    free(run.owner);
    out->seconds = (double)(clock_mono_ns() - start) / 1e9;
    return rc;
}

void build_report_free(struct build_report *report)
{
    for (size_t i = 0; i < report->count; i++) {
        free(report->tables[i].name);
        free(report->tables[i].location);
    }
    free(report->tables);
    *report = (struct build_report){ 0 };
}
