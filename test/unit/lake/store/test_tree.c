/* Keys of any length in order; writes in groups; a map that grows. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "disk/disk.h"
#include "lake/store/listing.h"
#include "lake/store/object.h"

static char home[64];
static struct index *lake_index;

static int open_index(void **state)
{
    struct err err = { 0 };

    (void)state;
    snprintf(home, sizeof home, "/tmp/haus-test-XXXXXX");
    assert_non_null(mkdtemp(home));
    index_map_first = 1 << 20;
    if (index_open(home, &lake_index, &err))
        fail_msg("%s", err.text);
    return 0;
}

static int close_index(void **state)
{
    (void)state;
    index_close(lake_index);
    return disk_remove_tree(home, NULL) ? -1 : 0;
}

enum { KEYS = 300 };
static uint64_t node, neighbour;
static char *keys[KEYS];

/* Few letters and lengths around the segment's, so that much is shared. */
static char *make_key(unsigned *seed)
{
    static const int lengths[] = { 1, 2, 5, 479, 480, 481, 959, 960, 961, 1024 };
    int n = lengths[(unsigned)rand_r(seed) % ARRAY_LEN(lengths)];
    char *key = mem_alloc((size_t)n + 1);

    memset(key, 'm', (size_t)n);
    for (int i = 0; i < 4; i++)
        key[rand_r(seed) % n] = (char)('k' + rand_r(seed) % 5);
    return key;
}

static int compare(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static enum s3_error put_keys(struct index_txn *txn, void *user)
{
    (void)user;
    node = index_new_node(txn);
    neighbour = index_new_node(txn);
    for (int i = 0; i < KEYS; i++)
        tree_put(txn, node, str_of(keys[i]), str_of(keys[i]));
    tree_put(txn, neighbour, STR("neighbour"), STR("x"));
    return S3_NONE;
}

static enum s3_error delete_keys(struct index_txn *txn, void *user)
{
    bool *all = user;

    *all = true;
    for (int i = 0; i < KEYS; i++)
        if (i == 0 || strcmp(keys[i], keys[i - 1]) != 0)
            *all &= tree_delete(txn, node, str_of(keys[i]));
    *all &= tree_is_empty(txn, node) && !tree_is_empty(txn, neighbour);
    return S3_NONE;
}

static void a_walk_over_long_and_short_keys_is_in_order_and_complete(void **state)
{
    struct buf key = { 0 }, from = { 0 };
    struct str record = { 0 };
    unsigned seed = 5;
    bool gone = false;
    int i = 0;

    (void)state;
    for (int k = 0; k < KEYS; k++)
        keys[k] = make_key(&seed);
    assert_int_equal(index_write(lake_index, put_keys, NULL), S3_NONE);
    qsort(keys, KEYS, sizeof keys[0], compare);
    struct index_txn *txn = index_read_begin(lake_index);
    while (tree_seek(txn, node, buf_str(&from), &key, &record)) {
        assert_true(i < KEYS);
        assert_string_equal(buf_cstr(&key), keys[i]);
        assert_true(str_eq(record, buf_str(&key)));
        assert_true(tree_get(txn, node, buf_str(&key), &record));
        while (i + 1 < KEYS && strcmp(keys[i], keys[i + 1]) == 0)
            i++;
        i++;
        buf_clear(&from);
        buf_put_str(&from, buf_str(&key));
        buf_putc(&from, '\0');
    }
    assert_int_equal(i, KEYS);
    assert_false(tree_get(txn, node, STR("no such key"), &record));
    index_read_end(&txn);
    assert_int_equal(index_write(lake_index, delete_keys, &gone), S3_NONE);
    assert_true(gone);
    for (int k = 0; k < KEYS; k++)
        free(keys[k]);
    buf_free(&key);
    buf_free(&from);
}

static enum s3_error put_a_mebibyte(struct index_txn *txn, void *user)
{
    static char bytes[64 << 10];
    char name[32];

    for (int i = 0; i < 16; i++) {
        snprintf(name, sizeof name, "%d-%d", *(int *)user, i);
        index_put(txn, INDEX_META, str_of(name), str_n(bytes, sizeof bytes));
    }
    return S3_NONE;
}

static void the_map_grows_when_it_is_full(void **state)
{
    struct str value = { 0 };

    (void)state;
    for (int i = 0; i < 5; i++)
        assert_int_equal(index_write(lake_index, put_a_mebibyte, &i), S3_NONE);
    struct index_txn *txn = index_read_begin(lake_index);
    assert_true(index_get(txn, INDEX_META, STR("0-0"), &value));
    assert_true(index_get(txn, INDEX_META, STR("4-15"), &value));
    assert_int_equal(value.len, 64 << 10);
    index_read_end(&txn);
}

static enum s3_error refuse(struct index_txn *txn, void *user)
{
    (void)txn, (void)user;
    return S3_PRECONDITION_FAILED;
}

static void a_refused_write_is_told_and_changes_nothing(void **state)
{
    (void)state;
    assert_int_equal(index_write(lake_index, refuse, NULL), S3_PRECONDITION_FAILED);
    assert_int_equal(bucket_create(lake_index, STR("abc")), S3_NONE);
    assert_int_equal(bucket_create(lake_index, STR("abc")), S3_NONE);
    assert_int_equal(bucket_delete(lake_index, STR("abc")), S3_NONE);
    assert_int_equal(bucket_delete(lake_index, STR("abc")), S3_NO_SUCH_BUCKET);
}

/* -------------------------------------------------------------- listings */

struct model {
    struct buf want, got;
};

static void on_object(void *user, struct str key, const struct record *head)
{
    (void)head;
    buf_printf(&((struct model *)user)->got, "K %.*s\n", STR_ARG(key));
}

static void on_prefix(void *user, struct str prefix)
{
    buf_printf(&((struct model *)user)->got, "P %.*s\n", STR_ARG(prefix));
}

static void put_named(const char *key)
{
    struct blob_writer writer = { 0 };
    struct record record = { .etag = "e" };
    struct conditions always = { 0 };
    struct object_put put = { STR("lists"), str_of(key), &always, &record, &writer };
    struct err err = { 0 };

    blob_begin(index_blobs(lake_index), &writer);
    assert_int_equal(blob_finish(&writer, &err), RC_OK);
    assert_int_equal(object_put(lake_index, &put), S3_NONE);
    blob_end(&writer, true);
}

/* Rows of the sorted keys, the naive way. */
static void naive(char *const *sorted, int count, const char *prefix, const char *delimiter, struct buf *out)
{
    char last[64] = "";

    for (int i = 0; i < count; i++) {
        if (strncmp(sorted[i], prefix, strlen(prefix)) != 0)
            continue;
        const char *at = delimiter[0] ? strstr(sorted[i] + strlen(prefix), delimiter) : NULL;
        if (!at) {
            buf_printf(out, "K %s\n", sorted[i]);
            continue;
        }
        int n = (int)(at - sorted[i]) + (int)strlen(delimiter);
        if (strncmp(last, sorted[i], (size_t)n) == 0 && last[n] == '\0')
            continue;
        snprintf(last, sizeof last, "%.*s", n, sorted[i]);
        buf_printf(out, "P %s\n", last);
    }
}

static void walk(const char *prefix, const char *delimiter, size_t max, bool by_marker, struct model *model)
{
    struct index_txn *txn = index_read_begin(lake_index);
    struct buf from = { 0 };
    struct bucket bucket = { 0 };
    bool more = true;

    assert_int_equal(bucket_find(txn, STR("lists"), &bucket), S3_NONE);
    while (more) {
        struct listing page = { .prefix = str_of(prefix),
                                .delimiter = str_of(delimiter),
                                .max = max,
                                .on_object = on_object,
                                .on_prefix = on_prefix,
                                .user = model };
        if (by_marker && from.len)
            page.after = buf_str(&from);
        else if (from.len)
            page.from = buf_str(&from);
        listing_run(txn, &bucket, &page);
        assert_true(page.count <= max);
        more = page.truncated;
        struct buf next = { 0 };
        buf_put_str(&next, buf_str(by_marker ? &page.last : &page.next));
        buf_free(&from);
        from = next;
        listing_free(&page);
    }
    buf_free(&from);
    index_read_end(&txn);
}

static void listings_are_those_of_the_naive_model(void **state)
{
    static char *names[] = { "a",    "a/",  "a/b", "a/b/c",  "a/c",      "a0",      "aa",    "b",     "b//",
                             "b//c", "b/d", "c/",  "d/\xff", "d/\xff/x", "e\xff/1", "\xff/", "\xff/z" };
    static const char *const prefixes[] = { "", "a", "a/", "b/", "b//", "c/", "d", "\xff", "z" };
    static const char *const delimiters[] = { "", "/", "//", "b" };

    (void)state;
    assert_int_equal(bucket_create(lake_index, STR("lists")), S3_NONE);
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        put_named(names[i]);
    qsort(names, ARRAY_LEN(names), sizeof names[0], compare);
    for (size_t p = 0; p < ARRAY_LEN(prefixes); p++)
        for (size_t d = 0; d < ARRAY_LEN(delimiters); d++)
            for (size_t max = 1; max < 6; max++)
                for (int by_marker = 0; by_marker < 2; by_marker++) {
                    struct model model = { 0 };
                    naive(names, ARRAY_LEN(names), prefixes[p], delimiters[d], &model.want);
                    walk(prefixes[p], delimiters[d], max, by_marker, &model);
                    assert_string_equal(buf_cstr(&model.got), buf_cstr(&model.want));
                    buf_free(&model.got);
                    buf_free(&model.want);
                }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_walk_over_long_and_short_keys_is_in_order_and_complete),
        cmocka_unit_test(the_map_grows_when_it_is_full),
        cmocka_unit_test(a_refused_write_is_told_and_changes_nothing),
        cmocka_unit_test(listings_are_those_of_the_naive_model),
    };

    return cmocka_run_group_tests(tests, open_index, close_index);
}
