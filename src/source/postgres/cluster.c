/*
 * Makes and configures the cluster below <home>/postgres.
 *
 *     data/            the cluster; data.new while it is being made, renamed when complete
 *     data/haus.conf   our settings, written at every start, included by postgresql.conf
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

#include "disk/disk.h"
#include "source/postgres/cluster.h"

enum { OLD_SERVER_WAIT_MS = 60000, SLOT_WAL_KEEP_MB = 4096 };

int cluster_version(const char *dir)
{
    CLEANUP_FREE char *path = mem_printf("%s/data/PG_VERSION", dir);
    CLEANUP(buf_free) struct buf text = { .max = 128 << 10 };
    int64_t version = 0;

    if (disk_read_file(path, &text, NULL) || !str_to_i64(str_trim(buf_str(&text)), 1, 1000, &version))
        return 0;
    return (int)version;
}

/* Runs a program of the server's with its output on stderr, our log; input may be NULL. */
static enum rc run_program(const char *const *argv, const char *input, struct err *err)
{
    int feed[2];

    if (pipe2(feed, O_CLOEXEC) < 0)
        return err_set_errno(err, errno, "cannot run '%s'", argv[0]);
    pid_t pid = fork();
    if (pid < 0)
        return err_set_errno(err, errno, "cannot run '%s'", argv[0]);
    if (pid == 0) {
        dup2(feed[0], STDIN_FILENO);
        dup2(STDERR_FILENO, STDOUT_FILENO);
        execv(argv[0], (char *const *)(uintptr_t)argv);
        _exit(127);
    }
    close(feed[0]);
    enum rc rc = input ? disk_write_all(feed[1], input, strlen(input), argv[0], err) : RC_OK;
    close(feed[1]);
    int status = 0;
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    if (!rc && status != 0)
        rc = err_set(err, RC_FATAL, "'%s' ended with code %d; the lines above it in the log say why", argv[0],
                     WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
    return rc;
}

static enum rc run_initdb(const struct station *station, const char *bin, const char *data, const char *password_file,
                          struct err *err)
{
    CLEANUP_FREE char *initdb = mem_printf("%s/initdb", bin);
    CLEANUP_FREE char *password = mem_printf("--pwfile=%s", password_file);
    CLEANUP_FREE char *user = mem_printf("--username=%s", settings_get(station->settings, "POSTGRES_USER", "postgres"));
    const char *argv[] = {
        initdb,      "--pgdata", data, user, password, "--encoding=UTF8", "--locale=C.UTF-8", "--auth=scram-sha-256",
        "--no-sync", NULL
    };

    return run_program(argv, NULL, err);
}

static enum rc create_database(const struct station *station, const char *bin, const char *data, struct err *err)
{
    const char *name = settings_get(station->settings, "POSTGRES_DB", "storefront");
    CLEANUP_FREE char *server = mem_printf("%s/postgres", bin);
    CLEANUP(buf_free) struct buf sql = { 0 };

    if (strcmp(name, "postgres") == 0)
        return RC_OK;
    buf_puts(&sql, "CREATE DATABASE \"");
    for (const char *c = name; *c; c++)
        buf_puts(&sql, *c == '"' ? "\"\"" : (char[]){ *c, 0 });
    buf_puts(&sql, "\";\n");
    const char *argv[] = { server, "--single", "-D", data, "-c", "fsync=off", "postgres", NULL };
    return run_program(argv, buf_cstr(&sql), err);
}

static enum rc include_our_file(const char *data, struct err *err)
{
    static const char line[] =
        "\ninclude_if_exists = 'haus.conf'   # port, address, replication: written at every start\n";
    CLEANUP_FREE char *path = mem_printf("%s/postgresql.conf", data);
    CLEANUP(disk_close) int fd = -1;
    enum rc rc = disk_open(path, O_WRONLY | O_APPEND, 0, &fd, err);

    return rc ? rc : disk_write_all(fd, line, sizeof line - 1, path, err);
}

/* initdb and we write without flushing; one flush of the whole file system before the name counts */
static enum rc publish(const char *dir, const char *data_new, struct err *err)
{
    CLEANUP_FREE char *data = mem_printf("%s/data", dir);
    CLEANUP(disk_close) int fd = -1;
    enum rc rc = disk_open(data_new, O_RDONLY | O_DIRECTORY, 0, &fd, err);

    if (rc)
        return rc;
    rc = disk_flush_all(fd, data_new, err);
    if (!rc)
        rc = disk_rename(data_new, data, err);
    return rc ? rc : disk_flush_dir(dir, err);
}

enum rc cluster_make(const struct station *station, const char *bin, const char *dir, struct err *err)
{
    CLEANUP_FREE char *data_new = mem_printf("%s/data.new", dir);
    CLEANUP_FREE char *password_file = mem_printf("%s/password", dir);
    const char *password = settings_get(station->settings, "POSTGRES_PASSWORD", "postgres");
    enum rc rc = disk_remove_tree(data_new, err);

    if (!rc)
        rc = disk_replace_file(password_file, password, strlen(password), 0600, err);
    if (!rc)
        rc = run_initdb(station, bin, data_new, password_file, err);
    enum rc removed = disk_unlink(password_file, rc ? NULL : err);
    if (!rc)
        rc = removed;
    if (!rc)
        rc = create_database(station, bin, data_new, err);
    if (!rc)
        rc = include_our_file(data_new, err);
    if (!rc)
        rc = publish(dir, data_new, err);
    return rc ? err_wrap(err, "cannot make the cluster in '%s'", dir) : RC_OK;
}

enum rc cluster_configure(const struct station *station, const char *dir, struct err *err)
{
    CLEANUP_FREE char *path = mem_printf("%s/data/haus.conf", dir);
    CLEANUP(buf_free) struct buf text = { 0 };

    buf_puts(&text, "# written by haus at every start; put your own settings into postgresql.conf\n");
    buf_printf(&text, "listen_addresses = '%s'\nport = %d\nunix_socket_directories = ''\n", station->host,
               station->port);
    buf_printf(&text,
               "wal_level = logical\nmax_wal_senders = 10\nmax_replication_slots = 10\n"
               "max_slot_wal_keep_size = %dMB\n",
               SLOT_WAL_KEEP_MB);
    buf_puts(&text, "timezone = 'UTC'\nlog_timezone = 'UTC'\nlogging_collector = off\nlog_destination = 'stderr'\n"
                    "log_line_prefix = '%m [%p] '\nshared_buffers = 64MB\n");
    return disk_replace_file(path, buf_cstr(&text), text.len, 0600, err);
}

static pid_t server_pid(const char *dir)
{
    CLEANUP_FREE char *path = mem_printf("%s/data/postmaster.pid", dir);
    CLEANUP(buf_free) struct buf text = { .max = 256 << 10 };
    int64_t pid = 0;
    struct str rest = { 0 }, line = { 0 };

    if (disk_read_file(path, &text, NULL))
        return 0;
    rest = buf_str(&text);
    if (!str_cut(&rest, '\n', &line) || !str_to_i64(str_trim(line), 1, INT32_MAX, &pid))
        return 0;
    /* the number may be somebody else's by now: a postmaster works in its data folder */
    CLEANUP_FREE char *link = mem_printf("/proc/%d/cwd", (int)pid);
    char cwd[4096] = "";
    ssize_t n = readlink(link, cwd, sizeof cwd - 1);
    return n > 0 && str_ends(str_n(cwd, (size_t)n), "/data") ? (pid_t)pid : 0;
}

enum rc cluster_replace_server(const char *dir, struct err *err)
{
    pid_t pid = server_pid(dir);

    if (!pid)
        return RC_OK;
    log_info("ending the server left behind", "pid=%d", (int)pid);
    CLEANUP(disk_close) int fd = (int)syscall(SYS_pidfd_open, pid, 0);
    struct pollfd wait = { .fd = fd, .events = POLLIN };
    if (fd < 0 || kill(pid, SIGINT) < 0)
        return RC_OK; /* gone meanwhile */
    if (poll(&wait, 1, OLD_SERVER_WAIT_MS) == 1)
        return RC_OK;
    return err_set(err, RC_RETRY, "cannot replace the server left behind: pid %d does not stop; kill it by hand",
                   (int)pid);
}
