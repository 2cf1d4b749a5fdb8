/* The alter requests: set, delete, append, subtract, on topics and on the broker; all changes or none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "stream/log/config_change.h"

static struct broker_config broker;
static struct topic_config topic;

static int set_up(void **state)
{
    struct settings none = { 0 };
    struct err err;

    (void)state;
    assert_int_equal(broker_config_load(&broker, &none, &err), RC_OK);
    topic_config_init(&topic, &broker);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    topic_config_free(&topic);
    broker_config_free(&broker);
    return 0;
}

static struct err why;

static enum kafka_error change(int operation, const char *name, const char *value, bool replace)
{
    struct config_change one = { (int8_t)operation, str_of(name), str_of(value) };
    struct topic_config after;
    enum kafka_error error = config_change_check(&one, 1, &why);

    if (error)
        return error;
    error = config_change_topic(&topic, &broker, &one, 1, replace, &after, &why);
    if (error) {
        topic_config_free(&after);
        return error;
    }
    topic_config_free(&topic);
    topic = after;
    return KAFKA_NONE;
}

static void lists_grow_and_shrink(void **state)
{
    (void)state;
    assert_int_equal(change(CONFIG_APPEND, "cleanup.policy", "compact", false), 0);
    assert_string_equal(topic.overrides[TOPIC_CLEANUP_POLICY], "delete,compact");
    assert_int_equal(change(CONFIG_APPEND, "cleanup.policy", "compact", false), 0);
    assert_string_equal(topic.overrides[TOPIC_CLEANUP_POLICY], "delete,compact");
    assert_int_equal(change(CONFIG_SUBTRACT, "cleanup.policy", "delete", false), 0);
    assert_string_equal(topic.overrides[TOPIC_CLEANUP_POLICY], "compact");
    assert_true(topic.compacts && !topic.deletes);
    assert_int_equal(change(CONFIG_APPEND, "retention.ms", "1", false), KAFKA_INVALID_CONFIG);
    assert_string_equal(why.text, "Can't APPEND to key retention.ms because its type is not LIST.");
}

static void one_keeps_the_others_and_all_replaces_them(void **state)
{
    (void)state;
    assert_int_equal(change(CONFIG_SET, "retention.ms", "1", false), 0);
    assert_int_equal(change(CONFIG_SET, "segment.ms", "2", false), 0);
    assert_string_equal(topic.overrides[TOPIC_RETENTION_MS], "1");
    assert_int_equal(change(CONFIG_SET, "segment.bytes", "3000000", true), 0);
    assert_null(topic.overrides[TOPIC_RETENTION_MS]);
    assert_null(topic.overrides[TOPIC_SEGMENT_MS]);
    assert_int_equal(change(CONFIG_DELETE, "segment.bytes", NULL, false), 0);
    assert_int_equal(topic_config_int(&topic, TOPIC_SEGMENT_BYTES), 1 << 30);
}

static void what_makes_no_sense_is_refused_as_kafka_refuses_it(void **state)
{
    struct config_change twice[] = { { CONFIG_SET, STR("retention.ms"), STR("1") },
                                     { CONFIG_DELETE, STR("retention.ms"), { 0 } } };

    (void)state;
    assert_int_equal(change(CONFIG_SET, "retention.ms", NULL, false), KAFKA_INVALID_REQUEST);
    assert_string_equal(why.text, "Null value not supported for : retention.ms");
    assert_int_equal(change(9, "retention.ms", "1", false), KAFKA_INVALID_REQUEST);
    assert_int_equal(config_change_check(twice, 2, &why), KAFKA_INVALID_REQUEST);
    assert_string_equal(why.text, "Error due to duplicate config keys");
    assert_int_equal(change(CONFIG_SET, "min.compaction.lag.ms", "10", false), 0);
    assert_int_equal(change(CONFIG_SET, "max.compaction.lag.ms", "5", false), KAFKA_INVALID_CONFIG);
}

static void changes_of_the_broker_are_all_made_or_none(void **state)
{
    struct config_change good = { CONFIG_SET, STR("log.retention.ms"), STR("7") };
    struct config_change both[] = { { CONFIG_SET, STR("log.segment.bytes"), STR("2000000") },
                                    { CONFIG_SET, STR("node.id"), STR("2") } };
    CLEANUP(buf_free) struct buf text = { 0 };
    struct broker_config again = { 0 };

    (void)state;
    assert_int_equal(config_change_broker(&broker, true, &good, 1, false, true, &why), 0);
    assert_null(broker_config_text(&broker, "log.retention.ms"));
    assert_int_equal(config_change_broker(&broker, true, &good, 1, false, false, &why), 0);
    assert_string_equal(broker_config_text(&broker, "log.retention.ms"), "7");
    topic_config_resolve(&topic, &broker);
    assert_int_equal(topic_config_int(&topic, TOPIC_RETENTION_MS), 7);
    assert_int_equal(config_change_broker(&broker, false, both, 2, false, false, &why), KAFKA_INVALID_REQUEST);
    assert_string_equal(why.text, "Cannot update these configs dynamically: Set(node.id)");
    assert_int_equal(broker_config_int(&broker, "log.segment.bytes"), 1 << 30);
    broker_config_save(&broker, &text);
    assert_int_equal(broker_config_restore(&again, buf_str(&text), &why), RC_OK);
    assert_string_equal(broker_config_text(&again, "log.retention.ms"), "7");
    assert_int_equal(broker_config_restore(&again, STR("nonsense\n"), &why), RC_BAD_INPUT);
    broker_config_free(&again);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(lists_grow_and_shrink, set_up, tear_down),
        cmocka_unit_test_setup_teardown(one_keeps_the_others_and_all_replaces_them, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_makes_no_sense_is_refused_as_kafka_refuses_it, set_up, tear_down),
        cmocka_unit_test_setup_teardown(changes_of_the_broker_are_all_made_or_none, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
