/* Starting and stopping the supervisor from the command line. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "disk/disk.h"
#include "supervise/state.h"

enum { START_WAIT_MS = 10000, STOP_WAIT_MS = 120000 };

static enum rc make_folders(const struct house *house, struct err *err)
{
    static const char *const names[] = { "run", "logs" };
    enum rc rc = disk_make_dirs(house->home, 0700, err);

    for (size_t i = 0; !rc && i < ARRAY_LEN(names); i++) {
        CLEANUP_FREE char *path = mem_printf("%s/%s", house->home, names[i]);
        rc = disk_make_dirs(path, 0700, err);
    }
    return rc ? err_wrap(err, "cannot use '%s' as the home; name another with --home or HAUS_HOME", house->home)
              : RC_OK;
}

static enum rc write_wanted(const struct house *house, const bool *wanted, struct err *err)
{
    CLEANUP_FREE char *path = mem_printf("%s/run/wanted", house->home);
    CLEANUP(buf_free) struct buf text = { 0 };

    for (size_t i = 0; i < service_count; i++)
        if (wanted[i] && !house_is_external(house, &services[i]))
            buf_printf(&text, "%s\n", services[i].name);
    return disk_replace_file(path, buf_cstr(&text), text.len, 0600, err);
}

/* Becomes the supervisor, in a session of its own: closing the terminal does not reach it. */
NORETURN static void become_supervisor(const struct house *house, int told)
{
    CLEANUP_FREE char *log = mem_printf("%s/logs/supervisor.log", house->home);
    CLEANUP_FREE char *offset = mem_printf("%d", house->port_offset);
    int out = open(log, O_WRONLY | O_CREAT | O_APPEND, 0600);
    int in = open("/dev/null", O_RDONLY);

    setsid();
    dup2(in, STDIN_FILENO);
    dup2(out, STDOUT_FILENO);
    dup2(out, STDERR_FILENO);
    dup2(told, 3);
    closefrom(4);
    setenv("HAUS_READY_FD", "3", 1);
    setenv("HAUS_HOME", house->home, 1);
    setenv("HAUS_PLAYGROUND", house->playground, 1);
    setenv("HAUS_PORT_OFFSET", offset, 1);
    setenv("HAUS_LOG_FORMAT", settings_get(&house->settings, "HAUS_LOG_FORMAT", "text"), 1);
    execl("/proc/self/exe", "haus", "supervise", (char *)NULL);
    _exit(127);
}

/* Forks twice, so that the supervisor is nobody's child; the pipe's end says that the first fork is over. */
static enum rc spawn_supervisor(const struct house *house, struct err *err)
{
    int told[2];

    if (pipe2(told, O_CLOEXEC) < 0)
        return err_set_errno(err, errno, "cannot start the supervisor");
    pid_t pid = fork();
    if (pid < 0)
        return err_set_errno(err, errno, "cannot start the supervisor");
    if (pid == 0) {
        if (fork() == 0)
            become_supervisor(house, told[1]);
        _exit(0);
    }
    close(told[1]);
    waitpid(pid, NULL, 0);
    /* the supervisor closes its end when it holds the lock, or by dying */
    struct pollfd wait = { .fd = told[0], .events = POLLIN };
    poll(&wait, 1, START_WAIT_MS);
    close(told[0]);
    if (state_lock_holder(house))
        return RC_OK;
    return err_set(err, RC_FATAL, "cannot start the supervisor; '%s/logs/supervisor.log' says why", house->home);
}

enum rc supervisor_start(const struct house *house, const bool *wanted, struct err *err)
{
    enum rc rc = make_folders(house, err);

    if (!rc)
        rc = write_wanted(house, wanted, err);
    if (rc)
        return rc;
    pid_t pid = state_lock_holder(house);
    if (!pid)
        return spawn_supervisor(house, err);
    if (kill(pid, SIGHUP) < 0)
        return err_set_errno(err, errno, "cannot reach the supervisor (pid %d)", (int)pid);
    return RC_OK;
}

enum rc supervisor_stop(const struct house *house, struct err *err)
{
    pid_t pid = state_lock_holder(house);

    if (!pid)
        return err_set(err, RC_NOT_FOUND, "nothing is running in '%s'", house->home);
    CLEANUP(disk_close) int fd = (int)syscall(SYS_pidfd_open, pid, 0);
    struct pollfd wait = { .fd = fd, .events = POLLIN };
    if (fd < 0)
        return RC_OK; /* gone meanwhile */
    if (kill(pid, SIGTERM) < 0)
        return err_set_errno(err, errno, "cannot stop the supervisor (pid %d)", (int)pid);
    if (poll(&wait, 1, STOP_WAIT_MS) == 1)
        return RC_OK;
    return err_set(err, RC_FATAL, "cannot stop the supervisor (pid %d): it did not end in %d s", (int)pid,
                   STOP_WAIT_MS / 1000);
}
