/* The sink's files: when they are closed, what they are called, what is committed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "stream/connect/s3/writer.h"

enum { FILES_MAX = 64 };

/* A store and a group in memory. */
struct fake {
    struct {
        char *key;
        struct buf bytes;
        int64_t committed_after; /* -1: not yet */
    } files[FILES_MAX];
    int count, parts, aborted;
    int64_t committed;
    enum rc put_fails, commit_fails;
    struct buf upload;
};

static enum rc fake_put(void *user, const char *key, struct str body, struct err *err)
{
    struct fake *fake = user;

    if (fake->put_fails)
        return err_set(err, fake->put_fails, "the store is away");
    fake->files[fake->count].key = mem_strdup(key);
    buf_put_str(&fake->files[fake->count].bytes, body);
    fake->files[fake->count++].committed_after = -1;
    return RC_OK;
}

static enum rc fake_begin(void *user, const char *key, char **upload_id, struct err *err)
{
    (void)user, (void)key, (void)err;
    *upload_id = mem_strdup("u");
    return RC_OK;
}

static enum rc fake_part(void *user, const char *key, const char *upload_id, int number, struct str body,
                         char etag[static S3_ETAG_MAX], struct err *err)
{
    struct fake *fake = user;

    (void)key, (void)upload_id, (void)err;
    assert_int_equal(number, ++fake->parts);
    buf_put_str(&fake->upload, body);
    strcpy(etag, "e");
    return RC_OK;
}

static enum rc fake_complete(void *user, const char *key, const char *upload_id, const char (*etags)[S3_ETAG_MAX],
                             int parts, struct err *err)
{
    struct fake *fake = user;

    (void)upload_id, (void)etags;
    assert_int_equal(parts, fake->parts);
    return fake_put(fake, key, buf_str(&fake->upload), err);
}

static void fake_abort(void *user, const char *key, const char *upload_id)
{
    (void)key, (void)upload_id;
    ((struct fake *)user)->aborted++;
}

static enum rc fake_commit(void *user, const char *topic, int32_t partition, int64_t next_offset, struct err *err)
{
    struct fake *fake = user;

    (void)topic, (void)partition;
    if (fake->commit_fails)
        return err_set(err, fake->commit_fails, "the group is away");
    fake->committed = next_offset;
    fake->files[fake->count - 1].committed_after = next_offset;
    return RC_OK;
}

static struct s3_sink_options options_of_test(void)
{
    return (struct s3_sink_options){ .bucket = "raw",
                                     .topics_dir = "kafka",
                                     .directory_delim = "/",
                                     .file_delim = "+",
                                     .zone = "UTC",
                                     .flush_size = 3,
                                     .rotate_ms = -1,
                                     .rotate_schedule_ms = -1,
                                     .offset_digits = 10 };
}

struct rig {
    struct fake fake;
    struct s3_target target;
    struct s3_sink_options options;
    struct s3_writer *writer;
};

static void rig_open(struct rig *rig)
{
    rig->target =
        (struct s3_target){ fake_put, fake_begin, fake_part, fake_complete, fake_abort, fake_commit, &rig->fake };
    rig->writer = s3_writer_new("orders", 2, &rig->options, &rig->target);
}

static void rig_close(struct rig *rig)
{
    s3_writer_free(rig->writer);
    for (int i = 0; i < rig->fake.count; i++) {
        free(rig->fake.files[i].key);
        buf_free(&rig->fake.files[i].bytes);
    }
    buf_free(&rig->fake.upload);
}

static enum rc put_schema(struct rig *rig, int64_t offset, int64_t time_ms, int64_t now_ms, const char *schema)
{
    struct s3_record record = { .offset = offset, .time_ms = time_ms, .schema = str_of(schema), .object = STR("\x02") };
    struct err err = { 0 };

    return s3_writer_put(rig->writer, &record, now_ms, &err);
}

static void put(struct rig *rig, int64_t offset, int64_t now_ms)
{
    assert_int_equal(put_schema(rig, offset, now_ms, now_ms, "\"long\""), RC_OK);
}

static int64_t tick(struct rig *rig, int64_t now_ms)
{
    int64_t next = INT64_MAX;
    struct err err = { 0 };

    assert_int_equal(s3_writer_tick(rig->writer, now_ms, &next, &err), RC_OK);
    return next;
}

static void a_file_is_closed_with_its_last_record_and_named_by_its_first(void **state)
{
    struct rig rig = { .options = options_of_test() };

    (void)state;
    rig_open(&rig);
    for (int64_t offset = 7; offset < 12; offset++)
        put(&rig, offset, 1000);
    assert_int_equal(rig.fake.count, 1);
    assert_string_equal(rig.fake.files[0].key, "kafka/orders/partition=2/orders+2+0000000007.avro");
    assert_int_equal(rig.fake.committed, 10);
    rig_close(&rig);
}

static void the_same_records_make_the_same_bytes(void **state)
{
    struct rig one = { .options = options_of_test() }, two = { .options = options_of_test() };

    (void)state;
    rig_open(&one);
    rig_open(&two);
    for (int64_t offset = 0; offset < 3; offset++) {
        put(&one, offset, 1000);
        put(&two, offset, 999999);
    }
    assert_true(str_eq(buf_str(&one.fake.files[0].bytes), buf_str(&two.fake.files[0].bytes)));
    assert_memory_equal(one.fake.files[0].bytes.data, "Obj\1", 4);
    rig_close(&one);
    rig_close(&two);
}

static void the_schedule_closes_without_new_records(void **state)
{
    struct rig rig = { .options = options_of_test() };

    (void)state;
    rig.options.rotate_schedule_ms = 60000;
    rig_open(&rig);
    put(&rig, 0, 1000);
    assert_int_equal(tick(&rig, 2000), 60000);
    assert_int_equal(rig.fake.count, 0);
    tick(&rig, 60000);
    assert_int_equal(rig.fake.count, 1);
    assert_int_equal(tick(&rig, 60001), INT64_MAX); /* nothing open: nothing to wake for */
    rig_close(&rig);
}

static void record_time_closes_before_the_record_that_shows_it(void **state)
{
    struct rig rig = { .options = options_of_test() };

    (void)state;
    rig.options.rotate_ms = 100;
    rig.options.rotate_by_record_time = true;
    rig_open(&rig);
    assert_int_equal(put_schema(&rig, 0, 1000, 5, "\"long\""), RC_OK);
    assert_int_equal(put_schema(&rig, 1, 1099, 5, "\"long\""), RC_OK);
    assert_int_equal(rig.fake.count, 0);
    assert_int_equal(put_schema(&rig, 2, 1100, 5, "\"long\""), RC_OK);
    assert_int_equal(rig.fake.count, 1);
    assert_int_equal(rig.fake.committed, 2);
    rig_close(&rig);
}

static void another_schema_begins_another_file(void **state)
{
    struct rig rig = { .options = options_of_test() };

    (void)state;
    rig_open(&rig);
    assert_int_equal(put_schema(&rig, 0, 0, 0, "\"long\""), RC_OK);
    assert_int_equal(put_schema(&rig, 1, 0, 0, "\"int\""), RC_OK);
    assert_int_equal(rig.fake.count, 1);
    assert_int_equal(rig.fake.committed, 1);
    rig_close(&rig);
}

static void skipped_records_are_committed_with_the_file_around_them(void **state)
{
    struct rig rig = { .options = options_of_test() };

    (void)state;
    rig.options.rotate_schedule_ms = 60000;
    rig_open(&rig);
    put(&rig, 0, 1000);
    s3_writer_skip(rig.writer, 1);
    tick(&rig, 60000);
    assert_int_equal(rig.fake.committed, 2);
    rig_close(&rig);
}

static void after_a_failed_put_the_same_file_is_made_again(void **state)
{
    struct rig rig = { .options = options_of_test() };

    (void)state;
    rig_open(&rig);
    put(&rig, 0, 0);
    put(&rig, 1, 0);
    rig.fake.put_fails = RC_RETRY;
    assert_int_equal(put_schema(&rig, 2, 0, 0, "\"long\""), RC_RETRY);
    s3_writer_rewind(rig.writer);
    rig.fake.put_fails = RC_OK;
    for (int64_t offset = 0; offset < 3; offset++)
        put(&rig, offset, 0);
    assert_int_equal(rig.fake.count, 1);
    assert_string_equal(rig.fake.files[0].key, "kafka/orders/partition=2/orders+2+0000000000.avro");
    rig_close(&rig);
}

static void after_a_failed_commit_the_object_is_overwritten_by_itself(void **state)
{
    struct rig rig = { .options = options_of_test() };

    (void)state;
    rig_open(&rig);
    put(&rig, 0, 0);
    put(&rig, 1, 0);
    rig.fake.commit_fails = RC_RETRY;
    assert_int_equal(put_schema(&rig, 2, 0, 0, "\"long\""), RC_RETRY);
    s3_writer_rewind(rig.writer);
    rig.fake.commit_fails = RC_OK;
    for (int64_t offset = 0; offset < 3; offset++)
        put(&rig, offset, 0);
    assert_int_equal(rig.fake.count, 2);
    assert_string_equal(rig.fake.files[0].key, rig.fake.files[1].key);
    assert_true(str_eq(buf_str(&rig.fake.files[0].bytes), buf_str(&rig.fake.files[1].bytes)));
    rig_close(&rig);
}

static void a_large_file_is_uploaded_in_parts_and_aborted_when_thrown_away(void **state)
{
    struct rig rig = { .options = options_of_test() };
    CLEANUP(buf_free) struct buf object = { 0 };
    struct err err = { 0 };

    (void)state;
    memset(buf_reserve(&object, 3 << 20), 'x', 3 << 20);
    buf_commit(&object, 3 << 20);
    rig.options.flush_size = 4;
    rig_open(&rig);
    for (int64_t offset = 0; offset < 4; offset++) {
        struct s3_record record = { .offset = offset, .schema = STR("\"bytes\""), .object = buf_str(&object) };
        assert_int_equal(s3_writer_put(rig.writer, &record, 0, &err), RC_OK);
    }
    assert_int_equal(rig.fake.parts, 3);
    assert_int_equal(rig.fake.count, 1);
    assert_int_equal(rig.fake.aborted, 0);
    for (int64_t offset = 4; offset < 6; offset++) {
        struct s3_record record = { .offset = offset, .schema = STR("\"bytes\""), .object = buf_str(&object) };
        rig.fake.parts = 0;
        assert_int_equal(s3_writer_put(rig.writer, &record, 0, &err), RC_OK);
    }
    s3_writer_rewind(rig.writer);
    assert_int_equal(rig.fake.aborted, 1);
    rig_close(&rig);
}

static void rotations_are_multiples_since_midnight_of_the_zone(void **state)
{
    (void)state;
    assert_int_equal(zone_next_rotation("UTC", 1, 60000), 60000);
    assert_int_equal(zone_next_rotation("UTC", 60000, 60000), 120000);
    assert_int_equal(zone_next_rotation("+00:30", 0, 3600000), 1800000);
    assert_true(zone_is_known("UTC"));
    assert_true(zone_is_known("-03:30"));
    assert_false(zone_is_known("../etc/passwd"));
    assert_false(zone_is_known("Lake/House"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_is_closed_with_its_last_record_and_named_by_its_first),
        cmocka_unit_test(the_same_records_make_the_same_bytes),
        cmocka_unit_test(the_schedule_closes_without_new_records),
        cmocka_unit_test(record_time_closes_before_the_record_that_shows_it),
        cmocka_unit_test(another_schema_begins_another_file),
        cmocka_unit_test(skipped_records_are_committed_with_the_file_around_them),
        cmocka_unit_test(after_a_failed_put_the_same_file_is_made_again),
        cmocka_unit_test(after_a_failed_commit_the_object_is_overwritten_by_itself),
        cmocka_unit_test(a_large_file_is_uploaded_in_parts_and_aborted_when_thrown_away),
        cmocka_unit_test(rotations_are_multiples_since_midnight_of_the_zone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
