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
#include <sys/stat.h>
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

/* What flags say stands beside the settings of other places, so that it is checked and refused in the same words. */
static void set_flags(struct house *house, const struct house_options *options)
{
    CLEANUP_FREE char *offset = mem_printf("%lld", (long long)options->port_offset);

    if (options->port_offset >= 0)
        settings_set(&house->settings, STR("HAUS_PORT_OFFSET"), str_of(offset), "flag --port-offset");
    if (options->log_format)
        settings_set(&house->settings, STR("HAUS_LOG_FORMAT"), str_of(options->log_format), "flag --log-format");
}

static enum rc read_port_offset(struct house *house, struct err *err)
{
    int64_t offset = 0;
    enum rc rc = settings_int(&house->settings, "HAUS_PORT_OFFSET", remembered_port_offset(house->home), 0,
                              PORT_OFFSET_MAX, &offset, err);

    house->port_offset = (int)offset;
    return rc;
}

static enum rc check_log_format(const struct settings *settings, struct err *err)
{
    const struct setting *format = settings_find(settings, "HAUS_LOG_FORMAT");

    if (!format || !format->value[0] || strcmp(format->value, "text") == 0 || strcmp(format->value, "json") == 0)
        return RC_OK;
    return err_set(err, RC_BAD_INPUT, "cannot use '%s' for 'HAUS_LOG_FORMAT' (%s): it must be text or json",
                   format->value, format->origin);
}

/* One that was asked for must be there; the checkout's own is. */
static enum rc check_playground(const struct house *house, const char *given, struct err *err)
{
    const char *asked = given ? given : getenv("HAUS_PLAYGROUND");
    struct stat there;

    if (!asked || (stat(house->playground, &there) == 0 && S_ISDIR(there.st_mode)))
        return RC_OK;
    return err_set(err, RC_BAD_INPUT,
                   "cannot use '%s' as the playground (%s): there is no such folder; 'haus init %s' "
                   "makes one",
                   house->playground, given ? "flag --playground" : "HAUS_PLAYGROUND", house->playground);
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

/* "http://host:port/" to "host:port"; only PostgreSQL and the log are named without a scheme. */
static bool cut_scheme(struct str *value)
{
    struct str left = *value, scheme = { 0 };
    const char *end = left.len > 3 ? memmem(left.p, left.len, "://", 3) : NULL;

    if (end) {
        scheme = str_n(left.p, (size_t)(end - left.p));
        *value = str_skip(left, scheme.len + 3);
    }
    while (str_ends(*value, "/"))
        value->len--;
    return !end || str_is(scheme, "http") || str_is(scheme, "PLAINTEXT");
}

/* A log may have several brokers. */
static enum rc check_addresses(const char *addresses, struct err *err)
{
    struct str rest = str_of(addresses), one = { 0 }, host = { 0 };
    enum rc rc = RC_OK;
    int port = 0;

    while (!rc && str_cut(&rest, ',', &one))
        rc = address_split(str_trim(one), &host, &port, err);
    return rc;
}

static enum rc set_external_at(struct house *house, struct endpoint *e, size_t row, struct err *err)
{
    const char *setting = external_settings[row].setting;
    const struct setting *given = settings_find(&house->settings, setting);
    struct str value = str_of(given ? given->value : "");
    struct err why = { 0 };

    if (!value.len)
        return err_set(err, RC_BAD_INPUT, "'%s' is external (HAUS_EXTERNAL) but '%s' does not say where; e.g. %s=%s",
                       e->service, setting, setting, external_settings[row].example);
    if (!cut_scheme(&value))
        return err_set(err, RC_BAD_INPUT, "cannot use '%s' for '%s' (%s): only http is spoken; e.g. %s=%s",
                       given->value, setting, given->origin, setting, external_settings[row].example);
    snprintf(e->address, sizeof e->address, "%.*s", STR_ARG(value));
    add_port(house, e, external_settings[row].port);
    e->external = true;
    if (check_addresses(e->address, &why))
        return err_set(err, RC_BAD_INPUT, "cannot use '%s' for '%s' (%s): %s; e.g. %s=%s", given->value, setting,
                       given->origin, why.text, setting, external_settings[row].example);
    return RC_OK;
}

static enum rc set_external(struct house *house, struct endpoint *e, struct err *err)
{
    for (size_t i = 0; i < ARRAY_LEN(external_settings); i++)
        if (strcmp(external_settings[i].service, e->service) == 0)
            return set_external_at(house, e, i, err);
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
    set_flags(&house, options);
    house.home = absolute(home && home[0] ? home : ".haus");
    house.host = mem_strdup(settings_get(&house.settings, "HAUS_HOST", "127.0.0.1"));
    if (!rc)
        rc = check_playground(&house, options->playground, err);
    if (!rc)
        rc = check_log_format(&house.settings, err);
    if (!rc)
        rc = read_port_offset(&house, err);
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
