/* The state of one parse, and the parts of it that are alike for all types; private to this folder. */
#ifndef WIRE_AVRO_PARSER_H
#define WIRE_AVRO_PARSER_H

#include "wire/avro/document.h"

struct parser {
    struct avro_document *document;
    struct str space; /* of the named type around; "" if none */
    struct buf path;  /* JSON pointer to what is looked at */
    int depth;
    struct err *err;
};

/* Members that are not props; NULL ends each. */
extern const char *const parser_field_reserved[], *const parser_schema_reserved[], *const parser_enum_reserved[];

/* "invalid schema: at <path>: ..."; gives rc. */
enum rc parser_fail(struct parser *parser, enum rc rc, const char *format, ...) PRINTF_LIKE(3, 4);
enum rc parser_no_room(struct parser *parser);
/* Steps into a member, or an item of one (name "" for an item of the array itself); gives what parser_leave takes. */
size_t parser_enter(struct parser *parser, const char *name);
size_t parser_enter_index(struct parser *parser, const char *name, size_t index);
void parser_leave(struct parser *parser, size_t mark);

struct avro_schema *parser_node(struct parser *parser, enum avro_type type); /* NULL: no room */
struct avro_schema *parser_primitive(struct parser *parser, enum avro_type type);
enum rc parser_check_name(struct parser *parser, struct str name);
/* The type mentioned; NULL with err untouched when there is none.  or_bare: a name without dots may also be of no
 * namespace. */
const struct avro_schema *parser_lookup(struct parser *parser, struct str text, bool or_bare);
/* Fills name, space, full_name and makes the type known, so that its own fields may mention it. */
enum rc parser_define(struct parser *parser, struct avro_schema *node, const json_t *json);
enum rc parser_props(struct parser *parser, const json_t *json, const char *const *reserved,
                     const struct avro_prop **out, size_t *count);
/* `space`: namespace that aliases without dots belong to; absent view: leave them as they are (fields). */
enum rc parser_aliases(struct parser *parser, const json_t *json, struct str space, const struct str **out,
                       size_t *count);

#endif
