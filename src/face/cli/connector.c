/* haus connector apply|list|status|delete: Connect's REST API, with templates. */
#include <ctype.h>
#include <dirent.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "disk/disk.h"
#include "face/cli/house_steps.h"

enum { TEMPLATE_BYTES_MAX = 4 << 20 };

/* ----------------------------------------------------------------- apply */

/* ${file:...}, ${env:...} and the like are Connect's own and stay: their '$' is doubled, which expansion undoes. */
static void keep_connects_own(struct str text, struct buf *out)
{
    for (size_t i = 0; i < text.len; i++) {
        size_t end = i + 2;
        if (end <= text.len && memcmp(text.p + i, "$$", 2) == 0) {
            buf_append(out, text.p + i++, 2);
            continue;
        }
        while (end < text.len && (isalnum((unsigned char)text.p[end]) || text.p[end] == '_'))
            end++;
        bool colon = end + 1 < text.len && text.p[i] == '$' && text.p[i + 1] == '{' && text.p[end] == ':';
        if (colon && !strchr("-?+", text.p[end + 1]))
            buf_putc(out, '$');
        buf_putc(out, text.p[i]);
    }
}

/* ${VAR} is replaced where the settings know it. */
static enum rc expand(const struct house *house, struct str text, struct buf *out, struct err *err)
{
    CLEANUP(buf_free) struct buf kept = { 0 };

    keep_connects_own(text, &kept);
    return settings_expand(&house->settings, buf_str(&kept), out, err);
}

/* The texts in an object, and in the objects in it.  Expanded after parsing, a value may hold any character. */
static enum rc expand_values(const struct house *house, json_t *object, struct err *err)
{
    const char *key = NULL;
    json_t *value = NULL;
    void *next = NULL;

    json_object_foreach_safe(object, next, key, value) {
        CLEANUP(buf_free) struct buf text = { 0 };
        enum rc rc = RC_OK;
        if (json_is_object(value))
            rc = expand_values(house, value, err);
        else if (json_is_string(value) && !(rc = expand(house, str_of(json_string_value(value)), &text, err)))
            json_object_set_new(object, key, json_stringn_nocheck(buf_cstr(&text), text.len));
        if (rc)
            return rc;
    }
    return RC_OK;
}

/* A template is JSON; or it becomes JSON when its variables are replaced ("tasks.max": ${TASKS}). */
static enum rc parse_template(const struct house *house, struct str text, json_t **out, struct err *err)
{
    CLEANUP(buf_free) struct buf expanded = { 0 };
    json_error_t where = { 0 };

    if (str_starts(text, "\xEF\xBB\xBF")) /* a byte order mark */
        text = str_skip(text, 3);
    *out = json_loadb(text.p, text.len, 0, NULL);
    if (*out)
        return json_is_object(*out) ? expand_values(house, *out, err) : RC_OK;
    enum rc rc = expand(house, text, &expanded, err);
    if (!rc && !(*out = json_loadb(buf_cstr(&expanded), expanded.len, 0, &where)))
        return err_set(err, RC_BAD_INPUT, "line %d, column %d: %s", where.line, where.column, where.text);
    return rc;
}

static enum rc read_template(const struct house *house, const char *path, json_t **out, struct err *err)
{
    CLEANUP(buf_free) struct buf text = { .max = TEMPLATE_BYTES_MAX };
    json_t *root = NULL;
    enum rc rc = disk_read_file(path, &text, err);

    if (!rc)
        rc = parse_template(house, buf_str(&text), &root, err);
    if (!rc && (!json_is_string(json_object_get(root, "name")) || !json_is_object(json_object_get(root, "config"))))
        rc = err_set(err, RC_BAD_INPUT, "it must be {\"name\": \"...\", \"config\": {...}}");
    if (rc) {
        json_decref(root);
        return err_wrap(err, "cannot use template '%s'", path);
    }
    *out = root;
    return RC_OK;
}

static char *connector_path(const char *name, const char *rest)
{
    CLEANUP(buf_free) struct buf path = { 0 };

    buf_puts(&path, "/connectors/");
    uri_encode(&path, str_of(name), false);
    buf_puts(&path, rest);
    return buf_take(&path);
}

static enum exit_code tell_refusal(const struct http_answer *answer, const char *name)
{
    json_t *body = json_loadb(buf_cstr(&answer->body), answer->body.len, 0, NULL);
    const char *words = json_string_value(json_object_get(body, "message"));
    enum exit_code code = fail(EXIT_FAILED, "connect refused '%s' (%d): %s", name, answer->status,
                               words ? words : buf_cstr(&answer->body));

    json_decref(body);
    return code;
}

static bool is_same_config(const struct house *house, const char *name, const json_t *config)
{
    CLEANUP_FREE char *path = connector_path(name, "/config");
    struct http_answer answer = { 0 };
    struct err err = { 0 };

    if (command_http(house, "connect", "GET", path, NULL, &answer, &err))
        return false;
    json_t *there = answer.status == 200 ? json_loadb(buf_cstr(&answer.body), answer.body.len, 0, NULL) : NULL;
    if (there && !json_object_get(config, "name"))
        json_object_del(there, "name");
    bool same = there && json_equal(there, config);
    json_decref(there);
    http_answer_free(&answer);
    return same;
}

enum exit_code house_apply_connector(const struct house *house, const char *path, bool *changed)
{
    json_t *root = NULL;
    struct http_answer answer = { 0 };
    struct err err = { 0 };

    *changed = false;
    if (read_template(house, path, &root, &err))
        return fail_err(&err);
    CLEANUP_FREE char *name = mem_strdup(json_string_value(json_object_get(root, "name")));
    CLEANUP_FREE char *target = connector_path(name, "/config");
    CLEANUP_FREE char *body = json_dumps(json_object_get(root, "config"), JSON_COMPACT);
    bool same = is_same_config(house, name, json_object_get(root, "config"));
    json_decref(root);
    if (same)
        return EXIT_DONE;
    if (command_http(house, "connect", "PUT", target, body, &answer, &err))
        return fail_err(&err);
    enum exit_code code = answer.status / 100 == 2 ? EXIT_DONE : tell_refusal(&answer, name);
    *changed = !code;
    http_answer_free(&answer);
    return code;
}

static int text_cmp(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

char **house_connector_files(const struct house *house, size_t *count)
{
    CLEANUP_FREE char *folder = mem_printf("%s/connectors", house->playground);
    DIR *dir = opendir(folder);
    char **files = NULL;

    *count = 0;
    for (struct dirent *e = NULL; dir && (e = readdir(dir));)
        if (e->d_name[0] != '.' && str_ends(str_of(e->d_name), ".json")) {
            files = mem_grow(files, *count + 1, sizeof *files);
            files[(*count)++] = mem_printf("%s/%s", folder, e->d_name);
        }
    if (dir)
        closedir(dir);
    if (*count)
        qsort(files, *count, sizeof *files, text_cmp);
    return files;
}

static enum exit_code apply(struct house *house, int argc, char **argv)
{
    enum exit_code code = command_needs(house, "connect");
    size_t count = (size_t)argc;
    char **files = argc || code ? NULL : house_connector_files(house, &count);

    if (!code && !count)
        code = fail(EXIT_FAILED, "there are no templates in '%s/connectors'", house->playground);
    for (size_t i = 0; !code && i < count; i++) {
        const char *path = files ? files[i] : argv[i];
        bool changed = false;
        code = house_apply_connector(house, path, &changed);
        if (!code)
            talk("%s: %s", path, changed ? "applied" : "unchanged");
    }
    for (size_t i = 0; files && i < count; i++)
        free(files[i]);
    free(files);
    return code;
}

const struct command command_connector_apply = {
    .name = "connector apply",
    .summary = "register connectors from templates, or bring them up to date",
    .usage = "[file...]",
    .details =
        "Without files: all of <playground>/connectors.  ${VAR} and ${VAR:-default} are replaced from the settings.",
    .args_max = -1,
    .run = apply,
};

/* ------------------------------------------------------------------ list */

static enum rc get_json(const struct house *house, const char *path, json_t **out, int *status, struct err *err)
{
    struct http_answer answer = { 0 };
    enum rc rc = command_http(house, "connect", "GET", path, NULL, &answer, err);

    if (rc)
        return rc;
    *status = answer.status;
    *out = json_loadb(buf_cstr(&answer.body), answer.body.len, 0, NULL);
    http_answer_free(&answer);
    return *out ? RC_OK : err_set(err, RC_FATAL, "connect's answer to '%s' is not JSON", path);
}

static const char *task_states(json_t *tasks, struct buf *out)
{
    json_t *task = NULL;
    size_t i = 0;

    json_array_foreach(tasks, i, task)
        buf_printf(out, "%s%s", i ? "," : "", json_string_value(json_object_get(task, "state")));
    return buf_cstr(out);
}

static enum exit_code list(struct house *house, int argc, char **argv)
{
    static const struct listing_column columns[] = {
        { "name", false }, { "type", false }, { "state", false }, { "tasks", false }
    };
    struct listing listing = { columns, ARRAY_LEN(columns), NULL, 0 };
    enum exit_code code = command_needs(house, "connect");
    json_t *root = NULL, *one = NULL;
    const char *name = NULL;
    struct err err = { 0 };
    int status = 0;

    (void)argc, (void)argv;
    if (code)
        return code;
    if (get_json(house, "/connectors?expand=status", &root, &status, &err))
        return fail_err(&err);
    json_object_foreach(root, name, one) {
        CLEANUP(buf_free) struct buf states = { 0 };
        json_t *s = json_object_get(one, "status");
        listing_add(&listing, name, json_string_value(json_object_get(s, "type")),
                    json_string_value(json_object_get(json_object_get(s, "connector"), "state")),
                    task_states(json_object_get(s, "tasks"), &states));
    }
    listing_print(&listing);
    json_decref(root);
    return EXIT_DONE;
}

const struct command command_connector_list = {
    .name = "connector list",
    .summary = "connectors and the state of their tasks",
    .lists = true,
    .run = list,
};

/* ---------------------------------------------------------------- status */

static void print_task(json_t *task)
{
    struct str trace = str_of(json_string_value(json_object_get(task, "trace"))), first = { 0 };

    printf("  task %lld  %-10s %s\n", (long long)json_integer_value(json_object_get(task, "id")),
           json_string_value(json_object_get(task, "state")), json_string_value(json_object_get(task, "worker_id")));
    if (trace.p && str_cut(&trace, '\n', &first))
        printf("    %.*s\n", STR_ARG(first));
}

static enum exit_code read_status(const struct house *house, const char *name, json_t **out)
{
    CLEANUP_FREE char *path = connector_path(name, "/status");
    struct err err = { 0 };
    int status = 0;

    if (get_json(house, path, out, &status, &err))
        return fail_err(&err);
    if (status == 200)
        return EXIT_DONE;
    enum exit_code code = fail(EXIT_FAILED, "%s", json_string_value(json_object_get(*out, "message")));
    json_decref(*out);
    return code;
}

static void print_status(const json_t *root)
{
    json_t *task = NULL;
    size_t i = 0;

    printf("%s  %s\n", json_string_value(json_object_get(root, "name")),
           json_string_value(json_object_get(json_object_get(root, "connector"), "state")));
    json_array_foreach(json_object_get(root, "tasks"), i, task)
        print_task(task);
}

/* The one named (as JSON: an object), or all (as JSON: an array). */
static enum exit_code connector_status(struct house *house, int argc, char **argv)
{
    enum exit_code code = command_needs(house, "connect");
    json_t *names = NULL, *name = NULL, *all = NULL, *one = NULL;
    struct err err = { 0 };
    int status = 0;
    size_t i = 0;

    if (code)
        return code;
    if (argc)
        names = json_pack("[s]", argv[0]);
    else if (get_json(house, "/connectors", &names, &status, &err))
        return fail_err(&err);
    all = json_array();
    json_array_foreach(names, i, name) {
        code = code ? code : read_status(house, json_string_value(name), &one);
        if (!code)
            json_array_append_new(all, one);
    }
    if (output_json && !code) {
        json_dumpf(argc ? json_array_get(all, 0) : all, stdout, JSON_INDENT(2));
        putchar('\n');
    }
    json_array_foreach(all, i, one)
        if (!output_json)
            print_status(one);
    json_decref(names);
    json_decref(all);
    return code;
}

const struct command command_connector_status = {
    .name = "connector status",
    .summary = "one connector's tasks, and why they failed",
    .usage = "[name]",
    .args_max = 1,
    .lists = true,
    .run = connector_status,
};

static enum exit_code connector_delete(struct house *house, int argc, char **argv)
{
    enum exit_code code = command_needs(house, "connect");

    for (int i = 0; !code && i < argc; i++) {
        CLEANUP_FREE char *path = connector_path(argv[i], "");
        struct http_answer answer = { 0 };
        struct err err = { 0 };
        if (command_http(house, "connect", "DELETE", path, NULL, &answer, &err))
            return fail_err(&err);
        if (answer.status / 100 != 2)
            code = tell_refusal(&answer, argv[i]);
        http_answer_free(&answer);
    }
    return code;
}

const struct command command_connector_delete = {
    .name = "connector delete",
    .summary = "delete connectors; their offsets stay",
    .usage = "<name...>",
    .args_min = 1,
    .args_max = -1,
    .run = connector_delete,
};
