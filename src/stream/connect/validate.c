/* Checks a configuration against the rows of its class; see validate.h.  The words are Kafka's ConfigDef's. */
#include "stream/connect/validate.h"

#include <stdlib.h>
#include <string.h>

#include "stream/connect/options.h"

void validation_error(struct validation *validation, const char *option, const char *format, ...)
{
    struct validation_found *found = NULL;
    struct buf text = { 0 };
    va_list args;

    if (validation->count == VALIDATION_ERRORS_MAX)
        return;
    va_start(args, format);
    buf_vprintf(&text, format, args);
    va_end(args);
    validation->found = mem_grow(validation->found, validation->count + 1, sizeof *validation->found);
    found = &validation->found[validation->count++];
    found->option = mem_strdup(option);
    found->text = buf_take(&text);
}

bool validation_has_error(const struct validation *validation, const char *option)
{
    for (size_t i = 0; i < validation->count; i++)
        if (str_is(str_of(validation->found[i].option), option))
            return true;
    return false;
}

void validation_free(struct validation *validation)
{
    for (size_t i = 0; i < validation->count; i++) {
        free(validation->found[i].option);
        free(validation->found[i].text);
    }
    free(validation->found);
    *validation = (struct validation){ 0 };
}

/* ------------------------------------------------------------ all rows of a class */

enum { ROW_GROUPS = 3 };

/* Connect's common rows, those of the kind, the connector's own: in this order. */
static void rows_of(const struct connector_class *class, struct option_rows out[static ROW_GROUPS])
{
    out[0] = options_common();
    out[1] = options_of_kind(class->kind);
    out[2] = (struct option_rows){ class->options, class->option_count };
}

static const char *const type_names[] = { "STRING",  "INT",  "LONG",  "SHORT",   "DOUBLE",
                                          "BOOLEAN", "LIST", "CLASS", "PASSWORD" };

/* ------------------------------------------------------------ one value */

static bool check_number(const struct option *option, struct str value, struct buf *why)
{
    static const struct {
        int64_t min, max;
    } ranges[] = { [OPTION_INT] = { INT32_MIN, INT32_MAX },
                   [OPTION_LONG] = { INT64_MIN, INT64_MAX },
                   [OPTION_SHORT] = { INT16_MIN, INT16_MAX } };
    int64_t number = 0;
    double real = 0;

    if (option->type == OPTION_DOUBLE
            ? !str_to_double(value, &real)
            : !str_to_i64(value, ranges[option->type].min, ranges[option->type].max, &number)) {
        buf_printf(why, "Not a number of type %s", type_names[option->type]);
        return false;
    }
    if (option->type == OPTION_DOUBLE || option->min >= option->max)
        return true;
    if (number < option->min)
        buf_printf(why, "Value must be at least %lld", (long long)option->min);
    else if (number > option->max)
        buf_printf(why, "Value must be no more than %lld", (long long)option->max);
    return number >= option->min && number <= option->max;
}

static bool check_type(const struct option *option, const char *value, struct buf *why)
{
    bool truth = false;

    if (option->type == OPTION_INT || option->type == OPTION_LONG || option->type == OPTION_SHORT ||
        option->type == OPTION_DOUBLE)
        return check_number(option, str_trim(str_of(value)), why);
    if (option->type != OPTION_BOOLEAN || str_to_bool(str_trim(str_of(value)), &truth))
        return true;
    buf_puts(why, "Expected value to be either true or false");
    return false;
}

static bool check_values(const struct option *option, const char *value, struct buf *why)
{
    if (!option->values || option->open)
        return true;
    for (size_t i = 0; option->values[i]; i++)
        if (option->type == OPTION_CLASS ? strcmp(option->values[i], value) == 0
                                         : str_is_nocase(str_of(value), option->values[i]))
            return true;
    if (option->type == OPTION_CLASS) {
        buf_printf(why, "Class %s could not be found.", value);
        return false;
    }
    buf_puts(why, "String must be one of: ");
    for (size_t i = 0; option->values[i]; i++)
        buf_printf(why, "%s%s", i ? ", " : "", option->values[i]);
    return false;
}

static bool is_unresolved(const char *value)
{
    return strncmp(value, "${", 2) == 0; /* a config provider's: known only when the task starts */
}

/* A type that does not fit, in the words of a connector that has its own for that; NULL: Connect's. */
static const char *own_type_words(const struct option *option)
{
    static const char *const words[] = {
        [OPTION_INT] = "An integer is expected",
        [OPTION_LONG] = "A long value is expected",
        [OPTION_SHORT] = "A short value is expected",
        [OPTION_DOUBLE] = "A double value is expected",
        [OPTION_BOOLEAN] = "Either 'true' or 'false' is expected",
    };

    return option->type < ARRAY_LEN(words) ? words[option->type] : NULL;
}

/* own: of the connector's class, not of Connect. */
static void check_option(const struct option *option, const struct connector_config *config, bool own,
                         struct validation *out)
{
    CLEANUP(buf_free) struct buf why = { 0 };
    bool names_values = config->class && config->class->names_values;
    const char *value = config_given(config, option->name);

    if (!value && option->required)
        validation_error(out, option->name, "Missing required configuration \"%s\" which has no default value.",
                         option->name);
    if (!value)
        value = option->fallback; /* a default may be of what is not built */
    if (!value || is_unresolved(value))
        return;
    bool typed = check_type(option, value, &why);
    bool fits = typed && check_values(option, value, &why);
    if (fits && (!option->check || option->check(config, value, &why)))
        return;
    if (!typed && own && names_values && own_type_words(option)) {
        validation_error(out, option->name, "The '%s' value is invalid: %s", option->name, own_type_words(option));
        return;
    }
    if (fits && names_values) {
        validation_error(out, option->name, "The '%s' value is invalid: %s", option->name, buf_cstr(&why));
        return;
    }
    validation_error(out, option->name, "Invalid value %s for configuration %s: %s",
                     option->type == OPTION_PASSWORD ? "[hidden]" : value, option->name, buf_cstr(&why));
}

/* ------------------------------------------------------------ the whole */

static void check_topics(const struct connector_config *config, struct validation *out)
{
    const char *topics = config_given(config, "topics"), *regex = config_given(config, "topics.regex");
    const char *names[] = { "topics", "topics.regex" };
    const char *words = NULL;
    struct str rest = str_of(topics), item = { 0 };
    bool has_topics = config_list_next(&rest, &item), has_regex = regex && *regex;

    if (has_topics && has_regex)
        words = "topics and topics.regex are mutually exclusive options, but both are set.";
    else if (!has_topics && !has_regex)
        words = "Must configure one of topics or topics.regex";
    for (size_t i = 0; words && i < ARRAY_LEN(names); i++)
        validation_error(out, names[i], "%s", words);
}

void validate(const struct station *station, const struct connector_class *class, const struct connector_config *config,
              struct validation *out)
{
    struct option_rows rows[ROW_GROUPS];
    struct connector_config with_class = { .rows = config->rows, .class = class }; /* a view: not freed */

    rows_of(class, rows);
    for (size_t group = 0; group < ROW_GROUPS; group++) {
        for (size_t i = 0; i < rows[group].count; i++)
            check_option(&rows[group].rows[i], &with_class, group == ROW_GROUPS - 1, out);
        if (group == 1 && class->kind == CONNECTOR_SINK)
            check_topics(config, out);
    }
    if (class->validate)
        class->validate(station, &with_class, out);
}

void validation_words(const struct validation *validation, struct buf *out)
{
    buf_printf(out, "Connector configuration is invalid and contains the following %zu error(s):", validation->count);
    for (size_t i = 0; i < validation->count; i++)
        buf_printf(out, "\n%s", validation->found[i].text);
    buf_puts(out, "\nYou can also find the above list of errors at the endpoint "
                  "`/connector-plugins/{connectorType}/config/validate`");
}

/* ------------------------------------------------------------ as JSON */

static json_t *text_or_null(const char *text)
{
    json_t *value = text ? json_string(text) : NULL;

    return value ? value : json_null();
}

static json_t *key_info(const struct option *option, int order)
{
    static const char *const importances[] = { "HIGH", "MEDIUM", "LOW" };
    static const char *const widths[] = { "NONE", "SHORT", "MEDIUM", "LONG" };

    return json_pack("{s:s,s:s,s:b,s:o,s:s,s:s,s:o,s:s,s:s,s:[],s:i}", "name", option->name, "type",
                     type_names[option->type], "required", option->required, "default_value",
                     text_or_null(option->fallback), "importance", importances[option->importance], "documentation",
                     option->documentation ?: "", "group", text_or_null(option->group), "width", widths[option->width],
                     "display_name", option->display_name ?: option->name, "dependents", "order",
                     option->group ? order : -1);
}

static json_t *value_info(const struct option *option, const struct connector_config *config,
                          const struct validation *validation)
{
    const char *given = config_given(config, option->name);
    const char *value = given ? given : option->fallback;
    json_t *errors = json_array(), *recommended = json_array();

    for (size_t i = 0; i < validation->count; i++)
        if (strcmp(validation->found[i].option, option->name) == 0)
            json_array_append_new(errors, text_or_null(validation->found[i].text));
    for (size_t i = 0; option->values && option->values[i]; i++)
        json_array_append_new(recommended, json_string(option->values[i]));
    if (option->type == OPTION_PASSWORD && value)
        value = "[hidden]";
    return json_pack("{s:s,s:o,s:o,s:o,s:b}", "name", option->name, "value", text_or_null(value), "recommended_values",
                     recommended, "errors", errors, "visible", 1);
}

/* Groups in order of first mention. */
static void add_group(json_t *groups, const char *group)
{
    size_t i = 0;
    json_t *known = NULL;

    if (!group)
        return;
    json_array_foreach(groups, i, known) {
        if (strcmp(json_string_value(known), group) == 0)
            return;
    }
    json_array_append_new(groups, json_string(group));
}

static int order_in_group(const struct option_rows *rows, size_t at)
{
    int order = 1;

    for (size_t i = 0; i < at; i++)
        order += str_eq(str_of(rows->rows[i].group), str_of(rows->rows[at].group));
    return order;
}

static size_t errors_of_known(const struct option_rows rows[static ROW_GROUPS], const struct validation *validation)
{
    size_t count = 0;

    for (size_t group = 0; group < ROW_GROUPS; group++)
        for (size_t i = 0; i < rows[group].count; i++)
            for (size_t k = 0; k < validation->count; k++)
                count += strcmp(validation->found[k].option, rows[group].rows[i].name) == 0;
    return count;
}

json_t *validation_infos(const struct connector_class *class, const struct connector_config *config,
                         const struct validation *validation)
{
    struct option_rows rows[ROW_GROUPS];
    json_t *groups = json_array(), *configs = json_array();

    rows_of(class, rows);
    for (size_t group = 0; group < ROW_GROUPS; group++)
        for (size_t i = 0; i < rows[group].count; i++) {
            const struct option *option = &rows[group].rows[i];
            add_group(groups, option->group);
            json_array_append_new(configs, json_pack("{s:o,s:o}", "definition",
                                                     key_info(option, order_in_group(&rows[group], i)), "value",
                                                     value_info(option, config, validation)));
        }
    return json_pack("{s:s,s:I,s:o,s:o}", "name", class->class_name, "error_count",
                     (json_int_t)errors_of_known(rows, validation), "groups", groups, "configs", configs);
}

json_t *class_keys(const struct connector_class *class)
{
    json_t *keys = json_array();

    for (size_t i = 0; i < class->option_count; i++) {
        struct option_rows rows = { class->options, class->option_count };
        json_array_append_new(keys, key_info(&class->options[i], order_in_group(&rows, i)));
    }
    return keys;
}
