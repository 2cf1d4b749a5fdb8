/*
 * The connector's flow: settings, checks, snapshot if one is due, stream.
 *
 * What decides is the stored offset and the slot together:
 *
 *     offset          slot      what happens
 *     none            none      the slot is made with a snapshot, the tables are read in it, then the stream
 *     none            there     a temporary slot gives the snapshot; the stream of the real one begins there
 *     an unfinished   there     the same, but the stream begins where the slot stands: what was deleted since the
 *     snapshot                  attempt that died may be in its rows
 *     streaming       there     the stream goes on
 *     streaming       none      refused: what happened since is lost; snapshot.mode=always begins anew
 */
#include <stdlib.h>
#include <string.h>

#include "stream/connect/postgres/option_rows.h"
#include "stream/connect/postgres/postgres.h"
#include "stream/connect/postgres/publication.h"
#include "stream/connect/postgres/task.h"

/* ------------------------------------------------------------------ opening */

static const char *get_config(const void *user, const char *name)
{
    return config_text(user, name);
}

static enum rc open_converter(struct postgres_task *task, bool is_key, struct converter **out, struct err *err)
{
    const struct converter_config config = {
        .station = task->ctx->station,
        .connector = { get_config, task->ctx->config },
        .worker = { get_config, task->ctx->worker },
        .is_key = is_key,
    };

    return converter_new(&config, out, err);
}

static void put_json_text(struct buf *out, const char *text)
{
    buf_putc(out, '"');
    for (; *text; text++) {
        if (*text == '"' || *text == '\\')
            buf_putc(out, '\\');
        buf_putc(out, *text);
    }
    buf_putc(out, '"');
}

static enum rc read_offset(struct postgres_task *task, struct err *err)
{
    CLEANUP(buf_free) struct buf offset = { 0 };

    buf_puts(&task->partition, "{\"server\":");
    put_json_text(&task->partition, task->settings.prefix);
    buf_putc(&task->partition, '}');
    enum rc rc = source_offset_read(task->ctx, buf_str(&task->partition), &offset, err);
    if (rc == RC_NOT_FOUND)
        return RC_OK;
    if (rc)
        return err_wrap(err, "cannot read the stored offset");
    task->has_offset = true;
    return position_parse(buf_str(&offset), &task->position, err);
}

static enum rc open_parts(struct postgres_task *task, struct err *err)
{
    const struct connect_lookup config = { get_config, task->ctx->config };
    enum rc rc = settings_of_config(task->ctx->station, task->ctx->config, &task->settings, err);

    if (!rc)
        rc = event_options_new(config, &task->event_options, err);
    if (!rc)
        rc = open_converter(task, true, &task->key_converter, err);
    if (!rc)
        rc = open_converter(task, false, &task->value_converter, err);
    if (!rc)
        rc = event_meta_new(task->event_options, task->key_converter, task->value_converter, &task->meta, err);
    task->transaction.enabled = task->settings.transactions;
    return rc ? rc : read_offset(task, err);
}

static enum rc open_server(struct postgres_task *task, struct slot_state *slot, struct err *err)
{
    struct task_context *ctx = task->ctx;
    enum rc rc = session_open(&task->settings, SESSION_SQL, &task->sql, err);

    if (!rc)
        rc = slot_check_server(ctx, task->sql, err);
    if (!rc)
        rc = catalog_open(&task->catalog, ctx, task->sql, err);
    if (!rc)
        rc = slot_look(ctx, task->sql, &task->settings, slot, err);
    if (!rc)
        rc = publication_prepare(&task->catalog, &task->settings, err);
    if (!rc)
        rc = identities_prepare(&task->catalog, &task->settings, err);
    if (!rc && task->settings.snapshot != SNAPSHOT_INITIAL_ONLY)
        rc = session_open(&task->settings, SESSION_REPLICATION, &task->stream, err);
    if (!rc)
        rc = slot_wait_free(ctx, task->sql, &task->settings, slot, err);
    return rc;
}

static void task_free(struct postgres_task *task)
{
    session_close(&task->stream);
    session_close(&task->sql);
    catalog_free(&task->catalog);
    event_meta_free(task->meta);
    event_options_free(task->event_options);
    converter_free(task->key_converter);
    converter_free(task->value_converter);
    transaction_free(&task->transaction);
    replay_free(&task->replay);
    buf_free(&task->partition);
    buf_free(&task->key);
    buf_free(&task->value);
    buf_free(&task->offset);
    buf_free(&task->header);
    postgres_settings_free(&task->settings);
}

/* ------------------------------------------------------------------ deciding */

static bool snapshot_complete(const struct postgres_task *task)
{
    return task->has_offset && (!task->position.snapshot || task->position.last_snapshot_record);
}

/* Streaming had begun, or is all that is asked for, and the slot is gone. */
static enum rc slot_is_gone(struct postgres_task *task, struct err *err)
{
    char text[LSN_TEXT_MAX];

    lsn_format(task->position.lsn, text);
    return err_set(
        err, RC_BAD_INPUT,
        "slot '%s' does not exist any more, though changes were sent up to %s: what happened since cannot be "
        "read; start once with snapshot.mode=always to read the tables anew",
        task->settings.slot, text);
}

static bool wants_snapshot(const struct postgres_task *task, const struct slot_state *slot)
{
    switch (task->settings.snapshot) {
    case SNAPSHOT_ALWAYS:
        return true;
    case SNAPSHOT_NEVER:
        return false;
    case SNAPSHOT_INITIAL_ONLY:
        return !snapshot_complete(task);
    case SNAPSHOT_INITIAL:
        break;
    }
    /* nothing was streamed yet, and what came since the snapshot is nowhere: read again */
    return !snapshot_complete(task) || (!slot->exists && task->position.snapshot);
}

/* An attempt that died sent rows as they were where the slot began.  Changes since then come after the new rows, some
 * a second time; left out, a row deleted meanwhile would stay for ever. */
static bool attempt_died(const struct postgres_task *task, const struct slot_state *slot)
{
    return task->has_offset && task->position.snapshot && !task->position.last_snapshot_record && slot->has_confirmed;
}

static enum rc take_snapshot(struct postgres_task *task, const struct slot_state *slot, struct err *err)
{
    struct slot_snapshot snapshot = { 0 };
    enum rc rc = RC_OK;

    if (task->settings.snapshot_delay_ms > 0)
        rc = session_wait(task->ctx, task->sql, (int)MIN(task->settings.snapshot_delay_ms, INT32_MAX), NULL, err);
    if (!rc && task->stream)
        rc = slot_create(task->ctx, task->stream, &task->settings, slot->exists, &snapshot, err);
    if (!rc && task->stream && attempt_died(task, slot))
        snapshot.stream_from = slot->confirmed_lsn;
    return rc ? rc : snapshot_run(task, &snapshot, err);
}

static uint64_t start_lsn(const struct postgres_task *task)
{
    const struct position *p = &task->position;

    return !p->has_lsn ? 0 : position_confirmable(p);
}

static enum rc stream(struct postgres_task *task, const struct slot_state *slot, bool after_snapshot, struct err *err)
{
    enum rc rc = RC_OK;

    if (task->has_offset && !after_snapshot && task->ctx->bootstrap)
        rc = replay_load(&task->replay,
                         &(struct replay_source){ .ctx = task->ctx,
                                                  .prefix = task->settings.prefix,
                                                  .converter = task->value_converter,
                                                  .position = &task->position },
                         err);
    return rc ? rc : streaming_run(task, start_lsn(task), slot->confirmed_lsn, err);
}

static enum rc run_opened(struct postgres_task *task, const struct slot_state *slot, struct err *err)
{
    bool snapshot = wants_snapshot(task, slot);
    enum rc rc = RC_OK;

    if (!snapshot && !slot->exists && task->stream) {
        struct slot_snapshot made = { 0 };
        if (task->has_offset && !task->settings.slot_drop_on_stop)
            return slot_is_gone(task, err);
        rc = slot_create(task->ctx, task->stream, &task->settings, false, &made, err);
    }
    if (!rc)
        task_started(task->ctx);
    if (!rc && snapshot)
        rc = take_snapshot(task, slot, err);
    if (rc)
        return rc;
    if (task->settings.snapshot == SNAPSHOT_INITIAL_ONLY) {
        log_info("idle, the snapshot is all that was asked for", "mode=initial_only");
        return RC_OK;
    }
    return stream(task, slot, snapshot, err);
}

static enum rc run(struct task_context *ctx, struct err *err)
{
    CLEANUP(task_free) struct postgres_task task = { .ctx = ctx };
    struct slot_state slot = { 0 };
    struct err ignored = { 0 };
    enum rc rc = open_parts(&task, err);

    if (!rc)
        rc = open_server(&task, &slot, err);
    if (!rc)
        rc = run_opened(&task, &slot, err);
    if (task.settings.slot_drop_on_stop && task.stream && task_stopping(ctx)) {
        session_close(&task.stream);
        if (slot_drop(NULL, task.sql, &task.settings, &ignored))
            log_warn("slot not dropped", "slot=%s cause=%s", task.settings.slot, ignored.text);
    }
    return rc == RC_AGAIN && task_stopping(ctx) ? RC_OK : rc;
}

/* ------------------------------------------------------------------ validating */

/* The server's own words where it has some, as its JDBC driver writes them: of 'connection to server at "...", port 1
 * failed: FATAL:  ...' the end, with one space.  Owned by the caller. */
static char *server_words(const char *text)
{
    static const char fatal[] = "failed: FATAL:  ";
    const char *at = strstr(text, fatal);

    return at ? mem_printf("FATAL: %s", at + strlen(fatal)) : mem_strdup(text);
}

/* Then there is nobody to ask. */
static bool has_error_of_database(const struct validation *validation)
{
    static const char *const names[] = { "database.hostname", "database.port",   "database.user",
                                         "database.password", "database.dbname", "database.sslmode" };

    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (validation_has_error(validation, names[i]))
            return true;
    return false;
}

static void validate(const struct station *station, const struct connector_config *config,
                     struct validation *validation)
{
    CLEANUP(postgres_settings_free) struct postgres_settings settings = { 0 };
    CLEANUP(session_close) PGconn *conn = NULL;
    struct err err = { 0 };

    postgres_options_validate(config, validation);
    if (has_error_of_database(validation) || postgres_options_check(config, &err) ||
        settings_of_config(station, config, &settings, &err))
        return;
    for (struct map_entry *e = NULL; (e = map_next(&config->rows, e));)
        if (strncmp(e->key, "database.", 9) == 0 && strstr(e->value, "${"))
            return; /* known only when the task starts */
    enum rc rc = session_open(&settings, SESSION_SQL, &conn, &err);
    if (!rc)
        rc = slot_check_server(NULL, conn, &err);
    if (!rc)
        return;
    CLEANUP_FREE char *words = server_words(err.text);
    validation_error(validation, "database.hostname", "Error while validating connector config: %s", words);
}

const struct connector_class postgres_connector = {
    .class_name = "io.debezium.connector.postgresql.PostgresConnector",
    .task_class = "io.debezium.connector.postgresql.PostgresConnectorTask",
    .version = EVENT_VERSION,
    .kind = CONNECTOR_SOURCE,
    .options = postgres_options,
    .option_count = POSTGRES_OPTION_COUNT,
    .validate = validate,
    .names_values = true,
    .single_task = true,
    .run = run,
};
