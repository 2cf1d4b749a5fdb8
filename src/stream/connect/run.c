/*
 * The thread of a task: resolves the configuration, runs the connector's code, and after a failure
 * says so, pauses and runs it again, for as long as nobody says stop.
 *
 * A task that does not end in time when told to is left to itself: its run is no longer the
 * task's, so it writes no status any more, and what it holds is freed when its thread ends.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "stream/connect/worker.h"

static void run_release(struct task_run *run)
{
    if (atomic_fetch_sub(&run->users, 1) != 1)
        return;
    close(run->ctx.wakeup_fd);
    config_free(&run->config);
    free(run->name);
    free(run);
}

void run_status(struct task_run *run, enum run_state state, const char *trace)
{
    struct worker *worker = run->worker;

    pthread_mutex_lock(&worker->lock);
    if (run->task && run->task->run == run)
        status_set(worker, run->connector, run->task->number, state, trace);
    pthread_mutex_unlock(&worker->lock);
}

static void wait_for_stop(struct task_run *run, int64_t ms)
{
    int64_t deadline = ms < 0 ? INT64_MAX : clock_mono_ms() + ms;

    while (!atomic_load(&run->stop)) {
        int64_t left = ms < 0 ? -1 : deadline - clock_mono_ms();
        if (ms >= 0 && left <= 0)
            return;
        task_wait(&run->ctx, (int)left);
    }
}

/* The pause before the next try: doubles from failure to failure, shorter when only a peer is away. */
static int64_t next_pause(int64_t last_ms, enum rc rc)
{
    int64_t most = rc == RC_RETRY ? RESTART_PAUSE_AWAY_MAX_MS : RESTART_PAUSE_MAX_MS;

    return MIN(last_ms ? last_ms * 2 : RESTART_PAUSE_FIRST_MS, most);
}

static enum rc run_once(struct task_run *run, struct err *err)
{
    const struct connector_class *class = run->config.class;

    if (!class)
        return err_set(err, RC_BAD_INPUT, "connector class '%s' is not one that is built in",
                       config_given(&run->config, "connector.class") ?: "");
    return class->kind == CONNECTOR_SOURCE ? source_run(run, err) : sink_run(run, err);
}

static void *run_main(void *user)
{
    struct task_run *run = user;
    int64_t pause = 0;

    while (!atomic_load(&run->stop)) {
        struct err err = { 0 };
        run->started_ms = 0;
        enum rc rc = run_once(run, &err);
        if (atomic_load(&run->stop))
            break;
        if (rc == RC_OK) {
            log_info("task has nothing left to do", "connector=%s task=%d", run->name, run->ctx.task);
            wait_for_stop(run, -1);
            break;
        }
        if (run->started_ms && clock_mono_ms() - run->started_ms > RESTART_FORGET_MS)
            pause = 0;
        pause = next_pause(pause, rc);
        log_error("task failed", "connector=%s task=%d restart_in_ms=%lld cause=%s", run->name, run->ctx.task,
                  (long long)pause, err.text);
        run_status(run, STATE_FAILED, err.text);
        wait_for_stop(run, pause);
    }
    run_release(run);
    return NULL;
}

void run_start(struct worker *worker, struct connector *connector, struct task *task)
{
    struct task_run *run = NEW(struct task_run);

    run->worker = worker;
    run->connector = connector;
    run->task = task;
    run->name = mem_strdup(connector->name);
    provider_resolve(worker, &task->config, &run->config);
    run->ctx = (struct task_context){ .station = worker->station,
                                      .config = &run->config,
                                      .connector = run->name,
                                      .task = task->number,
                                      .bootstrap = worker->bootstrap,
                                      .worker = &worker->settings,
                                      .wakeup_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK) };
    atomic_store(&run->users, 2);
    pthread_mutex_lock(&worker->lock);
    task->run = run;
    pthread_mutex_unlock(&worker->lock);
    int error = run->ctx.wakeup_fd < 0 ? errno : pthread_create(&run->thread, NULL, run_main, run);
    if (!error)
        return;
    run_status(run, STATE_FAILED, strerror(error));
    pthread_mutex_lock(&worker->lock);
    task->run = NULL;
    pthread_mutex_unlock(&worker->lock);
    atomic_store(&run->users, 1);
    run_release(run);
}

void run_tell_stop(struct task *task)
{
    uint64_t one = 1;

    if (!task->run)
        return;
    atomic_store(&task->run->stop, true);
    if (write(task->run->ctx.wakeup_fd, &one, sizeof one) < 0)
        return; /* the counter is full: then it is readable already */
}

void run_stop(struct worker *worker, struct task *task)
{
    struct task_run *run = task->run;
    struct timespec deadline;

    if (!run)
        return;
    run_tell_stop(task);
    clock_gettime(CLOCK_REALTIME, &deadline);
    deadline.tv_sec += STOP_WAIT_MS / 1000;
    int error = pthread_timedjoin_np(run->thread, NULL, &deadline);
    if (error) {
        log_warn("task does not end, left to itself", "connector=%s task=%d", run->name, task->number);
        pthread_detach(run->thread);
        atomic_fetch_add(&worker->abandoned, 1);
    }
    pthread_mutex_lock(&worker->lock);
    task->run = NULL;
    run->task = NULL;
    pthread_mutex_unlock(&worker->lock);
    run_release(run);
}
