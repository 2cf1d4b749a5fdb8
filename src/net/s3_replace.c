/*
 * Writes that replace what is there, but not what came later; see s3_replace in s3.h.  A put names
 * what it replaces: nothing (If-None-Match: *) or the object that was there (If-Match).  So of two
 * writers of one key the one that looked first loses when it arrives last.
 *
 * Not told apart is an object that changed and changed back to the same bytes in between.
 */
#include <string.h>

#include "net/s3_call.h"

enum { REPLACE_TRIES = 4 }; /* absent, then in place of what is there, and twice more when that changes */

struct replacement {
    struct s3_client *client;
    const char *bucket, *key, *content_type;
    struct str body;
    const char *upload_id; /* NULL: a single put */
    const char (*etags)[S3_ETAG_MAX];
    int parts;
};

static enum rc write_if(const struct replacement *r, enum s3_condition condition, const char *etag, struct err *err)
{
    if (r->upload_id)
        return s3_multipart_complete(r->client, r->bucket, r->key, r->upload_id, r->etags, r->parts, condition, etag,
                                     err);
    return s3_put(r->client, r->bucket, r->key, r->body, r->content_type, condition, etag, err);
}

/* What the next try has to name. */
static enum rc look(const struct replacement *r, enum s3_condition *condition, char etag[static S3_ETAG_MAX],
                    struct err *err)
{
    struct s3_object there = { 0 };
    enum rc rc = s3_head(r->client, r->bucket, r->key, &there, err);

    *condition = rc == RC_NOT_FOUND ? S3_IF_ABSENT : there.etag[0] ? S3_IF_MATCH : S3_ALWAYS;
    memcpy(etag, there.etag, S3_ETAG_MAX);
    return rc == RC_NOT_FOUND ? RC_OK : rc;
}

static enum rc replace(const struct replacement *r, struct err *err)
{
    enum s3_condition condition = S3_IF_ABSENT;
    char etag[S3_ETAG_MAX] = "";
    enum rc rc = RC_OK;

    for (int n = 0; n < REPLACE_TRIES; n++) {
        if (r->client->unconditional)
            return write_if(r, S3_ALWAYS, NULL, err);
        rc = write_if(r, condition, etag, err);
        bool changed = rc == RC_EXISTS || (rc == RC_NOT_FOUND && condition == S3_IF_MATCH);
        if (!changed && !r->client->unconditional)
            return rc;
        if (changed && look(r, &condition, etag, err))
            return err->rc;
    }
    return rc == RC_EXISTS ? err_set(err, RC_RETRY, "cannot put '%s/%s': another writer puts it at the same time",
                                     r->bucket, r->key)
                           : rc;
}

enum rc s3_replace(struct s3_client *client, const char *bucket, const char *key, struct str body,
                   const char *content_type, struct err *err)
{
    struct replacement r = {
        .client = client, .bucket = bucket, .key = key, .content_type = content_type, .body = body
    };
    struct err own = { 0 };

    return replace(&r, err ? err : &own);
}

enum rc s3_multipart_replace(struct s3_client *client, const char *bucket, const char *key, const char *upload_id,
                             const char (*etags)[S3_ETAG_MAX], int parts, struct err *err)
{
    struct replacement r = {
        .client = client, .bucket = bucket, .key = key, .upload_id = upload_id, .etags = etags, .parts = parts
    };
    struct err own = { 0 };

    return replace(&r, err ? err : &own);
}
