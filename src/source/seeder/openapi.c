/*
 * /openapi.json: the table of operations as FastAPI describes its own, with the shape of every answer, so that
 * generated clients have types and testers find each status that the operations give.
 */
#include <string.h>

#include "source/seeder/api.h"
#include "source/seeder/operation.h"

/* An answer beside 200, and the operations that give it. */
struct answer_row {
    const char *status, *description, *schema;
    unsigned operations; /* bits of enum operation_id */
};
static const struct answer_row answer_rows[] = {
    { "409", "A stream is running already", "Problem", 1U << OPERATION_START },
    { "500", "The database refused the rows", "Problem", 1U << OPERATION_FULL },
    { "503", "The database does not answer", "Problem",
      1U << OPERATION_FULL | 1U << OPERATION_START | 1U << OPERATION_READY },
};

static json_t *answer_json(const char *description, const char *schema)
{
    CLEANUP_FREE char *ref = mem_printf("#/components/schemas/%s", schema);

    return json_pack("{s:s,s:{s:{s:{s:s}}}}", "description", description, "content", "application/json", "schema",
                     "$ref", ref);
}

static json_t *responses_json(const struct operation *operation)
{
    json_t *responses = json_object();

    json_object_set_new(responses, "200", answer_json("Successful Response", operation->answer));
    if (operation_param_count(operation))
        json_object_set_new(responses, "422", answer_json("Validation Error", "HTTPValidationError"));
    for (size_t i = 0; i < ARRAY_LEN(answer_rows); i++)
        if (answer_rows[i].operations & 1U << (operation - seeder_operations))
            json_object_set_new(responses, answer_rows[i].status,
                                answer_json(answer_rows[i].description, answer_rows[i].schema));
    return responses;
}

static json_t *operation_json(const struct operation *operation)
{
    /* FastAPI: function name, path and method, everything but letters and digits an underscore */
    CLEANUP_FREE char *id = mem_printf("%s%s_%s", operation->name, operation->path, operation->method);
    json_t *params = json_array();

    for (char *c = id; *c; c++)
        *c = *c == '/' ? '_' : (char)(*c >= 'A' && *c <= 'Z' ? *c | 0x20 : *c);
    for (size_t i = 0; i < operation_param_count(operation); i++)
        json_array_append_new(params, param_openapi(&operation->params[i]));
    json_t *out = json_pack("{s:[s],s:s,s:s,s:s}", "tags", operation->tag, "summary", operation->summary, "description",
                            operation->description, "operationId", id);
    if (json_array_size(params))
        json_object_set(out, "parameters", params);
    json_decref(params);
    json_object_set_new(out, "responses", responses_json(operation));
    return out;
}

/* ---------------------------------------------------------- the answers' shapes */

#define INTEGER       "{\"type\":\"integer\"}"
#define OR_NULL(type) "{\"anyOf\":[{\"type\":\"" type "\"},{\"type\":\"null\"}]}"

struct schema_row {
    const char *name;
    const char *required; /* as JSON */
    const char *properties;
};
/* clang-format off */
static const struct schema_row schema_rows[] = {
    { "HTTPValidationError", "[]",
      "{\"detail\":{\"items\":{\"$ref\":\"#/components/schemas/ValidationError\"},\"type\":\"array\",\"title\":\"Detail\"}}" },
    { "ValidationError", "[\"loc\",\"msg\",\"type\"]",
      "{\"loc\":{\"items\":{\"anyOf\":[{\"type\":\"string\"},{\"type\":\"integer\"}]},\"type\":\"array\",\"title\":\"Location\"},"
      "\"msg\":{\"type\":\"string\",\"title\":\"Message\"},\"type\":{\"type\":\"string\",\"title\":\"Error Type\"},"
      "\"input\":{\"title\":\"Input\"},\"ctx\":{\"type\":\"object\",\"title\":\"Context\"}}" },
    { "Problem", "[\"detail\"]", "{\"detail\":{\"type\":\"string\"}}" },
    { "State", "[\"status\"]", "{\"status\":{\"type\":\"string\"}}" },
    { "Rows", "[\"customers\",\"products\",\"orders\",\"order_items\",\"payments\"]",
      "{\"customers\":" INTEGER ",\"products\":" INTEGER ",\"orders\":" INTEGER ",\"order_items\":" INTEGER
      ",\"payments\":" INTEGER "}" },
    { "Seeded", "[\"status\",\"records\",\"batches\",\"rows\",\"seconds\"]",
      "{\"status\":{\"const\":\"completed\",\"type\":\"string\"},\"records\":" INTEGER ",\"batches\":" INTEGER
      ",\"rows\":{\"$ref\":\"#/components/schemas/Rows\"},\"seconds\":{\"type\":\"number\"}}" },
    { "Started", "[\"status\",\"rate\",\"batch_size\",\"updates\",\"deletes\"]",
      "{\"status\":{\"const\":\"started\",\"type\":\"string\"},\"rate\":{\"type\":\"number\"},\"batch_size\":" INTEGER
      ",\"updates\":" INTEGER ",\"deletes\":" INTEGER "}" },
    { "Traffic", "[\"running\",\"rate\",\"started_at\",\"batches\",\"rows\",\"updated\",\"deleted\",\"last_error\"]",
      "{\"running\":{\"type\":\"boolean\"},\"rate\":" OR_NULL("number") ",\"started_at\":"
      "{\"anyOf\":[{\"type\":\"string\",\"format\":\"date-time\"},{\"type\":\"null\"}]},\"batches\":" INTEGER
      ",\"rows\":{\"$ref\":\"#/components/schemas/Rows\"},\"updated\":" INTEGER ",\"deleted\":" INTEGER
      ",\"last_error\":" OR_NULL("string") "}" },
};
/* clang-format on */

static json_t *schemas_json(void)
{
    json_t *out = json_object();

    for (size_t i = 0; i < ARRAY_LEN(schema_rows); i++) {
        const struct schema_row *row = &schema_rows[i];
        json_t *schema = json_pack("{s:s,s:s,s:o}", "type", "object", "title", row->name, "properties",
                                   json_loads(row->properties, 0, NULL));
        json_t *required = json_loads(row->required, 0, NULL);
        if (json_array_size(required))
            json_object_set(schema, "required", required);
        json_decref(required);
        json_object_set_new(out, row->name, schema);
    }
    return out;
}

json_t *api_openapi(void)
{
    json_t *paths = json_object();

    for (size_t i = 0; i < OPERATIONS; i++) {
        const char *method = strcmp(seeder_operations[i].method, "GET") == 0 ? "get" : "post";
        json_object_set_new(paths, seeder_operations[i].path,
                            json_pack("{s:o}", method, operation_json(&seeder_operations[i])));
    }
    return json_pack("{s:s,s:{s:s,s:s,s:s},s:o,s:{s:o}}", "openapi", "3.1.0", "info", "title", "Storefront seeder",
                     "description", "Fills the storefront with rows.", "version", HAUS_VERSION, "paths", paths,
                     "components", "schemas", schemas_json());
}
