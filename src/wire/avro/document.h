/* What an avro_document is made of; private to this folder. */
#ifndef WIRE_AVRO_DOCUMENT_H
#define WIRE_AVRO_DOCUMENT_H

#include "wire/avro/schema.h"

enum { AVRO_DOCUMENT_BYTES_MAX = 128 << 20 };

struct avro_document {
    struct arena arena;
    json_t *json;     /* texts and props are views into it */
    json_t *owned;    /* array of values made while parsing */
    struct map names; /* full name -> struct avro_schema *, defined here */
    const struct avro_document **known;
    size_t known_count;
    const struct avro_schema *root;
    struct avro_schema *primitives[AVRO_STRING + 1]; /* those without props are shared */
    int node_count;
};

/* As avro_json_print with the members of all objects in order of their names (bytewise). */
void avro_json_print_sorted(const json_t *value, struct buf *out);
struct str avro_json_text(const json_t *value); /* view; absent when it is not a string */
/* Sets logical, precision and scale from the props, where they are valid. */
void avro_logical_parse(struct avro_schema *node);
bool avro_is_primitive(struct str name, enum avro_type *out);
/* Java's NaN, Infinity, -Infinity. */
bool avro_double_word(struct str text, double *out);

#endif
