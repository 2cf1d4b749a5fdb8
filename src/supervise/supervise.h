/*
 * The table of services, and the process that keeps them running.
 *
 * A service is a row: `haus up`, `status`, `urls`, the banner, the console's map and --help are all
 * read off the table.
 */
#ifndef SUPERVISE_SUPERVISE_H
#define SUPERVISE_SUPERVISE_H

#include "base/base.h"
#include "net/net.h"

enum { SERVICE_NEEDS_MAX = 4 };

struct service {
    const char *name, *zone;
    int port;
    const char *scheme;                        /* of the address shown: "http://"; "" for host:port */
    const char *replaces;                      /* what stood here in the compose stack */
    const char *aliases[ENDPOINT_ALIASES_MAX]; /* the compose network's names */
    const char *needs[SERVICE_NEEDS_MAX];      /* started only when these are ready */
    enum rc (*run)(struct station *station, struct err *err);
    const char *summary;                       /* one line of help */
};

extern const struct service services[];
extern const size_t service_count;
const struct service *service_find(const char *name); /* NULL if there is none */

/*
 * A playground as the command line sees it: settings from all places, where state lies, where each
 * service answers.
 */
struct house {
    char *home;       /* absolute; exists */
    char *playground; /* absolute */
    char *host;
    int port_offset;
    struct settings settings;
    struct endpoint *endpoints; /* one a service, in the table's order */
};

struct house_options {
    const char *home;        /* NULL: HAUS_HOME, then ./.haus */
    const char *playground;  /* NULL: HAUS_PLAYGROUND, the folder we are in, the checkout's */
    int port_offset;         /* -1: HAUS_PORT_OFFSET, then what the home was made with, then 0 */
    const char *log_format;  /* NULL: HAUS_LOG_FORMAT, "text" */
};

MUST_CHECK enum rc house_open(const struct house_options *options, struct house *out, struct err *err);
void house_free(struct house *house);
/* Fills the surroundings of one service; texts stay owned by the house. dir is made by mem_printf. */
void house_station(const struct house *house, const struct service *service, struct station *out);
void house_station_free(struct station *station);

#endif
