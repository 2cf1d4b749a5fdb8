/*
 * Topics: made, grown, removed, and kept in one table.
 *
 * haus.topics is text, replaced as one step:
 *
 *     haus topics 1
 *     topic <name> <id, base64url> <number of partitions>
 *     <property>=<value>                                    overrides of the topic above (config.h)
 *
 * The table is the truth: it is written before directories are made, and before they are removed.  A removed
 * partition's directory is first renamed to <name>-<n>.<random>-delete; one that no topic knows becomes ...-stray and
 * stays, for a person to look at.
 */
#include "stream/log/topics.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "disk/disk.h"
#include "stream/log/flush.h"
#include "stream/log/partition.h"

static const char title[] = "haus topics 1";

struct topic *broker_topic(const struct broker *broker, struct str name)
{
    return name.p ? map_get(&broker->topics, name) : NULL;
}

struct topic *broker_topic_by_id(const struct broker *broker, const struct kafka_uuid *id)
{
    return map_get(&broker->topics_by_id, str_n((const char *)id->bytes, sizeof id->bytes));
}

struct partition *topic_partition(const struct topic *topic, int32_t index)
{
    return index >= 0 && index < topic->partition_count ? topic->partitions[index] : NULL;
}

bool topic_name_is_valid(struct str name)
{
    if (name.len == 0 || name.len > TOPIC_NAME_MAX || str_is(name, ".") || str_is(name, ".."))
        return false;
    for (size_t i = 0; i < name.len; i++) {
        char c = name.p[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' ||
              c == '-'))
            return false;
    }
    return true;
}

static bool is_internal_name(struct str name)
{
    return str_is(name, "__consumer_offsets") || str_is(name, "__transaction_state");
}

static void free_topic(struct topic *topic)
{
    for (int32_t i = 0; i < topic->partition_count; i++) {
        topic->partitions[i]->topic = NULL;
        partition_release(topic->partitions[i]);
    }
    free(topic->partitions);
    topic_config_free(&topic->config);
    free(topic->name);
    free(topic);
}

void topics_free(struct broker *broker)
{
    for (struct map_entry *e = NULL; (e = map_next(&broker->topics, e));)
        free_topic(e->value);
    map_free(&broker->topics, NULL);
    map_free(&broker->topics_by_id, NULL);
}

/* ------------------------------------------------------------------------------------- the table */

enum rc broker_save_topics(struct broker *broker, struct err *err)
{
    CLEANUP_FREE char *path = mem_printf("%s/haus.topics", broker->dir);
    CLEANUP(buf_free) struct buf text = { 0 };
    char id[KAFKA_UUID_TEXT_MAX];

    buf_printf(&text, "%s\n", title);
    for (struct map_entry *e = NULL; (e = map_next(&broker->topics, e));) {
        const struct topic *topic = e->value;
        kafka_uuid_format(&topic->id, id);
        buf_printf(&text, "topic %s %s %d\n", topic->name, id, topic->partition_count);
        topic_config_save(&topic->config, &text);
    }
    if (FAULT_POINT("log.save_topics"))
        return err_set_errno(err, errno, "cannot write '%s'", path);
    return disk_replace_file(path, text.data, text.len, 0644, err);
}

static struct topic *add_topic(struct broker *broker, struct str name, const struct kafka_uuid *id)
{
    struct topic *topic = NEW(struct topic);

    topic->name = str_dup(name);
    topic->id = *id;
    topic->is_internal = is_internal_name(name);
    map_put(&broker->topics, name, topic);
    map_put(&broker->topics_by_id, str_n((const char *)id->bytes, sizeof id->bytes), topic);
    return topic;
}

static void remove_topic(struct broker *broker, struct topic *topic)
{
    map_remove(&broker->topics_by_id, str_n((const char *)topic->id.bytes, sizeof topic->id.bytes));
    map_remove(&broker->topics, str_of(topic->name));
}

static enum rc grow(struct broker *broker, struct topic *topic, int32_t total, bool check, const struct map *starts,
                    struct err *err)
{
    topic->partitions = mem_grow(topic->partitions, (size_t)total, sizeof *topic->partitions);
    while (topic->partition_count < total) {
        CLEANUP_FREE char *key = mem_printf("%s %d", topic->name, topic->partition_count);
        intptr_t start = starts ? (intptr_t)map_get(starts, str_of(key)) : 0;
        enum rc rc = partition_open(broker, topic, topic->partition_count, check, start ? start - 1 : 0,
                                    &topic->partitions[topic->partition_count], err);
        if (rc)
            return rc;
        topic->partition_count++;
        broker->partition_count++;
    }
    return RC_OK;
}

static enum rc load_topic(struct broker *broker, struct str line, struct str config, const struct map *starts,
                          struct err *err)
{
    struct str word, name, id_text;
    struct kafka_uuid id;
    int64_t partitions = 0;

    if (!str_cut(&line, ' ', &word) || !str_cut(&line, ' ', &name) || !str_cut(&line, ' ', &id_text) ||
        !topic_name_is_valid(name) || broker_topic(broker, name) || !kafka_uuid_parse(id_text, &id) ||
        !str_to_i64(line, 1, PARTITIONS_MAX, &partitions))
        return err_set(err, RC_BAD_INPUT, "'%s/haus.topics' is damaged; restore it from a copy", broker->dir);
    struct topic *topic = add_topic(broker, name, &id);
    topic_config_init(&topic->config, &broker->config);
    topic_config_restore(&topic->config, &broker->config, config);
    return grow(broker, topic, (int32_t)partitions, !broker->was_clean, starts, err);
}

static enum rc load_table(struct broker *broker, struct str text, struct err *err)
{
    CLEANUP_FREE struct map *starts = NEW(struct map);
    struct str line, topic = { 0 };
    const char *end = text.p + text.len;
    enum rc rc = broker_load_starts(broker, starts, err);

    if (text.len && (!str_cut(&text, '\n', &line) || !str_is(line, title)))
        rc = err_set(err, RC_BAD_INPUT, "'%s/haus.topics' is not a table of topics of this version", broker->dir);
    const char *config = text.p;
    while (!rc && str_cut(&text, '\n', &line)) {
        if (!str_starts(line, "topic "))
            continue;
        if (topic.p)
            rc = load_topic(broker, topic, str_n(config, (size_t)(line.p - config)), starts, err);
        topic = line;
        config = line.p + line.len + 1;
    }
    if (!rc && topic.p)
        rc = load_topic(broker, topic, str_n(config, end > config ? (size_t)(end - config) : 0), starts, err);
    map_free(starts, NULL);
    return rc;
}

/* ---------------------------------------------------------------------------------- directories */

struct removal {
    uv_work_t work;
    char *dir;
};

static void remove_in_background(uv_work_t *work)
{
    struct removal *removal = work->data;
    struct err err = { 0 };

    if (disk_remove_tree(removal->dir, &err))
        log_warn("cannot remove what is left of a deleted topic", "why=%s", err.text);
}

static void after_removal(uv_work_t *work, int status)
{
    struct removal *removal = work->data;

    (void)status;
    free(removal->dir);
    free(removal);
}

static void remove_later(struct broker *broker, const char *dir)
{
    struct removal *removal = NEW(struct removal);

    removal->work.data = removal;
    removal->dir = mem_strdup(dir);
    uv_queue_work(server_loop(broker->server), &removal->work, remove_in_background, after_removal);
}

/* <topic>-<n> of a topic in the table */
static bool is_known(const struct broker *broker, struct str name)
{
    size_t dash = name.len;
    int64_t index = 0;

    while (dash > 0 && name.p[dash - 1] != '-')
        dash--;
    if (dash < 2 || !str_to_i64(str_skip(name, dash), 0, INT32_MAX, &index))
        return false;
    const struct topic *topic = broker_topic(broker, str_n(name.p, dash - 1));
    return topic && index < topic->partition_count;
}

static void sweep_directories(struct broker *broker)
{
    DIR *d = opendir(broker->dir);

    for (struct dirent *e = NULL; d && (e = readdir(d));) {
        CLEANUP_FREE char *path = mem_printf("%s/%s", broker->dir, e->d_name);
        CLEANUP_FREE char *stray = mem_printf("%s.%08x-stray", path, (unsigned)random_u64());
        struct str name = str_of(e->d_name);
        if (e->d_type != DT_DIR || e->d_name[0] == '.' || str_ends(name, "-stray") || is_known(broker, name))
            continue;
        if (str_ends(name, "-delete"))
            remove_later(broker, path);
        else if (!disk_rename(path, stray, NULL))
            log_warn("moved aside a directory that no topic knows", "from=%s to=%s", path, stray);
    }
    if (d)
        closedir(d);
}

static enum rc flush_partition(const struct partition *partition, struct err *err)
{
    enum rc rc = RC_OK;

    for (size_t i = partition->segment_count; i > 0 && i + 2 > partition->segment_count && !rc; i--)
        rc = disk_flush(partition->segments[i - 1]->file.fd, partition->dir, err);
    return rc ? rc : disk_flush_dir(partition->dir, err);
}

/* What was found after an unclean stop may be in the page cache only, and its names too; now readers will see it. */
static enum rc flush_found(struct broker *broker, struct err *err)
{
    enum { ONE_BY_ONE_MAX = 16 };
    CLEANUP(disk_close) int fd = -1;
    int32_t with_records = 0;
    enum rc rc = disk_open(broker->dir, O_RDONLY | O_DIRECTORY, 0, &fd, err);

    for (int pass = 0; pass < 2 && !rc; pass++) {
        if (pass == 1 && with_records > ONE_BY_ONE_MAX)
            return disk_flush_all(fd, broker->dir, err);
        for (struct map_entry *e = NULL; !rc && (e = map_next(&broker->topics, e));) {
            const struct topic *topic = e->value;
            for (int32_t i = 0; i < topic->partition_count && !rc; i++) {
                bool has_records = topic->partitions[i]->log_end > 0;
                with_records += pass == 0 && has_records;
                if (pass == 1 && has_records)
                    rc = flush_partition(topic->partitions[i], err);
            }
        }
    }
    return rc ? rc : disk_flush_dir(broker->dir, err);
}

enum rc topics_load(struct broker *broker, struct err *err)
{
    CLEANUP_FREE char *path = mem_printf("%s/haus.topics", broker->dir);
    CLEANUP(buf_free) struct buf text = { 0 };
    enum rc rc = disk_exists(path) ? disk_read_file(path, &text, err) : RC_OK;

    if (!rc)
        rc = load_table(broker, buf_str(&text), err);
    if (!rc)
        sweep_directories(broker);
    return rc || broker->was_clean ? rc : flush_found(broker, err);
}

/* -------------------------------------------------------------------------------------- changing */

/* names that differ only in '.' and '_' would be one metric in Kafka, so it refuses them */
static const struct topic *colliding(const struct broker *broker, struct str name)
{
    for (struct map_entry *e = NULL; (e = map_next(&broker->topics, e));) {
        size_t i = 0;
        if (e->key_len != name.len)
            continue;
        while (i < name.len && (e->key[i] == '_' ? '.' : e->key[i]) == (name.p[i] == '_' ? '.' : name.p[i]))
            i++;
        if (i == name.len)
            return e->value;
    }
    return NULL;
}

enum kafka_error broker_check_new_topic(const struct broker *broker, struct str name, int32_t partitions,
                                        struct err *err)
{
    const struct topic *other = NULL;

    if (!topic_name_is_valid(name)) {
        err_set(err, RC_BAD_INPUT,
                "Topic name is invalid: '%.*s' must be 1 to %d of the characters a-z, A-Z, 0-9, '.', '_' and '-', and "
                "not '.' or '..'",
                STR_ARG(str_n(name.p, MIN(name.len, (size_t)300))), TOPIC_NAME_MAX);
        return KAFKA_INVALID_TOPIC_EXCEPTION;
    }
    if (broker_topic(broker, name)) {
        err_set(err, RC_EXISTS, "Topic '%.*s' already exists.", STR_ARG(name));
        return KAFKA_TOPIC_ALREADY_EXISTS;
    }
    other = colliding(broker, name);
    if (other) {
        err_set(err, RC_BAD_INPUT, "Topic '%.*s' collides with existing topic: %s", STR_ARG(name), other->name);
        return KAFKA_INVALID_TOPIC_EXCEPTION;
    }
    if (partitions < 1) {
        err_set(err, RC_BAD_INPUT, "Number of partitions must be larger than 0, or -1 to use the default value.");
        return KAFKA_INVALID_PARTITIONS;
    }
    if (partitions > PARTITIONS_MAX - broker->partition_count || broker->topics.count >= TOPICS_MAX) {
        err_set(err, RC_FULL, "this broker hosts at most %d topics and %d partitions", TOPICS_MAX, PARTITIONS_MAX);
        return KAFKA_INVALID_PARTITIONS;
    }
    return KAFKA_NONE;
}

enum kafka_error broker_create_topic(struct broker *broker, struct str name, int32_t partitions,
                                     struct topic_config *config, struct topic **out, struct err *err)
{
    struct kafka_uuid id;
    enum kafka_error error = broker_check_new_topic(broker, name, partitions, err);

    if (error)
        return error;
    uuid_random(id.bytes);
    struct topic *topic = add_topic(broker, name, &id);
    if (config)
        topic->config = *config;
    else
        topic_config_init(&topic->config, &broker->config);
    topic->partition_count = partitions; /* as the table is to say */
    enum rc rc = broker_save_topics(broker, err);
    topic->partition_count = 0;
    if (!rc)
        rc = grow(broker, topic, partitions, false, NULL, err);
    if (rc) {
        log_error("cannot create a topic", "topic=%.*s why=%s", STR_ARG(name), err->text);
        if (config)
            *config = (struct topic_config){ 0 };
        broker->partition_count -= topic->partition_count;
        remove_topic(broker, topic);
        free_topic(topic);
        struct err second = { 0 };
        (void)!broker_save_topics(broker, &second);
        return KAFKA_STORAGE_ERROR;
    }
    if (config)
        *config = (struct topic_config){ 0 };
    log_info("created topic", "topic=%s partitions=%d", topic->name, partitions);
    *out = topic;
    return KAFKA_NONE;
}

static void remove_directory(struct broker *broker, struct partition *partition)
{
    CLEANUP_FREE char *gone =
        mem_printf("%s.%08x%08x-delete", partition->dir, (unsigned)random_u64(), (unsigned)random_u64());

    struct err err = { 0 };

    if (!disk_rename(partition->dir, gone, &err))
        remove_later(broker, gone);
    else
        log_warn("the directory of a deleted partition stays", "why=%s", err.text);
}

enum kafka_error broker_delete_topic(struct broker *broker, struct topic *topic, struct err *err)
{
    struct partition **partitions = topic->partitions;
    int32_t count = topic->partition_count;

    remove_topic(broker, topic);
    if (broker_save_topics(broker, err)) {
        map_put(&broker->topics, str_of(topic->name), topic);
        map_put(&broker->topics_by_id, str_n((const char *)topic->id.bytes, sizeof topic->id.bytes), topic);
        return KAFKA_STORAGE_ERROR;
    }
    groups_topic_deleted(broker->groups, topic);
    broker->partition_count -= count;
    for (int32_t i = 0; i < count; i++) {
        struct partition *partition = partitions[i];
        partition_hold(partition);
        partition->topic = NULL;
        fetch_wake(partition);
        remove_directory(broker, partition);
        partition_release(partition);
    }
    log_info("deleted topic", "topic=%s", topic->name);
    free_topic(topic);
    return KAFKA_NONE;
}

enum kafka_error broker_add_partitions(struct broker *broker, struct topic *topic, int32_t total, struct err *err)
{
    int32_t before = topic->partition_count;

    if (total - before > PARTITIONS_MAX - broker->partition_count) {
        err_set(err, RC_FULL, "this broker hosts at most %d partitions", PARTITIONS_MAX);
        return KAFKA_INVALID_PARTITIONS;
    }
    if (grow(broker, topic, total, false, NULL, err) || broker_save_topics(broker, err)) {
        while (topic->partition_count > before) {
            struct partition *partition = topic->partitions[--topic->partition_count];
            broker->partition_count--;
            partition->topic = NULL;
            remove_directory(broker, partition);
            partition_release(partition);
        }
        return KAFKA_STORAGE_ERROR;
    }
    return KAFKA_NONE;
}
