/* First line: a migration's file name; the rest: its text, whose placeholders are replaced and which is then split. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "source/migrate/migration.h"
#include "source/migrate/script.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *lookup(void *user, const char *key)
{
    (void)user;
    return key[0] == 'n' ? NULL : "value";
}

static void check_name(struct str text)
{
    CLEANUP_FREE char *name = str_dup(text);
    CLEANUP_FREE char *version = NULL, *description = NULL;
    struct err err = { 0 };

    if (migration_parse_name(name, &version, &description, &err)) {
        if (!err.text[0] || version || description)
            abort();
        return;
    }
    if (!description || (name[0] == 'V') != (version != NULL))
        abort();
    if (version && migration_version_cmp(version, version) != 0)
        abort();
}

/* the statements' texts lie in the text one after the other, their lines are those of their first words */
static void check_statements(struct str text)
{
    struct script_statement statement = { 0 };
    struct str rest = text;
    const char *end = text.p;
    int line = 1;

    while (script_next(&rest, &line, &statement)) {
        int counted = 1;
        if (!statement.text.len || statement.text.p < end || statement.text.p + statement.text.len > text.p + text.len)
            abort();
        if (text.len < 4096) {
            for (const char *p = text.p; p < statement.text.p; p++)
                counted += *p == '\n';
            if (counted != statement.line)
                abort();
        }
        end = statement.text.p + statement.text.len;
        (void)script_is_non_transactional(statement.text);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(buf_free) struct buf out = { 0 };
    struct str text = str_n((const char *)data, size), name = { 0 };
    struct err err = { 0 };

    if (!str_cut(&text, '\n', &name) || !text.p)
        return 0;
    check_name(name);
    (void)migration_checksum(text);
    check_statements(text);
    if (!script_replace_placeholders(text, lookup, NULL, &out, &err))
        check_statements(buf_str(&out));
    return 0;
}
