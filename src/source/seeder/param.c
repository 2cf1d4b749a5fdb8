/* Query parameters as FastAPI (Pydantic 2) reads and refuses them; see param.h. */
#include "source/seeder/param.h"

#include <ctype.h>
#include <math.h>
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

static bool parse(const struct param *param, struct str text, double *out)
{
    int64_t whole = 0;

    text = str_trim(text);
    if (param->kind == PARAM_NUMBER)
        return text.len && !memchr(text.p, 'x', text.len) && str_to_double(text, out);
    if (!str_to_i64(text, INT64_MIN, INT64_MAX, &whole))
        return false;
    *out = (double)whole;
    return true;
}

static void check_bounds(json_t *details, const struct param *param, struct str input, double v)
{
    CLEANUP_FREE char *words = NULL;

    if (!isfinite(v)) {
        add_detail(details, param, "finite_number", "Input should be a finite number", input, NULL, 0);
    } else if (param->min_excluded ? v <= param->min : v < param->min) {
        words = mem_printf("Input should be greater than %s%g", param->min_excluded ? "" : "or equal to ", param->min);
        add_detail(details, param, param->min_excluded ? "greater_than" : "greater_than_equal", words, input,
                   param->min_excluded ? "gt" : "ge", param->min);
    } else if (v > param->max) {
        words = mem_printf("Input should be less than or equal to %.0f", param->max);
        add_detail(details, param, "less_than_equal", words, input, "le", param->max);
    }
}

bool param_read(struct http_request *request, const struct param *params, size_t count, double *values,
                struct http_response *response)
{
    json_t *details = json_array();

    for (size_t i = 0; i < count; i++) {
        struct str text = { 0 };
        values[i] = params[i].optional ? -1 : params[i].fallback;
        if (!http_request_query(request, params[i].name, &text))
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
