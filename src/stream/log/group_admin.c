/* What administrators ask: DescribeGroups, ListGroups, DeleteGroups. */
#include <stdlib.h>
#include <string.h>

#include "stream/log/group_private.h"

enum {
    VERSION_NOT_FOUND = 6, /* of DescribeGroups: says so instead of "Dead" alone */
    OPERATIONS_NOT_ASKED = INT32_MIN,
    /* bits of read, delete, describe, describe configs, alter configs: all there is, since nobody is kept out */
    OPERATIONS_ALL = 1 << 3 | 1 << 6 | 1 << 8 | 1 << 10 | 1 << 11,
};

static const char TYPE_CLASSIC[] = "classic";

static void describe_members(const struct group *group, struct arena *arena,
                             struct kafka_describe_groups_response_group *out)
{
    bool stable = group->state == GROUP_STABLE;

    out->members.items = arena_array(arena, group->members.count, sizeof *out->members.items);
    for (struct map_entry *e = NULL; out->members.items && (e = map_next(&group->members, e));) {
        const struct group_member *member = e->value;
        out->members.items[out->members.count++] = (struct kafka_describe_groups_response_member){
            .member_id = str_of(member->id),
            .group_instance_id = str_of(member->instance_id),
            .client_id = str_of(member->client_id),
            .client_host = str_of(member->client_host),
            .member_metadata = stable ? group_member_metadata(member, group->protocol_name) : STR(""),
            .member_assignment = member->assignment.p ? member->assignment : STR(""),
        };
    }
}

static void describe_group(const struct coordinator *c, struct str id, int version, struct arena *arena,
                           struct kafka_describe_groups_response_group *out)
{
    const struct group *group = group_get(c, id);

    out->group_id = id;
    out->protocol_type = out->protocol_data = STR("");
    if (!group) {
        out->group_state = str_of(group_state_name(GROUP_DEAD));
        if (version >= VERSION_NOT_FOUND) {
            out->error_code = KAFKA_GROUP_ID_NOT_FOUND;
            out->error_message = str_of(arena_printf(arena, "Group %.*s not found.", STR_ARG(id)));
        }
        return;
    }
    out->group_state = str_of(group_state_name(group->state));
    if (group->protocol_type)
        out->protocol_type = str_of(group->protocol_type);
    if (group->state == GROUP_STABLE && group->protocol_name)
        out->protocol_data = str_of(group->protocol_name);
    describe_members(group, arena, out);
}

void coordinator_describe(struct coordinator *c, const struct group_caller *caller,
                          const struct kafka_describe_groups_request *request)
{
    CLEANUP(arena_free) struct arena arena = { .max = 256 << 20 };
    struct kafka_describe_groups_response response = { 0 };
    int32_t count = MAX(request->groups.count, 0);

    response.groups.items = arena_array(&arena, (size_t)count, sizeof *response.groups.items);
    for (int32_t i = 0; response.groups.items && i < count; i++) {
        struct kafka_describe_groups_response_group *group = &response.groups.items[response.groups.count++];
        group->authorized_operations = request->include_authorized_operations ? OPERATIONS_ALL : OPERATIONS_NOT_ASKED;
        describe_group(c, request->groups.items[i], caller->version, &arena, group);
    }
    coordinator_reply(c, caller->ticket, &response);
}

/* an empty filter lets everything through; case does not matter */
static bool passes(const struct str *filter, int32_t count, const char *what)
{
    for (int32_t i = 0; i < count; i++)
        if (str_is_nocase(filter[i], what))
            return true;
    return count <= 0;
}

void coordinator_list(struct coordinator *c, const struct group_caller *caller,
                      const struct kafka_list_groups_request *request)
{
    struct kafka_list_groups_response response = { 0 };

    response.groups.items = NEW_ARRAY(struct kafka_list_groups_response_group, c->by_id.count + 1);
    for (struct map_entry *e = NULL; (e = map_next(&c->by_id, e));) {
        const struct group *group = e->value;
        if (!passes(request->states_filter.items, request->states_filter.count, group_state_name(group->state)) ||
            !passes(request->types_filter.items, request->types_filter.count, TYPE_CLASSIC))
            continue;
        response.groups.items[response.groups.count++] = (struct kafka_list_groups_response_group){
            .group_id = str_of(group->id),
            .protocol_type = group->protocol_type ? str_of(group->protocol_type) : STR(""),
            .group_state = str_of(group_state_name(group->state)),
            .group_type = str_of(TYPE_CLASSIC),
        };
    }
    coordinator_reply(c, caller->ticket, &response);
    free(response.groups.items);
}

/* ---- delete ---- */

static void delete_failed(void *response)
{
    struct kafka_delete_groups_response *out = response;

    for (int32_t i = 0; i < out->results.count; i++)
        if (!out->results.items[i].error_code)
            out->results.items[i].error_code = KAFKA_COORDINATOR_NOT_AVAILABLE;
}

static void write_tombstones(struct coordinator *c, const struct group *group, struct group_answer *answer)
{
    struct group_write *write = group_write_begin(c, group);
    struct group_record record;

    write->replay = true;
    write->answer = answer;
    answer->left++;
    for (struct map_entry *e = NULL; (e = map_next(&group->topics, e));) {
        const struct group_topic *topic = e->value;
        for (int32_t i = 0; i < topic->count; i++) {
            group_record_of_offset(group, e->key, topic->offsets[i].partition, &record);
            record.deleted = true;
            group_write_add(c, write, &record);
        }
    }
    group_write_add(c, write,
                    &(struct group_record){ .kind = GROUP_RECORD_GROUP, .deleted = true, .group = str_of(group->id) });
    group_write_submit(c, write);
}

void coordinator_delete(struct coordinator *c, const struct group_caller *caller,
                        const struct kafka_delete_groups_request *request)
{
    struct group_answer *answer =
        group_answer_new(caller->ticket, sizeof(struct kafka_delete_groups_response), delete_failed);
    struct kafka_delete_groups_response *response = answer->response;
    int32_t count = MAX(request->groups_names.count, 0);

    response->results.items = arena_array(&answer->arena, (size_t)count, sizeof *response->results.items);
    for (int32_t i = 0; response->results.items && i < count; i++) {
        struct kafka_delete_groups_response_result *result = &response->results.items[response->results.count++];
        const struct group *group = group_get(c, request->groups_names.items[i]);
        result->group_id = str_of(arena_strdup(&answer->arena, request->groups_names.items[i]));
        if (!group)
            result->error_code = KAFKA_GROUP_ID_NOT_FOUND;
        else if (group->state != GROUP_EMPTY)
            result->error_code = KAFKA_NON_EMPTY_GROUP;
        else
            write_tombstones(c, group, answer);
    }
    group_answer_done(c, answer);
}
