/* haus up, haus down: the house as a whole. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "disk/disk.h"
#include "face/cli/house_steps.h"
#include "source/migrate/migrate.h"

enum {
    WAIT_TALK_MS = 5000,
    LEFT_BEHIND_MS = 1000,
    LEFT_BEHIND_SERVER_MS = 5000,
    TOLD_WAIT_MS = 2000,
    TOLD_STEP_MS = 50,
};

bool house_select(int argc, char **argv, bool *wanted)
{
    for (size_t i = 0; i < service_count; i++)
        wanted[i] = argc == 0;
    for (int a = 0; a < argc; a++) {
        bool known = false;
        for (size_t i = 0; i < service_count; i++)
            if (strcmp(argv[a], services[i].name) == 0 || strcmp(argv[a], services[i].zone) == 0)
                wanted[i] = known = true;
        if (!known) {
            fail(EXIT_USAGE, "there is no zone or service '%s'; zones: source, stream, lake, face", argv[a]);
            return false;
        }
    }
    return true;
}

/* ---------------------------------------------------------------- start */

static bool is_ours(const struct house_state *state, size_t i)
{
    return state->supervisor && state->services[i].status != SERVICE_STOPPED;
}

static pid_t pid_in(const char *path)
{
    CLEANUP(buf_free) struct buf text = { .max = 256 << 10 };
    struct str rest = { 0 }, line = { 0 };
    int64_t pid = 0;

    if (disk_read_file(path, &text, NULL))
        return 0;
    rest = buf_str(&text);
    str_cut(&rest, '\n', &line);
    return str_to_i64(str_trim(line), 1, INT32_MAX, &pid) ? (pid_t)pid : 0;
}

/* A process that some supervisor of ours started (one run by hand has no such variable). */
static bool is_supervised(pid_t pid)
{
    CLEANUP_FREE char *path = mem_printf("/proc/%d/environ", (int)pid);
    CLEANUP(buf_free) struct buf text = { .max = 4 << 20 };

    return !disk_read_file(path, &text, NULL) && text.len &&
           memmem(text.data, text.len, "HAUS_SUPERVISOR_PID=", strlen("HAUS_SUPERVISOR_PID="));
}

/*
 * The services of a killed supervisor are on their way out; their ports are theirs until they have
 * ended.  One that is slow about it is killed.  PostgreSQL is given more time and then told to stop at once: asked to
 * stop fast while it recovers from a killed backend, PostgreSQL 15 waits for its checkpointer, and that for nobody.
 */
static void wait_for_left_behind(const struct house *house)
{
    for (size_t i = 0; i < service_count; i++) {
        CLEANUP_FREE char *lock = mem_printf("%s/run/%s/lock", house->home, services[i].name);
        CLEANUP_FREE char *postmaster = mem_printf("%s/%s/data/postmaster.pid", house->home, services[i].name);
        bool is_server = services[i].is_ready != NULL;
        pid_t pid = pid_in(is_server ? postmaster : lock);
        CLEANUP(disk_close) int fd = pid && is_supervised(pid) ? (int)syscall(SYS_pidfd_open, pid, 0) : -1;
        struct pollfd ended = { .fd = fd, .events = POLLIN };
        if (fd < 0 || poll(&ended, 1, is_server ? LEFT_BEHIND_SERVER_MS : LEFT_BEHIND_MS) == 1)
            continue;
        kill(pid, is_server ? SIGQUIT : SIGKILL);
        poll(&ended, 1, LEFT_BEHIND_MS);
    }
}

static bool has_told(const struct house_state *state)
{
    for (size_t i = 0; i < service_count; i++)
        if (state->services[i].status != SERVICE_STOPPED)
            return true;
    return false;
}

/*
 * The state, and which wanted ports somebody listens on.  Ports first, and then what a supervisor that is only
 * starting has to tell: so its own services are never taken for somebody else's.
 */
static enum rc look(const struct house *house, const bool *wanted, bool *taken, struct house_state *state,
                    struct err *err)
{
    for (size_t i = 0; i < service_count; i++)
        taken[i] = wanted[i] && !house_is_external(house, &services[i]) &&
                   port_holder(services[i].port + house->port_offset, &(pid_t){ 0 }, (char[PORT_HOLDER_NAME_MAX]){ 0 });
    enum rc rc = house_state_read(house, state, err);
    for (int n = 0; !rc && state->supervisor && !has_told(state) && n < TOLD_WAIT_MS / TOLD_STEP_MS; n++) {
        poll(NULL, 0, TOLD_STEP_MS);
        house_state_free(state);
        rc = house_state_read(house, state, err);
    }
    return rc;
}

static enum exit_code check_ports(const struct house *house, const bool *taken, const struct house_state *state)
{
    struct err err = { 0 };
    enum exit_code code = EXIT_DONE;

    for (size_t i = 0; i < service_count; i++) {
        if (!taken[i] || is_ours(state, i))
            continue;
        port_taken(services[i].port + house->port_offset, &err);
        code = fail(EXIT_FAILED, "cannot start %s: %s", services[i].name, err.text);
    }
    return code;
}

/* Before anything is started: what is external must be there already. */
static enum exit_code check_externals(const struct house *house, const bool *wanted)
{
    enum exit_code code = EXIT_DONE;

    for (size_t i = 0; i < service_count; i++) {
        struct err err = { 0 };
        if (wanted[i] && house_is_external(house, &services[i]) &&
            address_reach(house->endpoints[i].address, REACH_TIMEOUT_MS, &err))
            code = fail(EXIT_FAILED, "the external %s %s; start it, or correct %s", services[i].name, err.text,
                        house_external_setting(services[i].name));
    }
    return code;
}

static void tell_ready(const struct house *house, size_t i, const struct service_state *s)
{
    const char *tick = output_color ? "\033[32m✓\033[0m" : "✓";

    talk("  %s %-9s %-22s %5lld ms", tick, services[i].name, house->endpoints[i].address,
         (long long)(s->ready_ms - s->started_ms));
}

static void tell_waiting(const struct house_state *state, const bool *wanted)
{
    for (size_t i = 0; i < service_count; i++)
        if (wanted[i] && state->services[i].status != SERVICE_READY)
            talk("  … waiting for %s%s%s", services[i].name, state->services[i].reason[0] ? ": " : "",
                 state->services[i].reason);
}

/* true: all there, or one failed (*code says which) */
static bool all_settled(const struct house *house, const struct house_state *state, const bool *wanted, bool *told,
                        enum exit_code *code)
{
    bool all = true;

    for (size_t i = 0; i < service_count; i++) {
        const struct service_state *s = &state->services[i];
        if (!wanted[i] || house_is_external(house, &services[i]))
            continue;
        if (s->status == SERVICE_READY && !told[i]) {
            told[i] = true;
            tell_ready(house, i, s);
        }
        if (s->status == SERVICE_FAILED) {
            *code = fail(EXIT_FAILED, "cannot start %s: %s", services[i].name, s->reason);
            return true;
        }
        all &= s->status == SERVICE_READY;
    }
    if (!state->supervisor) {
        *code = fail(EXIT_FAILED, "the supervisor ended; '%s/logs/supervisor.log' says why", house->home);
        return true;
    }
    return all;
}

static void tell_total(const struct house_state *state)
{
    const struct service_state *database = &state->services[service_find("postgres") - services];
    int64_t last = 0;

    for (size_t i = 0; i < service_count; i++)
        last = MAX(last, state->services[i].ready_ms);
    if (database->ready_ms)
        talk("all ready %lld ms after PostgreSQL", (long long)MAX(last - database->ready_ms, (int64_t)0));
}

/* Each change of the state file wakes us; nothing is asked on a timer. */
static enum exit_code wait_ready(const struct house *house, const bool *wanted)
{
    CLEANUP_FREE char *run = mem_printf("%s/run", house->home);
    CLEANUP(disk_close) int watch = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    bool told[32] = { false };
    enum exit_code code = EXIT_DONE;
    struct err err = { 0 };
    char events[4096];

    inotify_add_watch(watch, run, IN_MOVED_TO | IN_DELETE);
    for (bool settled = false; !settled;) {
        struct house_state state = { 0 };
        if (house_state_read(house, &state, &err))
            return fail_err(&err);
        settled = all_settled(house, &state, wanted, told, &code);
        if (settled && !code)
            tell_total(&state);
        if (!settled && poll(&(struct pollfd){ .fd = watch, .events = POLLIN }, 1, WAIT_TALK_MS) == 0)
            tell_waiting(&state, wanted);
        while (read(watch, events, sizeof events) > 0)
            ;
        house_state_free(&state);
    }
    return code;
}

static bool is_running_all(const struct house *house, const struct house_state *state, const bool *wanted)
{
    for (size_t i = 0; i < service_count; i++)
        if (wanted[i] && !house_is_external(house, &services[i]) &&
            !(state->supervisor && state->services[i].status == SERVICE_READY))
            return false;
    return true;
}

static enum exit_code start(const struct house *house, const bool *wanted)
{
    struct house_state state = { 0 };
    struct err err = { 0 };
    bool all[32], taken[32] = { false };

    if (check_externals(house, wanted))
        return EXIT_FAILED;
    if (house_state_read(house, &state, &err))
        return fail_err(&err);
    bool running = is_running_all(house, &state, wanted);
    if (!state.supervisor)
        wait_for_left_behind(house);
    if (!running) {
        house_state_free(&state);
        if (look(house, wanted, taken, &state, &err))
            return fail_err(&err);
    }
    if (state.supervisor)
        command_tell_other_build(state.supervisor);
    enum exit_code code = running ? EXIT_DONE : check_ports(house, taken, &state);
    for (size_t i = 0; i < service_count; i++)
        all[i] = wanted[i] || is_ours(&state, i);
    house_state_free(&state);
    if (running || code)
        return code;
    if (supervisor_start(house, all, &err))
        return fail_err(&err);
    return wait_ready(house, wanted);
}

/* -------------------------------------------------------------- prepare */

static void say_migration(void *user, const char *line)
{
    (void)user;
    talk("  %s", line);
}

static enum exit_code migrate(const struct house *house)
{
    struct station station = { 0 };
    struct err err = { 0 };
    int applied = 0;

    command_station(house, "postgres", &station);
    CLEANUP_FREE char *folder = mem_printf("%s/migrations", house->playground);
    enum rc rc = RC_OK;
    if (disk_exists(folder))
        rc = migrate_apply(&station, &(struct migrate_options){ .say = say_migration }, &applied, &err);
    house_station_free(&station);
    return rc ? fail_err(&err) : EXIT_DONE;
}

static const char *const buckets[] = { "raw", "lakehouse" };

static enum exit_code make_buckets(const struct house *house)
{
    struct s3_client *client = command_s3(house);
    struct err err = { 0 };
    enum rc rc = RC_OK;

    for (size_t i = 0; !rc && i < ARRAY_LEN(buckets); i++) {
        CLEANUP_FREE char *policy = mem_printf(
            "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Principal\":{\"AWS\":[\"*\"]},"
            "\"Action\":[\"s3:GetBucketLocation\",\"s3:ListBucket\"],\"Resource\":[\"arn:aws:s3:::%s\"]},"
            "{\"Effect\":\"Allow\",\"Principal\":{\"AWS\":[\"*\"]},\"Action\":[\"s3:GetObject\"],"
            "\"Resource\":[\"arn:aws:s3:::%s/*\"]}]}",
            buckets[i], buckets[i]);
        rc = s3_make_bucket(client, buckets[i], &err);
        if (!rc)
            rc = s3_put_bucket_policy(client, buckets[i], policy, &err);
    }
    s3_client_free(client);
    return rc ? fail_err(&err) : EXIT_DONE;
}

static enum exit_code prepare(const struct house *house, const bool *wanted)
{
    enum exit_code code = EXIT_DONE;

    if (wanted[service_find("postgres") - services])
        code = migrate(house);
    if (!code && wanted[service_find("store") - services])
        code = make_buckets(house);
    return code;
}

static bool is_supervised_still(const struct house *house)
{
    struct house_state state = { 0 };
    bool held = !house_state_read(house, &state, NULL) && state.supervisor;

    house_state_free(&state);
    return held;
}

/* A supervisor that has just been killed may still look alive: what was found ready then ends under our hands. */
enum exit_code house_bring_up(const struct house *house, const bool *wanted)
{
    enum exit_code code = start(house, wanted);

    if (code)
        return code;
    code = prepare(house, wanted);
    if (is_supervised_still(house))
        return code;
    talk("the supervisor has ended meanwhile; starting again");
    code = start(house, wanted);
    return code ? code : prepare(house, wanted);
}

/* -------------------------------------------------------------- commands */

static enum exit_code up(struct house *house, int argc, char **argv)
{
    bool wanted[32] = { false };

    if (!house_select(argc, argv, wanted))
        return EXIT_USAGE;
    enum exit_code code = house_bring_up(house, wanted);
    if (!code)
        house_print_urls(house, stderr);
    return code;
}

const struct command command_up = {
    .name = "up",
    .summary = "start services in the background, migrate, make buckets",
    .usage = "[zone|service...]",
    .details =
        "Starts what is not running yet and returns when all of it answers.  Zones: source, stream, lake, face.\n"
        "Neither seeds nor registers connectors; connectors registered earlier come back by themselves.",
    .args_max = -1,
    .run = up,
};

static enum exit_code down(struct house *house, int argc, char **argv)
{
    struct err err = { 0 };

    (void)argc, (void)argv;
    enum rc rc = supervisor_stop(house, &err);
    if (rc == RC_NOT_FOUND) {
        talk("nothing is running");
        return EXIT_DONE;
    }
    return rc ? fail_err(&err) : EXIT_DONE;
}

const struct command command_down = {
    .name = "down",
    .summary = "stop all services",
    .details = "Everything acknowledged is on disk; 'haus up' goes on where it stopped.",
    .run = down,
};

static enum exit_code supervise(struct house *house, int argc, char **argv)
{
    struct err err = { 0 };

    (void)argc, (void)argv;
    log_setup("supervise", LOG_INFO, strcmp(settings_get(&house->settings, "HAUS_LOG_FORMAT", "text"), "json") == 0);
    if (!supervisor_run(house, &err))
        return EXIT_DONE;
    log_error("failed", "cause=%s", err.text);
    return EXIT_FAILED;
}

const struct command command_supervise = {
    .name = "supervise",
    .summary = "keep the wanted services running (started by 'haus up')",
    .hidden = true,
    .run = supervise,
};
