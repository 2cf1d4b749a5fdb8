/*
 * The schema of a file from the schema of its records: what Confluent's AvroData makes of an Avro
 * schema when it goes to Connect and back.  Bodies are copied as they are, so the layout never changes;
 * where AvroData would change it (["string","null"] becomes ["null","string"]; enumerations become
 * texts without enhanced support) the records' own layout stays.
 */
#ifndef STREAM_CONNECT_S3_FILE_SCHEMA_H
#define STREAM_CONNECT_S3_FILE_SCHEMA_H

#include "wire/avro/avro.h"

struct file_schema_options {
    bool no_meta_data; /* connect.meta.data=false */
    int version;       /* of the top record, when its schema says none itself; 0: unknown */
};

/* Appends Avro schema text.  RC_BAD_INPUT: `schema` is not an Avro schema. */
MUST_CHECK enum rc file_schema_make(struct str schema, const struct file_schema_options *options, struct buf *out,
                                    struct err *err);

#endif
