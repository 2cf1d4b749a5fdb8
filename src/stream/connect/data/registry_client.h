/*
 * The schema registry's calls that AvroConverter makes, blocking, with retries, over one kept connection.
 * Private to this folder.  Subjects are percent-encoded as Confluent's client does.
 */
#ifndef STREAM_CONNECT_DATA_REGISTRY_CLIENT_H
#define STREAM_CONNECT_DATA_REGISTRY_CLIENT_H

#include "base/base.h"

struct registry_client;
/* urls: one or several with commas; user: "name:password" for basic authentication, or NULL; token: bearer, or NULL */
MUST_CHECK enum rc registry_client_new(const char *urls, const char *user, const char *token, bool normalize,
                                       struct registry_client **out, struct err *err);
void registry_client_free(struct registry_client *client);

/* RC_BAD_INPUT carries the registry's words (409, 422), RC_NOT_FOUND 404, RC_RETRY when it stays away. */
MUST_CHECK enum rc registry_client_register(struct registry_client *client, struct str subject, struct str schema,
                                            uint32_t *id, struct err *err);
MUST_CHECK enum rc registry_client_lookup(struct registry_client *client, struct str subject, struct str schema,
                                          uint32_t *id, int *version, struct err *err);
MUST_CHECK enum rc registry_client_latest(struct registry_client *client, struct str subject, uint32_t *id,
                                          struct err *err);
/* Appends the schema's text. */
MUST_CHECK enum rc registry_client_schema(struct registry_client *client, uint32_t id, struct buf *text,
                                          struct err *err);

#endif
