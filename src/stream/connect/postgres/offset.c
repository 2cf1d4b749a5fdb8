/* Positions and their JSON; see offset.h. */
#include "stream/connect/postgres/offset.h"

#include <jansson.h>
#include <string.h>

#include "stream/connect/data/text.h"
#include "stream/connect/postgres/transaction.h"

static const struct {
    enum pgoutput_kind kind;
    const char *name;
} kinds[] = {
    { PGOUTPUT_INSERT, "INSERT" },     { PGOUTPUT_UPDATE, "UPDATE" },   { PGOUTPUT_DELETE, "DELETE" },
    { PGOUTPUT_TRUNCATE, "TRUNCATE" }, { PGOUTPUT_MESSAGE, "MESSAGE" }, { PGOUTPUT_BEGIN, "BEGIN" },
    { PGOUTPUT_COMMIT, "COMMIT" },
};

static const char *kind_name(enum pgoutput_kind kind)
{
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
        if (kinds[i].kind == kind)
            return kinds[i].name;
    return NULL;
}

/* Printed for every record: without printf.  `name` comes with its comma, quotes and colon. */
static void put_number(struct buf *out, const char *name, bool has, int64_t value)
{
    if (!has)
        return;
    buf_puts(out, name);
    text_int(out, value);
}

void position_print(const struct position *p, const struct transaction_state *transaction, struct buf *out)
{
    const char *message = kind_name(p->message);

    if (p->snapshot) {
        buf_puts(out, "{\"snapshot\":true,\"last_snapshot_record\":");
        buf_puts(out, p->last_snapshot_record ? "true" : "false");
    } else {
        buf_puts(out, "{\"transaction_id\":");
        transaction_print_offset(transaction, out);
    }
    put_number(out, ",\"lsn_proc\":", p->has_lsn_proc && !p->snapshot, (int64_t)p->lsn_proc);
    if (message && !p->snapshot)
        buf_puts(out, ",\"messageType\":\""), buf_puts(out, message), buf_putc(out, '"');
    put_number(out, ",\"lsn_commit\":", p->has_lsn_commit && !p->snapshot, (int64_t)p->lsn_commit);
    put_number(out, ",\"lsn\":", p->has_lsn, (int64_t)p->lsn);
    put_number(out, ",\"txId\":", p->has_tx, p->tx_id);
    put_number(out, ",\"ts_usec\":", p->has_ts, p->ts_usec);
    buf_putc(out, '}');
}

static bool take(const json_t *object, const char *name, int64_t *out)
{
    const json_t *value = json_object_get(object, name);

    *out = json_is_integer(value) ? json_integer_value(value) : 0;
    return json_is_integer(value);
}

static void json_free(json_t **at)
{
    json_decref(*at);
}

enum rc position_parse(struct str json, struct position *out, struct err *err)
{
    json_error_t where;
    CLEANUP(json_free) json_t *object = json_loadb(json.p, json.len, 0, &where);
    int64_t lsn = 0, lsn_proc = 0, lsn_commit = 0;

    *out = (struct position){ 0 };
    if (!json_is_object(object))
        return err_set(err, RC_BAD_INPUT, "cannot read the stored offset '%.*s': it is not a JSON object",
                       (int)MIN(json.len, (size_t)200), json.p);
    const json_t *snapshot = json_object_get(object, "snapshot");
    const char *message = json_string_value(json_object_get(object, "messageType"));
    out->snapshot = json_is_true(snapshot) || json_is_string(snapshot);
    out->last_snapshot_record = json_is_true(json_object_get(object, "last_snapshot_record")) ||
                                json_is_true(json_object_get(object, "snapshot_completed"));
    out->has_lsn = take(object, "lsn", &lsn);
    out->has_lsn_proc = take(object, "lsn_proc", &lsn_proc);
    out->has_lsn_commit = take(object, "lsn_commit", &lsn_commit);
    out->has_tx = take(object, "txId", &out->tx_id);
    out->has_ts = take(object, "ts_usec", &out->ts_usec);
    out->lsn = (uint64_t)lsn;
    out->lsn_proc = (uint64_t)lsn_proc;
    out->lsn_commit = (uint64_t)lsn_commit;
    for (size_t i = 0; message && i < ARRAY_LEN(kinds); i++)
        if (strcmp(kinds[i].name, message) == 0)
            out->message = kinds[i].kind;
    return RC_OK;
}

uint64_t position_confirmable(const struct position *p)
{
    if (p->has_lsn_commit)
        return p->lsn_commit;
    return p->snapshot ? p->lsn : p->lsn_proc;
}

struct resume resume_of(const struct position *p, bool alone)
{
    struct resume out = { 0 };

    if (p->snapshot || !p->has_lsn)
        return out;
    out.active = true;
    out.has_lsn_commit = p->has_lsn_commit;
    out.lsn_commit = p->lsn_commit;
    out.xid = (uint32_t)p->tx_id;
    out.inside = p->has_tx && p->message != PGOUTPUT_COMMIT;
    out.upto = p->message == PGOUTPUT_BEGIN ? 0 : p->lsn;
    out.whole = alone && (!p->has_lsn_proc || p->lsn_proc == p->lsn);
    return out;
}

enum resume_answer resume_begin(struct resume *resume, uint32_t xid, uint64_t final_lsn)
{
    if (!resume->active)
        return RESUME_SEND;
    if (resume->has_lsn_commit && final_lsn < resume->lsn_commit)
        return RESUME_SKIP_TRANSACTION;
    resume->active = false; /* transactions come in the order of their commits */
    return resume->inside && resume->xid == xid ? RESUME_SKIP_PART : RESUME_SEND;
}

bool resume_was_sent(const struct resume *resume, uint64_t lsn)
{
    return resume->whole ? lsn <= resume->upto : lsn < resume->upto;
}
