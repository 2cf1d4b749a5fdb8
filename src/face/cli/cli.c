/* Finds the command, reads its options, calls it; prints --help from the same rows. */
#include "face/cli/cli.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "face/cli/command.h"

enum { COMMAND_ARGS_MAX = 64 };

bool output_json;
bool output_color;

static const struct command *const commands[] = {
    &command_flow,
    &command_up,
    &command_down,
    &command_status,
    &command_logs,
    &command_reset,
    &command_urls,
    &command_config,
    &command_doctor,
    &command_run,
    &command_init,
    &command_migrate,
    &command_migrate_info,
    &command_migrate_validate,
    &command_seed,
    &command_seed_start,
    &command_seed_stop,
    &command_seed_status,
    &command_connector_apply,
    &command_connector_list,
    &command_connector_status,
    &command_connector_delete,
    &command_topic_list,
    &command_topic_tail,
    &command_schema_list,
    &command_bucket_ls,
    &command_bucket_cat,
    &command_build,
    &command_table_list,
    &command_table_describe,
    &command_sql,
    &command_verify,
    &command_supervise,
};

/* ------------------------------------------------------- global options */

static const char *home, *playground, *output, *log_format;
static int64_t port_offset = -1;
static bool wants_help, wants_version;

static const struct command_option global_options[] = {
    { "--home", 0, OPTION_TEXT, &home, "DIR", "where all state lies (HAUS_HOME; ./.haus)" },
    { "--playground", 0, OPTION_TEXT, &playground, "DIR", "folder with .env files, migrations, connectors, models" },
    { "--port-offset", 0, OPTION_NUMBER, &port_offset, "N", "add N to every port (HAUS_PORT_OFFSET)" },
    { "--output", 'o', OPTION_TEXT, &output, "json|text", "how listings are printed" },
    { "--log-format", 0, OPTION_TEXT, &log_format, "json|text", "how log lines are printed (HAUS_LOG_FORMAT)" },
    { "--help", 'h', OPTION_FLAG, &wants_help, NULL, "this text" },
    { "--version", 0, OPTION_FLAG, &wants_version, NULL, "the version" },
};

/* ------------------------------------------------------------------ talk */

enum exit_code fail(enum exit_code code, const char *format, ...)
{
    va_list args;

    fputs("haus: ", stderr);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
    return code;
}

enum exit_code fail_err(const struct err *err)
{
    return fail(EXIT_FAILED, "%s", err->text);
}

void talk(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
}

/* ------------------------------------------------------------------ help */

static void print_options(const struct command_option *options, size_t count)
{
    for (size_t i = 0; i < count && options[i].name; i++) {
        CLEANUP_FREE char *left = mem_printf("%s%s%s", options[i].name, options[i].argument ? " " : "",
                                             options[i].argument ? options[i].argument : "");
        if (options[i].letter)
            printf("  -%c, %-20s %s\n", options[i].letter, left, options[i].help);
        else
            printf("      %-20s %s\n", left, options[i].help);
    }
}

static void print_help(void)
{
    puts("haus: a row's way from an online database to a lakehouse table, in one program\n\n"
         "usage: haus <command> [options]\n\ncommands:");
    for (size_t i = 0; i < ARRAY_LEN(commands); i++)
        if (!commands[i]->hidden)
            printf("  %-20s %s\n", commands[i]->name, commands[i]->summary);
    puts("\noptions of every command:");
    print_options(global_options, ARRAY_LEN(global_options));
    puts("\nservices:");
    for (size_t i = 0; i < service_count; i++)
        printf("  %-10s %-7s %5d   %s\n", services[i].name, services[i].zone, services[i].port, services[i].summary);
    puts("\nexit codes: 0 done, 1 failed, 2 usage, 3 not running");
}

static void print_command_help(const struct command *command)
{
    printf("haus %s: %s\n\nusage: haus %s %s\n", command->name, command->summary, command->name,
           command->usage ? command->usage : "");
    if (command->details)
        printf("\n%s\n", command->details);
    puts("\noptions:");
    print_options(command->options, COMMAND_OPTIONS_MAX);
    print_options(global_options, ARRAY_LEN(global_options));
}

/* --------------------------------------------------------------- parsing */

/* The longest name that the first words spell; *used is how many words that were. */
static const struct command *find_command(int argc, char **argv, int *used)
{
    const struct command *found = NULL;

    for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
        struct str rest = str_of(commands[i]->name), word = { 0 };
        int n = 0;
        while (str_cut(&rest, ' ', &word) && n < argc && str_is(word, argv[n]))
            n++;
        bool all = !rest.p && n > 0 && str_is(word, argv[n - 1]);
        if (all && (!found || n > *used)) {
            found = commands[i];
            *used = n;
        }
    }
    return found;
}

static const struct command_option *find_option(const struct command_option *options, size_t count, const char *text,
                                                size_t name_len)
{
    for (size_t i = 0; i < count && options[i].name; i++) {
        if (str_eq(str_n(text, name_len), str_of(options[i].name)))
            return &options[i];
        if (options[i].letter && text[1] == options[i].letter && text[2] == '\0')
            return &options[i];
    }
    return NULL;
}

static bool set_option(const struct command_option *option, const char *value)
{
    if (option->kind == OPTION_FLAG)
        *(bool *)option->value = true;
    else if (option->kind == OPTION_TEXT)
        *(const char **)option->value = value;
    else if (!str_to_i64(str_of(value), 0, INT64_MAX, option->value))
        return false;
    return true;
}

/* Takes options out of argv; what stays are the arguments.  False: usage error, already told. */
static bool parse(const struct command *command, int argc, char **argv, char **args, int *arg_count)
{
    *arg_count = 0;
    for (int i = 0; i < argc; i++) {
        if (argv[i][0] != '-' || argv[i][1] == '\0' || strcmp(argv[i], "--") == 0) {
            if (*arg_count == COMMAND_ARGS_MAX)
                return fail(EXIT_USAGE, "more than %d arguments", COMMAND_ARGS_MAX), false;
            if (strcmp(argv[i], "--") != 0)
                args[(*arg_count)++] = argv[i];
            continue;
        }
        const char *equals = strchr(argv[i], '=');
        size_t name_len = equals ? (size_t)(equals - argv[i]) : strlen(argv[i]);
        const struct command_option *option =
            command ? find_option(command->options, COMMAND_OPTIONS_MAX, argv[i], name_len) : NULL;
        if (!option)
            option = find_option(global_options, ARRAY_LEN(global_options), argv[i], name_len);
        if (!option)
            return fail(EXIT_USAGE, "there is no option '%s'; see 'haus %s --help'", argv[i],
                        command ? command->name : ""),
                   false;
        const char *value = option->kind == OPTION_FLAG ? NULL : equals ? equals + 1 : i + 1 < argc ? argv[++i] : NULL;
        if (option->kind != OPTION_FLAG && !value)
            return fail(EXIT_USAGE, "'%s' needs a value: %s %s", option->name, option->name, option->argument), false;
        if (!set_option(option, value))
            return fail(EXIT_USAGE, "'%s' is not a number for '%s'", value, option->name), false;
    }
    return true;
}

/* Global options may also stand before the command; returns how many words they took, -1 after telling why not. */
static int parse_leading(int argc, char **argv)
{
    char *none[COMMAND_ARGS_MAX];
    int count = 0, n = 0;

    while (n < argc && argv[n][0] == '-' && argv[n][1]) {
        const char *equals = strchr(argv[n], '=');
        size_t name_len = equals ? (size_t)(equals - argv[n]) : strlen(argv[n]);
        const struct command_option *option = find_option(global_options, ARRAY_LEN(global_options), argv[n], name_len);
        int words = option && option->kind != OPTION_FLAG && !equals && n + 1 < argc ? 2 : 1;
        if (!parse(NULL, words, argv + n, none, &count))
            return -1;
        n += words;
    }
    return n;
}

static enum exit_code unknown_command(int argc, char **argv)
{
    bool told = false;

    for (size_t i = 0; argc > 0 && i < ARRAY_LEN(commands); i++) {
        CLEANUP_FREE char *prefix = mem_printf("%s ", argv[0]);
        if (!str_starts(str_of(commands[i]->name), prefix))
            continue;
        if (!told)
            fprintf(stderr, "haus: '%s' is one of:\n", argv[0]);
        told = true;
        fprintf(stderr, "  haus %-20s %s\n", commands[i]->name, commands[i]->summary);
    }
    if (!told)
        fail(EXIT_USAGE, "there is no command '%s'; 'haus --help' lists them", argc ? argv[0] : "");
    return EXIT_USAGE;
}

static enum exit_code call(const struct command *command, int argc, char **argv)
{
    struct house house = { 0 };
    struct err err = { 0 };

    if (argc < command->args_min || (command->args_max >= 0 && argc > command->args_max))
        return fail(EXIT_USAGE, "usage: haus %s %s", command->name, command->usage ? command->usage : "");
    if (command != &command_init)
        umask(S_IRWXG | S_IRWXO); /* state is its owner's alone; a playground is like anybody's files */
    if (house_open(&(struct house_options){ home, playground, (int)port_offset, log_format }, &house, &err))
        return fail_err(&err);
    enum exit_code code = command->run(&house, argc, argv);
    house_free(&house);
    return fflush(stdout) == 0 ? code : EXIT_FAILED;
}

int cli_main(int argc, char **argv)
{
    char *args[COMMAND_ARGS_MAX];
    int arg_count = 0, used = 0;

    argc--, argv++;
    int leading = parse_leading(argc, argv);
    if (leading < 0)
        return EXIT_USAGE;
    argc -= leading, argv += leading;
    const struct command *command = find_command(argc, argv, &used);
    if (!parse(command, argc - used, argv + used, args, &arg_count))
        return EXIT_USAGE;
    if (output && strcmp(output, "json") != 0 && strcmp(output, "text") != 0)
        return fail(EXIT_USAGE, "'%s' is not an output format; write -o json or -o text", output);
    output_json = output && strcmp(output, "json") == 0;
    output_color = isatty(STDERR_FILENO) && !(getenv("NO_COLOR") && getenv("NO_COLOR")[0]);
    if (wants_version) {
        puts("haus " HAUS_VERSION);
        return EXIT_DONE;
    }
    if (wants_help || (!command && arg_count == 0)) {
        if (command)
            print_command_help(command);
        else
            print_help();
        return wants_help ? EXIT_DONE : EXIT_USAGE;
    }
    return command ? call(command, arg_count, args) : unknown_command(arg_count, args);
}
