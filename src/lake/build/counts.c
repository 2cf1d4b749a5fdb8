/* The cache of event counts; see counts.h. */
#include "lake/build/counts.h"

#include <string.h>

#include "disk/disk.h"

enum { COUNTS_MAX = 512 << 20 };

void counts_load(struct counts *counts, const char *path)
{
    CLEANUP(buf_free) struct buf text = { .max = COUNTS_MAX };
    struct err ignored = { 0 };
    struct str rest, line;
    int64_t count = 0;

    if (disk_read_file(path, &text, &ignored))
        return;
    rest = buf_str(&text);
    while (str_cut(&rest, '\n', &line)) {
        size_t tab = line.len;
        while (tab > 0 && line.p[tab - 1] != '\t')
            tab--;
        if (tab > 1 && str_to_i64(str_skip(line, tab), 0, INT64_MAX / 2, &count))
            map_put(&counts->by_key, str_n(line.p, tab - 1), (void *)(intptr_t)(count + 1));
    }
}

static void put_key(struct buf *out, const char *key, const char *etag)
{
    buf_puts(out, key);
    buf_putc(out, '\t');
    buf_puts(out, etag);
}

int64_t counts_get(const struct counts *counts, const char *key, const char *etag)
{
    CLEANUP(buf_free) struct buf text = { 0 };

    if (!counts->by_key.count || !*etag)
        return -1;
    put_key(&text, key, etag);
    return (int64_t)(intptr_t)map_get(&counts->by_key, buf_str(&text)) - 1;
}

void counts_save(const char *path, const struct raw_files *files)
{
    CLEANUP(buf_free) struct buf text = { .max = COUNTS_MAX };
    struct err why = { 0 };

    for (size_t i = 0; i < files->count; i++) {
        const struct raw_file *f = &files->files[i];
        if (f->count < 0 || strpbrk(f->key, "\t\n"))
            continue;
        put_key(&text, f->key, f->etag);
        buf_printf(&text, "\t%lld\n", (long long)f->count);
    }
    if (buf_failed(&text) || disk_replace_file(path, text.data ? text.data : "", text.len, 0644, &why))
        log_warn("cannot remember event counts of raw files", "error=%s", why.text);
}

void counts_free(struct counts *counts)
{
    map_free(&counts->by_key, NULL);
}
