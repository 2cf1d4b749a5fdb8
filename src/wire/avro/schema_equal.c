/*
 * Equality as the registry's lookup has it, and defaults checked against their types.  Both walk
 * graphs that may have cycles: each named type, or pair of them, is looked at once.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "wire/avro/avro.h"
#include "wire/avro/document.h"

/* ---------------------------------------------------------------- equality */

struct comparison {
    struct map seen; /* "<a>:<b>" */
};

static bool equal(struct comparison *comparison, const struct avro_schema *a, const struct avro_schema *b);

static bool absent_or_equal(struct str a, struct str b)
{
    return !a.p == !b.p && str_eq(a, b);
}

static bool props_equal(const struct avro_prop *a, size_t count, const struct avro_prop *b, size_t b_count)
{
    if (count != b_count)
        return false;
    for (size_t i = 0; i < count; i++) {
        const json_t *other = NULL;
        for (size_t k = 0; k < count && !other; k++)
            if (str_eq(a[i].name, b[k].name))
                other = b[k].value;
        if (!other || !json_equal(a[i].value, other))
            return false;
    }
    return true;
}

static bool sets_equal(const struct str *a, size_t count, const struct str *b, size_t b_count)
{
    if (count != b_count)
        return false;
    for (size_t i = 0; i < count; i++) {
        bool found = false;
        for (size_t k = 0; k < count && !found; k++)
            found = str_eq(a[i], b[k]);
        if (!found)
            return false;
    }
    return true;
}

static bool fields_equal(struct comparison *comparison, const struct avro_field *a, const struct avro_field *b)
{
    return str_eq(a->name, b->name) && absent_or_equal(a->doc, b->doc) && a->order == b->order &&
           !a->fallback == !b->fallback && (!a->fallback || json_equal(a->fallback, b->fallback)) &&
           sets_equal(a->aliases, a->alias_count, b->aliases, b->alias_count) &&
           props_equal(a->props, a->prop_count, b->props, b->prop_count) && equal(comparison, a->type, b->type);
}

static bool named_equal(struct comparison *comparison, const struct avro_schema *a, const struct avro_schema *b)
{
    char pair[64];

    snprintf(pair, sizeof pair, "%p:%p", (const void *)a, (const void *)b);
    if (map_put(&comparison->seen, str_of(pair), comparison))
        return true; /* being compared further up */
    if (!str_eq(a->full_name, b->full_name) || !absent_or_equal(a->doc, b->doc) || a->is_error != b->is_error ||
        a->size != b->size || a->field_count != b->field_count || a->symbol_count != b->symbol_count ||
        !absent_or_equal(a->fallback_symbol, b->fallback_symbol) ||
        !sets_equal(a->aliases, a->alias_count, b->aliases, b->alias_count))
        return false;
    for (size_t i = 0; i < a->symbol_count; i++)
        if (!str_eq(a->symbols[i], b->symbols[i]))
            return false;
    for (size_t i = 0; i < a->field_count; i++)
        if (!fields_equal(comparison, &a->fields[i], &b->fields[i]))
            return false;
    return true;
}

static bool equal(struct comparison *comparison, const struct avro_schema *a, const struct avro_schema *b)
{
    if (a == b)
        return true;
    if (a->type != b->type || !props_equal(a->props, a->prop_count, b->props, b->prop_count))
        return false;
    if (a->full_name.p)
        return named_equal(comparison, a, b);
    if (a->items)
        return equal(comparison, a->items, b->items);
    if (a->branch_count != b->branch_count)
        return false;
    for (size_t i = 0; i < a->branch_count; i++)
        if (!equal(comparison, a->branches[i], b->branches[i]))
            return false;
    return true;
}

bool avro_schema_equal(const struct avro_schema *a, const struct avro_schema *b)
{
    struct comparison comparison = { 0 };
    bool same = equal(&comparison, a, b);

    map_free(&comparison.seen, NULL);
    return same;
}

/* ---------------------------------------------------------------- defaults */

enum { DEFAULT_VALUES_MAX = 1 << 20 };
/* Defaults of records inside defaults of records may unfold without end. */
struct budget {
    int depth, values;
};

static bool default_fits(const struct avro_schema *type, const json_t *value, struct budget *budget);

static bool record_default_fits(const struct avro_schema *type, const json_t *value, struct budget *budget)
{
    if (!json_is_object(value))
        return false;
    for (size_t i = 0; i < type->field_count; i++) {
        const struct avro_field *field = &type->fields[i];
        CLEANUP_FREE char *key = str_dup(field->name);
        const json_t *given = json_object_get(value, key);
        if (!default_fits(field->type, given ? given : field->fallback, budget))
            return false;
    }
    return true;
}

static bool items_default_fit(const struct avro_schema *type, const json_t *value, struct budget *budget)
{
    const char *key UNUSED;
    json_t *item;
    size_t i;

    json_array_foreach(value, i, item)
        if (!default_fits(type->items, item, budget))
            return false;
    json_object_foreach((json_t *)(uintptr_t)value, key, item)
        if (!default_fits(type->items, item, budget))
            return false;
    return true;
}

static bool value_fits(const struct avro_schema *type, const json_t *value, struct budget *budget)
{
    double number;

    switch (type->type) {
    case AVRO_NULL:
        return json_is_null(value);
    case AVRO_BOOLEAN:
        return json_is_boolean(value);
    case AVRO_INT:
        return json_is_integer(value) && json_integer_value(value) >= INT32_MIN &&
               json_integer_value(value) <= INT32_MAX;
    case AVRO_LONG:
        return json_is_integer(value);
    case AVRO_FLOAT:
    case AVRO_DOUBLE:
        return json_is_number(value) || avro_double_word(avro_json_text(value), &number);
    case AVRO_BYTES:
    case AVRO_STRING:
    case AVRO_ENUM:
    case AVRO_FIXED:
        return json_is_string(value);
    case AVRO_ARRAY:
        return json_is_array(value) && items_default_fit(type, value, budget);
    case AVRO_MAP:
        return json_is_object(value) && items_default_fit(type, value, budget);
    case AVRO_UNION:
        return type->branch_count && default_fits(type->branches[0], value, budget);
    case AVRO_RECORD:
        return record_default_fits(type, value, budget);
    }
    return false;
}

static bool default_fits(const struct avro_schema *type, const json_t *value, struct budget *budget)
{
    bool fits = false;

    budget->depth++;
    if (value && budget->depth <= AVRO_SCHEMA_DEPTH_MAX && budget->values++ < DEFAULT_VALUES_MAX)
        fits = value_fits(type, value, budget);
    budget->depth--;
    return fits;
}

static enum rc check_type(const struct avro_document *document, struct map *seen, const struct avro_schema *schema,
                          struct err *err);

static enum rc check_field(const struct avro_document *document, struct map *seen, const struct avro_field *field,
                           struct err *err)
{
    CLEANUP(buf_free) struct buf words = { 0 };
    struct budget budget = { 0 };
    enum rc rc = check_type(document, seen, field->type, err);

    if (rc || !field->fallback || default_fits(field->type, field->fallback, &budget))
        return rc;
    avro_json_print(field->fallback, &words);
    buf_puts(&words, " not a ");
    avro_schema_print_node(field->type, &words);
    return err_set(err, RC_BAD_INPUT, "Invalid default for field %.*s: %s", STR_ARG(field->name), buf_cstr(&words));
}

static enum rc check_type(const struct avro_document *document, struct map *seen, const struct avro_schema *schema,
                          struct err *err)
{
    enum rc rc = RC_OK;

    if (schema->items)
        return check_type(document, seen, schema->items, err);
    for (size_t i = 0; i < schema->branch_count && !rc; i++)
        rc = check_type(document, seen, schema->branches[i], err);
    if (schema->type != AVRO_RECORD || map_get(&document->names, schema->full_name) != schema ||
        map_put(seen, schema->full_name, seen))
        return rc;
    for (size_t i = 0; i < schema->field_count && !rc; i++)
        rc = check_field(document, seen, &schema->fields[i], err);
    return rc;
}

enum rc avro_schema_check_defaults(const struct avro_document *document, struct err *err)
{
    struct map seen = { 0 };
    enum rc rc = check_type(document, &seen, document->root, err);

    map_free(&seen, NULL);
    return rc;
}
