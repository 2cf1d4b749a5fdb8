/*
 * Where the connector is in the server's log, and Debezium's form of it in the offsets topic: one
 * JSON object per {"server": prefix}, numbers decimal, times in microseconds.
 *
 *     snapshot   {"snapshot":true,"last_snapshot_record":false,"lsn":…,"txId":…,"ts_usec":…}
 *     streaming {"transaction_id":null,"lsn_proc":…,"messageType":"INSERT","lsn_commit":…,"lsn":…,"txId":…,"ts_usec":…}
 *
 * lsn is the message at hand, lsn_proc the last one completely sent, lsn_commit the end of the last
 * transaction (absent until one was seen).  With transaction metadata transaction_id is set and
 * transaction_data_collection_order_<schema.table> counts.
 */
#ifndef STREAM_CONNECT_POSTGRES_OFFSET_H
#define STREAM_CONNECT_POSTGRES_OFFSET_H

#include "base/base.h"
#include "wire/pg/pg.h"

struct position {
    bool snapshot, last_snapshot_record;
    bool has_lsn, has_lsn_proc, has_lsn_commit, has_tx, has_ts;
    uint64_t lsn, lsn_proc, lsn_commit;
    int64_t tx_id, ts_usec;
    enum pgoutput_kind message; /* 0: none */
};

struct transaction_state;
/* transaction may be NULL; its counts are added when it is in use. */
void position_print(const struct position *position, const struct transaction_state *transaction, struct buf *out);
/* Reads what position_print or Debezium wrote; unknown members are ignored.  RC_BAD_INPUT: not such an object. */
MUST_CHECK enum rc position_parse(struct str json, struct position *out, struct err *err);
/* Up to where everything was sent: what may be confirmed to the server once this offset is committed. */
uint64_t position_confirmable(const struct position *position);

/* What a start has to leave out because the offset says it was sent. */
struct resume {
    bool active;
    bool has_lsn_commit;
    uint64_t lsn_commit; /* transactions that end at or before it were sent whole */
    uint32_t xid;        /* of the transaction within which we stopped */
    bool inside;
    bool whole; /* `upto` itself was sent */
    uint64_t upto;
};

/*
 * `alone`: nothing is read back from the topics, so the offset alone decides, as in Debezium.  Else the
 * change at the offset itself comes again and its records are told from what the topics hold: several
 * rows may share one LSN, and not all of them need to have been sent.
 */
struct resume resume_of(const struct position *position, bool alone);
enum resume_answer { RESUME_SEND, RESUME_SKIP_TRANSACTION, RESUME_SKIP_PART };
/* At a BEGIN: final_lsn is where its commit stands. */
enum resume_answer resume_begin(struct resume *resume, uint32_t xid, uint64_t final_lsn);
/* In a RESUME_SKIP_PART transaction: was this change sent? */
bool resume_was_sent(const struct resume *resume, uint64_t lsn);

#endif
