/* Reading and writing records of __consumer_offsets; the format stands in group_record.h. */
#include "stream/log/group_record.h"

enum {
    KEY_OFFSET_OLD = 0,
    KEY_OFFSET = 1,
    KEY_GROUP = 2,
    OFFSET_VERSION = 4,
    OFFSET_VERSION_WITH_EXPIRY = 1,
    GROUP_VERSION = 3,
    VALUE_FLEXIBLE = 4, /* and the highest that is read */
    MEMBERS_MAX = 100000,
};

/* ---- writing ---- */

static void put_bytes(struct buf *out, struct str bytes)
{
    kafka_write_int(out, (int64_t)bytes.len, 4);
    buf_put_str(out, bytes);
}

static struct str not_null(struct str s)
{
    return s.p ? s : STR("");
}

static void write_offset(const struct group_record *record, struct buf *value)
{
    bool expires = record->expires_at >= 0;

    kafka_write_int(value, expires ? OFFSET_VERSION_WITH_EXPIRY : OFFSET_VERSION, 2);
    kafka_write_int(value, record->offset, 8);
    if (!expires)
        kafka_write_int(value, record->leader_epoch, 4);
    kafka_write_str(value, !expires, not_null(record->metadata));
    kafka_write_int(value, record->committed_at, 8);
    if (expires)
        kafka_write_int(value, record->expires_at, 8);
    else
        kafka_write_uvarint(value, 0); /* no tagged fields */
}

static void write_group(const struct group_record *record, struct buf *value)
{
    kafka_write_int(value, GROUP_VERSION, 2);
    kafka_write_str(value, false, not_null(record->protocol_type));
    kafka_write_int(value, record->generation, 4);
    kafka_write_str(value, false, record->protocol);
    kafka_write_str(value, false, record->leader);
    kafka_write_int(value, record->state_since, 8);
    kafka_write_int(value, record->member_count, 4);
    for (int32_t i = 0; i < record->member_count; i++) {
        const struct group_record_member *member = &record->members[i];
        kafka_write_str(value, false, not_null(member->id));
        kafka_write_str(value, false, member->instance_id);
        kafka_write_str(value, false, not_null(member->client_id));
        kafka_write_str(value, false, not_null(member->client_host));
        kafka_write_int(value, member->rebalance_ms, 4);
        kafka_write_int(value, member->session_ms, 4);
        put_bytes(value, member->subscription);
        put_bytes(value, member->assignment);
    }
}

void group_record_write(const struct group_record *record, struct buf *key, struct buf *value)
{
    bool is_offset = record->kind == GROUP_RECORD_OFFSET;

    kafka_write_int(key, is_offset ? KEY_OFFSET : KEY_GROUP, 2);
    kafka_write_str(key, false, not_null(record->group));
    if (is_offset) {
        kafka_write_str(key, false, not_null(record->topic));
        kafka_write_int(key, record->partition, 4);
    }
    if (!record->deleted)
        (is_offset ? write_offset : write_group)(record, value);
}

/* ---- reading ---- */

static struct str read_bytes(struct kafka_reader *reader, bool flexible)
{
    int64_t n = flexible ? (int64_t)kafka_read_uvarint(reader) - 1 : kafka_read_int(reader, 4);

    if (n < 0) {
        kafka_reader_fail(reader, "bytes are null");
        return (struct str){ 0 };
    }
    const char *p = kafka_take(reader, (size_t)n);
    return p ? str_n(p, (size_t)n) : (struct str){ 0 };
}

static void skip_tags(struct kafka_reader *reader, bool flexible)
{
    if (!flexible)
        return;
    for (uint32_t count = kafka_read_uvarint(reader); count && !reader->error; count--) {
        kafka_read_uvarint(reader);
        kafka_take(reader, kafka_read_uvarint(reader));
    }
}

static void read_offset(struct kafka_reader *reader, int version, struct group_record *out)
{
    bool flexible = version >= VALUE_FLEXIBLE;

    out->offset = kafka_read_int(reader, 8);
    out->leader_epoch = version >= 3 ? (int32_t)kafka_read_int(reader, 4) : -1;
    out->metadata = kafka_read_str(reader, flexible, false);
    out->committed_at = kafka_read_int(reader, 8);
    out->expires_at = version == 1 ? kafka_read_int(reader, 8) : -1;
    skip_tags(reader, flexible);
}

static void read_member(struct kafka_reader *reader, int version, struct group_record_member *member)
{
    bool flexible = version >= VALUE_FLEXIBLE;

    member->id = kafka_read_str(reader, flexible, false);
    if (version >= 3)
        member->instance_id = kafka_read_str(reader, flexible, true);
    member->client_id = kafka_read_str(reader, flexible, false);
    member->client_host = kafka_read_str(reader, flexible, false);
    if (version >= 1)
        member->rebalance_ms = (int32_t)kafka_read_int(reader, 4);
    member->session_ms = (int32_t)kafka_read_int(reader, 4);
    if (version < 1)
        member->rebalance_ms = member->session_ms;
    member->subscription = read_bytes(reader, flexible);
    member->assignment = read_bytes(reader, flexible);
    skip_tags(reader, flexible);
}

static void read_group(struct kafka_reader *reader, int version, struct group_record *out)
{
    bool flexible = version >= VALUE_FLEXIBLE;

    out->protocol_type = kafka_read_str(reader, flexible, false);
    out->generation = (int32_t)kafka_read_int(reader, 4);
    out->protocol = kafka_read_str(reader, flexible, true);
    out->leader = kafka_read_str(reader, flexible, true);
    out->state_since = version >= 2 ? kafka_read_int(reader, 8) : -1;
    int64_t count = flexible ? (int64_t)kafka_read_uvarint(reader) - 1 : kafka_read_int(reader, 4);
    /* no member is shorter than its fixed parts, so a lie about the count cannot make us allocate more than a few
     * times the record */
    if (count < 0 || count > MEMBERS_MAX || count > (reader->end - reader->at) / 8) {
        kafka_reader_fail(reader, "number of members makes no sense");
        return;
    }
    out->members = arena_array(reader->arena, (size_t)count, sizeof *out->members);
    if (count && !out->members) {
        kafka_reader_fail(reader, "too many members");
        return;
    }
    for (; out->member_count < count && !reader->error; out->member_count++)
        read_member(reader, version, &out->members[out->member_count]);
    skip_tags(reader, flexible);
}

static enum rc bad_record(struct err *err, const char *what, const char *why)
{
    return err_set(err, RC_BAD_INPUT, "cannot read the %s of a record of '__consumer_offsets': %s", what, why);
}

static enum rc read_key(struct str key, struct arena *arena, struct group_record *out, struct err *err)
{
    struct kafka_reader reader = { .at = key.p, .end = key.p + key.len, .arena = arena };
    int version = (int)kafka_read_int(&reader, 2);

    if (reader.error)
        return bad_record(err, "key", reader.error);
    if (version > KEY_GROUP || version < 0)
        return RC_OK; /* GROUP_RECORD_OTHER */
    out->kind = version == KEY_GROUP ? GROUP_RECORD_GROUP : GROUP_RECORD_OFFSET;
    out->group = kafka_read_str(&reader, false, false);
    if (out->kind == GROUP_RECORD_OFFSET) {
        out->topic = kafka_read_str(&reader, false, false);
        out->partition = (int32_t)kafka_read_int(&reader, 4);
    }
    if (!reader.error && out->partition < 0)
        kafka_reader_fail(&reader, "the partition is negative");
    return reader.error ? bad_record(err, "key", reader.error) : RC_OK;
}

enum rc group_record_read(struct str key, struct str value, struct arena *arena, struct group_record *out,
                          struct err *err)
{
    *out = (struct group_record){ .expires_at = -1, .state_since = -1, .leader_epoch = -1 };
    if (!key.p)
        return bad_record(err, "key", "it is null");
    enum rc rc = read_key(key, arena, out, err);
    if (rc || out->kind == GROUP_RECORD_OTHER)
        return rc;
    out->deleted = !value.p;
    if (out->deleted)
        return RC_OK;
    struct kafka_reader reader = { .at = value.p, .end = value.p + value.len, .arena = arena };
    int version = (int)kafka_read_int(&reader, 2);
    if (!reader.error && (version < 0 || version > VALUE_FLEXIBLE))
        kafka_reader_fail(&reader, "its version is unknown");
    if (!reader.error)
        (out->kind == GROUP_RECORD_OFFSET ? read_offset : read_group)(&reader, version, out);
    return reader.error ? bad_record(err, "value", reader.error) : RC_OK;
}
