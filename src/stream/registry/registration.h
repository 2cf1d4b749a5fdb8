/* What becomes of a schema that somebody brings: looked up, checked, registered. */
#ifndef STREAM_REGISTRY_REGISTRATION_H
#define STREAM_REGISTRY_REGISTRATION_H

#include "stream/registry/service.h"

enum { REFERENCES_DEPTH_MAX = 16, REFERENCES_MAX = 1000 };

/* A parsed schema with the documents its references led to. */
struct parsed {
    struct avro_document *document;
    struct avro_document **known; /* owned */
    size_t known_count;
};
void parsed_free(struct parsed *parsed);
/* RC_BAD_INPUT also for an unknown reference. */
MUST_CHECK enum rc parsed_load(const struct state *state, struct str context, struct str text, const json_t *references,
                               struct parsed *out, struct err *err);

/* A request's schema in the form it is stored in. */
struct candidate {
    struct parsed parsed;
    struct buf text;                          /* canonical, normalised if asked for */
    json_t *references, *metadata, *rule_set; /* borrowed from the request; NULL: none */
    char *hash;
};
void candidate_free(struct candidate *candidate);
/* False after failing the call (42201). */
bool candidate_load(struct call *call, struct str subject, struct candidate *out);

/* The version of `subject` that has this schema (registration step 6 and 7); NULL: none. */
const struct version *candidate_find(const struct call *call, const struct candidate *candidate,
                                     const struct subject *subject, bool deleted_too);
/*
 * Checks against versions of the subject as its level says; only_version >= 0: against that one alone.
 * False after failing the call.  No messages: compatible.
 */
bool candidate_check(struct call *call, const struct candidate *candidate, struct str subject_name, int only_version,
                     struct compat_messages *messages);
enum compat_level registry_level(const struct registry *registry, struct str subject);
/* "READWRITE", ... */
struct str registry_mode(const struct registry *registry, struct str subject);
/* False after failing the call (42205). */
bool call_may_write(struct call *call, struct str subject);

void registration_post(struct call *call);

#endif
