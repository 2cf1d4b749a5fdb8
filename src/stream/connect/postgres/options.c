/* The part of a connector's configuration that decides what events look like; cdc reference §2.1. */
#define PCRE2_CODE_UNIT_WIDTH 8
#include "stream/connect/postgres/options.h"

#include <pcre2.h>
#include <stdlib.h>
#include <string.h>

/* ------------------------------------------------------------------ regexes */

struct regex_list {
    pcre2_code *codes[REGEX_LIST_MAX];
    size_t count;
};

static enum rc regex_add(struct regex_list *list, const char *setting, struct str text, struct err *err)
{
    CLEANUP_FREE char *pattern = mem_printf("^(?:%.*s)\\z", STR_ARG(text));
    int number = 0;
    PCRE2_SIZE at = 0;
    PCRE2_UCHAR words[200];

    if (list->count == REGEX_LIST_MAX)
        return err_set(err, RC_FULL, "'%s' has more than %d entries", setting, REGEX_LIST_MAX);
    pcre2_code *code = pcre2_compile((PCRE2_SPTR)pattern, PCRE2_ZERO_TERMINATED,
                                     PCRE2_CASELESS | PCRE2_UTF | PCRE2_MATCH_INVALID_UTF, &number, &at, NULL);
    if (!code) {
        pcre2_get_error_message(number, words, sizeof words);
        return err_set(err, RC_BAD_INPUT, "'%s' has '%.*s', which is not a regular expression: %s", setting,
                       STR_ARG(text), (const char *)words);
    }
    list->codes[list->count++] = code;
    return RC_OK;
}

enum rc regex_list_new(const char *setting, struct str text, struct regex_list **out, struct err *err)
{
    struct regex_list *list = NEW(struct regex_list);
    CLEANUP(buf_free) struct buf item = { 0 };
    enum rc rc = RC_OK;

    for (size_t i = 0; i <= text.len && !rc; i++) {
        if (i < text.len && text.p[i] == '\\' && i + 1 < text.len) {
            if (text.p[i + 1] != ',') /* an escaped comma is a comma */
                buf_putc(&item, '\\');
            buf_putc(&item, text.p[++i]);
        } else if (i < text.len && text.p[i] != ',') {
            buf_putc(&item, text.p[i]);
        } else {
            struct str trimmed = str_trim(buf_str(&item));
            if (trimmed.len)
                rc = regex_add(list, setting, trimmed, err);
            buf_clear(&item);
        }
    }
    if (rc)
        regex_list_free(list);
    else
        *out = list;
    return rc;
}

void regex_list_free(struct regex_list *list)
{
    for (size_t i = 0; list && i < list->count; i++)
        pcre2_code_free(list->codes[i]);
    free(list);
}

bool regex_list_matches(const struct regex_list *list, struct str subject)
{
    bool found = false;

    for (size_t i = 0; i < list->count && !found; i++) {
        pcre2_match_data *data = pcre2_match_data_create(1, NULL);
        found = data && pcre2_match(list->codes[i], (PCRE2_SPTR)subject.p, subject.len, 0, 0, data, NULL) >= 0;
        pcre2_match_data_free(data);
    }
    return found;
}

/* ----------------------------------------------------------------- settings */

struct reader {
    struct connect_lookup config;
    struct err *err;
    enum rc rc;
};

static const char *get(struct reader *r, const char *name)
{
    const char *value = r->config.get(r->config.user, name);
    return value && *str_trim(str_of(value)).p ? value : NULL;
}

static int get_choice(struct reader *r, const char *name, const char *const *choices, int fallback)
{
    const char *text = get(r, name);
    CLEANUP(buf_free) struct buf all = { 0 };

    if (!text)
        return fallback;
    for (int i = 0; choices[i]; i++) {
        if (str_is_nocase(str_trim(str_of(text)), choices[i]))
            return i;
        buf_printf(&all, "%s%s", i ? ", " : "", choices[i]);
    }
    if (!r->rc)
        r->rc = err_set(r->err, RC_BAD_INPUT, "'%s' is '%s'; it must be one of %s", name, text, buf_cstr(&all));
    return fallback;
}

static bool get_bool(struct reader *r, const char *name, bool fallback)
{
    const char *text = get(r, name);
    bool value = fallback;

    if (text && !str_to_bool(str_trim(str_of(text)), &value) && !r->rc)
        r->rc = err_set(r->err, RC_BAD_INPUT, "'%s' is '%s'; it must be true or false", name, text);
    return value;
}

static struct regex_list *get_regexes(struct reader *r, const char *name)
{
    const char *text = get(r, name);
    struct regex_list *list = NULL;

    if (text && !r->rc)
        r->rc = regex_list_new(name, str_of(text), &list, r->err);
    return list;
}

static bool is_avro_converter(const char *class_name)
{
    return class_name && (strcmp(class_name, "io.confluent.connect.avro.AvroConverter") == 0 ||
                          strcmp(class_name, "io.apicurio.registry.utils.converter.AvroConverter") == 0);
}

static void read_modes(struct reader *r, struct event_options *o)
{
    static const char *const decimals[] = { "precise", "string", "double", NULL };
    static const char *const times[] = { "adaptive", "adaptive_time_microseconds", "connect", NULL };
    static const char *const binaries[] = { "bytes", "base64", "base64-url-safe", "hex", NULL };
    static const char *const intervals[] = { "numeric", "string", NULL };
    static const char *const hstores[] = { "json", "map", NULL };
    static const char *const names[] = { "none", "avro", "avro_unicode", NULL };
    static const char *const failures[] = { "fail", "warn", "skip", NULL };
    bool avro = is_avro_converter(get(r, "key.converter")) || is_avro_converter(get(r, "value.converter"));

    o->decimal = (enum decimal_mode)get_choice(r, "decimal.handling.mode", decimals, DECIMAL_PRECISE);
    o->time = (enum time_mode)get_choice(r, "time.precision.mode", times, TIME_ADAPTIVE);
    o->binary = (enum binary_mode)get_choice(r, "binary.handling.mode", binaries, BINARY_BYTES);
    o->interval = (enum interval_mode)get_choice(r, "interval.handling.mode", intervals, INTERVAL_NUMERIC);
    o->hstore = (enum hstore_mode)get_choice(r, "hstore.handling.mode", hstores, HSTORE_JSON);
    o->schema_names = (enum name_mode)get_choice(r, "schema.name.adjustment.mode", names, NAME_NONE);
    /* Debezium looks at the connector's own converters for this, not at the worker's */
    o->field_names = (enum name_mode)get_choice(r, "field.name.adjustment.mode", names, avro ? NAME_AVRO : NAME_NONE);
    o->failure = (enum failure_mode)get_choice(r, "event.converting.failure.handling.mode", failures, FAILURE_FAIL);
    o->include_unknown = get_bool(r, "include.unknown.datatypes", false);
}

/* Java's new String(bytes, UTF_8): each byte that fits nowhere becomes U+FFFD. */
static void lenient_utf8(struct str bytes, struct buf *out)
{
    for (size_t i = 0; i < bytes.len;) {
        size_t n = 1;
        while (n < 4 && i + n <= bytes.len && !str_is_utf8(str_n(bytes.p + i, n)))
            n++;
        if (i + n <= bytes.len && str_is_utf8(str_n(bytes.p + i, n))) {
            buf_append(out, bytes.p + i, n);
            i += n;
        } else {
            buf_puts(out, "\xef\xbf\xbd");
            i++;
        }
    }
}

static void read_placeholder(struct reader *r, struct event_options *o)
{
    const char *text = get(r, "unavailable.value.placeholder");
    CLEANUP(buf_free) struct buf decoded = { 0 };

    if (!text)
        text = "__debezium_unavailable_value";
    if (strncmp(text, "hex:", 4) != 0)
        buf_puts(&o->placeholder, text);
    else if (!decode_hex(str_of(text + 4), &o->placeholder) && !r->rc)
        r->rc =
            err_set(r->err, RC_BAD_INPUT, "'unavailable.value.placeholder' is '%s', which is not hexadecimal", text);
    lenient_utf8(buf_str(&o->placeholder), &decoded);
    o->placeholder_text_len = decoded.len;
    o->placeholder_text = buf_take(&decoded);
}

static void add_key_rule(struct reader *r, struct event_options *o, struct str item)
{
    struct str rest = item, table, column;
    struct key_rule rule = { 0 };

    if (!str_cut(&rest, ':', &table) || !rest.p || o->key_rule_count == KEY_RULES_MAX) {
        r->rc = err_set(r->err, RC_BAD_INPUT, "'message.key.columns' has '%.*s'; write schema.table:column,column",
                        STR_ARG(item));
        return;
    }
    r->rc = regex_list_new("message.key.columns", str_trim(table), &rule.table, r->err);
    while (!r->rc && str_cut(&rest, ',', &column)) {
        rule.columns = mem_grow(rule.columns, rule.column_count + 1, sizeof *rule.columns);
        rule.columns[rule.column_count++] = str_dup(str_trim(column));
    }
    o->key_rules = mem_grow(o->key_rules, o->key_rule_count + 1, sizeof *o->key_rules);
    o->key_rules[o->key_rule_count++] = rule;
}

static void read_key_rules(struct reader *r, struct event_options *o)
{
    struct str rest = str_of(get(r, "message.key.columns")), item;

    while (!r->rc && str_cut(&rest, ';', &item))
        if (str_trim(item).len)
            add_key_rule(r, o, str_trim(item));
}

static void read_names(struct reader *r, struct event_options *o)
{
    const char *prefix = get(r, "topic.prefix"), *delimiter = get(r, "topic.delimiter");
    const char *heartbeat = get(r, "topic.heartbeat.prefix"), *transaction = get(r, "topic.transaction");
    const char *digits = get(r, "money.fraction.digits");
    int64_t n = 2;

    if (!prefix && !r->rc)
        r->rc = err_set(r->err, RC_BAD_INPUT, "'topic.prefix' is missing; set it to the name that topics begin with");
    if (digits && !str_to_i64(str_trim(str_of(digits)), 0, 18, &n) && !r->rc)
        r->rc = err_set(r->err, RC_BAD_INPUT, "'money.fraction.digits' is '%s'; it must be between 0 and 18", digits);
    o->money_digits = (int)n;
    o->prefix = mem_strdup(prefix ? prefix : "");
    o->delimiter = mem_strdup(delimiter ? delimiter : ".");
    o->database = mem_strdup(get(r, "database.dbname") ? get(r, "database.dbname") : "");
    o->heartbeat_prefix = mem_strdup(heartbeat ? heartbeat : "__debezium-heartbeat");
    o->transaction_topic = mem_strdup(transaction ? transaction : "transaction");
}

enum rc event_options_new(struct connect_lookup config, struct event_options **out, struct err *err)
{
    struct reader r = { .config = config, .err = err };
    struct event_options *o = NEW(struct event_options);

    read_names(&r, o);
    read_modes(&r, o);
    read_placeholder(&r, o);
    o->column_include = get_regexes(&r, "column.include.list");
    o->column_exclude = get_regexes(&r, "column.exclude.list");
    read_key_rules(&r, o);
    if (!r.rc && o->column_include && o->column_exclude)
        r.rc = err_set(err, RC_BAD_INPUT, "'column.include.list' and 'column.exclude.list' are both set; keep one");
    if (r.rc)
        event_options_free(o);
    else
        *out = o;
    return r.rc;
}

void event_options_free(struct event_options *options)
{
    if (!options)
        return;
    for (size_t i = 0; i < options->key_rule_count; i++) {
        for (size_t k = 0; k < options->key_rules[i].column_count; k++)
            free(options->key_rules[i].columns[k]);
        free(options->key_rules[i].columns);
        regex_list_free(options->key_rules[i].table);
    }
    free(options->key_rules);
    regex_list_free(options->column_include);
    regex_list_free(options->column_exclude);
    buf_free(&options->placeholder);
    free(options->placeholder_text);
    free(options->prefix);
    free(options->delimiter);
    free(options->database);
    free(options->heartbeat_prefix);
    free(options->transaction_topic);
    free(options);
}

void event_topic_name(const struct event_options *options, const char *schema, const char *table, struct buf *out)
{
    CLEANUP_FREE char *name =
        mem_printf("%s%s%s%s%s", options->prefix, options->delimiter, schema, options->delimiter, table);
    name_sanitize_topic(str_of(name), out);
}

bool event_includes_column(const struct event_options *options, const char *schema, const char *table,
                           const char *column)
{
    if (!options->column_include && !options->column_exclude)
        return true;
    CLEANUP_FREE char *name = mem_printf("%s.%s.%s", schema, table, column);
    if (options->column_include)
        return regex_list_matches(options->column_include, str_of(name));
    return !regex_list_matches(options->column_exclude, str_of(name));
}
