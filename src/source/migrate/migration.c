/*
 * Migration files as Flyway names them: V<version>__<description>.sql and R__<description>.sql,
 * split at the first "__"; '_' in a version is '.', in a description a blank.
 */
#include "source/migrate/migration.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "disk/disk.h"

int32_t migration_checksum(struct str text)
{
    uLong crc = crc32(0, NULL, 0);

    if (str_starts(text, "\xef\xbb\xbf"))
        text = str_skip(text, 3);
    while (text.len) {
        size_t n = 0;
        while (n < text.len && text.p[n] != '\r' && text.p[n] != '\n')
            n++;
        if (n)
            crc = crc32(crc, (const Bytef *)text.p, (uInt)n);
        text = str_skip(text, n + 1);
    }
    return (int32_t)(uint32_t)crc;
}

static struct str next_part(struct str *rest)
{
    struct str part = { 0 };

    if (!str_cut(rest, '.', &part))
        return STR("");
    while (part.len && part.p[0] == '0')
        part = str_skip(part, 1);
    return part;
}

int migration_version_cmp(const char *a, const char *b)
{
    struct str left = str_of(a), right = str_of(b);

    while (left.p || right.p) {
        struct str x = next_part(&left), y = next_part(&right);
        if (x.len != y.len)
            return x.len < y.len ? -1 : 1;
        int order = str_cmp(x, y);
        if (order)
            return order < 0 ? -1 : 1;
    }
    return 0;
}

static bool is_version(const char *text)
{
    bool digit = false;

    for (const char *c = text; *c; c++) {
        if (isdigit((unsigned char)*c))
            digit = true;
        else if (*c != '.' || !digit || !isdigit((unsigned char)c[1]))
            return false;
    }
    return digit;
}

static char *with_replaced(struct str s, char from, char to)
{
    char *copy = str_dup(s);

    for (char *c = copy; *c; c++)
        if (*c == from)
            *c = to;
    return copy;
}

static enum rc misnamed(const char *file_name, bool repeatable, struct err *err)
{
    if (repeatable)
        return err_set(
            err, RC_BAD_INPUT,
            "Invalid repeatable migration / callback name format: %s (It cannot contain a version and should "
            "look like this: R__description.sql)",
            file_name);
    return err_set(err, RC_BAD_INPUT,
                   "Invalid versioned migration name format: %s (It must contain a version and should look like this: "
                   "V1.2__description.sql)",
                   file_name);
}

enum rc migration_parse_name(const char *file_name, char **version, char **description, struct err *err)
{
    struct str name = str_of(file_name);

    if (name.len < 5 || !str_is_nocase(str_skip(name, name.len - 4), ".sql") || (name.p[0] != 'V' && name.p[0] != 'R'))
        return err_set(err, RC_NOT_FOUND, "Unrecognised migration name format: %s", file_name);
    bool repeatable = name.p[0] == 'R';
    name = str_n(name.p + 1, name.len - 5);
    const char *separator = memmem(name.p, name.len, "__", 2);
    size_t before = separator ? (size_t)(separator - name.p) : name.len;
    if (!separator || (repeatable ? before != 0 : before == 0))
        return misnamed(file_name, repeatable, err);
    CLEANUP_FREE char *number = with_replaced(str_n(name.p, before), '_', '.');
    if (!repeatable && !is_version(number))
        return err_set(err, RC_BAD_INPUT,
                       "Invalid versioned migration name format: %s (could not recognise version number %s)", file_name,
                       number);
    *version = repeatable ? NULL : TAKE_PTR(number);
    *description = with_replaced(str_skip(name, before + 2), '_', ' ');
    return RC_OK;
}

static int migration_cmp(const void *a, const void *b)
{
    const struct migration *x = a, *y = b;

    if (!x->version != !y->version)
        return x->version ? -1 : 1;
    return x->version ? migration_version_cmp(x->version, y->version) : strcmp(x->description, y->description);
}

static void migration_clear(struct migration *migration)
{
    free(migration->version);
    free(migration->description);
    free(migration->script);
    buf_free(&migration->text);
}

void migrations_free(struct migrations *migrations)
{
    for (size_t i = 0; i < migrations->count; i++)
        migration_clear(&migrations->items[i]);
    for (size_t i = 0; i < migrations->misnamed_count; i++)
        free(migrations->misnamed[i]);
    free(migrations->items);
    free(migrations->misnamed);
    *migrations = (struct migrations){ 0 };
}

static enum rc read_one(const char *folder, const char *file_name, struct migrations *out, struct err *err)
{
    struct migration migration = { .text.max = MIGRATION_BYTES_MAX };
    struct err words = { 0 };
    enum rc rc = migration_parse_name(file_name, &migration.version, &migration.description, &words);

    if (rc == RC_NOT_FOUND)
        return RC_OK;
    if (rc == RC_BAD_INPUT) {
        out->misnamed = mem_grow(out->misnamed, out->misnamed_count + 1, sizeof *out->misnamed);
        out->misnamed[out->misnamed_count++] = mem_strdup(words.text);
        return RC_OK;
    }
    CLEANUP_FREE char *path = mem_printf("%s/%s", folder, file_name);
    migration.script = mem_strdup(file_name);
    rc = out->count < MIGRATIONS_MAX ? disk_read_file(path, &migration.text, err)
                                     : err_set(err, RC_FULL, "there are more than %d migrations", MIGRATIONS_MAX);
    if (rc) {
        migration_clear(&migration);
        return rc;
    }
    migration.checksum = migration_checksum(buf_str(&migration.text));
    out->items = mem_grow(out->items, out->count + 1, sizeof *out->items);
    out->items[out->count++] = migration;
    return RC_OK;
}

static enum rc refuse_duplicates(const struct migrations *migrations, struct err *err)
{
    for (size_t i = 1; i < migrations->count; i++) {
        const struct migration *a = &migrations->items[i - 1], *b = &migrations->items[i];
        if (migration_cmp(a, b) != 0)
            continue;
        if (a->version)
            return err_set(err, RC_BAD_INPUT,
                           "Found more than one migration with version %s\nOffenders:\n-> %s (SQL)\n-> %s (SQL)",
                           a->version, a->script, b->script);
        return err_set(
            err, RC_BAD_INPUT,
            "Found more than one repeatable migration with description %s\nOffenders:\n-> %s (SQL)\n-> %s (SQL)",
            a->description, a->script, b->script);
    }
    return RC_OK;
}

enum rc migrations_read(const char *folder, struct migrations *out, struct err *err)
{
    struct migrations found = { 0 };
    enum rc rc = RC_OK;
    DIR *dir = opendir(folder);

    if (!dir)
        return err_set_errno(err, errno, "cannot read migrations in '%s'", folder);
    for (struct dirent *e = NULL; !rc && (e = readdir(dir));)
        rc = read_one(folder, e->d_name, &found, err);
    closedir(dir);
    if (found.count)
        qsort(found.items, found.count, sizeof *found.items, migration_cmp);
    if (!rc)
        rc = refuse_duplicates(&found, err);
    if (rc)
        migrations_free(&found);
    else
        *out = found;
    return rc;
}
