/*
 * The supervisor: one libuv loop that keeps the wanted services running.
 *
 * What is wanted lies in run/wanted (a name a line); SIGHUP has it read again.  What is lies in
 * run/state.  There is no other way to talk to the supervisor but SIGTERM: so nothing can be left
 * half said, and a killed one is replaced by the next `haus up`.
 *
 * Subtle: children end with the supervisor (PR_SET_PDEATHSIG in `haus run`), so a killed supervisor
 * leaves no house behind; its successor's children wait for the old ones' locks.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <uv.h>

#include "disk/disk.h"
#include "supervise/state.h"

enum {
    READY_PROBE_MS = 10,   /* while a service with is_ready starts */
    RESTART_FIRST_MS = 50, /* doubled after each start that failed */
    RESTART_LAST_MS = 5000,
    FAILED_AFTER = 5,         /* starts in a row that failed, then the state says so; trying goes on */
    STOP_PATIENCE_MS = 30000, /* then SIGKILL */
    LOG_BYTES_MAX = 16 << 20, /* of a service's log; then it becomes <name>.log.1 at the next start */
    REASON_TAIL_BYTES = 8 << 10,
};

struct child {
    const struct service *service;
    struct supervisor *supervisor;
    struct service_state *state;
    bool wanted, running;
    int failures; /* starts in a row that never became ready */
    uv_process_t process;
    uv_timer_t timer;
    uv_pipe_t ready;
    bool ready_open;
    int64_t log_from; /* size of the log when this start began */
};

struct supervisor {
    const struct house *house;
    uv_loop_t loop;
    uv_signal_t term, interrupt, hangup;
    uv_timer_t patience;
    struct house_state state;
    struct child *children;
    char program[4096]; /* our own path, asked for at the start: a rebuilt program is then found under the same name */
    bool stopping;
};

static void start_child(struct child *child);
static void stop_some(struct supervisor *supervisor);

static void publish(struct supervisor *supervisor)
{
    struct err err = { 0 };

    if (state_write(supervisor->house, &supervisor->state, &err))
        log_error("cannot tell the state", "cause=%s", err.text);
}

/* ------------------------------------------------------ why did it end? */

static char *log_path(const struct child *child)
{
    return mem_printf("%s/logs/%s.log", child->supervisor->house->home, child->service->name);
}

/* value of the last cause="..." in our own lines, else the text of PostgreSQL's last FATAL */
static bool find_cause(struct str tail, char *out, size_t max)
{
    struct str line = { 0 };
    bool found = false;

    while (str_cut(&tail, '\n', &line)) {
        if (!line.p)
            continue;
        const char *cause = memmem(line.p, line.len, "cause=", 6), *fatal = memmem(line.p, line.len, "FATAL:  ", 8);
        const char *at = cause ? cause + 6 : fatal ? fatal + 8 : NULL;
        if (!at)
            continue;
        size_t n = (size_t)(line.p + line.len - at);
        if (n > 1 && at[0] == '"' && at[n - 1] == '"') {
            at++;
            n -= 2;
        }
        snprintf(out, max, "%.*s", (int)n, at);
        found = true;
    }
    return found;
}

/* PostgreSQL's words name no cure */
static const char *cure_of(const char *cause)
{
    bool is_full = strstr(cause, strerror(ENOSPC)) && !strstr(cause, "free some space");

    return is_full ? "; free some space, then it goes on" : "";
}

static void read_reason(const struct child *child, int64_t exit_status, int term_signal, char *out)
{
    CLEANUP_FREE char *path = log_path(child);
    CLEANUP(disk_close) int fd = open(path, O_RDONLY | O_CLOEXEC);
    char tail[REASON_TAIL_BYTES], cause[SERVICE_REASON_MAX - 64];
    size_t n = 0;

    off_t size = fd < 0 ? 0 : lseek(fd, 0, SEEK_END);
    off_t from = MAX((off_t)child->log_from, size - (off_t)sizeof tail);
    if (fd >= 0 && disk_pread(fd, tail, sizeof tail, from, &n, path, NULL))
        n = 0;
    if (term_signal)
        snprintf(out, SERVICE_REASON_MAX, "killed by signal %d (%s)", term_signal, strsignal(term_signal));
    else if (find_cause(str_n(tail, n), cause, sizeof cause))
        snprintf(out, SERVICE_REASON_MAX, "%s%s", cause, cure_of(cause));
    else
        snprintf(out, SERVICE_REASON_MAX, "ended with code %d; see 'haus logs %s'", (int)exit_status,
                 child->service->name);
    for (char *c = out; *c; c++)
        if (*c == '\n')
            *c = ' ';
}

/* -------------------------------------------------------------- starting */

static bool needs_are_ready(const struct child *child)
{
    for (size_t i = 0; i < SERVICE_NEEDS_MAX && child->service->needs[i]; i++) {
        const struct service *need = service_find(child->service->needs[i]);
        const struct child *other = &child->supervisor->children[need - services];
        if (other->wanted && other->state->status != SERVICE_READY)
            return false;
    }
    return true;
}

static void start_waiting(struct supervisor *supervisor)
{
    for (size_t i = 0; i < service_count; i++) {
        struct child *child = &supervisor->children[i];
        if (child->wanted && !child->running && !uv_is_active((uv_handle_t *)&child->timer) && needs_are_ready(child))
            start_child(child);
    }
}

static void become_ready(struct child *child)
{
    if (child->state->status == SERVICE_READY)
        return;
    child->state->status = SERVICE_READY;
    child->state->ready_ms = clock_wall_ms();
    child->failures = 0;
    child->state->reason[0] = '\0';
    log_info("ready", "service=%s pid=%d ms=%lld", child->service->name, (int)child->state->pid,
             (long long)(child->state->ready_ms - child->state->started_ms));
    start_waiting(child->supervisor);
    publish(child->supervisor);
}

static void on_probe(uv_timer_t *timer)
{
    struct child *child = timer->data;
    struct station station = { 0 };

    house_station(child->supervisor->house, child->service, &station);
    if (child->running && child->service->is_ready(&station, child->state->pid)) {
        uv_timer_stop(timer);
        become_ready(child);
    }
    house_station_free(&station);
}

static void on_restart(uv_timer_t *timer)
{
    struct child *child = timer->data;

    if (child->wanted && !child->running && needs_are_ready(child))
        start_child(child);
}

static void on_ready_closed(uv_handle_t *handle)
{
    ((struct child *)handle->data)->ready_open = false;
}

static void on_ready_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *out)
{
    static char bytes[64];

    (void)handle, (void)suggested;
    *out = uv_buf_init(bytes, sizeof bytes);
}

static void on_ready_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *bytes)
{
    struct child *child = stream->data;

    if (n == 0)
        return;
    if (n > 0 && memchr(bytes->base, '\n', (size_t)n))
        become_ready(child);
    uv_close((uv_handle_t *)stream, on_ready_closed);
}

static uint64_t restart_pause(int failures)
{
    uint64_t pause = (uint64_t)RESTART_FIRST_MS << (failures < 10 ? failures : 10);

    return MIN(pause, (uint64_t)RESTART_LAST_MS);
}

static void on_child_exit(uv_process_t *process, int64_t exit_status, int term_signal)
{
    struct child *child = process->data;
    struct service_state *state = child->state;
    bool was_ready = state->status == SERVICE_READY;

    uv_close((uv_handle_t *)process, NULL);
    if (child->ready_open && !uv_is_closing((uv_handle_t *)&child->ready))
        uv_close((uv_handle_t *)&child->ready, on_ready_closed);
    uv_timer_stop(&child->timer);
    child->running = false;
    state->pid = 0;
    state->ready_ms = 0;
    if (!child->wanted) {
        state->status = SERVICE_STOPPED;
        log_info("stopped", "service=%s", child->service->name);
    } else {
        read_reason(child, exit_status, term_signal, state->reason);
        child->failures = was_ready ? 0 : child->failures + 1;
        state->restarts++;
        state->status = child->failures >= FAILED_AFTER ? SERVICE_FAILED : SERVICE_STARTING;
        uint64_t pause = restart_pause(child->failures);
        log_warn("ended, starting it again", "service=%s after_ms=%llu cause=%s", child->service->name,
                 (unsigned long long)pause, state->reason);
        uv_timer_start(&child->timer, on_restart, pause, 0);
    }
    publish(child->supervisor);
    if (child->supervisor->stopping)
        stop_some(child->supervisor);
}

static int open_log(struct child *child)
{
    CLEANUP_FREE char *path = log_path(child);
    CLEANUP_FREE char *older = mem_printf("%s.1", path);
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);

    child->log_from = fd < 0 ? 0 : lseek(fd, 0, SEEK_END);
    if (child->log_from <= LOG_BYTES_MAX)
        return fd;
    struct err err = { 0 };
    if (disk_rename(path, older, &err)) {
        log_warn("a log file is not begun anew", "cause=%s", err.text);
        return fd;
    }
    close(fd);
    child->log_from = 0;
    return open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
}

/* the environment of a service: ours, and what tells it where it belongs */
static char **make_environment(const struct child *child)
{
    extern char **environ;
    const struct house *house = child->supervisor->house;
    size_t n = 0;

    while (environ[n])
        n++;
    char **env = NEW_ARRAY(char *, n + 8);
    size_t at = 0;
    for (size_t i = 0; i < n; i++)
        if (!str_starts(str_of(environ[i]), "HAUS_HOME=") && !str_starts(str_of(environ[i]), "HAUS_PLAYGROUND=") &&
            !str_starts(str_of(environ[i]), "HAUS_PORT_OFFSET=") && !str_starts(str_of(environ[i]), "HAUS_READY_FD=") &&
            !str_starts(str_of(environ[i]), "HAUS_SUPERVISOR_PID="))
            env[at++] = mem_strdup(environ[i]);
    env[at++] = mem_printf("HAUS_HOME=%s", house->home);
    env[at++] = mem_printf("HAUS_PLAYGROUND=%s", house->playground);
    env[at++] = mem_printf("HAUS_PORT_OFFSET=%d", house->port_offset);
    env[at++] = mem_printf("HAUS_SUPERVISOR_PID=%d", (int)getpid());
    if (!child->service->is_ready)
        env[at++] = mem_strdup("HAUS_READY_FD=3");
    return env;
}

static void free_environment(char **env)
{
    for (char **e = env; *e; e++)
        free(*e);
    free(env);
}

static int spawn(struct child *child, int log_fd)
{
    char *self = child->supervisor->program;
    char *args[] = { self, (char[]){ "run" }, (char *)(uintptr_t)child->service->name, NULL };
    char **env = make_environment(child);
    bool has_pipe = !child->service->is_ready;
    uv_stdio_container_t stdio[4] = {
        { .flags = UV_IGNORE },
        { .flags = UV_INHERIT_FD, .data.fd = log_fd },
        { .flags = UV_INHERIT_FD, .data.fd = log_fd },
        { .flags = UV_CREATE_PIPE | UV_WRITABLE_PIPE, .data.stream = (uv_stream_t *)&child->ready },
    };
    uv_process_options_t options = {
        .exit_cb = on_child_exit,
        .file = self,
        .args = args,
        .env = env,
        .stdio_count = has_pipe ? 4 : 3,
        .stdio = stdio,
    };

    if (has_pipe) {
        uv_pipe_init(&child->supervisor->loop, &child->ready, 0);
        child->ready.data = child;
        child->ready_open = true;
    }
    child->process.data = child;
    int failed = uv_spawn(&child->supervisor->loop, &child->process, &options);
    free_environment(env);
    if (failed && has_pipe)
        uv_close((uv_handle_t *)&child->ready, on_ready_closed);
    return failed;
}

static void start_child(struct child *child)
{
    struct service_state *state = child->state;

    if (child->ready_open)
        return; /* the last start's pipe is still closing: its callback comes within this turn, the timer tries again */
    int log_fd = open_log(child);
    int failed = spawn(child, log_fd);
    if (log_fd >= 0)
        close(log_fd);
    if (state->status != SERVICE_FAILED)
        state->status = SERVICE_STARTING;
    state->started_ms = clock_wall_ms();
    if (failed) {
        snprintf(state->reason, sizeof state->reason, "cannot start it: %s", uv_strerror(failed));
        uv_timer_start(&child->timer, on_restart, RESTART_LAST_MS, 0);
    } else {
        child->running = true;
        state->pid = child->process.pid;
        if (child->service->is_ready)
            uv_timer_start(&child->timer, on_probe, READY_PROBE_MS, READY_PROBE_MS);
        else
            uv_read_start((uv_stream_t *)&child->ready, on_ready_alloc, on_ready_read);
    }
    publish(child->supervisor);
}

/* -------------------------------------------------------------- stopping */

static bool is_needed(const struct supervisor *supervisor, const struct child *child)
{
    for (size_t i = 0; i < service_count; i++)
        for (size_t k = 0; supervisor->children[i].running && k < SERVICE_NEEDS_MAX && services[i].needs[k]; k++)
            if (strcmp(services[i].needs[k], child->service->name) == 0)
                return true;
    return false;
}

/* Stops those that nobody who still runs needs; called again at every end until all have ended. */
static void stop_some(struct supervisor *supervisor)
{
    bool any = false;

    for (size_t i = service_count; i-- > 0;) {
        struct child *child = &supervisor->children[i];
        any |= child->running;
        if (!child->running || (!child->wanted && child->state->status == SERVICE_STOPPED) ||
            is_needed(supervisor, child))
            continue;
        if (child->wanted)
            uv_process_kill(&child->process, child->service->stop_signal ? child->service->stop_signal : SIGTERM);
        child->wanted = false;
    }
    if (!any)
        uv_stop(&supervisor->loop);
}

static void on_patience_over(uv_timer_t *timer)
{
    struct supervisor *supervisor = timer->data;

    for (size_t i = 0; i < service_count; i++)
        if (supervisor->children[i].running) {
            log_warn("does not stop, killing it", "service=%s", services[i].name);
            uv_process_kill(&supervisor->children[i].process, SIGKILL);
        }
}

static void on_stop(uv_signal_t *handle, int signal)
{
    struct supervisor *supervisor = handle->data;

    (void)signal;
    if (supervisor->stopping)
        return;
    supervisor->stopping = true;
    log_info("stopping", NULL);
    for (size_t i = 0; i < service_count; i++) {
        struct child *child = &supervisor->children[i];
        if (!child->running) { /* waiting for a restart or for what it needs */
            uv_timer_stop(&child->timer);
            child->wanted = false;
            child->state->status = SERVICE_STOPPED;
        }
    }
    uv_timer_start(&supervisor->patience, on_patience_over, STOP_PATIENCE_MS, STOP_PATIENCE_MS);
    stop_some(supervisor);
}

/* --------------------------------------------------------------- wanted */

static void read_wanted(struct supervisor *supervisor)
{
    CLEANUP_FREE char *path = mem_printf("%s/run/wanted", supervisor->house->home);
    CLEANUP(buf_free) struct buf text = { 0 };
    struct str rest = { 0 }, line = { 0 };

    if (supervisor->stopping || disk_read_file(path, &text, NULL))
        return;
    rest = buf_str(&text);
    while (str_cut(&rest, '\n', &line))
        for (size_t i = 0; i < service_count; i++)
            if (str_is(line, services[i].name))
                supervisor->children[i].wanted = true;
    for (size_t i = 0; i < service_count; i++) {
        struct child *child = &supervisor->children[i];
        if (child->wanted && !child->running && child->state->status == SERVICE_STOPPED)
            child->state->status = SERVICE_STARTING;
        if (child->wanted && !child->running)
            uv_timer_stop(&child->timer); /* asked again: no reason to wait on */
    }
    start_waiting(supervisor);
    publish(supervisor);
}

static void on_hangup(uv_signal_t *handle, int signal)
{
    (void)signal;
    read_wanted(handle->data);
}

static void watch_signal(struct supervisor *supervisor, uv_signal_t *handle, uv_signal_cb on_signal, int signal)
{
    uv_signal_init(&supervisor->loop, handle);
    handle->data = supervisor;
    uv_signal_start(handle, on_signal, signal);
}

static void init(struct supervisor *supervisor)
{
    size_t size = sizeof supervisor->program;

    uv_exepath(supervisor->program, &size);
    uv_loop_init(&supervisor->loop);
    supervisor->state = (struct house_state){ getpid(), NEW_ARRAY(struct service_state, service_count) };
    supervisor->children = NEW_ARRAY(struct child, service_count);
    for (size_t i = 0; i < service_count; i++) {
        struct child *child = &supervisor->children[i];
        *child = (struct child){ .service = &services[i],
                                 .supervisor = supervisor,
                                 .state = &supervisor->state.services[i] };
        uv_timer_init(&supervisor->loop, &child->timer);
        child->timer.data = child;
    }
    uv_timer_init(&supervisor->loop, &supervisor->patience);
    supervisor->patience.data = supervisor;
    watch_signal(supervisor, &supervisor->term, on_stop, SIGTERM);
    watch_signal(supervisor, &supervisor->interrupt, on_stop, SIGINT);
    watch_signal(supervisor, &supervisor->hangup, on_hangup, SIGHUP);
}

/* The pipe on which whoever started us waits until the lock is held and the state is told; -1 without one.  No child
   may inherit it: PostgreSQL would hold it open. */
static int starters_pipe(void)
{
    int64_t fd = -1;

    if (!str_to_i64(str_of(getenv("HAUS_READY_FD")), 3, 65535, &fd) || fcntl((int)fd, F_SETFD, FD_CLOEXEC) < 0)
        fd = -1;
    unsetenv("HAUS_READY_FD");
    return (int)fd;
}

enum rc supervisor_run(const struct house *house, struct err *err)
{
    struct supervisor supervisor = { .house = house };
    CLEANUP(disk_close) int lock = -1;
    CLEANUP(disk_close) int starter = starters_pipe();
    CLEANUP_FREE char *offset_path = mem_printf("%s/run/port-offset", house->home);
    CLEANUP_FREE char *offset = mem_printf("%d\n", house->port_offset);
    CLEANUP_FREE char *state_path = mem_printf("%s/run/state", house->home);
    pid_t holder = 0;
    enum rc rc = disk_lock_dir(house->home, &lock, &holder, err);

    if (!rc)
        rc = disk_replace_file(offset_path, offset, strlen(offset), 0600, err);
    if (rc)
        return rc;
    init(&supervisor);
    read_wanted(&supervisor);
    disk_close(&starter); /* by now the state says what is wanted */
    uv_run(&supervisor.loop, UV_RUN_DEFAULT);
    disk_unlink(state_path, NULL);
    log_info("stopped", NULL);
    house_state_free(&supervisor.state);
    free(supervisor.children);
    return RC_OK;
}
