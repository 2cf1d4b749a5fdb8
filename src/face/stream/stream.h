/*
 * The log as the faces read it: topics to their end, records decoded.  By librdkafka and the registry's REST API, as
 * any stranger would.
 */
#ifndef FACE_STREAM_STREAM_H
#define FACE_STREAM_STREAM_H

#include <librdkafka/rdkafka.h>

#include "base/base.h"
#include "net/net.h"
#include "wire/avro/avro.h"

struct stream {
    const struct station *station;
    rd_kafka_t *consumer;
    struct http_client *http;
    struct map schemas; /* "17" -> struct avro_document, owned */
};

/* station: for addresses; must outlive the stream. */
MUST_CHECK enum rc stream_open(const struct station *station, struct stream *out, struct err *err);
void stream_close(struct stream *stream);

struct stream_partition {
    int32_t id;
    int64_t begin, end; /* offsets; end: of the next record */
};
struct stream_topic {
    char *name;
    struct stream_partition *partitions;
    size_t count;
};
/* All topics, or one (name NULL: all).  RC_NOT_FOUND when that one does not exist. */
MUST_CHECK enum rc stream_topics(struct stream *stream, const char *name, struct stream_topic **out, size_t *count,
                                 struct err *err);
void stream_topics_free(struct stream_topic *topics, size_t count);

typedef enum rc stream_record_fn(void *user, const rd_kafka_message_t *record, struct err *err);
/* Every record of a topic between begin and end of each partition; then, with `forever`, those that come. */
MUST_CHECK enum rc stream_read(struct stream *stream, const struct stream_topic *topic, bool forever,
                               stream_record_fn *each, void *user, struct err *err);

/* Schema of a registered id; borrowed.  RC_NOT_FOUND when the registry does not know it. */
MUST_CHECK enum rc stream_schema(struct stream *stream, uint32_t id, const struct avro_schema **out, struct err *err);
/* True when bytes begin as Confluent's wire format has it (0, schema id); *payload is what follows. */
bool stream_is_avro(struct str bytes, uint32_t *id, struct str *payload);
/* Bytes of a key or value as text for people: Avro and JSON as JSON, else text or hex. */
void stream_text(struct stream *stream, struct str bytes, struct buf *out);

#endif
