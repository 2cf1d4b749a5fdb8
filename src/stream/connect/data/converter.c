/* Converters by class name; see converter.h.  The registry's calls are in registry_client.c. */
#include "stream/connect/data/converter.h"

#include <stdlib.h>
#include <string.h>

#include "stream/connect/data/registry_client.h"

enum subject_strategy { SUBJECT_TOPIC, SUBJECT_RECORD, SUBJECT_TOPIC_RECORD };

/* A writer's schema by id, with its version under each subject it was seen under. */
struct known_schema {
    char *text;
    size_t text_len;
    struct map versions; /* subject -> (void *)version */
};

struct converter {
    enum converter_kind kind;
    const char *class_name;
    bool is_key;
    bool schemas_enabled, decimal_numeric, replace_null, auto_register, use_latest;
    enum subject_strategy strategy;
    struct connect_avro_options avro;
    struct registry_client *registry;
    struct map ids;          /* subject, zero byte, schema text -> (void *)(id + 1) */
    struct map schemas;      /* decimal id -> struct known_schema */
    json_t *json;            /* the last decoded one */
    struct map json_schemas; /* schema text -> struct connect_schema */
};

static const struct {
    const char *class_name;
    enum converter_kind kind;
} classes[] = {
    { "io.confluent.connect.avro.AvroConverter", CONVERTER_AVRO },
    { "org.apache.kafka.connect.json.JsonConverter", CONVERTER_JSON },
    { "org.apache.kafka.connect.storage.StringConverter", CONVERTER_STRING },
    { "org.apache.kafka.connect.converters.ByteArrayConverter", CONVERTER_BYTES },
};

/* --------------------------------------------------------------- settings */

struct reader {
    const struct connect_lookup *from;
    const char *prefix; /* "key.converter" */
    struct err *err;
    enum rc rc;
};

static const char *ask(const struct connect_lookup *lookup, const char *name)
{
    return lookup->get ? lookup->get(lookup->user, name) : NULL;
}

static const char *get(struct reader *r, const char *name)
{
    CLEANUP_FREE char *full = mem_printf("%s.%s", r->prefix, name);
    return ask(r->from, full);
}

static bool get_bool(struct reader *r, const char *name, bool fallback)
{
    const char *text = get(r, name);
    bool value = fallback;

    if (text && !str_to_bool(str_trim(str_of(text)), &value) && r->rc == RC_OK)
        r->rc = err_set(r->err, RC_BAD_INPUT, "'%s.%s' is '%s'; it must be true or false", r->prefix, name, text);
    return value;
}

static enum subject_strategy get_strategy(struct reader *r, bool is_key)
{
    static const char *const names[] = { "TopicNameStrategy", "RecordNameStrategy", "TopicRecordNameStrategy" };
    const char *text = get(r, is_key ? "key.subject.name.strategy" : "value.subject.name.strategy");

    if (!text)
        text = get(r, "subject.name.strategy");
    if (!text)
        return SUBJECT_TOPIC;
    const char *dot = strrchr(text, '.');
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (strcmp(dot ? dot + 1 : text, names[i]) == 0)
            return (enum subject_strategy)i;
    if (r->rc == RC_OK)
        r->rc = err_set(r->err, RC_BAD_INPUT, "'%s.subject.name.strategy' is '%s'; known are %s, %s and %s", r->prefix,
                        text, names[0], names[1], names[2]);
    return SUBJECT_TOPIC;
}

static enum rc connect_registry(struct converter *c, const struct converter_config *config, struct reader *r)
{
    CLEANUP(buf_free) struct buf urls = { 0 };
    const char *given = get(r, "schema.registry.url"), *user = NULL, *token = NULL;
    const char *source = get(r, "basic.auth.credentials.source");
    struct str rest = str_of(given), url;

    if (!given || !*given)
        return err_set(r->err, RC_BAD_INPUT, "'%s.schema.registry.url' is missing; AvroConverter needs it", r->prefix);
    while (str_cut(&rest, ',', &url)) {
        if (urls.len)
            buf_putc(&urls, ',');
        if (config->station)
            station_resolve_url(config->station, str_trim(url), &urls);
        else
            buf_put_str(&urls, str_trim(url));
    }
    if (source && strcmp(source, "USER_INFO") == 0)
        user = get(r, "basic.auth.user.info");
    if (get(r, "bearer.auth.credentials.source"))
        token = get(r, "bearer.auth.token");
    return registry_client_new(buf_cstr(&urls), user, token, get_bool(r, "normalize.schemas", false), &c->registry,
                               r->err);
}

static void read_json_settings(struct converter *c, struct reader *r)
{
    const char *format = get(r, "decimal.format");

    c->schemas_enabled = get_bool(r, "schemas.enable", true);
    c->replace_null = get_bool(r, "replace.null.with.default", true);
    if (format && strcasecmp(format, "NUMERIC") == 0)
        c->decimal_numeric = true;
    else if (format && strcasecmp(format, "BASE64") != 0)
        r->rc = err_set(r->err, RC_BAD_INPUT, "'%s.decimal.format' is '%s'; it must be BASE64 or NUMERIC", r->prefix,
                        format);
}

static enum rc read_settings(struct converter *c, const struct converter_config *config, struct reader *r)
{
    if (c->kind == CONVERTER_JSON)
        read_json_settings(c, r);
    if (c->kind != CONVERTER_AVRO)
        return r->rc;
    c->auto_register = get_bool(r, "auto.register.schemas", true);
    c->use_latest = get_bool(r, "use.latest.version", false);
    c->replace_null = !get_bool(r, "ignore.default.for.nullables", false);
    c->avro.no_meta_data = !get_bool(r, "connect.meta.data", true);
    c->avro.scrub_invalid_names = get_bool(r, "scrub.invalid.names", false);
    c->strategy = get_strategy(r, c->is_key);
    return r->rc ? r->rc : connect_registry(c, config, r);
}

enum rc converter_new(const struct converter_config *config, struct converter **out, struct err *err)
{
    const char *prefix = config->is_key ? "key.converter" : "value.converter";
    const char *class_name = ask(&config->connector, prefix);
    struct reader r = { .from = &config->connector, .prefix = prefix, .err = err };

    if (!class_name) {
        class_name = ask(&config->worker, prefix);
        r.from = &config->worker;
    }
    if (!class_name)
        return err_set(err, RC_BAD_INPUT, "'%s' is set neither in the connector nor in the worker", prefix);
    for (size_t i = 0; i < ARRAY_LEN(classes); i++) {
        if (strcmp(class_name, classes[i].class_name) != 0)
            continue;
        CLEANUP(converter_free_at) struct converter *c = NEW(struct converter);
        c->kind = classes[i].kind;
        c->class_name = classes[i].class_name;
        c->is_key = config->is_key;
        c->replace_null = true;
        enum rc rc = read_settings(c, config, &r);
        if (!rc)
            *out = TAKE_PTR(c);
        return rc;
    }
    return err_set(err, RC_BAD_INPUT, "'%s' is '%s', which is not built in; known are %s, %s, %s and %s", prefix,
                   class_name, classes[0].class_name, classes[1].class_name, classes[2].class_name,
                   classes[3].class_name);
}

static void free_known(void *at)
{
    struct known_schema *known = at;

    map_free(&known->versions, NULL);
    free(known->text);
    free(known);
}

static void free_schema(void *at)
{
    connect_schema_free(at);
}

void converter_free(struct converter *converter)
{
    if (!converter)
        return;
    registry_client_free(converter->registry);
    map_free(&converter->ids, NULL);
    map_free(&converter->schemas, free_known);
    map_free(&converter->json_schemas, free_schema);
    json_decref(converter->json);
    free(converter);
}

void converter_free_at(struct converter **at)
{
    converter_free(*at);
}

enum converter_kind converter_kind(const struct converter *converter)
{
    return converter->kind;
}

const char *converter_class(const struct converter *converter)
{
    return converter->class_name;
}

bool converter_schemas_enabled(const struct converter *converter)
{
    return converter->schemas_enabled;
}

bool converter_decimal_numeric(const struct converter *converter)
{
    return converter->decimal_numeric;
}

bool converter_replaces_null_by_default(const struct converter *converter)
{
    return converter->replace_null;
}

const struct connect_avro_options *converter_avro_options(const struct converter *converter)
{
    return &converter->avro;
}

/* ----------------------------------------------------------------- encode */

static void subject_name(const struct converter *c, struct str topic, struct str record_name, struct buf *out)
{
    if (c->strategy != SUBJECT_RECORD)
        buf_put_str(out, topic);
    if (c->strategy == SUBJECT_TOPIC) {
        buf_puts(out, c->is_key ? "-key" : "-value");
        return;
    }
    if (c->strategy == SUBJECT_TOPIC_RECORD)
        buf_putc(out, '-');
    buf_put_str(out, record_name);
}

enum rc converter_schema_id(struct converter *converter, struct str topic, struct str record_name, struct str avro_text,
                            uint32_t *id, struct err *err)
{
    CLEANUP(buf_free) struct buf subject = { 0 };
    CLEANUP(buf_free) struct buf key = { 0 };
    int version = 0;
    enum rc rc;

    subject_name(converter, topic, record_name, &subject);
    buf_put_str(&key, buf_str(&subject));
    buf_putc(&key, '\0');
    buf_put_str(&key, avro_text);
    uintptr_t known = (uintptr_t)map_get(&converter->ids, buf_str(&key));
    if (known) {
        *id = (uint32_t)(known - 1);
        return RC_OK;
    }
    if (converter->use_latest)
        rc = registry_client_latest(converter->registry, buf_str(&subject), id, err);
    else if (converter->auto_register)
        rc = registry_client_register(converter->registry, buf_str(&subject), avro_text, id, err);
    else
        rc = registry_client_lookup(converter->registry, buf_str(&subject), avro_text, id, &version, err);
    if (rc)
        return rc;
    if (converter->ids.count >= CONVERTER_SCHEMAS_MAX)
        return err_set(err, RC_FULL, "cannot keep more than %d schemas", CONVERTER_SCHEMAS_MAX);
    map_put(&converter->ids, buf_str(&key), (void *)((uintptr_t)*id + 1));
    return RC_OK;
}

/* ----------------------------------------------------------------- decode */

static enum rc known_schema(struct converter *c, uint32_t id, struct known_schema **out, struct err *err)
{
    CLEANUP_FREE char *name = mem_printf("%u", id);
    CLEANUP(buf_free) struct buf text = { 0 };
    struct known_schema *known = map_get(&c->schemas, str_of(name));

    if (!known) {
        if (c->schemas.count >= CONVERTER_SCHEMAS_MAX)
            return err_set(err, RC_FULL, "cannot keep more than %d schemas", CONVERTER_SCHEMAS_MAX);
        enum rc rc = registry_client_schema(c->registry, id, &text, err);
        if (rc)
            return rc;
        known = NEW(struct known_schema);
        known->text_len = text.len;
        known->text = buf_take(&text);
        map_put(&c->schemas, str_of(name), known);
    }
    *out = known;
    return RC_OK;
}

/* Full name of a schema text's record, for the record strategies; good enough for what registries store. */
static void record_name(struct str text, struct buf *out)
{
    json_t *json = json_loadb(text.p, text.len, JSON_DECODE_ANY, NULL);
    const char *space = json_string_value(json_object_get(json, "namespace"));
    const char *name = json_string_value(json_object_get(json, "name"));

    if (space && *space && name && !strchr(name, '.'))
        buf_printf(out, "%s.", space);
    buf_puts(out, name ? name : "");
    json_decref(json);
}

static enum rc schema_version(struct converter *c, struct str topic, uint32_t id, struct known_schema *known,
                              int *version, struct err *err)
{
    CLEANUP(buf_free) struct buf subject = { 0 };
    CLEANUP(buf_free) struct buf record = { 0 };
    struct str text = str_n(known->text, known->text_len);

    if (c->strategy != SUBJECT_TOPIC)
        record_name(text, &record);
    subject_name(c, topic, buf_str(&record), &subject);
    uintptr_t found = (uintptr_t)map_get(&known->versions, buf_str(&subject));
    if (found) {
        *version = (int)(found - 1);
        return RC_OK;
    }
    enum rc rc = registry_client_lookup(c->registry, buf_str(&subject), text, &id, version, err);
    if (rc == RC_NOT_FOUND) { /* a schema of another subject: Confluent's reader then has no version either */
        *version = 0;
        rc = RC_OK;
    }
    if (!rc)
        map_put(&known->versions, buf_str(&subject), (void *)((uintptr_t)*version + 1));
    return rc;
}

static enum rc decode_avro(struct converter *c, struct str topic, struct str bytes, struct converter_data *out,
                           struct err *err)
{
    const unsigned char *p = (const unsigned char *)bytes.p;
    struct known_schema *known = NULL;

    if (bytes.len < CONVERTER_HEADER_LEN || p[0] != 0)
        return err_set(err, RC_BAD_INPUT,
                       "cannot read a %s of '%.*s' as Avro: it does not begin with a zero byte and a schema id; was it "
                       "written by another converter?",
                       c->is_key ? "key" : "value", STR_ARG(topic));
    out->schema_id = (uint32_t)p[1] << 24 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 8 | p[4];
    enum rc rc = known_schema(c, out->schema_id, &known, err);
    if (!rc)
        rc = schema_version(c, topic, out->schema_id, known, &out->schema_version, err);
    if (rc)
        return err_wrap(err, "cannot read a %s of '%.*s'", c->is_key ? "key" : "value", STR_ARG(topic));
    out->schema = str_n(known->text, known->text_len);
    out->payload = str_skip(bytes, CONVERTER_HEADER_LEN);
    return RC_OK;
}

static enum rc json_schema(struct converter *c, const json_t *json, struct connect_schema **out, struct err *err)
{
    CLEANUP_FREE char *text = json_dumps(json, JSON_COMPACT);
    enum rc rc = RC_OK;

    *out = NULL;
    if (!json || json_is_null(json) || !text)
        return RC_OK;
    *out = map_get(&c->json_schemas, str_of(text));
    if (*out)
        return RC_OK;
    if (c->json_schemas.count >= CONVERTER_SCHEMAS_MAX)
        return err_set(err, RC_FULL, "cannot keep more than %d schemas", CONVERTER_SCHEMAS_MAX);
    rc = connect_schema_of_json(str_of(text), out, err);
    if (!rc)
        map_put(&c->json_schemas, str_of(text), *out);
    return rc;
}

static enum rc decode_json(struct converter *c, struct str topic, struct str bytes, struct converter_data *out,
                           struct err *err)
{
    json_error_t json_err;
    const char *what = c->is_key ? "key" : "value";

    json_decref(c->json);
    c->json = json_loadb(bytes.p, bytes.len, JSON_DECODE_ANY, &json_err);
    out->json = c->json;
    if (!c->json)
        return err_set(err, RC_BAD_INPUT, "cannot read a %s of '%.*s' as JSON: %s", what, STR_ARG(topic),
                       json_err.text);
    if (!c->schemas_enabled)
        return RC_OK;
    if (json_object_size(c->json) != 2 || !json_object_get(c->json, "schema") || !json_object_get(c->json, "payload"))
        return err_set(err, RC_BAD_INPUT,
                       "cannot read a %s of '%.*s': with schemas.enable it must be an object of \"schema\" and "
                       "\"payload\" and nothing else; for plain JSON set schemas.enable=false",
                       what, STR_ARG(topic));
    out->json = json_object_get(c->json, "payload");
    enum rc rc = json_schema(c, json_object_get(c->json, "schema"), &out->json_schema, err);
    return rc ? err_wrap(err, "cannot read a %s of '%.*s'", what, STR_ARG(topic)) : RC_OK;
}

enum rc converter_decode(struct converter *converter, struct str topic, struct str bytes, struct converter_data *out,
                         struct err *err)
{
    *out = (struct converter_data){ .is_null = !bytes.p };
    if (out->is_null)
        return RC_OK;
    switch (converter->kind) {
    case CONVERTER_AVRO:
        return decode_avro(converter, topic, bytes, out, err);
    case CONVERTER_JSON:
        return decode_json(converter, topic, bytes, out, err);
    default:
        out->payload = bytes;
        return RC_OK;
    }
}
