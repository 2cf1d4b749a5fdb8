/* What the console shows, asked from the stations. Private to this folder. */
#ifndef FACE_CONSOLE_OVERVIEW_H
#define FACE_CONSOLE_OVERVIEW_H

#include <jansson.h>
#include <pthread.h>

#include "face/stream/stream.h"
#include "supervise/supervise.h"

enum { OVERVIEW_SLOW_MS = 5000 }; /* buckets and tables are asked no more often than that */

/* One a console.  Asked only while somebody looks; answers are shared by all who look. */
struct overview {
    struct house house;
    struct station station;
    /* private */
    pthread_mutex_t lock;
    struct stream stream;
    bool stream_open;
    json_t *buckets, *tables;
    int64_t slow_ms; /* when buckets and tables were asked */
};
MUST_CHECK enum rc overview_open(struct overview *overview, struct err *err);
void overview_close(struct overview *overview);
/* {"services": [...], "topics": [...], "buckets": [...], "tables": [...]}: the caller's.  A station that does
 * not answer leaves its list empty. */
json_t *overview_read(struct overview *overview);

#endif
