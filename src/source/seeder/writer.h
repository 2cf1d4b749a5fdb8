/* Batches into PostgreSQL: ids reserved, rows by COPY, one transaction each. Private to this folder. */
#ifndef SOURCE_SEEDER_WRITER_H
#define SOURCE_SEEDER_WRITER_H

#include "net/net.h"
#include "source/seeder/model.h"

struct writer_counts {
    int64_t batches, inserted[MODEL_TABLES], updated, deleted;
};

/* One connection's worth of writer; not for two threads at once. */
struct writer {
    const struct station *station;
    PGconn *conn; /* NULL: not connected yet, or lost */
    struct buf rows[MODEL_TABLES];
};
void writer_close(struct writer *writer);
/* Inserts one batch of n records; adds to *counts only what was committed.  RC_RETRY: the connection was lost
 * (the next call connects again); whether the batch was committed is then unknown only if COMMIT was on its way. */
MUST_CHECK enum rc writer_insert(struct writer *writer, struct model_random *random, size_t records,
                                 struct writer_counts *counts, struct err *err);
/* Changes and removes existing rows at random, in one transaction. */
MUST_CHECK enum rc writer_change(struct writer *writer, struct model_random *random, int updates, int deletes,
                                 struct writer_counts *counts, struct err *err);

#endif
