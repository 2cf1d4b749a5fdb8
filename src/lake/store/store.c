/* The station: opens the index, answers S3 on one port and leads to the console on the next. */
#include "lake/store/store.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "disk/disk.h"
#include "lake/store/exchange.h"
#include "lake/store/page.h"

enum { ACCESS_KEY_MIN = 3, SECRET_KEY_MIN = 8 }; /* MinIO's */

static const struct http_route routes[] = {
    { .method = "GET",
      .pattern = "/minio/health/{probe}",
      .handle = page_minio_health,
      .summary = "whether the store is alive and ready" },
    { .method = "GET",
      .pattern = "/minio/v2/metrics/{scope}",
      .handle = page_metrics,
      .summary = "metrics for Prometheus" },
    { .method = "*",
      .pattern = "/{*key}",
      .begin = exchange_begin,
      .body = exchange_body,
      .handle = exchange_handle,
      .end = exchange_end,
      .summary = "the S3 API" },
};

static void lead_to_console(struct http_request *request, struct http_response *response)
{
    struct store *store = request->service;
    struct str host = http_request_header(request, "Host");
    size_t n = host.len;

    while (n && host.p[n - 1] != ':' && host.p[n - 1] != ']')
        n--;
    struct str name = n && host.p[n - 1] == ':' ? str_n(host.p, n - 1) : host;
    http_response_header(response, "Location", "http://%.*s:%d/",
                         STR_ARG(name.len ? name : str_of(store->station->host)), store->console_port);
    http_response_text(response, 302, "text/plain", "the console is on port %d\n", store->console_port);
}

static const struct http_route console_routes[] = {
    { .method = "*", .pattern = "/{*path}", .handle = lead_to_console, .summary = "leads to the console" },
};

static void after(struct http_request *request, struct http_response *response)
{
    struct store *store = request->service;
    uint64_t out = response->has_file ? response->file_size : response->stream ? response->size : response->body.len;

    atomic_fetch_add_explicit(&store->requests, 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&store->bytes_out, out, memory_order_relaxed);
    if (response->status / 100 == 4)
        atomic_fetch_add_explicit(&store->requests_4xx, 1, memory_order_relaxed);
    if (response->status / 100 == 5)
        atomic_fetch_add_explicit(&store->requests_5xx, 1, memory_order_relaxed);
}

/* ----------------------------------------------------------------- sweep */

struct sweep {
    struct store *store;
    pthread_t thread;
    bool runs;
    volatile bool stop;
};

static bool is_known(void *user, uint64_t number)
{
    struct sweep *sweep = user;
    CLEANUP(index_read_end) struct index_txn *txn = index_read_begin(sweep->store->index);
    struct str bytes = { 0 };
    uint8_t key[8];

    be64_write(key, number);
    return !txn || index_get(txn, INDEX_BLOB, str_n((char *)key, 8), &bytes) || index_failed(txn);
}

static void *sweep_main(void *user)
{
    struct sweep *sweep = user;
    size_t removed = blobs_sweep(index_blobs(sweep->store->index), is_known, sweep, &sweep->stop);

    if (removed)
        log_info("removed files nobody names", "count=%zu", removed);
    return NULL;
}

static void sweep_end(struct sweep *sweep)
{
    sweep->stop = true;
    if (sweep->runs)
        pthread_join(sweep->thread, NULL);
}

/* ------------------------------------------------------------------- run */

static enum rc read_settings(struct store *store, struct err *err)
{
    const struct settings *settings = store->station->settings;
    struct str console = str_of(station_address(store->station, "console")), host = { 0 };

    store->access_key = settings_get(settings, "MINIO_ROOT_USER", "minio");
    store->secret_key = settings_get(settings, "MINIO_ROOT_PASSWORD", "minio123");
    store->region = settings_get(settings, "MINIO_REGION", "us-east-1");
    if (strlen(store->access_key) < ACCESS_KEY_MIN)
        return err_set(err, RC_BAD_INPUT, "cannot use '%s' for 'MINIO_ROOT_USER' (%s): it needs at least %d characters",
                       store->access_key, settings_find(settings, "MINIO_ROOT_USER")->origin, ACCESS_KEY_MIN);
    if (strlen(store->secret_key) < SECRET_KEY_MIN) /* which is not shown */
        return err_set(err, RC_BAD_INPUT, "cannot use 'MINIO_ROOT_PASSWORD' (%s): it needs at least %d characters",
                       settings_find(settings, "MINIO_ROOT_PASSWORD")->origin, SECRET_KEY_MIN);
    return address_split(console, &host, &store->console_port, err);
}

static enum rc serve(struct store *store, struct err *err)
{
    struct http_server_options options = { .host = store->station->host,
                                           .port = store->station->port,
                                           .routes = routes,
                                           .route_count = ARRAY_LEN(routes),
                                           .service = store,
                                           .after = after };
    struct http_server_options console = { .host = store->station->host,
                                           .port = store->station->port + 1,
                                           .routes = console_routes,
                                           .route_count = ARRAY_LEN(console_routes),
                                           .service = store };
    struct http_server *server = NULL, *console_server = NULL;
    struct sweep sweep = { .store = store };
    struct err own = { 0 };
    enum rc rc = http_server_start(&options, &server, err);

    if (rc)
        return rc;
    if (http_server_start(&console, &console_server, &own))
        log_warn("nothing leads to the console", "cause=%s", own.text);
    log_info("ready", "address=%s:%d home=%s", store->station->host, store->station->port, store->station->dir);
    station_ready((struct station *)(uintptr_t)store->station);
    sweep.runs = pthread_create(&sweep.thread, NULL, sweep_main, &sweep) == 0;
    station_wait_for_stop();
    http_server_stop(console_server);
    http_server_stop(server);
    sweep_end(&sweep);
    return RC_OK;
}

enum rc store_run(struct station *station, struct err *err)
{
    CLEANUP(disk_close) int lock = -1;
    struct store *store = NEW(struct store);
    pid_t holder = 0;

    store->station = station;
    store->started_ms = clock_mono_ms();
    enum rc rc = read_settings(store, err);
    if (!rc)
        rc = disk_make_dirs(station->dir, 0700, err);
    if (!rc)
        rc = disk_flush_dir(station->home, err);
    if (!rc)
        rc = disk_lock_dir(station->dir, &lock, &holder, err);
    if (!rc)
        rc = index_open(station->dir, &store->index, err);
    if (!rc)
        rc = serve(store, err);
    index_close(store->index);
    free(store);
    return rc;
}
