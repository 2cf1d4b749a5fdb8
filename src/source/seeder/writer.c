/*
 * Batches into PostgreSQL.  Ids come from the tables' own sequences, so that other writers may insert
 * at the same time; then each table takes its rows by one COPY.
 */
#include "source/seeder/writer.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void writer_close(struct writer *writer)
{
    pg_close(&writer->conn);
    for (int i = 0; i < MODEL_TABLES; i++)
        buf_free(&writer->rows[i]);
}

static enum rc connect_writer(struct writer *writer, struct err *err)
{
    if (writer->conn && PQstatus(writer->conn) == CONNECTION_OK)
        return RC_OK;
    pg_close(&writer->conn);
    return pg_open(writer->station, NULL, &writer->conn, err);
}

/* after a failure: an open transaction must not stay behind on the connection */
static enum rc give_up(struct writer *writer, enum rc rc)
{
    if (writer->conn && PQstatus(writer->conn) == CONNECTION_OK && PQtransactionStatus(writer->conn) != PQTRANS_IDLE)
        (void)!pg_do(writer->conn, "ROLLBACK", NULL);
    else if (writer->conn && PQstatus(writer->conn) != CONNECTION_OK)
        pg_close(&writer->conn);
    return rc;
}

/* --------------------------------------------------------------- inserts */

static void free_ids(struct model_ids *ids)
{
    for (int i = 0; i < MODEL_TABLES; i++)
        free(ids->ids[i]);
}

static enum rc reserve(PGconn *conn, const struct model_plan *plan, struct model_ids *out, struct err *err)
{
    for (int t = 0; t < MODEL_TABLES; t++) {
        CLEANUP_FREE char *sql = mem_printf("SELECT nextval(pg_get_serial_sequence('public.%s', 'id')) FROM "
                                            "generate_series(1, %zu)",
                                            model_table_names[t], plan->counts[t]);
        CLEANUP(pg_clear) PGresult *result = NULL;
        enum rc rc = pg_query(conn, sql, NULL, 0, &result, err);
        if (rc)
            return err_wrap(err, "cannot reserve ids of '%s'", model_table_names[t]);
        out->counts[t] = plan->counts[t];
        out->ids[t] = NEW_ARRAY(int64_t, plan->counts[t]);
        for (size_t i = 0; i < plan->counts[t]; i++)
            out->ids[t][i] = atoll(PQgetvalue(result, (int)i, 0));
    }
    return RC_OK;
}

static enum rc copy(PGconn *conn, int table, const struct buf *rows, struct err *err)
{
    CLEANUP_FREE char *sql =
        mem_printf("COPY public.%s (%s) FROM STDIN", model_table_names[table], model_columns[table]);
    CLEANUP(pg_clear) PGresult *begun = PQexec(conn, sql);

    if (PQresultStatus(begun) != PGRES_COPY_IN)
        return pg_error(conn, begun, err);
    for (size_t at = 0; at < rows->len;) {
        size_t n = MIN(rows->len - at, (size_t)1 << 20);
        if (PQputCopyData(conn, rows->data + at, (int)n) != 1)
            return pg_error(conn, NULL, err);
        at += n;
    }
    if (FAULT_POINT("seeder.copy"))
        return err_set_errno(err, errno, "cannot copy into '%s'", model_table_names[table]);
    if (PQputCopyEnd(conn, NULL) != 1)
        return pg_error(conn, NULL, err);
    CLEANUP(pg_clear) PGresult *ended = PQgetResult(conn);
    PQclear(PQgetResult(conn)); /* there is none: libpq wants to say so */
    return PQresultStatus(ended) == PGRES_COMMAND_OK ? RC_OK : pg_error(conn, ended, err);
}

static enum rc find_customer(PGconn *conn, struct model_known *out, struct err *err)
{
    CLEANUP(pg_clear) PGresult *result = NULL;
    enum rc rc = pg_query(conn, "SELECT max(id) FROM public.customers", NULL, 0, &result, err);

    if (!rc && !PQgetisnull(result, 0, 0))
        out->customer = atoll(PQgetvalue(result, 0, 0));
    return rc;
}

static enum rc commit(struct writer *writer, struct err *err)
{
    if (FAULT_POINT("seeder.commit"))
        return err_set_errno(err, errno, "cannot commit");
    return pg_do(writer->conn, "COMMIT", err);
}

static enum rc insert(struct writer *writer, struct model_random *random, size_t records, struct writer_counts *counts,
                      struct err *err)
{
    struct model_known known = { 0 };
    CLEANUP(model_plan_free) struct model_plan plan = { 0 };
    CLEANUP(free_ids) struct model_ids ids = { 0 };
    enum rc rc = pg_do(writer->conn, "BEGIN", err);

    if (!rc && records < 2)
        rc = find_customer(writer->conn, &known, err);
    model_plan_make(random, records, known.customer != 0, &plan);
    if (!rc)
        rc = reserve(writer->conn, &plan, &ids, err);
    if (rc)
        return rc;
    for (int t = 0; t < MODEL_TABLES; t++)
        buf_clear(&writer->rows[t]);
    model_write(random, &plan, &ids, &known, clock_wall_us(), writer->rows);
    for (int t = 0; !rc && t < MODEL_TABLES; t++)
        rc = copy(writer->conn, t, &writer->rows[t], err);
    if (!rc)
        rc = commit(writer, err);
    if (rc)
        return rc;
    counts->batches++;
    for (int t = 0; t < MODEL_TABLES; t++)
        counts->inserted[t] += (int64_t)plan.counts[t];
    return RC_OK;
}

enum rc writer_insert(struct writer *writer, struct model_random *random, size_t records, struct writer_counts *counts,
                      struct err *err)
{
    enum rc rc = connect_writer(writer, err);

    if (!rc)
        rc = insert(writer, random, records, counts, err);
    return rc ? give_up(writer, rc) : RC_OK;
}

/* --------------------------------------------------------------- changes */

/* Each changes one row near a random id; $1 is a random number in [0, 1).  Ids may have gaps: the next one is taken. */
static const char *const update_statements[] = {
    "UPDATE public.orders SET status = CASE status WHEN 'pending' THEN 'shipped' WHEN 'shipped' THEN 'delivered' ELSE"
    " 'cancelled' END WHERE id = (SELECT id FROM public.orders WHERE id >= (SELECT min(id) + floor($1::float8 * "
    "(max(id) -"
    " min(id) + 1))::int FROM public.orders) ORDER BY id LIMIT 1)",
    "UPDATE public.products SET stock_quantity = stock_quantity + 10, price = round(price * 1.01, 2) WHERE id = "
    "(SELECT id"
    " FROM public.products WHERE id >= (SELECT min(id) + floor($1::float8 * (max(id) - min(id) + 1))::int FROM"
    " public.products) ORDER BY id LIMIT 1)",
    "UPDATE public.customers SET address = 'Neue Strasse ' || floor($1::float8 * 200)::int WHERE id = (SELECT id FROM"
    " public.customers WHERE id >= (SELECT min(id) + floor($1::float8 * (max(id) - min(id) + 1))::int FROM"
    " public.customers) ORDER BY id LIMIT 1)",
    "UPDATE public.payments SET status = 'paid', paid_at = now() AT TIME ZONE 'UTC' WHERE id = (SELECT id FROM"
    " public.payments WHERE status <> 'paid' AND id >= (SELECT min(id) + floor($1::float8 * (max(id) - min(id) + "
    "1))::int"
    " FROM public.payments) ORDER BY id LIMIT 1)",
};

/* An order goes with its items and its payment. */
static const char delete_statement[] =
    "WITH gone AS (SELECT id FROM public.orders WHERE id >= (SELECT min(id) + floor($1::float8 * (max(id) - min(id) +"
    " 1))::int FROM public.orders) ORDER BY id LIMIT 1), items AS (DELETE FROM public.order_items WHERE order_id IN "
    "(SELECT"
    " id FROM gone) RETURNING 1), paid AS (DELETE FROM public.payments WHERE order_id IN (SELECT id FROM gone) "
    "RETURNING 1),"
    " orders AS (DELETE FROM public.orders WHERE id IN (SELECT id FROM gone) RETURNING 1) SELECT (SELECT count(*) FROM"
    " items) + (SELECT count(*) FROM paid) + (SELECT count(*) FROM orders)";

static enum rc run_change(PGconn *conn, const char *sql, struct model_random *random, int64_t *rows, struct err *err)
{
    char share[32];
    CLEANUP(pg_clear) PGresult *result = NULL;

    snprintf(share, sizeof share, "0.%06d", (int)model_below(random, 1000000));
    enum rc rc = pg_query(conn, sql, (const char *[]){ share }, 1, &result, err);
    if (!rc)
        *rows += PQntuples(result) ? atoll(PQgetvalue(result, 0, 0)) : atoll(PQcmdTuples(result));
    return rc;
}

enum rc writer_change(struct writer *writer, struct model_random *random, int updates, int deletes,
                      struct writer_counts *counts, struct err *err)
{
    int64_t updated = 0, deleted = 0;
    enum rc rc = connect_writer(writer, err);

    if (!rc)
        rc = pg_do(writer->conn, "BEGIN", err);
    for (int i = 0; !rc && i < updates; i++)
        rc = run_change(writer->conn, update_statements[model_below(random, ARRAY_LEN(update_statements))], random,
                        &updated, err);
    for (int i = 0; !rc && i < deletes; i++)
        rc = run_change(writer->conn, delete_statement, random, &deleted, err);
    if (!rc)
        rc = commit(writer, err);
    if (rc)
        return give_up(writer, rc);
    counts->updated += updated;
    counts->deleted += deleted;
    return RC_OK;
}
