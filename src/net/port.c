/* Who holds a TCP port: the listening socket's inode is looked up in everybody's descriptors. */
#include "net/port.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { TCP_LISTEN = 10 };

static unsigned long inode_in(const char *table, int port)
{
    FILE *file = fopen(table, "re");
    char line[512];
    unsigned long found = 0;

    if (!file)
        return 0;
    while (!found && fgets(line, sizeof line, file)) {
        unsigned local = 0, state = 0;
        unsigned long inode = 0;
        if (sscanf(line, " %*d: %*[0-9A-Fa-f]:%x %*[0-9A-Fa-f]:%*x %x %*s %*s %*s %*s %*s %lu", &local, &state,
                   &inode) == 3 &&
            (int)local == port && state == TCP_LISTEN)
            found = inode ? inode : 1;
    }
    fclose(file);
    return found;
}

static bool process_has(const char *pid, const char *target)
{
    char path[300], link[64];
    bool found = false;

    snprintf(path, sizeof path, "/proc/%s/fd", pid);
    DIR *dir = opendir(path);
    if (!dir)
        return false;
    for (struct dirent *e = NULL; !found && (e = readdir(dir));) {
        ssize_t n = readlinkat(dirfd(dir), e->d_name, link, sizeof link - 1);
        if (n > 0) {
            link[n] = '\0';
            found = strcmp(link, target) == 0;
        }
    }
    closedir(dir);
    return found;
}

static void read_name(const char *pid, char name[static PORT_HOLDER_NAME_MAX])
{
    char path[300];

    snprintf(path, sizeof path, "/proc/%s/comm", pid);
    FILE *file = fopen(path, "re");
    if (!file)
        return;
    if (fgets(name, PORT_HOLDER_NAME_MAX, file))
        name[strcspn(name, "\n")] = '\0';
    fclose(file);
}

bool port_holder(int port, pid_t *pid, char name[static PORT_HOLDER_NAME_MAX])
{
    unsigned long inode = inode_in("/proc/net/tcp", port);
    char target[64];

    *pid = 0;
    name[0] = '\0';
    if (!inode)
        inode = inode_in("/proc/net/tcp6", port);
    if (!inode)
        return false;
    snprintf(target, sizeof target, "socket:[%lu]", inode);
    DIR *dir = opendir("/proc");
    for (struct dirent *e = NULL; dir && !*pid && (e = readdir(dir));)
        if (e->d_name[0] >= '1' && e->d_name[0] <= '9' && process_has(e->d_name, target)) {
            *pid = (pid_t)atoi(e->d_name);
            read_name(e->d_name, name);
        }
    if (dir)
        closedir(dir);
    return true;
}

enum rc port_taken(int port, struct err *err)
{
    pid_t pid = 0;
    char name[PORT_HOLDER_NAME_MAX];

    if (port_holder(port, &pid, name) && pid)
        return err_set(err, RC_EXISTS, "port %d is taken by '%s' (pid %d); stop it or use --port-offset", port, name,
                       (int)pid);
    return err_set(err, RC_EXISTS, "port %d is taken by another process; stop it or use --port-offset", port);
}
