/* What the index*.c files share. */
#ifndef LAKE_STORE_INDEX_PRIVATE_H
#define LAKE_STORE_INDEX_PRIVATE_H

#include <lmdb.h>
#include <pthread.h>

#include "lake/store/index.h"

struct index_write_wait; /* one waiting index_write() */

struct index {
    char *path;
    struct blobs *blobs;
    MDB_env *env;
    MDB_dbi tables[INDEX_TABLES];
    size_t map_size;
    pthread_rwlock_t map_lock; /* readers hold it shared; the map grows under it exclusively */
    pthread_t writer;
    bool writer_runs;
    pthread_mutex_t lock; /* the queue and stop */
    pthread_cond_t work;
    struct index_write_wait *first, *last;
    bool stop;
};

struct number_list {
    uint64_t *numbers;
    size_t count, cap;
};

struct index_txn {
    struct index *index;
    MDB_txn *txn;
    bool is_read;
    int failed;                        /* LMDB's code, or EIO for a broken record */
    struct number_list added, dropped; /* blob files, of a write */
};

void number_list_add(struct number_list *list, uint64_t number);
MUST_CHECK enum rc index_env_open(struct index *index, struct err *err);
void index_env_close(struct index *index);
void *index_writer_main(void *user);

#endif
