/*
 * Rows of a stage table: one COPY through DuckDB over all groups of raw files, one Parquet file a partition.
 *
 * Subtle: DuckDB says that a cast failed, not of which event; then each column is asked again for the first value that
 * does not fit, so that the error names file, offset and column.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "lake/build/attempt.h"
#include "lake/build/project.h"

enum { OPEN_FILES_MAX = 8000, OPEN_FILES_SPARE = 128 };

static enum rc open_duck(struct stage_run *run, struct err *err)
{
    CLEANUP_FREE char *spill = mem_printf("%s/spill", run->lake.scratch);
    struct duck_options options = { .library = run->lake.duckdb_library,
                                    .scratch = spill,
                                    .memory_bytes = run->lake.memory_bytes,
                                    .threads = run->lake.threads };
    struct rlimit limit;
    int64_t files = 1024;

    if (run->duck.connection)
        return RC_OK;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) { /* a file a partition is open at a time */
        rlim_t old = limit.rlim_cur;
        limit.rlim_cur = MIN(limit.rlim_max, (rlim_t)(OPEN_FILES_MAX + OPEN_FILES_SPARE));
        if (limit.rlim_cur < old || setrlimit(RLIMIT_NOFILE, &limit) < 0)
            limit.rlim_cur = old;
        files = (int64_t)limit.rlim_cur;
    }
    files = MIN(MAX(files - OPEN_FILES_SPARE, (int64_t)64), (int64_t)OPEN_FILES_MAX);
    CLEANUP_FREE char *set = mem_printf("SET partitioned_write_max_open_files = %lld", (long long)files);
    enum rc rc = duck_open(&options, &run->duck, err);
    return rc ? rc : duck_run(&run->duck, set, err);
}

static const char *codec_of(const struct iceberg_table *table)
{
    static const char *const codecs[] = { "zstd", "snappy", "gzip", "lz4", "uncompressed", "brotli" };
    const char *codec = iceberg_property(table, "write.parquet.compression-codec");

    for (size_t i = 0; codec && i < ARRAY_LEN(codecs); i++)
        if (strcmp(codecs[i], codec) == 0)
            return strcmp(codec, "lz4") == 0 ? "lz4_raw" : codec;
    return "zstd";
}

static void put_field_id(struct buf *sql, const struct iceberg_table *table, const char *name, bool first)
{
    const struct iceberg_column *column = iceberg_column_by_name(table, name);

    buf_puts(sql, first ? "" : ", ");
    duck_put_text(sql, str_of(name));
    buf_printf(sql, ": %d", column ? column->id : 0);
}

static enum rc put_copy(struct attempt *a, char **functions, struct buf *sql, struct err *err)
{
    enum rc rc = RC_OK;

    buf_puts(sql, "COPY (");
    for (size_t g = 0; g < a->group_count && !rc; g++) {
        buf_puts(sql, g ? " UNION ALL " : "");
        rc = project_select(&a->groups[g], functions[g], a->table, sql, err);
    }
    CLEANUP_FREE char *target =
        mem_printf("%s/out-%d%s", a->run->lake.scratch, a->run->functions, a->table->partition_count ? "" : ".parquet");
    buf_puts(sql, ") TO ");
    duck_put_text(sql, str_of(target));
    buf_printf(sql, " (FORMAT parquet, COMPRESSION %s, RETURN_STATS, FIELD_IDS {", codec_of(a->table));
    for (size_t i = 0; i < a->want->column_count; i++)
        put_field_id(sql, a->table, a->want->columns[i].name, i == 0);
    for (size_t i = 0; i < PROJECT_EXTRA_COUNT; i++)
        put_field_id(sql, a->table, project_extra_columns[i].name, false);
    buf_puts(sql, "}");
    for (size_t i = 0; i < a->table->partition_count; i++)
        buf_printf(sql, "%s__p%zu", i ? ", " : ", PARTITION_BY (", i);
    buf_puts(sql, a->table->partition_count ? "))" : ")");
    return rc;
}

/* DuckDB only said that some cast failed: which event of which file was it? */
static enum rc diagnose(struct attempt *a, char **functions, struct err *err)
{
    for (size_t g = 0; g < a->group_count; g++)
        for (size_t i = 0; i < a->want->column_count; i++) {
            CLEANUP(buf_free) struct buf sql = { 0 };
            struct raw_group *group = &a->groups[g];
            duckdb_result result;
            group->diagnose = true;
            if (project_diagnosis(group, functions[g], i, &sql, err))
                return err->rc;
            duckdb_data_chunk chunk = NULL;
            if (!duck.query(a->run->duck.connection, buf_cstr(&sql), &result))
                chunk = duck.fetch_chunk(result);
            if (chunk && duck.data_chunk_get_size(chunk)) {
                int64_t file = *(int64_t *)duck.vector_get_data(duck.data_chunk_get_vector(chunk, 0));
                int64_t offset = *(int64_t *)duck.vector_get_data(duck.data_chunk_get_vector(chunk, 1));
                struct str value = duck_text(duck.vector_get_data(duck.data_chunk_get_vector(chunk, 2)));
                enum { SHOWN_MAX = 200 };
                err_set(err, RC_BAD_INPUT,
                        "raw file '%s/%s' offset %lld, column '%s': value '%.*s' does not fit %s; change the type in "
                        "the configuration, or the data",
                        a->raw.bucket, a->raw.files[file].key, (long long)offset, a->want->columns[i].name,
                        (int)MIN(value.len, (size_t)SHOWN_MAX), value.p ? value.p : "",
                        a->want->columns[i].written_type);
            }
            bool told = chunk && duck.data_chunk_get_size(chunk);
            if (chunk)
                duck.destroy_data_chunk(&chunk);
            duck.destroy_result(&result);
            if (told)
                return RC_BAD_INPUT;
        }
    return err->rc;
}

static enum rc explain_failure(struct attempt *a, char **functions, struct err *err)
{
    for (size_t g = 0; g < a->group_count; g++)
        if (a->groups[g].failure.rc) {
            *err = a->groups[g].failure;
            return err->rc;
        }
    return diagnose(a, functions, err);
}

enum rc attempt_write_rows(struct attempt *a, struct err *err)
{
    CLEANUP(buf_free) struct buf sql = { 0 };
    CLEANUP_FREE char **functions = NEW_ARRAY(char *, a->group_count + 1);
    enum rc rc = open_duck(a->run, err);

    for (size_t g = 0; g < a->group_count && !rc; g++) {
        functions[g] = mem_printf("haus_raw_%d", a->run->functions++);
        rc = raw_register(&a->run->duck, functions[g], &a->groups[g], err);
    }
    if (!rc)
        rc = put_copy(a, functions, &sql, err);
    attempt_tell(a, "write", 0, 0);
    if (!rc) {
        rc = output_write(&a->run->duck, buf_cstr(&sql), a->table, a->journal.snapshot_id, &a->output, err);
        if (rc == RC_BAD_INPUT)
            rc = explain_failure(a, functions, err);
    }
    for (size_t g = 0; g < a->group_count; g++) {
        a->report->events += atomic_load(&a->groups[g].events);
        free(functions[g]);
    }
    return rc;
}
