/*
 * What a station is given when it runs: where its state lies, where it listens, where the others
 * are.  Stations know each other only by address.
 *
 * The endpoints are the rows of the table of services (supervise/), with what HAUS_EXTERNAL put in
 * their place, and with the names of the compose network as aliases: station_resolve() turns
 * "kafka:29092" into "127.0.0.1:9092" wherever a setting or a connector's JSON holds an address.
 */
#ifndef NET_STATION_H
#define NET_STATION_H

#include "base/base.h"

enum { ENDPOINT_ALIASES_MAX = 4, ADDRESS_MAX = 300 };

struct endpoint {
    const char *service;                       /* "log" */
    char address[ADDRESS_MAX];                 /* "127.0.0.1:9092" */
    const char *aliases[ENDPOINT_ALIASES_MAX]; /* "kafka:29092"; NULL ends them */
    bool external;                             /* not started by us */
};

struct station {
    const char *name;       /* "log"; as in the table of services */
    const char *home;       /* $HAUS_HOME, absolute, exists */
    const char *dir;        /* $HAUS_HOME/<name>; the station makes it if it needs one */
    const char *playground; /* folder with migrations/, connectors/, models/; absolute */
    const char *host;       /* where to listen: "127.0.0.1" */
    int port;
    const struct settings *settings;
    const struct endpoint *endpoints;
    size_t endpoint_count;
    int ready_fd; /* -1: nobody waits */
};

/* Address of a service: "127.0.0.1:9092".  The service must be a row of the table. */
const char *station_address(const struct station *station, const char *service);
/* host:port with aliases and "localhost" names replaced; an unknown name is copied as it is.
 * An alias also matches without its port when the text has none ("schema-registry"). */
void station_resolve(const struct station *station, struct str address, char out[static ADDRESS_MAX]);
/* As station_resolve for a whole URL: "http://schema-registry:8081/x" */
void station_resolve_url(const struct station *station, struct str url, struct buf *out);
/* Tells the supervisor that the station answers now; later calls do nothing. */
void station_ready(struct station *station);
/* Blocks until SIGTERM or SIGINT.  Call station_block_signals() first, before any thread starts. */
void station_block_signals(void);
void station_wait_for_stop(void);
/* Splits "host:port" ("[::1]:9000" too). */
MUST_CHECK enum rc address_split(struct str address, struct str *host, int *port, struct err *err);
/* Whether one of "host:port,host:port" accepts a connection; timeout for each.  RC_RETRY says why not. */
MUST_CHECK enum rc address_reach(const char *addresses, int timeout_ms, struct err *err);

#endif
