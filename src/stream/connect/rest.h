/* What the files of the REST API share: answers, errors, bodies. */
#ifndef STREAM_CONNECT_REST_H
#define STREAM_CONNECT_REST_H

#include "stream/connect/worker.h"

/* value is taken over. */
void rest_json(struct http_response *response, int status, json_t *value);
/* {"error_code":404,"message":"…"} */
void rest_error(struct http_response *response, int status, const char *format, ...) PRINTF_LIKE(3, 4);
/* What an rc of the worker means: 404, 409, 400, 500. */
void rest_failed(struct http_response *response, const struct err *err);
/* NULL after answering 503: the topics are not read back yet. */
struct worker *rest_worker(struct http_request *request, struct http_response *response);
/* The connector of the path; NULL after answering 404 with `format` (one %s: the name). */
struct connector *rest_connector(struct worker *worker, struct http_request *request, struct http_response *response,
                                 const char *before, const char *after);
/* The body as JSON; NULL after answering 415 or 500, as Connect does. */
json_t *rest_body(struct http_request *request, struct http_response *response);
/* A body's flat map of scalars; false after answering.  nulls: names with a null value are put here, may be NULL. */
bool rest_config(const json_t *object, struct connector_config *out, json_t *nulls, struct http_response *response);
/* {"name","connector","tasks","type"} and {"name","config","tasks","type"}; new references. */
json_t *rest_status(struct worker *worker, struct connector *connector);
json_t *rest_info(struct worker *worker, struct connector *connector);

/* rest_plugins.c */
void rest_plugins(struct http_request *request, struct http_response *response);
void rest_plugin_config(struct http_request *request, struct http_response *response);
void rest_plugin_validate(struct http_request *request, struct http_response *response);
void rest_loggers(struct http_request *request, struct http_response *response);
void rest_logger(struct http_request *request, struct http_response *response);
void rest_logger_set(struct http_request *request, struct http_response *response);
/* Answers and returns false when the configuration is not one that may run. */
bool rest_check_config(struct worker *worker, const struct connector_config *config, struct http_response *response);

/* rest_offsets.c */
void rest_offsets_get(struct http_request *request, struct http_response *response);
void rest_offsets_alter(struct http_request *request, struct http_response *response);
void rest_offsets_reset(struct http_request *request, struct http_response *response);

#endif
