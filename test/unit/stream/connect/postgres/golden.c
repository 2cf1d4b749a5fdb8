/* Golden cases offline; see golden.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "disk/disk.h"
#include "golden.h"

/* ---------------------------------------------------------- registry stub */

static struct registry_stub *stub_of(struct http_request *request, struct http_response *response)
{
    struct registry_stub *stub = request->service;

    stub->calls++;
    if (stub->fail_next > 0) {
        stub->fail_next--;
        http_response_text(response, 500, "application/json", "{\"error_code\":50001,\"message\":\"not today\"}");
        return NULL;
    }
    return stub;
}

static void stub_post(struct http_request *request, struct http_response *response)
{
    struct registry_stub *stub = stub_of(request, response);
    json_t *body = json_loadb(buf_cstr(&request->body), request->body.len, 0, NULL);
    const char *schema = json_string_value(json_object_get(body, "schema"));
    size_t id = 0;

    if (!stub) {
        json_decref(body);
        return;
    }
    assert_non_null(schema);
    while (id < stub->count && strcmp(stub->schemas[id], schema) != 0)
        id++;
    if (id == stub->count) {
        stub->schemas = mem_grow(stub->schemas, stub->count + 1, sizeof *stub->schemas);
        stub->schemas[stub->count++] = mem_strdup(schema);
    }
    if (strstr(schema, "Refused"))
        http_response_text(response, 409, "application/json",
                           "{\"error_code\":409,\"message\":\"Schema being registered is incompatible\"}");
    else
        http_response_text(response, 200, "application/json", "{\"id\":%zu,\"version\":7}", id + 1);
    json_decref(body);
}

static void stub_get(struct http_request *request, struct http_response *response)
{
    struct registry_stub *stub = stub_of(request, response);
    int64_t id = 0;

    if (!stub)
        return;
    if (!str_to_i64(request->params[0], 1, (int64_t)stub->count, &id)) {
        http_response_text(response, 404, "application/json",
                           "{\"error_code\":40403,\"message\":\"Schema not found\"}");
        return;
    }
    json_t *answer = json_pack("{ss}", "schema", stub->schemas[id - 1]);
    char *text = json_dumps(answer, JSON_COMPACT);
    http_response_text(response, 200, "application/json", "%s", text);
    free(text);
    json_decref(answer);
}

void registry_stub_start(struct registry_stub *stub)
{
    static const struct http_route routes[] = {
        { .method = "POST", .pattern = "/subjects/{subject}/versions", .handle = stub_post },
        { .method = "POST", .pattern = "/subjects/{subject}", .handle = stub_post },
        { .method = "GET", .pattern = "/schemas/ids/{id}", .handle = stub_get },
    };
    struct http_server_options options = {
        .host = "127.0.0.1", .routes = routes, .route_count = ARRAY_LEN(routes), .service = stub
    };
    struct err err = { 0 };

    *stub = (struct registry_stub){ 0 };
    if (http_server_start(&options, &stub->server, &err))
        fail_msg("%s", err.text);
    snprintf(stub->url, sizeof stub->url, "http://127.0.0.1:%d", http_server_port(stub->server));
}

void registry_stub_stop(struct registry_stub *stub)
{
    http_server_stop(stub->server);
    for (size_t i = 0; i < stub->count; i++)
        free(stub->schemas[i]);
    free(stub->schemas);
}

/* ----------------------------------------------------------------- reading */

char *golden_file(const char *name, const char *file)
{
    CLEANUP_FREE char *path = mem_printf(TEST_DIR "/golden/debezium/%s/%s", name, file);
    struct buf text = { 0 };
    struct err err = { 0 };

    if (disk_read_file(path, &text, &err))
        fail_msg("%s", err.text);
    return buf_take(&text);
}

json_t *golden_lines(const char *name, const char *file)
{
    CLEANUP_FREE char *text = golden_file(name, file);
    struct str rest = str_of(text), line;
    json_t *all = json_array();

    while (str_cut(&rest, '\n', &line)) {
        json_error_t error;
        if (!line.len)
            continue;
        json_t *object = json_loadb(line.p, line.len, JSON_ALLOW_NUL, &error);
        if (!object)
            fail_msg("%s/%s: %s", name, file, error.text);
        json_array_append_new(all, object);
    }
    return all;
}

const char *settings_of_list(const void *user, const char *name)
{
    for (const char *const *at = user; at[0]; at += 2)
        if (strcmp(at[0], name) == 0)
            return at[1];
    return NULL;
}

static const char *setting(const void *user, const char *name)
{
    const struct golden *golden = user;
    return json_string_value(json_object_get(golden->config, name));
}

static const char *text_of(const json_t *object, const char *name)
{
    return json_string_value(json_object_get(object, name));
}

static int64_t int_of(const json_t *object, const char *name)
{
    return json_integer_value(json_object_get(object, name));
}

static void read_types(struct golden *golden, const json_t *list)
{
    size_t i, k;
    const json_t *item, *label;

    json_array_foreach(list, i, item) {
        struct pg_type *type = pg_types_add(&golden->types, (uint32_t)int_of(item, "oid"));
        for (k = 0; k < type->label_count; k++)
            free(type->labels[k]);
        free(type->labels);
        free(type->schema);
        free(type->name);
        type->schema = mem_strdup(text_of(item, "schema"));
        type->name = mem_strdup(text_of(item, "name"));
        type->kind = text_of(item, "kind")[0];
        type->category = text_of(item, "category")[0];
        type->base_typmod = (int32_t)int_of(item, "typmod");
        uint32_t element = (uint32_t)int_of(item, "element"), base = (uint32_t)int_of(item, "base");
        type->element = element ? pg_types_add(&golden->types, element) : NULL;
        type->base = base ? pg_types_add(&golden->types, base) : NULL;
        type->label_count = json_array_size(json_object_get(item, "labels"));
        type->labels = NEW_ARRAY(char *, type->label_count + 1);
        json_array_foreach(json_object_get(item, "labels"), k, label)
            type->labels[k] = mem_strdup(json_string_value(label));
    }
}

static void read_columns(struct golden *golden, const json_t *json, struct pg_table *table)
{
    size_t i;
    const json_t *item;

    pg_table_set_columns(table, json_array_size(json_object_get(json, "columns")));
    json_array_foreach(json_object_get(json, "columns"), i, item) {
        struct pg_table_column *column = &table->columns[i];
        column->name = mem_strdup(text_of(item, "name"));
        column->number = (int16_t)int_of(item, "number");
        column->type = pg_types_get(&golden->types, (uint32_t)int_of(item, "type"));
        column->typmod = (int32_t)int_of(item, "typmod");
        column->not_null = json_is_true(json_object_get(item, "not_null"));
        column->identity = text_of(item, "identity")[0];
        column->generated = text_of(item, "generated")[0];
        column->default_text = mem_strdup(text_of(item, "default"));
        assert_non_null(column->type);
    }
}

static void free_table(void *at)
{
    struct golden_table *table = at;

    event_program_free(table->json);
    event_program_free(table->avro);
    pg_table_free(&table->table);
    free(table);
}

static void read_table(struct golden *golden, const json_t *json)
{
    struct golden_table *made = NEW(struct golden_table);
    struct pg_table *table = &made->table;
    const json_t *key = json_object_get(json, "key");
    CLEANUP_FREE char *oid = mem_printf("%lld", (long long)int_of(json, "oid"));
    struct err err = { 0 };

    table->schema = mem_strdup(text_of(json, "schema"));
    table->name = mem_strdup(text_of(json, "name"));
    read_columns(golden, json, table);
    table->key = NEW_ARRAY(size_t, json_array_size(key) + 1);
    for (size_t i = 0; i < json_array_size(key); i++)
        for (size_t k = 0; k < table->column_count; k++)
            if (table->columns[k].number == json_integer_value(json_array_get(key, i)))
                table->key[table->key_count++] = k;
    if (event_program_compile(golden->options, table, golden->json_key, golden->json_value, &made->json, &err) ||
        event_program_compile(golden->options, table, golden->avro_key, golden->avro_value, &made->avro, &err))
        fail_msg("%s: %s", golden->name, err.text);
    struct golden_table *before = map_put(&golden->tables, str_of(oid), made);
    if (before) {
        CLEANUP_FREE char *place = mem_printf("%zu", golden->old_count++);
        map_put(&golden->old, str_of(place), before);
    }
}

void golden_open(struct golden *golden, const char *name, const char *registry_url, const char *failure_mode)
{
    const char *json[] = { "key.converter",
                           "org.apache.kafka.connect.json.JsonConverter",
                           "key.converter.schemas.enable",
                           "false",
                           "key.converter.replace.null.with.default",
                           "false",
                           "value.converter",
                           "org.apache.kafka.connect.json.JsonConverter",
                           "value.converter.schemas.enable",
                           "false",
                           "value.converter.replace.null.with.default",
                           "false",
                           NULL };
    const char *avro[] = { "key.converter",
                           "io.confluent.connect.avro.AvroConverter",
                           "key.converter.schema.registry.url",
                           registry_url,
                           "value.converter",
                           "io.confluent.connect.avro.AvroConverter",
                           "value.converter.schema.registry.url",
                           registry_url,
                           NULL };
    struct converter_config config = { .connector = { settings_of_list, json }, .is_key = true };
    CLEANUP_FREE char *text = golden_file(name, "connector.json");
    struct err err = { 0 };
    json_t *file = json_loads(text, 0, NULL);
    int failed = 0;

    *golden = (struct golden){ .name = name };
    golden->config = json_incref(json_object_get(file, "config"));
    json_decref(file);
    if (!json_object_get(golden->config, "event.converting.failure.handling.mode"))
        json_object_set_new(golden->config, "event.converting.failure.handling.mode", json_string(failure_mode));
    failed |= (int)event_options_new((struct connect_lookup){ setting, golden }, &golden->options, &err);
    failed |= (int)converter_new(&config, &golden->json_key, &err);
    config.is_key = false;
    failed |= (int)converter_new(&config, &golden->json_value, &err);
    config.connector.user = avro;
    failed |= (int)converter_new(&config, &golden->avro_value, &err);
    config.is_key = true;
    failed |= (int)converter_new(&config, &golden->avro_key, &err);
    if (failed)
        fail_msg("%s: %s", name, err.text);
}

void golden_close(struct golden *golden)
{
    map_free(&golden->tables, free_table);
    map_free(&golden->old, free_table);
    event_options_free(golden->options);
    converter_free(golden->json_key);
    converter_free(golden->json_value);
    converter_free(golden->avro_key);
    converter_free(golden->avro_value);
    pg_types_free(&golden->types);
    json_decref(golden->config);
}

/* ----------------------------------------------------------------- walking */

static struct pg_value *read_row(const json_t *row)
{
    size_t i;
    const json_t *item;

    if (!row)
        return NULL;
    struct pg_value *values = NEW_ARRAY(struct pg_value, json_array_size(row) + 1);
    json_array_foreach(row, i, item) {
        values[i].kind = json_is_null(item) ? PG_VALUE_NULL : json_is_string(item) ? PG_VALUE_TEXT : PG_VALUE_UNCHANGED;
        if (json_is_string(item))
            values[i].bytes = str_n(json_string_value(item), json_string_length(item));
    }
    return values;
}

static void emit(const struct golden *golden, struct golden_record record, golden_each *each, void *user)
{
    const char *tombstones = text_of(golden->config, "tombstones.on.delete");

    each(user, &record);
    record.tombstone = true;
    if (record.op == EVENT_DELETE && !(tombstones && strcmp(tombstones, "false") == 0))
        each(user, &record);
}

static void walk_change(struct golden *golden, const json_t *change, golden_each *each, void *user)
{
    CLEANUP_FREE char *oid = mem_printf("%lld", (long long)int_of(change, "table"));
    struct golden_table *table = map_get(&golden->tables, str_of(oid));
    CLEANUP_FREE struct pg_value *before = read_row(json_object_get(change, "old"));
    CLEANUP_FREE struct pg_value *after = read_row(json_object_get(change, "new"));

    assert_non_null(table);
    struct golden_record record = { .table = table, .before = before, .after = after };
    switch (text_of(change, "change")[0]) {
    case 'r':
        record.op = EVENT_READ;
        break;
    case 'I':
        record.op = EVENT_CREATE;
        break;
    case 'D':
        record.op = EVENT_DELETE;
        break;
    default:
        record.op = EVENT_UPDATE;
        if (!before || !event_key_differs(table->json, before, after))
            break;
        record.op = EVENT_DELETE;
        record.after = NULL;
        record.other = after;
        emit(golden, record, each, user);
        record = (struct golden_record){ .op = EVENT_CREATE, .table = table, .before = before, .after = after };
    }
    emit(golden, record, each, user);
}

void golden_walk(struct golden *golden, golden_each *each, void *user)
{
    json_t *input = golden_lines(golden->name, "input.jsonl");
    size_t i;
    const json_t *line;

    json_array_foreach(input, i, line) {
        if (json_object_get(line, "types"))
            read_types(golden, json_object_get(line, "types"));
        else if (json_object_get(line, "change"))
            walk_change(golden, line, each, user);
        else
            read_table(golden, json_object_get(line, "table"));
    }
    json_decref(input);
}
