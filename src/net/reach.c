/*
 * Whether somebody listens at an address: a connection that is made and closed again.  It says
 * nothing about who that is.
 */
#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/station.h"

static bool connects(const struct addrinfo *to, int timeout_ms, int *error)
{
    int fd = socket(to->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    struct pollfd ready = { .fd = fd, .events = POLLOUT };
    socklen_t size = sizeof *error;

    *error = 0;
    if (fd < 0 || (connect(fd, to->ai_addr, to->ai_addrlen) < 0 && errno != EINPROGRESS))
        *error = errno;
    else if (poll(&ready, 1, timeout_ms) != 1)
        *error = ETIMEDOUT;
    else if (getsockopt(fd, SOL_SOCKET, SO_ERROR, error, &size) < 0)
        *error = errno;
    if (fd >= 0)
        close(fd);
    return *error == 0;
}

static enum rc reach_one(struct str address, int timeout_ms, struct err *err)
{
    const struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
    struct addrinfo *found = NULL;
    struct str host = { 0 };
    int port = 0, error = 0;
    enum rc rc = address_split(address, &host, &port, err);

    if (rc)
        return rc;
    CLEANUP_FREE char *node = str_dup(host);
    CLEANUP_FREE char *service = mem_printf("%d", port);
    int failed = getaddrinfo(node, service, &hints, &found);
    if (failed)
        return err_set(err, RC_RETRY, "'%.*s' does not answer: %s", STR_ARG(address), gai_strerror(failed));
    bool answers = false;
    for (const struct addrinfo *to = found; to && !answers; to = to->ai_next)
        answers = connects(to, timeout_ms, &error);
    freeaddrinfo(found);
    if (answers)
        return RC_OK;
    return err_set(err, RC_RETRY, "'%.*s' does not answer: %s", STR_ARG(address), strerror(error));
}

enum rc address_reach(const char *addresses, int timeout_ms, struct err *err)
{
    struct str rest = str_of(addresses), one = { 0 };
    enum rc rc = RC_BAD_INPUT;

    while (str_cut(&rest, ',', &one))
        if (!(rc = reach_one(str_trim(one), timeout_ms, err)))
            return RC_OK;
    return rc;
}
