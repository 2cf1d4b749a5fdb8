/*
 * Runs the PostgreSQL connector without a broker and writes down what it sends: one JSON object per
 * record, with the offset that goes with it.  Stands where the runtime stands (struct task_ops).
 *
 *     recorder CONFIG OFFSETS OUT RUN [limit=N] [commit=N]
 *
 * CONFIG    the JSON that one would POST; converters must be JsonConverter with schemas
 * OFFSETS   a file: the stored offset of the last run, replaced at the end of this one
 * OUT       records are appended; a failure as {"failure": words}, a restart as {"retry": words}
 * limit=N   no record after N of this run is taken; the rest waits until the end
 * commit=N  only the offsets of the first N records of this run are stored and confirmed
 *
 * Ends on SIGTERM.  Exit code 3: the task failed.
 */
#include <jansson.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "disk/disk.h"
#include "stream/connect/postgres/postgres.h"

struct recorder {
    struct task_context ctx;
    struct connector_config config, worker;
    const char *offsets_file;
    FILE *out;
    int run;
    uint64_t limit, commit;
    uint64_t sent, stored, told; /* with the positions that are sent without a record */
    uint64_t records;
    struct buf offset, committed_offset;
    atomic_bool stop;
};

static struct recorder recorder = { .limit = UINT64_MAX, .commit = UINT64_MAX };

static void started(struct task_context *ctx)
{
    (void)ctx;
}

static bool stopping(const struct task_context *ctx)
{
    (void)ctx;
    return atomic_load(&recorder.stop);
}

static enum rc offset_read(struct task_context *ctx, struct str partition, struct buf *offset, struct err *err)
{
    (void)ctx, (void)partition;
    if (recorder.committed_offset.len) {
        buf_put_str(offset, buf_str(&recorder.committed_offset));
        return RC_OK;
    }
    enum rc rc = disk_read_file(recorder.offsets_file, offset, err);
    return !rc && offset->len == 0 ? RC_NOT_FOUND : rc;
}

/* {"schema": …, "payload": …} becomes two members of the line. */
static void put_side(json_t *line, const char *name, const char *schema_name, struct str bytes)
{
    json_error_t where;
    json_t *both = bytes.p ? json_loadb(bytes.p, bytes.len, JSON_DECODE_ANY | JSON_ALLOW_NUL, &where) : NULL;

    if (bytes.p && !both)
        fprintf(stderr, "recorder: not JSON: %.*s\n", (int)MIN(bytes.len, (size_t)500), bytes.p);
    json_object_set(line, name, both ? json_object_get(both, "payload") : json_null());
    json_object_set(line, schema_name, both ? json_object_get(both, "schema") : json_null());
    json_decref(both);
}

static json_t *json_of(struct str text)
{
    json_error_t where;
    json_t *value = text.p ? json_loadb(text.p, text.len, 0, &where) : json_null();

    return value ? value : json_null();
}

static void put_line(json_t *line)
{
    json_dumpf(line, recorder.out, JSON_COMPACT | JSON_ENCODE_ANY | JSON_REAL_PRECISION(17));
    fputc('\n', recorder.out);
    fflush(recorder.out);
    json_decref(line);
}

static void put_record(const struct source_record *record)
{
    json_t *line = json_object(), *headers = json_array();

    json_object_set_new(line, "n", json_integer((json_int_t)recorder.records));
    json_object_set_new(line, "run", json_integer(recorder.run));
    json_object_set_new(line, "topic", json_stringn(record->topic.p, record->topic.len));
    json_object_set_new(line, "partition", record->partition < 0 ? json_null() : json_integer(record->partition));
    put_side(line, "key", "keySchema", record->key);
    put_side(line, "value", "valueSchema", record->value);
    for (size_t i = 0; i < record->header_count; i++)
        json_array_append_new(headers,
                              json_pack("{s:s%,s:s%}", "name", record->headers[i].name.p, record->headers[i].name.len,
                                        "text", record->headers[i].value.p, record->headers[i].value.len));
    json_object_set_new(line, "headers", headers);
    json_object_set_new(line, "sourcePartition", json_of(record->source_partition));
    json_object_set_new(line, "sourceOffset", json_of(record->source_offset));
    put_line(line);
}

static enum rc send_record(struct task_context *ctx, const struct source_record *record, uint64_t *number,
                           struct err *err)
{
    (void)err;
    while (recorder.records >= recorder.limit && !stopping(ctx))
        task_wait(ctx, -1);
    if (stopping(ctx))
        return RC_AGAIN;
    *number = ++recorder.sent;
    if (record->topic.p) {
        recorder.records++;
        put_record(record);
    }
    if (record->source_offset.p) {
        buf_clear(&recorder.offset);
        buf_put_str(&recorder.offset, record->source_offset);
    }
    if (MAX(recorder.records, (uint64_t)1) <= recorder.commit) {
        buf_clear(&recorder.committed_offset);
        buf_put_str(&recorder.committed_offset, buf_str(&recorder.offset));
        recorder.stored = recorder.sent;
    }
    return RC_OK;
}

static uint64_t acked(struct task_context *ctx)
{
    (void)ctx;
    return recorder.sent;
}

static bool committed(struct task_context *ctx, struct source_commit *out)
{
    (void)ctx;
    if (recorder.stored == recorder.told)
        return false;
    recorder.told = out->number = recorder.stored;
    buf_clear(&out->offset);
    buf_put_str(&out->offset, buf_str(&recorder.committed_offset));
    return true;
}

static enum rc flush(struct task_context *ctx, struct err *err)
{
    (void)err;
    return stopping(ctx) ? RC_AGAIN : RC_OK;
}

static const struct task_ops ops = {
    .started = started,
    .stopping = stopping,
    .offset_read = offset_read,
    .send = send_record,
    .acked = acked,
    .committed = committed,
    .flush = flush,
};

static void *wait_for_stop(void *user)
{
    (void)user;
    station_wait_for_stop();
    atomic_store(&recorder.stop, true);
    eventfd_write(recorder.ctx.wakeup_fd, 1);
    return NULL;
}

static int read_config(const char *path)
{
    json_error_t where;
    json_t *file = json_load_file(path, 0, &where), *value = NULL;
    const char *name = NULL;

    if (!file) {
        fprintf(stderr, "recorder: %s: %s\n", path, where.text);
        return 2;
    }
    json_object_foreach(json_object_get(file, "config"), name, value)
        config_set(&recorder.config, name, json_string_value(value));
    json_decref(file);
    recorder.config.class = &postgres_connector;
    return 0;
}

static int run_task(void)
{
    for (;;) {
        struct err err = { 0 };
        enum rc rc = postgres_connector.run(&recorder.ctx, &err);
        while (!rc && !stopping(&recorder.ctx))
            task_wait(&recorder.ctx, -1); /* nothing left to do: idle until told to stop */
        if (!rc || stopping(&recorder.ctx))
            return 0;
        put_line(json_pack("{s:i,s:s}", "run", recorder.run, rc == RC_RETRY ? "retry" : "failure", err.text));
        if (rc != RC_RETRY)
            return 3;
        task_wait(&recorder.ctx, 500);
    }
}

int main(int argc, char **argv)
{
    pthread_t waiter;
    struct err err = { 0 };

    if (argc < 5 || read_config(argv[1])) {
        fprintf(stderr, "usage: recorder CONFIG OFFSETS OUT RUN [limit=N] [commit=N]\n");
        return 2;
    }
    for (int i = 5; i < argc; i++)
        if (sscanf(argv[i], "limit=%lu", &recorder.limit) != 1 && sscanf(argv[i], "commit=%lu", &recorder.commit) != 1)
            return 2;
    log_setup("recorder", LOG_INFO, false);
    station_block_signals();
    recorder.offsets_file = argv[2];
    recorder.out = fopen(argv[3], "a");
    recorder.run = atoi(argv[4]);
    recorder.ctx = (struct task_context){
        .config = &recorder.config,
        .connector = "golden",
        .worker = &recorder.worker,
        .wakeup_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC),
        .ops = &ops,
    };
    if (!recorder.out || pthread_create(&waiter, NULL, wait_for_stop, NULL))
        return 2;
    int code = run_task();
    if (recorder.committed_offset.len && disk_replace_file(recorder.offsets_file, recorder.committed_offset.data,
                                                           recorder.committed_offset.len, 0600, &err))
        fprintf(stderr, "recorder: %s\n", err.text);
    fclose(recorder.out);
    return code;
}
