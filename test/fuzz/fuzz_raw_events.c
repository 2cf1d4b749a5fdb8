/* Any bytes as a raw file of change events: its schema compiled for a table of all types, its events decoded into
 * columns. */
#include <stdlib.h>
#include <string.h>

#include "lake/build/raw_decode.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char table_text[] =
    "version: 1\nsources:\n  - name: f\n    tables:\n      - name: t\n        source_path: s3a://raw/t/\n"
    "        format: avro\n        filter_op: [c, u, r]\n        schema:\n"
    "          - {name: a, type: bigint, source: after.id}\n"
    "          - {name: b, type: string, source: after.status}\n"
    "          - {name: c, type: 'decimal(10,2)', source: after.total}\n"
    "          - {name: d, type: string, source: before.status}\n"
    "          - {name: e, type: timestamp, source: after.created_at}\n"
    "          - {name: f, type: int, source: after.customer_id}\n"
    "          - {name: g, type: timestamp, source: ts_ms}\n"
    "          - {name: h, type: string, source: source}\n"
    "          - {name: i, type: string, source: op}\n"
    "          - {name: j, type: boolean, source: source.snapshot}\n";

static volatile size_t sink;

static void keep_text(duckdb_vector vector, idx_t row, const char *p, idx_t n)
{
    (void)vector, (void)row;
    for (idx_t i = 0; i < n; i++)
        sink += (size_t)p[i];
}

enum { COLUMNS = 10 + RAW_EXTRA_COUNT, WIDEST = 16 };

static void decode_all(struct avro_file_reader *file, const struct raw_group *group)
{
    static uint64_t data[COLUMNS][WIDEST / 8], valid[COLUMNS][1];
    static duckdb_vector vectors[COLUMNS];
    void *data_of[COLUMNS];
    uint64_t *valid_of[COLUMNS];
    struct raw_cursor cursor = { .vectors = vectors, .data = data_of, .valid = valid_of, .group = group };
    struct avro_block block;
    struct err err;

    for (size_t i = 0; i < COLUMNS; i++) {
        data_of[i] = data[i];
        valid_of[i] = valid[i];
    }
    cursor.scratch.max = 1 << 20;
    while (!avro_file_next(file, &block, &err)) {
        cursor.reader = avro_reader_of(block.bytes);
        for (uint64_t i = 0; i < block.objects && i < 1000; i++)
            if (!raw_decode(group->plan->root, &cursor))
                break;
    }
    buf_free(&cursor.scratch);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char key[] = "fuzz";
    static struct raw_file named = { .key = key };
    static struct raw_files files = { .files = &named, .count = 1 };
    static struct stage_config config;
    struct avro_file_reader *file = NULL;
    struct err err = { 0 };

    if (!config.count && stage_config_parse(str_of(table_text), "f.yaml", &config, &err))
        abort();
    duck.vector_assign_string_element_len = keep_text;
    if (avro_file_open(str_n((const char *)data, size), "fuzz", &file, &err))
        return 0;
    struct raw_group *group = NEW(struct raw_group);
    group->table = &config.tables[0];
    group->files = &files;
    group->members = NEW_ARRAY(size_t, 1);
    group->member_count = 1;
    CLEANUP(buf_free) struct buf text = { 0 };
    avro_schema_print(avro_file_schema(file), &text);
    if (!avro_schema_parse(buf_str(&text), &group->schema, &err) && !raw_compile(group, &err))
        decode_all(file, group);
    avro_file_reader_free(file);
    raw_groups_free(group, 1);
    return 0;
}
