/*
 * Figures for `haus verify`: what is in the raw files, what is in the stage tables, and the fold of both, the
 * latest event of each key by (lsn, offset) with deletes applied: the rows that the source should hold.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lake/build/build.h"
#include "lake/build/project.h"
#include "lake/build/stage.h"
#include "lake/build/view.h"

struct verify {
    struct lake lake;
    struct duck_session duck;
    int functions;
    struct offsets seen; /* of the table at hand: what its raw files hold */
};

static void put_key(const struct stage_table *table, struct buf *out)
{
    for (size_t i = 0; i < table->key_count; i++) {
        buf_puts(out, i ? ", " : "");
        duck_put_name(out, str_of(table->key[i]));
    }
}

/* ------------------------------------------------------------- raw */

static enum rc count_raw(struct verify *v, const struct stage_table *table, struct raw_files *files,
                         struct build_check *out, struct err *err)
{
    enum rc rc = raw_list(&v->lake.io[0], table->source_path, files, err);
    CLEANUP_FREE bool *want = NEW_ARRAY(bool, files->count + 1);

    memset(want, 1, files->count);
    if (!rc)
        rc = raw_fetch(&v->lake, files, want, NULL, NULL, err);
    for (size_t i = 0; i < files->count && !rc; i++) {
        struct raw_file *f = &files->files[i];
        struct offset_ranges *ranges = offsets_of(&v->seen, f->space, f->partition);
        f->keep = offset_ranges_missing(ranges, f->first, f->first + f->count);
        offset_ranges_add(ranges, f->first, f->first + f->count);
        out->raw_events += f->count;
        out->raw_distinct += offset_ranges_total(&f->keep);
    }
    out->raw_files = (int64_t)files->count;
    return rc;
}

static void put_op_list(const struct stage_table *table, struct buf *out)
{
    for (size_t i = 0; i < table->op_count; i++) {
        buf_puts(out, i ? ", " : "");
        duck_put_text(out, str_of(table->ops[i]));
    }
}

/* The fold over decoded events; keys are compared as text. */
static enum rc fold_raw(struct verify *v, const struct stage_table *table, struct raw_group *groups, size_t count,
                        struct build_check *out, struct err *err)
{
    CLEANUP(buf_free) struct buf sql = { 0 };
    enum rc rc = RC_OK;

    buf_puts(&sql, "CREATE OR REPLACE TEMP TABLE raw_events AS ");
    for (size_t g = 0; g < count && !rc; g++) {
        CLEANUP_FREE char *name = mem_printf("haus_raw_%d", v->functions++);
        rc = raw_register(&v->duck, name, &groups[g], err);
        buf_puts(&sql, g ? " UNION ALL SELECT " : "SELECT ");
        for (size_t k = 0; k < table->key_count; k++)
            for (size_t i = 0; i < table->column_count; i++)
                if (strcmp(table->columns[i].name, table->key[k]) == 0) {
                    buf_printf(&sql, "CAST(c%zu AS VARCHAR) AS ", i);
                    duck_put_name(&sql, str_of(table->key[k]));
                    buf_puts(&sql, ", ");
                }
        buf_printf(&sql, "x0 AS op, x2 AS lsn, x5 AS off FROM %s()", name);
    }
    if (!rc)
        rc = duck_run(&v->duck, buf_cstr(&sql), err);
    for (size_t g = 0; g < count; g++)
        if (rc && groups[g].failure.rc)
            *err = groups[g].failure;
    if (rc)
        return err->rc;
    if (table->op_count) {
        buf_clear(&sql);
        buf_puts(&sql, "SELECT count(*) FROM raw_events WHERE op IS NULL OR op NOT IN (");
        put_op_list(table, &sql);
        buf_puts(&sql, ")");
        rc = duck_number(&v->duck, buf_cstr(&sql), &out->raw_filtered, err);
    }
    buf_clear(&sql);
    buf_puts(&sql, "SELECT count(*) FROM (SELECT op, row_number() OVER (PARTITION BY ");
    put_key(table, &sql);
    buf_puts(
        &sql,
        " ORDER BY lsn DESC NULLS LAST, off DESC) AS rn FROM raw_events) WHERE rn = 1 AND op IS DISTINCT FROM 'd'");
    if (!rc && table->key_count)
        rc = duck_number(&v->duck, buf_cstr(&sql), &out->raw_rows, err);
    return rc;
}

static enum rc check_raw(struct verify *v, const struct stage_table *table, struct build_check *out, struct err *err)
{
    CLEANUP(raw_files_free) struct raw_files files = { 0 };
    struct stage_table unfiltered = *table;
    struct raw_group *groups = NULL;
    size_t count = 0;
    enum rc rc = count_raw(v, table, &files, out, err);

    if (rc || !files.count)
        return rc;
    unfiltered.op_count = 0; /* all events, deletes with their keys */
    rc = raw_group_files(&unfiltered, &files, &groups, &count, err);
    if (!rc && count)
        rc = fold_raw(v, table, groups, count, out, err);
    raw_groups_free(groups, count);
    for (size_t i = 0; i < files.count; i++)
        if (files.files[i].path)
            remove(files.files[i].path);
    return rc;
}

/* ------------------------------------------------------------- stage */

/* The first 60 bits of md5(columns joined by '|', null as \N). */
static void put_row_sum(const struct stage_table *table, struct buf *out)
{
    buf_puts(out, ", CAST('0x' || left(md5(");
    for (size_t i = 0; i < table->column_count; i++) {
        buf_puts(out, i ? " || '|' || coalesce(CAST(" : "coalesce(CAST(");
        duck_put_name(out, str_of(table->columns[i].name));
        buf_puts(out, " AS VARCHAR), '\\N')");
    }
    buf_puts(out, "), 15) AS BIGINT) AS __sum");
}

/* What is counted of each row, so that the table is read once.  A table that only others wrote lacks columns. */
static enum rc load_stage(struct verify *v, const struct stage_table *want, const struct iceberg_table *table,
                          struct err *err)
{
    CLEANUP(buf_free) struct buf select = { 0 };
    CLEANUP(buf_free) struct buf sql = { 0 };
    enum rc rc = view_select(&v->lake, table, &select, err);

    if (rc)
        return rc;
    buf_puts(&sql, "CREATE OR REPLACE TEMP TABLE stage_rows AS SELECT __topic, __partition, __offset, __lsn, __op");
    if (want->key_count) {
        buf_puts(&sql, ", ");
        put_key(want, &sql);
        put_row_sum(want, &sql);
    }
    buf_puts(&sql, " FROM (SELECT *");
    for (size_t i = 0; i < PROJECT_EXTRA_COUNT; i++)
        if (!iceberg_column_by_name(table, project_extra_columns[i].name))
            buf_printf(&sql, ", NULL AS %s", project_extra_columns[i].name);
    for (size_t i = 0; i < want->column_count; i++)
        if (!iceberg_column_by_name(table, want->columns[i].name)) {
            buf_puts(&sql, ", NULL AS ");
            duck_put_name(&sql, str_of(want->columns[i].name));
        }
    buf_printf(&sql, " FROM (%s))", buf_cstr(&select));
    return duck_run(&v->duck, buf_cstr(&sql), err);
}

/* Each key's latest event, without the deleted ones; the checksum is the rows' XOR. */
static enum rc fold_stage(struct verify *v, const char *key, struct build_check *out, struct err *err)
{
    CLEANUP_FREE char *sql = mem_printf(
        "CREATE OR REPLACE TEMP TABLE stage_fold AS SELECT __sum FROM (SELECT __sum, __op, row_number() OVER "
        "(PARTITION BY %s ORDER BY __lsn DESC NULLS LAST, __offset DESC) AS __rank FROM stage_rows "
        "WHERE __offset IS NOT NULL) WHERE __rank = 1 AND __op IS DISTINCT FROM 'd'",
        key);
    int64_t sum = 0;
    enum rc rc = duck_run(&v->duck, sql, err);

    if (!rc)
        rc = duck_number(&v->duck, "SELECT count(*) FROM stage_fold", &out->current_rows, err);
    if (!rc)
        rc = duck_number(&v->duck, "SELECT bit_xor(__sum) FROM stage_fold", &sum, err);
    out->checksum = mem_printf("%015llx", (unsigned long long)sum);
    return rc;
}

static enum rc count_stage(struct verify *v, const struct stage_table *table, struct build_check *out, struct err *err)
{
    CLEANUP(buf_free) struct buf key = { 0 };
    int64_t r_events = 0, r_keys = 0, events = 0, apart = 0;

    put_key(table, &key);
    const struct {
        const char *format; /* %s: the key */
        int64_t *at;
    } counts[] = {
        { "SELECT count(*) FROM stage_rows", &out->stage_rows },
        { "SELECT count(*) FROM stage_rows WHERE __offset IS NULL", &out->stage_foreign },
        { "SELECT count(*) FROM (SELECT DISTINCT __topic, __partition, __offset FROM stage_rows WHERE __offset IS NOT "
          "NULL)",
          &out->stage_distinct },
        { "SELECT count(*) FROM stage_rows WHERE __op = 'r'", &r_events },
        { "SELECT count(*) FROM (SELECT DISTINCT %s FROM stage_rows WHERE __op = 'r')", &r_keys },
        { "SELECT count(*) FROM stage_rows WHERE __op <> 'r'", &events },
        { "SELECT count(*) FROM (SELECT DISTINCT %s, __lsn, __op FROM stage_rows WHERE __op <> 'r')", &apart },
    };
    enum rc rc = RC_OK;

    for (size_t i = 0; i < ARRAY_LEN(counts) && !rc; i++) {
        CLEANUP(buf_free) struct buf sql = { 0 };
        const char *percent = strstr(counts[i].format, "%s");
        if (percent && !table->key_count)
            continue;
        buf_append(&sql, counts[i].format, percent ? (size_t)(percent - counts[i].format) : strlen(counts[i].format));
        if (percent)
            buf_printf(&sql, "%s%s", buf_cstr(&key), percent + 2);
        rc = duck_number(&v->duck, buf_cstr(&sql), counts[i].at, err);
    }
    out->stage_doubled = out->stage_rows - out->stage_foreign - out->stage_distinct;
    if (rc || !table->key_count)
        return rc;
    out->repeated = (r_events - r_keys) + (events - apart);
    return fold_stage(v, buf_cstr(&key), out, err);
}

/* By which rows were taken out or written anew.  What only moves rows (replace) or adds some (append) takes nothing
 * from ours. */
static bool takes_rows(const struct iceberg_snapshot *s)
{
    return strcmp(s->operation, "overwrite") == 0 || strcmp(s->operation, "delete") == 0;
}

static bool adds_rows(const struct iceberg_snapshot *s)
{
    return strcmp(s->operation, "append") == 0 || strcmp(s->operation, "overwrite") == 0;
}

/* The newest snapshot of another engine that did so; NULL: none that is still known. */
static char *name_foreign(const struct iceberg_table *table, bool (*did)(const struct iceberg_snapshot *s))
{
    const struct iceberg_snapshot *s = table->current;

    for (size_t steps = 0; s && steps <= table->snapshot_count; steps++) {
        const char *engine = json_string_value(json_object_get(s->summary, "engine-name"));
        if (did(s) && !json_object_get(s->summary, STAGE_OFFSETS_KEY))
            return mem_printf("snapshot %lld of engine %s (%s)", (long long)s->id, engine ? engine : "unknown",
                              s->operation);
        s = iceberg_snapshot_by_id(table, s->parent_id);
    }
    return NULL;
}

static enum rc compare_offsets(struct verify *v, const struct iceberg_table *table, struct build_check *out,
                               struct err *err)
{
    CLEANUP(offsets_free) struct offsets consumed = { 0 };
    CLEANUP(offsets_free) struct offsets waiting = { 0 };
    enum rc rc = stage_consumed(&v->lake.io[0], table, &consumed, err);

    if (rc)
        return rc;
    offsets_add_missing(&waiting, &v->seen, &consumed);
    out->stage_waiting = offsets_total(&waiting);
    out->foreign_change = name_foreign(table, takes_rows);
    out->foreign_append = name_foreign(table, adds_rows);
    return RC_OK;
}

static enum rc check_stage(struct verify *v, const struct stage_table *want, struct build_check *out, struct err *err)
{
    CLEANUP_FREE char *location = lake_location(&v->lake, want->namespace, want->name);
    struct iceberg_table *table = NULL;
    enum rc rc = iceberg_open(&v->lake.io[0], location, &table, err);

    if (rc == RC_NOT_FOUND)
        return RC_OK;
    if (rc)
        return rc;
    out->exists = true;
    rc = load_stage(v, want, table, err);
    if (!rc)
        rc = compare_offsets(v, table, out, err);
    iceberg_close(table);
    return rc ? rc : count_stage(v, want, out, err);
}

enum rc build_verify(const struct station *station, const char *config_file, struct build_check **checks, size_t *count,
                     struct err *err)
{
    CLEANUP(stage_config_free) struct stage_config config = { 0 };
    CLEANUP_FREE char *path = NULL;
    struct verify v = { 0 };

    *checks = NULL;
    *count = 0;
    enum rc rc = stage_config_load(station, config_file, &path, &config, err);
    if (rc)
        return rc;
    rc = lake_open(station, &v.lake, err);
    if (rc)
        return rc;
    rc = view_session(&v.lake, &v.duck, err);
    if (!rc) /* in order, each of thousands of small files would take a row group of memory */
        rc = duck_run(&v.duck, "SET preserve_insertion_order = false", err);
    *checks = NEW_ARRAY(struct build_check, config.count + 1);
    for (size_t i = 0; i < config.count && !rc; i++) {
        struct build_check *out = &(*checks)[(*count)++];
        out->table = mem_strdup(config.tables[i].name);
        out->deletes_kept = stage_keeps(&config.tables[i], "d");
        offsets_free(&v.seen);
        rc = check_raw(&v, &config.tables[i], out, err);
        if (!rc)
            rc = check_stage(&v, &config.tables[i], out, err);
        if (rc)
            err_wrap(err, "cannot verify table '%s'", out->table);
    }
    offsets_free(&v.seen);
    duck_close(&v.duck);
    lake_close(&v.lake);
    if (rc) {
        build_checks_free(*checks, *count);
        *checks = NULL;
        *count = 0;
    }
    return rc;
}

void build_checks_free(struct build_check *checks, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        free(checks[i].table);
        free(checks[i].checksum);
        free(checks[i].foreign_change);
        free(checks[i].foreign_append);
    }
    free(checks);
}
