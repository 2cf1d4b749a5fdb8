/*
 * How the rows of a message are written down.  Private to this folder.
 *
 *     ROWS(fetch_request_topic,                                        struct kafka_fetch_request_topic
 *         F(fetch_request_topic, STR, topic, 0, UNTIL(12)),            on the wire in versions 0 to 12
 *         F(fetch_request_topic, UUID, topic_id, 13),                  since 13
 *         F(fetch_request_topic, LIST, partitions, 0, OF(kafka_fetch_request_partition)));
 *
 * All options are coded so that zero means "not given".
 */
#ifndef WIRE_KAFKA_ROW_H
#define WIRE_KAFKA_ROW_H

#include "wire/kafka/message.h"

struct kafka_field {
    const char *name;
    const struct kafka_message *of; /* element of a LIST, or the STRUCT */
    int64_t absent;                 /* number it has in versions that do not carry it; the default of a tag */
    uint16_t at;                    /* offset in the C struct */
    uint8_t kind, item;             /* item: kind of the elements of a LIST without `of` */
    int8_t since;
    int8_t gone;     /* first version without it; 0: never */
    int8_t nullable; /* first version in which it may be null, plus 1; 0: never */
    int8_t tag;      /* plus 1; 0: not tagged */
};

#define F(struct_, kind_, member_, since_, ...)                                                                        \
    {                                                                                                                  \
        .name = #member_, .kind = KAFKA_##kind_, .at = (uint16_t)offsetof(struct kafka_##struct_, member_),            \
        .since = since_, ##__VA_ARGS__                                                                                 \
    }
#define OF(struct_)       .of = &struct_##_message
#define ITEM(kind_)       .item = KAFKA_##kind_
#define UNTIL(version)    .gone = (version) + 1
#define NULLABLE(version) .nullable = (version) + 1
#define TAG(number)       .tag = (number) + 1
#define ABSENT(number)    .absent = number

#define ROWS(struct_, ...)                                                                                             \
    static const struct kafka_field struct_##_fields[] = { __VA_ARGS__ };                                              \
    const struct kafka_message kafka_##struct_##_message = { #struct_, sizeof(struct kafka_##struct_),                 \
                                                             struct_##_fields, ARRAY_LEN(struct_##_fields) }
#define NO_ROWS(struct_)                                                                                               \
    const struct kafka_message kafka_##struct_##_message = { #struct_, sizeof(struct kafka_##struct_), NULL, 0 }

#endif
