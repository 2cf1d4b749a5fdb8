/* The station: settings, REST, and the loading of the connectors as soon as the log answers. */
#include "stream/connect/connect.h"

#include <stdlib.h>
#include <unistd.h>

#include "stream/connect/worker.h"

enum { LOAD_PAUSE_MS = 500 };

/* Tries until the log answers.  Nothing else is waited for: connectors wait for their own peers. */
static void *load_main(void *user)
{
    struct worker *worker = user;

    while (!atomic_load(&worker->stopping)) {
        struct err err = { 0 };
        if (worker_load(worker, &err) == RC_OK) {
            atomic_store(&worker->ready, true);
            log_info("ready", "address=%s log=%s", worker->id, worker->bootstrap);
            station_ready(worker->station);
            break;
        }
        log_warn("the topics cannot be read back yet", "log=%s cause=%s", worker->bootstrap, err.text);
        usleep(LOAD_PAUSE_MS * 1000);
    }
    return NULL;
}

enum rc connect_run(struct station *station, struct err *err)
{
    struct worker *worker = NEW(struct worker); /* lives as long as the process: threads left to themselves see it */
    struct http_server *server = NULL;
    pthread_t loader;

    worker->station = station;
    pthread_mutex_init(&worker->lock, NULL);
    enum rc rc = worker_settings(worker, err);
    if (rc)
        return rc;
    const struct http_server_options options = { .host = station->host,
                                                 .port = station->port,
                                                 .routes = rest_routes,
                                                 .route_count = rest_route_count,
                                                 .service = worker,
                                                 .not_found = rest_not_found };
    rc = http_server_start(&options, &server, err);
    if (rc)
        return rc;
    if (pthread_create(&loader, NULL, load_main, worker))
        return err_set(err, RC_FATAL, "cannot start a thread; too many run already");
    station_wait_for_stop();
    atomic_store(&worker->stopping, true);
    if (!atomic_load(&worker->ready))
        _exit(0); /* nothing runs, nothing is open: no reason to wait for an absent log */
    pthread_join(loader, NULL);
    worker_stop(worker);
    http_server_stop(server);
    if (atomic_load(&worker->abandoned))
        _exit(0); /* threads that do not end still look at the station */
    return RC_OK;
}
