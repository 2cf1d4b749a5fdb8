/* haus reset, haus init: a fresh state, a fresh playground. */
#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "disk/disk.h"
#include "face/cli/command.h"

static bool yes;

/* Only folders that this program made are removed, never a folder of the user's named by mistake. */
static bool is_home(const struct house *house)
{
    CLEANUP_FREE char *lock = mem_printf("%s/lock", house->home);
    CLEANUP_FREE char *run = mem_printf("%s/run", house->home);

    return disk_exists(lock) || disk_exists(run);
}

static bool confirm(const struct house *house)
{
    char answer[16] = "";

    if (yes)
        return true;
    if (!isatty(STDIN_FILENO)) {
        fail(EXIT_USAGE, "'haus reset' removes '%s'; say --yes", house->home);
        return false;
    }
    fprintf(stderr, "Remove everything in '%s'? [y/N] ", house->home);
    return fgets(answer, sizeof answer, stdin) && (answer[0] == 'y' || answer[0] == 'Y');
}

static enum exit_code reset(struct house *house, int argc, char **argv)
{
    struct err err = { 0 };

    (void)argc, (void)argv;
    if (!disk_exists(house->home))
        return EXIT_DONE;
    if (!is_home(house))
        return fail(EXIT_FAILED, "cannot reset '%s': it is not a folder that haus made", house->home);
    if (!confirm(house))
        return EXIT_USAGE;
    enum rc rc = supervisor_stop(house, &err);
    if (!rc || rc == RC_NOT_FOUND)
        rc = disk_remove_tree(house->home, &err);
    return rc ? fail_err(&err) : EXIT_DONE;
}

const struct command command_reset = {
    .name = "reset",
    .summary = "stop everything and remove all state",
    .options = { { "--yes", 'y', OPTION_FLAG, &yes, NULL, "do not ask" } },
    .run = reset,
};

/* ------------------------------------------------------------------ init */

static enum rc copy_file(const char *from, const char *to, struct err *err)
{
    CLEANUP(buf_free) struct buf text = { 0 };
    enum rc rc = disk_read_file(from, &text, err);

    return rc ? rc : disk_replace_file(to, buf_cstr(&text), text.len, 0644, err);
}

static enum rc copy_tree(const char *from, const char *to, struct err *err)
{
    CLEANUP_FREE char *root = mem_strdup(from);
    FTS *tree = fts_open((char *const[]){ root, NULL }, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
    enum rc rc = tree ? RC_OK : err_set_errno(err, errno, "cannot read '%s'", from);

    for (FTSENT *e = NULL; !rc && (e = fts_read(tree));) {
        CLEANUP_FREE char *target = mem_printf("%s%s", to, e->fts_path + strlen(from));
        if (e->fts_info == FTS_D)
            rc = disk_make_dirs(target, 0755, err);
        else if (e->fts_info == FTS_F && !disk_exists(target))
            rc = copy_file(e->fts_path, target, err);
    }
    if (tree)
        fts_close(tree);
    return rc;
}

static enum exit_code init(struct house *house, int argc, char **argv)
{
    const char *target = argc ? argv[0] : ".";
    struct err err = { 0 };

    (void)house;
    if (copy_tree(HAUS_PLAYGROUND, target, &err))
        return fail_err(&err);
    talk("made a playground in '%s': .env files, migrations, connectors, models", target);
    return EXIT_DONE;
}

const struct command command_init = {
    .name = "init",
    .summary = "make a playground of one's own: .env files, migrations, connectors, models",
    .usage = "[folder]",
    .details = "Files that are there already are left alone.",
    .args_max = 1,
    .run = init,
};
