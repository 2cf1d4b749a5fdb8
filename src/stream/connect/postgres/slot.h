/* The replication slot: what state it is in, making it together with a snapshot, dropping it. */
#ifndef STREAM_CONNECT_POSTGRES_SLOT_H
#define STREAM_CONNECT_POSTGRES_SLOT_H

#include "stream/connect/postgres/session.h"
#include "wire/pg/pg.h"

enum { SNAPSHOT_NAME_MAX = 64 };

struct slot_state {
    bool exists;
    bool active;
    int active_pid;
    bool has_confirmed;
    uint64_t confirmed_lsn;
};

/* A snapshot that shows the database exactly as it was at lsn; good while the replication session that
 * made it does nothing else. */
struct slot_snapshot {
    uint64_t lsn;
    uint64_t stream_from; /* 0: lsn */
    char name[SNAPSHOT_NAME_MAX];
};

/* wal_level, and the right to replicate as far as it can be told before trying. */
MUST_CHECK enum rc slot_check_server(struct task_context *ctx, PGconn *conn, struct err *err);
/* RC_BAD_INPUT: it is another's (plugin, database, physical), or its log is lost. */
MUST_CHECK enum rc slot_look(struct task_context *ctx, PGconn *conn, const struct postgres_settings *settings,
                             struct slot_state *out, struct err *err);
/* While a dead predecessor's walsender still holds it.  RC_RETRY: it is still in use after a while. */
MUST_CHECK enum rc slot_wait_free(struct task_context *ctx, PGconn *conn, const struct postgres_settings *settings,
                                  struct slot_state *state, struct err *err);
/* On a replication session.  `temporary`: another slot, gone with the session, only for its snapshot. */
MUST_CHECK enum rc slot_create(struct task_context *ctx, PGconn *replication, const struct postgres_settings *settings,
                               bool temporary, struct slot_snapshot *out, struct err *err);
MUST_CHECK enum rc slot_drop(struct task_context *ctx, PGconn *conn, const struct postgres_settings *settings,
                             struct err *err);

#endif
