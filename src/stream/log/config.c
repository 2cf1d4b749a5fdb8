/*
 * Rows by name, and whether a value suits its row.  Texts of refusal are Kafka's, because scripts read them.
 */
#include "stream/log/config.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct config_row *find_row(const struct config_row *rows, size_t count, struct str name)
{
    for (size_t i = 0; i < count; i++)
        if (str_is(name, rows[i].name))
            return &rows[i];
    return NULL;
}

const struct config_row *topic_config_row(struct str name)
{
    return find_row(topic_config_rows, topic_config_row_count, name);
}

const struct config_row *broker_config_row(struct str name)
{
    return find_row(broker_config_rows, broker_config_row_count, name);
}

static enum rc refuse(struct err *err, const struct config_row *row, struct str value, const char *why)
{
    return err_set(err, RC_BAD_INPUT, "Invalid value %.*s for configuration %s: %s", (int)MIN(value.len, (size_t)400),
                   value.p ? value.p : "null", row->name, why);
}

static const char *const type_names[] = {
    [CONFIG_INT] = "INT", [CONFIG_SHORT] = "SHORT", [CONFIG_LONG] = "LONG", [CONFIG_DOUBLE] = "DOUBLE"
};
static const int64_t type_min[] = { [CONFIG_INT] = INT32_MIN, [CONFIG_SHORT] = INT16_MIN, [CONFIG_LONG] = INT64_MIN };
static const int64_t type_max[] = { [CONFIG_INT] = INT32_MAX, [CONFIG_SHORT] = INT16_MAX, [CONFIG_LONG] = INT64_MAX };

static enum rc refuse_type(struct err *err, const struct config_row *row, struct str value)
{
    char why[40];

    snprintf(why, sizeof why, "Not a number of type %s", type_names[row->type]);
    return refuse(err, row, value, why);
}

static enum rc refuse_range(struct err *err, const struct config_row *row, struct str value, bool low)
{
    char why[60];

    snprintf(why, sizeof why, "Value must be %s %" PRId64, low ? "at least" : "no more than",
             low ? row->min : row->max);
    return refuse(err, row, value, why);
}

static enum rc check_number(const struct config_row *row, struct str value, struct err *err)
{
    int64_t n = 0;

    if (!str_to_i64(value, type_min[row->type], type_max[row->type], &n))
        return refuse_type(err, row, value);
    if (!row->min && !row->max)
        return RC_OK;
    if (n < row->min || n > row->max)
        return refuse_range(err, row, value, n < row->min);
    return RC_OK;
}

static enum rc check_double(const struct config_row *row, struct str value, struct err *err)
{
    double d = 0;

    if (!str_to_double(value, &d))
        return refuse_type(err, row, value);
    if ((row->min || row->max) && (d < (double)row->min || d > (double)row->max))
        return refuse_range(err, row, value, d < (double)row->min);
    return RC_OK;
}

static bool is_choice(const char *choices, struct str item)
{
    struct str rest = str_of(choices), choice;

    while (str_cut(&rest, ',', &choice))
        if (str_eq(choice, item))
            return true;
    return false;
}

static enum rc refuse_choice(struct err *err, const struct config_row *row, struct str item)
{
    CLEANUP(buf_free) struct buf why = { 0 };
    struct str rest = str_of(row->choices), choice;
    const char *between = "";

    buf_puts(&why, "String must be one of: ");
    for (; str_cut(&rest, ',', &choice); between = ", ")
        buf_printf(&why, "%s%.*s", between, STR_ARG(choice));
    return refuse(err, row, item, buf_cstr(&why));
}

static enum rc check_choices(const struct config_row *row, struct str value, struct err *err)
{
    struct str rest = value, item;

    if (!row->choices)
        return RC_OK;
    if (row->type == CONFIG_STRING)
        return is_choice(row->choices, value) ? RC_OK : refuse_choice(err, row, value);
    while (rest.len && str_cut(&rest, ',', &item))
        if (!is_choice(row->choices, str_trim(item)))
            return refuse_choice(err, row, str_trim(item));
    return RC_OK;
}

enum rc config_check(const struct config_row *row, struct str value, struct err *err)
{
    bool flag = false;

    if (!value.p)
        return RC_OK;
    if (value.len > CONFIG_VALUE_MAX)
        return refuse(err, row, str_n(value.p, 40), "The value is too long");
    value = str_trim(value);
    switch (row->type) {
    case CONFIG_INT:
    case CONFIG_SHORT:
    case CONFIG_LONG:
        return check_number(row, value, err);
    case CONFIG_DOUBLE:
        return check_double(row, value, err);
    case CONFIG_BOOLEAN:
        return str_to_bool(value, &flag) ? RC_OK : refuse(err, row, value, "Expected value to be either true or false");
    case CONFIG_STRING:
    case CONFIG_LIST:
        return check_choices(row, value, err);
    case CONFIG_CLASS:
    case CONFIG_PASSWORD:
        break;
    }
    return RC_OK;
}
