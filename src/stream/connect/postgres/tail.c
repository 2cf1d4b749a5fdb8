/* Places of records; see tail.h. */
#include "stream/connect/postgres/tail.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "stream/connect/postgres/replay.h"

/* ------------------------------------------------------------------ parts */

static bool to_u64(struct str text, uint64_t *out)
{
    int64_t number = 0;
    bool fine = str_to_i64(text, INT64_MIN, INT64_MAX, &number);

    *out = (uint64_t)number;
    return fine;
}

/* ["123","456"] or [null,"456"]: the first. */
static void take_sequence(struct str text, struct tail_record *out)
{
    struct str rest = str_skip(text, 2), first = { 0 };

    if (text.len > 2 && str_starts(text, "[\"") && str_cut(&rest, '"', &first))
        out->has_commit = to_u64(first, &out->commit);
}

static void take_op(struct str op, struct tail_record *out)
{
    out->kind = op.len == 1 ? op.p[0] : '\0';
}

/* "780:25970296" */
static void take_boundary(struct str status, struct str id, struct tail_record *out)
{
    struct str rest = id, xid = { 0 };

    out->kind = str_is(status, "BEGIN") ? REPLAY_BEGIN : str_is(status, "END") ? REPLAY_END : '\0';
    if (str_cut(&rest, ':', &xid) && rest.p)
        out->has_tx = str_to_i64(xid, 0, INT64_MAX, &out->tx), out->has_lsn = to_u64(rest, &out->lsn);
}

/* ------------------------------------------------------------------ Avro */

static void free_document(void *document)
{
    avro_document_free(document);
}

void tail_schemas_free(struct tail_schemas *schemas)
{
    map_free(&schemas->documents, free_document);
    *schemas = (struct tail_schemas){ 0 };
}

static const struct avro_schema *schema_of(struct tail_schemas *schemas, const struct converter_data *data)
{
    struct avro_document *document = NULL;
    char id[16];

    snprintf(id, sizeof id, "%" PRIu32, data->schema_id);
    document = map_get(&schemas->documents, str_of(id));
    if (!document && avro_schema_parse(data->schema, &document, NULL) == RC_OK)
        map_put(&schemas->documents, str_of(id), document);
    return document ? avro_root(document) : NULL;
}

/* The value's own schema after the branch of a union was read; NULL: it is null. */
static const struct avro_schema *enter(struct avro_reader *r, const struct avro_schema *schema)
{
    if (schema->type == AVRO_UNION) {
        if (schema->branch_count == 0)
            return NULL;
        schema = schema->branches[avro_read_union(r, schema)];
    }
    return schema->type == AVRO_NULL ? NULL : schema;
}

static struct str read_text(struct avro_reader *r, const struct avro_schema *schema)
{
    const struct avro_schema *inner = enter(r, schema);

    if (inner && inner->type == AVRO_STRING)
        return avro_read_bytes(r);
    if (inner)
        avro_skip(r, inner);
    return str_n("", 0);
}

static bool read_long(struct avro_reader *r, const struct avro_schema *schema, int64_t *out)
{
    const struct avro_schema *inner = enter(r, schema);

    if (inner && inner->type == AVRO_LONG) {
        *out = avro_read_long(r);
        return true;
    }
    if (inner)
        avro_skip(r, inner);
    return false;
}

static void read_source(struct avro_reader *r, const struct avro_schema *schema, struct tail_record *out)
{
    const struct avro_schema *record = enter(r, schema);
    int64_t lsn = 0;

    if (!record || record->type != AVRO_RECORD) {
        if (record)
            avro_skip(r, record);
        return;
    }
    for (size_t i = 0; i < record->field_count; i++) {
        const struct avro_field *f = &record->fields[i];
        if (str_is(f->name, "lsn")) {
            out->has_lsn = read_long(r, f->type, &lsn);
            out->lsn = (uint64_t)lsn;
        } else if (str_is(f->name, "txId")) {
            out->has_tx = read_long(r, f->type, &out->tx);
        } else if (str_is(f->name, "sequence")) {
            take_sequence(read_text(r, f->type), out);
        } else {
            avro_skip(r, f->type);
        }
    }
}

bool tail_read_avro(struct tail_schemas *schemas, const struct converter_data *data, struct tail_record *out)
{
    const struct avro_schema *root = schema_of(schemas, data);
    struct avro_reader r = avro_reader_of(data->payload);
    struct str status = { 0 }, id = { 0 };

    *out = (struct tail_record){ 0 };
    if (!root || root->type != AVRO_RECORD)
        return false;
    for (size_t i = 0; i < root->field_count && !avro_reader_failed(&r); i++) {
        const struct avro_field *f = &root->fields[i];
        if (str_is(f->name, "source"))
            read_source(&r, f->type, out);
        else if (str_is(f->name, "op"))
            take_op(read_text(&r, f->type), out);
        else if (str_is(f->name, "status"))
            status = read_text(&r, f->type);
        else if (str_is(f->name, "id") && status.len)
            id = read_text(&r, f->type);
        else
            avro_skip(&r, f->type);
    }
    if (status.len && !out->kind)
        take_boundary(status, id, out);
    return !avro_reader_failed(&r) && out->kind && out->has_lsn;
}

/* ------------------------------------------------------------------ JSON */

static struct str text_at(const json_t *object, const char *name)
{
    const json_t *value = json_object_get(object, name);

    return json_is_string(value) ? str_n(json_string_value(value), json_string_length(value)) : str_n("", 0);
}

bool tail_read_json(const json_t *payload, struct tail_record *out)
{
    const json_t *source = json_object_get(payload, "source");
    const json_t *lsn = json_object_get(source, "lsn"), *tx = json_object_get(source, "txId");

    *out = (struct tail_record){ 0 };
    if (!source) {
        take_boundary(text_at(payload, "status"), text_at(payload, "id"), out);
        return out->kind && out->has_lsn;
    }
    take_op(text_at(payload, "op"), out);
    take_sequence(text_at(source, "sequence"), out);
    out->has_lsn = json_is_integer(lsn);
    out->lsn = (uint64_t)json_integer_value(lsn);
    out->has_tx = json_is_integer(tx);
    out->tx = json_integer_value(tx);
    return out->kind && out->has_lsn;
}

/* ------------------------------------------------------------------ order */

bool tail_is_after(const struct tail_record *record, const struct position *position)
{
    bool same = record->has_tx && position->has_tx && record->tx == position->tx_id && !position->snapshot;

    if (record->kind == 'r')
        return false;
    if (same || !record->has_commit || position->snapshot)
        return record->lsn >= position->lsn || (record->has_commit && record->commit >= position->lsn);
    return record->commit >= (position->has_lsn_commit ? position->lsn_commit : position->lsn);
}
