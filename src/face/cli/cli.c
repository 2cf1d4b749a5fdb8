/* Finds the command, reads its options, calls it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "face/cli/cli.h"
#include "face/cli/command.h"

bool output_json;

static const struct command *const commands[] = { &command_run };

int cli_main(int argc, char **argv)
{
    struct house house = { 0 };
    struct err err = { 0 };

    for (size_t i = 0; argc > 1 && i < ARRAY_LEN(commands); i++) {
        if (strcmp(commands[i]->name, argv[1]) != 0)
            continue;
        if (house_open(&(struct house_options){ .port_offset = -1 }, &house, &err)) {
            fprintf(stderr, "haus: %s\n", err.text);
            return EXIT_FAILED;
        }
        int code = commands[i]->run(&house, argc - 2, argv + 2);
        house_free(&house);
        return code;
    }
    fprintf(stderr, "usage: haus <command>\n");
    return EXIT_USAGE;
}
