/* The lake's surroundings and its small pool of workers; see lake.h. */
#include "lake/build/lake.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "disk/disk.h"

enum {
    MEMORY_MIN_MB = 128,
    MEMORY_DEFAULT_MB = 1024,
    MEMORY_MAX_MB = 1 << 20,
    THREADS_MAX = 64,
    WORKER_STACK_BYTES = 1 << 20,
};

enum rc lake_open(const struct station *station, struct lake *out, struct err *err)
{
    const struct settings *s = station->settings;
    int64_t memory = 0, threads = 0, processors = sysconf(_SC_NPROCESSORS_ONLN);
    CLEANUP_FREE char *endpoint = mem_printf("http://%s", station_address(station, "store"));
    struct s3_options options = { .endpoint = endpoint,
                                  .access_key = settings_get(s, "MINIO_ROOT_USER", "minio"),
                                  .secret_key = settings_get(s, "MINIO_ROOT_PASSWORD", "minio123") };

    *out = (struct lake){ .station = station };
    enum rc rc = settings_int(s, "HAUS_BUILD_MEMORY_MB", MEMORY_DEFAULT_MB, MEMORY_MIN_MB, MEMORY_MAX_MB, &memory, err);
    if (!rc)
        rc = settings_int(s, "HAUS_BUILD_THREADS", MAX(processors, (int64_t)1), 1, THREADS_MAX, &threads, err);
    if (rc)
        return rc;
    out->memory_bytes = memory << 20;
    out->threads = (int)threads;
    out->duckdb_library = settings_get(s, "HAUS_DUCKDB_LIB", NULL);
    out->warehouse = mem_strdup(settings_get(s, "SPARK_SQL_CATALOG_LAKEHOUSE_WAREHOUSE", "s3a://lakehouse/"));
    out->cache = mem_printf("%s/cache/lake", station->home);
    out->scratch = mem_printf("%s/scratch-%d-%llx", out->cache, (int)getpid(), (unsigned long long)random_u64());
    rc = disk_make_dirs(out->scratch, 0755, err);
    for (int i = 0; i < LAKE_WORKERS; i++) {
        out->clients[i] = s3_client_new(&options);
        iceberg_io_s3(&out->io[i], out->clients[i]);
    }
    if (rc)
        lake_close(out);
    return rc;
}

void lake_close(struct lake *lake)
{
    struct err ignored = { 0 };

    if (lake->scratch && disk_remove_tree(lake->scratch, &ignored))
        log_warn("cannot remove scratch files", "error=%s", ignored.text);
    for (int i = 0; i < LAKE_WORKERS; i++)
        s3_client_free(lake->clients[i]);
    free(lake->warehouse);
    free(lake->cache);
    free(lake->scratch);
    *lake = (struct lake){ 0 };
}

char *lake_location(const struct lake *lake, const char *namespace, const char *name)
{
    size_t n = strlen(lake->warehouse);
    char *location =
        mem_printf("%s%s%s/%s", lake->warehouse, n && lake->warehouse[n - 1] == '/' ? "" : "/", namespace, name);

    for (char *p = location + n; *p; p++)
        if (*p == '.' && p < location + strlen(location) - strlen(name))
            *p = '/';
    return location;
}

/* ------------------------------------------------------------- workers */

struct pool {
    enum rc (*job)(void *user, const struct iceberg_io *io, size_t i, struct err *err);
    void *user;
    size_t count;
    atomic_size_t next;
    atomic_bool failed;
    pthread_mutex_t lock;
    enum rc rc;
    struct err err;
};
struct worker {
    struct pool *pool;
    const struct iceberg_io *io;
};

static void *work(void *arg)
{
    struct worker *w = arg;
    struct pool *pool = w->pool;

    for (size_t i; !atomic_load(&pool->failed) && (i = atomic_fetch_add(&pool->next, 1)) < pool->count;) {
        struct err err = { 0 };
        enum rc rc = pool->job(pool->user, w->io, i, &err);
        if (!rc)
            continue;
        pthread_mutex_lock(&pool->lock);
        if (!pool->rc) {
            pool->rc = rc;
            pool->err = err;
        }
        pthread_mutex_unlock(&pool->lock);
        atomic_store(&pool->failed, true);
    }
    return NULL;
}

enum rc lake_parallel(struct lake *lake, size_t count,
                      enum rc (*job)(void *user, const struct iceberg_io *io, size_t i, struct err *err), void *user,
                      struct err *err)
{
    struct pool pool = { .job = job, .user = user, .count = count, .lock = PTHREAD_MUTEX_INITIALIZER };
    struct worker workers[LAKE_WORKERS];
    pthread_t threads[LAKE_WORKERS];
    bool started[LAKE_WORKERS] = { 0 };
    pthread_attr_t attr;

    pthread_attr_init(&attr);
    pthread_attr_setstacksize(&attr, WORKER_STACK_BYTES);
    for (size_t i = 0; i < LAKE_WORKERS; i++) {
        workers[i] = (struct worker){ &pool, &lake->io[i] };
        if (i > 0 && i < count)
            started[i] = pthread_create(&threads[i], &attr, work, &workers[i]) == 0;
    }
    pthread_attr_destroy(&attr);
    work(&workers[0]);
    for (size_t i = 1; i < LAKE_WORKERS; i++)
        if (started[i])
            pthread_join(threads[i], NULL);
    pthread_mutex_destroy(&pool.lock);
    if (pool.rc && err)
        *err = pool.err;
    return pool.rc;
}
