/* TCP ports: listening on one, and who holds it: the listening socket's inode is looked up in everybody's descriptors.
 */
#include "net/port.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
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

enum rc port_listen(const char *host, int port, bool v6_only, int *out, struct err *err)
{
    struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_NUMERICSERV };
    struct addrinfo *found = NULL;
    char service[8];
    int yes = 1, only = v6_only;

    snprintf(service, sizeof service, "%d", port);
    int failed = getaddrinfo(host, service, &hints, &found);
    if (failed)
        return err_set(err, RC_BAD_INPUT, "cannot listen on '%s': %s; correct HAUS_HOST", host, gai_strerror(failed));
    int fd = socket(found->ai_family, found->ai_socktype | SOCK_CLOEXEC, 0);
    if (fd >= 0 && found->ai_family == AF_INET6)
        (void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &only, sizeof only); /* else bind tells */
    bool ok = fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) == 0 &&
              bind(fd, found->ai_addr, found->ai_addrlen) == 0 && listen(fd, SOMAXCONN) == 0;
    int saved_errno = errno;
    freeaddrinfo(found);
    if (ok) {
        *out = fd;
        return RC_OK;
    }
    if (fd >= 0)
        close(fd);
    if (saved_errno == EADDRINUSE)
        return port_taken(port, err);
    return err_set_errno(err, saved_errno, "cannot listen on '%s:%d' (HAUS_HOST)", host, port);
}

int port_of_socket(int fd)
{
    struct sockaddr_storage address = { 0 };
    socklen_t n = sizeof address;

    getsockname(fd, (struct sockaddr *)&address, &n);
    return ntohs(address.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&address)->sin6_port
                                               : ((struct sockaddr_in *)&address)->sin_port);
}
