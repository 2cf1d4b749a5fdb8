/*
 * The broker's state: opened, kept on disk, closed.  Topics are topics.c's.
 *
 * Files in $HAUS_HOME/log, beside a directory for each partition (names and formats are Apache Kafka's where it has
 * one):
 *
 *     meta.properties                   cluster.id, node.id, directory.id
 *     haus.topics                       the table of topics (topics.c)
 *     haus.config                       broker settings altered while running (config.h)
 *     haus.producer-ids                 the first producer id not yet given out, reserved in blocks
 *     log-start-offset-checkpoint       where partitions begin after DeleteRecords
 *     recovery-point-offset-checkpoint  up to where partitions are durable, at a clean stop
 *     .kafka_cleanshutdown              the last stop was clean; removed at start
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "disk/disk.h"
#include "stream/log/flush.h"
#include "stream/log/partition.h"
#include "stream/log/topics.h"

#define RETENTION_INTERVAL "log.retention.check.interval.ms"

enum {
    PRODUCER_ID_BLOCK = 1000,
    RETENTION_PAUSE_MS = 1000,
    RETENTION_FIRST_MS = 30 * 1000, /* after a start, as Kafka */
    RETENTION_LONGEST_MS = 86400 * 1000
};

static char *file_path(const struct broker *broker, const char *name)
{
    return mem_printf("%s/%s", broker->dir, name);
}

static enum rc save_file(const struct broker *broker, const char *name, const struct buf *text, struct err *err)
{
    CLEANUP_FREE char *path = file_path(broker, name);

    return disk_replace_file(path, text->data, text->len, 0644, err);
}

/* absent is empty */
static enum rc load_file(const struct broker *broker, const char *name, struct buf *out, struct err *err)
{
    CLEANUP_FREE char *path = file_path(broker, name);
    enum rc rc = disk_exists(path) ? disk_read_file(path, out, err) : RC_OK;

    return rc;
}

/* ------------------------------------------------------------------------------------- identity */

static void random_id(char out[static KAFKA_UUID_TEXT_MAX])
{
    struct kafka_uuid id;

    do {
        uuid_random(id.bytes);
        kafka_uuid_format(&id, out);
    } while (out[0] == '-');
}

static enum rc load_identity(struct broker *broker, struct err *err)
{
    CLEANUP(buf_free) struct buf text = { 0 };
    char directory[KAFKA_UUID_TEXT_MAX];
    struct str rest, line;
    enum rc rc = load_file(broker, "meta.properties", &text, err);

    if (rc)
        return rc;
    for (rest = buf_str(&text); str_cut(&rest, '\n', &line);)
        if (str_starts(line, "cluster.id=") && line.len - 11 < CLUSTER_ID_MAX)
            snprintf(broker->cluster_id, CLUSTER_ID_MAX, "%.*s", STR_ARG(str_skip(line, 11)));
    if (broker->cluster_id[0])
        return RC_OK;
    random_id(broker->cluster_id);
    random_id(directory);
    buf_clear(&text);
    buf_printf(&text, "version=1\ncluster.id=%s\nnode.id=%d\ndirectory.id=%s\n", broker->cluster_id, broker->node_id,
               directory);
    return save_file(broker, "meta.properties", &text, err);
}

static enum rc load_producer_ids(struct broker *broker, struct err *err)
{
    CLEANUP(buf_free) struct buf text = { 0 };
    enum rc rc = load_file(broker, "haus.producer-ids", &text, err);

    if (!rc && text.len && !str_to_i64(str_trim(buf_str(&text)), 0, INT64_MAX, &broker->producer_ids_reserved))
        rc = err_set(err, RC_BAD_INPUT, "'%s/haus.producer-ids' does not hold a number", broker->dir);
    broker->next_producer_id = broker->producer_ids_reserved;
    return rc;
}

enum rc broker_next_producer_id(struct broker *broker, int64_t *out, struct err *err)
{
    CLEANUP(buf_free) struct buf text = { 0 };

    if (broker->next_producer_id == broker->producer_ids_reserved) {
        buf_printf(&text, "%lld\n", (long long)(broker->producer_ids_reserved + PRODUCER_ID_BLOCK));
        enum rc rc = save_file(broker, "haus.producer-ids", &text, err);
        if (rc)
            return rc;
        broker->producer_ids_reserved += PRODUCER_ID_BLOCK;
    }
    *out = broker->next_producer_id++;
    return RC_OK;
}

enum rc broker_save_config(struct broker *broker, struct err *err)
{
    CLEANUP(buf_free) struct buf text = { 0 };

    broker_config_save(&broker->config, &text);
    return save_file(broker, "haus.config", &text, err);
}

static enum rc load_config(struct broker *broker, const struct station *station, struct err *err)
{
    CLEANUP(buf_free) struct buf text = { 0 };
    CLEANUP_FREE char *listener = mem_printf("PLAINTEXT://%s:%d", station->host, station->port);
    enum rc rc = broker_config_load(&broker->config, station->settings, err);

    if (!rc)
        rc = load_file(broker, "haus.config", &text, err);
    if (!rc)
        rc = broker_config_restore(&broker->config, buf_str(&text), err);
    broker_config_fix(&broker->config, "log.dirs", str_of(broker->dir));
    broker_config_fix(&broker->config, "listeners", str_of(listener));
    broker_config_fix(&broker->config, "advertised.listeners", str_of(listener));
    return rc;
}

/* ----------------------------------------------------------------------------------- checkpoints */

static enum rc save_offsets(struct broker *broker, const char *name, bool starts, struct err *err)
{
    CLEANUP(buf_free) struct buf lines = { 0 };
    CLEANUP(buf_free) struct buf text = { 0 };
    size_t count = 0;

    for (struct map_entry *e = NULL; (e = map_next(&broker->topics, e));) {
        const struct topic *topic = e->value;
        for (int32_t i = 0; i < topic->partition_count; i++) {
            const struct partition *p = topic->partitions[i];
            if (starts && p->log_start <= p->segments[0]->base_offset)
                continue;
            buf_printf(&lines, "%s %d %lld\n", topic->name, i, (long long)(starts ? p->log_start : p->log_end));
            count++;
        }
    }
    buf_printf(&text, "0\n%zu\n", count);
    buf_put_str(&text, buf_str(&lines));
    return save_file(broker, name, &text, err);
}

enum rc broker_save_starts(struct broker *broker, struct err *err)
{
    return save_offsets(broker, "log-start-offset-checkpoint", true, err);
}

/* "topic partition" -> offset + 1, as pointers */
enum rc broker_load_starts(struct broker *broker, struct map *out, struct err *err)
{
    CLEANUP(buf_free) struct buf text = { 0 };
    struct str rest, line;
    enum rc rc = load_file(broker, "log-start-offset-checkpoint", &text, err);
    int row = 0;

    for (rest = buf_str(&text); !rc && str_cut(&rest, '\n', &line); row++) {
        size_t blank = line.len;
        int64_t offset = 0;
        while (blank > 0 && line.p[blank - 1] != ' ')
            blank--;
        if (row >= 2 && blank > 0 && str_to_i64(str_skip(line, blank), 0, INT64_MAX - 1, &offset))
            map_put(out, str_n(line.p, blank - 1), (void *)(intptr_t)(offset + 1));
    }
    return rc;
}

static enum rc take_clean_mark(struct broker *broker, struct err *err)
{
    CLEANUP_FREE char *path = file_path(broker, ".kafka_cleanshutdown");

    broker->was_clean = disk_exists(path);
    if (!broker->was_clean)
        return RC_OK;
    enum rc rc = disk_unlink(path, err);
    return rc ? rc : disk_flush_dir(broker->dir, err);
}

static void leave_clean_mark(struct broker *broker)
{
    CLEANUP(buf_free) struct buf mark = { 0 };
    struct err err = { 0 };

    buf_puts(&mark, "{\"version\":0,\"brokerEpoch\":1}");
    if (broker_save_starts(broker, &err) || save_offsets(broker, "recovery-point-offset-checkpoint", false, &err) ||
        save_file(broker, ".kafka_cleanshutdown", &mark, &err))
        log_warn("cannot mark the stop as clean; the next start verifies the logs", "why=%s", err.text);
}

/* ------------------------------------------------------------------------------------ retention */

/* Records of long ago expire at once; whoever sent them may still be reading, so there is time between two looks. */
static void look_after(struct broker *broker, int64_t after)
{
    int64_t wait = MIN(MAX(after, RETENTION_PAUSE_MS), RETENTION_LONGEST_MS);
    int64_t at = clock_mono_ms() + wait;

    if (broker->retention_at && broker->retention_at <= at)
        return;
    broker->retention_at = at;
    server_timer_set(broker->retention_timer, wait);
}

static void on_retention(void *context)
{
    struct broker *broker = context;
    int64_t now = clock_wall_ms(), next = INT64_MAX;

    broker->retention_at = 0;
    broker->retention_looked = clock_mono_ms();
    for (struct map_entry *e = NULL; (e = map_next(&broker->topics, e));) {
        struct topic *topic = e->value;
        for (int32_t i = 0; i < topic->partition_count; i++)
            next = MIN(next, partition_retain(topic->partitions[i], now));
    }
    if (next != INT64_MAX)
        look_after(broker, MAX(next + 1 - now, broker_config_int(&broker->config, RETENTION_INTERVAL)));
}

void broker_retention_changed(struct broker *broker)
{
    look_after(broker, 0);
}

void broker_retention_wanted(struct broker *broker)
{
    int64_t since = clock_mono_ms() - broker->retention_looked;

    look_after(broker, broker_config_int(&broker->config, RETENTION_INTERVAL) - since);
}

/* ------------------------------------------------------------------------------------- internal */

struct internal_append {
    struct flush_waiter waiter;
    struct partition *partition;
    unsigned generation;
    int64_t base_offset;
    append_done *done;
    void *context;
};

static void on_internal_durable(struct flush_waiter *waiter)
{
    struct internal_append *append = CONTAINER_OF(waiter, struct internal_append, waiter);
    bool lost = append->generation != append->partition->generation;

    append->done(append->context, lost ? KAFKA_STORAGE_ERROR : KAFKA_NONE, append->base_offset);
    partition_release(append->partition);
    free(append);
}

void broker_append_internal(struct broker *broker, struct partition *partition, struct str bytes, append_done *done,
                            void *context)
{
    CLEANUP_FREE char *copy = mem_strndup(bytes.p, bytes.len);
    struct append_result result = { .base_offset = -1 };
    struct kafka_batch batch;
    const char *why = NULL;
    enum kafka_error error = kafka_batch_check(str_n(copy, bytes.len), &batch, &why);

    if (!error)
        error = partition_append(partition, copy, &batch, &result);
    if (error) {
        done(context, error, -1);
        return;
    }
    struct internal_append *append = NEW(struct internal_append);
    append->waiter.done = on_internal_durable;
    append->partition = partition;
    append->generation = partition->generation;
    append->base_offset = result.base_offset;
    append->done = done;
    append->context = context;
    partition_hold(partition);
    flusher_wait(broker->flusher, &append->waiter);
}

static enum rc read_batch(struct segment *segment, uint64_t at, const struct kafka_batch *batch, record_each *each,
                          void *context, struct err *err)
{
    enum { BATCH_MAX = 128 << 20 };
    CLEANUP(buf_free) struct buf bytes = { .max = BATCH_MAX };
    CLEANUP(arena_free) struct arena arena = { 0 };
    CLEANUP(kafka_records_close) struct kafka_record_reader reader = { 0 };
    struct kafka_record record;
    enum rc rc = segment_read(segment, at, kafka_batch_size(batch), &bytes, err);

    if (!rc)
        rc = kafka_records_open(buf_str(&bytes), BATCH_MAX, &arena, &reader, err);
    while (!rc && !(rc = kafka_records_next(&reader, &record, err)))
        rc = each(context, &record, err);
    return rc == RC_AGAIN ? RC_OK : rc;
}

enum rc broker_read_internal(struct broker *broker, struct partition *partition, record_each *each, void *context,
                             struct err *err)
{
    (void)broker;
    for (size_t i = 0; i < partition->segment_count; i++) {
        struct segment *segment = partition->segments[i];
        struct kafka_batch batch;
        uint64_t at = 0;
        enum rc rc = RC_OK;
        for (; !(rc = segment_header(segment, at, segment->size, &batch, err)); at += kafka_batch_size(&batch)) {
            if (batch.attributes & KAFKA_BATCH_CONTROL || kafka_batch_last_offset(&batch) < partition->log_start)
                continue;
            rc = read_batch(segment, at, &batch, each, context, err);
            if (rc)
                return rc;
        }
        if (rc != RC_AGAIN)
            return rc;
    }
    return RC_OK;
}

/* ------------------------------------------------------------------------------- opening, closing */

static enum rc lock_dir(struct broker *broker, struct err *err)
{
    pid_t holder = 0;
    enum rc rc = disk_lock_dir(broker->dir, &broker->lock_fd, &holder, err);

    if (rc == RC_EXISTS)
        return err_set(err, RC_EXISTS, "cannot use '%s': process %d has it; stop that one or use another HAUS_HOME",
                       broker->dir, (int)holder);
    return rc;
}

static void before_sleep(void *context)
{
    struct broker *broker = context;

    flusher_submit(broker->flusher);
}

static enum rc load_all(struct broker *broker, const struct station *station, struct err *err)
{
    enum rc rc = disk_make_dirs(broker->dir, 0700, err);

    if (!rc) /* its name must last too */
        rc = disk_flush_dir(station->home, err);
    if (!rc)
        rc = lock_dir(broker, err);
    if (!rc)
        rc = load_config(broker, station, err);
    if (!rc)
        rc = load_identity(broker, err);
    if (!rc)
        rc = load_producer_ids(broker, err);
    if (!rc)
        rc = take_clean_mark(broker, err);
    if (!rc)
        rc = topics_load(broker, err);
    if (!rc)
        rc = groups_open(broker, &broker->groups, err);
    return rc;
}

static void free_all(struct broker *broker)
{
    groups_close(TAKE_PTR(broker->groups));
    topics_free(broker);
    flusher_free(broker->flusher);
    server_timer_free(broker->retention_timer);
    broker_config_free(&broker->config);
    kafka_skimmer_free(&broker->skimmer);
    disk_close(&broker->lock_fd);
    free(broker->dir);
    free(broker);
}

enum rc broker_open(const struct station *station, struct server *server, struct broker **out, struct err *err)
{
    struct broker *broker = NEW(struct broker);
    int64_t started = clock_mono_ms();

    broker->server = server;
    broker->dir = mem_strdup(station->dir);
    broker->node_id = BROKER_NODE_ID;
    broker->lock_fd = -1;
    broker->retention_timer = server_timer_new(server, on_retention, broker);
    broker->flusher = flusher_new(server);
    enum rc rc = load_all(broker, station, err);
    if (rc) {
        free_all(broker);
        return rc;
    }
    server_before_sleep(server, before_sleep, broker);
    server_set_idle(server, broker_config_int(&broker->config, "connections.max.idle.ms"));
    broker->retention_looked = clock_mono_ms();
    look_after(broker, MIN(RETENTION_FIRST_MS, broker_config_int(&broker->config, RETENTION_INTERVAL)));
    log_info("opened the log", "dir=%s topics=%zu partitions=%d clean=%s ms=%lld", broker->dir, broker->topics.count,
             broker->partition_count, broker->was_clean ? "yes" : "no", (long long)(clock_mono_ms() - started));
    *out = broker;
    return RC_OK;
}

void broker_close(struct broker *broker)
{
    if (!broker)
        return;
    flusher_drain(broker->flusher);
    for (struct map_entry *e = NULL; (e = map_next(&broker->topics, e));) {
        struct topic *topic = e->value;
        for (int32_t i = 0; i < topic->partition_count; i++)
            partition_checkpoint(topic->partitions[i]);
    }
    leave_clean_mark(broker);
    server_before_sleep(broker->server, NULL, NULL);
    free_all(broker);
}
