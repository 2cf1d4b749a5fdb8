/* Topic ids and their text: base64url without padding, as Kafka prints them. */
#include <string.h>

#include "wire/kafka/message.h"

bool kafka_uuid_eq(const struct kafka_uuid *a, const struct kafka_uuid *b)
{
    return memcmp(a, b, sizeof *a) == 0;
}

bool kafka_uuid_is_zero(const struct kafka_uuid *uuid)
{
    return kafka_uuid_eq(uuid, &(struct kafka_uuid){ 0 });
}

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

void kafka_uuid_format(const struct kafka_uuid *uuid, char out[static KAFKA_UUID_TEXT_MAX])
{
    uint32_t bits = 0;
    int have = 0;
    char *at = out;

    for (size_t i = 0; i < sizeof uuid->bytes; i++) {
        bits = bits << 8 | uuid->bytes[i];
        for (have += 8; have >= 6; have -= 6)
            *at++ = digits[bits >> (have - 6) & 63];
    }
    *at++ = digits[bits << (6 - have) & 63];
    *at = 0;
}

bool kafka_uuid_parse(struct str text, struct kafka_uuid *out)
{
    uint32_t bits = 0;
    int have = 0;
    size_t n = 0;

    if (text.len != KAFKA_UUID_TEXT_MAX - 1)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        const char *digit = text.p[i] ? strchr(digits, text.p[i]) : NULL;
        if (!digit)
            return false;
        bits = bits << 6 | (uint32_t)(digit - digits);
        have += 6;
        if (have >= 8 && n < sizeof out->bytes) {
            have -= 8;
            out->bytes[n++] = (uint8_t)(bits >> have);
        }
    }
    return n == sizeof out->bytes;
}
