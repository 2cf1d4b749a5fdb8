/* Source = log = raw = stage, table by table. Private to this folder. */
#ifndef FACE_CLI_VERIFY_H
#define FACE_CLI_VERIFY_H

#include "face/cli/command.h"

struct verify_row {
    char *table;             /* "orders" */
    int64_t source;          /* rows in PostgreSQL */
    int64_t log, raw, stage; /* rows left when the events there are folded: latest of each key, deletes applied */
    int64_t log_events, raw_events, stage_events; /* each event once, by (topic, partition, offset) */
    int64_t repeated;                             /* events in the log that say again what an earlier one said */
    int64_t doubled;                              /* rows of the table that tell an event which another row tells too */
    bool equal;
    char *note; /* why not, or what counts cannot tell; "" when there is nothing to say */
};

/* Rows that the five tables have now.  Free with verify_free. */
MUST_CHECK enum rc verify_run(const struct house *house, struct verify_row **rows, size_t *count, struct err *err);
void verify_free(struct verify_row *rows, size_t count);
void verify_print(const struct verify_row *rows, size_t count);

#endif
