/* Builds records of _schemas; record.h has the format. */
#include "stream/registry/record.h"

#include <stdlib.h>

#include "wire/avro/avro.h"

void record_batch_free(struct record_batch *batch)
{
    for (size_t i = 0; i < batch->count; i++) {
        free(batch->records[i].key);
        free(batch->records[i].value);
    }
    free(batch->records);
    *batch = (struct record_batch){ 0 };
}

/* Takes both buffers over. */
static void add(struct record_batch *batch, struct buf *key, struct buf *value)
{
    struct record record = { .key_len = key->len };

    if (batch->count == batch->cap) {
        batch->cap = batch->cap ? 2 * batch->cap : 4;
        batch->records = mem_grow(batch->records, batch->cap, sizeof *batch->records);
    }
    record.key = buf_take(key);
    if (value) {
        record.value_len = value->len;
        record.value = buf_take(value);
    }
    batch->records[batch->count++] = record;
}

static void put_key(struct buf *out, const char *type, struct str subject)
{
    buf_printf(out, "{\"keytype\":\"%s\"", type);
    if (subject.p) {
        buf_puts(out, ",\"subject\":");
        avro_json_print_str(subject, out);
    }
}

static void put_member(struct buf *out, const char *name, const json_t *value)
{
    if (!value || json_is_null(value) || (json_is_array(value) && !json_array_size(value)))
        return;
    buf_printf(out, ",\"%s\":", name);
    avro_json_print(value, out);
}

void record_add_schema(struct record_batch *batch, const struct record_schema *schema)
{
    struct buf key = { 0 }, value = { 0 };

    put_key(&key, "SCHEMA", schema->subject);
    buf_printf(&key, ",\"version\":%d,\"magic\":1}", schema->version);
    buf_puts(&value, "{\"subject\":");
    avro_json_print_str(schema->subject, &value);
    buf_printf(&value, ",\"version\":%d,\"id\":%d", schema->version, schema->id);
    if (schema->type.p && !str_is(schema->type, "AVRO")) {
        buf_puts(&value, ",\"schemaType\":");
        avro_json_print_str(schema->type, &value);
    }
    put_member(&value, "references", schema->references);
    put_member(&value, "metadata", schema->metadata);
    put_member(&value, "ruleSet", schema->rule_set);
    buf_puts(&value, ",\"schema\":");
    avro_json_print_str(schema->text, &value);
    buf_printf(&value, ",\"deleted\":%s}", schema->deleted ? "true" : "false");
    add(batch, &key, &value);
}

void record_add_config(struct record_batch *batch, struct str subject, const json_t *members)
{
    struct buf key = { 0 }, value = { 0 };
    json_t *whole = json_object();

    if (subject.p)
        json_object_set_new(whole, "subject", json_stringn(subject.p, subject.len));
    json_object_update(whole, (json_t *)(uintptr_t)members);
    put_key(&key, "CONFIG", subject);
    buf_puts(&key, ",\"magic\":0}");
    avro_json_print(whole, &value);
    json_decref(whole);
    add(batch, &key, &value);
}

void record_add_mode(struct record_batch *batch, struct str subject, const char *mode)
{
    struct buf key = { 0 }, value = { 0 };

    put_key(&key, "MODE", subject);
    buf_puts(&key, ",\"magic\":0}");
    buf_putc(&value, '{');
    if (subject.p) {
        buf_puts(&value, "\"subject\":");
        avro_json_print_str(subject, &value);
        buf_putc(&value, ',');
    }
    buf_printf(&value, "\"mode\":\"%s\"}", mode);
    add(batch, &key, &value);
}

void record_add_delete_subject(struct record_batch *batch, struct str subject, int version)
{
    struct buf key = { 0 }, value = { 0 };

    put_key(&key, "DELETE_SUBJECT", subject);
    buf_puts(&key, ",\"magic\":0}");
    buf_puts(&value, "{\"subject\":");
    avro_json_print_str(subject, &value);
    buf_printf(&value, ",\"version\":%d}", version);
    add(batch, &key, &value);
}

void record_add_context(struct record_batch *batch, struct str context)
{
    struct buf key = { 0 }, value = { 0 };

    buf_puts(&key, "{\"keytype\":\"CONTEXT\",\"tenant\":\"default\",\"context\":");
    avro_json_print_str(context, &key);
    buf_puts(&key, ",\"magic\":0}");
    buf_puts(&value, "{\"tenant\":\"default\",\"context\":");
    avro_json_print_str(context, &value);
    buf_putc(&value, '}');
    add(batch, &key, &value);
}

void record_add_noop(struct record_batch *batch)
{
    struct buf key = { 0 };

    buf_puts(&key, "{\"keytype\":\"NOOP\",\"magic\":0}");
    add(batch, &key, NULL);
}

void record_add_tombstone(struct record_batch *batch, struct str key)
{
    struct buf copy = { 0 };

    buf_put_str(&copy, key);
    add(batch, &copy, NULL);
}
