/* Errors, answers and parameters, as Confluent's registry has them. */
#include <stdio.h>
#include <string.h>

#include "stream/registry/service.h"
#include "wire/avro/avro.h"

static const char content_v1[] = "application/vnd.schemaregistry.v1+json";
static const char content_plain[] = "application/vnd.schemaregistry+json";
static const char content_json[] = "application/json";

/* What the client takes, ours first. */
static const char *content_type_for(struct call *call)
{
    struct str accept = http_request_header(call->request, "Accept"), part;
    const char *found = NULL;

    while (str_cut(&accept, ',', &part)) {
        struct str type;
        str_cut(&part, ';', &type);
        type = str_trim(type);
        if (str_is_nocase(type, content_v1) || str_is(type, "*/*"))
            return content_v1;
        if (str_is_nocase(type, content_plain))
            found = content_plain;
        else if (str_is_nocase(type, content_json) && !found)
            found = content_json;
    }
    return found ? found : content_v1;
}

static void answer(struct call *call, const json_t *value)
{
    call->response->content_type = content_type_for(call);
    buf_clear(&call->response->body);
    avro_json_print(value, &call->response->body);
    if (buf_failed(&call->response->body))
        call->response->status = 500;
}

void call_answer(struct call *call, json_t *owned)
{
    answer(call, owned);
    json_decref(owned);
}

void call_answer_text(struct call *call, struct str text)
{
    call->response->content_type = content_type_for(call);
    buf_put_str(&call->response->body, text);
}

void call_fail(struct call *call, int code, const char *format, ...)
{
    CLEANUP_FREE char *message = NULL;
    json_t *body;
    va_list args;

    va_start(args, format);
    if (vasprintf(&message, format, args) < 0)
        message = NULL;
    va_end(args);
    record_batch_free(&call->batch);
    call->failed = true;
    call->response->status = code >= 10000 ? code / 100 : code;
    body = json_object();
    json_object_set_new(body, "error_code", json_integer(code));
    json_object_set_new(body, "message", json_string(message ? message : ""));
    call_answer(call, body);
}

void fail_subject_unknown(struct call *call, struct str subject)
{
    call_fail(call, 40401, "Subject '%.*s' not found.", STR_ARG(subject));
}

void fail_version_unknown(struct call *call, int version)
{
    call_fail(call, 40402, "Version %d not found.", version);
}

bool call_has(struct call *call, const char *name, struct str *out)
{
    return http_request_query(call->request, name, out);
}

bool call_flag(struct call *call, const char *name)
{
    struct str value;
    return call_has(call, name, &value) && str_is_nocase(value, "true");
}

int64_t call_number(struct call *call, const char *name, int64_t fallback)
{
    struct str value;
    int64_t number;
    return call_has(call, name, &value) && str_to_i64(value, INT32_MIN, INT32_MAX, &number) ? number : fallback;
}

struct str call_text(const json_t *object, const char *member)
{
    const json_t *value = json_object_get(object, member);
    return json_is_string(value) ? str_n(json_string_value(value), json_string_length(value)) : (struct str){ 0 };
}

json_t *json_of_str(struct str s)
{
    json_t *text = json_stringn(s.p ? s.p : "", s.len);
    return text ? text : json_string("");
}

static bool has_control(struct str s)
{
    for (size_t i = 0; i < s.len; i++)
        if ((unsigned char)s.p[i] < 0x20 || s.p[i] == 0x7f)
            return true;
    return false;
}

static bool subject_valid(struct str name)
{
    struct str context, subject;

    state_split_subject(name, &context, &subject);
    return name.len && name.len <= REGISTRY_SUBJECT_MAX && !has_control(name) && str_is_utf8(name) &&
           !str_is(subject, "__GLOBAL") && !str_is(subject, "__EMPTY");
}

struct str call_subject(struct call *call, struct str name)
{
    char *qualified;

    if (!subject_valid(name)) {
        call_fail(call, 42208, "The specified subject '%.*s' is not a valid.", STR_ARG(name));
        return (struct str){ 0 };
    }
    if (str_starts(name, ":.:"))
        return str_skip(name, 3);
    if (str_is(call->context, ".") || str_starts(name, ":."))
        return name;
    qualified = arena_printf(&call->request->arena, ":%.*s:%.*s", STR_ARG(call->context), STR_ARG(name));
    return str_of(qualified);
}

bool call_version(struct call *call, struct str text, int *out)
{
    int64_t number;

    if (str_is(text, "latest") || str_is(text, "-1")) {
        *out = -1;
        return true;
    }
    if (str_to_i64(text, 1, INT32_MAX, &number)) {
        *out = (int)number;
        return true;
    }
    call_fail(call, 42202,
              "The specified version '%.*s' is not a valid version id. Allowed values are between [1, 2^31-1] and the "
              "string \"latest\"",
              STR_ARG(text));
    return false;
}

json_t *call_page(struct call *call, json_t *list, int64_t default_limit)
{
    int64_t offset = call_number(call, "offset", 0), limit = call_number(call, "limit", default_limit);
    size_t n = json_array_size(list), from = offset > 0 ? (size_t)offset : 0;
    json_t *page;

    if (limit < 0 || (default_limit > 0 && limit > default_limit))
        limit = default_limit > 0 ? default_limit : INT32_MAX;
    if (!from && n <= (size_t)limit)
        return list;
    page = json_array();
    for (size_t i = from; i < n && json_array_size(page) < (size_t)limit; i++)
        json_array_append(page, json_array_get(list, i));
    json_decref(list);
    return page;
}

/* ---------------------------------------------------------------- dispatch */

static const struct {
    const struct call_route *rows;
    const size_t *count;
} route_tables[] = {
    { subject_routes, &subject_route_count },
    { schema_routes, &schema_route_count },
    { config_routes, &config_route_count },
};

static const struct call_route *row_at(size_t at)
{
    for (size_t t = 0; t < ARRAY_LEN(route_tables); at -= *route_tables[t++].count)
        if (at < *route_tables[t].count)
            return &route_tables[t].rows[at];
    return NULL;
}

static size_t row_count(void)
{
    size_t n = 0;
    for (size_t t = 0; t < ARRAY_LEN(route_tables); t++)
        n += *route_tables[t].count;
    return n;
}

static bool read_body(struct call *call)
{
    struct str body = str_trim(buf_str(&call->request->body));
    json_error_t where;

    if (!body.len && strcmp(call->request->method, "PUT") != 0 && strcmp(call->request->method, "POST") != 0)
        return true;
    if (!body.len) {
        call_fail(call, 422, "must not be null");
        return false;
    }
    call->body = json_loadb(body.p, body.len, JSON_DECODE_ANY | JSON_ALLOW_NUL, &where);
    if (!call->body) {
        call_fail(call, 400, "Malformed JSON: %s (line %d, column %d)", where.text, where.line, where.column);
        return false;
    }
    if (json_is_null(call->body))
        call_fail(call, 422, "must not be null");
    else if (!json_is_object(call->body))
        call_fail(call, 400, "Cannot deserialize the request: it must be a JSON object");
    return !call->failed;
}

static void run_under_lock(struct call *call, const struct call_route *row)
{
    pthread_rwlock_rdlock(&call->registry->lock);
    row->handle(call);
    pthread_rwlock_unlock(&call->registry->lock);
}

static void fail_store(struct call *call, enum rc rc, const struct err *err)
{
    if (rc == RC_BAD_INPUT)
        call_fail(call, 42209, "Write failed because schema is too large");
    else
        call_fail(call, rc == RC_RETRY ? 50002 : 50001, "Error in the backend data store: %s", err->text);
}

static void run_writer(struct call *call, const struct call_route *row)
{
    struct registry *registry = call->registry;
    struct err err = { 0 };
    enum rc rc;

    pthread_mutex_lock(&registry->writing);
    rc = registry->store->catch_up(registry->store, &err);
    if (!rc) {
        run_under_lock(call, row);
        if (call->batch.count)
            rc = registry->store->append(registry->store, &call->batch, &err);
        if (!rc)
            atomic_fetch_add(&registry->written, call->batch.count);
    }
    pthread_mutex_unlock(&registry->writing);
    if (rc)
        fail_store(call, rc, &err);
}

static void run_call(struct call *call, const struct call_route *row)
{
    if (row->kind == CALL_FREE)
        row->handle(call);
    else if (!registry_wait_ready(call->registry))
        call_fail(call, 50001, "Error in the backend data store: the topic is still being read");
    else if (read_body(call) && row->kind == CALL_WRITES)
        run_writer(call, row);
    else if (!call->failed)
        run_under_lock(call, row);
}

static struct str context_of(struct call *call, struct str name)
{
    if (str_is(name, ".") || !name.len || str_is(name, ":.:"))
        return STR(".");
    if (str_starts(name, ":.") && str_ends(name, ":"))
        return str_n(name.p + 1, name.len - 2);
    if (str_starts(name, "."))
        return name;
    return str_of(arena_printf(&call->request->arena, ".%.*s", STR_ARG(name)));
}

static void dispatch(struct http_request *request, struct http_response *response)
{
    struct registry *registry = request->service;
    size_t at = (size_t)(request->route - registry->routes);
    const struct call_route *row = row_at(at % row_count());
    bool in_context = at >= row_count();
    int status;
    struct call call = { .registry = registry,
                         .request = request,
                         .response = response,
                         .context = STR("."),
                         .params = request->params + in_context };

    if (in_context)
        call.context = context_of(&call, request->params[0]);
    run_call(&call, row);
    record_batch_free(&call.batch);
    json_decref(call.body);
    status = response->status ? response->status : 200;
    atomic_fetch_add(&registry->answers[MIN(status / 100, REGISTRY_STATUS_CLASSES - 1)], 1);
}

/* Twice the rows: as they are, then under /contexts/{context}.  A row that is not in contexts gets a
 * pattern there that no request has. */
void registry_make_routes(struct registry *registry)
{
    size_t n = row_count();

    registry->routes = mem_grow_zeroed(2 * n, sizeof *registry->routes);
    registry->route_count = 2 * n;
    for (size_t i = 0; i < n; i++) {
        const struct call_route *row = row_at(i);
        registry->routes[i] = (struct http_route){ .method = row->method,
                                                   .pattern = mem_strdup(row->pattern),
                                                   .handle = dispatch,
                                                   .body_max = REGISTRY_BODY_MAX,
                                                   .summary = row->summary };
        registry->routes[n + i] = registry->routes[i];
        registry->routes[n + i].pattern =
            row->in_contexts ? mem_printf("/contexts/{context}%s", row->pattern) : mem_strdup("/contexts//");
    }
}

void registry_not_found(struct http_request *request, struct http_response *response, bool allowed)
{
    struct registry *registry = request->service;
    struct call call = { .registry = registry, .request = request, .response = response };
    int status = allowed ? 405 : 404;

    call_fail(&call, status, "HTTP %d %s", status, http_status_words(status));
    atomic_fetch_add(&registry->answers[4], 1);
}
