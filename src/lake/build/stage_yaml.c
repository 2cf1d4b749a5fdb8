/* Parses stage_tables.yaml; see stage_yaml.h for its form.  libyaml gives nodes with their places. */
#include "lake/build/stage_yaml.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <yaml.h>

struct reader {
    yaml_document_t *document;
    const char *file;
    struct err *err;
};

static enum rc complain(const struct reader *r, const yaml_node_t *at, const char *format, ...) PRINTF_LIKE(3, 4);
static enum rc complain(const struct reader *r, const yaml_node_t *at, const char *format, ...)
{
    char text[512];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    return err_set(r->err, RC_BAD_INPUT, "%s:%zu:%zu: %s", r->file, at->start_mark.line + 1, at->start_mark.column + 1,
                   text);
}

static yaml_node_t *node(const struct reader *r, int index)
{
    return yaml_document_get_node(r->document, index);
}

static size_t length(const yaml_node_t *n)
{
    return n->type == YAML_SEQUENCE_NODE ? (size_t)(n->data.sequence.items.top - n->data.sequence.items.start)
                                         : (size_t)(n->data.mapping.pairs.top - n->data.mapping.pairs.start);
}

static yaml_node_t *item(const struct reader *r, const yaml_node_t *list, size_t i)
{
    return node(r, list->data.sequence.items.start[i]);
}

static const char *scalar(const yaml_node_t *n)
{
    return n && n->type == YAML_SCALAR_NODE ? (const char *)n->data.scalar.value : NULL;
}

static bool is_null(const yaml_node_t *n)
{
    const char *text = scalar(n);

    return text && n->data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
           (!*text || strcmp(text, "~") == 0 || strcmp(text, "null") == 0);
}

/* Value of a key; NULL: not there, or null. */
static yaml_node_t *member(const struct reader *r, const yaml_node_t *map, const char *key)
{
    for (yaml_node_pair_t *p = map->data.mapping.pairs.start; p < map->data.mapping.pairs.top; p++) {
        const char *name = scalar(node(r, p->key));
        if (name && strcmp(name, key) == 0) {
            yaml_node_t *value = node(r, p->value);
            return is_null(value) ? NULL : value;
        }
    }
    return NULL;
}

/* A mapping whose keys are all known and not repeated. */
static enum rc check_map(const struct reader *r, const yaml_node_t *n, const char *what, const char *const *known)
{
    if (n->type != YAML_MAPPING_NODE)
        return complain(r, n, "%s must be a mapping (name: value)", what);
    if (length(n) > STAGE_COLUMNS_MAX)
        return complain(r, n, "%s has more than %d keys", what, STAGE_COLUMNS_MAX);
    for (yaml_node_pair_t *p = n->data.mapping.pairs.start; p < n->data.mapping.pairs.top; p++) {
        const yaml_node_t *key = node(r, p->key);
        const char *name = scalar(key);
        size_t i = 0;
        if (!name)
            return complain(r, key, "a key of %s must be plain text", what);
        for (yaml_node_pair_t *q = n->data.mapping.pairs.start; q < p; q++)
            if (strcmp(scalar(node(r, q->key)), name) == 0)
                return complain(r, key, "key '%s' is there twice", name);
        while (known && known[i] && strcmp(known[i], name) != 0)
            i++;
        if (known && !known[i])
            return complain(r, key, "%s has no key '%s'", what, name);
    }
    return RC_OK;
}

static enum rc text_of(const struct reader *r, const yaml_node_t *map, const char *what, const char *key, char **out)
{
    const yaml_node_t *n = member(r, map, key);

    if (!n)
        return complain(r, map, "%s has no '%s'", what, key);
    const char *text = scalar(n);
    if (!text || !*text)
        return complain(r, n, "'%s' must be a text", key);
    if (strlen(text) != n->data.scalar.length)
        return complain(r, n, "'%s' holds a zero byte", key);
    *out = mem_strdup(text);
    return RC_OK;
}

/* A list of texts; one text alone is a list of one. */
static enum rc texts_of(const struct reader *r, const yaml_node_t *map, const char *key, char ***out, size_t *count)
{
    const yaml_node_t *n = member(r, map, key);

    if (!n)
        return RC_OK;
    bool list = n->type == YAML_SEQUENCE_NODE;
    size_t want = list ? length(n) : 1;
    if (want > STAGE_LIST_MAX)
        return complain(r, n, "'%s' has more than %d members", key, STAGE_LIST_MAX);
    if (!want) /* as if it was not there: the caller may put its default */
        return RC_OK;
    *out = NEW_ARRAY(char *, want + 1);
    for (size_t i = 0; i < want; i++) {
        const yaml_node_t *one = list ? item(r, n, i) : n;
        const char *text = scalar(one);
        if (!text || !*text)
            return complain(r, one, "'%s' must be a list of texts", key);
        (*out)[(*count)++] = mem_strdup(text);
    }
    return RC_OK;
}

/* ------------------------------------------------------------- types */

static const struct {
    const char *name, *iceberg, *duck;
} types[] = {
    { "bigint", "long", "BIGINT" },
    { "long", "long", "BIGINT" },
    { "int", "int", "INTEGER" },
    { "integer", "int", "INTEGER" },
    { "smallint", "int", "SMALLINT" },
    { "short", "int", "SMALLINT" },
    { "tinyint", "int", "TINYINT" },
    { "byte", "int", "TINYINT" },
    { "string", "string", "VARCHAR" },
    { "text", "string", "VARCHAR" },
    { "varchar", "string", "VARCHAR" },
    { "char", "string", "VARCHAR" },
    { "boolean", "boolean", "BOOLEAN" },
    { "bool", "boolean", "BOOLEAN" },
    { "float", "float", "FLOAT" },
    { "real", "float", "FLOAT" },
    { "double", "double", "DOUBLE" },
    { "date", "date", "DATE" },
    { "time", "time", "TIME" },
    { "timestamp", "timestamptz", "TIMESTAMPTZ" }, /* Spark's timestamp is an instant */
    { "timestamp_ltz", "timestamptz", "TIMESTAMPTZ" },
    { "timestamptz", "timestamptz", "TIMESTAMPTZ" },
    { "timestamp_ntz", "timestamp", "TIMESTAMP" },
    { "binary", "binary", "BLOB" },
    { "uuid", "uuid", "UUID" },
};

static enum rc resolve_type(const struct reader *r, const yaml_node_t *at, const char *text, struct stage_column *c)
{
    int precision = 10, scale = 0, end = 0;
    struct str base = str_trim(str_of(text)), rest;
    size_t n = 0;

    while (n < base.len && base.p[n] != '(' && base.p[n] != ' ')
        n++;
    rest = str_trim(str_skip(base, n));
    base.len = n;
    if (str_is_nocase(base, "decimal") || str_is_nocase(base, "numeric") || str_is_nocase(base, "dec")) {
        CLEANUP_FREE char *args = mem_strndup(rest.p ? rest.p : "", rest.len);
        bool one = sscanf(args, "( %d )%n", &precision, &end) == 1 && end && !args[end];
        bool two = !one && sscanf(args, "( %d , %d )%n", &precision, &scale, &end) == 2 && end && !args[end];
        if ((*args && !one && !two) || precision < 1 || precision > 38 || scale < 0 || scale > precision)
            return complain(r, at, "'%s' is not a decimal type; write decimal(10,2), at most 38 digits", text);
        c->type = mem_printf("decimal(%d,%d)", precision, scale);
        c->duck_type = mem_printf("DECIMAL(%d,%d)", precision, scale);
        return RC_OK;
    }
    bool sized = str_is_nocase(base, "varchar") || str_is_nocase(base, "char");
    for (size_t i = 0; i < ARRAY_LEN(types) && (!rest.len || sized); i++)
        if (str_is_nocase(base, types[i].name)) {
            c->type = mem_strdup(types[i].iceberg);
            c->duck_type = mem_strdup(types[i].duck);
            return RC_OK;
        }
    return complain(r, at,
                    "unknown type '%s'; there are string, bigint, int, smallint, tinyint, double, float, boolean, "
                    "decimal(p,s), date, time, timestamp, timestamp_ntz, binary, uuid",
                    text);
}

/* ------------------------------------------------------------- tables */

static const char *const reserved[] = { "event_date", "event_date_source", "__op",        "__ts_ms",
                                        "__lsn",      "__topic",           "__partition", "__offset" };

static enum rc read_column(const struct reader *r, const yaml_node_t *n, struct stage_table *table)
{
    static const char *const known[] = { "name", "type", "source", "description", NULL };
    struct stage_column *c = &table->columns[table->column_count];
    enum rc rc = check_map(r, n, "a column", known);

    if (rc)
        return rc;
    table->column_count++;
    c->line = (int)n->start_mark.line + 1;
    rc = text_of(r, n, "a column", "name", &c->name);
    if (!rc)
        rc = text_of(r, n, "a column", "type", &c->written_type);
    if (!rc)
        rc = text_of(r, n, "a column", "source", &c->source);
    if (!rc)
        rc = resolve_type(r, member(r, n, "type"), c->written_type, c);
    for (size_t i = 0; !rc && i < ARRAY_LEN(reserved); i++)
        if (strcasecmp(reserved[i], c->name) == 0)
            rc = complain(r, member(r, n, "name"), "column '%s' is made by the build; choose another name", c->name);
    for (size_t i = 0; !rc && i + 1 < table->column_count; i++)
        if (strcasecmp(table->columns[i].name, c->name) == 0)
            rc = complain(r, member(r, n, "name"), "column '%s' is there twice", c->name);
    return rc;
}

static enum rc read_columns(const struct reader *r, const yaml_node_t *map, struct stage_table *table)
{
    const yaml_node_t *n = member(r, map, "schema");
    enum rc rc = RC_OK;

    if (!n || n->type != YAML_SEQUENCE_NODE || !length(n))
        return complain(r, n ? n : map, "table '%s' needs a 'schema': a list of columns with name, type, source",
                        table->name);
    if (length(n) > STAGE_COLUMNS_MAX)
        return complain(r, n, "table '%s' has more than %d columns", table->name, STAGE_COLUMNS_MAX);
    table->columns = NEW_ARRAY(struct stage_column, length(n));
    for (size_t i = 0; i < length(n) && !rc; i++)
        rc = read_column(r, item(r, n, i), table);
    return rc;
}

static bool has_column(const struct stage_table *table, struct str name)
{
    for (size_t i = 0; i < table->column_count; i++)
        if (str_eq(name, str_of(table->columns[i].name)))
            return true;
    for (size_t i = 0; i < ARRAY_LEN(reserved); i++)
        if (str_is(name, reserved[i]))
            return true;
    return false;
}

/* "event_date", "day(created)", "days(created)", "truncate(4, name)" */
static enum rc read_partition(const struct reader *r, const yaml_node_t *at, const char *text,
                              struct stage_table *table)
{
    static const char *const transforms[] = { "identity", "day", "month", "year", "hour", "truncate", "bucket" };
    struct str s = str_trim(str_of(text)), name = s, column = s, first;
    struct stage_partition *p = &table->partitions[table->partition_count++];
    int64_t width = 0;
    size_t i = 0;

    if (s.len && s.p[s.len - 1] == ')' && memchr(s.p, '(', s.len)) {
        str_cut(&s, '(', &name);
        s.len--;
        column = str_trim(s);
        if (memchr(s.p, ',', s.len)) {
            str_cut(&s, ',', &first);
            column = str_trim(s);
            if (!str_to_i64(str_trim(first), 1, INT32_MAX, &width))
                return complain(r, at, "'%s' is no partition: the width must be a number", text);
        }
        name = str_trim(name);
        if (name.len > 1 && name.p[name.len - 1] == 's') /* Spark's days(), hours() */
            name.len--;
        while (i < ARRAY_LEN(transforms) && !str_is_nocase(name, transforms[i]))
            i++;
    }
    if (i == ARRAY_LEN(transforms) || ((i >= 5) != (width > 0)))
        return complain(
            r, at, "'%s' is no partition; write a column, day(c), month(c), year(c), hour(c), truncate(n, c)", text);
    if (i == 6)
        return complain(r, at, "partition '%s': buckets are not supported yet", text);
    if (!has_column(table, column))
        return complain(r, at, "cannot partition by '%.*s': there is no such column", STR_ARG(column));
    p->column = str_dup(column);
    p->transform = i == 5 ? mem_printf("truncate[%lld]", (long long)width) : mem_strdup(transforms[i]);
    return RC_OK;
}

static enum rc read_partitions(const struct reader *r, const yaml_node_t *map, struct stage_table *table)
{
    const yaml_node_t *n = member(r, map, "partitions");
    enum rc rc = RC_OK;

    if (!n)
        return RC_OK;
    if (n->type != YAML_SEQUENCE_NODE || length(n) > STAGE_LIST_MAX)
        return complain(r, n, "'partitions' must be a list of at most %d columns", STAGE_LIST_MAX);
    table->partitions = NEW_ARRAY(struct stage_partition, length(n) + 1);
    for (size_t i = 0; i < length(n) && !rc; i++) {
        const char *text = scalar(item(r, n, i));
        rc = text ? read_partition(r, item(r, n, i), text, table)
                  : complain(r, item(r, n, i), "'partitions' must be a list of columns");
    }
    return rc;
}

static enum rc read_properties(const struct reader *r, const yaml_node_t *map, struct stage_table *table)
{
    const yaml_node_t *n = member(r, map, "table_properties");
    enum rc rc = n ? check_map(r, n, "'table_properties'", NULL) : RC_OK;

    if (rc || !n)
        return rc;
    if (length(n) > STAGE_LIST_MAX)
        return complain(r, n, "'table_properties' has more than %d rows", STAGE_LIST_MAX);
    table->properties = NEW_ARRAY(struct stage_property, length(n) + 1);
    for (yaml_node_pair_t *p = n->data.mapping.pairs.start; p < n->data.mapping.pairs.top; p++) {
        const char *name = scalar(node(r, p->key)), *value = scalar(node(r, p->value));
        if (!value)
            return complain(r, node(r, p->value), "property '%s' must be a text", name);
        if (strcmp(name, "format-version") == 0) { /* a request, not a property that is stored */
            if (strcmp(value, "2") != 0)
                return complain(r, node(r, p->value), "format-version '%s' is not supported; only '2' is written",
                                value);
            continue;
        }
        struct stage_property *row = &table->properties[table->property_count++];
        *row = (struct stage_property){ mem_strdup(name), mem_strdup(value) };
    }
    return RC_OK;
}

static enum rc check_key(const struct reader *r, const yaml_node_t *map, struct stage_table *table)
{
    for (size_t i = 0; i < table->key_count; i++)
        if (!has_column(table, str_of(table->key[i])))
            return complain(r, member(r, map, "key"), "key column '%s' is not in the schema", table->key[i]);
    if (!table->key_count && has_column(table, STR("id"))) {
        table->key = NEW_ARRAY(char *, 1);
        table->key[table->key_count++] = mem_strdup("id");
    }
    return RC_OK;
}

static bool is_plain_name(const char *name)
{
    for (const char *p = name; *p; p++)
        if (!strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-", *p))
            return false;
    return *name != '\0';
}

static enum rc read_table(const struct reader *r, const yaml_node_t *n, const char *namespace,
                          struct stage_table *table)
{
    static const char *const known[] = { "name", "description", "source_path", "format",           "filter_op",
                                         "key",  "schema",      "partitions",  "table_properties", NULL };
    CLEANUP_FREE char *format = NULL;
    enum rc rc = check_map(r, n, "a table", known);

    table->line = (int)n->start_mark.line + 1;
    table->namespace = mem_strdup(namespace);
    if (!rc)
        rc = text_of(r, n, "a table", "name", &table->name);
    if (!rc && !is_plain_name(table->name))
        rc = complain(r, member(r, n, "name"), "'%s' is not a table name; use letters, digits, _ and -", table->name);
    if (!rc)
        rc = text_of(r, n, "a table", "source_path", &table->source_path);
    if (!rc && strncmp(table->source_path, "s3", 2) != 0)
        rc = complain(r, member(r, n, "source_path"), "'%s' is not on the object store; write s3a://bucket/folder/",
                      table->source_path);
    if (!rc)
        rc = text_of(r, n, "a table", "format", &format);
    if (!rc && strcasecmp(format, "avro") != 0)
        rc = complain(r, member(r, n, "format"), "format '%s' is not supported; only avro is read", format);
    if (!rc)
        rc = texts_of(r, n, "filter_op", &table->ops, &table->op_count);
    if (!rc)
        rc = texts_of(r, n, "key", &table->key, &table->key_count);
    if (!rc)
        rc = read_columns(r, n, table);
    if (!rc)
        rc = read_partitions(r, n, table);
    if (!rc)
        rc = read_properties(r, n, table);
    return rc ? rc : check_key(r, n, table);
}

static enum rc read_tables(const struct reader *r, const yaml_node_t *list, const char *namespace,
                           struct stage_config *out)
{
    enum rc rc = RC_OK;

    for (size_t i = 0; i < length(list) && !rc; i++) {
        if (out->count == STAGE_TABLES_MAX)
            return complain(r, item(r, list, i), "more than %d tables", STAGE_TABLES_MAX);
        out->tables = mem_grow(out->tables, out->count + 1, sizeof *out->tables);
        struct stage_table *table = &out->tables[out->count++];
        *table = (struct stage_table){ 0 };
        rc = read_table(r, item(r, list, i), namespace, table);
        for (size_t k = 0; !rc && k + 1 < out->count; k++)
            if (strcmp(out->tables[k].name, table->name) == 0 && strcmp(out->tables[k].namespace, namespace) == 0)
                rc = complain(r, item(r, list, i), "table '%s' is there twice", table->name);
    }
    return rc;
}

static enum rc read_source(const struct reader *r, const yaml_node_t *n, struct stage_config *out)
{
    static const char *const known[] = { "name", "description", "namespace", "tables", NULL };
    CLEANUP_FREE char *namespace = NULL;
    enum rc rc = check_map(r, n, "a source", known);

    if (rc)
        return rc;
    if (member(r, n, "namespace"))
        rc = text_of(r, n, "a source", "namespace", &namespace);
    for (const char *p = namespace; !rc && p && *p; p++)
        if (!strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.", *p))
            rc = complain(r, member(r, n, "namespace"), "'%s' is not a namespace; write stage.storefront", namespace);
    const yaml_node_t *tables = member(r, n, "tables");
    if (!rc && (!tables || tables->type != YAML_SEQUENCE_NODE))
        rc = complain(r, tables ? tables : n, "a source needs 'tables': a list");
    return rc ? rc : read_tables(r, tables, namespace ? namespace : "stage.storefront", out);
}

static enum rc read_root(const struct reader *r, struct stage_config *out)
{
    static const char *const known[] = { "version", "sources", NULL };
    const yaml_node_t *root = yaml_document_get_root_node(r->document);

    if (!root)
        return err_set(r->err, RC_BAD_INPUT, "%s:1:1: the file is empty", r->file);
    enum rc rc = check_map(r, root, "the file", known);
    if (rc)
        return rc;
    const yaml_node_t *version = member(r, root, "version"), *sources = member(r, root, "sources");
    if (version && (!scalar(version) || strcmp(scalar(version), "1") != 0))
        return complain(r, version, "version must be 1");
    if (!sources || sources->type != YAML_SEQUENCE_NODE)
        return complain(r, sources ? sources : root, "'sources' must be a list");
    for (size_t i = 0; i < length(sources) && !rc; i++)
        rc = read_source(r, item(r, sources, i), out);
    return rc;
}

enum rc stage_config_parse(struct str text, const char *file_name, struct stage_config *out, struct err *err)
{
    yaml_parser_t parser;
    yaml_document_t document;

    *out = (struct stage_config){ 0 };
    if (text.len > STAGE_FILE_MAX)
        return err_set(err, RC_FULL, "%s has more than %d bytes", file_name, STAGE_FILE_MAX);
    if (!yaml_parser_initialize(&parser))
        return err_set(err, RC_FATAL, "cannot start the YAML parser");
    yaml_parser_set_input_string(&parser, (const unsigned char *)(text.p ? text.p : ""), text.len);
    if (!yaml_parser_load(&parser, &document)) {
        bool marked = parser.problem_mark.line || parser.problem_mark.column;
        yaml_mark_t at = marked ? parser.problem_mark : parser.context_mark;
        err_set(err, RC_BAD_INPUT, "%s:%zu:%zu: %s", file_name, at.line + 1, at.column + 1,
                parser.problem ? parser.problem : "not YAML");
        yaml_parser_delete(&parser);
        return RC_BAD_INPUT;
    }
    struct reader r = { &document, file_name, err };
    enum rc rc = read_root(&r, out);
    yaml_document_delete(&document);
    yaml_parser_delete(&parser);
    if (rc)
        stage_config_free(out);
    return rc;
}

static void free_table(struct stage_table *t)
{
    for (size_t i = 0; i < t->op_count; i++)
        free(t->ops[i]);
    for (size_t i = 0; i < t->key_count; i++)
        free(t->key[i]);
    for (size_t i = 0; i < t->column_count; i++) {
        free(t->columns[i].name);
        free(t->columns[i].source);
        free(t->columns[i].type);
        free(t->columns[i].duck_type);
        free(t->columns[i].written_type);
    }
    for (size_t i = 0; i < t->partition_count; i++) {
        free(t->partitions[i].column);
        free(t->partitions[i].transform);
    }
    for (size_t i = 0; i < t->property_count; i++) {
        free(t->properties[i].name);
        free(t->properties[i].value);
    }
    free(t->name);
    free(t->namespace);
    free(t->source_path);
    free(t->ops);
    free(t->key);
    free(t->columns);
    free(t->partitions);
    free(t->properties);
}

void stage_config_free(struct stage_config *config)
{
    for (size_t i = 0; i < config->count; i++)
        free_table(&config->tables[i]);
    free(config->tables);
    *config = (struct stage_config){ 0 };
}

bool stage_keeps(const struct stage_table *table, const char *op)
{
    for (size_t i = 0; i < table->op_count; i++)
        if (strcmp(table->ops[i], op) == 0)
            return true;
    return !table->op_count;
}
