/* Records as JsonConverter reads them, with schemas; what is read as a schema must print and read back alike. */
#include <stdlib.h>
#include <string.h>

#include "stream/connect/data/converter.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *setting(const void *user, const char *name)
{
    (void)user;
    return strcmp(name, "value.converter") == 0 ? "org.apache.kafka.connect.json.JsonConverter" : NULL;
}

static void check_schema(const struct connect_schema *schema)
{
    CLEANUP(buf_free) struct buf text = { 0 };
    CLEANUP(buf_free) struct buf avro = { 0 };
    CLEANUP(buf_free) struct buf again = { 0 };
    CLEANUP(connect_schema_free_at) struct connect_schema *copy = NULL;
    struct err err = { 0 };

    connect_schema_to_json(schema, &text);
    enum rc rc = connect_schema_to_avro(schema, NULL, &avro, &err);
    (void)rc; /* a name may not be Avro's */
    if (connect_schema_of_json(buf_str(&text), &copy, &err))
        abort();
    connect_schema_to_json(copy, &again);
    if (!str_eq(buf_str(&text), buf_str(&again)))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct converter *converter = NULL;
    struct converter_data out;
    struct err err = { 0 };

    if (size > 65536)
        return 0;
    if (converter_new(&(struct converter_config){ .connector = { setting, NULL } }, &converter, &err))
        abort();
    if (!converter_decode(converter, STR("t"), str_n((const char *)data, size), &out, &err) && out.json_schema)
        check_schema(out.json_schema);
    converter_free(converter);
    return 0;
}
