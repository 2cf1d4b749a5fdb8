/*
 * What the records of _schemas add up to: subjects with their versions, ids, settings.  Only
 * state_apply changes it.  Not locked: the station holds its lock.
 *
 * A subject's name is qualified: "s" in the default context ".", ":.ctx:s" in another.  Ids are
 * counted per context.
 */
#ifndef STREAM_REGISTRY_STATE_H
#define STREAM_REGISTRY_STATE_H

#include <jansson.h>

#include "base/base.h"

/* One id's schema; shared by all versions that have it. */
struct schema {
    int id;
    struct str type; /* "AVRO" */
    struct str text;
    json_t *references, *metadata, *rule_set; /* NULL: none */
    char *hash;                               /* what makes it one schema: text, references, metadata, rules */
    struct context *context;
    int uses;
};

struct version {
    int number;
    bool deleted; /* softly */
    struct schema *schema;
    struct str key; /* bytes of its record's key */
};

struct subject {
    struct str name;          /* qualified */
    struct version *versions; /* by number, rising */
    size_t count;
};

struct option {
    json_t *value; /* without "subject" */
    struct str key;
};

struct context {
    char *name;         /* "." */
    struct map by_id;   /* decimal text -> struct schema */
    struct map by_hash; /* -> struct schema */
    int max_id;         /* largest ever seen */
};

struct state {
    struct map subjects; /* qualified name -> struct subject */
    struct map contexts; /* name -> struct context */
    struct map configs;  /* qualified name, "" for the global one -> struct option */
    struct map modes;
};

void state_free(struct state *state);
/* value: absent view for a tombstone.  RC_BAD_INPUT: not a record of a registry, nothing changed. */
MUST_CHECK enum rc state_apply(struct state *state, struct str key, struct str value, struct err *err);

/* Cuts a qualified name; the views point into `name` or are literals. */
void state_split_subject(struct str name, struct str *context, struct str *subject);
struct subject *state_subject(const struct state *state, struct str name); /* NULL if it has no versions */
struct version *subject_version(const struct subject *subject, int number);
struct version *subject_latest(const struct subject *subject, bool deleted_too);
bool subject_has(const struct subject *subject, bool deleted_too); /* any version; NULL is fine */
struct schema *state_schema(const struct state *state, struct str context, int id);
struct schema *state_schema_by_hash(const struct state *state, struct str context, const char *hash);
int state_max_id(const struct state *state, struct str context);
/* Text that is equal for equal schemas; owned by the caller.  NULL members are absent. */
char *state_hash(struct str text, const json_t *references, const json_t *metadata, const json_t *rule_set);
/* All subjects, sorted by name; owned by the caller, the entries are not. */
struct subject **state_subjects(const struct state *state, size_t *count);
/* Setting of the subject itself; NULL if unset. */
const struct option *state_config(const struct state *state, struct str name);
const struct option *state_mode(const struct state *state, struct str name);
/* As above, else of its context, else the global one. */
const struct option *state_config_in_scope(const struct state *state, struct str name, const char *member);
const struct option *state_mode_in_scope(const struct state *state, struct str name);
/* True when a live version refers to this one; *by (may be NULL) is called with the id of each. */
bool state_is_referenced(const struct state *state, struct str subject, int version, bool deleted_too,
                         void (*by)(void *user, int id), void *user);

#endif
