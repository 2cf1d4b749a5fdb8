/* What several commands do to a whole house. Private to this folder. */
#ifndef FACE_CLI_HOUSE_STEPS_H
#define FACE_CLI_HOUSE_STEPS_H

#include <stdio.h>

#include "face/cli/command.h"

/* Starts what is wanted (wanted[i] of the table), waits until it is ready, telling each on stderr, and does what a
 * fresh house needs before its first row: migrations, buckets and their policies.  Safe to repeat. */
enum exit_code house_bring_up(const struct house *house, const bool *wanted);
/* Services named by zones or services; none: all.  False: an unknown name, already told. */
bool house_select(int argc, char **argv, bool *wanted);
/* Every address with user and password, one line a service, on the given stream. */
void house_print_urls(const struct house *house, FILE *out);
/* Registers one connector from its template; *changed: it was new or differs. */
enum exit_code house_apply_connector(const struct house *house, const char *path, bool *changed);
/* <playground>/connectors/ ending in .json, sorted.  Free each and the list. */
char **house_connector_files(const struct house *house, size_t *count);

#endif
