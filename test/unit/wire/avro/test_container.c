/* Container files: what is written is read, with every codec; a file cut anywhere is told from a whole one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "wire/avro/avro.h"

enum { RECORDS = 5000 };

static void make_file(enum avro_file_codec codec, int records, struct buf *out)
{
    struct avro_metadata metadata[] = { { STR("who"), STR("me") } };
    struct avro_file_options options = {
        .schema = STR("\"string\""), .codec = codec, .metadata = metadata, .metadata_count = 1
    };
    struct avro_file_writer writer;
    CLEANUP(buf_free) struct buf object = { 0 };
    struct err err = { 0 };

    memset(options.sync, 7, sizeof options.sync);
    assert_int_equal(avro_file_begin(&writer, &options, out, &err), RC_OK);
    for (int i = 0; i < records; i++) {
        CLEANUP_FREE char *text = mem_printf("record number %d", i);
        buf_clear(&object);
        avro_write_bytes(&object, str_of(text));
        assert_int_equal(avro_file_add(&writer, buf_str(&object), &err), RC_OK);
    }
    assert_int_equal(avro_file_flush(&writer, &err), RC_OK);
    assert_int_equal(writer.objects, records);
    avro_file_writer_free(&writer);
}

/* Number of records, or -1 with err. */
static int count_records(struct avro_file_reader *file, struct err *err)
{
    struct avro_block block;
    int n = 0;
    enum rc rc;

    while (!(rc = avro_file_next(file, &block, err))) {
        struct avro_reader reader = avro_reader_of(block.bytes);
        for (uint64_t i = 0; i < block.objects; i++) {
            CLEANUP_FREE char *want = mem_printf("record number %d", n++);
            struct str got = avro_read_bytes(&reader);
            assert_true(str_is(got, want));
        }
        assert_int_equal(avro_reader_left(&reader), 0);
    }
    return rc == RC_AGAIN ? n : -1;
}

static void every_codec_round_trips(void **state)
{
    (void)state;
    for (enum avro_file_codec codec = AVRO_CODEC_NULL; codec <= AVRO_CODEC_ZSTANDARD; codec++) {
        CLEANUP(buf_free) struct buf bytes = { 0 };
        struct avro_file_reader *file = NULL;
        struct err err = { 0 };
        int pipes[2];

        make_file(codec, RECORDS, &bytes);
        assert_int_equal(avro_file_open(buf_str(&bytes), "x.avro", &file, &err), RC_OK);
        assert_int_equal(avro_file_codec(file), codec);
        assert_true(str_is(avro_file_metadata(file, "who"), "me"));
        assert_int_equal(count_records(file, &err), RECORDS);
        avro_file_reader_free(file);

        assert_int_equal(pipe(pipes), 0);
        bytes.len = MIN(bytes.len / 2, (size_t)4096);
        assert_int_equal(write(pipes[1], bytes.data, bytes.len), bytes.len);
        close(pipes[1]);
        assert_int_equal(avro_file_open_fd(pipes[0], "pipe", &file, &err), RC_OK);
        assert_int_equal(count_records(file, &err), -1);
        assert_non_null(strstr(err.text, "'pipe' is broken: the file is cut"));
        avro_file_reader_free(file);
        close(pipes[0]);
    }
}

static void a_descriptor_reads_as_memory_does(void **state)
{
    CLEANUP(buf_free) struct buf bytes = { 0 };
    struct avro_file_reader *file = NULL;
    struct err err = { 0 };
    FILE *temporary = tmpfile();
    (void)state;

    make_file(AVRO_CODEC_NULL, 40000, &bytes);
    assert_int_equal(fwrite(bytes.data, 1, bytes.len, temporary), bytes.len);
    rewind(temporary);
    assert_int_equal(avro_file_open_fd(fileno(temporary), "x.avro", &file, &err), RC_OK);
    assert_int_equal(count_records(file, &err), 40000);
    avro_file_reader_free(file);
    fclose(temporary);
}

static void a_file_cut_anywhere_is_an_error(void **state)
{
    CLEANUP(buf_free) struct buf bytes = { 0 };
    struct err err = { 0 };
    int whole = 0;
    (void)state;

    make_file(AVRO_CODEC_NULL, 2000, &bytes);
    for (size_t n = 0; n < bytes.len; n++) {
        struct avro_file_reader *file = NULL;
        if (avro_file_open(str_n(bytes.data, n), "x.avro", &file, &err))
            continue;
        whole += count_records(file, &err) >= 0;
        avro_file_reader_free(file);
    }
    assert_int_equal(whole, 3); /* after the header and between the blocks: there a file may end */
}

static void a_flipped_byte_is_told_with_its_offset(void **state)
{
    CLEANUP(buf_free) struct buf bytes = { 0 };
    struct avro_file_reader *file = NULL;
    struct err err = { 0 };
    (void)state;

    make_file(AVRO_CODEC_SNAPPY, 10, &bytes);
    bytes.data[bytes.len - 1] ^= 1;
    assert_int_equal(avro_file_open(buf_str(&bytes), "x.avro", &file, &err), RC_OK);
    assert_int_equal(count_records(file, &err), -1);
    assert_non_null(strstr(err.text, "a wrong sync marker at byte"));
    avro_file_reader_free(file);

    bytes.data[bytes.len - 1] ^= 1;
    bytes.data[bytes.len - AVRO_SYNC_LEN - 1] ^= 1;
    assert_int_equal(avro_file_open(buf_str(&bytes), "x.avro", &file, &err), RC_OK);
    assert_int_equal(count_records(file, &err), -1);
    assert_non_null(strstr(err.text, "snappy: wrong checksum"));
    avro_file_reader_free(file);
}

static void other_files_are_refused(void **state)
{
    struct avro_file_reader *file = NULL;
    struct err err = { 0 };
    (void)state;
    assert_int_equal(avro_file_open(STR("PAR1"), "x.parquet", &file, &err), RC_BAD_INPUT);
    assert_null(file);
    assert_non_null(strstr(err.text, "'x.parquet' is not an avro container file"));
    assert_int_equal(avro_file_open(STR(""), "empty", &file, &err), RC_BAD_INPUT);
}

static void the_same_input_makes_the_same_bytes(void **state)
{
    CLEANUP(buf_free) struct buf a = { 0 };
    CLEANUP(buf_free) struct buf b = { 0 };
    (void)state;
    make_file(AVRO_CODEC_DEFLATE, 3000, &a);
    make_file(AVRO_CODEC_DEFLATE, 3000, &b);
    assert_int_equal(a.len, b.len);
    assert_memory_equal(a.data, b.data, a.len);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_codec_round_trips),         cmocka_unit_test(a_descriptor_reads_as_memory_does),
        cmocka_unit_test(a_file_cut_anywhere_is_an_error), cmocka_unit_test(a_flipped_byte_is_told_with_its_offset),
        cmocka_unit_test(other_files_are_refused),         cmocka_unit_test(the_same_input_makes_the_same_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
