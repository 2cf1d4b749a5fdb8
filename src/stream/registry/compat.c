/*
 * Compatibility of two Avro schemas.  The walk collects every incompatibility with its place, a JSON
 * pointer into the reader's schema.
 *
 * Three habits of Avro-Java 1.11 that show in the messages are kept: a union's branches are looked at
 * from a fresh root, so places inside them begin anew; an enum field without a default whose enum has
 * one is compared with the writer's record; a pair of named types is judged once, and its findings are
 * repeated with their first place.
 */
#include "stream/registry/compat.h"

#include <stdlib.h>
#include <string.h>

enum { PLACE_MAX = 4 * AVRO_SCHEMA_DEPTH_MAX + 8, PAIRS_MAX = 100000 };

enum incompatibility {
    NAME_MISMATCH,
    FIXED_SIZE_MISMATCH,
    MISSING_ENUM_SYMBOLS,
    READER_FIELD_MISSING_DEFAULT_VALUE,
    TYPE_MISMATCH,
    MISSING_UNION_BRANCH,
};

struct finding {
    enum incompatibility kind;
    char *place;  /* "/fields/1" */
    char *detail; /* for additionalInfo */
};

struct findings {
    struct finding *list;
    size_t count;
};

struct pair {
    bool in_progress;
    struct findings findings;
};

struct walk {
    struct map pairs;       /* "<reader>:<writer>" -> struct pair, of named types */
    char *place[PLACE_MAX]; /* tokens, owned */
    size_t place_from;      /* the fresh root's first */
    size_t place_count;
    struct err *err;
    enum rc rc;
};

static const char *const level_names[] = {
    [COMPAT_NONE] = "NONE",
    [COMPAT_BACKWARD] = "BACKWARD",
    [COMPAT_BACKWARD_TRANSITIVE] = "BACKWARD_TRANSITIVE",
    [COMPAT_FORWARD] = "FORWARD",
    [COMPAT_FORWARD_TRANSITIVE] = "FORWARD_TRANSITIVE",
    [COMPAT_FULL] = "FULL",
    [COMPAT_FULL_TRANSITIVE] = "FULL_TRANSITIVE",
};

bool compat_level_of(struct str name, enum compat_level *out)
{
    for (size_t i = 0; i < ARRAY_LEN(level_names); i++) {
        if (str_is_nocase(name, level_names[i])) {
            *out = (enum compat_level)i;
            return true;
        }
    }
    return false;
}

const char *compat_level_name(enum compat_level level)
{
    return level_names[level];
}

bool compat_is_transitive(enum compat_level level)
{
    return level == COMPAT_BACKWARD_TRANSITIVE || level == COMPAT_FORWARD_TRANSITIVE || level == COMPAT_FULL_TRANSITIVE;
}

void compat_messages_free(struct compat_messages *messages)
{
    for (size_t i = 0; i < messages->count; i++)
        free(messages->texts[i]);
    free(messages->texts);
    *messages = (struct compat_messages){ 0 };
}

void compat_messages_add(struct compat_messages *messages, char *text)
{
    messages->texts = mem_grow(messages->texts, messages->count + 1, sizeof *messages->texts);
    messages->texts[messages->count++] = text;
}

/* ---------------------------------------------------------------- findings */

static char *place_text(const struct walk *walk)
{
    struct buf out = { 0 };

    buf_putc(&out, '/');
    for (size_t i = walk->place_from; i < walk->place_count; i++) {
        if (i > walk->place_from)
            buf_putc(&out, '/');
        buf_puts(&out, walk->place[i]);
    }
    return buf_take(&out);
}

static void findings_put(struct findings *findings, struct finding finding)
{
    if (findings->count >= COMPAT_MESSAGES_MAX) {
        free(finding.place);
        free(finding.detail);
        return;
    }
    findings->list = mem_grow(findings->list, findings->count + 1, sizeof *findings->list);
    findings->list[findings->count++] = finding;
}

static void find(struct walk *walk, struct findings *findings, enum incompatibility kind, char *detail)
{
    findings_put(findings, (struct finding){ kind, place_text(walk), detail });
}

static void findings_copy(struct findings *to, const struct findings *from)
{
    for (size_t i = 0; i < from->count; i++)
        findings_put(to, (struct finding){ from->list[i].kind, mem_strdup(from->list[i].place),
                                           mem_strdup(from->list[i].detail) });
}

static void findings_free(struct findings *findings)
{
    for (size_t i = 0; i < findings->count; i++) {
        free(findings->list[i].place);
        free(findings->list[i].detail);
    }
    free(findings->list);
    *findings = (struct findings){ 0 };
}

static bool enter(struct walk *walk, const char *token)
{
    if (walk->place_count == PLACE_MAX) {
        walk->rc = err_set(walk->err, RC_FULL, "the schemas nest too deep to be compared");
        return false;
    }
    walk->place[walk->place_count++] = mem_strdup(token);
    return true;
}

static bool enter_index(struct walk *walk, size_t index)
{
    CLEANUP_FREE char *token = mem_printf("%zu", index);
    return enter(walk, token);
}

static void leave(struct walk *walk)
{
    free(walk->place[--walk->place_count]);
}

/* ---------------------------------------------------------------- rules */

static void check(struct walk *walk, const struct avro_schema *reader, const struct avro_schema *writer,
                  struct findings *findings);

static void check_at(struct walk *walk, const char *token, const struct avro_schema *reader,
                     const struct avro_schema *writer, struct findings *findings)
{
    if (!enter(walk, token))
        return;
    check(walk, reader, writer, findings);
    leave(walk);
}

/* With places that begin anew. */
static void check_afresh(struct walk *walk, const struct avro_schema *reader, const struct avro_schema *writer,
                         struct findings *findings)
{
    size_t from = walk->place_from;

    walk->place_from = walk->place_count;
    check(walk, reader, writer, findings);
    walk->place_from = from;
}

static bool compatible_afresh(struct walk *walk, const struct avro_schema *reader, const struct avro_schema *writer)
{
    struct findings findings = { 0 };
    bool compatible;

    check_afresh(walk, reader, writer, &findings);
    compatible = findings.count == 0;
    findings_free(&findings);
    return compatible;
}

static char *type_word(const struct avro_schema *schema)
{
    char *word = mem_strdup(avro_type_name(schema->type));
    for (char *c = word; *c; c++)
        *c = (char)(*c - 'a' + 'A');
    return word;
}

static void find_type_mismatch(struct walk *walk, const struct avro_schema *reader, const struct avro_schema *writer,
                               struct findings *findings)
{
    CLEANUP_FREE char *r = type_word(reader);
    CLEANUP_FREE char *w = type_word(writer);
    find(walk, findings, TYPE_MISMATCH, mem_printf("reader type: %s not compatible with writer type: %s", r, w));
}

static void find_missing_branch(struct walk *walk, const struct avro_schema *writer, struct findings *findings)
{
    CLEANUP_FREE char *w = type_word(writer);
    find(walk, findings, MISSING_UNION_BRANCH, mem_printf("reader union lacking writer type: %s", w));
}

static void check_names(struct walk *walk, const struct avro_schema *reader, const struct avro_schema *writer,
                        struct findings *findings)
{
    if (str_eq(reader->name, writer->name))
        return;
    for (size_t i = 0; i < reader->alias_count; i++)
        if (str_eq(reader->aliases[i], writer->full_name))
            return;
    if (!enter(walk, "name"))
        return;
    find(walk, findings, NAME_MISMATCH, mem_printf("expected: %.*s", STR_ARG(writer->full_name)));
    leave(walk);
}

static void check_fixed(struct walk *walk, const struct avro_schema *reader, const struct avro_schema *writer,
                        struct findings *findings)
{
    check_names(walk, reader, writer, findings);
    if (reader->size == writer->size || !enter(walk, "size"))
        return;
    find(walk, findings, FIXED_SIZE_MISMATCH,
         mem_printf("expected: %lld, found: %lld", (long long)writer->size, (long long)reader->size));
    leave(walk);
}

static int by_text(const void *a, const void *b)
{
    return str_cmp(*(const struct str *)a, *(const struct str *)b);
}

static void check_enum(struct walk *walk, const struct avro_schema *reader, const struct avro_schema *writer,
                       struct findings *findings)
{
    CLEANUP_FREE struct str *missing = mem_grow_zeroed(writer->symbol_count, sizeof *missing);
    struct buf words = { 0 };
    size_t n = 0;

    check_names(walk, reader, writer, findings);
    for (size_t i = 0; i < writer->symbol_count; i++)
        if (avro_enum_index(reader, writer->symbols[i]) < 0)
            missing[n++] = writer->symbols[i];
    if (!n || reader->fallback_symbol.p || !enter(walk, "symbols"))
        return;
    qsort(missing, n, sizeof *missing, by_text);
    for (size_t i = 0; i < n; i++)
        buf_printf(&words, "%s%.*s", i ? ", " : "[", STR_ARG(missing[i]));
    buf_putc(&words, ']');
    find(walk, findings, MISSING_ENUM_SYMBOLS, buf_take(&words));
    leave(walk);
}

/* The writer's field of the same name or of an alias; NULL: none. */
static const struct avro_field *writers_field(struct walk *walk, const struct avro_schema *writer,
                                              const struct avro_field *field)
{
    const struct avro_field *found = avro_field_find(writer, field->name);

    for (size_t i = 0; i < field->alias_count; i++) {
        const struct avro_field *other = avro_field_find(writer, field->aliases[i]);
        if (found && other)
            walk->rc = err_set(walk->err, RC_BAD_INPUT, "reader field '%.*s' matches several fields of '%.*s'",
                               STR_ARG(field->name), STR_ARG(writer->full_name));
        found = found ? found : other;
    }
    return found;
}

static void check_field(struct walk *walk, const struct avro_field *field, const struct avro_schema *writer,
                        struct findings *findings)
{
    const struct avro_field *written = writers_field(walk, writer, field);

    if (written)
        check_at(walk, "type", field->type, written->type, findings);
    else if (field->fallback)
        return;
    else if (field->type->type == AVRO_ENUM && field->type->fallback_symbol.p)
        check_at(walk, "type", field->type, writer, findings);
    else
        find(walk, findings, READER_FIELD_MISSING_DEFAULT_VALUE, str_dup(field->name));
}

static void check_record(struct walk *walk, const struct avro_schema *reader, const struct avro_schema *writer,
                         struct findings *findings)
{
    check_names(walk, reader, writer, findings);
    if (!enter(walk, "fields"))
        return;
    for (size_t i = 0; i < reader->field_count && !walk->rc; i++) {
        if (!enter_index(walk, i))
            break;
        check_field(walk, &reader->fields[i], writer, findings);
        leave(walk);
    }
    leave(walk);
}

static void check_union(struct walk *walk, const struct avro_schema *reader, const struct avro_schema *writer,
                        struct findings *findings)
{
    for (size_t i = 0; i < writer->branch_count && !walk->rc; i++) {
        if (compatible_afresh(walk, reader, writer->branches[i]) || !enter_index(walk, i))
            continue;
        find_missing_branch(walk, writer->branches[i], findings);
        leave(walk);
    }
}

static bool promotes(enum avro_type writer, enum avro_type reader)
{
    static const struct {
        enum avro_type writer, reader;
    } rows[] = {
        { AVRO_INT, AVRO_LONG },     { AVRO_INT, AVRO_FLOAT },    { AVRO_INT, AVRO_DOUBLE },
        { AVRO_LONG, AVRO_FLOAT },   { AVRO_LONG, AVRO_DOUBLE },  { AVRO_FLOAT, AVRO_DOUBLE },
        { AVRO_STRING, AVRO_BYTES }, { AVRO_BYTES, AVRO_STRING },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (rows[i].writer == writer && rows[i].reader == reader)
            return true;
    return false;
}

static void check_unlike(struct walk *walk, const struct avro_schema *reader, const struct avro_schema *writer,
                         struct findings *findings)
{
    if (writer->type == AVRO_UNION) {
        for (size_t i = 0; i < writer->branch_count && !walk->rc; i++)
            check_afresh(walk, reader, writer->branches[i], findings);
        return;
    }
    if (reader->type == AVRO_UNION) {
        for (size_t i = 0; i < reader->branch_count; i++)
            if (compatible_afresh(walk, reader->branches[i], writer))
                return;
        find_missing_branch(walk, writer, findings);
        return;
    }
    if (!promotes(writer->type, reader->type))
        find_type_mismatch(walk, reader, writer, findings);
}

static void check_alike(struct walk *walk, const struct avro_schema *reader, const struct avro_schema *writer,
                        struct findings *findings)
{
    switch (reader->type) {
    case AVRO_ARRAY:
    case AVRO_MAP:
        check_at(walk, reader->type == AVRO_ARRAY ? "items" : "values", reader->items, writer->items, findings);
        return;
    case AVRO_FIXED:
        check_fixed(walk, reader, writer, findings);
        return;
    case AVRO_ENUM:
        check_enum(walk, reader, writer, findings);
        return;
    case AVRO_RECORD:
        check_record(walk, reader, writer, findings);
        return;
    case AVRO_UNION:
        check_union(walk, reader, writer, findings);
        return;
    default:
        return; /* the same primitive */
    }
}

/* A pair of named types is judged once; while it is being judged it counts as compatible. */
static void check_pair(struct walk *walk, const struct avro_schema *reader, const struct avro_schema *writer,
                       struct findings *findings)
{
    CLEANUP_FREE char *key = mem_printf("%p:%p", (const void *)reader, (const void *)writer);
    struct pair *pair = map_get(&walk->pairs, str_of(key));

    if (!pair) {
        if (walk->pairs.count >= PAIRS_MAX) {
            walk->rc = err_set(walk->err, RC_FULL, "the schemas are too large to be compared");
            return;
        }
        pair = NEW(struct pair);
        pair->in_progress = true;
        map_put(&walk->pairs, str_of(key), pair);
        check_alike(walk, reader, writer, &pair->findings);
        pair->in_progress = false;
    }
    if (!pair->in_progress)
        findings_copy(findings, &pair->findings);
}

static void check(struct walk *walk, const struct avro_schema *reader, const struct avro_schema *writer,
                  struct findings *findings)
{
    if (walk->rc)
        return;
    if (reader->type != writer->type)
        check_unlike(walk, reader, writer, findings);
    else if (reader->full_name.p)
        check_pair(walk, reader, writer, findings);
    else
        check_alike(walk, reader, writer, findings);
}

/* ---------------------------------------------------------------- messages */

static const char *const kind_names[] = {
    [NAME_MISMATCH] = "NAME_MISMATCH",
    [FIXED_SIZE_MISMATCH] = "FIXED_SIZE_MISMATCH",
    [MISSING_ENUM_SYMBOLS] = "MISSING_ENUM_SYMBOLS",
    [READER_FIELD_MISSING_DEFAULT_VALUE] = "READER_FIELD_MISSING_DEFAULT_VALUE",
    [TYPE_MISMATCH] = "TYPE_MISMATCH",
    [MISSING_UNION_BRANCH] = "MISSING_UNION_BRANCH",
};

static void put_description(const struct finding *finding, const char *reader, const char *writer, struct buf *out)
{
    const char *place = finding->place;

    switch (finding->kind) {
    case NAME_MISMATCH:
        buf_printf(out, "The name of the schema has changed (path '%s')", place);
        return;
    case FIXED_SIZE_MISMATCH:
        buf_printf(out, "The size of FIXED type field at path '%s' in the %s schema does not match with the %s schema",
                   place, reader, writer);
        return;
    case MISSING_ENUM_SYMBOLS:
        buf_printf(out, "The %s schema is missing enum symbols '%s' at path '%s' in the %s schema", reader,
                   finding->detail, place, writer);
        return;
    case READER_FIELD_MISSING_DEFAULT_VALUE:
        buf_printf(out,
                   "The field '%s' at path '%s' in the %s schema has no default value and is missing in the %s schema",
                   finding->detail, place, reader, writer);
        return;
    case TYPE_MISMATCH:
        buf_printf(out, "The type (path '%s') of a field in the %s schema does not match with the %s schema", place,
                   reader, writer);
        return;
    case MISSING_UNION_BRANCH:
        buf_printf(out, "The %s schema is missing a type inside a union field at path '%s' in the %s schema", reader,
                   place, writer);
        return;
    }
}

static enum rc check_one_way(const struct avro_schema *reader, const struct avro_schema *writer,
                             const char *reader_word, const char *writer_word, struct compat_messages *messages,
                             struct err *err)
{
    struct walk walk = { .err = err };
    struct findings findings = { 0 };

    check(&walk, reader, writer, &findings);
    for (size_t i = 0; i < findings.count; i++) {
        struct buf text = { 0 };
        buf_printf(&text, "{errorType:'%s', description:'", kind_names[findings.list[i].kind]);
        put_description(&findings.list[i], reader_word, writer_word, &text);
        buf_printf(&text, "', additionalInfo:'%s'}", findings.list[i].detail);
        compat_messages_add(messages, buf_take(&text));
    }
    findings_free(&findings);
    while (walk.place_count)
        leave(&walk);
    for (struct map_entry *e = NULL; (e = map_next(&walk.pairs, e));)
        findings_free(&((struct pair *)e->value)->findings);
    map_free(&walk.pairs, free);
    return walk.rc;
}

enum rc compat_check(enum compat_level level, const struct avro_schema *new_schema,
                     const struct avro_schema *old_schema, struct compat_messages *messages, struct err *err)
{
    bool forward = level == COMPAT_FORWARD || level == COMPAT_FORWARD_TRANSITIVE;
    bool backward = level == COMPAT_BACKWARD || level == COMPAT_BACKWARD_TRANSITIVE;
    bool full = level == COMPAT_FULL || level == COMPAT_FULL_TRANSITIVE;
    enum rc rc = RC_OK;

    if (forward || full)
        rc = check_one_way(old_schema, new_schema, "old", "new", messages, err);
    if (!rc && (backward || full))
        rc = check_one_way(new_schema, old_schema, "new", "old", messages, err);
    return rc;
}
