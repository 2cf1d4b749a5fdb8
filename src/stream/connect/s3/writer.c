/* Files of one topic-partition; see writer.h. */
#include "stream/connect/s3/writer.h"

#include <stdlib.h>
#include <string.h>

struct s3_writer *s3_writer_new(const char *topic, int32_t partition, const struct s3_sink_options *options,
                                const struct s3_target *target)
{
    struct s3_writer *writer = NEW(struct s3_writer);

    writer->topic = mem_strdup(topic);
    writer->partition = partition;
    writer->options = options;
    writer->target = target;
    writer->next_offset = -1;
    return writer;
}

/* Forgets the file, whether it was completed or not. */
static void file_forget(struct s3_file *file)
{
    avro_file_writer_free(&file->avro);
    buf_free(&file->body);
    free(file->key);
    free(file->schema);
    free(file->upload_id);
    free(file->etags);
    *file = (struct s3_file){ 0 };
}

void s3_writer_rewind(struct s3_writer *writer)
{
    struct s3_file *file = &writer->file;

    if (file->upload_id)
        writer->target->abort(writer->target->user, file->key, file->upload_id);
    file_forget(file);
    writer->next_offset = -1;
}

void s3_writer_free(struct s3_writer *writer)
{
    if (!writer)
        return;
    s3_writer_rewind(writer);
    free(writer->topic);
    free(writer);
}

/* ------------------------------------------------------------ names */

enum rc s3_file_key(const struct s3_writer *writer, int64_t offset, struct buf *out, struct err *err)
{
    const struct s3_sink_options *o = writer->options;

    if (*o->topics_dir)
        buf_printf(out, "%s%s", o->topics_dir, o->directory_delim);
    buf_printf(out, "%s%spartition=%d%s%s%s%d%s%0*lld.avro", writer->topic, o->directory_delim, writer->partition,
               o->directory_delim, writer->topic, o->file_delim, writer->partition, o->file_delim, o->offset_digits,
               (long long)offset);
    return out->len <= KEY_BYTES_MAX
               ? RC_OK
               : err_set(err, RC_BAD_INPUT, "cannot name a file of '%s': its key would have %zu bytes, S3 takes %d",
                         writer->topic, out->len, KEY_BYTES_MAX);
}

/* The marker between blocks: any 16 bytes will do, so those that follow from the name. */
static void sync_of(const char *key, uint8_t sync[static AVRO_SYNC_LEN])
{
    CLEANUP_FREE char *other = mem_printf("%s#", key);
    uint64_t halves[2] = { str_hash(str_of(key)), str_hash(str_of(other)) };

    for (size_t i = 0; i < AVRO_SYNC_LEN; i++)
        sync[i] = (uint8_t)(halves[i / 8] >> (i % 8 * 8));
}

/* ------------------------------------------------------------ a file's life */

static int64_t rotation_time(const struct s3_writer *writer, const struct s3_record *record, int64_t now_ms)
{
    return writer->options->rotate_by_record_time && record->time_ms >= 0 ? record->time_ms : now_ms;
}

static int64_t close_time(const struct s3_sink_options *options, int64_t now_ms)
{
    int64_t at = INT64_MAX;

    if (options->rotate_schedule_ms > 0)
        at = zone_next_rotation(options->zone, now_ms, options->rotate_schedule_ms);
    if (options->rotate_ms > 0 && !options->rotate_by_record_time && options->rotate_ms < INT64_MAX - now_ms)
        at = MIN(at, now_ms + options->rotate_ms);
    return at;
}

static enum rc file_open(struct s3_writer *writer, const struct s3_record *record, int64_t now_ms, struct err *err)
{
    CLEANUP(buf_free) struct buf key = { 0 };
    struct s3_file *file = &writer->file;
    enum rc rc = s3_file_key(writer, record->offset, &key, err);

    if (rc)
        return rc;
    struct avro_file_options options = { .schema = record->schema, .codec = writer->options->codec };
    sync_of(buf_cstr(&key), options.sync);
    file->key = buf_take(&key);
    file->schema = str_dup(record->schema);
    file->first_time_ms = rotation_time(writer, record, now_ms);
    file->close_at_ms = close_time(writer->options, now_ms);
    return avro_file_begin(&file->avro, &options, &file->body, err);
}

static enum rc upload_parts(struct s3_writer *writer, bool all, struct err *err)
{
    const struct s3_target *target = writer->target;
    struct s3_file *file = &writer->file;
    enum rc rc = RC_OK;

    if (!file->upload_id)
        rc = target->begin(target->user, file->key, &file->upload_id, err);
    while (!rc && (file->body.len >= PART_BYTES || (all && file->body.len))) {
        size_t n = file->body.len < PART_BYTES ? file->body.len : PART_BYTES;
        file->etags = mem_grow(file->etags, (size_t)file->parts + 1, sizeof *file->etags);
        rc = target->part(target->user, file->key, file->upload_id, file->parts + 1, str_n(file->body.data, n),
                          file->etags[file->parts], err);
        if (!rc) {
            file->parts++;
            buf_drop_front(&file->body, n);
        }
    }
    return rc;
}

static enum rc file_complete(struct s3_writer *writer, struct err *err)
{
    const struct s3_target *target = writer->target;
    struct s3_file *file = &writer->file;
    enum rc rc = avro_file_flush(&file->avro, err);

    if (rc)
        return rc;
    if (buf_failed(&file->body))
        return err_set(err, RC_FULL, "a record of '%s-%d' is larger than %d bytes", writer->topic, writer->partition,
                       BUF_DEFAULT_MAX);
    if (FAULT_POINT("connect.s3_put"))
        return err_set(err, RC_RETRY, "cannot put '%s': fault point", file->key);
    if (!file->upload_id && file->body.len <= PART_BYTES)
        return target->put(target->user, file->key, buf_str(&file->body), err);
    rc = upload_parts(writer, true, err);
    if (!rc)
        rc = target->complete(target->user, file->key, file->upload_id, (const char(*)[S3_ETAG_MAX])file->etags,
                              file->parts, err);
    if (!rc) {
        free(file->upload_id);
        file->upload_id = NULL; /* nothing left to abort */
    }
    return rc;
}

static enum rc file_close(struct s3_writer *writer, struct err *err)
{
    const struct s3_target *target = writer->target;
    enum rc rc = file_complete(writer, err);

    if (rc)
        return rc;
    log_debug("file closed", "key=%s records=%lld", writer->file.key, (long long)writer->file.records);
    file_forget(&writer->file);
    return target->commit(target->user, writer->topic, writer->partition, writer->next_offset, err);
}

/* ------------------------------------------------------------ records */

static bool closes_before(const struct s3_writer *writer, const struct s3_record *record, int64_t now_ms)
{
    const struct s3_sink_options *options = writer->options;
    const struct s3_file *file = &writer->file;

    if (!file->key)
        return false;
    if (now_ms >= file->close_at_ms)
        return true;
    if (options->rotate_ms > 0 && rotation_time(writer, record, now_ms) - file->first_time_ms >= options->rotate_ms)
        return true;
    return !str_is(record->schema, file->schema);
}

static enum rc put_one(struct s3_writer *writer, const struct s3_record *record, int64_t now_ms, struct err *err)
{
    struct s3_file *file = &writer->file;
    enum rc rc = closes_before(writer, record, now_ms) ? file_close(writer, err) : RC_OK;

    if (!rc && !file->key)
        rc = file_open(writer, record, now_ms, err);
    if (!rc)
        rc = avro_file_add(&file->avro, record->object, err);
    if (!rc && file->body.len >= PART_BYTES)
        rc = upload_parts(writer, false, err);
    if (rc)
        return rc;
    file->records++;
    writer->next_offset = record->offset + 1;
    return file->records >= writer->options->flush_size || file->parts >= PARTS_MAX - 20 ? file_close(writer, err)
                                                                                         : RC_OK;
}

enum rc s3_writer_put(struct s3_writer *writer, const struct s3_record *record, int64_t now_ms, struct err *err)
{
    if (record->offset < writer->next_offset)
        return RC_OK; /* seen: the consumer went back further than we did */
    return put_one(writer, record, now_ms, err);
}

void s3_writer_skip(struct s3_writer *writer, int64_t offset)
{
    if (offset >= writer->next_offset)
        writer->next_offset = offset + 1;
}

enum rc s3_writer_tick(struct s3_writer *writer, int64_t now_ms, int64_t *next_ms, struct err *err)
{
    if (!writer->file.key)
        return RC_OK;
    if (now_ms >= writer->file.close_at_ms)
        return file_close(writer, err);
    *next_ms = MIN(*next_ms, writer->file.close_at_ms);
    return RC_OK;
}
