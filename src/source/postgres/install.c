/*
 * Finds the system's PostgreSQL and leaves root.
 *
 * Subtle: a cluster below a folder that is closed to user postgres (/root, say) cannot be reached by
 * it.  Then this process gets a mount namespace of its own in which the folder also appears where
 * the Debian package put the user's home.  Nothing else on the machine sees that mount.
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "disk/disk.h"
#include "source/postgres/install.h"

#define DEBIAN_ROOT "/usr/lib/postgresql"
#define SERVER_USER "postgres"

static char *has_server(char *bin)
{
    CLEANUP_FREE char *server = mem_printf("%s/postgres", bin);

    if (access(server, X_OK) == 0)
        return bin;
    free(bin);
    return NULL;
}

enum rc install_find(const struct settings *settings, int version, char **bin, struct err *err)
{
    const char *given = settings_get(settings, "HAUS_PG_BIN", "");

    if (given[0]) {
        *bin = has_server(mem_strdup(given));
        if (*bin)
            return RC_OK;
        return err_set(err, RC_NOT_FOUND, "cannot find PostgreSQL: '%s/postgres' is not there; correct HAUS_PG_BIN",
                       given);
    }
    int newest = version ? version : POSTGRES_NEWEST;
    int oldest = version ? version : POSTGRES_OLDEST;
    for (int v = newest; v >= oldest; v--) {
        *bin = has_server(mem_printf(DEBIAN_ROOT "/%d/bin", v));
        if (*bin)
            return RC_OK;
    }
    if (version)
        return err_set(err, RC_NOT_FOUND,
                       "cannot find PostgreSQL %d, which made this cluster, under '" DEBIAN_ROOT
                       "'; install 'postgresql-%d', set HAUS_PG_BIN, or begin anew with 'haus reset'",
                       version, version);
    return err_set(err, RC_NOT_FOUND,
                   "cannot find PostgreSQL %d to %d under '" DEBIAN_ROOT
                   "'; install it (apt-get install postgresql) or set HAUS_PG_BIN to the folder that holds 'initdb'",
                   POSTGRES_OLDEST, POSTGRES_NEWEST);
}

/* Asks as the user itself, so that every folder on the way counts. */
static bool can_reach(const struct passwd *user, const char *dir)
{
    if (setegid(user->pw_gid) < 0 || seteuid(user->pw_uid) < 0)
        return false;
    bool ok = faccessat(AT_FDCWD, dir, R_OK | W_OK | X_OK, AT_EACCESS) == 0;
    return seteuid(0) == 0 && setegid(0) == 0 && ok;
}

static enum rc show_elsewhere(const struct passwd *user, const char *dir, struct err *err)
{
    bool ok = unshare(CLONE_NEWNS) == 0 && mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
              mount(dir, user->pw_dir, NULL, MS_BIND, NULL) == 0;

    if (ok)
        return RC_OK;
    return err_set_errno(err, errno,
                         "cannot start the server: user '" SERVER_USER
                         "' cannot reach '%s' because a folder above it is closed; set HAUS_HOME to a folder it can "
                         "reach, such as /var/lib/haus (a private mount of it failed too)",
                         dir);
}

static enum rc give(const char *home, const char *dir, const struct passwd *user, struct err *err)
{
    if (chown(home, 0, user->pw_gid) < 0 || chmod(home, 0710) < 0)
        return err_set_errno(err, errno, "cannot let user '" SERVER_USER "' pass through '%s'", home);
    if (chown(dir, user->pw_uid, user->pw_gid) < 0 || chmod(dir, 0700) < 0)
        return err_set_errno(err, errno, "cannot give '%s' to user '" SERVER_USER "'", dir);
    return RC_OK;
}

enum rc install_drop_root(const char *home, const char *dir, char **seen_as, struct err *err)
{
    *seen_as = mem_strdup(dir);
    if (geteuid() != 0)
        return RC_OK;
    const struct passwd *user = getpwnam(SERVER_USER);
    if (!user)
        return err_set(err, RC_NOT_FOUND,
                       "cannot start the server as root: there is no user '" SERVER_USER
                       "'; install the package 'postgresql' or run haus as another user");
    enum rc rc = give(home, dir, user, err);
    if (rc)
        return rc;
    if (!can_reach(user, dir)) {
        rc = show_elsewhere(user, dir, err);
        if (rc)
            return rc;
        free(*seen_as);
        *seen_as = mem_strdup(user->pw_dir);
    }
    if (initgroups(SERVER_USER, user->pw_gid) < 0 || setgid(user->pw_gid) < 0 || setuid(user->pw_uid) < 0)
        return err_set_errno(err, errno, "cannot become user '" SERVER_USER "'");
    return RC_OK;
}
