/* REST: the connector classes, their configuration keys, validation; log levels. */
#include <stdlib.h>
#include <string.h>

#include "stream/connect/options.h"
#include "stream/connect/rest.h"
#include "stream/connect/validate.h"

void rest_plugins(struct http_request *request, struct http_response *response)
{
    struct str only = { 0 };
    json_t *all = json_array();

    for (size_t i = 0; connector_classes[i]; i++)
        json_array_append_new(all, json_pack("{s:s,s:s,s:s}", "class", connector_classes[i]->class_name, "type",
                                             connector_classes[i]->kind == CONNECTOR_SOURCE ? "source" : "sink",
                                             "version", connector_classes[i]->version));
    bool converters = http_request_query(request, "connectorsOnly", &only) && str_is_nocase(only, "false");
    for (const char *const *name = options_converters(); converters && *name; name++)
        json_array_append_new(
            all, json_pack("{s:s,s:s,s:s}", "class", *name, "type", "converter", "version", CONNECT_VERSION));
    rest_json(response, 200, all);
}

static void put_class_names(struct buf *out)
{
    for (size_t i = 0; connector_classes[i]; i++)
        buf_printf(out, "%s%s", i ? ", " : "", connector_classes[i]->class_name);
}

static const struct connector_class *find_class(struct str name, struct http_response *response)
{
    const struct connector_class *class = class_find(name);
    CLEANUP(buf_free) struct buf names = { 0 };

    if (class)
        return class;
    put_class_names(&names);
    rest_error(response, 500,
               "Failed to find any class that implements Connector and which name matches %.*s, available connectors "
               "are: %s",
               STR_ARG(name), buf_cstr(&names));
    return NULL;
}

void rest_plugin_config(struct http_request *request, struct http_response *response)
{
    const struct connector_class *class = class_find(request->params[0]);

    if (class)
        rest_json(response, 200, class_keys(class));
    else
        rest_error(response, 404, "Unknown plugin %.*s.", STR_ARG(request->params[0]));
}

/* {name=a, topics=b}: Java's Map.toString, without secrets */
static void put_config(const struct connector_config *config, struct buf *out)
{
    const char *between = "";

    buf_putc(out, '{');
    for (struct map_entry *e = NULL; (e = map_next(&config->rows, e));) {
        bool secret = strstr(e->key, "password") || strstr(e->key, "secret") || strstr(e->key, "user.info");
        buf_printf(out, "%s%s=%s", between, e->key, secret ? "[hidden]" : (const char *)e->value);
        between = ", ";
    }
    buf_putc(out, '}');
}

static bool has_class(const struct connector_config *config, struct http_response *response)
{
    CLEANUP(buf_free) struct buf words = { 0 };

    if (config_given(config, "connector.class"))
        return true;
    put_config(config, &words);
    rest_error(response, 400, "Connector config %s contains no connector type", buf_cstr(&words));
    return false;
}

bool rest_check_config(struct worker *worker, const struct connector_config *config, struct http_response *response)
{
    CLEANUP(validation_free) struct validation validation = { 0 };
    CLEANUP(buf_free) struct buf words = { 0 };
    CLEANUP(config_free) struct connector_config resolved = { 0 };

    if (!has_class(config, response))
        return false;
    const struct connector_class *class = find_class(str_of(config_given(config, "connector.class")), response);
    if (!class)
        return false;
    provider_resolve(worker, config, &resolved);
    validate(worker->station, class, &resolved, &validation);
    if (!validation.count)
        return true;
    validation_words(&validation, &words);
    rest_error(response, 400, "%s", buf_cstr(&words));
    return false;
}

static void validate_body(struct worker *worker, struct str name, const json_t *body, struct http_response *response)
{
    CLEANUP(validation_free) struct validation validation = { 0 };
    CLEANUP(config_free) struct connector_config config = { 0 }, resolved = { 0 };

    if (!rest_config(body, &config, NULL, response) || !has_class(&config, response))
        return;
    struct str own = str_of(config_given(&config, "connector.class"));
    const struct connector_class *class = find_class(own, response);
    if (!class)
        return;
    if (class != class_find(name)) {
        rest_error(response, 400, "Included connector type %.*s does not match request type %.*s", STR_ARG(own),
                   STR_ARG(name));
        return;
    }
    provider_resolve(worker, &config, &resolved);
    validate(worker->station, class, &resolved, &validation);
    rest_json(response, 200, validation_infos(class, &config, &validation));
}

void rest_plugin_validate(struct http_request *request, struct http_response *response)
{
    struct worker *worker = rest_worker(request, response);
    json_t *body = worker ? rest_body(request, response) : NULL;

    if (body)
        validate_body(worker, request->params[0], body, response);
    json_decref(body);
}

/* ------------------------------------------------------------ log levels: shown, accepted, one for all */

static json_t *level_json(void)
{
    return json_pack("{s:s,s:n}", "level", "INFO", "last_modified");
}

void rest_loggers(struct http_request *request, struct http_response *response)
{
    (void)request;
    rest_json(response, 200, json_pack("{s:o}", "root", level_json()));
}

void rest_logger(struct http_request *request, struct http_response *response)
{
    (void)request;
    rest_json(response, 200, level_json());
}

void rest_logger_set(struct http_request *request, struct http_response *response)
{
    json_t *body = rest_body(request, response);
    const char *level = json_string_value(json_object_get(body, "level"));
    enum log_level known = LOG_INFO;

    if (body && !level)
        rest_error(response, 400, "Desired 'level' parameter was not specified in request.");
    else if (body && !log_level_of(level, &known) && !str_is_nocase(str_of(level), "trace"))
        rest_error(response, 404, "invalid log level '%s'.", level);
    else if (body)
        rest_json(response, 200, json_pack("[s%]", request->params[0].p, request->params[0].len));
    json_decref(body);
}
