/*
 * The worker: its connectors read back from the topics, and every change to them.
 * A change is written to the config topic first and done then, so that a kill in between is
 * repaired by the next start.
 */
#include "stream/connect/worker.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ------------------------------------------------------------ the map of connectors */

struct connector *worker_find(struct worker *worker, struct str name)
{
    pthread_mutex_lock(&worker->lock);
    struct connector *connector = map_get(&worker->connectors, name);
    if (connector && !connector->exists)
        connector = NULL;
    pthread_mutex_unlock(&worker->lock);
    return connector;
}

/* Also one that was deleted.  Under worker.lock; NULL at the limit. */
static struct connector *connector_of(struct worker *worker, const char *name)
{
    struct connector *connector = map_get(&worker->connectors, str_of(name));

    if (connector || worker->connectors.count >= CONNECTORS_MAX)
        return connector;
    connector = NEW(struct connector);
    connector->name = mem_strdup(name);
    pthread_mutex_init(&connector->change, NULL);
    map_put(&worker->connectors, str_of(name), connector);
    return connector;
}

static const struct connector_class *class_of(const struct connector_config *config)
{
    return class_find(str_of(config_given(config, "connector.class")));
}

/* ------------------------------------------------------------ the config topic */

static json_t *properties_of(const struct connector_config *config)
{
    json_t *properties = json_object();

    for (struct map_entry *e = NULL; (e = map_next(&config->rows, e));)
        json_object_set_new(properties, e->key, json_string(e->value));
    return json_pack("{s:o}", "properties", properties);
}

static enum rc write_config(struct worker *worker, const char *key, json_t *value, struct err *err)
{
    char *text = value ? json_dumps(value, JSON_COMPACT) : NULL;
    enum rc rc = value && !text ? err_set(err, RC_BAD_INPUT, "the configuration is not UTF-8 text")
                                : backing_write(worker->backing, STATE_CONFIG, str_of(key), str_of(text), err);

    json_decref(value);
    free(text);
    return rc;
}

static enum rc write_target(struct worker *worker, const char *name, enum target_state target, struct err *err)
{
    CLEANUP_FREE char *key = mem_printf("target-state-%s", name);
    const char *old = target_state_name(target == TARGET_STOPPED ? TARGET_PAUSED : target);

    return write_config(worker, key, json_pack("{s:s,s:s}", "state", old, "state.v2", target_state_name(target)), err);
}

static enum rc write_tasks(struct worker *worker, struct connector *connector, struct err *err)
{
    CLEANUP_FREE char *commit = mem_printf("commit-%s", connector->name);
    enum rc rc = RC_OK;

    if (connector->committed_tasks == (int)connector->task_count)
        return RC_OK; /* read back as they are */
    for (size_t i = 0; i < connector->task_count && !rc; i++) {
        CLEANUP_FREE char *key = mem_printf("task-%s-%zu", connector->name, i);
        rc = write_config(worker, key, properties_of(&connector->tasks[i].config), err);
    }
    if (!rc)
        rc = write_config(worker, commit, json_pack("{s:i}", "tasks", (int)connector->task_count), err);
    if (!rc)
        connector->committed_tasks = (int)connector->task_count;
    return rc;
}

/* ------------------------------------------------------------ starting and stopping; under connector.change */

static size_t tasks_wanted(const struct connector *connector, const struct connector_class *class)
{
    int64_t max = config_given(&connector->config, "tasks.max") ? config_int(&connector->config, "tasks.max") : 1;

    if (!class)
        return 0;
    if (class->single_task || max < 1)
        return 1;
    return (size_t)MIN(max, (int64_t)TASKS_MAX);
}

static void drop_tasks(struct connector *connector)
{
    for (size_t i = 0; i < connector->task_count; i++) {
        config_free(&connector->tasks[i].config);
        free(connector->tasks[i].status.trace);
    }
    free(connector->tasks);
    connector->tasks = NULL;
    connector->task_count = 0;
}

static void stop_tasks(struct worker *worker, struct connector *connector)
{
    for (size_t i = 0; i < connector->task_count; i++)
        run_tell_stop(&connector->tasks[i]);
    for (size_t i = 0; i < connector->task_count; i++)
        run_stop(worker, &connector->tasks[i]);
}

static void make_tasks(struct worker *worker, struct connector *connector)
{
    const struct connector_class *class = class_of(&connector->config);
    size_t count = tasks_wanted(connector, class);

    pthread_mutex_lock(&worker->lock);
    drop_tasks(connector);
    connector->tasks = NEW_ARRAY(struct task, count + 1);
    connector->task_count = count;
    for (size_t i = 0; i < count; i++) {
        struct task *task = &connector->tasks[i];
        task->number = (int)i;
        config_copy(&task->config, &connector->config);
        task->config.class = class;
        config_set(&task->config, "task.class", class->task_class);
    }
    pthread_mutex_unlock(&worker->lock);
}

static void set_all(struct worker *worker, struct connector *connector, enum run_state state, enum run_state tasks)
{
    pthread_mutex_lock(&worker->lock);
    status_set(worker, connector, -1, state, NULL);
    for (size_t i = 0; i < connector->task_count; i++)
        status_set(worker, connector, (int)i, tasks, NULL);
    pthread_mutex_unlock(&worker->lock);
}

static void fail_unknown_class(struct worker *worker, struct connector *connector)
{
    CLEANUP_FREE char *trace =
        mem_printf("connector class '%s' is not one that is built in; GET /connector-plugins lists them",
                   config_given(&connector->config, "connector.class") ?: "");

    pthread_mutex_lock(&worker->lock);
    status_set(worker, connector, -1, STATE_FAILED, trace);
    pthread_mutex_unlock(&worker->lock);
}

/* Brings tasks to what target and configuration say; they are stopped now. */
static enum rc apply(struct worker *worker, struct connector *connector, struct err *err)
{
    enum rc rc = RC_OK;

    if (!class_of(&connector->config)) {
        fail_unknown_class(worker, connector);
        return RC_OK;
    }
    if (connector->target == TARGET_STOPPED) {
        pthread_mutex_lock(&worker->lock);
        drop_tasks(connector);
        pthread_mutex_unlock(&worker->lock);
        rc = write_tasks(worker, connector, err);
        set_all(worker, connector, STATE_STOPPED, STATE_UNASSIGNED);
        return rc;
    }
    make_tasks(worker, connector);
    rc = write_tasks(worker, connector, err);
    if (connector->target == TARGET_PAUSED) {
        set_all(worker, connector, STATE_PAUSED, STATE_PAUSED);
        return rc;
    }
    set_all(worker, connector, STATE_RUNNING, STATE_UNASSIGNED);
    for (size_t i = 0; i < connector->task_count; i++)
        run_start(worker, connector, &connector->tasks[i]);
    return rc;
}

/* ------------------------------------------------------------ changes */

static void replace_config(struct worker *worker, struct connector *connector, const struct connector_config *config,
                           enum target_state target)
{
    pthread_mutex_lock(&worker->lock);
    config_free(&connector->config);
    connector->committed_tasks = -1;
    config_copy(&connector->config, config);
    connector->config.class = class_of(config);
    if (!connector->exists)
        connector->target = target;
    connector->exists = true;
    pthread_mutex_unlock(&worker->lock);
}

static bool same_rows(const struct connector_config *a, const struct connector_config *b)
{
    if (a->rows.count != b->rows.count)
        return false;
    for (struct map_entry *e = NULL; (e = map_next(&a->rows, e));) {
        const char *other = config_given(b, e->key);
        if (!other || strcmp(other, e->value) != 0)
            return false;
    }
    return true;
}

/* Putting what is there already disturbs nothing, unless it is to wake what failed. */
static bool is_put_already(struct worker *worker, const struct connector *connector,
                           const struct connector_config *config)
{
    pthread_mutex_lock(&worker->lock);
    bool same = connector->exists && same_rows(&connector->config, config) && connector->status.state != STATE_FAILED;
    for (size_t i = 0; i < connector->task_count; i++)
        same = same && connector->tasks[i].status.state != STATE_FAILED;
    pthread_mutex_unlock(&worker->lock);
    return same;
}

static enum rc put_locked(struct worker *worker, struct connector *connector, const struct connector_config *config,
                          enum target_state target, bool replace, bool *created, struct err *err)
{
    CLEANUP_FREE char *key = mem_printf("connector-%s", connector->name);
    enum rc rc = RC_OK;

    *created = !connector->exists;
    if (connector->exists && !replace)
        return err_set(err, RC_EXISTS, "Connector %s already exists", connector->name);
    if (is_put_already(worker, connector, config))
        return RC_OK;
    if (*created && target != TARGET_STARTED)
        rc = write_target(worker, connector->name, target, err);
    if (!rc)
        rc = write_config(worker, key, properties_of(config), err);
    if (rc)
        return rc;
    stop_tasks(worker, connector);
    replace_config(worker, connector, config, target);
    return apply(worker, connector, err);
}

enum rc worker_put(struct worker *worker, const char *name, const struct connector_config *config,
                   enum target_state target, bool replace, bool *created, struct err *err)
{
    pthread_mutex_lock(&worker->lock);
    struct connector *connector = connector_of(worker, name);
    pthread_mutex_unlock(&worker->lock);
    if (!connector)
        return err_set(err, RC_FULL, "a worker knows at most %d connector names", CONNECTORS_MAX);
    pthread_mutex_lock(&connector->change);
    enum rc rc = put_locked(worker, connector, config, target, replace, created, err);
    pthread_mutex_unlock(&connector->change);
    if (!rc)
        log_info(*created ? "connector made" : "connector changed", "connector=%s", name);
    return rc;
}

enum rc worker_delete(struct worker *worker, struct connector *connector, struct err *err)
{
    CLEANUP_FREE char *key = mem_printf("connector-%s", connector->name);
    CLEANUP_FREE char *target = mem_printf("target-state-%s", connector->name);

    pthread_mutex_lock(&connector->change);
    enum rc rc = connector->exists ? RC_OK : err_set(err, RC_NOT_FOUND, "Connector %s not found", connector->name);
    if (!rc)
        rc = write_config(worker, key, NULL, err);
    if (!rc)
        rc = write_config(worker, target, NULL, err);
    if (!rc) {
        stop_tasks(worker, connector);
        status_topics_reset(worker, connector);
        pthread_mutex_lock(&worker->lock);
        status_forget(worker, connector);
        drop_tasks(connector);
        config_free(&connector->config);
        connector->exists = false;
        pthread_mutex_unlock(&worker->lock);
        log_info("connector deleted", "connector=%s", connector->name);
    }
    pthread_mutex_unlock(&connector->change);
    return rc;
}

enum rc worker_target(struct worker *worker, struct connector *connector, enum target_state target, struct err *err)
{
    pthread_mutex_lock(&connector->change);
    enum rc rc = connector->exists ? RC_OK : err_set(err, RC_NOT_FOUND, "Connector %s not found", connector->name);
    if (!rc && connector->target != target) {
        rc = write_target(worker, connector->name, target, err);
        if (!rc) {
            stop_tasks(worker, connector);
            pthread_mutex_lock(&worker->lock);
            connector->target = target;
            pthread_mutex_unlock(&worker->lock);
            rc = apply(worker, connector, err);
            log_info("connector told", "connector=%s target=%s", connector->name, target_state_name(target));
        }
    }
    pthread_mutex_unlock(&connector->change);
    return rc;
}

static bool is_selected(const struct status *status, bool only_failed)
{
    return !only_failed || status->state == STATE_FAILED;
}

void worker_mark_restarting(struct worker *worker, struct connector *connector, bool tasks, bool only_failed)
{
    pthread_mutex_lock(&worker->lock);
    if (is_selected(&connector->status, only_failed))
        status_set(worker, connector, -1, STATE_RESTARTING, NULL);
    for (size_t i = 0; tasks && i < connector->task_count; i++)
        if (is_selected(&connector->tasks[i].status, only_failed))
            status_set(worker, connector, (int)i, STATE_RESTARTING, NULL);
    pthread_mutex_unlock(&worker->lock);
}

static void restart_task(struct worker *worker, struct connector *connector, struct task *task)
{
    run_stop(worker, task);
    pthread_mutex_lock(&worker->lock);
    status_set(worker, connector, task->number, connector->target == TARGET_PAUSED ? STATE_PAUSED : STATE_UNASSIGNED,
               NULL);
    pthread_mutex_unlock(&worker->lock);
    if (connector->target == TARGET_STARTED)
        run_start(worker, connector, task);
}

void worker_restart(struct worker *worker, struct connector *connector, bool tasks, bool only_failed)
{
    static const enum run_state of_target[] = { STATE_RUNNING, STATE_PAUSED, STATE_STOPPED };

    pthread_mutex_lock(&connector->change);
    if (connector->exists) {
        for (size_t i = 0; tasks && i < connector->task_count; i++)
            if (is_selected(&connector->tasks[i].status, only_failed) ||
                connector->tasks[i].status.state == STATE_RESTARTING)
                restart_task(worker, connector, &connector->tasks[i]);
        if (class_of(&connector->config)) {
            pthread_mutex_lock(&worker->lock);
            status_set(worker, connector, -1, of_target[connector->target], NULL);
            pthread_mutex_unlock(&worker->lock);
        } else {
            fail_unknown_class(worker, connector);
        }
    }
    pthread_mutex_unlock(&connector->change);
}

bool worker_restart_task(struct worker *worker, struct connector *connector, int task)
{
    pthread_mutex_lock(&connector->change);
    bool found = connector->exists && task >= 0 && (size_t)task < connector->task_count;
    if (found)
        restart_task(worker, connector, &connector->tasks[task]);
    pthread_mutex_unlock(&connector->change);
    return found;
}

/* ------------------------------------------------------------ reading back */

static void take_properties(struct worker *worker, const char *name, const json_t *properties)
{
    struct connector *connector = connector_of(worker, name);
    const char *key = NULL;
    json_t *value = NULL;

    if (!connector)
        return;
    config_free(&connector->config);
    connector->committed_tasks = -1;
    connector->exists = json_is_object(properties);
    if (!connector->exists) {
        connector->target = TARGET_STARTED;
        return;
    }
    json_object_foreach((json_t *)(uintptr_t)properties, key, value) {
        if (json_is_string(value))
            config_set(&connector->config, key, json_string_value(value));
    }
    connector->config.class = class_of(&connector->config);
}

static void take_target(struct worker *worker, const char *name, const json_t *value)
{
    struct connector *connector = connector_of(worker, name);
    const char *text = json_string_value(json_object_get(value, "state.v2"));

    if (!connector)
        return;
    connector->target = TARGET_STARTED;
    if (!text)
        text = json_string_value(json_object_get(value, "state"));
    for (int i = 0; text && i <= TARGET_STOPPED; i++)
        if (strcmp(text, target_state_name((enum target_state)i)) == 0)
            connector->target = (enum target_state)i;
}

static void take_commit(struct worker *worker, const char *name, const json_t *value)
{
    struct connector *connector = connector_of(worker, name);

    if (connector)
        connector->committed_tasks = (int)json_integer_value(json_object_get(value, "tasks"));
}

/* Task configurations are made anew from the connector's; a Java worker's are the same. */
void worker_take_config(void *user, struct str key, struct str value)
{
    static const char connector_prefix[] = "connector-", target_prefix[] = "target-state-", commit_prefix[] = "commit-";
    struct worker *worker = user;
    CLEANUP_FREE char *name = str_dup(key);
    json_t *parsed = value.p ? json_loadb(value.p, value.len, 0, NULL) : NULL;

    if (value.p && !parsed)
        log_warn("record of the config topic not understood", "key=%s", name);
    else if (strncmp(name, connector_prefix, sizeof connector_prefix - 1) == 0)
        take_properties(worker, name + sizeof connector_prefix - 1, json_object_get(parsed, "properties"));
    else if (strncmp(name, target_prefix, sizeof target_prefix - 1) == 0)
        take_target(worker, name + sizeof target_prefix - 1, parsed);
    else if (strncmp(name, commit_prefix, sizeof commit_prefix - 1) == 0)
        take_commit(worker, name + sizeof commit_prefix - 1, parsed);
    json_decref(parsed);
}

void worker_take_status(void *user, struct str key, struct str value)
{
    json_t *parsed = value.p ? json_loadb(value.p, value.len, 0, NULL) : NULL;

    status_take(user, key, parsed);
    json_decref(parsed);
}

static enum rc open_state(struct worker *worker, struct err *err)
{
    const struct connector_config *settings = &worker->settings;
    struct backing_options options = { .bootstrap = worker->bootstrap };
    static const char *const names[] = { "config", "offset", "status" };

    for (size_t i = 0; i < STATE_TOPICS; i++) {
        CLEANUP_FREE char *topic = mem_printf("%s.storage.topic", names[i]);
        CLEANUP_FREE char *partitions = mem_printf("%s.storage.partitions", names[i]);
        CLEANUP_FREE char *replicas = mem_printf("%s.storage.replication.factor", names[i]);
        options.topics[i].name = config_given(settings, topic);
        options.topics[i].partitions = i == STATE_CONFIG ? 1 : (int)MAX(config_int(settings, partitions), 1);
        options.topics[i].replicas = (int)config_int(settings, replicas);
    }
    return backing_open(&options, &worker->backing, err);
}

enum rc worker_load(struct worker *worker, struct err *err)
{
    enum rc rc = open_state(worker, err);

    if (!rc)
        rc = backing_read(worker->backing, STATE_CONFIG, worker_take_config, worker, err);
    if (!rc)
        rc = backing_load_offsets(worker->backing, err);
    if (!rc)
        rc = backing_read(worker->backing, STATE_STATUS, worker_take_status, worker, err);
    if (rc) {
        backing_close(worker->backing);
        worker->backing = NULL;
        return rc;
    }
    worker->cluster_id = backing_cluster_id(worker->backing);
    for (struct map_entry *e = NULL; (e = map_next(&worker->connectors, e));) {
        struct connector *connector = e->value;
        struct err why = { 0 };
        if (!connector->exists)
            continue;
        pthread_mutex_lock(&connector->change);
        log_info("connector comes back", "connector=%s target=%s", connector->name,
                 target_state_name(connector->target));
        if (apply(worker, connector, &why))
            log_warn("task configurations not written", "connector=%s cause=%s", connector->name, why.text);
        pthread_mutex_unlock(&connector->change);
    }
    return RC_OK;
}

void worker_stop(struct worker *worker)
{
    for (int step = 0; step < 2; step++)
        for (struct map_entry *e = NULL; (e = map_next(&worker->connectors, e));) {
            struct connector *connector = e->value;
            pthread_mutex_lock(&connector->change);
            for (size_t i = 0; i < connector->task_count && step == 0; i++)
                run_tell_stop(&connector->tasks[i]);
            if (step == 1)
                stop_tasks(worker, connector);
            pthread_mutex_unlock(&connector->change);
        }
    backing_flush(worker->backing, 2000);
}
