/*
 * The log's own files as a bad disk or a hand might leave them: "=name" on a line, then that file's bytes up to the
 * next.  The broker opens, or says which file is damaged; opened and closed cleanly it opens again.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scratch.h"
#include "stream/log/broker.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const files[] = {
    "haus.topics",
    "haus.config",
    "meta.properties",
    "haus.producer-ids",
    "log-start-offset-checkpoint",
    "recovery-point-offset-checkpoint",
    ".kafka_cleanshutdown",
    "t-0/00000000000000000000.log",
    "t-0/00000000000000000000.snapshot",
    "t-0/00000000000000000003.snapshot",
    "t-0/partition.metadata",
    "__consumer_offsets-0/00000000000000000000.log",
};

static void write_file(struct str name, struct str bytes)
{
    struct err err = { 0 };

    for (size_t i = 0; i < ARRAY_LEN(files); i++) {
        CLEANUP_FREE char *path = mem_printf("%s/%s", scratch, files[i]);
        if (str_is(name, files[i]) && disk_replace_file(path, bytes.p ? bytes.p : "", bytes.len, 0600, &err))
            abort();
    }
}

/* Thousands of partitions are thousands of folders: right, but slow. */
static bool is_slow(struct str line)
{
    return str_starts(line, "topic ") && line.len > 3 && line.p[line.len - 2] != ' ';
}

static bool write_files(struct str input)
{
    struct str rest = input, line = { 0 }, name = { 0 };
    const char *begin = input.p;

    while (str_cut(&rest, '\n', &line)) {
        if (is_slow(line))
            return false;
        if (!str_starts(line, "="))
            continue;
        if (name.p)
            write_file(name, str_n(begin, (size_t)(line.p - begin)));
        name = str_skip(line, 1);
        begin = rest.p ? rest.p : input.p + input.len;
    }
    if (name.p)
        write_file(name, str_n(begin, (size_t)(input.p + input.len - begin)));
    return true;
}

static enum rc open_and_close(struct err *err)
{
    static struct settings settings;
    struct station station = {
        .name = "log", .home = scratch, .dir = scratch, .host = "127.0.0.1", .port = 9092, .settings = &settings
    };
    struct server *server = server_new();
    struct broker *broker = NULL;
    enum rc rc = broker_open(&station, server, &broker, err);

    if (!rc)
        broker_close(broker);
    server_free(server);
    return rc;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct err err = { 0 };

    if (!scratch[0]) {
        scratch_dir();
        log_setup("log", LOG_ERROR, false);
    }
    scratch_remove();
    for (size_t i = 0; i < 2; i++) {
        CLEANUP_FREE char *dir = mem_printf("%s/%s", scratch, i ? "t-0" : "__consumer_offsets-0");
        if (disk_make_dirs(dir, 0700, &err))
            abort();
    }
    if (!write_files(str_n((const char *)data, size)))
        return 0;
    if (open_and_close(&err)) {
        if (!err.text[0])
            abort();
        return 0;
    }
    if (open_and_close(&err))
        abort();
    return 0;
}
