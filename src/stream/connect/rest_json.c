/* Bodies and answers of the REST API; see rest.h. */
#include <stdlib.h>
#include <string.h>

#include "stream/connect/rest.h"

void rest_json(struct http_response *response, int status, json_t *value)
{
    char *text = value ? json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY) : NULL;

    response->status = status;
    response->content_type = "application/json";
    buf_puts(&response->body, text ? text : "null");
    free(text);
    json_decref(value);
}

void rest_error(struct http_response *response, int status, const char *format, ...)
{
    CLEANUP(buf_free) struct buf text = { 0 };
    va_list args;

    va_start(args, format);
    buf_vprintf(&text, format, args);
    va_end(args);
    if (!str_is_utf8(buf_str(&text)))
        for (size_t i = 0; i < text.len; i++)
            text.data[i] = (unsigned char)text.data[i] < 0x80 ? text.data[i] : '?';
    rest_json(response, status, json_pack("{s:i,s:s}", "error_code", status, "message", buf_cstr(&text)));
}

void rest_failed(struct http_response *response, const struct err *err)
{
    static const int statuses[] = { [RC_NOT_FOUND] = 404, [RC_EXISTS] = 409, [RC_BAD_INPUT] = 400 };
    int status = (size_t)err->rc < ARRAY_LEN(statuses) ? statuses[err->rc] : 0;

    rest_error(response, status ? status : 500, "%s", err->text);
}

struct worker *rest_worker(struct http_request *request, struct http_response *response)
{
    struct worker *worker = request->service;

    if (atomic_load(&worker->ready) && !atomic_load(&worker->stopping))
        return worker;
    rest_error(response, 503, "%s",
               atomic_load(&worker->stopping) ? "the worker is stopping"
                                              : "the worker is starting: it waits for the log to read its topics back");
    return NULL;
}

struct connector *rest_connector(struct worker *worker, struct http_request *request, struct http_response *response,
                                 const char *before, const char *after)
{
    struct connector *connector = worker_find(worker, request->params[0]);

    if (!connector)
        rest_error(response, 404, "%s%.*s%s", before, STR_ARG(request->params[0]), after);
    return connector;
}

json_t *rest_body(struct http_request *request, struct http_response *response)
{
    struct str type = http_request_header(request, "Content-Type"), media = { 0 };
    json_error_t error = { 0 };

    if (type.p && str_cut(&type, ';', &media) && !str_is_nocase(str_trim(media), "application/json")) {
        rest_error(response, 415, "HTTP 415 Unsupported Media Type");
        return NULL;
    }
    json_t *body = json_loadb(buf_cstr(&request->body), request->body.len, JSON_REJECT_DUPLICATES, &error);
    if (!body)
        rest_error(response, 500, "the body is not JSON: %s (line %d, column %d)", error.text, error.line,
                   error.column);
    return body;
}

/* Java's map of texts takes numbers and booleans as their texts. */
static char *scalar_text(const json_t *value)
{
    if (json_is_string(value))
        return strlen(json_string_value(value)) == json_string_length(value) ? mem_strdup(json_string_value(value))
                                                                             : NULL;
    if (!json_is_number(value) && !json_is_boolean(value))
        return NULL;
    char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_REAL_PRECISION(15)), *copy = mem_strdup(text);
    free(text);
    return copy;
}

bool rest_config(const json_t *object, struct connector_config *out, json_t *nulls, struct http_response *response)
{
    const char *name = NULL;
    json_t *value = NULL;

    if (!json_is_object(object)) {
        rest_error(response, 500, "the configuration is not a JSON object of names and texts");
        return false;
    }
    json_object_foreach((json_t *)(uintptr_t)object, name, value) {
        CLEANUP_FREE char *text = scalar_text(value);
        if (json_is_null(value)) {
            if (nulls)
                json_object_set_new(nulls, name, json_null());
            continue;
        }
        if (!text) {
            rest_error(response, 500, "the value of '%s' is not a text, number or boolean", name);
            return false;
        }
        config_set(out, name, text);
    }
    return true;
}

static json_t *state_json(const struct worker *worker, const struct status *status)
{
    json_t *object = json_pack("{s:s,s:s}", "state", run_state_name(status->state), "worker_id", worker->id);

    if (status->trace)
        json_object_set_new(object, "trace", json_string(status->trace));
    return object;
}

static const char *type_of(const struct connector *connector)
{
    const struct connector_class *class = connector->config.class;

    return !class ? "unknown" : class->kind == CONNECTOR_SOURCE ? "source" : "sink";
}

json_t *rest_status(struct worker *worker, struct connector *connector)
{
    json_t *tasks = json_array();

    pthread_mutex_lock(&worker->lock);
    for (size_t i = 0; i < connector->task_count; i++) {
        json_t *task = json_pack("{s:i}", "id", connector->tasks[i].number);
        json_t *state = state_json(worker, &connector->tasks[i].status);
        json_object_update(task, state);
        json_decref(state);
        json_array_append_new(tasks, task);
    }
    json_t *all = json_pack("{s:s,s:o,s:o,s:s}", "name", connector->name, "connector",
                            state_json(worker, &connector->status), "tasks", tasks, "type", type_of(connector));
    pthread_mutex_unlock(&worker->lock);
    return all;
}

json_t *rest_info(struct worker *worker, struct connector *connector)
{
    json_t *tasks = json_array(), *config = json_object();

    pthread_mutex_lock(&worker->lock);
    for (size_t i = 0; i < connector->task_count; i++)
        json_array_append_new(tasks,
                              json_pack("{s:s,s:i}", "connector", connector->name, "task", connector->tasks[i].number));
    for (struct map_entry *e = NULL; (e = map_next(&connector->config.rows, e));)
        json_object_set_new(config, e->key, json_string(e->value));
    json_t *all = json_pack("{s:s,s:o,s:o,s:s}", "name", connector->name, "config", config, "tasks", tasks, "type",
                            type_of(connector));
    pthread_mutex_unlock(&worker->lock);
    return all;
}
