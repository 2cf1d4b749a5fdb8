/* Query parameters as FastAPI (Pydantic 2) reads and refuses them; see param.h. */
#include "source/seeder/param.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

static json_t *json_bound(const struct param *param, double v)
{
    return param->kind == PARAM_INTEGER ? json_integer((json_int_t)v) : json_real(v);
}

static void add_detail(json_t *details, const struct param *param, const char *type, const char *message,
                       struct str input, const char *bound_name, double bound)
{
    json_t *detail = json_pack("{s:s,s:[ss],s:s,s:s%}", "type", type, "loc", "query", param->name, "msg", message,
                               "input", input.p, input.len);

    if (bound_name)
        json_object_set_new(detail, "ctx", json_pack("{s:o}", bound_name, json_bound(param, bound)));
    json_array_append_new(details, detail);
}

/* Python's way with numbers in texts: single underscores between other characters do not count. */
static bool drop_underscores(struct str text, struct buf *out)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.p[i] != '_')
            buf_putc(out, text.p[i]);
        else if (i == 0 || i + 1 == text.len || text.p[i + 1] == '_')
            return false;
    }
    return out->len > 0 && !buf_failed(out);
}

/* "+12", "1_000", "5.0"; what is beyond a double's whole numbers is beyond every bound too */
static bool is_whole(struct str text)
{
    size_t i = text.len && (text.p[0] == '+' || text.p[0] == '-'), first = i;

    while (i < text.len && (isdigit((unsigned char)text.p[i]) || (i > first && text.p[i] == '_')))
        i++;
    if (i == first)
        return false;
    if (i == text.len)
        return true;
    size_t dot = i++;
    while (i < text.len && text.p[i] == '0')
        i++;
    return text.p[dot] == '.' && i == text.len && i > dot + 1;
}

static bool parse(const struct param *param, struct str text, double *out)
{
    enum { NUMBER_TEXT_MAX = 63 };
    CLEANUP(buf_free) struct buf plain = { .max = NUMBER_TEXT_MAX };

    text = str_trim(text);
    if (param->kind == PARAM_INTEGER && !is_whole(text))
        return false;
    for (size_t i = 0; i < text.len; i++)
        if (text.p[i] == 'x' || text.p[i] == 'X' || text.p[i] == '(') /* C's hexadecimal numbers and nan(...) */
            return false;
    return drop_underscores(text, &plain) && str_to_double(buf_str(&plain), out);
}

/* the last one of that name counts */
static bool find_last(struct http_request *request, const char *name, struct str *out)
{
    struct str query = request->query, key = { 0 }, value = { 0 }, last = { 0 };

    while (uri_query_next(&query, &key, &value)) {
        CLEANUP(buf_free) struct buf text = { 0 };
        uri_decode(&text, key, true);
        if (str_is(buf_str(&text), name))
            last = value.p ? value : str_of("");
    }
    if (!last.p)
        return false;
    CLEANUP(buf_free) struct buf text = { 0 };
    uri_decode(&text, last, true);
    char *copy = arena_strdup(&request->arena, buf_str(&text));
    *out = copy ? str_n(copy, text.len) : str_of("");
    return true;
}

static void check_bounds(json_t *details, const struct param *param, struct str input, double v)
{
    CLEANUP_FREE char *words = NULL;

    if (!(v <= param->max)) { /* NaN too */
        words = mem_printf("Input should be less than or equal to %.0f", param->max);
        add_detail(details, param, "less_than_equal", words, input, "le", param->max);
    } else if (param->min_excluded ? v <= param->min : v < param->min) {
        words = mem_printf("Input should be greater than %s%g", param->min_excluded ? "" : "or equal to ", param->min);
        add_detail(details, param, param->min_excluded ? "greater_than" : "greater_than_equal", words, input,
                   param->min_excluded ? "gt" : "ge", param->min);
    }
}

bool param_read(struct http_request *request, const struct param *params, size_t count, double *values,
                struct http_response *response)
{
    json_t *details = json_array();

    for (size_t i = 0; i < count; i++) {
        struct str text = { 0 };
        values[i] = params[i].optional ? -1 : params[i].fallback;
        if (!find_last(request, params[i].name, &text))
            continue;
        if (!str_is_utf8(text))
            text = STR("?");
        if (parse(&params[i], text, &values[i]))
            check_bounds(details, &params[i], text, values[i]);
        else if (params[i].kind == PARAM_INTEGER)
            add_detail(details, &params[i], "int_parsing",
                       "Input should be a valid integer, unable to parse string as an integer", text, NULL, 0);
        else
            add_detail(details, &params[i], "float_parsing",
                       "Input should be a valid number, unable to parse string as a number", text, NULL, 0);
    }
    bool ok = json_array_size(details) == 0;
    if (!ok) {
        json_t *body = json_pack("{s:O}", "detail", details);
        CLEANUP_FREE char *text = json_dumps(body, JSON_COMPACT);
        http_response_text(response, 422, "application/json", "%s", text);
        json_decref(body);
    }
    json_decref(details);
    return ok;
}

json_t *param_openapi(const struct param *param)
{
    CLEANUP_FREE char *title = mem_strdup(param->name);
    json_t *schema = json_pack("{s:s}", "type", param->kind == PARAM_INTEGER ? "integer" : "number");

    title[0] = (char)toupper((unsigned char)title[0]);
    for (char *c = title; *c; c++)
        if (*c == '_') {
            *c = ' ';
            c[1] = (char)toupper((unsigned char)c[1]);
        }
    json_object_set_new(schema, "maximum", json_bound(param, param->max));
    json_object_set_new(schema, param->min_excluded ? "exclusiveMinimum" : "minimum", json_bound(param, param->min));
    json_object_set_new(schema, "description", json_string(param->description));
    if (!param->optional)
        json_object_set_new(schema, "default", json_bound(param, param->fallback));
    json_object_set_new(schema, "title", json_string(title));
    return json_pack("{s:s,s:s,s:b,s:o,s:s}", "name", param->name, "in", "query", "required", 0, "schema", schema,
                     "description", param->description);
}
