/*
 * What the supervisor tells the world: run/state, one line a service, replaced as a whole at every change:
 *
 *     supervisor <pid>
 *     <service> <status> <pid> <restarts> <started ms> <ready ms> <reason, to the end of the line>
 *
 * The file may be older than the supervisor's death: so the pid is checked against the home's lock.
 */
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "disk/disk.h"
#include "supervise/state.h"

static const char *const status_names[] = {
    [SERVICE_STOPPED] = "stopped",
    [SERVICE_STARTING] = "starting",
    [SERVICE_READY] = "ready",
    [SERVICE_FAILED] = "failed",
};

const char *service_status_name(enum service_status status)
{
    return status_names[status];
}

enum rc state_write(const struct house *house, const struct house_state *state, struct err *err)
{
    CLEANUP_FREE char *path = mem_printf("%s/run/state", house->home);
    CLEANUP(buf_free) struct buf text = { 0 };

    buf_printf(&text, "supervisor %d\n", (int)state->supervisor);
    for (size_t i = 0; i < service_count; i++) {
        const struct service_state *s = &state->services[i];
        buf_printf(&text, "%s %s %d %d %lld %lld ", services[i].name, status_names[s->status], (int)s->pid, s->restarts,
                   (long long)s->started_ms, (long long)s->ready_ms);
        for (const char *c = s->reason; *c; c++)
            buf_putc(&text, *c == '\n' ? ' ' : *c);
        buf_putc(&text, '\n');
    }
    /* not flushed: it says what runs now, and after a crash of the machine nothing does */
    CLEANUP_FREE char *temporary = mem_printf("%s.tmp", path);
    CLEANUP(disk_close) int fd = -1;
    enum rc rc = disk_open(temporary, O_WRONLY | O_CREAT | O_TRUNC, 0600, &fd, err);
    if (!rc)
        rc = disk_write_all(fd, buf_cstr(&text), text.len, temporary, err);
    return rc ? rc : disk_rename(temporary, path, err);
}

static void read_line(struct str line, struct house_state *out)
{
    struct str name = { 0 }, field[5] = { 0 };
    static const int64_t max[] = { INT32_MAX, INT32_MAX, INT64_MAX, INT64_MAX };
    int64_t n[ARRAY_LEN(max)] = { 0 };

    str_cut(&line, ' ', &name);
    for (size_t i = 0; i < ARRAY_LEN(field); i++)
        str_cut(&line, ' ', &field[i]);
    const struct service *service = NULL;
    for (size_t i = 0; i < service_count; i++)
        if (str_is(name, services[i].name))
            service = &services[i];
    for (size_t i = 0; i < ARRAY_LEN(n); i++)
        if (!str_to_i64(field[i + 1], 0, max[i], &n[i]))
            return;
    if (!service)
        return;
    struct service_state *s = &out->services[service - services];
    for (size_t i = 0; i < ARRAY_LEN(status_names); i++)
        if (str_is(field[0], status_names[i]))
            s->status = (enum service_status)i;
    s->pid = (pid_t)n[0];
    s->restarts = (int)n[1];
    s->started_ms = n[2];
    s->ready_ms = n[3];
    snprintf(s->reason, sizeof s->reason, "%.*s", STR_ARG(line));
}

pid_t state_lock_holder(const struct house *house)
{
    CLEANUP_FREE char *path = mem_printf("%s/lock", house->home);
    CLEANUP(disk_close) int fd = open(path, O_RDWR | O_CLOEXEC);
    char text[24] = { 0 };
    int64_t pid = 0;

    if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) == 0)
        return 0;
    if (pread(fd, text, sizeof text - 1, 0) <= 0 || !str_to_i64(str_trim(str_of(text)), 1, INT32_MAX, &pid))
        return 0;
    return (pid_t)pid;
}

enum rc house_state_read(const struct house *house, struct house_state *out, struct err *err)
{
    CLEANUP_FREE char *path = mem_printf("%s/run/state", house->home);
    CLEANUP(buf_free) struct buf text = { 0 };
    struct str rest = { 0 }, line = { 0 };

    *out = (struct house_state){ .services = NEW_ARRAY(struct service_state, service_count) };
    out->supervisor = state_lock_holder(house);
    if (!out->supervisor || !disk_exists(path))
        return RC_OK;
    enum rc rc = disk_read_file(path, &text, err);
    if (rc) {
        house_state_free(out);
        return rc;
    }
    rest = buf_str(&text);
    /* a new supervisor holds the lock before it has told anything: what its killed forerunner wrote is of no use */
    CLEANUP_FREE char *teller = mem_printf("supervisor %d", (int)out->supervisor);
    if (!str_cut(&rest, '\n', &line) || !str_is(line, teller))
        return RC_OK;
    while (str_cut(&rest, '\n', &line))
        read_line(line, out);
    return RC_OK;
}

void house_state_free(struct house_state *state)
{
    free(state->services);
    *state = (struct house_state){ 0 };
}

/* --------------------------------------------------------------- memory */

static uint64_t pss_of(pid_t pid)
{
    CLEANUP_FREE char *path = mem_printf("/proc/%d/smaps_rollup", (int)pid);
    FILE *file = fopen(path, "re");
    char line[256];
    unsigned long kib = 0;

    if (!file)
        return 0;
    while (!kib && fgets(line, sizeof line, file))
        (void)!sscanf(line, "Pss: %lu kB", &kib);
    fclose(file);
    return (uint64_t)kib << 10;
}

static uint64_t tree_memory(pid_t pid, int depth)
{
    CLEANUP_FREE char *path = mem_printf("/proc/%d/task/%d/children", (int)pid, (int)pid);
    FILE *file = fopen(path, "re");
    uint64_t total = pss_of(pid);
    int child = 0;

    while (file && depth > 0 && fscanf(file, "%d", &child) == 1)
        total += tree_memory(child, depth - 1);
    if (file)
        fclose(file);
    return total;
}

uint64_t process_memory(pid_t pid, bool with_children)
{
    return tree_memory(pid, with_children ? 4 : 0);
}
