/* haus logs: the services' log files, merged by time, and followed as they grow. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "disk/disk.h"
#include "face/cli/command.h"

enum { LOG_READ_MAX = 64 << 20, FOLLOW_CHUNK = 64 << 10 };

static bool follow;
static int64_t tail = 200;

struct log_file {
    char *path;
    off_t read_to;
};

struct line {
    struct str text, when; /* when: the line's time, or that of the line before it */
    size_t number;
};

static bool has_time(struct str line)
{
    return line.len > 20 && line.p[0] == '2' && line.p[4] == '-' && line.p[7] == '-' &&
           (line.p[10] == 'T' || line.p[10] == ' ');
}

/* PostgreSQL writes a blank where we write T */
static int line_cmp(const void *a, const void *b)
{
    const struct line *x = a, *y = b;
    char left[24] = { 0 }, right[24] = { 0 };

    memcpy(left, x->when.p, MIN(x->when.len, sizeof left - 1));
    memcpy(right, y->when.p, MIN(y->when.len, sizeof right - 1));
    left[10] = right[10] = 'T';
    int order = memcmp(left, right, 23);
    return order ? order : (x->number > y->number) - (x->number < y->number);
}

static void print_merged(const struct buf *texts, size_t count)
{
    struct line *lines = NULL;
    size_t n = 0;

    for (size_t i = 0; i < count; i++) {
        struct str rest = buf_str(&texts[i]), text = { 0 }, when = STR("0000-00-00T00:00:00.000");
        while (rest.len && str_cut(&rest, '\n', &text)) {
            if (has_time(text))
                when = str_n(text.p, 23);
            lines = mem_grow(lines, n + 1, sizeof *lines);
            lines[n] = (struct line){ text, when, n };
            n++;
        }
    }
    if (n)
        qsort(lines, n, sizeof *lines, line_cmp);
    for (size_t i = n > (size_t)tail ? n - (size_t)tail : 0; i < n; i++)
        printf("%.*s\n", STR_ARG(lines[i].text));
    free(lines);
}

static void print_new(struct log_file *file)
{
    CLEANUP(disk_close) int fd = open(file->path, O_RDONLY | O_CLOEXEC);
    char chunk[FOLLOW_CHUNK];
    size_t n = 0;

    if (fd < 0)
        return;
    if (lseek(fd, 0, SEEK_END) < file->read_to)
        file->read_to = 0; /* begun anew */
    while (!disk_pread(fd, chunk, sizeof chunk, file->read_to, &n, file->path, NULL) && n) {
        fwrite(chunk, 1, n, stdout);
        file->read_to += (off_t)n;
    }
    fflush(stdout);
}

static enum exit_code follow_files(const struct house *house, struct log_file *files, size_t count)
{
    CLEANUP_FREE char *dir = mem_printf("%s/logs", house->home);
    CLEANUP(disk_close) int watch = inotify_init1(IN_CLOEXEC);
    char events[4096];

    if (watch < 0 || inotify_add_watch(watch, dir, IN_MODIFY | IN_CREATE | IN_MOVED_TO) < 0)
        return fail(EXIT_FAILED, "cannot follow '%s': %s", dir, strerror(errno));
    for (;;) {
        for (size_t i = 0; i < count; i++)
            print_new(&files[i]);
        if (read(watch, events, sizeof events) < 0 && errno != EINTR)
            return EXIT_FAILED;
    }
}

static enum exit_code print_logs(struct house *house, int argc, char **argv)
{
    struct log_file files[32] = { { 0 } };
    struct buf texts[32] = { { 0 } };
    size_t count = 0;
    struct err err = { 0 };

    if (argc && !service_find(argv[0]) && strcmp(argv[0], "supervisor") != 0)
        return fail(EXIT_USAGE, "there is no service '%s'; 'haus status' lists them", argv[0]);
    for (size_t i = 0; i <= service_count; i++) {
        const char *name = i < service_count ? services[i].name : "supervisor";
        if (argc && strcmp(name, argv[0]) != 0)
            continue;
        files[count].path = mem_printf("%s/logs/%s.log", house->home, name);
        texts[count].max = LOG_READ_MAX;
        if (disk_exists(files[count].path) && disk_read_file(files[count].path, &texts[count], &err))
            return fail_err(&err);
        files[count].read_to = (off_t)texts[count].len;
        count++;
    }
    print_merged(texts, count);
    fflush(stdout);
    enum exit_code code = follow ? follow_files(house, files, count) : EXIT_DONE;
    for (size_t i = 0; i < count; i++) {
        free(files[i].path);
        buf_free(&texts[i]);
    }
    return code;
}

const struct command command_logs = {
    .name = "logs",
    .summary = "what the services wrote, in order of time",
    .usage = "[-f] [service]",
    .args_max = 1,
    .options = { { "--follow", 'f', OPTION_FLAG, &follow, NULL, "go on as new lines come" },
                 { "--tail", 'n', OPTION_NUMBER, &tail, "N", "begin with the last N lines (200)" } },
    .run = print_logs,
};
