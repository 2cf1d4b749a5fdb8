/*
 * The index: LMDB tables, one writer, group commit.  Private to lake/store.
 *
 *     meta    "format" -> u32 1; "run" -> u32, starts so far; "node" -> u64, last node number given
 *     bucket  name -> bucket record (bucket.h)
 *     object  node (u64) + segment of a key -> object record (record.h), or u64 node below
 *     usage   bucket's node (u64) -> u64 objects, u64 bytes
 *     upload  bucket's node (u64) + upload id (16 bytes) -> upload record
 *     part    upload id (16 bytes) + part number (u16) -> object record with one part
 *     blob    number (u64) -> u32 references, u64 size, u8 1 and the bytes, or u8 0 for a file
 *
 * Numbers are big-endian.  LMDB's keys end at 511 bytes and S3's at 1024, so the object table is a tree
 * of segments: a key shorter than INDEX_SEGMENT is one entry under its bucket's node; a longer one leads
 * through its first INDEX_SEGMENT bytes to a node of its own, under which the rest of the key follows.
 * A walk in order of segments is a walk in order of whole keys.
 *
 * Writes are functions that a single thread runs, as many as are waiting in one transaction with one
 * flush.  Each must be able to run again from its beginning: the transaction may have to be repeated in
 * a larger map.  After index_write() has returned, what it did survives a power cut.
 */
#ifndef LAKE_STORE_INDEX_H
#define LAKE_STORE_INDEX_H

#include "lake/store/blob.h"
#include "lake/store/error.h"

enum { INDEX_SEGMENT = 480, INDEX_READERS_MAX = 2048, INDEX_BATCH_MAX = 256 };
#define INDEX_MAP_FIRST ((size_t)1 << 30)
#define INDEX_MAP_MAX   ((size_t)1 << 40)

enum index_table {
    INDEX_META,
    INDEX_BUCKET,
    INDEX_OBJECT,
    INDEX_USAGE,
    INDEX_UPLOAD,
    INDEX_PART,
    INDEX_BLOB,
    INDEX_TABLES
};

struct index;
/* dir must exist.  Opens the blobs too, as the next run. */
MUST_CHECK enum rc index_open(const char *dir, struct index **out, struct err *err);
void index_close(struct index *index);
struct blobs *index_blobs(struct index *index);

/* A transaction; its first failure sticks, and reads and writes after it do nothing. */
struct index_txn;

/* Reading: a stable view.  NULL when LMDB refuses (logged).  Short: no I/O to clients inside. */
struct index_txn *index_read_begin(struct index *index);
void index_read_end(struct index_txn **txn); /* for CLEANUP; NULL is fine */

/* Runs apply in the writer thread.  Anything but S3_NONE from apply must come before its first write. */
enum s3_error index_write(struct index *index, enum s3_error (*apply)(struct index_txn *txn, void *user), void *user);

/* Values are views, valid until the next write or the end of the transaction. */
bool index_get(struct index_txn *txn, enum index_table table, struct str key, struct str *value);
void index_put(struct index_txn *txn, enum index_table table, struct str key, struct str value);
bool index_delete(struct index_txn *txn, enum index_table table, struct str key);
/* The first entry at or after key. */
bool index_seek(struct index_txn *txn, enum index_table table, struct str key, struct str *found, struct str *value);
bool index_failed(const struct index_txn *txn);
void index_fail(struct index_txn *txn, const char *cause); /* a broken record */
uint64_t index_new_node(struct index_txn *txn);

/* Blobs: references are counted, because a copy shares its source's bytes. */
void index_blob_add(struct index_txn *txn, const struct blob_writer *writer);
void index_blob_share(struct index_txn *txn, uint64_t number);
void index_blob_drop(struct index_txn *txn, uint64_t number); /* its file goes after the commit, with the last one */
/* False: it lies in a file. */
bool index_blob_bytes(struct index_txn *txn, uint64_t number, struct str *bytes);

/* Keys of one bucket (its node), up to 1024 bytes, in order. */
bool tree_get(struct index_txn *txn, uint64_t node, struct str key, struct str *record);
void tree_put(struct index_txn *txn, uint64_t node, struct str key, struct str record);
bool tree_delete(struct index_txn *txn, uint64_t node, struct str key);
/* The first key at or after `from`; replaces the content of `key`, which may be what `from` views. */
bool tree_seek(struct index_txn *txn, uint64_t node, struct str from, struct buf *key, struct str *record);
bool tree_is_empty(struct index_txn *txn, uint64_t node);

void be32_write(uint8_t out[static 4], uint32_t v);
void be64_write(uint8_t out[static 8], uint64_t v);
uint32_t be32_read(const void *p);
uint64_t be64_read(const void *p);

/* For tests: the size of the first map. */
extern size_t index_map_first;

#endif
