/* Sequence numbers of idempotent producers; see producers.h. */
#include "stream/log/producers.h"

#include <stdlib.h>

static struct str key_of(const int64_t *id)
{
    return str_n((const char *)id, sizeof *id);
}

static int32_t sequence_add(int32_t sequence, int32_t n)
{
    return sequence > INT32_MAX - n ? n - (INT32_MAX - sequence) - 1 : sequence + n;
}

enum kafka_error producers_check(const struct producers *producers, const struct kafka_batch *batch,
                                 int64_t *duplicate_of)
{
    *duplicate_of = -1;
    if (batch->producer_id < 0)
        return KAFKA_NONE;
    if (batch->producer_epoch < 0 || batch->base_sequence < 0)
        return KAFKA_INVALID_RECORD;
    const struct producer *producer = map_get(&producers->by_id, key_of(&batch->producer_id));
    if (!producer || producer->count == 0)
        return KAFKA_NONE; /* expired, or its records were deleted: any sequence goes */
    if (batch->producer_epoch < producer->epoch)
        return KAFKA_INVALID_PRODUCER_EPOCH;
    if (batch->producer_epoch > producer->epoch)
        return batch->base_sequence == 0 ? KAFKA_NONE : KAFKA_OUT_OF_ORDER_SEQUENCE_NUMBER;
    int32_t last = sequence_add(batch->base_sequence, batch->last_offset_delta);
    for (unsigned i = 0; i < producer->count; i++) {
        const struct producer_batch *b = &producer->batches[i];
        if (b->first_sequence == batch->base_sequence && b->last_sequence == last) {
            *duplicate_of = b->last_offset - b->offset_delta;
            return KAFKA_NONE;
        }
    }
    int32_t expected = sequence_add(producer->batches[producer->count - 1].last_sequence, 1);
    return batch->base_sequence == expected ? KAFKA_NONE : KAFKA_OUT_OF_ORDER_SEQUENCE_NUMBER;
}

static struct producer *get_or_add(struct producers *producers, int64_t id)
{
    struct producer *producer = map_get(&producers->by_id, key_of(&id));

    if (producer || producers->by_id.count >= PRODUCERS_MAX)
        return producer;
    producer = NEW(struct producer);
    producer->id = id;
    map_put(&producers->by_id, key_of(&id), producer);
    return producer;
}

static void add_batch(struct producer *producer, struct producer_batch batch)
{
    if (producer->count == PRODUCER_BATCHES)
        for (unsigned i = 1; i < PRODUCER_BATCHES; i++)
            producer->batches[i - 1] = producer->batches[i];
    else
        producer->count++;
    producer->batches[producer->count - 1] = batch;
}

void producers_note(struct producers *producers, const struct kafka_batch *batch)
{
    if (batch->producer_id < 0 || batch->attributes & KAFKA_BATCH_CONTROL)
        return;
    struct producer *producer = get_or_add(producers, batch->producer_id);
    if (!producer)
        return;
    if (producer->epoch != batch->producer_epoch)
        producer->count = 0;
    producer->epoch = batch->producer_epoch;
    add_batch(producer, (struct producer_batch){
                            .first_sequence = batch->base_sequence,
                            .last_sequence = sequence_add(batch->base_sequence, batch->last_offset_delta),
                            .last_offset = kafka_batch_last_offset(batch),
                            .timestamp = batch->max_timestamp,
                            .offset_delta = batch->last_offset_delta,
                        });
}

void producers_expire(struct producers *producers, int64_t before_ms)
{
    for (struct map_entry *e = NULL; (e = map_next(&producers->by_id, e));) {
        struct producer *producer = e->value;
        if (producer->count == 0 || producer->batches[producer->count - 1].timestamp < before_ms) {
            map_remove(&producers->by_id, str_n(e->key, e->key_len));
            free(producer);
        }
    }
}

void producers_clear(struct producers *producers)
{
    map_free(&producers->by_id, free);
    producers->by_id = (struct map){ 0 };
}

static void save_batch(const struct producer *producer, const struct producer_batch *batch, struct buf *body)
{
    buf_put_be64(body, (uint64_t)producer->id);
    buf_put_be16(body, (uint16_t)producer->epoch);
    buf_put_be32(body, (uint32_t)batch->last_sequence);
    buf_put_be64(body, (uint64_t)batch->last_offset);
    buf_put_be32(body, (uint32_t)batch->offset_delta);
    buf_put_be64(body, (uint64_t)batch->timestamp);
    buf_put_be32(body, (uint32_t)-1); /* of a coordinator of transactions, and where one began: none */
    buf_put_be64(body, (uint64_t)-1);
}

void producers_save(const struct producers *producers, struct buf *out)
{
    CLEANUP(buf_free) struct buf body = { 0 };
    uint32_t count = 0;

    for (struct map_entry *e = NULL; (e = map_next(&producers->by_id, e));)
        count += ((const struct producer *)e->value)->count;
    buf_put_be32(&body, count);
    for (struct map_entry *e = NULL; (e = map_next(&producers->by_id, e));) {
        const struct producer *producer = e->value;
        for (int i = 0; i < producer->count; i++)
            save_batch(producer, &producer->batches[i], &body);
    }
    buf_put_be16(out, 1);
    buf_put_be32(out, crc32c(0, body.data, body.len));
    buf_put_str(out, buf_str(&body));
}

bool producers_restore(struct producers *producers, struct str snapshot)
{
    struct kafka_reader reader = { .at = snapshot.p, .end = snapshot.p + snapshot.len };
    int64_t version = kafka_read_int(&reader, 2);
    uint32_t crc = (uint32_t)kafka_read_int(&reader, 4);

    if (reader.error || version != 1 || crc32c(0, reader.at, (size_t)(reader.end - reader.at)) != crc)
        return false;
    int64_t count = kafka_read_int(&reader, 4);
    for (int64_t i = 0; i < count && i < PRODUCERS_MAX * PRODUCER_BATCHES && !reader.error; i++) {
        struct producer_batch batch = { 0 };
        int64_t id = kafka_read_int(&reader, 8);
        int16_t epoch = (int16_t)kafka_read_int(&reader, 2);
        batch.last_sequence = (int32_t)kafka_read_int(&reader, 4);
        batch.last_offset = kafka_read_int(&reader, 8);
        batch.offset_delta = (int32_t)kafka_read_int(&reader, 4);
        batch.timestamp = kafka_read_int(&reader, 8);
        kafka_take(&reader, 12);
        batch.first_sequence = batch.last_sequence - batch.offset_delta;
        if (batch.first_sequence < 0) /* wrapped around */
            batch.first_sequence += INT32_MAX, batch.first_sequence += 1;
        struct producer *producer = reader.error ? NULL : get_or_add(producers, id);
        if (!producer)
            break;
        if (producer->epoch != epoch)
            producer->count = 0;
        producer->epoch = epoch;
        add_batch(producer, batch);
    }
    return !reader.error;
}
