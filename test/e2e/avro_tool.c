/*
 * For test_avro.py: our container files beside those of others.
 *
 *     avro_tool cat FILE               objects as JSON lines, tagged
 *     avro_tool copy IN OUT CODEC      decoded to JSON, encoded again, written with another codec
 */
#include <stdio.h>
#include <string.h>

#include "disk/disk.h"
#include "wire/avro/avro.h"

static enum rc begin_copy(struct avro_file_writer *writer, const struct avro_file_reader *in, const char *codec,
                          struct buf *out, struct err *err)
{
    struct avro_file_options options = { .schema = avro_file_metadata(in, "avro.schema") };

    memset(options.sync, 0x5a, sizeof options.sync);
    if (!avro_file_codec_of(str_of(codec), &options.codec))
        return err_set(err, RC_BAD_INPUT, "no such codec '%s'", codec);
    return avro_file_begin(writer, &options, out, err);
}

static enum rc copy_object(struct avro_file_writer *writer, const struct avro_schema *schema, const struct buf *text,
                           struct err *err)
{
    CLEANUP(buf_free) struct buf bytes = { 0 };
    json_t *value = json_loadb(text->data, text->len, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
    enum rc rc = avro_from_json(schema, value, &bytes, err);

    json_decref(value);
    return rc ? rc : avro_file_add(writer, buf_str(&bytes), err);
}

/* writer NULL: to standard output as text. */
static enum rc each_object(struct avro_file_reader *in, struct avro_file_writer *writer, struct err *err)
{
    const struct avro_schema *schema = avro_root(avro_file_schema(in));
    struct avro_block block;
    enum rc rc;

    while (!(rc = avro_file_next(in, &block, err))) {
        struct avro_reader reader = avro_reader_of(block.bytes);
        for (uint64_t i = 0; i < block.objects && !rc; i++) {
            CLEANUP(buf_free) struct buf text = { 0 };
            avro_to_json(&reader, schema, AVRO_JSON_TAGGED, &text);
            if ((rc = avro_reader_check(&reader, "block", err)))
                return rc;
            if (writer)
                rc = copy_object(writer, schema, &text, err);
            else
                printf("%s\n", buf_cstr(&text));
        }
        if (rc)
            return rc;
    }
    return rc == RC_AGAIN ? RC_OK : rc;
}

static enum rc run(int argc, char **argv, struct err *err)
{
    CLEANUP(buf_free) struct buf bytes = { 0 };
    CLEANUP(buf_free) struct buf out = { 0 };
    struct avro_file_reader *in = NULL;
    struct avro_file_writer writer = { 0 };
    bool copy = argc == 5 && strcmp(argv[1], "copy") == 0;
    enum rc rc;

    if (!copy && !(argc == 3 && strcmp(argv[1], "cat") == 0))
        return err_set(err, RC_BAD_INPUT, "usage: avro_tool cat FILE | copy IN OUT CODEC");
    if ((rc = disk_read_file(argv[2], &bytes, err)) || (rc = avro_file_open(buf_str(&bytes), argv[2], &in, err)))
        return rc;
    if (copy)
        rc = begin_copy(&writer, in, argv[4], &out, err);
    if (!rc)
        rc = each_object(in, copy ? &writer : NULL, err);
    if (!rc && copy && !(rc = avro_file_flush(&writer, err)))
        rc = disk_replace_file(argv[3], out.data, out.len, 0644, err);
    avro_file_writer_free(&writer);
    avro_file_reader_free(in);
    return rc;
}

int main(int argc, char **argv)
{
    struct err err = { 0 };

    if (run(argc, argv, &err) == RC_OK)
        return 0;
    fprintf(stderr, "%s\n", err.text);
    return 1;
}
