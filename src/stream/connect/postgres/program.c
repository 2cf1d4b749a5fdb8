/* Compiles a table into an event program; see event.h.  The running is in encode.c. */
#include "stream/connect/postgres/program.h"

#include <stdlib.h>
#include <string.h>

#include "stream/connect/data/text.h"

/* ------------------------------------------------------------------ schemas */

static struct connect_schema *optional(enum connect_type type)
{
    return connect_schema_optional(connect_schema_new(type));
}

struct connect_schema *event_source_schema(void)
{
    struct connect_schema *s = connect_schema_named(CONNECT_STRUCT, "io.debezium.connector.postgresql.Source", 0);
    struct connect_schema *snapshot = connect_schema_named(CONNECT_STRING, "io.debezium.data.Enum", 1);

    connect_schema_parameter(snapshot, "allowed", "true,last,false,incremental");
    connect_schema_default_bytes(connect_schema_optional(snapshot), "false", 5);
    connect_schema_add(s, "version", connect_schema_new(CONNECT_STRING));
    connect_schema_add(s, "connector", connect_schema_new(CONNECT_STRING));
    connect_schema_add(s, "name", connect_schema_new(CONNECT_STRING));
    connect_schema_add(s, "ts_ms", connect_schema_new(CONNECT_INT64));
    connect_schema_add(s, "snapshot", snapshot);
    connect_schema_add(s, "db", connect_schema_new(CONNECT_STRING));
    connect_schema_add(s, "sequence", optional(CONNECT_STRING));
    connect_schema_add(s, "schema", connect_schema_new(CONNECT_STRING));
    connect_schema_add(s, "table", connect_schema_new(CONNECT_STRING));
    connect_schema_add(s, "txId", optional(CONNECT_INT64));
    connect_schema_add(s, "lsn", optional(CONNECT_INT64));
    connect_schema_add(s, "xmin", optional(CONNECT_INT64));
    return s;
}

struct connect_schema *event_block_schema(void)
{
    struct connect_schema *s = connect_schema_named(CONNECT_STRUCT, "event.block", 1);

    connect_schema_add(s, "id", connect_schema_new(CONNECT_STRING));
    connect_schema_add(s, "total_order", connect_schema_new(CONNECT_INT64));
    connect_schema_add(s, "data_collection_order", connect_schema_new(CONNECT_INT64));
    return connect_schema_optional(s);
}

static struct connect_schema *envelope_schema(const char *base, struct connect_schema *row)
{
    CLEANUP_FREE char *name = mem_printf("%s.Envelope", base);
    struct connect_schema *s = connect_schema_named(CONNECT_STRUCT, name, 1);

    connect_schema_add(s, "before", connect_schema_ref(row));
    connect_schema_add(s, "after", row);
    connect_schema_add(s, "source", event_source_schema());
    connect_schema_add(s, "op", connect_schema_new(CONNECT_STRING));
    connect_schema_add(s, "ts_ms", optional(CONNECT_INT64));
    connect_schema_add(s, "transaction", event_block_schema());
    return s;
}

/* -------------------------------------------------------------------- sides */

enum rc program_side_init(struct program_side *side, struct converter *converter, struct connect_schema *schema,
                          struct err *err)
{
    side->converter = converter;
    side->kind = converter_kind(converter);
    side->schema = schema;
    side->row.kind = side->kind;
    side->row.decimal_numeric = converter_decimal_numeric(converter);
    side->row.replaces_null = converter_replaces_null_by_default(converter);
    if (side->kind == CONVERTER_AVRO)
        return connect_schema_to_avro(schema, converter_avro_options(converter), &side->avro_text, err);
    if (side->kind != CONVERTER_JSON)
        return err_set(err, RC_BAD_INPUT,
                       "'%s' cannot write change events, which have many fields; use AvroConverter or JsonConverter",
                       converter_class(converter));
    return RC_OK;
}

void program_row_free(struct program_row *row)
{
    for (size_t i = 0; i < row->column_count; i++) {
        buf_free(&row->columns[i].name);
        buf_free(&row->columns[i].null);
        buf_free(&row->columns[i].unchanged);
    }
    free(row->columns);
}

void program_side_free(struct program_side *side)
{
    program_row_free(&side->row);
    connect_schema_free(side->schema);
    buf_free(&side->avro_text);
    buf_free(&side->header);
}

enum rc program_side_open(struct program_side *side, struct str topic, struct err *err)
{
    uint32_t id = 0;

    if (side->has_header)
        return RC_OK;
    buf_clear(&side->header);
    if (side->kind == CONVERTER_AVRO) {
        enum rc rc = converter_schema_id(side->converter, topic, str_of(side->schema->name), buf_str(&side->avro_text),
                                         &id, err);
        if (rc)
            return rc;
        buf_putc(&side->header, '\0');
        buf_put_be32(&side->header, id);
    } else if (converter_schemas_enabled(side->converter)) {
        buf_puts(&side->header, "{\"schema\":");
        connect_schema_to_json(side->schema, &side->header);
        buf_puts(&side->header, ",\"payload\":");
        side->closes_brace = true;
    }
    side->has_header = true;
    return RC_OK;
}

/* ------------------------------------------------------------------ columns */

static void put_value(const struct program_row *row, const struct program_column *column, const struct value *value,
                      struct value_work *work, struct buf *out)
{
    if (row->kind == CONVERTER_AVRO && column->branch != NO_BRANCH)
        put_varint(out, column->branch);
    const char *why = row->kind == CONVERTER_AVRO ? write_avro(column->type, value, work, out)
                                                  : write_json(column->type, value, row->decimal_numeric, work, out);
    (void)why; /* stand-ins always fit */
}

static void make_null(const struct program_row *row, struct program_column *column, const struct connect_schema *schema,
                      struct value_work *work)
{
    struct value value;
    bool take_default = schema->fallback.present && (!schema->optional || row->replaces_null);

    if (take_default) {
        value_default(column->type, schema, &value);
        put_value(row, column, &value, work, &column->null);
    } else if (!schema->optional) {
        work->pair_count = 0;
        value_absent(column->type, &value);
        put_value(row, column, &value, work, &column->null);
    } else if (row->kind == CONVERTER_AVRO) {
        put_varint(&column->null, schema->fallback.present ? 1 : 0);
    } else {
        buf_puts(&column->null, "null");
    }
}

static void make_unchanged(const struct event_options *options, const struct program_row *row,
                           struct program_column *column, const struct connect_schema *schema, struct value_work *work)
{
    struct value value;

    if (value_placeholder(options, column->type, work, &value)) {
        put_value(row, column, &value, work, &column->unchanged);
        column->has_unchanged = true;
    } else if (schema->optional) { /* as Debezium: nothing can stand for it, so null does */
        buf_put_str(&column->unchanged, buf_str(&column->null));
        column->has_unchanged = true;
    }
}

/* Columns of a row's or key's schema; places[i] is where field i lies in the row. */
static void make_row(struct event_program *program, struct program_row *row, const struct connect_schema *schema,
                     const size_t *places)
{
    row->columns = NEW_ARRAY(struct program_column, schema->field_count);
    row->column_count = schema->field_count;
    for (size_t i = 0; i < schema->field_count; i++) {
        const struct connect_schema *field = schema->fields[i].schema;
        struct program_column *column = &row->columns[i];
        column->at = places[i];
        column->type = program->types[places[i]];
        column->optional = field->optional;
        column->branch = (signed char)(!field->optional ? NO_BRANCH : field->fallback.present ? 0 : 1);
        text_json_string(&column->name, str_of(schema->fields[i].name));
        buf_putc(&column->name, ':');
        make_null(row, column, field, &program->work);
        make_unchanged(program->options, row, column, field, &program->work);
    }
}

static void add_field(const struct event_options *options, struct connect_schema *schema, const char *column,
                      struct connect_schema *type)
{
    CLEANUP(buf_free) struct buf name = { 0 };

    name_adjust_field(options->field_names, str_of(column), &name);
    connect_schema_add(schema, buf_cstr(&name), type);
}

/* A fresh schema of the column's: its value_type has one per type, the field adds what is the column's own. */
static struct connect_schema *field_schema(struct event_program *program, const struct pg_table_column *column,
                                           size_t at)
{
    struct value_type *made = value_type_of(program->options, column->type, column->typmod);
    struct connect_schema *schema = connect_schema_ref(made->schema);
    int32_t typmod = column->typmod;

    if (!column->not_null)
        connect_schema_optional(schema);
    if (column->default_text && column->type->kind != 'd' && !column->identity)
        value_set_default(program->options, program->types[at], value_base_type(column->type, &typmod),
                          column->default_text, schema, &program->work);
    value_type_free(made);
    return schema;
}

/* --------------------------------------------------------------------- keys */

static size_t find_column(const struct pg_table *table, const char *name)
{
    for (size_t i = 0; i < table->column_count; i++)
        if (strcmp(table->columns[i].name, name) == 0)
            return i;
    return SIZE_MAX;
}

static const struct key_rule *find_rule(const struct event_options *options, const struct pg_table *table)
{
    CLEANUP_FREE char *name = mem_printf("%s.%s", table->schema, table->name);

    for (size_t i = 0; i < options->key_rule_count; i++)
        if (regex_list_matches(options->key_rules[i].table, str_of(name)))
            return &options->key_rules[i];
    return NULL;
}

static enum rc choose_key(struct event_program *program, const struct pg_table *table, struct err *err)
{
    const struct key_rule *rule = find_rule(program->options, table);
    size_t count = rule ? rule->column_count : table->key_count;

    program->key = NEW_ARRAY(size_t, count + 1);
    for (size_t i = 0; i < count; i++) {
        size_t at = rule ? find_column(table, rule->columns[i]) : table->key[i];
        if (at >= table->column_count)
            return err_set(err, RC_BAD_INPUT, "'message.key.columns' names column '%s', which '%s.%s' does not have",
                           rule ? rule->columns[i] : "", table->schema, table->name);
        if (!program->types[at]) /* of a type that events leave out */
            continue;
        program->key[program->key_count++] = at;
        program->is_key[at] = true;
    }
    return RC_OK;
}

/* ------------------------------------------------------------------ compile */

static void take_names(struct event_program *program, const struct pg_table *table)
{
    CLEANUP(buf_free) struct buf topic = { 0 };
    CLEANUP(buf_free) struct buf base = { 0 };

    event_topic_name(program->options, table->schema, table->name, &topic);
    name_adjust_schema(program->options->schema_names, buf_str(&topic), &base);
    program->topic = buf_take(&topic);
    program->record_base = buf_take(&base);
    program->schema = mem_strdup(table->schema);
    program->table = mem_strdup(table->name);
    program->column_count = table->column_count;
    program->column_names = NEW_ARRAY(char *, table->column_count + 1);
    program->types = NEW_ARRAY(struct value_type *, table->column_count + 1);
    program->is_key = NEW_ARRAY(bool, table->column_count + 1);
    program->is_included = NEW_ARRAY(bool, table->column_count + 1);
    for (size_t i = 0; i < table->column_count; i++) {
        const struct pg_table_column *column = &table->columns[i];
        program->column_names[i] = mem_strdup(column->name);
        program->types[i] = value_type_of(program->options, column->type, column->typmod);
        program->is_included[i] =
            program->types[i] && event_includes_column(program->options, table->schema, table->name, column->name);
    }
}

static enum rc make_key_side(struct event_program *program, const struct pg_table *table, struct converter *converter,
                             struct err *err)
{
    CLEANUP_FREE char *name = mem_printf("%s.Key", program->record_base);
    struct connect_schema *schema = connect_schema_named(CONNECT_STRUCT, name, 0);

    for (size_t i = 0; i < program->key_count; i++) {
        size_t at = program->key[i];
        add_field(program->options, schema, table->columns[at].name, field_schema(program, &table->columns[at], at));
    }
    enum rc rc = program_side_init(&program->key_side, converter, schema, err);
    if (!rc)
        make_row(program, &program->key_side.row, schema, program->key);
    program->header = (struct program_row){ .kind = CONVERTER_JSON, .decimal_numeric = true, .replaces_null = true };
    if (!rc)
        make_row(program, &program->header, schema, program->key);
    return rc;
}

static enum rc make_value_side(struct event_program *program, const struct pg_table *table, struct converter *converter,
                               struct err *err)
{
    CLEANUP_FREE char *name = mem_printf("%s.Value", program->record_base);
    CLEANUP_FREE size_t *places = NEW_ARRAY(size_t, table->column_count + 1);
    struct connect_schema *row = connect_schema_optional(connect_schema_named(CONNECT_STRUCT, name, 0));
    size_t count = 0;

    for (size_t i = 0; i < table->column_count; i++) {
        if (!program->is_included[i])
            continue;
        add_field(program->options, row, table->columns[i].name, field_schema(program, &table->columns[i], i));
        places[count++] = i;
    }
    struct connect_schema *envelope = envelope_schema(program->record_base, row);
    enum rc rc = program_side_init(&program->value_side, converter, envelope, err);
    if (!rc)
        make_row(program, &program->value_side.row, row, places);
    return rc;
}

static void json_member(struct buf *out, const char *before, const char *text)
{
    buf_puts(out, before);
    text_json_string(out, str_of(text));
}

/* The source block's constant parts. */
static void make_source(struct event_program *program)
{
    bool replaces = converter_replaces_null_by_default(program->value_side.converter);

    if (program->value_side.kind == CONVERTER_AVRO) {
        put_str(&program->source_head, STR(EVENT_VERSION));
        put_str(&program->source_head, STR(EVENT_CONNECTOR));
        put_str(&program->source_head, str_of(program->options->prefix));
        put_str(&program->source_db, str_of(program->options->database));
        put_str(&program->source_table, str_of(program->schema));
        put_str(&program->source_table, str_of(program->table));
        put_varint(&program->default_snapshot, replaces ? 0 : 1);
        if (replaces)
            put_str(&program->default_snapshot, STR("false"));
        return;
    }
    buf_puts(&program->source_head, "{\"version\":\"" EVENT_VERSION "\",\"connector\":\"" EVENT_CONNECTOR "\"");
    json_member(&program->source_head, ",\"name\":", program->options->prefix);
    buf_puts(&program->source_head, ",\"ts_ms\":");
    json_member(&program->source_db, ",\"db\":", program->options->database);
    json_member(&program->source_table, ",\"schema\":", program->schema);
    json_member(&program->source_table, ",\"table\":", program->table);
    buf_puts(&program->default_snapshot, replaces ? "\"false\"" : "null");
}

enum rc event_program_compile(const struct event_options *options, const struct pg_table *table,
                              struct converter *key_converter, struct converter *value_converter,
                              struct event_program **out, struct err *err)
{
    struct event_program *program = NEW(struct event_program);

    program->options = options;
    take_names(program, table);
    enum rc rc = choose_key(program, table, err);
    if (!rc && program->key_count)
        rc = make_key_side(program, table, key_converter, err);
    if (!rc)
        rc = make_value_side(program, table, value_converter, err);
    if (rc) {
        event_program_free(program);
        return err_wrap(err, "cannot make events of table '%s.%s'", table->schema, table->name);
    }
    make_source(program);
    *out = program;
    return RC_OK;
}

void event_program_free(struct event_program *program)
{
    if (!program)
        return;
    for (size_t i = 0; i < program->column_count; i++) {
        free(program->column_names[i]);
        value_type_free(program->types[i]);
    }
    free(program->column_names);
    free(program->types);
    free(program->is_key);
    free(program->is_included);
    free(program->key);
    program_side_free(&program->key_side);
    program_side_free(&program->value_side);
    program_row_free(&program->header);
    buf_free(&program->source_head);
    buf_free(&program->source_db);
    buf_free(&program->source_table);
    buf_free(&program->default_snapshot);
    value_work_free(&program->work);
    free(program->schema);
    free(program->table);
    free(program->topic);
    free(program->record_base);
    free(program);
}

const char *event_program_topic(const struct event_program *program)
{
    return program->topic;
}

bool event_program_has_key(const struct event_program *program)
{
    return program->key_count > 0;
}

const struct connect_schema *event_program_key_schema(const struct event_program *program)
{
    return program->key_side.schema;
}

const struct connect_schema *event_program_value_schema(const struct event_program *program)
{
    return program->value_side.schema;
}
