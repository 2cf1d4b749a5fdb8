/*
 * Requests on what this broker does not keep: ACLs, quotas, users with SCRAM passwords.  They are answered, and not
 * left out of ApiVersions, because tools that describe a cluster ask for all of these and stop where one is missing.
 */
#include "stream/log/broker.h"

static const char NO_AUTHORIZER[] = "No Authorizer is configured.";
static const char NO_QUOTAS[] = "Quotas are not kept by this broker.";

static void on_describe_acls(struct request *request)
{
    struct kafka_describe_acls_response response = { .error_code = KAFKA_SECURITY_DISABLED,
                                                     .error_message = str_of(NO_AUTHORIZER) };

    request_reply(request, &response);
}

static void on_create_acls(struct request *request)
{
    const struct kafka_create_acls_request *body = request->body;
    struct kafka_create_acls_response response = { 0 };
    int32_t count = MAX(body->creations.count, 0);

    response.results.items = request_alloc(request, (size_t)count, sizeof *response.results.items);
    if (!response.results.items)
        return;
    while (response.results.count < count)
        response.results.items[response.results.count++] =
            (struct kafka_create_acls_response_result){ KAFKA_SECURITY_DISABLED, str_of(NO_AUTHORIZER) };
    request_reply(request, &response);
}

static void on_delete_acls(struct request *request)
{
    const struct kafka_delete_acls_request *body = request->body;
    struct kafka_delete_acls_response response = { 0 };
    int32_t count = MAX(body->filters.count, 0);

    response.filter_results.items = request_alloc(request, (size_t)count, sizeof *response.filter_results.items);
    if (!response.filter_results.items)
        return;
    while (response.filter_results.count < count)
        response.filter_results.items[response.filter_results.count++] =
            (struct kafka_delete_acls_response_filter_result){ .error_code = KAFKA_SECURITY_DISABLED,
                                                               .error_message = str_of(NO_AUTHORIZER) };
    request_reply(request, &response);
}

static void on_describe_quotas(struct request *request)
{
    struct kafka_describe_client_quotas_response response = { 0 };

    request_reply(request, &response);
}

static void on_alter_quotas(struct request *request)
{
    const struct kafka_alter_client_quotas_request *body = request->body;
    struct kafka_alter_client_quotas_response response = { 0 };
    int32_t count = MAX(body->entries.count, 0);

    response.entries.items = request_alloc(request, (size_t)count, sizeof *response.entries.items);
    if (!response.entries.items)
        return;
    for (int32_t i = 0; i < count; i++) {
        struct kafka_alter_client_quotas_response_entry *out = &response.entries.items[response.entries.count++];
        int32_t n = MAX(body->entries.items[i].entity.count, 0);
        out->error_code = KAFKA_INVALID_REQUEST;
        out->error_message = str_of(NO_QUOTAS);
        out->entity.items = request_alloc(request, (size_t)n, sizeof *out->entity.items);
        if (!out->entity.items)
            return;
        for (; out->entity.count < n; out->entity.count++)
            out->entity.items[out->entity.count] = (struct kafka_alter_client_quotas_response_entity){
                body->entries.items[i].entity.items[out->entity.count].entity_type,
                body->entries.items[i].entity.items[out->entity.count].entity_name
            };
    }
    request_reply(request, &response);
}

/* in Kafka's words */
static void tell_user(struct request *request, struct kafka_describe_user_scram_credentials_response_result *out,
                      enum kafka_error error, const char *words)
{
    out->error_code = (int16_t)error;
    out->error_message = str_of(arena_printf(&request->arena, "%s: %.*s", words, STR_ARG(out->user)));
}

/* There are no users: all of them is none, and who is asked for by name does not exist. */
static void on_describe_users(struct request *request)
{
    const struct kafka_describe_user_scram_credentials_request *body = request->body;
    struct kafka_describe_user_scram_credentials_response response = { .error_message = STR("") };
    struct map seen = { 0 };
    int32_t count = MAX(body->users.count, 0);

    response.results.items = request_alloc(request, (size_t)count, sizeof *response.results.items);
    if (!response.results.items)
        return;
    for (int32_t i = 0; i < count; i++) {
        struct kafka_describe_user_scram_credentials_response_result *out = map_get(&seen, body->users.items[i].name);
        if (out) {
            tell_user(request, out, KAFKA_DUPLICATE_RESOURCE,
                      "Cannot describe SCRAM credentials for the same user twice in a single request");
            continue;
        }
        out = &response.results.items[response.results.count++];
        out->user = body->users.items[i].name;
        tell_user(request, out, KAFKA_RESOURCE_NOT_FOUND, "Attempt to describe a user credential that does not exist");
        map_put(&seen, out->user, out);
    }
    map_free(&seen, NULL);
    request_reply(request, &response);
}

const struct log_api security_apis[] = {
    { KAFKA_API_DESCRIBE_ACLS, 0, 0, on_describe_acls },
    { KAFKA_API_CREATE_ACLS, 0, 0, on_create_acls },
    { KAFKA_API_DELETE_ACLS, 0, 0, on_delete_acls },
    { KAFKA_API_DESCRIBE_CLIENT_QUOTAS, 0, 0, on_describe_quotas },
    { KAFKA_API_ALTER_CLIENT_QUOTAS, 0, 0, on_alter_quotas },
    { KAFKA_API_DESCRIBE_USER_SCRAM_CREDENTIALS, 0, 0, on_describe_users },
    { 0, 0, 0, NULL },
};
