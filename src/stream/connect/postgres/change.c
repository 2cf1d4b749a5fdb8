/*
 * Messages of pgoutput become records, in the order in which transactions commit: relations, changes, and the
 * boundaries of transactions.
 *
 * Subtle: after a start in the middle of a transaction its first part was sent already; such a change moves the
 * position but sends nothing (muted).
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "stream/connect/postgres/stream.h"

enum { RELATIONS_MAX = 1000000 };

struct stream_relation {
    uint32_t id;
    bool captured;
    char *name; /* "public.orders" */
    char *topic;
    struct event_program *program; /* NULL when not captured */
};

/* ------------------------------------------------------------ relations */

static void relation_free(struct stream_relation *relation)
{
    if (!relation)
        return;
    event_program_free(relation->program);
    free(relation->name);
    free(relation->topic);
    free(relation);
}

void stream_relations_free(struct stream *s)
{
    for (size_t i = 0; i < s->relation_count; i++)
        relation_free(s->relations[i]);
    free(s->relations);
}

static size_t relation_place(const struct stream *s, uint32_t id)
{
    size_t low = 0, high = s->relation_count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (s->relations[middle]->id < id)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static struct stream_relation *relation_find(struct stream *s, uint32_t id)
{
    if (s->last && s->last->id == id)
        return s->last;
    size_t at = relation_place(s, id);
    if (at == s->relation_count || s->relations[at]->id != id)
        return NULL;
    return s->last = s->relations[at];
}

static enum rc relation_put(struct stream *s, struct stream_relation *relation, struct err *err)
{
    size_t at = relation_place(s, relation->id);

    s->last = NULL;
    if (at < s->relation_count && s->relations[at]->id == relation->id) {
        relation_free(s->relations[at]);
        s->relations[at] = relation;
        return RC_OK;
    }
    if (s->relation_count == RELATIONS_MAX) {
        relation_free(relation);
        return err_set(err, RC_FULL, "there are more than %d relations", RELATIONS_MAX);
    }
    s->relations = mem_grow(s->relations, s->relation_count + 1, sizeof *s->relations);
    memmove(s->relations + at + 1, s->relations + at, (s->relation_count - at) * sizeof *s->relations);
    s->relations[at] = relation;
    s->relation_count++;
    return RC_OK;
}

static enum rc compile(struct stream *s, const struct pg_relation *from, struct stream_relation *relation,
                       struct err *err)
{
    struct postgres_task *task = s->task;
    CLEANUP(pg_table_free) struct pg_table table = { 0 };
    enum rc rc = catalog_wait_visible(&task->catalog, s->xid, err);

    if (!rc)
        rc = catalog_relation(&task->catalog, from, &table, err);
    if (!rc)
        rc = event_program_compile(task->event_options, &table, task->key_converter, task->value_converter,
                                   &relation->program, err);
    if (rc)
        return err_wrap(err, "cannot capture table '%s'", relation->name);
    relation->topic = mem_strdup(event_program_topic(relation->program));
    return RC_OK;
}

static enum rc on_relation(struct stream *s, const struct walsender_message *frame, const struct pgoutput_message *m,
                           struct err *err)
{
    CLEANUP_FREE char *schema = str_dup(m->relation.schema);
    CLEANUP_FREE char *table = str_dup(m->relation.table);
    struct stream_relation *relation = NEW(struct stream_relation);

    (void)frame;
    relation->id = m->relation.id;
    relation->name = mem_printf("%s.%s", schema, table);
    relation->captured = settings_captures(&s->task->settings, schema, table) && m->relation.column_count > 0;
    enum rc rc = relation->captured ? compile(s, &m->relation, relation, err) : RC_OK;
    if (rc) {
        relation_free(relation);
        return rc;
    }
    return relation_put(s, relation, err);
}

/* ------------------------------------------------------------ records */

static struct event_source source_of(const struct stream *s)
{
    const struct position *p = &s->task->position;

    return (struct event_source){
        .ts_ms = s->commit_us / 1000,
        .now_ms = clock_wall_ms(),
        .snapshot = EVENT_STREAMING,
        .has_last_commit = p->has_lsn_commit,
        .last_commit_lsn = p->lsn_commit,
        .lsn = p->lsn,
        .has_tx_id = true,
        .tx_id = s->xid,
    };
}

/* One record of a change. */
struct step {
    enum event_op op;
    bool tombstone;
    const struct pg_value *before, *after, *key; /* key: of a tombstone */
    const struct record_header *header;          /* NULL: none */
    bool last;                                   /* of its change: the stored position moves */
};

static enum rc encode(struct stream *s, const struct stream_relation *relation, const struct step *step,
                      struct err *err)
{
    struct postgres_task *task = s->task;
    struct event_source source = source_of(s);
    struct event_transaction transaction = { 0 };
    char id[64];

    buf_clear(&task->key);
    buf_clear(&task->value);
    if (step->tombstone)
        return event_encode_key(relation->program, step->key, &task->key, err);
    if (task->transaction.enabled) {
        transaction_count(&task->transaction, relation->name, &transaction.total_order, &transaction.collection_order);
        int len = snprintf(id, sizeof id, "%" PRIu32 ":%" PRIu64, s->xid, task->position.lsn);
        transaction.id = str_n(id, (size_t)len);
        source.transaction = &transaction;
    }
    if (s->muted)
        return RC_OK;
    return event_encode(relation->program, step->op, step->before, step->after, &source, &task->key, &task->value, err);
}

static bool is_skipped(const struct postgres_settings *settings, const struct step *step)
{
    switch (step->op) {
    case EVENT_CREATE:
        return settings->skip_create;
    case EVENT_UPDATE:
        return settings->skip_update;
    case EVENT_DELETE:
        return settings->skip_delete || (step->tombstone && !settings->tombstones);
    case EVENT_TRUNCATE:
        return settings->skip_truncate;
    case EVENT_READ:
        break;
    }
    return false;
}

static enum rc send_step(struct stream *s, const struct stream_relation *relation, const struct step *step,
                         struct err *err)
{
    struct postgres_task *task = s->task;
    struct str topic = str_of(relation->topic);
    enum replay_kind kind = step->tombstone ? REPLAY_TOMBSTONE : (enum replay_kind)step->op;
    bool there = !s->muted && task->replay.left && replay_take(&task->replay, topic, task->position.lsn, kind);
    enum rc rc = RC_OK;

    if (!there || task->transaction.enabled)
        rc = encode(s, relation, step, err);
    if (rc)
        return err_wrap(err, "cannot send a change of '%s'", relation->name);
    if (s->muted)
        return RC_OK;
    if (there)
        return step->last ? task_send_position(task, err) : RC_OK;
    return task_send(
        task,
        &(struct outgoing){ .topic = topic,
                            .partition = -1,
                            .has_key = step->op != EVENT_TRUNCATE && event_program_has_key(relation->program),
                            .has_value = !step->tombstone,
                            .headers = step->header,
                            .header_count = step->header ? 1 : 0,
                            .with_offset = step->last },
        err);
}

/* The records of one change, without those that are not wanted. */
static enum rc send_steps(struct stream *s, const struct stream_relation *relation, struct step *steps, size_t count,
                          struct err *err)
{
    size_t used = 0;
    enum rc rc = RC_OK;

    for (size_t i = 0; i < count; i++)
        if (!is_skipped(&s->task->settings, &steps[i]))
            steps[used++] = steps[i];
    for (size_t i = 0; i < used && !rc; i++) {
        steps[i].last = i + 1 == used;
        rc = send_step(s, relation, &steps[i], err);
    }
    return rc;
}

/* ------------------------------------------------------------ changes */

/* The position of a change, before its records. */
static void move_to(struct stream *s, const struct walsender_message *frame, enum pgoutput_kind kind)
{
    struct position *p = &s->task->position;

    p->snapshot = p->last_snapshot_record = false;
    p->has_lsn = p->has_tx = p->has_ts = true;
    p->lsn = frame->start_lsn;
    p->message = kind;
    p->tx_id = s->xid;
    p->ts_usec = s->commit_us;
    s->muted = s->skip_transaction || (s->partly_sent && resume_was_sent(&s->resume, frame->start_lsn));
}

static void processed(struct stream *s)
{
    struct position *p = &s->task->position;

    p->has_lsn_proc = true;
    p->lsn_proc = p->lsn;
}

static enum rc find_captured(struct stream *s, uint32_t id, const struct stream_relation **out, struct err *err)
{
    *out = relation_find(s, id);
    if (*out)
        return RC_OK;
    return err_set(err, RC_FATAL, "the server sent a change of relation %u without describing it", id);
}

/* What insert, update and delete begin with: their table, and where we are. */
static enum rc begin_change(struct stream *s, const struct walsender_message *frame, const struct pgoutput_message *m,
                            const struct stream_relation **relation, struct err *err)
{
    enum rc rc = find_captured(s, m->relation_id, relation, err);

    if (rc)
        return rc;
    move_to(s, frame, m->kind);
    processed(s);
    return RC_OK;
}

static enum rc on_insert(struct stream *s, const struct walsender_message *frame, const struct pgoutput_message *m,
                         struct err *err)
{
    struct step step = { .op = EVENT_CREATE, .after = m->new_tuple.values };
    const struct stream_relation *relation = NULL;
    enum rc rc = begin_change(s, frame, m, &relation, err);

    if (rc)
        return rc;
    return relation->captured ? send_steps(s, relation, &step, 1, err) : RC_OK;
}

static enum rc on_delete(struct stream *s, const struct walsender_message *frame, const struct pgoutput_message *m,
                         struct err *err)
{
    struct step steps[] = { { .op = EVENT_DELETE, .before = m->old_tuple.values },
                            { .op = EVENT_DELETE, .tombstone = true, .key = m->old_tuple.values } };
    const struct stream_relation *relation = NULL;
    enum rc rc = begin_change(s, frame, m, &relation, err);

    if (rc)
        return rc;
    return relation->captured ? send_steps(s, relation, steps, ARRAY_LEN(steps), err) : RC_OK;
}

/* Old row under the old key, its tombstone, new row under the new key; each tells of the other. */
static enum rc send_key_change(struct stream *s, const struct stream_relation *relation, const struct pg_value *before,
                               const struct pg_value *after, struct err *err)
{
    struct buf *text = &s->task->header;
    size_t split = 0;

    buf_clear(text);
    enum rc rc = event_encode_key_header(relation->program, after, text, err);
    split = text->len;
    if (!rc)
        rc = event_encode_key_header(relation->program, before, text, err);
    if (rc)
        return err_wrap(err, "cannot send a change of '%s'", relation->name);
    const struct record_header new_key = { STR("__debezium.newkey"), str_n(buf_cstr(text), split) };
    const struct record_header old_key = { STR("__debezium.oldkey"), str_skip(buf_str(text), split) };
    struct step steps[] = {
        { .op = EVENT_DELETE, .before = before, .header = &new_key },
        { .op = EVENT_DELETE, .tombstone = true, .key = before, .header = &new_key },
        { .op = EVENT_CREATE, .after = after, .header = &old_key },
    };
    return send_steps(s, relation, steps, ARRAY_LEN(steps), err);
}

/* Under identity FULL an unchanged toasted value stands in the old row. */
static void complete_row(struct stream *s, const struct pgoutput_message *m)
{
    size_t count = MIN(m->old_tuple.count, m->new_tuple.count);

    if (!m->old_tuple.values || m->old_is_key)
        return;
    for (size_t i = 0; i < count; i++)
        if (s->decoder.new_values[i].kind == PG_VALUE_UNCHANGED)
            s->decoder.new_values[i] = s->decoder.old_values[i];
}

static enum rc on_update(struct stream *s, const struct walsender_message *frame, const struct pgoutput_message *m,
                         struct err *err)
{
    struct step step = { .op = EVENT_UPDATE, .before = m->old_tuple.values, .after = m->new_tuple.values };
    const struct stream_relation *relation = NULL;
    enum rc rc = begin_change(s, frame, m, &relation, err);

    if (rc)
        return rc;
    if (!relation->captured)
        return RC_OK;
    complete_row(s, m);
    if (step.before && event_key_differs(relation->program, step.before, step.after))
        return send_key_change(s, relation, step.before, step.after, err);
    if (s->task->settings.skip_unchanged && step.before && !m->old_is_key &&
        !event_row_differs(relation->program, step.before, step.after))
        return RC_OK;
    return send_steps(s, relation, &step, 1, err);
}

static enum rc on_truncate(struct stream *s, const struct walsender_message *frame, const struct pgoutput_message *m,
                           struct err *err)
{
    const struct stream_relation *last = NULL, *relation = NULL;
    enum rc rc = RC_OK;

    move_to(s, frame, m->kind);
    for (size_t i = 0; i < m->truncated_count && !rc; i++) {
        rc = find_captured(s, m->truncated[i], &relation, err);
        if (!rc && relation->captured)
            last = relation;
    }
    for (size_t i = 0; i < m->truncated_count && !rc && !s->task->settings.skip_truncate; i++) {
        relation = relation_find(s, m->truncated[i]);
        if (!relation->captured)
            continue;
        if (relation == last)
            processed(s);
        struct step step = { .op = EVENT_TRUNCATE, .last = relation == last };
        rc = send_step(s, relation, &step, err);
    }
    processed(s);
    return rc;
}

/* ------------------------------------------------------------ transactions */

static enum rc send_boundary(struct stream *s, bool is_end, struct err *err)
{
    struct postgres_task *task = s->task;
    struct str topic = str_of(event_meta_transaction_topic(task->meta));
    size_t count = 0;
    CLEANUP_FREE struct event_collection_count *counts = transaction_counts(&task->transaction, &count);
    char id[64];
    int len = snprintf(id, sizeof id, "%" PRIu32 ":%" PRIu64, s->xid, task->position.lsn);
    struct event_boundary boundary = {
        .is_end = is_end,
        .id = str_n(id, (size_t)len),
        .ts_ms = s->commit_us / 1000,
        .event_count = task->transaction.total,
        .collections = counts,
        .collection_count = count,
    };

    if (replay_take(&task->replay, topic, task->position.lsn, is_end ? REPLAY_END : REPLAY_BEGIN))
        return task_send_position(task, err);
    buf_clear(&task->key);
    buf_clear(&task->value);
    enum rc rc = event_encode_boundary(task->meta, &boundary, &task->key, &task->value, err);
    if (rc)
        return err_wrap(err, "cannot send a transaction's %s", is_end ? "end" : "begin");
    return task_send(
        task,
        &(struct outgoing){ .topic = topic, .partition = -1, .has_key = true, .has_value = true, .with_offset = true },
        err);
}

static enum rc on_begin(struct stream *s, const struct walsender_message *frame, const struct pgoutput_message *m,
                        struct err *err)
{
    enum resume_answer answer = resume_begin(&s->resume, m->xid, m->lsn);

    s->in_transaction = true;
    s->skip_transaction = answer == RESUME_SKIP_TRANSACTION;
    s->partly_sent = answer == RESUME_SKIP_PART;
    s->xid = m->xid;
    s->commit_us = m->commit_us;
    if (!s->task->transaction.enabled || s->skip_transaction)
        return RC_OK;
    move_to(s, frame, m->kind);
    transaction_begin(&s->task->transaction, m->xid);
    return s->partly_sent ? RC_OK : send_boundary(s, false, err);
}

static enum rc on_commit(struct stream *s, const struct walsender_message *frame, const struct pgoutput_message *m,
                         struct err *err)
{
    struct position *p = &s->task->position;
    bool was_sent = s->skip_transaction;
    enum rc rc = RC_OK;

    s->partly_sent = s->skip_transaction = false;
    if (!was_sent) {
        move_to(s, frame, m->kind);
        processed(s);
        p->has_lsn_commit = true;
        p->lsn_commit = p->lsn;
        if (s->task->transaction.enabled)
            rc = send_boundary(s, true, err);
    }
    s->in_transaction = false;
    s->passed = MAX(s->passed, frame->start_lsn);
    return rc;
}

static enum rc on_nothing(struct stream *s, const struct walsender_message *frame, const struct pgoutput_message *m,
                          struct err *err)
{
    (void)s, (void)frame, (void)m, (void)err;
    return RC_OK;
}

static const struct {
    enum pgoutput_kind kind;
    enum rc (*take)(struct stream *, const struct walsender_message *, const struct pgoutput_message *, struct err *);
} handlers[] = {
    { PGOUTPUT_INSERT, on_insert },     { PGOUTPUT_UPDATE, on_update },   { PGOUTPUT_DELETE, on_delete },
    { PGOUTPUT_BEGIN, on_begin },       { PGOUTPUT_COMMIT, on_commit },   { PGOUTPUT_RELATION, on_relation },
    { PGOUTPUT_TRUNCATE, on_truncate }, { PGOUTPUT_MESSAGE, on_nothing }, { PGOUTPUT_TYPE, on_nothing },
    { PGOUTPUT_ORIGIN, on_nothing },
};

static bool is_change(enum pgoutput_kind kind)
{
    return kind == PGOUTPUT_INSERT || kind == PGOUTPUT_UPDATE || kind == PGOUTPUT_DELETE || kind == PGOUTPUT_TRUNCATE;
}

enum rc stream_take_change(struct stream *s, const struct walsender_message *frame, struct err *err)
{
    struct pgoutput_message m;
    enum rc rc = pgoutput_decode(&s->decoder, frame->data, &m, err);

    if (rc)
        return rc;
    if (s->skip_transaction && is_change(m.kind))
        return RC_OK;
    for (size_t i = 0; i < ARRAY_LEN(handlers); i++)
        if (handlers[i].kind == m.kind)
            return handlers[i].take(s, frame, &m, err);
    return RC_OK;
}
