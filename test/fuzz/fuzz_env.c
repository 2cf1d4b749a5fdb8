/* Any text as a .env file: read whole or refused with its line named; and once more as a text with ${} in it. */
#include <stdlib.h>
#include <string.h>

#include "base/base.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_rows(const struct settings *settings)
{
    for (struct map_entry *e = NULL; (e = map_next(&settings->rows, e));) {
        const struct setting *setting = e->value;
        if (!e->key[0] || !setting->value || strncmp(setting->origin, "f.env:", 6) != 0)
            abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(settings_free) struct settings settings = { 0 };
    CLEANUP(buf_free) struct buf out = { .max = 1 << 20 };
    struct str text = str_n((const char *)data, size);
    struct err err = { 0 };

    enum rc rc = settings_parse_env(&settings, "f.env", text, &err);
    if (rc && strncmp(err.text, "cannot read 'f.env:", 19) != 0)
        abort();
    check_rows(&settings);
    rc = settings_expand(&settings, text, &out, &err);
    if (!rc && !memchr(data, '$', size) && !buf_failed(&out) && !str_eq(buf_str(&out), text))
        abort(); /* a text without dollars stays as it is */
    return 0;
}
