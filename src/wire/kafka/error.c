/* Words for the protocol's error codes. */
#include "wire/kafka/error.h"

static const struct {
    int code;
    const char *text;
} texts[] = {
    { KAFKA_NONE, "no error" },
    { KAFKA_OFFSET_OUT_OF_RANGE, "the offset is not in the log" },
    { KAFKA_CORRUPT_MESSAGE, "the record batch is damaged" },
    { KAFKA_UNKNOWN_TOPIC_OR_PARTITION, "this server does not host this topic-partition" },
    { KAFKA_MESSAGE_TOO_LARGE, "the record batch is larger than max.message.bytes" },
    { KAFKA_INVALID_TOPIC_EXCEPTION, "the topic name is not allowed" },
    { KAFKA_INVALID_REQUIRED_ACKS, "acks must be -1, 0 or 1" },
    { KAFKA_UNKNOWN_MEMBER_ID, "the group does not know this member" },
    { KAFKA_ILLEGAL_GENERATION, "the group is in another generation" },
    { KAFKA_REBALANCE_IN_PROGRESS, "the group is rebalancing" },
    { KAFKA_INVALID_TIMESTAMP, "a timestamp is out of the range the topic accepts" },
    { KAFKA_UNSUPPORTED_VERSION, "this version of the request is not supported" },
    { KAFKA_TOPIC_ALREADY_EXISTS, "a topic of this name exists already" },
    { KAFKA_INVALID_PARTITIONS, "the number of partitions is not allowed" },
    { KAFKA_INVALID_REPLICATION_FACTOR, "the replication factor is larger than the number of brokers, which is 1" },
    { KAFKA_INVALID_REPLICA_ASSIGNMENT, "the replica assignment is not possible with one broker" },
    { KAFKA_INVALID_CONFIG, "the configuration is not valid" },
    { KAFKA_INVALID_REQUEST, "the request is not valid" },
    { KAFKA_OUT_OF_ORDER_SEQUENCE_NUMBER, "the producer's sequence number does not follow the last one" },
    { KAFKA_INVALID_PRODUCER_EPOCH, "a producer with a newer epoch has taken over" },
    { KAFKA_TRANSACTIONAL_ID_AUTHORIZATION_FAILED, "transactions are not supported" },
    { KAFKA_SECURITY_DISABLED, "security features are disabled" },
    { KAFKA_STORAGE_ERROR, "the disk does not take the write" },
    { KAFKA_NON_EMPTY_GROUP, "the group still has members" },
    { KAFKA_GROUP_ID_NOT_FOUND, "no group of this id exists" },
    { KAFKA_ELECTION_NOT_NEEDED, "the partition has its leader" },
    { KAFKA_INVALID_RECORD, "a record breaks a rule of its topic" },
    { KAFKA_UNKNOWN_TOPIC_ID, "this server does not host this topic id" },
};

const char *kafka_error_text(int code)
{
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        if (texts[i].code == code)
            return texts[i].text;
    return "unknown error";
}
