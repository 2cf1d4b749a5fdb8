/*
 * The station: port 8081 in front, the topic _schemas behind.  It listens at once; calls that come before
 * the topic was read wait for that a while, then get 500 (50001).  While the log is away reads go on; writes answer
 * 50002 or 50001, and succeed again when it is back.
 */
#include "stream/registry/registry.h"

#include <stdlib.h>
#include <time.h>

#include "stream/registry/service.h"

static const char default_topic[] = "_schemas";

void registry_init(struct registry *registry)
{
    *registry = (struct registry){ .default_level = COMPAT_BACKWARD };
    pthread_rwlock_init(&registry->lock, NULL);
    pthread_mutex_init(&registry->writing, NULL);
    pthread_mutex_init(&registry->ready_lock, NULL);
    pthread_cond_init(&registry->ready_changed, NULL);
    registry_make_routes(registry);
}

void registry_set_ready(struct registry *registry)
{
    pthread_mutex_lock(&registry->ready_lock);
    atomic_store(&registry->ready, true);
    pthread_cond_broadcast(&registry->ready_changed);
    pthread_mutex_unlock(&registry->ready_lock);
}

bool registry_wait_ready(struct registry *registry)
{
    struct timespec until;
    int failed = 0;

    if (atomic_load(&registry->ready))
        return true;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += REGISTRY_READY_WAIT_SECONDS;
    pthread_mutex_lock(&registry->ready_lock);
    while (!atomic_load(&registry->ready) && !failed)
        failed = pthread_cond_timedwait(&registry->ready_changed, &registry->ready_lock, &until);
    pthread_mutex_unlock(&registry->ready_lock);
    return atomic_load(&registry->ready);
}

void registry_free(struct registry *registry)
{
    for (size_t i = 0; i < registry->route_count; i++)
        free((char *)(uintptr_t)registry->routes[i].pattern);
    free(registry->routes);
    state_free(&registry->state);
    pthread_cond_destroy(&registry->ready_changed);
    pthread_mutex_destroy(&registry->ready_lock);
    pthread_mutex_destroy(&registry->writing);
    pthread_rwlock_destroy(&registry->lock);
}

void registry_apply(void *user, bool anew, struct str key, struct str value)
{
    struct registry *registry = user;
    struct err err = { 0 };
    enum rc rc;

    pthread_rwlock_wrlock(&registry->lock);
    if (anew)
        state_free(&registry->state);
    rc = state_apply(&registry->state, key, value, &err);
    pthread_rwlock_unlock(&registry->lock);
    if (rc)
        log_warn("passed over a record", "cause=%s", err.text);
}

struct run {
    struct registry registry;
    struct station *station;
};

static void caught_up(void *user)
{
    struct run *run = CONTAINER_OF(user, struct run, registry);

    registry_set_ready(&run->registry);
    log_info("ready", "subjects=%zu", run->registry.state.subjects.count);
    station_ready(run->station);
}

static enum rc read_level(const struct settings *settings, enum compat_level *out, struct err *err)
{
    const char *name = settings_get(settings, "SCHEMA_REGISTRY_SCHEMA_COMPATIBILITY_LEVEL", "backward");

    if (compat_level_of(str_of(name), out))
        return RC_OK;
    return err_set(err, RC_BAD_INPUT,
                   "setting 'SCHEMA_REGISTRY_SCHEMA_COMPATIBILITY_LEVEL' is '%s'; it must be none, backward, forward, "
                   "full, or one of the last three with _transitive",
                   name);
}

static enum rc serve(struct run *run, struct err *err)
{
    struct station *station = run->station;
    struct log_store_options store = {
        .brokers = station_address(station, "log"),
        .topic = settings_get(station->settings, "SCHEMA_REGISTRY_KAFKASTORE_TOPIC", default_topic),
        .apply = registry_apply,
        .caught_up = caught_up,
        .user = &run->registry,
    };
    struct http_server_options server = {
        .host = station->host,
        .port = station->port,
        .routes = run->registry.routes,
        .route_count = run->registry.route_count,
        .service = &run->registry,
        .not_found = registry_not_found,
    };
    struct http_server *http = NULL;
    enum rc rc;

    if ((rc = log_store_open(&store, &run->registry.store, err)))
        return rc;
    if (!(rc = http_server_start(&server, &http, err)))
        station_wait_for_stop();
    http_server_stop(http);
    return rc;
}

enum rc registry_run(struct station *station, struct err *err)
{
    /* Never freed: the store's thread goes on to the end of the process, and there is nothing to be saved. */
    struct run *run = NEW(struct run);
    enum rc rc;

    run->station = station;
    registry_init(&run->registry);
    rc = read_level(station->settings, &run->registry.default_level, err);
    return rc ? rc : serve(run, err);
}
