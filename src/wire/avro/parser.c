/*
 * What every type has to do while a schema is parsed: its place for messages, its name, its props and
 * aliases.  schema.c knows the types themselves.
 */
#include "wire/avro/parser.h"

#include <stdio.h>
#include <string.h>

#include "wire/avro/avro.h"

enum rc parser_fail(struct parser *parser, enum rc rc, const char *format, ...)
{
    char words[512];
    va_list args;

    va_start(args, format);
    vsnprintf(words, sizeof words, format, args);
    va_end(args);
    return err_set(parser->err, rc, "invalid schema: at %s: %s", parser->path.len ? buf_cstr(&parser->path) : "/",
                   words);
}

enum rc parser_no_room(struct parser *parser)
{
    return parser_fail(parser, RC_FULL, "the schema is too large");
}

size_t parser_enter(struct parser *parser, const char *name)
{
    size_t mark = parser->path.len;
    buf_printf(&parser->path, "/%s", name);
    return mark;
}

size_t parser_enter_index(struct parser *parser, const char *name, size_t index)
{
    size_t mark = parser->path.len;
    buf_printf(&parser->path, "%s%s/%zu", *name ? "/" : "", name, index);
    return mark;
}

void parser_leave(struct parser *parser, size_t mark)
{
    parser->path.len = mark;
    if (parser->path.data)
        parser->path.data[mark] = '\0';
}

struct avro_schema *parser_node(struct parser *parser, enum avro_type type)
{
    struct avro_schema *node = arena_alloc(&parser->document->arena, sizeof *node);
    if (!node)
        return NULL;
    node->type = type;
    node->id = parser->document->node_count++;
    return node;
}

struct avro_schema *parser_primitive(struct parser *parser, enum avro_type type)
{
    struct avro_schema **shared = &parser->document->primitives[type];
    if (!*shared)
        *shared = parser_node(parser, type);
    return *shared;
}

/* ---------------------------------------------------------------- names */

static bool name_byte_ok(unsigned char c, bool first)
{
    bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c >= 0x80;
    return letter || (!first && c >= '0' && c <= '9');
}

enum rc parser_check_name(struct parser *parser, struct str name)
{
    if (!name.len)
        return parser_fail(parser, RC_BAD_INPUT, "empty name");
    for (size_t i = 0; i < name.len; i++)
        if (!name_byte_ok((unsigned char)name.p[i], i == 0))
            return parser_fail(parser, RC_BAD_INPUT, "illegal %scharacter in name '%.*s'", i ? "" : "first ",
                               STR_ARG(name));
    return RC_OK;
}

/* "a.b.R" -> "a.b", "R"; without a dot the namespace around. */
static void name_split(struct str text, struct str around, struct str *space, struct str *name)
{
    const char *dot = text.len ? memrchr(text.p, '.', text.len) : NULL;

    *space = dot ? str_n(text.p, (size_t)(dot - text.p)) : around;
    *name = dot ? str_skip(text, (size_t)(dot - text.p) + 1) : text;
    if (!space->p)
        *space = STR("");
}

static bool name_full(struct parser *parser, struct str space, struct str name, struct str *out)
{
    char *text;
    if (!space.len) {
        *out = name;
        return true;
    }
    text = arena_printf(&parser->document->arena, "%.*s.%.*s", STR_ARG(space), STR_ARG(name));
    *out = str_of(text);
    return text != NULL;
}

const struct avro_schema *avro_document_find(const struct avro_document *document, struct str full_name)
{
    const struct avro_schema *found = map_get(&document->names, full_name);
    for (size_t i = 0; !found && i < document->known_count; i++)
        found = map_get(&document->known[i]->names, full_name);
    return found;
}

/* NULL with err untouched when there is no such name.  or_bare: a name
 * without dots may also be of no namespace. */
const struct avro_schema *parser_lookup(struct parser *parser, struct str text, bool or_bare)
{
    struct str space, name, full;
    const struct avro_schema *found;
    enum avro_type primitive;

    if (avro_is_primitive(text, &primitive))
        return parser_primitive(parser, primitive);
    name_split(text, parser->space, &space, &name);
    if (!name_full(parser, space, name, &full))
        return NULL;
    found = avro_document_find(parser->document, full);
    return found || !or_bare ? found : avro_document_find(parser->document, text);
}

/* Fills name, space, full_name and makes the type known, so that its own fields may mention it. */
enum rc parser_define(struct parser *parser, struct avro_schema *node, const json_t *json)
{
    struct str given = avro_json_text(json_object_get(json, "name"));
    struct str around = avro_json_text(json_object_get(json, "namespace"));
    enum avro_type primitive;

    if (!given.p)
        return parser_fail(parser, RC_BAD_INPUT, "no name in this %s", avro_type_name(node->type));
    name_split(given, around.p ? around : parser->space, &node->space, &node->name);
    if (parser_check_name(parser, node->name))
        return RC_BAD_INPUT;
    if (!name_full(parser, node->space, node->name, &node->full_name))
        return parser_no_room(parser);
    if (avro_is_primitive(node->full_name, &primitive))
        return parser_fail(parser, RC_BAD_INPUT, "a type may not be named after the primitive '%.*s'",
                           STR_ARG(node->full_name));
    if (avro_document_find(parser->document, node->full_name))
        return parser_fail(parser, RC_BAD_INPUT, "cannot redefine '%.*s'", STR_ARG(node->full_name));
    map_put(&parser->document->names, node->full_name, node);
    return RC_OK;
}

/* ---------------------------------------------------------------- members */

static bool is_reserved(const char *const *reserved, const char *name)
{
    for (; *reserved; reserved++)
        if (strcmp(*reserved, name) == 0)
            return true;
    return false;
}

const char *const parser_field_reserved[] = { "default", "doc", "name", "order", "type", "aliases", NULL };
const char *const parser_schema_reserved[] = { "doc",     "fields", "items", "name",    "namespace", "size",
                                               "symbols", "values", "type",  "aliases", NULL };
const char *const parser_enum_reserved[] = { "doc",     "fields", "items", "name",    "namespace", "size",
                                             "symbols", "values", "type",  "aliases", "default",   NULL };

enum rc parser_props(struct parser *parser, const json_t *json, const char *const *reserved,
                     const struct avro_prop **out, size_t *count)
{
    struct avro_prop *props = NULL;
    const char *key;
    json_t *value;
    size_t n = 0;

    json_object_foreach((json_t *)(uintptr_t)json, key, value)
        n += !is_reserved(reserved, key);
    if (!n)
        return RC_OK;
    if (!(props = arena_array(&parser->document->arena, n, sizeof *props)))
        return parser_no_room(parser);
    n = 0;
    json_object_foreach((json_t *)(uintptr_t)json, key, value) {
        if (is_reserved(reserved, key))
            continue;
        props[n++] = (struct avro_prop){ str_of(key), value };
    }
    *out = props;
    *count = n;
    return RC_OK;
}

static bool str_list_has(const struct str *list, size_t count, struct str s)
{
    for (size_t i = 0; i < count; i++)
        if (str_eq(list[i], s))
            return true;
    return false;
}

/* `space`: namespace that aliases without dots belong to; absent view: leave them as they are (fields). */
enum rc parser_aliases(struct parser *parser, const json_t *json, struct str space, const struct str **out,
                       size_t *count)
{
    const json_t *list = json_object_get(json, "aliases");
    struct str *aliases = NULL;
    size_t n = 0;

    if (!list)
        return RC_OK;
    if (!json_is_array(list))
        return parser_fail(parser, RC_BAD_INPUT, "aliases are not an array");
    if (json_array_size(list) &&
        !(aliases = arena_array(&parser->document->arena, json_array_size(list), sizeof *aliases)))
        return parser_no_room(parser);
    for (size_t i = 0; i < json_array_size(list); i++) {
        struct str alias = avro_json_text(json_array_get(list, i)), part, name;
        if (!alias.p)
            return parser_fail(parser, RC_BAD_INPUT, "an alias is not a string");
        if (space.p) {
            name_split(alias, space, &part, &name);
            if (parser_check_name(parser, name))
                return RC_BAD_INPUT;
            if (!name_full(parser, part, name, &alias))
                return parser_no_room(parser);
        }
        if (!str_list_has(aliases, n, alias))
            aliases[n++] = alias;
    }
    *out = n ? aliases : NULL;
    *count = n;
    return RC_OK;
}
