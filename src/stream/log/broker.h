/*
 * The broker's state: topics, partitions, who this node is.  Private to this folder; loop thread only.
 */
#ifndef STREAM_LOG_BROKER_H
#define STREAM_LOG_BROKER_H

#include "stream/log/config.h"
#include "stream/log/server.h"

enum {
    BROKER_NODE_ID = 1,
    TOPICS_MAX = 20000,
    PARTITIONS_MAX = 50000, /* of all topics together */
    TOPIC_NAME_MAX = 249,
    CLUSTER_ID_MAX = 40,
};

struct partition; /* partition.h */
struct flusher;   /* flush.h */
struct groups;    /* the group coordinator, owned by groups.c */

struct topic {
    char *name;
    struct kafka_uuid id;
    struct topic_config config;
    struct partition **partitions;
    int32_t partition_count;
    bool is_internal; /* __consumer_offsets */
};

struct broker {
    struct server *server;
    struct flusher *flusher;
    struct broker_config config;
    struct map topics;       /* name -> struct topic */
    struct map topics_by_id; /* the id's 16 bytes -> struct topic */
    char *dir;               /* $HAUS_HOME/log */
    int32_t node_id;
    char cluster_id[CLUSTER_ID_MAX];
    int32_t partition_count; /* of all topics */
    struct groups *groups;
    struct kafka_skimmer skimmer; /* for whoever of the loop's looks into a batch */
    /* private to topics.c, producer ids, retention */
    int64_t next_producer_id, producer_ids_reserved;
    struct server_timer *retention_timer;
    int64_t retention_at, retention_looked; /* by the monotonic clock; 0: no look is due, none was */
    int lock_fd;
    bool was_clean; /* stopped cleanly last time: no recovery scan */
};

MUST_CHECK enum rc broker_open(const struct station *station, struct server *server, struct broker **out,
                               struct err *err);
void broker_close(struct broker *broker); /* clean stop: everything flushed, checkpoints written */

struct topic *broker_topic(const struct broker *broker, struct str name);                   /* NULL: unknown */
struct topic *broker_topic_by_id(const struct broker *broker, const struct kafka_uuid *id); /* NULL: unknown */
struct partition *topic_partition(const struct topic *topic, int32_t index);                /* NULL: unknown */
bool topic_name_is_valid(struct str name);
/* Whether a topic could be created so; the words are what the client sees. */
enum kafka_error broker_check_new_topic(const struct broker *broker, struct str name, int32_t partitions,
                                        struct err *err);
/* Creates durably.  config: overrides already checked, taken over (NULL: none).  Errors: KAFKA_* and words. */
enum kafka_error broker_create_topic(struct broker *broker, struct str name, int32_t partitions,
                                     struct topic_config *config, struct topic **out, struct err *err);
enum kafka_error broker_delete_topic(struct broker *broker, struct topic *topic, struct err *err);
enum kafka_error broker_add_partitions(struct broker *broker, struct topic *topic, int32_t total, struct err *err);
/* Writes the table of topics (ids, partitions, overrides) or the dynamic broker settings; call after changing them. */
MUST_CHECK enum rc broker_save_topics(struct broker *broker, struct err *err);
MUST_CHECK enum rc broker_save_config(struct broker *broker, struct err *err);

/* Unique for all time; reserved in blocks on disk. */
MUST_CHECK enum rc broker_next_producer_id(struct broker *broker, int64_t *out, struct err *err);
/* A topic's retention has changed: look soon. */
void broker_retention_changed(struct broker *broker);
/* There is something that may expire: look, but not more often than log.retention.check.interval.ms. */
void broker_retention_wanted(struct broker *broker);
/* Where partitions begin, for the next start; after DeleteRecords. */
MUST_CHECK enum rc broker_save_starts(struct broker *broker, struct err *err);

/* ---- for the group coordinator: internal topics ---- */

/*
 * Appends one record batch (kafka_batch_begin/add/end, base offset 0) to a partition and calls done once it is
 * durable, or at once with the error when it cannot be written.  Many appends share one flush.  The bytes are
 * copied before this returns.  done is called exactly once, from the loop, never before this returns when error == 0.
 */
typedef void append_done(void *context, enum kafka_error error, int64_t base_offset);
void broker_append_internal(struct broker *broker, struct partition *partition, struct str batch, append_done *done,
                            void *context);
/* Reads a partition from its start to its end, at start or later: `each` for every record in order of offsets.  A
 * non-zero rc from it stops the reading and is returned. */
typedef enum rc record_each(void *context, const struct kafka_record *record, struct err *err);
MUST_CHECK enum rc broker_read_internal(struct broker *broker, struct partition *partition, record_each *each,
                                        void *context, struct err *err);

/* ---- what groups.c gives: called by broker_open() after all topics are open, and by broker_close() ---- */

MUST_CHECK enum rc groups_open(struct broker *broker, struct groups **out, struct err *err);
void groups_close(struct groups *groups); /* NULL is fine */
/* The topic is about to go: forget its committed offsets. */
void groups_topic_deleted(struct groups *groups, const struct topic *topic);

#endif
