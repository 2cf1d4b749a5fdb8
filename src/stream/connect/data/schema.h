/*
 * Kafka Connect's schemas: the types of `org.apache.kafka.connect.data.Schema` as a tree.  A tree is
 * built once per table and read often; nodes are counted, so one may stand at several places (the row
 * inside an envelope stands twice).  Not for values: those go from PostgreSQL's text to bytes directly.
 *
 * Two renderings, both to the byte:
 *  - Avro schema text as AvroConverter registers it (AvroData 7.6 over Avro 1.11's Schema.toString());
 *  - JSON as Connect's JsonConverter writes the "schema" of a record.
 */
#ifndef STREAM_CONNECT_DATA_SCHEMA_H
#define STREAM_CONNECT_DATA_SCHEMA_H

#include "base/base.h"

enum connect_type {
    CONNECT_INT8,
    CONNECT_INT16,
    CONNECT_INT32,
    CONNECT_INT64,
    CONNECT_FLOAT32,
    CONNECT_FLOAT64,
    CONNECT_BOOLEAN,
    CONNECT_STRING,
    CONNECT_BYTES,
    CONNECT_ARRAY,
    CONNECT_MAP,
    CONNECT_STRUCT,
};

/* A default value: which member counts follows from the schema's type.  Only scalars have one. */
struct connect_default {
    bool present;
    int64_t integer; /* int8 … int64, boolean */
    double real;     /* float32, float64 */
    char *bytes;     /* string, bytes (of a Decimal: its unscaled two's complement); owned by the schema */
    size_t bytes_len;
};

struct connect_parameter {
    char *name, *value;
};

struct connect_schema;
struct connect_field {
    char *name;
    struct connect_schema *schema;
};

struct connect_schema {
    unsigned users; /* private; connect_schema_ref, connect_schema_free */
    enum connect_type type;
    bool optional;
    char *name;  /* "io.debezium.time.Date"; NULL: none */
    int version; /* 0: none */
    char *doc;
    struct connect_parameter *parameters; /* in order of insertion */
    size_t parameter_count;
    struct connect_default fallback;   /* the schema's default value */
    struct connect_schema *key, *item; /* of a map: key and item; of an array: item */
    struct connect_field *fields;      /* of a struct */
    size_t field_count;
};

struct connect_schema *connect_schema_new(enum connect_type type);
/* With name and version at once; name may be NULL, it is copied. */
struct connect_schema *connect_schema_named(enum connect_type type, const char *name, int version);
struct connect_schema *connect_schema_array(struct connect_schema *item); /* takes the item over */
struct connect_schema *connect_schema_map(struct connect_schema *key, struct connect_schema *value);
struct connect_schema *connect_schema_ref(struct connect_schema *schema); /* one more owner; returns schema */
void connect_schema_free(struct connect_schema *schema);                  /* one owner less; NULL is fine */
void connect_schema_free_at(struct connect_schema **at);                  /* for CLEANUP() */

/* Setters return the schema, so that they chain.  Texts are copied. */
struct connect_schema *connect_schema_optional(struct connect_schema *schema);
struct connect_schema *connect_schema_doc(struct connect_schema *schema, const char *doc);
struct connect_schema *connect_schema_parameter(struct connect_schema *schema, const char *name, const char *value);
struct connect_schema *connect_schema_default_int(struct connect_schema *schema, int64_t value);
struct connect_schema *connect_schema_default_real(struct connect_schema *schema, double value);
struct connect_schema *connect_schema_default_bytes(struct connect_schema *schema, const void *p, size_t n);
void connect_schema_add(struct connect_schema *schema, const char *field, struct connect_schema *type); /* takes type */

const char *connect_schema_parameter_value(const struct connect_schema *schema, const char *name); /* NULL: none */
bool connect_schema_equal(const struct connect_schema *a, const struct connect_schema *b);

/* Unset members are the converters' defaults. */
struct connect_avro_options {
    bool no_meta_data;        /* connect.meta.data=false: no connect.* properties */
    bool scrub_invalid_names; /* scrub.invalid.names=true */
};

/*
 * The Avro schema text.  RC_BAD_INPUT when a name is not a name in Avro (AvroData refuses it too), or
 * when one name stands for two different records.  options may be NULL.
 */
MUST_CHECK enum rc connect_schema_to_avro(const struct connect_schema *schema,
                                          const struct connect_avro_options *options, struct buf *out, struct err *err);
/* {"type":"struct","fields":[…],"optional":false,"name":…,"version":…}, as JsonConverter's schemas.enable. */
void connect_schema_to_json(const struct connect_schema *schema, struct buf *out);
/* Reads what connect_schema_to_json writes; the schema is the caller's. */
MUST_CHECK enum rc connect_schema_of_json(struct str text, struct connect_schema **out, struct err *err);

#endif
