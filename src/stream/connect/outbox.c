/* Records between a source and librdkafka; see outbox.h. */
#include "stream/connect/outbox.h"

#include <stdlib.h>

static void batch_free(struct outbox_batch *batch)
{
    if (!batch)
        return;
    for (size_t i = batch->given; i < batch->count; i++)
        if (batch->records[i].headers)
            rd_kafka_headers_destroy(batch->records[i].headers);
    buf_free(&batch->bytes);
    free(batch->records);
    free(batch);
}

static rd_kafka_headers_t *headers_of(const struct source_record *record)
{
    rd_kafka_headers_t *headers = record->header_count ? rd_kafka_headers_new(record->header_count) : NULL;

    for (size_t i = 0; i < record->header_count; i++)
        rd_kafka_header_add(headers, record->headers[i].name.p, (ssize_t)record->headers[i].name.len,
                            record->headers[i].value.p, (ssize_t)record->headers[i].value.len);
    return headers;
}

bool outbox_add(struct outbox *outbox, rd_kafka_topic_t *topic, const struct source_record *record, uint64_t number)
{
    if (!outbox->filling) {
        outbox->filling = NEW(struct outbox_batch);
        outbox->filling->bytes.max = OUTBOX_BATCH_BYTES_MAX;
    }
    struct outbox_batch *batch = outbox->filling;
    struct outbox_record out = { .batch = batch,
                                 .topic = topic,
                                 .number = number,
                                 .at = batch->bytes.len,
                                 .has_key = record->key.p != NULL,
                                 .has_value = record->value.p != NULL,
                                 .partition = record->partition,
                                 .timestamp_ms = record->timestamp_ms };

    out.key_len = out.has_key ? record->key.len : 0;
    out.value_len = out.has_value ? record->value.len : 0;
    buf_append(&batch->bytes, record->key.p, out.key_len);
    buf_append(&batch->bytes, record->value.p, out.value_len);
    if (buf_failed(&batch->bytes)) {
        batch->bytes.failed = false;
        batch->bytes.len = out.at;
        return false;
    }
    out.headers = headers_of(record);
    if (batch->count == batch->cap) {
        batch->cap = MAX(batch->cap * 2, (size_t)16);
        batch->records = mem_grow(batch->records, batch->cap, sizeof *batch->records);
    }
    batch->records[batch->count++] = out;
    batch->left++;
    return true;
}

struct outbox_batch *outbox_next(struct outbox *outbox)
{
    struct outbox_batch **end = &outbox->out;

    for (; *end; end = &(*end)->next)
        if ((*end)->given < (*end)->count)
            return *end;
    if (!outbox->filling || outbox->out_count == OUTBOX_BATCHES_OUT_MAX)
        return NULL;
    outbox->out_count++;
    return *end = TAKE_PTR(outbox->filling);
}

/* ------------------------------------------------------------ giving */

static rd_kafka_resp_err_t give_with_more(rd_kafka_t *producer, struct outbox_record *record, void *key, void *value)
{
    rd_kafka_vu_t parts[] = {
        { .vtype = RD_KAFKA_VTYPE_RKT, .u.rkt = record->topic },
        { .vtype = RD_KAFKA_VTYPE_PARTITION,
          .u.i32 = record->partition < 0 ? RD_KAFKA_PARTITION_UA : record->partition },
        { .vtype = RD_KAFKA_VTYPE_KEY, .u.mem = { key, record->key_len } },
        { .vtype = RD_KAFKA_VTYPE_VALUE, .u.mem = { value, record->value_len } },
        { .vtype = RD_KAFKA_VTYPE_TIMESTAMP, .u.i64 = record->timestamp_ms < 0 ? 0 : record->timestamp_ms },
        { .vtype = RD_KAFKA_VTYPE_OPAQUE, .u.ptr = record },
        { .vtype = RD_KAFKA_VTYPE_HEADERS, .u.headers = record->headers },
    };
    rd_kafka_headers_t *headers = TAKE_PTR(record->headers); /* once given, the record may be gone any time */
    rd_kafka_error_t *error = rd_kafka_produceva(producer, parts, ARRAY_LEN(parts) - (headers ? 0 : 1));
    rd_kafka_resp_err_t code = error ? rd_kafka_error_code(error) : RD_KAFKA_RESP_ERR_NO_ERROR;

    if (error) {
        rd_kafka_error_destroy(error);
        record->headers = headers;
    }
    return code;
}

/* The value is not copied: it stays in the batch until librdkafka tells of the record. */
static rd_kafka_resp_err_t give_one(rd_kafka_t *producer, struct outbox_record *record)
{
    char *key = record->batch->bytes.data + record->at, *value = key + record->key_len;

    key = record->has_key ? key : NULL;
    value = record->has_value ? value : NULL;
    if (record->headers || record->timestamp_ms >= 0)
        return give_with_more(producer, record, key, value);
    int failed = rd_kafka_produce(record->topic, record->partition < 0 ? RD_KAFKA_PARTITION_UA : record->partition, 0,
                                  value, record->value_len, key, record->key_len, record);
    return failed ? rd_kafka_last_error() : RD_KAFKA_RESP_ERR_NO_ERROR;
}

enum rc outbox_give(rd_kafka_t *producer, struct outbox_batch *batch, struct outbox_record **failed,
                    rd_kafka_resp_err_t *why)
{
    /* once the last one is given its delivery may come, and with it the batch's end: it is not looked at after that */
    for (size_t count = batch->count, i = batch->given; i < count; i++) {
        struct outbox_record *record = &batch->records[i];
        batch->given = i + 1;
        *why = give_one(producer, record);
        if (*why == RD_KAFKA_RESP_ERR_NO_ERROR)
            continue;
        batch->given = i;
        *failed = record;
        return *why == RD_KAFKA_RESP_ERR__QUEUE_FULL ? RC_AGAIN : RC_FATAL;
    }
    return RC_OK;
}

/* ------------------------------------------------------------ ending */

void outbox_done(struct outbox *outbox, struct outbox_record *record)
{
    struct outbox_batch *batch = record->batch, **at = &outbox->out;

    if (--batch->left)
        return;
    while (*at != batch)
        at = &(*at)->next;
    *at = batch->next;
    outbox->out_count--;
    batch_free(batch);
}

void outbox_free(struct outbox *outbox)
{
    for (struct outbox_batch *batch; (batch = outbox->out);) {
        outbox->out = batch->next;
        batch_free(batch);
    }
    batch_free(outbox->filling);
    *outbox = (struct outbox){ 0 };
}
