/*
 * What the topics already hold beyond the stored offset, so that a start sends nothing twice.
 *
 * Offsets are stored every so often; a kill in between leaves records in the log that the stored offset
 * does not know of.  On start the tail of each of our topics is read back, and every change there that
 * lies at or after the stored position is counted by (topic, lsn, kind).  While streaming, a record whose
 * count is not used up yet is not sent.  Several records may share one LSN: a multi-row change of one
 * WAL record, or the delete, tombstone and create of a key change.
 */
#ifndef STREAM_CONNECT_POSTGRES_REPLAY_H
#define STREAM_CONNECT_POSTGRES_REPLAY_H

#include "stream/connect/data/converter.h"
#include "stream/connect/plugin.h"
#include "stream/connect/postgres/offset.h"

enum { REPLAY_RECORDS_MAX = 8 << 20 };

/* What kind of record, as far as it must be told apart within one LSN and topic. */
enum replay_kind {
    REPLAY_CREATE = 'c',
    REPLAY_UPDATE = 'u',
    REPLAY_DELETE = 'd',
    REPLAY_TRUNCATE = 't',
    REPLAY_TOMBSTONE = '0',
    REPLAY_BEGIN = 'B',
    REPLAY_END = 'E',
};

struct replay_entry {
    uint64_t hash; /* of topic, lsn, kind; 0: free */
    uint32_t count;
};

struct replay {
    bool loaded; /* the topics were read back: what is not counted here is not there */
    size_t left; /* records still to be left out */
    struct replay_entry *entries;
    size_t cap, used;
};

/* Counts one record that is there.  RC_FULL beyond REPLAY_RECORDS_MAX. */
MUST_CHECK enum rc replay_add(struct replay *replay, struct str topic, uint64_t lsn, enum replay_kind kind,
                              struct err *err);
/* Adds all counts of another. */
MUST_CHECK enum rc replay_merge(struct replay *to, const struct replay *from, struct err *err);
/* True when such a record is there and was not taken yet: it must not be sent again. */
bool replay_take(struct replay *replay, struct str topic, uint64_t lsn, enum replay_kind kind);
struct replay_source {
    struct task_context *ctx;
    const char *prefix;          /* topics "<prefix>.*" are read */
    struct converter *converter; /* of values */
    const struct position *position;
};
/* Reads the tails of the topics and counts; `loaded` stays false, without an error, when values are in a form
 * that does not show its position (String, ByteArray).  RC_RETRY: the log is away.  RC_AGAIN: told to stop. */
MUST_CHECK enum rc replay_load(struct replay *replay, const struct replay_source *source, struct err *err);
void replay_free(struct replay *replay);

#endif
