/* The group coordinator against many scenarios; time, storage and clients are played by the test. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "stream/log/coordinator.h"

enum { TICKETS = 64, WRITES = 64, SESSION = 10000, REBALANCE = 30000, TEXT = 200, MEMBERS = 8 };

/* what a ticket was answered; one struct for all kinds */
struct answer {
    bool there, skip;
    int error;
    int generation, member_count;
    char member[TEXT], leader[TEXT], protocol[TEXT], assignment[TEXT], members[MEMBERS][TEXT];
    int64_t offset;
    int partition_errors[4];
};

static struct coordinator *c;
static struct answer answers[TICKETS];
static int next_ticket, kinds[TICKETS];
static int64_t now, wall;
static bool hold_writes; /* else writes are stored at once */
static uint64_t held[WRITES];
static int held_count;
static char log_bytes[1 << 20];
static size_t log_size;
static int32_t log_partition;

enum { JOIN, SYNC, BEAT, LEAVE, COMMIT, FETCH, OFFSET_DELETE, DESCRIBE, LIST, DELETE };

static void copy(char *to, struct str s)
{
    snprintf(to, TEXT, "%.*s", STR_ARG(s));
}

static void on_join(struct answer *a, const struct kafka_join_group_response *r)
{
    a->error = r->error_code;
    a->generation = r->generation_id;
    a->member_count = r->members.count;
    a->skip = r->skip_assignment;
    copy(a->member, r->member_id);
    copy(a->leader, r->leader);
    copy(a->protocol, r->protocol_name);
    for (int i = 0; i < r->members.count && i < MEMBERS; i++)
        copy(a->members[i], r->members.items[i].member_id);
}

static void on_fetch(struct answer *a, const struct kafka_offset_fetch_response *r)
{
    a->error = r->error_code;
    a->member_count = r->topics.count;
    if (r->topics.count && r->topics.items[0].partitions.count) {
        a->offset = r->topics.items[0].partitions.items[0].committed_offset;
        copy(a->member, r->topics.items[0].partitions.items[0].metadata);
    }
}

static void on_commit(struct answer *a, const struct kafka_offset_commit_response *r)
{
    for (int i = 0; i < r->topics.items[0].partitions.count && i < 4; i++)
        a->partition_errors[i] = r->topics.items[0].partitions.items[i].error_code;
    a->error = a->partition_errors[0];
}

static void on_describe(struct answer *a, const struct kafka_describe_groups_response *r)
{
    a->error = r->groups.items[0].error_code;
    a->member_count = r->groups.items[0].members.count;
    copy(a->protocol, r->groups.items[0].group_state);
}

static void on_offset_delete(struct answer *a, const struct kafka_offset_delete_response *r)
{
    a->error = r->error_code;
    if (r->topics.count)
        a->partition_errors[0] = r->topics.items[0].partitions.items[0].error_code;
}

static void on_list(struct answer *a, const struct kafka_list_groups_response *r)
{
    a->member_count = r->groups.count;
    if (r->groups.count)
        copy(a->member, r->groups.items[0].group_id);
}

static void reply(void *context, void *ticket, const void *r)
{
    int n = (int)(intptr_t)ticket;
    struct answer *a = &answers[n];

    (void)context;
    assert_false(a->there); /* each ticket once */
    a->there = true;
    switch (kinds[n]) {
    case JOIN:
        on_join(a, r);
        break;
    case SYNC:
        a->error = ((const struct kafka_sync_group_response *)r)->error_code;
        copy(a->assignment, ((const struct kafka_sync_group_response *)r)->assignment);
        break;
    case BEAT:
        a->error = ((const struct kafka_heartbeat_response *)r)->error_code;
        break;
    case LEAVE: {
        const struct kafka_leave_group_response *leave = r;
        a->error = leave->error_code      ? leave->error_code
                   : leave->members.count ? leave->members.items[0].error_code
                                          : 0;
        break;
    }
    case COMMIT:
        on_commit(a, r);
        break;
    case FETCH:
        on_fetch(a, r);
        break;
    case OFFSET_DELETE:
        on_offset_delete(a, r);
        break;
    case DESCRIBE:
        on_describe(a, r);
        break;
    case LIST:
        on_list(a, r);
        break;
    case DELETE:
        a->error = ((const struct kafka_delete_groups_response *)r)->results.items[0].error_code;
        break;
    }
}

static void store(void *context, int32_t partition, struct str batch, uint64_t token)
{
    (void)context;
    assert_true(log_size + batch.len < sizeof log_bytes);
    memcpy(log_bytes + log_size, batch.p, batch.len);
    log_size += batch.len;
    log_partition = partition;
    if (!hold_writes) {
        coordinator_stored(c, token, RC_OK);
        return;
    }
    held[held_count++] = token;
}

static void release(enum rc rc)
{
    int count = held_count;

    held_count = 0;
    for (int i = 0; i < count; i++)
        coordinator_stored(c, held[i], rc);
}

static bool has_partition(void *context, struct str topic, int32_t partition)
{
    (void)context;
    return !str_is(topic, "missing") && partition < 10;
}

static int64_t mono(void *context)
{
    (void)context;
    return now;
}

static int64_t wall_clock(void *context)
{
    (void)context;
    return wall;
}

static const struct group_host host = { NULL, reply, store, has_partition, mono, wall_clock };
static struct group_settings settings;

static int set_up(void **state)
{
    (void)state;
    settings = (struct group_settings){ .partitions = 50,
                                        .initial_delay_ms = 0,
                                        .min_session_ms = 6000,
                                        .max_session_ms = 1800000,
                                        .max_size = INT32_MAX,
                                        .metadata_max = 4096,
                                        .retention_ms = 7 * 86400000LL };
    memset(answers, 0, sizeof answers);
    next_ticket = 1;
    now = 1000;
    wall = 1700000000000;
    hold_writes = false;
    held_count = 0;
    log_size = 0;
    c = coordinator_new(&settings, &host);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    coordinator_free(c);
    return 0;
}

/* ---- what clients do ---- */

static struct group_caller caller(int kind, int version)
{
    assert_true(next_ticket < TICKETS);
    kinds[next_ticket] = kind;
    return (struct group_caller){ (void *)(intptr_t)next_ticket++, version, STR("client"), STR("127.0.0.1") };
}

static struct answer *last(void)
{
    return &answers[next_ticket - 1];
}

static void advance(int64_t ms)
{
    for (int64_t end = now + ms; now < end;) {
        now = MAX(now, MIN(end, coordinator_next_deadline(c)));
        if (now < end || coordinator_next_deadline(c) <= now)
            coordinator_tick(c);
        wall += 0;
    }
}

static void settle(void)
{
    coordinator_tick(c);
}

static int protocol_choice; /* 0: range; 1: range and other metadata; 2: sticky, range; 3: only sticky */

/* "consumer" metadata v0: topic t, no user data */
static const char subscription[] = "\0\0\0\0\0\1\0\1t\xff\xff\xff\xff";
static const char other_subscription[] = "\0\0\0\0\0\1\0\1u\xff\xff\xff\xff";

static struct answer *join_as(const char *member, const char *instance, int version)
{
    struct group_caller who = caller(JOIN, version);
    struct str range = str_n(protocol_choice == 1 ? other_subscription : subscription, sizeof subscription - 1);
    struct kafka_join_group_request_protocol one[] = { { STR("range"), range } };
    struct kafka_join_group_request_protocol two[] = { { STR("sticky"), STR("s") }, { STR("range"), range } };
    struct kafka_join_group_request request = {
        .group_id = STR("g"),
        .session_timeout_ms = SESSION,
        .rebalance_timeout_ms = REBALANCE,
        .member_id = str_of(member),
        .group_instance_id = str_of(instance),
        .protocol_type = STR("consumer"),
        .protocols = { protocol_choice >= 2 ? two : one, protocol_choice == 2 ? 2 : 1 },
    };
    struct answer *a = &answers[next_ticket - 1];

    coordinator_join(c, &who, &request);
    return a;
}

/* joins as a client of version 5 does: asks for an id, comes with it.  Returns the ticket's answer, maybe not there. */
static struct answer *join(const char *member)
{
    struct answer *a = join_as(member, NULL, 5);

    if (a->there && a->error == KAFKA_MEMBER_ID_REQUIRED)
        a = join_as(a->member, NULL, 5);
    return a;
}

static struct answer *sync_as(const char *member, int generation, const char *to1, const char *what1, const char *to2,
                              const char *what2)
{
    struct group_caller who = caller(SYNC, 5);
    struct kafka_sync_group_request_assignment list[] = { { str_of(to1), str_of(what1) },
                                                          { str_of(to2), str_of(what2) } };
    struct kafka_sync_group_request request = { .group_id = STR("g"),
                                                .generation_id = generation,
                                                .member_id = str_of(member),
                                                .assignments = { list, to2   ? 2
                                                                       : to1 ? 1
                                                                             : 0 } };

    coordinator_sync(c, &who, &request);
    return last();
}

static int beat(const char *member, int generation)
{
    struct group_caller who = caller(BEAT, 4);
    struct kafka_heartbeat_request request = { .group_id = STR("g"),
                                               .generation_id = generation,
                                               .member_id = str_of(member) };

    coordinator_heartbeat(c, &who, &request);
    assert_true(last()->there);
    return last()->error;
}

static int leave(const char *member, const char *instance)
{
    struct group_caller who = caller(LEAVE, 5);
    struct kafka_leave_group_request_member one = { str_of(member), str_of(instance), { 0 } };
    struct kafka_leave_group_request request = { .group_id = STR("g"), .members = { &one, 1 } };

    coordinator_leave(c, &who, &request);
    assert_true(last()->there);
    return last()->error;
}

static struct answer *commit(const char *group, const char *member, int generation, const char *topic, int64_t offset,
                             const char *metadata)
{
    struct group_caller who = caller(COMMIT, 8);
    struct kafka_offset_commit_request_partition partition = { 0, offset, -1, str_of(metadata) };
    struct kafka_offset_commit_request_topic list = { str_of(topic), { &partition, 1 } };
    struct kafka_offset_commit_request request = { .group_id = str_of(group),
                                                   .generation_id_or_member_epoch = generation,
                                                   .member_id = str_of(member),
                                                   .retention_time_ms = -1,
                                                   .topics = { &list, 1 } };

    coordinator_commit(c, &who, &request);
    return last();
}

static struct answer *fetch(const char *group, const char *topic)
{
    struct group_caller who = caller(FETCH, 5);
    int32_t zero = 0;
    struct kafka_offset_fetch_request_topic list = { str_of(topic), { &zero, 1 } };
    struct kafka_offset_fetch_request request = { .group_id = str_of(group), .topics = { &list, topic ? 1 : -1 } };

    coordinator_fetch(c, &who, &request);
    assert_true(last()->there);
    return last();
}

static int delete_group(const char *group)
{
    struct group_caller who = caller(DELETE, 2);
    struct str name = str_of(group);
    struct kafka_delete_groups_request request = { { &name, 1 } };

    coordinator_delete(c, &who, &request);
    return last()->error;
}

static struct answer *delete_offset(const char *group, const char *topic)
{
    struct group_caller who = caller(OFFSET_DELETE, 0);
    struct kafka_offset_delete_request_partition zero = { 0 };
    struct kafka_offset_delete_request_topic list = { str_of(topic), { &zero, 1 } };
    struct kafka_offset_delete_request request = { str_of(group), { &list, 1 } };

    coordinator_delete_offsets(c, &who, &request);
    return last();
}

static struct answer *describe(const char *group, int version)
{
    struct group_caller who = caller(DESCRIBE, version);
    struct str name = str_of(group);
    struct kafka_describe_groups_request request = { .groups = { &name, 1 } };

    coordinator_describe(c, &who, &request);
    assert_true(last()->there);
    return last();
}

static enum group_state state_of_g(void)
{
    const struct group *group = coordinator_find(c, STR("g"));

    assert_non_null(group);
    return group->state;
}

/* one member, stable, generation 1; its id in *id */
static void stable_one(char id[static TEXT])
{
    struct answer *a = join("");

    settle();
    assert_true(a->there);
    assert_int_equal(a->error, 0);
    assert_int_equal(a->generation, 1);
    snprintf(id, TEXT, "%s", a->member);
    assert_string_equal(a->leader, id);
    assert_int_equal(a->member_count, 1);
    struct answer *s = sync_as(id, 1, id, "all", NULL, NULL);
    assert_true(s->there);
    assert_string_equal(s->assignment, "all");
    assert_int_equal(state_of_g(), GROUP_STABLE);
}

/* two members, stable, generation 2 */
static void stable_two(char first[static TEXT], char second[static TEXT])
{
    stable_one(first);
    struct answer *b = join("");
    assert_false(b->there);
    assert_int_equal(beat(first, 1), KAFKA_REBALANCE_IN_PROGRESS);
    struct answer *a = join(first);
    assert_true(a->there && b->there);
    assert_int_equal(a->generation, 2);
    snprintf(second, TEXT, "%s", b->member);
    struct answer *follower = sync_as(second, 2, NULL, NULL, NULL, NULL);
    assert_false(follower->there);
    struct answer *leader = sync_as(first, 2, first, "one", second, "two");
    assert_true(follower->there && leader->there);
    assert_string_equal(leader->assignment, "one");
    assert_string_equal(follower->assignment, "two");
}

/* ---- scenarios ---- */

static void a_new_dynamic_member_is_given_an_id_to_come_back_with(void **state)
{
    (void)state;
    struct answer *a = join_as("", NULL, 5);
    assert_int_equal(a->error, KAFKA_MEMBER_ID_REQUIRED);
    assert_int_equal(strncmp(a->member, "client-", 7), 0);
    assert_int_equal(strlen(a->member), 7 + UUID_TEXT_LEN);
    advance(SESSION + 1);
    struct answer *late = join_as(a->member, NULL, 5);
    assert_int_equal(late->error, KAFKA_UNKNOWN_MEMBER_ID);
    struct answer *old = join_as("", NULL, 3);
    settle();
    assert_int_equal(old->error, 0);
}

static void one_member_joins_syncs_and_leaves(void **state)
{
    char id[TEXT];

    (void)state;
    stable_one(id);
    assert_int_equal(beat(id, 1), 0);
    assert_int_equal(beat(id, 0), KAFKA_ILLEGAL_GENERATION);
    assert_int_equal(beat("nobody", 1), KAFKA_UNKNOWN_MEMBER_ID);
    assert_int_equal(leave(id, NULL), 0);
    assert_int_equal(state_of_g(), GROUP_EMPTY);
    assert_int_equal(beat(id, 1), KAFKA_UNKNOWN_MEMBER_ID);
    assert_int_equal(leave(id, NULL), KAFKA_UNKNOWN_MEMBER_ID);
}

static void a_second_member_joins_leaves_and_the_first_goes_on(void **state)
{
    char first[TEXT], second[TEXT];

    (void)state;
    stable_two(first, second);
    assert_int_equal(leave(second, NULL), 0);
    assert_int_equal(beat(first, 2), KAFKA_REBALANCE_IN_PROGRESS);
    struct answer *a = join(first);
    assert_true(a->there);
    assert_int_equal(a->generation, 3);
    assert_int_equal(a->member_count, 1);
    struct answer *s = sync_as(first, 3, first, "all", NULL, NULL);
    assert_string_equal(s->assignment, "all");
}

static void a_leader_that_leaves_is_followed_by_the_next(void **state)
{
    char first[TEXT], second[TEXT];

    (void)state;
    stable_two(first, second);
    assert_int_equal(leave(first, NULL), 0);
    struct answer *b = join(second);
    assert_true(b->there);
    assert_string_equal(b->leader, second);
    assert_int_equal(b->member_count, 1);
}

static void a_silent_member_fails_after_its_session(void **state)
{
    char first[TEXT], second[TEXT];

    (void)state;
    stable_two(first, second);
    advance(SESSION / 2);
    assert_int_equal(beat(first, 2), 0);
    advance(SESSION / 2 + 1);
    assert_int_equal(state_of_g(), GROUP_PREPARING);
    assert_int_equal(beat(second, 2), KAFKA_UNKNOWN_MEMBER_ID);
    assert_int_equal(beat(first, 2), KAFKA_REBALANCE_IN_PROGRESS);
}

static void a_member_that_does_not_come_back_is_out_after_the_rebalance_timeout(void **state)
{
    char first[TEXT], second[TEXT];

    (void)state;
    stable_two(first, second);
    struct answer *c3 = join("");
    struct answer *b = join(second);
    for (int i = 0; i < 6; i++) {
        advance(REBALANCE / 6 - 1);
        assert_int_equal(beat(first, 2), KAFKA_REBALANCE_IN_PROGRESS); /* alive, but busy */
    }
    assert_false(b->there);
    advance(10);
    assert_true(b->there && c3->there);
    assert_int_equal(b->generation, 3);
    assert_string_equal(b->leader, second);
    assert_int_equal(b->member_count, 2);
    assert_int_equal(beat(first, 2), KAFKA_UNKNOWN_MEMBER_ID);
}

static void a_member_that_waits_for_the_rebalance_does_not_time_out(void **state)
{
    char first[TEXT], second[TEXT];

    (void)state;
    stable_two(first, second);
    struct answer *b = join(second); /* nothing changed for a follower: answered at once */
    assert_true(b->there);
    assert_int_equal(b->generation, 2);
    struct answer *lead = join(first); /* but the leader's wish starts a rebalance */
    assert_false(lead->there);
    for (int i = 0; i < 2; i++) {
        advance(SESSION - 1);
        assert_int_equal(beat(second, 2), KAFKA_REBALANCE_IN_PROGRESS);
    }
    b = join(second);
    assert_true(lead->there && b->there);
    assert_int_equal(lead->generation, 3);
}

static void members_that_do_not_sync_are_put_out(void **state)
{
    char first[TEXT], second[TEXT];

    (void)state;
    stable_two(first, second);
    struct answer *a = join(first), *b = join(second);
    assert_true(a->there && b->there);
    struct answer *s = sync_as(first, 3, first, "1", second, "2");
    assert_true(s->there);
    for (int i = 0; i < 6; i++) {
        advance(REBALANCE / 6 - 1);
        assert_int_equal(beat(second, 3), 0);
        assert_int_equal(beat(first, 3), 0);
    }
    advance(10);
    assert_int_equal(state_of_g(), GROUP_PREPARING);
    assert_int_equal(beat(second, 3), KAFKA_UNKNOWN_MEMBER_ID);
}

static void assignments_are_given_out_only_when_stored(void **state)
{
    char first[TEXT];

    (void)state;
    struct answer *a = join("");
    settle();
    snprintf(first, TEXT, "%s", a->member);
    hold_writes = true;
    struct answer *s = sync_as(first, 1, first, "all", NULL, NULL);
    assert_false(s->there);
    assert_int_equal(state_of_g(), GROUP_COMPLETING);
    release(RC_OK);
    assert_true(s->there);
    assert_int_equal(state_of_g(), GROUP_STABLE);
}

static void an_assignment_that_cannot_be_stored_starts_another_rebalance(void **state)
{
    (void)state;
    struct answer *a = join("");
    settle();
    hold_writes = true;
    struct answer *s = sync_as(a->member, 1, a->member, "all", NULL, NULL);
    release(RC_RETRY);
    assert_int_equal(s->error, KAFKA_COORDINATOR_NOT_AVAILABLE);
    assert_int_equal(state_of_g(), GROUP_PREPARING);
}

static void a_join_during_the_leaders_write_makes_it_history(void **state)
{
    char first[TEXT], second[TEXT];

    (void)state;
    stable_two(first, second);
    struct answer *a = join(first), *b = join(second);
    assert_true(a->there && b->there);
    hold_writes = true;
    struct answer *s = sync_as(first, 3, first, "1", second, "2");
    struct answer *third = join("");
    assert_false(third->there);
    assert_int_equal(s->error, KAFKA_REBALANCE_IN_PROGRESS);
    release(RC_OK);
    assert_int_equal(state_of_g(), GROUP_PREPARING);
    assert_int_equal(sync_as(second, 3, NULL, NULL, NULL, NULL)->error, KAFKA_REBALANCE_IN_PROGRESS);
}

static void stale_generations_and_strange_protocols_are_refused(void **state)
{
    char id[TEXT];

    (void)state;
    stable_one(id);
    assert_int_equal(sync_as(id, 0, NULL, NULL, NULL, NULL)->error, KAFKA_ILLEGAL_GENERATION);
    assert_int_equal(sync_as("x", 1, NULL, NULL, NULL, NULL)->error, KAFKA_UNKNOWN_MEMBER_ID);
    assert_string_equal(sync_as(id, 1, NULL, NULL, NULL, NULL)->assignment, "all");
    protocol_choice = 3;
    assert_int_equal(join_as("", NULL, 5)->error, KAFKA_INCONSISTENT_GROUP_PROTOCOL);
    protocol_choice = 0;
}

static void the_protocol_that_all_speak_is_chosen(void **state)
{
    char id[TEXT];

    (void)state;
    protocol_choice = 2;
    struct answer *a = join("");
    settle();
    assert_string_equal(a->protocol, "sticky");
    snprintf(id, TEXT, "%s", a->member);
    protocol_choice = 0;
    struct answer *b = join("");
    protocol_choice = 2;
    a = join(id);
    protocol_choice = 0;
    assert_true(a->there && b->there);
    assert_string_equal(a->protocol, "range");
}

static void a_member_with_new_metadata_starts_a_rebalance(void **state)
{
    char first[TEXT], second[TEXT];

    (void)state;
    stable_two(first, second);
    protocol_choice = 1;
    struct answer *b = join(second);
    protocol_choice = 0;
    assert_false(b->there);
    assert_int_equal(state_of_g(), GROUP_PREPARING);
}

static void a_static_member_restarts_without_a_rebalance(void **state)
{
    (void)state;
    struct answer *a = join_as("", "i1", 9);
    settle();
    assert_int_equal(a->error, 0);
    assert_int_equal(strncmp(a->member, "i1-", 3), 0);
    assert_string_equal(sync_as(a->member, 1, a->member, "mine", NULL, NULL)->assignment, "mine");
    struct answer *again = join_as("", "i1", 9);
    assert_true(again->there);
    assert_int_equal(again->error, 0);
    assert_int_equal(again->generation, 1);
    assert_true(again->skip);
    assert_string_not_equal(again->member, a->member);
    assert_int_equal(state_of_g(), GROUP_STABLE);
    assert_string_equal(sync_as(again->member, 1, NULL, NULL, NULL, NULL)->assignment, "mine");
    assert_int_equal(join_as(a->member, "i1", 9)->error, KAFKA_FENCED_INSTANCE_ID);
    struct answer *older = join_as("", "i1", 7);
    assert_true(older->there);
    assert_false(older->skip);
    assert_string_equal(older->leader, again->member); /* not itself: an older client would assign anew */
    assert_int_equal(older->member_count, 0);
    assert_int_equal(leave("", "i2"), KAFKA_UNKNOWN_MEMBER_ID);
    assert_int_equal(leave("", "i1"), 0);
    assert_int_equal(state_of_g(), GROUP_EMPTY);
}

static void a_static_member_is_kept_when_it_misses_a_rebalance(void **state)
{
    char id[TEXT];

    (void)state;
    struct answer *a = join_as("", "i1", 9);
    settle();
    snprintf(id, TEXT, "%s", a->member);
    sync_as(id, 1, id, "mine", NULL, NULL);
    struct answer *b = join("");
    for (int i = 0; i < 6; i++) {
        advance(REBALANCE / 6 - 1);
        assert_int_equal(beat(id, 1), KAFKA_REBALANCE_IN_PROGRESS);
    }
    advance(10);
    assert_true(b->there);
    assert_string_equal(b->leader, b->member);
    assert_int_equal(b->member_count, 2);
}

static void the_first_rebalance_waits_for_others(void **state)
{
    (void)state;
    coordinator_free(c);
    settings.initial_delay_ms = 3000;
    c = coordinator_new(&settings, &host);
    struct answer *a = join("");
    advance(2000);
    struct answer *b = join("");
    advance(2000);
    assert_false(a->there); /* a member came, so it waits once more */
    advance(2001);
    assert_true(a->there && b->there);
    assert_int_equal(a->generation, 1);
    assert_int_equal(a->member_count, 2);
}

static void session_timeouts_and_names_have_bounds(void **state)
{
    struct kafka_join_group_request request = { .group_id = STR("g"), .session_timeout_ms = 100 };
    struct group_caller who;

    (void)state;
    who = caller(JOIN, 5);
    coordinator_join(c, &who, &request);
    assert_int_equal(last()->error, KAFKA_INVALID_SESSION_TIMEOUT);
    request.group_id = STR("");
    who = caller(JOIN, 5);
    coordinator_join(c, &who, &request);
    assert_int_equal(last()->error, KAFKA_INVALID_GROUP_ID);
    assert_int_equal(join_as("unknown", NULL, 5)->error, KAFKA_UNKNOWN_MEMBER_ID);
    assert_null(coordinator_find(c, STR("g")));
}

static void a_group_has_a_largest_size(void **state)
{
    char id[TEXT];

    (void)state;
    coordinator_free(c);
    settings.max_size = 1;
    c = coordinator_new(&settings, &host);
    stable_one(id);
    assert_int_equal(join_as("", NULL, 5)->error, KAFKA_GROUP_MAX_SIZE_REACHED);
}

/* ---- offsets ---- */

static void offsets_come_back_with_their_text(void **state)
{
    (void)state;
    assert_int_equal(fetch("s", "t")->offset, -1);
    assert_int_equal(commit("s", "", -1, "t", 42, "a text")->error, 0);
    assert_int_equal(fetch("s", "t")->offset, 42);
    assert_string_equal(last()->member, "a text");
    assert_int_equal(fetch("s", NULL)->member_count, 1);
    assert_int_equal(commit("s", "", -1, "missing", 42, "")->error, KAFKA_UNKNOWN_TOPIC_OR_PARTITION);
    char *text = NEW_ARRAY(char, 4098);
    memset(text, 'x', 4097);
    assert_int_equal(commit("s", "", -1, "t", 43, text)->error, KAFKA_OFFSET_METADATA_TOO_LARGE);
    text[4096] = '\0';
    assert_int_equal(commit("s", "", -1, "t", 43, text)->error, 0);
    free(text);
}

static void a_commit_is_answered_only_when_stored(void **state)
{
    (void)state;
    hold_writes = true;
    struct answer *a = commit("s", "", -1, "t", 1, "");
    assert_false(a->there);
    assert_int_equal(fetch("s", "t")->offset, -1);
    release(RC_OK);
    assert_true(a->there);
    assert_int_equal(fetch("s", "t")->offset, 1);
    a = commit("s", "", -1, "t", 2, "");
    release(RC_RETRY);
    assert_int_equal(a->error, KAFKA_COORDINATOR_NOT_AVAILABLE);
    assert_int_equal(fetch("s", "t")->offset, 1);
}

static void commits_of_strangers_and_of_the_past_are_refused(void **state)
{
    char first[TEXT], second[TEXT];

    (void)state;
    assert_int_equal(commit("new", "x", 1, "t", 1, "")->error, KAFKA_ILLEGAL_GENERATION);
    stable_two(first, second);
    assert_int_equal(commit("g", "", -1, "t", 1, "")->error, KAFKA_UNKNOWN_MEMBER_ID);
    assert_int_equal(commit("g", first, 1, "t", 1, "")->error, KAFKA_ILLEGAL_GENERATION);
    assert_int_equal(commit("g", "other", 2, "t", 1, "")->error, KAFKA_UNKNOWN_MEMBER_ID);
    assert_int_equal(commit("g", first, 2, "t", 1, "")->error, 0);
    struct answer *third = join("");
    assert_int_equal(commit("g", first, 2, "t", 2, "")->error, 0); /* before it joins again */
    join(first);
    join(second);
    assert_true(third->there);
    assert_int_equal(commit("g", first, 3, "t", 3, "")->error, KAFKA_REBALANCE_IN_PROGRESS);
    advance(SESSION + 1);
    assert_int_equal(commit("g", first, 3, "t", 3, "")->error, KAFKA_UNKNOWN_MEMBER_ID);
    assert_int_equal(fetch("g", "t")->offset, 2);
}

static void a_commit_counts_as_a_heartbeat(void **state)
{
    char id[TEXT];

    (void)state;
    stable_one(id);
    advance(SESSION - 1);
    assert_int_equal(commit("g", id, 1, "t", 1, "")->error, 0);
    advance(SESSION - 1);
    assert_int_equal(beat(id, 1), 0);
}

static void offsets_of_a_topic_that_is_read_are_not_deleted(void **state)
{
    char id[TEXT];

    (void)state;
    stable_one(id);
    commit("g", id, 1, "t", 1, "");
    commit("g", id, 1, "u", 1, "");
    assert_int_equal(delete_offset("g", "t")->partition_errors[0], KAFKA_GROUP_SUBSCRIBED_TO_TOPIC);
    assert_int_equal(delete_offset("g", "u")->partition_errors[0], 0);
    assert_int_equal(fetch("g", "u")->offset, -1);
    assert_int_equal(fetch("g", "t")->offset, 1);
    assert_int_equal(delete_offset("h", "t")->error, KAFKA_GROUP_ID_NOT_FOUND);
    coordinator_topic_deleted(c, STR("t"));
    assert_int_equal(fetch("g", "t")->offset, -1);
}

static void only_groups_without_members_are_deleted(void **state)
{
    char id[TEXT];

    (void)state;
    stable_one(id);
    commit("g", id, 1, "t", 1, "");
    assert_int_equal(delete_group("g"), KAFKA_NON_EMPTY_GROUP);
    assert_int_equal(delete_group("h"), KAFKA_GROUP_ID_NOT_FOUND);
    leave(id, NULL);
    assert_int_equal(delete_group("g"), 0);
    assert_null(coordinator_find(c, STR("g")));
    assert_string_equal(describe("g", 5)->protocol, "Dead");
    assert_int_equal(last()->error, 0);
    assert_int_equal(describe("g", 6)->error, KAFKA_GROUP_ID_NOT_FOUND);
}

static void offsets_expire_some_time_after_the_group_became_empty(void **state)
{
    char id[TEXT];

    (void)state;
    stable_one(id);
    commit("g", id, 1, "t", 1, "");
    commit("simple", "", -1, "t", 1, "");
    wall += settings.retention_ms / 2;
    leave(id, NULL);
    wall += settings.retention_ms / 2;
    coordinator_expire(c);
    assert_null(coordinator_find(c, STR("simple")));
    assert_int_equal(fetch("g", "t")->offset, 1);
    wall += settings.retention_ms / 2;
    coordinator_expire(c);
    assert_null(coordinator_find(c, STR("g")));
}

static void groups_are_listed_by_state(void **state)
{
    struct group_caller who;
    struct str filter = STR("stable");
    struct kafka_list_groups_request request = { .states_filter = { &filter, 1 } };
    char id[TEXT];

    (void)state;
    stable_one(id);
    commit("simple", "", -1, "t", 1, "");
    who = caller(LIST, 5);
    coordinator_list(c, &who, &request);
    assert_int_equal(last()->member_count, 1);
    assert_string_equal(last()->member, "g");
    request.states_filter.count = 0;
    who = caller(LIST, 5);
    coordinator_list(c, &who, &request);
    assert_int_equal(last()->member_count, 2);
}

/* ---- what a restart finds ---- */

static void read_log_again(void)
{
    struct err err;

    coordinator_free(c);
    c = coordinator_new(&settings, &host);
    for (size_t at = 0; at < log_size;) {
        CLEANUP(arena_free) struct arena arena = { 0 };
        struct kafka_record_reader reader;
        struct kafka_record record;
        struct kafka_batch batch;
        kafka_batch_parse_header(log_bytes + at, &batch);
        struct str bytes = str_n(log_bytes + at, kafka_batch_size(&batch));
        assert_int_equal(kafka_records_open(bytes, 1 << 20, &arena, &reader, &err), RC_OK);
        while (kafka_records_next(&reader, &record, &err) == RC_OK)
            assert_int_equal(coordinator_replay(c, record.key, record.value, &err), RC_OK);
        kafka_records_close(&reader);
        at += bytes.len;
    }
    coordinator_loaded(c);
}

static void a_restart_finds_members_assignments_and_offsets(void **state)
{
    char first[TEXT], second[TEXT];

    (void)state;
    stable_two(first, second);
    commit("g", first, 2, "t", 7, "text");
    commit("gone", "", -1, "t", 1, "");
    delete_group("gone");
    read_log_again();
    assert_null(coordinator_find(c, STR("gone")));
    assert_int_equal(state_of_g(), GROUP_STABLE);
    assert_int_equal(beat(first, 2), 0);
    assert_int_equal(beat(second, 2), 0);
    assert_string_equal(sync_as(second, 2, NULL, NULL, NULL, NULL)->assignment, "two");
    assert_int_equal(fetch("g", "t")->offset, 7);
    assert_string_equal(last()->member, "text");
    struct answer *a = join(first);
    assert_false(a->there); /* it leads still */
    advance(SESSION + 1);
    assert_true(a->there); /* the other one did not survive */
}

static void groups_lie_where_java_puts_them(void **state)
{
    (void)state;
    assert_int_equal(coordinator_partition_of(c, STR("my-group")), 12);
    assert_int_equal(coordinator_partition_of(c, STR("connect-s3-sink-storefront")), 30);
    assert_int_equal(coordinator_partition_of(c, STR("")), 0);
}

#define SCENARIO(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCENARIO(a_new_dynamic_member_is_given_an_id_to_come_back_with),
        SCENARIO(one_member_joins_syncs_and_leaves),
        SCENARIO(a_second_member_joins_leaves_and_the_first_goes_on),
        SCENARIO(a_leader_that_leaves_is_followed_by_the_next),
        SCENARIO(a_silent_member_fails_after_its_session),
        SCENARIO(a_member_that_does_not_come_back_is_out_after_the_rebalance_timeout),
        SCENARIO(a_member_that_waits_for_the_rebalance_does_not_time_out),
        SCENARIO(members_that_do_not_sync_are_put_out),
        SCENARIO(assignments_are_given_out_only_when_stored),
        SCENARIO(an_assignment_that_cannot_be_stored_starts_another_rebalance),
        SCENARIO(a_join_during_the_leaders_write_makes_it_history),
        SCENARIO(stale_generations_and_strange_protocols_are_refused),
        SCENARIO(the_protocol_that_all_speak_is_chosen),
        SCENARIO(a_member_with_new_metadata_starts_a_rebalance),
        SCENARIO(a_static_member_restarts_without_a_rebalance),
        SCENARIO(a_static_member_is_kept_when_it_misses_a_rebalance),
        SCENARIO(the_first_rebalance_waits_for_others),
        SCENARIO(session_timeouts_and_names_have_bounds),
        SCENARIO(a_group_has_a_largest_size),
        SCENARIO(offsets_come_back_with_their_text),
        SCENARIO(a_commit_is_answered_only_when_stored),
        SCENARIO(commits_of_strangers_and_of_the_past_are_refused),
        SCENARIO(a_commit_counts_as_a_heartbeat),
        SCENARIO(offsets_of_a_topic_that_is_read_are_not_deleted),
        SCENARIO(only_groups_without_members_are_deleted),
        SCENARIO(offsets_expire_some_time_after_the_group_became_empty),
        SCENARIO(groups_are_listed_by_state),
        SCENARIO(a_restart_finds_members_assignments_and_offsets),
        SCENARIO(groups_lie_where_java_puts_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
