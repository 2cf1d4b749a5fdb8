/*
 * Projection and casts as SQL.
 *
 * DuckDB rounds where a cast loses digits (1.5 to BIGINT, 12.345 to DECIMAL(6,2)); a stage table must not.  So
 * each pair of types that can lose something has a condition beside its cast, and a value that breaks it stops
 * the run.  event_date is the UTC day of created_at (microseconds), else of ts_ms (milliseconds).
 */
#include "lake/build/project.h"

#include <stdio.h>
#include <string.h>

/* 0001-01-01 to 9999-12-31: what every engine's dates can hold. */
#define MICROS_MIN  "-62135596800000000"
#define MICROS_MAX  "253402300799999999"
#define MILLIS_MIN  "-62135596800000"
#define MILLIS_MAX  "253402300799999"
#define SECONDS_MIN "-62135596800"
#define SECONDS_MAX "253402300799"
#define DAYS_MIN    "-719162"
#define DAYS_MAX    "2932896"

const struct iceberg_new_column project_extra_columns[PROJECT_EXTRA_COUNT] = {
    [PROJECT_EVENT_DATE] = { "event_date", "date", false },
    [PROJECT_EVENT_DATE_SOURCE] = { "event_date_source", "string", false },
    [PROJECT_OP] = { "__op", "string", false },
    [PROJECT_TS_MS] = { "__ts_ms", "long", false },
    [PROJECT_LSN] = { "__lsn", "long", false },
    [PROJECT_TOPIC] = { "__topic", "string", false },
    [PROJECT_PARTITION] = { "__partition", "int", false },
    [PROJECT_OFFSET] = { "__offset", "long", false },
};

/* ------------------------------------------------------------- one column */

enum family { BOOLEAN, INTEGER, REAL, DECIMAL, TEXT, BLOB };

static enum family family_of(const struct raw_column *c)
{
    switch (c->type) {
    case DUCKDB_TYPE_BOOLEAN:
        return BOOLEAN;
    case DUCKDB_TYPE_INTEGER:
    case DUCKDB_TYPE_BIGINT:
        return INTEGER;
    case DUCKDB_TYPE_FLOAT:
    case DUCKDB_TYPE_DOUBLE:
        return REAL;
    case DUCKDB_TYPE_DECIMAL:
        return DECIMAL;
    case DUCKDB_TYPE_BLOB:
        return BLOB;
    default:
        return TEXT;
    }
}

struct cast {
    const struct raw_column *from;
    const struct stage_column *to;
    const char *name, *cast; /* "CAST" or "TRY_CAST" */
    struct buf *value, *check;
};

static void plain_cast(const struct cast *c)
{
    buf_printf(c->value, "%s(%s AS %s)", c->cast, c->name, c->to->duck_type);
}

static bool to_integer(const struct cast *c)
{
    switch (family_of(c->from)) {
    case REAL:
    case DECIMAL:
        buf_printf(c->check, "%s = trunc(%s)", c->name, c->name);
        break;
    case TEXT:
        buf_printf(c->check, "regexp_full_match(trim(%s), '[+-]?[0-9]+(\\.0*)?')", c->name);
        break;
    case BLOB:
        return false;
    default:
        break;
    }
    plain_cast(c);
    return true;
}

static bool to_decimal(const struct cast *c)
{
    int precision = 0, scale = 0;

    sscanf(c->to->duck_type, "DECIMAL(%d,%d)", &precision, &scale);
    switch (family_of(c->from)) {
    case DECIMAL:
        if (c->from->scale > scale)
            buf_printf(c->check, "%s = round(%s, %d)", c->name, c->name, scale);
        break;
    case REAL:
        buf_printf(c->check, "CAST(TRY_CAST(%s AS %s) AS DOUBLE) = CAST(%s AS DOUBLE)", c->name, c->to->duck_type,
                   c->name);
        break;
    case TEXT:
        buf_printf(c->check, "regexp_full_match(trim(%s), '[+-]?[0-9]*(\\.[0-9]{0,%d}0*)?')", c->name, scale);
        break;
    case BLOB:
        return false;
    default:
        break;
    }
    plain_cast(c);
    return true;
}

static bool to_boolean(const struct cast *c)
{
    enum family family = family_of(c->from);

    if (family == INTEGER)
        buf_printf(c->check, "%s IN (0, 1)", c->name);
    else if (family != BOOLEAN && family != TEXT)
        return false;
    plain_cast(c);
    return true;
}

static bool to_text(const struct cast *c)
{
    if (family_of(c->from) != BLOB) {
        plain_cast(c);
        return true;
    }
    buf_printf(c->check, "TRY(decode(%s)) IS NOT NULL", c->name);
    buf_printf(c->value, "TRY(decode(%s))", c->name);
    return true;
}

static bool to_binary(const struct cast *c)
{
    enum family family = family_of(c->from);

    if (family == BLOB)
        buf_puts(c->value, c->name);
    else if (family == TEXT)
        buf_printf(c->value, "encode(%s)", c->name);
    return family == BLOB || family == TEXT;
}

static bool to_real(const struct cast *c)
{
    plain_cast(c);
    return family_of(c->from) != BLOB;
}

static bool to_uuid(const struct cast *c)
{
    plain_cast(c);
    return family_of(c->from) == TEXT;
}

/* Dates and times: numbers mean what their schema says. */
static bool to_moment(const struct cast *c)
{
    static const struct {
        enum raw_meaning meaning;
        const char *min, *max, *value; /* %s: the column */
        bool time;
    } rows[] = {
        { RAW_DATE, DAYS_MIN, DAYS_MAX, "(DATE '1970-01-01' + CAST(%s AS INTEGER))", false },
        { RAW_MILLIS, MILLIS_MIN, MILLIS_MAX, "make_timestamp(%s * 1000)", false },
        { RAW_MICROS, MICROS_MIN, MICROS_MAX, "make_timestamp(%s)", false },
        { RAW_NANOS, "-9223372036854775807", "9223372036854775807",
          "make_timestamp(CAST(floor(CAST(%s AS DECIMAL(28,0)) / 1000) AS BIGINT))", false },
        { RAW_TIME_MILLIS, "0", "86399999", "make_timestamp(CAST(%s AS BIGINT) * 1000)", true },
        { RAW_TIME_MICROS, "0", "86399999999", "make_timestamp(%s)", true },
        { RAW_TIME_NANOS, "0", "86399999999999", "make_timestamp(%s // 1000)", true },
        /* a bare number is seconds, as in Spark */
        { RAW_PLAIN, SECONDS_MIN, SECONDS_MAX, "make_timestamp(CAST(%s AS BIGINT) * 1000000)", false },
    };
    bool want_time = strcmp(c->to->duck_type, "TIME") == 0, want_zone = strcmp(c->to->duck_type, "TIMESTAMPTZ") == 0;
    char value[256];

    if (family_of(c->from) == TEXT) {
        if (c->from->meaning == RAW_ZONED && !want_zone)
            buf_printf(c->value, "CAST(%s(%s AS TIMESTAMPTZ) AS %s)", c->cast, c->name, c->to->duck_type);
        else if (c->from->meaning == RAW_ZONED_TIME)
            buf_printf(c->value, "%s(rtrim(%s, 'Z') AS %s)", c->cast, c->name, c->to->duck_type);
        else
            plain_cast(c);
        return true;
    }
    if (family_of(c->from) != INTEGER)
        return false;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        if (rows[i].meaning != c->from->meaning)
            continue;
        if (rows[i].time && !want_time)
            return false;
        if (rows[i].meaning == RAW_PLAIN && !want_zone)
            return false;
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
        snprintf(value, sizeof value, rows[i].value, c->name);
#pragma GCC diagnostic pop
        buf_printf(c->check, "%s BETWEEN %s AND %s", c->name, rows[i].min, rows[i].max);
        buf_printf(c->value, "CAST(%s AS %s)", value, c->to->duck_type);
        return true;
    }
    return false;
}

enum rc project_column(const struct raw_column *from, const struct stage_column *to, const char *name, bool soft,
                       struct buf *value, struct buf *check, struct err *err)
{
    static const struct {
        const char *duck_type; /* "DECIMAL" is all of them */
        bool (*cast)(const struct cast *c);
    } casts[] = {
        { "BIGINT", to_integer }, { "INTEGER", to_integer }, { "SMALLINT", to_integer }, { "TINYINT", to_integer },
        { "VARCHAR", to_text },   { "BOOLEAN", to_boolean }, { "FLOAT", to_real },       { "DOUBLE", to_real },
        { "DATE", to_moment },    { "TIME", to_moment },     { "TIMESTAMP", to_moment }, { "TIMESTAMPTZ", to_moment },
        { "BLOB", to_binary },    { "UUID", to_uuid },
    };
    struct cast c = { from, to, name, soft ? "TRY_CAST" : "CAST", value, check };
    bool ok = false;

    if (!from->found) {
        buf_printf(value, "CAST(NULL AS %s)", to->duck_type);
        return RC_OK;
    }
    if (strncmp(to->duck_type, "DECIMAL", 7) == 0)
        ok = to_decimal(&c);
    for (size_t i = 0; !ok && i < ARRAY_LEN(casts); i++)
        if (strcmp(casts[i].duck_type, to->duck_type) == 0) {
            ok = casts[i].cast(&c);
            break;
        }
    if (!ok)
        return err_set(err, RC_BAD_INPUT, "column '%s' (line %d): source '%s' cannot become %s", to->name, to->line,
                       to->source, to->written_type);
    return RC_OK;
}

/* ------------------------------------------------------------- all columns */

static enum rc put_declared(const struct raw_group *group, size_t i, struct buf *out, struct err *err)
{
    const struct stage_column *to = &group->table->columns[i];
    CLEANUP(buf_free) struct buf value = { 0 };
    CLEANUP(buf_free) struct buf check = { 0 };
    char name[32];

    snprintf(name, sizeof name, "c%zu", i);
    enum rc rc = project_column(&group->columns[i], to, name, false, &value, &check, err);
    if (rc)
        return rc;
    /* SMALLINT is an Iceberg int: narrow first, so that what does not fit is found */
    const char *stored = strcmp(to->type, "int") == 0 ? "INTEGER" : to->duck_type;
    if (check.len)
        buf_printf(out, "CAST(CASE WHEN %s IS NULL OR (%s) THEN %s ELSE error('value does not fit') END AS %s)", name,
                   buf_cstr(&check), buf_cstr(&value), stored);
    else
        buf_printf(out, "CAST(%s AS %s)", buf_cstr(&value), stored);
    buf_puts(out, " AS ");
    duck_put_name(out, str_of(to->name));
    return RC_OK;
}

/* SQL of the day of created_at; empty: the table has no such column, or one that is no time. */
static void put_created_day(const struct stage_table *table, struct buf *out)
{
    for (size_t i = 0; i < table->column_count; i++) {
        const struct stage_column *c = &table->columns[i];
        if (strcmp(c->name, "created_at") != 0)
            continue;
        if (strcmp(c->type, "long") == 0 || strcmp(c->type, "int") == 0)
            buf_puts(out, "CASE WHEN created_at BETWEEN " MICROS_MIN " AND " MICROS_MAX
                          " THEN CAST(make_timestamp(CAST(created_at AS BIGINT)) AS DATE) END");
        else if (strncmp(c->type, "timestamp", 9) == 0 || strcmp(c->type, "date") == 0)
            buf_puts(out, "CAST(created_at AS DATE)");
    }
}

static void put_event_date(const struct stage_table *table, struct buf *out)
{
    static const char by_ts_ms[] =
        "CASE WHEN __x1 BETWEEN " MILLIS_MIN " AND " MILLIS_MAX " THEN CAST(make_timestamp(__x1 * 1000) AS DATE) END";
    CLEANUP(buf_free) struct buf created = { 0 };

    put_created_day(table, &created);
    if (created.len)
        buf_printf(out, "coalesce(%s, %s) AS event_date, CASE WHEN (%s) IS NOT NULL THEN 'created_at' ELSE 'ts_ms' END",
                   buf_cstr(&created), by_ts_ms, buf_cstr(&created));
    else
        buf_printf(out, "%s AS event_date, 'ts_ms'", by_ts_ms);
    buf_puts(out, " AS event_date_source, __x0 AS __op, __x1 AS __ts_ms, __x2 AS __lsn, __x3 AS __topic, "
                  "__x4 AS __partition, __x5 AS __offset");
}

enum rc project_partition(const struct iceberg_table *table, const struct iceberg_partition_field *field,
                          struct buf *out, struct err *err)
{
    const struct iceberg_column *column = iceberg_column_by_id(table, field->source_id);
    CLEANUP(buf_free) struct buf name = { 0 };
    long long width = 0;

    if (column)
        duck_put_name(&name, str_of(column->name));
    const char *c = buf_cstr(&name), *t = field->transform, *type = column ? column->type : "";
    bool is_binary = strcmp(type, "binary") == 0 || strncmp(type, "fixed", 5) == 0;
    if (strcmp(t, "void") == 0)
        buf_puts(out, "NULL");
    else if (strcmp(t, "identity") == 0 && *type)
        buf_printf(out, is_binary ? "hex(%s)" : "CAST(%s AS VARCHAR)", c);
    else if (strcmp(t, "day") == 0)
        buf_printf(out, "CAST(CAST(%s AS DATE) AS VARCHAR)", c);
    else if (strcmp(t, "month") == 0)
        buf_printf(out, "CAST((year(%s) - 1970) * 12 + month(%s) - 1 AS VARCHAR)", c, c);
    else if (strcmp(t, "year") == 0)
        buf_printf(out, "CAST(year(%s) - 1970 AS VARCHAR)", c);
    else if (strcmp(t, "hour") == 0)
        buf_printf(out, "CAST(CAST(floor(epoch(%s) / 3600) AS BIGINT) AS VARCHAR)", c);
    else if (sscanf(t, "truncate[%lld]", &width) == 1 && width > 0 && strcmp(type, "string") == 0)
        buf_printf(out, "left(%s, %lld)", c, width);
    else if (width > 0 && (strcmp(type, "int") == 0 || strcmp(type, "long") == 0))
        buf_printf(out, "CAST(%s - (((%s %% %lld) + %lld) %% %lld) AS VARCHAR)", c, c, width, width, width);
    else
        return err_set(err, RC_BAD_INPUT, "cannot write into '%s': partition transform '%s' of '%s' is not supported",
                       table->location, t, field->name);
    return RC_OK;
}

enum rc project_select(const struct raw_group *group, const char *function, const struct iceberg_table *table,
                       struct buf *out, struct err *err)
{
    enum rc rc = RC_OK;

    buf_puts(out, "SELECT ");
    for (size_t i = 0; i < group->table->column_count; i++) {
        duck_put_name(out, str_of(group->table->columns[i].name));
        buf_puts(out, ", ");
    }
    buf_puts(out, "event_date, event_date_source, __op, __ts_ms, __lsn, __topic, __partition, __offset");
    for (size_t i = 0; i < table->partition_count && !rc; i++) {
        CLEANUP(buf_free) struct buf value = { 0 };
        rc = project_partition(table, &table->partition[i], &value, err);
        buf_printf(out, ", coalesce('v' || %s, 'n') AS __p%zu", buf_cstr(&value), i);
    }
    buf_puts(out, " FROM (SELECT *, ");
    put_event_date(group->table, out);
    buf_puts(out, " FROM (SELECT ");
    for (size_t i = 0; i < group->table->column_count && !rc; i++) {
        rc = put_declared(group, i, out, err);
        buf_puts(out, ", ");
    }
    buf_printf(out, "x0 AS __x0, x1 AS __x1, x2 AS __x2, x3 AS __x3, x4 AS __x4, x5 AS __x5 FROM %s()))", function);
    return rc;
}

enum rc project_diagnosis(const struct raw_group *group, const char *function, size_t column, struct buf *out,
                          struct err *err)
{
    CLEANUP(buf_free) struct buf value = { 0 };
    CLEANUP(buf_free) struct buf check = { 0 };
    char name[32];

    snprintf(name, sizeof name, "c%zu", column);
    enum rc rc =
        project_column(&group->columns[column], &group->table->columns[column], name, true, &value, &check, err);
    buf_printf(out, "SELECT x6, x5, CAST(%s AS VARCHAR) FROM %s() WHERE %s IS NOT NULL AND CASE WHEN ", name, function,
               name);
    buf_puts(out, check.len ? buf_cstr(&check) : "true");
    buf_printf(out, " THEN (%s) IS NULL ELSE true END ORDER BY 1, 2 LIMIT 1", buf_cstr(&value));
    return rc;
}
