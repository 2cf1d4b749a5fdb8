/*
 * Avro schemas (specification 1.11, and where it is silent Avro-Java 1.11, because a schema registry
 * stores what Java prints).  A text becomes a document: a graph of nodes in one arena, freed at once.
 * A second mention of a named type is the same node, so a recursive record is a cycle: whoever walks
 * a graph follows data or counts depth.
 *
 * Documents are immutable after parsing and may be read from any thread.
 */
#ifndef WIRE_AVRO_SCHEMA_H
#define WIRE_AVRO_SCHEMA_H

#include <jansson.h>

#include "base/base.h"

enum {
    AVRO_SCHEMA_TEXT_MAX = 4 << 20, /* bytes of JSON */
    AVRO_SCHEMA_DEPTH_MAX = 128,    /* types inside types, and JSON inside JSON */
    AVRO_FIXED_SIZE_MAX = 16 << 20, /* bytes */
};

enum avro_type {
    AVRO_NULL,
    AVRO_BOOLEAN,
    AVRO_INT,
    AVRO_LONG,
    AVRO_FLOAT,
    AVRO_DOUBLE,
    AVRO_BYTES,
    AVRO_STRING,
    AVRO_RECORD,
    AVRO_ENUM,
    AVRO_ARRAY,
    AVRO_MAP,
    AVRO_UNION,
    AVRO_FIXED,
};

/* What a valid `logicalType` says; an unknown one, or one on a wrong type, is AVRO_PLAIN and only a prop. */
enum avro_logical {
    AVRO_PLAIN,
    AVRO_DECIMAL, /* bytes, fixed: big-endian two's complement, see precision and scale */
    AVRO_UUID,
    AVRO_DATE,
    AVRO_TIME_MILLIS,
    AVRO_TIME_MICROS,
    AVRO_TIMESTAMP_MILLIS,
    AVRO_TIMESTAMP_MICROS,
    AVRO_LOCAL_TIMESTAMP_MILLIS,
    AVRO_LOCAL_TIMESTAMP_MICROS,
    AVRO_DURATION, /* fixed(12) */
};

enum avro_order { AVRO_ASCENDING, AVRO_DESCENDING, AVRO_IGNORE };

struct avro_prop {
    struct str name;
    const json_t *value;
};

struct avro_schema;
struct avro_field {
    struct str name;
    struct str doc; /* absent view: none */
    const struct avro_schema *type;
    const json_t *fallback; /* the default; NULL: none (a default of null is json_null()) */
    enum avro_order order;
    const struct str *aliases;
    size_t alias_count;
    const struct avro_prop *props; /* unknown members in the order of the text: "field-id", ... */
    size_t prop_count;
};

struct avro_schema {
    enum avro_type type;
    int id; /* number of this node in its document, from 0: an index for what a user attaches to nodes */
    /* named types: record, enum, fixed */
    struct str name;           /* "Value" */
    struct str space;          /* "inv.public.customers"; "" if none */
    struct str full_name;      /* "inv.public.customers.Value" */
    struct str doc;            /* absent view: none */
    const struct str *aliases; /* full names */
    size_t alias_count;
    bool is_error;                   /* record written as "error" */
    const struct avro_field *fields; /* record */
    size_t field_count;
    const struct str *symbols; /* enum */
    size_t symbol_count;
    struct str fallback_symbol;          /* enum's default; absent view: none */
    int64_t size;                        /* fixed, in bytes */
    const struct avro_schema *items;     /* array: of its items; map: of its values */
    const struct avro_schema **branches; /* union */
    size_t branch_count;
    const struct avro_prop *props; /* unknown members in the order of the text, logicalType among them */
    size_t prop_count;
    enum avro_logical logical;
    int precision, scale; /* AVRO_DECIMAL */
};

struct avro_document;

/*
 * Parses a schema's JSON text.  Errors are RC_BAD_INPUT (RC_FULL beyond a limit above) and say where:
 * "invalid schema: at /fields/2/type: 'Foo' is not a defined name".
 */
MUST_CHECK enum rc avro_schema_parse(struct str text, struct avro_document **out, struct err *err);
/* As avro_schema_parse; the named types that `known` define may be mentioned (list also those that they mention).
 * Those documents must outlive the result. */
MUST_CHECK enum rc avro_schema_parse_with(struct str text, const struct avro_document *const *known, size_t known_count,
                                          struct avro_document **out, struct err *err);
void avro_document_free(struct avro_document *document); /* NULL is fine */
const struct avro_schema *avro_root(const struct avro_document *document);
size_t avro_node_count(const struct avro_document *document); /* ids are below it */
/* A named type by its full name, NULL if there is none. */
const struct avro_schema *avro_document_find(const struct avro_document *document, struct str full_name);

/* Appends what Avro-Java's Schema.toString() prints: the text a schema registry stores and answers. */
void avro_schema_print(const struct avro_document *document, struct buf *out);
/* Appends any node as a schema of its own: each named type in full where it is first met. */
void avro_schema_print_node(const struct avro_schema *schema, struct buf *out);
/* Appends what Confluent's normalize=true makes of it.  RC_BAD_INPUT for defaults that do not fit. */
MUST_CHECK enum rc avro_schema_print_normal(const struct avro_document *document, struct buf *out, struct err *err);
/* Equality as a schema registry has it: all of the text counts, but for the order of props and aliases. */
bool avro_schema_equal(const struct avro_schema *a, const struct avro_schema *b);
/* Every field's default fits its type (a union's: its first branch).  RC_BAD_INPUT names the field. */
MUST_CHECK enum rc avro_schema_check_defaults(const struct avro_document *document, struct err *err);

/* JSON as Jackson prints it: compact, UTF-8 as it is, doubles as Java's Double.toString. */
void avro_json_print(const json_t *value, struct buf *out);
void avro_json_print_str(struct str s, struct buf *out); /* quoted and escaped */
/* Java's Double.toString, with `single` Float.toString; NaN and infinities in quotes. */
void avro_json_print_double(double v, bool single, struct buf *out);

const char *avro_type_name(enum avro_type type);                                             /* "record" */
const struct avro_field *avro_field_find(const struct avro_schema *record, struct str name); /* NULL if none */
/* NULL if none; any node or field has props. */
const json_t *avro_schema_prop(const struct avro_schema *schema, const char *name);
const json_t *avro_field_prop(const struct avro_field *field, const char *name);
int avro_enum_index(const struct avro_schema *schema, struct str symbol); /* -1 if none */
/* For ["null", T] and [T, "null"]: T, and the number of the null branch; else NULL. */
const struct avro_schema *avro_nullable(const struct avro_schema *schema, int *null_branch);

#endif
