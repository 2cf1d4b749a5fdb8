/* What ancestors knew that the newest metadata does not hold any more. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../memory_io.h"
#include "lake/iceberg/iceberg.h"

#define PLACE "s3a://lake/t"

enum { VERSIONS_MAX = 6 };

/* "1=a 2<1": snapshot 1 with the value a and without a parent; 2, whose parent is 1, without a value */
struct version {
    int64_t current;
    const char *snapshots;
};

static json_t *snapshots_json(const char *text)
{
    json_t *list = json_array();
    struct str rest = str_of(text), word;

    while (str_cut(&rest, ' ', &word)) {
        int64_t id = word.p[0] - '0';
        json_t *summary = json_object();
        json_t *snapshot = json_pack("{s:I, s:o}", "snapshot-id", (json_int_t)id, "summary", summary);
        for (size_t i = 1; i + 1 < word.len; i += 2)
            if (word.p[i] == '<')
                json_object_set_new(snapshot, "parent-snapshot-id", json_integer(word.p[i + 1] - '0'));
            else
                json_object_set_new(summary, "key", json_stringn(word.p + i + 1, 1));
        json_array_append_new(list, snapshot);
    }
    return list;
}

static void put_version(struct memory_store *store, int number, const struct version *version, const json_t *log)
{
    CLEANUP_FREE char *path = mem_printf("lake/t/metadata/v%d.metadata.json", number);
    json_t *m =
        json_pack("{s:i, s:s, s:i, s:[{s:i, s:[]}], s:i, s:[{s:i, s:[]}], s:I, s:o, s:O}", "format-version", 2,
                  "location", PLACE, "current-schema-id", 0, "schemas", "schema-id", 0, "fields", "default-spec-id", 0,
                  "partition-specs", "spec-id", 0, "fields", "current-snapshot-id", (json_int_t)version->current,
                  "snapshots", snapshots_json(version->snapshots), "metadata-log", log);
    CLEANUP_FREE char *text = json_dumps(m, JSON_COMPACT);

    memory_put(store, path, text);
    json_decref(m);
}

/* The newest of some versions; its log keeps so many, the first `gone` are not there. */
static struct iceberg_table *table_of(struct memory_store *store, const struct iceberg_io *io,
                                      const struct version *versions, int kept, int gone)
{
    struct iceberg_table *table = NULL;
    struct err err = { 0 };
    json_t *log = json_array();

    for (int i = 0; i < VERSIONS_MAX && versions[i].snapshots; i++) {
        if (i >= gone)
            put_version(store, i + 1, &versions[i], log);
        CLEANUP_FREE char *file = mem_printf(PLACE "/metadata/v%d.metadata.json", i + 1);
        json_array_append_new(log, json_pack("{s:i, s:s}", "timestamp-ms", i, "metadata-file", file));
        if (i >= kept)
            json_array_remove(log, 0);
    }
    json_decref(log);
    if (iceberg_open(io, PLACE, &table, &err))
        fail_msg("%s", err.text);
    return table;
}

static void the_line_is_followed_through_earlier_versions(void **state)
{
    static const struct {
        const char *what;
        struct version versions[VERSIONS_MAX];
        const char *value;
    } cases[] = {
        { "at hand", { { 1, "1=a" }, { 2, "1=a 2<1" } }, "a" },
        { "expired", { { 1, "1=a" }, { 2, "1=a 2<1" }, { 2, "2<1" } }, "a" },
        { "expired twice", { { 1, "1=a" }, { 2, "1=a 2<1" }, { 3, "2<1 3<2" }, { 3, "3<2" } }, "a" },
        { "rolled back, then expired",
          { { 1, "1=a" }, { 2, "1=a 2<1=b" }, { 1, "1=a 2<1=b" }, { 3, "1=a 2<1=b 3<1" }, { 3, "3<1" } },
          "a" },
        { "on the newer, then expired",
          { { 1, "1=a" }, { 2, "1=a 2<1=b" }, { 3, "1=a 2<1=b 3<2" }, { 3, "3<2" } },
          "b" },
        { "replaced", { { 1, "1=a" }, { 2, "1=a 2" } }, "a" },
        { "replaced, then expired", { { 1, "1=a" }, { 2, "1=a 2" }, { 2, "2" } }, "a" },
        { "replaced after a rollback",
          { { 1, "1=a" }, { 2, "1=a 2<1=b" }, { 1, "1=a 2<1=b" }, { 3, "1=a 2<1=b 3" } },
          "a" },
        { "replaced by nothing", { { 1, "1=a" }, { -1, "1=a" } }, "a" },
        { "rolled back to before it", { { 1, "1" }, { 2, "1 2<1=a" }, { 1, "1 2<1=a" } }, NULL },
        { "never there", { { -1, "" }, { 1, "1" }, { 2, "1 2<1" } }, NULL },
        { "no snapshot at all", { { -1, "" } }, NULL },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct memory_store store = { 0 };
        struct iceberg_io io;
        struct err err = { 0 };
        char *value = NULL;
        memory_io(&io, &store);
        struct iceberg_table *table = table_of(&store, &io, cases[i].versions, VERSIONS_MAX, 0);
        if (iceberg_summary_find(&io, table, "key", &value, &err))
            fail_msg("%s: %s", cases[i].what, err.text);
        if (!value != !cases[i].value || (value && strcmp(value, cases[i].value) != 0))
            fail_msg("%s: '%s' is not '%s'", cases[i].what, value ? value : "none",
                     cases[i].value ? cases[i].value : "none");
        free(value);
        iceberg_close(table);
        memory_store_free(&store);
    }
}

static void what_is_gone_is_not_guessed(void **state)
{
    static const struct {
        struct version versions[VERSIONS_MAX];
        int kept, gone;
    } cases[] = {
        /* the file that knew was deleted */
        { { { 1, "1=a" }, { 2, "1=a 2<1" }, { 2, "2<1" } }, VERSIONS_MAX, 2 },
        /* the log forgot it */
        { { { 1, "1=a" }, { 2, "1=a 2<1" }, { 2, "2<1" }, { 2, "2<1" } }, 1, 0 },
        /* replaced or rolled back? */
        { { { 1, "1=a" }, { 2, "1=a 2" }, { 2, "2" }, { 2, "2" } }, 1, 0 },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct memory_store store = { 0 };
        struct iceberg_io io;
        struct err err = { 0 };
        char *value = NULL;
        memory_io(&io, &store);
        struct iceberg_table *table = table_of(&store, &io, cases[i].versions, cases[i].kept, cases[i].gone);
        assert_int_equal(iceberg_summary_find(&io, table, "key", &value, &err), RC_NOT_FOUND);
        assert_null(value);
        iceberg_close(table);
        memory_store_free(&store);
    }
}

static void an_earlier_version_is_found_by_its_snapshot(void **state)
{
    const struct version versions[VERSIONS_MAX] = { { 1, "1=a" }, { 2, "1=a 2<1" }, { 3, "2<1 3<2" }, { 3, "3<2" } };
    struct memory_store store = { 0 };
    struct iceberg_io io;
    struct err err = { 0 };
    struct iceberg_table *earlier = NULL;

    (void)state;
    memory_io(&io, &store);
    struct iceberg_table *table = table_of(&store, &io, versions, VERSIONS_MAX, 0);
    assert_int_equal(iceberg_open_earlier(&io, table, 1, &earlier, &err), RC_OK);
    assert_int_equal(earlier->current->id, 2); /* the newest of two that have it */
    iceberg_close(earlier);
    assert_int_equal(iceberg_open_earlier(&io, table, 9, &earlier, &err), RC_NOT_FOUND);
    iceberg_close(table);
    memory_store_free(&store);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_line_is_followed_through_earlier_versions),
        cmocka_unit_test(what_is_gone_is_not_guessed),
        cmocka_unit_test(an_earlier_version_is_found_by_its_snapshot),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
