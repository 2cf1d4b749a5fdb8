/* Binds libduckdb and opens sessions on it; see duck.h. */
#include "lake/build/duck.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PATH_BYTES = 4096 };

struct duck duck;
static pthread_mutex_t load_lock = PTHREAD_MUTEX_INITIALIZER;
static bool loaded;

static char *beside_executable(void)
{
    char path[PATH_BYTES];
    ssize_t n = readlink("/proc/self/exe", path, sizeof path - 1);

    if (n <= 0)
        return NULL;
    path[n] = '\0';
    char *slash = strrchr(path, '/');
    if (!slash)
        return NULL;
    *slash = '\0';
    return mem_printf("%s/libduckdb.so", path);
}

static void *open_library(const char *library, struct err *err)
{
    CLEANUP_FREE char *beside = beside_executable();
    const char *asked = library && *library ? library : getenv("HAUS_DUCKDB_LIB");
    const char *const places[] = { beside, HAUS_DUCKDB_LIBRARY, "libduckdb.so" };

    if (asked && *asked) {
        void *handle = dlopen(asked, RTLD_NOW | RTLD_LOCAL);
        if (!handle)
            err_set(err, RC_FATAL, "cannot open DuckDB at '%s': %s; set HAUS_DUCKDB_LIB", asked, dlerror());
        return handle;
    }
    for (size_t i = 0; i < ARRAY_LEN(places); i++) {
        void *handle = places[i] ? dlopen(places[i], RTLD_NOW | RTLD_LOCAL) : NULL;
        if (handle)
            return handle;
    }
    err_set(err, RC_FATAL, "cannot open DuckDB: %s; install libduckdb.so beside the program or set HAUS_DUCKDB_LIB",
            dlerror());
    return NULL;
}

static enum rc bind_all(void *handle, struct err *err)
{
    static const char *const names[] = {
#define DUCK_NAME(name) "duckdb_" #name,
        DUCK_FUNCTIONS(DUCK_NAME)
#undef DUCK_NAME
    };
    void **slots = (void **)(void *)&duck; /* a struct of function pointers only, in the order of the list */

    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        slots[i] = dlsym(handle, names[i]);
        if (!slots[i])
            return err_set(err, RC_FATAL, "this DuckDB has no function '%s'; version 1.4 or later is needed", names[i]);
    }
    return RC_OK;
}

enum rc duck_load(const char *library, struct err *err)
{
    enum rc rc = RC_OK;

    pthread_mutex_lock(&load_lock);
    if (!loaded) {
        void *handle = open_library(library, err);
        rc = handle ? bind_all(handle, err) : RC_FATAL;
        loaded = rc == RC_OK;
    }
    pthread_mutex_unlock(&load_lock);
    return rc;
}

enum rc duck_open(const struct duck_options *options, struct duck_session *out, struct err *err)
{
    CLEANUP_FREE char *memory = mem_printf("%lldMiB", (long long)(options->memory_bytes >> 20));
    CLEANUP_FREE char *threads = mem_printf("%d", options->threads);
    const char *const rows[][2] = {
        { "memory_limit", memory },
        { "threads", threads },
        { "temp_directory", options->scratch },
        { "autoinstall_known_extensions", "false" },
        { "autoload_known_extensions", "false" },
        { "preserve_insertion_order", "false" },
    };
    duckdb_config config = NULL;
    char *why = NULL;

    *out = (struct duck_session){ 0 };
    enum rc rc = duck_load(options->library, err);
    if (rc)
        return rc;
    if (duck.create_config(&config))
        return err_set(err, RC_FATAL, "cannot configure DuckDB");
    for (size_t i = 0; i < ARRAY_LEN(rows) && !rc; i++)
        if (duck.set_config(config, rows[i][0], rows[i][1]))
            rc = err_set(err, RC_FATAL, "cannot set DuckDB's %s to '%s'", rows[i][0], rows[i][1]);
    if (!rc && duck.open_ext(NULL, &out->database, config, &why))
        rc = err_set(err, RC_FATAL, "cannot open DuckDB: %s", why ? why : "no reason given");
    duck.free(why);
    duck.destroy_config(&config);
    if (!rc && duck.connect(out->database, &out->connection))
        rc = err_set(err, RC_FATAL, "cannot connect to DuckDB");
    if (!rc)
        rc = duck_run(out, "SET TimeZone = 'UTC'", err);
    if (rc)
        duck_close(out);
    return rc;
}

void duck_close(struct duck_session *session)
{
    if (session->connection)
        duck.disconnect(&session->connection);
    if (session->database)
        duck.close(&session->database);
    *session = (struct duck_session){ 0 };
}

/*
 * "\nLINE 2: SELECT nosuch FROM t" and below it a caret.  0: no picture, or one that does not show the line from its
 * beginning.
 */
static int caret_column(const char *picture)
{
    const char *text = strchr(picture, ':'), *below = text ? strchr(text, '\n') : NULL;
    const char *caret = below ? strchr(below, '^') : NULL;

    if (!caret || strncmp(text, ": ...", 5) == 0)
        return 0;
    return (int)((caret - below) - (text + 2 - picture));
}

enum rc duck_refusal(const char *words, struct err *err)
{
    CLEANUP(buf_free) struct buf line = { 0 };
    const char *picture = words ? strstr(words, "\nLINE ") : NULL;
    size_t n = picture ? (size_t)(picture - words) : strlen(words ? words : "");
    struct str left = str_trim(str_n(words ? words : "", n));

    for (size_t i = 0; i < left.len; i++)
        if (left.p[i] != '\n')
            buf_putc(&line, left.p[i]);
        else if (line.len && line.data[line.len - 1] != ' ')
            buf_putc(&line, ' ');
    int column = picture ? caret_column(picture + 1) : 0;
    if (column > 0)
        buf_printf(&line, " (line %d, column %d)", atoi(picture + strlen("\nLINE ")), column);
    return err_set(err, RC_BAD_INPUT, "%s", line.len ? buf_cstr(&line) : "the statement failed");
}

enum rc duck_run(struct duck_session *session, const char *sql, struct err *err)
{
    duckdb_result result;
    enum rc rc = RC_OK;

    if (duck.query(session->connection, sql, &result))
        rc = duck_refusal(duck.result_error(&result), err);
    duck.destroy_result(&result);
    return rc;
}

enum rc duck_number(struct duck_session *session, const char *sql, int64_t *out, struct err *err)
{
    duckdb_result result;
    enum rc rc = RC_OK;

    if (duck.query(session->connection, sql, &result))
        rc = duck_refusal(duck.result_error(&result), err);
    duckdb_data_chunk chunk = rc ? NULL : duck.fetch_chunk(result);
    if (!rc && chunk && duck.data_chunk_get_size(chunk)) {
        duckdb_vector v = duck.data_chunk_get_vector(chunk, 0);
        if (!duck_is_null(duck.vector_get_validity(v), 0))
            *out = *(int64_t *)duck.vector_get_data(v);
    }
    if (chunk)
        duck.destroy_data_chunk(&chunk);
    duck.destroy_result(&result);
    return rc;
}

static void put_quoted(struct buf *out, struct str s, char quote)
{
    buf_putc(out, quote);
    for (size_t i = 0; i < s.len; i++) {
        if (s.p[i] == quote)
            buf_putc(out, quote);
        buf_putc(out, s.p[i]);
    }
    buf_putc(out, quote);
}

void duck_put_text(struct buf *out, struct str s)
{
    put_quoted(out, s, '\'');
}

void duck_put_name(struct buf *out, struct str s)
{
    put_quoted(out, s, '"');
}
