/*
 * Statuses: in memory and as records of the status topic.
 *
 *     status-connector-<n>, status-task-<n>-<i>   {"state","trace","worker_id","generation"}
 *     status-topic-<t>:connector-<n>              {"topic":{"name","connector","task","discoverTimestamp"}}
 *
 * All functions are called under worker.lock, but for status_topic_used and status_topics_reset.
 */
#include <stdlib.h>
#include <string.h>

#include "stream/connect/worker.h"

static const char *const run_state_names[] = { "UNASSIGNED", "RUNNING", "PAUSED", "FAILED", "RESTARTING", "STOPPED" };

const char *run_state_name(enum run_state state)
{
    return run_state_names[state];
}

const char *target_state_name(enum target_state state)
{
    static const char *const names[] = { "STARTED", "PAUSED", "STOPPED" };

    return names[state];
}

static void write_json(struct worker *worker, const char *key, json_t *value)
{
    char *text = value ? json_dumps(value, JSON_COMPACT) : NULL;

    json_decref(value);
    backing_write_later(worker->backing, STATE_STATUS, str_of(key), str_of(text));
    free(text);
}

static char *status_key(const struct connector *connector, int task)
{
    return task < 0 ? mem_printf("status-connector-%s", connector->name)
                    : mem_printf("status-task-%s-%d", connector->name, task);
}

/* JSON takes only UTF-8, and a trace may have been cut in the middle of a letter. */
static char *clean_text(const char *text)
{
    char *copy = mem_strdup(text);

    if (copy && !str_is_utf8(str_of(copy)))
        for (char *p = copy; *p; p++)
            *p = (unsigned char)*p < 0x80 ? *p : '?';
    return copy;
}

void status_set(struct worker *worker, struct connector *connector, int task, enum run_state state, const char *words)
{
    CLEANUP_FREE char *key = status_key(connector, task);
    CLEANUP_FREE char *trace = clean_text(words);
    struct status *status = &connector->status;

    if (task >= 0) {
        if ((size_t)task >= connector->task_count)
            return;
        status = &connector->tasks[task].status;
    }
    bool same = status->state == state && str_eq(str_of(status->trace), str_of(trace));
    if (same && state == STATE_FAILED)
        return; /* the same failure again and again is one record */
    status->state = state;
    free(status->trace);
    status->trace = mem_strdup(trace);
    write_json(worker, key,
               json_pack("{s:s,s:s?,s:s,s:i}", "state", run_state_name(state), "trace", trace, "worker_id", worker->id,
                         "generation", 1));
}

void status_forget(struct worker *worker, struct connector *connector)
{
    CLEANUP_FREE char *own = status_key(connector, -1);

    write_json(worker, own, NULL);
    for (size_t i = 0; i < connector->task_count; i++) {
        CLEANUP_FREE char *key = status_key(connector, (int)i);
        write_json(worker, key, NULL);
    }
    free(connector->status.trace);
    connector->status = (struct status){ .state = STATE_UNASSIGNED };
}

static char *topic_key(const char *topic, const char *connector)
{
    return mem_printf("status-topic-%s:connector-%s", topic, connector);
}

void status_topic_used(struct worker *worker, const char *name, int task, const char *topic)
{
    struct connector *connector = worker->topic_tracking ? worker_find(worker, str_of(name)) : NULL;
    bool fresh = false;

    if (!connector)
        return;
    pthread_mutex_lock(&worker->lock);
    fresh = !map_get(&connector->topics, str_of(topic));
    if (fresh) {
        CLEANUP_FREE char *key = topic_key(topic, name);
        json_t *value = json_pack("{s:{s:s,s:s,s:i,s:I}}", "topic", "name", topic, "connector", name, "task", task,
                                  "discoverTimestamp", (json_int_t)clock_wall_ms());
        json_decref(map_put(&connector->topics, str_of(topic), json_incref(value)));
        write_json(worker, key, value);
    }
    pthread_mutex_unlock(&worker->lock);
}

void status_topics_reset(struct worker *worker, struct connector *connector)
{
    pthread_mutex_lock(&worker->lock);
    for (struct map_entry *e = NULL; (e = map_next(&connector->topics, e));) {
        CLEANUP_FREE char *key = topic_key(e->key, connector->name);
        write_json(worker, key, NULL);
        json_decref(map_remove(&connector->topics, str_n(e->key, e->key_len)));
    }
    pthread_mutex_unlock(&worker->lock);
}

static void take_topic(struct worker *worker, const json_t *value, const char *topic, const char *name)
{
    struct connector *connector = map_get(&worker->connectors, str_of(name));

    if (!connector)
        return;
    json_decref(json_is_object(value) ? map_put(&connector->topics, str_of(topic), json_deep_copy(value))
                                      : map_remove(&connector->topics, str_of(topic)));
}

/* Only the topics a connector used are taken over; states are told anew by whatever runs. */
void status_take(struct worker *worker, struct str key, const json_t *value)
{
    static const char prefix[] = "status-topic-", middle[] = ":connector-";
    CLEANUP_FREE char *text = str_dup(key);

    if (strncmp(text, prefix, sizeof prefix - 1) != 0)
        return;
    char *at = strstr(text, middle);
    if (!at)
        return;
    *at = '\0';
    take_topic(worker, value, text + sizeof prefix - 1, at + sizeof middle - 1);
}
