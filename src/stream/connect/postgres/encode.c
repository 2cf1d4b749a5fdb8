/*
 * Runs an event program: a row and a source block to the bytes of key and value; see event.h.  The same
 * columns are walked for Avro and for JSON; only the writers differ.  Nothing is allocated per event but
 * what the caller's buffers and the program's work buffers grow by, and they keep their size.
 */
#include <string.h>

#include "stream/connect/data/text.h"
#include "stream/connect/postgres/program.h"

enum { SEQUENCE_MAX = 64, SHOWN_VALUE_MAX = 120 };

/* ---------------------------------------------------------------------- rows */

static const char *put_converted(const struct program_row *row, const struct program_column *column, struct str text,
                                 struct value_work *work, struct buf *out)
{
    struct value value;
    const char *why = column->type->convert(column->type, text, work, &value);

    if (why)
        return why;
    if (row->kind == CONVERTER_AVRO) {
        if (column->branch != NO_BRANCH)
            put_varint(out, column->branch);
        return write_avro(column->type, &value, work, out);
    }
    return write_json(column->type, &value, row->decimal_numeric, work, out);
}

static const char *put_column(const struct program_row *row, const struct program_column *column,
                              const struct pg_value *value, const struct pg_value *old, struct value_work *work,
                              struct buf *out)
{
    if (value->kind == PG_VALUE_UNCHANGED && old && old->kind == PG_VALUE_TEXT)
        value = old; /* replica identity full: the old row has it */
    switch (value->kind) {
    case PG_VALUE_TEXT:
        return put_converted(row, column, value->bytes, work, out);
    case PG_VALUE_UNCHANGED:
        put_bytes(out, column->unchanged.data, column->unchanged.len);
        return column->has_unchanged ? NULL
                                     : "an unchanged toasted value, for which nothing can stand in a NOT NULL "
                                       "column of this type; set REPLICA IDENTITY FULL on the table";
    case PG_VALUE_NULL:
        put_bytes(out, column->null.data, column->null.len);
        return NULL;
    default:
        return "binary, which was not asked for";
    }
}

/* What identifies the row to a person: its key as JSON-like text. */
static void describe_row(const struct event_program *program, const struct pg_value *values, struct buf *out)
{
    if (program->key_count == 0)
        buf_puts(out, "without a key");
    for (size_t i = 0; i < program->key_count; i++) {
        const struct pg_value *value = &values[program->key[i]];
        buf_printf(out, "%s%s=%.*s", i ? ", " : "", program->column_names[program->key[i]],
                   (int)MIN(value->bytes.len, (size_t)SHOWN_VALUE_MAX),
                   value->kind == PG_VALUE_TEXT && value->bytes.p ? value->bytes.p : "?");
    }
}

static enum rc column_error(const struct event_program *program, const struct program_column *column,
                            const struct pg_value *values, const char *why, struct err *err)
{
    CLEANUP(buf_free) struct buf row = { 0 };
    const struct pg_value *value = &values[column->at];
    bool is_text = value->kind == PG_VALUE_TEXT;

    describe_row(program, values, &row);
    if (is_text)
        buf_printf(&row, ", value '%.*s'", (int)MIN(value->bytes.len, (size_t)SHOWN_VALUE_MAX), value->bytes.p);
    return err_set(err, RC_BAD_INPUT,
                   "cannot convert column '%s' of '%s.%s', row %s: %s; correct it, leave the column out with "
                   "column.exclude.list, or set event.converting.failure.handling.mode to warn",
                   program->column_names[column->at], program->schema, program->table, buf_cstr(&row), why);
}

/* A value that cannot be converted: an error, or by choice what stands for null. */
static enum rc column_failed(const struct event_program *program, const struct program_column *column,
                             const struct pg_value *values, const char *why, struct buf *out, struct err *err)
{
    static struct log_rate rate;
    unsigned suppressed = 0;
    struct err words = { 0 };

    if (program->options->failure == FAILURE_FAIL)
        return column_error(program, column, values, why, err);
    if (program->options->failure == FAILURE_WARN && log_allow(&rate, 10, &suppressed)) {
        column_error(program, column, values, why, &words);
        log_warn("value replaced by null", "cause=%s", words.text);
    }
    put_bytes(out, column->null.data, column->null.len);
    return RC_OK;
}

static enum rc put_columns(struct event_program *program, const struct program_row *row, const struct pg_value *values,
                           const struct pg_value *old, struct buf *out, struct err *err)
{
    bool json = row->kind == CONVERTER_JSON;

    for (size_t i = 0; i < row->column_count; i++) {
        const struct program_column *column = &row->columns[i];
        if (json && i)
            buf_putc(out, ',');
        if (json)
            put_bytes(out, column->name.data, column->name.len);
        size_t start = out->len;
        const char *why =
            put_column(row, column, &values[column->at], old ? &old[column->at] : NULL, &program->work, out);
        if (!why)
            continue;
        out->len = start;
        enum rc rc = column_failed(program, column, values, why, out, err);
        if (rc)
            return rc;
    }
    return RC_OK;
}

/* A row where the envelope may have none. */
static enum rc put_row(struct event_program *program, const struct pg_value *values, const struct pg_value *old,
                       struct buf *out, struct err *err)
{
    const struct program_row *row = &program->value_side.row;
    bool json = row->kind == CONVERTER_JSON;

    if (!values) {
        buf_append(out, json ? "null" : "\0", json ? 4 : 1);
        return RC_OK;
    }
    if (json)
        buf_putc(out, '{');
    else
        put_varint(out, 1);
    enum rc rc = put_columns(program, row, values, old, out, err);
    if (json)
        buf_putc(out, '}');
    return rc;
}

/* ------------------------------------------------------------ source block */

static struct str snapshot_text(enum event_snapshot snapshot)
{
    static const char *const texts[] = {
        [EVENT_SNAPSHOT_FIRST] = "first", [EVENT_SNAPSHOT_FIRST_OF_TABLE] = "first_in_data_collection",
        [EVENT_SNAPSHOT_TRUE] = "true",   [EVENT_SNAPSHOT_LAST_OF_TABLE] = "last_in_data_collection",
        [EVENT_SNAPSHOT_LAST] = "last",
    };
    return str_of(texts[snapshot]);
}

static char *put_number(char *p, uint64_t v)
{
    char digits[20];
    size_t n = 0;

    do
        digits[n++] = (char)('0' + v % 10);
    while (v /= 10);
    while (n)
        *p++ = digits[--n];
    return p;
}

/* ["22268800","22268912"] or [null,"22268912"] */
static struct str sequence_text(const struct event_source *source, char room[static SEQUENCE_MAX])
{
    char *p = room;

    *p++ = '[';
    if (source->has_last_commit) {
        *p++ = '"';
        p = put_number(p, source->last_commit_lsn);
        *p++ = '"';
    } else {
        memcpy(p, "null", 4);
        p += 4;
    }
    memcpy(p, ",\"", 2);
    p = put_number(p + 2, source->lsn);
    memcpy(p, "\"]", 2);
    return str_n(room, (size_t)(p + 2 - room));
}

static void avro_optional_long(struct buf *out, bool present, int64_t v)
{
    put_varint(out, present);
    if (present)
        put_varint(out, v);
}

static void put_buf(struct buf *out, const struct buf *part)
{
    put_bytes(out, part->data, part->len);
}

static void avro_source(const struct event_program *program, const struct event_source *source, struct buf *out)
{
    char room[SEQUENCE_MAX];

    put_buf(out, &program->source_head);
    put_varint(out, source->ts_ms);
    if (source->snapshot == EVENT_STREAMING) {
        put_buf(out, &program->default_snapshot);
    } else {
        put_varint(out, 0);
        put_str(out, snapshot_text(source->snapshot));
    }
    put_buf(out, &program->source_db);
    put_varint(out, 1);
    put_str(out, sequence_text(source, room));
    put_buf(out, &program->source_table);
    avro_optional_long(out, source->has_tx_id, source->tx_id);
    avro_optional_long(out, true, (int64_t)source->lsn);
    avro_optional_long(out, source->has_xmin, source->xmin);
}

static void avro_tail(const struct event_source *source, enum event_op op, struct buf *out)
{
    uint8_t op_bytes[2] = { 2, (uint8_t)op };

    put_bytes(out, op_bytes, sizeof op_bytes);
    avro_optional_long(out, true, source->now_ms);
    put_varint(out, source->transaction != NULL);
    if (!source->transaction)
        return;
    put_str(out, source->transaction->id);
    put_varint(out, source->transaction->total_order);
    put_varint(out, source->transaction->collection_order);
}

static void json_optional_long(struct buf *out, const char *name, bool present, int64_t v)
{
    buf_puts(out, name);
    if (present)
        text_int(out, v);
    else
        buf_puts(out, "null");
}

static void json_source(const struct event_program *program, const struct event_source *source, struct buf *out)
{
    char room[SEQUENCE_MAX];

    put_buf(out, &program->source_head);
    text_int(out, source->ts_ms);
    buf_puts(out, ",\"snapshot\":");
    if (source->snapshot == EVENT_STREAMING)
        put_buf(out, &program->default_snapshot);
    else
        text_json_string(out, snapshot_text(source->snapshot));
    put_buf(out, &program->source_db);
    buf_puts(out, ",\"sequence\":");
    text_json_string(out, sequence_text(source, room));
    put_buf(out, &program->source_table);
    json_optional_long(out, ",\"txId\":", source->has_tx_id, source->tx_id);
    json_optional_long(out, ",\"lsn\":", true, (int64_t)source->lsn);
    json_optional_long(out, ",\"xmin\":", source->has_xmin, source->xmin);
    buf_putc(out, '}');
}

static void json_tail(const struct event_source *source, enum event_op op, struct buf *out)
{
    const struct event_transaction *transaction = source->transaction;

    buf_puts(out, ",\"op\":\"");
    buf_putc(out, (char)op);
    buf_puts(out, "\",\"ts_ms\":");
    text_int(out, source->now_ms);
    buf_puts(out, ",\"transaction\":");
    if (!transaction) {
        buf_puts(out, "null}");
        return;
    }
    buf_puts(out, "{\"id\":");
    text_json_string(out, transaction->id);
    json_optional_long(out, ",\"total_order\":", true, transaction->total_order);
    json_optional_long(out, ",\"data_collection_order\":", true, transaction->collection_order);
    buf_puts(out, "}}");
}

/* ------------------------------------------------------------------- events */

static enum rc put_envelope(struct event_program *program, enum event_op op, const struct pg_value *before,
                            const struct pg_value *after, const struct pg_value *old, const struct event_source *source,
                            struct buf *out, struct err *err)
{
    bool json = program->value_side.kind == CONVERTER_JSON;

    put_buf(out, &program->value_side.header);
    if (json)
        buf_puts(out, "{\"before\":");
    enum rc rc = put_row(program, before, NULL, out, err);
    if (!rc && json)
        buf_puts(out, ",\"after\":");
    if (!rc)
        rc = put_row(program, after, old, out, err);
    if (rc)
        return rc;
    if (json) {
        buf_puts(out, ",\"source\":");
        json_source(program, source, out);
        json_tail(source, op, out);
        if (program->value_side.closes_brace)
            buf_putc(out, '}');
    } else {
        avro_source(program, source, out);
        avro_tail(source, op, out);
    }
    return RC_OK;
}

/* The fast writers leave the terminator out; it is put here, once. */
static enum rc check_room(const struct buf *out, const struct event_program *program, struct err *err)
{
    if (!buf_failed(out)) {
        if (out->data)
            out->data[out->len] = '\0';
        return RC_OK;
    }
    return err_set(err, RC_FULL, "cannot make an event of table '%s.%s': it is larger than %zu bytes", program->schema,
                   program->table, out->max ? out->max : (size_t)BUF_DEFAULT_MAX);
}

static void undo(struct buf *out, size_t len)
{
    out->len = len;
    out->failed = false;
    if (out->data)
        out->data[len] = '\0';
}

static enum rc put_key(struct event_program *program, const struct pg_value *row, const struct pg_value *old,
                       struct buf *key, struct err *err)
{
    struct program_side *side = &program->key_side;
    size_t start = key->len;
    bool json = side->kind == CONVERTER_JSON;

    if (program->key_count == 0 || !row)
        return RC_OK;
    enum rc rc = program_side_open(side, str_of(program->topic), err);
    if (rc)
        return rc;
    put_buf(key, &side->header);
    if (json)
        buf_putc(key, '{');
    rc = put_columns(program, &side->row, row, old, key, err);
    if (json)
        buf_puts(key, side->closes_brace ? "}}" : "}");
    if (!rc)
        rc = check_room(key, program, err);
    if (rc)
        undo(key, start);
    return rc;
}

enum rc event_encode(struct event_program *program, enum event_op op, const struct pg_value *before,
                     const struct pg_value *after, const struct event_source *source, struct buf *key,
                     struct buf *value, struct err *err)
{
    size_t key_start = key->len, value_start = value->len;
    const struct pg_value *shown_before = op == EVENT_UPDATE || op == EVENT_DELETE ? before : NULL;
    const struct pg_value *shown_after = op == EVENT_DELETE || op == EVENT_TRUNCATE ? NULL : after;

    if (op == EVENT_TRUNCATE)
        shown_before = NULL;
    enum rc rc = op == EVENT_TRUNCATE ? RC_OK : put_key(program, shown_after ? after : before, before, key, err);
    if (!rc)
        rc = program_side_open(&program->value_side, str_of(program->topic), err);
    if (!rc)
        rc = put_envelope(program, op, shown_before, shown_after, before, source, value, err);
    if (!rc)
        rc = check_room(value, program, err);
    if (rc) {
        undo(key, key_start);
        undo(value, value_start);
    }
    return rc;
}

enum rc event_encode_key(struct event_program *program, const struct pg_value *row, struct buf *key, struct err *err)
{
    return put_key(program, row, NULL, key, err);
}

enum rc event_encode_key_header(struct event_program *program, const struct pg_value *row, struct buf *text,
                                struct err *err)
{
    size_t start = text->len;

    buf_putc(text, '{');
    enum rc rc = put_columns(program, &program->header, row, NULL, text, err);
    buf_putc(text, '}');
    if (!rc)
        rc = check_room(text, program, err);
    if (rc)
        undo(text, start);
    return rc;
}

/* ---------------------------------------------------------------- comparison */

static bool values_differ(const struct pg_value *a, const struct pg_value *b)
{
    if (a->kind == PG_VALUE_UNCHANGED || b->kind == PG_VALUE_UNCHANGED)
        return false;
    return a->kind != b->kind || (a->kind == PG_VALUE_TEXT && !str_eq(a->bytes, b->bytes));
}

bool event_key_differs(const struct event_program *program, const struct pg_value *before, const struct pg_value *after)
{
    for (size_t i = 0; before && i < program->key_count; i++)
        if (values_differ(&before[program->key[i]], &after[program->key[i]]))
            return true;
    return false;
}

bool event_row_differs(const struct event_program *program, const struct pg_value *before, const struct pg_value *after)
{
    for (size_t i = 0; i < program->column_count; i++)
        if (!before || (program->is_included[i] && values_differ(&before[i], &after[i])))
            return true;
    return false;
}
