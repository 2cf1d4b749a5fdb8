/* Endpoints under /subjects and /compatibility. */
#include <stdlib.h>

#include "stream/registry/registration.h"

/* The Schema object of the API: {"subject","version","id",("schemaType"),("references"),..,"schema"}. */
json_t *subject_version_json(const struct subject *subject, const struct version *version)
{
    const struct schema *schema = version->schema;
    json_t *out = json_object();

    json_object_set_new(out, "subject", json_of_str(subject->name));
    json_object_set_new(out, "version", json_integer(version->number));
    json_object_set_new(out, "id", json_integer(schema->id));
    if (!str_is(schema->type, "AVRO"))
        json_object_set_new(out, "schemaType", json_of_str(schema->type));
    if (json_array_size(schema->references))
        json_object_set(out, "references", schema->references);
    if (json_object_size(schema->metadata))
        json_object_set(out, "metadata", schema->metadata);
    if (json_object_size(schema->rule_set))
        json_object_set(out, "ruleSet", schema->rule_set);
    json_object_set_new(out, "schema", json_of_str(schema->text));
    return out;
}

/* ---------------------------------------------------------------- lists */

bool subject_in_prefix(struct call *call, struct str name)
{
    struct str prefix = { 0 }, context, unqualified;

    state_split_subject(name, &context, &unqualified);
    if (!str_is(call->context, ".") && !str_eq(call->context, context))
        return false;
    if (!call_has(call, "subjectPrefix", &prefix) || str_is(prefix, ":*:"))
        return true;
    if (str_starts(prefix, ":*:")) {
        prefix = str_skip(prefix, 3);
        name = unqualified;
    } else if (!str_starts(prefix, ":.") && !str_is(context, ".")) {
        return false;
    }
    if (str_starts(prefix, ":.:"))
        prefix = str_skip(prefix, 3);
    return name.len >= prefix.len && str_eq(str_n(name.p, prefix.len), prefix);
}

static void list_subjects(struct call *call)
{
    bool deleted_too = call_flag(call, "deleted"), deleted_only = call_flag(call, "deletedOnly");
    size_t n;
    CLEANUP_FREE struct subject **subjects = state_subjects(&call->registry->state, &n);
    json_t *list = json_array();

    for (size_t i = 0; i < n; i++) {
        bool live = subject_has(subjects[i], false);
        if (!subject_in_prefix(call, subjects[i]->name))
            continue;
        if (deleted_only ? !live : live || deleted_too)
            json_array_append_new(list, json_of_str(subjects[i]->name));
    }
    call_answer(call, call_page(call, list, -1));
}

/* The subject of the path with versions of the kind asked for; NULL after failing the call. */
static const struct subject *find_subject(struct call *call, bool deleted_too)
{
    struct str name = call_subject(call, call->params[0]);
    const struct subject *subject = name.p ? state_subject(&call->registry->state, name) : NULL;

    if (!name.p)
        return NULL;
    if (subject_has(subject, deleted_too))
        return subject;
    fail_subject_unknown(call, call->params[0]);
    return NULL;
}

static void list_versions(struct call *call)
{
    bool deleted_only = call_flag(call, "deletedOnly"), deleted_too = deleted_only || call_flag(call, "deleted");
    const struct subject *subject = find_subject(call, deleted_too);
    json_t *list;

    if (!subject)
        return;
    list = json_array();
    for (size_t i = 0; i < subject->count; i++)
        if (deleted_only ? subject->versions[i].deleted : deleted_too || !subject->versions[i].deleted)
            json_array_append_new(list, json_integer(subject->versions[i].number));
    if (json_array_size(list)) {
        call_answer(call, call_page(call, list, -1));
        return;
    }
    json_decref(list);
    fail_subject_unknown(call, call->params[0]);
}

/* ---------------------------------------------------------------- one version */

/* The version of the path; NULL after failing the call. */
static const struct version *find_version(struct call *call, bool deleted_too, const struct subject **subject)
{
    const struct version *version;
    int number;

    if (!call_version(call, call->params[1], &number) || !(*subject = find_subject(call, deleted_too)))
        return NULL;
    version = number < 0 ? subject_latest(*subject, deleted_too) : subject_version(*subject, number);
    if (version && (deleted_too || !version->deleted))
        return version;
    fail_version_unknown(call, number);
    return NULL;
}

static void get_version(struct call *call)
{
    const struct subject *subject;
    const struct version *version = find_version(call, call_flag(call, "deleted"), &subject);

    if (version)
        call_answer(call, subject_version_json(subject, version));
}

static void get_version_text(struct call *call)
{
    const struct subject *subject;
    const struct version *version = find_version(call, call_flag(call, "deleted"), &subject);

    if (version)
        call_answer_text(call, version->schema->text);
}

static void add_id(void *user, int id)
{
    json_t *list = user;

    for (size_t i = 0; i < json_array_size(list); i++)
        if (json_integer_value(json_array_get(list, i)) == id)
            return;
    json_array_append_new(list, json_integer(id));
}

static void get_referenced_by(struct call *call)
{
    const struct subject *subject;
    const struct version *version = find_version(call, true, &subject);
    json_t *list;

    if (!version)
        return;
    list = json_array();
    state_is_referenced(&call->registry->state, subject->name, version->number, call_flag(call, "deleted"), add_id,
                        list);
    call_answer(call, call_page(call, list, -1));
}

static void lookup(struct call *call)
{
    struct str name = call_subject(call, call->params[0]);
    const struct subject *subject = name.p ? state_subject(&call->registry->state, name) : NULL;
    bool deleted_too = call_flag(call, "deleted");
    const struct version *version = NULL;
    struct candidate candidate = { 0 };

    if (!name.p)
        return;
    if (candidate_load(call, name, &candidate)) {
        version = candidate_find(call, &candidate, subject, deleted_too);
        if (version)
            call_answer(call, subject_version_json(subject, version));
        else if (!subject_has(subject, deleted_too))
            fail_subject_unknown(call, call->params[0]);
        else
            call_fail(call, 40403, "Schema not found");
    }
    candidate_free(&candidate);
}

/* ---------------------------------------------------------------- deleting */

static bool fail_if_referenced(struct call *call, const struct subject *subject, const struct version *version)
{
    if (!state_is_referenced(&call->registry->state, subject->name, version->number, false, NULL, NULL))
        return false;
    call_fail(call, 42206,
              "One or more references exist to the schema {magic=1,keytype=SCHEMA,subject=%.*s,version=%d}.",
              STR_ARG(subject->name), version->number);
    return true;
}

/* The settings of a subject without live versions go with it. */
static void forget_options(struct call *call, struct str name)
{
    const struct option *mode = state_mode(&call->registry->state, name);
    const struct option *config = state_config(&call->registry->state, name);

    if (mode)
        record_add_tombstone(&call->batch, mode->key);
    if (config)
        record_add_tombstone(&call->batch, config->key);
}

static void delete_softly(struct call *call, const struct subject *subject)
{
    json_t *list = json_array();
    int last = 0;

    for (size_t i = 0; i < subject->count && !call->failed; i++) {
        if (subject->versions[i].deleted || fail_if_referenced(call, subject, &subject->versions[i]))
            continue;
        last = subject->versions[i].number;
        json_array_append_new(list, json_integer(last));
    }
    if (call->failed) {
        json_decref(list);
        return;
    }
    record_add_delete_subject(&call->batch, subject->name, last);
    forget_options(call, subject->name);
    call_answer(call, list);
}

static void delete_for_good(struct call *call, const struct subject *subject)
{
    json_t *list;

    if (subject_has(subject, false)) {
        call_fail(call, 40405, "Subject '%.*s' was not deleted first before being permanently deleted",
                  STR_ARG(call->params[0]));
        return;
    }
    for (size_t i = 0; i < subject->count; i++)
        if (fail_if_referenced(call, subject, &subject->versions[i]))
            return;
    list = json_array();
    for (size_t i = 0; i < subject->count; i++)
        json_array_append_new(list, json_integer(subject->versions[i].number));
    for (size_t i = subject->count; i-- > 0;)
        record_add_tombstone(&call->batch, subject->versions[i].key);
    forget_options(call, subject->name);
    call_answer(call, list);
}

static void delete_subject(struct call *call)
{
    const struct subject *subject = find_subject(call, true);

    if (!subject || !call_may_write(call, subject->name))
        return;
    if (call_flag(call, "permanent"))
        delete_for_good(call, subject);
    else if (subject_has(subject, false))
        delete_softly(call, subject);
    else
        call_fail(call, 40404, "Subject '%.*s' was soft deleted.Set permanent=true to delete permanently",
                  STR_ARG(call->params[0]));
}

static void delete_one_softly(struct call *call, const struct subject *subject, const struct version *version)
{
    const struct schema *schema = version->schema;
    size_t live = 0;

    record_add_schema(&call->batch, &(struct record_schema){ .subject = subject->name,
                                                             .version = version->number,
                                                             .id = schema->id,
                                                             .type = schema->type,
                                                             .references = schema->references,
                                                             .metadata = schema->metadata,
                                                             .rule_set = schema->rule_set,
                                                             .text = schema->text,
                                                             .deleted = true });
    for (size_t i = 0; i < subject->count; i++)
        live += !subject->versions[i].deleted;
    if (live == 1)
        forget_options(call, subject->name);
}

static void delete_version(struct call *call)
{
    bool permanent = call_flag(call, "permanent");
    const struct subject *subject;
    const struct version *version = find_version(call, true, &subject);

    if (version && !permanent && str_is(call->params[1], "latest"))
        version = subject_latest(subject, false) ? subject_latest(subject, false) : version;
    if (!version || !call_may_write(call, subject->name))
        return;
    if (!permanent && version->deleted) {
        call_fail(call, 40406, "Subject '%.*s' Version %d was soft deleted.Set permanent=true to delete permanently",
                  STR_ARG(call->params[0]), version->number);
        return;
    }
    if (permanent && !version->deleted) {
        call_fail(call, 40407, "Subject '%.*s' Version %d was not deleted first before being permanently deleted",
                  STR_ARG(call->params[0]), version->number);
        return;
    }
    if (fail_if_referenced(call, subject, version))
        return;
    if (permanent)
        record_add_tombstone(&call->batch, version->key);
    else
        delete_one_softly(call, subject, version);
    call_answer(call, json_integer(version->number));
}

/* ---------------------------------------------------------------- compatibility */

static void answer_compatibility(struct call *call, const struct compat_messages *messages)
{
    json_t *out = json_object();

    json_object_set_new(out, "is_compatible", json_boolean(!messages->count));
    if (messages->count && call_flag(call, "verbose")) {
        json_t *list = json_array();
        for (size_t i = 0; i < messages->count; i++)
            json_array_append_new(list, json_string(messages->texts[i]));
        json_object_set_new(out, "messages", list);
    }
    call_answer(call, out);
}

/* With verbose a schema that does not parse is an answer rather than an error. */
static void answer_unparsable(struct call *call)
{
    struct compat_messages messages = { 0 };
    json_t *body = json_loadb(call->response->body.data, call->response->body.len, 0, NULL);

    if (call->response->status == 422 && call_flag(call, "verbose")) {
        compat_messages_add(&messages, str_dup(call_text(body, "message")));
        call->response->status = 200;
        answer_compatibility(call, &messages);
    }
    json_decref(body);
    compat_messages_free(&messages);
}

/* number: -1 for all that the level says. */
static void answer_check(struct call *call, struct str name, int number)
{
    struct compat_messages messages = { 0 };
    struct candidate candidate = { 0 };

    if (!candidate_load(call, name, &candidate))
        answer_unparsable(call);
    else if (candidate_check(call, &candidate, name, number, &messages))
        answer_compatibility(call, &messages);
    compat_messages_free(&messages);
    candidate_free(&candidate);
}

static void check_against_version(struct call *call)
{
    struct str name = call_subject(call, call->params[0]);
    const struct subject *subject = name.p ? state_subject(&call->registry->state, name) : NULL;
    const struct version *version;
    int number;

    if (!name.p || !call_version(call, call->params[1], &number))
        return;
    version = number < 0 ? subject_latest(subject, false) : subject_version(subject, number);
    if (version && !version->deleted)
        answer_check(call, name, version->number);
    else if (number < 0)
        answer_check(call, name, 0); /* no such version: compatible if it parses */
    else
        fail_version_unknown(call, number);
}

static void check_against_level(struct call *call)
{
    struct str name = call_subject(call, call->params[0]);

    if (name.p)
        answer_check(call, name, -1);
}

const struct call_route subject_routes[] = {
    { "GET", "/subjects", CALL_READS, true, list_subjects, "names of all subjects" },
    { "POST", "/subjects/{subject}", CALL_READS, true, lookup, "finds a schema under a subject" },
    { "DELETE", "/subjects/{subject}", CALL_WRITES, true, delete_subject, "deletes a subject" },
    { "GET", "/subjects/{subject}/versions", CALL_READS, true, list_versions, "version numbers of a subject" },
    { "POST", "/subjects/{subject}/versions", CALL_WRITES, true, registration_post, "registers a schema" },
    { "GET", "/subjects/{subject}/versions/{version}", CALL_READS, true, get_version, "one version" },
    { "DELETE", "/subjects/{subject}/versions/{version}", CALL_WRITES, true, delete_version, "deletes one version" },
    { "GET", "/subjects/{subject}/versions/{version}/schema", CALL_READS, true, get_version_text, "its text alone" },
    { "GET", "/subjects/{subject}/versions/{version}/referencedby", CALL_READS, true, get_referenced_by,
      "ids of schemas that refer to it" },
    { "POST", "/compatibility/subjects/{subject}/versions/{version}", CALL_READS, true, check_against_version,
      "checks a schema against one version" },
    { "POST", "/compatibility/subjects/{subject}/versions", CALL_READS, true, check_against_level,
      "checks a schema as its registration would" },
};
const size_t subject_route_count = ARRAY_LEN(subject_routes);
