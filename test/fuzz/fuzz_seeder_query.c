/* Any text as the query of a request to the seeder: read within its bounds, or refused with FastAPI's words as JSON. */
#include <stdlib.h>

#include "source/seeder/param.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct param params[] = {
    { "count", PARAM_INTEGER, false, 1, 0, 1000, true, "how many" },
    { "rate", PARAM_NUMBER, false, 0.5, 0, 1, false, "how often" },
    { "seed", PARAM_INTEGER, true, 0, 0, 2147483647, false, "where to begin" },
};

static void check_values(const double values[static 3])
{
    for (size_t i = 0; i < ARRAY_LEN(params); i++) {
        const struct param *p = &params[i];
        bool is_absent = p->optional && values[i] == -1;
        if (!is_absent && !(values[i] <= p->max && (p->min_excluded ? values[i] > p->min : values[i] >= p->min)))
            abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct http_request request = { .query = str_n((const char *)data, size) };
    struct http_response response = { 0 };
    double values[ARRAY_LEN(params)];

    if (param_read(&request, params, ARRAY_LEN(params), values, &response)) {
        check_values(values);
    } else {
        json_t *body = json_loadb(response.body.data, response.body.len, JSON_ALLOW_NUL, NULL);
        if (response.status != 422 || !json_array_size(json_object_get(body, "detail")))
            abort();
        json_decref(body);
    }
    buf_free(&response.body);
    arena_free(&request.arena);
    return 0;
}
