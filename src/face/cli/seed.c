/* haus seed: the seeder's API from the command line. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "face/cli/command.h"

static int64_t count = 10000, batch_size = 1000, seed_number = -1;
static const char *rate = "1.0", *updates, *deletes;

/* {"detail": [{"loc": ["query", "batch_size"], "msg": "...", "input": "0"}]}, of which the first is told */
static bool tell_option(const json_t *body)
{
    const json_t *first = json_array_get(json_object_get(body, "detail"), 0);
    const char *name = json_string_value(json_array_get(json_object_get(first, "loc"), 1));
    const char *words = json_string_value(json_object_get(first, "msg"));
    const char *input = json_string_value(json_object_get(first, "input"));
    CLEANUP_FREE char *option = mem_strdup(name);

    if (!name || !words || !input)
        return false;
    for (char *c = option; *c; c++)
        *c = *c == '_' ? '-' : *c;
    fail(EXIT_USAGE, "cannot use '%s' for '--%s': %s", input, option, words);
    return true;
}

enum exit_code command_seeder_refused(const struct http_answer *answer)
{
    json_t *body = json_loadb(answer->body.data, answer->body.len, 0, NULL);
    const char *detail = json_string_value(json_object_get(body, "detail"));
    enum exit_code code = EXIT_FAILED;

    if (answer->status == 422 && tell_option(body))
        code = EXIT_USAGE;
    else
        fail(code, "the seeder answered %d: %.*s", answer->status, detail ? (int)strlen(detail) : (int)answer->body.len,
             detail ? detail : answer->body.data);
    json_decref(body);
    return code;
}

/* Prints the answer; the API's own words when it refuses. */
static enum exit_code call(const struct house *house, const char *method, const char *path)
{
    struct http_answer answer = { 0 };
    struct err err = { 0 };
    enum exit_code code = command_needs(house, "seeder");

    if (code)
        return code;
    if (command_http(house, "seeder", method, path, NULL, &answer, &err))
        return fail_err(&err);
    if (answer.status / 100 == 2)
        printf("%s\n", buf_cstr(&answer.body));
    else
        code = command_seeder_refused(&answer);
    http_answer_free(&answer);
    return code;
}

static enum exit_code seed_full(struct house *house, int argc, char **argv)
{
    CLEANUP_FREE char *tail = seed_number >= 0 ? mem_printf("&seed=%lld", (long long)seed_number) : mem_strdup("");
    CLEANUP_FREE char *path =
        mem_printf("/seed/full?count=%lld&batch_size=%lld%s", (long long)count, (long long)batch_size, tail);

    (void)argc, (void)argv;
    return call(house, "POST", path);
}

const struct command command_seed = {
    .name = "seed",
    .summary = "insert records once: customers, products, orders, items, payments",
    .options = { { "--count", 0, OPTION_NUMBER, &count, "N", "records (10000)" },
                 { "--batch-size", 0, OPTION_NUMBER, &batch_size, "N", "records a transaction (1000)" },
                 { "--seed", 0, OPTION_NUMBER, &seed_number, "N", "the same N gives the same rows" } },
    .run = seed_full,
};

static void put_param(struct buf *path, const char *name, const char *value)
{
    if (!value)
        return;
    buf_puts(path, name);
    uri_encode(path, str_of(value), false);
}

static enum exit_code seed_start(struct house *house, int argc, char **argv)
{
    CLEANUP(buf_free) struct buf path = { 0 };

    (void)argc, (void)argv;
    put_param(&path, "/seed/start?rate=", rate);
    put_param(&path, "&updates=", updates);
    put_param(&path, "&deletes=", deletes);
    return call(house, "POST", buf_cstr(&path));
}

const struct command command_seed_start = {
    .name = "seed start",
    .summary = "send a stream of new records until stopped",
    .options = { { "--rate", 0, OPTION_TEXT, &rate, "R", "batches a second (1.0)" },
                 { "--updates", 0, OPTION_TEXT, &updates, "N", "rows to update after each batch (0)" },
                 { "--deletes", 0, OPTION_TEXT, &deletes, "N", "orders to delete after each batch (0)" } },
    .run = seed_start,
};

static enum exit_code seed_stop(struct house *house, int argc, char **argv)
{
    (void)argc, (void)argv;
    return call(house, "POST", "/seed/stop");
}

const struct command command_seed_stop = { .name = "seed stop", .summary = "stop the stream", .run = seed_stop };

static enum exit_code seed_status(struct house *house, int argc, char **argv)
{
    (void)argc, (void)argv;
    return call(house, "GET", "/status");
}

const struct command command_seed_status = {
    .name = "seed status",
    .summary = "what the seeder does and did",
    .run = seed_status,
};
