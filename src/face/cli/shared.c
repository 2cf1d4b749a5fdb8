/* What several commands do: reach a service, or say that it does not run. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "face/cli/command.h"

void command_station(const struct house *house, const char *service, struct station *out)
{
    house_station(house, service_find(service), out);
}

/* The link leads to the file itself, also where another one has taken its name. */
void command_tell_other_build(pid_t supervisor)
{
    CLEANUP_FREE char *exe = mem_printf("/proc/%d/exe", (int)supervisor);
    struct stat theirs = { 0 }, ours = { 0 };

    if (stat(exe, &theirs) || stat("/proc/self/exe", &ours) ||
        (theirs.st_dev == ours.st_dev && theirs.st_ino == ours.st_ino))
        return;
    talk("the house runs another build of haus (supervisor pid %d); 'haus down' and 'haus up' start this one",
         (int)supervisor);
}

enum exit_code command_needs(const struct house *house, const char *service)
{
    const struct service *row = service_find(service);
    struct house_state state = { 0 };
    struct err err = { 0 };

    if (house_is_external(house, row))
        return EXIT_DONE;
    if (house_state_read(house, &state, &err))
        return fail_err(&err);
    struct service_state *s = &state.services[row - services];
    bool ready = state.supervisor && s->status == SERVICE_READY;
    enum exit_code code = EXIT_DONE;
    if (!ready && port_holder(row->port + house->port_offset, &(pid_t){ 0 }, (char[PORT_HOLDER_NAME_MAX]){ 0 }))
        ready = true; /* run by hand with `haus run` */
    if (!ready && state.supervisor && s->reason[0])
        code = fail(EXIT_NOT_RUNNING, "'%s' is not running: %s", service, s->reason);
    else if (!ready)
        code = fail(EXIT_NOT_RUNNING, "'%s' is not running; start it with 'haus up'", service);
    house_state_free(&state);
    return code;
}

struct s3_client *command_s3(const struct house *house)
{
    CLEANUP_FREE char *endpoint = NULL;
    struct station station = { 0 };

    command_station(house, "store", &station);
    endpoint = mem_printf("http://%s", station_address(&station, "store"));
    house_station_free(&station);
    return s3_client_new(&(struct s3_options){
        .endpoint = endpoint,
        .region = settings_get(&house->settings, "AWS_REGION", "us-east-1"),
        .access_key = settings_get(&house->settings, "MINIO_ROOT_USER", "minio"),
        .secret_key = settings_get(&house->settings, "MINIO_ROOT_PASSWORD", "minio123"),
    });
}

enum rc command_http(const struct house *house, const char *service, const char *method, const char *path,
                     const char *json, struct http_answer *answer, struct err *err)
{
    enum { LONG_MS = 600000 };

    return command_http_within(house, LONG_MS, service, method, path, json, answer, err);
}

enum rc command_http_within(const struct house *house, int timeout_ms, const char *service, const char *method,
                            const char *path, const char *json, struct http_answer *answer, struct err *err)
{
    static const char *const headers[] = { "Content-Type: application/json", "Accept: application/json", NULL };
    struct station station = { 0 };

    command_station(house, service, &station);
    CLEANUP_FREE char *url = mem_printf("http://%s%s", station_address(&station, service), path);
    house_station_free(&station);
    struct http_client *client = http_client_new();
    struct http_call call = {
        .method = method,
        .url = url,
        .headers = headers,
        .body = json ? str_of(json) : (struct str){ 0 },
        .timeout_ms = timeout_ms,
    };
    enum rc rc = http_client_call(client, &call, answer, err);
    http_client_free(client);
    return rc;
}
