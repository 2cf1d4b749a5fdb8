/*
 * Records of the topic _schemas, to the byte: compaction goes by the bytes of a key, and another
 * registry may take over the topic.  Compact JSON, members in this order:
 *
 *     {"keytype":"SCHEMA","subject":"s","version":1,"magic":1}
 *         {"subject":"s","version":1,"id":1,("schemaType":..,)("references":[..],)("metadata":..,)("ruleSet":..,)
 *          "schema":"..","deleted":false}
 *     {"keytype":"CONFIG",("subject":"s",)"magic":0}      {("subject":"s",).. "compatibilityLevel":"FULL" ..}
 *     {"keytype":"MODE",("subject":"s",)"magic":0}        {("subject":"s",)"mode":"READWRITE"}
 *     {"keytype":"DELETE_SUBJECT","subject":"s","magic":0}  {"subject":"s","version":3}
 *     {"keytype":"CONTEXT","tenant":"default","context":".x","magic":0}  {"tenant":"default","context":".x"}
 *     {"keytype":"NOOP","magic":0}                          no value
 *
 * A deleted record is its key, with the bytes it was written with, and no value.
 */
#ifndef STREAM_REGISTRY_RECORD_H
#define STREAM_REGISTRY_RECORD_H

#include <jansson.h>

#include "base/base.h"

enum { RECORD_BATCH_MAX = 10000, RECORD_BYTES_MAX = 8 << 20 };

struct record {
    char *key, *value; /* owned; value NULL: a tombstone */
    size_t key_len, value_len;
};

/* What one request writes, in this order. */
struct record_batch {
    struct record *records;
    size_t count, cap;
};

struct record_schema {
    struct str subject;
    int version, id;
    struct str type;                                /* "AVRO" and absent: not written */
    const json_t *references, *metadata, *rule_set; /* NULL: none */
    struct str text;
    bool deleted;
};

void record_batch_free(struct record_batch *batch);
void record_add_schema(struct record_batch *batch, const struct record_schema *schema);
/* subject: absent view for the global one.  members: an object without "subject". */
void record_add_config(struct record_batch *batch, struct str subject, const json_t *members);
void record_add_mode(struct record_batch *batch, struct str subject, const char *mode);
void record_add_delete_subject(struct record_batch *batch, struct str subject, int version);
void record_add_context(struct record_batch *batch, struct str context);
void record_add_noop(struct record_batch *batch);
void record_add_tombstone(struct record_batch *batch, struct str key);

#endif
