/*
 * From a schema and the declared sources to a decoding program, and its run.
 *
 * A deleted row has no `after`: where deletes are kept, a column whose source is after.x takes before.x then.
 * The program does it by order: `before` is decoded first, `after`, when present, overwrites all of it.
 */
#include "lake/build/raw_decode.h"

#include <stdlib.h>
#include <string.h>

enum { DECIMAL_MAX = 38, DECIMAL_SMALL = 4, DECIMAL_INT = 9, DECIMAL_LONG = 18, PLAN_ARENA_MAX = 64 << 20 };

/* ------------------------------------------------------------- compiling */

static const char *connect_name(const struct avro_schema *type)
{
    const char *name = json_string_value(avro_schema_prop(type, "connect.name"));

    return name ? name : "";
}

static enum raw_meaning meaning_of(const struct avro_schema *type)
{
    static const struct {
        const char *name;
        enum raw_meaning meaning;
    } names[] = {
        { "io.debezium.time.Date", RAW_DATE },
        { "io.debezium.time.Time", RAW_TIME_MILLIS },
        { "io.debezium.time.MicroTime", RAW_TIME_MICROS },
        { "io.debezium.time.NanoTime", RAW_TIME_NANOS },
        { "io.debezium.time.Timestamp", RAW_MILLIS },
        { "io.debezium.time.MicroTimestamp", RAW_MICROS },
        { "io.debezium.time.NanoTimestamp", RAW_NANOS },
        { "io.debezium.time.ZonedTimestamp", RAW_ZONED },
        { "io.debezium.time.ZonedTime", RAW_ZONED_TIME },
        { "org.apache.kafka.connect.data.Date", RAW_DATE },
        { "org.apache.kafka.connect.data.Time", RAW_TIME_MILLIS },
        { "org.apache.kafka.connect.data.Timestamp", RAW_MILLIS },
    };
    static const enum raw_meaning logical[] = {
        [AVRO_DATE] = RAW_DATE,
        [AVRO_TIME_MILLIS] = RAW_TIME_MILLIS,
        [AVRO_TIME_MICROS] = RAW_TIME_MICROS,
        [AVRO_TIMESTAMP_MILLIS] = RAW_MILLIS,
        [AVRO_TIMESTAMP_MICROS] = RAW_MICROS,
        [AVRO_LOCAL_TIMESTAMP_MILLIS] = RAW_MILLIS,
        [AVRO_LOCAL_TIMESTAMP_MICROS] = RAW_MICROS,
    };

    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (strcmp(names[i].name, connect_name(type)) == 0)
            return names[i].meaning;
    return (size_t)type->logical < ARRAY_LEN(logical) ? logical[type->logical] : RAW_PLAIN;
}

static enum raw_leaf leaf_of(const struct avro_schema *type, struct raw_column *out)
{
    static const struct {
        enum raw_leaf leaf;
        duckdb_type type;
    } plain[] = {
        [AVRO_BOOLEAN] = { RAW_LEAF_BOOLEAN, DUCKDB_TYPE_BOOLEAN },
        [AVRO_INT] = { RAW_LEAF_INT, DUCKDB_TYPE_INTEGER },
        [AVRO_LONG] = { RAW_LEAF_LONG, DUCKDB_TYPE_BIGINT },
        [AVRO_FLOAT] = { RAW_LEAF_FLOAT, DUCKDB_TYPE_FLOAT },
        [AVRO_DOUBLE] = { RAW_LEAF_DOUBLE, DUCKDB_TYPE_DOUBLE },
        [AVRO_BYTES] = { RAW_LEAF_BYTES, DUCKDB_TYPE_BLOB },
        [AVRO_STRING] = { RAW_LEAF_TEXT, DUCKDB_TYPE_VARCHAR },
        [AVRO_ENUM] = { RAW_LEAF_ENUM, DUCKDB_TYPE_VARCHAR },
        [AVRO_FIXED] = { RAW_LEAF_FIXED, DUCKDB_TYPE_BLOB },
    };

    *out = (struct raw_column){ .type = DUCKDB_TYPE_VARCHAR, .meaning = meaning_of(type), .found = true };
    if (type->logical == AVRO_DECIMAL) {
        if (type->precision > DECIMAL_MAX || type->scale > DECIMAL_MAX)
            return RAW_LEAF_DECIMAL_TEXT;
        out->type = DUCKDB_TYPE_DECIMAL;
        out->precision = type->precision;
        out->scale = type->scale;
        return RAW_LEAF_DECIMAL;
    }
    if (type->type == AVRO_RECORD && strcmp(connect_name(type), "io.debezium.data.VariableScaleDecimal") == 0)
        return RAW_LEAF_VARIABLE_DECIMAL;
    if ((size_t)type->type < ARRAY_LEN(plain) && plain[type->type].type) {
        out->type = plain[type->type].type;
        return plain[type->type].leaf;
    }
    if (type->type == AVRO_FIXED) {
        out->type = DUCKDB_TYPE_BLOB;
        return RAW_LEAF_FIXED;
    }
    return RAW_LEAF_JSON;
}

static struct raw_step *new_step(struct raw_plan *plan, const struct avro_schema *whole)
{
    int null_branch = 0;
    const struct avro_schema *inner = whole->type == AVRO_UNION ? avro_nullable(whole, &null_branch) : NULL;
    struct raw_step *step = arena_alloc(&plan->arena, sizeof *step);

    if (!step)
        return NULL;
    *step = (struct raw_step){ .whole = whole, .type = inner ? inner : whole, .nullable = inner, .column = -1 };
    return step;
}

/* The step of `field` in a record's step; made when there is none yet. */
static struct raw_step *field_step(struct raw_plan *plan, struct raw_step *record, struct str name)
{
    if (record->type->type != AVRO_RECORD)
        return NULL;
    while (record->column >= 0) { /* wanted as a whole too: its fields hang on a second step */
        if (!record->more && !(record->more = new_step(plan, record->whole)))
            return NULL;
        record = record->more;
    }
    const struct avro_field *field = avro_field_find(record->type, name);
    if (!field)
        return NULL;
    size_t i = (size_t)(field - record->type->fields);
    if (!record->fields)
        record->fields = arena_array(&plan->arena, record->type->field_count, sizeof *record->fields);
    if (record->fields && !record->fields[i])
        record->fields[i] = new_step(plan, field->type);
    return record->fields ? record->fields[i] : NULL;
}

static struct str unquote(struct str s)
{
    bool quoted = s.len > 1 && s.p[0] == '`' && s.p[s.len - 1] == '`';

    return quoted ? str_n(s.p + 1, s.len - 2) : s;
}

/* Sends the value at a path to a column.  False: there is no such field. */
static bool add_path(struct raw_plan *plan, const char *first, struct str rest, int column, struct raw_column *out)
{
    struct raw_step *step = plan->root, *parent = plan->root;
    struct str part = str_of(first);
    size_t index = 0;
    bool more = true;

    if (!first)
        more = str_cut(&rest, '.', &part);
    for (; more; more = rest.len && str_cut(&rest, '.', &part)) {
        parent = step;
        step = field_step(plan, step, unquote(part));
        if (!step)
            return false;
        index = (size_t)(avro_field_find(parent->type, unquote(part)) - parent->type->fields);
    }
    if (step == plan->root)
        return false;
    if (step->column >= 0 || step->fields) { /* taken already: a second step over the same bytes */
        struct raw_step *again = new_step(plan, step->whole);
        if (!again)
            return false;
        again->more = step;
        parent->fields[index] = again;
        step = again;
    }
    step->column = column;
    step->leaf = leaf_of(step->type, out);
    return true;
}

/* `after.x` -> `x`; false: another source. */
static bool below_after(struct str source, struct str *rest)
{
    struct str head;

    *rest = source;
    return str_cut(rest, '.', &head) && str_is(unquote(head), "after") && rest->len;
}

static void add_column(struct raw_group *group, const char *source, int column, bool with_before)
{
    struct raw_column *out = &group->columns[column], before = { 0 };
    struct str s = str_of(source), rest;

    *out = (struct raw_column){ .type = DUCKDB_TYPE_VARCHAR };
    if (!add_path(group->plan, NULL, s, column, out)) {
        *out = (struct raw_column){ .type = DUCKDB_TYPE_VARCHAR };
        return;
    }
    if (with_before && below_after(s, &rest))
        add_path(group->plan, "before", rest, column, &before);
}

enum rc raw_compile(struct raw_group *group, struct err *err)
{
    const struct stage_table *table = group->table;
    static const struct {
        const char *source;
        duckdb_type type;
    } extras[RAW_EXTRA_COUNT] = {
        [RAW_EXTRA_OP] = { "op", DUCKDB_TYPE_VARCHAR },         [RAW_EXTRA_TS_MS] = { "ts_ms", DUCKDB_TYPE_BIGINT },
        [RAW_EXTRA_LSN] = { "source.lsn", DUCKDB_TYPE_BIGINT }, [RAW_EXTRA_TOPIC] = { NULL, DUCKDB_TYPE_VARCHAR },
        [RAW_EXTRA_PARTITION] = { NULL, DUCKDB_TYPE_INTEGER },  [RAW_EXTRA_OFFSET] = { NULL, DUCKDB_TYPE_BIGINT },
        [RAW_EXTRA_FILE] = { NULL, DUCKDB_TYPE_BIGINT },
    };
    const struct avro_schema *root = avro_root(group->schema);

    group->plan = NEW(struct raw_plan);
    group->plan->arena.max = PLAN_ARENA_MAX;
    group->plan->root = new_step(group->plan, root);
    group->columns = NEW_ARRAY(struct raw_column, table->column_count + RAW_EXTRA_COUNT);
    if (!group->plan->root || group->plan->root->type->type != AVRO_RECORD)
        return err_set(err, RC_BAD_INPUT, "raw file '%s' holds no records", group->files->files[group->members[0]].key);
    for (size_t i = 0; i < table->column_count; i++)
        add_column(group, table->columns[i].source, (int)i, stage_keeps(table, "d"));
    for (int i = 0; i < RAW_EXTRA_COUNT; i++) {
        int column = (int)table->column_count + i;
        if (extras[i].source)
            add_column(group, extras[i].source, column, false);
        struct raw_column *c = &group->columns[column];
        if (!extras[i].source || !c->found || c->type != extras[i].type) {
            if (c->found)
                return err_set(err, RC_BAD_INPUT, "raw file '%s': field '%s' has an unexpected type",
                               group->files->files[group->members[0]].key, extras[i].source);
            *c = (struct raw_column){ .type = extras[i].type, .found = !extras[i].source };
        }
    }
    struct raw_step *after = field_step(group->plan, group->plan->root, STR("after"));
    for (; after; after = after->more)
        after->keeps = stage_keeps(table, "d");
    return RC_OK;
}

/* ------------------------------------------------------------- running */

static void set_null(struct raw_cursor *c, int column)
{
    c->valid[column][c->row / 64] &= ~((uint64_t)1 << (c->row % 64));
}

static void set_valid(struct raw_cursor *c, int column)
{
    c->valid[column][c->row / 64] |= (uint64_t)1 << (c->row % 64);
}

static void null_below(struct raw_cursor *c, const struct raw_step *step)
{
    for (const struct raw_step *s = step; s; s = s->more) {
        if (s->column >= 0)
            set_null(c, s->column);
        for (size_t i = 0; s->fields && i < s->type->field_count; i++)
            if (s->fields[i])
                null_below(c, s->fields[i]);
    }
}

static void complain(struct raw_cursor *c, int column, const char *problem)
{
    if (c->problem)
        return;
    c->problem = problem;
    c->problem_column = column;
}

static void set_text(struct raw_cursor *c, int column, struct str s)
{
    if (!str_is_utf8(s)) { /* DuckDB would store null */
        complain(c, column, "text is not UTF-8");
        return;
    }
    duck.vector_assign_string_element_len(c->vectors[column], c->row, s.p ? s.p : "", s.len);
}

/* False: does not fit 128 bits. */
static bool unscaled(struct str s, __int128 *out)
{
    unsigned __int128 v = s.len && (s.p[0] & 0x80) ? ~(unsigned __int128)0 : 0;
    char sign = (char)(s.len && (s.p[0] & 0x80) ? -1 : 0);

    while (s.len > sizeof v && s.p[0] == sign)
        s = str_skip(s, 1);
    if (s.len > sizeof v)
        return false;
    for (size_t i = 0; i < s.len; i++)
        v = v << 8 | (uint8_t)s.p[i];
    *out = (__int128)v;
    return true;
}

static __int128 power_of_ten(int n)
{
    __int128 v = 1;

    while (n-- > 0)
        v *= 10;
    return v;
}

static void set_decimal(struct raw_cursor *c, int column, struct str bytes)
{
    const struct raw_column *type = &c->group->columns[column];
    __int128 v = 0, limit = power_of_ten(type->precision);

    if (!unscaled(bytes, &v) || v >= limit || v <= -limit) {
        complain(c, column, "decimal has more digits than its schema says");
        return;
    }
    if (type->precision <= DECIMAL_SMALL)
        ((int16_t *)c->data[column])[c->row] = (int16_t)v;
    else if (type->precision <= DECIMAL_INT)
        ((int32_t *)c->data[column])[c->row] = (int32_t)v;
    else if (type->precision <= DECIMAL_LONG)
        ((int64_t *)c->data[column])[c->row] = (int64_t)v;
    else
        ((duckdb_hugeint *)c->data[column])[c->row] =
            (duckdb_hugeint){ .lower = (uint64_t)v, .upper = (int64_t)(v >> 64) };
}

static void set_decimal_text(struct raw_cursor *c, int column, struct str bytes, int64_t scale)
{
    enum { SCALE_MAX = 1000 };

    buf_clear(&c->scratch);
    if (scale < -SCALE_MAX || scale > SCALE_MAX ||
        !avro_decimal_text(bytes, (int)MAX(scale, (int64_t)0), &c->scratch)) {
        complain(c, column, "decimal has too many digits");
        return;
    }
    for (; scale < 0; scale++)
        buf_putc(&c->scratch, '0');
    set_text(c, column, buf_str(&c->scratch));
}

static struct str read_unscaled(struct raw_cursor *c, const struct avro_schema *type)
{
    return type->type == AVRO_FIXED ? avro_read_fixed(&c->reader, (size_t)type->size) : avro_read_bytes(&c->reader);
}

static void decode_leaf(struct raw_cursor *c, const struct raw_step *s)
{
    const int column = s->column;
    const idx_t row = c->row;
    struct avro_reader *r = &c->reader;

    set_valid(c, column);
    switch (s->leaf) {
    case RAW_LEAF_BOOLEAN:
        ((bool *)c->data[column])[row] = avro_read_bool(r);
        return;
    case RAW_LEAF_INT:
        ((int32_t *)c->data[column])[row] = avro_read_int(r);
        return;
    case RAW_LEAF_LONG:
        ((int64_t *)c->data[column])[row] = avro_read_long(r);
        return;
    case RAW_LEAF_FLOAT:
        ((float *)c->data[column])[row] = avro_read_float(r);
        return;
    case RAW_LEAF_DOUBLE:
        ((double *)c->data[column])[row] = avro_read_double(r);
        return;
    case RAW_LEAF_TEXT:
        set_text(c, column, avro_read_bytes(r));
        return;
    case RAW_LEAF_ENUM:
        set_text(c, column, s->type->symbols[avro_read_enum(r, s->type)]);
        return;
    case RAW_LEAF_BYTES:
    case RAW_LEAF_FIXED: {
        struct str bytes = read_unscaled(c, s->type);
        duck.vector_assign_string_element_len(c->vectors[column], row, bytes.p ? bytes.p : "", bytes.len);
        return;
    }
    case RAW_LEAF_DECIMAL:
        set_decimal(c, column, read_unscaled(c, s->type));
        return;
    case RAW_LEAF_DECIMAL_TEXT:
        set_decimal_text(c, column, read_unscaled(c, s->type), s->type->scale);
        return;
    case RAW_LEAF_VARIABLE_DECIMAL: {
        int64_t scale = avro_read_int(r); /* its fields: scale int, value bytes */
        set_decimal_text(c, column, avro_read_bytes(r), scale);
        return;
    }
    case RAW_LEAF_JSON:
        buf_clear(&c->scratch);
        avro_to_json(r, s->type, AVRO_JSON_PLAIN, &c->scratch);
        set_text(c, column, buf_str(&c->scratch));
        return;
    }
}

static void decode(struct raw_cursor *c, const struct raw_step *s);

static void decode_one(struct raw_cursor *c, const struct raw_step *s)
{
    if (s->nullable && s->whole->branches[avro_read_union(&c->reader, s->whole)]->type == AVRO_NULL) {
        if (!s->keeps)
            null_below(c, s);
        return;
    }
    if (s->column >= 0) {
        decode_leaf(c, s);
        return;
    }
    if (!s->fields) {
        avro_skip(&c->reader, s->type);
        return;
    }
    for (size_t i = 0; i < s->type->field_count && !avro_reader_failed(&c->reader); i++) {
        if (s->fields[i])
            decode(c, s->fields[i]);
        else
            avro_skip(&c->reader, s->type->fields[i].type);
    }
}

static void decode(struct raw_cursor *c, const struct raw_step *s)
{
    struct avro_reader at = c->reader;

    decode_one(c, s);
    while ((s = s->more) != NULL && !avro_reader_failed(&c->reader)) {
        c->reader = at;
        decode_one(c, s);
    }
}

bool raw_decode(const struct raw_step *root, struct raw_cursor *cursor)
{
    cursor->problem = NULL;
    decode(cursor, root);
    return !avro_reader_failed(&cursor->reader) && !cursor->problem;
}
