/* A full seed and the stream; see traffic.h. The stream's pace is kept by deadlines: a slow batch is caught up. */
#include "source/seeder/traffic.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

enum { RETRY_PAUSE_MS = 1000, CATCH_UP_MS = 5000 };

void traffic_init(struct traffic *traffic, const struct station *station)
{
    pthread_condattr_t attributes;

    *traffic = (struct traffic){ .station = station };
    pthread_mutex_init(&traffic->lock, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&traffic->wake, &attributes);
    pthread_condattr_destroy(&attributes);
}

static void add_counts(struct writer_counts *to, const struct writer_counts *from)
{
    to->batches += from->batches;
    to->updated += from->updated;
    to->deleted += from->deleted;
    for (int t = 0; t < MODEL_TABLES; t++)
        to->inserted[t] += from->inserted[t];
}

/* ------------------------------------------------------------------ full */

struct share {
    struct traffic *traffic;
    int64_t *left; /* records nobody has taken yet; under traffic->lock */
    int64_t batch_size;
    struct model_random random;
    struct writer_counts counts;
    enum rc rc;
    struct err err;
    pthread_t thread;
};

static int64_t take_batch(struct share *share)
{
    pthread_mutex_lock(&share->traffic->lock);
    int64_t n = MIN(*share->left, share->batch_size);
    *share->left -= n;
    pthread_mutex_unlock(&share->traffic->lock);
    return n;
}

static void *write_share(void *user)
{
    struct share *share = user;
    struct writer writer = { .station = share->traffic->station };

    for (int64_t n = 0; !share->rc && (n = take_batch(share)) > 0;)
        share->rc = writer_insert(&writer, &share->random, (size_t)n, &share->counts, &share->err);
    writer_close(&writer);
    return NULL;
}

enum rc traffic_full(struct traffic *traffic, int64_t count, int64_t batch_size, int64_t seed,
                     struct writer_counts *out, struct err *err)
{
    struct share shares[TRAFFIC_WRITERS];
    int writers = seed >= 0 || count <= batch_size ? 1 : TRAFFIC_WRITERS;
    int64_t left = count;
    enum rc rc = RC_OK;

    for (int i = 0; i < writers; i++) {
        shares[i] = (struct share){ .traffic = traffic, .left = &left, .batch_size = batch_size };
        shares[i].random = model_random_of(seed >= 0 ? (uint64_t)seed : random_u64());
    }
    for (int i = 1; i < writers; i++)
        if (pthread_create(&shares[i].thread, NULL, write_share, &shares[i]))
            writers = i; /* fewer hands do it too */
    write_share(&shares[0]);
    for (int i = 0; i < writers; i++) {
        if (i > 0)
            pthread_join(shares[i].thread, NULL);
        add_counts(out, &shares[i].counts);
        if (shares[i].rc && !rc) {
            rc = shares[i].rc;
            *err = shares[i].err;
        }
    }
    pthread_mutex_lock(&traffic->lock);
    add_counts(&traffic->counts, out);
    pthread_mutex_unlock(&traffic->lock);
    return rc;
}

/* ---------------------------------------------------------------- stream */

/* Waits until the deadline or until stopped; the lock is held. */
static void wait_until(struct traffic *traffic, int64_t deadline_ns)
{
    struct timespec at = { .tv_sec = deadline_ns / 1000000000, .tv_nsec = deadline_ns % 1000000000 };

    while (!traffic->stop && clock_mono_ns() < deadline_ns)
        pthread_cond_timedwait(&traffic->wake, &traffic->lock, &at);
}

static enum rc one_batch(struct writer *writer, struct model_random *random, const struct traffic_plan *plan,
                         struct writer_counts *counts, struct err *err)
{
    enum rc rc = writer_insert(writer, random, (size_t)plan->batch_size, counts, err);

    if (!rc && (plan->updates || plan->deletes))
        rc = writer_change(writer, random, (int)plan->updates, (int)plan->deletes, counts, err);
    return rc;
}

static void *run_stream(void *user)
{
    struct traffic *traffic = user;
    struct traffic_plan plan = traffic->plan;
    struct writer writer = { .station = traffic->station };
    struct model_random random = model_random_of(plan.seed >= 0 ? (uint64_t)plan.seed : random_u64());
    int64_t period = (int64_t)(1e9 / plan.rate), deadline = clock_mono_ns();

    pthread_mutex_lock(&traffic->lock);
    while (!traffic->stop) {
        struct writer_counts counts = { 0 };
        struct err err = { 0 };
        pthread_mutex_unlock(&traffic->lock);
        enum rc rc = one_batch(&writer, &random, &plan, &counts, &err);
        if (rc)
            log_warn("batch failed, going on", "cause=%s", err.text);
        pthread_mutex_lock(&traffic->lock);
        add_counts(&traffic->counts, &counts);
        memcpy(traffic->last_error, err.text, sizeof err.text);
        deadline = MAX(deadline + period, clock_mono_ns() - CATCH_UP_MS * 1000000LL);
        wait_until(traffic, rc ? clock_mono_ns() + RETRY_PAUSE_MS * 1000000LL : deadline);
    }
    pthread_mutex_unlock(&traffic->lock);
    writer_close(&writer);
    return NULL;
}

enum rc traffic_start(struct traffic *traffic, const struct traffic_plan *plan, struct err *err)
{
    enum rc rc = RC_OK;

    pthread_mutex_lock(&traffic->lock);
    if (traffic->running) {
        rc = err_set(err, RC_EXISTS, "Seeding is already running");
    } else {
        traffic->plan = *plan;
        traffic->stop = false;
        traffic->started_ms = clock_wall_ms();
        traffic->running = pthread_create(&traffic->thread, NULL, run_stream, traffic) == 0;
        if (!traffic->running)
            rc = err_set(err, RC_RETRY, "cannot start a thread for the stream");
    }
    pthread_mutex_unlock(&traffic->lock);
    return rc;
}

bool traffic_stop(struct traffic *traffic)
{
    pthread_mutex_lock(&traffic->lock);
    bool mine = traffic->running && !traffic->stop;
    pthread_t thread = traffic->thread;
    traffic->stop = true;
    pthread_cond_broadcast(&traffic->wake);
    pthread_mutex_unlock(&traffic->lock);
    if (!mine)
        return false;
    pthread_join(thread, NULL);
    pthread_mutex_lock(&traffic->lock);
    traffic->running = false;
    pthread_mutex_unlock(&traffic->lock);
    return true;
}

void traffic_status(struct traffic *traffic, struct traffic_status *out)
{
    pthread_mutex_lock(&traffic->lock);
    *out = (struct traffic_status){
        .running = traffic->running,
        .plan = traffic->plan,
        .started_ms = traffic->started_ms,
        .counts = traffic->counts,
    };
    memcpy(out->last_error, traffic->last_error, sizeof out->last_error);
    pthread_mutex_unlock(&traffic->lock);
}
