/* pgoutput's messages; see pgoutput.h.  One reader per kind, found by its letter in a table. */
#include "wire/pg/pgoutput.h"

#include <stdlib.h>

#include "wire/pg/reader.h"

static void room_for(void **at, size_t *cap, size_t count, size_t size)
{
    if (count <= *cap)
        return;
    *cap = MAX(count, *cap * 2);
    *at = mem_grow(*at, *cap, size);
}

static void read_tuple(struct reader *r, struct pg_value **values, size_t *cap, struct pg_tuple *out)
{
    size_t count = read_uint(r, 2);

    if (count > PGOUTPUT_COLUMNS_MAX)
        r->failed = true;
    if (r->failed)
        return;
    room_for((void **)values, cap, MAX(count, (size_t)1), sizeof **values);
    for (size_t i = 0; i < count && !r->failed; i++) {
        char kind = (char)read_uint(r, 1);
        struct pg_value *value = &(*values)[i];
        *value = (struct pg_value){ .kind = (enum pg_value_kind)kind };
        if (kind == PG_VALUE_TEXT || kind == PG_VALUE_BINARY)
            value->bytes = read_bytes(r, read_uint(r, 4));
        else if (kind != PG_VALUE_NULL && kind != PG_VALUE_UNCHANGED)
            r->failed = true;
    }
    *out = (struct pg_tuple){ .count = count, .values = *values };
}

static void read_begin(struct pgoutput_decoder *d, struct reader *r, struct pgoutput_message *out)
{
    (void)d;
    out->lsn = read_uint(r, 8);
    out->commit_us = pg_time_to_unix_us((int64_t)read_uint(r, 8));
    out->xid = (uint32_t)read_uint(r, 4);
}

static void read_commit(struct pgoutput_decoder *d, struct reader *r, struct pgoutput_message *out)
{
    (void)d;
    read_uint(r, 1); /* flags, none defined */
    out->commit_lsn = read_uint(r, 8);
    out->lsn = read_uint(r, 8);
    out->commit_us = pg_time_to_unix_us((int64_t)read_uint(r, 8));
}

static void read_origin(struct pgoutput_decoder *d, struct reader *r, struct pgoutput_message *out)
{
    (void)d;
    out->lsn = read_uint(r, 8);
    out->prefix = read_cstr(r);
}

static void read_relation(struct pgoutput_decoder *d, struct reader *r, struct pgoutput_message *out)
{
    struct pg_relation *relation = &out->relation;

    relation->id = (uint32_t)read_uint(r, 4);
    relation->schema = read_cstr(r);
    relation->table = read_cstr(r);
    relation->replica_identity = (char)read_uint(r, 1);
    relation->column_count = read_uint(r, 2);
    if (relation->column_count > PGOUTPUT_COLUMNS_MAX)
        r->failed = true;
    if (r->failed)
        return;
    room_for((void **)&d->columns, &d->columns_cap, MAX(relation->column_count, (size_t)1), sizeof *d->columns);
    for (size_t i = 0; i < relation->column_count; i++) {
        struct pg_column *column = &d->columns[i];
        column->in_key = (read_uint(r, 1) & 1) != 0;
        column->name = read_cstr(r);
        column->type_oid = (uint32_t)read_uint(r, 4);
        column->typmod = (int32_t)(uint32_t)read_uint(r, 4);
    }
    relation->columns = d->columns;
}

static void read_type(struct pgoutput_decoder *d, struct reader *r, struct pgoutput_message *out)
{
    (void)d;
    out->relation.id = (uint32_t)read_uint(r, 4);
    out->relation.schema = read_cstr(r);
    out->relation.table = read_cstr(r);
}

static void read_old(struct pgoutput_decoder *d, struct reader *r, struct pgoutput_message *out)
{
    out->old_is_key = r->rest.p[-1] == 'K';
    read_tuple(r, &d->old_values, &d->old_cap, &out->old_tuple);
}

static void read_insert(struct pgoutput_decoder *d, struct reader *r, struct pgoutput_message *out)
{
    out->relation_id = (uint32_t)read_uint(r, 4);
    if (read_uint(r, 1) != 'N')
        r->failed = true;
    read_tuple(r, &d->new_values, &d->new_cap, &out->new_tuple);
}

static void read_update(struct pgoutput_decoder *d, struct reader *r, struct pgoutput_message *out)
{
    out->relation_id = (uint32_t)read_uint(r, 4);
    char part = (char)read_uint(r, 1);
    if (part == 'K' || part == 'O') {
        read_old(d, r, out);
        part = (char)read_uint(r, 1);
    }
    if (part != 'N')
        r->failed = true;
    read_tuple(r, &d->new_values, &d->new_cap, &out->new_tuple);
}

static void read_delete(struct pgoutput_decoder *d, struct reader *r, struct pgoutput_message *out)
{
    out->relation_id = (uint32_t)read_uint(r, 4);
    char part = (char)read_uint(r, 1);
    if (part == 'K' || part == 'O')
        read_old(d, r, out);
    else
        r->failed = true;
}

static void read_truncate(struct pgoutput_decoder *d, struct reader *r, struct pgoutput_message *out)
{
    size_t count = read_uint(r, 4);
    unsigned options = (unsigned)read_uint(r, 1);

    if (count > PGOUTPUT_TRUNCATE_MAX || count > r->rest.len / 4)
        r->failed = true;
    if (r->failed)
        return;
    room_for((void **)&d->ids, &d->ids_cap, MAX(count, (size_t)1), sizeof *d->ids);
    for (size_t i = 0; i < count; i++)
        d->ids[i] = (uint32_t)read_uint(r, 4);
    out->truncated_count = count;
    out->truncated = d->ids;
    out->cascade = (options & 1) != 0;
    out->restart_identity = (options & 2) != 0;
}

static void read_message(struct pgoutput_decoder *d, struct reader *r, struct pgoutput_message *out)
{
    (void)d;
    out->transactional = (read_uint(r, 1) & 1) != 0;
    out->lsn = read_uint(r, 8);
    out->prefix = read_cstr(r);
    out->content = read_bytes(r, read_uint(r, 4));
}

static const struct {
    char kind;
    void (*read)(struct pgoutput_decoder *, struct reader *, struct pgoutput_message *);
} readers[] = {
    { 'I', read_insert },   { 'U', read_update },   { 'D', read_delete },  { 'B', read_begin }, { 'C', read_commit },
    { 'R', read_relation }, { 'T', read_truncate }, { 'M', read_message }, { 'Y', read_type },  { 'O', read_origin },
};

enum rc pgoutput_decode(struct pgoutput_decoder *decoder, struct str bytes, struct pgoutput_message *out,
                        struct err *err)
{
    struct reader r = { .rest = bytes };
    char kind = (char)read_uint(&r, 1);

    *out = (struct pgoutput_message){ .kind = (enum pgoutput_kind)kind };
    for (size_t i = 0; i < ARRAY_LEN(readers); i++) {
        if (readers[i].kind != kind)
            continue;
        readers[i].read(decoder, &r, out);
        if (!r.failed && r.rest.len == 0)
            return RC_OK;
        return err_set(err, RC_BAD_INPUT, "cannot read pgoutput's message '%c' of %zu bytes: %s", kind, bytes.len,
                       r.failed ? "it is cut short or has an unknown part" : "it goes on after its end");
    }
    return err_set(err, RC_BAD_INPUT, "cannot read pgoutput's message: unknown kind 0x%02x", (unsigned)(uint8_t)kind);
}

void pgoutput_decoder_free(struct pgoutput_decoder *decoder)
{
    free(decoder->old_values);
    free(decoder->new_values);
    free(decoder->columns);
    free(decoder->ids);
    *decoder = (struct pgoutput_decoder){ 0 };
}
