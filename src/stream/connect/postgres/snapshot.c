/*
 * The initial load: every captured table by COPY, one after the other, in one transaction that shares
 * the slot's exported snapshot, so that what the snapshot shows and what the slot sends meet without a
 * gap and without an overlap.
 *
 * The subtle thing is the marker of the last row: a row is sent only when the next one, of its table
 * or of a later table, has come.  So one row is always held back.
 *
 * Before the first row is sent, an offset that says "a snapshot is under way" is stored for certain.  Should this
 * attempt die, the next one finds it, and lets the stream begin where the slot began (take_snapshot in connector.c):
 * what was deleted between the two attempts is told.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "stream/connect/postgres/task.h"

struct held_row {
    char *bytes; /* of PQgetCopyData; the values are views into it */
    struct pg_value *values;
    size_t cap;
    struct event_program *program; /* the snapshot's, of this or an earlier table */
    bool first_of_table;
};

struct snapshot {
    struct postgres_task *task;
    struct pg_value *values; /* of the row that just came */
    size_t values_cap;
    struct held_row held;
    struct event_program *program;  /* of the table at hand */
    struct event_program *previous; /* of an earlier table whose last row is held back */
    int table_index;                /* of the table at hand, among all */
    int held_table;
    bool new_table; /* no row of the table at hand came yet */
    bool begun;     /* the stored offset says so */
    uint64_t lsn;   /* what the rows show; the stream may begin before it */
    int64_t ts_ms;
    int64_t rows, table_rows; /* sent; come of the table at hand */
};

static void snapshot_free(struct snapshot *s)
{
    if (s->held.bytes)
        PQfreemem(s->held.bytes);
    free(s->held.values);
    free(s->values);
    event_program_free(s->previous);
    event_program_free(s->program);
}

static enum event_snapshot marker_of(const struct snapshot *s, bool last_of_table, bool last)
{
    if (last)
        return EVENT_SNAPSHOT_LAST;
    if (s->held.first_of_table && s->held_table == 0)
        return EVENT_SNAPSHOT_FIRST; /* also when it is the table's only row */
    if (last_of_table)
        return EVENT_SNAPSHOT_LAST_OF_TABLE;
    return s->held.first_of_table ? EVENT_SNAPSHOT_FIRST_OF_TABLE : EVENT_SNAPSHOT_TRUE;
}

static enum rc tell_begun(struct snapshot *s, struct err *err)
{
    enum rc rc = RC_OK;

    if (s->begun)
        return RC_OK;
    s->begun = true;
    rc = task_send_position(s->task, err);
    return rc ? rc : source_flush(s->task->ctx, err);
}

/* Sends the row held back, if there is one. */
static enum rc send_held(struct snapshot *s, bool last_of_table, bool last, struct err *err)
{
    struct postgres_task *task = s->task;
    struct event_source source = {
        .ts_ms = s->ts_ms,
        .now_ms = clock_wall_ms(),
        .snapshot = marker_of(s, last_of_table, last),
        .lsn = s->lsn,
        .has_tx_id = true,
        .tx_id = task->position.tx_id,
    };
    struct event_program *program = s->held.program;

    if (!s->held.bytes)
        return RC_OK;
    enum rc rc = tell_begun(s, err);
    if (rc)
        return rc;
    buf_clear(&task->key);
    buf_clear(&task->value);
    rc = event_encode(program, EVENT_READ, NULL, s->held.values, &source, &task->key, &task->value, err);
    if (rc)
        return err_wrap(err, "cannot send a row of '%s'", event_program_topic(program));
    task->position.last_snapshot_record = last;
    rc = task_send(task,
                   &(struct outgoing){ .topic = str_of(event_program_topic(program)),
                                       .partition = -1,
                                       .has_key = event_program_has_key(program),
                                       .has_value = true,
                                       .with_offset = true },
                   err);
    PQfreemem(s->held.bytes);
    s->held.bytes = NULL;
    s->rows++;
    return rc;
}

/* Takes a row of COPY over: the one held back goes, this one is held back. */
static enum rc take_row(struct snapshot *s, char *bytes, int len, const struct pg_table *table, struct err *err)
{
    struct pg_value *values = s->held.values;
    size_t cap = s->held.cap;
    bool first = s->new_table;
    enum rc rc = pg_copy_split(bytes, (size_t)len, s->values, table->column_count, err);

    if (!rc)
        rc = send_held(s, first, false, err);
    if (rc) {
        PQfreemem(bytes);
        return rc;
    }
    s->held = (struct held_row){
        .bytes = bytes, .values = s->values, .cap = s->values_cap, .program = s->program, .first_of_table = first
    };
    s->held_table = s->table_index;
    s->new_table = false;
    s->table_rows++;
    s->values = values;
    s->values_cap = cap;
    if (s->values_cap < table->column_count) {
        s->values_cap = table->column_count;
        s->values = mem_grow(s->values, s->values_cap, sizeof *s->values);
    }
    return RC_OK;
}

/* Columns of a select statement of the user's: those that it has, null for the others. */
static enum rc put_override(struct postgres_task *task, const struct pg_table *table, const char *statement,
                            struct buf *sql, struct err *err)
{
    CLEANUP(session_clear) PGresult *shape = NULL;
    CLEANUP_FREE char *probe = mem_printf("SELECT * FROM (%s) AS q LIMIT 0", statement);
    enum rc rc = session_query(task->ctx, task->sql, probe, 0, NULL, &shape, err);

    if (rc)
        return err_wrap(err, "cannot use 'snapshot.select.statement.overrides.%s.%s'", table->schema, table->name);
    buf_puts(sql, "COPY (SELECT ");
    for (size_t i = 0; i < table->column_count; i++) {
        bool has = false;
        for (int k = 0; k < PQnfields(shape); k++)
            has |= strcmp(PQfname(shape, k), table->columns[i].name) == 0;
        buf_puts(sql, i ? ", " : "");
        if (has)
            session_put_identifier(sql, table->columns[i].name);
        else
            buf_puts(sql, "NULL");
    }
    buf_printf(sql, " FROM (%s) AS q) TO STDOUT", statement);
    return RC_OK;
}

static const char *override_of(const struct postgres_task *task, const struct pg_table *table)
{
    CLEANUP_FREE char *name = mem_printf("snapshot.select.statement.overrides.%s.%s", table->schema, table->name);

    return config_given(task->settings.config, name);
}

static enum rc put_copy(struct postgres_task *task, const struct pg_table *table, struct buf *sql, struct err *err)
{
    const char *statement = override_of(task, table);

    if (statement)
        return put_override(task, table, statement, sql, err);
    buf_puts(sql, "COPY (SELECT ");
    for (size_t i = 0; i < table->column_count; i++) {
        buf_puts(sql, i ? ", " : "");
        session_put_identifier(sql, table->columns[i].name);
    }
    buf_puts(sql, " FROM ");
    session_put_identifier(sql, table->schema);
    buf_putc(sql, '.');
    session_put_identifier(sql, table->name);
    buf_puts(sql, ") TO STDOUT");
    return RC_OK;
}

static enum rc read_rows(struct snapshot *s, const struct pg_table *table, struct err *err)
{
    struct postgres_task *task = s->task;
    CLEANUP(session_clear) PGresult *end = NULL;
    enum rc rc = RC_OK;

    while (!rc) {
        char *bytes = NULL;
        int len = PQgetCopyData(task->sql, &bytes, 1);
        if (len > 0) {
            rc = take_row(s, bytes, len, table, err);
        } else if (len == 0) {
            rc = session_wait(task->ctx, task->sql, -1, NULL, err);
            if (!rc && !PQconsumeInput(task->sql))
                rc = session_error(task->sql, NULL, err);
        } else {
            break;
        }
    }
    if (rc)
        return rc;
    end = PQgetResult(task->sql);
    if (PQresultStatus(end) != PGRES_COMMAND_OK)
        return session_error(task->sql, end, err);
    for (PGresult *more = NULL; (more = PQgetResult(task->sql));)
        PQclear(more);
    return RC_OK;
}

/* The program of the table before stays while its last row is held back. */
static enum rc start_table(struct snapshot *s, const struct pg_table *table, struct err *err)
{
    struct postgres_task *task = s->task;

    s->new_table = true;
    s->table_rows = 0;
    if (s->held.bytes && s->held.program == s->program) {
        event_program_free(s->previous);
        s->previous = s->program;
    } else {
        event_program_free(s->program);
    }
    s->program = NULL;
    if (s->values_cap < table->column_count) {
        s->values_cap = MAX(table->column_count, (size_t)16);
        s->values = mem_grow(s->values, s->values_cap, sizeof *s->values);
    }
    return event_program_compile(task->event_options, table, task->key_converter, task->value_converter, &s->program,
                                 err);
}

static enum rc read_table(struct snapshot *s, const struct catalog_name *name, struct err *err)
{
    struct postgres_task *task = s->task;
    CLEANUP(pg_table_free) struct pg_table table = { 0 };
    CLEANUP(buf_free) struct buf sql = { 0 };
    int64_t started = clock_mono_ms();
    enum rc rc = catalog_table(&task->catalog, name->oid, &table, err);

    if (rc == RC_NOT_FOUND || (!rc && table.column_count == 0))
        return RC_OK;
    if (!rc)
        rc = start_table(s, &table, err);
    if (!rc)
        rc = put_copy(task, &table, &sql, err);
    if (!rc)
        rc = session_exec(task->ctx, task->sql, buf_cstr(&sql), err);
    if (!rc)
        rc = read_rows(s, &table, err);
    if (rc)
        return err_wrap(err, "cannot read table '%s.%s'", name->schema, name->table);
    log_info("table read", "table=%s.%s rows=%lld ms=%lld", name->schema, name->table, (long long)s->table_rows,
             (long long)(clock_mono_ms() - started));
    return RC_OK;
}

static enum rc begin(struct snapshot *s, const struct slot_snapshot *snapshot, struct err *err)
{
    struct postgres_task *task = s->task;
    CLEANUP(session_clear) PGresult *now = NULL;
    CLEANUP_FREE char *sql =
        mem_printf("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY%s%s%s",
                   *snapshot->name ? "; SET TRANSACTION SNAPSHOT '" : "", snapshot->name, *snapshot->name ? "'" : "");
    enum rc rc = session_exec(task->ctx, task->sql, sql, err);

    if (!rc)
        rc =
            session_query(task->ctx, task->sql,
                          "SELECT pg_catalog.txid_current(), (extract(epoch FROM current_timestamp) * 1000000)::bigint,"
                          " pg_catalog.pg_current_wal_lsn()",
                          0, NULL, &now, err);
    if (rc)
        return err_wrap(err, "cannot begin the snapshot");
    task->position = (struct position){ .snapshot = true, .has_lsn = true, .has_tx = true, .has_ts = true };
    s->lsn = snapshot->lsn;
    if (!*snapshot->name && !lsn_parse(str_of(PQgetvalue(now, 0, 2)), &s->lsn))
        return err_set(err, RC_FATAL, "cannot begin the snapshot: the server's position is not understood");
    task->position.lsn = snapshot->stream_from ? snapshot->stream_from : s->lsn;
    task->position.tx_id = strtoll(PQgetvalue(now, 0, 0), NULL, 10);
    task->position.ts_usec = strtoll(PQgetvalue(now, 0, 1), NULL, 10);
    s->ts_ms = task->position.ts_usec / 1000;
    return RC_OK;
}

static bool is_wanted(const struct postgres_task *task, const struct catalog_name *name)
{
    CLEANUP_FREE char *id = mem_printf("%s.%s", name->schema, name->table);

    return task->settings.snapshot_in.count == 0 || name_filter_find(&task->settings.snapshot_in, str_of(id)) >= 0;
}

enum rc snapshot_run(struct postgres_task *task, const struct slot_snapshot *snapshot, struct err *err)
{
    CLEANUP(snapshot_free) struct snapshot s = { .task = task };
    CLEANUP(catalog_names_free) struct catalog_names names = { 0 };
    int64_t started = clock_mono_ms();
    enum rc rc = begin(&s, snapshot, err);

    if (!rc)
        rc = catalog_captured(&task->catalog, &task->settings, &names, err);
    for (size_t i = 0; i < names.count && !rc; i++) {
        if (!is_wanted(task, &names.rows[i]))
            continue;
        rc = read_table(&s, &names.rows[i], err);
        s.table_index++;
    }
    if (!rc)
        rc = send_held(&s, true, true, err);
    if (!rc)
        rc = FAULT_POINT("postgres.snapshot_end") ? err_set_errno(err, errno, "cannot end the snapshot")
                                                  : session_exec(task->ctx, task->sql, "COMMIT", err);
    if (rc)
        return rc;
    log_info("snapshot done", "tables=%zu rows=%lld ms=%lld", names.count, (long long)s.rows,
             (long long)(clock_mono_ms() - started));
    return source_flush(task->ctx, err);
}
