/* Asks the stations for what the console shows; see overview.h. */
#include "face/console/overview.h"

#include <string.h>

#include "lake/build/build.h"

enum rc overview_open(struct overview *overview, struct err *err)
{
    *overview = (struct overview){ .buckets = json_array(), .tables = json_array() };
    pthread_mutex_init(&overview->lock, NULL);
    enum rc rc = house_open(&(struct house_options){ .port_offset = -1 }, &overview->house, err);
    if (!rc)
        house_station(&overview->house, service_find("console"), &overview->station);
    return rc;
}

void overview_close(struct overview *overview)
{
    if (overview->stream_open)
        stream_close(&overview->stream);
    json_decref(overview->buckets);
    json_decref(overview->tables);
    house_station_free(&overview->station);
    house_free(&overview->house);
    pthread_mutex_destroy(&overview->lock);
}

static json_t *read_services(const struct overview *overview, bool *ready)
{
    struct house_state state = { 0 };
    json_t *rows = json_array();

    if (house_state_read(&overview->house, &state, NULL))
        return rows;
    for (size_t i = 0; i < service_count; i++) {
        const struct service_state *s = &state.services[i];
        ready[i] = s->status == SERVICE_READY || overview->house.endpoints[i].external;
        json_array_append_new(
            rows, json_pack("{s:s,s:s,s:s,s:s,s:o,s:o,s:i,s:s}", "name", services[i].name, "zone", services[i].zone,
                            "state", service_status_name(s->status), "address", overview->house.endpoints[i].address,
                            "pid", s->pid ? json_integer(s->pid) : json_null(), "memory_bytes",
                            s->pid ? json_integer((json_int_t)process_memory(s->pid, services[i].is_ready != NULL))
                                   : json_null(),
                            "restarts", s->restarts, "reason", s->reason));
    }
    house_state_free(&state);
    return rows;
}

static json_t *read_topics(struct overview *overview)
{
    struct stream_topic *topics = NULL;
    json_t *rows = json_array();
    size_t count = 0;

    if (!overview->stream_open)
        overview->stream_open = stream_open(&overview->station, &overview->stream, NULL) == RC_OK;
    if (!overview->stream_open || stream_topics(&overview->stream, NULL, &topics, &count, NULL))
        return rows;
    for (size_t i = 0; i < count; i++) {
        int64_t records = 0;
        for (size_t k = 0; k < topics[i].count; k++)
            records += topics[i].partitions[k].end - topics[i].partitions[k].begin;
        json_array_append_new(rows, json_pack("{s:s,s:I,s:I}", "topic", topics[i].name, "partitions",
                                              (json_int_t)topics[i].count, "records", (json_int_t)records));
    }
    stream_topics_free(topics, count);
    return rows;
}

static json_t *read_bucket(struct s3_client *client, const char *name)
{
    struct s3_listing found = { 0 };
    uint64_t bytes = 0;

    if (s3_list(client, name, "", NULL, NULL, &found, NULL))
        return json_pack("{s:s,s:n,s:n}", "bucket", name, "objects", "bytes");
    for (size_t i = 0; i < found.count; i++)
        bytes += found.objects[i].size;
    json_t *row =
        json_pack("{s:s,s:I,s:I}", "bucket", name, "objects", (json_int_t)found.count, "bytes", (json_int_t)bytes);
    s3_listing_free(&found);
    return row;
}

static json_t *read_buckets(const struct overview *overview)
{
    CLEANUP_FREE char *endpoint = mem_printf("http://%s", station_address(&overview->station, "store"));
    const struct settings *settings = overview->station.settings;
    struct s3_client *client = s3_client_new(&(struct s3_options){
        .endpoint = endpoint,
        .access_key = settings_get(settings, "MINIO_ROOT_USER", "minio"),
        .secret_key = settings_get(settings, "MINIO_ROOT_PASSWORD", "minio123"),
    });
    json_t *rows = json_array();
    char **names = NULL;
    size_t count = 0;

    if (!s3_list_buckets(client, &names, &count, NULL)) {
        for (size_t i = 0; i < count; i++) {
            json_array_append_new(rows, read_bucket(client, names[i]));
            mem_free_ptr(&names[i]);
        }
        mem_free_ptr(&names);
    }
    s3_client_free(client);
    return rows;
}

static json_t *read_tables(const struct overview *overview)
{
    struct build_table_row *tables = NULL;
    json_t *rows = json_array();
    size_t count = 0;

    if (build_list_tables(&overview->station, &tables, &count, NULL))
        return rows;
    for (size_t i = 0; i < count; i++)
        json_array_append_new(
            rows, json_pack("{s:s,s:I,s:I,s:I,s:s}", "table", tables[i].name, "rows", (json_int_t)tables[i].rows,
                            "data_files", (json_int_t)tables[i].data_files, "snapshots",
                            (json_int_t)tables[i].snapshots, "problem", tables[i].problem ? tables[i].problem : ""));
    build_table_rows_free(tables, count);
    return rows;
}

json_t *overview_read(struct overview *overview)
{
    bool ready[32] = { false };

    pthread_mutex_lock(&overview->lock);
    json_t *services_json = read_services(overview, ready);
    json_t *topics = ready[service_find("log") - services] ? read_topics(overview) : json_array();
    if (ready[service_find("store") - services] &&
        (!overview->slow_ms || clock_mono_ms() - overview->slow_ms >= OVERVIEW_SLOW_MS)) {
        json_decref(overview->buckets);
        json_decref(overview->tables);
        overview->buckets = read_buckets(overview);
        overview->tables = read_tables(overview);
        overview->slow_ms = clock_mono_ms();
    }
    json_t *root = json_pack("{s:o,s:o,s:O,s:O}", "services", services_json, "topics", topics, "buckets",
                             overview->buckets, "tables", overview->tables);
    pthread_mutex_unlock(&overview->lock);
    return root;
}
