/*
 * The storefront's rows, invented. Private to this folder.
 *
 * A batch of n records: n / 2 customers, n products, n orders, each order with one to four items of
 * distinct products and one payment.  The same seed gives the same rows, but for orders' times (now).
 */
#ifndef SOURCE_SEEDER_MODEL_H
#define SOURCE_SEEDER_MODEL_H

#include "base/base.h"

enum { MODEL_ITEMS_MAX = 4, MODEL_BATCH_MAX = 100000 };

enum model_table { MODEL_CUSTOMERS, MODEL_PRODUCTS, MODEL_ORDERS, MODEL_ITEMS, MODEL_PAYMENTS, MODEL_TABLES };
extern const char *const model_table_names[MODEL_TABLES];
extern const char *const model_columns[MODEL_TABLES]; /* as COPY names them */

struct model_random {
    uint64_t state[4]; /* xoshiro256** */
};
struct model_random model_random_of(uint64_t seed);
uint64_t model_below(struct model_random *random, uint64_t n); /* 0 .. n - 1 */

/* Ids that the rows of one batch get, reserved in the database beforehand. */
struct model_ids {
    int64_t *ids[MODEL_TABLES];
    size_t counts[MODEL_TABLES];
};

/* What an order may refer to besides the batch's own rows: a batch of one has no customer of its own. */
struct model_known {
    int64_t customer; /* 0: none */
};

/* How many rows of each table a batch of n records has; the number of items is drawn from *random. */
struct model_plan {
    size_t records;
    size_t counts[MODEL_TABLES];
    uint8_t *items; /* of each order */
};
void model_plan_make(struct model_random *random, size_t records, bool has_customer, struct model_plan *out);
void model_plan_free(struct model_plan *plan);

/* Writes the batch's rows in COPY's text format, one buffer a table.  now_us: microseconds since 1970, UTC. */
void model_write(struct model_random *random, const struct model_plan *plan, const struct model_ids *ids,
                 const struct model_known *known, int64_t now_us, struct buf out[static MODEL_TABLES]);

#endif
