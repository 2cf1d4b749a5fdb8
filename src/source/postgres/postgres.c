/*
 * PostgreSQL as a service: makes the cluster once, then becomes the postmaster, so that the pid which
 * the supervisor knows is the server's own.
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "disk/disk.h"
#include "source/postgres/cluster.h"
#include "source/postgres/install.h"
#include "source/postgres/postgres.h"

/* The server must not inherit our signal mask; and where the supervisor dies, it shuts down (SIGINT: fast). */
static void become_ordinary(int death_signal)
{
    sigset_t none;

    sigemptyset(&none);
    pthread_sigmask(SIG_SETMASK, &none, NULL);
    signal(SIGPIPE, SIG_DFL);
    prctl(PR_SET_PDEATHSIG, death_signal ? SIGINT : 0);
}

static enum rc become_server(const char *bin, const char *dir, struct err *err)
{
    CLEANUP_FREE char *server = mem_printf("%s/postgres", bin);
    CLEANUP_FREE char *data = mem_printf("%s/data", dir);

    execl(server, "postgres", "-D", data, (char *)NULL);
    return err_set(err, RC_FATAL, "cannot run '%s': %s", server, strerror(errno));
}

static enum rc prepare(struct station *station, char **bin, char **dir, struct err *err)
{
    enum rc rc = disk_make_dirs(station->dir, 0700, err);

    if (!rc)
        rc = install_find(station->settings, cluster_version(station->dir), bin, err);
    if (!rc)
        rc = cluster_replace_server(station->dir, err);
    if (!rc)
        rc = install_drop_root(station->home, station->dir, dir, err);
    if (!rc && !cluster_version(*dir))
        rc = cluster_make(station, *bin, *dir, err);
    if (!rc)
        rc = cluster_configure(station, *dir, err);
    return rc;
}

enum rc postgres_run(struct station *station, struct err *err)
{
    CLEANUP_FREE char *bin = NULL;
    CLEANUP_FREE char *dir = NULL;
    pid_t pid = 0;
    char holder[PORT_HOLDER_NAME_MAX];
    int death_signal = 0;

    prctl(PR_GET_PDEATHSIG, &death_signal);
    enum rc rc = prepare(station, &bin, &dir, err);
    if (!rc && port_holder(station->port, &pid, holder))
        rc = port_taken(station->port, err);
    if (rc)
        return rc;
    become_ordinary(death_signal);
    return become_server(bin, dir, err);
}

/* postmaster.pid: pid, data folder, start time, port, socket folder, address, shared memory, status */
bool postgres_is_ready(const struct station *station, pid_t pid)
{
    CLEANUP_FREE char *path = mem_printf("%s/data/postmaster.pid", station->dir);
    CLEANUP(buf_free) struct buf text = { .max = 256 << 10 };
    struct str rest = { 0 }, line = { 0 };
    int64_t written = 0;

    if (disk_read_file(path, &text, NULL))
        return false;
    rest = buf_str(&text);
    if (!str_cut(&rest, '\n', &line) || !str_to_i64(str_trim(line), 1, INT32_MAX, &written) || written != pid)
        return false;
    for (int i = 0; i < 7; i++)
        if (!str_cut(&rest, '\n', &line))
            return false;
    return str_is(str_trim(line), "ready");
}
