/* Publications and replica identities; see publication.h. */
#include "stream/connect/postgres/publication.h"

#include <string.h>

/* Every captured table as "schema"."name", ... */
static enum rc put_tables(struct catalog *catalog, const struct postgres_settings *settings, struct buf *sql,
                          struct err *err)
{
    CLEANUP(catalog_names_free) struct catalog_names names = { 0 };
    enum rc rc = catalog_captured(catalog, settings, &names, err);

    for (size_t i = 0; i < names.count && !rc; i++) {
        buf_puts(sql, i ? ", " : "");
        session_put_identifier(sql, names.rows[i].schema);
        buf_putc(sql, '.');
        session_put_identifier(sql, names.rows[i].table);
    }
    if (!rc && names.count == 0)
        rc = err_set(err, RC_BAD_INPUT,
                     "no table matches 'table.include.list', so publication '%s' would be empty; correct the list",
                     settings->publication);
    return rc;
}

static enum rc run(struct catalog *catalog, const struct postgres_settings *settings, const char *what,
                   const struct buf *sql, struct err *err)
{
    if (session_exec(catalog->ctx, catalog->conn, buf_cstr(sql), err) == RC_OK) {
        log_info("publication prepared", "publication=%s action=%s", settings->publication, what);
        return RC_OK;
    }
    if (err->rc == RC_BAD_INPUT)
        return err_wrap(err,
                        "cannot %s publication '%s' as '%s' (let its owner do it, and set "
                        "'publication.autocreate.mode' to 'disabled')",
                        what, settings->publication, settings->user);
    return err_wrap(err, "cannot %s publication '%s'", what, settings->publication);
}

static enum rc create(struct catalog *catalog, const struct postgres_settings *settings, struct err *err)
{
    CLEANUP(buf_free) struct buf sql = { 0 };
    enum rc rc = RC_OK;

    if (settings->autocreate == AUTOCREATE_DISABLED)
        return err_set(err, RC_BAD_INPUT,
                       "publication '%s' does not exist and 'publication.autocreate.mode' is 'disabled'; create it and "
                       "restart the connector",
                       settings->publication);
    buf_puts(&sql, "CREATE PUBLICATION ");
    session_put_identifier(&sql, settings->publication);
    buf_puts(&sql, settings->autocreate == AUTOCREATE_ALL_TABLES ? " FOR ALL TABLES" : " FOR TABLE ");
    if (settings->autocreate == AUTOCREATE_FILTERED)
        rc = put_tables(catalog, settings, &sql, err);
    return rc ? rc : run(catalog, settings, "create", &sql, err);
}

enum rc publication_prepare(struct catalog *catalog, const struct postgres_settings *settings, struct err *err)
{
    const char *params[] = { settings->publication };
    CLEANUP(session_clear) PGresult *found = NULL;
    CLEANUP(buf_free) struct buf sql = { 0 };
    enum rc rc =
        session_query(catalog->ctx, catalog->conn,
                      "SELECT puballtables FROM pg_catalog.pg_publication WHERE pubname = $1", 1, params, &found, err);

    if (rc)
        return err_wrap(err, "cannot look for publication '%s'", settings->publication);
    if (PQntuples(found) == 0)
        return create(catalog, settings, err);
    if (settings->autocreate != AUTOCREATE_FILTERED)
        return RC_OK;
    if (*PQgetvalue(found, 0, 0) == 't')
        return err_set(err, RC_BAD_INPUT,
                       "publication '%s' is for all tables and cannot be filtered; drop it, or set "
                       "'publication.autocreate.mode' to 'all_tables'",
                       settings->publication);
    buf_puts(&sql, "ALTER PUBLICATION ");
    session_put_identifier(&sql, settings->publication);
    buf_puts(&sql, " SET TABLE ");
    rc = put_tables(catalog, settings, &sql, err);
    return rc ? rc : run(catalog, settings, "alter", &sql, err);
}

static enum rc set_identity(struct catalog *catalog, const struct catalog_name *name, struct str identity,
                            struct err *err)
{
    CLEANUP(buf_free) struct buf sql = { 0 };
    bool index = identity.len > 6 && str_is_nocase(str_n(identity.p, 6), "INDEX ");

    buf_puts(&sql, "ALTER TABLE ");
    session_put_identifier(&sql, name->schema);
    buf_putc(&sql, '.');
    session_put_identifier(&sql, name->table);
    buf_puts(&sql, index ? " REPLICA IDENTITY USING INDEX " : " REPLICA IDENTITY ");
    if (index) {
        CLEANUP_FREE char *index_name = str_dup(str_trim(str_skip(identity, 6)));
        session_put_identifier(&sql, index_name);
    } else {
        buf_put_str(&sql, identity);
    }
    if (session_exec(catalog->ctx, catalog->conn, buf_cstr(&sql), err) == RC_OK)
        return RC_OK;
    return err_wrap(err, "cannot set the replica identity of '%s.%s' ('replica.identity.autoset.values')", name->schema,
                    name->table);
}

enum rc identities_prepare(struct catalog *catalog, const struct postgres_settings *settings, struct err *err)
{
    const char *value = config_text(settings->config, "replica.identity.autoset.values");
    CLEANUP(catalog_names_free) struct catalog_names names = { 0 };
    struct str rest = str_of(value), item = { 0 }, pattern = { 0 };
    enum rc rc = value && *value ? catalog_captured(catalog, settings, &names, err) : RC_OK;

    while (!rc && names.count && config_list_next(&rest, &item)) {
        CLEANUP(name_filter_free) struct name_filter filter = { 0 };
        if (!str_cut(&item, ':', &pattern) || !item.p)
            continue;
        CLEANUP_FREE char *text = str_dup(pattern);
        rc = name_filter_compile_one(&filter, text, err);
        for (size_t i = 0; i < names.count && !rc; i++) {
            CLEANUP_FREE char *id = mem_printf("%s.%s", names.rows[i].schema, names.rows[i].table);
            if (name_filter_find(&filter, str_of(id)) >= 0)
                rc = set_identity(catalog, &names.rows[i], str_trim(item), err);
        }
    }
    return rc;
}
