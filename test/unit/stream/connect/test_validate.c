/* Validation in Connect's words; configurations; records in flight; config providers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "disk/disk.h"
#include "stream/connect/flight.h"
#include "stream/connect/options.h"
#include "stream/connect/s3/s3.h"
#include "stream/connect/validate.h"
#include "stream/connect/worker.h"

static void fill(struct connector_config *config, const char *const rows[][2])
{
    for (; rows[0][0]; rows++)
        config_set(config, rows[0][0], rows[0][1]);
}

static void classes_are_found_by_three_names(void **state)
{
    (void)state;
    assert_ptr_equal(class_find(STR("io.confluent.connect.s3.S3SinkConnector")), &s3_sink_class);
    assert_ptr_equal(class_find(STR("S3SinkConnector")), &s3_sink_class);
    assert_ptr_equal(class_find(STR("S3Sink")), &s3_sink_class);
    assert_null(class_find(STR("S3")));
    assert_null(class_find(STR("")));
}

static void every_error_is_listed_in_order(void **state)
{
    static const char *const rows[][2] = { { "name", "a" },
                                           { "connector.class", "S3Sink" },
                                           { "tasks.max", "0" },
                                           { "value.converter", "com.example.X" },
                                           { "flush.size", "many" },
                                           { "s3.bucket.name", "raw" },
                                           { "storage.class", "io.confluent.connect.s3.storage.S3Storage" },
                                           { "topics", "t" },
                                           { "rotate.schedule.interval.ms", "1000" },
                                           { NULL, NULL } };
    CLEANUP(config_free) struct connector_config config = { 0 };
    CLEANUP(validation_free) struct validation found = { 0 };
    CLEANUP(buf_free) struct buf words = { 0 };

    (void)state;
    fill(&config, rows);
    validate(NULL, &s3_sink_class, &config, &found);
    validation_words(&found, &words);
    assert_string_equal(
        buf_cstr(&words),
        "Connector configuration is invalid and contains the following 5 error(s):\n"
        "Invalid value 0 for configuration tasks.max: Value must be at least 1\n"
        "Invalid value com.example.X for configuration value.converter: Class com.example.X could not be found.\n"
        "Missing required configuration \"format.class\" which has no default value.\n"
        "Invalid value many for configuration flush.size: Not a number of type INT\n"
        "Invalid value  for configuration timezone: Timezone configuration must be set when using scheduled rotation\n"
        "You can also find the above list of errors at the endpoint "
        "`/connector-plugins/{connectorType}/config/validate`");
}

static void forms_get_every_key_and_no_secret(void **state)
{
    CLEANUP(config_free) struct connector_config config = { 0 };
    CLEANUP(validation_free) struct validation found = { 0 };

    (void)state;
    config_set(&config, "aws.secret.access.key", "hush");
    validate(NULL, &s3_sink_class, &config, &found);
    json_t *infos = validation_infos(&s3_sink_class, &config, &found);
    char *text = json_dumps(infos, JSON_COMPACT);
    assert_null(strstr(text, "hush"));
    assert_non_null(strstr(text, "\"value\":\"[hidden]\""));
    assert_int_equal(json_integer_value(json_object_get(infos, "error_count")), (json_int_t)found.count);
    assert_true(json_array_size(json_object_get(infos, "configs")) > 50);
    free(text);
    json_decref(infos);
}

static void offsets_follow_the_head_of_what_is_durable(void **state)
{
    struct flight flight = { 0 };

    (void)state;
    for (int i = 1; i <= 1000; i++) {
        CLEANUP_FREE char *offset = mem_printf("{\"n\":%d}", i);
        assert_int_equal(flight_add(&flight, STR("{}"), str_of(offset), 10), i);
    }
    assert_false(flight_ack(&flight, 2));
    assert_int_equal(flight.acked, 0);
    assert_null(flight.partitions[0].offset);
    assert_true(flight_ack(&flight, 1));
    assert_int_equal(flight.acked, 2);
    assert_string_equal(flight.partitions[0].offset, "{\"n\":2}");
    assert_int_equal(flight.bytes, 9980);
    assert_false(flight_ack(&flight, 2));
    assert_false(flight_ack(&flight, 5000));
    for (uint64_t n = 1000; n > 2; n--)
        flight_ack(&flight, n);
    assert_int_equal(flight_count(&flight), 0);
    assert_int_equal(flight.bytes, 0);
    assert_string_equal(flight.partitions[0].offset, "{\"n\":1000}");
    flight_add(&flight, STR("{}"), STR("{\"n\":1001}"), 10);
    flight_undo(&flight);
    assert_int_equal(flight.sent, 1000);
    flight_free(&flight);
}

static void providers_read_files_and_environment_and_leave_the_unknown(void **state)
{
    char path[] = "/tmp/connect-test-XXXXXX";
    struct settings settings = { 0 };
    struct station station = { .settings = &settings };
    struct worker worker = { .station = &station };
    CLEANUP(config_free) struct connector_config from = { 0 }, to = { 0 };
    int fd = mkstemp(path);
    struct err err = { 0 };
    const char *text = "# c\nuser = me\npass\\:word:a\\u00e9b\\\n   c\n";

    (void)state;
    assert_int_equal(disk_write_all(fd, text, strlen(text), path, &err), RC_OK);
    disk_close(&fd);
    settings_set(&settings, STR("WHO"), STR("us"), "test");
    CLEANUP_FREE char *user = mem_printf("x-${file:%s:user}-y", path);
    CLEANUP_FREE char *none = mem_printf("${file:%s:none}", path);
    config_set(&from, "a", user);
    config_set(&from, "c", none);
    config_set(&from, "d", "${env:WHO}${env:NOBODY}${vault:x:y}${");
    provider_resolve(&worker, &from, &to);
    assert_string_equal(config_given(&to, "a"), "x-me-y");
    assert_string_equal(config_given(&to, "c"), none);
    assert_string_equal(config_given(&to, "d"), "us${env:NOBODY}${vault:x:y}${");
    unlink(path);
    settings_free(&settings);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(classes_are_found_by_three_names),
        cmocka_unit_test(every_error_is_listed_in_order),
        cmocka_unit_test(forms_get_every_key_and_no_secret),
        cmocka_unit_test(offsets_follow_the_head_of_what_is_durable),
        cmocka_unit_test(providers_read_files_and_environment_and_leave_the_unknown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
