/*
 * haus flow: the main job. Starts the house, seeds it when it is empty, registers the connectors,
 * waits until the rows have come through, builds the stage tables and proves them equal.
 */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "face/cli/house_steps.h"
#include "face/cli/verify.h"
#include "lake/build/build.h"

enum { ASK_AGAIN_MS = 500, PROGRESS_EVERY_MS = 5000, FIRST_ROWS = 10000 };

static int64_t first_rows = FIRST_ROWS;

static bool is_equal(const struct verify_row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!rows[i].equal)
            return false;
    return count > 0;
}

static bool has_rows(const struct house *house, enum exit_code *code)
{
    struct station station = { 0 };
    CLEANUP(pg_close) PGconn *conn = NULL;
    CLEANUP(pg_clear) PGresult *result = NULL;
    struct err err = { 0 };

    command_station(house, "postgres", &station);
    enum rc rc = pg_open(&station, NULL, &conn, &err);
    house_station_free(&station);
    if (!rc)
        rc = pg_query(conn, "SELECT EXISTS (SELECT 1 FROM customers)", NULL, 0, &result, &err);
    *code = rc ? fail_err(&err) : EXIT_DONE;
    return !rc && PQgetvalue(result, 0, 0)[0] == 't';
}

static enum exit_code seed(const struct house *house)
{
    CLEANUP_FREE char *path = mem_printf("/seed/full?count=%lld&batch_size=1000", (long long)first_rows);
    enum exit_code code = EXIT_DONE;
    struct http_answer answer = { 0 };
    struct err err = { 0 };

    if (has_rows(house, &code) || code)
        return code;
    talk("seeding %lld records", (long long)first_rows);
    if (command_http(house, "seeder", "POST", path, NULL, &answer, &err))
        return fail_err(&err);
    if (answer.status / 100 != 2)
        code = fail(EXIT_FAILED, "the seeder answered %d: %s", answer.status, buf_cstr(&answer.body));
    http_answer_free(&answer);
    return code;
}

static enum exit_code apply_connectors(const struct house *house)
{
    size_t count = 0;
    char **files = house_connector_files(house, &count);
    enum exit_code code = EXIT_DONE;

    for (size_t i = 0; i < count; i++) {
        bool changed = false;
        if (!code)
            code = house_apply_connector(house, files[i], &changed);
        if (changed)
            talk("registered %s", strrchr(files[i], '/') + 1);
        free(files[i]);
    }
    free(files);
    return code;
}

/* A connector that failed will not bring the rows: its cause is the answer then. */
static enum exit_code check_connectors(const struct house *house)
{
    struct http_answer answer = { 0 };
    struct err err = { 0 };
    enum exit_code code = EXIT_DONE;

    if (command_http(house, "connect", "GET", "/connectors?expand=status", NULL, &answer, &err))
        return fail_err(&err);
    const char *trace = strstr(buf_cstr(&answer.body), "\"trace\":\"");
    if (trace)
        code = fail(EXIT_FAILED, "a connector has failed: %.*s; see 'haus connector status'",
                    (int)strcspn(trace + 9, "\"\\"), trace + 9);
    http_answer_free(&answer);
    return code;
}

static bool raw_is_complete(const struct verify_row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (rows[i].source != rows[i].log || rows[i].raw_events != rows[i].log_events)
            return false;
    return count > 0;
}

static void tell_way(const struct verify_row *rows, size_t count)
{
    int64_t source = 0, log = 0, raw = 0, events = 0;

    for (size_t i = 0; i < count; i++) {
        source += rows[i].source;
        log += rows[i].log;
        events += rows[i].log_events;
        raw += rows[i].raw_events;
    }
    talk("  … source %lld rows, log %lld, raw %lld of %lld events%s", (long long)source, (long long)log, (long long)raw,
         (long long)events, log == source && raw < events ? " (the sink closes its last files on the minute)" : "");
}

/* Waits for the raw files; the figures are asked again twice a second, which costs little beside the wait. */
static enum exit_code wait_for_raw(const struct house *house)
{
    int64_t told = clock_mono_ms();

    for (;;) {
        struct verify_row *rows = NULL;
        struct err err = { 0 };
        size_t count = 0;
        if (verify_run(house, &rows, &count, &err))
            return fail_err(&err);
        bool complete = raw_is_complete(rows, count);
        if (!complete && clock_mono_ms() - told >= PROGRESS_EVERY_MS) {
            tell_way(rows, count);
            told = clock_mono_ms();
        }
        verify_free(rows, count);
        enum exit_code code = complete ? EXIT_DONE : check_connectors(house);
        if (complete || code)
            return code;
        poll(NULL, 0, ASK_AGAIN_MS);
    }
}

static enum exit_code build(const struct house *house)
{
    struct build_report report = { 0 };
    struct station station = { 0 };
    struct err err = { 0 };

    command_station(house, "store", &station);
    enum rc rc = build_stage(&station, &(struct build_options){ 0 }, &report, &err);
    house_station_free(&station);
    for (size_t i = 0; i < report.count; i++)
        talk("  stage.%s: %lld rows in %.2f s", report.tables[i].name, (long long)report.tables[i].rows,
             report.tables[i].seconds);
    build_report_free(&report);
    return rc ? fail_err(&err) : EXIT_DONE;
}

static enum exit_code prove(const struct house *house)
{
    struct verify_row *rows = NULL;
    struct err err = { 0 };
    size_t count = 0;

    if (verify_run(house, &rows, &count, &err))
        return fail_err(&err);
    bool equal = is_equal(rows, count);
    house_print_urls(house, stderr);
    talk("%s", "");
    verify_print(rows, count);
    verify_free(rows, count);
    return equal ? EXIT_DONE
                 : fail(EXIT_FAILED, "the stations are not equal; 'haus doctor' and 'haus logs' may tell why");
}

static void tell_memory(const struct house *house, int64_t began)
{
    struct house_state state = { 0 };
    uint64_t ours = 0, database = 0;

    if (house_state_read(house, &state, NULL))
        return;
    for (size_t i = 0; i < service_count; i++)
        *(services[i].is_ready ? &database : &ours) +=
            state.services[i].pid ? process_memory(state.services[i].pid, services[i].is_ready != NULL) : 0;
    ours += process_memory(state.supervisor, false);
    house_state_free(&state);
    talk("our services use %.1f MB, PostgreSQL %.1f MB (PSS); done in %.1f s", (double)ours / 1e6,
         (double)database / 1e6, (double)(clock_mono_ms() - began) / 1e3);
}

static enum exit_code flow(struct house *house, int argc, char **argv)
{
    bool wanted[32] = { false };
    int64_t began = clock_mono_ms();
    enum exit_code code = EXIT_DONE;

    (void)argc, (void)argv;
    house_select(0, NULL, wanted);
    code = house_bring_up(house, wanted);
    if (!code)
        code = seed(house);
    if (!code)
        code = apply_connectors(house);
    if (!code)
        talk("waiting until the rows are in the raw files");
    if (!code)
        code = wait_for_raw(house);
    if (!code)
        talk("building the stage tables");
    if (!code)
        code = build(house);
    if (!code)
        code = prove(house);
    tell_memory(house, began);
    return code;
}

const struct command command_flow = {
    .name = "flow",
    .summary = "the main job: start, seed, connect, build, and prove all stations equal",
    .details = "Seeds only an empty storefront.  Exit code 0 when every table is equal at every station.",
    .options = { { "--count", 0, OPTION_NUMBER, &first_rows, "N", "records to seed (10000)" } },
    .run = flow,
};
