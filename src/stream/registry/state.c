/* Applies records of _schemas and answers questions about what they add up to. */
#include "stream/registry/state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "wire/avro/avro.h"

static struct str str_copy(struct str s)
{
    return str_n(str_dup(s), s.len);
}

static void str_free(struct str *s)
{
    free((char *)(uintptr_t)s->p);
    *s = (struct str){ 0 };
}

static struct str text_of(const json_t *value)
{
    return json_is_string(value) ? str_n(json_string_value(value), json_string_length(value)) : (struct str){ 0 };
}

/* ---------------------------------------------------------------- contexts and ids */

void state_split_subject(struct str name, struct str *context, struct str *subject)
{
    const char *colon;

    *context = STR(".");
    *subject = name;
    if (!str_starts(name, ":."))
        return;
    colon = memchr(name.p + 1, ':', name.len - 1);
    *context = str_n(name.p + 1, colon ? (size_t)(colon - name.p) - 1 : name.len - 1);
    *subject = colon ? str_skip(name, (size_t)(colon - name.p) + 1) : STR("");
}

static struct context *context_make(struct state *state, struct str name)
{
    struct context *context = map_get(&state->contexts, name);

    if (!context) {
        context = NEW(struct context);
        context->name = str_dup(name);
        map_put(&state->contexts, name, context);
    }
    return context;
}

static struct str id_text(int id, char text[static 16])
{
    snprintf(text, 16, "%d", id);
    return str_of(text);
}

char *state_hash(struct str text, const json_t *references, const json_t *metadata, const json_t *rule_set)
{
    const json_t *parts[] = { references, metadata, rule_set };
    struct buf out = { 0 };

    buf_put_str(&out, text);
    for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
        buf_putc(&out, '\n');
        if (parts[i] && (json_array_size(parts[i]) || json_object_size(parts[i])))
            avro_json_print(parts[i], &out);
    }
    return buf_take(&out);
}

static void schema_release(struct schema *schema)
{
    char text[16];

    if (--schema->uses > 0)
        return;
    if (map_get(&schema->context->by_id, id_text(schema->id, text)) == schema)
        map_remove(&schema->context->by_id, id_text(schema->id, text));
    if (map_get(&schema->context->by_hash, str_of(schema->hash)) == schema)
        map_remove(&schema->context->by_hash, str_of(schema->hash));
    json_decref(schema->references);
    json_decref(schema->metadata);
    json_decref(schema->rule_set);
    str_free(&schema->type);
    str_free(&schema->text);
    free(schema->hash);
    free(schema);
}

/* One more use of the context's schema with this id and content. */
static struct schema *schema_use(struct context *context, int id, const json_t *value)
{
    json_t *references = json_object_get(value, "references"), *metadata = json_object_get(value, "metadata");
    json_t *rule_set = json_object_get(value, "ruleSet");
    struct str type = text_of(json_object_get(value, "schemaType"));
    struct str text = text_of(json_object_get(value, "schema"));
    CLEANUP_FREE char *hash = state_hash(text, references, metadata, rule_set);
    char number[16];
    struct schema *schema = map_get(&context->by_id, id_text(id, number));

    context->max_id = MAX(context->max_id, id);
    if (schema && strcmp(schema->hash, hash) == 0) {
        schema->uses++;
        return schema;
    }
    schema = NEW(struct schema);
    *schema = (struct schema){ .id = id,
                               .type = str_copy(type.p ? type : STR("AVRO")),
                               .text = str_copy(text),
                               .references = json_incref(references),
                               .metadata = json_incref(metadata),
                               .rule_set = json_incref(rule_set),
                               .hash = TAKE_PTR(hash),
                               .context = context,
                               .uses = 1 };
    map_put(&context->by_id, str_of(number), schema);
    if (!map_get(&context->by_hash, str_of(schema->hash)))
        map_put(&context->by_hash, str_of(schema->hash), schema);
    return schema;
}

struct schema *state_schema(const struct state *state, struct str context, int id)
{
    const struct context *found = map_get(&state->contexts, context);
    char text[16];
    return found ? map_get(&found->by_id, id_text(id, text)) : NULL;
}

struct schema *state_schema_by_hash(const struct state *state, struct str context, const char *hash)
{
    const struct context *found = map_get(&state->contexts, context);
    return found ? map_get(&found->by_hash, str_of(hash)) : NULL;
}

int state_max_id(const struct state *state, struct str context)
{
    const struct context *found = map_get(&state->contexts, context);
    return found ? found->max_id : 0;
}

/* ---------------------------------------------------------------- subjects */

struct subject *state_subject(const struct state *state, struct str name)
{
    return map_get(&state->subjects, name);
}

struct version *subject_version(const struct subject *subject, int number)
{
    for (size_t i = 0; subject && i < subject->count; i++)
        if (subject->versions[i].number == number)
            return &subject->versions[i];
    return NULL;
}

struct version *subject_latest(const struct subject *subject, bool deleted_too)
{
    for (size_t i = subject ? subject->count : 0; i-- > 0;)
        if (deleted_too || !subject->versions[i].deleted)
            return &subject->versions[i];
    return NULL;
}

bool subject_has(const struct subject *subject, bool deleted_too)
{
    return subject_latest(subject, deleted_too) != NULL;
}

static void version_release(struct version *version)
{
    schema_release(version->schema);
    str_free(&version->key);
}

static void subject_free(void *p)
{
    struct subject *subject = p;

    for (size_t i = 0; i < subject->count; i++)
        version_release(&subject->versions[i]);
    free(subject->versions);
    str_free(&subject->name);
    free(subject);
}

static void version_remove(struct state *state, struct str name, int number)
{
    struct subject *subject = state_subject(state, name);
    struct version *version = subject_version(subject, number);
    size_t at;

    if (!version)
        return;
    at = (size_t)(version - subject->versions);
    version_release(version);
    memmove(version, version + 1, (--subject->count - at) * sizeof *version);
    if (subject->count)
        return;
    map_remove(&state->subjects, name);
    subject_free(subject);
}

static struct version *version_make(struct subject *subject, int number)
{
    size_t at = subject->count;

    while (at && subject->versions[at - 1].number > number)
        at--;
    subject->versions = mem_grow(subject->versions, subject->count + 1, sizeof *subject->versions);
    memmove(&subject->versions[at + 1], &subject->versions[at], (subject->count++ - at) * sizeof *subject->versions);
    subject->versions[at] = (struct version){ .number = number };
    return &subject->versions[at];
}

static int by_name(const void *a, const void *b)
{
    return str_cmp((*(struct subject *const *)a)->name, (*(struct subject *const *)b)->name);
}

struct subject **state_subjects(const struct state *state, size_t *count)
{
    struct subject **list = mem_grow_zeroed(state->subjects.count, sizeof *list);
    size_t n = 0;

    for (struct map_entry *e = NULL; (e = map_next(&state->subjects, e));)
        list[n++] = e->value;
    qsort(list, n, sizeof *list, by_name);
    *count = n;
    return list;
}

static bool refers_to(const struct schema *schema, struct str subject, int version)
{
    for (size_t i = 0; i < json_array_size(schema->references); i++) {
        const json_t *reference = json_array_get(schema->references, i);
        if (str_eq(text_of(json_object_get(reference, "subject")), subject) &&
            json_integer_value(json_object_get(reference, "version")) == version)
            return true;
    }
    return false;
}

bool state_is_referenced(const struct state *state, struct str subject, int version, bool deleted_too,
                         void (*by)(void *user, int id), void *user)
{
    bool found = false;

    for (struct map_entry *e = NULL; (e = map_next(&state->subjects, e));) {
        const struct subject *other = e->value;
        for (size_t i = 0; i < other->count; i++) {
            if ((other->versions[i].deleted && !deleted_too) || !refers_to(other->versions[i].schema, subject, version))
                continue;
            found = true;
            if (by)
                by(user, other->versions[i].schema->id);
        }
    }
    return found;
}

/* ---------------------------------------------------------------- settings */

static void option_free(void *p)
{
    struct option *option = p;

    if (!option)
        return;
    json_decref(option->value);
    str_free(&option->key);
    free(option);
}

const struct option *state_config(const struct state *state, struct str name)
{
    return map_get(&state->configs, name);
}

const struct option *state_mode(const struct state *state, struct str name)
{
    return map_get(&state->modes, name);
}

static const struct option *in_scope(const struct map *options, struct str name, const char *member)
{
    struct str context, subject;
    const struct option *option = map_get(options, name);

    if (option && json_object_get(option->value, member))
        return option;
    state_split_subject(name, &context, &subject);
    if (!str_is(context, ".")) {
        CLEANUP_FREE char *whole = mem_printf(":%.*s:", STR_ARG(context));
        option = map_get(options, str_of(whole));
        if (option && json_object_get(option->value, member))
            return option;
    }
    option = map_get(options, STR(""));
    return option && json_object_get(option->value, member) ? option : NULL;
}

const struct option *state_config_in_scope(const struct state *state, struct str name, const char *member)
{
    return in_scope(&state->configs, name, member);
}

const struct option *state_mode_in_scope(const struct state *state, struct str name)
{
    return in_scope(&state->modes, name, "mode");
}

/* ---------------------------------------------------------------- records */

struct change {
    struct state *state;
    struct str key;  /* bytes */
    struct str name; /* qualified subject; "" if none */
    const json_t *key_json;
    json_t *value; /* NULL: a tombstone */
};

static bool int_member(const json_t *object, const char *name, int *out)
{
    const json_t *value = json_object_get(object, name);

    if (!json_is_integer(value) || json_integer_value(value) < 0 || json_integer_value(value) > INT32_MAX)
        return false;
    *out = (int)json_integer_value(value);
    return true;
}

static bool apply_schema(struct change *change)
{
    struct str context, unqualified;
    struct subject *subject;
    struct version *version;
    struct schema *schema;
    int number, id;

    if (!change->name.len || !int_member(change->key_json, "version", &number))
        return false;
    if (!change->value) {
        version_remove(change->state, change->name, number);
        return true;
    }
    if (!int_member(change->value, "id", &id) || !json_is_string(json_object_get(change->value, "schema")))
        return false;
    state_split_subject(change->name, &context, &unqualified);
    schema = schema_use(context_make(change->state, context), id, change->value);
    if (!(subject = state_subject(change->state, change->name))) {
        subject = NEW(struct subject);
        subject->name = str_copy(change->name);
        map_put(&change->state->subjects, change->name, subject);
    }
    if ((version = subject_version(subject, number)))
        version_release(version);
    else
        version = version_make(subject, number);
    *version = (struct version){ .number = number,
                                 .deleted = json_is_true(json_object_get(change->value, "deleted")),
                                 .schema = schema,
                                 .key = str_copy(change->key) };
    return true;
}

static bool apply_delete_subject(struct change *change)
{
    struct subject *subject = state_subject(change->state, change->name);
    int number;

    if (!change->value)
        return true;
    if (!int_member(change->value, "version", &number))
        return false;
    for (size_t i = 0; subject && i < subject->count; i++)
        if (subject->versions[i].number <= number)
            subject->versions[i].deleted = true;
    return true;
}

static bool apply_clear_subject(struct change *change)
{
    struct subject *subject = change->value ? state_subject(change->state, change->name) : NULL;

    if (subject) {
        map_remove(&change->state->subjects, change->name);
        subject_free(subject);
    }
    return true;
}

static bool apply_option(struct change *change, struct map *options)
{
    struct option *option;

    if (!change->value) {
        option_free(map_remove(options, change->name));
        return true;
    }
    if (!json_is_object(change->value))
        return false;
    json_object_del(change->value, "subject");
    json_object_del(change->value, "offset");
    json_object_del(change->value, "ts");
    option = NEW(struct option);
    *option = (struct option){ .value = json_incref(change->value), .key = str_copy(change->key) };
    option_free(map_put(options, change->name, option));
    return true;
}

static bool apply_config(struct change *change)
{
    return apply_option(change, &change->state->configs);
}

static bool apply_mode(struct change *change)
{
    return apply_option(change, &change->state->modes);
}

static bool apply_context(struct change *change)
{
    struct str name = text_of(json_object_get(change->key_json, "context"));

    if (change->value && name.len)
        context_make(change->state, name);
    return true;
}

static bool apply_noop(struct change *change UNUSED)
{
    return true;
}

static const struct {
    const char *keytype;
    bool (*apply)(struct change *change);
} record_types[] = {
    { "SCHEMA", apply_schema },
    { "CONFIG", apply_config },
    { "MODE", apply_mode },
    { "DELETE_SUBJECT", apply_delete_subject },
    { "CLEAR_SUBJECT", apply_clear_subject },
    { "CONTEXT", apply_context },
    { "NOOP", apply_noop },
};

static bool apply_change(struct change *change, struct str keytype)
{
    struct str subject = text_of(json_object_get(change->key_json, "subject"));

    change->name = subject.p ? subject : STR("");
    for (size_t i = 0; i < ARRAY_LEN(record_types); i++)
        if (str_is(keytype, record_types[i].keytype))
            return record_types[i].apply(change);
    return false;
}

enum rc state_apply(struct state *state, struct str key, struct str value, struct err *err)
{
    json_t *key_json = json_loadb(key.p ? key.p : "", key.len, JSON_ALLOW_NUL, NULL);
    json_t *value_json = value.p ? json_loadb(value.p, value.len, JSON_ALLOW_NUL, NULL) : NULL;
    struct change change = { .state = state, .key = key, .key_json = key_json, .value = value_json };
    bool ok = key_json && (!value.p || value_json);

    ok = ok && apply_change(&change, text_of(json_object_get(key_json, "keytype")));
    json_decref(key_json);
    json_decref(value_json);
    if (!ok)
        return err_set(err, RC_BAD_INPUT, "not a record of a schema registry: key '%.*s'",
                       (int)MIN(key.len, (size_t)200), key.p ? key.p : "");
    return RC_OK;
}

static void context_free(void *p)
{
    struct context *context = p;

    map_free(&context->by_id, NULL);
    map_free(&context->by_hash, NULL);
    free(context->name);
    free(context);
}

void state_free(struct state *state)
{
    map_free(&state->subjects, subject_free);
    map_free(&state->contexts, context_free);
    map_free(&state->configs, option_free);
    map_free(&state->modes, option_free);
    *state = (struct state){ 0 };
}
