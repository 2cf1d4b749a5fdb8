/*
 * Records of Connect's internal topics as anybody might write them: lines, keys and values in turn ("-" is a
 * tombstone), first the config topic's, after an empty line the status topic's, after another the offsets'.  And each
 * value as a source offset: what is read is printed and read alike.
 */
#include <stdlib.h>
#include <string.h>

#include "stream/connect/backing.h"
#include "stream/connect/postgres/offset.h"
#include "stream/connect/postgres/transaction.h"
#include "stream/connect/rest.h"
#include "stream/connect/worker.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_position(struct str json)
{
    CLEANUP(buf_free) struct buf first = { 0 }, second = { 0 };
    struct transaction_state transaction = { 0 };
    struct position position, again;
    struct err err = { 0 };

    if (position_parse(json, &position, &err))
        return;
    position_print(&position, &transaction, &first);
    if (position_parse(buf_str(&first), &again, &err))
        abort();
    position_print(&again, &transaction, &second);
    if (!str_eq(buf_str(&first), buf_str(&second)))
        abort();
    (void)position_confirmable(&position);
    struct resume resume = resume_of(&position, true);
    (void)resume_begin(&resume, 1, 100);
    (void)resume_was_sent(&resume, 100);
}

static void free_topic(void *value)
{
    json_decref(value);
}

static void free_connector(void *user)
{
    struct connector *connector = user;

    config_free(&connector->config);
    map_free(&connector->topics, free_topic);
    free(connector->status.trace);
    free(connector->name);
    free(connector);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static void (*const takes[])(void *user, struct str key, struct str value) = { worker_take_config,
                                                                                   worker_take_status, NULL };
    struct str rest = str_n((const char *)data, size), key, value;
    struct worker worker = { .lock = PTHREAD_MUTEX_INITIALIZER };
    struct map offsets = { 0 };
    size_t topic = 0;

    while (str_cut(&rest, '\n', &key)) {
        if (!key.len && topic + 1 < ARRAY_LEN(takes)) {
            topic++;
            continue;
        }
        if (!str_cut(&rest, '\n', &value) || str_is(value, "-"))
            value = (struct str){ 0 };
        if (takes[topic])
            takes[topic](&worker, key, value);
        else
            backing_take_offset(&offsets, key, value);
        check_position(value);
    }
    for (struct map_entry *e = NULL; (e = map_next(&worker.connectors, e));)
        json_decref(rest_status(&worker, e->value));
    map_free(&offsets, free);
    map_free(&worker.connectors, free_connector);
    return 0;
}
