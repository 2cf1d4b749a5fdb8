/*
 * Texts of every type as a server might never send them: byte 0 chooses the type, byte 1 the modes, the rest
 * is the value.  Each is converted and written as Avro and as JSON.
 */
#include <stdlib.h>

#include "stream/connect/postgres/value.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void try_type(const struct event_options *options, const struct pg_type *type, int32_t typmod, struct str text)
{
    struct value_type *made = value_type_of(options, type, typmod);
    struct value_work work = { 0 };
    CLEANUP(buf_free) struct buf out = { 0 };
    struct value value;

    if (!made)
        return;
    struct connect_schema *schema = connect_schema_ref(made->schema);
    if (!made->convert(made, text, &work, &value) && !write_avro(made, &value, &work, &out))
        write_json(made, &value, true, &work, &out);
    CLEANUP_FREE char *expression = str_dup(text);
    value_set_default(options, made, type, expression, schema, &work);
    connect_schema_free(schema);
    value_work_free(&work);
    value_type_free(made);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct pg_types types;
    static const struct pg_type *all[256];
    static size_t count;
    static const int32_t typmods[] = { PG_NO_TYPMOD, 0, 1, 3, 6, 9, (10 << 16 | 2) + 4, (5 << 16 | 2046) + 4 };

    if (!count) {
        pg_types_add_builtin(&types);
        struct pg_type *hstore = pg_types_add(&types, 100000), *box = pg_types_add(&types, 603);
        hstore->name = mem_strdup("hstore");
        hstore->schema = mem_strdup("public");
        hstore->kind = 'b';
        box->name = mem_strdup("box");
        box->schema = mem_strdup("pg_catalog");
        box->kind = 'b';
        for (struct map_entry *e = NULL; (e = map_next(&types.rows, e)) && count < ARRAY_LEN(all);)
            all[count++] = e->value;
    }
    if (size < 2 || size > 4096)
        return 0;
    struct event_options options = {
        .decimal = (enum decimal_mode)(data[1] % 3),
        .binary = (enum binary_mode)(data[1] / 3 % 4),
        .interval = (enum interval_mode)(data[1] / 12 % 2),
        .hstore = (enum hstore_mode)(data[1] / 24 % 2),
        .money_digits = 2,
        .include_unknown = true,
    };
    try_type(&options, all[data[0] % count], typmods[data[1] / 48 % 8 + 0], str_n((const char *)data + 2, size - 2));
    return 0;
}
