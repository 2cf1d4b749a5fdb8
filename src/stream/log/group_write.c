/* Batches for __consumer_offsets, and the answers that wait for them. */
#include <stdlib.h>
#include <string.h>

#include "stream/log/group_private.h"

struct group_write *group_write_begin(struct coordinator *c, const struct group *group)
{
    struct group_write *write = NEW(struct group_write);

    write->batch.max = GROUP_RECORD_MAX;
    write->partition = coordinator_partition_of(c, str_of(group->id));
    write->group_id = mem_strdup(group->id);
    write->generation = group->generation;
    kafka_batch_begin(&write->writer, &write->batch);
    return write;
}

void group_write_add(struct coordinator *c, struct group_write *write, const struct group_record *record)
{
    CLEANUP(buf_free) struct buf key = { .max = GROUP_RECORD_MAX };
    CLEANUP(buf_free) struct buf value = { .max = GROUP_RECORD_MAX };

    group_record_write(record, &key, &value);
    if (buf_failed(&key) || buf_failed(&value)) {
        write->batch.failed = true;
        return;
    }
    kafka_batch_add(&write->writer, c->host.wall_ms(c->host.context), buf_str(&key),
                    record->deleted ? (struct str){ 0 } : str_n(buf_cstr(&value), value.len), NULL, 0);
}

static void record_member(const struct group *group, const struct group_member *member, bool next,
                          struct group_record_member *out)
{
    *out = (struct group_record_member){
        .id = str_of(member->id),
        .instance_id = str_of(member->instance_id),
        .client_id = str_of(member->client_id),
        .client_host = str_of(member->client_host),
        .rebalance_ms = member->rebalance_ms,
        .session_ms = member->session_ms,
        .subscription = group_member_metadata(member, group->protocol_name),
        .assignment = next ? member->next_assignment : member->assignment,
    };
}

void group_write_group(struct coordinator *c, struct group_write *write, const struct group *group, bool next)
{
    struct group_record record = {
        .kind = GROUP_RECORD_GROUP,
        .group = str_of(group->id),
        .protocol_type = str_of(group->protocol_type),
        .protocol = str_of(group->protocol_name),
        .leader = str_of(group->leader),
        .generation = group->generation,
        .state_since = group->state_since,
    };

    record.members = NEW_ARRAY(struct group_record_member, group->members.count + 1);
    for (struct map_entry *e = NULL; (e = map_next(&group->members, e));)
        record_member(group, e->value, next, &record.members[record.member_count++]);
    group_write_add(c, write, &record);
    free(record.members);
}

void group_write_free(void *at)
{
    struct group_write *write = at;

    if (write->answer && --write->answer->left == 0) {
        arena_free(&write->answer->arena);
        free(write->answer);
    }
    buf_free(&write->batch);
    free(write->group_id);
    free(write->member_id);
    free(write);
}

void group_write_submit(struct coordinator *c, struct group_write *write)
{
    uint64_t token = ++c->next_token;

    kafka_batch_end(&write->writer);
    map_put(&c->writes, str_n((const char *)&token, sizeof token), write);
    if (buf_failed(&write->batch) || write->batch.len > GROUP_RECORD_MAX) {
        log_warn("cannot store a group", "group=%s reason=%s", write->group_id, "its record would be too large");
        coordinator_stored(c, token, RC_FULL);
        return;
    }
    c->host.store(c->host.context, write->partition, buf_str(&write->batch), token);
}

/* ---- answers ---- */

struct group_answer *group_answer_new(void *ticket, size_t response_size, void (*fail)(void *response))
{
    struct group_answer *answer = NEW(struct group_answer);

    answer->ticket = ticket;
    answer->arena.max = 256 << 20; /* a request was that large before, so its answer may be */
    answer->fail = fail;
    answer->left = 1;
    answer->response = arena_alloc(&answer->arena, response_size);
    return answer;
}

void group_answer_done(struct coordinator *c, struct group_answer *answer)
{
    if (--answer->left)
        return;
    if (answer->failed)
        answer->fail(answer->response);
    coordinator_reply(c, answer->ticket, answer->response);
    arena_free(&answer->arena);
    free(answer);
}

/* ---- what was stored ---- */

static void apply(struct coordinator *c, struct group_write *write)
{
    CLEANUP(arena_free) struct arena arena = { 0 };
    struct kafka_record_reader reader = { 0 };
    struct kafka_record record;
    struct err err = { 0 };
    enum rc rc = kafka_records_open(buf_str(&write->batch), GROUP_RECORD_MAX, &arena, &reader, &err);

    while (!rc && !(rc = kafka_records_next(&reader, &record, &err)))
        rc = coordinator_replay(c, record.key, record.value, &err);
    if (rc != RC_AGAIN)
        log_error("cannot apply what was stored", "group=%s reason=%s", write->group_id, err.text);
    kafka_records_close(&reader);
}

void coordinator_stored(struct coordinator *c, uint64_t token, enum rc rc)
{
    struct group_write *write = map_remove(&c->writes, str_n((const char *)&token, sizeof token));

    if (!write)
        return;
    if (!rc && write->replay)
        apply(c, write);
    if (write->then)
        write->then(c, write, rc);
    if (write->answer) {
        write->answer->failed |= rc != RC_OK;
        group_answer_done(c, TAKE_PTR(write->answer));
    }
    group_write_free(write);
}
