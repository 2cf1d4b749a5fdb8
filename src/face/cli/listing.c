/* Tables of text for people, JSON arrays for programs: the same rows. */
#include <ctype.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "face/cli/command.h"

void listing_add(struct listing *listing, ...)
{
    va_list args;

    listing->cells = mem_grow(listing->cells, listing->cell_count + listing->column_count, sizeof *listing->cells);
    va_start(args, listing);
    for (size_t i = 0; i < listing->column_count; i++)
        listing->cells[listing->cell_count++] = mem_strdup(va_arg(args, const char *));
    va_end(args);
}

/* names come from others: bytes that are no text are shown as question marks */
static json_t *json_text(const char *text)
{
    CLEANUP_FREE char *copy = mem_strdup(text);

    for (char *c = str_is_utf8(str_of(copy)) ? NULL : copy; c && *c; c++)
        if ((unsigned char)*c >= 0x80)
            *c = '?';
    return json_string(copy);
}

static json_t *cell_value(const struct listing_column *column, const char *text)
{
    int64_t whole = 0;
    double fraction = 0;

    if (!text)
        return json_null();
    if (!column->is_number)
        return json_text(text);
    if (strcmp(text, "true") == 0 || strcmp(text, "false") == 0)
        return json_boolean(text[0] == 't');
    if (str_to_i64(str_of(text), INT64_MIN, INT64_MAX, &whole))
        return json_integer(whole);
    return str_to_double(str_of(text), &fraction) ? json_real(fraction) : json_null();
}

static void print_json(const struct listing *listing)
{
    json_t *array = json_array();

    for (size_t i = 0; i < listing->cell_count; i += listing->column_count) {
        json_t *row = json_object();
        for (size_t k = 0; k < listing->column_count; k++)
            json_object_set_new(row, listing->columns[k].name, cell_value(&listing->columns[k], listing->cells[i + k]));
        json_array_append_new(array, row);
    }
    json_dumpf(array, stdout, JSON_INDENT(2));
    putchar('\n');
    json_decref(array);
}

/* characters, not bytes: continuation bytes take no place */
static int width_of(const char *text)
{
    int width = 0;

    for (; *text; text++)
        width += ((unsigned char)*text & 0xc0) != 0x80;
    return width;
}

static void print_cell(const char *text, int width, bool right, bool last)
{
    int pad = width - width_of(text);

    if (right)
        printf("%*s%s", pad, "", text);
    else
        printf("%s%*s", text, last ? 0 : pad, "");
    fputs(last ? "\n" : "  ", stdout);
}

static void print_table(const struct listing *listing)
{
    size_t n = listing->column_count;
    CLEANUP_FREE int *widths = NEW_ARRAY(int, n);

    for (size_t k = 0; k < n; k++)
        widths[k] = width_of(listing->columns[k].name);
    for (size_t i = 0; i < listing->cell_count; i++)
        widths[i % n] = MAX(widths[i % n], width_of(listing->cells[i] ? listing->cells[i] : "-"));
    for (size_t k = 0; k < n; k++) {
        CLEANUP_FREE char *title = mem_strdup(listing->columns[k].name);
        for (char *c = title; *c; c++)
            *c = *c == '_' ? ' ' : (char)toupper((unsigned char)*c);
        print_cell(title, widths[k], listing->columns[k].is_number, k + 1 == n);
    }
    for (size_t i = 0; i < listing->cell_count; i++)
        print_cell(listing->cells[i] ? listing->cells[i] : "-", widths[i % n], listing->columns[i % n].is_number,
                   (i + 1) % n == 0);
}

void listing_print(struct listing *listing)
{
    if (output_json)
        print_json(listing);
    else if (listing->cell_count)
        print_table(listing);
    for (size_t i = 0; i < listing->cell_count; i++)
        free(listing->cells[i]);
    free(listing->cells);
    listing->cells = NULL;
    listing->cell_count = 0;
}
