/* Members of a group: who they are, what they speak, who leads. */
#include <stdlib.h>
#include <string.h>

#include "stream/log/group_private.h"

static const char CONSUMER[] = "consumer"; /* the protocol type whose metadata we can read */

void group_set_bytes(struct str *at, struct str value)
{
    char *copy = str_dup(str_n(value.p ? value.p : "", value.len));

    free((char *)at->p);
    *at = str_n(copy, value.len);
}

void group_set_text(char **at, struct str value)
{
    char *copy = value.p ? str_dup(value) : NULL;

    free(*at);
    *at = copy;
}

/* ---- one member ---- */

static void free_protocols(struct group_member *member)
{
    for (int32_t i = 0; i < member->protocol_count; i++) {
        free(member->protocols[i].name);
        free((char *)member->protocols[i].metadata.p);
    }
    free(member->protocols);
    member->protocols = NULL;
    member->protocol_count = 0;
}

void group_member_free(void *at)
{
    struct group_member *member = at;

    free_protocols(member);
    free(member->id);
    free(member->instance_id);
    free(member->client_id);
    free(member->client_host);
    free((char *)member->assignment.p);
    free((char *)member->next_assignment.p);
    free(member);
}

void group_member_set_protocols(struct group_member *member, const struct kafka_join_group_request_protocol *protocols,
                                int32_t count)
{
    free_protocols(member);
    member->protocols = NEW_ARRAY(struct group_protocol, (size_t)MAX(count, 1));
    for (int32_t i = 0; i < count; i++) {
        member->protocols[i].name = str_dup(protocols[i].name);
        group_set_bytes(&member->protocols[i].metadata, protocols[i].metadata);
    }
    member->protocol_count = MAX(count, 0);
}

bool group_member_matches(const struct group_member *member, const struct kafka_join_group_request_protocol *protocols,
                          int32_t count)
{
    if (member->protocol_count != MAX(count, 0))
        return false;
    for (int32_t i = 0; i < count; i++)
        if (!str_is(protocols[i].name, member->protocols[i].name) ||
            !str_eq(str_n(protocols[i].metadata.p ? protocols[i].metadata.p : "", protocols[i].metadata.len),
                    member->protocols[i].metadata))
            return false;
    return true;
}

struct str group_member_metadata(const struct group_member *member, const char *protocol)
{
    for (int32_t i = 0; protocol && i < member->protocol_count; i++)
        if (strcmp(member->protocols[i].name, protocol) == 0)
            return member->protocols[i].metadata;
    return STR("");
}

/* ---- membership ---- */

struct group_member *group_member_get(const struct group *group, struct str id)
{
    return map_get(&group->members, id);
}

struct group_member *group_member_static(const struct group *group, struct str instance_id)
{
    for (struct map_entry *e = NULL; (e = map_next(&group->members, e));) {
        struct group_member *member = e->value;
        if (member->instance_id && str_is(instance_id, member->instance_id))
            return member;
    }
    return NULL;
}

bool group_is_leader(const struct group *group, const struct group_member *member)
{
    return group->leader && strcmp(group->leader, member->id) == 0;
}

void group_pending_drop(struct group *group, struct str id)
{
    struct group_member *pending = map_remove(&group->pending, id);

    if (pending)
        group_member_free(pending);
}

void group_member_add(struct group *group, struct group_member *member)
{
    if (!group->leader)
        group->leader = mem_strdup(member->id);
    group_pending_drop(group, str_of(member->id));
    map_put(&group->members, str_of(member->id), member);
}

void group_member_drop(struct group *group, struct group_member *member)
{
    bool was_leader = group_is_leader(group, member);

    map_remove(&group->members, str_of(member->id));
    group_member_free(member);
    if (!was_leader)
        return;
    struct map_entry *first = map_next(&group->members, NULL);
    group_set_text(&group->leader, first ? str_of(((struct group_member *)first->value)->id) : (struct str){ 0 });
}

void group_member_rename(struct group *group, struct group_member *member, const char *id)
{
    if (group_is_leader(group, member))
        group_set_text(&group->leader, str_of(id));
    map_remove(&group->members, str_of(member->id));
    group_set_text(&member->id, str_of(id));
    map_put(&group->members, str_of(id), member);
}

enum kafka_error group_check_member(const struct group *group, struct str member_id, struct str instance_id)
{
    if (instance_id.p) {
        const struct group_member *member = group_member_static(group, instance_id);
        if (!member)
            return KAFKA_UNKNOWN_MEMBER_ID;
        if (!str_is(member_id, member->id))
            return KAFKA_FENCED_INSTANCE_ID;
    }
    return group_member_get(group, member_id) ? KAFKA_NONE : KAFKA_UNKNOWN_MEMBER_ID;
}

int32_t group_rebalance_ms(const struct group *group)
{
    int32_t most = 0;

    for (struct map_entry *e = NULL; (e = map_next(&group->members, e));)
        most = MAX(most, ((const struct group_member *)e->value)->rebalance_ms);
    return most;
}

bool group_all_joined(const struct group *group)
{
    for (struct map_entry *e = NULL; (e = map_next(&group->members, e));)
        if (!((const struct group_member *)e->value)->joining)
            return false;
    return !group->pending.count;
}

bool group_all_synced(const struct group *group)
{
    for (struct map_entry *e = NULL; (e = map_next(&group->members, e));)
        if (((const struct group_member *)e->value)->pending_sync)
            return false;
    return true;
}

/* ---- protocols ---- */

static bool member_speaks(const struct group_member *member, struct str protocol)
{
    for (int32_t i = 0; i < member->protocol_count; i++)
        if (str_is(protocol, member->protocols[i].name))
            return true;
    return false;
}

static bool all_speak(const struct group *group, struct str protocol)
{
    for (struct map_entry *e = NULL; (e = map_next(&group->members, e));)
        if (!member_speaks(e->value, protocol))
            return false;
    return true;
}

bool group_accepts_protocols(const struct group *group, const struct kafka_join_group_request *request)
{
    if (group->state == GROUP_EMPTY)
        return request->protocol_type.len && request->protocols.count > 0;
    if (!group->protocol_type || !str_is(request->protocol_type, group->protocol_type))
        return false;
    for (int32_t i = 0; i < request->protocols.count; i++)
        if (all_speak(group, request->protocols.items[i].name))
            return true;
    return false;
}

/* the place in `spoken` (protocols that all speak) of the one this member prefers */
static int32_t vote(const struct group_member *member, const char *const *spoken, int32_t count)
{
    for (int32_t i = 0; i < member->protocol_count; i++)
        for (int32_t k = 0; k < count; k++)
            if (strcmp(member->protocols[i].name, spoken[k]) == 0)
                return k;
    return 0;
}

static const char *most_voted(const struct group *group, const char *const *spoken, int32_t count)
{
    int32_t *votes = NEW_ARRAY(int32_t, (size_t)count);
    int32_t best = 0;

    for (struct map_entry *e = NULL; (e = map_next(&group->members, e));)
        votes[vote(e->value, spoken, count)]++;
    for (int32_t k = 1; k < count; k++)
        best = votes[k] > votes[best] ? k : best;
    free(votes);
    return spoken[best];
}

const char *group_choose_protocol(const struct group *group)
{
    struct map_entry *first = map_next(&group->members, NULL);
    const struct group_member *member = first ? first->value : NULL;
    int32_t count = 0;

    if (!member || !member->protocol_count)
        return NULL;
    const char **spoken = NEW_ARRAY(const char *, (size_t)member->protocol_count);
    for (int32_t i = 0; i < member->protocol_count; i++)
        if (all_speak(group, str_of(member->protocols[i].name)))
            spoken[count++] = member->protocols[i].name;
    const char *chosen = count ? most_voted(group, spoken, count) : NULL;
    free(spoken);
    return chosen;
}

bool group_is_consumer(const struct group *group)
{
    return group->protocol_type && strcmp(group->protocol_type, CONSUMER) == 0;
}

/* 1: subscribes, 0: does not, -1: cannot tell */
static int member_subscribes(const struct group_member *member, const char *protocol, struct str topic)
{
    CLEANUP(arena_free) struct arena arena = { 0 };
    struct str metadata = group_member_metadata(member, protocol);
    struct kafka_reader reader = { .at = metadata.p, .end = metadata.p + metadata.len, .arena = &arena };

    (void)kafka_read_int(&reader, 2); /* version; the topics come first in all of them */
    int64_t count = kafka_read_int(&reader, 4);
    for (; count > 0 && !reader.error; count--)
        if (str_eq(kafka_read_str(&reader, false, false), topic) && !reader.error)
            return 1;
    return reader.error ? -1 : 0;
}

bool group_subscribes(const struct group *group, struct str topic)
{
    bool any = false;

    if (!group_is_consumer(group) || !group->members.count)
        return false;
    if (!group->protocol_name)
        return true;
    for (struct map_entry *e = NULL; (e = map_next(&group->members, e));) {
        int subscribes = member_subscribes(e->value, group->protocol_name, topic);
        if (subscribes < 0)
            return true; /* unreadable: better keep what it may need */
        any |= subscribes > 0;
    }
    return any;
}
