/* A station's surroundings; see station.h. */
#include "net/station.h"

#include <assert.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

const char *station_address(const struct station *station, const char *service)
{
    for (size_t i = 0; i < station->endpoint_count; i++)
        if (strcmp(station->endpoints[i].service, service) == 0)
            return station->endpoints[i].address;
    assert(!"a service that is not in the table");
    return "";
}

static bool alias_matches(const char *alias, struct str address)
{
    const char *colon = strrchr(alias, ':');

    return str_is_nocase(address, alias) ||
           (colon && address.len == (size_t)(colon - alias) && strncasecmp(address.p, alias, address.len) == 0);
}

void station_resolve(const struct station *station, struct str address, char out[static ADDRESS_MAX])
{
    for (size_t i = 0; i < station->endpoint_count; i++) {
        const struct endpoint *e = &station->endpoints[i];
        for (size_t k = 0; k < ENDPOINT_ALIASES_MAX && e->aliases[k]; k++)
            if (alias_matches(e->aliases[k], address)) {
                snprintf(out, ADDRESS_MAX, "%s", e->address);
                return;
            }
    }
    snprintf(out, ADDRESS_MAX, "%.*s", STR_ARG(address));
}

void station_resolve_url(const struct station *station, struct str url, struct buf *out)
{
    char address[ADDRESS_MAX];
    size_t host = 0, end = 0;

    for (size_t i = 0; i + 3 <= url.len && !host; i++)
        if (memcmp(url.p + i, "://", 3) == 0)
            host = i + 3;
    for (end = host; end < url.len && !strchr("/?#", url.p[end]); end++)
        ;
    station_resolve(station, str_n(url.p + host, end - host), address);
    buf_append(out, url.p, host);
    buf_puts(out, address);
    buf_append(out, url.p + end, url.len - end);
}

void station_ready(struct station *station)
{
    if (station->ready_fd < 0)
        return;
    ssize_t n = write(station->ready_fd, "ready\n", 6);
    (void)n; /* the supervisor died: its end is ours too, by signal */
    close(station->ready_fd);
    station->ready_fd = -1;
}

static sigset_t stop_signals(void)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    return set;
}

void station_block_signals(void)
{
    sigset_t set = stop_signals();

    signal(SIGPIPE, SIG_IGN);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
}

void station_wait_for_stop(void)
{
    sigset_t set = stop_signals();
    int got = 0;

    sigwait(&set, &got);
    log_info("stopping", "signal=%s", strsignal(got));
}

enum rc address_split(struct str address, struct str *host, int *port, struct err *err)
{
    int64_t number = 0;
    size_t colon = address.len;

    while (colon > 0 && address.p[colon - 1] != ':')
        colon--;
    if (colon < 2)
        return err_set(err, RC_BAD_INPUT, "'%.*s' is not an address; write host:port", STR_ARG(address));
    if (!str_to_i64(str_skip(address, colon), 1, 65535, &number))
        return err_set(err, RC_BAD_INPUT, "'%.*s' is not an address: its port must be a number from 1 to 65535",
                       STR_ARG(address));
    *host = str_n(address.p, colon - 1);
    if (host->len > 2 && host->p[0] == '[' && host->p[host->len - 1] == ']')
        *host = str_n(host->p + 1, host->len - 2);
    *port = (int)number;
    return RC_OK;
}
