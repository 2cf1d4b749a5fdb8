/* haus config, haus doctor: what is set and from where; what would keep the house from standing. */
#include <errno.h>
#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "disk/disk.h"
#include "face/cli/command.h"

/* ---------------------------------------------------------------- config */

static bool is_secret(const char *name)
{
    return strstr(name, "PASSWORD") || strstr(name, "SECRET");
}

/* The environment is full of what is not ours: only what a .env file, a default or a HAUS_ name brings is shown. */
static const char *const prefixes[] = { "HAUS_",  "POSTGRES_", "DEBEZIUM_", "KAFKA_",    "CONNECT_", "SCHEMA_REGISTRY_",
                                        "MINIO_", "AWS_",      "FLYWAY_",   "BOOTSTRAP_" };

static bool is_ours(const char *name, const struct setting *setting)
{
    if (strcmp(setting->origin, "environment") != 0)
        return true;
    for (size_t i = 0; i < ARRAY_LEN(prefixes); i++)
        if (str_starts(str_of(name), prefixes[i]))
            return true;
    return false;
}

static bool show_secrets;

static enum exit_code config(struct house *house, int argc, char **argv)
{
    static const struct listing_column columns[] = { { "name", false }, { "value", false }, { "origin", false } };
    struct listing listing = { columns, ARRAY_LEN(columns), NULL, 0 };
    CLEANUP_FREE char *offset = mem_printf("%d", house->port_offset);

    (void)argc, (void)argv;
    listing_add(&listing, "HAUS_HOME", house->home, "in use");
    listing_add(&listing, "HAUS_PLAYGROUND", house->playground, "in use");
    listing_add(&listing, "HAUS_PORT_OFFSET", offset, "in use");
    for (struct map_entry *e = NULL; (e = map_next(&house->settings.rows, e));) {
        const struct setting *setting = e->value;
        if (!is_ours(e->key, setting) || strcmp(e->key, "HAUS_HOME") == 0 || strcmp(e->key, "HAUS_PLAYGROUND") == 0 ||
            strcmp(e->key, "HAUS_PORT_OFFSET") == 0)
            continue;
        listing_add(&listing, e->key, is_secret(e->key) && !show_secrets ? "********" : setting->value,
                    setting->origin);
    }
    listing_print(&listing);
    return EXIT_DONE;
}

const struct command command_config = {
    .name = "config",
    .summary = "each setting, its value and where it came from",
    .options = { { "--show-secrets", 0, OPTION_FLAG, &show_secrets, NULL, "print passwords too" } },
    .lists = true,
    .run = config,
};

/* ---------------------------------------------------------------- doctor */

enum { FREE_BYTES_LOW = 1 << 30, OPEN_FILES_LOW = 1024 };

struct checkup {
    const struct house *house;
    struct listing listing;
    bool ill;
};

PRINTF_LIKE(4, 5) static void found(struct checkup *checkup, const char *what, bool ok, const char *format, ...)
{
    CLEANUP(buf_free) struct buf words = { 0 };
    va_list args;

    va_start(args, format);
    buf_vprintf(&words, format, args);
    va_end(args);
    checkup->ill |= !ok;
    listing_add(&checkup->listing, what, ok ? "ok" : "ill", buf_cstr(&words));
}

static void check_postgres_installed(struct checkup *checkup)
{
    const char *given = settings_get(&checkup->house->settings, "HAUS_PG_BIN", "");
    char path[512];

    for (int v = 18; v >= 15 && !given[0]; v--) {
        snprintf(path, sizeof path, "/usr/lib/postgresql/%d/bin/postgres", v);
        if (access(path, X_OK) == 0) {
            found(checkup, "postgresql", true, "%s", path);
            return;
        }
    }
    snprintf(path, sizeof path, "%s/postgres", given);
    if (given[0] && access(path, X_OK) == 0)
        found(checkup, "postgresql", true, "%s", path);
    else
        found(checkup, "postgresql", false,
              "no server found; install it (apt-get install postgresql) or set HAUS_PG_BIN");
}

static void check_external(struct checkup *checkup, size_t i)
{
    const struct house *house = checkup->house;
    CLEANUP_FREE char *what = mem_printf("external %s", services[i].name);
    struct err err = { 0 };

    if (address_reach(house->endpoints[i].address, REACH_TIMEOUT_MS, &err))
        found(checkup, what, false, "%s; start it, or correct %s", err.text, house_external_setting(services[i].name));
    else
        found(checkup, what, true, "answers at %s", house->endpoints[i].address);
}

static void check_ports(struct checkup *checkup)
{
    const struct house *house = checkup->house;
    struct house_state state = { 0 };
    struct err err = { 0 };
    pid_t pid = 0;
    char name[PORT_HOLDER_NAME_MAX];

    if (house_state_read(house, &state, &err))
        return;
    for (size_t i = 0; i < service_count; i++) {
        int port = services[i].port + house->port_offset;
        CLEANUP_FREE char *what = mem_printf("port %d (%s)", port, services[i].name);
        const struct service_state *s = &state.services[i];
        if (house_is_external(house, &services[i]))
            check_external(checkup, i);
        else if (s->status == SERVICE_FAILED)
            found(checkup, what, false, "%s", s->reason);
        else if (s->pid)
            found(checkup, what, true, "ours, pid %d, %s", (int)s->pid, service_status_name(s->status));
        else if (port_holder(port, &pid, name))
            found(checkup, what, false, "taken by '%s' (pid %d); stop it or use --port-offset", name, (int)pid);
        else
            found(checkup, what, true, "free");
    }
    house_state_free(&state);
}

static void check_disk(struct checkup *checkup)
{
    struct statvfs fs;
    const char *path = disk_exists(checkup->house->home) ? checkup->house->home : ".";

    if (statvfs(path, &fs) < 0)
        return;
    uint64_t bytes = (uint64_t)fs.f_bavail * fs.f_frsize;
    found(checkup, "disk", bytes >= FREE_BYTES_LOW, "%.1f GB free for '%s'", (double)bytes / 1e9, checkup->house->home);
}

static void check_limits(struct checkup *checkup)
{
    struct rlimit files = { 0 };

    getrlimit(RLIMIT_NOFILE, &files);
    found(checkup, "open files", files.rlim_max >= OPEN_FILES_LOW, "limit %llu; raise it with 'ulimit -n' if below %d",
          (unsigned long long)files.rlim_max, OPEN_FILES_LOW);
}

static const char *one_value(PGconn *conn, const char *sql, PGresult **out)
{
    struct err err = { 0 };

    if (pg_query(conn, sql, NULL, 0, out, &err) || PQntuples(*out) == 0)
        return NULL;
    return PQgetvalue(*out, 0, 0);
}

static void check_database(struct checkup *checkup)
{
    struct station station = { 0 };
    struct err err = { 0 };
    CLEANUP(pg_close) PGconn *conn = NULL;
    CLEANUP(pg_clear) PGresult *level = NULL, *publication = NULL, *slots = NULL;
    const struct service *database = service_find("postgres");

    house_station(checkup->house, database, &station);
    bool there =
        house_is_external(checkup->house, database) ||
        port_holder(database->port + checkup->house->port_offset, &(pid_t){ 0 }, (char[PORT_HOLDER_NAME_MAX]){ 0 });
    enum rc rc = there ? pg_open(&station, NULL, &conn, &err) : RC_AGAIN;
    house_station_free(&station);
    if (rc == RC_AGAIN)
        return;
    if (rc) {
        found(checkup, "database", false, "%s", err.text);
        return;
    }
    const char *wal_level = one_value(conn, "SHOW wal_level", &level);
    found(checkup, "wal_level", wal_level && strcmp(wal_level, "logical") == 0,
          "%s; Debezium needs logical (ALTER SYSTEM SET wal_level = logical, then a restart)",
          wal_level ? wal_level : "?");
    const char *name =
        settings_get(&checkup->house->settings, "DEBEZIUM_STOREFRONT_PUBLICATION_NAME", "storefront_pub");
    CLEANUP_FREE char *quoted = PQescapeLiteral(conn, name, strlen(name));
    CLEANUP_FREE char *sql = mem_printf("SELECT count(*) FROM pg_publication WHERE pubname = %s", quoted);
    const char *count = one_value(conn, sql, &publication);
    found(checkup, "publication", count && count[0] == '1', "'%s'%s", name,
          count && count[0] == '1' ? "" : " is missing; run 'haus migrate'");
    const char *retained =
        one_value(conn,
                  "SELECT coalesce(string_agg(slot_name || ' ' || coalesce(wal_status, '?') || ' keeps ' ||"
                  " pg_size_pretty(pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn)), ', '), 'none') FROM"
                  " pg_replication_slots",
                  &slots);
    found(checkup, "slots", retained && !strstr(retained, " lost "), "%s", retained ? retained : "?");
}

static void check_connectors(struct checkup *checkup)
{
    struct http_answer answer = { 0 };
    struct err err = { 0 };

    if (!port_holder(service_find("connect")->port + checkup->house->port_offset, &(pid_t){ 0 },
                     (char[PORT_HOLDER_NAME_MAX]){ 0 }))
        return;
    if (command_http(checkup->house, "connect", "GET", "/connectors?expand=status", NULL, &answer, &err)) {
        found(checkup, "connect", false, "%s", err.text);
        return;
    }
    bool failed = strstr(buf_cstr(&answer.body), "FAILED") != NULL;
    found(checkup, "connectors", !failed, "%s",
          failed ? "one has FAILED; 'haus connector status' tells why" : "none has failed");
    http_answer_free(&answer);
}

static enum exit_code doctor(struct house *house, int argc, char **argv)
{
    static const struct listing_column columns[] = { { "check", false }, { "result", false }, { "words", false } };
    struct checkup checkup = { .house = house, .listing = { columns, ARRAY_LEN(columns), NULL, 0 } };

    (void)argc, (void)argv;
    check_postgres_installed(&checkup);
    check_ports(&checkup);
    check_disk(&checkup);
    check_limits(&checkup);
    check_database(&checkup);
    check_connectors(&checkup);
    listing_print(&checkup.listing);
    return checkup.ill ? EXIT_FAILED : EXIT_DONE;
}

const struct command command_doctor = {
    .name = "doctor",
    .summary = "what would keep the house from standing, and the cure",
    .lists = true,
    .run = doctor,
};
