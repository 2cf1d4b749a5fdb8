/* Finds raw files, copies them here, counts their events; see raw.h. */
#include "lake/build/raw.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "disk/disk.h"

/* ------------------------------------------------------------- names */

/* "<topic>+<partition>+<offset>.avro" */
static bool split_name(struct str name, struct str *topic, int64_t *partition, int64_t *first)
{
    size_t plus[2] = { 0 }, found = 0;

    name.len -= strlen(".avro");
    for (size_t i = name.len; i-- > 0 && found < 2;)
        if (name.p[i] == '+')
            plus[found++] = i;
    if (found < 2 || !plus[1])
        return false;
    *topic = str_n(name.p, plus[1]);
    return str_to_i64(str_n(name.p + plus[1] + 1, plus[0] - plus[1] - 1), 0, INT32_MAX, partition) &&
           str_to_i64(str_skip(name, plus[0] + 1), 0, INT64_MAX / 2, first);
}

bool raw_name_parse(const char *folder, const char *key, struct raw_file *out)
{
    size_t n = strlen(folder);
    const char *slash = strrchr(key, '/');
    struct str name = str_of(slash ? slash + 1 : key), topic;
    int64_t partition = 0, first = 0;
    char usual[32];

    if (strncmp(folder, key, n) != 0 || !str_ends(name, ".avro") || !split_name(name, &topic, &partition, &first))
        return false;
    *out = (struct raw_file){
        .key = mem_strdup(key), .topic = str_dup(topic), .partition = (int)partition, .first = first, .count = -1
    };
    struct str dir = slash && slash > key + n ? str_n(key + n, (size_t)(slash - key) - n) : (struct str){ "", 0 };
    snprintf(usual, sizeof usual, "partition=%d", out->partition);
    if (!dir.len || str_is(dir, usual))
        out->space = mem_strdup(out->topic);
    else
        out->space = mem_printf("%.*s/%s", STR_ARG(dir), out->topic);
    return true;
}

static void free_file(struct raw_file *f)
{
    free(f->key);
    free(f->space);
    free(f->topic);
    free(f->path);
    free(f->schema);
    offset_ranges_free(&f->keep);
}

void raw_files_free(struct raw_files *files)
{
    for (size_t i = 0; i < files->count; i++)
        free_file(&files->files[i]);
    free(files->files);
    free(files->bucket);
    *files = (struct raw_files){ 0 };
}

static int by_place(const void *a, const void *b)
{
    const struct raw_file *x = a, *y = b;
    int order = strcmp(x->space, y->space);

    if (!order)
        order = (x->partition > y->partition) - (x->partition < y->partition);
    if (!order)
        order = (x->first > y->first) - (x->first < y->first);
    return order ? order : strcmp(x->key, y->key);
}

enum rc raw_list(const struct iceberg_io *io, const char *source_path, struct raw_files *out, struct err *err)
{
    CLEANUP(s3_listing_free) struct s3_listing listing = { 0 };
    CLEANUP_FREE char *key = NULL;

    *out = (struct raw_files){ 0 };
    enum rc rc = iceberg_split_location(source_path, &out->bucket, &key, err);
    CLEANUP_FREE char *folder = mem_printf("%s%s", key ? key : "", key && *key ? "/" : "");
    if (!rc)
        rc = io->list(io->user, out->bucket, folder, NULL, &listing, err);
    if (!rc && listing.count > RAW_FILES_MAX)
        rc = err_set(err, RC_FULL, "'%s' holds more than %d files", source_path, RAW_FILES_MAX);
    if (!rc)
        out->files = NEW_ARRAY(struct raw_file, listing.count + 1);
    for (size_t i = 0; i < listing.count && !rc; i++) {
        const struct s3_object *object = &listing.objects[i];
        struct str name = str_of(object->key);
        if (!str_ends(name, ".avro") || str_ends(name, ".keys.avro") || str_ends(name, ".headers.avro"))
            continue;
        if (!raw_name_parse(folder, object->key, &out->files[out->count])) {
            rc = err_set(
                err, RC_BAD_INPUT,
                "cannot tell the offsets of raw file '%s/%s': its name is not <topic>+<partition>+<offset>.avro; "
                "move it elsewhere",
                out->bucket, object->key);
            break;
        }
        out->files[out->count].size = object->size;
        memcpy(out->files[out->count].etag, object->etag, sizeof object->etag);
        out->count++;
    }
    if (out->count)
        qsort(out->files, out->count, sizeof *out->files, by_place);
    if (rc)
        raw_files_free(out);
    return rc;
}

/* ------------------------------------------------------------- copies */

struct fetch {
    struct lake *lake;
    struct raw_files *files;
    const size_t *wanted;
    void (*done)(void *user, size_t so_far);
    void *user;
    size_t so_far;
    pthread_mutex_t lock;
};

static void unmap(struct str *s)
{
    if (s->len)
        munmap((void *)s->p, s->len);
}

static enum rc map_file(int fd, const char *name, struct str *out, struct err *err)
{
    struct stat st;

    *out = (struct str){ "", 0 };
    if (fstat(fd, &st) < 0)
        return err_set_errno(err, errno, "cannot look at '%s'", name);
    if (!st.st_size)
        return RC_OK;
    void *p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (p == MAP_FAILED)
        return err_set_errno(err, errno, "cannot map '%s'", name);
    *out = str_n(p, (size_t)st.st_size);
    return RC_OK;
}

static enum rc count_events(struct raw_file *f, const char *name, struct str bytes, struct err *err)
{
    struct avro_file_reader *reader = NULL;
    struct avro_block block;
    int64_t count = 0;
    enum rc rc = avro_file_open(bytes, name, &reader, err);

    if (rc)
        return rc;
    while (!(rc = avro_file_next(reader, &block, err)))
        count += (int64_t)block.objects;
    if (rc == RC_AGAIN) {
        rc = RC_OK;
        f->count = count;
        free(f->schema);
        f->schema = str_dup(avro_file_metadata(reader, "avro.schema"));
    }
    avro_file_reader_free(reader);
    return rc;
}

static enum rc fetch_one(void *user, const struct iceberg_io *io, size_t i, struct err *err)
{
    struct fetch *fetch = user;
    size_t index = fetch->wanted[i];
    struct raw_file *f = &fetch->files->files[index];
    CLEANUP(disk_close) int fd = -1;
    CLEANUP(unmap) struct str bytes = { 0 };
    CLEANUP_FREE char *name = mem_printf("%s/%s", fetch->files->bucket, f->key);

    if (f->size > RAW_FILE_BYTES_MAX)
        return err_set(err, RC_FULL, "raw file '%s' has %llu bytes, the limit is %d", name, (unsigned long long)f->size,
                       RAW_FILE_BYTES_MAX);
    f->path = mem_printf("%s/raw-%zu.avro", fetch->lake->scratch, index);
    enum rc rc = disk_open(f->path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644, &fd, err);
    if (!rc)
        rc = io->get_file(io->user, fetch->files->bucket, f->key, fd, err);
    if (!rc)
        rc = map_file(fd, f->path, &bytes, err);
    if (!rc) {
        rc = count_events(f, name, bytes, err);
        if (rc == RC_BAD_INPUT)
            err_wrap(err, "raw file");
    }
    if (rc)
        return rc;
    pthread_mutex_lock(&fetch->lock);
    fetch->so_far++;
    if (fetch->done)
        fetch->done(fetch->user, fetch->so_far);
    pthread_mutex_unlock(&fetch->lock);
    return RC_OK;
}

enum rc raw_fetch(struct lake *lake, struct raw_files *files, const bool *want, void (*done)(void *user, size_t so_far),
                  void *user, struct err *err)
{
    CLEANUP_FREE size_t *wanted = NEW_ARRAY(size_t, files->count + 1);
    size_t count = 0;

    for (size_t i = 0; i < files->count; i++)
        if (want[i])
            wanted[count++] = i;
    struct fetch fetch = {
        .lake = lake, .files = files, .wanted = wanted, .done = done, .user = user, .lock = PTHREAD_MUTEX_INITIALIZER
    };
    enum rc rc = lake_parallel(lake, count, fetch_one, &fetch, err);
    pthread_mutex_destroy(&fetch.lock);
    return rc;
}
