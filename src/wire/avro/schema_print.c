/*
 * A graph back to text, member by member in the order Avro-Java's Schema.toString() has:
 *
 *     record   type name namespace doc fields <props> aliases
 *     field    name type doc default order aliases <props>
 *     enum     type name namespace doc symbols default <props> aliases
 *     fixed    type name namespace doc size <props> aliases
 *     array    type items <props>         map   type values <props>
 *     primitive without props   its name in quotes
 *
 * A namespace is printed only where it differs from the one around ("" where a type without one lies
 * inside one with).  A type met before is its name: short inside its own namespace, but for names
 * that are also words for types.
 */
#include <string.h>

#include "wire/avro/avro.h"
#include "wire/avro/document.h"

struct printer {
    struct buf *out;
    const struct avro_document *document; /* NULL: every type is printed in full once */
    struct map seen;
    struct str space;
};

static void print_type(struct printer *printer, const struct avro_schema *schema);

static void put_member(struct printer *printer, const char *name, struct str value)
{
    buf_printf(printer->out, ",\"%s\":", name);
    avro_json_print_str(value, printer->out);
}

static void put_props(struct printer *printer, const struct avro_prop *props, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        buf_putc(printer->out, ',');
        avro_json_print_str(props[i].name, printer->out);
        buf_putc(printer->out, ':');
        avro_json_print(props[i].value, printer->out);
    }
}

static bool is_type_word(struct str name)
{
    for (enum avro_type type = AVRO_NULL; type <= AVRO_FIXED; type++)
        if (str_is(name, avro_type_name(type)))
            return true;
    return false;
}

static struct str name_within(struct str full, struct str space, struct str around)
{
    struct str name = space.len ? str_skip(full, space.len + 1) : full;
    return space.len && str_eq(space, around) && !is_type_word(name) ? name : full;
}

static struct str space_of(struct str full)
{
    const char *dot = full.len ? memrchr(full.p, '.', full.len) : NULL;
    return dot ? str_n(full.p, (size_t)(dot - full.p)) : STR("");
}

static void put_type_aliases(struct printer *printer, const struct avro_schema *schema)
{
    if (!schema->alias_count)
        return;
    buf_puts(printer->out, ",\"aliases\":[");
    for (size_t i = 0; i < schema->alias_count; i++) {
        if (i)
            buf_putc(printer->out, ',');
        avro_json_print_str(name_within(schema->aliases[i], space_of(schema->aliases[i]), schema->space), printer->out);
    }
    buf_putc(printer->out, ']');
}

static void print_field(struct printer *printer, const struct avro_field *field)
{
    static const char *const orders[] = { NULL, "descending", "ignore" };

    buf_puts(printer->out, "{\"name\":");
    avro_json_print_str(field->name, printer->out);
    buf_puts(printer->out, ",\"type\":");
    print_type(printer, field->type);
    if (field->doc.p)
        put_member(printer, "doc", field->doc);
    if (field->fallback) {
        buf_puts(printer->out, ",\"default\":");
        avro_json_print(field->fallback, printer->out);
    }
    if (orders[field->order])
        put_member(printer, "order", str_of(orders[field->order]));
    for (size_t i = 0; i < field->alias_count; i++) {
        buf_puts(printer->out, i ? "," : ",\"aliases\":[");
        avro_json_print_str(field->aliases[i], printer->out);
    }
    if (field->alias_count)
        buf_putc(printer->out, ']');
    put_props(printer, field->props, field->prop_count);
    buf_putc(printer->out, '}');
}

static void print_fields(struct printer *printer, const struct avro_schema *schema)
{
    struct str saved = printer->space;

    printer->space = schema->space;
    buf_puts(printer->out, ",\"fields\":[");
    for (size_t i = 0; i < schema->field_count; i++) {
        if (i)
            buf_putc(printer->out, ',');
        print_field(printer, &schema->fields[i]);
    }
    buf_putc(printer->out, ']');
    printer->space = saved;
}

static void print_symbols(struct printer *printer, const struct avro_schema *schema)
{
    buf_puts(printer->out, ",\"symbols\":[");
    for (size_t i = 0; i < schema->symbol_count; i++) {
        if (i)
            buf_putc(printer->out, ',');
        avro_json_print_str(schema->symbols[i], printer->out);
    }
    buf_putc(printer->out, ']');
    if (schema->fallback_symbol.p)
        put_member(printer, "default", schema->fallback_symbol);
}

static bool known_already(struct printer *printer, const struct avro_schema *schema)
{
    if (printer->document && map_get(&printer->document->names, schema->full_name) != schema)
        return true; /* of another document */
    return map_put(&printer->seen, schema->full_name, printer) != NULL;
}

static void print_named(struct printer *printer, const struct avro_schema *schema)
{
    struct str saved = printer->space;

    if (known_already(printer, schema)) {
        avro_json_print_str(name_within(schema->full_name, schema->space, printer->space), printer->out);
        return;
    }
    buf_printf(printer->out, "{\"type\":\"%s\"", schema->is_error ? "error" : avro_type_name(schema->type));
    put_member(printer, "name", schema->name);
    if (!str_eq(schema->space, printer->space))
        put_member(printer, "namespace", schema->space);
    if (schema->doc.p)
        put_member(printer, "doc", schema->doc);
    if (schema->type == AVRO_RECORD)
        print_fields(printer, schema);
    else if (schema->type == AVRO_ENUM)
        print_symbols(printer, schema);
    else
        buf_printf(printer->out, ",\"size\":%lld", (long long)schema->size);
    put_props(printer, schema->props, schema->prop_count);
    put_type_aliases(printer, schema);
    buf_putc(printer->out, '}');
    printer->space = saved;
}

static void print_union(struct printer *printer, const struct avro_schema *schema)
{
    buf_putc(printer->out, '[');
    for (size_t i = 0; i < schema->branch_count; i++) {
        if (i)
            buf_putc(printer->out, ',');
        print_type(printer, schema->branches[i]);
    }
    buf_putc(printer->out, ']');
}

static void print_type(struct printer *printer, const struct avro_schema *schema)
{
    if (buf_failed(printer->out))
        return;
    if (schema->full_name.p) {
        print_named(printer, schema);
        return;
    }
    if (schema->type == AVRO_UNION) {
        print_union(printer, schema);
        return;
    }
    if (schema->type <= AVRO_STRING && !schema->prop_count) {
        avro_json_print_str(str_of(avro_type_name(schema->type)), printer->out);
        return;
    }
    buf_printf(printer->out, "{\"type\":\"%s\"", avro_type_name(schema->type));
    if (schema->items) {
        buf_printf(printer->out, ",\"%s\":", schema->type == AVRO_ARRAY ? "items" : "values");
        print_type(printer, schema->items);
    }
    put_props(printer, schema->props, schema->prop_count);
    buf_putc(printer->out, '}');
}

void avro_schema_print(const struct avro_document *document, struct buf *out)
{
    struct printer printer = { .out = out, .document = document, .space = STR("") };
    print_type(&printer, document->root);
    map_free(&printer.seen, NULL);
}

void avro_schema_print_node(const struct avro_schema *schema, struct buf *out)
{
    struct printer printer = { .out = out, .space = STR("") };
    print_type(&printer, schema);
    map_free(&printer.seen, NULL);
}
