/*
 * The messages of the output plugin pgoutput, protocol version 1 ("Logical Replication Message
 * Formats" in PostgreSQL's manual).  Integers are big-endian, names end with a zero byte:
 *
 *     B  int64 end of the transaction, int64 commit time, int32 xid
 *     C  byte flags, int64 commit, int64 end of the transaction, int64 commit time
 *     O  int64 position at the origin, name
 *     R  int32 id, schema, table, byte replica identity, int16 columns,
 *        each: byte flags (1: part of the key), name, int32 type, int32 typmod
 *     Y  int32 id, schema, name
 *     I  int32 relation, 'N' tuple
 *     U  int32 relation, ['K' tuple | 'O' tuple], 'N' tuple
 *     D  int32 relation, 'K' tuple | 'O' tuple
 *     T  int32 relations, byte options (1: cascade, 2: restart identity), int32 each
 *     M  byte flags (1: transactional), int64 position, prefix, int32 length, bytes
 *     tuple: int16 columns, each: 'n' | 'u' | ('t' | 'b') int32 length, bytes
 *
 * Everything in a message is a view into the bytes given, good until they go.
 */
#ifndef WIRE_PG_PGOUTPUT_H
#define WIRE_PG_PGOUTPUT_H

#include "wire/pg/lsn.h"

enum { PGOUTPUT_COLUMNS_MAX = 1664, PGOUTPUT_TRUNCATE_MAX = 1 << 20 };

enum pg_value_kind { PG_VALUE_NULL = 'n', PG_VALUE_UNCHANGED = 'u', PG_VALUE_TEXT = 't', PG_VALUE_BINARY = 'b' };

struct pg_value {
    enum pg_value_kind kind;
    struct str bytes; /* of text and binary */
};

struct pg_tuple {
    size_t count;
    const struct pg_value *values; /* NULL: the message has no such tuple */
};

struct pg_column {
    struct str name;
    uint32_t type_oid;
    int32_t typmod;
    bool in_key; /* part of the replica identity */
};

struct pg_relation {
    uint32_t id;
    struct str schema, table;
    char replica_identity; /* 'd', 'n', 'f', 'i' */
    size_t column_count;
    const struct pg_column *columns;
};

enum pgoutput_kind {
    PGOUTPUT_BEGIN = 'B',
    PGOUTPUT_COMMIT = 'C',
    PGOUTPUT_ORIGIN = 'O',
    PGOUTPUT_RELATION = 'R',
    PGOUTPUT_TYPE = 'Y',
    PGOUTPUT_INSERT = 'I',
    PGOUTPUT_UPDATE = 'U',
    PGOUTPUT_DELETE = 'D',
    PGOUTPUT_TRUNCATE = 'T',
    PGOUTPUT_MESSAGE = 'M',
};

struct pgoutput_message {
    enum pgoutput_kind kind;
    uint64_t lsn;         /* B, C: end of the transaction; O, M: its position */
    uint64_t commit_lsn;  /* C: start of the commit record */
    int64_t commit_us;    /* B, C: since 1970 */
    uint32_t xid;         /* B */
    uint32_t relation_id; /* I, U, D */
    struct pg_relation relation;
    struct pg_tuple old_tuple, new_tuple;
    bool old_is_key; /* U, D: the old tuple has the key's columns only, the others are null */
    size_t truncated_count;
    const uint32_t *truncated; /* T: relation ids */
    bool cascade, restart_identity, transactional;
    struct str prefix, content; /* M; O: prefix is the origin's name */
};

/* Memory that decoding reuses from message to message; { 0 } to begin. */
struct pgoutput_decoder {
    struct pg_value *old_values, *new_values;
    size_t old_cap, new_cap;
    struct pg_column *columns;
    size_t columns_cap;
    uint32_t *ids;
    size_t ids_cap;
};

/* RC_BAD_INPUT: not a message of version 1, cut short, or with bytes left over. */
MUST_CHECK enum rc pgoutput_decode(struct pgoutput_decoder *decoder, struct str bytes, struct pgoutput_message *out,
                                   struct err *err);
void pgoutput_decoder_free(struct pgoutput_decoder *decoder);

#endif
