/* libpq with errors in our words; see pg.h. */
#include "net/pg.h"

#include <string.h>

enum { CONNECT_TIMEOUT_SECONDS = 10 };

void pg_close(PGconn **conn)
{
    if (*conn)
        PQfinish(*conn);
    *conn = NULL;
}

void pg_clear(PGresult **result)
{
    if (*result)
        PQclear(*result);
    *result = NULL;
}

static struct str first_line(const char *text)
{
    struct str rest = str_of(text), line = { 0 };

    str_cut(&rest, '\n', &line);
    return line;
}

enum rc pg_error(PGconn *conn, const PGresult *result, struct err *err)
{
    const char *primary = result ? PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY) : NULL;
    const char *detail = result ? PQresultErrorField(result, PG_DIAG_MESSAGE_DETAIL) : NULL;

    if (PQstatus(conn) != CONNECTION_OK)
        return err_set(err, RC_RETRY, "lost the connection to PostgreSQL: %.*s",
                       STR_ARG(first_line(PQerrorMessage(conn))));
    if (primary)
        return err_set(err, RC_FATAL, "%s%s%s", primary, detail ? ": " : "", detail ? detail : "");
    return err_set(err, RC_FATAL, "%.*s", STR_ARG(first_line(PQerrorMessage(conn))));
}

static void drop_notice(void *user, const PGresult *result)
{
    (void)user, (void)result;
}

enum rc pg_open(const struct station *station, const char *database, PGconn **out, struct err *err)
{
    const struct settings *settings = station->settings;
    struct str host = { 0 };
    int port = 0;
    enum rc rc = address_split(str_of(station_address(station, "postgres")), &host, &port, err);

    if (rc)
        return rc;
    CLEANUP_FREE char *host_text = str_dup(host);
    CLEANUP_FREE char *port_text = mem_printf("%d", port);
    CLEANUP_FREE char *timeout = mem_printf("%d", CONNECT_TIMEOUT_SECONDS);
    const char *names[] = {
        "host", "port", "user", "password", "dbname", "connect_timeout", "application_name", "client_encoding", NULL
    };
    const char *values[] = { host_text,
                             port_text,
                             settings_get(settings, "POSTGRES_USER", "postgres"),
                             settings_get(settings, "POSTGRES_PASSWORD", "postgres"),
                             database ? database : settings_get(settings, "POSTGRES_DB", "storefront"),
                             timeout,
                             "haus",
                             "UTF8",
                             NULL };
    PGconn *conn = PQconnectdbParams(names, values, 0);
    if (PQstatus(conn) != CONNECTION_OK) {
        err_set(err, RC_RETRY, "cannot connect to PostgreSQL at '%s': %.*s", station_address(station, "postgres"),
                STR_ARG(first_line(PQerrorMessage(conn))));
        PQfinish(conn);
        return RC_RETRY;
    }
    PQsetNoticeReceiver(conn, drop_notice, NULL);
    *out = conn;
    return RC_OK;
}

enum rc pg_query(PGconn *conn, const char *sql, const char *const *params, int count, PGresult **out, struct err *err)
{
    CLEANUP(pg_clear) PGresult *result = PQexecParams(conn, sql, count, NULL, params, NULL, NULL, 0);
    ExecStatusType status = PQresultStatus(result);

    if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK)
        return pg_error(conn, result, err);
    *out = TAKE_PTR(result);
    return RC_OK;
}

enum rc pg_do(PGconn *conn, const char *sql, struct err *err)
{
    CLEANUP(pg_clear) PGresult *result = PQexec(conn, sql);
    ExecStatusType status = PQresultStatus(result);

    return status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK ? RC_OK : pg_error(conn, result, err);
}
