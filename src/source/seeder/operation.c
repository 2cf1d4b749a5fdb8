/*
 * The table of the seeder's operations: it gives the routes' parameters, their 422 answers and /openapi.json.
 */
#include "source/seeder/operation.h"

#include "source/seeder/model.h"

enum { COUNT_MAX = 10000000, RATE_MAX = 1000, CHANGES_MAX = 10000 };
#define SEED_MAX 9007199254740991.0 /* a whole number that a JSON number holds exactly */

/* One row an operation and one a parameter. */
/* clang-format off */
const struct operation seeder_operations[OPERATIONS] = {
    [OPERATION_FULL] = { "POST", "/seed/full", "seed_full", "Seed Full",
               "Inserts count records: per batch of n, n/2 customers, n products, n orders with items and payments.", "seed", "Seeded",
               { { "count", PARAM_INTEGER, false, 10000, 1, COUNT_MAX, false, "records to insert" },
                 { "batch_size", PARAM_INTEGER, false, 1000, 1, MODEL_BATCH_MAX, false, "records a transaction" },
                 { "seed", PARAM_INTEGER, true, -1, 0, SEED_MAX, false, "the same number gives the same rows" } } },
    [OPERATION_START] = { "POST", "/seed/start", "seed_start", "Seed Start", "Sends batches until stopped.", "seed", "Started",
                { { "rate", PARAM_NUMBER, false, 1.0, 0, RATE_MAX, true, "batches a second" },
                  { "batch_size", PARAM_INTEGER, false, 10, 1, MODEL_BATCH_MAX, false, "records a batch" },
                  { "updates", PARAM_INTEGER, false, 0, 0, CHANGES_MAX, false, "rows to update after each batch" },
                  { "deletes", PARAM_INTEGER, false, 0, 0, CHANGES_MAX, false, "orders to delete after each batch" },
                  { "seed", PARAM_INTEGER, true, -1, 0, SEED_MAX, false, "the same number gives the same rows" } } },
    [OPERATION_STOP] = { "POST", "/seed/stop", "seed_stop", "Seed Stop", "Stops the stream after the batch on its way.", "seed", "State", { { 0 } } },
    [OPERATION_HEALTH] = { "GET", "/health", "health", "Health", "Alive.", "state", "State", { { 0 } } },
    [OPERATION_STATUS] = { "GET", "/status", "status", "Status", "What runs, and what was written since the seeder began.", "state", "Traffic", { { 0 } } },
    [OPERATION_READY] = { "GET", "/ready", "ready", "Ready", "200 when the database answers, else 503 with the reason.", "state", "State", { { 0 } } },
};
/* clang-format on */

size_t operation_param_count(const struct operation *operation)
{
    size_t n = 0;

    while (n < PARAMS_MAX && operation->params[n].name)
        n++;
    return n;
}
