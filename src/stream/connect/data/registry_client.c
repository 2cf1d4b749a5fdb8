/* The schema registry as AvroConverter calls it; see registry_client.h. */
#include "stream/connect/data/registry_client.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "net/net.h"
#include "stream/connect/data/converter.h"
#include "stream/connect/data/text.h"

#define REGISTRY_MEDIA "application/vnd.schemaregistry.v1+json"

enum { REGISTRY_URLS_MAX = 8, REGISTRY_PAUSE_MS = 100, REGISTRY_TIMEOUT_MS = 30000, REGISTRY_ANSWER_MAX = 16 << 20 };

struct registry_client {
    struct http_client *http;
    char *urls[REGISTRY_URLS_MAX]; /* without a slash at the end */
    size_t url_count, url_at;      /* the one that answered last */
    char *authorization;           /* a header line, or NULL */
    bool normalize;
};

enum rc registry_client_new(const char *urls, const char *user, const char *token, bool normalize,
                            struct registry_client **out, struct err *err)
{
    struct registry_client *client = NEW(struct registry_client);
    struct str rest = str_of(urls), url;

    client->normalize = normalize;
    while (str_cut(&rest, ',', &url) && client->url_count < REGISTRY_URLS_MAX) {
        url = str_trim(url);
        while (url.len && url.p[url.len - 1] == '/')
            url.len--;
        if (url.len)
            client->urls[client->url_count++] = str_dup(url);
    }
    if (client->url_count == 0) {
        registry_client_free(client);
        return err_set(err, RC_BAD_INPUT, "'schema.registry.url' is empty; set it to the registry's address");
    }
    if (user) {
        CLEANUP(buf_free) struct buf text = { 0 };
        buf_puts(&text, "Authorization: Basic ");
        encode_base64(&text, user, strlen(user));
        client->authorization = buf_take(&text);
    } else if (token) {
        client->authorization = mem_printf("Authorization: Bearer %s", token);
    }
    client->http = http_client_new();
    *out = client;
    return RC_OK;
}

void registry_client_free(struct registry_client *client)
{
    if (!client)
        return;
    for (size_t i = 0; i < client->url_count; i++)
        free(client->urls[i]);
    if (client->http)
        http_client_free(client->http);
    free(client->authorization);
    free(client);
}

static enum rc call_once(struct registry_client *client, const char *method, const char *path, struct str body,
                         struct http_answer *answer, struct err *err)
{
    const char *headers[] = { "Accept: " REGISTRY_MEDIA, "Content-Type: " REGISTRY_MEDIA, client->authorization, NULL };
    CLEANUP_FREE char *url = mem_printf("%s%s", client->urls[client->url_at], path);
    struct http_call call = { .method = method,
                              .url = url,
                              .headers = headers,
                              .body = body,
                              .timeout_ms = REGISTRY_TIMEOUT_MS,
                              .answer_max = REGISTRY_ANSWER_MAX };
    enum rc rc = http_client_call(client->http, &call, answer, err);

    if (rc)
        return err_wrap(err, "cannot reach the schema registry at '%s'", client->urls[client->url_at]);
    if (answer->status < 500 && answer->status != 429)
        return RC_OK;
    return err_set(err, RC_RETRY, "the schema registry at '%s' answers %d: %.*s", client->urls[client->url_at],
                   answer->status, (int)MIN(answer->body.len, (size_t)400), buf_cstr(&answer->body));
}

static void pause_before(int attempt)
{
    int64_t ms = (int64_t)REGISTRY_PAUSE_MS << attempt;
    struct timespec pause = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 };

    nanosleep(&pause, NULL);
}

static enum rc refused(const char *what, struct str subject, const struct http_answer *answer, const json_t *json,
                       struct err *err)
{
    const char *message = json_string_value(json_object_get(json, "message"));
    json_int_t code = json_integer_value(json_object_get(json, "error_code"));

    return err_set(err, answer->status == 404 ? RC_NOT_FOUND : RC_BAD_INPUT,
                   "cannot %s '%.*s': the schema registry answers %d: %s; error code: %lld", what, STR_ARG(subject),
                   answer->status, message ? message : "no message", (long long)code);
}

/* The answer as JSON, the caller's; what and subject are for the words. */
static enum rc call_json(struct registry_client *client, const char *what, struct str subject, const char *method,
                         const char *path, struct str body, json_t **out, struct err *err)
{
    enum rc rc = RC_RETRY;

    for (int attempt = 0; attempt < REGISTRY_RETRIES_MAX; attempt++) {
        struct http_answer answer = { 0 };
        if (attempt > 0 && client->url_at == 0)
            pause_before(attempt - 1);
        rc = call_once(client, method, path, body, &answer, err);
        if (rc == RC_OK) {
            json_t *json = json_loadb(buf_cstr(&answer.body), answer.body.len, JSON_DECODE_ANY, NULL);
            if (answer.status >= 300)
                rc = refused(what, subject, &answer, json, err);
            else if (!json)
                rc = err_set(err, RC_RETRY, "cannot %s '%.*s': the schema registry's answer is not JSON", what,
                             STR_ARG(subject));
            if (rc == RC_OK)
                *out = json;
            else
                json_decref(json);
        }
        http_answer_free(&answer);
        if (rc != RC_RETRY)
            return rc;
        client->url_at = (client->url_at + 1) % client->url_count;
    }
    return rc;
}

static void subject_path(struct buf *out, struct str subject)
{
    buf_puts(out, "/subjects/");
    uri_encode(out, subject, false);
}

static void schema_body(struct buf *out, struct str schema)
{
    buf_puts(out, "{\"schema\":");
    text_json_string(out, schema);
    buf_putc(out, '}');
}

static enum rc id_of(const json_t *json, struct str subject, uint32_t *id, struct err *err)
{
    const json_t *value = json_object_get(json, "id");

    if (!json_is_integer(value) || json_integer_value(value) < 0 || json_integer_value(value) > INT32_MAX)
        return err_set(err, RC_RETRY, "the schema registry's answer for '%.*s' has no id", STR_ARG(subject));
    *id = (uint32_t)json_integer_value(value);
    return RC_OK;
}

enum rc registry_client_register(struct registry_client *client, struct str subject, struct str schema, uint32_t *id,
                                 struct err *err)
{
    CLEANUP(buf_free) struct buf path = { 0 };
    CLEANUP(buf_free) struct buf body = { 0 };
    json_t *json = NULL;

    subject_path(&path, subject);
    buf_puts(&path, client->normalize ? "/versions?normalize=true" : "/versions?normalize=false");
    schema_body(&body, schema);
    enum rc rc =
        call_json(client, "register a schema under", subject, "POST", buf_cstr(&path), buf_str(&body), &json, err);
    if (!rc)
        rc = id_of(json, subject, id, err);
    json_decref(json);
    return rc;
}

enum rc registry_client_lookup(struct registry_client *client, struct str subject, struct str schema, uint32_t *id,
                               int *version, struct err *err)
{
    CLEANUP(buf_free) struct buf path = { 0 };
    CLEANUP(buf_free) struct buf body = { 0 };
    json_t *json = NULL;

    subject_path(&path, subject);
    buf_puts(&path, client->normalize ? "?normalize=true&deleted=true" : "?normalize=false&deleted=true");
    schema_body(&body, schema);
    enum rc rc =
        call_json(client, "look up a schema under", subject, "POST", buf_cstr(&path), buf_str(&body), &json, err);
    if (!rc)
        rc = id_of(json, subject, id, err);
    if (!rc)
        *version = (int)json_integer_value(json_object_get(json, "version"));
    json_decref(json);
    return rc;
}

enum rc registry_client_latest(struct registry_client *client, struct str subject, uint32_t *id, struct err *err)
{
    CLEANUP(buf_free) struct buf path = { 0 };
    json_t *json = NULL;

    subject_path(&path, subject);
    buf_puts(&path, "/versions/latest");
    enum rc rc =
        call_json(client, "find the latest schema of", subject, "GET", buf_cstr(&path), (struct str){ 0 }, &json, err);
    if (!rc)
        rc = id_of(json, subject, id, err);
    json_decref(json);
    return rc;
}

enum rc registry_client_schema(struct registry_client *client, uint32_t id, struct buf *text, struct err *err)
{
    CLEANUP_FREE char *path = mem_printf("/schemas/ids/%u?fetchMaxId=false", id);
    CLEANUP_FREE char *name = mem_printf("%u", id);
    json_t *json = NULL;
    enum rc rc = call_json(client, "get schema", str_of(name), "GET", path, (struct str){ 0 }, &json, err);

    if (!rc) {
        const json_t *schema = json_object_get(json, "schema");
        const char *type = json_string_value(json_object_get(json, "schemaType"));
        if (type && strcmp(type, "AVRO") != 0)
            rc = err_set(err, RC_BAD_INPUT, "schema %u is of type '%s'; the AvroConverter reads AVRO only", id, type);
        else if (!json_is_string(schema))
            rc = err_set(err, RC_RETRY, "the schema registry's answer for schema %u has no schema", id);
        else
            buf_append(text, json_string_value(schema), json_string_length(schema));
    }
    json_decref(json);
    return rc;
}
