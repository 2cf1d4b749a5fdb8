/*
 * The seeder's API in FastAPI's shapes: a handler an operation.  What each takes stands in operation.c,
 * and openapi.c describes it.
 */
#include "source/seeder/api.h"

#include <stdio.h>
#include <string.h>

#include "source/seeder/operation.h"

/* --------------------------------------------------------------- answers */

static void answer(struct http_response *response, int status, json_t *body)
{
    CLEANUP_FREE char *text = json_dumps(body, JSON_COMPACT | JSON_REAL_PRECISION(6));

    http_response_text(response, status, "application/json", "%s", text);
    json_decref(body);
}

static json_t *counts_json(const struct writer_counts *counts)
{
    json_t *rows = json_object();

    for (int t = 0; t < MODEL_TABLES; t++)
        json_object_set_new(rows, model_table_names[t], json_integer(counts->inserted[t]));
    return rows;
}

static void answer_error(struct http_response *response, int status, const struct err *err)
{
    answer(response, status, json_pack("{s:s}", "detail", err->text));
}

static void seed_full(struct http_request *request, struct http_response *response)
{
    double v[PARAMS_MAX] = { 0 };
    struct writer_counts counts = { 0 };
    struct err err = { 0 };
    int64_t began = clock_mono_ms();

    if (!param_read(request, seeder_operations[OPERATION_FULL].params,
                    operation_param_count(&seeder_operations[OPERATION_FULL]), v, response))
        return;
    enum rc rc = traffic_full(request->service, (int64_t)v[0], (int64_t)v[1], (int64_t)v[2], &counts, &err);
    if (rc) {
        log_warn("seed failed", "committed_batches=%lld cause=%s", (long long)counts.batches, err.text);
        answer_error(response, rc == RC_RETRY ? 503 : 500, &err);
        return;
    }
    double seconds = (double)(clock_mono_ms() - began) / 1e3;
    log_info("seeded", "records=%lld seconds=%.3f", (long long)v[0], seconds);
    answer(response, 200,
           json_pack("{s:s,s:I,s:I,s:o,s:f}", "status", "completed", "records", (json_int_t)v[0], "batches",
                     (json_int_t)counts.batches, "rows", counts_json(&counts), "seconds", seconds));
}

static void seed_start(struct http_request *request, struct http_response *response)
{
    double v[PARAMS_MAX] = { 0 };
    struct err err = { 0 };

    if (!param_read(request, seeder_operations[OPERATION_START].params,
                    operation_param_count(&seeder_operations[OPERATION_START]), v, response))
        return;
    struct traffic_plan plan = { v[0], (int64_t)v[1], (int64_t)v[2], (int64_t)v[3], (int64_t)v[4] };
    enum rc rc = traffic_start(request->service, &plan, &err);
    if (rc) {
        answer_error(response, rc == RC_EXISTS ? 409 : 503, &err);
        return;
    }
    answer(response, 200,
           json_pack("{s:s,s:f,s:I,s:I,s:I}", "status", "started", "rate", plan.rate, "batch_size",
                     (json_int_t)plan.batch_size, "updates", (json_int_t)plan.updates, "deletes",
                     (json_int_t)plan.deletes));
}

static void seed_stop(struct http_request *request, struct http_response *response)
{
    bool stopped = traffic_stop(request->service);

    answer(response, 200, json_pack("{s:s}", "status", stopped ? "stopped" : "not running"));
}

static void health(struct http_request *request, struct http_response *response)
{
    (void)request;
    answer(response, 200, json_pack("{s:s}", "status", "ok"));
}

static void ready(struct http_request *request, struct http_response *response)
{
    struct traffic *traffic = request->service;
    CLEANUP(pg_close) PGconn *conn = NULL;
    struct err err = { 0 };

    if (pg_open(traffic->station, NULL, &conn, &err))
        answer_error(response, 503, &err);
    else
        answer(response, 200, json_pack("{s:s}", "status", "ready"));
}

static void status(struct http_request *request, struct http_response *response)
{
    struct traffic_status s;
    char when[CLOCK_TEXT_MAX];

    traffic_status(request->service, &s);
    clock_format_iso(s.started_ms, when);
    answer(response, 200,
           json_pack("{s:b,s:o,s:o,s:I,s:o,s:I,s:I,s:o}", "running", s.running, "rate",
                     s.running ? json_real(s.plan.rate) : json_null(), "started_at",
                     s.started_ms ? json_string(when) : json_null(), "batches", (json_int_t)s.counts.batches, "rows",
                     counts_json(&s.counts), "updated", (json_int_t)s.counts.updated, "deleted",
                     (json_int_t)s.counts.deleted, "last_error",
                     s.last_error[0] ? json_string(s.last_error) : json_null()));
}

static void metrics(struct http_request *request, struct http_response *response)
{
    struct traffic_status s;
    struct buf *out = &response->body;

    traffic_status(request->service, &s);
    response->content_type = "text/plain; version=0.0.4";
    buf_puts(out, "# HELP seeder_rows_total rows inserted\n# TYPE seeder_rows_total counter\n");
    for (int t = 0; t < MODEL_TABLES; t++)
        buf_printf(out, "seeder_rows_total{table=\"%s\"} %lld\n", model_table_names[t],
                   (long long)s.counts.inserted[t]);
    buf_printf(out,
               "# HELP seeder_batches_total transactions committed\n# TYPE seeder_batches_total counter\n"
               "seeder_batches_total %lld\n",
               (long long)s.counts.batches);
    buf_printf(out, "# HELP seeder_running whether a stream runs\n# TYPE seeder_running gauge\nseeder_running %d\n",
               s.running);
}

/* ------------------------------------------------------------------ docs */

EMBED(swagger_js, HAUS_SWAGGER_DIR "/swagger-ui-bundle.js");
EMBED(swagger_css, HAUS_SWAGGER_DIR "/swagger-ui.css");

static void serve_asset(struct http_response *response, const char *content_type, struct str bytes)
{
    response->content_type = content_type;
    http_response_header(response, "Cache-Control", "max-age=86400");
    buf_put_str(&response->body, bytes);
}

static void docs_js(struct http_request *request, struct http_response *response)
{
    (void)request;
    serve_asset(response, "text/javascript; charset=utf-8", EMBED_STR(swagger_js));
}

static void docs_css(struct http_request *request, struct http_response *response)
{
    (void)request;
    serve_asset(response, "text/css; charset=utf-8", EMBED_STR(swagger_css));
}

static void docs(struct http_request *request, struct http_response *response)
{
    (void)request;
    http_response_text(
        response, 200, "text/html; charset=utf-8",
        "<!DOCTYPE html>\n<html>\n<head>\n<meta charset=\"utf-8\">\n"
        "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1.0\">\n"
        "<link rel=\"stylesheet\" href=\"/docs/swagger-ui.css\">\n<title>Storefront seeder - Swagger UI</title>\n"
        "</head>\n<body>\n<div id=\"swagger-ui\"></div>\n<script src=\"/docs/swagger-ui-bundle.js\"></script>\n"
        "<script>\nconst ui = SwaggerUIBundle({ url: '/openapi.json', dom_id: '#swagger-ui',\n"
        "  layout: 'BaseLayout', deepLinking: true, showExtensions: true, showCommonExtensions: true,\n"
        "  presets: [SwaggerUIBundle.presets.apis, SwaggerUIBundle.SwaggerUIStandalonePreset] })\n"
        "</script>\n</body>\n</html>\n");
}

static void openapi(struct http_request *request, struct http_response *response)
{
    (void)request;
    answer(response, 200, api_openapi());
}

void api_not_found(struct http_request *request, struct http_response *response, bool allowed)
{
    /* as Starlette: the method of the first route with that path */
    for (size_t i = 0; allowed && i < api_route_count; i++)
        if (str_is(request->path, api_routes[i].pattern)) {
            http_response_header(response, "Allow", "%s", api_routes[i].method);
            break;
        }
    answer(response, allowed ? 405 : 404, json_pack("{s:s}", "detail", allowed ? "Method Not Allowed" : "Not Found"));
}

const struct http_route api_routes[] = {
    { .method = "POST", .pattern = "/seed/full", .handle = seed_full },
    { .method = "POST", .pattern = "/seed/start", .handle = seed_start },
    { .method = "POST", .pattern = "/seed/stop", .handle = seed_stop },
    { .method = "GET", .pattern = "/health", .handle = health },
    { .method = "GET", .pattern = "/status", .handle = status },
    { .method = "GET", .pattern = "/ready", .handle = ready },
    { .method = "GET", .pattern = "/metrics", .handle = metrics },
    { .method = "GET", .pattern = "/openapi.json", .handle = openapi },
    { .method = "GET", .pattern = "/docs", .handle = docs },
    { .method = "GET", .pattern = "/docs/swagger-ui-bundle.js", .handle = docs_js },
    { .method = "GET", .pattern = "/docs/swagger-ui.css", .handle = docs_css },
};
const size_t api_route_count = ARRAY_LEN(api_routes);
