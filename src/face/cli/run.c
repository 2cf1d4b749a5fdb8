/* haus run <service>: one service alone, in the foreground. */
#include <fcntl.h>
#include <malloc.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "disk/disk.h"
#include "face/cli/command.h"

/* The descriptor on which the supervisor waits for "ready"; nobody else sets the variable. */
static int ready_fd(void)
{
    int64_t fd = 0;

    if (!str_to_i64(str_of(getenv("HAUS_READY_FD")), 3, 65535, &fd))
        return -1;
    unsetenv("HAUS_READY_FD");
    fcntl((int)fd, F_SETFD, FD_CLOEXEC);
    return (int)fd;
}

/* A service that lost its supervisor ends with it, so that nobody is left holding ports. */
static bool follow_supervisor(void)
{
    int64_t parent = 0;

    if (!str_to_i64(str_of(getenv("HAUS_SUPERVISOR_PID")), 1, INT32_MAX, &parent))
        return true;
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    return getppid() == (pid_t)parent;
}

/* Waits for the one before us: after a killed supervisor its services are still on their way out. */
static enum rc wait_for_holder(pid_t holder, struct err *err)
{
    enum { PATIENCE_MS = 1000, LAST_MS = 2000 };
    CLEANUP(disk_close) int fd = (int)syscall(SYS_pidfd_open, holder, 0);
    struct pollfd wait = { .fd = fd, .events = POLLIN };

    if (fd < 0 || poll(&wait, 1, PATIENCE_MS) == 1)
        return RC_OK;
    log_warn("the process before us does not end, killing it", "pid=%d", (int)holder);
    kill(holder, SIGKILL);
    return poll(&wait, 1, LAST_MS) == 1 ? RC_OK : err->rc;
}

/* One process a service and home; PostgreSQL has a lock of its own. */
static enum rc lock_service(const struct house *house, const struct service *service, bool supervised, int *lock,
                            struct err *err)
{
    CLEANUP_FREE char *dir = mem_printf("%s/run/%s", house->home, service->name);
    pid_t holder = 0;
    enum rc rc = disk_make_dirs(dir, 0700, err);

    if (rc || service->is_ready)
        return rc;
    rc = disk_lock_dir(dir, lock, &holder, err);
    if (rc == RC_EXISTS && supervised && holder && !wait_for_holder(holder, err))
        rc = disk_lock_dir(dir, lock, &holder, err);
    if (rc == RC_EXISTS)
        return err_set(err, rc, "'%s' of '%s' is already run by pid %d; stop it ('haus down') or use another --home",
                       service->name, house->home, (int)holder);
    return rc;
}

/*
 * What a busy minute took goes back to the system after it: few arenas although there are many
 * threads, and large blocks by mmap always (the threshold would else grow with the first one freed).
 */
static void keep_memory_small(void)
{
    enum { ARENAS = 2, MAP_FROM_BYTES = 256 << 10, TRIM_FROM_BYTES = 512 << 10 };

    mallopt(M_ARENA_MAX, ARENAS);
    mallopt(M_MMAP_THRESHOLD, MAP_FROM_BYTES);
    mallopt(M_TRIM_THRESHOLD, TRIM_FROM_BYTES);
}

/* A connection is a descriptor, and may hold a file or two besides; what systems allow at first is 1,024. */
static void raise_file_limit(void)
{
    struct rlimit limit = { 0 };

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
}

static enum exit_code run_service(struct house *house, int argc, char **argv)
{
    const struct service *service = service_find(argv[0]);
    bool supervised = getenv("HAUS_SUPERVISOR_PID") != NULL;
    CLEANUP(disk_close) int lock = -1;
    struct station station = { 0 };
    struct err err = { 0 };

    (void)argc;
    if (!service)
        return fail(EXIT_USAGE, "there is no service '%s'; 'haus --help' lists them", argv[0]);
    if (!follow_supervisor())
        return EXIT_FAILED;
    keep_memory_small();
    raise_file_limit();
    log_setup(service->name, LOG_INFO, strcmp(settings_get(&house->settings, "HAUS_LOG_FORMAT", "text"), "json") == 0);
    station_block_signals();
    enum rc rc = disk_make_dirs(house->home, 0700, &err);
    if (!rc)
        rc = lock_service(house, service, supervised, &lock, &err);
    house_station(house, service, &station);
    station.ready_fd = ready_fd();
    if (!rc)
        rc = service->run(&station, &err);
    house_station_free(&station);
    if (!rc)
        return EXIT_DONE;
    log_error("failed", "cause=%s", err.text);
    return EXIT_FAILED;
}

const struct command command_run = {
    .name = "run",
    .summary = "run one service alone, in the foreground",
    .usage = "<service>",
    .args_min = 1,
    .args_max = 1,
    .run = run_service,
};
