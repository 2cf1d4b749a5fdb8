/* Committed offsets: OffsetCommit, OffsetFetch, OffsetDelete, and their expiry. */
#include <stdlib.h>
#include <string.h>

#include "stream/log/group_private.h"

enum {
    VERSION_GROUP_NOT_FOUND = 9, /* of OffsetCommit: says so instead of ILLEGAL_GENERATION */
    VERSION_MANY_GROUPS = 8,     /* of OffsetFetch */
    EXPIRE_BATCH_MAX = 1000,     /* tombstones in one batch */
};

/* ---- the table of a group ---- */

void group_topic_free(void *at)
{
    struct group_topic *topic = at;

    for (int32_t i = 0; i < topic->count; i++)
        free((char *)topic->offsets[i].metadata.p);
    free(topic->offsets);
    free(topic);
}

/* where the partition is, or belongs */
static int32_t place_of(const struct group_topic *topic, int32_t partition)
{
    int32_t low = 0, high = topic->count;

    while (low < high) {
        int32_t middle = low + (high - low) / 2;
        if (topic->offsets[middle].partition < partition)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

struct group_offset *group_offset_get(const struct group *group, struct str topic_name, int32_t partition)
{
    struct group_topic *topic = map_get(&group->topics, topic_name);
    int32_t at = topic ? place_of(topic, partition) : 0;

    return topic && at < topic->count && topic->offsets[at].partition == partition ? &topic->offsets[at] : NULL;
}

void group_offset_put(struct group *group, const struct group_record *record)
{
    struct group_topic *topic = map_get(&group->topics, record->topic);

    if (!topic) {
        topic = NEW(struct group_topic);
        map_put(&group->topics, record->topic, topic);
    }
    int32_t at = place_of(topic, record->partition);
    if (at == topic->count || topic->offsets[at].partition != record->partition) {
        topic->offsets = mem_grow(topic->offsets, (size_t)topic->count + 1, sizeof *topic->offsets);
        memmove(topic->offsets + at + 1, topic->offsets + at, (size_t)(topic->count - at) * sizeof *topic->offsets);
        topic->offsets[at] = (struct group_offset){ .partition = record->partition };
        topic->count++;
    }
    struct group_offset *offset = &topic->offsets[at];
    offset->offset = record->offset;
    offset->leader_epoch = record->leader_epoch;
    offset->committed_at = record->committed_at;
    offset->expires_at = record->expires_at;
    group_set_bytes(&offset->metadata, record->metadata);
}

void group_offset_drop(struct group *group, struct str topic_name, int32_t partition)
{
    struct group_topic *topic = map_get(&group->topics, topic_name);
    int32_t at = topic ? place_of(topic, partition) : 0;

    if (!topic || at == topic->count || topic->offsets[at].partition != partition)
        return;
    free((char *)topic->offsets[at].metadata.p);
    topic->count--;
    memmove(topic->offsets + at, topic->offsets + at + 1, (size_t)(topic->count - at) * sizeof *topic->offsets);
    if (!topic->count) {
        map_remove(&group->topics, topic_name);
        group_topic_free(topic);
    }
}

void group_record_of_offset(const struct group *group, const char *topic, int32_t partition, struct group_record *out)
{
    *out = (struct group_record){ .kind = GROUP_RECORD_OFFSET,
                                  .group = str_of(group->id),
                                  .topic = str_of(topic),
                                  .partition = partition,
                                  .leader_epoch = -1,
                                  .expires_at = -1 };
}

/* ---- commit ---- */

/* length as Java counts it, in UTF-16 units */
static int64_t utf16_length(struct str s)
{
    int64_t n = 0;

    for (size_t i = 0; i < s.len; i++)
        n += ((uint8_t)s.p[i] & 0xc0) != 0x80 ? 1 + ((uint8_t)s.p[i] >= 0xf0) : 0;
    return n;
}

static enum kafka_error check_commit(const struct group *group, const struct kafka_offset_commit_request *request)
{
    int32_t generation = request->generation_id_or_member_epoch;

    if (generation < 0 && group->state == GROUP_EMPTY)
        return KAFKA_NONE; /* a consumer that assigns itself, or an administrator */
    if (generation < 0 && !request->member_id.len && !request->group_instance_id.p)
        return KAFKA_UNKNOWN_MEMBER_ID;
    enum kafka_error error = group_check_member(group, request->member_id, request->group_instance_id);
    if (error)
        return error;
    if (generation != group->generation)
        return KAFKA_ILLEGAL_GENERATION;
    return group->state == GROUP_COMPLETING ? KAFKA_REBALANCE_IN_PROGRESS : KAFKA_NONE;
}

static enum kafka_error find_group(struct coordinator *c, const struct group_caller *caller,
                                   const struct kafka_offset_commit_request *request, struct group **out)
{
    struct group *group = group_get(c, request->group_id);

    if (!group_name_is_good(request->group_id))
        return KAFKA_INVALID_GROUP_ID;
    if (!group && request->generation_id_or_member_epoch >= 0)
        return caller->version >= VERSION_GROUP_NOT_FOUND ? KAFKA_GROUP_ID_NOT_FOUND : KAFKA_ILLEGAL_GENERATION;
    if (!group && !(group = group_make(c, request->group_id)))
        return KAFKA_COORDINATOR_NOT_AVAILABLE;
    *out = group;
    return check_commit(group, request);
}

/* Puts `error` wherever nothing else went wrong. */
static void fail_all(struct kafka_offset_commit_response *response, enum kafka_error error)
{
    for (int32_t t = 0; t < response->topics.count; t++)
        for (int32_t p = 0; p < response->topics.items[t].partitions.count; p++)
            if (!response->topics.items[t].partitions.items[p].error_code)
                response->topics.items[t].partitions.items[p].error_code = (int16_t)error;
}

static void commit_failed(void *response)
{
    fail_all(response, KAFKA_COORDINATOR_NOT_AVAILABLE);
}

static void send_now(struct coordinator *c, struct group_answer *answer)
{
    group_answer_done(c, answer);
}

/* The shape of the answer, with those partitions marked that cannot be committed.  Returns how many can; -1: the
 * answer would be too large. */
static int64_t draft(struct coordinator *c, const struct kafka_offset_commit_request *request,
                     struct group_answer *answer)
{
    struct kafka_offset_commit_response *response = answer->response;
    int64_t good = 0;

    response->topics.items =
        arena_array(&answer->arena, (size_t)MAX(request->topics.count, 0), sizeof *response->topics.items);
    for (int32_t t = 0; t < request->topics.count; t++) {
        const struct kafka_offset_commit_request_topic *topic = &request->topics.items[t];
        struct kafka_offset_commit_response_topic *out = response->topics.items ? &response->topics.items[t] : NULL;
        if (!out)
            return -1;
        out->name = str_of(arena_strdup(&answer->arena, topic->name));
        out->partitions.items =
            arena_array(&answer->arena, (size_t)MAX(topic->partitions.count, 0), sizeof *out->partitions.items);
        if (!out->name.p || !out->partitions.items)
            return -1;
        response->topics.count++;
        for (int32_t p = 0; p < topic->partitions.count; p++) {
            const struct kafka_offset_commit_request_partition *partition = &topic->partitions.items[p];
            enum kafka_error error = !c->host.has_partition(c->host.context, topic->name, partition->partition_index)
                                         ? KAFKA_UNKNOWN_TOPIC_OR_PARTITION
                                     : utf16_length(partition->committed_metadata) > c->settings.metadata_max
                                         ? KAFKA_OFFSET_METADATA_TOO_LARGE
                                         : KAFKA_NONE;
            good += !error;
            out->partitions.items[out->partitions.count++] =
                (struct kafka_offset_commit_response_partition){ .partition_index = partition->partition_index,
                                                                 .error_code = (int16_t)error };
        }
    }
    return good;
}

static void write_commits(struct coordinator *c, const struct group *group,
                          const struct kafka_offset_commit_request *request,
                          const struct kafka_offset_commit_response *response, struct group_write *write)
{
    int64_t now = c->host.wall_ms(c->host.context);
    struct group_record record;

    for (int32_t t = 0; t < request->topics.count; t++) {
        const struct kafka_offset_commit_request_topic *topic = &request->topics.items[t];
        for (int32_t p = 0; p < topic->partitions.count; p++) {
            const struct kafka_offset_commit_request_partition *partition = &topic->partitions.items[p];
            if (response->topics.items[t].partitions.items[p].error_code)
                continue;
            group_record_of_offset(group, "", partition->partition_index, &record);
            record.topic = topic->name;
            record.offset = partition->committed_offset;
            record.leader_epoch = partition->committed_leader_epoch;
            record.metadata = partition->committed_metadata;
            record.committed_at = now;
            record.expires_at = request->retention_time_ms >= 0 ? now + request->retention_time_ms : -1;
            group_write_add(c, write, &record);
        }
    }
}

void coordinator_commit(struct coordinator *c, const struct group_caller *caller,
                        const struct kafka_offset_commit_request *request)
{
    struct group_answer *answer =
        group_answer_new(caller->ticket, sizeof(struct kafka_offset_commit_response), commit_failed);
    struct group *group = NULL;
    int64_t good = draft(c, request, answer);
    enum kafka_error error = good > 0 ? find_group(c, caller, request, &group) : KAFKA_NONE;

    if (good < 0 || error || !good) {
        fail_all(answer->response, error);
        send_now(c, answer);
        return;
    }
    struct group_member *member = group_member_get(group, request->member_id);
    if (member && (group->state == GROUP_STABLE || group->state == GROUP_PREPARING))
        group_watch(c, member, member->session_ms);
    struct group_write *write = group_write_begin(c, group);
    write->answer = answer;
    write->replay = true;
    write_commits(c, group, request, answer->response, write);
    group_write_submit(c, write);
}

/* ---- fetch ---- */

static struct kafka_offset_fetch_response_group_topic_partition fetched(const struct group_offset *offset,
                                                                        int32_t partition)
{
    if (!offset)
        return (struct kafka_offset_fetch_response_group_topic_partition){
            .partition_index = partition, .committed_offset = -1, .committed_leader_epoch = -1, .metadata = STR("")
        };
    return (struct kafka_offset_fetch_response_group_topic_partition){ .partition_index = partition,
                                                                       .committed_offset = offset->offset,
                                                                       .committed_leader_epoch = offset->leader_epoch,
                                                                       .metadata = offset->metadata };
}

static bool fetch_all(const struct group *group, struct arena *arena, struct kafka_offset_fetch_response_group *out)
{
    out->topics.items = arena_array(arena, group ? group->topics.count : 0, sizeof *out->topics.items);
    for (struct map_entry *e = NULL; group && out->topics.items && (e = map_next(&group->topics, e));) {
        const struct group_topic *topic = e->value;
        struct kafka_offset_fetch_response_group_topic *to = &out->topics.items[out->topics.count];
        to->name = str_n(e->key, e->key_len);
        to->partitions.items = arena_array(arena, (size_t)topic->count, sizeof *to->partitions.items);
        if (!to->partitions.items)
            return false;
        for (int32_t i = 0; i < topic->count; i++)
            to->partitions.items[i] = fetched(&topic->offsets[i], topic->offsets[i].partition);
        to->partitions.count = topic->count;
        out->topics.count++;
    }
    return out->topics.items != NULL;
}

static bool fetch_some(const struct group *group, const struct kafka_offset_fetch_request_group *request,
                       struct arena *arena, struct kafka_offset_fetch_response_group *out)
{
    out->topics.items = arena_array(arena, (size_t)request->topics.count, sizeof *out->topics.items);
    for (int32_t t = 0; out->topics.items && t < request->topics.count; t++) {
        const struct kafka_offset_fetch_request_group_topic *topic = &request->topics.items[t];
        struct kafka_offset_fetch_response_group_topic *to = &out->topics.items[t];
        int32_t count = MAX(topic->partition_indexes.count, 0);
        to->name = topic->name;
        to->partitions.items = arena_array(arena, (size_t)count, sizeof *to->partitions.items);
        if (!to->partitions.items)
            return false;
        for (int32_t i = 0; i < count; i++) {
            int32_t partition = topic->partition_indexes.items[i];
            to->partitions.items[i] =
                fetched(group ? group_offset_get(group, topic->name, partition) : NULL, partition);
        }
        to->partitions.count = count;
        out->topics.count++;
    }
    return out->topics.items != NULL;
}

static void fetch_group(const struct coordinator *c, const struct kafka_offset_fetch_request_group *request,
                        struct arena *arena, struct kafka_offset_fetch_response_group *out)
{
    const struct group *group = group_get(c, request->group_id);
    bool fits = request->topics.count < 0 ? fetch_all(group, arena, out) : fetch_some(group, request, arena, out);

    out->group_id = request->group_id;
    if (!fits) {
        out->topics.count = 0;
        out->error_code = KAFKA_UNKNOWN_SERVER_ERROR;
    }
}

/* one group, in the shape of versions 1 to 7; the structs of topics have the same members */
static void fetch_single(const struct coordinator *c, const struct kafka_offset_fetch_request *request,
                         struct arena *arena, struct kafka_offset_fetch_response *response)
{
    struct kafka_offset_fetch_request_group one = { .group_id = request->group_id };
    struct kafka_offset_fetch_response_group got = { 0 };
    int32_t count = MAX(request->topics.count, 0);

    one.topics.items = arena_array(arena, (size_t)count, sizeof *one.topics.items);
    for (int32_t t = 0; one.topics.items && t < count; t++) {
        one.topics.items[t].name = request->topics.items[t].name;
        one.topics.items[t].partition_indexes.items = request->topics.items[t].partition_indexes.items;
        one.topics.items[t].partition_indexes.count = request->topics.items[t].partition_indexes.count;
    }
    one.topics.count = one.topics.items ? request->topics.count : 0;
    fetch_group(c, &one, arena, &got);
    response->error_code = got.error_code;
    response->topics.items = arena_array(arena, (size_t)got.topics.count, sizeof *response->topics.items);
    for (int32_t t = 0; response->topics.items && t < got.topics.count; t++) {
        struct kafka_offset_fetch_response_topic *to = &response->topics.items[t];
        int32_t n = got.topics.items[t].partitions.count;
        to->name = got.topics.items[t].name;
        to->partitions.items = arena_array(arena, (size_t)n, sizeof *to->partitions.items);
        for (int32_t i = 0; to->partitions.items && i < n; i++) {
            const struct kafka_offset_fetch_response_group_topic_partition *from =
                &got.topics.items[t].partitions.items[i];
            to->partitions.items[to->partitions.count++] =
                (struct kafka_offset_fetch_response_partition){ from->partition_index, from->committed_offset,
                                                                from->committed_leader_epoch, from->metadata,
                                                                from->error_code };
        }
        response->topics.count++;
    }
}

void coordinator_fetch(struct coordinator *c, const struct group_caller *caller,
                       const struct kafka_offset_fetch_request *request)
{
    CLEANUP(arena_free) struct arena arena = { .max = 256 << 20 };
    struct kafka_offset_fetch_response response = { 0 };

    if (caller->version < VERSION_MANY_GROUPS) {
        fetch_single(c, request, &arena, &response);
    } else {
        int32_t count = MAX(request->groups.count, 0);
        response.groups.items = arena_array(&arena, (size_t)count, sizeof *response.groups.items);
        for (int32_t i = 0; response.groups.items && i < count; i++)
            fetch_group(c, &request->groups.items[i], &arena, &response.groups.items[response.groups.count++]);
    }
    coordinator_reply(c, caller->ticket, &response);
}

/* ---- delete ---- */

static void delete_failed(void *response)
{
    struct kafka_offset_delete_response *out = response;

    out->error_code = KAFKA_COORDINATOR_NOT_AVAILABLE;
    out->topics.count = 0;
}

static enum kafka_error check_delete(const struct group *group, struct str group_id)
{
    if (!group_id.len)
        return KAFKA_INVALID_GROUP_ID;
    if (!group)
        return KAFKA_GROUP_ID_NOT_FOUND;
    return group->state != GROUP_EMPTY && !group_is_consumer(group) ? KAFKA_NON_EMPTY_GROUP : KAFKA_NONE;
}

static void delete_partition(struct coordinator *c, const struct group *group, struct str topic, int32_t partition,
                             struct group_write *write, struct kafka_offset_delete_response_partition *out)
{
    struct group_record record;

    out->partition_index = partition;
    if (!c->host.has_partition(c->host.context, topic, partition)) {
        out->error_code = KAFKA_UNKNOWN_TOPIC_OR_PARTITION;
    } else if (group_subscribes(group, topic)) {
        out->error_code = KAFKA_GROUP_SUBSCRIBED_TO_TOPIC;
    } else if (group_offset_get(group, topic, partition)) {
        group_record_of_offset(group, "", partition, &record);
        record.topic = topic;
        record.deleted = true;
        group_write_add(c, write, &record);
    }
}

static void delete_topic(struct coordinator *c, const struct group *group,
                         const struct kafka_offset_delete_request_topic *topic, struct group_write *write,
                         struct kafka_offset_delete_response_topic *out)
{
    struct arena *arena = &write->answer->arena;
    int32_t count = MAX(topic->partitions.count, 0);

    out->name = str_of(arena_strdup(arena, topic->name));
    out->partitions.items = arena_array(arena, (size_t)count, sizeof *out->partitions.items);
    for (int32_t i = 0; out->partitions.items && i < count; i++)
        delete_partition(c, group, topic->name, topic->partitions.items[i].partition_index, write,
                         &out->partitions.items[out->partitions.count++]);
}

void coordinator_delete_offsets(struct coordinator *c, const struct group_caller *caller,
                                const struct kafka_offset_delete_request *request)
{
    const struct group *group = group_get(c, request->group_id);
    struct kafka_offset_delete_response refusal = { .error_code = (int16_t)check_delete(group, request->group_id) };

    if (refusal.error_code) {
        coordinator_reply(c, caller->ticket, &refusal);
        return;
    }
    struct group_write *write = group_write_begin(c, group);
    write->replay = true;
    write->answer = group_answer_new(caller->ticket, sizeof(struct kafka_offset_delete_response), delete_failed);
    struct kafka_offset_delete_response *response = write->answer->response;
    int32_t count = MAX(request->topics.count, 0);
    response->topics.items = arena_array(&write->answer->arena, (size_t)count, sizeof *response->topics.items);
    for (int32_t t = 0; response->topics.items && t < count; t++)
        delete_topic(c, group, &request->topics.items[t], write, &response->topics.items[response->topics.count++]);
    if (write->writer.count) {
        group_write_submit(c, write);
        return;
    }
    send_now(c, TAKE_PTR(write->answer));
    group_write_free(write);
}

/* ---- offsets that nobody needs any more ---- */

struct sweep {
    struct coordinator *c;
    struct group *group;
    struct group_write *write; /* begun with the first tombstone */
    int64_t now;
    bool all; /* no offset is left */
};

static void sweep_add(struct sweep *sweep, const struct group_record *record)
{
    if (!sweep->write) {
        sweep->write = group_write_begin(sweep->c, sweep->group);
        sweep->write->replay = true;
    }
    group_write_add(sweep->c, sweep->write, record);
}

static bool is_expired(const struct sweep *sweep, const struct group_offset *offset)
{
    const struct group *group = sweep->group;
    int64_t since = group->protocol_type && group->state == GROUP_EMPTY && group->state_since >= 0
                        ? group->state_since
                        : offset->committed_at;

    if (offset->expires_at >= 0)
        return sweep->now >= offset->expires_at;
    return since <= sweep->now - sweep->c->settings.retention_ms; /* a record may name any time */
}

static void sweep_topic(struct sweep *sweep, const char *name, const struct group_topic *topic)
{
    struct group_record record;

    if (group_subscribes(sweep->group, str_of(name))) {
        sweep->all = false;
        return;
    }
    for (int32_t i = 0; i < topic->count; i++) {
        if (!is_expired(sweep, &topic->offsets[i]) ||
            (sweep->write && sweep->write->writer.count >= EXPIRE_BATCH_MAX)) {
            sweep->all = false; /* the next round goes on */
            continue;
        }
        group_record_of_offset(sweep->group, name, topic->offsets[i].partition, &record);
        record.deleted = true;
        sweep_add(sweep, &record);
    }
}

/* Offsets of a group with members are kept, except those of topics that a consumer group no longer reads. */
static bool may_expire(const struct group *group)
{
    if (!group->protocol_type || group->state == GROUP_EMPTY)
        return true;
    return group_is_consumer(group) && group->state == GROUP_STABLE;
}

void coordinator_expire(struct coordinator *c)
{
    for (struct map_entry *e = NULL; (e = map_next(&c->by_id, e));) {
        struct sweep sweep = { c, e->value, NULL, c->host.wall_ms(c->host.context), true };
        if (!may_expire(sweep.group))
            continue;
        for (struct map_entry *t = NULL; (t = map_next(&sweep.group->topics, t));)
            sweep_topic(&sweep, t->key, t->value);
        if (sweep.all && sweep.group->state == GROUP_EMPTY && !sweep.group->pending.count)
            sweep_add(&sweep, &(struct group_record){
                                  .kind = GROUP_RECORD_GROUP, .deleted = true, .group = str_of(sweep.group->id) });
        if (sweep.write)
            group_write_submit(c, sweep.write);
    }
}

void coordinator_topic_deleted(struct coordinator *c, struct str name)
{
    for (struct map_entry *e = NULL; (e = map_next(&c->by_id, e));) {
        struct sweep sweep = { .c = c, .group = e->value };
        const struct group_topic *topic = map_get(&sweep.group->topics, name);
        CLEANUP_FREE char *text = str_dup(name);
        for (int32_t i = 0; topic && i < topic->count; i++) {
            struct group_record record;
            group_record_of_offset(sweep.group, text, topic->offsets[i].partition, &record);
            record.deleted = true;
            sweep_add(&sweep, &record);
        }
        if (sweep.write)
            group_write_submit(c, sweep.write);
    }
}
