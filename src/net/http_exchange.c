/* What handlers ask of a request and say in an answer; see http.h. */
#include <microhttpd.h>
#include <stdarg.h>
#include <stdlib.h>

#include "net/http.h"

struct str http_request_header(const struct http_request *request, const char *name)
{
    return str_of(MHD_lookup_connection_value(request->connection, MHD_HEADER_KIND, name));
}

struct each_header {
    void (*each)(void *user, struct str name, struct str value);
    void *user;
};

static enum MHD_Result on_header(void *cls, enum MHD_ValueKind kind, const char *name, const char *value)
{
    struct each_header *each = cls;

    (void)kind;
    each->each(each->user, str_of(name), value ? str_of(value) : str_of(""));
    return MHD_YES;
}

void http_request_each_header(const struct http_request *request,
                              void (*each)(void *user, struct str name, struct str value), void *user)
{
    struct each_header cls = { each, user };

    MHD_get_connection_values(request->connection, MHD_HEADER_KIND, on_header, &cls);
}

bool http_request_query(struct http_request *request, const char *name, struct str *out)
{
    struct str query = request->query, key = { 0 }, value = { 0 };

    while (uri_query_next(&query, &key, &value)) {
        CLEANUP(buf_free) struct buf text = { 0 };
        uri_decode(&text, key, true);
        if (!str_is(buf_str(&text), name))
            continue;
        buf_clear(&text);
        uri_decode(&text, value, true);
        char *copy = arena_strdup(&request->arena, buf_str(&text));
        *out = copy ? str_n(copy, text.len) : str_of("");
        return true;
    }
    return false;
}

void http_response_header(struct http_response *response, const char *name, const char *format, ...)
{
    CLEANUP(buf_free) struct buf value = { 0 };
    va_list args;

    va_start(args, format);
    buf_vprintf(&value, format, args);
    va_end(args);
    response->headers = mem_grow(response->headers, response->header_count + 1, sizeof *response->headers);
    response->headers[response->header_count++] = (struct http_header){ mem_strdup(name), buf_take(&value) };
}

void http_response_text(struct http_response *response, int status, const char *content_type, const char *format, ...)
{
    va_list args;

    response->status = status;
    response->content_type = content_type;
    buf_clear(&response->body);
    va_start(args, format);
    buf_vprintf(&response->body, format, args);
    va_end(args);
}

const char *http_status_words(int status)
{
    return MHD_get_reason_phrase_for((unsigned)status);
}
