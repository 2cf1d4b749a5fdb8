/* Records that belong to no table: transaction boundaries and heartbeats; cdc reference §1.4, §3.7. */
#include <stdlib.h>

#include "stream/connect/data/text.h"
#include "stream/connect/postgres/program.h"

struct event_meta {
    char *transaction_topic, *heartbeat_topic, *server;
    struct program_side transaction_key, transaction_value, heartbeat_key, heartbeat_value;
};

#define COMMON "io.debezium.connector.common."

static struct connect_schema *one_field(const char *name, const char *field, enum connect_type type)
{
    struct connect_schema *schema = connect_schema_named(CONNECT_STRUCT, name, 1);

    connect_schema_add(schema, field, connect_schema_new(type));
    return schema;
}

static struct connect_schema *transaction_schema(void)
{
    struct connect_schema *schema = connect_schema_named(CONNECT_STRUCT, COMMON "TransactionMetadataValue", 1);
    struct connect_schema *count = connect_schema_named(CONNECT_STRUCT, "event.collection", 1);

    connect_schema_add(count, "data_collection", connect_schema_new(CONNECT_STRING));
    connect_schema_add(count, "event_count", connect_schema_new(CONNECT_INT64));
    connect_schema_add(schema, "status", connect_schema_new(CONNECT_STRING));
    connect_schema_add(schema, "id", connect_schema_new(CONNECT_STRING));
    connect_schema_add(schema, "event_count", connect_schema_optional(connect_schema_new(CONNECT_INT64)));
    connect_schema_add(schema, "data_collections",
                       connect_schema_optional(connect_schema_array(connect_schema_optional(count))));
    connect_schema_add(schema, "ts_ms", connect_schema_new(CONNECT_INT64));
    return schema;
}

enum rc event_meta_new(const struct event_options *options, struct converter *key_converter,
                       struct converter *value_converter, struct event_meta **out, struct err *err)
{
    struct event_meta *meta = NEW(struct event_meta);

    meta->server = mem_strdup(options->prefix);
    meta->transaction_topic = mem_printf("%s%s%s", options->prefix, options->delimiter, options->transaction_topic);
    meta->heartbeat_topic = mem_printf("%s%s%s", options->heartbeat_prefix, options->delimiter, options->prefix);
    enum rc rc = program_side_init(&meta->transaction_key, key_converter,
                                   one_field(COMMON "TransactionMetadataKey", "id", CONNECT_STRING), err);
    if (!rc)
        rc = program_side_init(&meta->transaction_value, value_converter, transaction_schema(), err);
    if (!rc)
        rc = program_side_init(&meta->heartbeat_key, key_converter,
                               one_field(COMMON "ServerNameKey", "serverName", CONNECT_STRING), err);
    if (!rc)
        rc = program_side_init(&meta->heartbeat_value, value_converter,
                               one_field(COMMON "Heartbeat", "ts_ms", CONNECT_INT64), err);
    if (rc)
        event_meta_free(meta);
    else
        *out = meta;
    return rc;
}

void event_meta_free(struct event_meta *meta)
{
    if (!meta)
        return;
    program_side_free(&meta->transaction_key);
    program_side_free(&meta->transaction_value);
    program_side_free(&meta->heartbeat_key);
    program_side_free(&meta->heartbeat_value);
    free(meta->transaction_topic);
    free(meta->heartbeat_topic);
    free(meta->server);
    free(meta);
}

const char *event_meta_transaction_topic(const struct event_meta *meta)
{
    return meta->transaction_topic;
}

const char *event_meta_heartbeat_topic(const struct event_meta *meta)
{
    return meta->heartbeat_topic;
}

static enum rc put_one_string(struct program_side *side, const char *topic, const char *field, struct str text,
                              struct buf *out, struct err *err)
{
    enum rc rc = program_side_open(side, str_of(topic), err);

    if (rc)
        return rc;
    buf_put_str(out, buf_str(&side->header));
    if (side->kind == CONVERTER_AVRO) {
        put_str(out, text);
        return RC_OK;
    }
    buf_printf(out, "{\"%s\":", field);
    text_json_string(out, text);
    buf_puts(out, side->closes_brace ? "}}" : "}");
    return RC_OK;
}

static void avro_boundary(const struct event_boundary *b, struct buf *out)
{
    put_str(out, b->is_end ? STR("END") : STR("BEGIN"));
    put_str(out, b->id);
    put_varint(out, b->is_end);
    if (b->is_end)
        put_varint(out, b->event_count);
    put_varint(out, b->is_end);
    if (b->is_end && b->collection_count)
        put_varint(out, (int64_t)b->collection_count);
    for (size_t i = 0; b->is_end && i < b->collection_count; i++) {
        put_varint(out, 1);
        put_str(out, str_of(b->collections[i].collection));
        put_varint(out, b->collections[i].events);
    }
    if (b->is_end)
        put_varint(out, 0);
    put_varint(out, b->ts_ms);
}

static void json_boundary(const struct event_boundary *b, struct buf *out)
{
    buf_puts(out, b->is_end ? "{\"status\":\"END\",\"id\":" : "{\"status\":\"BEGIN\",\"id\":");
    text_json_string(out, b->id);
    if (!b->is_end) {
        buf_puts(out, ",\"event_count\":null,\"data_collections\":null");
    } else {
        buf_puts(out, ",\"event_count\":");
        text_int(out, b->event_count);
        buf_puts(out, ",\"data_collections\":[");
        for (size_t i = 0; i < b->collection_count; i++) {
            buf_puts(out, i ? ",{\"data_collection\":" : "{\"data_collection\":");
            text_json_string(out, str_of(b->collections[i].collection));
            buf_puts(out, ",\"event_count\":");
            text_int(out, b->collections[i].events);
            buf_putc(out, '}');
        }
        buf_putc(out, ']');
    }
    buf_puts(out, ",\"ts_ms\":");
    text_int(out, b->ts_ms);
    buf_putc(out, '}');
}

enum rc event_encode_boundary(struct event_meta *meta, const struct event_boundary *boundary, struct buf *key,
                              struct buf *value, struct err *err)
{
    size_t start = key->len;
    struct program_side *side = &meta->transaction_value;
    enum rc rc = put_one_string(&meta->transaction_key, meta->transaction_topic, "id", boundary->id, key, err);

    if (!rc)
        rc = program_side_open(side, str_of(meta->transaction_topic), err);
    if (rc) {
        key->len = start;
        return rc;
    }
    buf_put_str(value, buf_str(&side->header));
    if (side->kind == CONVERTER_AVRO)
        avro_boundary(boundary, value);
    else
        json_boundary(boundary, value);
    if (side->closes_brace)
        buf_putc(value, '}');
    return RC_OK;
}

enum rc event_encode_heartbeat(struct event_meta *meta, int64_t now_ms, struct buf *key, struct buf *value,
                               struct err *err)
{
    size_t start = key->len;
    struct program_side *side = &meta->heartbeat_value;
    enum rc rc =
        put_one_string(&meta->heartbeat_key, meta->heartbeat_topic, "serverName", str_of(meta->server), key, err);

    if (!rc)
        rc = program_side_open(side, str_of(meta->heartbeat_topic), err);
    if (rc) {
        key->len = start;
        return rc;
    }
    buf_put_str(value, buf_str(&side->header));
    if (side->kind == CONVERTER_AVRO) {
        put_varint(value, now_ms);
        return RC_OK;
    }
    buf_puts(value, "{\"ts_ms\":");
    text_int(value, now_ms);
    buf_puts(value, side->closes_brace ? "}}" : "}");
    return RC_OK;
}
