/* An object store in memory; see memory_io.h. */
#include "memory_io.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct str path_of(struct buf *out, const char *bucket, const char *key)
{
    buf_printf(out, "%s/%s", bucket, key);
    return buf_str(out);
}

static void free_object(void *p)
{
    buf_free(p);
    free(p);
}

static void store_bytes(struct memory_store *store, struct str path, struct str body)
{
    struct buf *object = NEW(struct buf), *old;

    buf_put_str(object, body);
    buf_puts(object, "");
    old = map_put(&store->objects, path, object);
    if (old)
        free_object(old);
}

static enum rc get(void *user, const char *bucket, const char *key, struct buf *out, struct err *err)
{
    struct memory_store *store = user;
    CLEANUP(buf_free) struct buf path = { 0 };
    const struct buf *object = map_get(&store->objects, path_of(&path, bucket, key));

    if (!object)
        return err_set(err, RC_NOT_FOUND, "no '%s'", buf_cstr(&path));
    buf_put_str(out, buf_str(object));
    return RC_OK;
}

static enum rc put(void *user, const char *bucket, const char *key, struct str body, bool if_absent, struct err *err)
{
    struct memory_store *store = user;
    CLEANUP(buf_free) struct buf path = { 0 };
    enum rc rc = store->before_put ? store->before_put(store, key, err) : RC_OK;

    store->puts++;
    path_of(&path, bucket, key);
    if (rc)
        return rc;
    if (if_absent && map_get(&store->objects, buf_str(&path)))
        return err_set(err, RC_EXISTS, "'%s' exists", buf_cstr(&path));
    store_bytes(store, buf_str(&path), body);
    return RC_OK;
}

static enum rc remove_object(void *user, const char *bucket, const char *key, struct err *err)
{
    struct memory_store *store = user;
    CLEANUP(buf_free) struct buf path = { 0 };
    struct buf *old = map_remove(&store->objects, path_of(&path, bucket, key));

    (void)err;
    if (old)
        free_object(old);
    return RC_OK;
}

static enum rc list(void *user, const char *bucket, const char *prefix, const char *delimiter, struct s3_listing *out,
                    struct err *err)
{
    struct memory_store *store = user;
    CLEANUP(buf_free) struct buf path = { 0 };
    size_t skip = strlen(bucket) + 1;

    (void)err;
    *out = (struct s3_listing){ 0 };
    path_of(&path, bucket, prefix);
    for (struct map_entry *e = NULL; (e = map_next(&store->objects, e));) {
        if (strncmp(e->key, buf_cstr(&path), path.len) != 0)
            continue;
        const char *slash = delimiter ? strchr(e->key + path.len, '/') : NULL;
        if (slash) {
            char *folder = mem_strndup(e->key + skip, (size_t)(slash - e->key) - skip + 1);
            bool known = false;
            for (size_t i = 0; i < out->prefix_count; i++)
                known = known || strcmp(out->prefixes[i], folder) == 0;
            if (known) {
                free(folder);
                continue;
            }
            out->prefixes = mem_grow(out->prefixes, out->prefix_count + 1, sizeof *out->prefixes);
            out->prefixes[out->prefix_count++] = folder;
            continue;
        }
        out->objects = mem_grow(out->objects, out->count + 1, sizeof *out->objects);
        out->objects[out->count++] =
            (struct s3_object){ .key = mem_strdup(e->key + skip), .size = ((struct buf *)e->value)->len };
    }
    return RC_OK;
}

void memory_io(struct iceberg_io *io, struct memory_store *store)
{
    *io = (struct iceberg_io){ .user = store, .get = get, .put = put, .remove = remove_object, .list = list };
}

void memory_store_free(struct memory_store *store)
{
    map_free(&store->objects, free_object);
}

void memory_put(struct memory_store *store, const char *path, const char *text)
{
    store_bytes(store, str_of(path), str_of(text));
}

const char *memory_text(const struct memory_store *store, const char *path)
{
    const struct buf *object = map_get(&store->objects, str_of(path));

    return object ? buf_cstr(object) : NULL;
}

size_t memory_count(const struct memory_store *store, const char *part)
{
    size_t n = 0;

    for (struct map_entry *e = NULL; (e = map_next(&store->objects, e));)
        n += strstr(e->key, part) != NULL;
    return n;
}
