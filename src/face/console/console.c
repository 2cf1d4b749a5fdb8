/*
 * The console: one page, its data as JSON, and as server-sent events while somebody looks.  Nothing
 * is asked of anybody while nobody does.
 */
#include "face/console/console.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "face/console/overview.h"

enum { EVENT_EVERY_MS = 1000, EVENT_BYTES_MAX = 8 << 20 };

EMBED(console_page, HAUS_WEB_DIR "/console.html");

static void page(struct http_request *request, struct http_response *response)
{
    (void)request;
    response->content_type = "text/html; charset=utf-8";
    http_response_header(response, "Content-Security-Policy",
                         "default-src 'self'; script-src 'unsafe-inline'; style-src 'unsafe-inline'");
    buf_put_str(&response->body, EMBED_STR(console_page));
}

static void state(struct http_request *request, struct http_response *response)
{
    json_t *root = overview_read(request->service);
    CLEANUP_FREE char *text = json_dumps(root, JSON_COMPACT);

    json_decref(root);
    http_response_text(response, 200, "application/json", "%s", text);
}

/* ---------------------------------------------------- server-sent events */

struct watcher {
    struct overview *overview;
    struct buf event;
    size_t sent;
    bool first;
};

static void make_event(struct watcher *watcher)
{
    json_t *root = overview_read(watcher->overview);
    CLEANUP_FREE char *text = json_dumps(root, JSON_COMPACT);

    json_decref(root);
    buf_clear(&watcher->event);
    watcher->event.max = EVENT_BYTES_MAX;
    watcher->sent = 0;
    buf_puts(&watcher->event, "data: ");
    buf_puts(&watcher->event, text ? text : "{}");
    buf_puts(&watcher->event, "\n\n");
}

static ssize_t on_event_read(void *user, char *p, size_t max)
{
    struct watcher *watcher = user;

    if (watcher->sent == watcher->event.len) {
        if (!watcher->first)
            nanosleep(&(struct timespec){ .tv_nsec = (EVENT_EVERY_MS - 1) * 1000000L }, NULL);
        watcher->first = false;
        make_event(watcher);
    }
    size_t n = MIN(max, watcher->event.len - watcher->sent);
    memcpy(p, watcher->event.data + watcher->sent, n);
    watcher->sent += n;
    return (ssize_t)n;
}

static void on_event_end(void *user)
{
    struct watcher *watcher = user;

    buf_free(&watcher->event);
    free(watcher);
}

static void events(struct http_request *request, struct http_response *response)
{
    struct watcher *watcher = NEW(struct watcher);

    *watcher = (struct watcher){ .overview = request->service, .first = true };
    response->content_type = "text/event-stream";
    http_response_header(response, "Cache-Control", "no-cache");
    response->stream = on_event_read;
    response->stream_end = on_event_end;
    response->stream_user = watcher;
}

static void health(struct http_request *request, struct http_response *response)
{
    (void)request;
    http_response_text(response, 200, "application/json", "{\"status\":\"ok\"}");
}

static void metrics(struct http_request *request, struct http_response *response)
{
    struct overview *overview = request->service;
    struct house_state state_now = { 0 };

    response->content_type = "text/plain; version=0.0.4";
    buf_puts(&response->body, "# HELP haus_service_up whether a service is ready\n# TYPE haus_service_up gauge\n");
    if (house_state_read(&overview->house, &state_now, NULL))
        return;
    for (size_t i = 0; i < service_count; i++)
        buf_printf(&response->body, "haus_service_up{service=\"%s\"} %d\n", services[i].name,
                   state_now.services[i].status == SERVICE_READY);
    house_state_free(&state_now);
}

static const struct http_route routes[] = {
    { .method = "GET", .pattern = "/", .handle = page },
    { .method = "GET", .pattern = "/api/state", .handle = state },
    { .method = "GET", .pattern = "/api/events", .handle = events },
    { .method = "GET", .pattern = "/health", .handle = health },
    { .method = "GET", .pattern = "/ready", .handle = health },
    { .method = "GET", .pattern = "/metrics", .handle = metrics },
};

enum rc console_run(struct station *station, struct err *err)
{
    struct overview overview;
    struct http_server *server = NULL;
    enum rc rc = overview_open(&overview, err);

    if (!rc)
        rc = http_server_start(
            &(struct http_server_options){
                .host = station->host,
                .port = station->port,
                .routes = routes,
                .route_count = ARRAY_LEN(routes),
                .service = &overview,
            },
            &server, err);
    if (rc)
        return rc;
    log_info("listening", "address=%s:%d", station->host, station->port);
    station_ready(station);
    station_wait_for_stop();
    http_server_stop(server);
    overview_close(&overview);
    return RC_OK;
}
