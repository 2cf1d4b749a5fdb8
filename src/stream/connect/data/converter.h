/*
 * Converters under their usual class names: how a record's key or value becomes bytes, and back.
 *
 *     io.confluent.connect.avro.AvroConverter              00, schema id (4 bytes, big-endian), Avro binary
 *     org.apache.kafka.connect.json.JsonConverter          schemas.enable, decimal.format, replace.null.with.default
 *     org.apache.kafka.connect.storage.StringConverter
 *     org.apache.kafka.connect.converters.ByteArrayConverter
 *
 * A converter knows its configuration and, for Avro, the registry.  It does not walk values: the source
 * writes its events' bytes itself (postgres/event.h) and asks here for the schema's id or header text;
 * the sink gets the payload's view and the writer's schema.
 *
 * One converter belongs to one thread.  Registry calls block, with REGISTRY_RETRIES_MAX tries; answers are kept.
 */
#ifndef STREAM_CONNECT_DATA_CONVERTER_H
#define STREAM_CONNECT_DATA_CONVERTER_H

#include <jansson.h>

#include "base/base.h"
#include "net/net.h"
#include "stream/connect/data/schema.h"

enum converter_kind { CONVERTER_AVRO, CONVERTER_JSON, CONVERTER_STRING, CONVERTER_BYTES };
enum { REGISTRY_RETRIES_MAX = 6, CONVERTER_HEADER_LEN = 5, CONVERTER_SCHEMAS_MAX = 100000 };

/* Where settings are read: value of a name, NULL if it is not set. */
struct connect_lookup {
    const char *(*get)(const void *user, const char *name);
    const void *user;
};
struct converter_config {
    const struct station *station;   /* for station_resolve_url(); NULL: addresses are taken as they are */
    struct connect_lookup connector; /* "key.converter", "key.converter.schema.registry.url", … */
    struct connect_lookup worker;    /* same names; asked when the connector names no converter itself */
    bool is_key;
};

struct converter;
/*
 * RC_BAD_INPUT names the setting that is wrong.  As in Connect, a connector without `value.converter` of its
 * own gets the worker's class with the worker's settings; with one, the worker's settings do not count.
 */
MUST_CHECK enum rc converter_new(const struct converter_config *config, struct converter **out, struct err *err);
void converter_free(struct converter *converter);
void converter_free_at(struct converter **at);

enum converter_kind converter_kind(const struct converter *converter);
const char *converter_class(const struct converter *converter);
bool converter_schemas_enabled(const struct converter *converter);          /* JSON: schemas.enable, default true */
bool converter_decimal_numeric(const struct converter *converter);          /* JSON: decimal.format=NUMERIC */
bool converter_replaces_null_by_default(const struct converter *converter); /* for both; default true */
const struct connect_avro_options *converter_avro_options(const struct converter *converter);

/* ------------------------------------------------------------------ encode */

/*
 * Avro: the id under which `avro_text` stands at subject "<topic>-key" or "<topic>-value" (or what
 * *.subject.name.strategy says; record_name is for those).  Registers it, or looks it up
 * (auto.register.schemas=false), or takes the latest (use.latest.version=true).  RC_RETRY: the registry
 * is away.  RC_BAD_INPUT: it refuses, with its words.
 */
MUST_CHECK enum rc converter_schema_id(struct converter *converter, struct str topic, struct str record_name,
                                       struct str avro_text, uint32_t *id, struct err *err);

/* ------------------------------------------------------------------ decode */

/* What one key or value is.  Views live until the next call with this converter, or as long as `bytes`. */
struct converter_data {
    bool is_null; /* no bytes at all: a tombstone, or no key */
    /* Avro */
    uint32_t schema_id;
    struct str schema;  /* the writer's schema text, as the registry gave it; lives as long as the converter */
    int schema_version; /* under its subject, 0 when the registry knows none */
    struct str payload; /* Avro binary; for String and ByteArray: the bytes as they are */
    /* JSON */
    json_t *json;                       /* the payload; borrowed */
    struct connect_schema *json_schema; /* with schemas.enable, NULL else; borrowed */
};
/* bytes.p NULL: no value.  RC_BAD_INPUT: not of this format.  RC_RETRY: the registry is away. */
MUST_CHECK enum rc converter_decode(struct converter *converter, struct str topic, struct str bytes,
                                    struct converter_data *out, struct err *err);

#endif
