/*
 * The rebalance: how a group gets from one generation to the next, driven by members that join, sync, leave or fail.
 * What each request asks of it stands in group_request.c.
 */
#include <stdlib.h>
#include <string.h>

#include "stream/log/group_private.h"

void group_watch(struct coordinator *c, struct group_member *member, int64_t ms)
{
    member->expires_at = coordinator_now(c) + ms;
    coordinator_note_deadline(c, member->expires_at);
}

static int64_t deadline_in(struct coordinator *c, int64_t ms)
{
    int64_t at = coordinator_now(c) + ms;

    coordinator_note_deadline(c, at);
    return at;
}

/* ---- answers ---- */

void group_fail_join(struct coordinator *c, void *ticket, int version, struct str member_id, enum kafka_error error)
{
    struct kafka_join_group_response response = {
        .error_code = (int16_t)error,
        .generation_id = -1,
        .protocol_name = version >= 7 ? (struct str){ 0 } : STR(""),
        .leader = STR(""),
        .member_id = member_id.p ? member_id : STR(""),
    };

    coordinator_reply(c, ticket, &response);
}

void group_fail_sync(struct coordinator *c, void *ticket, enum kafka_error error)
{
    struct kafka_sync_group_response response = { .error_code = (int16_t)error, .assignment = STR("") };

    coordinator_reply(c, ticket, &response);
}

static void list_members(const struct group *group, struct kafka_join_group_response *response)
{
    response->members.items = NEW_ARRAY(struct kafka_join_group_response_member, group->members.count);
    for (struct map_entry *e = NULL; (e = map_next(&group->members, e));) {
        const struct group_member *member = e->value;
        response->members.items[response->members.count++] = (struct kafka_join_group_response_member){
            .member_id = str_of(member->id),
            .group_instance_id = str_of(member->instance_id),
            .metadata = group_member_metadata(member, group->protocol_name),
        };
    }
}

void group_answer_join(struct coordinator *c, struct group *group, struct group_member *member, bool skip)
{
    struct kafka_join_group_response response = {
        .generation_id = group->generation,
        .protocol_type = str_of(group->protocol_type),
        .protocol_name = str_of(group->protocol_name),
        .leader = group->leader ? str_of(group->leader) : STR(""),
        .skip_assignment = skip,
        .member_id = str_of(member->id),
    };

    if (!member->joining)
        return;
    if (group_is_leader(group, member))
        list_members(group, &response);
    coordinator_reply(c, TAKE_PTR(member->joining), &response);
    free(response.members.items);
}

static void answer_sync(struct coordinator *c, const struct group *group, struct group_member *member,
                        enum kafka_error error)
{
    struct kafka_sync_group_response response = {
        .error_code = (int16_t)error,
        .protocol_type = error ? (struct str){ 0 } : str_of(group->protocol_type),
        .protocol_name = error ? (struct str){ 0 } : str_of(group->protocol_name),
        .assignment = member->assignment.p ? member->assignment : STR(""),
    };

    if (!member->syncing)
        return;
    coordinator_reply(c, TAKE_PTR(member->syncing), &response);
    group_watch(c, member, member->session_ms);
}

void group_hand_out(struct coordinator *c, struct group *group, enum kafka_error error)
{
    for (struct map_entry *e = NULL; (e = map_next(&group->members, e));) {
        struct group_member *member = e->value;
        group_set_bytes(&member->assignment, error ? STR("") : member->next_assignment);
        answer_sync(c, group, member, error);
    }
}

void group_turn_away(struct coordinator *c, struct group_member *member, enum kafka_error error)
{
    if (member->joining)
        group_fail_join(c, TAKE_PTR(member->joining), member->join_version, STR(""), error);
    if (member->syncing)
        group_fail_sync(c, TAKE_PTR(member->syncing), error);
}

void group_expel(struct coordinator *c, struct group *group, struct group_member *member, enum kafka_error error)
{
    group_turn_away(c, member, error);
    group_member_drop(group, member);
}

/* ---- the next generation ---- */

/* Those who have not come back are out, except static members: they are known to return. */
static void drop_stragglers(struct coordinator *c, struct group *group)
{
    for (struct map_entry *e = NULL; (e = map_next(&group->members, e));) {
        struct group_member *member = e->value;
        if (!member->joining && !member->instance_id) {
            log_info("member did not come back for the rebalance", "group=%s member=%s", group->id, member->id);
            group_expel(c, group, member, KAFKA_UNKNOWN_MEMBER_ID);
        }
    }
}

/* The leader, or the first one who did join in its place.  False: nobody joined. */
static bool elect_leader(struct group *group)
{
    const struct group_member *leader = group->leader ? group_member_get(group, str_of(group->leader)) : NULL;

    if (leader && leader->joining)
        return true;
    for (struct map_entry *e = NULL; (e = map_next(&group->members, e));) {
        const struct group_member *member = e->value;
        if (member->joining) {
            group_set_text(&group->leader, str_of(member->id));
            return true;
        }
    }
    return false;
}

static void become_empty(struct coordinator *c, struct group *group)
{
    group_set_text(&group->protocol_name, (struct str){ 0 });
    group_enter(c, group, GROUP_EMPTY);
    log_info("group is empty", "group=%s generation=%d", group->id, group->generation);
    struct group_write *write = group_write_begin(c, group);
    group_write_group(c, write, group, false);
    group_write_submit(c, write);
}

static void start_generation(struct coordinator *c, struct group *group)
{
    group_set_text(&group->protocol_name, str_of(group_choose_protocol(group)));
    group_enter(c, group, GROUP_COMPLETING);
    log_info("group has a new generation", "group=%s generation=%d members=%zu protocol=%s", group->id,
             group->generation, group->members.count, group->protocol_name ? group->protocol_name : "");
    for (struct map_entry *e = NULL; (e = map_next(&group->members, e));) {
        struct group_member *member = e->value;
        group_answer_join(c, group, member, false);
        group_watch(c, member, member->session_ms);
        member->is_new = false;
        member->pending_sync = true;
    }
    group->sync_at = deadline_in(c, group_rebalance_ms(group));
}

static void complete_join(struct coordinator *c, struct group *group)
{
    group->join_at = GROUP_NEVER;
    group->initial_left_ms = -1;
    drop_stragglers(c, group);
    if (!elect_leader(group) && group->members.count) {
        group->join_at = deadline_in(c, group_rebalance_ms(group));
        return;
    }
    group->generation++;
    group->sync_at = GROUP_NEVER;
    if (group->members.count)
        start_generation(c, group);
    else
        become_empty(c, group);
}

void group_maybe_complete_join(struct coordinator *c, struct group *group)
{
    if (group->state == GROUP_PREPARING && group->previous != GROUP_EMPTY && group_all_joined(group))
        complete_join(c, group);
}

void group_prepare(struct coordinator *c, struct group *group, const char *why)
{
    bool initial = group->state == GROUP_EMPTY;

    if (group->state == GROUP_COMPLETING)
        group_hand_out(c, group, KAFKA_REBALANCE_IN_PROGRESS);
    for (struct map_entry *e = NULL; (e = map_next(&group->members, e));)
        ((struct group_member *)e->value)->pending_sync = false;
    group->sync_at = GROUP_NEVER;
    group->member_added = false;
    group_enter(c, group, GROUP_PREPARING);
    log_info("group rebalances", "group=%s generation=%d reason=%s", group->id, group->generation, why);
    if (initial) {
        group->initial_left_ms = MAX(group_rebalance_ms(group) - c->settings.initial_delay_ms, 0);
        group->join_at = deadline_in(c, c->settings.initial_delay_ms);
    } else if (group_all_joined(group)) {
        complete_join(c, group);
    } else {
        group->join_at = deadline_in(c, group_rebalance_ms(group));
    }
}

void group_maybe_rebalance(struct coordinator *c, struct group *group, const char *why)
{
    if (group->state == GROUP_PREPARING)
        group_maybe_complete_join(c, group);
    else
        group_prepare(c, group, why);
}

/* ---- deadlines ---- */

void group_join_due(struct coordinator *c, struct group *group)
{
    int64_t left = group->initial_left_ms;

    if (left > 0 && group->member_added) {
        int64_t delay = MIN(left, (int64_t)c->settings.initial_delay_ms);
        group->member_added = false;
        group->initial_left_ms = left - delay;
        group->join_at = deadline_in(c, delay);
        return;
    }
    complete_join(c, group);
}

void group_sync_due(struct coordinator *c, struct group *group)
{
    bool late = false;

    group->sync_at = GROUP_NEVER;
    for (struct map_entry *e = NULL; (e = map_next(&group->members, e));) {
        struct group_member *member = e->value;
        if (!member->pending_sync)
            continue;
        log_info("member did not ask for its assignment", "group=%s member=%s", group->id, member->id);
        late = true;
        group_expel(c, group, member, KAFKA_UNKNOWN_MEMBER_ID);
    }
    if (late)
        group_prepare(c, group, "members did not sync in time");
}

void group_member_due(struct coordinator *c, struct group *group, struct group_member *member)
{
    member->expires_at = GROUP_NEVER;
    if (!member->is_new && (member->joining || member->syncing))
        return; /* it waits for us, so it lives; watched again once it is answered */
    log_info("member failed", "group=%s member=%s session_ms=%d", group->id, member->id, member->session_ms);
    group_expel(c, group, member, KAFKA_UNKNOWN_MEMBER_ID);
    if (group->state == GROUP_STABLE || group->state == GROUP_COMPLETING)
        group_maybe_rebalance(c, group, "a member failed");
    else if (group->state == GROUP_PREPARING && group_all_joined(group))
        complete_join(c, group);
}

void group_pending_due(struct coordinator *c, struct group *group, struct group_member *pending)
{
    group_pending_drop(group, str_of(pending->id));
    if (group->state == GROUP_PREPARING && group_all_joined(group))
        complete_join(c, group);
}
