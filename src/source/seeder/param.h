/* Query parameters as rows: parsing, FastAPI's 422 bodies and /openapi.json come from them. Private to this folder. */
#ifndef SOURCE_SEEDER_PARAM_H
#define SOURCE_SEEDER_PARAM_H

#include <jansson.h>

#include "net/net.h"

enum param_kind { PARAM_INTEGER, PARAM_NUMBER };
enum { PARAMS_MAX = 6 };

struct param {
    const char *name;
    enum param_kind kind;
    bool optional; /* may be absent without a default: value stays -1 */
    double fallback, min, max;
    bool min_excluded; /* more than min, not min itself */
    const char *description;
};

/* Values in the rows' order.  False: the response is a 422 with one detail a wrong parameter. */
bool param_read(struct http_request *request, const struct param *params, size_t count, double *values,
                struct http_response *response);
json_t *param_openapi(const struct param *param); /* a parameter object */

#endif
