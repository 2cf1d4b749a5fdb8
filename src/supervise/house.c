/*
 * A playground's settings and addresses: which .env files are read, in which order, and where each
 * service then answers.  Weakest first: defaults of the table, .source.env, .streaming.env,
 * .lake.env, the environment, flags.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "disk/disk.h"
#include "supervise/supervise.h"

extern char **environ;

enum { PORT_OFFSET_MAX = 50000 };

static const char *const env_files[] = { ".source.env", ".streaming.env", ".lake.env" };

/* Settings of the compose stack that connectors and notebooks name, with its own defaults. */
static const struct {
    const char *name, *value;
} defaults[] = {
    { "POSTGRES_USER", "postgres" },
    { "POSTGRES_PASSWORD", "postgres" },
    { "POSTGRES_DB", "storefront" },
    { "DEBEZIUM_USER", "debezium_user" },
    { "DEBEZIUM_PASSWORD", "debezium_password" },
    { "DEBEZIUM_STOREFRONT_PUBLICATION_NAME", "storefront_pub" },
    { "MINIO_ROOT_USER", "minio" },
    { "MINIO_ROOT_PASSWORD", "minio123" },
};

static void set_defaults(struct settings *settings)
{
    for (size_t i = 0; i < ARRAY_LEN(defaults); i++)
        settings_set(settings, str_of(defaults[i].name), str_of(defaults[i].value), "default");
}

static void set_environment(struct settings *settings)
{
    for (char **e = environ; *e; e++) {
        struct str value = str_of(*e), name = { 0 };
        str_cut(&value, '=', &name);
        settings_set(settings, name, value.p ? value : str_of(""), "environment");
    }
}

static enum rc read_env_files(struct house *house, struct err *err)
{
    for (size_t i = 0; i < ARRAY_LEN(env_files); i++) {
        CLEANUP_FREE char *path = mem_printf("%s/%s", house->playground, env_files[i]);
        CLEANUP(buf_free) struct buf text = { .max = 1 << 20 };
        if (!disk_exists(path))
            continue;
        enum rc rc = disk_read_file(path, &text, err);
        if (!rc)
            rc = settings_parse_env(&house->settings, env_files[i], buf_str(&text), err);
        if (rc)
            return rc;
    }
    return RC_OK;
}

static char *absolute(const char *path)
{
    char cwd[PATH_MAX];

    if (path[0] == '/' || !getcwd(cwd, sizeof cwd))
        return mem_strdup(path);
    return mem_printf("%s/%s", cwd, path);
}

static bool is_playground(const char *path)
{
    for (size_t i = 0; i < ARRAY_LEN(env_files); i++) {
        CLEANUP_FREE char *file = mem_printf("%s/%s", path, env_files[i]);
        if (disk_exists(file))
            return true;
    }
    CLEANUP_FREE char *migrations = mem_printf("%s/migrations", path);
    return disk_exists(migrations);
}

static char *find_playground(const char *given)
{
    if (!given)
        given = getenv("HAUS_PLAYGROUND");
    if (given)
        return absolute(given);
    return absolute(is_playground(".") ? "." : HAUS_PLAYGROUND);
}

/* what the running house was started with, so that `haus status` needs no flag */
static int64_t remembered_port_offset(const char *home)
{
    CLEANUP_FREE char *path = mem_printf("%s/run/port-offset", home);
    CLEANUP(buf_free) struct buf text = { .max = 128 << 10 };
    int64_t offset = 0;

    if (!disk_read_file(path, &text, NULL))
        (void)!str_to_i64(str_trim(buf_str(&text)), 0, PORT_OFFSET_MAX, &offset);
    return offset;
}

static enum rc read_port_offset(struct house *house, int given, struct err *err)
{
    int64_t offset = 0;
    enum rc rc = settings_int(&house->settings, "HAUS_PORT_OFFSET", remembered_port_offset(house->home), 0,
                              PORT_OFFSET_MAX, &offset, err);

    house->port_offset = given >= 0 ? given : (int)offset;
    return rc;
}

static bool is_external(const struct settings *settings, const char *service)
{
    struct str rest = str_of(settings_get(settings, "HAUS_EXTERNAL", "")), part = { 0 };

    while (str_cut(&rest, ',', &part))
        if (str_is(str_trim(part), service))
            return true;
    return false;
}

/* Where an external service answers: the settings that the compose stack's files already have. */
static const struct {
    const char *service, *setting, *example, *port;
} external_settings[] = {
    { "postgres", "POSTGRES_HOST", "db.example.com:5432", "5432" },
    { "log", "BOOTSTRAP_SERVER", "broker.example.com:9092", "9092" },
    { "registry", "SCHEMA_REGISTRY_HOST", "http://registry.example.com:8081", "8081" },
    { "connect", "CONNECT_URL", "http://connect.example.com:8083", "8083" },
    { "store", "MINIO_ENDPOINT", "http://s3.example.com:9000", "80" },
};

/* A host may stand without its port; PostgreSQL's has a setting of its own. */
static void add_port(const struct house *house, struct endpoint *e, const char *port)
{
    size_t len = strlen(e->address);

    if (strcmp(e->service, "postgres") == 0)
        port = settings_get(&house->settings, "POSTGRES_PORT", port);
    if (!strchr(e->address, ':'))
        snprintf(e->address + len, sizeof e->address - len, ":%s", port);
}

const char *house_external_setting(const char *service)
{
    for (size_t i = 0; i < ARRAY_LEN(external_settings); i++)
        if (strcmp(external_settings[i].service, service) == 0)
            return external_settings[i].setting;
    return NULL;
}

static enum rc set_external(struct house *house, struct endpoint *e, struct err *err)
{
    for (size_t i = 0; i < ARRAY_LEN(external_settings); i++) {
        if (strcmp(external_settings[i].service, e->service) != 0)
            continue;
        struct str value = str_of(settings_get(&house->settings, external_settings[i].setting, ""));
        if (!value.len)
            return err_set(err, RC_BAD_INPUT,
                           "'%s' is external (HAUS_EXTERNAL) but '%s' does not say where; e.g. %s=%s", e->service,
                           external_settings[i].setting, external_settings[i].setting, external_settings[i].example);
        for (size_t k = 0; k + 3 < value.len; k++)
            if (memcmp(value.p + k, "://", 3) == 0)
                value = str_skip(value, k + 3);
        while (str_ends(value, "/"))
            value.len--;
        snprintf(e->address, sizeof e->address, "%.*s", STR_ARG(value));
        add_port(house, e, external_settings[i].port);
        e->external = true;
        return RC_OK;
    }
    return RC_OK; /* check_external has refused it */
}

static enum rc check_external(const struct settings *settings, struct err *err)
{
    struct str rest = str_of(settings_get(settings, "HAUS_EXTERNAL", "")), name = { 0 };

    while (str_cut(&rest, ',', &name)) {
        bool known = (name = str_trim(name)).len == 0;
        for (size_t i = 0; i < ARRAY_LEN(external_settings); i++)
            known = known || str_is(name, external_settings[i].service);
        if (!known)
            return err_set(err, RC_BAD_INPUT,
                           "'%.*s' cannot be external; HAUS_EXTERNAL takes postgres, log, registry, connect, store",
                           STR_ARG(name));
    }
    return RC_OK;
}

static enum rc make_endpoints(struct house *house, struct err *err)
{
    enum rc rc = check_external(&house->settings, err);

    if (rc)
        return rc;
    house->endpoints = NEW_ARRAY(struct endpoint, service_count);
    for (size_t i = 0; i < service_count; i++) {
        struct endpoint *e = &house->endpoints[i];
        e->service = services[i].name;
        memcpy(e->aliases, services[i].aliases, sizeof e->aliases);
        snprintf(e->address, sizeof e->address, "%s:%d", house->host, services[i].port + house->port_offset);
        if (is_external(&house->settings, e->service) && set_external(house, e, err))
            return err->rc;
    }
    return RC_OK;
}

enum rc house_open(const struct house_options *options, struct house *out, struct err *err)
{
    struct house house = { .playground = find_playground(options->playground) };
    const char *home = options->home ? options->home : getenv("HAUS_HOME");

    set_defaults(&house.settings);
    set_environment(&house.settings); /* for ${} in the files; once more after them, because it is stronger */
    enum rc rc = read_env_files(&house, err);
    set_environment(&house.settings);
    house.home = absolute(home && home[0] ? home : ".haus");
    house.host = mem_strdup(settings_get(&house.settings, "HAUS_HOST", "127.0.0.1"));
    if (!rc)
        rc = read_port_offset(&house, options->port_offset, err);
    if (!rc)
        rc = make_endpoints(&house, err);
    if (rc) {
        house_free(&house);
        return rc;
    }
    *out = house;
    return RC_OK;
}

void house_free(struct house *house)
{
    free(house->home);
    free(house->playground);
    free(house->host);
    free(house->endpoints);
    settings_free(&house->settings);
    *house = (struct house){ 0 };
}

bool house_is_external(const struct house *house, const struct service *service)
{
    return house->endpoints[service - services].external;
}

void house_station(const struct house *house, const struct service *service, struct station *out)
{
    *out = (struct station){
        .name = service->name,
        .home = house->home,
        .dir = mem_printf("%s/%s", house->home, service->name),
        .playground = house->playground,
        .host = house->host,
        .port = service->port + house->port_offset,
        .settings = &house->settings,
        .endpoints = house->endpoints,
        .endpoint_count = service_count,
        .ready_fd = -1,
    };
}

void house_station_free(struct station *station)
{
    free((char *)(uintptr_t)station->dir);
    *station = (struct station){ .ready_fd = -1 };
}
