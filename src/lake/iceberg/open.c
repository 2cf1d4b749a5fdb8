/* Finds tables and their newest version on an object store. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "lake/iceberg/table.h"

enum { HINT_MAX = 64, PROBES_MAX = 10000, TABLES_MAX = 10000, FOLDERS_DEPTH_MAX = 16 };

/* ------------------------------------------------------------- one version */

static enum rc gunzip(struct buf *packed, struct buf *out, struct err *err)
{
    z_stream z = { .next_in = (Bytef *)packed->data, .avail_in = (uInt)packed->len };
    int code = inflateInit2(&z, 15 + 32);

    out->max = ICEBERG_METADATA_MAX;
    while (code == Z_OK) {
        enum { STEP = 1 << 16 };
        void *room = buf_reserve(out, STEP);
        if (!room)
            break;
        z.next_out = room;
        z.avail_out = STEP;
        code = inflate(&z, Z_NO_FLUSH);
        buf_commit(out, STEP - z.avail_out);
    }
    inflateEnd(&z);
    return code == Z_STREAM_END ? RC_OK : err_set(err, RC_BAD_INPUT, "compressed table metadata is broken");
}

static enum rc unpack(struct buf *raw, struct buf *out, struct err *err)
{
    if (raw->len > 2 && (uint8_t)raw->data[0] == 0x1f && (uint8_t)raw->data[1] == 0x8b)
        return gunzip(raw, out, err);
    buf_free(out);
    *out = *raw;
    *raw = (struct buf){ 0 };
    return RC_OK;
}

/* RC_NOT_FOUND: that version is not there under any of its three names. */
static enum rc get_version(const struct iceberg_io *io, const char *bucket, const char *key, int64_t version,
                           bool packed_too, struct buf *out, struct err *err)
{
    static const char *const suffixes[] = { ".metadata.json", ".gz.metadata.json", ".metadata.json.gz" };
    enum rc rc = RC_NOT_FOUND;

    for (size_t i = 0; rc == RC_NOT_FOUND && i < (packed_too ? ARRAY_LEN(suffixes) : 1); i++) {
        CLEANUP(buf_free) struct buf raw = { .max = ICEBERG_METADATA_MAX };
        CLEANUP_FREE char *name = mem_printf("%s/metadata/v%lld%s", key, (long long)version, suffixes[i]);
        rc = io->get(io->user, bucket, name, &raw, err);
        if (!rc)
            return unpack(&raw, out, err);
    }
    return rc;
}

static bool version_of_key(const char *key, int64_t *version)
{
    const char *name = strrchr(key, '/');
    struct str s = str_of(name ? name + 1 : key), number;

    if (!s.len || s.p[0] != 'v' || !strstr(s.p, ".metadata.json"))
        return false;
    s = str_skip(s, 1);
    return str_cut(&s, '.', &number) && str_to_i64(number, 1, INT64_MAX, version);
}

static enum rc newest_by_listing(const struct iceberg_io *io, const char *bucket, const char *key, int64_t *version,
                                 struct err *err)
{
    CLEANUP(s3_listing_free) struct s3_listing listing = { 0 };
    CLEANUP_FREE char *prefix = mem_printf("%s/metadata/", key);
    enum rc rc = io->list(io->user, bucket, prefix, NULL, &listing, err);
    bool other = false;

    *version = 0;
    for (size_t i = 0; i < listing.count; i++) {
        int64_t v = 0;
        if (version_of_key(listing.objects[i].key, &v))
            *version = MAX(*version, v);
        else
            other = other || strstr(listing.objects[i].key, ".metadata.json");
    }
    if (rc || *version)
        return rc;
    if (other)
        return err_set(err, RC_BAD_INPUT,
                       "the table at '%s/%s' is kept by a catalog, not in the Hadoop layout (no v<N>.metadata.json)",
                       bucket, key);
    return err_set(err, RC_NOT_FOUND, "there is no table at '%s/%s'", bucket, key);
}

/* 0: no usable hint. */
static int64_t read_hint(const struct iceberg_io *io, const char *bucket, const char *key)
{
    CLEANUP(buf_free) struct buf text = { .max = HINT_MAX };
    CLEANUP_FREE char *name = mem_printf("%s/metadata/version-hint.text", key);
    struct err ignored = { 0 };
    int64_t version = 0;

    if (io->get(io->user, bucket, name, &text, &ignored) ||
        !str_to_i64(str_trim(buf_str(&text)), 1, INT64_MAX - 1, &version))
        return 0;
    return version;
}

/* The hint leads near; from there upwards until a version is missing. */
static enum rc newest_version(const struct iceberg_io *io, const char *bucket, const char *key, struct buf *text,
                              int64_t *version, int64_t *hint, struct err *err)
{
    enum rc rc = RC_NOT_FOUND;

    *version = *hint = read_hint(io, bucket, key);
    if (*version)
        rc = get_version(io, bucket, key, *version, true, text, err);
    if (rc == RC_NOT_FOUND) {
        rc = newest_by_listing(io, bucket, key, version, err);
        return rc ? rc : get_version(io, bucket, key, *version, true, text, err);
    }
    for (int i = 0; !rc && i < PROBES_MAX; i++) {
        CLEANUP(buf_free) struct buf next = { 0 };
        struct err absent = { 0 };
        rc = get_version(io, bucket, key, *version + 1, i == 0, &next, &absent);
        if (rc == RC_NOT_FOUND)
            return RC_OK;
        if (rc) {
            if (err)
                *err = absent;
            return rc;
        }
        ++*version;
        buf_free(text);
        *text = next;
        next = (struct buf){ 0 };
    }
    return rc;
}

enum rc iceberg_open(const struct iceberg_io *io, const char *location, struct iceberg_table **out, struct err *err)
{
    CLEANUP_FREE char *bucket = NULL;
    CLEANUP_FREE char *key = NULL;
    CLEANUP(buf_free) struct buf text = { 0 };
    int64_t version = 0, hint = 0;

    enum rc rc = iceberg_split_location(location, &bucket, &key, err);
    if (!rc)
        rc = newest_version(io, bucket, key, &text, &version, &hint, err);
    if (rc)
        return rc;
    if (iceberg_parse(buf_str(&text), location, out, err))
        return err_wrap(err, "cannot open '%s' version %lld", location, (long long)version);
    (*out)->version = version;
    (*out)->hint = hint;
    return RC_OK;
}

enum rc table_open_file(const struct iceberg_io *io, const char *uri, struct iceberg_table **out, struct err *err)
{
    CLEANUP_FREE char *bucket = NULL;
    CLEANUP_FREE char *key = NULL;
    CLEANUP(buf_free) struct buf raw = { .max = ICEBERG_METADATA_MAX };
    CLEANUP(buf_free) struct buf text = { 0 };
    enum rc rc = iceberg_split_location(uri, &bucket, &key, err);

    if (!rc)
        rc = io->get(io->user, bucket, key, &raw, err);
    if (!rc)
        rc = unpack(&raw, &text, err);
    return rc ? rc : iceberg_parse(buf_str(&text), NULL, out, err);
}

/* ------------------------------------------------------------- all tables */

struct names {
    char **names;
    size_t count;
};

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool is_table(const struct iceberg_io *io, const char *bucket, const char *folder)
{
    CLEANUP(s3_listing_free) struct s3_listing listing = { 0 };
    CLEANUP_FREE char *prefix = mem_printf("%smetadata/", folder);
    struct err ignored = { 0 };

    if (io->list(io->user, bucket, prefix, "/", &listing, &ignored))
        return false;
    for (size_t i = 0; i < listing.count; i++)
        if (strstr(listing.objects[i].key, ".metadata.json"))
            return true;
    return false;
}

/* folder: "" or ends with a slash. */
static enum rc walk(const struct iceberg_io *io, const char *bucket, const char *folder, size_t strip, int depth,
                    struct names *out, struct err *err)
{
    CLEANUP(s3_listing_free) struct s3_listing listing = { 0 };
    enum rc rc = io->list(io->user, bucket, folder, "/", &listing, err);

    for (size_t i = 0; !rc && i < listing.prefix_count; i++) {
        const char *sub = listing.prefixes[i];
        size_t n = strlen(folder);
        if (strcmp(sub + n, "metadata/") == 0 && n > strip && is_table(io, bucket, folder)) {
            if (out->count >= TABLES_MAX)
                return err_set(err, RC_FULL, "more than %d tables below '%s'", TABLES_MAX, bucket);
            out->names = mem_grow(out->names, out->count + 1, sizeof *out->names);
            out->names[out->count++] = mem_strndup(folder + strip, n - strip - 1);
            return RC_OK; /* tables do not lie inside tables */
        }
    }
    for (size_t i = 0; !rc && i < listing.prefix_count && depth < FOLDERS_DEPTH_MAX; i++)
        rc = walk(io, bucket, listing.prefixes[i], strip, depth + 1, out, err);
    return rc;
}

enum rc iceberg_list_tables(const struct iceberg_io *io, const char *warehouse, char ***names, size_t *count,
                            struct err *err)
{
    CLEANUP_FREE char *bucket = NULL;
    CLEANUP_FREE char *key = NULL;
    struct names found = { 0 };

    *names = NULL;
    *count = 0;
    enum rc rc = iceberg_split_location(warehouse, &bucket, &key, err);
    if (rc)
        return rc;
    CLEANUP_FREE char *folder = mem_printf("%s%s", key, *key ? "/" : "");
    rc = walk(io, bucket, folder, strlen(folder), 0, &found, err);
    if (rc) {
        iceberg_names_free(found.names, found.count);
        return rc;
    }
    if (found.count)
        qsort(found.names, found.count, sizeof *found.names, by_name);
    *names = found.names;
    *count = found.count;
    return RC_OK;
}

void iceberg_names_free(char **names, size_t count)
{
    for (size_t i = 0; i < count; i++)
        free(names[i]);
    free(names);
}
