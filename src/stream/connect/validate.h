/*
 * A configuration checked against the rows of its class, and what was found in Connect's words:
 * ConfigInfos of PUT /connector-plugins/{p}/config/validate.
 */
#ifndef STREAM_CONNECT_VALIDATE_H
#define STREAM_CONNECT_VALIDATE_H

#include <jansson.h>

#include "stream/connect/plugin.h"

enum { VALIDATION_ERRORS_MAX = 1000 };

struct validation_found {
    char *option, *text;
};

/* In the order found. */
struct validation {
    struct validation_found *found;
    size_t count;
};

void validation_free(struct validation *validation);
/* station may be NULL: then peers are not asked. */
void validate(const struct station *station, const struct connector_class *class, const struct connector_config *config,
              struct validation *out);
/* {"name","error_count","groups","configs"} */
json_t *validation_infos(const struct connector_class *class, const struct connector_config *config,
                         const struct validation *validation);
/* "Connector configuration is invalid and contains the following 2 error(s):\n…" */
void validation_words(const struct validation *validation, struct buf *out);
/* [ConfigKeyInfo] of a class. */
json_t *class_keys(const struct connector_class *class);

#endif
