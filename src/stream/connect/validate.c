/* Checks a configuration against the rows of its class. */
#include "stream/connect/validate.h"

#include <stdlib.h>

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
