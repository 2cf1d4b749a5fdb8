/* Opening the index and reading and writing its tables; see index.h. */
#include "lake/store/index.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "disk/disk.h"
#include "lake/store/index_private.h"

enum { FORMAT = 1 };

static const char *const table_names[INDEX_TABLES] = { "meta", "bucket", "object", "usage", "upload", "part", "blob" };
size_t index_map_first = INDEX_MAP_FIRST;

void be32_write(uint8_t out[static 4], uint32_t v)
{
    for (int i = 0; i < 4; i++)
        out[i] = (uint8_t)(v >> (24 - 8 * i));
}

void be64_write(uint8_t out[static 8], uint64_t v)
{
    for (int i = 0; i < 8; i++)
        out[i] = (uint8_t)(v >> (56 - 8 * i));
}

uint32_t be32_read(const void *p)
{
    const uint8_t *b = p;

    return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

uint64_t be64_read(const void *p)
{
    return (uint64_t)be32_read(p) << 32 | be32_read((const char *)p + 4);
}

/* ----------------------------------------------------------------- open */

static int open_tables(struct index *index)
{
    MDB_txn *txn = NULL;
    int failed = mdb_txn_begin(index->env, NULL, 0, &txn);

    for (int i = 0; i < INDEX_TABLES && !failed; i++)
        failed = mdb_dbi_open(txn, table_names[i], MDB_CREATE, &index->tables[i]);
    if (failed) {
        if (txn)
            mdb_txn_abort(txn);
        return failed;
    }
    if (FAULT_POINT("store.index_open")) {
        int saved_errno = errno;
        mdb_txn_abort(txn);
        return saved_errno;
    }
    return mdb_txn_commit(txn);
}

enum rc index_env_open(struct index *index, struct err *err)
{
    int failed = mdb_env_create(&index->env);

    if (!failed)
        failed = mdb_env_set_maxdbs(index->env, INDEX_TABLES);
    if (!failed)
        failed = mdb_env_set_maxreaders(index->env, INDEX_READERS_MAX);
    if (!failed)
        failed = mdb_env_set_mapsize(index->env, index->map_size);
    /* no read-ahead: lookups are random.  No TLS: a reader's slot belongs to its transaction. */
    if (!failed)
        failed = mdb_env_open(index->env, index->path, MDB_NOTLS | MDB_NORDAHEAD, 0600);
    if (!failed)
        failed = open_tables(index);
    if (!failed)
        return RC_OK;
    index_env_close(index);
    return err_set(err, failed == ENOSPC ? RC_FULL : RC_FATAL, "cannot open index '%s': %s", index->path,
                   mdb_strerror(failed));
}

void index_env_close(struct index *index)
{
    if (index->env)
        mdb_env_close(index->env);
    index->env = NULL;
}

/* LMDB writes its first pages long before it flushes them; a file that lost them with the power it does not take.  So
 * an index has its name only once it is whole. */
static enum rc make_index(struct index *index, const char *dir, struct err *err)
{
    CLEANUP_FREE char *fresh = mem_printf("%s.new", index->path);
    char *path = index->path;
    enum rc rc = disk_remove_tree(fresh, err);

    if (!rc)
        rc = disk_make_dirs(fresh, 0700, err);
    index->path = fresh;
    if (!rc)
        rc = index_env_open(index, err);
    index_env_close(index);
    index->path = path;
    if (!rc) /* LMDB flushes bytes, not names */
        rc = disk_flush_dir(fresh, err);
    if (!rc)
        rc = disk_rename(fresh, path, err);
    return rc ? rc : disk_flush_dir(dir, err);
}

struct opening {
    uint32_t run, format;
};

static enum s3_error count_run(struct index_txn *txn, void *user)
{
    struct opening *opening = user;
    struct str value = { 0 };
    uint8_t bytes[4];

    *opening = (struct opening){ .format = FORMAT };
    if (index_get(txn, INDEX_META, STR("format"), &value) && value.len == 4)
        opening->format = be32_read(value.p);
    if (opening->format != FORMAT)
        return S3_NONE;
    if (index_get(txn, INDEX_META, STR("run"), &value) && value.len == 4)
        opening->run = be32_read(value.p);
    be32_write(bytes, FORMAT);
    index_put(txn, INDEX_META, STR("format"), str_n((char *)bytes, 4));
    be32_write(bytes, ++opening->run);
    index_put(txn, INDEX_META, STR("run"), str_n((char *)bytes, 4));
    return S3_NONE;
}

static enum rc begin_run(struct index *index, const char *dir, struct err *err)
{
    struct opening opening = { 0 };
    enum s3_error failed = index_write(index, count_run, &opening);

    if (failed)
        return err_set(err, failed == S3_STORAGE_FULL ? RC_FULL : RC_FATAL, "cannot write to index '%s'%s", index->path,
                       failed == S3_STORAGE_FULL ? ": no space left on device; free some space" : "");
    if (opening.format != FORMAT)
        return err_set(err, RC_FATAL, "cannot use '%s': its format is %u and ours %d; use the newer haus", dir,
                       opening.format, FORMAT);
    return blobs_open(dir, opening.run, &index->blobs, err);
}

/* The map must at least hold what the file has. */
static size_t map_size_for(const char *path)
{
    size_t size = index_map_first;
    uint64_t used = disk_tree_size(path);

    while (size < used + (used >> 2) && size < INDEX_MAP_MAX)
        size *= 2;
    return size;
}

enum rc index_open(const char *dir, struct index **out, struct err *err)
{
    struct index *index = NEW(struct index);

    index->path = mem_printf("%s/index", dir);
    pthread_rwlock_init(&index->map_lock, NULL);
    pthread_mutex_init(&index->lock, NULL);
    pthread_cond_init(&index->work, NULL);
    index->map_size = map_size_for(index->path);
    enum rc rc = disk_exists(index->path) ? RC_OK : make_index(index, dir, err);
    if (!rc)
        rc = index_env_open(index, err);
    if (!rc && pthread_create(&index->writer, NULL, index_writer_main, index))
        rc = err_set(err, RC_FATAL, "cannot start the index's writer thread");
    index->writer_runs = !rc;
    if (!rc)
        rc = begin_run(index, dir, err);
    if (rc) {
        index_close(index);
        return rc;
    }
    *out = index;
    return RC_OK;
}

void index_close(struct index *index)
{
    if (!index)
        return;
    pthread_mutex_lock(&index->lock);
    index->stop = true;
    pthread_cond_signal(&index->work);
    pthread_mutex_unlock(&index->lock);
    if (index->writer_runs)
        pthread_join(index->writer, NULL);
    index_env_close(index);
    blobs_close(index->blobs);
    pthread_cond_destroy(&index->work);
    pthread_mutex_destroy(&index->lock);
    pthread_rwlock_destroy(&index->map_lock);
    free(index->path);
    free(index);
}

struct blobs *index_blobs(struct index *index)
{
    return index->blobs;
}

/* ----------------------------------------------------------------- read */

struct index_txn *index_read_begin(struct index *index)
{
    struct index_txn *txn = NEW(struct index_txn);

    txn->index = index;
    txn->is_read = true;
    pthread_rwlock_rdlock(&index->map_lock);
    int failed = index->env ? mdb_txn_begin(index->env, NULL, MDB_RDONLY, &txn->txn) : MDB_PANIC;
    if (!failed)
        return txn;
    pthread_rwlock_unlock(&index->map_lock);
    free(txn);
    log_error("cannot read the index", "cause=%s", mdb_strerror(failed));
    return NULL;
}

void index_read_end(struct index_txn **txn)
{
    if (!*txn)
        return;
    mdb_txn_abort((*txn)->txn);
    pthread_rwlock_unlock(&(*txn)->index->map_lock);
    free(*txn);
    *txn = NULL;
}

bool index_failed(const struct index_txn *txn)
{
    return txn->failed != 0;
}

void index_fail(struct index_txn *txn, const char *cause)
{
    if (!txn->failed)
        log_error("the index is damaged", "cause=%s", cause);
    txn->failed = txn->failed ? txn->failed : EIO;
}

static MDB_val val_of(struct str s)
{
    return (MDB_val){ s.len, (void *)(uintptr_t)s.p };
}

/* True: found.  Anything else than "not found" sticks. */
static bool check(struct index_txn *txn, int result)
{
    if (result && result != MDB_NOTFOUND)
        txn->failed = result;
    return !result;
}

bool index_get(struct index_txn *txn, enum index_table table, struct str key, struct str *value)
{
    MDB_val k = val_of(key), v = { 0 };

    if (txn->failed || !check(txn, mdb_get(txn->txn, txn->index->tables[table], &k, &v)))
        return false;
    *value = str_n(v.mv_data, v.mv_size);
    return true;
}

void index_put(struct index_txn *txn, enum index_table table, struct str key, struct str value)
{
    MDB_val k = val_of(key), v = val_of(value);

    if (!txn->failed)
        check(txn, mdb_put(txn->txn, txn->index->tables[table], &k, &v, 0));
}

bool index_delete(struct index_txn *txn, enum index_table table, struct str key)
{
    MDB_val k = val_of(key);

    return !txn->failed && check(txn, mdb_del(txn->txn, txn->index->tables[table], &k, NULL));
}

bool index_seek(struct index_txn *txn, enum index_table table, struct str key, struct str *found, struct str *value)
{
    MDB_val k = val_of(key), v = { 0 };
    MDB_cursor *cursor = NULL;

    if (txn->failed)
        return false;
    int result = mdb_cursor_open(txn->txn, txn->index->tables[table], &cursor);
    if (!result)
        result = mdb_cursor_get(cursor, &k, &v, key.len ? MDB_SET_RANGE : MDB_FIRST);
    if (cursor)
        mdb_cursor_close(cursor);
    if (!check(txn, result))
        return false;
    *found = str_n(k.mv_data, k.mv_size);
    *value = str_n(v.mv_data, v.mv_size);
    return true;
}

uint64_t index_new_node(struct index_txn *txn)
{
    struct str value = { 0 };
    uint64_t node = 1;
    uint8_t bytes[8];

    if (index_get(txn, INDEX_META, STR("node"), &value) && value.len == 8)
        node = be64_read(value.p) + 1;
    be64_write(bytes, node);
    index_put(txn, INDEX_META, STR("node"), str_n((char *)bytes, 8));
    return node;
}

/* ---------------------------------------------------------------- blobs */

enum { BLOB_HEAD = 13 };

void number_list_add(struct number_list *list, uint64_t number)
{
    if (list->count == list->cap) {
        list->cap = list->cap ? list->cap * 2 : 16;
        list->numbers = mem_grow(list->numbers, list->cap, sizeof *list->numbers);
    }
    list->numbers[list->count++] = number;
}

static void blob_put(struct index_txn *txn, uint64_t number, uint32_t references, uint64_t size, bool is_inline,
                     struct str bytes)
{
    CLEANUP(buf_free) struct buf value = { 0 };
    uint8_t key[8];

    be64_write(key, number);
    buf_put_be32(&value, references);
    buf_put_be64(&value, size);
    buf_putc(&value, is_inline ? 1 : 0);
    buf_put_str(&value, bytes);
    index_put(txn, INDEX_BLOB, str_n((char *)key, 8), buf_str(&value));
}

static bool blob_get(struct index_txn *txn, uint64_t number, struct str *value)
{
    uint8_t key[8];

    be64_write(key, number);
    if (!index_get(txn, INDEX_BLOB, str_n((char *)key, 8), value))
        return false;
    if (value->len >= BLOB_HEAD)
        return true;
    index_fail(txn, "a blob's record is too short");
    return false;
}

void index_blob_add(struct index_txn *txn, const struct blob_writer *writer)
{
    bool is_inline = blob_is_inline(writer);

    blob_put(txn, writer->number, 1, writer->size, is_inline, is_inline ? buf_str(&writer->bytes) : STR(""));
    if (!is_inline)
        number_list_add(&txn->added, writer->number);
}

static void blob_count(struct index_txn *txn, uint64_t number, int change)
{
    struct str value = { 0 };

    if (!blob_get(txn, number, &value)) {
        index_fail(txn, "an object names a blob that is not there");
        return;
    }
    uint32_t references = be32_read(value.p) + (uint32_t)change;
    bool is_inline = value.p[12];
    if (references) {
        CLEANUP_FREE char *bytes = mem_strndup(value.p + BLOB_HEAD, value.len - BLOB_HEAD);
        blob_put(txn, number, references, be64_read(value.p + 4), is_inline, str_n(bytes, value.len - BLOB_HEAD));
        return;
    }
    uint8_t key[8];
    be64_write(key, number);
    index_delete(txn, INDEX_BLOB, str_n((char *)key, 8));
    if (!is_inline)
        number_list_add(&txn->dropped, number);
}

void index_blob_share(struct index_txn *txn, uint64_t number)
{
    blob_count(txn, number, 1);
}

void index_blob_drop(struct index_txn *txn, uint64_t number)
{
    blob_count(txn, number, -1);
}

bool index_blob_bytes(struct index_txn *txn, uint64_t number, struct str *bytes)
{
    struct str value = { 0 };

    if (!blob_get(txn, number, &value)) {
        index_fail(txn, "an object names a blob that is not there");
        return false;
    }
    *bytes = str_skip(value, BLOB_HEAD);
    return value.p[12];
}
