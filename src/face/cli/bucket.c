/* haus bucket ls|cat. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "face/cli/command.h"
#include "wire/avro/avro.h"

/* "raw/kafka/x", "s3://raw/kafka/x" -> bucket and key; both owned */
static void split(const char *text, char **bucket, char **key)
{
    struct str rest = str_of(text), first = { 0 };

    if (str_starts(rest, "s3://") || str_starts(rest, "s3a://"))
        rest = str_skip(rest, (size_t)(strstr(text, "//") + 2 - text));
    str_cut(&rest, '/', &first);
    *bucket = str_dup(first);
    *key = rest.p ? str_dup(rest) : mem_strdup("");
}

static bool recursive;

static enum exit_code list_buckets(struct s3_client *client, struct err *err)
{
    static const struct listing_column columns[] = { { "bucket", false } };
    struct listing listing = { columns, 1, NULL, 0 };
    char **names = NULL;
    size_t count = 0;

    if (s3_list_buckets(client, &names, &count, err))
        return fail_err(err);
    for (size_t i = 0; i < count; i++) {
        listing_add(&listing, names[i]);
        free(names[i]);
    }
    free(names);
    listing_print(&listing);
    return EXIT_DONE;
}

static enum exit_code list_objects(struct s3_client *client, const char *path, struct err *err)
{
    static const struct listing_column columns[] = { { "key", false }, { "size", true }, { "modified", false } };
    struct listing listing = { columns, ARRAY_LEN(columns), NULL, 0 };
    CLEANUP_FREE char *bucket = NULL, *prefix = NULL;
    struct s3_listing found = { 0 };

    split(path, &bucket, &prefix);
    if (s3_list(client, bucket, prefix, recursive ? NULL : "/", NULL, &found, err))
        return fail_err(err);
    for (size_t i = 0; i < found.prefix_count; i++)
        listing_add(&listing, found.prefixes[i], NULL, NULL);
    for (size_t i = 0; i < found.count; i++) {
        CLEANUP_FREE char *size = mem_printf("%llu", (unsigned long long)found.objects[i].size);
        char when[CLOCK_TEXT_MAX];
        clock_format_iso(found.objects[i].modified_ms, when);
        listing_add(&listing, found.objects[i].key, size, when);
    }
    s3_listing_free(&found);
    listing_print(&listing);
    return EXIT_DONE;
}

static enum exit_code ls(struct house *house, int argc, char **argv)
{
    enum exit_code code = command_needs(house, "store");
    struct err err = { 0 };

    if (code)
        return code;
    struct s3_client *client = command_s3(house);
    code = argc ? list_objects(client, argv[0], &err) : list_buckets(client, &err);
    s3_client_free(client);
    return code;
}

const struct command command_bucket_ls = {
    .name = "bucket ls",
    .summary = "buckets, or what lies in one",
    .usage = "[-r] [bucket[/prefix]]",
    .args_max = 1,
    .options = { { "--recursive", 'r', OPTION_FLAG, &recursive, NULL, "all keys, not folder by folder" } },
    .lists = true,
    .run = ls,
};

/* ------------------------------------------------------------------- cat */

static bool as_bytes;

static enum rc print_block(const struct avro_block *block, const struct avro_schema *schema, struct err *err)
{
    struct avro_reader reader = avro_reader_of(block->bytes);

    for (uint64_t i = 0; i < block->objects && !avro_reader_failed(&reader); i++) {
        CLEANUP(buf_free) struct buf text = { 0 };
        avro_to_json(&reader, schema, AVRO_JSON_PLAIN, &text);
        puts(buf_cstr(&text));
    }
    return avro_reader_check(&reader, "block", err);
}

static enum rc print_avro(struct str bytes, const char *name, struct err *err)
{
    struct avro_file_reader *reader = NULL;
    struct avro_block block = { 0 };
    enum rc rc = avro_file_open(bytes, name, &reader, err);

    while (!rc && !(rc = avro_file_next(reader, &block, err)))
        rc = print_block(&block, avro_root(avro_file_schema(reader)), err);
    avro_file_reader_free(reader);
    return rc == RC_AGAIN ? RC_OK : rc;
}

static enum exit_code cat(struct house *house, int argc, char **argv)
{
    CLEANUP_FREE char *bucket = NULL, *key = NULL;
    CLEANUP(buf_free) struct buf bytes = { .max = (size_t)2 << 30 };
    struct err err = { 0 };

    (void)argc;
    split(argv[0], &bucket, &key);
    if (!bucket[0] || !key[0])
        return fail(EXIT_USAGE, "'%s' does not name an object; write bucket/key", argv[0]);
    enum exit_code code = command_needs(house, "store");
    if (code)
        return code;
    struct s3_client *client = command_s3(house);
    enum rc rc = s3_get(client, bucket, key, &bytes, &err);
    s3_client_free(client);
    if (!rc && !as_bytes && str_starts(buf_str(&bytes), "Obj\x01"))
        rc = print_avro(buf_str(&bytes), argv[0], &err);
    else if (!rc)
        fwrite(buf_cstr(&bytes), 1, bytes.len, stdout);
    return rc ? fail_err(&err) : EXIT_DONE;
}

const struct command command_bucket_cat = {
    .name = "bucket cat",
    .summary = "an object's bytes; Avro files as JSON, a record a line",
    .usage = "[--bytes] <bucket/key>",
    .args_min = 1,
    .args_max = 1,
    .options = { { "--bytes", 0, OPTION_FLAG, &as_bytes, NULL, "as it is, Avro too" } },
    .run = cat,
};
