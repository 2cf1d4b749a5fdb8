/*
 * What Confluent's registry makes of a schema when asked to normalise: full names everywhere, empty
 * docs gone, props and aliases sorted, a valid logical type first, defaults in the form of their
 * type (a float's 1 is 1.0), "error" as "record"; then parsed and printed as ever.
 *
 * The subtle thing: full names in place of namespaces move a type without a namespace into the
 * namespace around it.  That is what the replaced registry does, and ids depend on it.
 */
#include <stdlib.h>
#include <string.h>

#include "wire/avro/avro.h"
#include "wire/avro/document.h"

struct normaliser {
    struct buf *out;
    const struct avro_document *document;
    struct map seen;
};

static void put_type(struct normaliser *normaliser, const struct avro_schema *schema);

static void put_text(struct normaliser *normaliser, const char *name, struct str value)
{
    buf_printf(normaliser->out, ",\"%s\":", name);
    avro_json_print_str(value, normaliser->out);
}

static int by_prop_name(const void *a, const void *b)
{
    return str_cmp((*(const struct avro_prop *const *)a)->name, (*(const struct avro_prop *const *)b)->name);
}

static void put_sorted_props(struct normaliser *normaliser, const struct avro_prop *props, size_t count)
{
    CLEANUP_FREE const struct avro_prop **sorted = mem_grow_zeroed(count, sizeof *sorted);

    for (size_t i = 0; i < count; i++)
        sorted[i] = &props[i];
    qsort(sorted, count, sizeof *sorted, by_prop_name);
    for (size_t i = 0; i < count; i++) {
        buf_putc(normaliser->out, ',');
        avro_json_print_str(sorted[i]->name, normaliser->out);
        buf_putc(normaliser->out, ':');
        avro_json_print_sorted(sorted[i]->value, normaliser->out);
    }
}

static int by_text(const void *a, const void *b)
{
    return str_cmp(*(const struct str *)a, *(const struct str *)b);
}

static void put_sorted_aliases(struct normaliser *normaliser, const struct str *aliases, size_t count)
{
    CLEANUP_FREE struct str *sorted = mem_grow_zeroed(count, sizeof *sorted);

    if (!count)
        return;
    memcpy(sorted, aliases, count * sizeof *sorted);
    qsort(sorted, count, sizeof *sorted, by_text);
    for (size_t i = 0; i < count; i++) {
        buf_puts(normaliser->out, i ? "," : ",\"aliases\":[");
        avro_json_print_str(sorted[i], normaliser->out);
    }
    buf_putc(normaliser->out, ']');
}

/* A duplicate member later on (the same prop in sorted order) takes this one's place in the text. */
static void put_logical(struct normaliser *normaliser, const struct avro_schema *schema)
{
    if (schema->logical == AVRO_PLAIN)
        return;
    put_text(normaliser, "logicalType", avro_json_text(avro_schema_prop(schema, "logicalType")));
    if (schema->logical != AVRO_DECIMAL)
        return;
    buf_printf(normaliser->out, ",\"precision\":%d", schema->precision);
    if (schema->scale)
        buf_printf(normaliser->out, ",\"scale\":%d", schema->scale);
}

/* A default as a value of its type. */
static void put_default(struct normaliser *normaliser, const struct avro_schema *type, const json_t *value)
{
    bool single = type->type == AVRO_FLOAT;

    if (type->type == AVRO_UNION && type->branch_count) {
        put_default(normaliser, type->branches[0], value);
    } else if ((single || type->type == AVRO_DOUBLE) && json_is_number(value)) {
        avro_json_print_double(json_number_value(value), single, normaliser->out);
    } else if (type->type == AVRO_ARRAY && json_is_array(value)) {
        buf_putc(normaliser->out, '[');
        for (size_t i = 0; i < json_array_size(value); i++) {
            if (i)
                buf_putc(normaliser->out, ',');
            put_default(normaliser, type->items, json_array_get(value, i));
        }
        buf_putc(normaliser->out, ']');
    } else {
        avro_json_print_sorted(value, normaliser->out);
    }
}

static void put_field(struct normaliser *normaliser, const struct avro_field *field)
{
    static const char *const orders[] = { "ascending", "descending", "ignore" };

    buf_puts(normaliser->out, "{\"name\":");
    avro_json_print_str(field->name, normaliser->out);
    buf_puts(normaliser->out, ",\"type\":");
    put_type(normaliser, field->type);
    put_text(normaliser, "order", str_of(orders[field->order]));
    if (field->doc.p)
        put_text(normaliser, "doc", field->doc);
    put_sorted_aliases(normaliser, field->aliases, field->alias_count);
    if (field->fallback) {
        buf_puts(normaliser->out, ",\"default\":");
        put_default(normaliser, field->type, field->fallback);
    }
    put_sorted_props(normaliser, field->props, field->prop_count);
    buf_putc(normaliser->out, '}');
}

static void put_symbols(struct normaliser *normaliser, const struct avro_schema *schema)
{
    buf_puts(normaliser->out, ",\"symbols\":[");
    for (size_t i = 0; i < schema->symbol_count; i++) {
        if (i)
            buf_putc(normaliser->out, ',');
        avro_json_print_str(schema->symbols[i], normaliser->out);
    }
    buf_putc(normaliser->out, ']');
    if (schema->fallback_symbol.p)
        put_text(normaliser, "default", schema->fallback_symbol);
}

static void put_fields(struct normaliser *normaliser, const struct avro_schema *schema)
{
    buf_puts(normaliser->out, ",\"fields\":[");
    for (size_t i = 0; i < schema->field_count; i++) {
        if (i)
            buf_putc(normaliser->out, ',');
        put_field(normaliser, &schema->fields[i]);
    }
    buf_putc(normaliser->out, ']');
}

static void put_named(struct normaliser *normaliser, const struct avro_schema *schema)
{
    bool foreign = map_get(&normaliser->document->names, schema->full_name) != schema;

    if (foreign || map_put(&normaliser->seen, schema->full_name, normaliser)) {
        avro_json_print_str(schema->full_name, normaliser->out);
        return;
    }
    buf_puts(normaliser->out, "{\"name\":");
    avro_json_print_str(schema->full_name, normaliser->out);
    put_text(normaliser, "type", str_of(avro_type_name(schema->type)));
    if (schema->type == AVRO_ENUM) {
        put_symbols(normaliser, schema);
    } else if (schema->type == AVRO_FIXED) {
        buf_printf(normaliser->out, ",\"size\":%lld", (long long)schema->size);
        put_logical(normaliser, schema);
    } else {
        put_fields(normaliser, schema);
    }
    if (schema->doc.len)
        put_text(normaliser, "doc", schema->doc);
    put_sorted_aliases(normaliser, schema->aliases, schema->alias_count);
    put_sorted_props(normaliser, schema->props, schema->prop_count);
    buf_putc(normaliser->out, '}');
}

static void put_union(struct normaliser *normaliser, const struct avro_schema *schema)
{
    buf_putc(normaliser->out, '[');
    for (size_t i = 0; i < schema->branch_count; i++) {
        if (i)
            buf_putc(normaliser->out, ',');
        put_type(normaliser, schema->branches[i]);
    }
    buf_putc(normaliser->out, ']');
}

static void put_type(struct normaliser *normaliser, const struct avro_schema *schema)
{
    if (buf_failed(normaliser->out))
        return;
    if (schema->full_name.p) {
        put_named(normaliser, schema);
        return;
    }
    if (schema->type == AVRO_UNION) {
        put_union(normaliser, schema);
        return;
    }
    buf_printf(normaliser->out, "{\"type\":\"%s\"", avro_type_name(schema->type));
    if (schema->items) {
        buf_printf(normaliser->out, ",\"%s\":", schema->type == AVRO_ARRAY ? "items" : "values");
        put_type(normaliser, schema->items);
    } else {
        put_logical(normaliser, schema);
    }
    put_sorted_props(normaliser, schema->props, schema->prop_count);
    buf_putc(normaliser->out, '}');
}

enum rc avro_schema_print_normal(const struct avro_document *document, struct buf *out, struct err *err)
{
    CLEANUP(buf_free) struct buf text = { 0 };
    struct normaliser normaliser = { .out = &text, .document = document };
    struct avro_document *again = NULL;
    enum rc rc;

    if ((rc = avro_schema_check_defaults(document, err)))
        return rc;
    put_type(&normaliser, document->root);
    map_free(&normaliser.seen, NULL);
    if (buf_failed(&text))
        return err_set(err, RC_FULL, "cannot normalise the schema: its text is too long");
    if ((rc = avro_schema_parse_with(buf_str(&text), document->known, document->known_count, &again, err)))
        return err_wrap(err, "cannot normalise the schema");
    avro_schema_print(again, out);
    avro_document_free(again);
    return RC_OK;
}
