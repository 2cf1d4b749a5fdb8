/* The operations of the seeder's API: a row each, read by the handlers and by /openapi.json. Private to this folder. */
#ifndef SOURCE_SEEDER_OPERATION_H
#define SOURCE_SEEDER_OPERATION_H

#include "source/seeder/param.h"

enum operation_id {
    OPERATION_FULL,
    OPERATION_START,
    OPERATION_STOP,
    OPERATION_HEALTH,
    OPERATION_STATUS,
    OPERATION_READY,
    OPERATIONS,
};

struct operation {
    const char *method, *path;
    const char *name; /* the function's name in the original's Python; operationId is made from it */
    const char *summary, *description, *tag;
    const char *answer; /* the schema of what it answers with 200 */
    struct param params[PARAMS_MAX];
};
extern const struct operation seeder_operations[OPERATIONS];

size_t operation_param_count(const struct operation *operation);

#endif
