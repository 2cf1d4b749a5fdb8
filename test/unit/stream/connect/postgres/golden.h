/*
 * Golden cases offline: input.jsonl (catalogue and rows as a connector reads them) and expected.jsonl (what
 * Debezium sent), and a registry of our own that gives ids to schemas.
 */
#ifndef TEST_GOLDEN_H
#define TEST_GOLDEN_H

#include <jansson.h>

#include "stream/connect/postgres/event.h"
#include "wire/pg/pg.h"

/* A schema registry in this process: ids from 1 on, in order of registration. */
struct registry_stub {
    struct http_server *server;
    char url[64];
    char **schemas;
    size_t count;
    int fail_next; /* so many calls are answered 500 */
    int calls;
};
void registry_stub_start(struct registry_stub *stub);
void registry_stub_stop(struct registry_stub *stub);

/* Settings as name, value, name, value, …, NULL. */
const char *settings_of_list(const void *user, const char *name);

struct golden_table {
    struct pg_table table;
    struct event_program *json, *avro;
};

/* A record that our side made of one change. */
struct golden_record {
    enum event_op op;
    const struct pg_value *before, *after;
    const struct pg_value *other; /* of a key change: the new row, at the delete and its tombstone */
    bool tombstone;
    struct golden_table *table;
};
typedef void golden_each(void *user, const struct golden_record *record);

struct golden {
    const char *name; /* of the case */
    json_t *config;   /* connector.json's config */
    struct pg_types types;
    struct map tables; /* oid -> struct golden_table */
    struct map old;    /* tables described anew meanwhile */
    size_t old_count;
    struct event_options *options;
    struct converter *json_key, *json_value, *avro_key, *avro_value;
};
void golden_open(struct golden *golden, const char *name, const char *registry_url, const char *failure_mode);
/* Walks input.jsonl: snapshot rows, then changes, key changes split, with tombstones. */
void golden_walk(struct golden *golden, golden_each *each, void *user);
void golden_close(struct golden *golden);
json_t *golden_lines(const char *name, const char *file); /* array of the objects in a .jsonl */
char *golden_file(const char *name, const char *file);    /* its text */

#endif
