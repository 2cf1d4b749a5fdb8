/* Property rows, their checks, and what is in force on a topic. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "stream/log/config.h"

static struct broker_config broker;
static struct topic_config topic;
static struct settings settings;

static int set_up(void **state)
{
    struct err err;

    (void)state;
    assert_int_equal(broker_config_load(&broker, &settings, &err), RC_OK);
    topic_config_init(&topic, &broker);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    topic_config_free(&topic);
    broker_config_free(&broker);
    settings_free(&settings);
    return 0;
}

static void assert_refused(const char *name, const char *value, const char *why)
{
    struct err err = { 0 };

    assert_int_equal(topic_config_set(&topic, &broker, str_of(name), str_of(value), &err), RC_BAD_INPUT);
    assert_string_equal(err.text, why);
}

static void set(const char *name, const char *value)
{
    struct err err = { 0 };

    assert_int_equal(topic_config_set(&topic, &broker, str_of(name), str_of(value), &err), RC_OK);
}

static void every_default_suits_its_own_row(void **state)
{
    struct err err;

    (void)state;
    assert_true(topic_config_row_count <= TOPIC_CONFIG_MAX);
    for (size_t i = 0; i < topic_config_row_count; i++) {
        assert_int_equal(config_check(&topic_config_rows[i], str_of(topic_config_rows[i].fallback), &err), RC_OK);
        for (int k = 0; k < CONFIG_SYNONYMS_MAX && topic_config_rows[i].synonyms[k]; k++)
            assert_non_null(broker_config_row(str_of(topic_config_rows[i].synonyms[k])));
    }
    for (size_t i = 0; i < broker_config_row_count; i++)
        if (broker_config_rows[i].fallback && *broker_config_rows[i].fallback)
            if (config_check(&broker_config_rows[i], str_of(broker_config_rows[i].fallback), &err))
                fail_msg("%s", err.text);
}

static void the_topic_rows_stand_where_their_keys_say(void **state)
{
    (void)state;
    assert_string_equal(topic_config_rows[TOPIC_RETENTION_MS].name, "retention.ms");
    assert_string_equal(topic_config_rows[TOPIC_SEGMENT_MS].name, "segment.ms");
    assert_string_equal(topic_config_rows[TOPIC_CLEANUP_POLICY].name, "cleanup.policy");
    assert_int_equal(topic_config_int(&topic, TOPIC_RETENTION_MS), 604800000);
    assert_true(topic.deletes && !topic.compacts && !topic.log_append_time);
}

static void a_value_set_on_the_topic_wins_until_it_is_taken_away(void **state)
{
    (void)state;
    set("retention.ms", "1000");
    set("cleanup.policy", "compact, delete");
    set("message.timestamp.type", "LogAppendTime");
    assert_int_equal(topic_config_int(&topic, TOPIC_RETENTION_MS), 1000);
    assert_true(topic.compacts && topic.deletes && topic.log_append_time);
    set("retention.ms", NULL);
    assert_int_equal(topic_config_int(&topic, TOPIC_RETENTION_MS), 604800000);
}

static void refusals_have_the_words_of_kafka(void **state)
{
    (void)state;
    assert_refused("retention.ms", "abc",
                   "Invalid value abc for configuration retention.ms: Not a number of type LONG");
    assert_refused("retention.ms", "-2", "Invalid value -2 for configuration retention.ms: Value must be at least -1");
    assert_refused("cleanup.policy", "drop",
                   "Invalid value drop for configuration cleanup.policy: String must be one of: compact, delete");
    assert_refused("preallocate", "yes",
                   "Invalid value yes for configuration preallocate: Expected value to be either true or false");
    assert_refused("min.cleanable.dirty.ratio", "1.5",
                   "Invalid value 1.5 for configuration min.cleanable.dirty.ratio: Value must be no more than 1");
    assert_refused("no.such.thing", "1", "Unknown topic config name: no.such.thing");
}

static void the_environment_gives_topics_their_defaults(void **state)
{
    struct err err;

    tear_down(state);
    settings_set(&settings, STR("KAFKA_LOG_RETENTION_HOURS"), STR("2"), "environment");
    settings_set(&settings, STR("KAFKA_NUM_PARTITIONS"), STR("4"), "environment");
    settings_set(&settings, STR("KAFKA_AUTO_CREATE_TOPICS_ENABLE"), STR("FALSE"), "environment");
    settings_set(&settings, STR("KAFKA_HEAP_OPTS"), STR("-Xmx1G"), "environment");
    set_up(state);
    assert_int_equal(topic_config_int(&topic, TOPIC_RETENTION_MS), 2 * 3600 * 1000);
    assert_int_equal(broker_config_int(&broker, "num.partitions"), 4);
    assert_false(broker_config_bool(&broker, "auto.create.topics.enable"));
    broker_config_fix(&broker, "log.retention.ms", STR("5"));
    topic_config_resolve(&topic, &broker);
    assert_int_equal(topic_config_int(&topic, TOPIC_RETENTION_MS), 5);
    settings_set(&settings, STR("KAFKA_NUM_PARTITIONS"), STR("many"), ".streaming.env:3");
    assert_int_equal(broker_config_load(&broker, &settings, &err), RC_BAD_INPUT);
    assert_non_null(strstr(err.text, "KAFKA_NUM_PARTITIONS"));
    assert_non_null(strstr(err.text, ".streaming.env:3"));
}

static void overrides_survive_as_text(void **state)
{
    CLEANUP(buf_free) struct buf text = { 0 };
    struct topic_config again = { 0 };

    (void)state;
    set("retention.ms", "1000");
    set("leader.replication.throttled.replicas", "a\\b\nc");
    topic_config_save(&topic, &text);
    topic_config_init(&again, &broker);
    topic_config_restore(&again, &broker, buf_str(&text));
    for (size_t i = 0; i < topic_config_row_count; i++)
        if (topic.overrides[i])
            assert_string_equal(again.overrides[i], topic.overrides[i]);
    topic_config_restore(&again, &broker, STR("nonsense=1\nretention.ms=x\nsegment.ms=7\n"));
    assert_int_equal(topic_config_int(&again, TOPIC_SEGMENT_MS), 7);
    topic_config_free(&again);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_default_suits_its_own_row, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_topic_rows_stand_where_their_keys_say, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_value_set_on_the_topic_wins_until_it_is_taken_away, set_up, tear_down),
        cmocka_unit_test_setup_teardown(refusals_have_the_words_of_kafka, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_environment_gives_topics_their_defaults, set_up, tear_down),
        cmocka_unit_test_setup_teardown(overrides_survive_as_text, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
