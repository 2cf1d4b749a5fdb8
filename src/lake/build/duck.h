/*
 * DuckDB, opened at run time: a program that never builds never loads its 65 MB.  The functions that we use
 * are rows of one list; duck_open() binds them all or says which is missing.
 *
 * The library is $HAUS_DUCKDB_LIB, or libduckdb.so beside the executable, or the one the build was made with.
 *
 * Private to lake/build.
 */
#ifndef LAKE_BUILD_DUCK_H
#define LAKE_BUILD_DUCK_H

#include <duckdb.h>

#include "base/base.h"

#define DUCK_FUNCTIONS(X)                                                                                              \
    X(library_version)                                                                                                 \
    X(open_ext)                                                                                                        \
    X(close)                                                                                                           \
    X(create_config)                                                                                                   \
    X(set_config)                                                                                                      \
    X(destroy_config)                                                                                                  \
    X(free)                                                                                                            \
    X(connect)                                                                                                         \
    X(disconnect)                                                                                                      \
    X(interrupt)                                                                                                       \
    X(query)                                                                                                           \
    X(prepare)                                                                                                         \
    X(prepare_error)                                                                                                   \
    X(destroy_prepare)                                                                                                 \
    X(pending_prepared_streaming)                                                                                      \
    X(pending_error)                                                                                                   \
    X(execute_pending)                                                                                                 \
    X(destroy_pending)                                                                                                 \
    X(extract_statements)                                                                                              \
    X(extract_statements_error)                                                                                        \
    X(prepare_extracted_statement)                                                                                     \
    X(destroy_extracted)                                                                                               \
    X(result_error)                                                                                                    \
    X(destroy_result)                                                                                                  \
    X(column_count)                                                                                                    \
    X(column_name)                                                                                                     \
    X(column_logical_type)                                                                                             \
    X(fetch_chunk)                                                                                                     \
    X(data_chunk_get_size)                                                                                             \
    X(data_chunk_set_size)                                                                                             \
    X(data_chunk_get_vector)                                                                                           \
    X(data_chunk_get_column_count)                                                                                     \
    X(destroy_data_chunk)                                                                                              \
    X(vector_size)                                                                                                     \
    X(vector_get_data)                                                                                                 \
    X(vector_get_validity)                                                                                             \
    X(vector_ensure_validity_writable)                                                                                 \
    X(vector_assign_string_element_len)                                                                                \
    X(list_vector_get_child)                                                                                           \
    X(list_vector_get_size)                                                                                            \
    X(struct_vector_get_child)                                                                                         \
    X(create_logical_type)                                                                                             \
    X(create_decimal_type)                                                                                             \
    X(destroy_logical_type)                                                                                            \
    X(get_type_id)                                                                                                     \
    X(decimal_width)                                                                                                   \
    X(decimal_scale)                                                                                                   \
    X(create_table_function)                                                                                           \
    X(destroy_table_function)                                                                                          \
    X(table_function_set_name)                                                                                         \
    X(table_function_set_extra_info)                                                                                   \
    X(table_function_set_bind)                                                                                         \
    X(table_function_set_init)                                                                                         \
    X(table_function_set_local_init)                                                                                   \
    X(table_function_set_function)                                                                                     \
    X(register_table_function)                                                                                         \
    X(bind_get_extra_info)                                                                                             \
    X(bind_add_result_column)                                                                                          \
    X(bind_set_cardinality)                                                                                            \
    X(init_get_extra_info)                                                                                             \
    X(init_set_max_threads)                                                                                            \
    X(init_set_init_data)                                                                                              \
    X(init_set_error)                                                                                                  \
    X(function_get_extra_info)                                                                                         \
    X(function_get_local_init_data)                                                                                    \
    X(function_set_error)

/* duck.query(...) is duckdb_query(...) of the opened library. */
#define DUCK_MEMBER(name) __typeof__(&duckdb_##name) name;
struct duck {
    DUCK_FUNCTIONS(DUCK_MEMBER)
};
#undef DUCK_MEMBER
extern struct duck duck;

/* Opens the library once a process; later calls do nothing.  library: NULL for the places named above. */
MUST_CHECK enum rc duck_load(const char *library, struct err *err);

struct duck_options {
    const char *library;  /* setting HAUS_DUCKDB_LIB, or NULL */
    const char *scratch;  /* folder for spilled data */
    int64_t memory_bytes; /* limit of its memory */
    int threads;
};
struct duck_session {
    duckdb_database database;
    duckdb_connection connection;
};
/* A database in memory, without extensions from the network, in UTC. */
MUST_CHECK enum rc duck_open(const struct duck_options *options, struct duck_session *out, struct err *err);
void duck_close(struct duck_session *session); /* { 0 } is fine */
/* Runs one statement and forgets its result. */
MUST_CHECK enum rc duck_run(struct duck_session *session, const char *sql, struct err *err);
/* The first row, first column of a query as a number; null: fallback. */
MUST_CHECK enum rc duck_number(struct duck_session *session, const char *sql, int64_t *out, struct err *err);

/* DuckDB's words as one line: what is wrong, and the place that its picture of the statement points at.  RC_BAD_INPUT.
 */
enum rc duck_refusal(const char *words, struct err *err);

/* Text of a VARCHAR element; valid as long as its vector. */
static inline struct str duck_text(const duckdb_string_t *s)
{
    return s->value.inlined.length <= 12 ? (struct str){ s->value.inlined.inlined, s->value.inlined.length }
                                         : (struct str){ s->value.pointer.ptr, s->value.pointer.length };
}
static inline bool duck_is_null(const uint64_t *validity, idx_t row)
{
    return validity && !(validity[row / 64] >> (row % 64) & 1);
}
/* 'it''s' and "a ""b""" */
void duck_put_text(struct buf *out, struct str s);
void duck_put_name(struct buf *out, struct str s);

#endif
