/* Connections to PostgreSQL; see session.h. */
#include "stream/connect/postgres/session.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char session_options[] = "-c DateStyle=ISO -c IntervalStyle=postgres -c TimeZone=GMT "
                                      "-c extra_float_digits=3 -c bytea_output=hex -c statement_timeout=0 "
                                      "-c idle_in_transaction_session_timeout=0";

/* States after which the same thing may work: connection lost, server starting or going down, too many clients. */
static bool passes(const char *state)
{
    return !state || !*state || strncmp(state, "08", 2) == 0 || strncmp(state, "57P", 3) == 0 ||
           strncmp(state, "53", 2) == 0 || strncmp(state, "40", 2) == 0 || strcmp(state, "55006") == 0;
}

static void put_line(struct buf *out, const char *text)
{
    struct str words = str_trim(str_of(text));

    for (size_t i = 0; i < words.len; i++)
        buf_putc(out, words.p[i] == '\n' ? ' ' : words.p[i]);
}

enum rc session_error(PGconn *conn, const PGresult *result, struct err *err)
{
    const char *state = result ? PQresultErrorField(result, PG_DIAG_SQLSTATE) : NULL;
    const char *words = result ? PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY) : NULL;
    const char *hint = result ? PQresultErrorField(result, PG_DIAG_MESSAGE_HINT) : NULL;
    CLEANUP(buf_free) struct buf text = { 0 };

    put_line(&text, words ? words : PQerrorMessage(conn));
    if (hint)
        buf_puts(&text, "; "), put_line(&text, hint);
    if (text.len == 0)
        buf_puts(&text, "the connection was lost");
    return err_set(err, passes(state) || PQstatus(conn) == CONNECTION_BAD ? RC_RETRY : RC_BAD_INPUT, "%s",
                   buf_cstr(&text));
}

void session_close(PGconn **at)
{
    if (*at)
        PQfinish(*at);
    *at = NULL;
}

void session_clear(PGresult **at)
{
    PQclear(*at);
    *at = NULL;
}

/* A refusal that stays when tried again: passwords, users, databases, rights. */
static bool is_refusal(const char *words)
{
    static const char *const signs[] = { "password",
                                         "does not exist",
                                         "must be superuser or replication",
                                         "no pg_hba.conf entry",
                                         "not permitted",
                                         "does not support SSL",
                                         "certificate",
                                         "permission denied" };
    for (size_t i = 0; i < ARRAY_LEN(signs); i++)
        if (strstr(words, signs[i]))
            return true;
    return false;
}

enum { SESSION_PARAMETERS_MAX = 20 };

struct parameters {
    const char *names[SESSION_PARAMETERS_MAX + 1], *values[SESSION_PARAMETERS_MAX + 1];
    size_t count;
};

static void add(struct parameters *p, const char *name, const char *value)
{
    if (!value || !*value || p->count == SESSION_PARAMETERS_MAX)
        return;
    p->names[p->count] = name;
    p->values[p->count++] = value;
}

static enum rc run_initial(const struct postgres_settings *settings, PGconn *conn, struct err *err)
{
    const char *statements = config_text(settings->config, "database.initial.statements");

    if (!statements || !*statements || session_exec(NULL, conn, statements, err) == RC_OK)
        return RC_OK;
    return err_wrap(err, "cannot run 'database.initial.statements'");
}

enum rc session_open(const struct postgres_settings *settings, enum session_kind kind, PGconn **out, struct err *err)
{
    const struct connector_config *config = settings->config;
    struct parameters p = { 0 };
    CLEANUP(session_close) PGconn *conn = NULL;
    char port[16];

    snprintf(port, sizeof port, "%d", settings->port);
    add(&p, "host", settings->host);
    add(&p, "port", port);
    add(&p, "user", settings->user);
    add(&p, "password", settings->password);
    add(&p, "dbname", settings->dbname);
    add(&p, "replication", kind == SESSION_REPLICATION ? "database" : NULL);
    add(&p, "application_name", kind == SESSION_REPLICATION ? "Debezium Streaming" : "Debezium General");
    add(&p, "client_encoding", "UTF8");
    add(&p, "connect_timeout", "10");
    add(&p, "keepalives", config_bool(config, "database.tcpKeepAlive") ? "1" : "0");
    add(&p, "options", session_options);
    add(&p, "sslmode", config_text(config, "database.sslmode"));
    add(&p, "sslcert", config_text(config, "database.sslcert"));
    add(&p, "sslkey", config_text(config, "database.sslkey"));
    add(&p, "sslpassword", config_text(config, "database.sslpassword"));
    add(&p, "sslrootcert", config_text(config, "database.sslrootcert"));
    conn = PQconnectdbParams(p.names, p.values, 0);
    if (PQstatus(conn) != CONNECTION_OK) {
        CLEANUP(buf_free) struct buf words = { 0 };
        put_line(&words, PQerrorMessage(conn));
        return err_set(err, is_refusal(buf_cstr(&words)) ? RC_BAD_INPUT : RC_RETRY,
                       "cannot connect to '%s:%d' as '%s': %s", settings->host, settings->port, settings->user,
                       buf_cstr(&words));
    }
    enum rc rc = kind == SESSION_SQL ? run_initial(settings, conn, err) : RC_OK;
    if (!rc)
        *out = TAKE_PTR(conn);
    return rc;
}

enum rc session_wait(struct task_context *ctx, PGconn *conn, int timeout_ms, bool *readable, struct err *err)
{
    struct pollfd fds[] = { { .fd = PQsocket(conn), .events = POLLIN },
                            { .fd = ctx ? ctx->wakeup_fd : -1, .events = POLLIN } };
    uint64_t count = 0;
    int n = poll(fds, ARRAY_LEN(fds), timeout_ms);

    if (readable)
        *readable = n > 0 && fds[0].revents;
    if (n < 0 && errno != EINTR)
        return err_set_errno(err, errno, "cannot wait for PostgreSQL");
    if (n > 0 && fds[1].revents && read(ctx->wakeup_fd, &count, sizeof count) < 0)
        count = 0; /* somebody else took it: waking up was all that mattered */
    return ctx && task_stopping(ctx) ? err_set(err, RC_AGAIN, "told to stop") : RC_OK;
}

static void cancel(PGconn *conn)
{
    PGcancel *cancel = PQgetCancel(conn);
    char words[256];

    if (cancel)
        PQcancel(cancel, words, sizeof words);
    PQfreeCancel(cancel);
}

/* Results come one by one until NULL; the last failure, or else the last result, counts. */
static enum rc collect(struct task_context *ctx, PGconn *conn, PGresult **out, struct err *err)
{
    CLEANUP(session_clear) PGresult *kept = NULL;

    for (;;) {
        while (PQisBusy(conn)) {
            enum rc rc = session_wait(ctx, conn, -1, NULL, err);
            if (rc == RC_AGAIN)
                cancel(conn);
            if (rc)
                return rc;
            if (!PQconsumeInput(conn))
                return session_error(conn, NULL, err);
        }
        PGresult *result = PQgetResult(conn);
        ExecStatusType status = PQresultStatus(result);
        if (!result)
            break;
        if (!kept || PQresultStatus(kept) != PGRES_FATAL_ERROR) {
            session_clear(&kept);
            kept = result;
        } else {
            PQclear(result);
        }
        if (status == PGRES_COPY_OUT || status == PGRES_COPY_BOTH)
            break;
    }
    if (!kept || PQresultStatus(kept) == PGRES_FATAL_ERROR)
        return session_error(conn, kept, err);
    *out = TAKE_PTR(kept);
    return RC_OK;
}

enum rc session_query(struct task_context *ctx, PGconn *conn, const char *sql, int param_count,
                      const char *const *params, PGresult **out, struct err *err)
{
    int sent =
        param_count ? PQsendQueryParams(conn, sql, param_count, NULL, params, NULL, NULL, 0) : PQsendQuery(conn, sql);

    if (!sent)
        return session_error(conn, NULL, err);
    return collect(ctx, conn, out, err);
}

enum rc session_exec(struct task_context *ctx, PGconn *conn, const char *sql, struct err *err)
{
    CLEANUP(session_clear) PGresult *result = NULL;

    return session_query(ctx, conn, sql, 0, NULL, &result, err);
}

static void put_quoted(struct buf *out, const char *text, char quote)
{
    buf_putc(out, quote);
    for (; *text; text++) {
        if (*text == quote)
            buf_putc(out, quote);
        buf_putc(out, *text);
    }
    buf_putc(out, quote);
}

void session_put_identifier(struct buf *out, const char *name)
{
    put_quoted(out, name, '"');
}

void session_put_literal(struct buf *out, const char *text)
{
    put_quoted(out, text, '\'');
}
