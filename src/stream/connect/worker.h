/*
 * The runtime's own state, shared by its files: the worker, its connectors, their tasks.
 *
 * Locks.  `worker.lock` guards what is in memory and is held for moments only, so that listings
 * answer at once whatever a connector does.  `connector.change` is held through one change of one
 * connector (new configuration, pause, delete …), which may wait for its tasks to end: one bad
 * connector never holds up another.  Order: change, then lock.
 *
 * A connector once seen stays in the map until the process ends (`exists` says whether it is
 * there), so that nobody holds a pointer to freed memory; their number is the number of names ever used.
 */
#ifndef STREAM_CONNECT_WORKER_H
#define STREAM_CONNECT_WORKER_H

#include <jansson.h>
#include <pthread.h>
#include <stdatomic.h>

#include "stream/connect/backing.h"
#include "stream/connect/options.h"
#include "stream/connect/plugin.h"

enum {
    CONNECTORS_MAX = 1000,
    TASKS_MAX = 100,               /* of one connector */
    STOP_WAIT_MS = 10000,          /* for a task to end; then it is left to itself */
    RESTART_PAUSE_FIRST_MS = 1000, /* after a failure; doubles */
    RESTART_PAUSE_AWAY_MAX_MS = 5000,
    RESTART_PAUSE_MAX_MS = 120000,
    RESTART_FORGET_MS = 60000, /* a task that ran that long begins with the first pause again */
};
#define CONNECT_VERSION "7.6.0-ccs" /* the Kafka Connect whose habits these are */

enum target_state { TARGET_STARTED, TARGET_PAUSED, TARGET_STOPPED };
enum run_state {
    STATE_UNASSIGNED,
    STATE_RUNNING,
    STATE_PAUSED,
    STATE_FAILED,
    STATE_RESTARTING,
    STATE_STOPPED,
};
const char *run_state_name(enum run_state state);
const char *target_state_name(enum target_state state);

struct status {
    enum run_state state;
    char *trace; /* NULL: none */
};

struct worker;
struct connector;
struct task {
    int number;
    struct status status;
    struct connector_config config; /* as in the config topic: not resolved */
    struct task_run *run;           /* NULL: no thread */
};

struct connector {
    char *name;
    pthread_mutex_t change;
    /* under worker.lock */
    bool exists;
    struct connector_config config; /* as given */
    enum target_state target;
    struct status status;
    struct task *tasks;
    size_t task_count;
    struct map topics;   /* name -> json_t * of its status record */
    int committed_tasks; /* as the config topic says after the connector's last record; -1: nothing */
};

struct worker {
    struct station *station;
    struct connector_config settings; /* "group.id", "value.converter", … */
    char bootstrap[ADDRESS_MAX];
    char id[ADDRESS_MAX];
    char *cluster_id;
    struct backing *backing;
    int64_t offset_flush_ms;
    bool topic_tracking;
    atomic_bool ready;
    atomic_bool stopping;
    atomic_int abandoned; /* threads left to themselves */
    pthread_mutex_t lock;
    struct map connectors; /* name -> struct connector *, owned */
};

/* ---- worker_settings.c */
MUST_CHECK enum rc worker_settings(struct worker *worker, struct err *err);

/* ---- worker.c: reading back, changing connectors */
MUST_CHECK enum rc worker_load(struct worker *worker, struct err *err); /* from the topics; starts what is to run */
/* Records of the config and the status topic, whoever wrote them; user is the worker. */
void worker_take_config(void *user, struct str key, struct str value);
void worker_take_status(void *user, struct str key, struct str value);
void worker_stop(struct worker *worker); /* all tasks */
/* NULL when there is none of that name. */
struct connector *worker_find(struct worker *worker, struct str name);
/* Each writes the config topic first, then acts.  RC_RETRY: the topic cannot be written. */
MUST_CHECK enum rc worker_put(struct worker *worker, const char *name, const struct connector_config *config,
                              enum target_state target, bool replace, bool *created, struct err *err);
MUST_CHECK enum rc worker_delete(struct worker *worker, struct connector *connector, struct err *err);
MUST_CHECK enum rc worker_target(struct worker *worker, struct connector *connector, enum target_state target,
                                 struct err *err);
void worker_restart(struct worker *worker, struct connector *connector, bool tasks, bool only_failed);
bool worker_restart_task(struct worker *worker, struct connector *connector, int task);
/* Marks what worker_restart is about to restart, for the answer. */
void worker_mark_restarting(struct worker *worker, struct connector *connector, bool tasks, bool only_failed);

/* ---- status.c: what is told to the status topic */
void status_set(struct worker *worker, struct connector *connector, int task, enum run_state state, const char *trace);
void status_forget(struct worker *worker, struct connector *connector);
void status_topic_used(struct worker *worker, const char *connector, int task, const char *topic);
void status_topics_reset(struct worker *worker, struct connector *connector);
void status_take(struct worker *worker, struct str key, const json_t *value); /* a record read back */

/* ---- run.c: the thread of a task */
struct task_run {
    struct task_context ctx;
    struct worker *worker;
    struct connector *connector;
    struct task *task;
    struct connector_config config; /* resolved */
    char *name;
    atomic_bool stop;
    atomic_int users; /* the thread and the task: the last one frees */
    pthread_t thread;
    int64_t started_ms; /* monotonic; 0: not yet */
};
/* Both under connector.change. */
void run_start(struct worker *worker, struct connector *connector, struct task *task);
void run_tell_stop(struct task *task);
void run_stop(struct worker *worker, struct task *task); /* waits at most STOP_WAIT_MS */
/* Writes status only as long as the run is the task's. */
void run_status(struct task_run *run, enum run_state state, const char *trace);

/* ---- source.c, sink.c: one run of a task */
MUST_CHECK enum rc source_run(struct task_run *run, struct err *err);
MUST_CHECK enum rc sink_run(struct task_run *run, struct err *err);

/* ---- provider.c: ${env:NAME}, ${file:/path:key} */
void provider_resolve(const struct worker *worker, const struct connector_config *from, struct connector_config *to);

/* ---- rest.c */
extern const struct http_route rest_routes[];
extern const size_t rest_route_count;
void rest_not_found(struct http_request *request, struct http_response *response, bool allowed);

#endif
