/*
 * haus verify: proves that what is in the source is in the log, in the raw files and in the stage
 * tables, each event once.
 *
 * Each station is asked in its own protocol.  The log is folded here: of each key the latest event
 * stands, a delete takes the key away; lake/build folds raw files and stage tables the same way.
 */
#include "face/cli/verify.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "face/stream/stream.h"
#include "lake/build/build.h"

/* ------------------------------------------------------- folding the log */

struct fold {
    struct stream *stream;
    const char *topic;
    struct map live; /* key bytes -> (void *)1 while the row stands */
    struct map said; /* key, lsn, op -> (void *)1: what was said already */
    int64_t events, repeated, keyless;
};

struct event {
    char op;
    int64_t lsn; /* -1: none */
};

static struct str read_branch(struct avro_reader *reader, const struct avro_schema *schema, int64_t *number)
{
    while (schema->type == AVRO_UNION)
        schema = schema->branches[avro_read_union(reader, schema)];
    if (schema->type == AVRO_STRING)
        return avro_read_bytes(reader);
    if (schema->type == AVRO_LONG || schema->type == AVRO_INT)
        *number = avro_read_long(reader);
    else
        avro_skip(reader, schema);
    return (struct str){ 0 };
}

static void read_source(struct avro_reader *reader, const struct avro_schema *source, struct event *out)
{
    for (size_t i = 0; source->type == AVRO_RECORD && i < source->field_count; i++) {
        if (str_is(source->fields[i].name, "lsn"))
            read_branch(reader, source->fields[i].type, &out->lsn);
        else
            avro_skip(reader, source->fields[i].type);
    }
}

static enum rc read_avro_event(struct stream *stream, uint32_t id, struct str payload, struct event *out,
                               struct err *err)
{
    const struct avro_schema *schema = NULL;
    struct avro_reader reader = avro_reader_of(payload);
    enum rc rc = stream_schema(stream, id, &schema, err);

    for (size_t i = 0; !rc && schema->type == AVRO_RECORD && i < schema->field_count; i++) {
        const struct avro_field *field = &schema->fields[i];
        if (str_is(field->name, "op")) {
            struct str op = read_branch(&reader, field->type, &(int64_t){ 0 });
            out->op = op.len ? op.p[0] : 0;
        } else if (str_is(field->name, "source")) {
            read_source(&reader, field->type, out);
        } else {
            avro_skip(&reader, field->type);
        }
    }
    return rc ? rc : avro_reader_check(&reader, "event", err);
}

static enum rc read_json_event(struct str bytes, struct event *out, struct err *err)
{
    json_t *root = json_loadb(bytes.p, bytes.len, 0, NULL);
    json_t *payload = json_object_get(root, "payload") ? json_object_get(root, "payload") : root;
    const char *op = json_string_value(json_object_get(payload, "op"));
    json_t *lsn = json_object_get(json_object_get(payload, "source"), "lsn");

    if (op)
        *out = (struct event){ op[0], json_is_integer(lsn) ? json_integer_value(lsn) : -1 };
    json_decref(root);
    return op ? RC_OK
              : err_set(err, RC_BAD_INPUT, "the value is neither Avro of the registry's nor a JSON change event");
}

static void fold_event(struct fold *fold, struct str key, const struct event *event)
{
    CLEANUP(buf_free) struct buf said = { 0 };

    /* a snapshot's second telling has another lsn: that the row was read is what it repeats */
    buf_printf(&said, "%c%lld:", event->op, event->op == 'r' ? 0LL : (long long)event->lsn);
    buf_put_str(&said, key);
    if (map_put(&fold->said, buf_str(&said), (void *)1))
        fold->repeated++;
    if (event->op == 'd')
        map_remove(&fold->live, key);
    else if (event->op == 'c' || event->op == 'u' || event->op == 'r')
        map_put(&fold->live, key, (void *)1);
}

static enum rc on_record(void *user, const rd_kafka_message_t *record, struct err *err)
{
    struct fold *fold = user;
    struct event event = { .lsn = -1 };
    struct str value = str_n(record->payload, record->len), key = str_n(record->key, record->key_len), payload = { 0 };
    uint32_t id = 0;

    fold->events++;
    if (!value.p)
        return RC_OK; /* a tombstone says nothing that its delete did not */
    enum rc rc = stream_is_avro(value, &id, &payload) ? read_avro_event(fold->stream, id, payload, &event, err)
                                                      : read_json_event(value, &event, err);
    if (rc)
        return err_wrap(err, "cannot read '%s-%d' at offset %lld", fold->topic, (int)record->partition,
                        (long long)record->offset);
    if (stream_is_avro(key, &id, &payload))
        key = payload; /* another version of the key's schema is still the same key */
    if (key.p)
        fold_event(fold, key, &event);
    else
        fold->keyless += event.op == 'd' ? -1 : 1;
    return RC_OK;
}

static enum rc fold_topic(struct stream *stream, const char *name, struct verify_row *row, struct err *err)
{
    struct fold fold = { .stream = stream, .topic = name };
    struct stream_topic *topic = NULL;
    size_t count = 0;
    enum rc rc = stream_topics(stream, name, &topic, &count, err);

    if (rc == RC_NOT_FOUND)
        return RC_OK; /* nothing has come yet */
    if (!rc)
        rc = stream_read(stream, topic, false, on_record, &fold, err);
    stream_topics_free(topic, count);
    row->log = (int64_t)fold.live.count + fold.keyless;
    row->log_events = fold.events;
    row->repeated = fold.repeated;
    map_free(&fold.live, NULL);
    map_free(&fold.said, NULL);
    return rc;
}

/* --------------------------------------------------------------- stations */

/* topic.prefix of the PostgreSQL connector that is registered; "storefront" when there is none */
static char *topic_prefix(const struct house *house)
{
    struct http_answer answer = { 0 };
    json_t *one = NULL;
    const char *name = NULL;
    char *prefix = NULL;

    if (command_http(house, "connect", "GET", "/connectors?expand=info", NULL, &answer, NULL))
        return mem_strdup("storefront");
    json_t *root = json_loadb(buf_cstr(&answer.body), answer.body.len, 0, NULL);
    json_object_foreach(root, name, one) {
        json_t *config = json_object_get(json_object_get(one, "info"), "config");
        const char *found = json_string_value(json_object_get(config, "topic.prefix"));
        if (found && !prefix)
            prefix = mem_strdup(found);
    }
    json_decref(root);
    http_answer_free(&answer);
    return prefix ? prefix : mem_strdup("storefront");
}

static enum rc count_source(const struct house *house, struct verify_row *rows, size_t count, struct err *err)
{
    struct station station = { 0 };
    CLEANUP(pg_close) PGconn *conn = NULL;

    command_station(house, "postgres", &station);
    enum rc rc = pg_open(&station, NULL, &conn, err);
    house_station_free(&station);
    for (size_t i = 0; !rc && i < count; i++) {
        CLEANUP(pg_clear) PGresult *result = NULL;
        char *quoted = PQescapeIdentifier(conn, rows[i].table, strlen(rows[i].table));
        CLEANUP_FREE char *sql = mem_printf("SELECT count(*) FROM public.%s", quoted);
        PQfreemem(quoted);
        rc = pg_query(conn, sql, NULL, 0, &result, err);
        if (!rc)
            rows[i].source = atoll(PQgetvalue(result, 0, 0));
    }
    return rc ? err_wrap(err, "cannot count the source's rows") : RC_OK;
}

static enum rc fold_log(const struct house *house, struct verify_row *rows, size_t count, struct err *err)
{
    CLEANUP_FREE char *prefix = topic_prefix(house);
    CLEANUP(house_station_free) struct station station = { 0 };
    CLEANUP(stream_close) struct stream stream = { 0 };

    command_station(house, "log", &station);
    enum rc rc = stream_open(&station, &stream, err);

    for (size_t i = 0; !rc && i < count; i++) {
        CLEANUP_FREE char *topic = mem_printf("%s.public.%s", prefix, rows[i].table);
        rc = fold_topic(&stream, topic, &rows[i], err);
    }
    return rc;
}

static void note_others(const struct build_check *check, struct buf *out)
{
    const struct {
        int64_t rows;
        const char *what;
    } kinds[] = { { check->stage_doubled, "tell an event that another row tells too" },
                  { check->stage_foreign, "tell no event and are not counted" } };

    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        if (!kinds[i].rows)
            continue;
        buf_printf(out, "%s%lld rows %s", out->len ? "; " : "", (long long)kinds[i].rows, kinds[i].what);
        if (check->foreign_append)
            buf_printf(out, ", rows were last added by %s", check->foreign_append);
    }
}

/* What the lake knows of a difference between raw files and table. */
static char *note_stage(const struct build_check *check)
{
    int64_t absent = check->raw_distinct - check->raw_filtered - check->stage_distinct;
    int64_t lost = MAX(absent - check->stage_waiting, (int64_t)0);
    const char *by = check->foreign_change;
    CLEANUP(buf_free) struct buf out = { 0 };

    if (!check->exists)
        return mem_strdup(check->raw_distinct ? "no table yet: run 'haus build'" : "");
    if (check->stage_waiting)
        buf_printf(&out, "%lld events wait for 'haus build'", (long long)check->stage_waiting);
    if (absent < 0)
        buf_printf(&out, "%s%lld events are in the table but in no raw file", out.len ? "; " : "", (long long)-absent);
    if (lost)
        buf_printf(&out, "%s%lld events that a build wrote are no longer in the table", out.len ? "; " : "",
                   (long long)lost);
    if (by && lost)
        buf_printf(&out, ", rows were taken out by %s", by);
    else if (by)
        buf_printf(&out, "%s%s rewrote rows: counts agree, values may not", out.len ? "; " : "", by);
    note_others(check, &out);
    return mem_strdup(buf_cstr(&out));
}

static enum rc read_lake(const struct house *house, struct verify_row **rows, size_t *count, struct err *err)
{
    struct station station = { 0 };
    struct build_check *checks = NULL;
    size_t n = 0;

    command_station(house, "store", &station);
    enum rc rc = build_verify(&station, NULL, &checks, &n, err);
    house_station_free(&station);
    if (rc)
        return rc;
    *rows = NEW_ARRAY(struct verify_row, n);
    *count = n;
    for (size_t i = 0; i < n; i++)
        (*rows)[i] = (struct verify_row){
            .table = mem_strdup(checks[i].table),
            .raw = checks[i].raw_rows,
            .raw_events = checks[i].raw_distinct,
            .stage = checks[i].current_rows,
            .stage_events = checks[i].stage_distinct + checks[i].raw_filtered,
            .doubled = checks[i].stage_doubled,
            .note = note_stage(&checks[i]),
        };
    build_checks_free(checks, n);
    return RC_OK;
}

/* And of the stations before it. */
static void note_streams(struct verify_row *row)
{
    char *rest = row->note;

    if (row->source == row->log && row->log == row->raw)
        return;
    if (row->log != row->raw)
        row->note = mem_printf(
            "the log holds %lld rows, the raw files %lld: %s%s%s", (long long)row->log, (long long)row->raw,
            row->raw_events < row->log_events ? "the sink has not written all yet" : "the log no longer holds all",
            *rest ? "; " : "", rest);
    else
        row->note = mem_printf("the source holds %lld rows, the log %lld: changes are on their way, or the connector "
                               "stopped%s%s",
                               (long long)row->source, (long long)row->log, *rest ? "; " : "", rest);
    free(rest);
}

void verify_free(struct verify_row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        free(rows[i].table);
        free(rows[i].note);
    }
    free(rows);
}

enum rc verify_run(const struct house *house, struct verify_row **rows, size_t *count, struct err *err)
{
    struct verify_row *found = NULL;
    size_t n = 0;
    enum rc rc = read_lake(house, &found, &n, err);

    if (!rc)
        rc = fold_log(house, found, n, err);
    if (!rc)
        rc = count_source(house, found, n, err);
    if (rc) {
        verify_free(found, n);
        return rc;
    }
    for (size_t i = 0; i < n; i++) {
        struct verify_row *row = &found[i];
        note_streams(row);
        row->equal = row->source == row->log && row->log == row->raw && row->raw == row->stage &&
                     row->raw_events == row->stage_events && !row->doubled;
    }
    *rows = found;
    *count = n;
    return RC_OK;
}

/* --------------------------------------------------------------- command */

void verify_print(const struct verify_row *rows, size_t count)
{
    static const struct listing_column columns[] = {
        { "table", false },     { "source", true },       { "log", true },      { "raw", true },
        { "stage", true },      { "equal", true },        { "repeated", true }, { "log_events", true },
        { "raw_events", true }, { "stage_events", true }, { "note", false }
    };
    struct listing listing = { columns, ARRAY_LEN(columns), NULL, 0 };

    for (size_t i = 0; i < count; i++) {
        const int64_t numbers[] = { rows[i].source,   rows[i].log,        rows[i].raw,        rows[i].stage,
                                    rows[i].repeated, rows[i].log_events, rows[i].raw_events, rows[i].stage_events };
        char text[ARRAY_LEN(numbers)][24];
        for (size_t k = 0; k < ARRAY_LEN(numbers); k++)
            snprintf(text[k], sizeof text[k], "%lld", (long long)numbers[k]);
        listing_add(&listing, rows[i].table, text[0], text[1], text[2], text[3], rows[i].equal ? "true" : "false",
                    text[4], text[5], text[6], text[7], rows[i].note);
    }
    listing_print(&listing);
}

static enum exit_code verify(struct house *house, int argc, char **argv)
{
    static const char *const needed[] = { "postgres", "log", "registry", "store" };
    struct verify_row *rows = NULL;
    struct err err = { 0 };
    size_t count = 0;
    bool equal = true;

    (void)argc, (void)argv;
    for (size_t i = 0; i < ARRAY_LEN(needed); i++) {
        enum exit_code code = command_needs(house, needed[i]);
        if (code)
            return code;
    }
    if (verify_run(house, &rows, &count, &err))
        return fail_err(&err);
    verify_print(rows, count);
    for (size_t i = 0; i < count; i++)
        equal &= rows[i].equal;
    verify_free(rows, count);
    return equal ? EXIT_DONE : EXIT_FAILED;
}

const struct command command_verify = {
    .name = "verify",
    .summary = "prove that source = log = raw = stage, each event once",
    .details =
        "source counts rows; log, raw and stage fold the change events there: of each key the latest stands,\n"
        "deletes applied.  repeated counts events that say again what an earlier one said: a snapshot that was\n"
        "killed begins anew and repeats its rows.  note says why a table is not equal, and which snapshot of another\n"
        "engine took, rewrote or added rows of it.  Exit code 1 when a table is not equal (or not yet: events on\n"
        "their way, a build not run).",
    .lists = true,
    .run = verify,
};
