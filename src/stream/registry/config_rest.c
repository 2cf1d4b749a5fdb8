/*
 * Endpoints /config, /mode and the deletion of contexts.
 *
 * A setting is of a subject, of a context (subject ":.ctx:") or global; each is looked up in that order.
 * What a request calls "compatibility" is "compatibilityLevel" everywhere else.
 */
#include <string.h>

#include "stream/registry/registration.h"

/* The scope that the path names: a qualified subject, or absent for the global one.  False after failing. */
static bool scope_of(struct call *call, bool has_subject, struct str *out)
{
    *out = (struct str){ 0 };
    if (has_subject) {
        *out = call_subject(call, call->params[0]);
        return out->p != NULL;
    }
    if (!str_is(call->context, "."))
        *out = str_of(arena_printf(&call->request->arena, ":%.*s:", STR_ARG(call->context)));
    return true;
}

static struct str key_of(struct str scope)
{
    return scope.p ? scope : STR("");
}

/* ---------------------------------------------------------------- config */

static const struct {
    const char *in, *out; /* in requests, in records and answers */
} config_members[] = {
    { "alias", "alias" },
    { "normalize", "normalize" },
    { "validateFields", "validateFields" },
    { "validateRules", "validateRules" },
    { "compatibility", "compatibilityLevel" },
    { "compatibilityGroup", "compatibilityGroup" },
    { "defaultMetadata", "defaultMetadata" },
    { "overrideMetadata", "overrideMetadata" },
    { "defaultRuleSet", "defaultRuleSet" },
    { "overrideRuleSet", "overrideRuleSet" },
};

enum { LEVEL_MEMBER = 4 };

static bool fail_level(struct call *call)
{
    call_fail(call, 42203,
              "Invalid compatibility level. Valid values are none, backward, forward, full, backward_transitive, "
              "forward_transitive, and full_transitive");
    return false;
}

/* A new reference to what the request gives for a member, NULL if nothing.  False after failing the call. */
static bool given_member(struct call *call, size_t row, json_t **out)
{
    json_t *given = json_object_get(call->body, config_members[row].in);
    enum compat_level level;

    if (!given || json_is_null(given)) /* some tools say it as answers do */
        given = json_object_get(call->body, config_members[row].out);
    *out = NULL;
    if (!given || json_is_null(given))
        return true;
    if (row != LEVEL_MEMBER) {
        *out = json_incref(given);
        return true;
    }
    if (!json_is_string(given) || !compat_level_of(str_of(json_string_value(given)), &level))
        return fail_level(call);
    *out = json_string(compat_level_name(level));
    return true;
}

/* What is to be stored: the old members, replaced by those given; what was given is set in *echo. */
static bool merge_config(struct call *call, const struct option *old, json_t *merged, json_t *echo)
{
    for (size_t i = 0; i < ARRAY_LEN(config_members); i++) {
        json_t *value;
        if (!given_member(call, i, &value))
            return false;
        if (value)
            json_object_set(echo, config_members[i].in, value);
        else if (old)
            value = json_incref(json_object_get(old->value, config_members[i].out));
        if (value)
            json_object_set_new(merged, config_members[i].out, value);
    }
    return json_object_size(echo) || fail_level(call);
}

static void put_config_of(struct call *call, bool has_subject)
{
    json_t *echo, *merged;
    struct str scope;

    if (!scope_of(call, has_subject, &scope) || !call_may_write(call, key_of(scope)))
        return;
    echo = json_object();
    merged = json_object();
    if (merge_config(call, state_config(&call->registry->state, key_of(scope)), merged, echo)) {
        record_add_config(&call->batch, scope, merged);
        call_answer(call, json_incref(echo));
    }
    json_decref(merged);
    json_decref(echo);
}

static void answer_config(struct call *call, const struct option *option, bool with_default)
{
    json_t *out = option ? json_copy(option->value) : json_object();

    if (with_default && !json_object_get(out, "compatibilityLevel"))
        json_object_set_new(out, "compatibilityLevel", json_string(compat_level_name(call->registry->default_level)));
    call_answer(call, out);
}

static void get_global_config(struct call *call)
{
    struct str scope;

    if (scope_of(call, false, &scope))
        answer_config(call, state_config_in_scope(&call->registry->state, key_of(scope), "compatibilityLevel"), true);
}

static void get_config(struct call *call)
{
    const struct option *option;
    struct str scope;

    if (!scope_of(call, true, &scope))
        return;
    if (call_flag(call, "defaultToGlobal")) {
        answer_config(call, state_config_in_scope(&call->registry->state, scope, "compatibilityLevel"), true);
        return;
    }
    if ((option = state_config(&call->registry->state, scope)))
        answer_config(call, option, false);
    else
        call_fail(call, 40408, "Subject '%.*s' does not have subject-level compatibility configured",
                  STR_ARG(call->params[0]));
}

static void put_global_config(struct call *call)
{
    put_config_of(call, false);
}

static void put_config(struct call *call)
{
    put_config_of(call, true);
}

static void delete_global_config(struct call *call)
{
    const struct option *option;
    struct str scope;

    if (!scope_of(call, false, &scope) || !call_may_write(call, key_of(scope)))
        return;
    option = state_config(&call->registry->state, key_of(scope));
    if (option)
        record_add_tombstone(&call->batch, option->key);
    answer_config(call, option, true);
}

static void delete_config(struct call *call)
{
    const struct option *option;
    struct str scope;

    if (!scope_of(call, true, &scope) || !call_may_write(call, scope))
        return;
    if (!(option = state_config(&call->registry->state, scope))) {
        fail_subject_unknown(call, call->params[0]);
        return;
    }
    record_add_tombstone(&call->batch, option->key);
    answer_config(call, option, false);
}

/* ---------------------------------------------------------------- mode */

static const char *const modes[] = { "READWRITE", "READONLY", "READONLY_OVERRIDE", "IMPORT", "FORWARD" };

static const char *mode_of(struct call *call)
{
    struct str text = call_text(call->body, "mode");

    for (size_t i = 0; i < ARRAY_LEN(modes); i++)
        if (str_is_nocase(text, modes[i]))
            return modes[i];
    call_fail(call, 42204, "Invalid mode. Valid values are READWRITE, READONLY, IMPORT and FORWARD.");
    return NULL;
}

/* Live subjects within the scope: itself, a context's, or all. */
static bool scope_has_subjects(struct call *call, struct str scope)
{
    for (struct map_entry *e = NULL; (e = map_next(&call->registry->state.subjects, e));) {
        const struct subject *subject = e->value;
        bool inside =
            !scope.p || str_eq(subject->name, scope) ||
            (str_ends(scope, ":") && subject->name.len > scope.len && str_eq(str_n(subject->name.p, scope.len), scope));
        if (inside && subject_has(subject, false))
            return true;
    }
    return false;
}

static void put_mode_of(struct call *call, bool has_subject)
{
    struct str scope;
    const char *mode;

    if (!scope_of(call, has_subject, &scope) || !(mode = mode_of(call)))
        return;
    if (strcmp(mode, "IMPORT") == 0 && !call_flag(call, "force") &&
        !str_is(registry_mode(call->registry, key_of(scope)), "IMPORT") && scope_has_subjects(call, scope)) {
        call_fail(call, 42205, "Cannot import since found existing subjects");
        return;
    }
    record_add_mode(&call->batch, scope, mode);
    call_answer(call, json_pack("{s:s}", "mode", mode));
}

static void answer_mode(struct call *call, struct str mode)
{
    json_t *out = json_object();

    json_object_set_new(out, "mode", json_of_str(mode));
    call_answer(call, out);
}

static void get_global_mode(struct call *call)
{
    struct str scope;

    if (scope_of(call, false, &scope))
        answer_mode(call, registry_mode(call->registry, key_of(scope)));
}

static void get_mode(struct call *call)
{
    const struct option *option;
    struct str scope;

    if (!scope_of(call, true, &scope))
        return;
    option = state_mode(&call->registry->state, scope);
    if (option || call_flag(call, "defaultToGlobal"))
        answer_mode(call, registry_mode(call->registry, scope));
    else
        call_fail(call, 40409, "Subject '%.*s' does not have subject-level mode configured", STR_ARG(call->params[0]));
}

static void put_global_mode(struct call *call)
{
    put_mode_of(call, false);
}

static void put_mode(struct call *call)
{
    put_mode_of(call, true);
}

static void delete_mode_of(struct call *call, bool has_subject)
{
    const struct option *option;
    struct str scope;

    if (!scope_of(call, has_subject, &scope))
        return;
    option = state_mode(&call->registry->state, key_of(scope));
    if (!option && has_subject) {
        fail_subject_unknown(call, call->params[0]);
        return;
    }
    if (option)
        record_add_tombstone(&call->batch, option->key);
    answer_mode(call, option ? call_text(option->value, "mode") : STR("READWRITE"));
}

static void delete_global_mode(struct call *call)
{
    delete_mode_of(call, false);
}

static void delete_mode(struct call *call)
{
    delete_mode_of(call, true);
}

const struct call_route config_routes[] = {
    { "GET", "/config", CALL_READS, true, get_global_config, "the global compatibility level" },
    { "PUT", "/config", CALL_WRITES, true, put_global_config, "sets it" },
    { "DELETE", "/config", CALL_WRITES, true, delete_global_config, "back to the default" },
    { "GET", "/config/{subject}", CALL_READS, true, get_config, "a subject's compatibility level" },
    { "PUT", "/config/{subject}", CALL_WRITES, true, put_config, "sets it" },
    { "DELETE", "/config/{subject}", CALL_WRITES, true, delete_config, "unsets it" },
    { "GET", "/mode", CALL_READS, true, get_global_mode, "the global mode" },
    { "PUT", "/mode", CALL_WRITES, true, put_global_mode, "sets it" },
    { "DELETE", "/mode", CALL_WRITES, true, delete_global_mode, "back to READWRITE" },
    { "GET", "/mode/{subject}", CALL_READS, true, get_mode, "a subject's mode" },
    { "PUT", "/mode/{subject}", CALL_WRITES, true, put_mode, "sets it" },
    { "DELETE", "/mode/{subject}", CALL_WRITES, true, delete_mode, "unsets it" },
};
const size_t config_route_count = ARRAY_LEN(config_routes);
