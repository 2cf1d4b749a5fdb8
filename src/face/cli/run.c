/* haus run <service>: one service alone, in the foreground. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
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

static enum exit_code run_service(struct house *house, int argc, char **argv)
{
    const struct service *service = service_find(argv[0]);
    struct station station = { 0 };
    struct err err = { 0 };

    (void)argc;
    if (!service) {
        fprintf(stderr, "haus: there is no service '%s'; 'haus status' lists them\n", argv[0]);
        return EXIT_USAGE;
    }
    if (!follow_supervisor())
        return EXIT_FAILED;
    log_setup(service->name, LOG_INFO, strcmp(settings_get(&house->settings, "HAUS_LOG_FORMAT", "text"), "json") == 0);
    station_block_signals();
    enum rc rc = disk_make_dirs(house->home, 0700, &err);
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
