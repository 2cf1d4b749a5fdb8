/*
 * Opening a partition: which segments there are, where the log ends, what its producers did last.
 *
 * After a clean stop the last segment's index leads close to its end, and only headers behind it are read.  After any
 * other stop the last two segments are read whole and each checksum is verified (a segment is flushed at the latest
 * with its successor's first record); the log ends before the first batch that is not sound, and what follows is cut
 * off.  That can only be what no producer had an answer for.
 *
 * When something was cut off the leader epoch goes up by one, so that a client that had read it (which the
 * high watermark forbids, but a disk that lies does not) notices (KIP-320).
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "disk/disk.h"
#include "stream/log/partition.h"

enum { NAME_DIGITS = 20, SNAPSHOT_MAX = 32 << 20 };

static int by_number(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return x < y ? -1 : x > y;
}

/* base offsets of the files with a suffix, ascending; *out is the caller's */
static enum rc list_offsets(const char *dir, const char *suffix, int64_t **out, size_t *count, struct err *err)
{
    DIR *d = opendir(dir);

    *out = NULL;
    *count = 0;
    if (!d)
        return err_set_errno(err, errno, "cannot read directory '%s'", dir);
    for (struct dirent *e = NULL; (e = readdir(d));) {
        int64_t offset = 0;
        if (strlen(e->d_name) != NAME_DIGITS + strlen(suffix) || strcmp(e->d_name + NAME_DIGITS, suffix) != 0 ||
            !str_to_i64(str_n(e->d_name, NAME_DIGITS), 0, INT64_MAX, &offset))
            continue;
        *out = mem_grow(*out, *count + 1, sizeof **out);
        (*out)[(*count)++] = offset;
    }
    closedir(d);
    if (*count)
        qsort(*out, *count, sizeof **out, by_number);
    return RC_OK;
}

static enum rc open_segments(struct partition *partition, struct err *err)
{
    CLEANUP_FREE int64_t *offsets = NULL;
    size_t count = 0;
    struct segment *segment = NULL;
    enum rc rc = list_offsets(partition->dir, ".log", &offsets, &count, err);

    for (size_t i = 0; i < count && !rc; i++) {
        rc = segment_open(partition->dir, offsets[i], &segment, err);
        if (!rc)
            partition_add_segment(partition, segment);
    }
    if (rc || count)
        return rc;
    rc = segment_create(partition->dir, partition->log_start, &segment, err);
    if (!rc)
        partition_add_segment(partition, segment);
    return rc;
}

/* --------------------------------------------------------------------------------------- epochs */

static void note_epoch(struct partition *partition, int32_t epoch, int64_t offset)
{
    if (partition->epoch_count && partition->epochs[partition->epoch_count - 1].epoch >= epoch)
        return;
    partition->epochs = mem_grow(partition->epochs, partition->epoch_count + 1, sizeof *partition->epochs);
    partition->epochs[partition->epoch_count++] = (struct epoch_start){ epoch, offset };
    partition->leader_epoch = epoch;
}

static void load_epochs(struct partition *partition)
{
    CLEANUP_FREE char *path = mem_printf("%s/leader-epoch-checkpoint", partition->dir);
    CLEANUP(buf_free) struct buf text = { 0 };
    struct err err = { 0 };
    struct str line, rest;
    int row = 0;

    if (disk_read_file(path, &text, &err))
        return;
    for (rest = buf_str(&text); str_cut(&rest, '\n', &line); row++) {
        struct str epoch;
        int64_t number = 0, offset = 0;
        if (row >= 2 && str_cut(&line, ' ', &epoch) && str_to_i64(epoch, 0, INT32_MAX, &number) &&
            str_to_i64(line, 0, INT64_MAX, &offset))
            note_epoch(partition, (int32_t)number, offset);
    }
}

static void print_epochs(const struct partition *partition, struct buf *out)
{
    buf_printf(out, "0\n%zu\n", partition->epoch_count);
    for (size_t i = 0; i < partition->epoch_count; i++)
        buf_printf(out, "%d %lld\n", partition->epochs[i].epoch, (long long)partition->epochs[i].offset);
}

static enum rc save_epochs(const struct partition *partition, struct err *err)
{
    CLEANUP_FREE char *path = mem_printf("%s/leader-epoch-checkpoint", partition->dir);
    CLEANUP(buf_free) struct buf text = { 0 };

    print_epochs(partition, &text);
    return disk_replace_file(path, text.data, text.len, 0644, err);
}

/* ------------------------------------------------------------------------------------ producers */

struct replay {
    struct partition *partition;
    int64_t from;
    int64_t end; /* after the last batch seen */
};

static void replay_batch(void *context, const struct kafka_batch *batch)
{
    struct replay *replay = context;

    replay->end = kafka_batch_last_offset(batch) + 1;
    note_epoch(replay->partition, batch->leader_epoch, batch->base_offset);
    if (batch->base_offset >= replay->from)
        producers_note(&replay->partition->producers, batch);
}

static bool is_base(const struct partition *partition, int64_t offset)
{
    for (size_t i = 0; i < partition->segment_count; i++)
        if (partition->segments[i]->base_offset == offset)
            return true;
    return false;
}

/* the newest snapshot at or before an offset; returns its offset, or the log's start when there is none */
static int64_t load_snapshot(struct partition *partition, int64_t at_most)
{
    CLEANUP_FREE int64_t *offsets = NULL;
    size_t count = 0;
    struct err err = { 0 };

    int64_t found = -1;

    producers_clear(&partition->producers);
    if (list_offsets(partition->dir, ".snapshot", &offsets, &count, &err))
        return partition->segments[0]->base_offset;
    while (count > 0) {
        CLEANUP(buf_free) struct buf path = { 0 };
        CLEANUP(buf_free) struct buf bytes = { .max = SNAPSHOT_MAX };
        int64_t offset = offsets[--count];
        segment_path(partition->dir, offset, ".snapshot", &path);
        if (offset > at_most || (found >= 0 && !is_base(partition, offset)))
            disk_unlink(buf_cstr(&path), NULL); /* of records that are gone, or of an earlier clean stop */
        if (offset > at_most || found >= 0)
            continue;
        producers_clear(&partition->producers);
        if (!disk_read_file(buf_cstr(&path), &bytes, &err) && producers_restore(&partition->producers, buf_str(&bytes)))
            found = offset;
    }
    if (found >= 0)
        return found;
    producers_clear(&partition->producers);
    return partition->segments[0]->base_offset;
}

/* ------------------------------------------------------------------------------------- recovery */

/* Reads one segment; *torn tells how many bytes at its end are no batches. */
static enum rc read_segment(struct segment *segment, bool check, struct replay *replay, uint64_t *torn, struct err *err)
{
    uint64_t from = 0, end = 0;

    if (!check && segment_load_index_files(segment)) {
        /* from the last indexed batch on, unless the producers' state needs more */
        if (segment->index_count &&
            replay->from >= segment->base_offset + segment->index[segment->index_count - 1].offset)
            from = segment->index[segment->index_count - 1].at;
    }
    if (from == 0)
        segment_forget_index(segment);
    segment->has_index = true;
    enum rc rc = segment_scan(segment, from, check, replay_batch, replay, &end, err);
    *torn = segment->size - end;
    return rc;
}

static enum rc cut_tail(struct partition *partition, size_t keep, uint64_t torn, struct err *err)
{
    struct segment *last = partition->segments[keep];

    log_warn("cut off the end of a log that was not written whole", "partition=%s bytes=%llu segments=%zu",
             partition->dir, (unsigned long long)torn, partition->segment_count - keep - 1);
    while (partition->segment_count > keep + 1) {
        struct segment *gone = partition->segments[--partition->segment_count];
        segment_unlink(gone);
        segment_release(gone);
    }
    return torn ? segment_truncate(last, last->size - torn, err) : RC_OK;
}

/* first segment to read: the last two when the stop was not clean, else the last, and further back for the producers */
static size_t first_to_read(const struct partition *partition, bool check, int64_t snapshot_at)
{
    size_t first = partition->segment_count - 1;

    if (check && first > 0)
        first--;
    while (first > 0 && partition->segments[first]->base_offset > snapshot_at)
        first--;
    return first;
}

static enum rc recover(struct partition *partition, bool check, struct err *err)
{
    struct replay replay = { .partition = partition };
    size_t i = 0;
    bool cut = false;

    replay.from = load_snapshot(partition, INT64_MAX);
    replay.end = partition_active(partition)->base_offset;
    for (size_t k = 0; k + 1 < partition->segment_count; k++) { /* for its largest timestamp */
        enum rc rc = segment_load_index(partition->segments[k], err);
        segment_forget_index(partition->segments[k]);
        if (rc)
            return rc;
    }
    for (i = first_to_read(partition, check, replay.from); i < partition->segment_count && !cut; i++) {
        uint64_t torn = 0;
        enum rc rc = read_segment(partition->segments[i], check, &replay, &torn, err);
        if (!rc && torn) {
            rc = cut_tail(partition, i, torn, err);
            cut = true;
        }
        if (rc)
            return rc;
        if (i + 1 < partition->segment_count)
            segment_forget_index(partition->segments[i]);
        else
            replay.end = MAX(replay.end, partition->segments[i]->base_offset);
    }
    partition->log_end = partition->high_watermark = replay.end;
    if (!cut)
        return RC_OK;
    if (replay.from > replay.end) { /* the snapshot speaks of records that are gone: once more, without it */
        load_snapshot(partition, replay.end);
        enum rc rc = recover(partition, false, err);
        if (rc)
            return rc;
    }
    note_epoch(partition, partition->leader_epoch + 1, partition->log_end);
    return save_epochs(partition, err);
}

static enum rc write_metadata(const struct partition *partition, struct err *err)
{
    CLEANUP_FREE char *path = mem_printf("%s/partition.metadata", partition->dir);
    CLEANUP(disk_close) int fd = -1;
    char id[KAFKA_UUID_TEXT_MAX];
    char text[64];

    if (disk_exists(path))
        return RC_OK;
    kafka_uuid_format(&partition->topic->id, id);
    int n = snprintf(text, sizeof text, "version: 0\ntopic_id: %s", id);
    enum rc rc = disk_open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644, &fd, err);
    return rc ? rc : disk_write_all(fd, text, (size_t)n, path, err);
}

enum rc partition_open(struct broker *broker, struct topic *topic, int32_t index, bool check, int64_t log_start,
                       struct partition **out, struct err *err)
{
    struct partition *partition = NEW(struct partition);

    partition->refs = 1;
    partition->broker = broker;
    partition->topic = topic;
    partition->index = index;
    partition->log_start = log_start;
    partition->dir = mem_printf("%s/%s-%d", broker->dir, topic->name, index);
    enum rc rc = disk_make_dirs(partition->dir, 0755, err);
    if (!rc)
        rc = write_metadata(partition, err);
    if (!rc)
        rc = open_segments(partition, err);
    if (!rc) {
        load_epochs(partition);
        rc = recover(partition, check, err);
    }
    if (rc) {
        partition_release(partition);
        return err_wrap(err, "cannot open partition %d of topic '%s'", index, topic->name);
    }
    note_epoch(partition, 0, partition->log_start);
    partition->log_start = MAX(partition->log_start, partition->segments[0]->base_offset);
    partition->log_start = MIN(partition->log_start, partition->log_end);
    *out = partition;
    return RC_OK;
}

static enum rc write_plain(const char *path, const struct buf *bytes, struct err *err)
{
    CLEANUP(disk_close) int fd = -1;
    enum rc rc = disk_open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644, &fd, err);

    return rc ? rc : disk_write_all(fd, bytes->data, bytes->len, path, err);
}

/* Nothing here is flushed: each file is checked when it is read, and made again from the log when it is not sound. */
void partition_checkpoint(struct partition *partition)
{
    CLEANUP_FREE char *epochs = mem_printf("%s/leader-epoch-checkpoint", partition->dir);
    CLEANUP(buf_free) struct buf path = { 0 };
    CLEANUP(buf_free) struct buf bytes = { 0 };
    CLEANUP(buf_free) struct buf epoch_text = { 0 };
    struct segment *active = partition_active(partition);
    struct err err = { 0 };

    if (partition->is_broken || (active->size == 0 && partition->segment_count == 1))
        return;
    segment_path(partition->dir, partition->log_end, ".snapshot", &path);
    producers_save(&partition->producers, &bytes);
    print_epochs(partition, &epoch_text);
    if ((active->has_index && segment_write_index(active, false, &err)) || write_plain(buf_cstr(&path), &bytes, &err) ||
        (!disk_exists(epochs) && write_plain(epochs, &epoch_text, &err)))
        log_warn("cannot write a checkpoint; the next start takes longer", "partition=%s why=%s", partition->dir,
                 err.text);
}

enum rc partition_roll_back(struct partition *partition, struct err *err)
{
    size_t keep = partition->segment_count;
    enum rc rc = RC_OK;

    /* segments that begin above what is durable go; the one before is cut to what is durable of it */
    while (keep > 1 && partition->segments[keep - 1]->base_offset > partition->high_watermark)
        keep--;
    while (partition->segment_count > keep) {
        struct segment *gone = partition->segments[--partition->segment_count];
        segment_unlink(gone);
        segment_release(gone);
    }
    struct segment *last = partition_active(partition);
    if (last->size > last->flushed)
        rc = segment_truncate(last, last->flushed, err);
    segment_forget_index(last);
    last->max_timestamp = last->first_timestamp = -1;
    if (!rc)
        load_snapshot(partition, partition->high_watermark);
    return rc ? rc : recover(partition, false, err);
}
