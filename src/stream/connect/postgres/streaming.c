/*
 * The stream's loop: what the server sends, when it is told how far we are, heartbeats.  What a message of pgoutput
 * becomes is in change.c.
 *
 * Blocking is in one place, session_wait(): on the replication socket and the task's wakeup.  What is
 * there is sent at once, so a change is on its way as soon as the server sends it.
 *
 * The subtle thing is what may be confirmed to the server (confirmable()): never beyond what the log
 * holds and the offsets topic knows; but when nothing is outstanding, everything the server has sent,
 * so that a slot moves although the captured tables are quiet.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "stream/connect/postgres/stream.h"

enum { STREAM_BURST_MAX = 10000 };

/* ------------------------------------------------------------ confirming */

static void committed_free(struct source_commit *commit)
{
    buf_free(&commit->offset);
}

static uint64_t confirmable(struct stream *s)
{
    struct postgres_task *task = s->task;
    CLEANUP(committed_free) struct source_commit commit = { 0 };
    struct position position;

    if (source_committed(task->ctx, &commit)) {
        s->committed_number = commit.number;
        if (position_parse(buf_str(&commit.offset), &position, NULL) == RC_OK)
            s->committed = position_confirmable(&position);
    }
    if (!task->settings.flush_lsn)
        return 0;
    if (s->committed_number == task->sent && !s->in_transaction)
        s->confirmed = MAX(s->confirmed, s->passed);
    else
        s->confirmed = MAX(s->confirmed, s->committed);
    return s->confirmed;
}

static enum rc send_status(struct stream *s, struct err *err)
{
    char status[WALSENDER_STATUS_SIZE];

    walsender_encode_status(confirmable(s), clock_wall_us(), status);
    s->status_at_ms = clock_mono_ms() + s->task->settings.status_interval_ms;
    s->status_now = false;
    if (FAULT_POINT("postgres.confirm"))
        return err_set_errno(err, errno, "cannot confirm to slot '%s'", s->task->settings.slot);
    if (PQputCopyData(s->task->stream, status, sizeof status) != 1 || PQflush(s->task->stream) < 0)
        return session_error(s->task->stream, NULL, err);
    return RC_OK;
}

/* What became committed meanwhile lets the server's log go: it is told soon, not at the next interval. */
static void look_for_commits(struct stream *s)
{
    uint64_t before = s->confirmed;

    if (confirmable(s) > before && s->committed_number == s->task->sent)
        s->status_now = true;
}

static enum rc send_heartbeat(struct stream *s, struct err *err)
{
    struct postgres_task *task = s->task;
    const char *query = task->settings.heartbeat_query;

    s->heartbeat_at_ms = clock_mono_ms() + task->settings.heartbeat_interval_ms;
    if (query && *query && session_exec(task->ctx, task->sql, query, err)) {
        if (err->rc != RC_BAD_INPUT)
            return err_wrap(err, "cannot run 'heartbeat.action.query'");
        log_warn("heartbeat query failed", "cause=%s", err->text);
    }
    buf_clear(&task->key);
    buf_clear(&task->value);
    enum rc rc = event_encode_heartbeat(task->meta, clock_wall_ms(), &task->key, &task->value, err);
    if (rc)
        return err_wrap(err, "cannot send a heartbeat");
    return task_send(task,
                     &(struct outgoing){ .topic = str_of(event_meta_heartbeat_topic(task->meta)),
                                         .partition = 0,
                                         .has_key = true,
                                         .has_value = true,
                                         .with_offset = true },
                     err);
}

/* ------------------------------------------------------------ the loop */

static enum rc take_frame(struct stream *s, struct str bytes, struct err *err)
{
    struct walsender_message frame;
    enum rc rc = walsender_decode(bytes, &frame, err);

    if (rc)
        return rc;
    if (frame.kind == 'w')
        return stream_take_change(s, &frame, err);
    if (!s->in_transaction)
        s->passed = MAX(s->passed, frame.end_lsn);
    s->status_now |= frame.reply_wanted;
    return RC_OK;
}

/*
 * The server reads changes with the catalog as it was at their time: one of a time without the publication stops the
 * stream, also when the publication is there again.  (One that is not there now is told of before the stream begins.)
 */
static void tell_cure(const struct stream *s, const PGresult *result, struct err *err)
{
    static const char undefined_object[] = "42704";
    const char *state = result ? PQresultErrorField(result, PG_DIAG_SQLSTATE) : NULL;
    struct err cause = *err;

    if (!state || strcmp(state, undefined_object) != 0 || !strstr(cause.text, s->task->settings.publication))
        return;
    err_set(err, cause.rc,
            "%s (or did not when the change was made that is to be read next); create it, and if it is there, drop the "
            "slot with SELECT pg_drop_replication_slot('%s') and start once with snapshot.mode=always",
            cause.text, s->task->settings.slot);
}

/* The stream is over: the server went away, or sent its reason. */
static enum rc ended(struct stream *s, int code, struct err *err)
{
    CLEANUP(session_clear) PGresult *result = code == -1 ? PQgetResult(s->task->stream) : NULL;

    session_error(s->task->stream, result, err);
    tell_cure(s, result, err);
    err->rc = RC_RETRY; /* whatever it was: a new start tells what stays wrong */
    return err_wrap(err, "the stream of slot '%s' ended", s->task->settings.slot);
}

/* Everything libpq has, up to a burst; *drained: nothing is left for now. */
static enum rc take_burst(struct stream *s, bool *drained, struct err *err)
{
    enum rc rc = RC_OK;

    *drained = false;
    for (int n = 0; n < STREAM_BURST_MAX && !rc; n++) {
        char *bytes = NULL;
        int len = PQgetCopyData(s->task->stream, &bytes, 1);
        if (len == 0) {
            *drained = true;
            break;
        }
        if (len < 0)
            return ended(s, len, err);
        rc = take_frame(s, str_n(bytes, (size_t)len), err);
        PQfreemem(bytes);
    }
    return rc;
}

static int timeout_of(const struct stream *s)
{
    int64_t at = s->status_at_ms;

    if (s->task->settings.heartbeat_interval_ms)
        at = MIN(at, s->heartbeat_at_ms);
    return (int)MAX(at - clock_mono_ms(), 0);
}

static enum rc tend(struct stream *s, struct err *err)
{
    int64_t now = clock_mono_ms();
    enum rc rc = RC_OK;

    look_for_commits(s);
    if (s->status_now || now >= s->status_at_ms)
        rc = send_status(s, err);
    if (!rc && s->task->settings.heartbeat_interval_ms && now >= s->heartbeat_at_ms && !s->in_transaction)
        rc = send_heartbeat(s, err);
    return rc;
}

static enum rc loop(struct stream *s, struct err *err)
{
    struct postgres_task *task = s->task;

    enum rc rc = RC_OK;

    while (!rc && !task_stopping(task->ctx)) {
        bool drained = false;
        rc = take_burst(s, &drained, err);
        if (!rc)
            rc = tend(s, err);
        if (!rc && drained)
            rc = session_wait(task->ctx, task->stream, timeout_of(s), NULL, err);
        if (!rc && !PQconsumeInput(task->stream))
            rc = ended(s, -2, err);
    }
    return rc;
}

static enum rc start(struct postgres_task *task, uint64_t lsn, struct err *err)
{
    CLEANUP(buf_free) struct buf sql = { 0 };
    CLEANUP(buf_free) struct buf publication = { 0 };
    CLEANUP(session_clear) PGresult *result = NULL;
    char text[LSN_TEXT_MAX];

    lsn_format(lsn, text);
    session_put_identifier(&publication, task->settings.publication);
    buf_puts(&sql, "START_REPLICATION SLOT ");
    session_put_identifier(&sql, task->settings.slot);
    buf_printf(&sql, " LOGICAL %s (\"proto_version\" '1', \"publication_names\" ", text);
    session_put_literal(&sql, buf_cstr(&publication));
    buf_puts(&sql, PQserverVersion(task->stream) >= 140000 ? ", \"messages\" 'false')" : ")");
    enum rc rc = session_query(task->ctx, task->stream, buf_cstr(&sql), 0, NULL, &result, err);
    if (rc)
        return err_wrap(err, "cannot stream from slot '%s'", task->settings.slot);
    if (PQresultStatus(result) != PGRES_COPY_BOTH)
        return err_set(err, RC_FATAL, "cannot stream from slot '%s': the server does not answer with a stream",
                       task->settings.slot);
    return RC_OK;
}

static void stream_free(struct stream *s)
{
    stream_relations_free(s);
    pgoutput_decoder_free(&s->decoder);
}

/*
 * What sequence[0] says until the first commit is seen.  Without a stored one it is the stored place, as in
 * Debezium.  A slot that was confirmed further while nothing happened does not send the last commit
 * again: then the slot's place stands for it.
 */
static void guess_last_commit(struct position *position, uint64_t confirmed)
{
    if (position->snapshot || !position->has_lsn)
        return;
    if (!position->has_lsn_commit)
        position->lsn_commit = position->lsn;
    position->has_lsn_commit = true;
    if (confirmed > position->lsn)
        position->lsn_commit = MAX(position->lsn_commit, confirmed);
}

enum rc streaming_run(struct postgres_task *task, uint64_t lsn, uint64_t confirmed, struct err *err)
{
    CLEANUP(stream_free) struct stream s = { .task = task, .committed_number = task->sent };
    char text[LSN_TEXT_MAX];
    enum rc rc = start(task, lsn, err);

    if (rc)
        return rc;
    s.resume = resume_of(&task->position, !task->replay.loaded);
    if (!task->position.has_lsn_proc && task->position.has_lsn) {
        task->position.has_lsn_proc = true;
        task->position.lsn_proc = task->position.lsn;
    }
    guess_last_commit(&task->position, confirmed);
    s.heartbeat_at_ms = clock_mono_ms() + task->settings.heartbeat_interval_ms;
    lsn_format(lsn, text);
    log_info("streaming", "slot=%s from=%s", task->settings.slot, text);
    return loop(&s, err);
}
