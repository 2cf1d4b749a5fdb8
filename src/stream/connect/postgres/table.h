/*
 * A table and its types, as the catalogue and the relation message together describe them.
 * The connector's catalogue reader fills these; the event program (event.h) is compiled from them.  Rows are
 * arrays of struct pg_value (wire/pg), one per column, in the order of `columns`.
 */
#ifndef STREAM_CONNECT_POSTGRES_TABLE_H
#define STREAM_CONNECT_POSTGRES_TABLE_H

#include "base/base.h"

enum { PG_NO_TYPMOD = -1, PG_COLUMNS_MAX = 1664, PG_LABELS_MAX = 1 << 20 };

/* A row of pg_type with what hangs on it. */
struct pg_type {
    uint32_t oid;
    char *schema;                  /* "pg_catalog" */
    char *name;                    /* typname: "int4", "_text", "mood" */
    char kind;                     /* typtype: b base, c composite, d domain, e enum, p pseudo, r range, m multirange */
    char category;                 /* typcategory; 'A': an array */
    const struct pg_type *element; /* of an array (category A and typelem), else NULL; same registry */
    const struct pg_type *base;    /* of a domain: typbasetype, else NULL; same registry */
    int32_t base_typmod;           /* of a domain: typtypmod */
    char **labels;                 /* of an enum: in the order of pg_enum's rows (ctid), as Debezium lists them */
    size_t label_count;
};

/* All types read so far, by oid.  They stay until the registry is freed; tables point into it. */
struct pg_types {
    struct map rows; /* decimal oid -> struct pg_type */
};
/* An empty type of that oid to fill in, or the one that is there already.  Texts set in it must be mem_*'s. */
struct pg_type *pg_types_add(struct pg_types *types, uint32_t oid);
const struct pg_type *pg_types_get(const struct pg_types *types, uint32_t oid); /* NULL: not read yet */
/* The types every server has (bool, int4, _int4, …) under their fixed oids; for tests and for a start. */
void pg_types_add_builtin(struct pg_types *types);
void pg_types_free(struct pg_types *types);

struct pg_table_column {
    char *name;     /* UTF-8 */
    int16_t number; /* pg_attribute.attnum */
    const struct pg_type *type;
    int32_t typmod; /* PG_NO_TYPMOD if none */
    bool not_null;
    char *default_text; /* pg_get_expr(adbin, adrelid); NULL: none, and for generated and identity columns */
    char identity;      /* attidentity: 'a', 'd' or 0 */
    char generated;     /* attgenerated: 's' or 0 */
};

struct pg_table {
    uint32_t oid;
    char *schema, *name;
    struct pg_table_column
        *columns; /* in the order in which rows come; no dropped ones, and only those that rows have */
    size_t column_count;
    size_t *key; /* indexes into columns, in the key's order: primary key, else the unique index that serves */
    size_t key_count;
    char replica_identity; /* relreplident: d, f, i, n */
};
void pg_table_free(struct pg_table *table); /* what it owns, not itself; types are the registry's */
/* Room for count columns, zeroed, with typmod PG_NO_TYPMOD. */
void pg_table_set_columns(struct pg_table *table, size_t count);

#endif
