/*
 * Named settings and where each came from: built-in, a .env file, the environment, a flag.
 * Later sets win.  Values are expanded when read from a file, against the settings so far: ${VAR},
 * ${VAR:-default} and Compose's other forms (- :? ? :+ +).
 *
 * A .env file has lines NAME=value, blank lines, # comments, an optional leading "export ", values
 * in single quotes (taken literally) or double quotes (\n \" \\ \$ understood); a " #" ends an
 * unquoted value.
 */
#ifndef BASE_SETTINGS_H
#define BASE_SETTINGS_H

#include "base/buf.h"
#include "base/err.h"
#include "base/map.h"

struct setting {
    char *value;
    char *origin; /* "default", "environment", "flag --port-offset", ".lake.env:12" */
};

struct settings {
    struct map rows; /* name -> struct setting, owned */
};

/* Copies all three; an earlier value of that name is gone, and with it what settings_get gave of it. */
void settings_set(struct settings *settings, struct str name, struct str value, const char *origin);
/* The value, owned by the settings, or fallback when the name was never set. */
const char *settings_get(const struct settings *settings, const char *name, const char *fallback);
/* With its origin; NULL: never set. */
const struct setting *settings_find(const struct settings *settings, const char *name);
/* A value outside [min, max], or not a number, is an error that names the setting and its origin. */
MUST_CHECK enum rc settings_int(const struct settings *settings, const char *name, int64_t fallback, int64_t min,
                                int64_t max, int64_t *out, struct err *err);
MUST_CHECK enum rc settings_bool(const struct settings *settings, const char *name, bool fallback, bool *out,
                                 struct err *err);
/* Appends `text` with ${VAR}, ${VAR:-default} replaced.  An undefined VAR without default: RC_BAD_INPUT
 * naming it.  `$$` is a dollar sign; any other `$` stays. */
MUST_CHECK enum rc settings_expand(const struct settings *settings, struct str text, struct buf *out, struct err *err);
/* file_name is for messages and origins only. */
MUST_CHECK enum rc settings_parse_env(struct settings *settings, const char *file_name, struct str text,
                                      struct err *err);
void settings_free(struct settings *settings);

#endif
