/* The coordinator: groups by name, deadlines, and reading back what was stored.  See coordinator.h. */
#include "stream/log/coordinator.h"

#include <stdlib.h>
#include <string.h>

#include "stream/log/group_private.h"

struct coordinator *coordinator_new(const struct group_settings *settings, const struct group_host *host)
{
    struct coordinator *c = NEW(struct coordinator);

    c->settings = *settings;
    c->host = *host;
    c->earliest = GROUP_NEVER;
    return c;
}

static void free_group(void *at)
{
    struct group *group = at;

    map_free(&group->members, group_member_free);
    map_free(&group->pending, group_member_free);
    map_free(&group->topics, group_topic_free);
    free(group->protocol_type);
    free(group->protocol_name);
    free(group->leader);
    free(group->id);
    free(group);
}

/* Each ticket is answered once, also at the end. */
static void turn_away_all(struct coordinator *c, struct group *group)
{
    for (struct map_entry *e = NULL; (e = map_next(&group->members, e));)
        group_turn_away(c, e->value, KAFKA_COORDINATOR_NOT_AVAILABLE);
}

void coordinator_free(struct coordinator *c)
{
    if (!c)
        return;
    for (struct map_entry *e = NULL; (e = map_next(&c->by_id, e));)
        turn_away_all(c, e->value);
    map_free(&c->by_id, free_group);
    map_free(&c->writes, group_write_free);
    free(c);
}

int64_t coordinator_now(const struct coordinator *c)
{
    return c->host.mono_ms(c->host.context);
}

void coordinator_reply(struct coordinator *c, void *ticket, const void *response)
{
    if (ticket)
        c->host.reply(c->host.context, ticket, response);
}

/* String.hashCode() of Java: over UTF-16 units */
static int32_t java_hash(struct str s)
{
    uint32_t h = 0;

    for (size_t i = 0; i < s.len;) {
        uint8_t lead = (uint8_t)s.p[i];
        size_t n = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
        uint32_t code = n == 1 ? lead : lead & (0xffU >> (n + 1));
        for (size_t k = 1; k < n && i + k < s.len; k++)
            code = code << 6 | ((uint8_t)s.p[i + k] & 0x3f);
        i += n;
        if (code >= 0x10000) {
            h = h * 31 + (0xd800 + ((code - 0x10000) >> 10));
            code = 0xdc00 + ((code - 0x10000) & 0x3ff);
        }
        h = h * 31 + code;
    }
    return (int32_t)h;
}

int32_t coordinator_partition_of(const struct coordinator *c, struct str group_id)
{
    int32_t hash = java_hash(group_id);

    return (hash == INT32_MIN ? 0 : abs(hash)) % c->settings.partitions;
}

/* ---- groups ---- */

struct group *group_get(const struct coordinator *c, struct str id)
{
    return map_get(&c->by_id, id);
}

const struct group *coordinator_find(const struct coordinator *c, struct str group_id)
{
    return group_get(c, group_id);
}

size_t coordinator_count(const struct coordinator *c)
{
    return c->by_id.count;
}

struct group *group_make(struct coordinator *c, struct str id)
{
    if (c->by_id.count >= GROUPS_MAX)
        return NULL;
    struct group *group = NEW(struct group);
    group->id = str_dup(id);
    group->state = group->previous = GROUP_EMPTY;
    group->state_since = c->host.wall_ms(c->host.context);
    group->join_at = group->sync_at = GROUP_NEVER;
    group->initial_left_ms = -1;
    map_put(&c->by_id, id, group);
    return group;
}

void group_remove(struct coordinator *c, struct group *group)
{
    map_remove(&c->by_id, str_of(group->id));
    free_group(group);
}

void group_enter(struct coordinator *c, struct group *group, enum group_state state)
{
    group->previous = group->state;
    group->state = state;
    group->state_since = c->host.wall_ms(c->host.context);
}

const char *group_state_name(enum group_state state)
{
    static const char *const names[] = {
        [GROUP_EMPTY] = "Empty",
        [GROUP_PREPARING] = "PreparingRebalance",
        [GROUP_COMPLETING] = "CompletingRebalance",
        [GROUP_STABLE] = "Stable",
        [GROUP_DEAD] = "Dead",
    };

    return names[state];
}

/* ---- deadlines ---- */

void coordinator_note_deadline(struct coordinator *c, int64_t at)
{
    c->earliest = MIN(c->earliest, at);
}

int64_t coordinator_next_deadline(const struct coordinator *c)
{
    return c->earliest;
}

static struct group_member *first_due(const struct map *members, int64_t now)
{
    for (struct map_entry *e = NULL; (e = map_next(members, e));) {
        struct group_member *member = e->value;
        if (member->expires_at <= now)
            return member;
    }
    return NULL;
}

static void tick_group(struct coordinator *c, struct group *group, int64_t now)
{
    struct group_member *due = NULL;

    if (group->join_at <= now)
        group_join_due(c, group);
    if (group->sync_at <= now)
        group_sync_due(c, group);
    while ((due = first_due(&group->pending, now)))
        group_pending_due(c, group, due);
    while ((due = first_due(&group->members, now)))
        group_member_due(c, group, due);
}

static int64_t group_deadline(const struct group *group)
{
    int64_t at = MIN(group->join_at, group->sync_at);

    for (struct map_entry *e = NULL; (e = map_next(&group->pending, e));)
        at = MIN(at, ((const struct group_member *)e->value)->expires_at);
    for (struct map_entry *e = NULL; (e = map_next(&group->members, e));)
        at = MIN(at, ((const struct group_member *)e->value)->expires_at);
    return at;
}

void coordinator_tick(struct coordinator *c)
{
    int64_t now = coordinator_now(c);

    if (now < c->earliest)
        return;
    for (struct map_entry *e = NULL; (e = map_next(&c->by_id, e));)
        tick_group(c, e->value, now);
    c->earliest = GROUP_NEVER;
    for (struct map_entry *e = NULL; (e = map_next(&c->by_id, e));)
        coordinator_note_deadline(c, group_deadline(e->value));
}

/* ---- reading back ---- */

static struct group_member *member_of_record(const struct group_record *record, const struct group_record_member *from)
{
    struct group_member *member = NEW(struct group_member);
    struct kafka_join_group_request_protocol protocol = { record->protocol.p ? record->protocol : STR(""),
                                                          from->subscription };

    member->id = str_dup(from->id);
    group_set_text(&member->instance_id, from->instance_id);
    group_set_text(&member->client_id, from->client_id);
    group_set_text(&member->client_host, from->client_host);
    member->rebalance_ms = from->rebalance_ms;
    member->session_ms = from->session_ms;
    group_member_set_protocols(member, &protocol, 1);
    group_set_bytes(&member->assignment, from->assignment);
    member->expires_at = GROUP_NEVER;
    return member;
}

static void replay_group(struct group *group, const struct group_record *record)
{
    map_free(&group->members, group_member_free);
    group_set_text(&group->leader, (struct str){ 0 });
    group->generation = record->generation;
    group_set_text(&group->protocol_type, record->protocol_type.len ? record->protocol_type : (struct str){ 0 });
    group_set_text(&group->protocol_name, record->protocol);
    for (int32_t i = 0; i < record->member_count; i++)
        if (!group_member_get(group, record->members[i].id))
            group_member_add(group, member_of_record(record, &record->members[i]));
    if (group->members.count && record->leader.p && group_member_get(group, record->leader))
        group_set_text(&group->leader, record->leader);
    group->state = group->members.count ? GROUP_STABLE : GROUP_EMPTY;
    group->state_since = record->state_since;
}

bool group_name_is_good(struct str name)
{
    return !name.len || !memchr(name.p, '\0', name.len);
}

/* names that our terminated texts could not tell apart */
static bool has_bad_name(const struct group_record *record)
{
    bool bad =
        !group_name_is_good(record->group) || !group_name_is_good(record->topic) || !group_name_is_good(record->leader);

    for (int32_t i = 0; i < record->member_count; i++)
        bad |= !group_name_is_good(record->members[i].id) || !group_name_is_good(record->members[i].instance_id);
    return bad;
}

static enum rc replay_record(struct coordinator *c, const struct group_record *record, struct err *err)
{
    struct group *group = group_get(c, record->group);

    if (record->deleted && !group)
        return RC_OK;
    if (record->deleted) {
        if (record->kind == GROUP_RECORD_OFFSET)
            group_offset_drop(group, record->topic, record->partition);
        else if (!group->members.count)
            group_remove(c, group);
        return RC_OK;
    }
    if (!group && !(group = group_make(c, record->group)))
        return err_set(err, RC_FULL, "cannot keep group '%.*s': there are %d groups already", STR_ARG(record->group),
                       GROUPS_MAX);
    if (record->kind == GROUP_RECORD_OFFSET)
        group_offset_put(group, record);
    else
        replay_group(group, record);
    return RC_OK;
}

enum rc coordinator_replay(struct coordinator *c, struct str key, struct str value, struct err *err)
{
    CLEANUP(arena_free) struct arena arena = { 0 };
    struct group_record record;
    enum rc rc = group_record_read(key, value, &arena, &record, err);

    if (rc || record.kind == GROUP_RECORD_OTHER)
        return rc;
    if (has_bad_name(&record))
        return err_set(err, RC_BAD_INPUT, "cannot use a record of '__consumer_offsets': a name in it has a zero byte");
    return replay_record(c, &record, err);
}

void coordinator_loaded(struct coordinator *c)
{
    for (struct map_entry *e = NULL; (e = map_next(&c->by_id, e));) {
        struct group *group = e->value;
        for (struct map_entry *m = NULL; (m = map_next(&group->members, m));) {
            struct group_member *member = m->value;
            group_watch(c, member, member->session_ms);
        }
        if (group->members.count > (size_t)c->settings.max_size)
            group_prepare(c, group, "it was loaded with more members than group.max.size");
    }
}
