/* JoinGroup, SyncGroup, Heartbeat and LeaveGroup: what each may do in which state, and its errors. */
#include <stdlib.h>
#include <string.h>

#include "stream/log/group_private.h"

enum { VERSION_MEMBER_ID_REQUIRED = 4, VERSION_SKIP_ASSIGNMENT = 9, VERSION_LEAVE_MANY = 3 };

struct join {
    const struct group_caller *caller;
    const struct kafka_join_group_request *request;
};

static void fail_join(struct coordinator *c, const struct join *join, struct str member_id, enum kafka_error error)
{
    group_fail_join(c, join->caller->ticket, join->caller->version, member_id, error);
}

static char *new_member_id(const struct join *join)
{
    struct str prefix = join->request->group_instance_id.p ? join->request->group_instance_id : join->caller->client_id;
    uint8_t uuid[16];
    char text[UUID_TEXT_LEN + 1];

    uuid_random(uuid);
    uuid_format(uuid, text);
    return mem_printf("%.*s-%s", STR_ARG(prefix), text);
}

static int32_t rebalance_ms_of(const struct join *join)
{
    return join->caller->version == 0 ? join->request->session_timeout_ms : join->request->rebalance_timeout_ms;
}

/* The member asks (again): what it speaks, its timeouts, and the ticket to answer. */
static void update_member(struct coordinator *c, struct group_member *member, const struct join *join)
{
    group_member_set_protocols(member, join->request->protocols.items, join->request->protocols.count);
    member->rebalance_ms = rebalance_ms_of(join);
    member->session_ms = join->request->session_timeout_ms;
    if (member->joining) /* asked before over another connection */
        group_fail_join(c, TAKE_PTR(member->joining), member->join_version, str_of(member->id),
                        KAFKA_REBALANCE_IN_PROGRESS);
    member->joining = join->caller->ticket;
    member->join_version = join->caller->version;
}

static void add_member(struct coordinator *c, struct group *group, const struct join *join, struct str id)
{
    struct group_member *member = NEW(struct group_member);

    member->id = str_dup(id);
    group_set_text(&member->instance_id, join->request->group_instance_id);
    member->client_id = str_dup(join->caller->client_id);
    member->client_host = mem_printf("/%.*s", STR_ARG(join->caller->client_host));
    member->is_new = true;
    update_member(c, member, join);
    if (!group->members.count)
        group_set_text(&group->protocol_type, join->request->protocol_type);
    if (group->state == GROUP_PREPARING && group->previous == GROUP_EMPTY)
        group->member_added = true;
    group_member_add(group, member);
    group_watch(c, member, GROUP_NEW_MEMBER_JOIN_MS);
    group_maybe_rebalance(c, group, "a new member");
}

static void hand_out_member_id(struct coordinator *c, struct group *group, const struct join *join, const char *id)
{
    struct group_member *pending = NEW(struct group_member);

    pending->id = mem_strdup(id);
    group_watch(c, pending, join->request->session_timeout_ms);
    map_put(&group->pending, str_of(id), pending);
    fail_join(c, join, str_of(id), KAFKA_MEMBER_ID_REQUIRED);
}

/* ---- a static member that comes back without its id ---- */

static void static_member_stored(struct coordinator *c, struct group_write *write, enum rc rc)
{
    struct group *group = group_get(c, str_of(write->group_id));
    struct group_member *member = group ? group_member_get(group, str_of(write->member_id)) : NULL;

    if (!member || !member->joining)
        return;
    if (rc) {
        group_fail_join(c, TAKE_PTR(member->joining), member->join_version, STR(""), KAFKA_COORDINATOR_NOT_AVAILABLE);
        return;
    }
    if (member->join_version >= VERSION_SKIP_ASSIGNMENT) {
        group_answer_join(c, group, member, group_is_leader(group, member));
        return;
    }
    /* An older client would take a list of members as an order to assign: it is told the old leader's name. */
    struct kafka_join_group_response response = {
        .generation_id = group->generation,
        .protocol_type = str_of(group->protocol_type),
        .protocol_name = str_of(group->protocol_name),
        .leader = write->answer ? *(struct str *)write->answer->response : STR(""),
        .member_id = str_of(member->id),
    };
    coordinator_reply(c, TAKE_PTR(member->joining), &response);
}

static void keep_quiet(void *response)
{
    (void)response;
}

static void store_static_member(struct coordinator *c, struct group *group, struct group_member *member,
                                const char *old_leader)
{
    struct group_write *write = group_write_begin(c, group);
    struct group_answer *leader = group_answer_new(NULL, sizeof(struct str), keep_quiet);

    *(struct str *)leader->response = str_of(arena_strdup(&leader->arena, str_of(old_leader ? old_leader : "")));
    write->answer = leader;
    write->member_id = mem_strdup(member->id);
    write->then = static_member_stored;
    group_write_group(c, write, group, false);
    group_write_submit(c, write);
}

static void replace_static(struct coordinator *c, struct group *group, struct group_member *member,
                           const struct join *join, const char *new_id)
{
    CLEANUP_FREE char *old_leader = mem_strdup(group->leader);
    CLEANUP_FREE char *old_id = mem_strdup(member->id);

    if (member->joining)
        group_fail_join(c, TAKE_PTR(member->joining), member->join_version, str_of(old_id), KAFKA_FENCED_INSTANCE_ID);
    if (member->syncing)
        group_fail_sync(c, TAKE_PTR(member->syncing), KAFKA_FENCED_INSTANCE_ID);
    group_member_rename(group, member, new_id);
    update_member(c, member, join);
    group_watch(c, member, member->session_ms);
    if (group->state == GROUP_STABLE) {
        const char *chosen = group_choose_protocol(group);
        if (chosen && group->protocol_name && strcmp(chosen, group->protocol_name) == 0)
            store_static_member(c, group, member, old_leader);
        else
            group_maybe_rebalance(c, group, "a static member came back with other protocols");
    } else if (group->state == GROUP_COMPLETING) {
        group_prepare(c, group, "a static member came back");
    } else {
        group_maybe_complete_join(c, group);
    }
}

/* ---- joining ---- */

static void join_new(struct coordinator *c, struct group *group, const struct join *join)
{
    CLEANUP_FREE char *id = new_member_id(join);
    struct group_member *known = NULL;

    if (!group_accepts_protocols(group, join->request)) {
        fail_join(c, join, STR(""), KAFKA_INCONSISTENT_GROUP_PROTOCOL);
        return;
    }
    if (join->request->group_instance_id.p) {
        known = group_member_static(group, join->request->group_instance_id);
        if (known)
            replace_static(c, group, known, join, id);
        else
            add_member(c, group, join, str_of(id));
    } else if (join->caller->version >= VERSION_MEMBER_ID_REQUIRED) {
        hand_out_member_id(c, group, join, id);
    } else {
        add_member(c, group, join, str_of(id));
    }
}

static void rejoin(struct coordinator *c, struct group *group, struct group_member *member, const struct join *join)
{
    bool same = group_member_matches(member, join->request->protocols.items, join->request->protocols.count);
    bool leads = group_is_leader(group, member);

    if (group->state == GROUP_EMPTY || group->state == GROUP_DEAD) {
        fail_join(c, join, str_of(member->id), KAFKA_UNKNOWN_MEMBER_ID);
        return;
    }
    if (same && (group->state == GROUP_COMPLETING || (group->state == GROUP_STABLE && !leads))) {
        /* its answer may have got lost: the generation is the same */
        void *before = member->joining;
        int version = member->join_version;
        member->joining = join->caller->ticket;
        member->join_version = join->caller->version;
        group_answer_join(c, group, member, false);
        if (before)
            group_fail_join(c, before, version, str_of(member->id), KAFKA_REBALANCE_IN_PROGRESS);
        return;
    }
    update_member(c, member, join);
    group_maybe_rebalance(c, group, leads ? "the leader asked for it" : "a member changed what it wants");
}

static void join_known(struct coordinator *c, struct group *group, const struct join *join)
{
    struct str id = join->request->member_id;

    if (!group_accepts_protocols(group, join->request)) {
        fail_join(c, join, id, KAFKA_INCONSISTENT_GROUP_PROTOCOL);
        return;
    }
    if (map_get(&group->pending, id)) {
        if (join->request->group_instance_id.p)
            fail_join(c, join, id, KAFKA_UNKNOWN_SERVER_ERROR); /* static members are never given an id to come with */
        else
            add_member(c, group, join, id);
        return;
    }
    enum kafka_error error = group_check_member(group, id, join->request->group_instance_id);
    if (error)
        fail_join(c, join, id, error);
    else
        rejoin(c, group, group_member_get(group, id), join);
}

static bool has_room(const struct coordinator *c, const struct group *group, struct str member_id)
{
    const struct group_member *member = group_member_get(group, member_id);
    size_t waiting = 0;

    if (group->state == GROUP_EMPTY || (member && group->state != GROUP_PREPARING) || (member && member->joining))
        return true;
    if (group->state != GROUP_PREPARING)
        return group->members.count < (size_t)c->settings.max_size;
    for (struct map_entry *e = NULL; (e = map_next(&group->members, e));)
        waiting += ((const struct group_member *)e->value)->joining != NULL;
    return waiting < (size_t)c->settings.max_size;
}

static enum kafka_error check_join(const struct coordinator *c, const struct kafka_join_group_request *request)
{
    if (!request->group_id.len || !group_name_is_good(request->group_id))
        return KAFKA_INVALID_GROUP_ID;
    if (!group_name_is_good(request->group_instance_id))
        return KAFKA_INVALID_REQUEST;
    if (request->session_timeout_ms < c->settings.min_session_ms ||
        request->session_timeout_ms > c->settings.max_session_ms)
        return KAFKA_INVALID_SESSION_TIMEOUT;
    if (!group_get(c, request->group_id) && request->member_id.len)
        return KAFKA_UNKNOWN_MEMBER_ID;
    return KAFKA_NONE;
}

void coordinator_join(struct coordinator *c, const struct group_caller *caller,
                      const struct kafka_join_group_request *request)
{
    struct join join = { caller, request };
    enum kafka_error error = check_join(c, request);
    struct group *group = error ? NULL : group_get(c, request->group_id);

    if (error) {
        fail_join(c, &join, request->member_id, error);
        return;
    }
    if (!group && !(group = group_make(c, request->group_id))) {
        fail_join(c, &join, request->member_id, KAFKA_COORDINATOR_NOT_AVAILABLE);
        return;
    }
    if (!has_room(c, group, request->member_id)) {
        struct group_member *member = group_member_get(group, request->member_id);
        group_pending_drop(group, request->member_id);
        if (member)
            group_expel(c, group, member, KAFKA_GROUP_MAX_SIZE_REACHED);
        fail_join(c, &join, STR(""), KAFKA_GROUP_MAX_SIZE_REACHED);
        return;
    }
    if (request->member_id.len)
        join_known(c, group, &join);
    else
        join_new(c, group, &join);
}

/* ---- syncing ---- */

static bool differs(struct str said, const char *is)
{
    return said.p && is && !str_is(said, is);
}

static enum kafka_error check_sync(const struct group *group, const struct kafka_sync_group_request *request)
{
    if (!request->group_id.len)
        return KAFKA_INVALID_GROUP_ID;
    if (!group || group->state == GROUP_EMPTY)
        return KAFKA_UNKNOWN_MEMBER_ID;
    enum kafka_error error = group_check_member(group, request->member_id, request->group_instance_id);
    if (error)
        return error;
    if (request->generation_id != group->generation)
        return KAFKA_ILLEGAL_GENERATION;
    if (differs(request->protocol_type, group->protocol_type) || differs(request->protocol_name, group->protocol_name))
        return KAFKA_INCONSISTENT_GROUP_PROTOCOL;
    return group->state == GROUP_PREPARING ? KAFKA_REBALANCE_IN_PROGRESS : KAFKA_NONE;
}

static void assignment_stored(struct coordinator *c, struct group_write *write, enum rc rc)
{
    struct group *group = group_get(c, str_of(write->group_id));

    /* meanwhile another member may have joined: then this generation is history */
    if (!group || group->state != GROUP_COMPLETING || group->generation != write->generation)
        return;
    group_hand_out(c, group, rc ? KAFKA_COORDINATOR_NOT_AVAILABLE : KAFKA_NONE);
    if (rc)
        group_maybe_rebalance(c, group, "its assignment could not be stored");
    else
        group_enter(c, group, GROUP_STABLE);
}

static void take_assignments(struct coordinator *c, struct group *group, const struct kafka_sync_group_request *request)
{
    for (struct map_entry *e = NULL; (e = map_next(&group->members, e));)
        group_set_bytes(&((struct group_member *)e->value)->next_assignment, STR(""));
    for (int32_t i = 0; i < request->assignments.count; i++) {
        struct group_member *member = group_member_get(group, request->assignments.items[i].member_id);
        if (member)
            group_set_bytes(&member->next_assignment, request->assignments.items[i].assignment);
    }
    struct group_write *write = group_write_begin(c, group);
    write->then = assignment_stored;
    group_write_group(c, write, group, true);
    group_write_submit(c, write);
}

void coordinator_sync(struct coordinator *c, const struct group_caller *caller,
                      const struct kafka_sync_group_request *request)
{
    struct group *group = group_get(c, request->group_id);
    enum kafka_error error = check_sync(group, request);

    if (error) {
        group_fail_sync(c, caller->ticket, error);
        return;
    }
    struct group_member *member = group_member_get(group, request->member_id);
    member->pending_sync = false;
    if (group_all_synced(group))
        group->sync_at = GROUP_NEVER;
    if (group->state == GROUP_STABLE) {
        struct kafka_sync_group_response response = { .protocol_type = str_of(group->protocol_type),
                                                      .protocol_name = str_of(group->protocol_name),
                                                      .assignment = member->assignment };
        coordinator_reply(c, caller->ticket, &response);
        return;
    }
    if (member->syncing)
        group_fail_sync(c, TAKE_PTR(member->syncing), KAFKA_REBALANCE_IN_PROGRESS);
    member->syncing = caller->ticket;
    if (group_is_leader(group, member))
        take_assignments(c, group, request);
}

/* ---- heartbeat ---- */

static enum kafka_error beat(struct coordinator *c, struct group *group, const struct kafka_heartbeat_request *request)
{
    if (!request->group_id.len)
        return KAFKA_INVALID_GROUP_ID;
    if (!group)
        return KAFKA_UNKNOWN_MEMBER_ID;
    enum kafka_error error = group_check_member(group, request->member_id, request->group_instance_id);
    if (error)
        return error;
    if (request->generation_id != group->generation)
        return KAFKA_ILLEGAL_GENERATION;
    if (group->state == GROUP_EMPTY)
        return KAFKA_UNKNOWN_MEMBER_ID;
    struct group_member *member = group_member_get(group, request->member_id);
    group_watch(c, member, member->session_ms);
    return group->state == GROUP_PREPARING ? KAFKA_REBALANCE_IN_PROGRESS : KAFKA_NONE;
}

void coordinator_heartbeat(struct coordinator *c, const struct group_caller *caller,
                           const struct kafka_heartbeat_request *request)
{
    struct kafka_heartbeat_response response = {
        .error_code = (int16_t)beat(c, group_get(c, request->group_id), request),
    };

    coordinator_reply(c, caller->ticket, &response);
}

/* ---- leaving ---- */

static enum kafka_error leave(struct coordinator *c, struct group *group,
                              const struct kafka_leave_group_request_member *who)
{
    struct group_member *member = NULL;

    if (!group)
        return KAFKA_UNKNOWN_MEMBER_ID;
    if (!who->member_id.len) {
        member = who->group_instance_id.p ? group_member_static(group, who->group_instance_id) : NULL;
        if (!member)
            return KAFKA_UNKNOWN_MEMBER_ID;
    } else if (map_get(&group->pending, who->member_id)) {
        group_pending_drop(group, who->member_id);
        return KAFKA_NONE;
    } else {
        enum kafka_error error = group_check_member(group, who->member_id, who->group_instance_id);
        if (error)
            return error;
        member = group_member_get(group, who->member_id);
    }
    log_info("member left", "group=%s member=%s reason=%.*s", group->id, member->id, STR_ARG(who->reason));
    group_expel(c, group, member, KAFKA_UNKNOWN_MEMBER_ID);
    return KAFKA_NONE;
}

void coordinator_leave(struct coordinator *c, const struct group_caller *caller,
                       const struct kafka_leave_group_request *request)
{
    struct group *group = group_get(c, request->group_id);
    struct kafka_leave_group_request_member one = { .member_id = request->member_id };
    bool many = caller->version >= VERSION_LEAVE_MANY;
    int32_t count = many ? MAX(request->members.count, 0) : 1;
    const struct kafka_leave_group_request_member *who = many ? request->members.items : &one;
    struct kafka_leave_group_response response = { 0 };
    bool any = false;

    if (!request->group_id.len) {
        response.error_code = KAFKA_INVALID_GROUP_ID;
        coordinator_reply(c, caller->ticket, &response);
        return;
    }
    response.members.items = NEW_ARRAY(struct kafka_leave_group_response_member, (size_t)count + 1);
    for (; response.members.count < count; who++) {
        enum kafka_error error = leave(c, group, who);
        any |= !error;
        response.members.items[response.members.count++] = (struct kafka_leave_group_response_member){
            .member_id = who->member_id, .group_instance_id = who->group_instance_id, .error_code = (int16_t)error
        };
    }
    if (!many)
        response.error_code = response.members.items[0].error_code;
    if (any && group->state != GROUP_EMPTY)
        group_maybe_rebalance(c, group, "a member left");
    coordinator_reply(c, caller->ticket, &response);
    free(response.members.items);
}
