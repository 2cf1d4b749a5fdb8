/*
 * Reads the tails of our topics back; see replay.h.  Each partition is read from its end backwards in
 * growing steps, until a step begins with a record that lies before the stored position (within a
 * partition records stand in the order of commits), and counted once.
 */
#include <librdkafka/rdkafka.h>
#include <stdlib.h>
#include <string.h>

#include "stream/connect/postgres/replay.h"
#include "stream/connect/postgres/tail.h"

enum { STEP_FIRST = 200, STEP_GROWTH = 8, LOG_TIMEOUT_MS = 10000, POLL_MS = 1000 };

struct loader {
    const struct replay_source *source;
    struct replay *replay;
    struct tail_schemas schemas;
    rd_kafka_t *client;
    rd_kafka_queue_t *queue;
};

/* One pass over the end of one partition. */
struct pass {
    int64_t start, low, high;
    bool reached_before; /* its first record lies before the position */
    bool any;
    uint64_t delete_key; /* hash of the key of the delete just read; a tombstone follows it */
    uint64_t delete_lsn;
    bool delete_after;
    bool has_delete;
    struct replay found;
};

static void loader_free(struct loader *l)
{
    if (l->queue)
        rd_kafka_queue_destroy(l->queue);
    if (l->client) {
        rd_kafka_consumer_close(l->client);
        rd_kafka_destroy(l->client);
    }
    tail_schemas_free(&l->schemas);
}

static enum rc open_client(struct loader *l, struct err *err)
{
    const char *const rows[][2] = {
        { "bootstrap.servers", l->source->ctx->bootstrap },
        { "group.id", "haus-replay" }, /* never joined: partitions are assigned by hand */
        { "enable.auto.commit", "false" },
        { "enable.partition.eof", "true" },
        { "allow.auto.create.topics", "false" },
        { "fetch.wait.max.ms", "10" },
        { "queued.max.messages.kbytes", "4096" },
        { "isolation.level", "read_committed" },
    };
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    char words[300] = "";

    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (rd_kafka_conf_set(conf, rows[i][0], rows[i][1], words, sizeof words) != RD_KAFKA_CONF_OK) {
            rd_kafka_conf_destroy(conf);
            return err_set(err, RC_FATAL, "cannot read topics back: %s", words);
        }
    l->client = rd_kafka_new(RD_KAFKA_CONSUMER, conf, words, sizeof words);
    if (!l->client) {
        rd_kafka_conf_destroy(conf);
        return err_set(err, RC_FATAL, "cannot read topics back: %s", words);
    }
    rd_kafka_poll_set_consumer(l->client);
    return RC_OK;
}

/* ------------------------------------------------------------------ records */

static bool read_place(struct loader *l, struct str topic, struct str value, struct tail_record *out)
{
    struct converter_data data = { 0 };
    struct err err = { 0 };

    if (converter_decode(l->source->converter, topic, value, &data, &err))
        return false;
    return data.json ? tail_read_json(data.json, out) : tail_read_avro(&l->schemas, &data, out);
}

static enum rc take_record(struct loader *l, struct pass *pass, const rd_kafka_message_t *m, struct err *err)
{
    struct str topic = str_of(rd_kafka_topic_name(m->rkt));
    uint64_t key = str_hash(str_n(m->key, m->key_len));
    struct tail_record record = { 0 };
    bool after = false;

    if (!m->payload) {
        bool ours = pass->has_delete && pass->delete_key == key;
        pass->has_delete = false;
        return ours && pass->delete_after ? replay_add(&pass->found, topic, pass->delete_lsn, REPLAY_TOMBSTONE, err)
                                          : RC_OK;
    }
    if (!read_place(l, topic, str_n(m->payload, m->len), &record))
        return RC_OK;
    after = tail_is_after(&record, l->source->position);
    pass->reached_before |= !pass->any && !after;
    pass->any = true;
    pass->has_delete = record.kind == REPLAY_DELETE;
    pass->delete_key = key;
    pass->delete_lsn = record.lsn;
    pass->delete_after = after;
    return after ? replay_add(&pass->found, topic, record.lsn, (enum replay_kind)record.kind, err) : RC_OK;
}

static enum rc read_pass(struct loader *l, const char *topic, int32_t partition, struct pass *pass, struct err *err)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    int64_t deadline = clock_mono_ms() + LOG_TIMEOUT_MS;
    enum rc rc = RC_OK;
    bool end = false;

    rd_kafka_topic_partition_list_add(list, topic, partition)->offset = pass->start;
    rd_kafka_assign(l->client, list);
    while (!rc && !end) {
        rd_kafka_message_t *m = rd_kafka_consumer_poll(l->client, POLL_MS);
        if (task_stopping(l->source->ctx))
            rc = err_set(err, RC_AGAIN, "told to stop");
        else if (!m || (m->err && m->err != RD_KAFKA_RESP_ERR__PARTITION_EOF))
            rc = clock_mono_ms() < deadline ? RC_OK
                                            : err_set(err, RC_RETRY, "cannot read topic '%s' back: %s", topic,
                                                      m ? rd_kafka_message_errstr(m) : "no answer from the log");
        else if (m->err || m->offset >= pass->high)
            end = true;
        else
            rc = take_record(l, pass, m, err), deadline = clock_mono_ms() + LOG_TIMEOUT_MS,
            end = m->offset + 1 >= pass->high;
        if (m)
            rd_kafka_message_destroy(m);
    }
    rd_kafka_assign(l->client, NULL);
    rd_kafka_topic_partition_list_destroy(list);
    return rc;
}

static enum rc read_partition(struct loader *l, const char *topic, int32_t partition, struct err *err)
{
    int64_t low = 0, high = 0, step = STEP_FIRST;
    rd_kafka_resp_err_t code =
        rd_kafka_query_watermark_offsets(l->client, topic, partition, &low, &high, LOG_TIMEOUT_MS);

    if (code)
        return err_set(err, RC_RETRY, "cannot read topic '%s' back: %s", topic, rd_kafka_err2str(code));
    for (; high > low; step *= STEP_GROWTH) {
        struct pass pass = { .start = MAX(low, high - step), .low = low, .high = high };
        enum rc rc = read_pass(l, topic, partition, &pass, err);
        bool enough = pass.start == low || pass.reached_before;
        if (!rc && enough)
            rc = replay_merge(l->replay, &pass.found, err);
        replay_free(&pass.found);
        if (rc || enough)
            return rc;
    }
    return RC_OK;
}

static bool is_ours(const struct loader *l, const char *topic)
{
    size_t len = strlen(l->source->prefix);

    return strncmp(topic, l->source->prefix, len) == 0 && topic[len] == '.';
}

static enum rc read_all(struct loader *l, struct err *err)
{
    const struct rd_kafka_metadata *all = NULL;
    rd_kafka_resp_err_t code = rd_kafka_metadata(l->client, 1, NULL, &all, LOG_TIMEOUT_MS);
    enum rc rc = RC_OK;

    if (code)
        return err_set(err, RC_RETRY, "cannot read topics back from '%s': %s", l->source->ctx->bootstrap,
                       rd_kafka_err2str(code));
    for (int i = 0; i < all->topic_cnt && !rc; i++)
        for (int p = 0; p < all->topics[i].partition_cnt && !rc && is_ours(l, all->topics[i].topic); p++)
            rc = read_partition(l, all->topics[i].topic, all->topics[i].partitions[p].id, err);
    rd_kafka_metadata_destroy(all);
    return rc;
}

enum rc replay_load(struct replay *replay, const struct replay_source *source, struct err *err)
{
    CLEANUP(loader_free) struct loader l = { .source = source, .replay = replay };
    enum converter_kind kind = converter_kind(source->converter);
    int64_t started = clock_mono_ms();

    if (kind != CONVERTER_AVRO && kind != CONVERTER_JSON) {
        log_warn("topics are not read back: their values do not show positions", "converter=%s",
                 converter_class(source->converter));
        return RC_OK;
    }
    enum rc rc = open_client(&l, err);
    if (!rc)
        rc = read_all(&l, err);
    if (rc == RC_FULL) {
        log_warn("topics not read back, records may be repeated", "cause=%s", err->text);
        replay_free(replay);
        return RC_OK;
    }
    if (rc)
        return rc;
    replay->loaded = true;
    log_info("topics read back", "beyond_offset=%zu ms=%lld", replay->left, (long long)(clock_mono_ms() - started));
    return RC_OK;
}
