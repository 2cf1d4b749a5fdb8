/* Records of _schemas to the byte, as a 7.9 registry prints them, and what state makes of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "disk/disk.h"
#include "stream/registry/record.h"
#include "stream/registry/state.h"

static bool gold_has(const struct buf *gold, const char *text)
{
    struct str rest = buf_str(gold), line;

    while (str_cut(&rest, '\n', &line))
        if (str_is(line, text))
            return true;
    return false;
}

static void fill(struct record_batch *batch)
{
    json_t *references = json_pack("[{s:s, s:s, s:i}]", "name", "n", "subject", "t", "version", 2);
    json_t *config = json_pack("{s:b, s:s}", "normalize", 1, "compatibilityLevel", "FULL");

    record_add_schema(batch,
                      &(struct record_schema){ .subject = STR("s"), .version = 1, .id = 1, .text = STR("\"string\"") });
    record_add_schema(batch, &(struct record_schema){ .subject = STR("s"),
                                                      .version = 1,
                                                      .id = 1,
                                                      .type = STR("PROTOBUF"),
                                                      .references = references,
                                                      .text = STR("x"),
                                                      .deleted = true });
    record_add_config(batch, STR("s"), config);
    record_add_mode(batch, STR("s"), "IMPORT");
    record_add_mode(batch, (struct str){ 0 }, "READONLY");
    record_add_delete_subject(batch, STR("s"), 3);
    record_add_context(batch, STR(".x"));
    record_add_noop(batch);
    json_decref(references);
    json_decref(config);
}

static void prints_the_golden_bytes(void **state)
{
    CLEANUP(buf_free) struct buf gold = { 0 };
    struct record_batch batch = { 0 };
    (void)state;

    assert_int_equal(disk_read_file(TEST_DIR "/golden/registry/gold-records.txt", &gold, NULL), RC_OK);
    fill(&batch);
    assert_int_equal(batch.count, 8);
    for (size_t i = 0; i < batch.count; i++) {
        if (!gold_has(&gold, batch.records[i].key))
            fail_msg("not in the golden file: %s", batch.records[i].key);
        if (batch.records[i].value && !gold_has(&gold, batch.records[i].value))
            fail_msg("not in the golden file: %s", batch.records[i].value);
    }
    record_batch_free(&batch);
}

static void apply(struct state *state, const char *key, const char *value)
{
    struct err err = { 0 };
    if (state_apply(state, str_of(key), str_of(value), &err))
        fail_msg("%s", err.text);
}

static void records_add_up(void **unused)
{
    struct state state = { 0 };
    struct subject *subject;
    (void)unused;

    apply(&state, "{\"keytype\":\"NOOP\",\"magic\":0}", NULL);
    apply(&state, "{\"keytype\":\"SCHEMA\",\"subject\":\"s\",\"version\":2,\"magic\":0}",
          "{\"subject\":\"s\",\"version\":2,\"id\":7,\"schema\":\"\\\"int\\\"\",\"deleted\":false,\"offset\":5,\"ts\":"
          "7}");
    apply(&state, "{\"keytype\":\"SCHEMA\",\"subject\":\"s\",\"version\":1,\"magic\":1}",
          "{\"subject\":\"s\",\"version\":1,\"id\":3,\"schema\":\"\\\"string\\\"\",\"deleted\":false}");
    subject = state_subject(&state, STR("s"));
    assert_int_equal(subject->count, 2);
    assert_int_equal(subject->versions[0].number, 1);
    assert_int_equal(state_max_id(&state, STR(".")), 7);
    apply(&state, "{\"keytype\":\"DELETE_SUBJECT\",\"subject\":\"s\",\"magic\":0}",
          "{\"subject\":\"s\",\"version\":1}");
    assert_true(subject->versions[0].deleted);
    assert_false(subject->versions[1].deleted);
    assert_non_null(state_schema(&state, STR("."), 3));
    apply(&state, "{\"keytype\":\"SCHEMA\",\"subject\":\"s\",\"version\":1,\"magic\":1}", NULL);
    assert_null(state_schema(&state, STR("."), 3));
    apply(&state, "{\"keytype\":\"SCHEMA\",\"subject\":\"s\",\"version\":2,\"magic\":1}", NULL);
    assert_null(state_subject(&state, STR("s")));
    assert_int_equal(state_max_id(&state, STR(".")), 7);
    apply(&state, "{\"keytype\":\"CONFIG\",\"subject\":null,\"magic\":0}", "{\"compatibilityLevel\":\"NONE\"}");
    assert_non_null(state_config(&state, STR("")));
    state_free(&state);
}

static void strange_records_change_nothing(void **unused)
{
    static const struct {
        const char *key, *value;
    } rows[] = {
        { "", NULL },
        { "7", "{}" },
        { "{\"keytype\":\"OTHER\"}", "{}" },
        { "{\"keytype\":\"SCHEMA\",\"subject\":\"s\",\"version\":1,\"magic\":1}", "{\"id\":1}" },
        { "{\"keytype\":\"SCHEMA\",\"subject\":\"s\",\"version\":-1,\"magic\":1}", "{\"id\":1,\"schema\":\"\"}" },
        { "{\"keytype\":\"SCHEMA\",\"subject\":\"s\",\"version\":1,\"magic\":1}", "not json" },
        { "{\"keytype\":\"CONFIG\",\"magic\":0}", "[]" },
    };
    struct state state = { 0 };
    (void)unused;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        assert_int_equal(state_apply(&state, str_of(rows[i].key), str_of(rows[i].value), NULL), RC_BAD_INPUT);
    assert_int_equal(state.subjects.count + state.configs.count, 0);
    state_free(&state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(prints_the_golden_bytes),
        cmocka_unit_test(records_add_up),
        cmocka_unit_test(strange_records_change_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
