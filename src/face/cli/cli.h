/*
 * The command line: each command is a value with its help, its options and one function, in a file
 * of its own; cli_main finds the command, reads the options and calls it.
 *
 * stdout is data, stderr is talk.
 */
#ifndef FACE_CLI_CLI_H
#define FACE_CLI_CLI_H

/* The whole program; its result is the exit code (see command.h). */
int cli_main(int argc, char **argv);

#endif
