/* Memory of tables and types; see table.h. */
#include "stream/connect/postgres/table.h"

#include <stdio.h>
#include <stdlib.h>

static void type_free(void *at)
{
    struct pg_type *type = at;

    for (size_t i = 0; i < type->label_count; i++)
        free(type->labels[i]);
    free(type->labels);
    free(type->schema);
    free(type->name);
    free(type);
}

static struct str oid_text(uint32_t oid, char out[static 12])
{
    return str_n(out, (size_t)snprintf(out, 12, "%u", oid));
}

struct pg_type *pg_types_add(struct pg_types *types, uint32_t oid)
{
    char text[12];
    struct str key = oid_text(oid, text);
    struct pg_type *type = map_get(&types->rows, key);

    if (!type) {
        type = NEW(struct pg_type);
        type->oid = oid;
        type->base_typmod = PG_NO_TYPMOD;
        map_put(&types->rows, key, type);
    }
    return type;
}

const struct pg_type *pg_types_get(const struct pg_types *types, uint32_t oid)
{
    char text[12];

    return map_get(&types->rows, oid_text(oid, text));
}

void pg_types_add_builtin(struct pg_types *types)
{
    static const struct {
        uint32_t oid, array;
        const char *name;
        char kind, category;
    } rows[] = {
        { 16, 1000, "bool", 'b', 'B' },          { 17, 1001, "bytea", 'b', 'U' },
        { 18, 1002, "char", 'b', 'Z' },          { 19, 1003, "name", 'b', 'S' },
        { 20, 1016, "int8", 'b', 'N' },          { 21, 1005, "int2", 'b', 'N' },
        { 23, 1007, "int4", 'b', 'N' },          { 25, 1009, "text", 'b', 'S' },
        { 26, 1028, "oid", 'b', 'N' },           { 114, 199, "json", 'b', 'U' },
        { 142, 143, "xml", 'b', 'U' },           { 600, 1017, "point", 'b', 'G' },
        { 700, 1021, "float4", 'b', 'N' },       { 701, 1022, "float8", 'b', 'N' },
        { 774, 775, "macaddr8", 'b', 'U' },      { 790, 791, "money", 'b', 'N' },
        { 829, 1040, "macaddr", 'b', 'U' },      { 869, 1041, "inet", 'b', 'I' },
        { 650, 651, "cidr", 'b', 'I' },          { 1042, 1014, "bpchar", 'b', 'S' },
        { 1043, 1015, "varchar", 'b', 'S' },     { 1082, 1182, "date", 'b', 'D' },
        { 1083, 1183, "time", 'b', 'D' },        { 1114, 1115, "timestamp", 'b', 'D' },
        { 1184, 1185, "timestamptz", 'b', 'D' }, { 1186, 1187, "interval", 'b', 'T' },
        { 1266, 1270, "timetz", 'b', 'D' },      { 1560, 1561, "bit", 'b', 'V' },
        { 1562, 1563, "varbit", 'b', 'V' },      { 1700, 1231, "numeric", 'b', 'N' },
        { 2950, 2951, "uuid", 'b', 'U' },        { 3802, 3807, "jsonb", 'b', 'U' },
        { 3904, 3905, "int4range", 'r', 'R' },   { 3906, 3907, "numrange", 'r', 'R' },
        { 3908, 3909, "tsrange", 'r', 'R' },     { 3910, 3911, "tstzrange", 'r', 'R' },
        { 3912, 3913, "daterange", 'r', 'R' },   { 3926, 3927, "int8range", 'r', 'R' },
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct pg_type *type = pg_types_add(types, rows[i].oid), *array = pg_types_add(types, rows[i].array);
        if (type->name)
            continue;
        type->name = mem_strdup(rows[i].name);
        type->schema = mem_strdup("pg_catalog");
        type->kind = rows[i].kind;
        type->category = rows[i].category;
        array->name = mem_printf("_%s", rows[i].name);
        array->schema = mem_strdup("pg_catalog");
        array->kind = 'b';
        array->category = 'A';
        array->element = type;
    }
}

void pg_types_free(struct pg_types *types)
{
    map_free(&types->rows, type_free);
    *types = (struct pg_types){ 0 };
}

void pg_table_set_columns(struct pg_table *table, size_t count)
{
    table->columns = NEW_ARRAY(struct pg_table_column, count);
    table->column_count = count;
    for (size_t i = 0; i < count; i++)
        table->columns[i].typmod = PG_NO_TYPMOD;
}

void pg_table_free(struct pg_table *table)
{
    for (size_t i = 0; i < table->column_count; i++) {
        free(table->columns[i].name);
        free(table->columns[i].default_text);
    }
    free(table->columns);
    free(table->key);
    free(table->schema);
    free(table->name);
    *table = (struct pg_table){ 0 };
}
