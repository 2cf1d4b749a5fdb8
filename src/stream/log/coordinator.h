/*
 * The coordinator of consumer groups, classic protocol, as Apache Kafka 4.1 keeps it.
 *
 * A state machine that knows neither sockets nor files: requests come in as wire/kafka's structs, time as a number,
 * and answers go out through struct group_host, at once or later.  A group is
 *
 *     Empty --join--> PreparingRebalance --all joined, or timeout--> CompletingRebalance --leader's sync--> Stable
 *       ^--- last member gone ----'  ^------- member joins, leaves, or fails -----------------------------'
 *
 * Offsets and assignments are acknowledged only after the host has stored them: coordinator_*() hands a record batch to
 * host->store() and goes on in coordinator_stored().  What was stored is applied by the same code that reads the topic
 * at start (coordinator_replay()), so that memory is always what a restart would find.
 *
 * Everything here belongs to the event-loop thread; the host may call coordinator_stored() from inside store().
 */
#ifndef STREAM_LOG_COORDINATOR_H
#define STREAM_LOG_COORDINATOR_H

#include "base/base.h"
#include "wire/kafka/kafka.h"

enum {
    GROUPS_MAX = 100000,               /* groups at a time; a further one is told to try another coordinator */
    GROUP_RECORD_MAX = 32 << 20,       /* bytes of one batch for the offsets topic */
    GROUP_NEW_MEMBER_JOIN_MS = 300000, /* how long a new member may wait for its first generation */
};

enum group_state { GROUP_EMPTY, GROUP_PREPARING, GROUP_COMPLETING, GROUP_STABLE, GROUP_DEAD };

/* Who asks.  The ticket is the host's handle of a request that may be answered later; each is answered once. */
struct group_caller {
    void *ticket;
    int version; /* of the request */
    struct str client_id, client_host;
};

struct group_host {
    void *context;
    /* `response` is the struct of wire/kafka that answers the ticket's request; valid during the call only. */
    void (*reply)(void *context, void *ticket, const void *response);
    /* Appends one record batch to a partition of __consumer_offsets and flushes; then calls coordinator_stored() with
     * the token.  `batch` is valid during the call only. */
    void (*store)(void *context, int32_t partition, struct str batch, uint64_t token);
    bool (*has_partition)(void *context, struct str topic, int32_t partition);
    int64_t (*mono_ms)(void *context);
    int64_t (*wall_ms)(void *context);
};

struct group_settings {
    int32_t partitions; /* of __consumer_offsets */
    int32_t initial_delay_ms, min_session_ms, max_session_ms, max_size, metadata_max;
    int64_t retention_ms; /* of offsets of groups without members */
};

struct group_protocol {
    char *name;
    struct str metadata; /* owned */
};

struct group_member {
    char *id, *instance_id /* NULL: dynamic */, *client_id, *client_host;
    int32_t rebalance_ms, session_ms;
    struct group_protocol *protocols; /* as preferred by the member */
    int32_t protocol_count;
    struct str assignment, next_assignment; /* owned; next: sent by the leader, not stored yet */
    void *joining, *syncing;                /* tickets that wait; NULL: none */
    int join_version;
    bool is_new;        /* until it has been in a generation */
    bool pending_sync;  /* has not asked for its assignment in this generation */
    int64_t expires_at; /* monotonic ms; INT64_MAX: not watched */
};

struct group_offset {
    int32_t partition;
    int32_t leader_epoch; /* -1: none */
    int64_t offset;
    int64_t committed_at; /* wall ms */
    int64_t expires_at;   /* wall ms; -1: as the retention says */
    struct str metadata;  /* owned; any bytes: some clients send a zero byte at its end */
};

struct group_topic {
    struct group_offset *offsets; /* by partition */
    int32_t count;
};

struct group {
    char *id;
    enum group_state state, previous;
    int32_t generation;
    char *protocol_type, *protocol_name; /* NULL: none */
    char *leader;
    struct map members;      /* id -> struct group_member, in order of joining */
    struct map pending;      /* member id given out, not joined yet -> struct group_member with only id and deadline */
    struct map topics;       /* -> struct group_topic */
    int64_t state_since;     /* wall ms; -1: unknown */
    int64_t join_at;         /* monotonic ms at which the join phase ends; INT64_MAX: not running */
    int64_t sync_at;         /* at which members that have not synced are put out */
    int64_t initial_left_ms; /* of a rebalance of an empty group: how much longer it may wait; -1: another */
    bool member_added;       /* during the initial delay */
};

struct coordinator;

struct coordinator *coordinator_new(const struct group_settings *settings, const struct group_host *host);
void coordinator_free(struct coordinator *c);

void coordinator_join(struct coordinator *c, const struct group_caller *caller,
                      const struct kafka_join_group_request *request);
void coordinator_sync(struct coordinator *c, const struct group_caller *caller,
                      const struct kafka_sync_group_request *request);
void coordinator_heartbeat(struct coordinator *c, const struct group_caller *caller,
                           const struct kafka_heartbeat_request *request);
void coordinator_leave(struct coordinator *c, const struct group_caller *caller,
                       const struct kafka_leave_group_request *request);
void coordinator_commit(struct coordinator *c, const struct group_caller *caller,
                        const struct kafka_offset_commit_request *request);
void coordinator_fetch(struct coordinator *c, const struct group_caller *caller,
                       const struct kafka_offset_fetch_request *request);
void coordinator_delete_offsets(struct coordinator *c, const struct group_caller *caller,
                                const struct kafka_offset_delete_request *request);
void coordinator_describe(struct coordinator *c, const struct group_caller *caller,
                          const struct kafka_describe_groups_request *request);
void coordinator_list(struct coordinator *c, const struct group_caller *caller,
                      const struct kafka_list_groups_request *request);
void coordinator_delete(struct coordinator *c, const struct group_caller *caller,
                        const struct kafka_delete_groups_request *request);

/* What store() asked for has been flushed (rc RC_OK) or has failed. */
void coordinator_stored(struct coordinator *c, uint64_t token, enum rc rc);
/* A topic is gone, and with it what groups committed for it. */
void coordinator_topic_deleted(struct coordinator *c, struct str topic);

/* Does what is due; call it at coordinator_next_deadline() (monotonic ms, INT64_MAX: never), which may have moved after
 * each call of the functions above. */
void coordinator_tick(struct coordinator *c);
int64_t coordinator_next_deadline(const struct coordinator *c);
/* Drops offsets whose time is over, and groups that have nothing left. */
void coordinator_expire(struct coordinator *c);

/* Reads one record of __consumer_offsets; value.p NULL: a tombstone.  Kinds of record that Kafka has and we do not
 * use are skipped; RC_BAD_INPUT for one that cannot be read. */
MUST_CHECK enum rc coordinator_replay(struct coordinator *c, struct str key, struct str value, struct err *err);
/* After the topic has been read: members found in it have one session timeout to show up. */
void coordinator_loaded(struct coordinator *c);

int32_t coordinator_partition_of(const struct coordinator *c, struct str group_id);
const struct group *coordinator_find(const struct coordinator *c, struct str group_id); /* NULL: none */
size_t coordinator_count(const struct coordinator *c);
const char *group_state_name(enum group_state state); /* "PreparingRebalance" */

#endif
