/* Connect's REST API: the routes, and what concerns connectors and their tasks. */
#include "stream/connect/rest.h"

#include <stdlib.h>
#include <string.h>

/* ------------------------------------------------------------ the worker */

static void get_root(struct http_request *request, struct http_response *response)
{
    const struct worker *worker = request->service;
    const char *cluster = atomic_load(&worker->ready) && worker->cluster_id ? worker->cluster_id : "";

    rest_json(response, 200,
              json_pack("{s:s,s:s,s:s}", "version", CONNECT_VERSION, "commit", "haus-" HAUS_VERSION, "kafka_cluster_id",
                        cluster));
}

static void get_health(struct http_request *request, struct http_response *response)
{
    const struct worker *worker = request->service;
    bool ready = atomic_load(&worker->ready);

    rest_json(response, ready ? 200 : 503,
              json_pack("{s:s,s:s}", "status", ready ? "healthy" : "starting", "message",
                        ready ? "Worker has completed startup and is ready to handle requests."
                              : "Worker is still starting up: it waits for the log."));
}

static void put_states(const struct worker *worker, struct buf *out)
{
    size_t counts[STATE_STOPPED + 1] = { 0 }, connectors = 0;

    for (struct map_entry *e = NULL; (e = map_next(&worker->connectors, e));) {
        const struct connector *connector = e->value;
        connectors += connector->exists;
        for (size_t i = 0; i < connector->task_count; i++)
            counts[connector->tasks[i].status.state]++;
    }
    buf_printf(out,
               "# TYPE kafka_connect_connect_worker_metrics_connector_count gauge\n"
               "kafka_connect_connect_worker_metrics_connector_count %zu\n"
               "# TYPE kafka_connect_tasks gauge\n",
               connectors);
    for (size_t i = 0; i < ARRAY_LEN(counts); i++)
        buf_printf(out, "kafka_connect_tasks{state=\"%s\"} %zu\n", run_state_name((enum run_state)i), counts[i]);
}

static void get_metrics(struct http_request *request, struct http_response *response)
{
    struct worker *worker = request->service;

    response->content_type = "text/plain; version=0.0.4";
    pthread_mutex_lock(&worker->lock);
    put_states(worker, &response->body);
    pthread_mutex_unlock(&worker->lock);
}

/* ------------------------------------------------------------ connectors */

static void read_expand(const struct http_request *request, bool *info, bool *status)
{
    struct str query = request->query, name = { 0 }, value = { 0 };

    while (uri_query_next(&query, &name, &value)) {
        *info = *info || (str_is(name, "expand") && str_is(value, "info"));
        *status = *status || (str_is(name, "expand") && str_is(value, "status"));
    }
}

/* The names now, owned by the caller as a JSON array. */
static json_t *names_of(struct worker *worker)
{
    json_t *names = json_array();

    pthread_mutex_lock(&worker->lock);
    for (struct map_entry *e = NULL; (e = map_next(&worker->connectors, e));)
        if (((const struct connector *)e->value)->exists)
            json_array_append_new(names, json_string(e->key));
    pthread_mutex_unlock(&worker->lock);
    return names;
}

static void list_connectors(struct http_request *request, struct http_response *response)
{
    struct worker *worker = rest_worker(request, response);
    bool info = false, status = false;
    json_t *all = NULL, *name = NULL;
    size_t i = 0;

    if (!worker)
        return;
    json_t *names = names_of(worker);
    read_expand(request, &info, &status);
    if (!info && !status) {
        rest_json(response, 200, names);
        return;
    }
    all = json_object();
    json_array_foreach(names, i, name) {
        struct connector *connector = worker_find(worker, str_of(json_string_value(name)));
        json_t *one = json_object();
        if (connector && status)
            json_object_set_new(one, "status", rest_status(worker, connector));
        if (connector && info)
            json_object_set_new(one, "info", rest_info(worker, connector));
        json_object_set_new(all, json_string_value(name), one);
    }
    json_decref(names);
    rest_json(response, 200, all);
}

static void put_location(struct http_response *response, const char *name)
{
    CLEANUP(buf_free) struct buf path = { 0 };

    uri_encode(&path, str_of(name), false);
    http_response_header(response, "Location", "/connectors/%s", buf_cstr(&path));
}

static void store(struct worker *worker, const char *name, struct connector_config *config, enum target_state target,
                  bool replace, struct http_response *response)
{
    bool created = false;
    struct err err = { 0 };

    if (!rest_check_config(worker, config, response))
        return;
    if (worker_put(worker, name, config, target, replace, &created, &err)) {
        rest_failed(response, &err);
        return;
    }
    struct connector *connector = worker_find(worker, str_of(name));
    if (created)
        put_location(response, name);
    if (connector)
        rest_json(response, created ? 201 : 200, rest_info(worker, connector));
    else
        rest_error(response, 404, "Connector %s not found", name);
}

/* False after answering. */
static bool check_name(struct connector_config *config, const char *name, struct http_response *response)
{
    const char *own = config_given(config, "name");

    if (own && strcmp(own, name) != 0) {
        rest_error(response, 400, "Connector name configuration (%s) doesn't match connector name in the URL (%s)", own,
                   name);
        return false;
    }
    config_set(config, "name", name);
    return true;
}

static bool read_initial_state(const json_t *body, enum target_state *out, struct http_response *response)
{
    static const char *const names[] = { "RUNNING", "PAUSED", "STOPPED" };
    const char *text = json_string_value(json_object_get(body, "initial_state"));

    *out = TARGET_STARTED;
    for (size_t i = 0; text && i < ARRAY_LEN(names); i++)
        if (str_is_nocase(str_of(text), names[i])) {
            *out = (enum target_state)i;
            return true;
        }
    if (text)
        rest_error(response, 400, "initial_state is '%s'; it may be RUNNING, PAUSED or STOPPED", text);
    return !text;
}

static void create_of(struct worker *worker, const json_t *body, struct http_response *response)
{
    CLEANUP(config_free) struct connector_config config = { 0 };
    const char *name = json_string_value(json_object_get(body, "name"));
    const json_t *properties = json_object_get(body, "config");
    enum target_state target = TARGET_STARTED;

    if (!json_is_object(body) || !properties) {
        rest_error(response, 500, "the body is not {\"name\": …, \"config\": {…}}");
        return;
    }
    if (!rest_config(properties, &config, NULL, response) || !read_initial_state(body, &target, response))
        return;
    CLEANUP_FREE char *trimmed = str_dup(str_trim(name ? str_of(name) : str_of("")));
    if (check_name(&config, trimmed, response))
        store(worker, trimmed, &config, target, false, response);
}

static void create_connector(struct http_request *request, struct http_response *response)
{
    struct worker *worker = rest_worker(request, response);
    json_t *body = worker ? rest_body(request, response) : NULL;

    if (body)
        create_of(worker, body, response);
    json_decref(body);
}

static void get_connector(struct http_request *request, struct http_response *response)
{
    struct worker *worker = rest_worker(request, response);
    struct connector *connector = worker ? rest_connector(worker, request, response, "Connector ", " not found") : NULL;

    if (connector)
        rest_json(response, 200, rest_info(worker, connector));
}

static void delete_connector(struct http_request *request, struct http_response *response)
{
    struct worker *worker = rest_worker(request, response);
    struct connector *connector = worker ? rest_connector(worker, request, response, "Connector ", " not found") : NULL;
    struct err err = { 0 };

    if (!connector)
        return;
    if (worker_delete(worker, connector, &err))
        rest_failed(response, &err);
    else
        response->status = 204;
}

static void get_config(struct http_request *request, struct http_response *response)
{
    struct worker *worker = rest_worker(request, response);
    struct connector *connector = worker ? rest_connector(worker, request, response, "Connector ", " not found") : NULL;

    if (!connector)
        return;
    json_t *info = rest_info(worker, connector);
    rest_json(response, 200, json_incref(json_object_get(info, "config")));
    json_decref(info);
}

static void put_config(struct http_request *request, struct http_response *response)
{
    CLEANUP(config_free) struct connector_config config = { 0 };
    CLEANUP_FREE char *name = str_dup(request->params[0]);
    struct worker *worker = rest_worker(request, response);
    json_t *body = worker ? rest_body(request, response) : NULL;

    if (body && rest_config(body, &config, NULL, response) && check_name(&config, name, response))
        store(worker, name, &config, TARGET_STARTED, true, response);
    json_decref(body);
}

static void patch_config(struct http_request *request, struct http_response *response)
{
    CLEANUP(config_free) struct connector_config config = { 0 };
    struct worker *worker = rest_worker(request, response);
    struct connector *connector = worker ? rest_connector(worker, request, response, "Connector ", " not found") : NULL;
    json_t *body = connector ? rest_body(request, response) : NULL, *nulls = json_object(), *value = NULL;
    const char *name = NULL;

    if (body) {
        pthread_mutex_lock(&worker->lock);
        config_copy(&config, &connector->config);
        pthread_mutex_unlock(&worker->lock);
        if (rest_config(body, &config, nulls, response)) {
            json_object_foreach(nulls, name, value)
                config_set(&config, name, NULL);
            if (check_name(&config, connector->name, response))
                store(worker, connector->name, &config, TARGET_STARTED, true, response);
        }
    }
    json_decref(nulls);
    json_decref(body);
}

static void get_status(struct http_request *request, struct http_response *response)
{
    struct worker *worker = rest_worker(request, response);
    struct connector *connector =
        worker ? rest_connector(worker, request, response, "No status found for connector ", "") : NULL;

    if (connector)
        rest_json(response, 200, rest_status(worker, connector));
}

static bool query_true(struct http_request *request, const char *name)
{
    struct str value = { 0 };

    return http_request_query(request, name, &value) && str_is_nocase(value, "true");
}

static void restart_connector(struct http_request *request, struct http_response *response)
{
    struct worker *worker = rest_worker(request, response);
    struct connector *connector = worker ? rest_connector(worker, request, response, "Unknown connector: ", "") : NULL;
    bool tasks = query_true(request, "includeTasks"), only_failed = query_true(request, "onlyFailed");

    if (!connector)
        return;
    if (!tasks && !only_failed) {
        worker_restart(worker, connector, false, false);
        response->status = 204;
        return;
    }
    worker_mark_restarting(worker, connector, tasks, only_failed);
    json_t *status = rest_status(worker, connector);
    worker_restart(worker, connector, tasks, only_failed);
    rest_json(response, 202, status);
}

static void set_target(struct http_request *request, struct http_response *response, enum target_state target,
                       int status)
{
    struct worker *worker = rest_worker(request, response);
    struct connector *connector = worker ? rest_connector(worker, request, response, "Unknown connector ", "") : NULL;
    struct err err = { 0 };

    if (!connector)
        return;
    if (worker_target(worker, connector, target, &err))
        rest_failed(response, &err);
    else
        response->status = status;
}

static void pause_connector(struct http_request *request, struct http_response *response)
{
    set_target(request, response, TARGET_PAUSED, 202);
}

static void resume_connector(struct http_request *request, struct http_response *response)
{
    set_target(request, response, TARGET_STARTED, 202);
}

static void stop_connector(struct http_request *request, struct http_response *response)
{
    set_target(request, response, TARGET_STOPPED, 204);
}

/* ------------------------------------------------------------ tasks and topics */

static json_t *config_json(const struct connector_config *config)
{
    json_t *object = json_object();

    for (struct map_entry *e = NULL; (e = map_next(&config->rows, e));)
        json_object_set_new(object, e->key, json_string(e->value));
    return object;
}

static void list_tasks(struct http_request *request, struct http_response *response)
{
    struct worker *worker = rest_worker(request, response);
    struct connector *connector = worker ? rest_connector(worker, request, response, "Connector ", " not found") : NULL;
    json_t *tasks = json_array();

    if (!connector) {
        json_decref(tasks);
        return;
    }
    pthread_mutex_lock(&worker->lock);
    for (size_t i = 0; i < connector->task_count; i++)
        json_array_append_new(tasks, json_pack("{s:{s:s,s:i},s:o}", "id", "connector", connector->name, "task",
                                               connector->tasks[i].number, "config",
                                               config_json(&connector->tasks[i].config)));
    pthread_mutex_unlock(&worker->lock);
    rest_json(response, 200, tasks);
}

static bool task_number(const struct http_request *request, int64_t *out)
{
    return str_to_i64(request->params[1], 0, TASKS_MAX, out);
}

static void get_task_status(struct http_request *request, struct http_response *response)
{
    struct worker *worker = rest_worker(request, response);
    struct connector *connector = worker ? worker_find(worker, request->params[0]) : NULL;
    json_t *status = connector ? rest_status(worker, connector) : NULL;
    int64_t number = 0;
    json_t *task =
        task_number(request, &number) ? json_array_get(json_object_get(status, "tasks"), (size_t)number) : NULL;

    if (task)
        rest_json(response, 200, json_incref(task));
    else if (worker)
        rest_error(response, 404, "No status found for task %.*s-%.*s", STR_ARG(request->params[0]),
                   STR_ARG(request->params[1]));
    json_decref(status);
}

static void restart_task(struct http_request *request, struct http_response *response)
{
    struct worker *worker = rest_worker(request, response);
    struct connector *connector = worker ? rest_connector(worker, request, response, "Unknown connector: ", "") : NULL;
    int64_t number = 0;

    if (!connector)
        return;
    if (task_number(request, &number) && worker_restart_task(worker, connector, (int)number))
        response->status = 204;
    else
        rest_error(response, 404, "Unknown task: %.*s-%.*s", STR_ARG(request->params[0]), STR_ARG(request->params[1]));
}

static void get_topics(struct http_request *request, struct http_response *response)
{
    struct worker *worker = rest_worker(request, response);
    json_t *topics = json_array();

    if (!worker) {
        json_decref(topics);
        return;
    }
    if (!worker->topic_tracking) {
        json_decref(topics);
        rest_error(response, 403, "Topic tracking is disabled.");
        return;
    }
    struct connector *connector = worker_find(worker, request->params[0]);
    pthread_mutex_lock(&worker->lock);
    for (struct map_entry *e = NULL; connector && (e = map_next(&connector->topics, e));)
        json_array_append_new(topics, json_string(e->key));
    pthread_mutex_unlock(&worker->lock);
    CLEANUP_FREE char *name = str_dup(request->params[0]);
    rest_json(response, 200, json_pack("{s:{s:o}}", name, "topics", topics));
}

static void reset_topics(struct http_request *request, struct http_response *response)
{
    struct worker *worker = rest_worker(request, response);
    struct connector *connector = worker ? worker_find(worker, request->params[0]) : NULL;

    if (!worker)
        return;
    if (!worker->topic_tracking) {
        rest_error(response, 403, "Topic tracking is disabled.");
        return;
    }
    if (connector)
        status_topics_reset(worker, connector);
    response->status = 202;
}

/* ------------------------------------------------------------ routes */

const struct http_route rest_routes[] = {
    { .method = "GET", .pattern = "/", .handle = get_root, .summary = "version of the worker" },
    { .method = "GET", .pattern = "/health", .handle = get_health, .summary = "alive and started" },
    { .method = "GET", .pattern = "/ready", .handle = get_health, .summary = "the topics are read back" },
    { .method = "GET", .pattern = "/metrics", .handle = get_metrics, .summary = "numbers for Prometheus" },
    { .method = "GET", .pattern = "/connectors", .handle = list_connectors, .summary = "names, or more by expand=" },
    { .method = "POST", .pattern = "/connectors", .handle = create_connector, .summary = "make a connector" },
    { .method = "GET", .pattern = "/connectors/{name}", .handle = get_connector, .summary = "one connector" },
    { .method = "DELETE", .pattern = "/connectors/{name}", .handle = delete_connector, .summary = "delete it" },
    { .method = "GET", .pattern = "/connectors/{name}/config", .handle = get_config, .summary = "its configuration" },
    { .method = "PUT", .pattern = "/connectors/{name}/config", .handle = put_config, .summary = "make or change it" },
    { .method = "PATCH", .pattern = "/connectors/{name}/config", .handle = patch_config, .summary = "change a part" },
    { .method = "GET", .pattern = "/connectors/{name}/status", .handle = get_status, .summary = "states and traces" },
    { .method = "POST", .pattern = "/connectors/{name}/restart", .handle = restart_connector, .summary = "restart" },
    { .method = "PUT", .pattern = "/connectors/{name}/pause", .handle = pause_connector, .summary = "pause" },
    { .method = "PUT", .pattern = "/connectors/{name}/resume", .handle = resume_connector, .summary = "go on" },
    { .method = "PUT", .pattern = "/connectors/{name}/stop", .handle = stop_connector, .summary = "drop its tasks" },
    { .method = "GET",
      .pattern = "/connectors/{name}/tasks",
      .handle = list_tasks,
      .summary = "tasks' configurations" },
    { .method = "GET",
      .pattern = "/connectors/{name}/tasks/{task}/status",
      .handle = get_task_status,
      .summary = "state of one task" },
    { .method = "POST",
      .pattern = "/connectors/{name}/tasks/{task}/restart",
      .handle = restart_task,
      .summary = "restart one task" },
    { .method = "GET", .pattern = "/connectors/{name}/topics", .handle = get_topics, .summary = "topics it used" },
    { .method = "PUT",
      .pattern = "/connectors/{name}/topics/reset",
      .handle = reset_topics,
      .summary = "forget the topics it used" },
    { .method = "GET", .pattern = "/connectors/{name}/offsets", .handle = rest_offsets_get, .summary = "its offsets" },
    { .method = "PATCH",
      .pattern = "/connectors/{name}/offsets",
      .handle = rest_offsets_alter,
      .summary = "set offsets of a stopped connector" },
    { .method = "DELETE",
      .pattern = "/connectors/{name}/offsets",
      .handle = rest_offsets_reset,
      .summary = "forget offsets of a stopped connector" },
    { .method = "GET", .pattern = "/connector-plugins", .handle = rest_plugins, .summary = "connector classes" },
    { .method = "GET",
      .pattern = "/connector-plugins/{class}/config",
      .handle = rest_plugin_config,
      .summary = "configuration keys of a class" },
    { .method = "PUT",
      .pattern = "/connector-plugins/{class}/config/validate",
      .handle = rest_plugin_validate,
      .summary = "check a configuration" },
    { .method = "GET", .pattern = "/admin/loggers", .handle = rest_loggers, .summary = "log levels" },
    { .method = "GET", .pattern = "/admin/loggers/{logger}", .handle = rest_logger, .summary = "one log level" },
    { .method = "PUT", .pattern = "/admin/loggers/{logger}", .handle = rest_logger_set, .summary = "set a log level" },
};
const size_t rest_route_count = ARRAY_LEN(rest_routes);

void rest_not_found(struct http_request *request, struct http_response *response, bool allowed)
{
    (void)request;
    if (allowed)
        rest_error(response, 405, "HTTP 405 Method Not Allowed");
    else
        rest_error(response, 404, "HTTP 404 Not Found");
}
