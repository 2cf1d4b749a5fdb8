/*
 * What a command is, for the files of this folder.
 */
#ifndef FACE_CLI_COMMAND_H
#define FACE_CLI_COMMAND_H

#include "base/base.h"
#include "supervise/supervise.h"

enum exit_code { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_USAGE = 2, EXIT_NOT_RUNNING = 3 };
enum option_kind { OPTION_FLAG, OPTION_TEXT, OPTION_NUMBER };
enum { COMMAND_OPTIONS_MAX = 12, REACH_TIMEOUT_MS = 3000 };

/* One option of a command; value points to a static of the command's file, set before run. */
struct command_option {
    const char *name; /* "--rate" */
    char letter;      /* 'f' for -f; 0: none */
    enum option_kind kind;
    void *value; /* bool *, const char **, int64_t * */
    const char *argument, *help;
};

struct command {
    const char *name;       /* "topic list" */
    const char *summary;    /* one line */
    const char *usage;      /* what follows the name: "[zone...]" */
    const char *details;    /* paragraphs of --help; may be NULL */
    int args_min, args_max; /* args_max -1: any number */
    /* a name of NULL ends them */
    struct command_option options[COMMAND_OPTIONS_MAX];
    bool lists;  /* takes -o json */
    bool hidden; /* for the program's own use */
    enum exit_code (*run)(struct house *house, int argc, char **argv);
};

/* In the order of `haus --help`. */
extern const struct command command_up, command_down, command_status, command_logs, command_reset, command_urls,
    command_config, command_doctor, command_run, command_init, command_migrate, command_migrate_info,
    command_migrate_validate, command_seed, command_seed_start, command_seed_stop, command_seed_status,
    command_connector_apply, command_connector_list, command_connector_status, command_connector_delete,
    command_topic_list, command_topic_tail, command_schema_list, command_bucket_ls, command_bucket_cat, command_build,
    command_table_list, command_table_describe, command_sql, command_verify, command_flow, command_supervise;

/* Set before a command runs. */
extern bool output_json;  /* -o json */
extern bool output_color; /* stderr is a terminal and NO_COLOR is not set */

/* "haus: <words>" on stderr; returns code. */
enum exit_code fail(enum exit_code code, const char *format, ...) PRINTF_LIKE(2, 3);
enum exit_code fail_err(const struct err *err); /* EXIT_FAILED */
/* A line of talk on stderr. */
void talk(const char *format, ...) PRINTF_LIKE(1, 2);

/* The surroundings of a service by name, for calls into stations' libraries; free with house_station_free. */
void command_station(const struct house *house, const char *service, struct station *out);
/* Says so when the house was started by another build of haus, which a rebuild makes of a running one. */
void command_tell_other_build(pid_t supervisor);
/* EXIT_DONE if the service answers or is external, else says so and returns EXIT_NOT_RUNNING. */
enum exit_code command_needs(const struct house *house, const char *service);
/* An S3 client for the store with the house's credentials. */
struct s3_client *command_s3(const struct house *house);
/* The seeder's answer that is not 2xx, in words: which option it refuses, or what it says. */
enum exit_code command_seeder_refused(const struct http_answer *answer);
/* One HTTP call to a service with a small JSON body (NULL: none); answer->body is text. */
MUST_CHECK enum rc command_http_within(const struct house *house, int timeout_ms, const char *service,
                                       const char *method, const char *path, const char *json,
                                       struct http_answer *answer, struct err *err);
/* The same for calls that may take as long as a person waits. */
MUST_CHECK enum rc command_http(const struct house *house, const char *service, const char *method, const char *path,
                                const char *json, struct http_answer *answer, struct err *err);

/* ------------------------------------------------------------- listings */

struct listing_column {
    const char *name; /* "memory_bytes": key of the JSON object; shown in upper case */
    bool is_number;   /* printed without quotes and aligned right */
};
struct listing {
    const struct listing_column *columns;
    size_t column_count;
    char **cells; /* row by row */
    size_t cell_count;
};
/* Takes one text a column; NULL is null in JSON and "-" in text. */
void listing_add(struct listing *listing, ...);
/* As a table or as a JSON array on stdout, then frees the rows. */
void listing_print(struct listing *listing);

#endif
