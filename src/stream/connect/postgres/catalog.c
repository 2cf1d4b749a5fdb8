/* The server's catalogue; see catalog.h. */
#include "stream/connect/postgres/catalog.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ------------------------------------------------------------------ types */

static const char types_sql[] =
    "SELECT t.oid, n.nspname, t.typname, t.typtype, t.typcategory, t.typelem, t.typbasetype, t.typtypmod"
    " FROM pg_catalog.pg_type t JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace";
static const char labels_sql[] = "SELECT enumtypid, enumlabel FROM pg_catalog.pg_enum";

static uint32_t oid_at(const PGresult *result, int row, int column)
{
    return (uint32_t)strtoul(PQgetvalue(result, row, column), NULL, 10);
}

static void set_text(char **at, const char *text)
{
    free(*at);
    *at = mem_strdup(text);
}

static void add_types(struct pg_types *types, const PGresult *result)
{
    for (int i = 0; i < PQntuples(result); i++) {
        struct pg_type *type = pg_types_add(types, oid_at(result, i, 0));
        set_text(&type->schema, PQgetvalue(result, i, 1));
        set_text(&type->name, PQgetvalue(result, i, 2));
        type->kind = *PQgetvalue(result, i, 3);
        type->category = *PQgetvalue(result, i, 4);
        type->base_typmod = (int32_t)strtol(PQgetvalue(result, i, 7), NULL, 10);
    }
}

static void add_labels(struct pg_types *types, const PGresult *result)
{
    for (int i = 0; i < PQntuples(result); i++) {
        struct pg_type *type = pg_types_add(types, oid_at(result, i, 0));
        if (type->label_count == PG_LABELS_MAX)
            continue;
        type->labels = mem_grow(type->labels, type->label_count + 1, sizeof *type->labels);
        type->labels[type->label_count++] = mem_strdup(PQgetvalue(result, i, 1));
    }
}

static void forget_labels(struct pg_types *types, const PGresult *result)
{
    for (int i = 0; i < PQntuples(result); i++) {
        struct pg_type *type = pg_types_add(types, oid_at(result, i, 0));
        for (size_t k = 0; k < type->label_count; k++)
            free(type->labels[k]);
        type->label_count = 0;
    }
}

static enum rc need_type(struct catalog *catalog, uint32_t oid, const struct pg_type **out, struct err *err);

/* Elements and bases, once all types of a result are there. */
static enum rc link_types(struct catalog *catalog, const PGresult *result, struct err *err)
{
    enum rc rc = RC_OK;

    for (int i = 0; i < PQntuples(result) && !rc; i++) {
        struct pg_type *type = pg_types_add(&catalog->types, oid_at(result, i, 0));
        uint32_t element = oid_at(result, i, 5), base = oid_at(result, i, 6);
        if (element && type->category == 'A' && !type->element)
            rc = need_type(catalog, element, &type->element, err);
        if (!rc && base && !type->base)
            rc = need_type(catalog, base, &type->base, err);
    }
    return rc;
}

/* Types by a condition, with their labels and whatever they are made of. */
static enum rc read_types(struct catalog *catalog, const char *condition, const char *labels_condition, struct err *err)
{
    CLEANUP_FREE char *sql = mem_printf("%s WHERE %s", types_sql, condition);
    CLEANUP_FREE char *more = mem_printf("%s WHERE %s ORDER BY ctid", labels_sql, labels_condition);
    CLEANUP(session_clear) PGresult *types = NULL;
    CLEANUP(session_clear) PGresult *labels = NULL;
    enum rc rc = session_query(catalog->ctx, catalog->conn, sql, 0, NULL, &types, err);

    if (!rc)
        rc = session_query(catalog->ctx, catalog->conn, more, 0, NULL, &labels, err);
    if (rc)
        return rc;
    add_types(&catalog->types, types);
    forget_labels(&catalog->types, labels);
    add_labels(&catalog->types, labels);
    return link_types(catalog, types, err);
}

static enum rc need_type(struct catalog *catalog, uint32_t oid, const struct pg_type **out, struct err *err)
{
    char condition[64], labels[64];

    *out = pg_types_get(&catalog->types, oid);
    if (*out)
        return RC_OK;
    snprintf(condition, sizeof condition, "t.oid = %u", oid);
    snprintf(labels, sizeof labels, "enumtypid = %u", oid);
    enum rc rc = read_types(catalog, condition, labels, err);
    if (rc)
        return rc;
    *out = pg_types_get(&catalog->types, oid);
    if (*out)
        return RC_OK;
    struct pg_type *gone = pg_types_add(&catalog->types, oid); /* dropped meanwhile: a type nobody knows */
    gone->schema = mem_strdup("");
    gone->name = mem_strdup("???");
    gone->kind = 'p';
    gone->category = 'X';
    *out = gone;
    return RC_OK;
}

/* An enum may have grown since its type was read. */
static enum rc refresh_enum(struct catalog *catalog, const struct pg_type *type, struct err *err)
{
    const struct pg_type *plain = type;
    char condition[64], labels[64];

    while (plain->base || plain->element)
        plain = plain->base ? plain->base : plain->element;
    if (plain->kind != 'e')
        return RC_OK;
    snprintf(condition, sizeof condition, "t.oid = %u", plain->oid);
    snprintf(labels, sizeof labels, "enumtypid = %u", plain->oid);
    return read_types(catalog, condition, labels, err);
}

enum rc catalog_open(struct catalog *catalog, struct task_context *ctx, PGconn *conn, struct err *err)
{
    *catalog = (struct catalog){ .ctx = ctx, .conn = conn };
    enum rc rc = read_types(catalog,
                            "t.typtype <> 'c' AND (t.typelem = 0 OR EXISTS (SELECT 1 FROM pg_catalog.pg_type e"
                            " WHERE e.oid = t.typelem AND e.typtype <> 'c'))",
                            "true", err);
    return rc ? (enum rc)err_wrap(err, "cannot read the server's types") : RC_OK;
}

void catalog_free(struct catalog *catalog)
{
    pg_types_free(&catalog->types);
}

/* ------------------------------------------------------------------ tables */

static const char names_sql[] =
    "SELECT c.oid, n.nspname, c.relname, c.relkind FROM pg_catalog.pg_class c"
    " JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
    " WHERE c.relkind IN ('r', 'p') AND n.nspname NOT IN ('pg_catalog', 'information_schema')"
    " AND n.nspname NOT LIKE 'pg\\_temp%' AND n.nspname NOT LIKE 'pg\\_toast%'"
    " ORDER BY (n.nspname || '.' || c.relname) COLLATE \"C\"";

static void take_name(struct catalog_names *out, const PGresult *result, int row)
{
    out->rows = mem_grow(out->rows, out->count + 1, sizeof *out->rows);
    out->rows[out->count++] = (struct catalog_name){
        .oid = oid_at(result, row, 0),
        .schema = mem_strdup(PQgetvalue(result, row, 1)),
        .table = mem_strdup(PQgetvalue(result, row, 2)),
        .kind = *PQgetvalue(result, row, 3),
    };
}

/* Index of the entry of the include list that names this table first. */
static int entry_of(const struct postgres_settings *settings, const PGresult *result, int row)
{
    const char *schema = PQgetvalue(result, row, 1), *table = PQgetvalue(result, row, 2);
    CLEANUP_FREE char *id = mem_printf("%s.%s", schema, table);

    if (!settings_captures(settings, schema, table))
        return -1;
    return settings->tables_in.count ? name_filter_find(&settings->tables_in, str_of(id)) : 0;
}

enum rc catalog_captured(struct catalog *catalog, const struct postgres_settings *settings, struct catalog_names *out,
                         struct err *err)
{
    CLEANUP(session_clear) PGresult *result = NULL;
    enum rc rc = session_query(catalog->ctx, catalog->conn, names_sql, 0, NULL, &result, err);

    if (rc)
        return err_wrap(err, "cannot list the tables");
    if (PQntuples(result) > CATALOG_TABLES_MAX)
        return err_set(err, RC_FULL, "there are more than %d tables", CATALOG_TABLES_MAX);
    size_t entries = MAX(settings->tables_in.count, (size_t)1);
    CLEANUP_FREE int *entry = mem_grow_zeroed((size_t)PQntuples(result) + 1, sizeof *entry);
    for (int i = 0; i < PQntuples(result); i++)
        entry[i] = entry_of(settings, result, i);
    for (int e = 0; e < (int)entries; e++)
        for (int i = 0; i < PQntuples(result); i++)
            if (entry[i] == e)
                take_name(out, result, i);
    return RC_OK;
}

enum rc catalog_wait_visible(struct catalog *catalog, uint32_t xid, struct err *err)
{
    char text[16];
    const char *params[] = { text };

    snprintf(text, sizeof text, "%u", xid);
    for (int waited = 0; waited < CATALOG_VISIBLE_MS; waited += CATALOG_VISIBLE_STEP_MS) {
        CLEANUP(session_clear) PGresult *held = NULL;
        enum rc rc = session_query(catalog->ctx, catalog->conn,
                                   "SELECT 1 FROM pg_catalog.pg_locks WHERE locktype = 'transactionid'"
                                   " AND transactionid = $1::xid AND mode = 'ExclusiveLock' AND granted",
                                   1, params, &held, err);
        if (rc || PQntuples(held) == 0)
            return rc;
        rc = session_wait(catalog->ctx, catalog->conn, CATALOG_VISIBLE_STEP_MS, NULL, err);
        if (rc)
            return rc;
    }
    return RC_OK;
}

void catalog_names_free(struct catalog_names *names)
{
    for (size_t i = 0; i < names->count; i++) {
        free(names->rows[i].schema);
        free(names->rows[i].table);
    }
    free(names->rows);
    *names = (struct catalog_names){ 0 };
}

static const char columns_sql[] =
    "SELECT a.attname, a.attnum, a.atttypid, a.atttypmod,"
    " a.attnotnull OR (t.typtype = 'd' AND t.typnotnull),"
    " CASE WHEN a.attidentity = '' AND a.attgenerated = '' THEN pg_catalog.pg_get_expr(d.adbin, d.adrelid) END,"
    " a.attidentity, a.attgenerated"
    " FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_type t ON t.oid = a.atttypid"
    " LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum"
    " WHERE a.attrelid = $1::oid AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum";
static const char table_sql[] = "SELECT n.nspname, c.relname, c.relreplident FROM pg_catalog.pg_class c"
                                " JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = $1::oid";
/* The primary key; else the first unique index as the driver lists them, nullable and partial ones too. */
static const char key_sql[] =
    "SELECT i.indkey::text FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid"
    " WHERE i.indrelid = $1::oid AND i.indisunique AND NOT 0 = ANY (i.indkey::int2[])"
    " ORDER BY NOT i.indisprimary, NOT i.indisclustered, c.relname COLLATE \"C\" LIMIT 1";

struct description {
    PGresult *table, *columns, *key;
};

static void description_clear(struct description *d)
{
    session_clear(&d->table);
    session_clear(&d->columns);
    session_clear(&d->key);
}

static enum rc describe(struct catalog *catalog, uint32_t oid, struct description *out, struct err *err)
{
    char text[16];
    const char *params[] = { text };

    snprintf(text, sizeof text, "%u", oid);
    enum rc rc = session_query(catalog->ctx, catalog->conn, table_sql, 1, params, &out->table, err);
    if (!rc)
        rc = session_query(catalog->ctx, catalog->conn, columns_sql, 1, params, &out->columns, err);
    if (!rc)
        rc = session_query(catalog->ctx, catalog->conn, key_sql, 1, params, &out->key, err);
    return rc ? (enum rc)err_wrap(err, "cannot read the description of table %u", oid) : RC_OK;
}

static void set_column(struct pg_table_column *column, const PGresult *columns, int row)
{
    column->number = (int16_t)strtol(PQgetvalue(columns, row, 1), NULL, 10);
    column->not_null = *PQgetvalue(columns, row, 4) == 't';
    column->default_text = PQgetisnull(columns, row, 5) ? NULL : mem_strdup(PQgetvalue(columns, row, 5));
    column->identity = *PQgetvalue(columns, row, 6);
    column->generated = *PQgetvalue(columns, row, 7);
}

/* Numbers of columns, "1 3", become indexes of columns; one that rows do not have is left out. */
static void set_key(struct pg_table *table, const PGresult *key)
{
    struct str rest = str_of(PQntuples(key) ? PQgetvalue(key, 0, 0) : ""), part = { 0 };
    int64_t number = 0;

    while (rest.len && str_cut(&rest, ' ', &part)) {
        for (size_t i = 0; i < table->column_count; i++) {
            if (!str_to_i64(part, 1, INT16_MAX, &number) || table->columns[i].number != number)
                continue;
            table->key = mem_grow(table->key, table->key_count + 1, sizeof *table->key);
            table->key[table->key_count++] = i;
        }
    }
}

enum rc catalog_table(struct catalog *catalog, uint32_t oid, struct pg_table *out, struct err *err)
{
    CLEANUP(description_clear) struct description d = { 0 };
    enum rc rc = describe(catalog, oid, &d, err);

    if (rc)
        return rc;
    if (PQntuples(d.table) == 0)
        return err_set(err, RC_NOT_FOUND, "there is no table %u", oid);
    out->oid = oid;
    out->schema = mem_strdup(PQgetvalue(d.table, 0, 0));
    out->name = mem_strdup(PQgetvalue(d.table, 0, 1));
    out->replica_identity = *PQgetvalue(d.table, 0, 2);
    pg_table_set_columns(out, (size_t)PQntuples(d.columns));
    for (size_t i = 0; i < out->column_count && !rc; i++) {
        struct pg_table_column *column = &out->columns[i];
        column->name = mem_strdup(PQgetvalue(d.columns, (int)i, 0));
        column->typmod = (int32_t)strtol(PQgetvalue(d.columns, (int)i, 3), NULL, 10);
        set_column(column, d.columns, (int)i);
        rc = need_type(catalog, oid_at(d.columns, (int)i, 2), &column->type, err);
    }
    if (!rc)
        set_key(out, d.key);
    return rc;
}

static int row_of(const PGresult *columns, struct str name)
{
    for (int i = 0; i < PQntuples(columns); i++)
        if (str_is(name, PQgetvalue(columns, i, 0)))
            return i;
    return -1;
}

/* The key of a table that is gone, as far as its changes tell. */
static void key_of_identity(const struct pg_relation *relation, struct pg_table *out)
{
    for (size_t i = 0; i < relation->column_count && relation->replica_identity != 'f'; i++) {
        if (!relation->columns[i].in_key)
            continue;
        out->key = mem_grow(out->key, out->key_count + 1, sizeof *out->key);
        out->key[out->key_count++] = i;
    }
}

enum rc catalog_relation(struct catalog *catalog, const struct pg_relation *relation, struct pg_table *out,
                         struct err *err)
{
    CLEANUP(description_clear) struct description d = { 0 };
    enum rc rc = describe(catalog, relation->id, &d, err);

    if (rc)
        return rc;
    out->oid = relation->id;
    out->schema = str_dup(relation->schema);
    out->name = str_dup(relation->table);
    out->replica_identity = relation->replica_identity;
    pg_table_set_columns(out, relation->column_count);
    for (size_t i = 0; i < relation->column_count && !rc; i++) {
        const struct pg_column *from = &relation->columns[i];
        struct pg_table_column *column = &out->columns[i];
        int row = row_of(d.columns, from->name);
        column->name = str_dup(from->name);
        column->typmod = from->typmod;
        if (row >= 0)
            set_column(column, d.columns, row);
        rc = need_type(catalog, from->type_oid, &column->type, err);
        if (!rc)
            rc = refresh_enum(catalog, column->type, err);
    }
    if (!rc && PQntuples(d.table))
        set_key(out, d.key);
    else if (!rc)
        key_of_identity(relation, out);
    return rc;
}
