/* S3's errors as rows: what is answered, with which status and words.  Private to lake/store. */
#ifndef LAKE_STORE_ERROR_H
#define LAKE_STORE_ERROR_H

#include "base/base.h"

/* name, code, status, message */
#define S3_ERRORS(X)                                                                                                   \
    X(ACCESS_DENIED, "AccessDenied", 403, "Access Denied.")                                                            \
    X(ACL_NOT_SUPPORTED, "AccessControlListNotSupported", 400, "The bucket does not allow ACLs.")                      \
    X(AUTH_HEADER_MALFORMED, "AuthorizationHeaderMalformed", 400, "The authorization header is malformed.")            \
    X(AUTH_QUERY_ERROR, "AuthorizationQueryParametersError", 400, "Error parsing the authorization parameters.")       \
    X(BAD_DIGEST, "BadDigest", 400, "The Content-MD5 you specified did not match what we received.")                   \
    X(BUCKET_EXISTS, "BucketAlreadyExists", 409, "The requested bucket name is not available.")                        \
    X(BUCKET_NOT_EMPTY, "BucketNotEmpty", 409, "The bucket you tried to delete is not empty.")                         \
    X(ENTITY_TOO_LARGE, "EntityTooLarge", 400, "Your proposed upload exceeds the maximum allowed object size.")        \
    X(ENTITY_TOO_SMALL, "EntityTooSmall", 400,                                                                         \
      "Your proposed upload is smaller than the minimum allowed object size.")                                         \
    X(INCOMPLETE_BODY, "IncompleteBody", 400,                                                                          \
      "You did not provide the number of bytes specified by the Content-Length HTTP header.")                          \
    X(INTERNAL, "InternalError", 500, "We encountered an internal error, please try again.")                           \
    X(INVALID_ACCESS_KEY, "InvalidAccessKeyId", 403, "The Access Key Id you provided does not exist in our records.")  \
    X(INVALID_ARGUMENT, "InvalidArgument", 400, "Invalid Argument.")                                                   \
    X(INVALID_BUCKET_NAME, "InvalidBucketName", 400, "The specified bucket is not valid.")                             \
    X(INVALID_CHUNK_SIZE, "InvalidChunkSizeError", 400,                                                                \
      "Only the last chunk is allowed to have a size less than "                                                       \
      "8192 bytes.")                                                                                                   \
    X(INVALID_DIGEST, "InvalidDigest", 400, "The Content-MD5 you specified is not valid.")                             \
    X(INVALID_PART, "InvalidPart", 400,                                                                                \
      "One or more of the specified parts could not be found. The part may not have been uploaded, or the specified "  \
      "entity tag may not match the part's entity tag.")                                                               \
    X(INVALID_PART_ORDER, "InvalidPartOrder", 400,                                                                     \
      "The list of parts was not in ascending order. Parts must be ordered by part number.")                           \
    X(INVALID_RANGE, "InvalidRange", 416, "The requested range is not satisfiable.")                                   \
    X(INVALID_REQUEST, "InvalidRequest", 400, "Invalid Request.")                                                      \
    X(INVALID_TAG, "InvalidTag", 400, "The tag provided was not a valid tag.")                                         \
    X(INVALID_URI, "InvalidURI", 400, "Couldn't parse the specified URI.")                                             \
    X(KEY_TOO_LONG, "KeyTooLongError", 400, "Your key is too long.")                                                   \
    X(MALFORMED_ACL, "MalformedACLError", 400,                                                                         \
      "The ACL that you provided was not well formed or did not validate "                                             \
      "against our published schema.")                                                                                 \
    X(MALFORMED_POLICY, "MalformedPolicy", 400, "This policy contains invalid Json.")                                  \
    X(MALFORMED_TRAILER, "MalformedTrailerError", 400,                                                                 \
      "The request contained trailing data that was not "                                                              \
      "well-formed or did not conform to our published schema.")                                                       \
    X(MALFORMED_XML, "MalformedXML", 400,                                                                              \
      "The XML you provided was not well-formed or did not validate against our published schema.")                    \
    X(METADATA_TOO_LARGE, "MetadataTooLarge", 400, "Your metadata headers exceed the maximum allowed metadata size.")  \
    X(METHOD_NOT_ALLOWED, "MethodNotAllowed", 405, "The specified method is not allowed against this resource.")       \
    X(MISSING_LENGTH, "MissingContentLength", 411, "You must provide the Content-Length HTTP header.")                 \
    X(MISSING_SECURITY_HEADER, "MissingSecurityHeader", 400, "Your request was missing a required header.")            \
    X(NO_CORS, "NoSuchCORSConfiguration", 404, "The CORS configuration does not exist.")                               \
    X(NO_ENCRYPTION, "ServerSideEncryptionConfigurationNotFoundError", 404,                                            \
      "The server side encryption configuration was not found.")                                                       \
    X(NO_LIFECYCLE, "NoSuchLifecycleConfiguration", 404, "The lifecycle configuration does not exist.")                \
    X(NO_OBJECT_LOCK, "ObjectLockConfigurationNotFoundError", 404,                                                     \
      "Object Lock configuration does not exist for this bucket.")                                                     \
    X(NO_OWNERSHIP_CONTROLS, "OwnershipControlsNotFoundError", 404, "The bucket ownership controls were not found.")   \
    X(NO_PUBLIC_ACCESS_BLOCK, "NoSuchPublicAccessBlockConfiguration", 404,                                             \
      "The public access block configuration was not found.")                                                          \
    X(NO_REPLICATION, "ReplicationConfigurationNotFoundError", 404, "The replication configuration was not found.")    \
    X(NO_SUCH_BUCKET, "NoSuchBucket", 404, "The specified bucket does not exist.")                                     \
    X(NO_SUCH_KEY, "NoSuchKey", 404, "The specified key does not exist.")                                              \
    X(NO_SUCH_POLICY, "NoSuchBucketPolicy", 404, "The bucket policy does not exist.")                                  \
    X(NO_SUCH_TAG_SET, "NoSuchTagSet", 404, "The TagSet does not exist.")                                              \
    X(NO_SUCH_UPLOAD, "NoSuchUpload", 404,                                                                             \
      "The specified multipart upload does not exist. The upload ID may be invalid, or the upload may have been "      \
      "aborted or completed.")                                                                                         \
    X(NO_SUCH_VERSION, "NoSuchVersion", 404, "The specified version does not exist.")                                  \
    X(NO_WEBSITE, "NoSuchWebsiteConfiguration", 404, "The specified bucket does not have a website configuration.")    \
    X(NOT_IMPLEMENTED, "NotImplemented", 501,                                                                          \
      "A header or query you provided implies functionality that is not implemented.")                                 \
    X(NOT_MODIFIED, "NotModified", 304, "Not Modified.")                                                               \
    X(PRECONDITION_FAILED, "PreconditionFailed", 412,                                                                  \
      "At least one of the pre-conditions you specified did not hold.")                                                \
    X(REQUEST_TIME_SKEWED, "RequestTimeTooSkewed", 403,                                                                \
      "The difference between the request time and the server's time is too large.")                                   \
    X(SHA256_MISMATCH, "XAmzContentSHA256Mismatch", 400,                                                               \
      "The provided 'x-amz-content-sha256' header does not match what was computed.")                                  \
    X(SIGNATURE_MISMATCH, "SignatureDoesNotMatch", 403,                                                                \
      "The request signature we calculated does not match the signature you provided. Check your key and signing "     \
      "method.")                                                                                                       \
    X(SLOW_DOWN, "SlowDown", 503, "Please reduce your request rate.")                                                  \
    X(STORAGE_FULL, "XMinioStorageFull", 507,                                                                          \
      "Storage backend has reached its minimum free drive threshold. Please delete a few objects to proceed.")

enum s3_error {
    S3_NONE = 0,
#define X(name, code, status, message) S3_##name,
    S3_ERRORS(X)
#undef X
        S3_ERROR_COUNT
};

struct s3_error_row {
    const char *code;
    int status;
    const char *message;
};
extern const struct s3_error_row s3_errors[S3_ERROR_COUNT];

/* Of our own failures: full disks are told apart, the rest is logged and InternalError. */
enum s3_error s3_error_of(const struct err *err);

#endif
