/*
 * The REST interface over a real port, with a store in memory.  Each test is a table of requests and the
 * exact answers of a 7.9 registry.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "stream/registry/service.h"

struct memory_store {
    struct schema_store base;
    struct registry registry;
    struct http_server *server;
    struct http_client *client;
    struct record_batch kept; /* all ever written */
    bool away;
};

static struct memory_store *store_of(struct schema_store *base)
{
    return CONTAINER_OF(base, struct memory_store, base);
}

static enum rc catch_up(struct schema_store *base, struct err *err)
{
    return store_of(base)->away ? err_set(err, RC_RETRY, "the log is away") : RC_OK;
}

static struct str view(const char *p, size_t len)
{
    return p ? str_n(p, len) : (struct str){ 0 };
}

static void keep(struct record_batch *kept, const struct record *record)
{
    struct record copy = { .key = mem_strndup(record->key, record->key_len), .key_len = record->key_len };

    if (record->value) {
        copy.value = mem_strndup(record->value, record->value_len);
        copy.value_len = record->value_len;
    }
    kept->records = mem_grow(kept->records, kept->count + 1, sizeof copy);
    kept->records[kept->count++] = copy;
}

static enum rc append(struct schema_store *base, const struct record_batch *batch, struct err *err)
{
    struct memory_store *store = store_of(base);

    if (store->away)
        return err_set(err, RC_RETRY, "the log is away");
    for (size_t i = 0; i < batch->count; i++) {
        const struct record *record = &batch->records[i];
        registry_apply(&store->registry, false, view(record->key, record->key_len),
                       view(record->value, record->value_len));
        keep(&store->kept, record);
    }
    return RC_OK;
}

static bool is_up(struct schema_store *base)
{
    return !store_of(base)->away;
}

static const char *cluster_id(struct schema_store *base UNUSED)
{
    return "cluster";
}

static int setup(void **state)
{
    struct memory_store *store = NEW(struct memory_store);
    struct http_server_options options = { .host = "127.0.0.1", .not_found = registry_not_found };

    store->base = (struct schema_store){ catch_up, append, is_up, cluster_id };
    registry_init(&store->registry);
    store->registry.store = &store->base;
    atomic_store(&store->registry.ready, true);
    options.routes = store->registry.routes;
    options.route_count = store->registry.route_count;
    options.service = &store->registry;
    assert_int_equal(http_server_start(&options, &store->server, NULL), RC_OK);
    store->client = http_client_new();
    *state = store;
    return 0;
}

static int teardown(void **state)
{
    struct memory_store *store = *state;

    http_client_free(store->client);
    http_server_stop(store->server);
    registry_free(&store->registry);
    record_batch_free(&store->kept);
    free(store);
    return 0;
}

struct row {
    const char *method, *path, *body;
    int status;
    const char *answer; /* NULL: not looked at */
};

static void run(struct memory_store *store, const struct row *row)
{
    CLEANUP_FREE char *url = mem_printf("http://127.0.0.1:%d%s", http_server_port(store->server), row->path);
    struct http_call call = { .method = row->method, .url = url };
    struct http_answer answer = { 0 };
    struct err err = { 0 };

    if (row->body)
        call.body = str_of(row->body);
    if (http_client_call(store->client, &call, &answer, &err))
        fail_msg("%s", err.text);
    if (answer.status != row->status || (row->answer && strcmp(buf_cstr(&answer.body), row->answer) != 0))
        fail_msg("%s %s: %d %s\nexpected: %d %s", row->method, row->path, answer.status, buf_cstr(&answer.body),
                 row->status, row->answer ? row->answer : "");
    assert_string_equal(http_answer_header(&answer, "Content-Type"), "application/vnd.schemaregistry.v1+json");
    http_answer_free(&answer);
}

static void run_all(void **state, const struct row *rows, size_t n)
{
    for (size_t i = 0; i < n; i++)
        run(*state, &rows[i]);
}

#define RUN(...) run_all(state, (const struct row[]){ __VA_ARGS__ }, ARRAY_LEN(((const struct row[]){ __VA_ARGS__ })))
#define RECORD(fields)                                                                                                 \
    "{\"schema\":\"{\\\"type\\\":\\\"record\\\",\\\"name\\\":\\\"R\\\",\\\"fields\\\":[" fields "]}\"}"
#define FIELD(name)  "{\\\"name\\\":\\\"" name "\\\",\\\"type\\\":\\\"int\\\"}"
#define STRING       "{\"schema\":\"\\\"string\\\"\"}"
#define NOT_FOUND(s) "{\"error_code\":40401,\"message\":\"Subject '" s "' not found.\"}"

static void small_endpoints_answer(void **state)
{
    RUN({ "GET", "/", NULL, 200, "{}" }, { "POST", "/", "", 200, "{}" }, { "GET", "/subjects", NULL, 200, "[]" },
        { "GET", "/schemas", NULL, 200, "[]" }, { "GET", "/schemas/types", NULL, 200, "[\"AVRO\"]" },
        { "GET", "/contexts", NULL, 200, "[\".\"]" }, { "GET", "/mode", NULL, 200, "{\"mode\":\"READWRITE\"}" },
        { "GET", "/config", NULL, 200, "{\"compatibilityLevel\":\"BACKWARD\"}" },
        { "GET", "/associations/resources/-/t?resourceType=topic", NULL, 200, "[]" },
        { "GET", "/v1/metadata/id", NULL, 200,
          "{\"id\":\"\",\"scope\":{\"path\":[],\"clusters\":{\"kafka-cluster\":\"cluster\","
          "\"schema-registry-cluster\":\"schema-registry\"}}}" },
        { "GET", "/nowhere", NULL, 404, "{\"error_code\":404,\"message\":\"HTTP 404 Not Found\"}" },
        { "PATCH", "/subjects", "", 405, "{\"error_code\":405,\"message\":\"HTTP 405 Method Not Allowed\"}" },
        { "GET", "/ready", NULL, 200, NULL });
}

static void the_same_schema_has_one_id(void **state)
{
    RUN({ "POST", "/subjects/a/versions", STRING, 200, "{\"id\":1}" },
        { "POST", "/subjects/a/versions", "{\"schema\":\"{\\\"type\\\":\\\"string\\\"}\"}", 200, "{\"id\":1}" },
        { "POST", "/subjects/b/versions", STRING, 200, "{\"id\":1}" },
        { "POST", "/subjects/c/versions", "{\"schema\":\"\\\"int\\\"\",\"unknown\":{\"x\":[]}}", 200, "{\"id\":2}" },
        { "GET", "/subjects", NULL, 200, "[\"a\",\"b\",\"c\"]" },
        { "GET", "/schemas/ids/1", NULL, 200, "{\"schema\":\"\\\"string\\\"\"}" },
        { "GET", "/schemas/ids/1?fetchMaxId=true&subject=a", NULL, 200, "{\"schema\":\"\\\"string\\\"\",\"maxId\":2}" },
        { "GET", "/schemas/ids/1/schema", NULL, 200, "\"string\"" },
        { "GET", "/schemas/ids/1/subjects", NULL, 200, "[\"a\",\"b\"]" },
        { "GET", "/schemas/ids/1/versions", NULL, 200,
          "[{\"subject\":\"a\",\"version\":1},{\"subject\":\"b\",\"version\":1}]" },
        { "GET", "/schemas/ids/9", NULL, 404, "{\"error_code\":40403,\"message\":\"Schema 9 not found\"}" },
        { "GET", "/subjects/a/versions", NULL, 200, "[1]" },
        { "GET", "/subjects/a/versions/latest", NULL, 200,
          "{\"subject\":\"a\",\"version\":1,\"id\":1,\"schema\":\"\\\"string\\\"\"}" },
        { "GET", "/subjects/a/versions/-1/schema", NULL, 200, "\"string\"" },
        { "GET", "/subjects/z/versions", NULL, 404, NOT_FOUND("z") },
        { "GET", "/subjects/a/versions/2", NULL, 404, "{\"error_code\":40402,\"message\":\"Version 2 not found.\"}" },
        { "GET", "/subjects/a/versions/x", NULL, 422,
          "{\"error_code\":42202,\"message\":\"The specified version 'x' is not a valid version id. Allowed values are "
          "between [1, 2^31-1] and the string \\\"latest\\\"\"}" });
}

static void lookups_find_equal_schemas(void **state)
{
    RUN({ "POST", "/subjects/a/versions", "{\"schema\":\"{\\\"type\\\":\\\"int\\\",\\\"p\\\":1,\\\"q\\\":2}\"}", 200,
          "{\"id\":1}" },
        { "POST", "/subjects/a", "{\"schema\":\"{\\\"type\\\":\\\"int\\\",\\\"q\\\":2,\\\"p\\\":1}\"}", 200,
          "{\"subject\":\"a\",\"version\":1,\"id\":1,\"schema\":\"{\\\"type\\\":\\\"int\\\",\\\"p\\\":1,\\\"q\\\":2}"
          "\"}" },
        { "POST", "/subjects/a/versions", "{\"schema\":\"{\\\"type\\\":\\\"int\\\",\\\"q\\\":2,\\\"p\\\":1}\"}", 200,
          "{\"id\":1}" },
        { "POST", "/subjects/a?normalize=false&deleted=true", STRING, 404,
          "{\"error_code\":40403,\"message\":\"Schema not found\"}" },
        { "POST", "/subjects/z", STRING, 404, NOT_FOUND("z") });
}

static void incompatible_schemas_are_refused_in_words(void **state)
{
    RUN({ "POST", "/subjects/a/versions", RECORD(FIELD("a")), 200, "{\"id\":1}" },
        { "POST", "/subjects/a/versions", RECORD(FIELD("a") "," FIELD("b")), 409,
          "{\"error_code\":409,\"message\":\"Schema being registered is incompatible with an earlier schema for "
          "subject "
          "\\\"a\\\", details: [{errorType:'READER_FIELD_MISSING_DEFAULT_VALUE', description:'The field 'b' at path "
          "'/fields/1' in the new schema has no default value and is missing in the old schema', additionalInfo:'b'}, "
          "{oldSchemaVersion: 1}, {oldSchema: '{\\\"type\\\":\\\"record\\\",\\\"name\\\":\\\"R\\\",\\\"fields\\\":["
          "{\\\"name\\\":\\\"a\\\",\\\"type\\\":\\\"int\\\"}]}'}, {validateFields: 'false', compatibility: "
          "'BACKWARD'}]\"}" },
        { "POST", "/compatibility/subjects/a/versions/latest", RECORD(FIELD("a") "," FIELD("b")), 200,
          "{\"is_compatible\":false}" },
        { "POST", "/compatibility/subjects/a/versions/1?verbose=true", RECORD(""), 200, "{\"is_compatible\":true}" },
        { "POST", "/compatibility/subjects/a/versions/7", STRING, 404,
          "{\"error_code\":40402,\"message\":\"Version 7 not found.\"}" },
        { "POST", "/compatibility/subjects/z/versions/latest", STRING, 200, "{\"is_compatible\":true}" },
        { "POST", "/compatibility/subjects/a/versions", STRING, 200, "{\"is_compatible\":false}" },
        { "POST", "/compatibility/subjects/a/versions/latest", "{\"schema\":\"nope\"}", 422, NULL },
        { "PUT", "/config/a", "{\"compatibility\":\"none\"}", 200, "{\"compatibility\":\"NONE\"}" },
        { "POST", "/subjects/a/versions", RECORD(FIELD("a") "," FIELD("b")), 200, "{\"id\":2}" },
        { "PUT", "/config/a", "{\"compatibility\":\"FORWARD_TRANSITIVE\"}", 200, NULL },
        { "POST", "/subjects/a/versions", RECORD(FIELD("a") "," FIELD("c")), 409, NULL },
        { "POST", "/subjects/a/versions", RECORD(FIELD("a") "," FIELD("b") "," FIELD("c")), 200, "{\"id\":3}" },
        { "GET", "/subjects/a/versions", NULL, 200, "[1,2,3]" });
}

static void bad_requests_are_told_apart(void **state)
{
    RUN({ "POST", "/subjects/a/versions", "{", 400, NULL }, { "POST", "/subjects/a/versions", "null", 422, NULL },
        { "POST", "/subjects/a/versions", "[]", 400, NULL },
        { "POST", "/subjects/a/versions", "{}", 422, "{\"error_code\":42201,\"message\":\"Empty schema\"}" },
        { "POST", "/subjects/a/versions", "{\"schema\":\"string\"}", 422, NULL },
        { "POST", "/subjects/a/versions", "{\"schema\":\"x\",\"schemaType\":\"PROTOBUF\"}", 422, NULL },
        { "POST", "/subjects/__GLOBAL/versions", STRING, 422,
          "{\"error_code\":42208,\"message\":\"The specified subject '__GLOBAL' is not a valid.\"}" },
        { "PUT", "/config", "{\"compatibility\":\"MAYBE\"}", 422,
          "{\"error_code\":42203,\"message\":\"Invalid compatibility level. Valid values are none, backward, forward, "
          "full, backward_transitive, forward_transitive, and full_transitive\"}" },
        { "PUT", "/config", "{}", 422, NULL },
        { "PUT", "/mode", "{\"mode\":\"X\"}", 422,
          "{\"error_code\":42204,\"message\":\"Invalid mode. Valid values are READWRITE, READONLY, IMPORT and "
          "FORWARD.\"}" });
}

static void deleting_is_soft_first(void **state)
{
    RUN({ "POST", "/subjects/a/versions", STRING, 200, "{\"id\":1}" },
        { "POST", "/subjects/a/versions", "{\"schema\":\"\\\"bytes\\\"\"}", 200, "{\"id\":2}" },
        { "DELETE", "/subjects/a/versions/1?permanent=true", NULL, 404,
          "{\"error_code\":40407,\"message\":\"Subject 'a' Version 1 was not deleted first before being permanently "
          "deleted\"}" },
        { "DELETE", "/subjects/a/versions/1", NULL, 200, "1" },
        { "DELETE", "/subjects/a/versions/1", NULL, 404,
          "{\"error_code\":40406,\"message\":\"Subject 'a' Version 1 was soft deleted.Set permanent=true to delete "
          "permanently\"}" },
        { "GET", "/subjects/a/versions", NULL, 200, "[2]" },
        { "GET", "/subjects/a/versions?deleted=true", NULL, 200, "[1,2]" },
        { "GET", "/subjects/a/versions?deletedOnly=true", NULL, 200, "[1]" },
        { "GET", "/schemas/ids/1", NULL, 200, NULL }, { "GET", "/schemas/ids/1/versions", NULL, 200, "[]" },
        { "POST", "/subjects/a/versions", STRING, 200, "{\"id\":1}" },
        { "GET", "/subjects/a/versions?deleted=true", NULL, 200, "[2,3]" },
        { "DELETE", "/subjects/a?permanent=true", NULL, 404,
          "{\"error_code\":40405,\"message\":\"Subject 'a' was not deleted first before being permanently deleted\"}" },
        { "DELETE", "/subjects/a", NULL, 200, "[2,3]" }, { "GET", "/subjects", NULL, 200, "[]" },
        { "GET", "/subjects?deleted=true", NULL, 200, "[\"a\"]" },
        { "GET", "/subjects/a/versions/latest", NULL, 404, NOT_FOUND("a") },
        { "DELETE", "/subjects/a", NULL, 404,
          "{\"error_code\":40404,\"message\":\"Subject 'a' was soft deleted.Set permanent=true to delete "
          "permanently\"}" },
        { "DELETE", "/subjects/a?permanent=true", NULL, 200, "[2,3]" },
        { "DELETE", "/subjects/a?permanent=true", NULL, 404, NOT_FOUND("a") },
        { "GET", "/schemas/ids/1", NULL, 404, NULL },
        { "POST", "/subjects/a/versions", "{\"schema\":\"\\\"long\\\"\"}", 200, "{\"id\":3}" },
        { "GET", "/subjects/a/versions", NULL, 200, "[1]" });
}

static void settings_have_scopes(void **state)
{
    RUN({ "GET", "/config/a", NULL, 404,
          "{\"error_code\":40408,\"message\":\"Subject 'a' does not have subject-level compatibility configured\"}" },
        { "GET", "/config/a?defaultToGlobal=true", NULL, 200, "{\"compatibilityLevel\":\"BACKWARD\"}" },
        { "PUT", "/config", "{\"compatibility\":\"FULL\"}", 200, "{\"compatibility\":\"FULL\"}" },
        { "GET", "/config/a?defaultToGlobal=true", NULL, 200, "{\"compatibilityLevel\":\"FULL\"}" },
        { "PUT", "/config/a", "{\"compatibility\":\"none\",\"normalize\":true}", 200,
          "{\"normalize\":true,\"compatibility\":\"NONE\"}" },
        { "GET", "/config/a", NULL, 200, "{\"normalize\":true,\"compatibilityLevel\":\"NONE\"}" },
        { "DELETE", "/config/a", NULL, 200, "{\"normalize\":true,\"compatibilityLevel\":\"NONE\"}" },
        { "DELETE", "/config/a", NULL, 404, NOT_FOUND("a") },
        { "DELETE", "/config", NULL, 200, "{\"compatibilityLevel\":\"FULL\"}" },
        { "GET", "/config", NULL, 200, "{\"compatibilityLevel\":\"BACKWARD\"}" },
        { "GET", "/mode/a", NULL, 404,
          "{\"error_code\":40409,\"message\":\"Subject 'a' does not have subject-level mode configured\"}" },
        { "PUT", "/mode/a", "{\"mode\":\"readonly\"}", 200, "{\"mode\":\"READONLY\"}" },
        { "POST", "/subjects/a/versions", STRING, 422,
          "{\"error_code\":42205,\"message\":\"Subject a in context . is in read-only mode\"}" },
        { "DELETE", "/mode/a", NULL, 200, "{\"mode\":\"READONLY\"}" },
        { "POST", "/subjects/a/versions", STRING, 200, "{\"id\":1}" },
        { "PUT", "/mode", "{\"mode\":\"IMPORT\"}", 422,
          "{\"error_code\":42205,\"message\":\"Cannot import since found existing subjects\"}" },
        { "PUT", "/mode/b", "{\"mode\":\"IMPORT\"}", 200, NULL },
        { "POST", "/subjects/b/versions", "{\"schema\":\"\\\"int\\\"\",\"id\":77,\"version\":5}", 200, "{\"id\":77}" },
        { "GET", "/subjects/b/versions", NULL, 200, "[5]" },
        { "POST", "/subjects/b/versions", "{\"schema\":\"\\\"long\\\"\",\"id\":77,\"version\":6}", 422, NULL },
        { "POST", "/subjects/c/versions", "{\"schema\":\"\\\"long\\\"\"}", 200, "{\"id\":78}" });
}

static void references_lead_to_types(void **state)
{
    RUN({ "POST", "/subjects/cust/versions",
          "{\"schema\":\"{\\\"type\\\":\\\"record\\\",\\\"name\\\":\\\"shop.C\\\",\\\"fields\\\":[]}\"}", 200,
          "{\"id\":1}" },
        { "POST", "/subjects/order/versions",
          "{\"schema\":\"{\\\"type\\\":\\\"array\\\",\\\"items\\\":\\\"shop.C\\\"}\"}", 422, NULL },
        { "POST", "/subjects/order/versions",
          "{\"schema\":\"{\\\"type\\\":\\\"array\\\",\\\"items\\\":\\\"shop.C\\\"}\","
          "\"references\":[{\"name\":\"shop.C\",\"subject\":\"cust\",\"version\":1}]}",
          200, "{\"id\":2}" },
        { "GET", "/subjects/order/versions/1", NULL, 200,
          "{\"subject\":\"order\",\"version\":1,\"id\":2,\"references\":[{\"name\":\"shop.C\",\"subject\":\"cust\","
          "\"version\":1}],\"schema\":\"{\\\"type\\\":\\\"array\\\",\\\"items\\\":\\\"shop.C\\\"}\"}" },
        { "GET", "/subjects/cust/versions/1/referencedby", NULL, 200, "[2]" },
        { "DELETE", "/subjects/cust", NULL, 422,
          "{\"error_code\":42206,\"message\":\"One or more references exist to the schema "
          "{magic=1,keytype=SCHEMA,subject=cust,version=1}.\"}" });
}

static void contexts_count_their_own_ids(void **state)
{
    RUN({ "POST", "/subjects/a/versions", "{\"schema\":\"\\\"int\\\"\"}", 200, "{\"id\":1}" },
        { "POST", "/contexts/.x/subjects/a/versions", STRING, 200, "{\"id\":1}" },
        { "POST", "/subjects/:.x:b/versions", STRING, 200, "{\"id\":1}" },
        { "GET", "/subjects", NULL, 200, "[\":.x:a\",\":.x:b\",\"a\"]" },
        { "GET", "/contexts/x/subjects", NULL, 200, "[\":.x:a\",\":.x:b\"]" },
        { "GET", "/subjects?subjectPrefix=:.x:b", NULL, 200, "[\":.x:b\"]" },
        { "GET", "/schemas/ids/1?subject=:.x:a", NULL, 200, "{\"schema\":\"\\\"string\\\"\"}" },
        { "GET", "/schemas/ids/1", NULL, 200, "{\"schema\":\"\\\"int\\\"\"}" },
        { "GET", "/contexts", NULL, 200, "[\".\",\".x\"]" });
}

static void names_are_decoded(void **state)
{
    RUN({ "POST", "/subjects/a%2Fb%20c/versions", STRING, 200, "{\"id\":1}" },
        { "GET", "/subjects/a%2Fb%20c/versions", NULL, 200, "[1]" }, { "GET", "/subjects", NULL, 200, "[\"a/b c\"]" });
}

static void lists_come_in_pages(void **state)
{
    RUN({ "POST", "/subjects/a/versions", STRING, 200, NULL }, { "POST", "/subjects/b/versions", STRING, 200, NULL },
        { "POST", "/subjects/c/versions", STRING, 200, NULL },
        { "GET", "/subjects?offset=1&limit=1", NULL, 200, "[\"b\"]" }, { "GET", "/subjects?offset=9", NULL, 200, "[]" },
        { "GET", "/schemas?subjectPrefix=b&latestOnly=true", NULL, 200,
          "[{\"subject\":\"b\",\"version\":1,\"id\":1,\"schema\":\"\\\"string\\\"\"}]" },
        { "GET", "/subjects?subjectPrefix=b", NULL, 200, "[\"b\"]" });
}

static void reads_go_on_while_the_log_is_away(void **state)
{
    struct memory_store *store = *state;

    RUN({ "POST", "/subjects/a/versions", STRING, 200, "{\"id\":1}" });
    store->away = true;
    RUN({ "GET", "/subjects", NULL, 200, "[\"a\"]" },
        { "POST", "/subjects/b/versions", STRING, 500,
          "{\"error_code\":50002,\"message\":\"Error in the backend data store: the log is away\"}" },
        { "GET", "/subjects", NULL, 200, "[\"a\"]" });
    store->away = false;
    RUN({ "POST", "/subjects/b/versions", STRING, 200, "{\"id\":1}" });
}

static void tombstones_have_the_keys_that_were_read(void **state)
{
    struct memory_store *store = *state;
    const char *old_key = "{\"keytype\":\"SCHEMA\",\"subject\":\"a\",\"version\":1,\"magic\":0}";

    registry_apply(&store->registry, false, str_of(old_key),
                   STR("{\"subject\":\"a\",\"version\":1,\"id\":1,\"schema\":\"\\\"string\\\"\",\"deleted\":true}"));
    RUN({ "DELETE", "/subjects/a?permanent=true", NULL, 200, "[1]" });
    assert_int_equal(store->kept.count, 1);
    assert_string_equal(store->kept.records[0].key, old_key);
    assert_null(store->kept.records[0].value);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(small_endpoints_answer),
        TEST(the_same_schema_has_one_id),
        TEST(lookups_find_equal_schemas),
        TEST(incompatible_schemas_are_refused_in_words),
        TEST(bad_requests_are_told_apart),
        TEST(deleting_is_soft_first),
        TEST(settings_have_scopes),
        TEST(references_lead_to_types),
        TEST(contexts_count_their_own_ids),
        TEST(names_are_decoded),
        TEST(lists_come_in_pages),
        TEST(reads_go_on_while_the_log_is_away),
        TEST(tombstones_have_the_keys_that_were_read),
    };
    log_setup("test", LOG_ERROR, false);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
