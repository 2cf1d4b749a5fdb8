/* Walking the records of a batch; see batch.h. */
#include "wire/kafka/inflate.h"

enum { HEADERS_MAX = 100000 };

enum rc kafka_records_open(struct str batch, size_t max_inflated, struct arena *arena, struct kafka_record_reader *out,
                           struct err *err)
{
    *out = (struct kafka_record_reader){ .inflated = { .max = max_inflated } };
    if (batch.len < KAFKA_BATCH_HEADER)
        return err_set(err, RC_BAD_INPUT, "cannot read a record batch: it is shorter than its header");
    kafka_batch_parse_header(batch.p, &out->batch);
    if (out->batch.length < KAFKA_BATCH_HEADER - KAFKA_BATCH_OVERHEAD || kafka_batch_size(&out->batch) > batch.len)
        return err_set(err, RC_BAD_INPUT, "cannot read a record batch: it says it is longer than it is");
    struct str records = str_n(batch.p + KAFKA_BATCH_HEADER, kafka_batch_size(&out->batch) - KAFKA_BATCH_HEADER);
    enum kafka_codec codec = out->batch.attributes & KAFKA_BATCH_CODEC;
    if (codec != KAFKA_CODEC_NONE) {
        enum rc rc = kafka_inflate(codec, records, &out->inflated, err);
        if (rc) {
            buf_free(&out->inflated);
            return rc;
        }
        records = buf_str(&out->inflated);
    }
    out->left = out->batch.count;
    out->reader = (struct kafka_reader){ .at = records.p, .end = records.p + records.len, .arena = arena };
    return RC_OK;
}

static struct str read_nullable(struct kafka_reader *reader)
{
    int64_t n = kafka_read_varlong(reader);

    if (reader->error || n == -1)
        return (struct str){ 0 };
    if (n < 0 || n > reader->end - reader->at) {
        kafka_reader_fail(reader, "a length is wrong");
        return (struct str){ 0 };
    }
    return str_n(kafka_take(reader, (size_t)n), (size_t)n);
}

static void read_headers(struct kafka_reader *reader, struct kafka_record *out)
{
    int64_t n = kafka_read_varlong(reader);

    if (reader->error || n == 0)
        return;
    if (n < 0 || n > HEADERS_MAX || n > reader->end - reader->at) {
        kafka_reader_fail(reader, "the number of headers is wrong");
        return;
    }
    out->headers.items = arena_array(reader->arena, (size_t)n, sizeof *out->headers.items);
    if (!out->headers.items) {
        kafka_reader_fail(reader, "there are too many headers");
        return;
    }
    out->headers.count = (int32_t)n;
    for (int64_t i = 0; i < n && !reader->error; i++) {
        out->headers.items[i].name = read_nullable(reader);
        out->headers.items[i].value = read_nullable(reader);
    }
}

enum rc kafka_records_next(struct kafka_record_reader *reader, struct kafka_record *out, struct err *err)
{
    struct kafka_reader *r = &reader->reader;

    *out = (struct kafka_record){ 0 };
    if (reader->left <= 0)
        return RC_AGAIN;
    reader->left--;
    int64_t size = kafka_read_varlong(r);
    if (!r->error && (size < 0 || size > r->end - r->at))
        kafka_reader_fail(r, "a record is longer than its batch");
    const char *end = r->error ? NULL : r->at + size;
    kafka_take(r, 1);
    int64_t delta = kafka_read_varlong(r);
    out->timestamp = reader->batch.attributes & KAFKA_BATCH_APPEND_TIME
                         ? reader->batch.max_timestamp
                         : (int64_t)((uint64_t)reader->batch.base_timestamp + (uint64_t)delta);
    out->offset = (int64_t)((uint64_t)reader->batch.base_offset + (uint64_t)kafka_read_varlong(r));
    out->key = read_nullable(r);
    out->value = read_nullable(r);
    read_headers(r, out);
    if (!r->error && r->at != end)
        kafka_reader_fail(r, "a record's size is wrong");
    if (r->error)
        return err_set(err, RC_BAD_INPUT, "cannot read a record of the batch at offset %lld: %s",
                       (long long)reader->batch.base_offset, r->error);
    return RC_OK;
}

void kafka_records_close(struct kafka_record_reader *reader)
{
    buf_free(&reader->inflated);
}
