/* What the seeder does: a full seed now, or a stream until stopped. Private to this folder. */
#ifndef SOURCE_SEEDER_TRAFFIC_H
#define SOURCE_SEEDER_TRAFFIC_H

#include <pthread.h>

#include "source/seeder/writer.h"

enum { TRAFFIC_WRITERS = 2 };

struct traffic_plan {
    double rate;                          /* batches a second */
    int64_t batch_size, updates, deletes; /* of each batch */
    int64_t seed;                         /* -1: another one each time */
};

/* One a seeder; its functions may be called from any thread. */
struct traffic {
    const struct station *station;
    /* private */
    pthread_mutex_t lock;
    pthread_cond_t wake;
    pthread_t thread;
    bool running, stop;
    struct traffic_plan plan;
    int64_t started_ms;
    struct writer_counts counts; /* since the seeder began */
    char last_error[ERR_TEXT_MAX];
};
void traffic_init(struct traffic *traffic, const struct station *station);
/* Inserts count records in batches, on TRAFFIC_WRITERS connections (one when seeded: the order then counts). */
MUST_CHECK enum rc traffic_full(struct traffic *traffic, int64_t count, int64_t batch_size, int64_t seed,
                                struct writer_counts *out, struct err *err);
/* RC_EXISTS when a stream runs already. */
MUST_CHECK enum rc traffic_start(struct traffic *traffic, const struct traffic_plan *plan, struct err *err);
/* False when none ran.  Returns when the batch that was on its way is committed. */
bool traffic_stop(struct traffic *traffic);
/* A consistent copy of what /status and /metrics show. */
struct traffic_status {
    bool running;
    struct traffic_plan plan;
    int64_t started_ms;
    struct writer_counts counts;
    char last_error[ERR_TEXT_MAX];
};
void traffic_status(struct traffic *traffic, struct traffic_status *out);

#endif
