/*
 * What a command is, for the files of this folder.
 */
#ifndef FACE_CLI_COMMAND_H
#define FACE_CLI_COMMAND_H

#include "base/base.h"
#include "supervise/supervise.h"

enum exit_code { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_USAGE = 2, EXIT_NOT_RUNNING = 3 };
enum option_kind { OPTION_FLAG, OPTION_TEXT, OPTION_NUMBER };
enum { COMMAND_OPTIONS_MAX = 10 };

/* One option of a command; value points to a static of the command's file, set before run. */
struct command_option {
    const char *name; /* "--rate" */
    char letter;      /* 'f' for -f; 0: none */
    enum option_kind kind;
    void *value;      /* bool *, const char **, int64_t * */
    const char *argument, *help;
};

struct command {
    const char *name;    /* "topic list" */
    const char *summary; /* one line */
    const char *usage;   /* what follows the name: "[zone…]" */
    const char *details; /* paragraphs of --help; may be NULL */
    int args_min, args_max; /* -1: any number */
    struct command_option options[COMMAND_OPTIONS_MAX]; /* name NULL ends them */
    bool lists;          /* takes -o json */
    enum exit_code (*run)(struct house *house, int argc, char **argv);
};

extern const struct command command_run;

/* What was asked for with -o: true after "-o json". */
extern bool output_json;

#endif
