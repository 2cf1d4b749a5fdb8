/* Endpoints under /schemas, and the small ones that tools look at. */
#include <stdlib.h>

#include "stream/registry/registration.h"
#include "wire/avro/avro.h"

static const char imitated_version[] = "7.9.2";

/* ---------------------------------------------------------------- by id */

static struct str context_of_call(struct call *call)
{
    struct str subject, context, unqualified;

    if (!call_has(call, "subject", &subject) || !str_starts(subject, ":."))
        return call->context;
    state_split_subject(subject, &context, &unqualified);
    return context;
}

/* NULL after failing the call. */
static const struct schema *find_schema(struct call *call)
{
    const struct schema *schema = NULL;
    int64_t id;

    if (str_to_i64(call->params[0], 0, INT32_MAX, &id))
        schema = state_schema(&call->registry->state, context_of_call(call), (int)id);
    else {
        call_fail(call, 404, "HTTP 404 Not Found");
        return NULL;
    }
    if (!schema)
        call_fail(call, 40403, "Schema %.*s not found", STR_ARG(call->params[0]));
    return schema;
}

static void get_schema(struct call *call)
{
    const struct schema *schema = find_schema(call);
    json_t *out;

    if (!schema)
        return;
    out = json_object();
    if (!str_is(schema->type, "AVRO"))
        json_object_set_new(out, "schemaType", json_of_str(schema->type));
    json_object_set_new(out, "schema", json_of_str(schema->text));
    if (json_array_size(schema->references))
        json_object_set(out, "references", schema->references);
    if (json_object_size(schema->metadata))
        json_object_set(out, "metadata", schema->metadata);
    if (json_object_size(schema->rule_set))
        json_object_set(out, "ruleSet", schema->rule_set);
    if (call_flag(call, "fetchMaxId"))
        json_object_set_new(out, "maxId", json_integer(state_max_id(&call->registry->state, context_of_call(call))));
    call_answer(call, out);
}

static void get_schema_text(struct call *call)
{
    const struct schema *schema = find_schema(call);

    if (schema)
        call_answer_text(call, schema->text);
}

/* Calls `add` for each version that has the schema, subjects in order. */
static void each_use(struct call *call, const struct schema *schema, json_t *list,
                     void (*add)(json_t *list, const struct subject *subject, const struct version *version))
{
    bool deleted_too = call_flag(call, "deleted");
    size_t n;
    CLEANUP_FREE struct subject **subjects = state_subjects(&call->registry->state, &n);
    struct str only = { 0 };

    call_has(call, "subject", &only);
    for (size_t i = 0; i < n; i++) {
        if (only.len && !str_eq(only, subjects[i]->name))
            continue;
        for (size_t k = 0; k < subjects[i]->count; k++) {
            const struct version *version = &subjects[i]->versions[k];
            if (version->schema->id == schema->id && version->schema->context == schema->context &&
                (deleted_too || !version->deleted))
                add(list, subjects[i], version);
        }
    }
}

static void add_subject(json_t *list, const struct subject *subject, const struct version *version UNUSED)
{
    const json_t *last = json_array_get(list, json_array_size(list) - 1);

    if (!last || !str_eq(str_n(json_string_value(last), json_string_length(last)), subject->name))
        json_array_append_new(list, json_of_str(subject->name));
}

static void add_subject_version(json_t *list, const struct subject *subject, const struct version *version)
{
    json_t *row = json_object();

    json_object_set_new(row, "subject", json_of_str(subject->name));
    json_object_set_new(row, "version", json_integer(version->number));
    json_array_append_new(list, row);
}

static void get_schema_subjects(struct call *call)
{
    const struct schema *schema = find_schema(call);
    json_t *list;

    if (!schema)
        return;
    list = json_array();
    each_use(call, schema, list, add_subject);
    call_answer(call, call_page(call, list, -1));
}

static void get_schema_versions(struct call *call)
{
    const struct schema *schema = find_schema(call);
    json_t *list;

    if (!schema)
        return;
    list = json_array();
    each_use(call, schema, list, add_subject_version);
    call_answer(call, call_page(call, list, -1));
}

/* ---------------------------------------------------------------- lists */

static void list_schemas(struct call *call)
{
    bool deleted_too = call_flag(call, "deleted"), latest_only = call_flag(call, "latestOnly");
    size_t n;
    CLEANUP_FREE struct subject **subjects = state_subjects(&call->registry->state, &n);
    json_t *list = json_array();

    for (size_t i = 0; i < n; i++) {
        if (!subject_in_prefix(call, subjects[i]->name))
            continue;
        for (size_t k = 0; k < subjects[i]->count; k++) {
            const struct version *version = &subjects[i]->versions[k];
            if ((version->deleted && !deleted_too) ||
                (latest_only && version != subject_latest(subjects[i], deleted_too)))
                continue;
            json_array_append_new(list, subject_version_json(subjects[i], version));
        }
    }
    call_answer(call, call_page(call, list, REGISTRY_PAGE_MAX));
}

static void list_types(struct call *call)
{
    call_answer(call, json_pack("[s]", "AVRO"));
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void list_contexts(struct call *call)
{
    const struct map *contexts = &call->registry->state.contexts;
    CLEANUP_FREE const char **names = mem_grow_zeroed(contexts->count + 1, sizeof *names);
    json_t *list = json_array();
    size_t n = 0;

    names[n++] = ".";
    for (struct map_entry *e = NULL; (e = map_next(contexts, e));)
        if (strcmp(e->key, ".") != 0)
            names[n++] = e->key;
    qsort(names, n, sizeof *names, by_text);
    for (size_t i = 0; i < n; i++)
        json_array_append_new(list, json_string(names[i]));
    call_answer(call, call_page(call, list, -1));
}

/* ---------------------------------------------------------------- small ones */

static void get_root(struct call *call)
{
    call_answer(call, json_object());
}

static void get_cluster(struct call *call)
{
    const char *cluster = call->registry->store->cluster_id(call->registry->store);

    call_answer(call, json_pack("{s:s, s:{s:[], s:{s:s, s:s}}}", "id", "", "scope", "path", "clusters", "kafka-cluster",
                                cluster, "schema-registry-cluster", "schema-registry"));
}

static void get_server_version(struct call *call)
{
    call_answer(call, json_pack("{s:s, s:s}", "version", imitated_version, "commitId", "haus-" HAUS_VERSION));
}

/* Newest clients ask for a topic's associations before anything else; none makes them go by the topic's name. */
static void get_associations(struct call *call)
{
    call_answer(call, json_array());
}

static void get_health(struct call *call)
{
    call_answer(call, json_pack("{s:s}", "status", "ok"));
}

static void get_ready(struct call *call)
{
    bool ready = atomic_load(&call->registry->ready);

    call->response->status = ready ? 200 : 503;
    call_answer(call, json_pack("{s:s}", "status", ready ? "ready" : "starting"));
}

static void put_counts(struct registry *registry, struct buf *out)
{
    size_t live = 0, versions = 0, ids = 0;

    pthread_rwlock_rdlock(&registry->lock);
    for (struct map_entry *e = NULL; (e = map_next(&registry->state.subjects, e));) {
        const struct subject *subject = e->value;
        live += subject_has(subject, false);
        versions += subject->count;
    }
    for (struct map_entry *e = NULL; (e = map_next(&registry->state.contexts, e));)
        ids += ((const struct context *)e->value)->by_id.count;
    pthread_rwlock_unlock(&registry->lock);
    buf_printf(out, "# TYPE haus_registry_subjects gauge\nhaus_registry_subjects %zu\n", live);
    buf_printf(out, "# TYPE haus_registry_versions gauge\nhaus_registry_versions %zu\n", versions);
    buf_printf(out, "# TYPE haus_registry_schemas gauge\nhaus_registry_schemas %zu\n", ids);
}

static void get_metrics(struct call *call)
{
    struct registry *registry = call->registry;
    struct buf *out = &call->response->body;

    call->response->content_type = "text/plain; version=0.0.4";
    put_counts(registry, out);
    buf_puts(out, "# TYPE haus_registry_answers_total counter\n");
    for (int i = 2; i < REGISTRY_STATUS_CLASSES; i++)
        buf_printf(out, "haus_registry_answers_total{status=\"%dxx\"} %llu\n", i, atomic_load(&registry->answers[i]));
    buf_printf(out, "# TYPE haus_registry_records_written_total counter\nhaus_registry_records_written_total %llu\n",
               atomic_load(&registry->written));
    buf_printf(out, "# TYPE haus_registry_log_up gauge\nhaus_registry_log_up %d\n",
               registry->store->is_up(registry->store));
}

const struct call_route schema_routes[] = {
    { "GET", "/schemas", CALL_READS, true, list_schemas, "all schemas" },
    { "GET", "/schemas/types", CALL_FREE, true, list_types, "types of schemas known here" },
    { "GET", "/schemas/ids/{id}", CALL_READS, true, get_schema, "a schema by its id" },
    { "GET", "/schemas/ids/{id}/schema", CALL_READS, true, get_schema_text, "its text alone" },
    { "GET", "/schemas/ids/{id}/subjects", CALL_READS, true, get_schema_subjects, "subjects that have it" },
    { "GET", "/schemas/ids/{id}/versions", CALL_READS, true, get_schema_versions, "versions that have it" },
    { "GET", "/contexts", CALL_READS, false, list_contexts, "contexts" },
    { "GET", "/associations/resources/{namespace}/{name}", CALL_FREE, false, get_associations, "none" },
    { "GET", "/v1/metadata/id", CALL_FREE, false, get_cluster, "the log's cluster id" },
    { "GET", "/v1/metadata/version", CALL_FREE, false, get_server_version, "the version imitated" },
    { "GET", "/", CALL_FREE, false, get_root, "{}" },
    { "POST", "/", CALL_FREE, false, get_root, "{}" },
    { "GET", "/health", CALL_FREE, false, get_health, "the process answers" },
    { "GET", "/ready", CALL_FREE, false, get_ready, "the topic was read" },
    { "GET", "/metrics", CALL_FREE, false, get_metrics, "for Prometheus" },
};
const size_t schema_route_count = ARRAY_LEN(schema_routes);
