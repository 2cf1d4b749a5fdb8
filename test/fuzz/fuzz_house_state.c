/* Any bytes as run/state of a home whose lock is held: what is read of it is written, and that is read alike. */
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "scratch.h"
#include "supervise/state.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Our own pid is in the lock, for as long as the fuzzer runs. */
static void hold_lock(const char *home)
{
    CLEANUP_FREE char *lock = mem_printf("%s/lock", home), *run = mem_printf("%s/run", home);
    CLEANUP_FREE char *pid = mem_printf("%d\n", (int)getpid());
    int fd = open(lock, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

    if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) || write(fd, pid, strlen(pid)) < 0 || mkdir(run, 0700))
        abort();
}

static void put_state(const char *home, struct str rest)
{
    CLEANUP_FREE char *path = mem_printf("%s/run/state", home);
    FILE *file = fopen(path, "we");

    if (!file)
        abort();
    fprintf(file, "supervisor %d\n", (int)getpid());
    fwrite(rest.p, 1, rest.len, file);
    fclose(file);
}

static void read_state(const struct house *house, struct house_state *out)
{
    struct err err = { 0 };

    if (house_state_read(house, out, &err) || out->supervisor != getpid())
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct house house;
    struct house_state first = { 0 }, again = { 0 };
    struct err err = { 0 };

    if (!house.home) {
        house.home = mem_strdup(scratch_dir());
        hold_lock(house.home);
    }
    put_state(house.home, str_n((const char *)data, size));
    read_state(&house, &first);
    if (state_write(&house, &first, &err))
        abort();
    read_state(&house, &again);
    for (size_t i = 0; i < service_count; i++) {
        const struct service_state *a = &first.services[i], *b = &again.services[i];
        if (!service_status_name(a->status) || a->status != b->status || a->pid != b->pid ||
            a->restarts != b->restarts || a->started_ms != b->started_ms || a->ready_ms != b->ready_ms ||
            strcmp(a->reason, b->reason) != 0)
            abort();
    }
    house_state_free(&first);
    house_state_free(&again);
    return 0;
}
