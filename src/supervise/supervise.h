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
    /* asked while it starts; NULL: it tells by station_ready */
    bool (*is_ready)(const struct station *station, pid_t pid);
    int stop_signal;     /* 0: SIGTERM */
    const char *summary; /* one line of help */
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
    const char *home;       /* NULL: HAUS_HOME, then ./.haus */
    const char *playground; /* NULL: HAUS_PLAYGROUND, the folder we are in, the checkout's */
    int64_t port_offset;    /* -1: HAUS_PORT_OFFSET, then what the home was made with, then 0 */
    const char *log_format; /* NULL: HAUS_LOG_FORMAT, "text" */
};

/* Reads .env files, environment and flags, and makes the endpoints; starts nothing, writes nothing.  Free the house;
 * after an error there is none. */
MUST_CHECK enum rc house_open(const struct house_options *options, struct house *out, struct err *err);
void house_free(struct house *house);
/* Fills the surroundings of one service; texts stay owned by the house. dir is made by mem_printf. */
void house_station(const struct house *house, const struct service *service, struct station *out);
void house_station_free(struct station *station);
/* Is this service ours to start? */
bool house_is_external(const struct house *house, const struct service *service);
/* The setting that says where an external service answers: "MINIO_ENDPOINT"; NULL when it cannot be external. */
const char *house_external_setting(const char *service);

/* ---------------------------------------------------------- supervisor */

enum service_status { SERVICE_STOPPED, SERVICE_STARTING, SERVICE_READY, SERVICE_FAILED };
enum { SERVICE_REASON_MAX = 1024 };

struct service_state {
    enum service_status status;
    pid_t pid;                       /* 0: nothing runs */
    int restarts;                    /* since the supervisor began */
    int64_t started_ms, ready_ms;    /* wall clock; 0: not yet */
    char reason[SERVICE_REASON_MAX]; /* of the last end that was not asked for; "" if none */
};

struct house_state {
    pid_t supervisor;               /* 0: none runs */
    struct service_state *services; /* in the table's order */
};

const char *service_status_name(enum service_status status);
/* Reads what the supervisor wrote.  When none runs, all are stopped and supervisor is 0. */
MUST_CHECK enum rc house_state_read(const struct house *house, struct house_state *out, struct err *err);
void house_state_free(struct house_state *state);
/* Proportional set size of a process and, with its children, of its tree; 0 when it is gone. */
uint64_t process_memory(pid_t pid, bool with_children);

/* Asks for these services (wanted[i] of the table) and starts the supervisor in the background if none runs.
 * Does not wait for them to be ready. */
MUST_CHECK enum rc supervisor_start(const struct house *house, const bool *wanted, struct err *err);
/* Stops everything and waits for the end; RC_NOT_FOUND when nothing runs. */
MUST_CHECK enum rc supervisor_stop(const struct house *house, struct err *err);
/* The supervisor itself: holds the home's lock, keeps what is wanted running, until SIGTERM. */
MUST_CHECK enum rc supervisor_run(const struct house *house, struct err *err);

#endif
