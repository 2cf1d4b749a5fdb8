/* What event_options_new() read; private to this folder.  Names are cdc options of Debezium 2.5.4. */
#ifndef STREAM_CONNECT_POSTGRES_OPTIONS_H
#define STREAM_CONNECT_POSTGRES_OPTIONS_H

#include "base/base.h"
#include "stream/connect/postgres/event.h"

enum decimal_mode { DECIMAL_PRECISE, DECIMAL_STRING, DECIMAL_DOUBLE };
enum time_mode { TIME_ADAPTIVE, TIME_ADAPTIVE_MICROSECONDS, TIME_CONNECT };
enum binary_mode { BINARY_BYTES, BINARY_BASE64, BINARY_BASE64_URL, BINARY_HEX };
enum interval_mode { INTERVAL_NUMERIC, INTERVAL_STRING };
enum hstore_mode { HSTORE_JSON, HSTORE_MAP };
enum name_mode { NAME_NONE, NAME_AVRO, NAME_AVRO_UNICODE };
enum failure_mode { FAILURE_FAIL, FAILURE_WARN, FAILURE_SKIP };

enum { KEY_RULES_MAX = 256, REGEX_LIST_MAX = 1024 };

struct regex_list; /* comma list of Java regexes, full match, any case; PCRE2 */

struct key_rule {
    struct regex_list *table; /* of "schema.table" */
    char **columns;
    size_t column_count;
};

struct event_options {
    char *prefix, *delimiter, *database, *heartbeat_prefix, *transaction_topic;
    enum decimal_mode decimal;
    enum time_mode time;
    enum binary_mode binary;
    enum interval_mode interval;
    enum hstore_mode hstore;
    enum name_mode schema_names, field_names;
    enum failure_mode failure;
    int money_digits;
    bool include_unknown;
    struct buf placeholder; /* bytes as configured */
    char *placeholder_text; /* as text: what is not UTF-8 is U+FFFD */
    size_t placeholder_text_len;
    struct regex_list *column_include, *column_exclude; /* NULL: not set */
    struct key_rule *key_rules;
    size_t key_rule_count;
};

MUST_CHECK enum rc regex_list_new(const char *setting, struct str text, struct regex_list **out, struct err *err);
void regex_list_free(struct regex_list *list);
bool regex_list_matches(const struct regex_list *list, struct str subject);

/* Names as schema.name.adjustment.mode / field.name.adjustment.mode make them. */
void name_adjust_schema(enum name_mode mode, struct str name, struct buf *out);
void name_adjust_field(enum name_mode mode, struct str name, struct buf *out);
/* What Kafka does not take in a topic becomes '_'; at most 249 bytes. */
void name_sanitize_topic(struct str name, struct buf *out);

#endif
