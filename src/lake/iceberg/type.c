/*
 * Primitive types: their names in a table's schema (Iceberg spec, "Primitive Types"), what Avro calls them in
 * manifests (appendix A), and what a transform makes of them.  Their values are in value.c.
 */
#include "lake/iceberg/type.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "wire/avro/avro.h"

static const struct {
    const char *name;
    enum iceberg_kind kind;
} plain_types[] = {
    { "boolean", ICEBERG_BOOLEAN },
    { "int", ICEBERG_INT },
    { "long", ICEBERG_LONG },
    { "float", ICEBERG_FLOAT },
    { "double", ICEBERG_DOUBLE },
    { "date", ICEBERG_DATE },
    { "time", ICEBERG_TIME },
    { "timestamp", ICEBERG_TIMESTAMP },
    { "timestamptz", ICEBERG_TIMESTAMPTZ },
    { "string", ICEBERG_STRING },
    { "uuid", ICEBERG_UUID },
    { "binary", ICEBERG_BINARY },
};

bool iceberg_type_parse(const char *text, struct iceberg_type *out)
{
    int end = 0;

    *out = (struct iceberg_type){ 0 };
    for (size_t i = 0; i < ARRAY_LEN(plain_types); i++)
        if (strcmp(plain_types[i].name, text) == 0) {
            out->kind = plain_types[i].kind;
            return true;
        }
    if (sscanf(text, "decimal( %d , %d )%n", &out->precision, &out->scale, &end) == 2 && end && !text[end]) {
        out->kind = ICEBERG_DECIMAL;
        return out->precision > 0 && out->precision <= ICEBERG_DECIMAL_PRECISION_MAX && out->scale >= 0 &&
               out->scale <= out->precision;
    }
    end = 0;
    if (sscanf(text, "fixed[ %d ]%n", &out->length, &end) == 1 && end && !text[end]) {
        out->kind = ICEBERG_FIXED;
        return out->length > 0 && out->length <= AVRO_FIXED_SIZE_MAX;
    }
    return false;
}

int iceberg_decimal_bytes(int precision)
{
    /* digits that n bytes of two's complement hold: floor(log10(2^(8n-1) - 1)) */
    int n = 1;

    while ((int)floor((8 * n - 1) * 0.30102999566398120) < precision)
        n++;
    return n;
}

const char *iceberg_transform_type(const char *transform, const char *source_type)
{
    if (strcmp(transform, "identity") == 0 || strcmp(transform, "void") == 0 || strncmp(transform, "truncate[", 9) == 0)
        return source_type;
    if (strcmp(transform, "day") == 0)
        return "date";
    if (strcmp(transform, "year") == 0 || strcmp(transform, "month") == 0 || strcmp(transform, "hour") == 0 ||
        strncmp(transform, "bucket[", 7) == 0)
        return "int";
    return NULL;
}

bool iceberg_type_avro(const struct iceberg_type *type, int field_id, struct buf *out)
{
    static const char *const texts[] = {
        [ICEBERG_BOOLEAN] = "\"boolean\"",
        [ICEBERG_INT] = "\"int\"",
        [ICEBERG_LONG] = "\"long\"",
        [ICEBERG_FLOAT] = "\"float\"",
        [ICEBERG_DOUBLE] = "\"double\"",
        [ICEBERG_DATE] = "{\"type\":\"int\",\"logicalType\":\"date\"}",
        [ICEBERG_TIME] = "{\"type\":\"long\",\"logicalType\":\"time-micros\"}",
        [ICEBERG_TIMESTAMP] = "{\"type\":\"long\",\"logicalType\":\"timestamp-micros\",\"adjust-to-utc\":false}",
        [ICEBERG_TIMESTAMPTZ] = "{\"type\":\"long\",\"logicalType\":\"timestamp-micros\",\"adjust-to-utc\":true}",
        [ICEBERG_STRING] = "\"string\"",
        [ICEBERG_BINARY] = "\"bytes\"",
    };

    switch (type->kind) {
    case ICEBERG_UUID:
        buf_printf(out, "{\"type\":\"fixed\",\"name\":\"uuid_fixed_%d\",\"size\":16,\"logicalType\":\"uuid\"}",
                   field_id);
        return true;
    case ICEBERG_FIXED:
        buf_printf(out, "{\"type\":\"fixed\",\"name\":\"fixed_%d_%d\",\"size\":%d}", type->length, field_id,
                   type->length);
        return true;
    case ICEBERG_DECIMAL:
        buf_printf(out,
                   "{\"type\":\"fixed\",\"name\":\"decimal_%d_%d_%d\",\"size\":%d,\"logicalType\":\"decimal\","
                   "\"precision\":%d,\"scale\":%d}",
                   type->precision, type->scale, field_id, iceberg_decimal_bytes(type->precision), type->precision,
                   type->scale);
        return true;
    default:
        buf_puts(out, texts[type->kind]);
        return true;
    }
}
