/*
 * models/stage/stage_tables.yaml: which raw files become which stage tables.
 *
 *     version: 1
 *     sources:
 *       - name: storefront_cdc
 *         description: text                       optional
 *         namespace: stage.storefront             optional; where its tables go
 *         tables:
 *           - name: orders
 *             description: text                   optional
 *             source_path: s3a://raw/kafka/storefront.public.orders/
 *             format: avro
 *             filter_op: [c, u, r, d]             optional; which events are kept; none: all
 *             key: [id]                           optional; for verify; default: id, if there is such a column
 *             schema:
 *               - {name: id, type: bigint, source: after.id}
 *             partitions: [event_date]            optional; columns, or day(c), month(c), year(c), hour(c),
 *                                                 truncate(n, c)
 *             table_properties: {format-version: '2', write.distribution-mode: hash}    optional
 *
 * Types are Spark's names.  Errors carry line and column.  Private to lake/build.
 */
#ifndef LAKE_BUILD_STAGE_YAML_H
#define LAKE_BUILD_STAGE_YAML_H

#include "base/base.h"

enum {
    STAGE_FILE_MAX = 4 << 20, /* bytes */
    STAGE_TABLES_MAX = 1000,
    STAGE_COLUMNS_MAX = 1000, /* of one table */
    STAGE_LIST_MAX = 100,     /* filter_op, partitions, key, table_properties */
};

struct stage_column {
    char *name;
    char *source;       /* "after.id" */
    char *type;         /* Iceberg's: "long", "decimal(10,2)" */
    char *duck_type;    /* DuckDB's, narrower where Spark's is: "BIGINT", "SMALLINT" */
    char *written_type; /* as in the file, for messages */
    int line;
};
struct stage_partition {
    char *column, *transform; /* "identity", "day" */
};
struct stage_property {
    char *name, *value;
};
struct stage_table {
    char *name, *namespace, *source_path;
    char **ops;
    size_t op_count;
    char **key;
    size_t key_count;
    struct stage_column *columns;
    size_t column_count;
    struct stage_partition *partitions;
    size_t partition_count;
    struct stage_property *properties;
    size_t property_count;
    int line;
};
struct stage_config {
    struct stage_table *tables;
    size_t count;
};

/* file_name is for messages only: "stage_tables.yaml:12:9: ..." */
MUST_CHECK enum rc stage_config_parse(struct str text, const char *file_name, struct stage_config *out,
                                      struct err *err);
void stage_config_free(struct stage_config *config);
/* Is that op kept? */
bool stage_keeps(const struct stage_table *table, const char *op);

#endif
