/*
 * What coordinator.c and the files group*.c share: the coordinator itself, members, and writes that are under way.
 * For them only.
 */
#ifndef STREAM_LOG_GROUP_PRIVATE_H
#define STREAM_LOG_GROUP_PRIVATE_H

#include "stream/log/coordinator.h"
#include "stream/log/group_record.h"

#define GROUP_NEVER INT64_MAX

struct coordinator {
    struct group_settings settings;
    struct group_host host;
    struct map by_id;  /* -> struct group */
    struct map writes; /* token as 8 bytes -> struct group_write */
    uint64_t next_token;
    int64_t earliest; /* no deadline lies before it */
};

/* An answer that waits for one or more writes. */
struct group_answer {
    void *ticket;
    struct arena arena;
    void *response;               /* in the arena */
    void (*fail)(void *response); /* makes it tell that the write failed */
    int left;                     /* writes to wait for */
    bool failed;
};

/* A batch that is being stored, and what follows. */
struct group_write {
    struct buf batch;
    struct kafka_batch_writer writer;
    int32_t partition;
    bool replay; /* apply the records once they are stored */
    void (*then)(struct coordinator *c, struct group_write *write, enum rc rc); /* NULL: nothing */
    char *group_id, *member_id;                                                 /* for `then` */
    int32_t generation;
    struct group_answer *answer; /* NULL: nobody waits */
};

/* ---- coordinator.c ---- */

int64_t coordinator_now(const struct coordinator *c);
void coordinator_note_deadline(struct coordinator *c, int64_t at); /* the timer must not come later than this */
void coordinator_reply(struct coordinator *c, void *ticket, const void *response);

bool group_name_is_good(struct str name); /* no zero byte in it */
struct group *group_get(const struct coordinator *c, struct str id);
struct group *group_make(struct coordinator *c, struct str id); /* NULL: too many */
void group_remove(struct coordinator *c, struct group *group);
void group_enter(struct coordinator *c, struct group *group, enum group_state state);

/* ---- group_write.c ---- */

struct group_write *group_write_begin(struct coordinator *c, const struct group *group);
void group_write_add(struct coordinator *c, struct group_write *write, const struct group_record *record);
/* The group as it stands; assignments are those of the members, or with `next` those the leader just sent. */
void group_write_group(struct coordinator *c, struct group_write *write, const struct group *group, bool next);
void group_write_submit(struct coordinator *c, struct group_write *write); /* takes it over */
void group_write_free(void *write);
struct group_answer *group_answer_new(void *ticket, size_t response_size, void (*fail)(void *response));
/* One write less to wait for; the last one sends the answer and frees it. */
void group_answer_done(struct coordinator *c, struct group_answer *answer);

/* ---- group.c: members ---- */

struct group_member *group_member_get(const struct group *group, struct str id);
struct group_member *group_member_static(const struct group *group, struct str instance_id);
void group_member_free(void *member);
void group_member_set_protocols(struct group_member *member, const struct kafka_join_group_request_protocol *protocols,
                                int32_t count);
bool group_member_matches(const struct group_member *member, const struct kafka_join_group_request_protocol *protocols,
                          int32_t count);
struct str group_member_metadata(const struct group_member *member, const char *protocol); /* empty: none */
void group_member_add(struct group *group, struct group_member *member);                   /* takes it over */
/* Takes a member out and frees it; the leader's place goes to the first one left. */
void group_member_drop(struct group *group, struct group_member *member);
void group_member_rename(struct group *group, struct group_member *member, const char *id);
void group_pending_drop(struct group *group, struct str id);
bool group_is_leader(const struct group *group, const struct group_member *member);
int32_t group_rebalance_ms(const struct group *group); /* the longest of the members' */
bool group_all_joined(const struct group *group);
bool group_all_synced(const struct group *group);
bool group_accepts_protocols(const struct group *group, const struct kafka_join_group_request *request);
const char *group_choose_protocol(const struct group *group);
bool group_is_consumer(const struct group *group);
bool group_subscribes(const struct group *group, struct str topic);
enum kafka_error group_check_member(const struct group *group, struct str member_id, struct str instance_id);

void group_set_bytes(struct str *at, struct str value); /* an owned copy in place of the old one */
void group_set_text(char **at, struct str value);       /* as above; .p NULL gives NULL */

/* ---- group_offset.c ---- */

struct group_offset *group_offset_get(const struct group *group, struct str topic, int32_t partition);
void group_offset_put(struct group *group, const struct group_record *record);
void group_offset_drop(struct group *group, struct str topic, int32_t partition);
void group_topic_free(void *topic);
void group_record_of_offset(const struct group *group, const char *topic, int32_t partition, struct group_record *out);

/* ---- group_rebalance.c ---- */

void group_watch(struct coordinator *c, struct group_member *member, int64_t ms); /* restarts its session */
void group_join_due(struct coordinator *c, struct group *group);
void group_sync_due(struct coordinator *c, struct group *group);
void group_member_due(struct coordinator *c, struct group *group, struct group_member *member);
void group_pending_due(struct coordinator *c, struct group *group, struct group_member *pending);
void group_maybe_rebalance(struct coordinator *c, struct group *group, const char *why);
void group_maybe_complete_join(struct coordinator *c, struct group *group);
/* Answers whatever the member waits for with an error. */
void group_turn_away(struct coordinator *c, struct group_member *member, enum kafka_error error);
/* The same, and takes it out. */
void group_expel(struct coordinator *c, struct group *group, struct group_member *member, enum kafka_error error);
void group_answer_join(struct coordinator *c, struct group *group, struct group_member *member, bool skip);
void group_fail_join(struct coordinator *c, void *ticket, int version, struct str member_id, enum kafka_error error);
void group_fail_sync(struct coordinator *c, void *ticket, enum kafka_error error);
void group_prepare(struct coordinator *c, struct group *group, const char *why);
void group_hand_out(struct coordinator *c, struct group *group, enum kafka_error error); /* answers all syncs */

#endif
