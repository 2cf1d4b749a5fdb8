/*
 * Registration, step by step as a 7.9 registry does it (ids and versions depend on it):
 *
 *     the mode allows writing; the schema parses and gets its canonical text;
 *     the same content under this subject, not deleted: its id, nothing written;
 *     an equal schema (other order of props) under this subject, newest first: its id;
 *     compatible with the versions that the level names, or 409;
 *     version: one more than the highest ever, deleted ones too;
 *     id: that of the same content anywhere in the context, else the next;
 *     older deleted versions with this id are forgotten, then the record is written.
 */
#include "stream/registry/registration.h"

#include <stdlib.h>

void parsed_free(struct parsed *parsed)
{
    avro_document_free(parsed->document);
    for (size_t i = 0; i < parsed->known_count; i++)
        avro_document_free(parsed->known[i]);
    free(parsed->known);
    *parsed = (struct parsed){ 0 };
}

/* ---------------------------------------------------------------- references */

static struct str qualify(struct str context, struct str subject, struct arena *arena)
{
    if (str_is(context, ".") || str_starts(subject, ":."))
        return subject;
    return str_of(arena_printf(arena, ":%.*s:%.*s", STR_ARG(context), STR_ARG(subject)));
}

struct loader {
    const struct state *state;
    struct str context;
    struct parsed *out;
    struct map seen; /* subjects and versions already loaded */
    struct arena arena;
    int depth;
    struct err *err;
};

static enum rc load_references(struct loader *loader, const json_t *references);

static enum rc load_reference(struct loader *loader, const json_t *reference)
{
    struct str name = call_text(reference, "subject");
    struct str subject_name = qualify(loader->context, name, &loader->arena);
    int64_t number = json_integer_value(json_object_get(reference, "version"));
    const struct subject *subject = name.p ? state_subject(loader->state, subject_name) : NULL;
    const struct version *version =
        number == -1 ? subject_latest(subject, false) : subject_version(subject, (int)number);
    CLEANUP_FREE char *key = mem_printf("%.*s %lld", STR_ARG(subject_name), (long long)number);
    struct avro_document *document = NULL;
    enum rc rc;

    if (!version)
        return err_set(loader->err, RC_BAD_INPUT, "No schema reference found for subject \"%.*s\" and version %lld",
                       STR_ARG(name), (long long)number);
    if (map_put(&loader->seen, str_of(key), loader))
        return RC_OK;
    if (loader->out->known_count >= REFERENCES_MAX)
        return err_set(loader->err, RC_FULL, "more than %d references", REFERENCES_MAX);
    if ((rc = load_references(loader, version->schema->references)))
        return rc;
    rc = avro_schema_parse_with(version->schema->text, (const struct avro_document *const *)loader->out->known,
                                loader->out->known_count, &document, loader->err);
    if (rc)
        return rc;
    loader->out->known = mem_grow(loader->out->known, loader->out->known_count + 1, sizeof *loader->out->known);
    loader->out->known[loader->out->known_count++] = document;
    return RC_OK;
}

static enum rc load_references(struct loader *loader, const json_t *references)
{
    enum rc rc = RC_OK;

    if (++loader->depth > REFERENCES_DEPTH_MAX)
        return err_set(loader->err, RC_FULL, "references nest deeper than %d", REFERENCES_DEPTH_MAX);
    for (size_t i = 0; i < json_array_size(references) && !rc; i++)
        rc = load_reference(loader, json_array_get(references, i));
    loader->depth--;
    return rc;
}

enum rc parsed_load(const struct state *state, struct str context, struct str text, const json_t *references,
                    struct parsed *out, struct err *err)
{
    struct loader loader = { .state = state, .context = context, .out = out, .err = err };
    enum rc rc = load_references(&loader, references);

    map_free(&loader.seen, NULL);
    arena_free(&loader.arena);
    if (!rc)
        rc = avro_schema_parse_with(text, (const struct avro_document *const *)out->known, out->known_count,
                                    &out->document, err);
    return rc;
}

/* ---------------------------------------------------------------- candidates */

void candidate_free(struct candidate *candidate)
{
    parsed_free(&candidate->parsed);
    buf_free(&candidate->text);
    free(candidate->hash);
    *candidate = (struct candidate){ 0 };
}

static json_t *member_or_null(const json_t *body, const char *name)
{
    json_t *value = json_object_get(body, name);
    return json_array_size(value) || json_object_size(value) ? value : NULL;
}

static bool wants_normal(struct call *call, struct str subject)
{
    const struct option *option = state_config_in_scope(&call->registry->state, subject, "normalize");
    struct str given;

    if (call_has(call, "normalize", &given) && str_is_nocase(given, "true"))
        return true;
    return option && json_is_true(json_object_get(option->value, "normalize"));
}

static bool fail_schema(struct call *call, struct str text, const char *why)
{
    CLEANUP_FREE char *references = NULL;
    json_t *list = json_object_get(call->body, "references");

    references = json_array_size(list) ? json_dumps(list, JSON_COMPACT) : NULL;
    call_fail(call, 42201, "Invalid schema %.*s with refs %s of type AVRO, details: %s", STR_ARG(text),
              references ? references : "[]", why);
    return false;
}

bool candidate_load(struct call *call, struct str subject, struct candidate *out)
{
    struct str text = call_text(call->body, "schema"), type = call_text(call->body, "schemaType");
    struct str context, unqualified;
    struct err err = { 0 };
    enum rc rc;

    if (!text.len) {
        call_fail(call, 42201, "Empty schema");
        return false;
    }
    if (type.p && !str_is(type, "AVRO")) {
        call_fail(call, 42201, "Invalid schema type %.*s: this registry has AVRO only", STR_ARG(type));
        return false;
    }
    state_split_subject(subject, &context, &unqualified);
    out->references = member_or_null(call->body, "references");
    out->metadata = member_or_null(call->body, "metadata");
    out->rule_set = member_or_null(call->body, "ruleSet");
    rc = parsed_load(&call->registry->state, context, text, out->references, &out->parsed, &err);
    if (!rc && wants_normal(call, subject))
        rc = avro_schema_print_normal(out->parsed.document, &out->text, &err);
    else if (!rc)
        avro_schema_print(out->parsed.document, &out->text);
    if (rc)
        return fail_schema(call, text, err.text);
    out->hash = state_hash(buf_str(&out->text), out->references, out->metadata, out->rule_set);
    return true;
}

/* References are equal, or the new schema has none where the stored one has. */
static bool references_match(const json_t *given, const json_t *stored)
{
    return !given || (stored && json_equal(given, stored));
}

static bool metadata_match(const struct candidate *candidate, const struct schema *stored)
{
    return (!candidate->metadata || (stored->metadata && json_equal(candidate->metadata, stored->metadata))) &&
           (!candidate->rule_set || (stored->rule_set && json_equal(candidate->rule_set, stored->rule_set)));
}

static bool is_equal(const struct call *call, const struct candidate *candidate, struct str context,
                     const struct schema *stored)
{
    struct parsed parsed = { 0 };
    struct err err = { 0 };
    bool equal = false;

    if (!str_is(stored->type, "AVRO") || !references_match(candidate->references, stored->references) ||
        !metadata_match(candidate, stored))
        return false;
    if (!parsed_load(&call->registry->state, context, stored->text, stored->references, &parsed, &err))
        equal = avro_schema_equal(avro_root(candidate->parsed.document), avro_root(parsed.document));
    parsed_free(&parsed);
    return equal;
}

const struct version *candidate_find(const struct call *call, const struct candidate *candidate,
                                     const struct subject *subject, bool deleted_too)
{
    struct str context, unqualified;

    if (!subject)
        return NULL;
    state_split_subject(subject->name, &context, &unqualified);
    for (size_t i = subject->count; i-- > 0;)
        if ((deleted_too || !subject->versions[i].deleted) &&
            str_is(str_of(candidate->hash), subject->versions[i].schema->hash))
            return &subject->versions[i];
    for (size_t i = subject->count; i-- > 0;)
        if ((deleted_too || !subject->versions[i].deleted) &&
            is_equal(call, candidate, context, subject->versions[i].schema))
            return &subject->versions[i];
    return NULL;
}

/* ---------------------------------------------------------------- compatibility */

enum compat_level registry_level(const struct registry *registry, struct str subject)
{
    const struct option *option = state_config_in_scope(&registry->state, subject, "compatibilityLevel");
    enum compat_level level;

    if (option && compat_level_of(call_text(option->value, "compatibilityLevel"), &level))
        return level;
    return registry->default_level;
}

/* False after failing the call. */
static bool check_version(struct call *call, const struct candidate *candidate, struct str context,
                          enum compat_level level, const struct version *version, struct compat_messages *messages)
{
    const struct schema *old = version->schema;
    struct parsed parsed = { 0 };
    struct err err = { 0 };
    enum rc rc;

    if (!str_is(old->type, "AVRO")) {
        compat_messages_add(messages, mem_strdup("Incompatible because of different schema type"));
        return true;
    }
    rc = parsed_load(&call->registry->state, context, old->text, old->references, &parsed, &err);
    if (!rc)
        rc = compat_check(level, avro_root(candidate->parsed.document), avro_root(parsed.document), messages, &err);
    parsed_free(&parsed);
    if (rc)
        call_fail(call, 42201, "%s", err.text);
    return !rc;
}

static void add_trailer(struct compat_messages *messages, const struct version *version, enum compat_level level)
{
    enum { TEXT_SHOWN_MAX = 10 << 10 };

    compat_messages_add(messages, mem_printf("{oldSchemaVersion: %d}", version->number));
    if (version->schema->text.len <= TEXT_SHOWN_MAX)
        compat_messages_add(messages, mem_printf("{oldSchema: '%.*s'}", STR_ARG(version->schema->text)));
    else
        compat_messages_add(messages,
                            mem_printf("{oldSchema: '%.*s...'}", (int)TEXT_SHOWN_MAX, version->schema->text.p));
    compat_messages_add(messages,
                        mem_printf("{validateFields: 'false', compatibility: '%s'}", compat_level_name(level)));
}

bool candidate_check(struct call *call, const struct candidate *candidate, struct str subject_name, int only_version,
                     struct compat_messages *messages)
{
    const struct subject *subject = state_subject(&call->registry->state, subject_name);
    enum compat_level level = registry_level(call->registry, subject_name);
    struct str context, unqualified;

    state_split_subject(subject_name, &context, &unqualified);
    if (level == COMPAT_NONE)
        return true;
    for (size_t i = subject ? subject->count : 0; i-- > 0;) {
        const struct version *version = &subject->versions[i];
        if (version->deleted || (only_version >= 0 && version->number != only_version))
            continue;
        if (!check_version(call, candidate, context, level, version, messages))
            return false;
        if (messages->count)
            add_trailer(messages, version, level);
        if (messages->count || only_version >= 0 || !compat_is_transitive(level))
            break;
    }
    return true;
}

static void fail_incompatible(struct call *call, struct str subject, const struct compat_messages *messages)
{
    struct buf list = { 0 };

    for (size_t i = 0; i < messages->count; i++)
        buf_printf(&list, "%s%s", i ? ", " : "", messages->texts[i]);
    call_fail(call, 409,
              "Schema being registered is incompatible with an earlier schema for subject \"%.*s\", details: [%s]",
              STR_ARG(subject), buf_cstr(&list));
    buf_free(&list);
}

/* ---------------------------------------------------------------- modes */

struct str registry_mode(const struct registry *registry, struct str subject)
{
    const struct option *option = state_mode_in_scope(&registry->state, subject);
    return option ? call_text(option->value, "mode") : STR("READWRITE");
}

bool call_may_write(struct call *call, struct str subject)
{
    struct str mode = registry_mode(call->registry, subject), context, name;

    if (!str_starts(mode, "READONLY") && !str_is(mode, "FORWARD"))
        return true;
    state_split_subject(subject, &context, &name);
    call_fail(call, 42205, "Subject %.*s in context %.*s is in %s mode", STR_ARG(name), STR_ARG(context),
              str_is(mode, "FORWARD") ? "forward" : "read-only");
    return false;
}

/* ---------------------------------------------------------------- registering */

struct wish {
    int id, version; /* 0: none, the usual case; else the mode must be IMPORT */
    bool import;
};

static bool read_wish(struct call *call, struct str subject, struct wish *out)
{
    int64_t id = json_integer_value(json_object_get(call->body, "id"));
    int64_t version = json_integer_value(json_object_get(call->body, "version"));
    struct str context, name;

    state_split_subject(subject, &context, &name);
    out->id = id > 0 && id <= INT32_MAX ? (int)id : 0;
    out->version = version > 0 && version <= INT32_MAX ? (int)version : 0;
    out->import = str_is(registry_mode(call->registry, subject), "IMPORT");
    if (out->id && !out->import)
        call_fail(call, 42205, "Subject %.*s in context %.*s is not in import mode", STR_ARG(name), STR_ARG(context));
    else if (!out->id && out->import)
        call_fail(call, 42205, "Subject %.*s in context %.*s is not in read-write mode", STR_ARG(name),
                  STR_ARG(context));
    return !call->failed;
}

static bool choose_id(struct call *call, const struct candidate *candidate, struct str context, int wished, int *id)
{
    const struct schema *same = state_schema_by_hash(&call->registry->state, context, candidate->hash);
    const struct schema *there;

    if (!wished) {
        *id = same ? same->id : state_max_id(&call->registry->state, context) + 1;
        return true;
    }
    there = state_schema(&call->registry->state, context, wished);
    *id = wished;
    if (!there || str_is(str_of(there->hash), candidate->hash))
        return true;
    call_fail(call, 42207, "Overwrite new schema with id %d is not permitted.", wished);
    return false;
}

static void write_version(struct call *call, const struct candidate *candidate, struct str name, int version, int id)
{
    const struct subject *subject = state_subject(&call->registry->state, name);
    struct str context, unqualified;

    state_split_subject(name, &context, &unqualified);
    if (!str_is(context, ".") && !map_get(&call->registry->state.contexts, context))
        record_add_context(&call->batch, context);
    for (size_t i = 0; subject && i < subject->count; i++)
        if (subject->versions[i].deleted && subject->versions[i].schema->id == id &&
            subject->versions[i].number != version)
            record_add_tombstone(&call->batch, subject->versions[i].key);
    record_add_schema(&call->batch, &(struct record_schema){ .subject = name,
                                                             .version = version,
                                                             .id = id,
                                                             .references = candidate->references,
                                                             .metadata = candidate->metadata,
                                                             .rule_set = candidate->rule_set,
                                                             .text = buf_str(&candidate->text) });
}

static void answer_id(struct call *call, int id)
{
    call_answer(call, json_pack("{s:i}", "id", id));
}

static bool is_compatible(struct call *call, const struct candidate *candidate, struct str name)
{
    struct compat_messages messages = { 0 };

    if (candidate_check(call, candidate, name, -1, &messages) && messages.count)
        fail_incompatible(call, name, &messages);
    compat_messages_free(&messages);
    return !call->failed;
}

static void register_candidate(struct call *call, const struct candidate *candidate, struct str name,
                               const struct wish *wish)
{
    const struct subject *subject = state_subject(&call->registry->state, name);
    const struct version *found = candidate_find(call, candidate, subject, false);
    const struct version *last = subject_latest(subject, true);
    int next = last ? last->number + 1 : 1, id;
    struct str context, unqualified;

    if (found && (!wish->version || found->number == wish->version) && (!wish->id || wish->id == found->schema->id)) {
        answer_id(call, found->schema->id);
        return;
    }
    state_split_subject(name, &context, &unqualified);
    if (!wish->import && !is_compatible(call, candidate, name))
        return;
    if (wish->version && wish->version != next && !wish->import) {
        call_fail(call, 42201, "Version is not one more than previous version");
        return;
    }
    if (!choose_id(call, candidate, context, wish->id, &id))
        return;
    write_version(call, candidate, name, wish->version ? wish->version : next, id);
    answer_id(call, id);
}

void registration_post(struct call *call)
{
    struct str subject = call_subject(call, call->params[0]);
    struct candidate candidate = { 0 };
    struct wish wish;

    if (subject.p && call_may_write(call, subject) && read_wish(call, subject, &wish) &&
        candidate_load(call, subject, &candidate))
        register_candidate(call, &candidate, subject, &wish);
    candidate_free(&candidate);
}
