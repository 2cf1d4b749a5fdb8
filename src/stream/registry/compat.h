/*
 * May a reader's schema read what a writer's wrote?  Avro's rules as Avro-Java 1.11 has them
 * (SchemaCompatibility), with the messages that a 7.9 registry gives.
 */
#ifndef STREAM_REGISTRY_COMPAT_H
#define STREAM_REGISTRY_COMPAT_H

#include "base/base.h"
#include "wire/avro/avro.h"

enum { COMPAT_MESSAGES_MAX = 1000 };

enum compat_level {
    COMPAT_NONE,
    COMPAT_BACKWARD,
    COMPAT_BACKWARD_TRANSITIVE,
    COMPAT_FORWARD,
    COMPAT_FORWARD_TRANSITIVE,
    COMPAT_FULL,
    COMPAT_FULL_TRANSITIVE,
};
bool compat_level_of(struct str name, enum compat_level *out); /* any case */
const char *compat_level_name(enum compat_level level);        /* "BACKWARD" */
bool compat_is_transitive(enum compat_level level);

struct compat_messages {
    char **texts;
    size_t count;
};
void compat_messages_free(struct compat_messages *messages);
void compat_messages_add(struct compat_messages *messages, char *text); /* takes text over */

/*
 * Checks one pair; messages are added for each incompatibility, none means compatible.  RC_BAD_INPUT: a reader's
 * field matches two of the writer's.
 */
MUST_CHECK enum rc compat_check(enum compat_level level, const struct avro_schema *new_schema,
                                const struct avro_schema *old_schema, struct compat_messages *messages,
                                struct err *err);

#endif
