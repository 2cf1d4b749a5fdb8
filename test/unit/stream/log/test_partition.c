/* A partition on a real directory: appending, flushing, reading, restarting, torn tails, retention. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "disk/disk.h"
#include "stream/log/flush.h"
#include "stream/log/partition.h"

struct fixture {
    char dir[64];
    struct settings settings;
    struct server *server;
    struct broker *broker;
    struct topic *topic;
    struct partition *partition;
};

static void open_broker(struct fixture *f)
{
    struct station station = {
        .name = "log", .home = "/tmp", .dir = f->dir, .host = "127.0.0.1", .port = 1, .settings = &f->settings
    };
    struct err err = { 0 };

    f->server = server_new();
    if (broker_open(&station, f->server, &f->broker, &err))
        fail_msg("%s", err.text);
    f->topic = broker_topic(f->broker, STR("t"));
    f->partition = f->topic ? f->topic->partitions[0] : NULL;
}

/* as kill -9 leaves it: no checkpoint, no mark */
static void crash(struct fixture *f)
{
    CLEANUP_FREE char *mark = mem_printf("%s/.kafka_cleanshutdown", f->dir);

    broker_close(f->broker);
    server_free(f->server);
    unlink(mark);
}

static void restart_clean(struct fixture *f)
{
    broker_close(f->broker);
    server_free(f->server);
    open_broker(f);
}

static int setup(void **state)
{
    struct fixture *f = NEW(struct fixture);
    struct err err = { 0 };

    strcpy(f->dir, "/tmp/haus-partition-XXXXXX");
    assert_non_null(mkdtemp(f->dir));
    open_broker(f);
    assert_int_equal(broker_create_topic(f->broker, STR("t"), 1, NULL, &f->topic, &err), KAFKA_NONE);
    f->partition = f->topic->partitions[0];
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    struct err err = { 0 };

    broker_close(f->broker);
    server_free(f->server);
    settings_free(&f->settings);
    (void)!disk_remove_tree(f->dir, &err);
    free(f);
    return 0;
}

static void set_config(struct fixture *f, const char *name, const char *value)
{
    struct err err = { 0 };

    if (topic_config_set(&f->topic->config, &f->broker->config, str_of(name), str_of(value), &err) ||
        broker_save_topics(f->broker, &err))
        fail_msg("%s", err.text);
}

/* one batch of `count` records from a timestamp on, a millisecond apart */
static int64_t append(struct fixture *f, int count, int64_t timestamp, size_t value_size)
{
    CLEANUP(buf_free) struct buf bytes = { 0 };
    CLEANUP_FREE char *value = mem_alloc(value_size + 1);
    struct kafka_batch_writer writer;
    struct kafka_batch batch;
    struct append_result result;
    const char *why = NULL;

    kafka_batch_begin(&writer, &bytes);
    for (int i = 0; i < count; i++)
        kafka_batch_add(&writer, timestamp + i, STR("k"), str_n(value, value_size), NULL, 0);
    kafka_batch_end(&writer);
    assert_int_equal(kafka_batch_check(buf_str(&bytes), &batch, &why), KAFKA_NONE);
    assert_int_equal(partition_append(f->partition, bytes.data, &batch, &result), KAFKA_NONE);
    return result.base_offset;
}

static int64_t first_offset_read(struct fixture *f, int64_t offset, struct slice *slice)
{
    struct kafka_batch batch;
    struct err err = { 0 };

    assert_int_equal(partition_read(f->partition, offset, 1, true, slice), KAFKA_NONE);
    if (!slice->segment)
        return -1;
    assert_int_equal(segment_header(slice->segment, slice->at, slice->segment->flushed, &batch, &err), RC_OK);
    assert_int_equal(slice->len, kafka_batch_size(&batch));
    return batch.base_offset;
}

static void records_are_readable_when_they_are_durable_and_not_before(void **state)
{
    struct fixture *f = *state;
    struct slice slice;

    assert_int_equal(append(f, 10, 1000, 10), 0);
    assert_int_equal(append(f, 5, 2000, 10), 10);
    assert_int_equal(f->partition->high_watermark, 0);
    assert_int_equal(first_offset_read(f, 0, &slice), -1);
    flusher_drain(f->broker->flusher);
    assert_int_equal(f->partition->high_watermark, 15);
    assert_int_equal(first_offset_read(f, 0, &slice), 0);
    assert_int_equal(first_offset_read(f, 9, &slice), 0);
    assert_int_equal(first_offset_read(f, 10, &slice), 10);
    assert_int_equal(first_offset_read(f, 15, &slice), -1);
    assert_int_equal(partition_read(f->partition, 16, 1, true, &slice), KAFKA_OFFSET_OUT_OF_RANGE);
    assert_int_equal(partition_read(f->partition, -1, 1, true, &slice), KAFKA_OFFSET_OUT_OF_RANGE);
}

static void the_first_batch_comes_whole_even_when_it_is_larger_than_asked(void **state)
{
    struct fixture *f = *state;
    struct slice slice;

    append(f, 1, 1000, 5000);
    append(f, 1, 1000, 100);
    flusher_drain(f->broker->flusher);
    assert_int_equal(partition_read(f->partition, 0, 10, true, &slice), KAFKA_NONE);
    assert_true(slice.len > 5000 && slice.len < 5200);
    assert_int_equal(partition_read(f->partition, 0, 10, false, &slice), KAFKA_NONE);
    assert_null(slice.segment);
    assert_int_equal(partition_read(f->partition, 0, 1 << 20, false, &slice), KAFKA_NONE);
    assert_int_equal(slice.len, f->partition->segments[0]->size);
}

static void fill_segments(struct fixture *f)
{
    set_config(f, "segment.bytes", "20000");
    for (int i = 0; i < 200; i++)
        assert_int_equal(append(f, 3, 1000 + i * 10, 300), i * 3);
    flusher_drain(f->broker->flusher);
    assert_true(f->partition->segment_count > 8);
}

static void expect_all(struct fixture *f)
{
    struct slice slice;
    struct offset_at at;

    assert_int_equal(f->partition->log_end, 600);
    assert_int_equal(f->partition->high_watermark, 600);
    for (int64_t i = 0; i < 600; i++)
        assert_int_equal(first_offset_read(f, i, &slice), i - i % 3);
    for (int i = 0; i < 200; i += 7) {
        assert_int_equal(partition_find_time(f->partition, 1000 + i * 10 + 1, &at), KAFKA_NONE);
        assert_int_equal(at.offset, i * 3 + 1);
        assert_int_equal(at.timestamp, 1000 + i * 10 + 1);
    }
    assert_int_equal(partition_find_time(f->partition, 5, &at), KAFKA_NONE);
    assert_int_equal(at.offset, 0);
    assert_int_equal(partition_find_time(f->partition, 100000, &at), KAFKA_NONE);
    assert_int_equal(at.offset, -1);
    assert_int_equal(partition_find_max_time(f->partition, &at), KAFKA_NONE);
    assert_int_equal(at.offset, 599);
}

static void every_record_is_found_by_offset_and_time_also_after_restarts(void **state)
{
    struct fixture *f = *state;

    fill_segments(f);
    expect_all(f);
    restart_clean(f);
    assert_true(f->broker->was_clean);
    expect_all(f);
    crash(f);
    open_broker(f);
    assert_false(f->broker->was_clean);
    expect_all(f);
    assert_int_equal(append(f, 1, 5000, 10), 600);
}

static void indexes_that_are_lost_or_damaged_are_made_again(void **state)
{
    struct fixture *f = *state;
    CLEANUP_FREE char *command = mem_printf("cd %s/t-0 && rm -f *0.index && for i in *.timeindex; do "
                                            "printf garbage >$i; done",
                                            f->dir);

    struct offset_at at;

    fill_segments(f);
    crash(f);
    assert_int_equal(system(command), 0);
    open_broker(f);
    assert_int_equal(partition_find_time(f->partition, 1001, &at), KAFKA_NONE);
    assert_int_equal(at.offset, 1);
    expect_all(f);
}

static void a_torn_tail_is_cut_at_every_byte(void **state)
{
    struct fixture *f = *state;
    CLEANUP_FREE char *path = mem_printf("%s/t-0/%020d.log", f->dir, 0);
    struct slice slice;

    append(f, 3, 1000, 50);
    append(f, 3, 2000, 50);
    flusher_drain(f->broker->flusher);
    uint64_t size = f->partition->segments[0]->size, half = size / 2;
    for (uint64_t cut = size - 1; cut >= half; cut -= 13) {
        crash(f);
        assert_int_equal(truncate(path, (off_t)cut), 0);
        open_broker(f);
        assert_int_equal(f->partition->log_end, 3);
        assert_int_equal(f->partition->segments[0]->size, half);
        assert_int_equal(first_offset_read(f, 0, &slice), 0);
        assert_int_equal(append(f, 3, 2000, 50), 3);
        flusher_drain(f->broker->flusher);
    }
    assert_true(f->partition->leader_epoch > 0);
}

static void producers_are_remembered_over_a_crash(void **state)
{
    struct fixture *f = *state;
    CLEANUP(buf_free) struct buf bytes = { 0 };
    struct kafka_batch_writer writer;
    struct kafka_batch batch;
    struct append_result result;

    kafka_batch_begin(&writer, &bytes);
    writer.producer_id = 4;
    writer.producer_epoch = 0;
    writer.base_sequence = 0;
    kafka_batch_add(&writer, 1000, STR("k"), STR("v"), NULL, 0);
    kafka_batch_end(&writer);
    kafka_batch_parse_header(bytes.data, &batch);
    append(f, 5, 1, 1);
    assert_int_equal(partition_append(f->partition, bytes.data, &batch, &result), KAFKA_NONE);
    assert_int_equal(result.base_offset, 5);
    for (int i = 0; i < 2; i++) {
        crash(f);
        open_broker(f);
        kafka_batch_parse_header(bytes.data, &batch);
        assert_int_equal(partition_append(f->partition, bytes.data, &batch, &result), KAFKA_NONE);
        assert_int_equal(result.base_offset, 5);
        assert_int_equal(f->partition->log_end, 6);
    }
}

static void what_could_not_be_flushed_is_taken_back(void **state)
{
    struct fixture *f = *state;
    struct slice slice;
    struct err err = { 0 };

    append(f, 5, 1000, 10);
    flusher_drain(f->broker->flusher);
    append(f, 5, 2000, 10);
    assert_int_equal(partition_roll_back(f->partition, &err), RC_OK);
    assert_int_equal(f->partition->log_end, 5);
    assert_int_equal(append(f, 1, 3000, 10), 5);
    flusher_drain(f->broker->flusher);
    assert_int_equal(first_offset_read(f, 5, &slice), 5);
}

static void retention_by_size_and_time_removes_whole_segments(void **state)
{
    struct fixture *f = *state;
    int64_t next = 0;

    fill_segments(f);
    set_config(f, "retention.ms", "-1");
    set_config(f, "retention.bytes", "50000");
    next = partition_retain(f->partition, 10000);
    assert_true(next == INT64_MAX);
    assert_true(partition_size(f->partition) < 70000 && partition_size(f->partition) >= 50000);
    assert_true(f->partition->log_start > 0);
    assert_int_equal(f->partition->log_start, f->partition->segments[0]->base_offset);
    set_config(f, "retention.ms", "1000");
    partition_retain(f->partition, 1000 + 1990 + 2 + 1000 + 1);
    assert_int_equal(f->partition->log_start, 600);
    assert_int_equal(f->partition->segment_count, 1);
    crash(f);
    open_broker(f);
    assert_int_equal(f->partition->log_start, 600);
    assert_int_equal(append(f, 1, 5000, 10), 600);
}

static void the_start_stays_where_delete_records_put_it(void **state)
{
    struct fixture *f = *state;
    struct err err = { 0 };
    struct slice slice;

    fill_segments(f);
    partition_advance_start(f->partition, 301);
    assert_int_equal(broker_save_starts(f->broker, &err), RC_OK);
    crash(f);
    open_broker(f);
    assert_int_equal(f->partition->log_start, 301);
    assert_int_equal(partition_read(f->partition, 300, 1, true, &slice), KAFKA_OFFSET_OUT_OF_RANGE);
    assert_int_equal(first_offset_read(f, 301, &slice), 300);
}

static void a_topic_and_its_settings_outlive_a_crash(void **state)
{
    struct fixture *f = *state;
    struct kafka_uuid id = f->topic->id;
    struct topic *other = NULL;
    struct err err = { 0 };

    set_config(f, "retention.ms", "4711");
    assert_int_equal(broker_create_topic(f->broker, STR("other"), 3, NULL, &other, &err), KAFKA_NONE);
    assert_int_equal(broker_add_partitions(f->broker, other, 5, &err), KAFKA_NONE);
    crash(f);
    open_broker(f);
    assert_true(kafka_uuid_eq(&f->topic->id, &id));
    assert_int_equal(topic_config_int(&f->topic->config, TOPIC_RETENTION_MS), 4711);
    other = broker_topic(f->broker, STR("other"));
    assert_int_equal(other->partition_count, 5);
    assert_int_equal(broker_delete_topic(f->broker, other, &err), KAFKA_NONE);
    crash(f);
    open_broker(f);
    assert_null(broker_topic(f->broker, STR("other")));
    assert_int_equal(broker_create_topic(f->broker, STR("a.b"), 1, NULL, &other, &err), KAFKA_NONE);
    assert_int_equal(broker_create_topic(f->broker, STR("a_b"), 1, NULL, &other, &err), KAFKA_INVALID_TOPIC_EXCEPTION);
}

static void producer_ids_are_given_once(void **state)
{
    struct fixture *f = *state;
    int64_t first = 0, second = 0;
    struct err err = { 0 };

    assert_int_equal(broker_next_producer_id(f->broker, &first, &err), RC_OK);
    crash(f);
    open_broker(f);
    assert_int_equal(broker_next_producer_id(f->broker, &second, &err), RC_OK);
    assert_true(second > first);
}

int main(void)
{
#define WITH_BROKER(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        WITH_BROKER(records_are_readable_when_they_are_durable_and_not_before),
        WITH_BROKER(the_first_batch_comes_whole_even_when_it_is_larger_than_asked),
        WITH_BROKER(every_record_is_found_by_offset_and_time_also_after_restarts),
        WITH_BROKER(indexes_that_are_lost_or_damaged_are_made_again),
        WITH_BROKER(a_torn_tail_is_cut_at_every_byte),
        WITH_BROKER(producers_are_remembered_over_a_crash),
        WITH_BROKER(what_could_not_be_flushed_is_taken_back),
        WITH_BROKER(retention_by_size_and_time_removes_whole_segments),
        WITH_BROKER(the_start_stays_where_delete_records_put_it),
        WITH_BROKER(a_topic_and_its_settings_outlive_a_crash),
        WITH_BROKER(producer_ids_are_given_once),
    };
    log_setup("test", LOG_ERROR, false);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
