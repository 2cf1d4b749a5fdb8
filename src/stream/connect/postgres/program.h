/* The compiled form of a table: which columns, in which order, and all bytes that stay the same.  Private. */
#ifndef STREAM_CONNECT_POSTGRES_PROGRAM_H
#define STREAM_CONNECT_POSTGRES_PROGRAM_H

#include "base/base.h"
#include "stream/connect/postgres/event.h"
#include "stream/connect/postgres/value.h"
#include "wire/pg/pg.h"

enum { NO_BRANCH = -1, FIELDS_DEPTH = 3 };

/* A column in a key or a row, for one of the two forms. */
struct program_column {
    struct value_type *type; /* the program's */
    size_t at;               /* in the row */
    bool optional;
    signed char branch;   /* Avro: of a value that is there; NO_BRANCH: not a union */
    struct buf name;      /* JSON: "id": with its quotes and colon */
    struct buf null;      /* what stands for null */
    struct buf unchanged; /* what stands for an unchanged toasted value */
    bool has_unchanged;
};

/* A key or a row in the form of one converter. */
struct program_row {
    enum converter_kind kind;
    bool decimal_numeric;
    bool replaces_null; /* a null where the schema has a default becomes the default */
    struct program_column *columns;
    size_t column_count;
};

/* One side of the records: the converter, the schema, and its id once it is known. */
struct program_side {
    struct converter *converter;
    enum converter_kind kind;
    struct connect_schema *schema;
    struct program_row row;
    struct buf avro_text;
    struct buf header; /* Avro: the five bytes; JSON with schemas: {"schema":…,"payload": */
    bool has_header;
    bool closes_brace; /* JSON with schemas */
};

struct event_program {
    const struct event_options *options;
    char *schema, *table;
    char *topic, *record_base;
    char **column_names; /* of the table, for words */
    size_t column_count;
    bool *is_key; /* by place in the row */
    bool *is_included;
    size_t *key;
    size_t key_count;
    struct value_type **types; /* by place in the row; NULL: left out */
    struct program_side key_side, value_side;
    struct program_row header; /* the key in headers' text */
    /* of the source block and the envelope, in the value's form */
    struct buf source_head, source_db, source_table;
    struct buf default_snapshot; /* what a streaming record's source.snapshot is */
    struct value_work work;
};

struct connect_schema *event_source_schema(void);
struct connect_schema *event_block_schema(void);
/* Makes the header of a side: text, and for Avro its id (the registry is asked). */
MUST_CHECK enum rc program_side_open(struct program_side *side, struct str topic, struct err *err);
/* Sets converter, kind, schema (taken over) and the schema's texts. */
MUST_CHECK enum rc program_side_init(struct program_side *side, struct converter *converter,
                                     struct connect_schema *schema, struct err *err);
void program_side_free(struct program_side *side);
void program_row_free(struct program_row *row);

#endif
