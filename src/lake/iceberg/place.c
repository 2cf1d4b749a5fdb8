/* Where a table's files are: locations as text, and the S3 side of struct iceberg_io. */
#include <string.h>

#include "lake/iceberg/table.h"

static enum rc s3_io_get(void *user, const char *bucket, const char *key, struct buf *out, struct err *err)
{
    return s3_get(user, bucket, key, out, err);
}

static enum rc s3_io_put(void *user, const char *bucket, const char *key, struct str body, bool if_absent,
                         struct err *err)
{
    const char *type = strstr(key, ".json") ? "application/json" : "application/octet-stream";

    return s3_put(user, bucket, key, body, type, if_absent ? S3_IF_ABSENT : S3_ALWAYS, NULL, err);
}

static enum rc s3_io_put_file(void *user, const char *bucket, const char *key, int fd, uint64_t size, struct err *err)
{
    return s3_put_file(user, bucket, key, fd, size, "application/vnd.apache.parquet", err);
}

static enum rc s3_io_get_file(void *user, const char *bucket, const char *key, int fd, struct err *err)
{
    return s3_get_to_file(user, bucket, key, fd, err);
}

static enum rc s3_io_remove(void *user, const char *bucket, const char *key, struct err *err)
{
    enum rc rc = s3_delete(user, bucket, key, err);

    return rc == RC_NOT_FOUND ? RC_OK : rc;
}

static enum rc s3_io_list(void *user, const char *bucket, const char *prefix, const char *delimiter,
                          struct s3_listing *out, struct err *err)
{
    return s3_list(user, bucket, prefix, delimiter, NULL, out, err);
}

void iceberg_io_s3(struct iceberg_io *io, struct s3_client *client)
{
    *io = (struct iceberg_io){ .user = client,
                               .get = s3_io_get,
                               .put = s3_io_put,
                               .put_file = s3_io_put_file,
                               .get_file = s3_io_get_file,
                               .remove = s3_io_remove,
                               .list = s3_io_list };
}

enum rc iceberg_split_location(const char *location, char **bucket, char **key, struct err *err)
{
    struct str s = str_of(location), scheme = { 0 };
    const char *colon = location ? strstr(location, "://") : NULL;

    if (colon) {
        scheme = str_n(location, (size_t)(colon - location));
        s = str_of(colon + 3);
    }
    if (!str_is(scheme, "s3") && !str_is(scheme, "s3a") && !str_is(scheme, "s3n"))
        return err_set(err, RC_BAD_INPUT, "'%s' is not a place on an object store; write s3a://bucket/folder/",
                       location ? location : "");
    size_t slash = 0;
    while (slash < s.len && s.p[slash] != '/')
        slash++;
    if (!slash)
        return err_set(err, RC_BAD_INPUT, "'%s' names no bucket; write s3a://bucket/folder/", location);
    struct str rest = str_skip(s, slash);
    while (rest.len && rest.p[0] == '/')
        rest = str_skip(rest, 1);
    while (rest.len && rest.p[rest.len - 1] == '/')
        rest.len--;
    *bucket = str_dup(str_n(s.p, slash));
    *key = mem_strndup(rest.p ? rest.p : "", rest.len);
    return RC_OK;
}
