/*
 * Events compared with what Debezium sent, record by record: schemas to the byte (Connect's JSON and Avro's
 * text), payloads as JSON values, and our Avro bytes decoded by the schema they were registered with.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "golden.h"
#include "wire/avro/avro.h"

static struct registry_stub registry;

/*
 * What we do otherwise on purpose: the columns that then differ, in all tables of a case.  Each is told and
 * explained in doc/debezium-differences.md.
 */
static const struct difference {
    const char *name, *columns; /* with blanks between and at both ends */
    enum event_op op;           /* 0: any */
} differences[] = {
    { "02-numbers", " c_money ", EVENT_READ },
    { "02-strings", " c_name ", 0 },
    { "02-unknown-excluded", " c_name c_null_void ", 0 },
    { "02-unknown-included", " c_null_void ", 0 },
    { "02-temporal", " c_date c_ts c_ts0 c_ts3 c_ts6 c_tstz c_tstz0 c_tstz3 c_tstz6 ", EVENT_READ },
    { "02-temporal-extremes", " c_date c_ts c_ts0 c_ts3 c_ts6 c_tstz c_tstz0 c_tstz3 c_tstz6 ", EVENT_READ },
    { "02-timetz-offset-seconds", " c_timetz ", 0 },
    { "02-arrays-odd", " m_int m_text m_num tz_inf ", 0 },
    { "08-toast-binary-base64", " b ", EVENT_UPDATE },
    { "08-toast-binary-base64-url-safe", " b ", EVENT_UPDATE },
};

struct comparison {
    struct golden *golden;
    json_t *expected;
    char *schemas_text, *avro_text;
    size_t at, problems;
    bool differs; /* the record at hand, on purpose */
};

/* Line `"7":{...},` of schemas.json or avro.json. */
static struct str schema_line(const char *text, int64_t number)
{
    CLEANUP_FREE char *start = mem_printf("\n\"%lld\":", (long long)number);
    const char *at = strstr(text, start);

    if (!at)
        return (struct str){ 0 };
    at += strlen(start);
    struct str line = str_n(at, strcspn(at, "\n"));
    if (line.len && line.p[line.len - 1] == ',')
        line.len--;
    return line;
}

static void problem(struct comparison *c, const char *what, struct str ours, struct str theirs)
{
    size_t i = 0;

    while (i < ours.len && i < theirs.len && ours.p[i] == theirs.p[i])
        i++;
    if (c->problems++ < 12)
        printf("%s #%zu %s at %zu:\n  ours   %.*s\n  theirs %.*s\n", c->golden->name, c->at + 1, what, i,
               (int)MIN(ours.len - (i < 40 ? 0 : i - 40), (size_t)300), ours.p + (i < 40 ? 0 : i - 40),
               (int)MIN(theirs.len - (i < 40 ? 0 : i - 40), (size_t)300), theirs.p + (i < 40 ? 0 : i - 40));
}

static void compare_schema(struct comparison *c, const char *what, const struct connect_schema *schema, int64_t number)
{
    CLEANUP(buf_free) struct buf json = { 0 };
    CLEANUP(buf_free) struct buf avro = { 0 };
    struct str theirs = schema_line(c->schemas_text, number), their_avro = schema_line(c->avro_text, number);
    struct err err = { 0 };

    connect_schema_to_json(schema, &json);
    if (!str_eq(buf_str(&json), theirs))
        problem(c, what, buf_str(&json), theirs);
    if (connect_schema_to_avro(schema, NULL, &avro, &err))
        fail_msg("%s", err.text);
    if (!str_eq(buf_str(&avro), their_avro))
        problem(c, what, buf_str(&avro), their_avro);
}

static enum event_snapshot marker_of(const char *text)
{
    static const char *const texts[] = { "first", "first_in_data_collection", "true", "last_in_data_collection",
                                         "last" };
    for (size_t i = 0; text && i < ARRAY_LEN(texts); i++)
        if (strcmp(text, texts[i]) == 0)
            return (enum event_snapshot)(EVENT_SNAPSHOT_FIRST + i);
    return EVENT_STREAMING;
}

/* The expected record's own volatile members, so that all the rest must be equal. */
static struct event_source source_of(const json_t *value, struct event_transaction *transaction)
{
    const json_t *s = json_object_get(value, "source");
    json_t *sequence = json_loads(json_string_value(json_object_get(s, "sequence")), 0, NULL);
    const char *commit = json_string_value(json_array_get(sequence, 0));
    struct event_source source = {
        .ts_ms = json_integer_value(json_object_get(s, "ts_ms")),
        .now_ms = json_integer_value(json_object_get(value, "ts_ms")),
        .snapshot = marker_of(json_string_value(json_object_get(s, "snapshot"))),
        .has_last_commit = commit != NULL,
        .last_commit_lsn = commit ? strtoull(commit, NULL, 10) : 0,
        .lsn = (uint64_t)json_integer_value(json_object_get(s, "lsn")),
        .has_tx_id = json_is_integer(json_object_get(s, "txId")),
        .tx_id = json_integer_value(json_object_get(s, "txId")),
    };
    const json_t *block = json_object_get(value, "transaction");
    if (json_is_object(block)) {
        transaction->id = str_of(json_string_value(json_object_get(block, "id")));
        transaction->total_order = json_integer_value(json_object_get(block, "total_order"));
        transaction->collection_order = json_integer_value(json_object_get(block, "data_collection_order"));
        source.transaction = transaction;
    }
    json_decref(sequence);
    return source;
}

static bool is_difference(const struct comparison *c, const struct golden_record *record, const char *column)
{
    CLEANUP_FREE char *word = mem_printf(" %s ", column);

    for (size_t i = 0; i < ARRAY_LEN(differences); i++)
        if (strcmp(differences[i].name, c->golden->name) == 0 &&
            (!differences[i].op || differences[i].op == record->op) && strstr(differences[i].columns, word))
            return true;
    return false;
}

/* Takes out of both rows what is listed as different. */
static void drop_differences(struct comparison *c, const struct golden_record *record, json_t *ours, json_t *theirs)
{
    static const char *const sides[] = { "before", "after" };

    for (size_t i = 0; i < 2; i++)
        for (size_t k = 0; k < record->table->table.column_count; k++) {
            const char *column = record->table->table.columns[k].name;
            json_t *mine = json_object_get(ours, sides[i]), *other = json_object_get(theirs, sides[i]);
            if (!is_difference(c, record, column) ||
                json_equal(json_object_get(mine, column), json_object_get(other, column)))
                continue;
            c->differs = true;
            json_object_del(mine, column);
            json_object_del(other, column);
        }
}

static void compare_json(struct comparison *c, const struct golden_record *record, const char *what, const json_t *ours,
                         const json_t *theirs)
{
    json_t *mine = json_deep_copy(ours), *other = json_deep_copy(theirs);

    drop_differences(c, record, mine, other);
    if (!json_equal(mine, other)) {
        CLEANUP_FREE char *a = json_dumps(mine, JSON_COMPACT | JSON_ENCODE_ANY);
        CLEANUP_FREE char *b = json_dumps(other, JSON_COMPACT | JSON_ENCODE_ANY);
        problem(c, what, str_of(a), str_of(b));
    }
    json_decref(mine);
    json_decref(other);
}

static json_t *parse(struct str text)
{
    json_error_t error;
    json_t *json = json_loadb(text.p, text.len, JSON_DECODE_ANY | JSON_ALLOW_NUL, &error);

    if (!json)
        fail_msg("not JSON: %s: %.*s", error.text, STR_ARG(text));
    return json;
}

/* The expected payload as Avro, the slow way: by the Connect schema, a null where there is a default being it. */
static void encode_slowly(const struct connect_schema *schema, const json_t *value, struct buf *out)
{
    CLEANUP(buf_free) struct buf bytes = { 0 };
    const struct connect_default *d = &schema->fallback;
    bool null = !value || json_is_null(value), by_default = null && d->present;
    const char *text = json_string_value(value), *name;
    size_t i;
    const json_t *item;

    if (schema->optional)
        avro_write_long(out, null && !by_default ? (d->present ? 1 : 0) : (d->present ? 0 : 1));
    if (null && !by_default)
        return;
    double real = by_default                         ? d->real
                  : text && strcmp(text, "NaN") == 0 ? strtod("NaN", NULL)
                  : text                             ? strtod(text, NULL)
                                                     : json_number_value(value);
    switch (schema->type) {
    case CONNECT_STRUCT:
        for (i = 0; i < schema->field_count; i++)
            encode_slowly(schema->fields[i].schema, json_object_get(value, schema->fields[i].name), out);
        return;
    case CONNECT_ARRAY:
        if (json_array_size(value))
            avro_write_long(out, (int64_t)json_array_size(value));
        json_array_foreach(value, i, item)
            encode_slowly(schema->item, item, out);
        avro_write_long(out, 0);
        return;
    case CONNECT_MAP:
        if (json_object_size(value))
            avro_write_long(out, (int64_t)json_object_size(value));
        json_object_foreach((json_t *)value, name, item) {
            avro_write_bytes(out, str_of(name));
            encode_slowly(schema->item, item, out);
        }
        avro_write_long(out, 0);
        return;
    case CONNECT_FLOAT32:
        avro_write_float(out, (float)real);
        return;
    case CONNECT_FLOAT64:
        avro_write_double(out, real);
        return;
    case CONNECT_BOOLEAN:
        avro_write_bool(out, by_default ? d->integer != 0 : json_is_true(value));
        return;
    case CONNECT_STRING:
        avro_write_bytes(out, by_default ? str_n(d->bytes, d->bytes_len) : str_n(text, json_string_length(value)));
        return;
    case CONNECT_BYTES:
        if (!by_default && json_string_length(value))
            assert_true(decode_base64(str_of(text), &bytes));
        avro_write_bytes(out, by_default ? str_n(d->bytes, d->bytes_len) : buf_str(&bytes));
        return;
    default:
        avro_write_long(out, by_default ? d->integer : json_integer_value(value));
    }
}

/* Our Avro bytes must decode to what our JSON says, and leave nothing over. */
static void check_avro(struct comparison *c, const char *what, const struct buf *bytes,
                       const struct connect_schema *schema, const json_t *theirs)
{
    CLEANUP(buf_free) struct buf slow = { 0 };
    CLEANUP(buf_free) struct buf text = { 0 };
    struct avro_document *document = NULL;
    struct err err = { 0 };
    const unsigned char *p = (const unsigned char *)buf_cstr(bytes);
    uint32_t id = (uint32_t)p[1] << 24 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 8 | p[4];

    assert_true(bytes->len >= 5 && p[0] == 0 && id >= 1 && id <= registry.count);
    if (avro_schema_parse(str_of(registry.schemas[id - 1]), &document, &err))
        fail_msg("%s", err.text);
    struct avro_reader reader = avro_reader_of(str_skip(buf_str(bytes), 5));
    avro_to_json(&reader, avro_root(document), AVRO_JSON_PLAIN, &text);
    if (schema)
        encode_slowly(schema, theirs, &slow);
    if (!c->differs && !str_eq(buf_str(&slow), str_skip(buf_str(bytes), 5)))
        problem(c, what, str_skip(buf_str(bytes), 5), buf_str(&slow));
    if (avro_reader_failed(&reader) || avro_reader_left(&reader))
        problem(c, what, str_of(reader.failure ? reader.failure : "bytes left over"), STR("whole"));
    /* written again from JSON in the tagged form it must be the same bytes */
    CLEANUP(buf_free) struct buf tagged = { 0 };
    CLEANUP(buf_free) struct buf again = { 0 };
    reader = avro_reader_of(str_skip(buf_str(bytes), 5));
    avro_to_json(&reader, avro_root(document), AVRO_JSON_TAGGED, &tagged);
    json_t *json = parse(buf_str(&tagged));
    if (avro_from_json(avro_root(document), json, &again, &err))
        fail_msg("%s: %s", c->golden->name, err.text);
    if (!str_eq(buf_str(&again), str_skip(buf_str(bytes), 5)))
        problem(c, what, buf_str(&again), str_skip(buf_str(bytes), 5));
    json_decref(json);
    avro_document_free(document);
}

/* Records of <prefix>.transaction, which stand between the others. */
static void compare_boundaries(struct comparison *c)
{
    const json_t *expected;

    while ((expected = json_array_get(c->expected, c->at)) &&
           strcmp(json_string_value(json_object_get(expected, "topic")), "srv.transaction") == 0) {
        const json_t *value = json_object_get(expected, "value"), *item,
                     *list = json_object_get(value, "data_collections");
        struct event_collection_count counts[16];
        CLEANUP(buf_free) struct buf key = { 0 };
        CLEANUP(buf_free) struct buf out = { 0 };
        struct event_boundary boundary = {
            .is_end = strcmp(json_string_value(json_object_get(value, "status")), "END") == 0,
            .id = str_of(json_string_value(json_object_get(value, "id"))),
            .ts_ms = json_integer_value(json_object_get(value, "ts_ms")),
            .event_count = json_integer_value(json_object_get(value, "event_count")),
            .collections = counts,
            .collection_count = json_array_size(list),
        };
        struct event_meta *metas[2] = { NULL, NULL };
        struct err err = { 0 };
        size_t i;
        json_array_foreach(list, i, item)
            counts[i] = (struct event_collection_count){
                json_string_value(json_object_get(item, "data_collection")),
                json_integer_value(json_object_get(item, "event_count")),
            };
        if (event_meta_new(c->golden->options, c->golden->json_key, c->golden->json_value, &metas[0], &err) ||
            event_meta_new(c->golden->options, c->golden->avro_key, c->golden->avro_value, &metas[1], &err) ||
            event_encode_boundary(metas[0], &boundary, &key, &out, &err))
            fail_msg("%s", err.text);
        json_t *our_key = parse(buf_str(&key)), *ours = parse(buf_str(&out));
        if (!json_equal(our_key, json_object_get(expected, "key")) || !json_equal(ours, value))
            problem(c, "boundary", buf_str(&out), STR(""));
        buf_clear(&key);
        buf_clear(&out);
        c->differs = true; /* their bytes are checked by decoding only */
        if (event_encode_boundary(metas[1], &boundary, &key, &out, &err))
            fail_msg("%s", err.text);
        struct str theirs = schema_line(c->avro_text, json_integer_value(json_object_get(expected, "valueSchema")));
        if (!str_eq(theirs, str_of(registry.schemas[(unsigned char)buf_cstr(&out)[4] - 1])))
            problem(c, "boundary's schema", str_of(registry.schemas[(unsigned char)buf_cstr(&out)[4] - 1]), theirs);
        check_avro(c, "boundary", &out, NULL, NULL);
        check_avro(c, "boundary's key", &key, NULL, NULL);
        json_decref(our_key);
        json_decref(ours);
        event_meta_free(metas[0]);
        event_meta_free(metas[1]);
        c->at++;
    }
}

/* __debezium.newkey and __debezium.oldkey: which row's key follows from the record. */
static void compare_headers(struct comparison *c, const struct golden_record *record, const json_t *expected)
{
    size_t i;
    const json_t *header;

    json_array_foreach(json_object_get(expected, "headers"), i, header) {
        CLEANUP(buf_free) struct buf text = { 0 };
        bool old = strcmp(json_string_value(json_object_get(header, "name")), "__debezium.oldkey") == 0;
        const struct pg_value *row = old ? record->before : record->other;
        struct str theirs = str_of(json_string_value(json_object_get(header, "text")));
        struct err err = { 0 };
        if (!row || event_encode_key_header(record->table->avro, row, &text, &err))
            fail_msg("%s #%zu: %s", c->golden->name, c->at + 1, err.text);
        if (!str_eq(buf_str(&text), theirs))
            problem(c, "header", buf_str(&text), theirs);
    }
}

static void compare_record(void *user, const struct golden_record *record)
{
    struct comparison *c = user;
    compare_boundaries(c);
    const json_t *expected = json_array_get(c->expected, c->at), *value = json_object_get(expected, "value");
    CLEANUP(buf_free) struct buf key = { 0 };
    CLEANUP(buf_free) struct buf out = { 0 };
    CLEANUP(buf_free) struct buf avro_key = { 0 };
    CLEANUP(buf_free) struct buf avro_out = { 0 };
    struct event_program *json = record->table->json, *avro = record->table->avro;
    struct event_transaction transaction = { 0 };
    struct event_source source = source_of(value, &transaction);
    struct err err = { 0 };
    enum rc rc;

    if (!expected &&
        (strcmp(c->golden->name, "02-timetz-offset-seconds") == 0 || strcmp(c->golden->name, "08-toast-required") == 0))
        return; /* Debezium's task dies here */
    if (!expected) {
        problem(c, "one record too many", str_of(event_program_topic(json)), STR(""));
        return;
    }
    if (strcmp(event_program_topic(json), json_string_value(json_object_get(expected, "topic"))) != 0)
        problem(c, "topic", str_of(event_program_topic(json)),
                str_of(json_string_value(json_object_get(expected, "topic"))));
    c->differs = false;
    if (record->tombstone) {
        rc = event_encode_key(json, record->before, &key, &err);
        if (!json_is_null(value))
            problem(c, "value", STR("null"), STR("something"));
    } else {
        rc = event_encode(json, record->op, record->before, record->after, &source, &key, &out, &err);
        if (!rc)
            rc = event_encode(avro, record->op, record->before, record->after, &source, &avro_key, &avro_out, &err);
    }
    if (rc) {
        problem(c, "error", str_of(err.text), STR(""));
        c->at++;
        return;
    }
    compare_headers(c, record, expected);
    if (event_program_has_key(json)) {
        json_t *ours = parse(buf_str(&key));
        compare_json(c, record, "key", ours, json_object_get(expected, "key"));
        compare_schema(c, "key schema", event_program_key_schema(json),
                       json_integer_value(json_object_get(expected, "keySchema")));
        json_decref(ours);
    } else if (!json_is_null(json_object_get(expected, "key"))) {
        problem(c, "key", STR("none"), STR("one"));
    }
    if (!record->tombstone) {
        json_t *ours = parse(buf_str(&out));
        compare_json(c, record, "value", ours, value);
        compare_schema(c, "value schema", event_program_value_schema(json),
                       json_integer_value(json_object_get(expected, "valueSchema")));
        check_avro(c, "Avro value", &avro_out, event_program_value_schema(avro), value);
        if (event_program_has_key(json))
            check_avro(c, "Avro key", &avro_key, event_program_key_schema(avro), json_object_get(expected, "key"));
        json_decref(ours);
    }
    c->at++;
}

static void compare_case(const char *name, size_t *problems)
{
    struct golden golden;
    struct comparison c = { .golden = &golden };

    golden_open(&golden, name, registry.url, "warn");
    c.expected = golden_lines(name, "expected.jsonl");
    c.schemas_text = golden_file(name, "schemas.json");
    c.avro_text = golden_file(name, "avro.json");
    golden_walk(&golden, compare_record, &c);
    compare_boundaries(&c);
    if (c.at < json_array_size(c.expected))
        problem(&c, "records missing", STR(""), STR(""));
    if (c.problems)
        printf("%s: %zu problems\n", name, c.problems);
    *problems += c.problems;
    json_decref(c.expected);
    free(c.schemas_text);
    free(c.avro_text);
    golden_close(&golden);
}

static void events_are_what_debezium_sent(void **state)
{
    static const char *const cases[] = {
        "01-storefront",
        "02-numbers",
        "02-numeric-nan",
        "02-strings",
        "02-temporal",
        "02-temporal-extremes",
        "02-bits-net",
        "02-arrays",
        "02-arrays-odd",
        "02-numeric-odd-scale",
        "02-point-ranges",
        "02-serials",
        "02-timetz-offset-seconds",
        "02-unknown-excluded",
        "02-unknown-included",
        "02-user-types",
        "03-defaults",
        "03-defaults-altered",
        "07-message-key-columns",
        "07-replica-identity",
        "08-toast",
        "08-toast-binary-base64",
        "08-toast-binary-base64-url-safe",
        "08-toast-binary-hex-map",
        "08-toast-placeholder",
        "08-toast-placeholder-hex",
        "08-toast-required",
        "10-tombstones-on",
        "12-transactions",
        "12-transaction-metadata",
    };
    const char *only = getenv("GOLDEN_CASE");
    size_t problems = 0;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        if (!only || strcmp(only, cases[i]) == 0)
            compare_case(cases[i], &problems);
    assert_int_equal(problems, 0);
}

struct failure {
    struct golden *golden;
    char text[ERR_TEXT_MAX];
    size_t good;
};

static void note_failure(void *user, const struct golden_record *record)
{
    struct failure *f = user;
    CLEANUP(buf_free) struct buf key = { 0 };
    CLEANUP(buf_free) struct buf out = { 0 };
    struct event_source source = { .lsn = 1 };
    struct err err = { 0 };

    if (record->tombstone || f->text[0])
        return;
    if (event_encode(record->table->avro, record->op, record->before, record->after, &source, &key, &out, &err)) {
        assert_int_equal(err.rc, RC_BAD_INPUT);
        assert_int_equal(key.len + out.len, 0);
        memcpy(f->text, err.text, sizeof f->text);
    } else {
        f->good++;
    }
}

static void first_failure(const char *name, const char *words)
{
    struct golden golden;
    struct failure f = { .golden = &golden };

    golden_open(&golden, name, registry.url, "fail");
    golden_walk(&golden, note_failure, &f);
    golden_close(&golden);
    if (!strstr(f.text, words))
        fail_msg("%s: '%s' is not in '%s'", name, words, f.text);
}

static void a_value_without_a_form_is_an_error_that_names_row_and_column(void **state)
{
    (void)state;
    first_failure("02-numeric-nan",
                  "cannot convert column 'c_n10_2' of 'public.nan_null', row id=1, value 'NaN': NaN and ");
    first_failure("02-numeric-nan-required", "value 'NaN': NaN and infinity have no place in a decimal");
    first_failure("08-toast-required", "column 'na' of 'public.tr', row id=1: an unchanged toasted value");
    first_failure("02-arrays-odd", "arrays of more than one dimension");
}

static int start(void **state)
{
    (void)state;
    registry_stub_start(&registry);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    registry_stub_stop(&registry);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(events_are_what_debezium_sent),
        cmocka_unit_test(a_value_without_a_form_is_an_error_that_names_row_and_column),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
