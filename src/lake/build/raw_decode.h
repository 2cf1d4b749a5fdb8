/* The program that decodes raw events of one schema into DuckDB vectors.  Private to the raw_*.c files. */
#ifndef LAKE_BUILD_RAW_DECODE_H
#define LAKE_BUILD_RAW_DECODE_H

#include "lake/build/raw.h"

enum raw_leaf {
    RAW_LEAF_BOOLEAN,
    RAW_LEAF_INT,
    RAW_LEAF_LONG,
    RAW_LEAF_FLOAT,
    RAW_LEAF_DOUBLE,
    RAW_LEAF_TEXT,
    RAW_LEAF_BYTES,
    RAW_LEAF_FIXED,
    RAW_LEAF_ENUM,
    RAW_LEAF_DECIMAL,          /* that fits DECIMAL */
    RAW_LEAF_DECIMAL_TEXT,     /* more than 38 digits: as text */
    RAW_LEAF_VARIABLE_DECIMAL, /* Debezium's record of scale and value: as text */
    RAW_LEAF_JSON,             /* anything else: as JSON text */
};

/* One node of an event's value: a leaf goes to columns, a record to its fields, NULL fields are passed over. */
struct raw_step {
    const struct avro_schema *whole; /* with its union */
    const struct avro_schema *type;  /* without */
    bool nullable;
    bool keeps; /* absent: what `before` gave stays (the step of `after`) */
    enum raw_leaf leaf;
    int column;               /* -1: a record to step into */
    struct raw_step *more;    /* the same value also goes there: one field declared as two columns */
    struct raw_step **fields; /* of a record, one a field */
};

struct raw_cursor {
    struct avro_reader reader;
    duckdb_vector *vectors;
    void **data;
    uint64_t **valid;
    idx_t row;
    const struct raw_group *group;
    struct buf scratch;
    const char *problem; /* NULL: none; then problem_column tells where */
    int problem_column;
};
/* Decodes one event into the cursor's row; columns not told are null.  False: reader failed, or problem. */
bool raw_decode(const struct raw_step *root, struct raw_cursor *cursor);

struct raw_plan {
    struct arena arena;
    struct raw_step *root;
};
/* Fills group->columns and group->plan from group->schema. */
MUST_CHECK enum rc raw_compile(struct raw_group *group, struct err *err);

#endif
