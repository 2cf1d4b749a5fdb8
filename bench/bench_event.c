/*
 * Events per second of the transcoder alone: storefront rows to Avro, one core, no I/O.
 * Usage: bench_event [ROWS]
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "stream/connect/postgres/event.h"
#include "wire/pg/pg.h"

enum { ROWS = 2000000, ID = 1 };

static const char *setting(const void *user, const char *name)
{
    for (const char *const *at = user; at[0]; at += 2)
        if (strcmp(at[0], name) == 0)
            return at[1];
    return NULL;
}

/* The registry, which this bench does without. */
static void give_id(struct http_request *request, struct http_response *response)
{
    (void)request;
    http_response_text(response, 200, "application/json", "{\"id\":%d}", ID);
}

static struct pg_table orders(struct pg_types *types)
{
    static const struct {
        const char *name, *fallback;
        uint32_t type;
        int32_t typmod;
        bool not_null;
    } rows[] = {
        { "id", "nextval('orders_id_seq'::regclass)", 23, PG_NO_TYPMOD, true },
        { "customer_id", NULL, 23, PG_NO_TYPMOD, true },
        { "status", NULL, 25, PG_NO_TYPMOD, true },
        { "total", NULL, 1700, (10 << 16 | 2) + 4, false },
        { "created_at", "now()", 1114, PG_NO_TYPMOD, false },
    };
    struct pg_table table = { .schema = mem_strdup("public"), .name = mem_strdup("orders"), .replica_identity = 'd' };

    pg_types_add_builtin(types);
    pg_table_set_columns(&table, ARRAY_LEN(rows));
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        table.columns[i].name = mem_strdup(rows[i].name);
        table.columns[i].type = pg_types_get(types, rows[i].type);
        table.columns[i].typmod = rows[i].typmod;
        table.columns[i].not_null = rows[i].not_null;
        table.columns[i].default_text = mem_strdup(rows[i].fallback);
    }
    table.key = NEW_ARRAY(size_t, 1);
    table.key_count = 1;
    return table;
}

static bool run(struct event_program *program, int64_t rows)
{
    const char *texts[] = { "123456", "789", "delivered", "1299.00", "2024-02-29 12:34:56.789012" };
    struct pg_value values[ARRAY_LEN(texts)];
    CLEANUP(buf_free) struct buf key = { 0 };
    CLEANUP(buf_free) struct buf value = { 0 };
    struct event_source source = { .ts_ms = 1709210096789,
                                   .now_ms = 1709210096800,
                                   .has_last_commit = true,
                                   .last_commit_lsn = 26685920,
                                   .has_tx_id = true,
                                   .tx_id = 846 };
    struct err err = { 0 };
    size_t bytes = 0;

    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        values[i] = (struct pg_value){ .kind = PG_VALUE_TEXT, .bytes = str_of(texts[i]) };
    int64_t start = clock_mono_ns();
    for (int64_t i = 0; i < rows; i++) {
        source.lsn = 26685920 + (uint64_t)i * 100;
        buf_clear(&key);
        buf_clear(&value);
        if (event_encode(program, EVENT_CREATE, NULL, values, &source, &key, &value, &err)) {
            fprintf(stderr, "%s\n", err.text);
            return false;
        }
        bytes += key.len + value.len;
    }
    double seconds = (double)(clock_mono_ns() - start) / 1e9;
    printf("%.0f events/s, %.0f ns each, %zu bytes each, %.0f MB/s\n", (double)rows / seconds,
           seconds / (double)rows * 1e9, bytes / (size_t)rows, (double)bytes / seconds / 1e6);
    return true;
}

int main(int argc, char **argv)
{
    static const struct http_route routes[] = { { .method = "POST", .pattern = "/{*any}", .handle = give_id } };
    struct http_server_options server_options = { .host = "127.0.0.1", .routes = routes, .route_count = 1 };
    struct http_server *server = NULL;
    struct event_options *options = NULL;
    struct converter *key = NULL, *value = NULL;
    struct event_program *program = NULL;
    struct pg_types types = { 0 };
    struct pg_table table = orders(&types);
    struct err err = { 0 };
    bool ok = !http_server_start(&server_options, &server, &err);
    CLEANUP_FREE char *url = mem_printf("http://127.0.0.1:%d", ok ? http_server_port(server) : 0);
    const char *settings[] = { "topic.prefix",
                               "storefront",
                               "database.dbname",
                               "storefront",
                               "key.converter",
                               "io.confluent.connect.avro.AvroConverter",
                               "key.converter.schema.registry.url",
                               url,
                               "value.converter",
                               "io.confluent.connect.avro.AvroConverter",
                               "value.converter.schema.registry.url",
                               url,
                               NULL };
    struct connect_lookup lookup = { setting, settings };

    ok = ok && !event_options_new(lookup, &options, &err) &&
         !converter_new(&(struct converter_config){ .connector = lookup, .is_key = true }, &key, &err) &&
         !converter_new(&(struct converter_config){ .connector = lookup }, &value, &err) &&
         !event_program_compile(options, &table, key, value, &program, &err);
    if (!ok)
        fprintf(stderr, "%s\n", err.text);
    else
        ok = run(program, argc > 1 ? strtoll(argv[1], NULL, 10) : ROWS);
    event_program_free(program);
    converter_free(key);
    converter_free(value);
    event_options_free(options);
    pg_table_free(&table);
    pg_types_free(&types);
    http_server_stop(server);
    return ok ? 0 : 1;
}
