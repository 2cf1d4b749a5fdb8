/* Pending uploads: written down, settled, cleaned; see journal.h. */
#include "lake/build/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { JOURNAL_MAX = 64 << 20, FOREIGN_AGE_MS = 24 * 3600 * 1000, FENCE_TRIES = 10, ATTEMPTS_MAX = 1000 };

static char *journal_key(const char *table_key, int64_t snapshot_id)
{
    return mem_printf("%s/metadata/haus-pending-%lld.json", table_key, (long long)snapshot_id);
}

enum rc journal_write(const struct iceberg_io *io, const struct iceberg_table *table, const struct journal *journal,
                      struct err *err)
{
    CLEANUP_FREE char *key = journal_key(table->key, journal->snapshot_id);
    json_t *files = json_array();
    json_t *root =
        json_pack("{s:I, s:s, s:I, s:I, s:I, s:o}", "snapshot-id", (json_int_t)journal->snapshot_id, "owner",
                  journal->owner, "started-ms", (json_int_t)clock_wall_ms(), "publishing",
                  (json_int_t)journal->publishing, "attempts", (json_int_t)journal->attempts, "files", files);

    for (size_t i = 0; i < journal->key_count; i++)
        json_array_append_new(files, json_string(journal->keys[i]));
    if (journal->new_table)
        json_object_set_new(root, "new-table", json_deep_copy(journal->new_table));
    CLEANUP_FREE char *text = json_dumps(root, JSON_COMPACT);
    json_decref(root);
    if (!text)
        return err_set(err, RC_FATAL, "cannot write down the files of '%s'", table->location);
    return io->put(io->user, table->bucket, key, str_of(text), false, err);
}

enum rc journal_remove(const struct iceberg_io *io, const struct iceberg_table *table, int64_t snapshot_id,
                       struct err *err)
{
    CLEANUP_FREE char *key = journal_key(table->key, snapshot_id);

    return io->remove(io->user, table->bucket, key, err);
}

/* ------------------------------------------------------------- settling */

struct pending {
    const struct iceberg_io *io;
    const char *bucket, *table_key;
    char *location;
    json_t *root;
    int64_t snapshot_id, publishing;
};

/* RC_OK with *committed; a version in flight is taken so that it cannot come later. */
static enum rc settle(struct pending *p, struct iceberg_table **table, bool *committed, struct err *err)
{
    const json_t *first = json_object_get(p->root, "new-table");

    for (int i = 0; i < FENCE_TRIES; i++) {
        iceberg_close(*table);
        *table = NULL;
        enum rc rc = iceberg_open(p->io, p->location, table, err);
        if (rc && rc != RC_NOT_FOUND)
            return rc;
        *committed = *table && iceberg_snapshot_by_id(*table, p->snapshot_id);
        int64_t version = *table ? (*table)->version : 0;
        if (*committed || version >= p->publishing)
            return RC_OK;
        if (*table) {
            rc = iceberg_commit_nothing(p->io, table, err);
        } else if (json_is_object(first)) {
            CLEANUP_FREE char *text = json_dumps(first, JSON_COMPACT);
            CLEANUP_FREE char *key = mem_printf("%s/metadata/v1.metadata.json", p->table_key);
            rc = p->io->put(p->io->user, p->bucket, key, str_of(text), true, err);
        } else {
            return RC_OK;
        }
        if (rc && rc != RC_EXISTS)
            return rc;
    }
    return err_set(err, RC_RETRY, "cannot settle an unfinished commit to '%s': others keep committing", p->location);
}

/* A file that the table uses is never removed, whatever a journal says. */
static enum rc keys_in_use(const struct pending *p, const struct iceberg_table *table, struct map *used,
                           struct err *err)
{
    struct iceberg_files files = { 0 };
    enum rc rc = table ? iceberg_list_files(p->io, table, table->current, &files, err) : RC_OK;

    for (size_t i = 0; i < files.count && !rc; i++) {
        CLEANUP_FREE char *bucket = NULL;
        CLEANUP_FREE char *key = NULL;
        rc = iceberg_split_location(files.files[i].path, &bucket, &key, err);
        if (!rc)
            map_put(used, str_of(key), p->root);
    }
    iceberg_files_free(&files);
    return rc;
}

static enum rc remove_files(const struct pending *p, const struct iceberg_table *table, struct err *err)
{
    struct map used = { 0 };
    size_t i;
    json_t *key;
    enum rc rc = keys_in_use(p, table, &used, err);
    size_t n = strlen(p->table_key);

    json_array_foreach(json_object_get(p->root, "files"), i, key) {
        const char *text = json_string_value(key);
        bool ours = text && strncmp(text, p->table_key, n) == 0 && strncmp(text + n, "/data/", 6) == 0;
        if (!rc && ours && !map_get(&used, str_of(text)))
            rc = p->io->remove(p->io->user, p->bucket, text, err);
    }
    map_free(&used, NULL);
    /* the note counts attempts that reached their publishing: one more may have written its manifests */
    int64_t attempts = json_integer_value(json_object_get(p->root, "attempts")) + 1;
    for (int a = 1; !rc && a <= MIN(attempts, (int64_t)ATTEMPTS_MAX); a++)
        iceberg_attempt_remove(p->io, p->bucket, p->table_key, p->snapshot_id, a);
    return rc;
}

static enum rc clean_one(struct pending *p, const char *key, struct err *err)
{
    struct iceberg_table *table = NULL;
    bool committed = false;
    enum rc rc = settle(p, &table, &committed, err);

    if (!rc && !committed)
        rc = remove_files(p, table, err);
    if (!rc && table)
        rc = iceberg_put_hint(p->io, table, err);
    if (!rc)
        rc = p->io->remove(p->io->user, p->bucket, key, err);
    if (!rc)
        log_info(committed ? "an unfinished build had committed" : "removed files of an unfinished build",
                 "table=%s snapshot=%lld", p->location, (long long)p->snapshot_id);
    iceberg_close(table);
    return rc;
}

static enum rc clean_key(const struct iceberg_io *io, const char *bucket, const char *table_key, const char *key,
                         const char *owner, struct err *err)
{
    CLEANUP(buf_free) struct buf text = { .max = JOURNAL_MAX };
    struct pending p = { .io = io, .bucket = bucket, .table_key = table_key };
    json_error_t why;
    enum rc rc = io->get(io->user, bucket, key, &text, err);

    if (rc)
        return rc == RC_NOT_FOUND ? RC_OK : rc;
    p.root = json_loadb(text.data ? text.data : "", text.len, 0, &why);
    const char *who = json_string_value(json_object_get(p.root, "owner"));
    int64_t age = clock_wall_ms() - json_integer_value(json_object_get(p.root, "started-ms"));
    p.snapshot_id = json_integer_value(json_object_get(p.root, "snapshot-id"));
    p.publishing = json_integer_value(json_object_get(p.root, "publishing"));
    p.location = mem_printf("s3a://%s/%s", bucket, table_key);
    if (!who || !p.snapshot_id)
        log_warn("a note of pending files is broken", "key=%s/%s", bucket, key);
    else if (strcmp(who, owner) == 0 || age > FOREIGN_AGE_MS)
        rc = clean_one(&p, key, err);
    free(p.location);
    json_decref(p.root);
    return rc;
}

enum rc journal_clean(const struct iceberg_io *io, const char *location, const char *owner, struct err *err)
{
    CLEANUP(s3_listing_free) struct s3_listing listing = { 0 };
    CLEANUP_FREE char *bucket = NULL;
    CLEANUP_FREE char *key = NULL;
    enum rc rc = iceberg_split_location(location, &bucket, &key, err);

    if (rc)
        return rc;
    CLEANUP_FREE char *prefix = mem_printf("%s/metadata/haus-pending-", key);
    rc = io->list(io->user, bucket, prefix, NULL, &listing, err);
    for (size_t i = 0; i < listing.count && !rc; i++)
        rc = clean_key(io, bucket, key, listing.objects[i].key, owner, err);
    return rc;
}

/* ------------------------------------------------------------- the janitor */

static const char done = 'D';

static void quiet_descriptors(void)
{
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);

    /* a caller that reads our output to its end must not wait for the janitor */
    for (int fd = 0; fd < 3 && null >= 0; fd++)
        dup2(null, fd);
}

static NORETURN void wait_and_clean(int pipe_fd, const struct lake *lake, char *const *locations, size_t count,
                                    const char *owner)
{
    char c = 0;
    ssize_t n;

    FAULT_FORGET(); /* faults are asked of the build, not of who cleans up after it */
    setsid();
    signal(SIGTERM, SIG_IGN);
    signal(SIGINT, SIG_IGN);
    signal(SIGHUP, SIG_IGN);
    quiet_descriptors();
    while ((n = read(pipe_fd, &c, 1)) < 0 && errno == EINTR)
        ;
    if (n != 1 || c != done)
        for (size_t i = 0; i < count; i++) {
            struct err ignored = { 0 };
            if (journal_clean(&lake->io[0], locations[i], owner, &ignored))
                log_warn("cannot clean up after a build", "table=%s error=%s", locations[i], ignored.text);
        }
    _exit(0);
}

void janitor_start(struct janitor *janitor, const struct lake *lake, char *const *locations, size_t count,
                   const char *owner)
{
    int ends[2];

    janitor->pipe = -1;
    if (pipe2(ends, O_CLOEXEC) < 0)
        return;
    pid_t first = fork();
    if (first == 0) { /* twice, so that nobody has to wait for it */
        close(ends[1]);
        if (fork() == 0)
            wait_and_clean(ends[0], lake, locations, count, owner);
        _exit(0);
    }
    close(ends[0]);
    if (first < 0) {
        close(ends[1]);
        return;
    }
    while (waitpid(first, NULL, 0) < 0 && errno == EINTR)
        ;
    janitor->pipe = ends[1];
}

void janitor_dismiss(struct janitor *janitor)
{
    if (janitor->pipe < 0)
        return;
    ssize_t n = write(janitor->pipe, &done, 1);
    (void)n; /* it died before us: then there is none to dismiss */
    close(janitor->pipe);
    janitor->pipe = -1;
}
