/*
 * The registry behind its port, and one call to it.
 *
 * A call is answered under the lock of the state: handlers only look and decide.  What they want to
 * write goes into call->batch, which is appended after the lock is let go; if that fails the answer
 * becomes an error.  Calls that write are one at a time, and begin when all the log holds was applied.
 */
#ifndef STREAM_REGISTRY_SERVICE_H
#define STREAM_REGISTRY_SERVICE_H

#include <pthread.h>
#include <stdatomic.h>

#include "net/net.h"
#include "stream/registry/compat.h"
#include "stream/registry/record.h"
#include "stream/registry/state.h"
#include "stream/registry/store.h"

enum {
    REGISTRY_PAGE_MAX = 1000,     /* schemas in one answer of GET /schemas */
    REGISTRY_SUBJECT_MAX = 10000, /* bytes of a subject's name */
    REGISTRY_BODY_MAX = 8 << 20,
    REGISTRY_STATUS_CLASSES = 6,
    REGISTRY_READY_WAIT_SECONDS = 10, /* a call that comes before the topic was read waits so long */
};

struct registry {
    struct state state;
    pthread_rwlock_t lock;   /* of state */
    pthread_mutex_t writing; /* one writer at a time */
    struct schema_store *store;
    enum compat_level default_level;
    atomic_bool ready;
    pthread_mutex_t ready_lock; /* for waiting until ready */
    pthread_cond_t ready_changed;
    atomic_ullong answers[REGISTRY_STATUS_CLASSES]; /* by first digit of the status */
    atomic_ullong written;                          /* records */
    struct http_route *routes;
    size_t route_count;
};

void registry_init(struct registry *registry);
void registry_free(struct registry *registry);
void registry_set_ready(struct registry *registry);
bool registry_wait_ready(struct registry *registry); /* false: not within REGISTRY_READY_WAIT_SECONDS */
/* What the store gives back; takes the lock. */
void registry_apply(void *registry, bool anew, struct str key, struct str value);

struct call {
    struct registry *registry;
    struct http_request *request;
    struct http_response *response;
    struct str context;        /* of the path: "." or ".x" */
    const struct str *params;  /* of the pattern, without the context */
    json_t *body;              /* NULL: none */
    struct record_batch batch; /* to be written */
    bool failed;
};

enum call_kind { CALL_READS, CALL_WRITES, CALL_FREE /* no lock, no JSON body */ };

struct call_route {
    const char *method, *pattern;
    enum call_kind kind;
    bool in_contexts; /* also under /contexts/{context} */
    void (*handle)(struct call *call);
    const char *summary;
};

extern const struct call_route subject_routes[], schema_routes[], config_routes[];
extern const size_t subject_route_count, schema_route_count, config_route_count;

/* Builds registry->routes from the rows above; registry_dispatch handles them all. */
void registry_make_routes(struct registry *registry);
void registry_not_found(struct http_request *request, struct http_response *response, bool allowed);

/* ---------------------------------------------------------------- rest.c */

/* An error answer.  code 40401 has status 404; codes below 1000 are their own status.  Forgets the batch. */
void call_fail(struct call *call, int code, const char *format, ...) PRINTF_LIKE(3, 4);
void call_answer(struct call *call, json_t *owned);        /* as compact JSON */
void call_answer_text(struct call *call, struct str text); /* as it is */
bool call_flag(struct call *call, const char *name);       /* Java's Boolean.valueOf; absent: false */
bool call_has(struct call *call, const char *name, struct str *out);
int64_t call_number(struct call *call, const char *name, int64_t fallback);
/* Qualified name of a subject named in path, query or body; owned by the request's arena.  An absent view
 * after failing the call (42208). */
struct str call_subject(struct call *call, struct str name);
/* The version named in a path: -1 for "latest".  False after failing the call (42202). */
bool call_version(struct call *call, struct str text, int *out);
struct str call_text(const json_t *object, const char *member); /* absent view: no such text */
/* Cuts an array to what offset and limit ask for; takes it over, gives a new one. */
json_t *call_page(struct call *call, json_t *list, int64_t default_limit);
json_t *json_of_str(struct str s);

void fail_subject_unknown(struct call *call, struct str subject);
void fail_version_unknown(struct call *call, int version);

/* ---------------------------------------------------------------- subject_rest.c */

json_t *subject_version_json(const struct subject *subject, const struct version *version);
/* The subject is among those that the path's context and ?subjectPrefix= ask for. */
bool subject_in_prefix(struct call *call, struct str name);

#endif
