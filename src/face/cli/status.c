/* haus status, haus urls: what runs, and where it answers. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "face/cli/house_steps.h"

static json_t *service_json(const struct house *house, size_t i, const struct service_state *s)
{
    json_t *row = json_object();
    uint64_t memory = s->pid ? process_memory(s->pid, services[i].is_ready != NULL) : 0;

    json_object_set_new(row, "name", json_string(services[i].name));
    json_object_set_new(row, "zone", json_string(services[i].zone));
    json_object_set_new(row, "pid", s->pid ? json_integer(s->pid) : json_null());
    json_object_set_new(row, "state", json_string(service_status_name(s->status)));
    json_object_set_new(row, "address", json_string(house->endpoints[i].address));
    json_object_set_new(row, "memory_bytes", s->pid ? json_integer((json_int_t)memory) : json_null());
    json_object_set_new(row, "restarts", json_integer(s->restarts));
    json_object_set_new(row, "reason",
                        house->endpoints[i].external ? json_string("external")
                        : s->reason[0]               ? json_string(s->reason)
                                                     : json_null());
    return row;
}

/* ------------------------------------------------------------ connectors */

/* A connector's state is its worst task's, its reason the first line of that task's trace. */
static json_t *connector_json(const char *name, const json_t *connector)
{
    const json_t *status = json_object_get(connector, "status"), *task = NULL;
    const char *state = json_string_value(json_object_get(json_object_get(status, "connector"), "state"));
    struct str trace = { 0 }, first = { 0 };
    size_t i = 0;

    json_array_foreach(json_object_get(status, "tasks"), i, task) {
        const char *of_task = json_string_value(json_object_get(task, "state"));
        if (trace.p || !of_task || strcmp(of_task, "FAILED") != 0)
            continue;
        state = of_task;
        trace = str_of(json_string_value(json_object_get(task, "trace")));
    }
    if (trace.p)
        str_cut(&trace, '\n', &first);
    return json_pack("{s:s,s:s,s:o}", "name", name, "state", state ? state : "UNKNOWN", "reason",
                     first.p ? json_stringn(first.p, first.len) : json_null());
}

/* What connect says of its connectors; empty when it does not run, NULL when it does not answer. */
static json_t *connectors_json(const struct house *house, const struct house_state *state)
{
    enum { PATIENCE_MS = 2000 };
    const struct service *connect = service_find("connect");
    struct http_answer answer = { 0 };
    struct err err = { 0 };
    const char *name = NULL;
    json_t *rows = json_array(), *connector = NULL;

    if (state->services[connect - services].status != SERVICE_READY || house_is_external(house, connect))
        return rows;
    if (command_http_within(house, PATIENCE_MS, "connect", "GET", "/connectors?expand=status", NULL, &answer, &err)) {
        json_decref(rows);
        return NULL;
    }
    json_t *root = json_loadb(answer.body.data ? answer.body.data : "", answer.body.len, 0, NULL);
    json_object_foreach(root, name, connector)
        json_array_append_new(rows, connector_json(name, connector));
    json_decref(root);
    http_answer_free(&answer);
    return rows;
}

static void print_failed_connectors(const struct house *house, const struct house_state *state)
{
    json_t *rows = connectors_json(house, state), *row = NULL;
    size_t i = 0;

    if (!rows)
        printf("\nconnect does not answer\n");
    json_array_foreach(rows, i, row) {
        const char *reason = json_string_value(json_object_get(row, "reason"));
        if (reason)
            printf("\nconnector '%s' has %s: %s\n", json_string_value(json_object_get(row, "name")),
                   json_string_value(json_object_get(row, "state")), reason);
    }
    json_decref(rows);
}

static void print_state_json(const struct house *house, const struct house_state *state)
{
    json_t *rows = json_array(), *connectors = connectors_json(house, state);

    for (size_t i = 0; i < service_count; i++)
        json_array_append_new(rows, service_json(house, i, &state->services[i]));
    json_t *root = json_pack("{s:{s:o},s:o,s:o}", "supervisor", "pid",
                             state->supervisor ? json_integer(state->supervisor) : json_null(), "services", rows,
                             "connectors", connectors ? connectors : json_null());
    json_dumpf(root, stdout, JSON_INDENT(2));
    putchar('\n');
    json_decref(root);
}

static void print_state(const struct house *house, const struct house_state *state)
{
    static const struct listing_column columns[] = { { "service", false }, { "zone", false },  { "state", false },
                                                     { "address", false }, { "pid", true },    { "memory", true },
                                                     { "restarts", true }, { "reason", false } };
    struct listing listing = { columns, ARRAY_LEN(columns), NULL, 0 };
    uint64_t ours = 0;

    for (size_t i = 0; i < service_count; i++) {
        const struct service_state *s = &state->services[i];
        uint64_t memory = s->pid ? process_memory(s->pid, services[i].is_ready != NULL) : 0;
        CLEANUP_FREE char *pid = s->pid ? mem_printf("%d", (int)s->pid) : NULL;
        CLEANUP_FREE char *size = s->pid ? mem_printf("%.1f MB", (double)memory / 1e6) : NULL;
        CLEANUP_FREE char *restarts = mem_printf("%d", s->restarts);
        ours += services[i].is_ready ? 0 : memory;
        listing_add(&listing, services[i].name, services[i].zone,
                    house->endpoints[i].external ? "external" : service_status_name(s->status),
                    house->endpoints[i].address, pid, size, restarts, s->reason[0] ? s->reason : "");
    }
    listing_print(&listing);
    if (state->supervisor) {
        uint64_t self = process_memory(state->supervisor, false);
        printf("\nsupervisor pid %d, %.1f MB; our services together %.1f MB (PSS), state in %s\n",
               (int)state->supervisor, (double)self / 1e6, (double)(ours + self) / 1e6, house->home);
        print_failed_connectors(house, state);
    }
}

static enum exit_code status(struct house *house, int argc, char **argv)
{
    struct house_state state = { 0 };
    struct err err = { 0 };

    (void)argc, (void)argv;
    if (house_state_read(house, &state, &err))
        return fail_err(&err);
    if (output_json)
        print_state_json(house, &state);
    else
        print_state(house, &state);
    enum exit_code code = state.supervisor ? EXIT_DONE : EXIT_NOT_RUNNING;
    if (state.supervisor)
        command_tell_other_build(state.supervisor);
    else
        talk("nothing is running in '%s'; start it with 'haus up'", house->home);
    house_state_free(&state);
    return code;
}

const struct command command_status = {
    .name = "status",
    .summary = "what runs, with state, address, memory, the reason of the last end, and why a connector failed",
    .lists = true,
    .run = status,
};

/* ------------------------------------------------------------------ urls */

/* What a person types or clicks, and with which user; %s is the address. */
static const struct {
    const char *service, *format, *user_setting, *password_setting;
} urls[] = {
    { "console", "http://%s", NULL, NULL },
    { "postgres", "postgresql://%s/storefront", "POSTGRES_USER", "POSTGRES_PASSWORD" },
    { "seeder", "http://%s/docs", NULL, NULL },
    { "log", "%s", NULL, NULL },
    { "registry", "http://%s", NULL, NULL },
    { "connect", "http://%s", NULL, NULL },
    { "store", "http://%s", "MINIO_ROOT_USER", "MINIO_ROOT_PASSWORD" },
};

static bool internal;

static void add_url(const struct house *house, size_t i, struct listing *listing)
{
    const struct endpoint *e = &house->endpoints[service_find(urls[i].service) - services];
    CLEANUP(buf_free) struct buf address = { 0 };
    struct str format = str_of(urls[i].format);
    const char *hole = strstr(urls[i].format, "%s");

    buf_append(&address, format.p, (size_t)(hole - format.p));
    buf_puts(&address, internal && e->aliases[0] ? e->aliases[0] : e->address);
    buf_puts(&address, hole + 2);
    listing_add(listing, urls[i].service, buf_cstr(&address),
                urls[i].user_setting ? settings_get(&house->settings, urls[i].user_setting, "") : "",
                urls[i].password_setting ? settings_get(&house->settings, urls[i].password_setting, "") : "");
}

void house_print_urls(const struct house *house, FILE *out)
{
    fprintf(out, "\nhaus " HAUS_VERSION "  state %s (kept)\n", house->home);
    for (size_t i = 0; i < ARRAY_LEN(urls); i++) {
        struct listing one = { (const struct listing_column[4]){ { "", false } }, 4, NULL, 0 };
        add_url(house, i, &one);
        fprintf(out, "  %-9s %-46s %s%s%s\n", one.cells[0], one.cells[1], one.cells[2], one.cells[2][0] ? " / " : "",
                one.cells[3]);
        for (size_t k = 0; k < one.cell_count; k++)
            free(one.cells[k]);
        free(one.cells);
    }
}

static enum exit_code print_urls(struct house *house, int argc, char **argv)
{
    static const struct listing_column columns[] = {
        { "service", false }, { "url", false }, { "user", false }, { "password", false }
    };
    struct listing listing = { columns, ARRAY_LEN(columns), NULL, 0 };

    (void)argc, (void)argv;
    for (size_t i = 0; i < ARRAY_LEN(urls); i++)
        add_url(house, i, &listing);
    listing_print(&listing);
    return EXIT_DONE;
}

const struct command command_urls = {
    .name = "urls",
    .summary = "every address with user and password",
    .options = { { "--internal", 0, OPTION_FLAG, &internal, NULL,
                   "the compose network's names, which lead here too" } },
    .lists = true,
    .run = print_urls,
};
