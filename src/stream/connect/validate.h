/* What validation of a configuration found, in the order found. */
#ifndef STREAM_CONNECT_VALIDATE_H
#define STREAM_CONNECT_VALIDATE_H

#include "stream/connect/plugin.h"

enum { VALIDATION_ERRORS_MAX = 1000 };

struct validation_found {
    char *option, *text;
};

struct validation {
    struct validation_found *found;
    size_t count;
};

void validation_free(struct validation *validation);

#endif
