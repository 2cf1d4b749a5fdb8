/* Converters: which settings count, ids from a registry that also fails, and reading back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "../postgres/golden.h"
#include "stream/connect/data/converter.h"

#define AVRO "io.confluent.connect.avro.AvroConverter"
#define JSON "org.apache.kafka.connect.json.JsonConverter"

static struct registry_stub registry;

static enum rc make(const char *const *connector, const char *const *worker, struct converter **out, struct err *err)
{
    static const char *const none[] = { NULL };
    struct converter_config config = { .connector = { settings_of_list, connector ? connector : none },
                                       .worker = { settings_of_list, worker ? worker : none } };
    return converter_new(&config, out, err);
}

static struct converter *avro_converter(const char *name, const char *value)
{
    const char *settings[] = {
        "value.converter", AVRO, "value.converter.schema.registry.url", registry.url, name, value, NULL
    };
    struct converter *converter = NULL;
    struct err err = { 0 };

    if (make(settings, NULL, &converter, &err))
        fail_msg("%s", err.text);
    return converter;
}

static void a_connectors_own_converter_hides_the_workers_settings(void **state)
{
    const char *connector[] = { "value.converter", JSON, NULL };
    const char *worker[] = { "value.converter", JSON, "value.converter.schemas.enable", "false", NULL };
    CLEANUP(converter_free_at) struct converter *own = NULL;
    CLEANUP(converter_free_at) struct converter *inherited = NULL;
    struct err err = { 0 };

    (void)state;
    assert_int_equal(make(connector, worker, &own, &err), RC_OK);
    assert_int_equal(make(NULL, worker, &inherited, &err), RC_OK);
    assert_true(converter_schemas_enabled(own));
    assert_false(converter_schemas_enabled(inherited));
}

static void wrong_settings_are_named(void **state)
{
    const char *unknown[] = { "value.converter", "a.b.C", NULL };
    const char *no_url[] = { "value.converter", AVRO, NULL };
    const char *not_bool[] = { "value.converter", JSON, "value.converter.schemas.enable", "maybe", NULL };
    const struct {
        const char *const *settings;
        const char *words;
    } cases[] = {
        { NULL, "'value.converter' is set neither in the connector nor in the worker" },
        { unknown, "'a.b.C', which is not built in" },
        { no_url, "'value.converter.schema.registry.url' is missing" },
        { not_bool, "'value.converter.schemas.enable' is 'maybe'" },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct converter *converter = NULL;
        struct err err = { 0 };
        assert_int_equal(make(cases[i].settings, NULL, &converter, &err), RC_BAD_INPUT);
        assert_non_null(strstr(err.text, cases[i].words));
    }
}

static void a_schema_is_registered_once_and_its_id_kept(void **state)
{
    CLEANUP(converter_free_at) struct converter *converter = avro_converter("", "");
    uint32_t first = 0, again = 0;
    struct err err = { 0 };

    (void)state;
    assert_int_equal(converter_schema_id(converter, STR("t"), STR("R"), STR("\"int\""), &first, &err), RC_OK);
    int calls = registry.calls;
    assert_int_equal(converter_schema_id(converter, STR("t"), STR("R"), STR("\"int\""), &again, &err), RC_OK);
    assert_int_equal(first, again);
    assert_int_equal(registry.calls, calls);
}

static void a_registry_that_stumbles_is_asked_again(void **state)
{
    CLEANUP(converter_free_at) struct converter *converter = avro_converter("", "");
    uint32_t id = 0;
    struct err err = { 0 };

    (void)state;
    registry.fail_next = 2;
    assert_int_equal(converter_schema_id(converter, STR("t"), STR("R"), STR("\"long\""), &id, &err), RC_OK);
    assert_true(id > 0);
}

static void a_registry_that_refuses_is_quoted(void **state)
{
    CLEANUP(converter_free_at) struct converter *converter = avro_converter("", "");
    uint32_t id = 0;
    struct err err = { 0 };

    (void)state;
    assert_int_equal(converter_schema_id(converter, STR("t"), STR("R"), STR("\"Refused\""), &id, &err), RC_BAD_INPUT);
    assert_non_null(strstr(err.text, "'t-value'"));
    assert_non_null(strstr(err.text, "Schema being registered is incompatible; error code: 409"));
}

static void avro_bytes_are_read_with_their_schema_and_its_version(void **state)
{
    CLEANUP(converter_free_at)
    struct converter *converter = avro_converter("value.converter.auto.register.schemas", "true");
    struct converter_data data;
    uint32_t id = 0;
    struct err err = { 0 };

    (void)state;
    assert_int_equal(converter_schema_id(converter, STR("t"), STR("R"), STR("\"string\""), &id, &err), RC_OK);
    char bytes[] = { 0, 0, 0, 0, (char)id, 2, 'x' };
    assert_int_equal(converter_decode(converter, STR("t"), str_n(bytes, sizeof bytes), &data, &err), RC_OK);
    assert_int_equal(data.schema_id, id);
    assert_int_equal(data.schema_version, 7);
    assert_true(str_is(data.schema, "\"string\""));
    assert_true(str_is(data.payload, "\2x"));
    assert_int_equal(converter_decode(converter, STR("t"), (struct str){ 0 }, &data, &err), RC_OK);
    assert_true(data.is_null);
}

static void bytes_of_another_converter_are_refused(void **state)
{
    CLEANUP(converter_free_at) struct converter *converter = avro_converter("", "");
    struct converter_data data;
    struct err err = { 0 };

    (void)state;
    assert_int_equal(converter_decode(converter, STR("t"), STR("{\"a\":1}"), &data, &err), RC_BAD_INPUT);
    assert_non_null(strstr(err.text, "does not begin with a zero byte"));
    assert_int_equal(converter_decode(converter, STR("t"), str_n("\0\0\1\1\1x", 6), &data, &err), RC_NOT_FOUND);
}

static void json_is_read_with_and_without_schema(void **state)
{
    const char *with[] = { "value.converter", JSON, NULL };
    const char *without[] = { "value.converter", JSON, "value.converter.schemas.enable", "false", NULL };
    CLEANUP(converter_free_at) struct converter *schemas = NULL;
    CLEANUP(converter_free_at) struct converter *plain = NULL;
    struct converter_data data;
    struct err err = { 0 };

    (void)state;
    assert_int_equal(make(with, NULL, &schemas, &err), RC_OK);
    assert_int_equal(make(without, NULL, &plain, &err), RC_OK);
    assert_int_equal(converter_decode(schemas, STR("t"),
                                      STR("{\"schema\":{\"type\":\"int32\",\"optional\":true},\"payload\":5}"), &data,
                                      &err),
                     RC_OK);
    assert_int_equal(json_integer_value(data.json), 5);
    assert_int_equal(data.json_schema->type, CONNECT_INT32);
    assert_true(data.json_schema->optional);
    assert_int_equal(converter_decode(schemas, STR("t"), STR("{\"a\":1}"), &data, &err), RC_BAD_INPUT);
    assert_non_null(strstr(err.text, "schemas.enable=false"));
    assert_int_equal(converter_decode(plain, STR("t"), STR("{\"a\":1}"), &data, &err), RC_OK);
    assert_null(data.json_schema);
}

static int start(void **state)
{
    (void)state;
    registry_stub_start(&registry);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    registry_stub_stop(&registry);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_connectors_own_converter_hides_the_workers_settings),
        cmocka_unit_test(wrong_settings_are_named),
        cmocka_unit_test(a_schema_is_registered_once_and_its_id_kept),
        cmocka_unit_test(a_registry_that_stumbles_is_asked_again),
        cmocka_unit_test(a_registry_that_refuses_is_quoted),
        cmocka_unit_test(avro_bytes_are_read_with_their_schema_and_its_version),
        cmocka_unit_test(bytes_of_another_converter_are_refused),
        cmocka_unit_test(json_is_read_with_and_without_schema),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
