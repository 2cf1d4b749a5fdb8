/* What a record of ours says about its place, read from its bytes; for replay_load.c and its tests. */
#ifndef STREAM_CONNECT_POSTGRES_TAIL_H
#define STREAM_CONNECT_POSTGRES_TAIL_H

#include "stream/connect/data/converter.h"
#include "stream/connect/postgres/offset.h"
#include "wire/avro/avro.h"

struct tail_record {
    char kind; /* enum replay_kind, or 'r' */
    bool has_lsn, has_commit, has_tx;
    uint64_t lsn, commit; /* source.lsn, sequence[0] */
    int64_t tx;
};

/* Avro schemas met so far, parsed. */
struct tail_schemas {
    struct map documents; /* decimal id -> struct avro_document */
};
void tail_schemas_free(struct tail_schemas *schemas);

/* An envelope, or a record of the transaction topic.  False: it is neither. */
bool tail_read_avro(struct tail_schemas *schemas, const struct converter_data *data, struct tail_record *out);
bool tail_read_json(const json_t *payload, struct tail_record *out);
/* Whether a record lies at or after a stored position, so that its change will come again. */
bool tail_is_after(const struct tail_record *record, const struct position *position);

#endif
