/* The handlers of the operations' table, named as S3 names the operations: each reads the exchange's request and sets
 * its answer, on the connection's thread.  Private to lake/store. */
#ifndef LAKE_STORE_API_H
#define LAKE_STORE_API_H

#include "lake/store/exchange.h"

void api_list_buckets(struct exchange *x);
void api_create_bucket(struct exchange *x);
void api_delete_bucket(struct exchange *x);
void api_head_bucket(struct exchange *x);
void api_get_bucket_location(struct exchange *x);
void api_get_bucket_versioning(struct exchange *x);
void api_get_bucket_policy(struct exchange *x);
void api_put_bucket_policy(struct exchange *x);
void api_delete_bucket_policy(struct exchange *x);
void api_get_bucket_policy_status(struct exchange *x);
void api_get_bucket_tagging(struct exchange *x);
void api_put_bucket_tagging(struct exchange *x);
void api_delete_bucket_tagging(struct exchange *x);
void api_bucket_without(struct exchange *x); /* the operation's answer, after the bucket was found */
void api_get_acl(struct exchange *x);
void api_put_acl(struct exchange *x);
void api_put_bucket_versioning(struct exchange *x);
void api_list_objects(struct exchange *x);
void api_list_objects_v2(struct exchange *x);
void api_list_object_versions(struct exchange *x);
void api_list_uploads(struct exchange *x);
void api_delete_objects(struct exchange *x);
void api_get_object(struct exchange *x);
void api_put_object(struct exchange *x);
void api_copy_object(struct exchange *x);
void api_delete_object(struct exchange *x);
void api_get_object_tagging(struct exchange *x);
void api_put_object_tagging(struct exchange *x);
void api_delete_object_tagging(struct exchange *x);
void api_get_object_attributes(struct exchange *x);
void api_create_upload(struct exchange *x);
void api_put_part(struct exchange *x);
void api_copy_part(struct exchange *x);
void api_complete_upload(struct exchange *x);
void api_abort_upload(struct exchange *x);
void api_list_parts(struct exchange *x);

/* Shared by those who store a record: headers to keep, tags, checksum kind.  In the exchange's arena. */
enum s3_error api_read_record(struct exchange *x, struct record *record);
void api_put_checksum_header(struct exchange *x, const struct record *record);
/* Source of a copy: bucket and key out of x-amz-copy-source. */
enum s3_error api_read_copy_source(struct exchange *x, struct str *bucket, struct str *key);
/* A continuation token: the base64 of the key from which the next page goes on.  false: failed. */
bool api_read_token(struct exchange *x, struct str token, struct str *from);
/* "private" and the like; anything but a canned private is told. */
enum s3_error api_check_acl(struct exchange *x);

#endif
