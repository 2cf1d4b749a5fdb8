/*
 * Schema text to graph, with Avro-Java 1.11's ideas of what is legal: names as Java identifiers with
 * letters of any script, namespaces unchecked, defaults unchecked (avro_schema_check_defaults does
 * that), unknown members kept as props.
 *
 * The subtle thing is names.  A name without dots belongs to the namespace around it; a mention is
 * looked up there first, and then in the null namespace.
 */
#include <stdlib.h>
#include <string.h>

#include "wire/avro/avro.h"
#include "wire/avro/document.h"
#include "wire/avro/parser.h"

/* ---------------------------------------------------------------- types */

static enum rc parse_type(struct parser *parser, const json_t *json, const struct avro_schema **out);

bool avro_double_word(struct str text, double *out)
{
    if (str_is(text, "NaN"))
        *out = __builtin_nan("");
    else if (str_is(text, "Infinity"))
        *out = __builtin_inf();
    else if (str_is(text, "-Infinity"))
        *out = -__builtin_inf();
    else
        return false;
    return true;
}

/* Java turns a text that is the default of a float or double into a number; NaN and the infinities print as
 * texts again, and are left so. */
static enum rc parse_fallback(struct parser *parser, const json_t *json, struct avro_field *field)
{
    struct str text = avro_json_text(json);
    double number;
    json_t *made;

    field->fallback = json;
    if (!text.p || (field->type->type != AVRO_FLOAT && field->type->type != AVRO_DOUBLE) ||
        avro_double_word(text, &number))
        return RC_OK;
    if (!str_to_double(str_trim(text), &number) || !(made = json_real(number)))
        return parser_fail(parser, RC_BAD_INPUT, "default '%.*s' of field '%.*s' is not a number", STR_ARG(text),
                           STR_ARG(field->name));
    json_array_append_new(parser->document->owned, made);
    field->fallback = made;
    return RC_OK;
}

static enum rc parse_order(struct parser *parser, const json_t *json, enum avro_order *out)
{
    static const char *const words[] = { "ascending", "descending", "ignore" };
    struct str word = avro_json_text(json);

    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        if (str_is_nocase(word, words[i])) {
            *out = (enum avro_order)i;
            return RC_OK;
        }
    }
    return parser_fail(parser, RC_BAD_INPUT, "order must be ascending, descending or ignore");
}

static enum rc parse_field(struct parser *parser, const json_t *json, struct avro_field *field)
{
    const json_t *order = json_object_get(json, "order");
    const json_t *type = json_object_get(json, "type");
    size_t mark;
    enum rc rc;

    field->name = avro_json_text(json_object_get(json, "name"));
    if (!field->name.p)
        return parser_fail(parser, RC_BAD_INPUT, "no field name");
    if ((rc = parser_check_name(parser, field->name)))
        return rc;
    if (!type)
        return parser_fail(parser, RC_BAD_INPUT, "field '%.*s' has no type", STR_ARG(field->name));
    field->doc = avro_json_text(json_object_get(json, "doc"));
    mark = parser_enter(parser, "type");
    if ((rc = parse_type(parser, type, &field->type)))
        return rc;
    parser_leave(parser, mark);
    if (order && (rc = parse_order(parser, order, &field->order)))
        return rc;
    if (json_object_get(json, "default") && (rc = parse_fallback(parser, json_object_get(json, "default"), field)))
        return rc;
    if ((rc = parser_aliases(parser, json, (struct str){ 0 }, &field->aliases, &field->alias_count)))
        return rc;
    return parser_props(parser, json, parser_field_reserved, &field->props, &field->prop_count);
}

static enum rc parse_fields(struct parser *parser, struct avro_schema *node, const json_t *list)
{
    struct map names = { 0 };
    struct avro_field *fields;
    size_t n = json_array_size(list), i;
    enum rc rc = RC_OK;

    if (!n)
        return RC_OK;
    if (!(fields = arena_array(&parser->document->arena, n, sizeof *fields)))
        return parser_no_room(parser);
    for (i = 0; i < n && !rc; i++) {
        size_t mark = parser_enter_index(parser, "fields", i);
        if ((rc = parse_field(parser, json_array_get(list, i), &fields[i])))
            break;
        if (map_put(&names, fields[i].name, &fields[i]))
            rc = parser_fail(parser, RC_BAD_INPUT, "duplicate field '%.*s' in record '%.*s'", STR_ARG(fields[i].name),
                             STR_ARG(node->name));
        else
            parser_leave(parser, mark);
    }
    map_free(&names, NULL);
    node->fields = fields;
    node->field_count = n;
    return rc;
}

static enum rc parse_record(struct parser *parser, struct avro_schema *node, const json_t *json)
{
    const json_t *fields = json_object_get(json, "fields");
    struct str saved = parser->space;
    enum rc rc;

    if (!json_is_array(fields))
        return parser_fail(parser, RC_BAD_INPUT, "record '%.*s' has no fields", STR_ARG(node->name));
    parser->space = node->space;
    rc = parse_fields(parser, node, fields);
    parser->space = saved;
    return rc;
}

static enum rc parse_enum(struct parser *parser, struct avro_schema *node, const json_t *json)
{
    const json_t *list = json_object_get(json, "symbols");
    const json_t *fallback = json_object_get(json, "default");
    size_t n = json_array_size(list);
    struct map seen = { 0 };
    struct str *symbols;
    enum rc rc = RC_OK;

    if (!json_is_array(list))
        return parser_fail(parser, RC_BAD_INPUT, "enum '%.*s' has no symbols", STR_ARG(node->name));
    if (!(symbols = arena_array(&parser->document->arena, n + 1, sizeof *symbols)))
        return parser_no_room(parser);
    for (size_t i = 0; i < n && !rc; i++) {
        symbols[i] = avro_json_text(json_array_get(list, i));
        if (!symbols[i].p)
            rc = parser_fail(parser, RC_BAD_INPUT, "a symbol of enum '%.*s' is not a string", STR_ARG(node->name));
        else if (!(rc = parser_check_name(parser, symbols[i])) && map_put(&seen, symbols[i], symbols))
            rc = parser_fail(parser, RC_BAD_INPUT, "duplicate enum symbol '%.*s'", STR_ARG(symbols[i]));
    }
    node->fallback_symbol = avro_json_text(fallback);
    if (!rc && node->fallback_symbol.p && !map_get(&seen, node->fallback_symbol))
        rc = parser_fail(parser, RC_BAD_INPUT, "the enum default '%.*s' is not among its symbols",
                         STR_ARG(node->fallback_symbol));
    map_free(&seen, NULL);
    node->symbols = symbols;
    node->symbol_count = n;
    return rc;
}

static enum rc parse_fixed(struct parser *parser, struct avro_schema *node, const json_t *json)
{
    const json_t *size = json_object_get(json, "size");

    if (!json_is_integer(size) || json_integer_value(size) < 0)
        return parser_fail(parser, RC_BAD_INPUT, "fixed '%.*s' has no valid size", STR_ARG(node->name));
    if (json_integer_value(size) > AVRO_FIXED_SIZE_MAX)
        return parser_fail(parser, RC_FULL, "fixed '%.*s' is larger than %d bytes", STR_ARG(node->name),
                           AVRO_FIXED_SIZE_MAX);
    node->size = json_integer_value(size);
    return RC_OK;
}

static enum rc parse_items(struct parser *parser, struct avro_schema *node, const json_t *json)
{
    const char *member = node->type == AVRO_ARRAY ? "items" : "values";
    const json_t *items = json_object_get(json, member);
    size_t mark;
    enum rc rc;

    if (!items)
        return parser_fail(parser, RC_BAD_INPUT, "this %s has no '%s'", avro_type_name(node->type), member);
    mark = parser_enter(parser, member);
    if (!(rc = parse_type(parser, items, &node->items)))
        parser_leave(parser, mark);
    return rc;
}

/* The name that makes a branch of a union unlike the others. */
static struct str branch_name(const struct avro_schema *branch)
{
    return branch->full_name.p ? branch->full_name : str_of(avro_type_name(branch->type));
}

static enum rc parse_union(struct parser *parser, const json_t *list, const struct avro_schema **out)
{
    struct avro_schema *node = parser_node(parser, AVRO_UNION);
    size_t n = json_array_size(list);
    struct map seen = { 0 };
    enum rc rc = RC_OK;

    if (!node || !(node->branches = arena_array(&parser->document->arena, n + 1, sizeof *node->branches)))
        return parser_no_room(parser);
    for (size_t i = 0; i < n && !rc; i++) {
        size_t mark = parser_enter_index(parser, "", i);
        const struct avro_schema *branch = NULL;
        if ((rc = parse_type(parser, json_array_get(list, i), &branch)))
            break;
        if (branch->type == AVRO_UNION)
            rc = parser_fail(parser, RC_BAD_INPUT, "a union inside a union");
        else if (map_put(&seen, branch_name(branch), node))
            rc = parser_fail(parser, RC_BAD_INPUT, "duplicate in union: '%.*s'", STR_ARG(branch_name(branch)));
        else
            parser_leave(parser, mark);
        node->branches[i] = branch;
    }
    map_free(&seen, NULL);
    node->branch_count = n;
    *out = node;
    return rc;
}

static const struct {
    const char *name;
    enum avro_type type;
    bool named;
    enum rc (*parse)(struct parser *parser, struct avro_schema *node, const json_t *json);
} complex_types[] = {
    { "record", AVRO_RECORD, true, parse_record }, { "error", AVRO_RECORD, true, parse_record },
    { "enum", AVRO_ENUM, true, parse_enum },       { "fixed", AVRO_FIXED, true, parse_fixed },
    { "array", AVRO_ARRAY, false, parse_items },   { "map", AVRO_MAP, false, parse_items },
};

static enum rc parse_complex(struct parser *parser, size_t row, const json_t *json, const struct avro_schema **out)
{
    struct avro_schema *node = parser_node(parser, complex_types[row].type);
    const char *const *reserved = node && node->type == AVRO_ENUM ? parser_enum_reserved : parser_schema_reserved;
    enum rc rc;

    if (!node)
        return parser_no_room(parser);
    if (complex_types[row].named) {
        node->doc = avro_json_text(json_object_get(json, "doc"));
        node->is_error = strcmp(complex_types[row].name, "error") == 0;
        if ((rc = parser_define(parser, node, json)))
            return rc;
    }
    if ((rc = complex_types[row].parse(parser, node, json)))
        return rc;
    if ((rc = parser_props(parser, json, reserved, &node->props, &node->prop_count)))
        return rc;
    avro_logical_parse(node);
    *out = node;
    return complex_types[row].named ? parser_aliases(parser, json, node->space, &node->aliases, &node->alias_count)
                                    : RC_OK;
}

static enum rc parse_object(struct parser *parser, const json_t *json, const struct avro_schema **out)
{
    struct str type = avro_json_text(json_object_get(json, "type"));
    struct avro_schema *node;
    enum avro_type primitive;
    enum rc rc;

    if (!type.p)
        return parser_fail(parser, RC_BAD_INPUT, "no type, or one that is not a string");
    for (size_t i = 0; i < ARRAY_LEN(complex_types); i++)
        if (str_is(type, complex_types[i].name))
            return parse_complex(parser, i, json, out);
    if (!avro_is_primitive(type, &primitive)) {
        *out = parser_lookup(parser, type, false);
        return *out ? RC_OK : parser_fail(parser, RC_BAD_INPUT, "type '%.*s' is not supported", STR_ARG(type));
    }
    if (!(node = parser_node(parser, primitive)))
        return parser_no_room(parser);
    if ((rc = parser_props(parser, json, parser_schema_reserved, &node->props, &node->prop_count)))
        return rc;
    avro_logical_parse(node);
    *out = node->prop_count ? node : parser_primitive(parser, primitive);
    return *out ? RC_OK : parser_no_room(parser);
}

static enum rc parse_type(struct parser *parser, const json_t *json, const struct avro_schema **out)
{
    enum rc rc;

    if (++parser->depth > AVRO_SCHEMA_DEPTH_MAX)
        return parser_fail(parser, RC_FULL, "types nest deeper than %d", AVRO_SCHEMA_DEPTH_MAX);
    if (json_is_string(json)) {
        *out = parser_lookup(parser, avro_json_text(json), true);
        rc = *out ? RC_OK
                  : parser_fail(parser, RC_BAD_INPUT, "'%.*s' is not a defined name", STR_ARG(avro_json_text(json)));
    } else if (json_is_array(json)) {
        rc = parse_union(parser, json, out);
    } else if (json_is_object(json)) {
        rc = parse_object(parser, json, out);
    } else {
        rc = parser_fail(parser, RC_BAD_INPUT, "a schema must be a string, an object or an array");
    }
    parser->depth--;
    return rc;
}

/* ---------------------------------------------------------------- documents */

static bool json_depth_ok(const json_t *value, int left)
{
    const char *key UNUSED;
    json_t *item;
    size_t i;

    if (left <= 0)
        return false;
    json_array_foreach(value, i, item)
        if (!json_depth_ok(item, left - 1))
            return false;
    json_object_foreach((json_t *)(uintptr_t)value, key, item)
        if (!json_depth_ok(item, left - 1))
            return false;
    return true;
}

static enum rc load_json(struct str text, json_t **out, struct err *err)
{
    json_error_t where;

    if (text.len > AVRO_SCHEMA_TEXT_MAX)
        return err_set(err, RC_FULL, "invalid schema: its text is longer than %d bytes", AVRO_SCHEMA_TEXT_MAX);
    *out = json_loadb(text.p ? text.p : "", text.len, JSON_DECODE_ANY | JSON_ALLOW_NUL, &where);
    if (!*out)
        return err_set(err, RC_BAD_INPUT, "invalid schema: not JSON: %s (line %d, column %d)", where.text, where.line,
                       where.column);
    if (!json_depth_ok(*out, 3 * AVRO_SCHEMA_DEPTH_MAX))
        return err_set(err, RC_FULL, "invalid schema: its JSON nests deeper than %d", 3 * AVRO_SCHEMA_DEPTH_MAX);
    return RC_OK;
}

static enum rc keep_known(struct avro_document *document, const struct avro_document *const *known, size_t count)
{
    if (!count)
        return RC_OK;
    if (!(document->known = arena_array(&document->arena, count, sizeof *document->known)))
        return RC_FULL;
    memcpy(document->known, known, count * sizeof *known);
    document->known_count = count;
    return RC_OK;
}

enum rc avro_schema_parse_with(struct str text, const struct avro_document *const *known, size_t known_count,
                               struct avro_document **out, struct err *err)
{
    struct avro_document *document = NEW(struct avro_document);
    struct parser parser = { .document = document, .space = STR(""), .err = err };
    enum rc rc;

    *out = NULL;
    document->arena.max = AVRO_DOCUMENT_BYTES_MAX;
    document->owned = json_array();
    rc = load_json(text, &document->json, err);
    if (!rc && keep_known(document, known, known_count))
        rc = parser_no_room(&parser);
    if (!rc)
        rc = parse_type(&parser, document->json, &document->root);
    buf_free(&parser.path);
    if (rc)
        avro_document_free(document);
    else
        *out = document;
    return rc;
}

enum rc avro_schema_parse(struct str text, struct avro_document **out, struct err *err)
{
    return avro_schema_parse_with(text, NULL, 0, out, err);
}

void avro_document_free(struct avro_document *document)
{
    if (!document)
        return;
    map_free(&document->names, NULL);
    json_decref(document->json);
    json_decref(document->owned);
    arena_free(&document->arena);
    free(document);
}
